//! The cache as a state machine against a plain model of its rules.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;

fn layer(layer: u32, count: usize, class: usize) -> LayerShape {
    LayerShape { layer, count, class }
}

fn cache(layers: &[LayerShape], slots: &[usize]) -> Cache {
    let classes: Vec<_> = slots.iter().map(|&slots| SlotClass { slots, slot_bytes: 4096 }).collect();
    Cache::new(layers, &classes, &|_| Box::new(Lru::new())).unwrap()
}

fn request(layer: u32, distinct: &[u32]) -> Request<'_> {
    Request { phase: Phase::Decode, layer, tokens: 1, chosen: distinct, distinct, scores: None }
}

fn id(layer: u32, index: u32) -> ExpertId {
    ExpertId { layer, index }
}

/// Serves a step to its end and returns its waves as indices `(hits, fills, evicted)`.
fn serve(cache: &mut Cache, layer: u32, distinct: &[u32]) -> Vec<(Vec<u32>, Vec<u32>, Vec<ExpertId>)> {
    let mut plan = cache.begin(&request(layer, distinct));
    let mut waves = Vec::new();
    while let Some(w) = cache.next_wave(&mut plan) {
        waves.push((
            w.hits.iter().map(|(id, _)| id.index).collect(),
            w.fills.iter().map(|f| f.id.index).collect(),
            w.fills.iter().filter_map(|f| f.evicted).collect(),
        ));
    }
    waves
}

#[test]
fn filling_an_empty_slot_is_a_miss_and_no_eviction() {
    let mut c = cache(&[layer(0, 8, 0)], &[4]);
    assert_eq!(serve(&mut c, 0, &[3, 1]), [(vec![], vec![3, 1], vec![])]);
    assert_eq!(c.counts(Phase::Decode), Counts { requests: 2, hits: 0, misses: 2, evictions: 0 });
    assert_eq!(c.counts(Phase::Prefill), Counts::default());
}

#[test]
fn recency_follows_request_order_through_hits_and_misses_alike() {
    let mut c = cache(&[layer(0, 8, 0)], &[3]);
    serve(&mut c, 0, &[1]);
    serve(&mut c, 0, &[0, 1, 2]);
    assert_eq!(c.residents(0), [id(0, 0), id(0, 1), id(0, 2)]);
}

#[test]
fn a_resident_of_the_same_request_is_never_its_victim() {
    let mut c = cache(&[layer(0, 8, 0), layer(1, 8, 0)], &[3]);
    serve(&mut c, 0, &[5]);
    serve(&mut c, 1, &[1, 2]);
    assert_eq!(serve(&mut c, 0, &[6, 5]), [(vec![5], vec![6], vec![id(1, 1)])]);
}

#[test]
fn more_experts_than_slots_come_in_waves_with_the_residents_first() {
    let mut c = cache(&[layer(0, 8, 0)], &[3]);
    serve(&mut c, 0, &[4]);
    let waves = serve(&mut c, 0, &[0, 1, 2, 3, 4]);
    assert_eq!(waves[0], (vec![4], vec![0, 1], vec![]));
    assert_eq!(waves[1], (vec![], vec![2, 3], vec![id(0, 0), id(0, 1)]));
    assert_eq!(waves.len(), 2);
}

#[test]
fn a_failed_fill_leaves_an_empty_slot() {
    let mut c = cache(&[layer(0, 8, 0)], &[2]);
    let mut plan = c.begin(&request(0, &[1, 2]));
    let wave = c.next_wave(&mut plan).unwrap();
    c.fill_failed(id(0, 1));
    c.release();
    assert_eq!((c.slot_of(id(0, 1)), c.residents(0)), (None, vec![id(0, 2)]));
    let again = serve(&mut c, 0, &[2, 1]);
    assert_eq!(again, [(vec![2], vec![1], vec![])]);
    assert_eq!(c.slot_of(id(0, 1)), Some(wave.fills[0].slot));
}

