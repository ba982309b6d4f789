//! Where the vocabularies and vectors of the tokenizer tests are, and how they are read.

use std::fs;
use std::path::{Path, PathBuf};

use foregate::gguf::Gguf;
use foregate::tokenizer::Tokenizer;

/// The folder of the vocabularies that stand in the repository.
pub fn fixture() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/tokenizer")
}

/// A folder of test data beside the repository; `None`, and a word on it, where there is none.
pub fn shared(name: &str) -> Option<PathBuf> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared").join(name);
    if !dir.is_dir() {
        println!("skipped: {} is not there", dir.display());
        return None;
    }
    Some(dir)
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
