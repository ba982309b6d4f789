//! The sampler: from the logits of one position to one token.
//!
//! The chain has the order that llama.cpp uses by default: repeat penalty, top-k, top-p, min-p, temperature, draw.
//! Sums run in f64 over candidates in one fixed order and `exp` is our own, so that a seed gives the same text on
//! every machine that computes the same logits.

mod rng;

use std::collections::VecDeque;
use std::hash::{BuildHasher, Hasher, RandomState};

use crate::error::{Error, Result};
pub use rng::Rng;

/// How many of the latest tokens (prompt included) the repeat penalty looks at.
pub const PENALTY_WINDOW: usize = 64;

/// What shapes a draw. The defaults are those of llama.cpp.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize)]
pub struct Sampling {
    /// Divides the logits; 0 takes the best token (ties: the lowest id) and draws nothing.
    pub temperature: f32,
    /// Keeps the best k tokens; 0 keeps all.
    pub top_k: usize,
    /// Keeps the fewest best tokens whose probabilities reach this sum; 1 keeps all.
    pub top_p: f32,
    /// Keeps tokens at least this times as probable as the best; 0 keeps all.
    pub min_p: f32,
    /// Divides positive (multiplies negative) logits of tokens among the latest [`PENALTY_WINDOW`]; 1 does nothing.
    pub repeat_penalty: f32,
    /// Fixes the random numbers.
    #[serde(skip)]
    pub seed: u64,
}

impl Default for Sampling {
    fn default() -> Self {
        Self { temperature: 0.8, top_k: 40, top_p: 0.95, min_p: 0.05, repeat_penalty: 1.0, seed: 0 }
    }
}

impl Sampling {
    /// The best token at every step.
    pub fn greedy() -> Self {
        Self { temperature: 0.0, ..Self::default() }
    }
}

/// A seed that nobody chose, from the operating system's randomness; 32 bits, to be copied by people and by JSON.
pub fn random_seed() -> u64 {
    RandomState::new().build_hasher().finish() >> 32
}

/// Chooses tokens; remembers the latest ones for the penalty, and its place in the random stream.
#[derive(Clone, Debug)]
pub struct Sampler {
    sampling: Sampling,
    rng: Rng,
    recent: VecDeque<u32>,
    candidates: Vec<Candidate>,
}

#[derive(Clone, Copy, Debug)]
struct Candidate {
    id: u32,
    logit: f32,
}

impl Sampler {
    /// A sampler at the start of its seed's stream.
    pub fn new(sampling: Sampling) -> Self {
        let rng = Rng::new(sampling.seed);
        Self { sampling, rng, recent: VecDeque::with_capacity(PENALTY_WINDOW), candidates: Vec::new() }
    }

    /// What it was made with.
    pub fn sampling(&self) -> &Sampling {
        &self.sampling
    }

    /// Tells the sampler of tokens that stand in the context (the prompt's, and each one it chose).
    pub fn accept(&mut self, tokens: &[u32]) {
        for &token in &tokens[tokens.len().saturating_sub(PENALTY_WINDOW)..] {
            if self.recent.len() == PENALTY_WINDOW {
                self.recent.pop_front();
            }
            self.recent.push_back(token);
        }
    }

    /// Forgets the latest tokens; the random stream goes on.
    pub fn forget(&mut self) {
        self.recent.clear();
    }

    /// One token for `logits` (vocabulary). NaN, infinity, or nothing above minus infinity is an error.
    pub fn sample(&mut self, logits: &[f32]) -> Result<u32> {
        check(logits)?;
        self.candidates.clear();
        self.candidates.extend(logits.iter().zip(0..).map(|(&logit, id)| Candidate { id, logit }));
        self.penalise();
        if self.sampling.temperature == 0.0 {
            let best = self.candidates.iter().copied().reduce(|a, b| if b.logit > a.logit { b } else { a });
            return Ok(best.expect("check() refuses an empty row").id);
        }
        self.keep_top_k();
        self.keep_top_p();
        self.keep_min_p();
        Ok(self.draw())
    }