#[test]
fn a_layer_without_slots_is_refused() {
    let classes = [SlotClass { slots: 0, slot_bytes: 4096 }];
    assert!(Cache::new(&[layer(0, 8, 0)], &classes, &|_| Box::new(Lru::new())).is_err());
    assert!(Cache::new(&[layer(0, 8, 1)], &classes, &|_| Box::new(Lru::new())).is_err());
}

#[test]
fn a_prefetched_expert_that_is_requested_is_a_hit_and_its_victims_slot_joins_probation() {
    let mut c = cache(&[layer(0, 8, 0)], &[3]);
    serve(&mut c, 0, &[0, 1]);
    c.set_probation(0, 1);
    let slot = c.prefetch(id(0, 5)).unwrap();
    assert_eq!(c.prefetch(id(0, 6)), None, "one slot is for prefetches");
    let mut plan = c.begin(&request(0, &[5]));
    let wave = c.next_wave(&mut plan).unwrap();
    assert_eq!(wave.hits, [(id(0, 5), slot)]);
    assert_eq!(wave.promoted, [Promotion { id: id(0, 5), evicted: Some(id(0, 0)) }]);
    assert_eq!((c.residents(0), c.probation_slots(0)), (vec![id(0, 1), id(0, 5)], (1, 1)));
    assert_eq!(c.counts(Phase::Decode), Counts { requests: 3, hits: 1, misses: 2, evictions: 1 });
}

#[test]
fn probation_takes_and_gives_back_slots() {
    let mut c = cache(&[layer(0, 8, 0)], &[4]);
    serve(&mut c, 0, &[0, 1, 2, 3]);
    c.set_probation(0, 2);
    assert_eq!((c.residents(0), c.probation_slots(0)), (vec![id(0, 2), id(0, 3)], (2, 2)));
    assert!(c.prefetch(id(0, 7)).is_some());
    c.set_probation(0, 0);
    assert_eq!(c.probation_slots(0), (1, 0), "one slot is held");
    assert!(c.cancel(id(0, 7)));
    assert_eq!(c.probation_slots(0), (0, 0));
    assert_eq!(serve(&mut c, 0, &[0, 1]), [(vec![], vec![0, 1], vec![])]);
}

#[test]
fn a_prefetched_expert_in_use_is_not_cancelled() {
    let mut c = cache(&[layer(0, 8, 0)], &[2]);
    c.set_probation(0, 1);
    c.prefetch(id(0, 1)).unwrap();
    let mut plan = c.begin(&request(0, &[0, 1]));
    let wave = c.next_wave(&mut plan).unwrap();
    assert_eq!((wave.hits.len(), wave.fills.len()), (1, 1));
    assert!(!c.cancel(id(0, 1)));
}

#[test]
fn what_a_run_kept_comes_back_in_the_next_as_far_as_there_is_room() {
    let mut c = cache(&[layer(0, 8, 0), layer(1, 8, 0)], &[4]);
    serve(&mut c, 0, &[1, 2]);
    serve(&mut c, 1, &[3, 4]);
    let memory = c.memory();
    let mut smaller = cache(&[layer(0, 8, 0), layer(1, 8, 0)], &[3]);
    let filled: Vec<_> = smaller.recall(&memory).into_iter().map(|(id, _)| id).collect();
    assert_eq!(filled, [id(1, 4), id(1, 3), id(0, 2)]);
    assert!(filled.iter().all(|&id| smaller.is_kept(id)) && smaller.residents(0).is_empty());
    assert_eq!(smaller.recall(&[(id(0, 9), 0.0), (id(7, 0), 0.0)]), [], "experts of another model");
}

#[test]
fn kept_experts_leave_before_demanded_ones_and_are_demanded_once_requested() {
    let mut c = cache(&[layer(0, 8, 0)], &[3]);
    c.recall(&[(id(0, 1), 0.0), (id(0, 2), 0.0), (id(0, 3), 0.0)]);
    assert_eq!(serve(&mut c, 0, &[7, 1]), [(vec![1], vec![7], vec![id(0, 2)])], "1 is in use");
    assert_eq!((c.is_kept(id(0, 1)), c.residents(0)), (false, vec![id(0, 7), id(0, 1)]));
    assert_eq!(serve(&mut c, 0, &[5]), [(vec![], vec![5], vec![id(0, 3)])]);
    assert_eq!(c.counts(Phase::Decode), Counts { requests: 3, hits: 1, misses: 2, evictions: 0 });
    assert_eq!(serve(&mut c, 0, &[6]), [(vec![], vec![6], vec![id(0, 7)])]);
    assert_eq!(c.counts(Phase::Decode).evictions, 1);
}

