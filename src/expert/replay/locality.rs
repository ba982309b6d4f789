//! How alike the routing of neighbouring tokens is, whatever the cache.
//!
//! A layer's sequence is the list of the tokens that visited it, at positions that follow one another; where a position
//! does not follow (another turn or conversation) a new sequence begins. There is no cache to warm, so warm-up tokens count.

use super::Requests;
use crate::expert::cache::Phase;

/// What one token used at one layer.
struct Visit<'a> {
    turn: u32,
    phase: Phase,
    position: u32,
    chosen: &'a [u32],
}

impl Visit<'_> {
    /// Whether this token stands right behind `before` in one conversation. A prompt may go on from the turn before; an
    /// answer stands behind its own prompt, even where prompts are left out.
    fn follows(&self, before: &Self) -> bool {
        let same = self.turn == before.turn || self.phase == Phase::Prefill;
        same && before.position.checked_add(1) == Some(self.position)
    }
}

/// The visits of a layer, in order.
fn visits<'a>(requests: &'a Requests<'_>, layer: u32) -> impl Iterator<Item = Visit<'a>> {
    requests.steps.iter().filter(move |s| s.routed.layer == layer).flat_map(|step| {
        let tokens = step.routed.chosen.chunks(step.routed.k);
        (step.routed.position..).zip(tokens).map(|(position, chosen)| Visit {
            turn: step.routed.turn,
            phase: step.routed.phase,
            position,
            chosen,
        })
    })
}

/// Share of the experts that a token uses at a layer which the token before it used there too; `None` without neighbours.
pub fn next_token_reuse(requests: &Requests<'_>) -> Option<f64> {
    let (mut again, mut all) = (0u64, 0u64);
    for layer in &requests.layers {
        let mut before: Option<Visit<'_>> = None;
        for visit in visits(requests, layer.layer) {
            if let Some(before) = before.filter(|before| visit.follows(before)) {
                all += visit.chosen.len() as u64;
                again += visit.chosen.iter().filter(|expert| before.chosen.contains(expert)).count() as u64;
            }
            before = Some(visit);
        }
    }
    (all > 0).then(|| again as f64 / all as f64)
}

/// Segment routing best performance for windows of `m` tokens; `None` if no sequence is that long.
///
/// Of every window of `m` tokens that follow one another at a layer, a fixed set of experts stands for the routing: those
/// used at least `t` times. A use of one of them is a true positive, a token that does not use one of them a false
/// positive, and the use of another expert a false negative. The counts of all windows of all layers are added up, and
/// the result is the best F1 of any `t`. After "Not All Models Suit Expert Offloading" (arXiv 2505.16056).
pub fn routing_best_performance(requests: &Requests<'_>, m: usize) -> Option<f64> {
    // By number of uses: how often, over all windows, an expert had that many.
    let mut windows_by_uses = vec![0u64; m + 1];
    for layer in &requests.layers {
        let all: Vec<Visit<'_>> = visits(requests, layer.layer).collect();
        for sequence in all.chunk_by(|a, b| b.follows(a)) {
            slide(sequence, layer.count, m, &mut windows_by_uses);
        }
    }
    let activations: u64 = (0..).zip(&windows_by_uses).map(|(uses, windows): (u64, &u64)| uses * windows).sum();
    let (mut used, mut members, mut best) = (0u64, 0u64, 0.0f64);
    for (uses, windows) in windows_by_uses.iter().enumerate().skip(1).rev() {
        used += uses as u64 * windows;
        members += windows;
        if members > 0 {
            best = best.max(2.0 * used as f64 / (members * m as u64 + activations) as f64);
        }
    }
    (activations > 0).then_some(best)
}

/// Adds the windows of one sequence. An expert's number of uses is added when it changes, times the windows that it held
/// for, so a window costs what one token does.
fn slide(sequence: &[Visit<'_>], experts: usize, m: usize, windows_by_uses: &mut [u64]) {
    if m == 0 || sequence.len() < m {
        return;
    }
    // Uses in the window, and the first window that has this number.
    let mut uses = vec![(0usize, 0u64); experts];
    let mut change = |expert: u32, window: u64, by: isize| {
        let (n, since) = &mut uses[expert as usize];
        windows_by_uses[*n] += window - *since;
        (*n, *since) = (n.wrapping_add_signed(by), window);
    };
    for (at, visit) in sequence.iter().enumerate() {
        // Window 0 is that of the first m tokens.
        let window = (at + 1).saturating_sub(m) as u64;
        if at >= m {
            sequence[at - m].chosen.iter().for_each(|&expert| change(expert, window, -1));
        }
        visit.chosen.iter().for_each(|&expert| change(expert, window, 1));
    }
    let windows = (sequence.len() - m + 1) as u64;
    (0..experts as u32).for_each(|expert| change(expert, windows, 0));
}
