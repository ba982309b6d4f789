//! Segment cache best hit rate: what a cache reaches that sees a little of the future.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::Requests;
use crate::expert::ExpertId;
use crate::expert::cache::{EvictionPolicy, PolicyShape, Request};

/// What the tokens of a trace used, by layer.
pub struct Future(Vec<LayerUses>);

/// Experts `(tokens, k)` of one layer.
#[derive(Default)]
struct LayerUses {
    chosen: Vec<u32>,
    k: usize,
}

impl LayerUses {
    fn token(&self, at: usize) -> &[u32] {
        self.chosen.chunks(self.k.max(1)).nth(at).unwrap_or_default()
    }
}

impl Future {
    /// Of all that is replayed.
    pub fn new(requests: &Requests<'_>) -> Self {
        let mut layers: Vec<LayerUses> = requests.layers.iter().map(|_| LayerUses::default()).collect();
        let place = |layer| requests.layers.iter().position(|l| l.layer == layer);
        for step in &requests.steps {
            if let Some(place) = place(step.routed.layer) {
                layers[place].k = step.routed.k;
                layers[place].chosen.extend_from_slice(&step.routed.chosen);
            }
        }
        Self(layers)
    }
}

/// The expert with the fewest uses by the next `m` tokens that visit its layer leaves first, ties to the least recent. After
/// "Not All Models Suit Expert Offloading" (arXiv 2505.16056), with this cache's one pool and rules.
pub struct Foresight {
    m: usize,
    future: Arc<Future>,
    /// Tokens that visited each layer so far.
    visited: Vec<usize>,
    /// Where each layer of the model is in these lists.
    places: Vec<usize>,
    experts: Vec<Vec<Seen>>,
    residents: BTreeSet<(usize, u64, ExpertId)>,
    tick: u64,
}

/// What is known of an expert.
#[derive(Clone, Copy, Default)]
struct Seen {
    uses_ahead: usize,
    last: u64,
    resident: bool,
}

impl Foresight {
    /// A policy that sees `m` tokens of the future ahead, for a class of all its layers.
    pub fn new(future: &Arc<Future>, shape: &PolicyShape, m: usize) -> Self {
        let mut places = vec![0; shape.layers.iter().map(|l| l.0 as usize + 1).max().unwrap_or(0)];
        let mut experts = Vec::with_capacity(shape.layers.len());
        for (place, (&(layer, count), uses)) in shape.layers.iter().zip(&future.0).enumerate() {
            places[layer as usize] = place;
            let mut seen = vec![Seen::default(); count];
            for &expert in uses.chosen.iter().take(m.saturating_mul(uses.k)) {
                seen[expert as usize].uses_ahead += 1;
            }
            experts.push(seen);
        }
        let visited = vec![0; shape.layers.len()];
        Self { m, future: future.clone(), visited, places, experts, residents: BTreeSet::new(), tick: 0 }
    }

    fn seen(&mut self, id: ExpertId) -> &mut Seen {
        &mut self.experts[self.places[id.layer as usize]][id.index as usize]
    }

    /// Changes what is known of an expert, and its place among the residents.
    fn change(&mut self, id: ExpertId, change: impl FnOnce(&mut Seen)) {
        let seen = self.seen(id);
        let before = *seen;
        change(seen);
        let after = *seen;
        if before.resident {
            self.residents.remove(&(before.uses_ahead, before.last, id));
        }
        if after.resident {
            self.residents.insert((after.uses_ahead, after.last, id));
        }
    }
}

impl EvictionPolicy for Foresight {
    fn name(&self) -> &'static str {
        "foresight"
    }

    fn request(&mut self, request: &Request<'_>) {
        let (layer, m) = (request.layer, self.m);
        let place = self.places[layer as usize];
        let future = self.future.clone();
        let now = self.visited[place];
        for at in now..now + request.tokens {
            // A token leaves what lies ahead, and another one comes into view.
            let (gone, seen) = (future.0[place].token(at), future.0[place].token(at.saturating_add(m)));
            gone.iter().for_each(|&index| self.change(ExpertId { layer, index }, |e| e.uses_ahead -= 1));
            seen.iter().for_each(|&index| self.change(ExpertId { layer, index }, |e| e.uses_ahead += 1));
        }
        self.visited[place] = now + request.tokens;
        for id in request.ids() {
            self.tick += 1;
            let tick = self.tick;
            self.change(id, |e| e.last = tick);
        }
    }

    fn insert(&mut self, ids: &[ExpertId]) {
        ids.iter().for_each(|&id| self.change(id, |e| e.resident = true));
    }

    fn remove(&mut self, id: ExpertId) {
        self.change(id, |e| e.resident = false);
    }

    fn victim(&self, evictable: &dyn Fn(ExpertId) -> bool) -> Option<ExpertId> {
        self.residents.iter().map(|&(_, _, id)| id).find(|&id| evictable(id))
    }

    fn residents(&self) -> Vec<ExpertId> {
        self.residents.iter().map(|&(_, _, id)| id).collect()
    }
}
