//! Belady's optimum: what a policy that knows the future can reach.

use std::cmp::Reverse;
use std::collections::{BTreeSet, HashMap};

use super::{EvictionPolicy, PolicyShape};
use crate::expert::ExpertId;
use crate::expert::cache::Request;

/// No request to come.
const NEVER: usize = usize::MAX;

/// The expert whose next request is the farthest leaves first; those that are never requested again before all others,
/// the least recent first. A bound for recorded routing, not a policy for live runs. Each missing expert gets a slot.
pub struct Belady {
    /// All requests of the class, in order: the expert, and where in this list it is requested next.
    future: Vec<(ExpertId, usize)>,
    /// Requests seen so far.
    now: usize,
    known: HashMap<ExpertId, Uses>,
    residents: BTreeSet<(Reverse<usize>, usize, ExpertId)>,
}

/// Where in the future an expert is requested next, and requests seen when it was requested last.
#[derive(Clone, Copy)]
struct Uses {
    last: usize,
    next: usize,
}

impl Uses {
    fn place(self, id: ExpertId) -> (Reverse<usize>, usize, ExpertId) {
        (Reverse(self.next), self.last, id)
    }
}

impl Belady {
    /// A policy for a class that will be asked for `future`: the layer and the distinct experts ([`Request::distinct`])
    /// of each (step, layer), in order. Layers of other classes among them are passed over.
    pub fn new<'a>(shape: &PolicyShape, future: impl IntoIterator<Item = (u32, &'a [u32])>) -> Self {
        let mine = |layer: u32| shape.layers.iter().any(|l| l.0 == layer);
        let ids = |(layer, distinct): (u32, &'a [u32])| distinct.iter().map(move |&index| ExpertId { layer, index });
        let mut future: Vec<_> = future.into_iter().filter(|r| mine(r.0)).flat_map(ids).map(|id| (id, NEVER)).collect();
        let mut known: HashMap<_, Uses> = HashMap::new();
        for (at, (id, next)) in future.iter_mut().enumerate().rev() {
            let after = known.insert(*id, Uses { last: 0, next: at });
            *next = after.map_or(NEVER, |uses| uses.next);
        }
        Self { future, now: 0, known, residents: BTreeSet::new() }
    }

    /// Experts that are never requested have slots only if an earlier run kept them.
    fn uses(&self, id: ExpertId) -> Uses {
        self.known.get(&id).copied().unwrap_or(Uses { last: 0, next: NEVER })
    }
}

impl EvictionPolicy for Belady {
    fn name(&self) -> &'static str {
        "belady"
    }

    /// # Panics
    /// If the request is not the one that the future says.
    fn request(&mut self, request: &Request<'_>) {
        for id in request.ids() {
            let &(expected, next) = self.future.get(self.now).expect("no more requests than the future has");
            assert_eq!(id, expected, "the future told otherwise");
            self.now += 1;
            let uses = Uses { last: self.now, next };
            let before = self.known.insert(id, uses);
            if before.is_some_and(|before| self.residents.remove(&before.place(id))) {
                self.residents.insert(uses.place(id));
            }
        }
    }

    fn insert(&mut self, ids: &[ExpertId]) {
        for &id in ids {
            self.residents.insert(self.uses(id).place(id));
        }
    }

    fn remove(&mut self, id: ExpertId) {
        self.residents.remove(&self.uses(id).place(id));
    }

    fn victim(&self, evictable: &dyn Fn(ExpertId) -> bool) -> Option<ExpertId> {
        self.residents.iter().map(|&(_, _, id)| id).find(|&id| evictable(id))
    }

    fn residents(&self) -> Vec<ExpertId> {
        self.residents.iter().map(|&(_, _, id)| id).collect()
    }
}
