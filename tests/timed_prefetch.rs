//! Prefetching and warm starts on virtual disks: recorded routing of real models and made up one, a predictor of known
//! recall, no timing.

mod common;

use std::time::Duration;

use common::shared;
use foregate::expert::cache::{Phase, PolicyKind};
use foregate::expert::pager::Prefetch;
use foregate::expert::source::DiskModel;
use foregate::expert::timed::{Choice, Cost, Machine, Outcome, Pass, SyntheticPredictor, run};
use foregate::expert::trace::Trace;
use foregate::expert::{ExpertId, ExpertLayer, ExpertMatrix, Extent};
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
            kept: Vec::new(),
            head_start: Duration::ZERO,
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

/// Passes on a topic: a prompt of 3 tokens, then one token after another. Of each layer's 64 experts a topic uses
/// a few often and the other topic's rarely; a token keeps a third of the experts of the one before.
fn topic(topic: u64, run: u64, tokens: usize) -> Vec<Pass> {
    const LAYERS: u64 = 16;
    const K: usize = 8;
    let mut state = 1000 * topic + run;
    let mut draw = move |n: u64| {
        state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (state >> 33) % n
    };
    let mut last: Vec<Vec<u32>> = vec![Vec::new(); LAYERS as usize];
    let mut token = |layer: u64| -> Vec<u32> {
        let before = &mut last[layer as usize];
        let mut chosen: Vec<u32> = before.iter().copied().filter(|_| draw(3) == 0).collect();
        while chosen.len() < K {
            // of ranks by use the first are likelier, and a topic's first are the other's last
            let rank = draw(64).min(draw(64)).min(draw(64)).min(draw(64));
            let rank = if topic == 1 { rank } else { 63 - rank };
            let index = ((rank * 37 + 11 * layer) % 64) as u32;
            if !chosen.contains(&index) {
                chosen.push(index);
            }
        }
        *before = chosen.clone();
        chosen
    };
    let mut pass = |phase, n| {
        let layers =
            (0..LAYERS).map(|layer| Choice { k: K, chosen: (0..n).flat_map(|_| token(layer)).collect(), scores: None });
        Pass { phase, layers: layers.collect() }
    };
    let prompt = pass(Phase::Prefill, 3);
    std::iter::once(prompt).chain((0..tokens).map(|_| pass(Phase::Decode, 1))).collect()
}

/// A run from what a run before has kept, against one from an empty cache.
#[test]
fn a_warm_start_saves_time_where_there_is_some_and_costs_next_to_none_on_another_topic() {
    let cost = Cost { token: millis(2.0), layer: millis(0.5), expert: millis(0.15), prediction: millis(0.01) };
    let (before, same, other) = (topic(1, 0, 64), topic(1, 1, 32), topic(2, 0, 32));
    for (disk, (latency, rate), lanes) in
        [("slow", SLOW, 4), ("medium", MEDIUM, 4), ("medium", MEDIUM, 16), ("fast", FAST, 8)]
    {
        for share in [0.125, 0.25, 0.5] {
            let go = |passes: &[Pass], kept: &[(ExpertId, f32)], head_start| {
                let machine = Machine {
                    layers: layers(16, 64, 3_500_000),
                    slots: vec![(share * 16.0 * 64.0) as usize],
                    disk: DiskModel { latency: millis(latency), bytes_per_s: rate, lanes },
                    cost,
                    prefetch: Prefetch::Off,
                    lookahead: 1,
                    kept: kept.to_vec(),
                    head_start: millis(head_start),
                };
                let mut nobody = SyntheticPredictor::new(passes, vec![64; 16], 1.0, 7);
                run(&machine, passes, &|shape| PolicyKind::DEFAULT.build(shape), &mut nobody).unwrap()
            };
            // as a run after it finds it
            let kept: Vec<_> = go(&before, &[], 0.0).memory.iter().map(|&(id, score)| (id, score / 2.0)).collect();
            let warm = |passes: &[Pass], head_start| {
                let (cold, warm) = (go(passes, &[], 0.0), go(passes, &kept, head_start));
                let bytes = |o: &Outcome| (o.stats.prefill.bytes_read + o.stats.decode.bytes_read) as f64;
                let misses = |o: &Outcome| o.stats.prefill.misses + o.stats.decode.misses;
                assert!(
                    misses(&warm) <= misses(&cold),
                    "{} misses, {} from an empty cache",
                    misses(&warm),
                    misses(&cold)
                );
                (saved(&cold, &warm), bytes(&warm) / bytes(&cold))
            };
            for head_start in [0.0, 2000.0] {
                let [same, other] = [&same, &other].map(|passes| warm(passes, head_start));
                let row = format!(
                    "{disk} disk, {lanes} lanes, {:.1} % cache, {head_start} ms before: same topic saved {:.1} %, {:.2} x \
                     the bytes; another {:.1} %, {:.2} x",
                    100.0 * share,
                    100.0 * same.0,
                    same.1,
                    100.0 * other.0,
                    other.1
                );
                println!("{row}");
                assert!(same.0.min(other.0) > -0.02, "{row}");
                assert!(head_start == 0.0 || same.0 > 0.0, "{row}");
            }
        }
    }
}
