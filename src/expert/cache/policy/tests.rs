//! Each policy in the cache, beside a plain model that computes everything anew from all experts.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::scored::Real;
use super::*;
use crate::expert::cache::tests::check;
use crate::expert::cache::{Cache, Phase, Wave};
use crate::expert::{LayerShape, SlotClass};

const COUNT: usize = 12;
/// Layers of the model and the class of each.
const CLASSES: [usize; 6] = [0, 1, 0, 0, 0, 0];

fn id(layer: u32, index: u32) -> ExpertId {
    ExpertId { layer, index }
}

/// One step of a layer.
#[derive(Clone, Debug)]
struct Step {
    layer: u32,
    tokens: usize,
    chosen: Vec<u32>,
    distinct: Vec<u32>,
    scores: Option<Vec<f32>>,
    /// Experts that cannot be read.
    fails: Vec<u32>,
}

impl Step {
    fn new(layer: u32, rows: &[Vec<u32>]) -> Self {
        let chosen = rows.concat();
        let mut distinct = Vec::new();
        chosen.iter().for_each(|e| {
            if !distinct.contains(e) {
                distinct.push(*e)
            }
        });
        Self { layer, tokens: rows.len(), chosen, distinct, scores: None, fails: Vec::new() }
    }

    fn request(&self) -> Request<'_> {
        Request {
            phase: Phase::Decode,
            layer: self.layer,
            tokens: self.tokens,
            chosen: &self.chosen,
            distinct: &self.distinct,
            scores: self.scores.as_deref(),
        }
    }
}

/// What can be done to a cache.
#[derive(Clone, Debug)]
enum Op {
    Step(Step),
    Prefetch(ExpertId),
    Cancel(ExpertId),
    Probation(usize, usize),
}

fn steps() -> impl Strategy<Value = Step> {
    let all = || (0..COUNT as u32).collect::<Vec<_>>();
    let rows = proptest::collection::vec(Just(all()).prop_shuffle(), 1..6);
    let scores = proptest::option::of(proptest::collection::vec(0.0f32..1.0, 5 * COUNT));
    let fails = prop_oneof![4 => Just(Vec::new()), 1 => proptest::sample::subsequence(all(), 0..=COUNT)];
    let layer = 0..CLASSES.len() as u32;
    (layer, rows, 1usize..5, scores, fails).prop_map(|(layer, mut rows, k, scores, fails)| {
        rows.iter_mut().for_each(|row| row.truncate(k));
        let scores = scores.map(|s| s[..rows.len() * COUNT].to_vec());
        Step { scores, fails, ..Step::new(layer, &rows) }
    })
}

fn ops() -> impl Strategy<Value = Vec<Op>> {
    let expert = || (0..CLASSES.len() as u32, 0..COUNT as u32).prop_map(|(layer, index)| id(layer, index));
    let op = prop_oneof![
        8 => steps().prop_map(Op::Step),
        3 => expert().prop_map(Op::Prefetch),
        1 => expert().prop_map(Op::Cancel),
        1 => (0usize..2, 0usize..6).prop_map(|(class, wanted)| Op::Probation(class, wanted)),
    ];
    proptest::collection::vec(op, 1..100)
}

fn requests(ops: &[Op]) -> impl Iterator<Item = (u32, &[u32])> {
    ops.iter().filter_map(|op| if let Op::Step(s) = op { Some((s.layer, s.distinct.as_slice())) } else { None })
}

fn cache(slots: [usize; 2], policy: &dyn Fn(&PolicyShape) -> Box<dyn EvictionPolicy>) -> (Cache, Vec<LayerShape>) {
    let layers: Vec<_> = (0..).zip(CLASSES).map(|(layer, class)| LayerShape { layer, count: COUNT, class }).collect();
    let cache = Cache::new(&layers, &slots.map(|slots| SlotClass { slots, slot_bytes: 4096 }), policy).unwrap();
    (cache, layers)
}

