//! A predictor of a given recall, for traces that hold no hidden states.

use super::{Pass, Predict};

/// Names the right experts with a given probability, from a seed.
///
/// Measured gates are surest of the router's best choice and err at its last ones, towards experts that nearly came in. So
/// the probability falls evenly from the first rank to the last about the given mean, and a wrong name is, two times out
/// of three, one that the layer used of late, else any. Where the trace has lost the ranks, they are drawn.
pub struct SyntheticPredictor<'a> {
    passes: &'a [Pass],
    experts: Vec<usize>,
    recall: f64,
    /// Lost with each further layer ahead: published gates lose 3.5 to 4 points.
    loss: f64,
    seed: u64,
    /// Experts that each layer used of late, the latest last.
    recent: Vec<Vec<u32>>,
}

impl<'a> SyntheticPredictor<'a> {
    /// For passes through layers of so many `experts` each.
    pub fn new(passes: &'a [Pass], experts: Vec<usize>, recall: f64, seed: u64) -> Self {
        let recent = vec![Vec::new(); experts.len()];
        Self { passes, experts, recall, loss: if recall < 1.0 { 0.04 } else { 0.0 }, seed, recent }
    }

    /// A number in 0..1 that depends on the seed and the arguments alone.
    fn draw(&self, parts: [usize; 4]) -> f64 {
        let mut x = self.seed;
        for part in parts {
            x = (x ^ part as u64).wrapping_add(0x9e37_79b9_7f4a_7c15);
            x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            x ^= x >> 31;
        }
        (x >> 11) as f64 / (1u64 << 53) as f64
    }
}

impl Predict for SyntheticPredictor<'_> {
    fn expected(&mut self, pass: usize, target: usize, d: usize) -> Vec<u32> {
        let mut chosen = self.passes[pass].layers[target].chosen.clone();
        if chosen.is_sorted() {
            let drawn = |&e: &u32| self.draw([pass, target, e as usize, 1]);
            chosen.sort_by(|a, b| drawn(a).total_cmp(&drawn(b)));
        }
        let (k, miss) = (chosen.len(), 1.0 - (self.recall - self.loss * (d - 1) as f64));
        let mut named: Vec<u32> = Vec::with_capacity(k);
        for (rank, &expert) in chosen.iter().enumerate() {
            let wrong = (2.0 * miss * (rank as f64 + 0.5) / k as f64).min(1.0);
            if self.draw([pass, target, rank, 2]) >= wrong {
                named.push(expert);
                continue;
            }
            let recent: Vec<u32> = self.recent[target].iter().copied().filter(|e| !chosen.contains(e)).collect();
            for attempt in 0.. {
                let draw = self.draw([pass, target, rank, 3 + 2 * attempt]);
                let of_late = !recent.is_empty() && self.draw([pass, target, rank, 4 + 2 * attempt]) < 2.0 / 3.0;
                let pool = if of_late { recent.len() } else { self.experts[target] };
                let pick = (draw * pool as f64) as usize;
                let guess = if of_late { recent[pick] } else { pick as u32 };
                if attempt > 20 || !(chosen.contains(&guess) || named.contains(&guess)) {
                    named.push(guess);
                    break;
                }
            }
        }
        named
    }

    fn routed(&mut self, _: usize, layer: usize, chosen: &[u32]) {
        let recent = &mut self.recent[layer];
        recent.extend(chosen);
        let excess = recent.len().saturating_sub(8 * chosen.len());
        recent.drain(..excess);
    }
}
