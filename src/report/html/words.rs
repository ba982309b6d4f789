//! The parts of the page that are read: tables, the machine, what the figures mean.

use std::fmt::Write;

use super::escape;
use crate::bench::fastest::Fastest;
use crate::bench::figures::ConfigurationRow;
use crate::report::bench::BenchReport;
use crate::report::units::{bytes, bytes_range, counted, number, per_second, share, share_range};

fn card(title: &str, inner: &str) -> String {
    format!("<section class=\"card wide\"><h2>{title}</h2>{inner}</section>")
}

fn row(cells: impl IntoIterator<Item = String>, tag: &str) -> String {
    let cells: String = cells.into_iter().map(|cell| format!("<{tag}>{cell}</{tag}>")).collect();
    format!("<tr>{cells}</tr>")
}

/// What the headline speed is, and of which configuration. Those that no run tells from it are named too.
pub fn fastest(report: &BenchReport, fastest: &Fastest) -> String {
    let name = |c: &ConfigurationRow| format!("cache {}, {}, prefetch {}", escape(&c.cache), c.policy, c.prefetch);
    let rows = &report.configurations;
    let best = &rows[fastest.configuration];
    let runs = format!("both runs together ({})", speeds(&best.tok_s_runs));
    let best = name(best);
    match fastest.alike[..] {
        [] => format!("{runs}, the fastest: {best}"),
        [other] => format!("{runs}: {best}. No faster than {}, by the spread of runs", name(&rows[other])),
        _ => format!("{runs}: {best}. No faster than those marked {ALIKE} in the table, by the spread of runs"),
    }
}

/// Stands at speeds that cannot be told from the highest.
const ALIKE: &str = "\u{2248}";

fn speeds(runs: &[Option<f64>]) -> String {
    runs.iter().map(|&mean| number(mean)).collect::<Vec<_>>().join(", ")
}

/// A line per configuration.
pub fn table(report: &BenchReport) -> String {
    let heads = [
        "cache",
        "slots",
        "policy",
        "prefetch",
        "tok/s",
        "each run",
        "median token",
        "p5 to p95",
        "first token",
        "hits",
        "Belady",
        "prompt hits",
        "read/token",
        "Belady reads",
        "peak memory",
    ];
    let mut table = row(heads.map(String::from), "th");
    let alike = |place: &usize| report.fastest.as_ref().is_some_and(|fastest| fastest.alike.contains(place));
    for (place, c) in (0..).zip(&report.configurations) {
        let bound = report.bound_at(c.cache_slots);
        let mark = if alike(&place) { ALIKE } else { "" };
        let cells = [
            escape(&c.cache),
            c.cache_slots.to_string(),
            c.policy.clone(),
            c.prefetch.clone(),
            format!("{mark} {}", number(c.tok_s_mean)),
            speeds(&c.tok_s_runs),
            number(c.tok_s.map(|s| s.median)),
            c.tok_s.map_or("-".into(), |s| format!("{} to {}", number(Some(s.p5)), number(Some(s.p95)))),
            c.first_token_ms.map_or("-".into(), |s| format!("{} ms", number(Some(s.median)))),
            share_range(&c.hit_rate_runs),
            share(bound.and_then(|b| b.hit_rate)),
            share(c.hit_rate_prefill),
            bytes_range(&c.bytes_per_token_runs),
            bound.and_then(|b| b.bytes_per_token).map_or("-".into(), |n| bytes(n as u64)),
            c.peak_resident_bytes.map_or("-".into(), bytes),
        ];
        table += &row(cells, "td");
    }
    let drift = report
        .drift
        .map_or(String::new(), |drift| format!(" Here they differ by a factor of up to {}.", number(Some(drift))));
    let note = format!(
        "<p class=\"note\">Speeds are means of both runs (tok/s) and of each: where these differ, the machine was doing \
         something else.{drift} {ALIKE}: a run was no slower than the slower run of the fastest. Medians are of tokens, and \
         of prompts (first token), over both runs. Hits and bytes from one end to the other: the two runs differ.</p>"
    );
    card("All configurations", &format!("{note}<div class=\"scroll\" tabindex=\"0\"><table>{table}</table></div>"))
}

fn list(items: &[(&str, String)]) -> String {
    let items: String = items.iter().map(|(name, says)| format!("<dt>{name}</dt><dd>{says}</dd>")).collect();
    format!("<dl>{items}</dl>")
}

