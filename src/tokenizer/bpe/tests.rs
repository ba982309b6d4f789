//! Merging against the `tokenizers` crate's BPE model, and merging in parts against merging the whole.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use proptest::prelude::*;
use tokenizers::Model;
use tokenizers::models::bpe;

use super::*;

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/tokenizer")
}

fn open(dir: &Path, name: &str) -> Gguf {
    Gguf::open(&dir.join(format!("ggml-vocab-{name}.gguf"))).unwrap()
}

fn merges_of(gguf: &Gguf) -> impl ExactSizeIterator<Item = &[u8]> {
    required_strings(gguf, "tokenizer.ggml.merges").unwrap().bytes()
}

/// The merges of a file, and its texts with those that only merges name.
fn read(gguf: &Gguf) -> (Merges, Texts) {
    let mut texts = Texts::read(gguf).unwrap();
    (Merges::new(merges_of(gguf), &mut texts), texts)
}

fn merges(name: &str) -> Merges {
    read(&open(&fixtures(), name)).0
}

fn whole(merges: &Merges, bytes: &[u8]) -> Vec<Merged> {
    merges.merge(bytes, &mut Word::default()).collect()
}

/// The crate's model of the same merges.
fn second<'a>(merges: impl Iterator<Item = &'a [u8]>, texts: &Texts) -> bpe::BPE {
    let vocab: bpe::Vocab =
        texts.iter().zip(0..).map(|(text, id)| (String::from_utf8_lossy(text).into(), id)).collect();
    let mut seen = HashSet::new();
    let pairs = merges.filter_map(halves).filter(|pair| seen.insert(*pair)).map(|(a, b)| (a.to_owned(), b.to_owned()));
    bpe::BPE::builder().vocab_and_merges(vocab, pairs.collect()).cache_capacity(0).build().unwrap()
}

fn second_whole(model: &bpe::BPE, bytes: &[u8]) -> Vec<Merged> {
    let tokens = model.tokenize(&spell(bytes)).unwrap();
    tokens.into_iter().map(|token| (token.id, token.value.chars().count())).collect()
}

fn any_bytes() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        proptest::collection::vec(any::<u8>(), 1..200),
        "[a-e ]{1,200}".prop_map(String::into_bytes),
        "(the|cat|sat|on|mat|ing| |a|e){1,80}".prop_map(String::into_bytes),
        ("a{1,9}|0{1,9}| {1,9}|=-", 1..60usize).prop_map(|(unit, n)| unit.repeat(n).into_bytes()),
    ]
}

#[test]
fn published_merges_give_what_the_crates_model_gives() {
    for name in ["gpt-2", "qwen2"] {
        let gguf = open(&fixtures(), name);
        let (merges, texts) = read(&gguf);
        let model = second(merges_of(&gguf), &texts);
        proptest!(|(bytes in any_bytes())| {
            prop_assert_eq!(whole(&merges, &bytes), second_whole(&model, &bytes));
        });
    }
}

#[test]
fn the_texts_of_the_vectors_merge_as_the_crates_model_merges_them() {
    let shared = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/tokenizer-vectors");
    for name in ["gpt-2", "qwen2", "llama-bpe", "deepseek-llm"] {
        let Some(dir) =
            [fixtures(), shared.clone()].into_iter().find(|dir| dir.join(format!("ggml-vocab-{name}.gguf")).exists())
        else {
            println!("skipped: {name} is not in {}", shared.display());
            continue;
        };
        let gguf = open(&dir, name);
        let (merges, texts) = read(&gguf);
        let model = second(merges_of(&gguf), &texts);
        // The test texts are one long word each here, which no splitter cuts; and all together one more.
        let file = std::fs::read_to_string(dir.join(format!("ggml-vocab-{name}.gguf.inp"))).unwrap();
        for text in file.split("\n__ggml_vocab_test__\n").chain([&*file]) {
            assert_eq!(whole(&merges, text.as_bytes()), second_whole(&model, text.as_bytes()), "{name}: {text:?}");
        }
    }
}

#[test]
fn any_merges_give_what_the_crates_model_gives() {
    let tokens = proptest::collection::vec("[abcĠ]{1,5}", 1..20);
    let merges = proptest::collection::vec("[abcĠ]{1,3} [abcĠ]{1,3}", 1..40);
    proptest!(ProptestConfig::with_cases(2000), |(tokens in tokens, list in merges, text in "[abcd ]{0,60}")| {
        let list = || list.iter().map(String::as_bytes);
        let mut texts = Texts::new(tokens.iter().map(String::as_bytes));
        let merges = Merges::new(list(), &mut texts);
        let model = second(list(), &texts);
        prop_assert_eq!(whole(&merges, text.as_bytes()), second_whole(&model, text.as_bytes()));
    });
}

#[test]
fn merging_in_parts_gives_what_merging_the_whole_gives() {
    let all = [merges("gpt-2"), merges("qwen2")];
    proptest!(|(bytes in any_bytes(), part_len in 1..40usize)| {
        for merges in &all {
            let parts = merges.merge_in_parts(&bytes, part_len, &mut Word::default());
            prop_assert_eq!(parts, whole(merges, &bytes));
        }
    });
}

#[test]
fn no_merge_reaches_across_a_safe_cut() {
    let merges = merges("gpt-2");
    let text: Vec<u8> = "漢字 and 0x00\u{7}\u{1}".bytes().cycle().take(3 * LONG_PIECE).collect();
    let cut = merges.safe_cut(&text);
    assert!((LONG_PIECE..text.len()).contains(&cut));
    let (a, b) = text.split_at(cut);
    assert_eq!(whole(&merges, &text), [whole(&merges, a), whole(&merges, b)].concat());
}

#[test]
fn a_merge_is_two_texts_parted_by_the_first_space_behind_its_first_byte() {
    assert_eq!(halves("Ġ t".as_bytes()), Some(("Ġ", "t")));
    assert_eq!(halves(b"  a"), Some((" ", "a")));
    assert_eq!(halves(b"ab"), None);
    assert_eq!(halves(b"a "), None);
}
