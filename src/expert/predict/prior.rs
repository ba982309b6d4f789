//! What a token id chose the last times, in the first layers with experts.

use super::RoutedLayer;

/// Token ids that are remembered at most.
const ENTRIES: usize = 8192;
/// Experts that are remembered, in multiples of those that a token uses.
const REMEMBERED: usize = 2;
/// Stands where no expert, or no token, is remembered.
const NONE: u32 = u32::MAX;

/// For each token id, its experts in the first layers, the latest first. The memory is fixed: ids that are equal modulo
/// the number of entries share one, which the later takes. Frequent tokens have low ids in most vocabularies, and these
/// do not meet.
#[derive(Debug)]
pub struct TokenPrior {
    /// Where each layer's experts begin in an entry, and how many there are.
    layers: Vec<(usize, usize)>,
    width: usize,
    tokens: Vec<u32>,
    /// `(entries, width)`.
    experts: Vec<u32>,
}

impl TokenPrior {
    /// For these layers, in model order, and a vocabulary of `vocab` tokens.
    pub fn new(layers: &[RoutedLayer], vocab: usize) -> Self {
        let mut width = 0;
        let mut place = |l: &RoutedLayer| {
            let start = width;
            width += REMEMBERED * l.k;
            (start, REMEMBERED * l.k)
        };
        let layers: Vec<_> = layers.iter().map(&mut place).collect();
        let entries = vocab.min(ENTRIES);
        Self { layers, width, tokens: vec![NONE; entries], experts: vec![NONE; entries * width] }
    }

    /// What [`TokenPrior::new`] allocates.
    pub fn bytes(layers: &[RoutedLayer], vocab: usize) -> u64 {
        let width: usize = layers.iter().map(|l| REMEMBERED * l.k).sum();
        (4 * vocab.min(ENTRIES) * (1 + width)) as u64
    }

    /// At most `count` experts of the layer in place `at`, those chosen last first; none for an unknown token.
    pub fn of(&self, token: u32, at: usize, count: usize) -> Vec<u32> {
        let entry = token as usize % self.tokens.len().max(1);
        let Some(&(start, len)) = self.layers.get(at) else { return Vec::new() };
        if self.tokens.get(entry) != Some(&token) {
            return Vec::new();
        }
        let experts = &self.experts[entry * self.width + start..][..len];
        experts.iter().copied().filter(|&e| e != NONE).take(count).collect()
    }

    /// The token chose these experts in the layer in place `at`.
    pub fn learn(&mut self, token: u32, at: usize, chosen: &[u32]) {
        let entry = token as usize % self.tokens.len().max(1);
        let Some(&(start, len)) = self.layers.get(at) else { return };
        if self.tokens[entry] != token {
            self.tokens[entry] = token;
            self.experts[entry * self.width..][..self.width].fill(NONE);
        }
        let experts = &mut self.experts[entry * self.width + start..][..len];
        // the chosen move to the front, the others keep their order behind them
        for &expert in chosen.iter().rev() {
            let from = experts.iter().position(|&e| e == expert).unwrap_or(len - 1);
            experts[from] = expert;
            experts[..=from].rotate_right(1);
        }
    }
}
