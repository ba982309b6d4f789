//! A live run's own trace, replayed, gives the run's own counts.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use foregate::expert::ExpertId;
use foregate::expert::cache::PolicyKind;
use foregate::expert::pager::Prefetch;
use foregate::expert::predict::PredictorKind;
use foregate::expert::replay::as_recorded;
use foregate::expert::trace::{Event, Routed, Trace};
use foregate::generate::engine::Engine;
use foregate::generate::options::{DeviceChoice, Options};
use foregate::generate::plan::CacheSize;
use foregate::generate::stream::LanguageModel;
use foregate::generate::warm::WarmStore;

fn demo() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/foregate-demo.gguf")
}

/// Two turns: a prompt in two batches and answers token by token, then a prompt of one token.
fn talk(engine: &mut Engine) {
    let ids = |n: usize| (0..n).map(|i| (40 + 37 * i as u32) % 1000).collect::<Vec<_>>();
    let mut token = 7;
    for prompt in [ids(24), vec![5], ids(9)] {
        engine.begin_turn();
        engine.next_logits(&prompt, &|| false).unwrap();
        for _ in 0..40 {
            let logits = engine.next_logits(&[token], &|| false).unwrap().unwrap();
            token = (0..logits.len()).max_by(|&a, &b| logits[a].total_cmp(&logits[b])).unwrap() as u32;
        }
    }
}

fn assert_replays(options: &Options, file: &Path, scores: bool) -> (Trace, u64) {
    let (policy, prefetch) = (options.policy.unwrap_or_default(), options.prefetch.unwrap_or_default());
    let options = Options { trace: Some((file.to_owned(), scores)), ..options.clone() };
    let mut engine = Engine::open(&demo(), &options, &mut |_| ()).unwrap();
    talk(&mut engine);
    engine.finish_trace().unwrap();
    let live = engine.stats();
    let trace = Trace::read(file, None).unwrap();
    let setup = trace.setup.clone().expect("a trace of our own tells its setup");
    let (replayed, disagreement) = as_recorded(&trace, &setup, &|shape| policy.build(shape)).unwrap();
    assert!(disagreement.is_none(), "{policy}, prefetch {prefetch}: {disagreement:?}");
    for (live, replayed) in [(live.prefill, replayed.prefill), (live.decode, replayed.decode)] {
        assert_eq!(
            (live.requests, live.hits, live.misses, live.evictions),
            (replayed.requests, replayed.hits, replayed.misses, replayed.evictions),
            "{policy}, prefetch {prefetch}"
        );
    }
    let prefetched = engine.ledger().iter().map(|l| l.useful + l.late).sum();
    (trace, prefetched)
}

#[test]
fn every_policy_with_and_without_prefetching_replays_to_the_live_counts() {
    let folder = tempfile::tempdir().unwrap();
    let mut prefetched = 0;
    for policy in PolicyKind::ALL {
        for (prefetch, file) in
            [(Prefetch::Off, "off.csv"), (Prefetch::AtMost(4), "on.csv.gz"), (Prefetch::Auto, "auto.csv")]
        {
            let options = Options {
                device: DeviceChoice::Cpu,
                memory: Some(1 << 30),
                cache: CacheSize::Share(0.25),
                batch: Some(16),
                threads: Some(1),
                policy: Some(policy),
                prefetch: Some(prefetch),
                predictor: PredictorKind::Gate,
                ..Options::default()
            };
            let (_, useful) = assert_replays(&options, &folder.path().join(file), policy.wants_scores());
            prefetched += useful;
        }
    }
    assert!(prefetched > 0, "no prefetch was ever of use");
}

#[test]
fn prompts_served_in_waves_replay_to_the_live_counts() {
    let folder = tempfile::tempdir().unwrap();
    for prefetch in [Prefetch::Off, Prefetch::AtMost(4)] {
        let options = Options {
            device: DeviceChoice::Cpu,
            memory: Some(1 << 30),
            cache: CacheSize::Cycles(0.5),
            batch: Some(16),
            threads: Some(1),
            prefetch: Some(prefetch),
            ..Options::default()
        };
        let (trace, _) = assert_replays(&options, &folder.path().join("waves.csv"), false);
        assert!(trace.events.iter().any(|e| e.event == Event::Wave), "no layer needed a second wave");
    }
}

