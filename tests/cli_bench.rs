//! `foregate bench`: what it prints, what its JSON holds, what it refuses.

#![allow(missing_docs)]

mod common;

use common::{Dir, foregate, tiny_model};
use serde_json::Value;

/// The JSON of a small sweep over the random model of the fixtures.
fn small(dir: &Dir, more: &[&str]) -> Value {
    let prompts = dir.file("prompts.txt", "# two\nfacts: Hello there\ncode: print(1)\n");
    let model = tiny_model();
    let out = foregate(["bench"])
        .arg(model)
        .arg("--prompts")
        .arg(prompts)
        .args(["--sizes", "50%,1x", "--policies", "lru,decay", "--prefetch-modes", "off,4"])
        .args(["-n", "4", "--device", "cpu", "--memory", "512MiB", "--json"])
        .args(more)
        .ok();
    serde_json::from_str(&out).expect("one JSON object")
}

fn len(value: &Value) -> usize {
    value.as_array().expect("an array").len()
}

#[test]
fn every_configuration_runs_twice_in_mirrored_order_with_the_same_tokens() {
    let report = small(&Dir::new(), &["--ctx", "256"]);
    assert_eq!(report["schema"], "foregate.bench/1");
    assert_eq!(len(&report["configurations"]), 8);
    let runs = report["runs"].as_array().unwrap();
    let order: Vec<u64> = runs.iter().map(|run| run["configuration"].as_u64().unwrap()).collect();
    assert_eq!(order, (0..8).chain((0..8).rev()).collect::<Vec<_>>());
    for run in runs {
        assert_eq!(run["sha256"], report["sha256"]);
        assert_eq!(run["start"], "warm");
    }
}

#[test]
fn figures_agree_with_the_runs_that_they_stand_for() {
    let report = small(&Dir::new(), &["--ctx", "256"]);
    for (place, row) in report["configurations"].as_array().unwrap().iter().enumerate() {
        let runs: Vec<&Value> =
            report["runs"].as_array().unwrap().iter().filter(|r| r["configuration"] == place).collect();
        let sum = |phase: &str, field: &str| -> u64 { runs.iter().map(|r| r[phase][field].as_u64().unwrap()).sum() };
        let (hits, misses) = (sum("decode", "hits"), sum("decode", "misses"));
        assert_eq!(row["hit_rate"].as_f64().unwrap(), hits as f64 / (hits + misses) as f64);
        let beside = |field: &str| runs.iter().map(|run| run[field].clone()).collect::<Value>();
        assert_eq!(row["hit_rate_runs"], beside("hit_rate"));
        assert_eq!(row["bytes_per_token_runs"], beside("bytes_per_token"));
        assert_eq!(row["tok_s_runs"], beside("tok_s_mean"));
        let bytes = &row["bytes"];
        let all: u64 = ["demand", "useful", "late", "wasted"].iter().map(|k| bytes[k].as_u64().unwrap()).sum();
        assert_eq!(bytes["total"], all);
        let read = sum("prefill", "bytes_read") + sum("decode", "bytes_read");
        assert!(all.abs_diff(read / 2) <= 4, "{row}");
        assert!(row["prefetch"] != "off" || all == bytes["demand"].as_u64().unwrap(), "{row}");
        let bound = report["bound"].as_array().unwrap().iter().find(|b| b["slots"] == row["cache_slots"]).unwrap();
        if row["prefetch"] == "off" {
            assert_eq!(row["hit_rate_runs"][0], row["hit_rate_runs"][1], "what nothing but the router decides repeats");
            assert!(row["bytes_per_token"].as_f64() >= bound["bytes_per_token"].as_f64(), "{row} {bound}");
            assert!(row["hit_rate"].as_f64().unwrap() <= bound["hit_rate"].as_f64().unwrap() + 1e-9, "{row} {bound}");
        }
    }
    let uses: u64 =
        report["routing"]["layers"][0]["uses"].as_array().unwrap().iter().map(|n| n.as_u64().unwrap()).sum();
    assert!(uses > 0);
    for row in report["recall"].as_array().unwrap().iter().filter(|row| row["d"] == 0) {
        assert_eq!(row["slots"], row["slot_hits"], "the control reads 100 %: {row}");
        assert_eq!(row["slot_rate"], 1.0);
    }
    let fastest = &report["configurations"][report["fastest"]["configuration"].as_u64().unwrap() as usize];
    let mean = |row: &Value| row["tok_s_mean"].as_f64().unwrap();
    assert!(report["configurations"].as_array().unwrap().iter().all(|row| mean(row) <= mean(fastest)));
}

