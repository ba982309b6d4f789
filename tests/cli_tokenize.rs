//! `foregate tokenize`, on GPT-2's vocabulary.

mod common;

use std::path::PathBuf;

use common::{Dir, foregate};

fn gpt2() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/tokenizer/ggml-vocab-gpt-2.gguf")
}

fn tokenize() -> common::TestCommand {
    foregate(["tokenize"]).arg(gpt2())
}

#[test]
fn ids_stand_on_one_line() {
    assert_eq!(tokenize().arg("-p").arg("Hello world").ok(), "15496 995\n");
    assert_eq!(tokenize().arg("-p").arg("").ok(), "\n");
}

#[test]
fn pieces_are_quoted_one_per_line() {
    assert_eq!(
        tokenize().arg("--pieces").arg("-p").arg("Hello world\n").ok(),
        "15496\t\"Hello\"\n995\t\" world\"\n198\t\"\\n\"\n"
    );
}

#[test]
fn a_file_is_one_text_and_a_dash_is_stdin() {
    let dir = Dir::new();
    let file = dir.file("text", "Hello\nworld");
    let ids = tokenize().arg("-f").arg(&file).ok();
    assert_eq!(ids, "15496 198 6894\n");
    assert_eq!(tokenize().arg("-f").arg("-").stdin("Hello\nworld").ok(), ids);
}

#[test]
fn control_tokens_are_parsed_unless_told_not_to() {
    assert_eq!(tokenize().arg("-p").arg("<|endoftext|>").ok(), "50256\n");
    assert_ne!(tokenize().arg("--no-special").arg("-p").arg("<|endoftext|>").ok(), "50256\n");
}

#[test]
fn bad_input_is_refused() {
    assert!(foregate(["tokenize"]).arg(gpt2()).fails(2).contains("--prompt"));
    assert!(tokenize().arg("-p").arg("a").arg("-f").arg("b").fails(2).contains("cannot be used with"));
    let dir = Dir::new();
    let latin1 = dir.file("latin1", b"caf\xe9");
    let error = tokenize().arg("-f").arg(&latin1).fails(1);
    assert!(error.contains("latin1") && error.contains("offset 3"), "{error}");
    assert!(tokenize().arg("-f").arg(dir.path().join("absent")).fails(1).contains("absent"));
    let error = foregate(["tokenize"]).arg(&latin1).args(["-p", "x"]).fails(1);
    assert!(error.contains("latin1"), "{error}");
}
