//! Replays against counts done by hand and by plain code.

use std::path::Path;
use std::sync::Arc;

use proptest::prelude::*;

use super::foresight::{Foresight, Future};
use super::locality::{next_token_reuse, routing_best_performance};
use super::*;
use crate::expert::ExpertId;
use crate::expert::cache::{Lru, PolicyKind};
use crate::expert::trace::{Recorded, Residency, Setup};

/// A trace of decode steps: experts by token, then layer.
fn trace(tokens: &[Vec<Vec<u32>>]) -> Trace {
    let lines: Vec<String> = tokens
        .iter()
        .enumerate()
        .map(|(tok, layers)| serde_json::json!({"tok": tok, "layers": layers}).to_string())
        .collect();
    Trace::parse(Path::new("t"), lines.join("\n").as_bytes(), Some(8)).unwrap()
}

fn lru(_: &PolicyShape) -> Box<dyn EvictionPolicy> {
    Box::new(Lru::new())
}

#[test]
fn misses_cost_the_bytes_of_their_layers_experts() {
    // layer 0 misses each time, layer 1 once, in the first token
    let tokens: Vec<_> = (0..4).map(|n| vec![vec![n], vec![7]]).collect();
    let mut trace = trace(&tokens);
    for (warmup, sizes, want) in [
        (0, vec![100, 10], Some(410.0 / 4.0)),
        (2, vec![100, 10], Some(100.0)),
        (4, vec![100, 10], None),
        (0, vec![], None),
    ] {
        trace.expert_bytes = sizes;
        let requests = Requests::new(&trace, Selection::All, warmup);
        assert_eq!(requests.tokens_counted, 4 - warmup);
        let layers = run_by_layer(&requests, 2, &lru).unwrap();
        assert_eq!(requests.bytes_per_token(&layers, &trace.expert_bytes), want, "{warmup}");
        assert_eq!(run(&requests, 2, &lru).unwrap().sum().requests, 2 * (4 - warmup as u64));
    }
}

#[test]
fn warm_up_tokens_fill_the_cache_and_are_not_counted() {
    let trace = trace(&[vec![vec![0, 1]], vec![vec![1, 2]], vec![vec![3, 1]]]);
    let counts = |warmup| run(&Requests::new(&trace, Selection::All, warmup), 3, &lru).unwrap().decode;
    assert_eq!(counts(0), Counts { requests: 6, hits: 2, misses: 4, evictions: 1 });
    assert_eq!(counts(1), Counts { requests: 4, hits: 2, misses: 2, evictions: 1 });
    assert_eq!(counts(3), Counts::default());
    assert!(run(&Requests::new(&trace, Selection::All, 0), 0, &lru).is_err());
}

#[test]
fn a_phase_that_is_left_out_does_not_fill_the_cache() {
    let rows = "turn,phase,step,layer,slot,expert,weight,residency,expert_bytes\n\
                0,0,0,0,0,3,1,0,0\n0,0,1,0,0,4,1,0,0\n0,1,2,0,0,3,1,0,0\n";
    let trace = Trace::parse(Path::new("t"), rows.as_bytes(), None).unwrap();
    let counts = |selection, warmup| run(&Requests::new(&trace, selection, warmup), 4, &lru).unwrap();
    assert_eq!(counts(Selection::Decode, 0).decode.hits, 0);
    assert_eq!(counts(Selection::All, 0).decode.hits, 1);
    assert_eq!(counts(Selection::Prefill, 0).sum().requests, 2);
    assert_eq!(counts(Selection::All, 1).sum().requests, 1, "a chunk that begins in the warm-up is part of it");
    assert_eq!(Requests::new(&trace, Selection::All, 0).tokens, 3);
}

#[test]
fn reuse_and_srp_are_those_of_the_hand_count() {
    // windows of 2: {0,1}+{1,2}, {1,2}+{1,3}
    let trace = trace(&[vec![vec![0, 1]], vec![vec![1, 2]], vec![vec![1, 3]]]);
    let requests = Requests::new(&trace, Selection::All, 0);
    assert_eq!(next_token_reuse(&requests), Some(0.5));
    // t = 2: expert 1 twice in both windows: 4 true positives of 4, of 8 activations; t = 1: 8 of 2 x 3 x 2, of 8
    assert_eq!(
        routing_best_performance(&requests, 2),
        Some(f64::max(2.0 * 4.0 / (4.0 + 8.0), 2.0 * 8.0 / (12.0 + 8.0)))
    );
    assert_eq!(routing_best_performance(&requests, 1), Some(1.0));
    assert_eq!(routing_best_performance(&requests, 4), None);
    let warm = Requests::new(&trace, Selection::All, 2);
    assert_eq!((next_token_reuse(&warm), routing_best_performance(&warm, 4)), (Some(0.5), None));
}