#[test]
fn a_warm_start_hits_more_says_the_same_and_replays_to_its_own_counts() {
    let folder = tempfile::tempdir().unwrap();
    for policy in PolicyKind::ALL.into_iter().filter(|p| !p.wants_scores()) {
        let options = Options {
            device: DeviceChoice::Cpu,
            memory: Some(1 << 30),
            cache: CacheSize::Share(0.5),
            threads: Some(1),
            policy: Some(policy),
            warm: Some(folder.path().join("state")),
            ..Options::default()
        };
        let mut logits = Vec::new();
        for run in 0..2 {
            let file = folder.path().join("warm.csv");
            let options = Options { trace: Some((file.clone(), false)), ..options.clone() };
            let mut engine = Engine::open(&demo(), &options, &mut |_| ()).unwrap();
            assert_eq!(engine.warm_ledger().kept > 0, run > 0, "{policy}");
            logits.push(engine.next_logits(&[5, 9, 300, 12], &|| false).unwrap().unwrap());
            let hits = engine.stats().prefill.hits;
            assert_eq!(hits > 0, run > 0, "{policy}: {hits} hits of the first prompt");
            talk(&mut engine);
            engine.keep_warm().unwrap();
            engine.finish_trace().unwrap();
            let trace = Trace::read(&file, None).unwrap();
            let setup = trace.setup.clone().unwrap();
            let (replayed, disagreement) = as_recorded(&trace, &setup, &|shape| policy.build(shape)).unwrap();
            assert!(disagreement.is_none(), "{policy}: {disagreement:?}");
            let (live, replayed) = (engine.stats().decode, replayed.decode);
            assert_eq!((live.hits, live.evictions), (replayed.hits, replayed.evictions), "{policy}");
        }
        assert_eq!(logits[0], logits[1]);
    }
}

/// The experts of a run, those that it asks for least in front.
fn by_use(trace: &Trace) -> Vec<ExpertId> {
    let mut uses = BTreeMap::new();
    for layer in &trace.layers {
        uses.extend((0..layer.count as u32).map(|index| (ExpertId { layer: layer.layer, index }, 0)));
    }
    for recorded in &trace.events {
        if let Event::Routed(Routed { layer, chosen, .. }) = &recorded.event {
            chosen.iter().for_each(|&index| *uses.get_mut(&ExpertId { layer: *layer, index }).unwrap() += 1);
        }
    }
    let mut by_use: Vec<_> = uses.into_iter().collect();
    by_use.sort_by_key(|&(_, uses)| uses);
    by_use.into_iter().map(|(id, _)| id).collect()
}

#[test]
fn a_warm_start_that_does_not_serve_misses_no_more_than_a_cold_one_and_replays_to_its_own_counts() {
    let folder = tempfile::tempdir().unwrap();
    let (state, file) = (folder.path().join("state"), folder.path().join("warm.csv"));
    for policy in PolicyKind::ALL.into_iter().filter(|p| !p.wants_scores()) {
        let options = Options {
            device: DeviceChoice::Cpu,
            memory: Some(1 << 30),
            cache: CacheSize::Share(0.5),
            threads: Some(1),
            policy: Some(policy),
            prefetch: Some(Prefetch::Off),
            trace: Some((file.clone(), false)),
            ..Options::default()
        };
        let mut engine = Engine::open(&demo(), &options, &mut |_| ()).unwrap();
        let says = engine.next_logits(&[5, 9, 300, 12], &|| false).unwrap();
        talk(&mut engine);
        engine.finish_trace().unwrap();
        let cold = engine.stats();
        let least: Vec<_> =
            by_use(&Trace::read(&file, None).unwrap()).into_iter().take(100).map(|id| (id, 0.5)).collect();
        let store = WarmStore::open(&state, &[demo()], &engine.plan().layers, policy.name(), &mut Vec::new());
        store.unwrap().save(&least).unwrap();

        let options = Options { warm: Some(state.clone()), ..options };
        let mut engine = Engine::open(&demo(), &options, &mut |_| ()).unwrap();
        assert_eq!(engine.warm_ledger().kept, 100);
        assert_eq!(engine.next_logits(&[5, 9, 300, 12], &|| false).unwrap(), says);
        talk(&mut engine);
        engine.finish_trace().unwrap();
        let (warm, ledger) = (engine.stats(), engine.warm_ledger());
        for (cold, warm) in [(cold.prefill, warm.prefill), (cold.decode, warm.decode)] {
            assert!(
                warm.misses <= cold.misses,
                "{policy}: {} misses, {} from an empty cache",
                warm.misses,
                cold.misses
            );
            assert_eq!((warm.requests, warm.evictions), (cold.requests, cold.evictions), "{policy}");
        }
        let fewer = cold.prefill.misses + cold.decode.misses - warm.prefill.misses - warm.decode.misses;
        assert_eq!(fewer, ledger.useful + ledger.late, "{policy}");
        let trace = Trace::read(&file, None).unwrap();
        let setup = trace.setup.clone().unwrap();
        let (replayed, disagreement) = as_recorded(&trace, &setup, &|shape| policy.build(shape)).unwrap();
        assert!(disagreement.is_none(), "{policy}: {disagreement:?}");
        assert_eq!((warm.decode.hits, warm.decode.evictions), (replayed.decode.hits, replayed.decode.evictions));
        assert_eq!((warm.prefill.hits, warm.prefill.evictions), (replayed.prefill.hits, replayed.prefill.evictions));
    }
}

#[test]
fn a_trace_never_overwrites_the_model_that_it_is_of() {
    let folder = tempfile::tempdir().unwrap();
    let model = folder.path().join("model.gguf");
    std::fs::copy(demo(), &model).unwrap();
    let options = Options { device: DeviceChoice::Cpu, trace: Some((model.clone(), false)), ..Options::default() };
    assert!(Engine::open(&model, &options, &mut |_| ()).err().is_some_and(|e| e.is_usage()));
    assert_eq!(std::fs::read(&model).unwrap(), std::fs::read(demo()).unwrap());
}
