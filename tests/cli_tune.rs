//! `foregate tune`: what it finds, what it keeps, and who uses that.

#![allow(missing_docs)]

mod common;

use std::path::Path;

use common::{Dir, TestCommand, foregate, tiny_model};
use serde_json::Value;

/// `foregate COMMAND` on a small model, with profiles kept in `state`.
fn command(command: &str, state: &Path) -> TestCommand {
    in_any_context(command, state).args(["--ctx", "256"])
}

fn in_any_context(command: &str, state: &Path) -> TestCommand {
    let args = foregate([command]).arg(tiny_model()).args(["--device", "cpu"]);
    args.env("XDG_STATE_HOME", state).env("FOREGATE_PROFILE", "on")
}

fn tune(state: &Dir, more: &[&str]) -> TestCommand {
    let prompts = state.file("prompts.txt", "facts: Hello there\ncode: print(1)\n");
    let tokens: &[&str] = if more.contains(&"-n") { &[] } else { &["-n", "6"] };
    command("tune", state.path()).arg("--prompts").arg(prompts).args(tokens).args(more)
}

fn json(out: &str) -> Value {
    serde_json::from_str(out).expect("one JSON object")
}

fn rows<'a>(report: &'a Value, name: &str) -> &'a [Value] {
    report[name].as_array().expect("an array")
}

/// What was predicted for sizes that were timed too is what they gave; how many those were.
fn same_hits(report: &Value) -> usize {
    let (trials, sizes) = (rows(report, "trials"), rows(report, "sizes"));
    let mut compared = 0;
    for trial in trials.iter().filter(|t| t["policy"] == report["best"]["policy"] && t["prefetch"] == "off") {
        for size in sizes.iter().filter(|size| size["slots"] == trial["slots"]) {
            assert_eq!((&size["hit_rate"], &size["bytes_per_token"]), (&trial["hit_rate"], &trial["bytes_per_token"]));
            compared += 1;
        }
    }
    compared
}

#[test]
fn predictions_have_the_very_hits_of_the_runs() {
    let state = Dir::new();
    let report = json(&tune(&state, &["--json"]).ok());
    assert_eq!(report["schema"], "foregate.tune/1");
    let trials = rows(&report, "trials");
    let predicted: Vec<&Value> = trials.iter().filter(|trial| !trial["predicted_tok_s"].is_null()).collect();
    assert!(!predicted.is_empty(), "{report}");
    assert!(same_hits(&report) >= 3 || report["best"]["prefetch"] != "off", "{report}");
    let fitted = trials.iter().rfind(|trial| trial["verdict"] == "fitted").unwrap();
    for part in ["path", "lanes"] {
        assert_eq!(fitted[part], report["best"][part], "sizes are predicted for the reading that was taken: {report}");
    }
    let taken = &trials[report["best_trial"].as_u64().unwrap() as usize];
    assert_eq!((&taken["cache"], &taken["tok_s"]), (&report["best"]["cache"], &report["tok_s"]));
    for trial in predicted {
        let off = trial["predicted_tok_s"].as_f64().unwrap() / trial["tok_s"].as_f64().unwrap() - 1.0;
        assert!((off - trial["error"].as_f64().unwrap()).abs() < 1e-9);
        assert!(off.abs() <= report["prediction_error_most"].as_f64().unwrap() + 1e-9);
    }
}

#[test]
fn a_policy_that_decides_by_scores_is_predicted_as_it_runs() {
    let state = Dir::new();
    let report = json(&tune(&state, &["--policy", "router", "--prefetch", "off", "--json"]).ok());
    assert!(same_hits(&report) >= 3, "{report}");
}

#[test]
fn what_was_found_is_kept_used_and_named() {
    let state = Dir::new();
    let report = json(&tune(&state, &["--policy", "lfu", "--io", "mmap", "--lanes", "3", "--json"]).ok());
    let best = &report["best"];
    assert_eq!((&best["policy"], &best["path"], &best["lanes"]), (&"lfu".into(), &"mmap".into(), &3.into()));
    assert!(Path::new(report["profile"].as_str().unwrap()).is_file());

    let generate = |more: &[&str]| {
        let run = command("generate", state.path())
            .args(["-p", "Hello", "-n", "3", "--temp", "0", "--json"])
            .args(more)
            .run();
        run.expect_code(0);
        (json(&run.stdout()), run.stderr())
    };
    let (with, said) = generate(&[]);
    assert!(said.contains("as `foregate tune` found: lfu, "), "{said}");
    assert_eq!(&with["run"]["profile"], best);
    assert_eq!(
        (&with["run"]["policy"], &with["run"]["read_path"], &with["run"]["lanes"]),
        (&"lfu".into(), &"mmap".into(), &3.into())
    );
    let (given, _) = generate(&["--policy", "lru"]);
    assert_eq!(
        (&given["run"]["policy"], &given["run"]["read_path"]),
        (&"lru".into(), &"mmap".into()),
        "a flag outweighs it"
    );
    let (without, said) = generate(&["--profile", "off"]);
    assert!(without["run"]["profile"].is_null() && !said.contains("tune"), "{said}");
    assert_eq!(with["ids"], without["ids"]);
    let staging = |more: &[&str]| {
        let report = json(&command("inspect", state.path()).args(["--json"]).args(more).ok());
        (report["profile"] == *best, report["plan"]["staging"].as_u64().unwrap())
    };
    let (with, without) = (staging(&[]), staging(&["--profile", "off"]));
    assert!(with.0 && !without.0 && with.1 > without.1, "three lanes of a map are planned for: {with:?} {without:?}");
}

