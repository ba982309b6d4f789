//! Tiny random models of every architecture against llama.cpp's logits and chosen experts, on every device.
//! `scripts/make_model_fixtures.py` makes them and says what each shows.

mod common;

use std::path::{Path, PathBuf};

use common::oracle::{Answer, Choices, flips, gpu_options, nmse};
use foregate::compute::KvKind;
use foregate::generate::engine::Engine;
use foregate::generate::options::{DeviceChoice, Options};

/// One case: a model, how to open it, and what it answers.
struct Case {
    name: String,
    model: PathBuf,
    answer: Answer,
}

impl Case {
    fn options(&self, device: DeviceChoice) -> Options {
        Options {
            device,
            kv: Some(KvKind::F32),
            memory: Some(1 << 30),
            lanes: Some(2),
            threads: (device == DeviceChoice::Cpu).then_some(2),
            ctx: self.answer.ctx,
            ..Options::default()
        }
    }

    /// Logits at every position and the experts chosen.
    fn run(&self, options: &Options, forced: Option<&Choices>) -> (Vec<f32>, Choices) {
        let mut engine = Engine::open(&self.model, options, &mut |_| ()).unwrap_or_else(|e| panic!("{e}"));
        let mut tap = forced.map(Choices::to_force).unwrap_or_default();
        let mut logits = Vec::new();
        let ids = &self.answer.ids;
        engine
            .feed(ids, 0..ids.len(), Some(&mut tap), &|| false, &mut |rows| {
                logits.extend_from_slice(rows);
                Ok(())
            })
            .unwrap_or_else(|e| panic!("{}: {e}", self.name));
        (logits, tap)
    }

    fn reference(&self) -> (Vec<f32>, Choices) {
        self.run(&self.options(DeviceChoice::Reference), None)
    }
}

/// The cases with F32 weights, or those with quantised ones.
fn cases(quantised: bool) -> Vec<Case> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/models");
    let mut paths: Vec<_> = std::fs::read_dir(&folder).unwrap().map(|e| e.unwrap().path()).collect();
    paths.retain(|p| p.extension().is_some_and(|e| e == "json"));
    paths.sort();
    let all = paths.iter().map(|path| {
        let answer = Answer::read(path);
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        let model = answer.model.as_ref().map(|file| folder.join(file)).unwrap();
        (answer.quantised, Case { name, model, answer })
    });
    let cases: Vec<_> = all.filter(|(q, _)| *q == quantised).map(|(_, case)| case).collect();
    assert!(!cases.is_empty());
    cases
}

/// Prints a case's error and collects it where it is too large.
fn judge(case: &Case, device: &str, error: f64, limit: f64, failed: &mut Vec<String>) {
    let line = format!("{:16} {device:10} nmse {error:.1e}", case.name);
    println!("{line}");
    if error.is_nan() || error >= limit {
        failed.push(format!("{line}, not below {limit:.0e}"));
    }
}

#[test]
fn the_reference_agrees_with_llama_cpp_on_every_architecture() {
    let mut failed = Vec::new();
    for case in cases(false).iter().chain(&cases(true)) {
        let (logits, chosen) = case.reference();
        judge(case, "reference", nmse(&logits, &case.answer.logits), 1e-9, &mut failed);
        case.answer.assert_same_experts(&chosen, &case.model);
    }
    assert!(failed.is_empty(), "{failed:#?}");
}

#[test]
fn the_cpu_agrees_with_the_reference_on_f32_weights() {
    let mut failed = Vec::new();
    for case in cases(false) {
        let (reference, choices) = case.reference();
        let (logits, _) = case.run(&case.options(DeviceChoice::Cpu), Some(&choices));
        judge(&case, "cpu", nmse(&logits, &reference), 1e-6, &mut failed);
    }
    assert!(failed.is_empty(), "{failed:#?}");
}

#[test]
fn the_cpu_with_8_bit_activations_stays_near_the_reference() {
    let mut failed = Vec::new();
    for case in cases(true) {
        let (reference, choices) = case.reference();
        let options = case.options(DeviceChoice::Cpu);
        let (logits, _) = case.run(&options, Some(&choices));
        judge(&case, "cpu", nmse(&logits, &reference), 5e-3, &mut failed);
        let (_, own) = case.run(&options, None);
        let (flipped, all) = flips(&own, &choices);
        println!("{:16} cpu        {flipped} of {all} choices of experts differ when not forced", case.name);
    }
    assert!(failed.is_empty(), "{failed:#?}");
}

#[test]
fn the_gpu_agrees_with_the_reference_on_every_model() {
    let Some(gpu) = gpu_options() else { return };
    let mut failed = Vec::new();
    for case in cases(false).iter().chain(&cases(true)) {
        let (reference, choices) = case.reference();
        let options = case.options(gpu.device);
        let (logits, _) = case.run(&options, Some(&choices));
        judge(case, "gpu", nmse(&logits, &reference), 1e-6, &mut failed);
    }
    assert!(failed.is_empty(), "{failed:#?}");
}

#[test]
fn the_context_that_is_allocated_picks_the_longrope_factors() {
    let cases = cases(false);
    let find = |name: &str| cases.iter().find(|c| c.name == name).unwrap();
    let (short, long) = (find("phimoe-short"), find("phimoe-long"));
    assert!(nmse(&short.answer.logits, &long.answer.logits) > 1e-6, "the two answers differ");
    // llama.cpp allocates in steps of 256
    for (case, ctx) in [(short, 100), (short, 256), (long, 257), (long, 1024)] {
        let options = Options { ctx: Some(ctx), ..case.options(DeviceChoice::Reference) };
        let error = nmse(&case.run(&options, None).0, &case.answer.logits);
        assert!(error < 1e-9, "{} with a context of {ctx}: nmse {error:.1e}", case.name);
    }
}
