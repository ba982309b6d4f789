//! `foregate generate`, on a tiny random model.

mod common;
#[path = "common/gguf_builder.rs"]
mod gguf_builder;

use std::fs;
use std::io::Read;
use std::process::{Command, Stdio};

use common::{Dir, TestCommand, foregate, tiny_model};
use gguf_builder::{Builder, V};
use serde_json::Value;
use sha2::{Digest, Sha256};

fn generate(args: &[&str]) -> TestCommand {
    foregate(["generate"]).arg(tiny_model()).args(["--device", "cpu"]).args(args)
}

fn json(args: &[&str]) -> Value {
    serde_json::from_str(&generate(args).arg("--json").ok()).unwrap()
}

#[test]
fn the_text_goes_to_stdout_and_ends_with_a_newline() {
    let run = generate(&["-p", "the rain", "-n", "8", "--temp", "0"]).run();
    run.expect_code(0);
    let text = run.stdout();
    assert!(text.len() > 1 && text.ends_with('\n') && !text.contains("foregate:"), "{text:?}");
    assert!(run.stderr().contains("computing on cpu"), "{}", run.stderr());
}

#[test]
fn json_holds_the_text_its_ids_their_hash_and_the_counts() {
    let report = json(&["-p", "the rain", "-n", "8", "--temp", "0"]);
    assert_eq!(report["schema"], "foregate.generate/1");
    assert_eq!(report["tokens"], 8);
    assert_eq!(report["ended"], "length");
    assert_eq!(
        report["prompt_tokens"],
        foregate(["tokenize"]).arg(tiny_model()).args(["-p", "the rain"]).ok().split(' ').count()
    );
    let ids: Vec<u32> = serde_json::from_value(report["ids"].clone()).unwrap();
    let mut hash = Sha256::new();
    ids.iter().for_each(|id| hash.update(id.to_le_bytes()));
    let hash: String = hash.finalize().iter().map(|b| format!("{b:02x}")).collect();
    assert_eq!(report["sha256"], hash);
    let count = |key: &str| report[key].as_u64().unwrap();
    assert_eq!(count("hits"), report["prefill"]["hits"].as_u64().unwrap() + report["decode"]["hits"].as_u64().unwrap());
    // 7 tokens are fed back, through 3 layers of 2 experts each.
    assert_eq!(report["decode"]["hits"].as_u64().unwrap() + report["decode"]["misses"].as_u64().unwrap(), 7 * 3 * 2);
    assert!(count("misses") > 0 && count("bytes_read") > 0, "a cold cache reads");
    for key in ["prefill_tok_s", "decode_tok_s", "time_to_first_token_s", "load_s"] {
        assert!(report[key].as_f64().unwrap() > 0.0, "{key}");
    }
    assert_eq!(report["run"]["device"], "cpu");
}

#[test]
fn no_flag_that_is_about_speed_changes_the_output() {
    let base = json(&["-p", "the rain in", "-n", "24", "--temp", "0.9", "--seed", "11"]);
    for flags in [
        "--cache 1x",
        "--cache 10%",
        "--threads 1",
        "--batch 1",
        "--batch 3",
        "--io mmap",
        "--io direct",
        "--lanes 1",
        "--cpu-features portable",
    ] {
        let mut args = vec!["-p", "the rain in", "-n", "24", "--temp", "0.9", "--seed", "11"];
        args.extend(flags.split(' '));
        assert_eq!(json(&args)["sha256"], base["sha256"], "{flags}");
    }
}

#[test]
fn the_seed_fixes_the_text_and_is_told() {
    let text = |seed: &str| json(&["-p", "the", "-n", "16", "--seed", seed])["text"].clone();
    assert_eq!(text("1"), text("1"));
    assert_ne!(text("1"), text("2"));
    let drawn = json(&["-p", "the", "-n", "16"]);
    let again = text(&drawn["seed"].to_string());
    assert_eq!(drawn["text"], again, "a seed that was drawn can be given");
}

#[test]
fn a_stop_text_ends_the_answer() {
    let whole = json(&["-p", "the", "-n", "32", "--temp", "0"])["text"].as_str().unwrap().to_owned();
    let middle: String = whole.chars().skip(4).take(3).collect();
    let cut = json(&["-p", "the", "-n", "32", "--temp", "0", "--stop", &middle]);
    assert_eq!(cut["ended"], "stop_text");
    assert_eq!(cut["text"].as_str().unwrap(), &whole[..whole.find(&middle).unwrap()]);
}

