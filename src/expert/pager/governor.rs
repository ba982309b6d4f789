//! When to prefetch, and how much.

use std::fmt;
use std::str::FromStr;

/// How much is prefetched.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
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

/// Decides before each token whether experts are prefetched for it.
#[derive(Debug, Default)]
pub(super) struct Governor {
    pub(super) mode: Prefetch,
    /// Layers ahead.
    pub(super) lookahead: usize,
    /// Experts per layer in `auto`: as many as a token uses.
    pub(super) k: usize,
}

impl Governor {
    /// Whether this token's experts are prefetched.
    pub(super) fn is_on(&self) -> bool {
        self.mode != Prefetch::Off
    }

    /// Experts per layer that may be on their way.
    pub(super) fn cap(&self) -> usize {
        match self.mode {
            Prefetch::Auto => self.k,
            Prefetch::Off => 0,
            Prefetch::AtMost(n) => n,
        }
    }
}
