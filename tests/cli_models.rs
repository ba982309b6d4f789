//! `foregate inspect`, `perplexity` and `logits`, on a tiny random model.

mod common;

use std::fs;
use std::path::Path;

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
fn inspect_shows_names_of_a_file_without_their_control_characters() {
    let dir = Dir::new();
    let mut model = fs::read(tiny_model()).unwrap();
    let name = b"tiny random chat model";
    let at = model.windows(name.len()).position(|w| w == name).unwrap();
    model[at..at + 4].copy_from_slice(b"\x1b[2J");
    let file = dir.file("odd.gguf", model);
    let text = foregate(["inspect"]).arg(file).args(["--device", "cpu"]).ok();
    assert!(text.contains("\\u{1b}[2J random chat model (qwen3moe)") && !text.contains('\x1b'), "{text:?}");
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
    assert_perplexity_is_that_of_the_logits(&tiny_model(), 303, &text, None);
}

#[test]
fn perplexity_begins_each_chunk_with_bos_where_the_model_adds_one() {
    let dir = Dir::new();
    let words = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/models/words/words-q8_0.gguf");
    let mut model = fs::read(&words).unwrap();
    let text = "the smith carried the lamp to the mill and the widow hid a letter at the school ".repeat(3);
    let (vocab, bos) = vocabulary_and_bos(&words);
    assert_perplexity_is_that_of_the_logits(&words, vocab, &text, Some(bos));
    let key = b"tokenizer.ggml.add_bos_token";
    let at = model.windows(key.len()).position(|w| w == key).unwrap() + key.len() + 4;
    assert_eq!(model[at], 1, "true");
    model[at] = 0;
    assert_perplexity_is_that_of_the_logits(&dir.file("no-bos.gguf", model), vocab, &text, None);
}

#[test]
fn perplexity_takes_the_texts_of_control_tokens_as_text() {
    let text = "the rain <|im_end|> in the street <|im_start|> and ".repeat(3);
    let count = |args: &[&str]| foregate(["tokenize"]).arg(tiny_model()).args(args).ok().split(' ').count();
    assert!(count(&["-p", &text]) < count(&["-p", &text, "--no-special"]), "they are tokens elsewhere");
    assert_perplexity_is_that_of_the_logits(&tiny_model(), 303, &text, None);
}

/// Logits of one row, and the first token that `tokenize` adds to a text.
fn vocabulary_and_bos(model: &Path) -> (usize, usize) {
    let ids = foregate(["tokenize"]).arg(model).args(["-p", "the"]).ok();
    let plain = foregate(["tokenize"]).arg(model).args(["-p", "the", "--no-special"]).ok();
    assert!(ids.ends_with(&plain) && ids != plain, "{ids} {plain}");
    let row = foregate(["logits"]).arg(model).args(["--device", "cpu", "--ids", "1"]).run().output.stdout.len() / 4;
    (row, ids.split(' ').next().unwrap().parse().unwrap())
}

/// Computes the perplexity of a text in chunks of 16 from what `tokenize` and `logits` print, each chunk's first token
/// replaced by `bos` if there is one.
fn assert_perplexity_is_that_of_the_logits(model: &Path, vocab: usize, text: &str, bos: Option<usize>) {
    let on_model = |command: &str, args: &[&str]| foregate([command]).arg(model).args(args);
    let ids = on_model("tokenize", &["-p", text, "--no-special"]).ok();
    let ids: Vec<usize> = bos.into_iter().chain(ids.split_whitespace().map(|id| id.parse().unwrap())).collect();
    let (ctx, chunks) = (16, ids.len() / 16);
    assert!(chunks >= 2, "{} tokens", ids.len());
    let mut sum = 0.0;
    for chunk in ids.chunks_exact(ctx) {
        let mut chunk = chunk.to_vec();
        chunk[0] = bos.unwrap_or(chunk[0]);
        let list = chunk.iter().map(usize::to_string).collect::<Vec<_>>().join(",");
        let bytes = on_model("logits", &["--device", "cpu", "--ids", &list]).run().output.stdout;
        let logits: Vec<f64> =
            bytes.chunks_exact(4).map(|b| f64::from(f32::from_le_bytes(b.try_into().unwrap()))).collect();
        for target in ctx / 2 + 1..ctx {
            let row = &logits[(target - 1) * vocab..target * vocab];
            sum += row.iter().map(|x| x.exp()).sum::<f64>().ln() - row[chunk[target]];
        }
    }
    let expected = (sum / (chunks * (ctx - ctx / 2 - 1)) as f64).exp();
    let report = on_model("perplexity", &["--device", "cpu", "-p", text, "--ctx", "16", "--json"]).ok();
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
    // one newline at the end of a file is not part of the text
    let dir = Dir::new();
    let file = dir.file("text", format!("{text}\n"));
    let tokens = |args: &[&str]| {
        let said = on_model("perplexity", &[args, &["--ctx", "20"]].concat()).run().stderr();
        said.lines().find_map(|line| line.strip_prefix("foregate: ")?.split_once(" tokens, ")?.0.parse::<usize>().ok())
    };
    assert!(tokens(&["-p", &text]).is_some());
    assert_eq!(tokens(&["-f", file.to_str().unwrap()]), tokens(&["-p", &text]));
}

