//! When to prefetch, and how much.

use std::fmt;
use std::str::FromStr;

/// How much is prefetched.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(into = "String", try_from = "String")]
pub enum Prefetch {
    /// While it pays.
    #[default]
    Auto,
    /// Never.
    Off,
    /// Always, at most this many experts per layer.
    AtMost(usize),
}

impl fmt::Display for Prefetch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Auto => f.pad("auto"),
            Self::Off => f.pad("off"),
            Self::AtMost(n) => write!(f, "{n}"),
        }
    }
}

impl From<Prefetch> for String {
    fn from(prefetch: Prefetch) -> Self {
        prefetch.to_string()
    }
}

impl TryFrom<String> for Prefetch {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl FromStr for Prefetch {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "auto" => Ok(Self::Auto),
            "off" | "0" => Ok(Self::Off),
            n => n.parse().map(Self::AtMost).map_err(|_| format!("`{n}` is neither auto, off nor a number of experts")),
        }
    }
}

/// Tokens of a block, all with prefetching or all without; the first of a block is not counted, since it still feels the
/// block before.
const BLOCK: usize = 6;
/// Tokens that the better way is kept for before the other is tried again: at first, and at most. The time doubles as long
/// as the other does not do better.
const KEEP_FIRST: usize = 64;
const KEEP_MOST: usize = 1024;
/// Below this many experts per token that were not in the cache, there is nothing to bring ahead of time.
const WORTHWHILE: f64 = 0.5;

/// Time of tokens against the experts they found missing: a straight line through what was seen, old blocks counting less.
///
/// Tokens differ far more by how many experts they miss than by whether these were prefetched, so means of a few tokens
/// tell nothing; the line's height at a common number of misses does.
#[derive(Clone, Copy, Debug, Default)]
struct Line {
    n: f64,
    x: f64,
    y: f64,
    xx: f64,
    xy: f64,
}

impl Line {
    fn add(&mut self, missing: f64, seconds: f64) {
        self.n += 1.0;
        self.x += missing;
        self.y += seconds;
        self.xx += missing * missing;
        self.xy += missing * seconds;
    }

    fn forget_half(&mut self) {
        for sum in [&mut self.n, &mut self.x, &mut self.y, &mut self.xx, &mut self.xy] {
            *sum *= 0.5;
        }
    }

    /// Seconds of a token that misses this many experts.
    fn at(&self, missing: f64) -> f64 {
        let (mean_x, mean_y) = (self.x / self.n, self.y / self.n);
        // one token's worth of variance more, so that equal tokens give a level line
        let slope = (self.xy - self.x * mean_y) / (self.xx - self.x * mean_x + 1.0);
        mean_y + slope * (missing - mean_x)
    }
}

/// Decides before each token whether experts are prefetched for it.
///
/// `auto` measures: blocks of tokens with and without, then the better way, with the other tried again for a block at
/// growing distances. What counts is the time of a token as the source's clock has it, so everything that prefetching
/// costs counts: predictions, lanes in the way of demand reads, slots taken from the cache.
#[derive(Debug, Default)]
pub(super) struct Governor {
    mode: Prefetch,
    lookahead: usize,
    k: usize,
    /// Without and with.
    lines: [Line; 2],
    /// Whether the tokens of this block are prefetched for.
    on: bool,
    /// What has done better.
    best: bool,
    /// Tokens left of the block, and blocks left of the first comparison.
    left: usize,
    first: usize,
    /// Tokens that the better way is kept for now.
    keep: usize,
    /// Experts that tokens found missing of late, decayed.
    missing: f64,
}

impl Governor {
    pub(super) fn new(mode: Prefetch, lookahead: usize, k: usize) -> Self {
        // without, with, with, without: a drift favours neither
        let auto = Self { left: BLOCK, first: 4, keep: KEEP_FIRST, missing: k as f64, ..Self::default() };
        Self { mode, lookahead, k, on: matches!(mode, Prefetch::AtMost(1..)), ..auto }
    }

    /// Whether the token in hand is prefetched for.
    pub(super) fn is_on(&self) -> bool {
        self.on && self.lookahead > 0
    }

    /// Layers ahead.
    pub(super) fn lookahead(&self) -> usize {
        self.lookahead
    }

    /// Experts that a token uses per layer.
    pub(super) fn k(&self) -> usize {
        self.k
    }

