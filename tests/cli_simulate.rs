//! `foregate simulate`, on small traces and on recorded ones of real models.

mod common;

use std::path::Path;

use common::{Dir, foregate, shared};
use serde_json::Value;

/// Two layers of eight experts, two used per token.
fn small_trace() -> String {
    let token = |n: u32| format!("{{\"tok\": {n}, \"layers\": [[{}, {}], [{}, 7]]}}\n", n % 4, 4 + n % 3, n % 6);
    (0..40).map(token).collect()
}

fn simulate(trace: &Path, args: &[&str]) -> Value {
    let text = foregate(["simulate"]).arg(trace).args(args).arg("--json").ok();
    serde_json::from_str(&text).unwrap()
}

/// Hit rates of a policy in percent, by size.
fn rates(report: &Value, policy: &str) -> Vec<f64> {
    let rows = report["rows"].as_array().unwrap().iter().filter(|row| row["policy"] == policy);
    rows.map(|row| 100.0 * row["hit_rate"].as_f64().unwrap()).collect()
}

fn assert_published(report: &Value, reuse: f64, expected: &[(&str, [f64; 4])]) {
    for (policy, want) in expected {
        let got = rates(report, policy);
        assert_eq!(got.len(), 4);
        let near = got.iter().zip(want).all(|(got, want)| (got - want).abs() < 0.1);
        assert!(near, "{policy}: {got:.2?}, expected {want:?}");
    }
    let got = 100.0 * report["next_token_reuse"].as_f64().unwrap();
    assert!((got - reuse).abs() < 0.1, "next-token reuse {got}, expected {reuse}");
}

#[test]
fn recorded_traces_have_the_published_hit_rates() {
    let Some(dir) = shared("routing-traces") else { return };
    let args = ["--share", "4,8,12.5,25", "--warmup", "16", "--phase", "decode"];
    assert_published(
        &simulate(&dir.join("bigmoeonedge/qwen.route.csv.gz"), &args),
        38.0,
        &[("lru", [0.0, 44.6, 58.2, 84.1]), ("belady", [52.0, 69.8, 80.4, 93.1]), ("decay", [33.5, 50.6, 64.0, 85.2])],
    );
    assert_published(
        &simulate(&dir.join("warp/trace_olmoe_299.jsonl.gz"), &args),
        43.5,
        &[("lru", [0.0, 0.0, 43.7, 57.3]), ("belady", [25.0, 46.6, 60.1, 77.4]), ("decay", [18.0, 30.7, 40.5, 59.4])],
    );
}

#[test]
fn json_holds_a_row_per_size_and_policy_with_rates_as_fractions() {
    let dir = Dir::new();
    let trace = dir.file("t.jsonl", small_trace());
    let report = simulate(&trace, &["--slots", "4,8", "--policy", "lru,belady,lru", "--warmup", "8", "--windows", "2"]);
    assert_eq!(report["schema"], "foregate.simulate/1");
    assert_eq!((report["requests"].as_u64(), report["token_cycle"].as_u64()), (Some(32 * 4), Some(4)));
    let rows = report["rows"].as_array().unwrap();
    let names: Vec<_> =
        rows.iter().map(|row| (row["policy"].as_str().unwrap(), row["slots"].as_u64().unwrap())).collect();
    assert_eq!(names, [("lru", 4), ("belady", 4), ("lru", 8), ("belady", 8)]);
    for row in rows {
        let (hits, requests) = (row["hits"].as_f64().unwrap(), row["requests"].as_f64().unwrap());
        assert_eq!((row["hit_rate"].as_f64().unwrap(), requests), (hits / requests, 128.0));
        assert_eq!(row["decode"]["hits"], row["hits"]);
    }
    assert_eq!(rows[2]["share"], 0.5);
    assert!(rates(&report, "lru")[1] <= rates(&report, "belady")[1]);
    assert_eq!((report["srp"].as_array().unwrap().len(), report["sch"].as_array().unwrap().len()), (1, 2));
    assert!(report["next_token_reuse"].as_f64().unwrap() > 0.0);
}

#[test]
fn the_table_names_sizes_and_policies_and_stderr_what_to_mind() {
    let dir = Dir::new();
    let trace = dir.file("t.jsonl", small_trace());
    let run = foregate(["simulate"]).arg(&trace).args(["--share", "12.5,50%"]).run();
    run.expect_code(0);
    let (out, err) = (run.stdout(), run.stderr());
    for part in
        ["2 layers, 16 experts, token cycle 4", "12.5 %", "50 %", "lru", "next-use", "belady", "SCH(m)", "SRP", "reuse"]
    {
        assert!(out.contains(part), "{part}: {out}");
    }
    assert!(err.contains("token cycle of 4 slots") && err.contains(": 2;"), "{err}");
    assert!(err.contains("8, its largest id + 1") && err.contains("--experts"), "{err}");
    assert!(err.contains("left out: policy router"), "{err}");
}

