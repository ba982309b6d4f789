//! The cache as a state machine against a plain model of its rules.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;
use crate::expert::{ExpertMatrix, Extent};
use crate::gguf::GgmlType;

fn layer(layer: u32, count: usize, class: usize) -> ExpertLayer {
    let matrix = ExpertMatrix { ty: GgmlType::F32, rows: 1, cols: 1, extent: 0, start: 0 };
    ExpertLayer {
        layer,
        count,
        matrices: [matrix; 3],
        extents: vec![Extent { shard: 0, offset: 0, len: 4 }; 3],
        class,
        slot_bytes: 4096,
    }
}

fn cache(layers: &[ExpertLayer], slots: &[usize]) -> Cache {
    let classes: Vec<_> = slots.iter().map(|&slots| SlotClass { slots, slot_bytes: 4096 }).collect();
    Cache::new(layers, &classes, || Box::new(Lru::new())).unwrap()
}

fn id(layer: u32, index: u32) -> ExpertId {
    ExpertId { layer, index }
}

/// Serves a step to its end and returns its waves as indices `(hits, fills, evicted)`.
fn serve(cache: &mut Cache, layer: u32, distinct: &[u32]) -> Vec<(Vec<u32>, Vec<u32>, Vec<ExpertId>)> {
    let mut plan = cache.begin(Phase::Decode, layer, distinct);
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
    let mut plan = c.begin(Phase::Decode, 0, &[1, 2]);
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
    assert!(Cache::new(&[layer(0, 8, 0)], &classes, || Box::new(Lru::new())).is_err());
    assert!(Cache::new(&[layer(0, 8, 1)], &classes, || Box::new(Lru::new())).is_err());
}

/// The rules once more, with a tick per resident and nothing clever.
struct Model {
    slots: Vec<usize>,
    /// Tick of the last request, by class.
    last: Vec<BTreeMap<ExpertId, u64>>,
    tick: u64,
    counts: Counts,
}

impl Model {
    /// Waves of (hits, fills, evicted) for the requests, whose fills `fails` says fail.
    fn serve(&mut self, class: usize, ids: &[ExpertId], fails: &BTreeSet<ExpertId>) -> Vec<Wave3> {
        let ticks: BTreeMap<_, _> = ids.iter().zip(self.tick..).map(|(&id, t)| (id, t)).collect();
        self.tick += ids.len() as u64;
        let last = &mut self.last[class];
        let (hits, misses): (Vec<_>, Vec<_>) = ids.iter().partition(|id| last.contains_key(id));
        self.counts.requests += ids.len() as u64;
        self.counts.hits += hits.len() as u64;
        self.counts.misses += misses.len() as u64;
        for &id in &hits {
            last.insert(id, ticks[&id]);
        }
        let (mut pinned, mut misses) = (hits.clone(), misses.into_iter().peekable());
        let mut waves = vec![(hits, Vec::new(), Vec::new())];
        loop {
            let mut filled = Vec::new();
            while let Some(&id) = misses.peek() {
                let mut evicted = None;
                if last.len() + filled.len() == self.slots[class] {
                    let free = last.iter().filter(|(id, _)| !pinned.contains(id));
                    let Some(victim) = free.min_by_key(|&(&id, &t)| (t, id)).map(|(&id, _)| id) else { break };
                    last.remove(&victim);
                    self.counts.evictions += 1;
                    evicted = Some(victim);
                }
                filled.push(id);
                waves.last_mut().unwrap().1.push(id);
                waves.last_mut().unwrap().2.push(evicted);
                misses.next();
            }
            for id in filled.into_iter().filter(|id| !fails.contains(id)) {
                last.insert(id, ticks[&id]);
            }
            pinned.clear();
            if misses.peek().is_none() {
                break;
            }
            waves.push(Default::default());
        }
        waves.retain(|w| !(w.0.is_empty() && w.1.is_empty()));
        waves
    }
}

type Wave3 = (Vec<ExpertId>, Vec<ExpertId>, Vec<Option<ExpertId>>);

const COUNT: usize = 12;

/// One step: a layer, its distinct experts in request order, and which of them fail to be read.
fn steps() -> impl Strategy<Value = Vec<(u32, Vec<u32>, Vec<u32>)>> {
    let all: Vec<u32> = (0..COUNT as u32).collect();
    let step = (0u32..4, proptest::sample::subsequence(all.clone(), 1..=COUNT).prop_shuffle(), {
        prop_oneof![4 => Just(Vec::new()), 1 => proptest::sample::subsequence(all, 0..=COUNT)]
    });
    proptest::collection::vec(step, 1..60)
}

/// Table, slots, pins, policy and empty slots must tell one story.
fn check(cache: &Cache, layers: &[ExpertLayer], slots: &[usize]) {
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
        assert_eq!(known, in_table, "policy and table disagree");
        assert_eq!(known.len() + pool.empty.len(), slots[class], "a slot leaked");
        assert!(pool.empty.iter().all(|s| cache.slots[s.0 as usize].owner.is_none()));
        resident += known.len();
    }
    assert_eq!(resident, owners.len());
    let pinned: Vec<_> = (0..cache.slots.len()).filter(|&s| cache.slots[s].pinned).collect();
    assert_eq!(pinned.len(), cache.pinned.len());
}

proptest! {
    #[test]
    fn the_cache_does_what_the_plain_model_does(steps in steps(), a in 1usize..30, b in 1usize..15) {
        let layers = [layer(0, COUNT, 0), layer(1, COUNT, 1), layer(2, COUNT, 0), layer(3, COUNT, 0)];
        let slots = [a, b];
        let mut cache = cache(&layers, &slots);
        let mut model = Model { slots: slots.to_vec(), last: vec![BTreeMap::new(); 2], tick: 0, counts: Counts::default() };
        for (layer, distinct, fails) in steps {
            let ids: Vec<_> = distinct.iter().map(|&index| id(layer, index)).collect();
            let fails: BTreeSet<_> = fails.iter().map(|&index| id(layer, index)).collect();
            let expected = model.serve(layers[layer as usize].class, &ids, &fails);
            let mut plan = cache.begin(Phase::Decode, layer, &distinct);
            let mut waves = Vec::new();
            while let Some(wave) = cache.next_wave(&mut plan) {
                let held: BTreeSet<SlotId> =
                    wave.hits.iter().map(|h| h.1).chain(wave.fills.iter().map(|f| f.slot)).collect();
                prop_assert_eq!(held.len(), wave.hits.len() + wave.fills.len(), "two experts of a wave in one slot");
                prop_assert!(held.iter().all(|s| cache.slots[s.0 as usize].pinned));
                check(&cache, &layers, &slots);
                for fill in wave.fills.iter().filter(|f| fails.contains(&f.id)) {
                    cache.fill_failed(fill.id);
                }
                check(&cache, &layers, &slots);
                waves.push((
                    wave.hits.iter().map(|h| h.0).collect::<Vec<_>>(),
                    wave.fills.iter().map(|f| f.id).collect::<Vec<_>>(),
                    wave.fills.iter().map(|f| f.evicted).collect::<Vec<_>>(),
                ));
            }
            prop_assert_eq!(waves, expected);
            prop_assert!(cache.pinned.is_empty());
            let counts = cache.counts(Phase::Decode);
            prop_assert_eq!(counts, model.counts);
            prop_assert_eq!(counts.requests, counts.hits + counts.misses);
        }
    }
}
