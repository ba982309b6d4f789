//! Where the vocabularies and vectors of the tokenizer tests are, and how they are read.

#![allow(dead_code)] // each test file uses its part

use std::fs;
use std::path::{Path, PathBuf};

use foregate::gguf::Gguf;
use foregate::tokenizer::Tokenizer;

/// The folder of the vocabularies that stand in the repository.
pub fn fixture() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/tokenizer")
}

/// The tokenizer of the file at `path`.
pub fn open(path: &Path) -> Tokenizer {
    Tokenizer::from_gguf(&Gguf::open(path).unwrap()).unwrap()
}

/// The texts of a vocabulary's test file.
pub fn texts(dir: &Path, name: &str) -> Vec<String> {
    let text = fs::read_to_string(dir.join(format!("ggml-vocab-{name}.gguf.inp"))).unwrap();
    let mut texts: Vec<String> = text.split("\n__ggml_vocab_test__\n").map(str::to_owned).collect();
    assert_eq!(texts.pop().as_deref(), Some(""), "the file ends with a separator");
    texts
}

/// The texts and their published ids.
pub fn vectors(dir: &Path, name: &str) -> Vec<(String, Vec<u32>)> {
    let ids = fs::read_to_string(dir.join(format!("ggml-vocab-{name}.gguf.out"))).unwrap();
    let ids = ids.lines().map(|line| line.split_whitespace().map(|id| id.parse().unwrap()).collect());
    texts(dir, name).into_iter().zip(ids).collect()
}

/// The vocabulary file with another value of `tokenizer.ggml.pre`, which is a string in it.
pub fn with_pre(vocabulary: &[u8], pre: &str) -> Vec<u8> {
    let key = b"tokenizer.ggml.pre\x08\0\0\0";
    let at = vocabulary.windows(key.len()).position(|window| window == key).unwrap() + key.len();
    let len = u64::from_le_bytes(vocabulary[at..at + 8].try_into().unwrap()) as usize;
    [&vocabulary[..at], &(pre.len() as u64).to_le_bytes(), pre.as_bytes(), &vocabulary[at + 8 + len..]].concat()
}

/// GPT-2's characters for the 256 bytes.
pub fn byte_alphabet() -> Vec<char> {
    let mut others = (0x100..).filter_map(char::from_u32);
    let char_of = |byte: u8| match byte {
        0x21..=0x7E | 0xA1..=0xAC | 0xAE..=0xFF => char::from(byte),
        _ => others.next().unwrap(),
    };
    (0..=255).map(char_of).collect()
}