/// What happened in a run: the waves of each step, the residents after each operation, the memory at the end.
#[derive(Debug, Default, PartialEq)]
struct Log {
    waves: Vec<Wave>,
    residents: Vec<Vec<ExpertId>>,
    memory: Vec<(ExpertId, f32)>,
    hits: u64,
}

impl Log {
    fn assert_same(&self, other: &Log) {
        assert_eq!(self.waves, other.waves);
        assert_eq!(self.residents, other.residents);
        let ids = |log: &Log| log.memory.iter().map(|m| m.0).collect::<Vec<_>>();
        assert_eq!(ids(self), ids(other));
        for ((id, a), (_, b)) in self.memory.iter().zip(&other.memory) {
            assert!((a - b).abs() <= 1e-6 * a, "{id:?}: {a} {b}");
        }
    }
}

/// Runs a cache that begins with an earlier run's memory, and checks its invariants after each operation.
fn run(
    ops: &[Op],
    warm: &[(ExpertId, f32)],
    slots: [usize; 2],
    policy: &dyn Fn(&PolicyShape) -> Box<dyn EvictionPolicy>,
) -> Log {
    let (mut cache, layers) = cache(slots, policy);
    let mut log = Log::default();
    cache.recall(warm);
    for op in ops {
        match op {
            Op::Prefetch(id) => _ = cache.prefetch(*id),
            Op::Cancel(id) => _ = cache.cancel(*id),
            Op::Probation(class, wanted) => _ = cache.set_probation(*class, *wanted),
            Op::Step(step) => {
                let mut plan = cache.begin(&step.request());
                while let Some(wave) = cache.next_wave(&mut plan) {
                    check(&cache, &layers, &slots);
                    let evicted = wave.fills.iter().map(|f| f.evicted).chain(wave.promoted.iter().map(|p| p.evicted));
                    let pinned: BTreeSet<_> =
                        wave.hits.iter().map(|h| h.0).chain(wave.fills.iter().map(|f| f.id)).collect();
                    assert!(evicted.flatten().all(|id| !pinned.contains(&id)), "a pinned expert was evicted");
                    let new = wave.fills.iter().map(|f| f.id).chain(wave.promoted.iter().map(|p| p.id));
                    new.filter(|id| step.fails.contains(&id.index)).for_each(|id| cache.fill_failed(id));
                    log.waves.push(wave);
                }
            }
        }
        check(&cache, &layers, &slots);
        log.residents.extend((0..2).map(|class| cache.residents(class)));
    }
    log.memory = cache.memory();
    log.hits = cache.counts(Phase::Decode).hits;
    log
}

/// The policies once more, with a score and a tick per expert and nothing clever.
struct Plain {
    /// `None` is Belady's.
    kind: Option<PolicyKind>,
    shape: PolicyShape,
    scores: BTreeMap<ExpertId, f64>,
    ticks: BTreeMap<ExpertId, u64>,
    tick: u64,
    residents: BTreeSet<ExpertId>,
    protected: BTreeSet<ExpertId>,
    /// Layer visited last, by its place in the class.
    at: usize,
    current: Vec<ExpertId>,
    future: Vec<ExpertId>,
}

impl Plain {
    fn new(kind: Option<PolicyKind>, shape: &PolicyShape, future: &[Op]) -> Self {
        let mine = |layer: u32| shape.layers.iter().any(|l| l.0 == layer);
        let future = requests(future).filter(|r| mine(r.0)).flat_map(|(l, r)| r.iter().map(move |&e| id(l, e)));
        Self {
            kind,
            shape: shape.clone(),
            scores: BTreeMap::new(),
            ticks: BTreeMap::new(),
            tick: 0,
            residents: BTreeSet::new(),
            protected: BTreeSet::new(),
            at: shape.layers.len() - 1,
            current: Vec::new(),
            future: future.collect(),
        }
    }

