//! How fast the model's file comes from its disk, by the reader that runs use.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use serde::Serialize;

use crate::error::Result;
use crate::expert::ExpertBuf;
use crate::expert::ExpertLayer;
use crate::expert::source::{Outcome, ReadPath, Reader, Source, SourceOptions, Urgency};

/// What was measured.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct LineRate {
    /// How was read.
    pub path: ReadPath,
    /// Concurrent reads.
    pub lanes: usize,
    /// Bytes that were read.
    pub bytes: u64,
    /// Time that took.
    pub seconds: f64,
    /// The quotient.
    pub bytes_per_s: f64,
    /// Whether the file was dropped from the page cache before: else the figure may be that of memory.
    pub cold: bool,
}

impl LineRate {
    /// Where the bytes came from.
    pub fn origin(&self) -> &'static str {
        match (self.path, self.cold) {
            (ReadPath::Direct, _) => "past the page cache",
            (_, true) => "cold",
            (_, false) => "warm: perhaps memory, not disk",
        }
    }
}

/// No further expert is asked for after this.
const TIME: Duration = Duration::from_secs(1);

/// Reads whole experts, spread over the model and each at most once, for a second at most. `cold` is what the caller saw
/// to.
///
/// # Errors
/// A file that cannot be read.
pub fn measure(
    shards: &[PathBuf],
    layers: &[ExpertLayer],
    path: ReadPath,
    lanes: usize,
    cold: bool,
) -> Result<LineRate> {
    let mut reader = Reader::open(shards, layers, SourceOptions { path: Some(path), lanes: Some(lanes) })?;
    let largest = layers.iter().map(ExpertLayer::window_bytes).max().unwrap_or(0);
    // two experts per lane keep all lanes busy
    let mut free = ExpertBuf::pool(2 * lanes, largest);
    let ids: Vec<(usize, u32)> =
        layers.iter().enumerate().flat_map(|(l, layer)| (0..layer.count as u32).map(move |e| (l, e))).collect();
    let mut next = spread(ids.len()).into_iter();
    let (begin, mut bytes) = (Instant::now(), 0);
    loop {
        while !free.is_empty() && begin.elapsed() < TIME {
            let Some((layer, expert)) = next.next().map(|n| ids[n]) else { break };
            if let Some(buf) = free.pop() {
                reader.submit(&layers[layer], expert, buf, Urgency::Demand);
            }
        }
        let Some(landed) = reader.wait() else { break };
        if let Outcome::Failed(error) = landed.outcome {
            return Err(error);
        }
        bytes += landed.bytes;
        free.push(landed.buf);
    }
    let seconds = begin.elapsed().as_secs_f64();
    Ok(LineRate { path, lanes, bytes, seconds, bytes_per_s: bytes as f64 / seconds.max(1e-9), cold })
}

/// The numbers below `n`, each once, neighbours far apart.
fn spread(n: usize) -> Vec<usize> {
    let mut step = (n as f64 * 0.618) as usize | 1;
    while gcd(step, n) > 1 {
        step += 2;
    }
    (0..n).map(|i| (i * step) % n).collect()
}

fn gcd(a: usize, b: usize) -> usize {
    if b == 0 { a } else { gcd(b, a % b) }
}

#[cfg(test)]
mod tests {
    use super::spread;

    #[test]
    fn each_expert_is_read_once_and_not_next_to_the_last() {
        for n in [0, 1, 2, 3, 15, 256, 6144] {
            let order = spread(n);
            let mut sorted = order.clone();
            sorted.sort_unstable();
            assert!(sorted.into_iter().eq(0..n), "{n}");
            assert!(n < 15 || order.windows(2).all(|w| w[0].abs_diff(w[1]) > 1), "{n}");
        }
    }
}