#[test]
fn the_table_has_a_line_per_configuration_and_the_hash() {
    let out = foregate(["bench", "--sizes", "25%,50%", "--prefetch-modes", "off", "-n", "2", "--device", "cpu"]).ok();
    assert_eq!(out.lines().filter(|line| line.contains("next-use")).count(), 2, "{out}");
    assert!(out.matches("the two runs of a configuration differ").count() <= 1, "{out}");
    assert!(out.contains("belady") && out.contains("SHA-256 of the tokens, the same in all 5 runs: "), "{out}");
}

#[test]
fn a_cold_sweep_says_so() {
    if !cfg!(target_os = "linux") {
        return eprintln!("skipped: only Linux drops a file from the page cache");
    }
    let report = small(&Dir::new(), &["--ctx", "256", "--cold"]);
    assert_eq!(report["settings"]["start"], "cold");
    assert_eq!(report["machine"]["line_rate"]["cold"], true);
}

#[test]
fn flags_that_could_not_act_are_refused() {
    for (flags, word) in [
        (&["--cache", "25%"][..], "--sizes"),
        (&["--policy", "lru"], "--policies"),
        (&["--policy", "next-use"], "--policies"),
        (&["--prefetch", "off"], "--prefetch-modes"),
        (&["--prefetch", "auto"], "--prefetch-modes"),
        (&["--prefetch-modes", "off", "--lookahead", "2"], "--lookahead"),
        (&["--sizes", "0%"], "0%"),
        (&["--policies", "belady"], "belady"),
    ] {
        let error = foregate(["bench"]).args(flags).fails(2);
        assert!(error.contains(word), "{flags:?}: {error}");
    }
}

#[test]
fn a_report_never_replaces_the_model_and_must_be_writable_before_anything_runs() {
    let dir = Dir::new();
    let model = dir.file("model.gguf", std::fs::read(tiny_model()).unwrap());
    let error = foregate(["bench"]).arg(&model).arg("--report").arg(&model).fails(2);
    assert!(error.contains("the model's own file"), "{error}");
    let nowhere = dir.path().join("no/such/report.html");
    foregate(["bench"]).arg(&model).arg("--report").arg(nowhere).fails(1);
    assert_eq!(std::fs::read(&model).unwrap(), std::fs::read(tiny_model()).unwrap());
}

#[test]
fn results_never_replace_the_prompts_or_one_another() {
    let dir = Dir::new();
    let prompts = dir.file("prompts.txt", "facts: Hello\n");
    for flag in ["--report", "--trace"] {
        let bench = foregate(["bench"]).arg(tiny_model()).arg("--prompts").arg(&prompts);
        let error = bench.arg(flag).arg(&prompts).fails(2);
        assert!(error.contains(flag) && error.contains("the file of the prompts"), "{error}");
    }
    assert_eq!(std::fs::read_to_string(&prompts).unwrap(), "facts: Hello\n");
    let both = dir.path().join("both");
    let error = foregate(["bench"]).arg(tiny_model()).arg("--report").arg(&both).arg("--trace").arg(&both).fails(2);
    assert!(error.contains("--trace") && error.contains("is the file of --report"), "{error}");
    assert!(!both.exists());
}

