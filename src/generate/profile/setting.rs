//! What `tune` looks for, and what of it a run takes up.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::expert::cache::PolicyKind;
use crate::expert::pager::Prefetch;
use crate::expert::source::ReadPath;
use crate::generate::options::Options;
use crate::generate::plan::{CacheSize, Plan, mib};

/// What changes how fast a run is.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Setting {
    /// Bytes of expert slots at most; `None`: all that fits.
    pub cache: Option<u64>,
    /// Who leaves the cache.
    pub policy: PolicyKind,
    /// How much is prefetched.
    pub prefetch: Prefetch,
    /// How experts are read.
    pub path: ReadPath,
    /// Concurrent reads.
    pub lanes: usize,
}

impl fmt::Display for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { policy, prefetch, path, lanes, .. } = self;
        write!(f, "{policy}, prefetch {prefetch}, {path} reads in {}", count(*lanes))
    }
}

fn count(lanes: usize) -> String {
    format!("{lanes} lane{}", if lanes == 1 { "" } else { "s" })
}

impl Setting {
    /// The setting with its cache in few words, for a line that is cut where the terminal ends.
    pub fn brief(&self) -> String {
        let Self { policy, prefetch, path, lanes, .. } = self;
        let cache = self.cache.map_or("all".into(), |bytes| format!("{} MiB", bytes >> 20));
        format!("{cache}, {policy}, prefetch {prefetch}, {path} x{lanes}")
    }

    /// What of this `options` leave open. A number of lanes belongs to its read path.
    pub fn taken(&self, options: &Options) -> Taken {
        Taken {
            cache: self.cache.filter(|_| options.cache == CacheSize::Fill),
            policy: Some(self.policy).filter(|_| options.policy.is_none()),
            prefetch: Some(self.prefetch).filter(|_| options.prefetch.is_none()),
            path: Some(self.path).filter(|_| options.io.is_none()),
            lanes: Some(self.lanes).filter(|_| options.lanes.is_none() && options.io.is_none_or(|io| io == self.path)),
        }
    }

    /// `options` with this where they leave something open.
    pub fn fill(&self, options: &Options) -> Options {
        let taken = self.taken(options);
        Options {
            cache: taken.cache.map_or(options.cache, CacheSize::UpTo),
            policy: options.policy.or(taken.policy),
            prefetch: options.prefetch.or(taken.prefetch),
            io: options.io.or(taken.path),
            lanes: options.lanes.or(taken.lanes),
            ..options.clone()
        }
    }
}

/// What of a setting a run takes up: all that no flag settles.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Taken {
    /// Bytes of expert slots at most.
    pub cache: Option<u64>,
    /// Who leaves the cache.
    pub policy: Option<PolicyKind>,
    /// How much is prefetched.
    pub prefetch: Option<Prefetch>,
    /// How experts are read.
    pub path: Option<ReadPath>,
    /// Concurrent reads.
    pub lanes: Option<usize>,
}

impl Taken {
    /// Without what cannot act in this plan: where every expert has a slot there is nothing to read ahead of.
    pub fn in_plan(self, plan: &Plan) -> Self {
        let acts = |prefetch: &Prefetch| *prefetch == Prefetch::Off || plan.slot_count() < plan.experts;
        Self { prefetch: self.prefetch.filter(acts), ..self }
    }

    /// The line that names all of this; `None` where flags settle everything.
    pub fn note(&self) -> Option<String> {
        let reading = match (self.path, self.lanes) {
            (Some(path), Some(lanes)) => Some(format!("{path} reads in {}", count(lanes))),
            (Some(path), None) => Some(format!("{path} reads")),
            (None, lanes) => lanes.map(count),
        };
        let parts = [
            self.policy.map(|policy| policy.to_string()),
            self.prefetch.map(|prefetch| format!("prefetch {prefetch}")),
            reading,
            self.cache.map(|most| format!("a cache of {} at most", mib(most, false))),
        ];
        let parts: Vec<String> = parts.into_iter().flatten().collect();
        (!parts.is_empty())
            .then(|| format!("as `foregate tune` found: {}; --profile off leaves that out", parts.join(", ")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SETTING: Setting = Setting {
        cache: Some(1 << 30),
        policy: PolicyKind::Lru,
        prefetch: Prefetch::AtMost(4),
        path: ReadPath::Direct,
        lanes: 3,
    };

    #[test]
    fn what_is_given_outweighs_the_profile() {
        let open = SETTING.fill(&Options { memory: Some(1 << 32), ..Options::default() });
        assert_eq!(
            (open.cache, open.policy, open.prefetch),
            (CacheSize::UpTo(1 << 30), Some(PolicyKind::Lru), Some(Prefetch::AtMost(4)))
        );
        assert_eq!((open.io, open.lanes), (Some(ReadPath::Direct), Some(3)));
        let given = Options {
            cache: CacheSize::Share(0.5),
            policy: Some(PolicyKind::Lfu),
            prefetch: Some(Prefetch::Off),
            io: Some(ReadPath::Mmap),
            ..Options::default()
        };
        let filled = SETTING.fill(&given);
        assert_eq!((filled.cache, filled.policy, filled.prefetch), (given.cache, given.policy, given.prefetch));
        assert_eq!((filled.io, filled.lanes), (given.io, None), "lanes are those of another path");
        assert_eq!(SETTING.taken(&given).note(), None);
        assert_eq!(SETTING.fill(&Options { lanes: Some(9), ..Options::default() }).lanes, Some(9));
    }

    #[test]
    fn the_note_names_what_was_taken_and_nothing_else() {
        let note = |setting: Setting, options: Options| setting.taken(&options).note().unwrap();
        let all = note(SETTING, Options::default());
        assert!(
            all.contains("found: lru, prefetch 4, direct reads in 3 lanes, a cache of 1024.0MiB at most; "),
            "{all}"
        );
        let some = Options { policy: Some(PolicyKind::Lfu), lanes: Some(2), ..Options::default() };
        let some = note(Setting { cache: None, ..SETTING }, some);
        assert!(some.contains("found: prefetch 4, direct reads; "), "{some}");
        let same = Options { io: Some(ReadPath::Direct), prefetch: Some(Prefetch::Off), ..Options::default() };
        let same = note(SETTING, Options { policy: Some(PolicyKind::Lru), cache: CacheSize::Bytes(7), ..same });
        assert!(same.contains("found: 3 lanes; "), "{same}");
    }

    #[test]
    fn where_all_experts_have_slots_no_prefetching_is_named() {
        let taken = SETTING.taken(&Options::default());
        assert_eq!(taken.in_plan(&Plan::default()).prefetch, None);
        assert_eq!(taken.in_plan(&Plan { experts: 9, ..Plan::default() }), taken);
        let off = Taken { prefetch: Some(Prefetch::Off), ..taken };
        assert_eq!(off.in_plan(&Plan::default()), off);
    }

    #[test]
    fn the_longest_brief_line_fits_a_terminal_beside_the_bar() {
        let long = Setting {
            cache: Some(99_999 << 20),
            policy: PolicyKind::NextUse,
            prefetch: Prefetch::Auto,
            path: ReadPath::Buffered,
            lanes: 64,
        };
        assert!(long.brief().len() < 50, "{}", long.brief());
        assert!(long.brief().contains("prefetch auto"));
    }
}