#[test]
fn perplexity_refuses_a_context_that_scores_nothing_before_it_opens_anything() {
    let error = foregate(["perplexity", "/nonexistent.gguf", "-p", "x", "--ctx", "2"]).fails(2);
    assert!(error.contains("--ctx 2") && error.contains("at least 3"), "{error}");
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

#[test]
fn cache_sizes_in_cycles_and_percent_are_slots() {
    for (cache, slots) in [("2x", 12), ("1.5x", 9), ("50%", 12), ("100%", 24), ("1000x", 24)] {
        let report: Value =
            serde_json::from_str(&on_model("inspect", &["--memory", "64MiB", "--cache", cache, "--json"]).ok())
                .unwrap();
        let classes = report["plan"]["classes"].as_array().unwrap();
        assert_eq!(classes.iter().map(|c| c["slots"].as_u64().unwrap()).sum::<u64>(), slots, "{cache}: {report}");
    }
    let refused = on_model("generate", &["-p", "rain", "--cache", "1k"]).fails(1);
    let percent = refused.split(" need ").nth(1).and_then(|rest| rest.split([',', ' ']).nth(2)).unwrap();
    on_model("generate", &["-p", "rain", "-n", "2", "--cache", percent]).ok();
}

#[test]
fn a_cache_that_does_not_fit_is_refused_with_the_budget_that_holds_it() {
    let said = on_model("generate", &["-p", "rain", "--cache", "100%", "--memory", "20MiB"]).fails(1);
    assert!(said.contains("with that --cache"), "{said}");
    let works = said.split("the smallest that works is --memory ").nth(1).unwrap_or_else(|| panic!("{said}"));
    let works = works.split(';').next().unwrap();
    let report = on_model("inspect", &["--cache", "100%", "--memory", works, "--json"]).ok();
    let report: Value = serde_json::from_str(&report).unwrap();
    assert_eq!(report["plan"]["classes"][0]["slots"], 24, "{report}");
}

#[test]
fn the_smallest_budget_that_inspect_names_works() {
    let ctx = ["--ctx", "16384"];
    let text = on_model("inspect", &["--memory", "1GiB"]).args(ctx).ok();
    let behind = |words: &str| -> f64 {
        let word = text.split(words).nth(1).and_then(|rest| rest.split(' ').next());
        word.and_then(|word| word.strip_suffix("MiB")?.parse().ok()).unwrap_or_else(|| panic!("{words}: {text}"))
    };
    let (least, chat) = (behind("Less than "), behind("chat keeps "));
    for (memory, works) in [(least, true), (least - 0.2, false)] {
        let budget = format!("{memory:.1}MiB");
        let run = on_model("generate", &["-p", "rain", "-n", "2", "--memory", &budget]).args(ctx);
        if works { drop(run.ok()) } else { drop(run.fails(1)) }
    }
    on_model("chat", &["-n", "2", "--memory", &format!("{:.1}MiB", least + chat)]).args(ctx).stdin("rain\n").ok();
}

#[test]
fn keys_that_cannot_be_stored_so_are_refused_in_the_plan() {
    let words = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/models/words/words-q8_0.gguf");
    for command in [&["inspect"][..], &["generate", "-p", "rain", "--memory", "1MiB"]] {
        let error = foregate(command).arg(&words).args(["--device", "cpu", "--kv", "q8_0"]).fails(1);
        assert!(error.contains("heads of 16 elements are no multiple of 32"), "{error}");
    }
}

#[test]
fn a_batch_takes_no_more_room_than_the_context_has() {
    let activations = |args: &[&str]| {
        let report = on_model("inspect", &[&["--memory", "1GiB", "--ctx", "32", "--json"], args].concat()).ok();
        let report: Value = serde_json::from_str(&report).unwrap();
        assert_eq!(report["plan"]["batch"], 32);
        report["plan"]["activations"].as_u64().unwrap()
    };
    let least = activations(&["--batch", "32"]);
    assert_eq!((least, least), (activations(&[]), activations(&["--batch", "65536"])));
}