#[test]
fn a_size_that_cannot_work_is_refused_before_anything_runs_and_leaves_no_page() {
    let dir = Dir::new();
    let page = dir.path().join("page.html");
    let error =
        foregate(["bench", "--sizes", "50%,25%,1", "-n", "2", "--device", "cpu", "--report"]).arg(&page).fails(1);
    assert!(error.contains("too small") && !error.contains("computing on"), "{error}");
    assert!(!page.exists());
}

#[test]
fn a_size_that_is_named_twice_runs_once() {
    let dir = Dir::new();
    let report = small(&dir, &["--ctx", "256"]);
    let prompts = dir.file("prompts.txt", "facts: Hello\n");
    let twice = foregate(["bench", "--sizes", "50%,50%", "--prefetch-modes", "off,off", "-n", "1", "--json"])
        .arg(tiny_model())
        .args(["--device", "cpu", "--prompts"])
        .arg(prompts)
        .ok();
    let twice: Value = serde_json::from_str(&twice).unwrap();
    assert_eq!((len(&twice["configurations"]), len(&twice["runs"]), len(&report["configurations"])), (1, 2, 8));
}

#[test]
fn the_trace_that_is_kept_replays() {
    let dir = Dir::new();
    let trace = dir.path().join("run.csv.gz");
    let kept = trace.to_str().unwrap();
    foregate(["bench", "--sizes", "25%", "--prefetch-modes", "auto", "-n", "2", "--device", "cpu", "--trace", kept])
        .ok();
    foregate(["simulate", kept, "--as-recorded"]).ok();
}

/// Where a result cannot be written, that is told, and the others are there.
#[test]
#[cfg(target_os = "linux")]
fn a_result_that_is_lost_is_told_of_and_costs_no_other() {
    let dir = Dir::new();
    let (trace, page) = (dir.path().join("run.csv"), dir.path().join("page.html"));
    let flags = ["--sizes", "50%", "--prefetch-modes", "off", "-n", "2", "--device", "cpu", "--ctx", "256"];
    let bench = || foregate(["bench"]).arg(tiny_model()).args(flags);
    let run = bench().args(["--trace", "/dev/full"]).run();
    run.expect_code(1);
    assert!(run.stderr().contains("/dev/full") && run.stdout().contains("SHA-256"), "{}", run.stderr());
    let full = std::fs::File::create("/dev/full").unwrap();
    let mut command = bench().arg("--trace").arg(&trace).args(["--report", "/dev/full"]).into_command();
    let output = command.stdout(full).output().unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.code() == Some(1) && told.contains("stdout") && told.contains("/dev/full"), "{told}");
    foregate(["simulate"]).arg(&trace).arg("--as-recorded").ok();
    let full = std::fs::File::create("/dev/full").unwrap();
    bench().arg("--report").arg(&page).into_command().stdout(full).output().unwrap();
    assert!(std::fs::read_to_string(&page).unwrap().ends_with("</html>\n"));
}

/// All numbers of a JSON value, and all texts.
fn leaves(value: &Value, numbers: &mut Vec<f64>, texts: &mut Vec<String>) {
    match value {
        Value::Number(n) => numbers.extend(n.as_f64()),
        Value::String(text) if text.len() > 2 => texts.push(text.clone()),
        Value::String(text) => numbers.extend(text.trim_matches(char::is_alphabetic).parse::<f64>()),
        Value::Array(all) => all.iter().for_each(|value| leaves(value, numbers, texts)),
        Value::Object(all) => all.values().for_each(|value| leaves(value, numbers, texts)),
        Value::Null | Value::Bool(_) => {}
    }
}

