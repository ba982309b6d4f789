//! Which experts of a layer follow which of a layer before it.

use super::{LOOKAHEAD_MAX, RoutedLayer};

/// The most tokens over which a frequency is an even mean; then older ones fade.
const MEMORY: f32 = 64.0;

/// For each expert of a layer, how often each expert of the next layers was chosen by the same token: a decaying mean
/// over the tokens that chose the first.
#[derive(Debug)]
pub struct Transition {
    layers: Vec<RoutedLayer>,
    /// By place of the earlier layer, then distance in layers of the model less one: `(experts, experts there)`.
    tables: Vec<[Vec<f32>; LOOKAHEAD_MAX]>,
    /// By place and expert: tokens seen, up to `MEMORY`, for each distance.
    seen: Vec<[Vec<f32>; LOOKAHEAD_MAX]>,
    /// What the last layers of this step chose: place and ids `(tokens, k)`.
    recent: [(usize, Vec<u32>); LOOKAHEAD_MAX],
}

impl Transition {
    /// For these layers in model order.
    pub fn new(layers: &[RoutedLayer]) -> Self {
        let rows = |l: &RoutedLayer, d: usize| reached(layers, l, d).map_or(0, |_| l.experts);
        let table = |l: &RoutedLayer, d: usize| vec![0.0; reached(layers, l, d).map_or(0, |to| l.experts * to.experts)];
        Self {
            tables: layers.iter().map(|l| std::array::from_fn(|i| table(l, i + 1))).collect(),
            seen: layers.iter().map(|l| std::array::from_fn(|i| vec![0.0; rows(l, i + 1)])).collect(),
            recent: std::array::from_fn(|_| (usize::MAX, Vec::new())),
            layers: layers.to_vec(),
        }
    }

    /// What [`Transition::new`] allocates, and what batches of up to `batch` tokens add.
    pub fn bytes(layers: &[RoutedLayer], batch: usize) -> u64 {
        let table = |l: &RoutedLayer, d| reached(layers, l, d).map_or(0, |to| 4 * l.experts * (to.experts + 1));
        let tables: usize = layers.iter().flat_map(|l| (1..=LOOKAHEAD_MAX).map(|d| table(l, d))).sum();
        let k = layers.iter().map(|l| l.k).max().unwrap_or(0);
        (tables + LOOKAHEAD_MAX * 4 * batch * k) as u64
    }

    /// Other tokens come.
    pub fn begin_step(&mut self) {
        self.recent.iter_mut().for_each(|(place, _)| *place = usize::MAX);
    }

    /// The layer in place `at` has chosen `experts` `(tokens, k)`; the layers of a step come in order.
    pub fn learn(&mut self, at: usize, experts: &[u32]) {
        let RoutedLayer { layer, k, experts: width } = self.layers[at];
        for (from, earlier) in &self.recent {
            let Some(before) = self.layers.get(*from).filter(|l| l.layer < layer && layer - l.layer <= LOOKAHEAD_MAX)
            else {
                continue;
            };
            let d = layer - before.layer - 1;
            let (table, seen) = (&mut self.tables[*from][d], &mut self.seen[*from][d]);
            for (earlier, chosen) in earlier.chunks_exact(before.k).zip(experts.chunks_exact(k)) {
                for &e in earlier {
                    let tokens = &mut seen[e as usize];
                    *tokens = (*tokens + 1.0).min(MEMORY);
                    let row = &mut table[e as usize * width..][..width];
                    row.iter_mut().for_each(|f| *f *= 1.0 - 1.0 / *tokens);
                    chosen.iter().for_each(|&c| row[c as usize] += 1.0 / *tokens);
                }
            }
        }
        self.recent.rotate_right(1);
        let (place, ids) = &mut self.recent[0];
        *place = at;
        ids.clear();
        ids.extend_from_slice(experts);
    }

    /// Scores of the experts of the layer in place `to`, summed over the experts that the layer in place `from` chose for
    /// the last token of this step.
    pub fn scores(&self, from: usize, to: usize) -> Vec<f32> {
        let (before, after) = (self.layers[from], self.layers[to]);
        let mut scores = vec![0.0; after.experts];
        let d = after.layer.checked_sub(before.layer + 1).filter(|d| *d < LOOKAHEAD_MAX);
        let recent = self.recent.iter().find(|(place, _)| *place == from);
        let Some(((_, ids), d)) = recent.zip(d) else { return scores };
        for &e in &ids[ids.len().saturating_sub(before.k)..] {
            let row = &self.tables[from][d][e as usize * after.experts..][..after.experts];
            scores.iter_mut().zip(row).for_each(|(s, f)| *s += f);
        }
        scores
    }
}

/// The layer with experts that stands `d` layers of the model behind `from`.
fn reached<'l>(layers: &'l [RoutedLayer], from: &RoutedLayer, d: usize) -> Option<&'l RoutedLayer> {
    layers.iter().find(|l| l.layer == from.layer + d)
}
