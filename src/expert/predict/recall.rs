//! How often predictions were right.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{LOOKAHEAD_MAX, Method, RoutedLayer};

/// What came of one method's predictions for one layer, made `d` layers ahead.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct RecallRow {
    /// Who predicted.
    pub predictor: Method,
    /// For which layer of the model.
    pub layer: usize,
    /// How many layers ahead; 0 is the control, the layer's own router applied again, and must read 100 %. `None` where
    /// nothing of the token was known but its id.
    pub d: Option<usize>,
    /// Experts that the router chose.
    pub slots: u64,
    /// Those that were among as many predicted ones.
    pub slot_hits: u64,
    /// Experts that the router chose and that had no slot, or had one only because they were predicted.
    pub misses: u64,
    /// Those that were predicted.
    pub miss_hits: u64,
}

/// Counts by method, distance and layer.
#[derive(Debug)]
pub struct Recall {
    layers: Vec<usize>,
    counts: BTreeMap<Key, [u64; 4]>,
}

/// Method, layers ahead, place of the layer.
type Key = (Method, Option<usize>, usize);

/// What an entry of the counts takes, its share of the tree's nodes included.
const ENTRY_BYTES: usize = 128;
/// Methods that are counted for every layer, at every distance.
const METHODS: usize = 4;

impl Recall {
    /// Nothing yet.
    pub fn new(layers: &[RoutedLayer]) -> Self {
        Self { layers: layers.iter().map(|l| l.layer).collect(), counts: BTreeMap::new() }
    }

    /// What it may grow to.
    pub fn bytes(layers: &[RoutedLayer]) -> u64 {
        (layers.len() * METHODS * (LOOKAHEAD_MAX + 1) * ENTRY_BYTES) as u64
    }

    /// Counts a prediction for the layer in place `at` of which `chosen` came true. How many were right.
    pub fn count(
        &mut self,
        at: usize,
        method: Method,
        d: Option<usize>,
        predicted: &[u32],
        chosen: &[u32],
        is_missing: &dyn Fn(u32) -> bool,
    ) -> u64 {
        let [slots, slot_hits, misses, miss_hits] = self.counts.entry((method, d, at)).or_default();
        let mut hits = 0;
        for e in chosen {
            let (hit, missing) = (u64::from(predicted.contains(e)), u64::from(is_missing(*e)));
            hits += hit;
            *misses += missing;
            *miss_hits += missing * hit;
        }
        *slots += chosen.len() as u64;
        *slot_hits += hits;
        hits
    }

    /// All counts, by method, distance, layer.
    pub fn rows(&self) -> Vec<RecallRow> {
        let row = |(&(predictor, d, at), counts): (&Key, &[u64; 4])| {
            let [slots, slot_hits, misses, miss_hits] = *counts;
            let layer = self.layers[at];
            RecallRow { predictor, layer, d, slots, slot_hits, misses, miss_hits }
        };
        self.counts.iter().map(row).collect()
    }
}

/// Sums over layers, a row per method and distance, in order; `layer` says nothing there.
pub fn totals(rows: &[RecallRow]) -> Vec<RecallRow> {
    let mut sums: BTreeMap<(Method, Option<usize>), RecallRow> = BTreeMap::new();
    for &row in rows {
        let empty = RecallRow { slots: 0, slot_hits: 0, misses: 0, miss_hits: 0, ..row };
        let sum = sums.entry((row.predictor, row.d)).or_insert(empty);
        sum.slots += row.slots;
        sum.slot_hits += row.slot_hits;
        sum.misses += row.misses;
        sum.miss_hits += row.miss_hits;
    }
    sums.into_values().collect()
}