#[test]
fn a_cache_that_is_given_is_kept_as_it_is() {
    let state = Dir::new();
    let report = json(&tune(&state, &["--cache", "50%", "--json"]).ok());
    let half = rows(&report, "trials")[0]["slots"].as_u64().unwrap();
    assert_eq!(half, 12, "{report}");
    assert_eq!(&report["best"]["cache"], &rows(&report, "trials")[0]["cache_bytes"]);
    let share = |flags: &[&str]| {
        let what_if = json(&tune(&state, &[&["--what-if", "1GiB", "--json"], flags].concat()).ok());
        rows(&what_if, "what_if")[0]["share"].as_f64().unwrap()
    };
    assert_eq!(
        (share(&["--cache", "50%"]), share(&[])),
        (0.5, 1.0),
        "a budget's cache is the one that is given, or fills it"
    );
}

#[test]
fn what_was_kept_tells_what_other_budgets_would_reach() {
    let state = Dir::new();
    tune(&state, &["--memory", "512MiB"]).ok();
    let run = tune(&state, &["--memory", "512MiB", "--what-if", "8KiB,1GiB,2GiB", "--dry-run", "--json"]).run();
    run.expect_code(0);
    assert!(run.stderr().contains("an earlier run kept") && !run.stderr().contains("kept in"), "{}", run.stderr());
    let report = json(&run.stdout());
    let what_if = rows(&report, "what_if");
    assert!(what_if[0]["refused"].as_str().unwrap().contains("the smallest that works"), "{report}");
    assert_eq!(what_if[1]["share"], 1.0);
    assert_eq!(what_if[1]["tok_s"], what_if[2]["tok_s"], "more than all experts buys nothing");
    assert!(rows(&report, "trials").is_empty());
    let again =
        json(&tune(&state, &["--memory", "512MiB", "--what-if", "1GiB", "--again", "--dry-run", "--json"]).ok());
    assert!(!rows(&again, "trials").is_empty() && again["profile"].is_null());
}

/// `tune --what-if 1GiB` beside a profile that was found with `--policy lru --prefetch off --io mmap --lanes 2`.
fn kept() -> (Dir, impl Fn(&Dir, &[&str]) -> TestCommand) {
    let state = Dir::new();
    tune(&state, &["--policy", "lru", "--prefetch", "off", "--io", "mmap", "--lanes", "2"]).ok();
    (state, |state, more| {
        let args: &[&str] = &["--cache", "50%", "--what-if", "1GiB", "--json"];
        let ctx = if more.contains(&"--ctx") { in_any_context } else { command };
        ctx("tune", state.path()).args(args).args(more)
    })
}

#[test]
fn a_flag_beside_what_was_kept_acts_or_is_refused() {
    let (state, ask) = kept();
    let answer = |more: &[&str]| json(&ask(&state, more).ok());
    let (plain, given) = (answer(&[]), answer(&["--policy", "decay", "--prefetch", "4", "--lookahead", "2"]));
    assert_eq!((&plain["asked"]["policy"], &plain["best"]["policy"]), (&"lru".into(), &"lru".into()));
    assert_eq!((&given["asked"]["policy"], &given["asked"]["prefetch"]), (&"decay".into(), &"4".into()));
    assert_ne!(plain["what_if"], given["what_if"], "{given}");
    assert_eq!(plain["what_if"], answer(&["--io", "mmap", "--lanes", "2", "-n", "6"])["what_if"]);
    // the same as what was chosen
    assert_eq!(plain["what_if"], answer(&["--kv", "f16", "--predictor", "gate"])["what_if"]);
    answer(&["--ctx", "5000"]);
    let prompts = state.file("others.txt", "facts: Good morning\n");
    for (flags, word) in [
        (&["-n", "7"][..], "-n cannot act: what was kept was measured with -n 6"),
        (&["--prompts", prompts.to_str().unwrap()], "--prompts cannot act"),
        (&["--io", "direct"], "--io cannot act"),
        (&["--lanes", "3"], "--lanes cannot act"),
        (&["--batch", "16"], "--batch cannot act"),
        (&["--kv", "f32"], "--kv cannot act: what was kept was measured with --kv f16"),
        (&["--ctx", "20"], "--ctx cannot act: what was kept was measured with --ctx 256"),
        (&["--policy", "router"], "scores"),
    ] {
        let error = ask(&state, flags).fails(2);
        assert!(error.contains(word) && error.contains("--again"), "{flags:?}: {error}");
    }
    let missing = ask(&state, &["--prompts", "/nonexistent"]).run();
    assert!(missing.stderr().contains("/nonexistent"), "{}", missing.stderr());
}

