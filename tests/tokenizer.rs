//! Tokenizers against published vectors and against the reference's answers.

mod common;
mod tokenizer {
    pub mod vocab;
}

use foregate::tokenizer::Detokenizer;
use tokenizer::vocab::{fixture, vectors};

/// Encodes the texts of `NAME.gguf.inp` and compares with the ids of `NAME.gguf.out`.
fn check_vectors(name: &str, dir: &std::path::Path) {
    let tokenizer = tokenizer::vocab::open(&dir.join(format!("ggml-vocab-{name}.gguf")));
    let cases = vectors(dir, name);
    assert_eq!(cases.len(), 46);
    for (text, ids) in cases {
        assert_eq!(tokenizer.encode(&text, false, false).unwrap(), ids, "{name}: {text:?}");
    }
}

#[test]
fn gpt2_and_qwen2_give_the_published_ids() {
    check_vectors("gpt-2", &fixture());
    check_vectors("qwen2", &fixture());
}

#[test]
fn the_other_vocabularies_give_the_published_ids() {
    let Some(dir) = common::shared("tokenizer-vectors") else { return };
    for name in ["deepseek-llm", "llama-bpe", "llama-spm"] {
        check_vectors(name, &dir);
    }
}

#[test]
fn gpt2_texts_come_back_from_their_ids_and_streams_never_split_a_character() {
    for name in ["gpt-2", "qwen2"] {
        let tokenizer = tokenizer::vocab::open(&fixture().join(format!("ggml-vocab-{name}.gguf")));
        for (text, _) in vectors(&fixture(), name) {
            let ids = tokenizer.encode(&text, false, false).unwrap();
            assert_eq!(tokenizer.decode(&ids), text.as_bytes());
            let mut stream = Detokenizer::new(&tokenizer);
            let mut streamed: String = ids.iter().map(|&id| stream.push(id)).collect();
            streamed += &stream.finish();
            assert_eq!(streamed, text);
        }
    }
}
