//! The policies by name.

use std::fmt;
use std::str::FromStr;

use super::{Decay, EvictionPolicy, Lfu, Lru, NextUse, PolicyShape, Router, Shallow, Slru};
use crate::error::{Error, Result};

/// A policy for live runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PolicyKind {
    /// Least recently used.
    Lru,
    /// Least frequently used since the start.
    Lfu,
    /// Least decayed use: a token that visits a layer keeps 0.9 of its scores and adds 0.1 where it uses an expert.
    Decay,
    /// Longest expected next use: layers until its layer comes round, and a token for each visit that passes it by.
    NextUse,
    /// Least decayed router probability, of all experts, chosen or not.
    Router,
    /// As `Decay`, but the experts of the first four layers leave last.
    Shallow,
    /// Least recently used in two segments, of new experts and of those requested again.
    Slru,
}

impl PolicyKind {
    /// All of them, in the order in which they are listed to users.
    pub const ALL: [Self; 7] =
        [Self::Lru, Self::Lfu, Self::Decay, Self::NextUse, Self::Router, Self::Shallow, Self::Slru];
    /// What is used where no policy is named.
    pub const DEFAULT: Self = Self::NextUse;

    /// The name a user types.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Lru => "lru",
            Self::Lfu => "lfu",
            Self::Decay => "decay",
            Self::NextUse => "next-use",
            Self::Router => "router",
            Self::Shallow => "shallow",
            Self::Slru => "slru",
        }
    }

    /// What leaves first, in a line.
    pub const fn description(self) -> &'static str {
        match self {
            Self::Lru => "the least recently used expert leaves first",
            Self::Lfu => "the least often used expert leaves first",
            Self::Decay => "the least often used leaves first, recent uses weighing more",
            Self::NextUse => {
                "the expert whose next use is expected last leaves first, by its recent uses and its layer"
            }
            Self::Router => "the expert to which the router gave the least probability of late leaves first",
            Self::Shallow => "as decay, but the first four layers leave last",
            Self::Slru => "least recently used in two segments: experts used once leave first",
        }
    }

    /// Whether it needs the router's probabilities of all experts ([`EvictionPolicy::wants_scores`]).
    pub const fn wants_scores(self) -> bool {
        matches!(self, Self::Router)
    }

    /// A new policy of this kind.
    pub fn build(self, shape: &PolicyShape) -> Box<dyn EvictionPolicy> {
        match self {
            Self::Lru => Box::new(Lru::new()),
            Self::Lfu => Box::new(Lfu::new(shape)),
            Self::Decay => Box::new(Decay::new(shape)),
            Self::NextUse => Box::new(NextUse::new(shape)),
            Self::Router => Box::new(Router::new(shape)),
            Self::Shallow => Box::new(Shallow::new(shape)),
            Self::Slru => Box::new(Slru::new(shape)),
        }
    }
}

impl Default for PolicyKind {
    fn default() -> Self {
        Self::DEFAULT
    }
}

impl fmt::Display for PolicyKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for PolicyKind {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name).ok_or_else(|| {
            let names = Self::ALL.map(Self::name).join(", ");
            Error::Usage(format!("no eviction policy is named {name:?}; there are {names}"))
        })
    }
}