#[test]
fn a_kept_trace_that_is_cut_or_gone_is_measured_anew() {
    let (state, ask) = kept();
    let trace = |report: &Value| Path::new(report["profile"].as_str().unwrap()).with_extension("csv.gz");
    let first = json(&ask(&state, &[]).ok());
    let cut = std::fs::read(trace(&first)).unwrap();
    for spoil in [true, false] {
        if spoil {
            std::fs::write(trace(&first), &cut[..cut.len() / 2]).unwrap();
        } else {
            std::fs::remove_file(trace(&first)).unwrap();
        }
        let run = ask(&state, &["-n", "6"]).run();
        run.expect_code(0);
        assert!(run.stderr().contains("cannot answer") && run.stderr().contains("measuring anew"), "{}", run.stderr());
        assert!(!rows(&json(&run.stdout()), "trials").is_empty());
    }
}

#[test]
fn a_profile_that_was_edited_is_ignored_with_a_warning() {
    let (state, ask) = kept();
    let place = json(&ask(&state, &[]).ok())["profile"].as_str().unwrap().to_owned();
    let whole = std::fs::read_to_string(&place).unwrap();
    std::fs::write(&place, whole.replace("\"lanes\": 2", "\"lanes\": 999999")).unwrap();
    let run = command("generate", state.path()).args(["-p", "Hello", "-n", "3", "--temp", "0"]).run();
    run.expect_code(0);
    let said = run.stderr();
    assert!(said.matches("warning: ").count() == 1 && said.contains(&place) && !said.contains("found"), "{said}");
}

#[test]
fn a_profile_is_of_its_budget_and_its_note_names_what_it_settles() {
    let state = Dir::new();
    tune(&state, &["--memory", "512MiB", "--policy", "lfu", "--io", "mmap", "--lanes", "3", "--cache", "50%"]).ok();
    let said = |more: &[&str]| {
        let run = command("generate", state.path()).args(["-p", "Hello", "-n", "2", "--temp", "0"]).args(more).run();
        run.expect_code(0);
        run.stderr()
    };
    for flags in [&[][..], &["--memory", "513MiB"]] {
        assert!(!said(flags).contains("tune"), "another budget");
    }
    let all = said(&["--memory", "512MiB"]);
    assert!(all.contains("found: lfu, ") && all.contains("mmap reads in 3 lanes, a cache of "), "{all}");
    let some = ["--memory", "512MiB", "--policy", "lru", "--prefetch", "off", "--cache", "25%", "--lanes", "2"];
    assert!(said(&some).contains("found: mmap reads; --profile off"), "{}", said(&some));
    let none = said(&[&some[..], &["--io", "mmap"]].concat());
    assert!(!none.contains("tune"), "{none}");
}

#[test]
#[cfg(unix)]
fn what_was_measured_is_told_even_if_it_cannot_be_kept() {
    let dir = Dir::new();
    let prompts = dir.file("prompts.txt", "facts: Hello there\n");
    let run = command("tune", Path::new("/dev/null")).arg("--prompts").arg(prompts).args(["-n", "4", "--json"]).run();
    run.expect_code(1);
    assert!(json(&run.stdout())["profile"].is_null() && run.stderr().contains("/dev/null"), "{}", run.stderr());
}

#[test]
fn a_dry_run_keeps_nothing() {
    let state = Dir::new();
    let text = tune(&state, &["--dry-run"]).ok();
    assert!(
        text.contains("fastest: cache ") && text.contains(" tok/s, measured in round ") && text.contains("off by"),
        "{text}"
    );
    assert!(!state.path().join("foregate").exists());
}

#[test]
fn a_budget_without_room_for_another_way_of_reading_is_tuned_all_the_same() {
    let state = Dir::new();
    let refusal = tune(&state, &["--memory", "1MiB"]).fails(1);
    let smallest = refusal.split("the smallest that works is --memory ").nth(1).and_then(|rest| rest.split(';').next());
    let report = json(&tune(&state, &["--memory", smallest.unwrap(), "--dry-run", "--json"]).ok());
    let mapped = |trial: &&Value| trial["path"] == "mmap";
    assert!(rows(&report, "trials").len() > 1 && rows(&report, "trials").iter().find(mapped).is_none(), "{report}");
}

#[test]
fn what_cannot_be_tuned_is_refused() {
    let state = Dir::new();
    for (flags, word) in [
        (&["--again"][..], "--what-if"),
        (&["--what-if", "much"], "no size"),
        (&["-n", "1"], "larger -n"),
        (&["--prefetch", "off", "--lookahead", "2"], "--lookahead"),
    ] {
        let error = tune(&state, flags).fails(2);
        assert!(error.contains(word), "{flags:?}: {error}");
    }
}
