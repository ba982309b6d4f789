//! Predictions never change a bit of the output, and a layer's own gate predicts the layer.

mod common;

use std::path::{Path, PathBuf};

use common::oracle::{fixtures, gpu_is_there};
use foregate::compute::routing::{RouteRule, choose, rank};
use foregate::expert::pager::Prefetch;
use foregate::expert::predict::{LOOKAHEAD_MAX, Method, PredictorKind, RecallRow};
use foregate::expert::source::ReadPath;
use foregate::generate::engine::Engine;
use foregate::generate::options::{DeviceChoice, Options};
use foregate::generate::plan::CacheSize;

const IDS: [u32; 16] = [5, 18, 45, 86, 14, 21, 29, 39, 50, 11, 25, 40, 61, 24, 5, 18];

/// Fixtures of every architecture, and the demo model.
fn models() -> Vec<PathBuf> {
    let mut all = fixtures("gguf");
    all.push(Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/foregate-demo.gguf"));
    all
}

fn base(device: DeviceChoice) -> Options {
    Options {
        device,
        memory: Some(1 << 30),
        cache: CacheSize::Share(0.6),
        lanes: Some(2),
        io: Some(ReadPath::Buffered),
        threads: (device == DeviceChoice::Cpu).then_some(1),
        ..Options::default()
    }
}

/// The bits of all logits of a prompt and tokens one by one, what was predicted, and how many prefetches were issued.
fn run(path: &Path, options: &Options, measure: bool) -> (Vec<u32>, Vec<RecallRow>, u64) {
    let mut engine = Engine::open(path, options, &mut |_| ()).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    engine.measure_recall(measure);
    let mut bits = Vec::new();
    let mut each = |rows: &[f32]| {
        bits.extend(rows.iter().map(|v| v.to_bits()));
        Ok(())
    };
    let (prompt, rest) = IDS.split_at(6);
    for part in std::iter::once(prompt).chain(rest.chunks(1)) {
        engine.feed(part, 0..part.len(), None, &|| false, &mut each).unwrap_or_else(|e| panic!("{e}"));
    }
    let issued = engine.ledger().iter().map(|l| l.issued).sum();
    (bits, engine.recall(), issued)
}

fn no_prediction_changes_a_bit(device: DeviceChoice) {
    let mut issued_at_all = 0;
    for path in models() {
        let off = Options { prefetch: Some(Prefetch::Off), ..base(device) };
        let (want, recall, issued) = run(&path, &off, false);
        assert_eq!((recall.len(), issued), (0, 0), "{}: nothing is predicted", path.display());
        let at_most = |n, lookahead, predictor| Options {
            prefetch: Some(Prefetch::AtMost(n)),
            lookahead: Some(lookahead),
            predictor,
            ..base(device)
        };
        let variants = [
            (base(device), false),
            (off.clone(), true),
            (at_most(1, 1, PredictorKind::Fate), false),
            (at_most(9, 3, PredictorKind::Residual), true),
            (at_most(2, 2, PredictorKind::Transition), true),
        ];
        for (options, measure) in variants {
            let (got, _, issued) = run(&path, &options, measure);
            issued_at_all += issued;
            assert!(got == want, "{}: {options:?} changes the output", path.display());
        }
    }
    assert!(issued_at_all > 0, "nothing was prefetched");
}

#[test]
fn no_prediction_changes_a_bit_on_the_cpu() {
    no_prediction_changes_a_bit(DeviceChoice::Cpu);
}

#[test]
fn no_prediction_changes_a_bit_on_the_reference() {
    no_prediction_changes_a_bit(DeviceChoice::Reference);
}

#[test]
fn no_prediction_changes_a_bit_on_the_gpu() {
    if gpu_is_there() {
        no_prediction_changes_a_bit(DeviceChoice::Gpu(None));
    }
}

fn a_layers_own_gate_predicts_the_layer(device: DeviceChoice) {
    for path in models() {
        let (_, recall, _) = run(&path, &base(device), true);
        let control: Vec<_> = recall.iter().filter(|r| r.d == Some(0)).collect();
        assert!(!control.is_empty(), "{}", path.display());
        for row in control {
            assert_eq!((row.slot_hits, row.miss_hits), (row.slots, row.misses), "{}: {row:?}", path.display());
        }
        // as far ahead as the model has layers; dense layers look ahead too
        let layers: Vec<_> = recall.iter().filter(|r| r.predictor == Method::Residual).collect();
        let last = layers.iter().map(|r| r.layer).max().unwrap_or(0);
        for d in 1..=LOOKAHEAD_MAX.min(last) {
            let row = layers.iter().find(|r| r.layer == last && r.d == Some(d));
            let row = row.unwrap_or_else(|| panic!("{}: no prediction {d} layers ahead", path.display()));
            assert!(row.slots > 0 && row.slot_hits <= row.slots, "{row:?}");
        }
    }
}

#[test]
fn a_layers_own_gate_predicts_the_layer_on_the_cpu() {
    a_layers_own_gate_predicts_the_layer(DeviceChoice::Cpu);
}

#[test]
fn a_layers_own_gate_predicts_the_layer_on_the_reference() {
    a_layers_own_gate_predicts_the_layer(DeviceChoice::Reference);
}

#[test]
fn a_layers_own_gate_predicts_the_layer_on_the_gpu() {
    if gpu_is_there() {
        a_layers_own_gate_predicts_the_layer(DeviceChoice::Gpu(None));
    }
}

#[test]
fn a_ranking_begins_with_what_the_router_chooses() {
    let logits: Vec<f32> = (0..16).map(|i| ((i * 7 % 16) as f32).sin()).collect();
    let rule = RouteRule {
        experts: 16,
        k: 4,
        gating: foregate::compute::routing::Gating::Sigmoid,
        selection_bias: Some((0..16).map(|i| (i % 3) as f32 * 0.1).collect()),
        normalise: true,
        scale: 1.0,
        groups: Some((4, 2)),
    };
    let ranked = rank(&logits, &rule, 8);
    assert_eq!(ranked[..4], choose(&logits, 1, &rule, None).experts);
    assert_eq!(ranked.len(), 8);
}
