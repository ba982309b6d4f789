//! Whole models on the gpu device: against the reference device, and against themselves at other budgets.
//!
//! Without an adapter the tests print that they skip; with FOREGATE_REQUIRE_GPU=1 a missing adapter is a failure.

mod common;

use std::path::{Path, PathBuf};

use common::oracle::{Answer, Choices, nmse};
use common::shared;
use foregate::compute::KvKind;
use foregate::compute::gpu::{GpuDevice, Selector};
use foregate::generate::engine::Engine;
use foregate::generate::options::{DeviceChoice, Options};
use foregate::generate::plan::CacheSize;

/// The models, or none where there is no adapter or no model.
fn models() -> Vec<PathBuf> {
    if let Err(e) = GpuDevice::open(Selector::Any, None) {
        assert!(std::env::var_os("FOREGATE_REQUIRE_GPU").is_none_or(|v| v != "1"), "FOREGATE_REQUIRE_GPU=1: {e}");
        println!("skipped: {e}");
        return Vec::new();
    }
    let Some(folder) = shared("arch-models") else {
        println!("skipped: ../shared/arch-models is not there");
        return Vec::new();
    };
    let mut paths: Vec<_> = std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).collect();
    paths.retain(|p| p.extension().is_some_and(|e| e == "gguf"));
    paths.sort();
    paths
}

/// Logits at every position.
fn run(path: &Path, device: DeviceChoice, cache: CacheSize, ids: &[u32], mut tap: Choices) -> (Vec<f32>, Choices) {
    let options =
        Options { device, cache, kv: Some(KvKind::F32), memory: Some(1 << 30), lanes: Some(2), ..Options::default() };
    let mut engine = Engine::open(path, &options, &mut |_| ()).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let mut logits = Vec::new();
    engine
        .feed(ids, 0..ids.len(), Some(&mut tap), &|| false, &mut |rows| {
            logits.extend_from_slice(rows);
            Ok(())
        })
        .unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    (logits, tap)
}

#[test]
fn the_gpu_agrees_with_the_reference_on_every_architecture() {
    for path in models() {
        let ids = Answer::read(&path).ids;
        let fill = CacheSize::Fill;
        let (want, choices) = run(&path, DeviceChoice::Reference, fill, &ids, Choices::default());
        let (got, _) = run(&path, DeviceChoice::Gpu(None), fill, &ids, choices.to_force());
        let error = nmse(&got, &want);
        println!("{}: nmse {error:.1e}", path.display());
        assert!(error < 1e-6, "{}: nmse {error:.1e}", path.display());
    }
}

#[test]
fn the_gpu_gives_the_same_bits_at_every_cache_size() {
    for path in models() {
        let ids = Answer::read(&path).ids;
        let (all, _) = run(&path, DeviceChoice::Gpu(None), CacheSize::Fill, &ids, Choices::default());
        for cache in [CacheSize::Share(0.5), CacheSize::Cycles(0.5)] {
            let (some, _) = run(&path, DeviceChoice::Gpu(None), cache, &ids, Choices::default());
            assert!(some == all, "{}: other logits at {cache:?}", path.display());
        }
    }
}