#[test]
fn a_layer_wider_than_the_cache_makes_all_its_kept_experts_demanded() {
    let mut c = cache(&[layer(0, 8, 0)], &[3]);
    c.recall(&[(id(0, 6), 0.0), (id(0, 7), 0.0)]);
    let waves = serve(&mut c, 0, &[0, 1, 7, 2, 6]);
    assert_eq!(waves, [(vec![7, 6], vec![0], vec![]), (vec![], vec![1, 2], vec![id(0, 0), id(0, 7)])]);
    assert_eq!(c.residents(0), [id(0, 1), id(0, 2), id(0, 6)]);
}

/// The rules once more, with a tick per resident and nothing clever.
struct Model {
    slots: Vec<usize>,
    /// Tick of the last request, by class.
    last: Vec<BTreeMap<ExpertId, u64>>,
    /// Experts in probation and slots of probation, by class; and how many slots there should be.
    probation: Vec<Vec<ExpertId>>,
    held: Vec<usize>,
    wanted: Vec<usize>,
    tick: u64,
    counts: Counts,
}

impl Model {
    /// Waves of (hits, fills, evicted) for the requests, whose fills `fails` says fail.
    fn serve(&mut self, class: usize, ids: &[ExpertId], fails: &BTreeSet<ExpertId>) -> Vec<Wave3> {
        let ticks: BTreeMap<_, _> = ids.iter().zip(self.tick..).map(|(&id, t)| (id, t)).collect();
        self.tick += ids.len() as u64;
        let last = &mut self.last[class];
        let probation = &mut self.probation[class];
        let resident = |id: &ExpertId| last.contains_key(id) || probation.contains(id);
        let (hits, misses): (Vec<_>, Vec<_>) = ids.iter().partition(|id| resident(id));
        self.counts.requests += ids.len() as u64;
        self.counts.hits += hits.len() as u64;
        self.counts.misses += misses.len() as u64;
        for &id in hits.iter().filter(|id| !probation.contains(id)) {
            last.insert(id, ticks[&id]);
        }
        let mut pinned = hits.clone();
        // In request order: what leaves probation wants a slot in exchange, what is missing wants one to be read into.
        let mut wanting: Vec<ExpertId> = ids.iter().filter(|id| !last.contains_key(id)).copied().collect();
        let mut waves = vec![(hits, Vec::new(), Vec::new())];
        loop {
            let mut filled = Vec::new();
            while let Some(&id) = wanting.first() {
                let mut evicted = None;
                if last.len() + filled.len() == self.slots[class] - self.held[class] {
                    let free = last.iter().filter(|(id, _)| !pinned.contains(id));
                    let Some(victim) = free.min_by_key(|&(&id, &t)| (t, id)).map(|(&id, _)| id) else { break };
                    last.remove(&victim);
                    self.counts.evictions += 1;
                    evicted = Some(victim);
                }
                if probation.contains(&id) {
                    probation.retain(|&held| held != id);
                    // the slot given in exchange falls empty, and empty slots above the wanted number go back
                    self.held[class] = self.held[class].min(self.wanted[class].max(probation.len()));
                } else {
                    waves.last_mut().unwrap().1.push(id);
                    waves.last_mut().unwrap().2.push(evicted);
                }
                filled.push(id);
                wanting.remove(0);
            }
            for id in filled.into_iter().filter(|id| !fails.contains(id)) {
                last.insert(id, ticks[&id]);
            }
            pinned.clear();
            // what was computed where it stood, for want of a slot in exchange, stays in probation
            wanting.retain(|id| !probation.contains(id));
            if wanting.is_empty() {
                break;
            }
            waves.push(Default::default());
        }
        waves.retain(|w| !(w.0.is_empty() && w.1.is_empty()));
        waves
    }

