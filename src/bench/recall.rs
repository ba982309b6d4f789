//! How often predictions were right in the untimed run, with the rates.

use serde::Serialize;

use crate::expert::predict::{Method, RecallRow, totals};

/// What came of one method's predictions for one layer.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct RecallByLayer {
    /// The counts.
    #[serde(flatten)]
    pub counts: RecallRow,
    /// Share of the experts that the router chose that were predicted; `None` where it chose none.
    pub slot_rate: Option<f64>,
    /// The same of those that had no slot but for the prediction.
    pub miss_rate: Option<f64>,
}

/// The same over all layers.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[allow(missing_docs)]
pub struct RecallTotal {
    pub predictor: Method,
    pub d: Option<usize>,
    pub slots: u64,
    pub slot_hits: u64,
    pub misses: u64,
    pub miss_hits: u64,
    pub slot_rate: Option<f64>,
    pub miss_rate: Option<f64>,
}

/// The rows with their rates.
pub fn by_layer(rows: &[RecallRow]) -> Vec<RecallByLayer> {
    let rated = |&counts: &RecallRow| RecallByLayer {
        counts,
        slot_rate: rate(counts.slot_hits, counts.slots),
        miss_rate: rate(counts.miss_hits, counts.misses),
    };
    rows.iter().map(rated).collect()
}

/// A row per method and distance.
pub fn over_layers(rows: &[RecallRow]) -> Vec<RecallTotal> {
    let rated = |sum: RecallRow| {
        let RecallRow { predictor, d, slots, slot_hits, misses, miss_hits, .. } = sum;
        let (slot_rate, miss_rate) = (rate(slot_hits, slots), rate(miss_hits, misses));
        RecallTotal { predictor, d, slots, slot_hits, misses, miss_hits, slot_rate, miss_rate }
    };
    totals(rows).into_iter().map(rated).collect()
}

fn rate(hits: u64, all: u64) -> Option<f64> {
    (all > 0).then(|| hits as f64 / all as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_those_of_the_counts_beside_them() {
        let row = |layer, slot_hits, misses| RecallRow {
            predictor: Method::Fate,
            layer,
            d: Some(1),
            slots: 8,
            slot_hits,
            misses,
            miss_hits: misses / 2,
        };
        let rows = [row(1, 2, 4), row(2, 4, 0)];
        let layers: Vec<_> = by_layer(&rows).iter().map(|row| (row.slot_rate, row.miss_rate)).collect();
        assert_eq!(layers, [(Some(0.25), Some(0.5)), (Some(0.5), None)]);
        let total = over_layers(&rows)[0];
        assert_eq!((total.slots, total.slot_rate, total.miss_rate), (16, Some(0.375), Some(0.5)));
    }
}
