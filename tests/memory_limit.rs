//! The process's peak resident set, loading included, stays under `--memory`: models whose experts are three times the
//! rest of the process, in small matrices and in large ones, at budgets from the smallest that works, on every read path.
#![cfg(target_os = "linux")]

#[path = "common/gguf_builder.rs"]
mod builder;
mod common;
#[path = "tokenizer/vocab.rs"]
mod vocab;

use std::path::Path;

use builder::{Builder, T, V};
use common::{Dir, foregate};
use foregate::gguf::GgmlType;
use serde_json::Value;

const MIB: u64 = 1 << 20;
/// Bytes of the map that one reader may have in memory beside the matrix that it copies: what a fault maps around its page
/// (a huge page) at each end.
const AROUND: u64 = 4 * MIB;
const LANES: u64 = 2;

/// A model of 107 MB of experts.
struct Shape {
    layers: usize,
    experts: u64,
    used: u32,
    width: u64,
    /// Width of an expert.
    hidden: u64,
}

/// Matrices of 69 KB.
const SMALL: Shape = Shape { layers: 8, experts: 64, used: 4, width: 256, hidden: 256 };
/// Matrices of 4.5 MB: far more than any page.
const LARGE: Shape = Shape { layers: 2, experts: 4, used: 1, width: 1024, hidden: 4096 };

/// All weights are zero but those that make tokens choose different experts.
fn write_model(path: &Path, shape: &Shape) {
    let &Shape { layers, experts, used, width, hidden } = shape;
    let mut random = 1u32;
    let mut spread = |n: u64| -> Vec<u8> {
        let values = (0..n).flat_map(|_| {
            random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            ((random >> 8) as f32 / (1 << 24) as f32 - 0.5).to_le_bytes()
        });
        values.collect()
    };
    let tensor = |name: &str, ty: GgmlType, dims: &[u64], data| T {
        name: name.into(),
        dims: dims.to_vec(),
        ty: ty.0,
        data,
        offset: None,
    };
    let zeros = |name: &str, dims: &[u64]| {
        let bytes = GgmlType::Q8_0.bytes_for(dims.iter().product()).unwrap();
        tensor(name, GgmlType::Q8_0, dims, vec![0; bytes as usize])
    };
    let ones = |name: &str, n: u64| tensor(name, GgmlType::F32, &[n], 1f32.to_le_bytes().repeat(n as usize));
    let tokens: Vec<V> = vocab::byte_alphabet().iter().map(|c| V::str(&c.to_string())).collect();
    let vocabulary = tokens.len() as u64;
    let key = |key: &str, value: u32| (format!("qwen3moe.{key}").into_bytes(), V::U32(value));
    let mut model = Builder::new()
        .key("general.architecture", V::str("qwen3moe"))
        .key("qwen3moe.attention.layer_norm_rms_epsilon", V::F32(1e-6))
        .key("tokenizer.ggml.model", V::str("gpt2"))
        .key("tokenizer.ggml.pre", V::str("gpt-2"))
        .key("tokenizer.ggml.tokens", V::Arr(8, tokens))
        .key("tokenizer.ggml.token_type", V::Arr(5, vec![V::I32(1); vocabulary as usize]))
        .key("tokenizer.ggml.merges", V::Arr(8, vec![V::str("a b")]));
    model.keys.extend([
        key("block_count", layers as u32),
        key("context_length", 512),
        key("embedding_length", width as u32),
        key("feed_forward_length", hidden as u32),
        key("expert_feed_forward_length", hidden as u32),
        key("attention.head_count", 4),
        key("attention.head_count_kv", 2),
        key("attention.key_length", 64),
        key("attention.value_length", 64),
        key("expert_count", experts as u32),
        key("expert_used_count", used),
    ]);
    let embedding = spread(width * vocabulary);
    model.tensors.push(tensor("token_embd.weight", GgmlType::F32, &[width, vocabulary], embedding));
    model.tensors.push(ones("output_norm.weight", width));
    for il in 0..layers {
        let name = |part: &str| format!("blk.{il}.{part}.weight");
        let router = spread(width * experts);
        model.tensors.extend([
            ones(&name("attn_norm"), width),
            zeros(&name("attn_q"), &[width, 256]),
            zeros(&name("attn_k"), &[width, 128]),
            zeros(&name("attn_v"), &[width, 128]),
            ones(&name("attn_q_norm"), 64),
            ones(&name("attn_k_norm"), 64),
            zeros(&name("attn_output"), &[256, width]),
            ones(&name("ffn_norm"), width),
            tensor(&name("ffn_gate_inp"), GgmlType::F32, &[width, experts], router),
            zeros(&name("ffn_gate_exps"), &[width, hidden, experts]),
            zeros(&name("ffn_up_exps"), &[width, hidden, experts]),
            zeros(&name("ffn_down_exps"), &[hidden, width, experts]),
        ]);
    }
    std::fs::write(path, model.build()).unwrap();
}

