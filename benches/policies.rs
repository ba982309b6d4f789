//! Speed of the eviction policies: a million requests of decoding through the cache, an eighth of the experts in slots.
//!
//!     cargo bench --bench policies -- decay

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use foregate::expert::cache::{Belady, Cache, EvictionPolicy, Phase, PolicyKind, PolicyShape, Request};
use foregate::expert::{LayerShape, SlotClass};

const LAYERS: u32 = 48;
const EXPERTS: usize = 128;
const USED: usize = 8;
const REQUESTS: u64 = 1_000_000;

/// One step of a layer: the experts chosen and the router's probabilities of all of them.
struct Step {
    layer: u32,
    chosen: Vec<u32>,
    scores: Vec<f32>,
}

/// Uniform numbers below 1 (xorshift64*, Vigna 2014).
struct Random(u64);

impl Random {
    fn next(&mut self) -> f32 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 40) as f32 / (1u32 << 24) as f32
    }
}

/// Routing with favourites: the first experts of each layer are used most, and what was used last is used again more
/// often than not.
fn steps() -> Vec<Step> {
    let mut random = Random(1);
    let mut last = vec![[0.0f32; EXPERTS]; LAYERS as usize];
    let count = REQUESTS as usize / USED;
    let step = |layer: u32| {
        let mut scores: Vec<f32> = (0..EXPERTS)
            .map(|e| random.next() * (0.2 + 1.0 / (1.0 + e as f32 / 16.0)) + 0.5 * last[layer as usize][e])
            .collect();
        let mut order: Vec<u32> = (0..EXPERTS as u32).collect();
        order.sort_by(|&a, &b| scores[b as usize].total_cmp(&scores[a as usize]));
        order.truncate(USED);
        last[layer as usize] = [0.0; EXPERTS];
        order.iter().for_each(|&e| last[layer as usize][e as usize] = 1.0);
        let sum: f32 = scores.iter().sum();
        scores.iter_mut().for_each(|s| *s /= sum);
        Step { layer, chosen: order, scores }
    };
    (0..LAYERS).cycle().take(count).map(step).collect()
}

/// Hits of all steps.
fn replay(steps: &[Step], policy: &dyn Fn(&PolicyShape) -> Box<dyn EvictionPolicy>) -> u64 {
    let layers: Vec<_> = (0..LAYERS).map(|layer| LayerShape { layer, count: EXPERTS, class: 0 }).collect();
    let slots = LAYERS as usize * EXPERTS / 8;
    let mut cache =
        Cache::new(&layers, &[SlotClass { slots, slot_bytes: 4096 }], policy).expect("each layer's class has slots");
    for Step { layer, chosen, scores } in steps {
        let request =
            Request { phase: Phase::Decode, layer: *layer, tokens: 1, chosen, distinct: chosen, scores: Some(scores) };
        let mut plan = cache.begin(&request);
        while cache.next_wave(&mut plan).is_some() {}
    }
    cache.counts(Phase::Decode).hits
}

fn policies(c: &mut Criterion) {
    let steps = steps();
    let mut group = c.benchmark_group("policies");
    group.throughput(Throughput::Elements(REQUESTS)).sample_size(10);
    for kind in PolicyKind::ALL {
        group.bench_function(kind.name(), |b| b.iter(|| replay(&steps, &|shape| kind.build(shape))));
    }
    let future = || steps.iter().map(|step| (step.layer, step.chosen.as_slice()));
    group.bench_function("belady", |b| b.iter(|| replay(&steps, &|shape| Box::new(Belady::new(shape, future())))));
    group.finish();
}

criterion_group!(benches, policies);
criterion_main!(benches);