    fn touch(&mut self, id: ExpertId) {
        self.tick += 1;
        self.ticks.insert(id, self.tick);
    }

    fn position(&self, layer: u32) -> usize {
        self.shape.layers.iter().position(|l| l.0 == layer).unwrap()
    }

    /// The smallest leaves first.
    fn key(&self, id: ExpertId) -> (bool, Real, u64, ExpertId) {
        let score = self.scores.get(&id).copied().unwrap_or(0.0);
        let layers = self.shape.layers.len();
        let position = self.position(id.layer);
        let (kept, value) = match self.kind {
            None => (false, -self.future.iter().position(|&f| f == id).map_or(f64::INFINITY, |at| at as f64)),
            Some(PolicyKind::Lru) => (false, 0.0),
            Some(PolicyKind::Lfu | PolicyKind::Decay | PolicyKind::Router) => (false, score),
            Some(PolicyKind::Shallow) => (position < 4, score),
            Some(PolicyKind::Slru) => (self.protected.contains(&id), 0.0),
            Some(PolicyKind::NextUse) => {
                let ahead = (1..=layers).find(|ahead| (self.at + ahead) % layers == position).unwrap();
                (false, -(ahead as f64 + layers as f64 * (1.0 / score - 1.0)))
            }
        };
        (kept, Real(value), self.ticks.get(&id).copied().unwrap_or(0), id)
    }

    fn sorted(&self, ids: impl Iterator<Item = ExpertId>) -> Vec<ExpertId> {
        let mut ids: Vec<_> = ids.collect();
        ids.sort_by_key(|&id| self.key(id));
        ids
    }

    fn learn(&mut self, request: &Request<'_>) {
        let k = request.chosen.len() / request.tokens;
        let decays = !matches!(self.kind, Some(PolicyKind::Lfu));
        for token in 0..request.tokens {
            for (_, score) in self.scores.iter_mut().filter(|(id, _)| decays && id.layer == request.layer) {
                *score *= 0.9;
            }
            let mut add = |index: u32, by: f64| *self.scores.entry(id(request.layer, index)).or_default() += by;
            match request.scores {
                Some(p) if self.kind == Some(PolicyKind::Router) => {
                    let row = &p[token * COUNT..][..COUNT];
                    (0..).zip(row).for_each(|(index, &p)| add(index, 0.1 * f64::from(p)));
                }
                _ => {
                    let used = &request.chosen[token * k..][..k];
                    used.iter().for_each(|&index| add(index, if decays { 0.1 } else { 1.0 }));
                }
            }
        }
    }

    fn protect(&mut self, id: ExpertId) {
        self.touch(id);
        self.protected.insert(id);
        if self.protected.len() > self.shape.slots * 8 / 10 {
            let least = *self.protected.iter().min_by_key(|id| self.ticks[id]).unwrap();
            self.protected.remove(&least);
            self.touch(least);
        }
    }
}

