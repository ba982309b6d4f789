//! Replays recorded routing of real models through the cache and compares the hit rates of the policies with published
//! ones.

use std::io::Read;
use std::path::PathBuf;

use foregate::expert::cache::{Belady, Cache, EvictionPolicy, Phase, PolicyKind, PolicyShape, Request};
use foregate::expert::{LayerShape, SlotClass};

/// Tokens that warm the cache and are not counted.
const WARM_UP: usize = 16;

const SHARES: [f64; 4] = [0.04, 0.08, 0.125, 0.25];

/// Recorded routing of a model.
struct Trace {
    experts: usize,
    /// Chosen experts by token, then layer.
    tokens: Vec<Vec<Vec<u32>>>,
}

fn traces() -> Option<PathBuf> {
    let dir = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/routing-traces");
    if !dir.exists() {
        println!("skipped: {} is not there", dir.display());
    }
    dir.exists().then_some(dir)
}

fn unpacked(path: PathBuf) -> String {
    let mut text = String::new();
    flate2::read::GzDecoder::new(std::fs::File::open(path).unwrap()).read_to_string(&mut text).unwrap();
    text
}

/// 128 decoded tokens of Qwen3-30B-A3B, six experts used.
fn qwen3() -> Option<Trace> {
    let mut tokens = Vec::new();
    let mut at = None;
    for line in unpacked(traces()?.join("bigmoeonedge/qwen.route.csv.gz")).lines() {
        // turn,phase,step,layer,slot,expert,...: decode rows only
        let fields: Vec<&str> = line.split(',').collect();
        if line.starts_with('#') || fields[0] == "turn" || fields[1] != "1" {
            continue;
        }
        let number = |i: usize| fields[i].parse::<usize>().unwrap();
        let (step, layer, expert) = (number(2), number(3), number(5));
        if at != Some(step) {
            tokens.push(vec![Vec::new(); 48]);
            at = Some(step);
        }
        tokens.last_mut().unwrap()[layer].push(expert as u32);
    }
    assert_eq!(tokens.len(), 128);
    Some(Trace { experts: 128, tokens })
}

/// 299 tokens of OLMoE-1B-7B.
fn olmoe() -> Option<Trace> {
    let layers = |line: &str| {
        let token: serde_json::Value = serde_json::from_str(line).unwrap();
        serde_json::from_value(token["layers"].clone()).unwrap()
    };
    let tokens: Vec<_> = unpacked(traces()?.join("warp/trace_olmoe_299.jsonl.gz")).lines().map(layers).collect();
    assert_eq!(tokens.len(), 299);
    Some(Trace { experts: 64, tokens })
}

impl Trace {
    /// The layer and experts of each request, in order.
    fn requests(&self) -> impl Iterator<Item = (u32, &[u32])> {
        self.tokens.iter().flat_map(|rows| (0..).zip(rows.iter().map(Vec::as_slice)))
    }

    /// Hit rate in percent with slots for `share` of all experts, warm-up tokens left out.
    fn hit_rate(&self, share: f64, policy: &dyn Fn(&PolicyShape) -> Box<dyn EvictionPolicy>) -> f64 {
        let count = self.tokens[0].len();
        let layers: Vec<_> =
            (0..count as u32).map(|layer| LayerShape { layer, count: self.experts, class: 0 }).collect();
        let slots = (share * (count * self.experts) as f64) as usize;
        let mut cache = Cache::new(&layers, &[SlotClass { slots, slot_bytes: 4096 }], policy).unwrap();
        for (n, (layer, ids)) in self.requests().enumerate() {
            let phase = if n < WARM_UP * count { Phase::Prefill } else { Phase::Decode };
            let request = Request { phase, layer, tokens: 1, chosen: ids, distinct: ids, scores: None };
            let mut plan = cache.begin(&request);
            while cache.next_wave(&mut plan).is_some() {}
        }
        let counts = cache.counts(Phase::Decode);
        100.0 * counts.hits as f64 / counts.requests as f64
    }

    fn hit_rates(&self, kind: PolicyKind) -> [f64; 4] {
        SHARES.map(|share| self.hit_rate(share, &|shape| kind.build(shape)))
    }

    fn belady_hit_rates(&self) -> [f64; 4] {
        SHARES.map(|share| self.hit_rate(share, &|shape| Box::new(Belady::new(shape, self.requests()))))
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
