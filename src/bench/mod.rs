//! What `foregate bench` measures: configurations of the expert cache, each run twice on the same prompts.
//!
//! An untimed run comes first. It records the routing, which is the same in every configuration, and measures recall; what
//! it settled (read path, lanes) holds for all timed runs. These go through the configurations in order and then in
//! mirrored order (A B B A), so that what drifts, heat above all, weighs on all of them alike. Each run opens the model
//! anew, with an empty expert cache, after the engine before it is gone.

pub mod fastest;
pub mod figures;
pub mod line_rate;
pub mod prompts;
pub mod recall;
pub mod routing;
pub mod run;

use crate::expert::cache::PolicyKind;
use crate::expert::pager::Prefetch;
use crate::generate::plan::CacheSize;

/// One combination of what is swept.
#[derive(Clone, Debug, PartialEq)]
pub struct Configuration {
    /// Size of the expert cache.
    pub cache: CacheSize,
    /// The size as it was asked for.
    pub size: String,
    /// Who leaves the cache.
    pub policy: PolicyKind,
    /// How much is prefetched.
    pub prefetch: Prefetch,
}

impl std::fmt::Display for Configuration {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "cache {}, {}, prefetch {}", self.size, self.policy, self.prefetch)
    }
}

/// All combinations, sizes slowest.
pub fn configurations(
    sizes: &[(String, CacheSize)],
    policies: &[PolicyKind],
    prefetches: &[Prefetch],
) -> Vec<Configuration> {
    let mut all = Vec::new();
    for (size, cache) in sizes {
        for &policy in policies {
            for &prefetch in prefetches {
                all.push(Configuration { cache: *cache, size: size.clone(), policy, prefetch });
            }
        }
    }
    all
}

/// The order of the runs, by configuration: once through, and back.
pub fn order(configurations: usize) -> Vec<usize> {
    (0..configurations).chain((0..configurations).rev()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_configuration_runs_twice_in_mirrored_order() {
        assert_eq!(order(3), [0, 1, 2, 2, 1, 0]);
        assert_eq!(order(0), [0; 0]);
    }

    #[test]
    fn sizes_policies_and_prefetches_are_combined() {
        let sizes = [("25%".to_owned(), CacheSize::Share(0.25)), ("1x".to_owned(), CacheSize::Cycles(1.0))];
        let all = configurations(&sizes, &[PolicyKind::Lru, PolicyKind::Decay], &[Prefetch::Off, Prefetch::AtMost(4)]);
        assert_eq!(all.len(), 8);
        assert_eq!(all[1].to_string(), "cache 25%, lru, prefetch 4");
        assert_eq!(all[6].to_string(), "cache 1x, decay, prefetch off");
    }
}
