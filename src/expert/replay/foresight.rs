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
    /// Not in its place among the residents for now.
    lifted: bool,
}

impl Foresight {
    /// A policy that sees `m` tokens of the future ahead, at least one, for a class of all its layers.
    pub fn new(future: &Arc<Future>, shape: &PolicyShape, m: usize) -> Self {
        let mut places = vec![0; shape.layers.iter().map(|l| l.0 as usize + 1).max().unwrap_or(0)];
        let mut experts = Vec::with_capacity(shape.layers.len());
        for (place, (&(layer, count), uses)) in shape.layers.iter().zip(&future.0).enumerate() {
            places[layer as usize] = place;
            let mut seen = vec![Seen::default(); count];
            for &expert in uses.chosen.iter().take(m.max(1).saturating_mul(uses.k)) {
                seen[expert as usize].uses_ahead += 1;
            }
            experts.push(seen);
        }
        let visited = vec![0; shape.layers.len()];
        Self { m: m.max(1), future: future.clone(), visited, places, experts, residents: BTreeSet::new(), tick: 0 }
    }

    fn seen(&mut self, id: ExpertId) -> &mut Seen {
        &mut self.experts[self.places[id.layer as usize]][id.index as usize]
    }

    /// Takes a resident out of the order.
    fn lift(&mut self, id: ExpertId) {
        let seen = self.seen(id);
        if seen.resident && !std::mem::replace(&mut seen.lifted, true) {
            let place = (seen.uses_ahead, seen.last, id);
            self.residents.remove(&place);
        }
    }

    /// Puts one that was taken out to its place.
    fn put_down(&mut self, id: ExpertId) {
        let seen = self.seen(id);
        if std::mem::take(&mut seen.lifted) {
            let place = (seen.uses_ahead, seen.last, id);
            self.residents.insert(place);
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
        // A token leaves what lies ahead, and another one comes into view.
        let gone = |at: usize| future.0[place].token(at);
        let seen = |at: usize| future.0[place].token(at.saturating_add(m));
        let steps = now..now + request.tokens;
        // Residents leave their place in the order once, and take their new one when all has changed.
        let changing = || steps.clone().flat_map(|at| gone(at).iter().chain(seen(at))).chain(request.distinct);
        for &index in changing() {
            self.lift(ExpertId { layer, index });
        }
        for at in steps.clone() {
            gone(at).iter().for_each(|&index| self.experts[place][index as usize].uses_ahead -= 1);
            seen(at).iter().for_each(|&index| self.experts[place][index as usize].uses_ahead += 1);
        }
        for &index in request.distinct {
            self.tick += 1;
            self.experts[place][index as usize].last = self.tick;
        }
        for &index in changing() {
            self.put_down(ExpertId { layer, index });
        }
        self.visited[place] = now + request.tokens;
    }

    fn insert(&mut self, ids: &[ExpertId]) {
        for &id in ids {
            let seen = self.seen(id);
            (seen.resident, seen.lifted) = (true, true);
            self.put_down(id);
        }
    }

    fn remove(&mut self, id: ExpertId) {
        self.lift(id);
        let seen = self.seen(id);
        (seen.resident, seen.lifted) = (false, false);
    }

    fn victim(&self, evictable: &dyn Fn(ExpertId) -> bool) -> Option<ExpertId> {
        self.residents.iter().map(|&(_, _, id)| id).find(|&id| evictable(id))
    }

    fn residents(&self) -> Vec<ExpertId> {
        self.residents.iter().map(|&(_, _, id)| id).collect()
    }
}
