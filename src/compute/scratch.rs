//! What a step takes on a device beside its activations.

/// The sizes of a step, as far as scratch memory follows from them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StepSizes {
    /// Tokens.
    pub batch: usize,
    /// Positions of the KV cache.
    pub ctx: usize,
    /// The longest row of a weight.
    pub cols: usize,
    /// The most rows of a weight inside a layer.
    pub layer_rows: usize,
    /// Elements of the logits that are computed at once.
    pub logits: usize,
    /// The most query heads that share one KV head.
    pub head_group: usize,
    /// The most that the experts of one token have as inputs and inner values: `k (d_model + width)` elements.
    pub expert_elements: usize,
}

impl StepSizes {
    /// Bytes where `threads` threads compute: quantised inputs, products before they are turned, experts' inner values
    /// and results, scores of one KV head per thread.
    pub fn scratch_bytes(&self, threads: usize) -> u64 {
        let batch = self.batch as u64;
        let input = 4 * self.cols as u64 * batch;
        let product = if self.batch > 1 { (4 * self.layer_rows as u64 * batch).max(4 * self.logits as u64) } else { 0 };
        let experts = 16 * self.expert_elements as u64 * batch;
        let scores = 8 * (self.head_group * self.ctx * threads) as u64;
        input + product + experts + scores
    }
}