#[test]
fn an_answer_is_no_neighbour_of_the_turn_before_and_a_prompt_that_goes_on_is() {
    let reuse = |rows: &str| {
        let text = format!("turn,phase,step,layer,slot,expert,weight,residency,expert_bytes\n{rows}");
        let trace = Trace::parse(Path::new("t"), text.as_bytes(), Some(8)).unwrap();
        let requests = Requests::new(&trace, Selection::All, 0);
        (next_token_reuse(&requests), routing_best_performance(&requests, 2))
    };
    let (first, second) = ("0,1,5,0,0,1,1,0,0\n", "1,1,6,0,0,1,1,0,0\n");
    assert_eq!(reuse(&format!("{first}{second}")), (None, None));
    assert_eq!(reuse(&format!("{first}{}", second.replacen("1,1", "0,1", 1))), (Some(1.0), Some(1.0)));
    assert_eq!(reuse(&format!("{first}{}", second.replacen("1,1", "1,0", 1))), (Some(1.0), Some(1.0)));
}

/// SRP from its definition, window by window.
fn plain_srp(tokens: &[Vec<Vec<u32>>], m: usize) -> f64 {
    let mut best = 0.0f64;
    for t in 1..=m {
        let (mut hit, mut members, mut all) = (0, 0, 0);
        for layer in 0..tokens[0].len() {
            for window in tokens.windows(m) {
                let uses = |e: u32| window.iter().filter(|token| token[layer].contains(&e)).count();
                let group: Vec<u32> = (0..8).filter(|&e| uses(e) >= t).collect();
                hit += group.iter().map(|&e| uses(e)).sum::<usize>();
                members += group.len() * m;
                all += window.iter().map(|token| token[layer].len()).sum::<usize>();
            }
        }
        best = best.max(2.0 * hit as f64 / (members + all) as f64);
    }
    best
}

/// SCH from its definition: uses are counted anew for every victim.
fn plain_sch(tokens: &[Vec<Vec<u32>>], slots: usize, m: usize) -> u64 {
    let mut held: Vec<(usize, u32, usize)> = Vec::new();
    let (mut hits, mut tick) = (0, 0);
    for (now, token) in tokens.iter().enumerate() {
        for (layer, ids) in token.iter().enumerate() {
            let missing: Vec<u32> =
                ids.iter().copied().filter(|&e| !held.iter().any(|h| (h.0, h.1) == (layer, e))).collect();
            hits += (ids.len() - missing.len()) as u64;
            let tick_of = |e: u32| tick + ids.iter().position(|&id| id == e).unwrap();
            held.iter_mut().filter(|h| h.0 == layer && ids.contains(&h.1)).for_each(|h| h.2 = tick_of(h.1));
            let mut new = Vec::new();
            for &e in &missing {
                if held.len() + new.len() == slots {
                    let ahead = |l: usize, e: u32| {
                        // layers that this token has not reached still have it before them
                        let from = if l <= layer { now + 1 } else { now };
                        tokens.iter().skip(from).take(m).filter(|token| token[l].contains(&e)).count()
                    };
                    let free = held.iter().filter(|h| !(h.0 == layer && ids.contains(&h.1)));
                    let victim = *free.min_by_key(|h| (ahead(h.0, h.1), h.2, h.0, h.1)).unwrap();
                    held.retain(|h| *h != victim);
                }
                new.push((layer, e, tick_of(e)));
            }
            held.extend(new);
            tick += ids.len();
        }
    }
    hits
}

fn tokens() -> impl Strategy<Value = Vec<Vec<Vec<u32>>>> {
    let chosen = || proptest::sample::subsequence((0..8u32).collect::<Vec<_>>(), 2).prop_shuffle();
    proptest::collection::vec((chosen(), chosen()).prop_map(|(a, b)| vec![a, b]), 4..24)
}