    fn set_probation(&mut self, class: usize, wanted: usize) {
        let wanted = wanted.min(self.slots[class] - 1);
        self.wanted[class] = wanted;
        self.held[class] = self.held[class].min(wanted.max(self.probation[class].len()));
        while self.held[class] < wanted {
            if self.last[class].len() == self.slots[class] - self.held[class] {
                let victim = self.last[class].iter().min_by_key(|&(&id, &t)| (t, id)).map(|(&id, _)| id).unwrap();
                self.last[class].remove(&victim);
                self.counts.evictions += 1;
            }
            self.held[class] += 1;
        }
    }

    fn prefetch(&mut self, class: usize, id: ExpertId) -> bool {
        let room = self.probation[class].len() < self.held[class];
        let new = !self.last[class].contains_key(&id) && !self.probation[class].contains(&id);
        if room && new {
            self.probation[class].push(id);
        }
        room && new
    }

    fn cancel(&mut self, class: usize, id: ExpertId) -> bool {
        let held = self.probation[class].contains(&id);
        self.probation[class].retain(|&p| p != id);
        self.held[class] = self.held[class].min(self.wanted[class].max(self.probation[class].len()));
        held
    }
}

type Wave3 = (Vec<ExpertId>, Vec<ExpertId>, Vec<Option<ExpertId>>);

const COUNT: usize = 12;

/// What can be done to a cache.
#[derive(Clone, Debug)]
enum Op {
    /// A step: a layer, its distinct experts in request order, and which of them fail to be read.
    Step(u32, Vec<u32>, Vec<u32>),
    Prefetch(u32, u32),
    Cancel(u32, u32),
    Probation(usize, usize),
}

fn ops() -> impl Strategy<Value = Vec<Op>> {
    let all: Vec<u32> = (0..COUNT as u32).collect();
    let step = (0u32..4, proptest::sample::subsequence(all.clone(), 1..=COUNT).prop_shuffle(), {
        prop_oneof![4 => Just(Vec::new()), 1 => proptest::sample::subsequence(all, 0..=COUNT)]
    });
    let expert = || (0u32..4, 0..COUNT as u32);
    let op = prop_oneof![
        4 => step.prop_map(|(layer, distinct, fails)| Op::Step(layer, distinct, fails)),
        3 => expert().prop_map(|(layer, index)| Op::Prefetch(layer, index)),
        1 => expert().prop_map(|(layer, index)| Op::Cancel(layer, index)),
        1 => (0usize..2, 0usize..6).prop_map(|(class, wanted)| Op::Probation(class, wanted)),
    ];
    proptest::collection::vec(op, 1..80)
}

/// Table, slots, pins, policy and empty slots must tell one story.
pub(super) fn check(cache: &Cache, layers: &[LayerShape], slots: &[usize]) {
    let mut owners = BTreeMap::new();
    for l in layers {
        for index in 0..l.count as u32 {
            if let Some(slot) = cache.slot_of(id(l.layer, index)) {
                assert_eq!(cache.slots[slot.0 as usize].owner, Some(id(l.layer, index)));
                let first: usize = slots[..l.class].iter().sum();
                assert!((first..first + slots[l.class]).contains(&(slot.0 as usize)), "a slot of another class");
                assert_eq!(owners.insert(slot, id(l.layer, index)), None, "two experts in one slot");
            }
        }
    }
    let mut resident = 0;
    for (class, pool) in cache.pools.iter().enumerate() {
        let known: BTreeSet<_> = cache.residents(class).into_iter().collect();
        let in_table: BTreeSet<_> =
            owners.values().filter(|id| cache.entry(id.layer).class == class).copied().collect();
        let prefetched: BTreeSet<_> = cache.in_probation(class).collect();
        assert!(known.is_disjoint(&prefetched), "demanded and in probation");
        assert!(prefetched.iter().all(|&id| cache.is_prefetched(id)));
        let kept: BTreeSet<_> = in_table.iter().copied().filter(|&id| cache.is_kept(id)).collect();
        assert!(known.is_disjoint(&kept) && prefetched.is_disjoint(&kept), "kept, and demanded or in probation");
        assert_eq!(&(&known | &prefetched) | &kept, in_table, "policy and table disagree");
        let (probation, empty) = cache.probation_slots(class);
        assert_eq!(known.len() + kept.len() + pool.empty.len() + probation, slots[class], "a slot leaked");
        assert_eq!(prefetched.len() + empty, probation, "a probation slot leaked");
        assert!(pool.empty.iter().all(|s| cache.slots[s.0 as usize].owner.is_none()));
        resident += in_table.len();
    }
    assert_eq!(resident, owners.len());
    let pinned: Vec<_> = (0..cache.slots.len()).filter(|&s| cache.slots[s].pinned).collect();
    assert_eq!(pinned.len(), cache.pinned.len());
}

