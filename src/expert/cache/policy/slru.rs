//! Segmented least recently used.

use ::lru::LruCache;

use super::{EvictionPolicy, PolicyShape};
use crate::expert::ExpertId;
use crate::expert::cache::Request;

/// Part of the slots whose owners are protected.
const PROTECTED_PERCENT: usize = 80;

/// Two segments, each in order of recency: new experts are on trial, and one that is requested again is protected. At
/// most 80 % of the slots are protected; beyond that the least recent of them is on trial again, as its most recent. The
/// least recent on trial leaves first. (Karedla, Love, Wherry: "Caching strategies to improve disk system performance".)
pub(super) struct Slru {
    trial: LruCache<ExpertId, ()>,
    protected: LruCache<ExpertId, ()>,
    most_protected: usize,
    /// The last request, to place experts that get their slots later at their place in it.
    current: Vec<ExpertId>,
}

impl Slru {
    /// An empty policy.
    pub(super) fn new(shape: &PolicyShape) -> Self {
        Self {
            trial: LruCache::unbounded(),
            protected: LruCache::unbounded(),
            most_protected: shape.slots * PROTECTED_PERCENT / 100,
            current: Vec::new(),
        }
    }

    fn protect(&mut self, id: ExpertId) {
        self.protected.put(id, ());
        if self.protected.len() > self.most_protected
            && let Some((least_recent, ())) = self.protected.pop_lru()
        {
            self.trial.put(least_recent, ());
        }
    }
}

impl EvictionPolicy for Slru {
    fn name(&self) -> &'static str {
        "slru"
    }

    fn request(&mut self, request: &Request<'_>) {
        self.current.clear();
        self.current.extend(request.ids());
        for id in request.ids() {
            if self.trial.pop(&id).is_some() || self.protected.contains(&id) {
                self.protect(id);
            }
        }
    }

    fn insert(&mut self, ids: &[ExpertId]) {
        for &id in ids {
            self.trial.put(id, ());
        }
        for id in &self.current {
            self.trial.promote(id);
        }
    }

    fn remove(&mut self, id: ExpertId) {
        self.trial.pop(&id);
        self.protected.pop(&id);
    }

    fn victim(&self, evictable: &dyn Fn(ExpertId) -> bool) -> Option<ExpertId> {
        let segments = self.trial.iter().rev().chain(self.protected.iter().rev());
        segments.map(|(&id, ())| id).find(|&id| evictable(id))
    }

    fn residents(&self) -> Vec<ExpertId> {
        self.memory().into_iter().map(|(id, _)| id).collect()
    }

    /// 1 for what is protected, 0 for what is on trial.
    fn memory(&self) -> Vec<(ExpertId, f32)> {
        let trial = self.trial.iter().rev().map(|(&id, ())| (id, 0.0));
        trial.chain(self.protected.iter().rev().map(|(&id, ())| (id, 1.0))).collect()
    }
}