proptest! {
    #[test]
    fn srp_is_the_plain_one(tokens in tokens(), m in 1usize..5) {
        let trace = trace(&tokens);
        let got = routing_best_performance(&Requests::new(&trace, Selection::All, 0), m).unwrap();
        prop_assert!((got - plain_srp(&tokens, m)).abs() < 1e-12);
    }

    #[test]
    fn sch_is_the_plain_one_and_policies_see_the_same_requests(tokens in tokens(), m in 1usize..5, slots in 2usize..10) {
        let trace = trace(&tokens);
        let requests = Requests::new(&trace, Selection::All, 0);
        let future = Arc::new(Future::new(&requests));
        let sch = run(&requests, slots, &|shape| Box::new(Foresight::new(&future, shape, m))).unwrap().sum();
        prop_assert_eq!(sch.hits, plain_sch(&tokens, slots, m));
        let bound = run(&requests, slots, &|shape| belady(&requests, shape)).unwrap().sum();
        for kind in PolicyKind::ALL.into_iter().filter(|kind| !kind.wants_scores()) {
            let counts = run(&requests, slots, &|shape| kind.build(shape)).unwrap().sum();
            prop_assert_eq!(counts.requests, bound.requests);
        }
    }
}

const LAYERS: [LayerShape; 2] =
    [LayerShape { layer: 0, count: 8, class: 0 }, LayerShape { layer: 2, count: 8, class: 1 }];

fn setup(slots: [usize; 2]) -> Setup {
    Setup {
        model: String::new(),
        layers: LAYERS.to_vec(),
        expert_bytes: vec![1; 2],
        k: 2,
        classes: slots.map(|slots| SlotClass { slots, slot_bytes: 1 }).to_vec(),
        policy: "lru".into(),
        batch: 4,
    }
}

/// Plays at being a pager: what it does to a cache it writes down as events.
struct Live {
    cache: Cache,
    events: Vec<Event>,
    /// Whether it tells its waves; if not, it prefetches only behind the last.
    waves: bool,
}

impl Live {
    fn step(&mut self, position: u32, layer: u32, chosen: &[u32], fails: Option<u32>, prefetch: Option<ExpertId>) {
        let residency = |index: u32| {
            let id = ExpertId { layer, index };
            match (self.cache.slot_of(id), self.cache.is_prefetched(id)) {
                (None, _) => Residency::Missing,
                (Some(_), false) => Residency::Resident,
                (Some(_), true) => Residency::Prefetched,
            }
        };
        let routed = Routed {
            turn: 0,
            phase: if chosen.len() > 2 { Phase::Prefill } else { Phase::Decode },
            position,
            layer,
            k: 2,
            chosen: chosen.to_vec(),
            weights: vec![0.5; chosen.len()],
            residency: chosen.iter().map(|&index| residency(index)).collect(),
            scores: None,
        };
        let mut distinct = Vec::new();
        distinct_of(chosen, &mut Vec::new(), &mut distinct);
        let mut plan = self.cache.begin(&request(&routed, &distinct));
        self.events.push(Event::Routed(routed.clone()));
        let mut first = true;
        while let Some(wave) = self.cache.next_wave(&mut plan) {
            if !std::mem::take(&mut first) && self.waves {
                self.events.push(Event::Wave);
            }
            self.events.extend(wave.promoted.iter().map(|p| Event::Promoted(p.id)));
            if self.waves {
                self.prefetch(layer, prefetch);
            }
            let new = wave.fills.iter().map(|f| f.id).chain(wave.promoted.iter().map(|p| p.id));
            let failed: Vec<ExpertId> = new.filter(|id| Some(id.index) == fails).collect();
            for &id in &failed {
                self.cache.fill_failed(id);
                self.events.push(Event::Failed(id));
            }
            if !failed.is_empty() {
                self.cache.release();
                return;
            }
        }
        self.prefetch(layer, prefetch);
    }

    fn prefetch(&mut self, layer: u32, expert: Option<ExpertId>) {
        if let Some(id) = expert.filter(|&id| id.layer != layer && self.cache.prefetch(id).is_some()) {
            self.events.push(Event::Issued(id));
        }
    }
}

/// A step's layer, chosen experts, the expert whose read fails, and what is prefetched.
type Played = (bool, Vec<u32>, Option<u32>, Option<(bool, u32)>, Option<usize>, bool);

fn played() -> impl Strategy<Value = Vec<Played>> {
    let token = || proptest::sample::subsequence((0..8u32).collect::<Vec<_>>(), 2).prop_shuffle();
    let chosen = proptest::collection::vec(token(), 1..5).prop_map(|tokens| tokens.concat());
    let fails = proptest::option::weighted(0.15, 0..8u32);
    let prefetch = proptest::option::of((any::<bool>(), 0..8u32));
    let probation = proptest::option::weighted(0.1, 0usize..4);
    proptest::collection::vec((any::<bool>(), chosen, fails, prefetch, probation, any::<bool>()), 1..40)
}

