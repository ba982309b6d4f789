//! Replays recorded routing of real models through the cache and compares the hit rates of the policies with published
//! ones.

mod common;

use common::shared;
use foregate::expert::cache::{EvictionPolicy, PolicyKind, PolicyShape};
use foregate::expert::replay::{Requests, Selection, belady, run};
use foregate::expert::trace::Trace;

/// Tokens that warm the cache and are not counted.
const WARM_UP: usize = 16;

const SHARES: [f64; 4] = [0.04, 0.08, 0.125, 0.25];

/// Recorded routing of a model.
struct Recorded(Trace);

/// 128 decoded tokens of Qwen3-30B-A3B, six experts used.
fn qwen3() -> Option<Recorded> {
    let path = shared("routing-traces/bigmoeonedge/qwen.route.csv.gz")?;
    Some(Recorded(Trace::read(&path, Some(128)).unwrap()))
}

/// 299 tokens of OLMoE-1B-7B.
fn olmoe() -> Option<Recorded> {
    Some(Recorded(Trace::read(&shared("routing-traces/warp/trace_olmoe_299.jsonl.gz")?, Some(64)).unwrap()))
}

type Build<'a> = &'a dyn Fn(&PolicyShape) -> Box<dyn EvictionPolicy>;

impl Recorded {
    fn requests(&self) -> Requests<'_> {
        Requests::new(&self.0, Selection::Decode, WARM_UP)
    }

    /// Hit rates in percent with slots for shares of all experts, warm-up tokens left out.
    fn rates(&self, policy: Build<'_>) -> [f64; 4] {
        let requests = self.requests();
        SHARES.map(|share| {
            let counts = run(&requests, (share * requests.experts() as f64) as usize, policy).unwrap().sum();
            100.0 * counts.hits as f64 / counts.requests as f64
        })
    }

    fn hit_rates(&self, kind: PolicyKind) -> [f64; 4] {
        self.rates(&|shape| kind.build(shape))
    }

    fn belady_hit_rates(&self) -> [f64; 4] {
        let requests = self.requests();
        self.rates(&|shape| belady(&requests, shape))
    }
}

fn assert_near(rates: [f64; 4], expected: [f64; 4]) {
    for (got, want) in rates.iter().zip(expected) {
        assert!((got - want).abs() < 0.051, "hit rates {rates:.2?}, expected {expected:?}");
    }
}

#[test]
fn policies_have_the_published_hit_rates_on_qwen3_30b() {
    let Some(trace) = qwen3() else { return };
    assert_near(trace.hit_rates(PolicyKind::Lru), [0.0, 44.6, 58.2, 84.1]);
    assert_near(trace.hit_rates(PolicyKind::Decay), [33.5, 50.6, 64.0, 85.2]);
    assert_near(trace.belady_hit_rates(), [52.0, 69.8, 80.4, 93.1]);
}

#[test]
fn policies_have_the_published_hit_rates_on_olmoe() {
    let Some(trace) = olmoe() else { return };
    assert_near(trace.hit_rates(PolicyKind::Lru), [0.0, 0.0, 43.7, 57.3]);
    assert_near(trace.hit_rates(PolicyKind::Decay), [18.0, 30.7, 40.5, 59.4]);
    assert_near(trace.belady_hit_rates(), [25.0, 46.6, 60.1, 77.4]);
}

#[test]
fn the_expected_next_use_gains_on_decayed_use_at_every_size() {
    for trace in [qwen3(), olmoe()].into_iter().flatten() {
        let (next_use, decay) = (trace.hit_rates(PolicyKind::NextUse), trace.hit_rates(PolicyKind::Decay));
        for (next_use, decay) in next_use.into_iter().zip(decay) {
            assert!((0.1..0.85).contains(&(next_use - decay)), "{next_use:.2} beside {decay:.2}");
        }
    }
}

#[test]
fn no_policy_hits_more_than_beladys() {
    for trace in [qwen3(), olmoe()].into_iter().flatten() {
        let bound = trace.belady_hit_rates();
        println!("belady   {bound:5.1?}");
        for kind in PolicyKind::ALL {
            let rates = trace.hit_rates(kind);
            println!("{kind:8} {rates:5.1?}");
            assert!(rates.iter().zip(bound).all(|(rate, bound)| *rate <= bound), "{kind}: {rates:.1?}, {bound:.1?}");
        }
    }
}
