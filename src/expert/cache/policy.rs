//! Who leaves the cache: one trait, and least recently used as its first policy.

use lru::LruCache;

use crate::expert::ExpertId;

/// Chooses which resident expert gives up its slot.
///
/// A policy sees the requests and the cache's answers to them and nothing else: no time, no reads, no device. So the
/// same requests always give the same evictions. Each slot class has a policy object of its own.
pub trait EvictionPolicy: Send {
    /// The name a user types.
    fn name(&self) -> &'static str;
    /// One step of a layer asks for these distinct experts, resident or not, in request order. Comes once per
    /// (step, layer), before any victim is chosen for it.
    fn request(&mut self, ids: &[ExpertId]);
    /// Experts of the last request that have just got slots, in request order.
    fn insert(&mut self, ids: &[ExpertId]);
    /// The expert has lost its slot.
    fn remove(&mut self, id: ExpertId);
    /// The resident expert that goes first among the `evictable`; ties fall to the lowest (layer, expert).
    fn victim(&self, evictable: &dyn Fn(ExpertId) -> bool) -> Option<ExpertId>;
    /// The resident experts in the order they would go.
    fn residents(&self) -> Vec<ExpertId>;
}

/// Least recently used: an expert is as recent as its last request, and later in a request is more recent.
pub struct Lru {
    order: LruCache<ExpertId, ()>,
    /// The last request, to place experts that get their slots later at their place in it.
    current: Vec<ExpertId>,
}

impl Lru {
    /// An empty policy.
    pub fn new() -> Self {
        Self { order: LruCache::unbounded(), current: Vec::new() }
    }

    fn promote_current(&mut self) {
        for id in &self.current {
            self.order.promote(id);
        }
    }
}

impl Default for Lru {
    fn default() -> Self {
        Self::new()
    }
}

impl EvictionPolicy for Lru {
    fn name(&self) -> &'static str {
        "lru"
    }

    fn request(&mut self, ids: &[ExpertId]) {
        self.current.clear();
        self.current.extend_from_slice(ids);
        self.promote_current();
    }

    fn insert(&mut self, ids: &[ExpertId]) {
        for &id in ids {
            self.order.put(id, ());
        }
        self.promote_current();
    }

    fn remove(&mut self, id: ExpertId) {
        self.order.pop(&id);
    }

    fn victim(&self, evictable: &dyn Fn(ExpertId) -> bool) -> Option<ExpertId> {
        self.order.iter().rev().map(|(&id, ())| id).find(|&id| evictable(id))
    }

    fn residents(&self) -> Vec<ExpertId> {
        self.order.iter().rev().map(|(&id, ())| id).collect()
    }
}