proptest! {
    #[test]
    fn a_recorded_run_replays_to_its_own_counts(steps in played(), a in 2usize..10, b in 2usize..10, policy in 0usize..7, waves in any::<bool>()) {
        let setup = setup([a, b]);
        let kind = PolicyKind::ALL[policy % PolicyKind::ALL.len()];
        prop_assume!(!kind.wants_scores());
        let build = |shape: &PolicyShape| kind.build(shape);
        let mut live = Live { cache: Cache::new(&setup.layers, &setup.classes, &build).unwrap(), events: Vec::new(), waves };
        let memory = vec![(ExpertId { layer: 2, index: 1 }, 0.5), (ExpertId { layer: 0, index: 7 }, 0.75)];
        live.cache.recall(&memory);
        live.events.push(Event::Recalled(memory));
        for (position, (deep, chosen, fails, prefetch, probation, cancel)) in (0..).zip(steps) {
            if let Some(slots) = probation {
                live.cache.set_probation(usize::from(deep), slots);
                live.events.push(Event::Probation(usize::from(deep), slots));
            }
            let prefetch = prefetch.map(|(deep, index)| ExpertId { layer: 2 * u32::from(deep), index });
            live.step(position, 2 * u32::from(deep), &chosen, fails, prefetch);
            let held = live.cache.in_probation(usize::from(!deep)).next();
            if let Some(id) = held.filter(|&id| cancel && live.cache.cancel(id)) {
                live.events.push(Event::Cancelled(id));
            }
        }
        let events = (1..).zip(live.events).map(|(line, event)| Recorded { line, event }).collect();
        let trace = whole(&setup, events);
        let (counts, disagreement) = as_recorded(&trace, &setup, &build).unwrap();
        prop_assert_eq!(disagreement, None);
        prop_assert_eq!(counts, PhaseCounts::of(&live.cache));
    }
}

/// A trace of our own with these events.
fn whole(setup: &Setup, events: Vec<Recorded>) -> Trace {
    let expert_bytes = setup.expert_bytes.iter().map(|&bytes| bytes as u64).collect();
    let (layers, setup) = (setup.layers.clone(), Some(setup.clone()));
    Trace { setup, layers, expert_bytes, events, experts_guessed: false }
}

#[test]
fn a_trace_that_tells_another_story_is_told_where() {
    let setup = setup([3, 3]);
    let mut live =
        Live { cache: Cache::new(&setup.layers, &setup.classes, &lru).unwrap(), events: Vec::new(), waves: true };
    live.cache.set_probation(0, 1);
    live.events.push(Event::Probation(0, 1));
    let id = ExpertId { layer: 0, index: 5 };
    live.step(0, 2, &[0, 1], None, Some(id));
    live.step(0, 0, &[5, 1], None, None);
    let told = |events: &[Event]| {
        let events = (1..).zip(events.to_vec()).map(|(line, event)| Recorded { line, event }).collect();
        let trace = whole(&setup, events);
        as_recorded(&trace, &setup, &lru).unwrap().1.map(|d| d.to_string()).unwrap_or_default()
    };
    let good = live.events.clone();
    assert!(matches!(good[..], [_, _, Event::Issued(_), Event::Routed(_), Event::Promoted(_)]), "{good:?}");
    assert_eq!(told(&good), "");
    let without =
        |at: usize| good.iter().enumerate().filter(|(n, _)| *n != at).map(|(_, e)| e.clone()).collect::<Vec<_>>();
    assert_eq!(told(&without(0)), "line 2: no slot in probation for expert 5 of layer 0");
    assert_eq!(
        told(&without(2)),
        "line 3: expert 5 of layer 0 has no slot in the replay, and residency 2 in the trace"
    );
    assert_eq!(told(&without(4)), "line 4: expert 5 of layer 0 was promoted before, which the trace does not tell");
    let with = |event: Event| told(&[good.clone(), vec![event]].concat());
    assert_eq!(with(Event::Wave), "line 6: a wave where all experts were served");
    assert_eq!(with(Event::Promoted(id)), "line 6: expert 5 of layer 0 was not promoted");
    assert_eq!(with(Event::Cancelled(id)), "line 6: expert 5 of layer 0 is not in probation");
    assert_eq!(with(Event::Probation(2, 1)), "line 6: there is no slot class 2");
    let unknown = ExpertId { layer: 1, index: 0 };
    for event in [Event::Issued(unknown), Event::Recalled(vec![(id, 0.5), (unknown, 0.5)])] {
        assert_eq!(with(event), "line 6: the model has no expert 0 of layer 1");
    }
}
