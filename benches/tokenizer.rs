//! How long tokenizers take to load, to encode and to decode.

use std::hint::black_box;
use std::path::Path;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use foregate::gguf::Gguf;
use foregate::tokenizer::Tokenizer;

fn fixture(name: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/tokenizer").join(name)
}

fn load(path: &Path) -> Tokenizer {
    let gguf = Gguf::open(path).expect("the fixture is a GGUF file");
    Tokenizer::from_gguf(&gguf).expect("the fixture has a tokenizer")
}

fn tokenizer(c: &mut Criterion) {
    let path = fixture("ggml-vocab-qwen2.gguf");
    let mut group = c.benchmark_group("tokenizer");
    group.sample_size(10);
    group.bench_function("load qwen2", |b| b.iter(|| load(&path)));

    let tokenizer = load(&path);
    let prose = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("ARCHITECTURE.md"))
        .expect("the repository has an ARCHITECTURE.md");
    let texts = [
        ("prose", prose.repeat(1_000_000 / prose.len() + 1)),
        ("spaces", " ".repeat(1_000_000)),
        ("one letter", "a".repeat(1_000_000)),
        ("emoji", "😀".repeat(250_000)),
        ("digits", "1234567890".repeat(100_000)),
        ("special tokens", "<|im_start|>user\nHi<|im_end|>\n".repeat(33_000)),
    ];
    for (name, text) in &texts {
        group.throughput(Throughput::Bytes(text.len() as u64));
        group.bench_function(format!("encode 1 MB of {name}"), |b| {
            b.iter(|| tokenizer.encode(black_box(text), false, true).expect("byte-level BPE writes any text"));
        });
    }
    let ids = tokenizer.encode(&texts[0].1, false, false).expect("byte-level BPE writes any text");
    group.bench_function("decode 1 MB of prose", |b| b.iter(|| tokenizer.decode(black_box(&ids))));
    group.finish();
}

criterion_group!(benches, tokenizer);
criterion_main!(benches);
