//! The process's peak resident set, loading included, stays under `--memory`: a model whose experts are three times the
//! rest of the process, at budgets from the smallest that works, on every read path.
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
const LAYERS: usize = 8;
const EXPERTS: u64 = 64;
const WIDTH: u64 = 256;

/// 107 MB of experts. All weights are zero but those that make tokens choose different experts.
fn write_model(path: &Path) {
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
        key("block_count", LAYERS as u32),
        key("context_length", 512),
        key("embedding_length", WIDTH as u32),
        key("feed_forward_length", WIDTH as u32),
        key("expert_feed_forward_length", WIDTH as u32),
        key("attention.head_count", 4),
        key("attention.head_count_kv", 2),
        key("attention.key_length", 64),
        key("attention.value_length", 64),
        key("expert_count", EXPERTS as u32),
        key("expert_used_count", 4),
    ]);
    let embedding = spread(WIDTH * vocabulary);
    model.tensors.push(tensor("token_embd.weight", GgmlType::F32, &[WIDTH, vocabulary], embedding));
    model.tensors.push(ones("output_norm.weight", WIDTH));
    for il in 0..LAYERS {
        let name = |part: &str| format!("blk.{il}.{part}.weight");
        let router = spread(WIDTH * EXPERTS);
        model.tensors.extend([
            ones(&name("attn_norm"), WIDTH),
            zeros(&name("attn_q"), &[WIDTH, 256]),
            zeros(&name("attn_k"), &[WIDTH, 128]),
            zeros(&name("attn_v"), &[WIDTH, 128]),
            ones(&name("attn_q_norm"), 64),
            ones(&name("attn_k_norm"), 64),
            zeros(&name("attn_output"), &[256, WIDTH]),
            ones(&name("ffn_norm"), WIDTH),
            tensor(&name("ffn_gate_inp"), GgmlType::F32, &[WIDTH, EXPERTS], router),
            zeros(&name("ffn_gate_exps"), &[WIDTH, WIDTH, EXPERTS]),
            zeros(&name("ffn_up_exps"), &[WIDTH, WIDTH, EXPERTS]),
            zeros(&name("ffn_down_exps"), &[WIDTH, WIDTH, EXPERTS]),
        ]);
    }
    std::fs::write(path, model.build()).unwrap();
}

#[test]
fn the_peak_resident_set_stays_under_the_budget() {
    let dir = Dir::new();
    let path = dir.path().join("wide.gguf");
    write_model(&path);
    let text: String = (0..160u32).map(|i| char::from(b'a' + (i * i % 26) as u8)).collect();
    let json = |text: String| -> Value { serde_json::from_str(&text).unwrap() };
    for device in ["cpu", "reference"] {
        let plan = foregate(["inspect", "--json", "--memory", "1MiB", "--ctx", "64", "--device", device]).arg(&path);
        let smallest = json(plan.ok())["budgets"][0]["smallest"].as_u64().unwrap();
        assert!(smallest < 100 * MIB, "{smallest}: the budget shall be smaller than the experts");
        for (io, more) in [("direct", 0), ("mmap", 0), ("auto", 0), ("mmap", 12 * MIB), ("auto", 40 * MIB)] {
            let memory = smallest + more;
            let run = foregate(["perplexity", "--json", "--ctx", "64", "--device", device, "--io", io, "-p", &text])
                .args(["--memory", &memory.to_string()])
                .arg(&path);
            let report = json(run.ok());
            assert!(report["misses"].as_u64().unwrap() > 100, "{report}");
            let peak = report["run"]["peak_resident_bytes"].as_u64().unwrap();
            assert!(peak <= memory, "{device}, {io}: {peak} bytes at a budget of {memory}");
            println!("{device:9} {io:8} {:6.1} MiB of {:6.1}", peak as f64 / MIB as f64, memory as f64 / MIB as f64);
        }
    }
}
