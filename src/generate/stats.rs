//! What a run costs: tokens and time of prefill and decode, and what the expert cache did in each.

use std::ops::{AddAssign, Sub};
use std::time::Duration;

use serde::Serialize;

/// What the expert cache and its reader have done since the model was opened; two of these subtract.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Counters {
    /// Requests for experts that were in their slots.
    pub hits: u64,
    /// Requests for experts that had to be read; filling an empty slot is one.
    pub misses: u64,
    /// Experts that lost their slot to another.
    pub evictions: u64,
    /// Bytes read from the model's files for experts.
    pub bytes_read: u64,
    /// Time the compute waited for reads.
    #[serde(rename = "stall_s", serialize_with = "as_seconds")]
    pub stall: Duration,
}

impl Counters {
    /// Requests.
    pub fn requests(&self) -> u64 {
        self.hits + self.misses
    }
}

impl Sub for Counters {
    type Output = Self;

    fn sub(self, before: Self) -> Self {
        Self {
            hits: self.hits - before.hits,
            misses: self.misses - before.misses,
            evictions: self.evictions - before.evictions,
            bytes_read: self.bytes_read - before.bytes_read,
            stall: self.stall.saturating_sub(before.stall),
        }
    }
}

impl AddAssign for Counters {
    fn add_assign(&mut self, other: Self) {
        self.hits += other.hits;
        self.misses += other.misses;
        self.evictions += other.evictions;
        self.bytes_read += other.bytes_read;
        self.stall += other.stall;
    }
}

/// One phase of a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Phase {
    /// Tokens that the model computed.
    pub tokens: usize,
    /// Time it took.
    #[serde(rename = "seconds", serialize_with = "as_seconds")]
    pub time: Duration,
    /// What the experts cost.
    #[serde(flatten)]
    pub experts: Counters,
}

impl Phase {
    /// Tokens per second; `None` where nothing was computed.
    pub fn tokens_per_second(&self) -> Option<f64> {
        (self.tokens > 0 && !self.time.is_zero()).then(|| self.tokens as f64 / self.time.as_secs_f64())
    }
}

/// A run: one prompt and its answer.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RunStats {
    /// The prompt, without what the KV cache already held.
    pub prefill: Phase,
    /// The answer's tokens that were fed back (all but the last).
    pub decode: Phase,
    /// From the start of the prompt to the first token; `None` if there was none.
    pub first_token: Option<Duration>,
    /// Time of each decode step.
    pub steps: Vec<Duration>,
}

impl RunStats {
    /// The step time below which this share of the steps lies (nearest rank); `None` without steps.
    pub fn step_quantile(&self, share: f64) -> Option<Duration> {
        let mut steps = self.steps.clone();
        steps.sort_unstable();
        let rank = (share * steps.len() as f64).ceil() as usize;
        steps.get(rank.max(1) - 1).copied()
    }
}

fn as_seconds<S: serde::Serializer>(time: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(time.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn speed_is_tokens_over_time_and_absent_without_tokens() {
        let phase = Phase { tokens: 10, time: Duration::from_millis(2500), ..Phase::default() };
        assert_eq!(phase.tokens_per_second(), Some(4.0));
        assert_eq!(Phase::default().tokens_per_second(), None);
    }

    #[test]
    fn quantiles_take_the_nearest_rank() {
        let stats = RunStats { steps: (1..=20).rev().map(Duration::from_millis).collect(), ..RunStats::default() };
        let at = |share| stats.step_quantile(share).map(|d| d.as_millis());
        assert_eq!([at(0.05), at(0.5), at(0.95)], [Some(1), Some(10), Some(19)]);
        assert_eq!(RunStats::default().step_quantile(0.5), None);
    }
}
