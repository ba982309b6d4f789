//! How a byte budget becomes pools of slots.

use std::collections::BTreeMap;

use crate::error::{Error, Result};
use crate::expert::{ExpertLayer, SlotClass};

/// One pool serves all layers while slots of the largest expert waste at most this share of their bytes.
const MAX_WASTE_PERCENT: u128 = 20;

/// One class before the budget is known: slot bytes, the fewest slots that work and the most that are of use.
#[derive(Clone, Copy, Debug)]
struct Demand {
    slot_bytes: usize,
    least: usize,
    most: usize,
}

impl Demand {
    fn bytes(&self, slots: usize) -> u128 {
        slots as u128 * self.slot_bytes as u128
    }
}

/// Divides `budget` bytes into slot classes for a model that uses `k` experts per token, and sets each layer's
/// [`ExpertLayer::class`].
///
/// One class with slots of the largest expert while that wastes at most 20 %; else one class per expert size, each with
/// room for one layer's `k` experts and the rest divided by the classes' bytes. No class gets more slots than experts.
///
/// # Errors
/// [`Error::Budget`], naming the smallest budget that works.
pub fn classes_for(layers: &mut [ExpertLayer], k: usize, budget: u64) -> Result<Vec<SlotClass>> {
    let sizes = class_sizes(layers);
    let demands = demands(layers, &sizes, k);
    let least: u128 = demands.iter().map(|d| d.bytes(d.least)).sum();
    let most: u128 = demands.iter().map(|d| d.bytes(d.most)).sum();
    let Some(extra) = u128::from(budget).checked_sub(least) else {
        return Err(Error::Budget(format!(
            "the expert cache cannot work in {budget} bytes: the smallest that works is {least}"
        )));
    };
    for layer in layers {
        layer.class = class_of(&sizes, layer);
    }
    // Each class gets the same share of what it could use above its minimum.
    let wanted = (most - least).max(1);
    let share = |d: &Demand| ((d.most - d.least) as u128 * extra.min(wanted) / wanted) as usize;
    Ok(demands.iter().map(|d| SlotClass { slots: d.least + share(d), slot_bytes: d.slot_bytes }).collect())
}

/// The fewest bytes that [`classes_for`] accepts.
pub fn smallest_budget(layers: &[ExpertLayer], k: usize) -> u64 {
    let sizes = class_sizes(layers);
    let bytes: u128 = demands(layers, &sizes, k).iter().map(|d| d.bytes(d.least)).sum();
    u64::try_from(bytes).unwrap_or(u64::MAX)
}

/// The most bytes that [`classes_for`] turns into slots: every expert has one.
pub fn largest_budget(layers: &[ExpertLayer], k: usize) -> u64 {
    let sizes = class_sizes(layers);
    let bytes: u128 = demands(layers, &sizes, k).iter().map(|d| d.bytes(d.most)).sum();
    u64::try_from(bytes).unwrap_or(u64::MAX)
}

/// Slot bytes of each class, ascending.
fn class_sizes(layers: &[ExpertLayer]) -> Vec<usize> {
    let mut experts = BTreeMap::<usize, usize>::new();
    for layer in layers {
        *experts.entry(layer.slot_bytes).or_default() += layer.count;
    }
    let Some((&largest, _)) = experts.last_key_value() else { return Vec::new() };
    let used: u128 = experts.iter().map(|(&bytes, &n)| bytes as u128 * n as u128).sum();
    let pooled = largest as u128 * experts.values().sum::<usize>() as u128;
    if (pooled - used) * 100 <= pooled * MAX_WASTE_PERCENT { vec![largest] } else { experts.into_keys().collect() }
}

/// The smallest class that holds the layer's experts.
fn class_of(sizes: &[usize], layer: &ExpertLayer) -> usize {
    sizes.partition_point(|&bytes| bytes < layer.slot_bytes)
}

fn demands(layers: &[ExpertLayer], sizes: &[usize], k: usize) -> Vec<Demand> {
    let mut demands: Vec<Demand> = sizes.iter().map(|&slot_bytes| Demand { slot_bytes, least: 0, most: 0 }).collect();
    for layer in layers {
        let demand = &mut demands[class_of(sizes, layer)];
        demand.least = demand.least.max(k.max(1).min(layer.count));
        demand.most += layer.count;
    }
    demands
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::expert::{ExpertMatrix, Extent, window_bytes};
    use crate::gguf::GgmlType;

    /// A layer of F32 experts with three matrices of `rows` x 1024.
    fn layer(layer: u32, count: usize, rows: usize) -> ExpertLayer {
        let matrix = |extent| ExpertMatrix { ty: GgmlType::F32, rows, cols: 1024, extent, start: 0 };
        let extent = Extent { shard: 0, offset: 0, len: rows * 4096 };
        let (matrices, extents, slot_bytes) = ([0, 1, 2].map(matrix), vec![extent; 3], 3 * window_bytes(rows * 4096));
        ExpertLayer { layer, count, matrices, extents, class: usize::MAX, slot_bytes }
    }

    #[test]
    fn layers_of_nearly_one_size_share_a_pool() {
        let mut layers = [layer(0, 8, 90), layer(1, 8, 100)];
        let bytes = layers[1].slot_bytes;
        let classes = classes_for(&mut layers, 2, 5 * bytes as u64 + 1).unwrap();
        assert_eq!(classes, [SlotClass { slots: 5, slot_bytes: bytes }]);
        assert!(layers.iter().all(|l| l.class == 0));
    }

    #[test]
    fn layers_of_very_different_sizes_have_pools_divided_by_their_bytes() {
        let mut layers = [layer(0, 32, 10), layer(1, 32, 100)];
        let (small, large) = (layers[0].slot_bytes, layers[1].slot_bytes);
        let half = 16 * (small + large) as u64;
        let classes = classes_for(&mut layers, 2, half).unwrap();
        assert_eq!(classes, [SlotClass { slots: 16, slot_bytes: small }, SlotClass { slots: 16, slot_bytes: large }]);
        assert_eq!([layers[0].class, layers[1].class], [0, 1]);
    }

    #[test]
    fn a_budget_beyond_the_model_gives_every_expert_a_slot_and_no_more() {
        let mut layers = [layer(0, 32, 10), layer(1, 32, 100)];
        let classes = classes_for(&mut layers, 2, u64::MAX).unwrap();
        assert!(classes.iter().all(|c| c.slots == 32));
    }

    #[test]
    fn the_smallest_budget_works_and_one_byte_less_is_refused_with_its_size() {
        for mut layers in [[layer(0, 32, 10), layer(1, 32, 100)], [layer(0, 4, 90), layer(1, 8, 100)]] {
            let least = smallest_budget(&layers, 6);
            let classes = classes_for(&mut layers, 6, least).unwrap();
            for l in &layers {
                assert!(classes[l.class].slots >= 6.min(l.count) && classes[l.class].slot_bytes >= l.slot_bytes);
            }
            let most = largest_budget(&layers, 6);
            let all: usize = classes_for(&mut layers, 6, most).unwrap().iter().map(|c| c.slots).sum();
            assert_eq!(all, layers.iter().map(|l| l.count).sum::<usize>());
            let refused = classes_for(&mut layers, 6, least - 1).unwrap_err().to_string();
            assert!(refused.contains(&least.to_string()), "{refused}");
        }
    }
}