#[test]
fn bytes_per_token_are_told_where_the_size_of_experts_is_known() {
    let dir = Dir::new();
    let trace = dir.file("t.jsonl", small_trace());
    let (unknown, known) = (
        simulate(&trace, &["--share", "25"]),
        simulate(&trace, &["--share", "25,50", "--expert-bytes", "2.5MiB", "--warmup", "8"]),
    );
    assert!(unknown["rows"].as_array().unwrap().iter().all(|row| row["bytes_per_token"].is_null()));
    assert_eq!(known["expert_bytes"], serde_json::json!([2_621_440, 2_621_440]));
    assert_eq!((known["tokens"].as_u64(), known["tokens_counted"].as_u64()), (Some(40), Some(32)));
    for row in known["rows"].as_array().unwrap() {
        let want = row["misses"].as_f64().unwrap() * 2_621_440.0 / 32.0;
        assert!((row["bytes_per_token"].as_f64().unwrap() - want).abs() < 1e-6, "{row}");
    }
    let out = foregate(["simulate"]).arg(&trace).args(["--share", "25", "--expert-bytes", "2.5MiB"]).ok();
    assert!(out.contains("MiB read per token"), "{out}");
    assert!(out.lines().all(|line| line.chars().count() <= 80), "{out}");
    assert!(!foregate(["simulate"]).arg(&trace).args(["--share", "25"]).ok().contains("read per token"));
    foregate(["simulate"]).arg(&trace).args(["--expert-bytes", "0"]).fails(2);
}

#[test]
fn traces_of_our_own_and_of_others_tell_the_size_of_their_experts() {
    let dir = Dir::new();
    let own = dir.path().join("own.csv");
    let args = ["-p", "Hello", "-n", "8", "--temp", "0", "--trace-scores", "--device", "cpu", "--ctx", "64", "--trace"];
    foregate(["generate"]).arg(common::tiny_model()).args(args).arg(&own).ok();
    let report = simulate(&own, &["--phase", "decode", "--policy", "lru,belady", "--share", "50"]);
    let sizes = report["expert_bytes"].as_array().unwrap();
    assert!(sizes.len() as u64 == report["layers"].as_u64().unwrap() && sizes.iter().all(|n| n.as_u64() > Some(0)));
    assert!(report["rows"][0]["bytes_per_token"].as_f64() >= report["rows"][1]["bytes_per_token"].as_f64());
    let out = foregate(["simulate"]).arg(&own).args(["--share", "25,50"]).ok();
    assert!(out.contains("read per token") && out.contains("router"), "{out}");
    assert!(out.lines().all(|line| line.chars().count() <= 80), "{out}");
    let Some(dir) = shared("routing-traces") else { return };
    let report = simulate(&dir.join("bigmoeonedge/qwen.route.csv.gz"), &["--policy", "lru", "--share", "25"]);
    assert_eq!((&report["expert_bytes"][0], &report["expert_bytes"][7]), (&3_059_712.into(), &2_654_208.into()));
    assert!(report["rows"][0]["bytes_per_token"].as_f64() > Some(0.0));
}

#[test]
fn what_makes_no_sense_is_refused_in_one_line() {
    let dir = Dir::new();
    let trace = dir.file("t.jsonl", small_trace());
    for (args, code, part) in [
        (vec!["--share", "0"], 2, "--share"),
        (vec!["--share", "101"], 2, "--share"),
        (vec!["--slots", "0"], 2, "--slots"),
        (vec!["--slots", "4", "--share", "5"], 2, "--share"),
        (vec!["--policy", "best"], 2, "next-use"),
        (vec!["--windows", "0"], 2, "--windows"),
        (vec!["--share", "1"], 2, "less than one slot"),
        (vec!["--as-recorded", "--slots", "4"], 2, "--slots"),
        (vec!["--as-recorded", "--expert-bytes", "4"], 2, "--expert-bytes"),
        (vec!["--experts", "7"], 1, "line 1: expert 7 of layer 1: the layer has 7"),
        (vec!["--policy", "router"], 1, "--trace-scores"),
        (vec!["--warmup", "40"], 1, "warm-up of 40"),
        (vec!["--phase", "prefill"], 1, "of 0 tokens"),
        (vec!["--as-recorded"], 1, "how its cache was set up"),
    ] {
        let error = foregate(["simulate"]).arg(&trace).args(&args).fails(code);
        assert!(error.contains(part), "{args:?}: {error}");
        assert!(code == 2 || error.lines().count() == 1, "{args:?}: {error}");
    }
    let error = foregate(["simulate", "/nonexistent.csv"]).fails(1);
    assert!(error.contains("/nonexistent.csv"), "{error}");
}

#[cfg(not(debug_assertions))]
mod speed {
    use std::fmt::Write;
    use std::time::Instant;

    use super::*;

    /// A trace of `tokens` tokens through 16 layers of 64 experts, eight used: half of them those of the token before.
    fn large_trace(tokens: u32) -> String {
        let mut text = String::new();
        let mut state = 1u64;
        let mut used: Vec<Vec<u32>> = vec![(0..8).collect(); 16];
        for token in 0..tokens {
            for layer in &mut used {
                for rank in 0..4 {
                    state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                    let wanted = (state >> 33) as u32 % 64;
                    let free = (0..64).map(|n| (wanted + n) % 64).find(|id| !layer.contains(id)).unwrap();
                    layer[rank * 2 + (state >> 60) as usize % 2] = free;
                }
            }
            writeln!(text, "{{\"tok\": {token}, \"layers\": {used:?}}}").unwrap();
        }
        text
    }

    #[test]
    fn large_traces_and_many_sizes_take_seconds() {
        let dir = Dir::new();
        let sizes = (1..=20).map(|n| (5 * n).to_string()).collect::<Vec<_>>().join(",");
        for (tokens, args, limit) in
            [(300, vec!["--share", &sizes], 2.0), (7813, vec!["--share", "12.5", "--policy", "lru,decay,belady"], 10.0)]
        {
            let trace = dir.file("large.jsonl", large_trace(tokens));
            let begin = Instant::now();
            simulate(&trace, &args);
            let seconds = begin.elapsed().as_secs_f64();
            assert!(seconds < limit, "{tokens} tokens: {seconds} s");
        }
    }
}