#[test]
fn the_context_ends_the_answer_with_a_message() {
    let run = generate(&["-p", "the", "--ctx", "12", "--temp", "0"]).run();
    run.expect_code(0);
    assert!(run.stderr().contains("context of 12 tokens is full"), "{}", run.stderr());
    let error = generate(&["-p", "a long prompt that does not fit", "--ctx", "4"]).fails(1);
    assert!(error.contains("context of 4") && error.contains("--ctx"), "{error}");
}

#[test]
fn thoughts_are_told_apart_from_the_answer_of_a_chat() {
    let dir = Dir::new();
    let args = ["-p", "the rain", "-n", "8", "--temp", "0"];
    let said = json(&["-p", "the rain<think>", "-n", "8", "--temp", "0"]);
    let chat = |template: &str| {
        let template = dir.file("template", template);
        generate(&args).args(["--chat", "--chat-template"]).arg(template)
    };
    let report = |template: &str| -> Value { serde_json::from_str(&chat(template).arg("--json").ok()).unwrap() };
    // the prompt opens the thoughts, and nothing closes them
    let thinks = report("{{ messages[0].content }}<think>");
    assert_eq!((&thinks["sha256"], &thinks["text"]), (&said["sha256"], &Value::from("")));
    assert_eq!(thinks["thought"].as_str().unwrap(), said["text"].as_str().unwrap().trim());
    let run = chat("{{ messages[0].content }}<think>").run();
    run.expect_code(0);
    assert_eq!(run.stdout(), "\n");
    assert!(run.stderr().contains(thinks["thought"].as_str().unwrap()), "{}", run.stderr());
    // a comment says nothing of the model
    let plain = report("{# <think> </think> #}{{ messages[0].content }}");
    assert_eq!((&plain["thought"], &plain["text"]), (&Value::Null, &json(&args)["text"]));
    // a model thinks in a template that does not know of it
    let own = V::str("{{ messages[0].content }}</think>");
    let model = Builder::from_file(&tiny_model()).with("tokenizer.chat_template", own).write(dir.path(), "thinks.gguf");
    let template = dir.file("template", "{{ messages[0].content }}");
    let run = foregate(["generate", "--device", "cpu", "-p", "the rain<think>", "--chat", "--json"]).arg(model);
    let run = run.args(["-n", "8", "--temp", "0", "--chat-template"]).arg(template);
    let elsewhere: Value = serde_json::from_str(&run.ok()).unwrap();
    assert_eq!((&elsewhere["thought"], &elsewhere["text"]), (&thinks["thought"], &thinks["text"]));
}

#[test]
fn prompts_come_from_files_and_stdin_too() {
    let dir = Dir::new();
    let args = ["-n", "8", "--temp", "0"];
    let text = generate(&args).args(["-p", "the rain"]).ok();
    for content in ["the rain", "the rain\n"] {
        let file = dir.file("prompt", content);
        assert_eq!(generate(&args).arg("-f").arg(file).ok(), text, "the newline that ends a file is left out");
        assert_eq!(generate(&args).args(["-f", "-"]).stdin(content).ok(), text);
    }
    let tokens = |args: &[&str]| json(&[&["-n", "0"], args].concat())["prompt_tokens"].as_u64().unwrap();
    let two = dir.file("two", "the rain\n\n");
    assert_eq!(tokens(&["-f", two.to_str().unwrap()]), tokens(&["-p", "the rain\n"]), "one newline at most");
    assert!(tokens(&["-p", "the rain\n"]) > tokens(&["-p", "the rain"]), "a text on the command line is kept as it is");
}

#[test]
fn chat_wraps_the_prompt_in_a_template() {
    let dir = Dir::new();
    let template = dir.file("template", "{{ messages[0].role }}:{{ messages[0].content }}");
    let with = |args: &[&str]| json(&[&["-n", "0"], args].concat())["prompt_tokens"].as_u64().unwrap();
    let tokens =
        |text: &str| foregate(["tokenize"]).arg(tiny_model()).args(["-p", text]).ok().split(' ').count() as u64;
    let prompt = "<|im_start|>user\nhi<|im_end|>\n<|im_start|>assistant\n";
    assert_eq!(with(&["-p", "hi", "--chat"]), tokens(prompt));
    assert_eq!(
        with(&["-p", "hi", "--chat", "-s", "be"]),
        tokens(&format!("<|im_start|>system\nbe<|im_end|>\n{prompt}"))
    );
    assert_eq!(with(&["-p", "hi", "--chat", "--chat-template", template.to_str().unwrap()]), tokens("user:hi"));
    assert!(generate(&["-p", "hi", "-s", "be"]).fails(2).contains("--chat"));
}

