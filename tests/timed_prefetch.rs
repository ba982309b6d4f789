//! Prefetching on virtual disks: recorded routing of real models, a predictor of known recall, no timing.

mod common;

use std::time::Duration;

use common::shared;
use foregate::expert::cache::{Phase, PolicyKind};
use foregate::expert::pager::Prefetch;
use foregate::expert::source::DiskModel;
use foregate::expert::timed::{Cost, Machine, Outcome, Pass, SyntheticPredictor, run};
use foregate::expert::trace::Trace;
use foregate::expert::{ExpertLayer, ExpertMatrix, Extent};
use foregate::gguf::GgmlType;
use rayon::prelude::*;

/// The decoded tokens of a recorded run, over and over: 1100 of them.
fn looped(name: &str, experts: usize) -> Option<Vec<Pass>> {
    let trace = Trace::read(&shared(&format!("routing-traces/{name}"))?, Some(experts)).unwrap();
    let mut passes = Pass::all(&trace).unwrap();
    passes.retain(|pass| pass.phase == Phase::Decode);
    Some(passes.into_iter().cycle().take(1100).collect())
}

fn layers(layers: usize, count: usize, bytes: usize) -> Vec<ExpertLayer> {
    let matrix = |extent| ExpertMatrix { ty: GgmlType::F32, rows: 1, cols: 1, extent, start: 0 };
    let extent = Extent { shard: 0, offset: 0, len: bytes / 3 };
    let layer = |layer| ExpertLayer {
        layer: layer as u32,
        count,
        matrices: [0, 1, 2].map(matrix),
        extents: vec![extent; 3],
        class: 0,
        slot_bytes: 0,
    };
    (0..layers).map(layer).collect()
}

/// A machine's disk and what its processor takes.
struct Setting {
    name: &'static str,
    trace: Vec<Pass>,
    experts: usize,
    bytes: usize,
    cost: Cost,
}

impl Setting {
    fn run(
        &self,
        policy: PolicyKind,
        (latency, rate): (f64, f64),
        lanes: usize,
        share: f64,
        (prefetch, lookahead): (Prefetch, usize),
        recall: f64,
    ) -> Outcome {
        let machine = Machine {
            layers: layers(self.trace[0].layers.len(), self.experts, self.bytes),
            slots: vec![(share * (self.trace[0].layers.len() * self.experts) as f64) as usize],
            disk: DiskModel { latency: millis(latency), bytes_per_s: rate, lanes },
            cost: self.cost,
            prefetch,
            lookahead,
        };
        let mut predictor =
            SyntheticPredictor::new(&self.trace, vec![self.experts; self.trace[0].layers.len()], recall, 7);
        run(&machine, &self.trace, &|shape| policy.build(shape), &mut predictor).unwrap()
    }
}

fn millis(ms: f64) -> Duration {
    Duration::from_secs_f64(ms / 1e3)
}

/// Share of `before` that is saved.
fn saved(before: &Outcome, after: &Outcome) -> f64 {
    1.0 - after.time().as_secs_f64() / before.time().as_secs_f64()
}

/// Prefetching that governs itself is never 2 % behind the better of always and never, and where right predictions would
/// save a tenth of the time, it saves half as much with predictions that are often wrong.
fn assert_that_auto_pays(setting: &Setting, disks: &[(&str, (f64, f64), usize)], recalls: &[f64]) {
    for &(disk, speed, lanes) in disks {
        [0.12, 0.25, 0.5].into_par_iter().for_each(|share| {
            let go = |prefetch, recall| setting.run(POLICY, speed, lanes, share, (prefetch, 1), recall);
            let (off, always) = (go(Prefetch::Off, 1.0), Prefetch::AtMost(8));
            let perfect = saved(&off, &go(always, 1.0));
            for &recall in recalls {
                let (on, auto) = (saved(&off, &go(always, recall)), saved(&off, &go(Prefetch::Auto, recall)));
                let row = format!(
                    "{}, {disk} disk, {lanes} lanes, {:.0} % cache, recall {recall}: saved {:.1} % on, {:.1} % auto, \
                     {:.1} % if perfect",
                    setting.name,
                    100.0 * share,
                    100.0 * on,
                    100.0 * auto,
                    100.0 * perfect
                );
                println!("{row}");
                assert!(auto >= on.max(0.0) - 0.02, "{row}");
                assert!(perfect < 0.1 || auto >= perfect / 2.0, "{row}");
            }
        });
    }
}