    /// Experts per layer that may be on their way.
    pub(super) fn cap(&self) -> usize {
        match self.mode {
            Prefetch::Auto => self.k,
            Prefetch::Off => 0,
            Prefetch::AtMost(n) => n,
        }
    }

    /// A token is done: it took `seconds`, and `missing` experts that it asked for would not have been in the cache without
    /// any prefetching. Prefetching itself does not move that number, so what it costs the cache stays in the seconds.
    pub(super) fn token(&mut self, seconds: f64, missing: u64) {
        if self.mode != Prefetch::Auto {
            return;
        }
        let missing = missing as f64;
        self.missing += (missing - self.missing) / 32.0;
        let settled = self.first == 0 && self.on == self.best;
        let skipped = self.left == if settled { self.keep } else { BLOCK };
        if !skipped {
            self.lines[usize::from(self.on)].add(missing, seconds);
        }
        self.left -= 1;
        if self.left == 0 {
            self.end_block();
        }
    }

    fn end_block(&mut self) {
        if self.first > 1 {
            self.first -= 1;
            self.on = matches!(self.first, 2 | 3);
            self.left = BLOCK;
            return;
        }
        let tried = self.first == 1 || self.on != self.best;
        self.first = 0;
        if tried {
            let [without, with] = self.lines.map(|line| line.at(self.missing));
            let best = with < without;
            self.keep = if best == self.best { (2 * self.keep).min(KEEP_MOST) } else { KEEP_FIRST };
            self.best = best;
            self.on = best;
            self.left = self.keep;
        } else if self.missing < WORTHWHILE {
            self.best = false;
            self.on = false;
            self.left = self.keep;
        } else {
            self.on = !self.best;
            self.left = BLOCK;
            self.lines.iter_mut().for_each(Line::forget_half);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Feeds tokens whose time is `base + per_miss * missing`, the latter 8 to 12, and `saved` seconds less with prefetching.
    fn feed(governor: &mut Governor, tokens: usize, saved: f64) -> usize {
        let mut on = 0;
        for n in 0..tokens {
            let missing = 8 + (n * 7 % 5) as u64;
            on += usize::from(governor.is_on());
            governor.token(0.1 + 0.02 * missing as f64 - if governor.is_on() { saved } else { 0.0 }, missing);
        }
        on
    }

    #[test]
    fn what_pays_is_kept_and_what_does_not_is_tried_rarely() {
        let mut pays = Governor::new(Prefetch::Auto, 1, 8);
        assert!(feed(&mut pays, 1000, 0.005) > 940);
        let mut costs = Governor::new(Prefetch::Auto, 1, 8);
        assert!(feed(&mut costs, 1000, -0.005) < 60);
    }

    #[test]
    fn a_change_is_noticed() {
        let mut governor = Governor::new(Prefetch::Auto, 1, 8);
        feed(&mut governor, 300, -0.05);
        assert!(!governor.is_on());
        let on = feed(&mut governor, 2000, 0.05);
        assert!(on > 1200, "{on}");
    }

    #[test]
    fn a_cache_that_holds_everything_is_left_alone() {
        let mut governor = Governor::new(Prefetch::Auto, 1, 8);
        let on = (0..5000).filter(|_| {
            governor.token(0.1, 0);
            governor.is_on()
        });
        assert!(on.count() <= 2 * BLOCK);
    }

    #[test]
    fn asked_for_it_is_always_or_never_on() {
        let mut always = Governor::new(Prefetch::AtMost(3), 1, 8);
        assert_eq!((feed(&mut always, 100, -1.0), always.cap()), (100, 3));
        for mut never in [Governor::new(Prefetch::Off, 1, 8), Governor::new(Prefetch::AtMost(0), 1, 8)] {
            assert_eq!(feed(&mut never, 100, 1.0), 0);
        }
    }

    #[test]
    fn ways_are_named_as_they_are_typed() {
        for (text, way) in [("auto", Prefetch::Auto), ("off", Prefetch::Off), ("4", Prefetch::AtMost(4))] {
            assert_eq!((text.parse(), way.to_string().as_str()), (Ok(way), text));
        }
        assert_eq!("0".parse(), Ok(Prefetch::Off));
        assert!("on".parse::<Prefetch>().is_err());
    }
}