/// Where and with what it was measured.
pub fn machine(report: &BenchReport) -> String {
    let (machine, settings, rate) = (&report.machine, &report.settings, &report.machine.line_rate);
    let from = rate.origin();
    let tried: Vec<String> = machine
        .read_paths
        .iter()
        .map(|m| format!("{} in {}: {}", m.path, m.lanes, per_second(m.bytes_per_s)))
        .collect();
    let mut items = vec![
        ("processor", format!("{}, {} threads", escape(&machine.cpu), machine.cores)),
        ("memory", machine.memory_bytes.map_or("not told by the system".into(), bytes)),
        ("system", format!("{} on {}", machine.os, machine.arch)),
        ("device", format!("{}: {}", escape(&machine.device), escape(&machine.device_name))),
        ("reads", format!("{}, {} lanes", escape(&machine.read_path), machine.lanes)),
        (
            "line rate",
            format!(
                "{} with that reader: {} in {} s; {from}",
                per_second(rate.bytes_per_s),
                bytes(rate.bytes),
                number(Some(rate.seconds))
            ),
        ),
        ("model", format!("{}, {} of it experts", bytes(report.model.bytes), bytes(report.model.expert_bytes))),
        ("context, batch", format!("{}, {}", settings.ctx, settings.batch)),
        ("foregate", report.version.into()),
        ("SHA-256", format!("<code>{}</code>", escape(&report.sha256))),
    ];
    if !tried.is_empty() {
        items.insert(6, ("read paths", tried.join("; ")));
    }
    card("The machine", &list(&items)).replacen("card wide", "card", 1)
}

/// What the figures mean, and what they do not.
pub fn meaning(report: &BenchReport) -> String {
    let settings = &report.settings;
    let start = if settings.start == "cold" {
        "Cold: before each run the model's file was taken out of the page cache."
    } else {
        "Warm: the page cache holds what earlier runs left in it, so buffered reads may come from memory. \
         <code>--cold</code> prevents that."
    };
    let items = [
        (
            "order",
            format!(
                "Each configuration ran twice, once through the list and once back, {} runs in all with the untimed one \
                 before. What drifts weighs on all alike.",
                report.sha256_runs
            ),
        ),
        ("start", start.into()),
        (
            "cache",
            "Each run begins with an empty expert cache, and its first fills count as misses. All prompts of a run share it."
                .into(),
        ),
        (
            "tokens",
            format!(
                "{} and {} a run, greedy, at most {} an answer. The tokens of all runs are the same, or \
                 there would be no report.",
                counted(report.prompts.len(), "prompt"),
                counted(report.new_tokens, "new token"),
                settings.tokens
            ),
        ),
        (
            "not meant",
            "Hit rates and recall hold for this model and these prompts. A model with random weights routes at random: its \
             speed means something, its hit rates and recall do not. Few tokens show the warm-up more than the steady state."
                .into(),
        ),
    ];
    card("What these figures mean", &list(&items))
}

/// The prompts and their answers.
pub fn prompts(report: &BenchReport) -> String {
    let mut table = row(["domain", "prompt", "answer", "tokens"].map(String::from), "th");
    for p in &report.prompts {
        let cells = [
            escape(&p.domain),
            escape(&p.prompt),
            escape(&p.answer),
            format!("{} + {}", p.prompt_tokens, p.answer_tokens),
        ];
        table += &row(cells, "td");
    }
    format!(
        "<section class=\"card wide\"><details><summary>Prompts and answers</summary><p class=\"note\">A fast run of \
         nonsense is no result: read what was answered.</p><div class=\"scroll\"><table class=\"words\">{table}</table></div>\
         </details></section>"
    )
}

/// The runs in the order in which they ran.
pub fn runs(report: &BenchReport) -> String {
    let heads =
        ["run", "configuration", "start", "load", "prompt tok/s", "tok/s", "hits", "read", "stall", "peak memory"];
    let mut table = row(heads.map(String::from), "th");
    for run in &report.runs {
        let c = report.configurations.get(run.configuration);
        let cells = [
            run.run.to_string(),
            c.map_or(String::new(), |c| format!("{}, {}, prefetch {}", escape(&c.cache), c.policy, c.prefetch)),
            run.start.into(),
            format!("{} s", number(Some(run.load_s))),
            number(run.prefill_tok_s),
            number(run.tok_s_mean),
            share(run.hit_rate),
            bytes(run.bytes_read),
            format!("{} s", number(Some(run.decode.experts.stall.as_secs_f64()))),
            run.peak_resident_bytes.map_or("-".into(), bytes),
        ];
        table += &row(cells, "td");
    }
    let mut text = String::from("<section class=\"card wide\"><details><summary>Every run, in order</summary>");
    // Writing to a string cannot fail.
    let _ = write!(text, "<div class=\"scroll\"><table>{table}</table></div></details></section>");
    text
}

/// A moment as `2026-01-31 12:00 UTC`: days to a date as in "chrono-Compatible Low-Level Date Algorithms" (H. Hinnant).
pub fn date(unix_time_s: u64) -> String {
    let (days, seconds) = (unix_time_s / 86_400, unix_time_s % 86_400);
    let shifted = days + 719_468;
    let (era, day_of_era) = (shifted / 146_097, shifted % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    format!("{year}-{month:02}-{day:02} {:02}:{:02} UTC", seconds / 3600, seconds % 3600 / 60)
}