/// Numbers that a page shows and its JSON has not, with the text around them. Left out are the scales of axes, places of
/// experts, the date, and numbers of fixed sentences.
fn strangers(page: &str, json: &Value) -> Vec<String> {
    let (mut known, mut texts) = (Vec::new(), Vec::new());
    leaves(json, &mut known, &mut texts);
    texts.push(json["sha256"].as_str().unwrap()[..8].into());
    texts.sort_by_key(|text| std::cmp::Reverse(text.len()));
    let regex = |text: &str| fancy_regex::Regex::new(text).unwrap();
    let fixed = regex(
        r"SHA-256|p5 to p95|5th to the 95th|must read 100 %|\bd = \d|\bexpert \d+:|\d{4}-\d\d-\d\d \d\d:\d\d UTC",
    );
    let number = regex(r"(\d+(?:\.(\d+))?)(?: ?(%|bytes|KiB|MiB|GiB)|(?=-[\d.]+ (%)))?");
    let shown = regex(r#"<text class="mark"[^>]*>[^<]*<"#).replace_all(page, "<").into_owned();
    let mut strange = Vec::new();
    for piece in regex(r">([^<]*[0-9][^<]*)<").captures_iter(&shown) {
        let mut piece = piece.unwrap()[1].to_owned();
        for (name, c) in [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#39;", "'"), ("&amp;", "&")] {
            piece = piece.replace(name, c);
        }
        let said = texts.iter().fold(piece.clone(), |left, text| left.replace(text.as_str(), " "));
        for found in number.captures_iter(&fixed.replace_all(&said, " ")) {
            let found = found.unwrap();
            let unit = found.get(3).or(found.get(4)).map_or("", |unit| unit.as_str());
            let scale = match unit {
                "%" => 100.0,
                "KiB" => 1.0 / 1024.0,
                "MiB" => 1.0 / 1_048_576.0,
                "GiB" => 1.0 / 1_073_741_824.0,
                _ => 1.0,
            };
            let decimals = found.get(2).map_or(0, |d| d.as_str().len() as i32);
            let off = if unit == "bytes" { 1.0 } else { 0.5001 * 10f64.powi(-decimals) + scale * 1e-9 };
            let value: f64 = found[1].parse().unwrap();
            if !known.iter().any(|known| (known * scale - value).abs() <= off) {
                strange.push(format!("{} in {piece:?}", &found[0]));
            }
        }
    }
    strange
}

#[test]
fn every_number_of_the_page_stands_in_the_json() {
    let dir = Dir::new();
    let path = dir.path().join("report.html");
    let json = small(&dir, &["--ctx", "256", "--report", path.to_str().unwrap()]);
    let page = std::fs::read_to_string(&path).unwrap();
    let shown = page.split("<body>").nth(1).and_then(|body| body.split("<script").next()).unwrap();
    assert_eq!(strangers(shown, &json), [""; 0]);
    for planted in [">98.7654 ms<", ">prefetch 4: 33.3331 %<", ">777 GiB<", ">12.34567<"] {
        assert_eq!(strangers(planted, &json).len(), 1, "{planted}");
    }
    let mut other = json.clone();
    for row in other["configurations"].as_array_mut().unwrap() {
        row["split"]["total_ms"] = 98.7654.into();
    }
    assert_eq!(strangers(">98.7654 ms<", &other), [""; 0], "it stands there now");
    let mut poorer = json.clone();
    poorer["configurations"] = Value::Null;
    assert!(!strangers(shown, &poorer).is_empty(), "what both runs of a configuration come to is nowhere else");
}

#[test]
fn the_page_needs_nothing_from_elsewhere_and_carries_the_json() {
    let dir = Dir::new();
    let path = dir.path().join("report.html");
    let printed = small(&dir, &["--ctx", "256", "--report", path.to_str().unwrap()]);
    let page = std::fs::read_to_string(&path).unwrap();
    for word in ["http:", "https:", "src=", "@import", "url("] {
        assert!(!page.contains(word), "{word}");
    }
    let data = page.split("id=\"data\">").nth(1).and_then(|rest| rest.split("</script>").next()).unwrap();
    assert_eq!(serde_json::from_str::<Value>(data).unwrap(), printed);
    for title in
        ["Hit rate", "Tokens per second", "Where a token", "What was read", "Which experts work", "The machine"]
    {
        assert!(page.contains(title), "{title}");
    }
}