    /// Each distinct recent token once.
    fn penalise(&mut self) {
        let penalty = self.sampling.repeat_penalty;
        if penalty == 1.0 {
            return;
        }
        for (i, token) in self.recent.iter().enumerate() {
            let first = !self.recent.iter().take(i).any(|t| t == token);
            if let (true, Some(candidate)) = (first, self.candidates.get_mut(*token as usize)) {
                candidate.logit =
                    if candidate.logit > 0.0 { candidate.logit / penalty } else { candidate.logit * penalty };
            }
        }
    }

    /// Leaves the candidates sorted, best first.
    fn keep_top_k(&mut self) {
        let order = |a: &Candidate, b: &Candidate| b.logit.total_cmp(&a.logit).then(a.id.cmp(&b.id));
        let k = self.sampling.top_k;
        if k > 0 && k < self.candidates.len() {
            self.candidates.select_nth_unstable_by(k - 1, order);
            self.candidates.truncate(k);
        }
        self.candidates.sort_unstable_by(order);
    }

    fn keep_top_p(&mut self) {
        let p = f64::from(self.sampling.top_p);
        if p >= 1.0 {
            return;
        }
        let weights = self.weights(1.0);
        let total: f64 = weights.iter().sum();
        let mut sum = 0.0;
        let reached = weights.iter().position(|w| {
            sum += w;
            sum >= p * total
        });
        self.candidates.truncate(reached.map_or(weights.len(), |i| i + 1));
    }

    fn keep_min_p(&mut self) {
        let p = self.sampling.min_p;
        if p > 0.0 {
            let weights = self.weights(1.0);
            let kept = weights.iter().take_while(|&&w| w >= f64::from(p)).count();
            self.candidates.truncate(kept.max(1));
        }
    }

    fn draw(&mut self) -> u32 {
        let weights = self.weights(f64::from(self.sampling.temperature));
        let target = self.rng.next_unit() * weights.iter().sum::<f64>();
        let mut sum = 0.0;
        let chosen = weights.iter().position(|w| {
            sum += w;
            target < sum
        });
        // Rounding may leave the target at the full sum: then it is the last token that has any weight.
        let chosen = chosen.or_else(|| weights.iter().rposition(|&w| w > 0.0));
        self.candidates[chosen.unwrap_or(0)].id
    }

    /// Weights of the candidates relative to the best, which has 1; candidates are sorted.
    fn weights(&self, temperature: f64) -> Vec<f64> {
        let best = f64::from(self.candidates[0].logit);
        self.candidates.iter().map(|c| exp((f64::from(c.logit) - best) / temperature)).collect()
    }
}

/// Refuses logits that no choice can be made from.
fn check(logits: &[f32]) -> Result<()> {
    if let Some(id) = logits.iter().position(|x| x.is_nan() || *x == f32::INFINITY) {
        return Err(Error::Device(format!(
            "the model gave {} for token {id}: its weights or the kernels are broken; \
             `--device reference` on the same prompt gives the same if it is the weights",
            logits[id]
        )));
    }
    if logits.iter().all(|x| *x == f32::NEG_INFINITY) {
        return Err(Error::Device("the model gave no token any probability".into()));
    }
    Ok(())
}

/// `e^x` for `x <= 0` from additions and multiplications alone, which round the same everywhere (a system's `exp` need
/// not). Error below 1e-15, relative; 0 below the smallest normal number.
fn exp(x: f64) -> f64 {
    const LN2_HIGH: f64 = 0.693_147_180_369_123_8;
    const LN2_LOW: f64 = 1.908_214_929_270_587_7e-10;
    if x < -708.0 {
        return 0.0;
    }
    let k = (x * std::f64::consts::LOG2_E).round();
    let r = (x - k * LN2_HIGH) - k * LN2_LOW;
    // Horner over 1/n!, up to n = 14: |r| <= ln(2)/2 leaves 4e-19.
    let series = (1..=14).rev().fold(1.0, |acc, n| 1.0 + acc * r / f64::from(n));
    series * f64::from_bits(((k as i64 + 1023) as u64) << 52)
}

#[cfg(test)]
mod tests;
