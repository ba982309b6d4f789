//! Every pre-tokeniser against llama.cpp's ids, with two vocabularies that differ in nothing but its name.
//!
//! The ids were made by scripts/make_pretokenizer_vectors.py; `FOREGATE_PRETOKENIZER_VECTORS` names another file of the
//! same form, such as one of random texts.

#[path = "common/gguf_builder.rs"]
mod builder;
mod tokenizer {
    pub mod vocab;
}

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use builder::{Builder, V};
use foregate::gguf::Gguf;
use foregate::tokenizer::Tokenizer;
use rayon::prelude::*;
use serde_json::Value;
use tokenizer::vocab::{byte_alphabet, fixture, open, texts, with_pre};

/// The vocabulary of all bytes and all pairs of bytes: pair k is merged (k * 40503 mod 65536)-th.
fn pairs_vocabulary(pre: &str) -> Vec<u8> {
    let chars = byte_alphabet();
    let pair = |k: usize| (chars[k >> 8], chars[k & 255]);
    let singles = chars.iter().map(char::to_string);
    let tokens =
        singles.chain((0..65536).map(pair).map(|(a, b)| format!("{a}{b}"))).map(|text| V::str(&text)).collect();
    let mut merges = vec![V::str(""); 65536];
    for k in 0..65536 {
        let (a, b) = pair(k);
        merges[k * 40503 % 65536] = V::str(&format!("{a} {b}"));
    }
    Builder::new()
        .key("tokenizer.ggml.model", V::str("gpt2"))
        .key("tokenizer.ggml.pre", V::str(pre))
        .key("tokenizer.ggml.tokens", V::Arr(8, tokens))
        .key("tokenizer.ggml.merges", V::Arr(8, merges))
        .build()
}

fn vectors_path() -> PathBuf {
    std::env::var_os("FOREGATE_PRETOKENIZER_VECTORS")
        .map_or_else(|| fixture().join("pretokenizers.json"), PathBuf::from)
}

fn strings(values: &Value) -> Vec<String> {
    values.as_array().unwrap().iter().map(|value| value.as_str().unwrap().to_owned()).collect()
}

fn check(dir: &Path, name: &str, vocabulary: &[u8], texts: &[String], ids: &Value) -> usize {
    let tokenizer = open(&builder::write(dir, &format!("{name}.gguf"), vocabulary));
    let mut different = 0;
    for (text, ids) in texts.iter().zip(ids.as_array().unwrap()) {
        let ids: Vec<u32> = ids.as_array().unwrap().iter().map(|id| id.as_u64().unwrap() as u32).collect();
        let ours = tokenizer.encode(text, false, false).unwrap();
        if ours != ids {
            different += 1;
            eprintln!("{name}: {text:?}\n  ours  {:?}\n  theirs {:?}", show(&tokenizer, &ours), show(&tokenizer, &ids));
        }
    }
    different
}

fn show(tokenizer: &Tokenizer, ids: &[u32]) -> Vec<String> {
    ids.iter().map(|&id| String::from_utf8_lossy(tokenizer.piece(id)).into_owned()).collect()
}

#[test]
fn every_pre_tokeniser_gives_the_ids_of_llama_cpp() {
    let vectors: Value = serde_json::from_str(&std::fs::read_to_string(vectors_path()).unwrap()).unwrap();
    let gpt2 = std::fs::read(fixture().join("ggml-vocab-gpt-2.gguf")).unwrap();
    let all_texts = [texts(&fixture(), "gpt-2"), strings(&vectors["texts"])].concat();
    let dir = tempfile::tempdir().unwrap();
    let mut different = 0;
    for group in vectors["groups"].as_array().unwrap() {
        assert_eq!(group["gpt2"].as_array().unwrap().len(), all_texts.len());
        let with_name = |name: &String| {
            check(dir.path(), name, &with_pre(&gpt2, name), &all_texts, &group["gpt2"])
                + check(dir.path(), name, &pairs_vocabulary(name), &all_texts, &group["pairs"])
        };
        different += strings(&group["names"]).par_iter().map(with_name).sum::<usize>();
    }
    assert_eq!(different, 0, "texts with other ids than llama.cpp's");
}

#[test]
fn every_known_pre_tokeniser_has_vectors() {
    let vectors: Value =
        serde_json::from_str(&std::fs::read_to_string(fixture().join("pretokenizers.json")).unwrap()).unwrap();
    let checked: BTreeSet<String> =
        vectors["groups"].as_array().unwrap().iter().flat_map(|group| strings(&group["names"])).collect();
    let dir = tempfile::tempdir().unwrap();
    let path = builder::write(dir.path(), "vocab.gguf", &pairs_vocabulary("no-such-splitter"));
    let error = Tokenizer::from_gguf(&Gguf::open(&path).unwrap()).unwrap_err().to_string();
    assert!(error.contains("`no-such-splitter`"), "{error}");
    let (_, known) = error.split_once("known are ").unwrap();
    assert_eq!(known.split(", ").map(str::to_owned).collect::<BTreeSet<_>>(), checked);
}
