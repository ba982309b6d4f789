//! Least recently used.

use ::lru::LruCache;

use super::EvictionPolicy;
use crate::expert::ExpertId;
use crate::expert::cache::Request;

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

    fn request(&mut self, request: &Request<'_>) {
        self.current.clear();
        self.current.extend(request.ids());
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