#[test]
fn stats_name_both_phases_on_stderr() {
    let run = generate(&["-p", "the", "-n", "4", "--stats"]).run();
    run.expect_code(0);
    for part in ["prefill: ", "decode: 3 tokens", "tokens/s", "expert hits", "first token after", "read ", "stalled "] {
        assert!(run.stderr().contains(part), "{part}: {}", run.stderr());
    }
}

#[test]
fn an_impossible_budget_is_refused_with_the_one_that_works() {
    let error = generate(&["-p", "the", "--memory", "20MiB"]).fails(1);
    assert!(error.contains("--memory") && error.contains("smallest"), "{error}");
    let smallest = error.split("smallest that works is ").nth(1).unwrap();
    let smallest: Vec<&str> = smallest.split([' ', ';']).take(2).collect();
    generate(&["-p", "the", "-n", "2"]).args(smallest).ok();
}

#[test]
fn without_a_model_one_line_says_how_to_give_one() {
    // The clone's own demo model is there for this binary, so the variable is pointed at nothing.
    let error = foregate(["generate", "-p", "x"]).env("FOREGATE_MODEL", "/nonexistent.gguf").fails(1);
    assert_eq!(error.lines().count(), 1, "{error}");
    assert!(error.contains("/nonexistent.gguf") && error.contains("FOREGATE_MODEL"), "{error}");
}

#[test]
fn bad_usage_is_refused_before_anything_is_loaded() {
    for (args, part) in [
        (vec!["-p", "x", "--temp", "hot"], "--temp"),
        (vec!["-p", "x", "--temp", "-1"], "give a number from 0 to 1000"),
        (vec!["-p", "x", "--top-k", "-1"], "give a whole number from 0 on"),
        (vec!["-p", "x", "--memory", "lots"], "--memory"),
        (vec!["-p", "x", "--cache", "200%"], "--cache"),
        (vec!["-p", "x", "--vram", "1GiB"], "--vram"),
        (vec!["-p", "x", "--policy", "clairvoyant"], "--policy"),
        (vec!["-p", "x", "--stop", ""], "--stop"),
        (vec!["-p", "x", "--threads", "65536"], "--threads"),
        (vec!["-p", "x", "--ctx", "1073741825"], "--ctx"),
        (vec!["-p", "x", "--batch", "65537"], "--batch"),
        (vec![], "--prompt"),
    ] {
        assert!(generate(&args).fails(2).contains(part), "{args:?}");
    }
}

#[test]
fn a_reader_that_leaves_early_ends_the_answer_quietly() {
    let mut child = generate(&["-p", "the", "--ctx", "20000"])
        .into_command()
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdout = child.stdout.take().unwrap();
    stdout.read_exact(&mut [0; 4]).unwrap();
    drop(stdout);
    let output = child.wait_with_output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && !stderr.contains("error"), "{}: {stderr}", output.status);
}

#[test]
fn minus_one_is_no_limit_and_a_random_seed() {
    let report = json(&["-p", "the", "-n", "-1", "--ctx", "12", "--seed", "-1"]);
    assert_eq!(report["ended"], "context_full");
    assert!(report["seed"].is_u64());
}

#[test]
fn a_context_beyond_the_trained_one_is_told() {
    let said = |ctx: &str| generate(&["-p", "the", "-n", "1", "--ctx", ctx]).run().stderr();
    assert!(said("513").contains("--ctx 513 is beyond the 512 tokens"), "{}", said("513"));
    assert!(!said("512").contains("beyond"));
}

