//! The same bits at every budget, batch split, thread count, read path, number of lanes and kernel level; and a budget
//! that is kept.

mod common;

use std::path::{Path, PathBuf};

use common::oracle::fixtures;
use common::shared;
use foregate::compute::KvKind;
use foregate::expert::source::ReadPath;
use foregate::generate::engine::Engine;
use foregate::generate::options::{DeviceChoice, Options};
use foregate::generate::plan::CacheSize;
use foregate::quant::CpuLevel;

const IDS: [u32; 24] = [5, 18, 45, 86, 14, 21, 29, 39, 50, 11, 25, 40, 61, 24, 43, 13, 35, 82, 33, 86, 36, 14, 45, 26];

fn base(device: DeviceChoice) -> Options {
    Options {
        device,
        memory: Some(1 << 30),
        lanes: Some(2),
        io: Some(ReadPath::Buffered),
        threads: (device == DeviceChoice::Cpu).then_some(1),
        ..Options::default()
    }
}

/// The bits of all logits, the distinct experts of a pass (hits and misses), and evictions.
fn run(path: &Path, options: &Options) -> (Vec<u32>, u64, u64) {
    let mut engine = Engine::open(path, options, &mut |_| ()).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let mut bits = Vec::new();
    // a prompt, then token by token
    for part in [&IDS[..16], &IDS[16..17], &IDS[17..18], &IDS[18..]] {
        let mut each = |rows: &[f32]| {
            bits.extend(rows.iter().map(|v| v.to_bits()));
            Ok(())
        };
        engine.feed(part, 0..part.len(), None, &|| false, &mut each).unwrap_or_else(|e| panic!("{e}"));
    }
    let stats = engine.stats();
    let requests = stats.prefill.requests + stats.decode.requests;
    assert_eq!(requests, stats.prefill.hits + stats.prefill.misses + stats.decode.hits + stats.decode.misses);
    (bits, requests, stats.prefill.evictions + stats.decode.evictions)
}

/// Models of the repository, and those beside it where they are there.
fn models() -> Vec<PathBuf> {
    let mut all = fixtures("gguf");
    if let Some(folder) = shared("arch-models") {
        all.extend(["gptoss", "deepseekv3", "qwen3moe"].map(|name| folder.join(name).with_extension("gguf")));
    }
    all
}

#[test]
fn no_budget_batch_or_reader_changes_a_bit_on_the_cpu() {
    for path in models() {
        let cpu = base(DeviceChoice::Cpu);
        let (want, _, evictions) = run(&path, &Options { cache: CacheSize::Share(1.0), ..cpu.clone() });
        assert_eq!(evictions, 0, "{}: everything is resident", path.display());
        let smallest = smallest_cache(&path, &cpu);
        let variants = [
            ("one layer's experts", Options { cache: smallest, ..cpu.clone() }),
            ("half of the experts", Options { cache: CacheSize::Share(0.5), ..cpu.clone() }),
            ("token by token", Options { cache: smallest, batch: Some(1), ..cpu.clone() }),
            ("batches of 5", Options { batch: Some(5), threads: Some(3), ..cpu.clone() }),
            ("direct reads", Options { cache: smallest, io: Some(ReadPath::Direct), lanes: Some(5), ..cpu.clone() }),
            ("mapped reads", Options { cache: smallest, io: Some(ReadPath::Mmap), lanes: Some(1), ..cpu.clone() }),
        ];
        for (what, options) in variants {
            let (got, ..) = run(&path, &options);
            assert!(got == want, "{}: {what} changes the output", path.display());
        }
        for level in CpuLevel::available() {
            let options = Options { cpu_features: Some(level.name().into()), threads: Some(2), ..cpu.clone() };
            assert!(run(&path, &options).0 == want, "{}: {} kernels change the output", path.display(), level.name());
        }
    }
}

#[test]
fn no_budget_changes_a_bit_on_the_reference() {
    for path in models() {
        let reference = base(DeviceChoice::Reference);
        let (want, ..) = run(&path, &Options { cache: CacheSize::Share(1.0), ..reference.clone() });
        let smallest = smallest_cache(&path, &reference);
        for options in [
            Options { cache: smallest, ..reference.clone() },
            Options { cache: smallest, batch: Some(3), ..reference.clone() },
        ] {
            assert!(run(&path, &options).0 == want, "{}: {options:?}", path.display());
        }
    }
}

#[test]
fn a_small_cache_evicts_and_a_smaller_one_is_refused_with_the_smallest() {
    let Some(path) = models().into_iter().next() else { return println!("skipped: no model") };
    let cpu = base(DeviceChoice::Cpu);
    let (_, _, evictions) = run(&path, &Options { cache: smallest_cache(&path, &cpu), ..cpu.clone() });
    assert!(evictions > 0);
    let refused = Engine::open(&path, &Options { memory: Some(1 << 20), ..cpu.clone() }, &mut |_| ()).err().unwrap();
    let text = refused.to_string();
    let smallest = text.split("smallest that works is --memory ").nth(1).unwrap_or_else(|| panic!("{text}"));
    let mib: f64 = smallest.split("MiB").next().unwrap().parse().unwrap();
    let open = |mib: f64| {
        let memory = Some((mib * f64::from(1 << 20)) as u64);
        Engine::open(&path, &Options { memory, ..cpu.clone() }, &mut |_| ()).err().map(|e| e.to_string())
    };
    assert_eq!(open(mib), None);
    let less = open(mib - 0.11).unwrap_or_default();
    assert!(
        less.contains(&format!("smallest that works is --memory {mib:.1}MiB")) && !less.starts_with(smallest),
        "{less}"
    );
}

/// The smallest share of the experts that a model accepts as its cache, in steps of 5 %.
fn smallest_cache(path: &Path, options: &Options) -> CacheSize {
    let shares = (1..=20).map(|i| CacheSize::Share(f64::from(i) / 20.0));
    let works =
        |cache: &CacheSize| Engine::open(path, &Options { cache: *cache, ..options.clone() }, &mut |_| ()).is_ok();
    shares.into_iter().find(works).expect("all experts are a cache that works")
}

#[test]
fn the_kv_kinds_are_close_to_one_another() {
    let Some(path) = models().into_iter().next() else { return println!("skipped: no model") };
    let logits = |kv| run(&path, &Options { kv: Some(kv), ..base(DeviceChoice::Cpu) }).0;
    let exact = logits(KvKind::F32);
    let floats = |bits: &[u32]| bits.iter().map(|&b| f32::from_bits(b)).collect::<Vec<_>>();
    assert!(exact != logits(KvKind::F16), "f16 rounds");
    assert!(common::oracle::nmse(&floats(&logits(KvKind::F16)), &floats(&exact)) < 1e-4);
}

#[test]
fn no_budget_changes_a_bit_on_the_gpu() {
    if !common::oracle::gpu_is_there() {
        return;
    }
    for path in models() {
        let gpu = Options { threads: None, ..base(DeviceChoice::Gpu(None)) };
        let (want, _, evictions) = run(&path, &Options { cache: CacheSize::Share(1.0), ..gpu.clone() });
        assert_eq!(evictions, 0, "{}: everything is resident", path.display());
        let smallest = smallest_cache(&path, &gpu);
        for io in [ReadPath::Buffered, ReadPath::Direct] {
            let (got, ..) = run(&path, &Options { cache: smallest, io: Some(io), ..gpu.clone() });
            assert!(got == want, "{}: {io:?} reads into a small cache change the output", path.display());
        }
    }
}
