//! Architectures against outside answers: logits and chosen experts of tiny random models.

mod common;

use std::path::{Path, PathBuf};

use common::oracle::{Answer, Choices, nmse};
use common::shared;
use foregate::compute::KvKind;
use foregate::generate::engine::Engine;
use foregate::generate::options::{DeviceChoice, Options};

fn options(device: DeviceChoice, kv: KvKind) -> Options {
    Options { device, kv: Some(kv), memory: Some(1 << 30), lanes: Some(2), ..Options::default() }
}

/// Logits at every position and the experts chosen.
fn run(path: &Path, options: &Options, ids: &[u32], forced: Option<&Choices>) -> (Vec<f32>, Choices) {
    let mut engine = Engine::open(path, options, &mut |_| ()).unwrap_or_else(|e| panic!("{e}"));
    let mut tap = forced.map(Choices::to_force).unwrap_or_default();
    let mut logits = Vec::new();
    engine
        .feed(ids, 0..ids.len(), Some(&mut tap), &|| false, &mut |rows| {
            logits.extend_from_slice(rows);
            Ok(())
        })
        .unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    (logits, tap)
}

fn models() -> Vec<PathBuf> {
    let Some(folder) = shared("arch-models") else {
        println!("skipped: ../shared/arch-models is not there");
        return Vec::new();
    };
    let mut paths: Vec<_> = std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).collect();
    paths.retain(|p| p.extension().is_some_and(|e| e == "gguf"));
    paths.sort();
    paths
}

#[test]
fn the_reference_agrees_with_transformers_and_llama_cpp() {
    for path in models() {
        let answer = Answer::read(&path);
        let (logits, chosen) = run(&path, &options(DeviceChoice::Reference, KvKind::F32), &answer.ids, None);
        let error = nmse(&logits, &answer.logits);
        println!("{}: nmse {error:.1e}", path.display());
        assert!(error < 1e-9, "{}: nmse {error:.1e}", path.display());
        answer.assert_same_experts(&chosen, &path);
    }
}

#[test]
fn the_cpu_agrees_with_the_reference_on_f32_weights() {
    for path in models() {
        let answer = Answer::read(&path);
        let (reference, choices) = run(&path, &options(DeviceChoice::Reference, KvKind::F32), &answer.ids, None);
        let (logits, _) = run(&path, &options(DeviceChoice::Cpu, KvKind::F32), &answer.ids, Some(&choices));
        let error = nmse(&logits, &reference);
        println!("{}: nmse {error:.1e}", path.display());
        assert!(error < 1e-6, "{}: nmse {error:.1e}", path.display());
    }
}
