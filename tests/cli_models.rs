//! `foregate inspect`, `perplexity` and `logits`, on a tiny random model.

mod common;

use std::fs;

use common::{Dir, TestCommand, foregate, tiny_model};
use serde_json::Value;

fn on_model(command: &str, args: &[&str]) -> TestCommand {
    foregate([command]).arg(tiny_model()).args(["--device", "cpu"]).args(args)
}

#[test]
fn inspect_tells_the_model_its_experts_and_the_plan() {
    let text = on_model("inspect", &["--memory", "64MiB"]).ok();
    for part in [
        "tiny random chat model (qwen3moe)",
        "8 per layer, 2 used; 24 in all",
        "Q8_0 / Q8_0 / Q8_0",
        "token cycle   6 experts",
        "plan for memory 64.0 MiB",
        "24 slots: 100.0 % of the experts",
        "is refused",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
}

#[test]
fn inspect_as_json_has_the_plan_and_what_other_budgets_give() {
    let report: Value = serde_json::from_str(&on_model("inspect", &["--memory", "64MiB", "--json"]).ok()).unwrap();
    assert_eq!(report["schema"], "foregate.inspect/1");
    assert_eq!(report["model"]["token_cycle"], 6);
    assert_eq!(report["plan"]["memory"], 64 << 20);
    assert_eq!(report["refused"], Value::Null);
    let slots: Vec<u64> =
        report["budgets"].as_array().unwrap().iter().map(|plan| plan["slots"].as_u64().unwrap()).collect();
    assert!(slots.is_sorted() && slots.len() >= 2, "{slots:?}");
}

#[test]
fn inspect_says_why_a_budget_is_refused() {
    let report: Value = serde_json::from_str(&on_model("inspect", &["--memory", "10MiB", "--json"]).ok()).unwrap();
    assert_eq!(report["plan"], Value::Null);
    assert!(report["refused"].as_str().unwrap().contains("smallest"), "{report}");
    assert!(on_model("inspect", &["--memory", "10MiB"]).ok().contains("refused: --memory"));
}

#[test]
fn logits_are_rows_of_the_vocabulary_in_a_file_or_a_pipe() {
    let dir = Dir::new();
    let file = dir.path().join("logits");
    on_model("logits", &["--ids", "1,2,3", "--out", file.to_str().unwrap()]).ok();
    let written = fs::read(&file).unwrap();
    assert_eq!(written.len(), 3 * 303 * 4);
    let run = on_model("logits", &["--ids", "1,2,3"]).run();
    run.expect_code(0);
    assert_eq!(run.output.stdout, written);
    let run = on_model("logits", &["--ids", "1,2"]).run();
    assert_eq!(run.output.stdout, written[..2 * 303 * 4], "a position does not depend on what follows");
}

#[test]
fn logits_refuse_tokens_that_are_not_there() {
    assert!(on_model("logits", &["--ids", "1,303"]).fails(2).contains("303"));
    assert!(on_model("logits", &["--ids", "1,x"]).fails(2).contains("--ids"));
    assert!(on_model("logits", &["--ids", "1,2,3", "--ctx", "2"]).fails(2).contains("--ctx"));
}

#[test]
fn perplexity_is_that_of_the_logits() {
    let text = "the rain in the street and the sun on the hill ".repeat(3);
    let ids = foregate(["tokenize"]).arg(tiny_model()).args(["-p", &text]).ok();
    let ids: Vec<usize> = ids.split_whitespace().map(|id| id.parse().unwrap()).collect();
    let (ctx, chunks) = (16, ids.len() / 16);
    let mut sum = 0.0;
    for chunk in ids.chunks_exact(ctx) {
        let list = chunk.iter().map(usize::to_string).collect::<Vec<_>>().join(",");
        let bytes = on_model("logits", &["--ids", &list]).run().output.stdout;
        let logits: Vec<f64> =
            bytes.chunks_exact(4).map(|b| f64::from(f32::from_le_bytes(b.try_into().unwrap()))).collect();
        for target in ctx / 2 + 1..ctx {
            let row = &logits[(target - 1) * 303..target * 303];
            sum += row.iter().map(|x| x.exp()).sum::<f64>().ln() - row[chunk[target]];
        }
    }
    let expected = (sum / (chunks * (ctx - ctx / 2 - 1)) as f64).exp();
    let report = on_model("perplexity", &["-p", &text, "--ctx", "16", "--json"]).ok();
    let report: Value = serde_json::from_str(&report).unwrap();
    assert_eq!(report["chunks"], chunks);
    assert_eq!(report["tokens_scored"], chunks * 7);
    let got = report["perplexity"].as_f64().unwrap();
    assert!((got / expected - 1.0).abs() < 1e-6, "{got} {expected}");
}

#[test]
fn perplexity_is_the_same_token_by_token() {
    let text = "the rain in the street and the sun on the hill ".repeat(3);
    let line = |args: &[&str]| on_model("perplexity", &[&["-p", &text, "--ctx", "20"], args].concat()).ok();
    let whole = line(&[]);
    assert!(whole.starts_with("perplexity "), "{whole}");
    assert_eq!(line(&["--batch", "1"]), whole);
    assert_ne!(line(&["--chunks", "1"]), whole);
    assert!(on_model("perplexity", &["-p", "short"]).fails(1).contains("chunk of 512"));
}

#[test]
fn a_tensor_without_a_place_in_the_architecture_is_refused() {
    let dir = Dir::new();
    let mut model = fs::read(tiny_model()).unwrap();
    // two layers instead of three: those of the third have no place
    let key = b"qwen3moe.block_count";
    let at = model.windows(key.len()).position(|w| w == key).unwrap() + key.len() + 4;
    assert_eq!(model[at..at + 4], 3u32.to_le_bytes());
    model[at] = 2;
    let file = dir.file("two-layers.gguf", model);
    let said = foregate(["generate"]).arg(&file).args(["-p", "rain", "--device", "cpu"]).fails(1);
    assert!(
        said.contains("tensor blk.2.") && said.contains("more) has no place in the architecture qwen3moe"),
        "{said}"
    );
}
