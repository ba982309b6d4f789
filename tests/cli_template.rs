//! `foregate template`, on files of our own making.

mod common;
#[path = "common/gguf_builder.rs"]
mod gguf_builder;

use std::path::PathBuf;

use common::{Dir, TestCommand, foregate};
use gguf_builder::{Builder, V};

const TURNS: &str = "{{ bos_token }}{% for m in messages %}[{{ m.role }}]{{ m.content }}{{ eos_token }}{% endfor %}";
const MESSAGES: &str = r#"{"messages": [{"role": "user", "content": "Hi <b>"}]}"#;

/// A file with three tokens, BOS and EOS among them, and the template of these keys.
fn model(dir: &Dir, templates: &[(&str, &str)]) -> PathBuf {
    let tokens = ["<s>", "</s>", "a"].map(V::str).to_vec();
    let file = Builder::new()
        .key("general.architecture", V::str("llama"))
        .key("tokenizer.ggml.tokens", V::Arr(8, tokens))
        .key("tokenizer.ggml.bos_token_id", V::U32(0))
        .key("tokenizer.ggml.eos_token_id", V::U32(1));
    let file = templates.iter().fold(file, |file, (key, text)| file.key(key, V::str(text)));
    file.write(dir.path(), "model.gguf")
}

fn template(dir: &Dir, messages: &str) -> TestCommand {
    foregate(["template"]).arg("--messages").arg(dir.file("messages.json", messages))
}

#[test]
fn the_models_template_gets_its_tokens_and_variables_override_them() {
    let dir = Dir::new();
    let model = model(&dir, &[("tokenizer.chat_template", TURNS)]);
    assert_eq!(template(&dir, MESSAGES).arg(&model).ok(), "<s>[user]Hi <b></s>");
    let override_eos = r#"{"messages": [{"role": "user", "content": "x"}], "variables": {"eos_token": "!"}}"#;
    assert_eq!(template(&dir, override_eos).arg(&model).ok(), "<s>[user]x!");
}

#[test]
fn a_given_template_replaces_the_models_and_needs_no_model() {
    let dir = Dir::new();
    let given = dir.file("given.jinja", "{{ bos_token }}|{{ messages | length }}|{{ add_generation_prompt }}");
    let model = model(&dir, &[("tokenizer.chat_template", TURNS)]);
    assert_eq!(template(&dir, MESSAGES).arg(&model).arg("--chat-template").arg(&given).ok(), "<s>|1|True");
    assert_eq!(template(&dir, MESSAGES).arg("--chat-template").arg(&given).ok(), "|1|True");
    assert_eq!(template(&dir, MESSAGES).arg("--chat-template").arg("-").stdin(TURNS).ok(), "[user]Hi <b>");
}

#[test]
fn tools_take_the_variant_for_tools() {
    let dir = Dir::new();
    let both =
        [("tokenizer.chat_template", "plain"), ("tokenizer.chat_template.tool_use", "tools: {{ tools | length }}")];
    let model = model(&dir, &both);
    assert_eq!(template(&dir, MESSAGES).arg(&model).ok(), "plain");
    let offered = r#"{"messages": [], "tools": [{"type": "function"}]}"#;
    assert_eq!(template(&dir, offered).arg(&model).ok(), "tools: 1");
}

#[test]
fn a_file_without_a_template_gets_chatml_and_a_warning() {
    let dir = Dir::new();
    let run = template(&dir, MESSAGES).arg(model(&dir, &[])).run();
    run.expect_code(0);
    assert_eq!(run.stdout(), "<|im_start|>user\nHi <b><|im_end|>\n<|im_start|>assistant\n");
    assert!(run.stderr().contains("ChatML"), "{}", run.stderr());
}

#[test]
fn the_clock_is_source_date_epoch() {
    let dir = Dir::new();
    let given = dir.file("given.jinja", "{{ strftime_now('%Y-%m-%d %H:%M') }}");
    let at = |epoch: &str| template(&dir, MESSAGES).arg("--chat-template").arg(&given).env("SOURCE_DATE_EPOCH", epoch);
    assert_eq!(at("1795343400").ok(), "2026-11-22 10:30");
    assert!(at("soon").fails(2).contains("SOURCE_DATE_EPOCH"));
}

#[test]
fn messages_come_from_stdin_too_and_may_stand_alone() {
    let dir = Dir::new();
    let given = dir.file("given.jinja", "{{ messages[0].content }}");
    let run = foregate(["template", "--messages", "-", "--chat-template"]).arg(&given);
    assert_eq!(run.stdin(r#"[{"role": "user", "content": "alone"}]"#).ok(), "alone");
}

#[test]
fn failures_name_the_file_and_the_place() {
    let dir = Dir::new();
    let with = |text: &str| template(&dir, MESSAGES).arg("--chat-template").arg(dir.file("given.jinja", text));
    let broken = with("a\n{% if %}").fails(1);
    assert!(broken.contains("given.jinja, line 2: syntax error"), "{broken}");
    let refused = with("\n\n{{ raise_exception('no tools') }}").fails(1);
    assert!(refused.contains("given.jinja, line 3: refused the conversation: no tools"), "{refused}");
    let model = model(&dir, &[("tokenizer.chat_template", "{{ x | nothing }}")]);
    let in_model = template(&dir, MESSAGES).arg(&model).fails(1);
    assert!(in_model.contains("model.gguf: tokenizer.chat_template, line 1: unknown filter"), "{in_model}");
    let no_json = template(&dir, "{").arg(&model).fails(1);
    assert!(no_json.contains("messages.json") && no_json.contains("line 1"), "{no_json}");
    assert!(foregate(["template"]).fails(2).contains("--messages"));
    let twice = foregate(["template", "--messages", "-", "--chat-template", "-"]).fails(2);
    assert!(twice.contains("stdin"), "{twice}");
}