proptest! {
    #[test]
    fn the_cache_does_what_the_plain_model_does(ops in ops(), a in 1usize..30, b in 1usize..15) {
        let layers = [layer(0, COUNT, 0), layer(1, COUNT, 1), layer(2, COUNT, 0), layer(3, COUNT, 0)];
        let slots = [a, b];
        let class = |layer: u32| layers[layer as usize].class;
        let mut cache = cache(&layers, &slots);
        let mut model = Model {
            slots: slots.to_vec(),
            last: vec![BTreeMap::new(); 2],
            probation: vec![Vec::new(); 2],
            held: vec![0; 2],
            wanted: vec![0; 2],
            tick: 0,
            counts: Counts::default(),
        };
        for op in ops {
            let (layer, distinct, fails) = match op {
                Op::Step(layer, distinct, fails) => (layer, distinct, fails),
                Op::Prefetch(l, index) => {
                    prop_assert_eq!(cache.prefetch(id(l, index)).is_some(), model.prefetch(class(l), id(l, index)));
                    check(&cache, &layers, &slots);
                    continue;
                }
                Op::Cancel(l, index) => {
                    prop_assert_eq!(cache.cancel(id(l, index)), model.cancel(class(l), id(l, index)));
                    check(&cache, &layers, &slots);
                    continue;
                }
                Op::Probation(class, wanted) => {
                    cache.set_probation(class, wanted);
                    model.set_probation(class, wanted);
                    check(&cache, &layers, &slots);
                    continue;
                }
            };
            let ids: Vec<_> = distinct.iter().map(|&index| id(layer, index)).collect();
            let fails: BTreeSet<_> = fails.iter().map(|&index| id(layer, index)).collect();
            let expected = model.serve(layers[layer as usize].class, &ids, &fails);
            let mut plan = cache.begin(&request(layer, &distinct));
            let mut waves = Vec::new();
            while let Some(wave) = cache.next_wave(&mut plan) {
                let held: BTreeSet<SlotId> =
                    wave.hits.iter().map(|h| h.1).chain(wave.fills.iter().map(|f| f.slot)).collect();
                prop_assert_eq!(held.len(), wave.hits.len() + wave.fills.len(), "two experts of a wave in one slot");
                prop_assert!(held.iter().all(|s| cache.slots[s.0 as usize].pinned));
                check(&cache, &layers, &slots);
                // a prefetch that is still being read when it is requested may fail too
                let new = wave.fills.iter().map(|f| f.id).chain(wave.promoted.iter().map(|p| p.id));
                new.filter(|id| fails.contains(id)).for_each(|id| cache.fill_failed(id));
                check(&cache, &layers, &slots);
                waves.push((
                    wave.hits.iter().map(|h| h.0).collect::<Vec<_>>(),
                    wave.fills.iter().map(|f| f.id).collect::<Vec<_>>(),
                    wave.fills.iter().map(|f| f.evicted).collect::<Vec<_>>(),
                ));
            }
            prop_assert_eq!(waves, expected);
            prop_assert!(cache.pinned.is_empty());
            let (counts, before) = (cache.counts(Phase::Decode), cache.counts(Phase::Prefill));
            prop_assert_eq!(Counts { evictions: counts.evictions + before.evictions, ..counts }, model.counts);
            prop_assert_eq!(counts.requests, counts.hits + counts.misses);
        }
    }
}
