//! Replays recorded routing of real models through the cache and compares the hit rates with published ones.

use std::io::Read;
use std::path::PathBuf;

use foregate::expert::cache::{Cache, Lru, Phase, Request};
use foregate::expert::{LayerShape, SlotClass};

/// Tokens that warm the cache and are not counted.
const WARM_UP: usize = 16;

/// Chosen experts by token, then layer.
type Trace = Vec<Vec<Vec<u32>>>;

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

fn layers(layers: usize, experts: usize) -> Vec<LayerShape> {
    (0..layers as u32).map(|layer| LayerShape { layer, count: experts, class: 0 }).collect()
}

/// Hit rate in percent with LRU and slots for `share` of all experts, warm-up tokens left out.
fn lru_hit_rate(trace: &Trace, experts: usize, share: f64) -> f64 {
    let layers = layers(trace[0].len(), experts);
    let slots = (share * (layers.len() * experts) as f64) as usize;
    let classes = [SlotClass { slots, slot_bytes: 4096 }];
    let mut cache = Cache::new(&layers, &classes, &|_| Box::new(Lru::new())).unwrap();
    for (token, rows) in trace.iter().enumerate() {
        let phase = if token < WARM_UP { Phase::Prefill } else { Phase::Decode };
        for (layer, ids) in rows.iter().enumerate() {
            let mut plan = cache.begin(&Request {
                phase,
                layer: layer as u32,
                tokens: 1,
                chosen: ids,
                distinct: ids,
                scores: None,
            });
            while cache.next_wave(&mut plan).is_some() {}
        }
    }
    let counts = cache.counts(Phase::Decode);
    100.0 * counts.hits as f64 / counts.requests as f64
}

fn assert_hit_rates(trace: &Trace, experts: usize, expected: [f64; 4]) {
    let rates = [0.04, 0.08, 0.125, 0.25].map(|share| lru_hit_rate(trace, experts, share));
    for (got, want) in rates.iter().zip(expected) {
        assert!((got - want).abs() < 0.051, "hit rates {rates:.1?}, expected {expected:?}");
    }
}

#[test]
fn lru_has_the_published_hit_rates_on_qwen3_30b() {
    let Some(dir) = traces() else { return };
    let mut trace = Trace::new();
    let mut at = None;
    for line in unpacked(dir.join("bigmoeonedge/qwen.route.csv.gz")).lines() {
        // turn,phase,step,layer,slot,expert,...: decode rows only
        let fields: Vec<&str> = line.split(',').collect();
        if line.starts_with('#') || fields[0] == "turn" || fields[1] != "1" {
            continue;
        }
        let number = |i: usize| fields[i].parse::<usize>().unwrap();
        let (step, layer, expert) = (number(2), number(3), number(5));
        if at != Some(step) {
            trace.push(vec![Vec::new(); 48]);
            at = Some(step);
        }
        trace.last_mut().unwrap()[layer].push(expert as u32);
    }
    assert_eq!(trace.len(), 128);
    assert_hit_rates(&trace, 128, [0.0, 44.6, 58.2, 84.1]);
}

#[test]
fn lru_has_the_published_hit_rates_on_olmoe() {
    let Some(dir) = traces() else { return };
    let trace: Trace = unpacked(dir.join("warp/trace_olmoe_299.jsonl.gz"))
        .lines()
        .map(|line| {
            let token: serde_json::Value = serde_json::from_str(line).unwrap();
            serde_json::from_value(token["layers"].clone()).unwrap()
        })
        .collect();
    assert_eq!(trace.len(), 299);
    assert_hit_rates(&trace, 64, [0.0, 0.0, 43.7, 57.3]);
}
