//! A tiny trained model with a real tokenizer: the text it writes and the perplexity it gives are llama.cpp's.
//! `scripts/make_words_fixture.py` trains it and asks llama.cpp.

mod common;

use std::path::{Path, PathBuf};

use foregate::compute::KvKind;
use foregate::generate::engine::Engine;
use foregate::generate::options::{DeviceChoice, Options};
use foregate::generate::perplexity::score;
use foregate::generate::sampler::{Sampler, Sampling};
use foregate::generate::stream::LanguageModel;
use foregate::gguf::Gguf;
use foregate::tokenizer::Tokenizer;

fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/models/words").join(name)
}

fn facts() -> serde_json::Value {
    serde_json::from_str(&std::fs::read_to_string(file("words.json")).unwrap()).unwrap()
}

fn numbers(value: &serde_json::Value) -> Vec<u32> {
    value.as_array().unwrap().iter().map(|x| x.as_u64().unwrap() as u32).collect()
}

fn engine(name: &str, device: DeviceChoice, ctx: usize) -> Engine {
    let options = Options {
        device,
        kv: Some(KvKind::F32),
        memory: Some(1 << 30),
        lanes: Some(2),
        threads: Some(2),
        ctx: Some(ctx),
        ..Options::default()
    };
    Engine::open(&file(name), &options, &mut |_| ()).unwrap_or_else(|e| panic!("{e}"))
}

fn tokenizer(name: &str) -> Tokenizer {
    Tokenizer::from_gguf(&Gguf::open(&file(name)).unwrap()).unwrap()
}

/// Feeds a prompt and then, `n` times, the likeliest token.
fn greedy(engine: &mut Engine, prompt: &[u32], n: usize) -> Vec<u32> {
    let mut sampler = Sampler::new(Sampling::greedy());
    let mut next = prompt.to_vec();
    engine.rewind(0).unwrap();
    (0..n)
        .map(|_| {
            let logits = engine.next_logits(&next, &|| false).unwrap().unwrap();
            next = vec![sampler.sample(&logits).unwrap()];
            next[0]
        })
        .collect()
}

fn assert_the_text_is_llama_cpps(device: DeviceChoice) {
    let tokenizer = tokenizer("words.gguf");
    let mut engine = engine("words.gguf", device, 256);
    for case in facts()["prompts"].as_array().unwrap() {
        let text = case["text"].as_str().unwrap();
        let prompt = tokenizer.encode(text, true, true).unwrap();
        assert_eq!(prompt, numbers(&case["prompt_ids"]), "{text:?}");
        let want = numbers(&case["greedy_ids"]);
        assert_eq!(want.len(), 64);
        let got = greedy(&mut engine, &prompt, want.len());
        assert_eq!(got, want, "{text:?}:\n{}\n{}", tokenizer.decode_lossy(&got), tokenizer.decode_lossy(&want));
    }
}

#[test]
fn the_reference_writes_the_text_that_llama_cpp_writes() {
    assert_the_text_is_llama_cpps(DeviceChoice::Reference);
}

#[test]
fn the_cpu_writes_the_text_that_llama_cpp_writes() {
    assert_the_text_is_llama_cpps(DeviceChoice::Cpu);
}

/// The perplexity of words.txt, checked against llama.cpp's to that share of it.
fn assert_the_perplexity_is_llama_cpps(model: &str, device: DeviceChoice, key: &str, share: f64) {
    let facts = facts();
    let ctx = facts["ctx"].as_u64().unwrap() as usize;
    let tokenizer = tokenizer(model);
    let ids = tokenizer.encode(&std::fs::read_to_string(file("words.txt")).unwrap(), true, false).unwrap();
    assert_eq!(ids.len() as u64, facts["tokens"].as_u64().unwrap());
    let bos = if tokenizer.add_bos() { tokenizer.bos() } else { None };
    let mut engine = engine(model, device, ctx);
    let score = score(&mut engine, &ids, usize::MAX, bos, &mut |_, _| Ok(())).unwrap();
    assert_eq!(score.tokens, ids.len() / ctx * (ctx - ctx / 2 - 1));
    let (got, want) = (score.perplexity(), facts[key].as_f64().unwrap());
    println!("{model} on {device:?}: {got:.6}, llama.cpp {want:.6}");
    assert!((got / want - 1.0).abs() < share, "{model} on {device:?}: {got}, llama.cpp {want}");
}

#[test]
fn the_perplexity_of_f32_weights_is_llama_cpps_within_a_thousandth() {
    assert_the_perplexity_is_llama_cpps("words.gguf", DeviceChoice::Reference, "perplexity", 1e-3);
    assert_the_perplexity_is_llama_cpps("words.gguf", DeviceChoice::Cpu, "perplexity", 1e-3);
}

#[test]
fn the_perplexity_of_quantised_weights_is_llama_cpps_within_a_hundredth() {
    assert_the_perplexity_is_llama_cpps("words-q8_0.gguf", DeviceChoice::Reference, "perplexity_q8_0", 1e-2);
    assert_the_perplexity_is_llama_cpps("words-q8_0.gguf", DeviceChoice::Cpu, "perplexity_q8_0", 1e-2);
}