/// Milliseconds to the first byte, and bytes per second.
const SLOW: (f64, f64) = (0.12, 0.5e9);
const MEDIUM: (f64, f64) = (0.08, 2.5e9);
const FAST: (f64, f64) = (0.05, 8e9);
const POLICY: PolicyKind = PolicyKind::Decay;

/// Where prefetching does not pay.
#[derive(Clone, Copy, Debug)]
struct Case {
    policy: PolicyKind,
    /// Milliseconds, and bytes per second.
    disk: (f64, f64),
    lanes: usize,
    share: f64,
    lookahead: usize,
    recall: f64,
}

/// Where reading ahead costs slots, and so reads, that the cache would have spared: drives without time to spare.
fn assert_that_auto_gives_up(setting: &Setting, cases: &[Case]) {
    cases.par_iter().for_each(|case| {
        let &Case { policy, disk, lanes, share, lookahead, recall } = case;
        let go = |prefetch| setting.run(policy, disk, lanes, share, (prefetch, lookahead), recall);
        let off = go(Prefetch::Off);
        let (on, auto) = (saved(&off, &go(Prefetch::AtMost(8))), saved(&off, &go(Prefetch::Auto)));
        let row = format!("{}, {case:?}: saved {:.1} % on, {:.1} % auto", setting.name, 100.0 * on, 100.0 * auto);
        println!("{row}");
        assert!(auto >= on.max(0.0) - 0.02, "{row}");
    });
}

fn qwen3_30b() -> Option<Setting> {
    let trace = looped("bigmoeonedge/qwen.route.csv.gz", 128)?;
    let cost = Cost { token: millis(3.0), layer: millis(0.5), expert: millis(0.12), prediction: millis(0.02) };
    Some(Setting { name: "Qwen3-30B", trace, experts: 128, bytes: 2_900_000, cost })
}

fn olmoe() -> Option<Setting> {
    let trace = looped("warp/trace_olmoe_299.jsonl.gz", 64)?;
    let cost = Cost { token: millis(2.0), layer: millis(0.5), expert: millis(0.15), prediction: millis(0.01) };
    Some(Setting { name: "OLMoE", trace, experts: 64, bytes: 3_500_000, cost })
}

#[test]
fn prefetching_that_governs_itself_gives_up_where_it_costs_the_cache() {
    let slow = Case { policy: PolicyKind::Slru, disk: SLOW, lanes: 4, share: 0.12, lookahead: 1, recall: 0.6 };
    let sata =
        Case { policy: PolicyKind::NextUse, disk: (0.1, 0.25e9), lanes: 8, share: 0.5, lookahead: 1, recall: 0.9 };
    if let Some(setting) = qwen3_30b() {
        assert_that_auto_gives_up(&setting, &[slow, Case { recall: 0.75, ..slow }, Case { share: 0.25, ..slow }]);
    }
    if let Some(setting) = olmoe() {
        let far = Case { policy: PolicyKind::NextUse, share: 0.5, lookahead: 2, ..slow };
        let near = [sata, Case { share: 0.25, ..sata }, Case { recall: 0.6, ..sata }];
        assert_that_auto_gives_up(&setting, &[&near[..], &[far, Case { lookahead: 3, ..far }]].concat());
    }
}

fn assert_that_auto_pays_on_all_disks(setting: &Setting) {
    let disks = [("slow", SLOW, 4), ("medium", MEDIUM, 4), ("fast", FAST, 4)];
    assert_that_auto_pays(setting, &disks, &[0.6, 0.75, 0.9]);
    // what many lanes have under way for predictions must not stand in the way of demand
    assert_that_auto_pays(setting, &[("medium", MEDIUM, 16)], &[0.6]);
}

#[test]
fn prefetching_that_governs_itself_pays_on_qwen3_30b() {
    qwen3_30b().iter().for_each(assert_that_auto_pays_on_all_disks);
}

#[test]
fn prefetching_that_governs_itself_pays_on_olmoe() {
    olmoe().iter().for_each(assert_that_auto_pays_on_all_disks);
}