impl EvictionPolicy for Plain {
    fn name(&self) -> &'static str {
        "plain"
    }

    fn request(&mut self, request: &Request<'_>) {
        self.learn(request);
        self.at = self.position(request.layer);
        self.current = request.ids().collect();
        for id in request.ids() {
            match self.kind {
                None => assert_eq!(self.future.remove(0), id),
                Some(PolicyKind::Slru) if self.residents.contains(&id) => self.protect(id),
                _ => {}
            }
            if self.kind != Some(PolicyKind::Slru) {
                self.touch(id);
            }
        }
    }

    fn insert(&mut self, ids: &[ExpertId]) {
        self.residents.extend(ids);
        if self.kind == Some(PolicyKind::Slru) {
            ids.iter().for_each(|&id| self.touch(id));
            for id in self.current.clone() {
                if !self.protected.contains(&id) {
                    self.touch(id);
                }
            }
        }
    }

    fn remove(&mut self, id: ExpertId) {
        self.residents.remove(&id);
        self.protected.remove(&id);
    }

    fn victim(&self, evictable: &dyn Fn(ExpertId) -> bool) -> Option<ExpertId> {
        self.residents.iter().copied().filter(|&id| evictable(id)).min_by_key(|&id| self.key(id))
    }

    fn residents(&self) -> Vec<ExpertId> {
        self.sorted(self.residents.iter().copied())
    }

    fn memory(&self) -> Vec<(ExpertId, f32)> {
        match self.kind {
            None | Some(PolicyKind::Lru) => self.residents().into_iter().map(|id| (id, 0.0)).collect(),
            Some(PolicyKind::Slru) => {
                self.residents().into_iter().map(|id| (id, f32::from(self.protected.contains(&id)))).collect()
            }
            _ => {
                let known = self.scores.iter().filter(|s| *s.1 > 0.0).map(|s| *s.0);
                self.sorted(known).into_iter().map(|id| (id, self.scores[&id] as f32)).collect()
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn policies_do_what_the_plain_model_does(
        earlier in ops(), ops in ops(), a in 1usize..40, b in 1usize..15, warm in any::<bool>(),
    ) {
        for kind in PolicyKind::ALL {
            let real = |shape: &PolicyShape| kind.build(shape);
            let memory = if warm { run(&earlier, &[], [a, b], &real).memory } else { Vec::new() };
            let plain = |shape: &PolicyShape| Box::new(Plain::new(Some(kind), shape, &ops)) as Box<dyn EvictionPolicy>;
            run(&ops, &memory, [a, b], &real).assert_same(&run(&ops, &memory, [a, b], &plain));
        }
    }

    #[test]
    fn belady_does_what_the_plain_model_does(
        earlier in ops(), ops in ops(), a in 1usize..40, b in 1usize..15,
    ) {
        let warm = run(&earlier, &[], [a, b], &|shape| PolicyKind::DEFAULT.build(shape)).memory;
        let real = |shape: &PolicyShape| Box::new(Belady::new(shape, requests(&ops))) as Box<dyn EvictionPolicy>;
        let plain = |shape: &PolicyShape| Box::new(Plain::new(None, shape, &ops)) as Box<dyn EvictionPolicy>;
        run(&ops, &warm, [a, b], &real).assert_same(&run(&ops, &warm, [a, b], &plain));
    }

    #[test]
    fn what_an_earlier_run_kept_makes_no_policy_miss_more(
        earlier in ops(), ops in ops(), a in 17usize..72, b in 17usize..20, kept_by in 0..PolicyKind::ALL.len(),
    ) {
        let warm = run(&earlier, &[], [a, b], &|shape| PolicyKind::ALL[kept_by].build(shape)).memory;
        let ops: Vec<_> = ops
            .into_iter()
            .filter_map(|op| match op {
                Op::Step(step) => Some(Op::Step(Step { fails: Vec::new(), ..step })),
                Op::Probation(..) => Some(op),
                Op::Prefetch(_) | Op::Cancel(_) => None,
            })
            .collect();
        for kind in PolicyKind::ALL {
            let [cold, warm] = [&[][..], &warm].map(|kept| run(&ops, kept, [a, b], &|shape| kind.build(shape)));
            prop_assert_eq!(&cold.residents, &warm.residents, "{}", kind);
            prop_assert!(cold.hits <= warm.hits, "{}: {} and {}", kind, cold.hits, warm.hits);
        }
    }

    // Of steps that fit: waves serve what is resident first, so that what a policy holds changes the order of requests, and
    // the farthest use is the best victim for a given order only.
    #[test]
    fn no_policy_hits_more_than_beladys(steps in proptest::collection::vec(steps(), 1..80), a in 1usize..40, b in 1usize..15) {
        let fit = steps.into_iter().filter(|s| s.distinct.len() <= [a, b][CLASSES[s.layer as usize]]);
        let ops: Vec<_> = fit.map(|s| Op::Step(Step { fails: Vec::new(), ..s })).collect();
        let bound = run(&ops, &[], [a, b], &|shape| Box::new(Belady::new(shape, requests(&ops)))).hits;
        for kind in PolicyKind::ALL {
            prop_assert!(run(&ops, &[], [a, b], &|shape| kind.build(shape)).hits <= bound, "{}", kind);
        }
    }
}

/// A policy whose layers 0 and 2 have had these experts used, a token at a time, all of them residents.
fn used(kind: PolicyKind, uses: &[(u32, &[u32])]) -> Box<dyn EvictionPolicy> {
    let mut policy = kind.build(&PolicyShape { layers: vec![(0, 8), (2, 8)], slots: 16 });
    for &(layer, used) in uses {
        let known: BTreeSet<_> = policy.residents().into_iter().collect();
        let step = Step::new(layer, &[used.to_vec()]);
        policy.request(&step.request());
        policy.insert(&step.request().ids().filter(|id| !known.contains(id)).collect::<Vec<_>>());
    }
    policy
}

#[test]
fn equal_histories_in_layers_with_unequal_visits_are_a_tie_that_falls_to_the_least_recent() {
    let history: [&[u32]; 5] = [&[1, 3], &[2], &[1, 2], &[2], &[2]];
    let mut uses: Vec<(u32, &[u32])> = vec![(2, &[0]); 7];
    for row in history {
        uses.extend([(2, row), (0, row)]);
    }
    for kind in [PolicyKind::Decay, PolicyKind::Router] {
        assert_eq!(used(kind, &uses).residents()[..4], [id(2, 3), id(0, 3), id(2, 1), id(0, 1)], "{kind}");
    }
}

#[test]
fn scores_keep_their_order_however_long_experts_are_left_alone() {
    // 1 is used twice, then 2 once; 3 without end, until the scores of both are below the smallest number.
    let mut uses: Vec<(u32, &[u32])> = vec![(0, &[1]), (0, &[1]), (0, &[2])];
    uses.extend(vec![(0, [3].as_slice()); 20_000]);
    for kind in [PolicyKind::Decay, PolicyKind::NextUse, PolicyKind::Router, PolicyKind::Shallow] {
        assert_eq!(used(kind, &uses).residents(), [id(0, 2), id(0, 1), id(0, 3)], "{kind}");
    }
}

#[test]
fn a_batch_is_as_many_visits_as_it_has_tokens() {
    let shape = PolicyShape { layers: vec![(0, 8), (2, 8)], slots: 16 };
    let rows = [vec![1, 2], vec![2, 3], vec![1, 4]];
    for kind in [PolicyKind::Lfu, PolicyKind::Decay, PolicyKind::NextUse, PolicyKind::Router, PolicyKind::Shallow] {
        let (mut batch, mut tokens) = (kind.build(&shape), kind.build(&shape));
        batch.request(&Step::new(0, &rows).request());
        rows.iter().for_each(|row| tokens.request(&Step::new(0, std::slice::from_ref(row)).request()));
        let sorted = |mut memory: Vec<(ExpertId, f32)>| {
            memory.sort_by_key(|m| m.0);
            memory
        };
        assert_eq!(sorted(batch.memory()), sorted(tokens.memory()), "{kind}");
    }
}

#[test]
fn policies_are_found_by_the_names_that_they_print() {
    for kind in PolicyKind::ALL {
        assert_eq!(kind.to_string().parse::<PolicyKind>().unwrap(), kind);
        assert_eq!(serde_json::to_value(kind).unwrap(), kind.name());
        let policy = kind.build(&PolicyShape { layers: vec![(0, 8)], slots: 4 });
        assert_eq!((policy.name(), policy.wants_scores()), (kind.name(), kind.wants_scores()));
    }
    let error = "fifo".parse::<PolicyKind>().unwrap_err().to_string();
    assert!(error.contains("\"fifo\"") && error.contains("next-use"), "{error}");
}