#[test]
fn an_architecture_that_cannot_be_run_is_named_before_what_else_a_file_lacks() {
    let dir = Dir::new();
    let mut model = fs::read(tiny_model()).unwrap();
    for (old, new) in [("qwen3moe", "qw\x1b[2Joe"), ("tokenizer.ggml.model", "tokenizer.ggml.mXdel")] {
        let at = model.windows(old.len()).position(|w| w == old.as_bytes()).unwrap();
        // the first `qwen3moe` is the value of general.architecture
        model[at..at + old.len()].copy_from_slice(&new.as_bytes()[..old.len()]);
    }
    let file = dir.file("odd.gguf", model);
    for command in [vec!["generate", "-p", "x"], vec!["chat"], vec!["perplexity", "-p", "x"]] {
        let error = foregate(&command).arg(&file).args(["--device", "cpu"]).stdin("").fails(1);
        assert!(error.contains("architecture `qw\\u{1b}[2Joe` is not supported"), "{command:?}: {error:?}");
        assert!(!error.contains('\x1b'), "{error:?}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_stderr_that_takes_nothing_is_no_failure() {
    let full = || fs::File::options().write(true).open("/dev/full").unwrap();
    let text = generate(&["-p", "the", "-n", "4", "--temp", "0"]).ok();
    let command = generate(&["-p", "the", "-n", "4", "--temp", "0", "--stats", "-v"]);
    let output = command.into_command().stdin(Stdio::null()).stderr(full()).output().unwrap();
    assert_eq!((output.status.code(), String::from_utf8(output.stdout).unwrap()), (Some(0), text));
    let failing = foregate(["generate", "/nonexistent.gguf", "-p", "x"]);
    let status = failing.into_command().stdin(Stdio::null()).stdout(Stdio::null()).stderr(full()).status().unwrap();
    assert_eq!(status.code(), Some(1), "an error that nobody reads is still one");
}

#[cfg(unix)]
#[test]
fn ctrl_c_stops_the_answer_with_its_figures_and_exit_code_130() {
    let mut child = generate(&["-p", "the", "--ctx", "30000", "--temp", "0.9", "--seed", "1", "--stats"])
        .into_command()
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdout.as_mut().unwrap().read_exact(&mut [0; 8]).unwrap();
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    let output = child.wait_with_output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(130), "{stderr}");
    assert!(stderr.contains("foregate: stopped") && stderr.contains("decode: "), "{stderr}");
    assert!(output.stdout.ends_with(b"\n"));
}

#[test]
fn a_cache_below_what_one_token_uses_is_warned_about_with_the_numbers() {
    let run = |cache: &str| {
        let run = foregate(["generate", "-p", "hi", "-n", "1", "--device", "cpu", "--cache", cache]).run();
        run.expect_code(0);
        run.stderr()
    };
    let warned = run("0.5x");
    assert!(warned.contains("holds 16 experts and one token uses 32") && warned.contains("KiB more"), "{warned}");
    assert!(!run("1x").contains("one token uses"));
}

#[test]
fn a_cache_too_small_for_prefetching_says_so() {
    let run = |cache| {
        foregate(["generate"])
            .arg(tiny_model())
            .args(["--device", "cpu", "-p", "rain", "-n", "3", "--prefetch", "8", "--json", "--cache", cache])
            .run()
    };
    let small = run("30%");
    let report: Value = serde_json::from_str(&small.stdout()).unwrap();
    assert_eq!(report["prefetched_tokens"]["with"], 0);
    let small = small.stderr();
    assert!(small.contains("nothing is prefetched") && small.contains("the cache has 8"), "{small}");
    assert!(!run("90%").stderr().contains("nothing is prefetched"));
}

#[test]
fn what_prefetches_came_to_is_told_by_layer() {
    let run =
        foregate(["generate", "-p", "Sort 9, 2, 5.", "--chat", "--temp", "0", "--device", "cpu", "--json", "--stats"])
            .args(["--cache", "50%", "--prefetch", "4"])
            .run();
    run.expect_code(0);
    let report: Value = serde_json::from_str(&run.stdout()).unwrap();
    let decoded = &report["decode"]["tokens"];
    let tokens = &report["prefetched_tokens"];
    assert!(tokens["with"] == *decoded && tokens["of"] == *decoded, "{tokens} of {decoded}");
    let rows = report["ledger"].as_array().unwrap();
    let sum = |field: &str| rows.iter().map(|row| row[field].as_u64().unwrap()).sum::<u64>();
    assert_eq!(rows.len(), 8, "{rows:?}");
    assert!(
        sum("issued") > 0 && sum("useful") + sum("late") + sum("wasted") + sum("cancelled") <= sum("issued"),
        "{rows:?}"
    );
    assert!(run.stderr().contains(&format!("prefetched {} experts", sum("issued"))), "{}", run.stderr());
}