fn assert_stays_under_the_budget(shape: &Shape, devices: &[&str]) {
    let dir = Dir::new();
    let path = dir.path().join("wide.gguf");
    write_model(&path, shape);
    let text: String = (0..160u32).map(|i| char::from(b'a' + (i * i % 26) as u8)).collect();
    let json = |text: String| -> Value { serde_json::from_str(&text).unwrap() };
    for &device in devices {
        let run = |io: &str, memory: &str| {
            foregate(["perplexity", "--json", "--ctx", "64", "--device", device, "--io", io, "-p", &text])
                .args(["--memory", memory, "--lanes", &LANES.to_string()])
                .arg(&path)
        };
        let peak = |io: &str, more: u64| {
            let refusal = run(io, "1MiB").fails(1);
            let smallest = refusal.split("the smallest that works is --memory ").nth(1).unwrap();
            let smallest: f64 = smallest.split("MiB").next().unwrap().parse().unwrap();
            assert!(smallest < 100.0, "{smallest} MiB: the budget shall be smaller than the experts");
            let memory = (smallest * MIB as f64).ceil() as u64 + more;
            let report = json(run(io, &memory.to_string()).ok());
            assert!(report["bytes_read"].as_u64().unwrap() > 60 * MIB, "{report}");
            let peak = report["run"]["peak_resident_bytes"].as_u64().unwrap();
            assert!(peak <= memory, "{device}, {io}: {peak} bytes at a budget of {memory}");
            println!("{device:9} {io:8} {:6.1} MiB of {:6.1}", peak as f64 / MIB as f64, memory as f64 / MIB as f64);
            peak
        };
        for more in [0, 12 * MIB] {
            let (direct, mapped) = (peak("direct", more), peak("mmap", more));
            // The plan is generous: pages that stay mapped would show here before they break the budget.
            let limit = direct + LANES * (shape.width * shape.hidden / 32 * 34 + AROUND);
            assert!(mapped <= limit, "{device}: {mapped} bytes with a map, {direct} without: mapped pages stay");
        }
        peak("auto", 0);
        peak("auto", 40 * MIB);
    }
}

/// A text of which the tokens take more than the model, and one that cannot be cut under the budget.
#[test]
fn a_long_text_counts_under_the_budget_or_is_refused() {
    let dir = Dir::new();
    let path = dir.path().join("wide.gguf");
    write_model(&path, &LARGE);
    let text = dir.file("long.txt", "abcdefghij".repeat(400_000));
    let run = |memory: &str| {
        let args = ["perplexity", "--json", "--ctx", "64", "--chunks", "1", "--device", "cpu", "--lanes", "2"];
        foregate(args).args(["--memory", memory, "-f"]).arg(&text).arg(&path)
    };
    let refusal = run("60MiB").fails(1);
    assert!(refusal.contains("too small to cut a text of 3.9MiB into tokens"), "{refusal}");
    let least = refusal.split("at least --memory ").nth(1).and_then(|rest| rest.split(',').next()).unwrap();
    let report: Value = serde_json::from_str(&run(least).ok()).unwrap();
    let (peak, memory) = (&report["run"]["peak_resident_bytes"], &report["run"]["memory_bytes"]);
    assert!(peak.as_u64().unwrap() <= memory.as_u64().unwrap(), "{peak} bytes at a budget of {memory}");
}

#[test]
fn the_peak_resident_set_stays_under_the_budget() {
    assert_stays_under_the_budget(&SMALL, &["cpu", "reference"]);
}

#[test]
fn the_peak_resident_set_stays_under_the_budget_where_matrices_are_large() {
    assert_stays_under_the_budget(&LARGE, &["cpu"]);
}
