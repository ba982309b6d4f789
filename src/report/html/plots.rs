//! Which plots the page has, and what they say.

use super::escape;
use super::heat::{HeatRow, heat};
use super::svg::{Axis, Bar, Line, Look, bars, lines};
use crate::bench::figures::ConfigurationRow;
use crate::bench::recall::{RecallByLayer, RecallTotal};
use crate::expert::predict::Method;
use crate::report::bench::BenchReport;
use crate::report::units::bytes;
use crate::report::units::{number, share};

/// All but the map of experts, each on its card.
pub fn all(report: &BenchReport) -> String {
    [hit_rates(report), speeds(report), splits(report), ledger(report), recall(report)].concat()
}

fn card(title: &str, note: &str, plot: &str, wide: bool) -> String {
    let class = if wide { "card wide" } else { "card" };
    format!(
        "<figure class=\"{class}\"><h2>{title}</h2><figcaption class=\"note\"><p>{note}</p></figcaption>{plot}</figure>"
    )
}

/// Policies and ways of prefetching in the order in which they come, and the rows of each.
fn series<'a>(report: &'a BenchReport) -> Vec<(usize, usize, String, Vec<&'a ConfigurationRow>)> {
    let mut policies: Vec<&str> = Vec::new();
    let mut ways: Vec<&str> = Vec::new();
    let mut all: Vec<(usize, usize, String, Vec<&'a ConfigurationRow>)> = Vec::new();
    let place = |names: &mut Vec<&'a str>, name: &'a str| {
        names.iter().position(|n| *n == name).unwrap_or_else(|| {
            names.push(name);
            names.len() - 1
        })
    };
    for row in &report.configurations {
        let (policy, way) = (place(&mut policies, &row.policy), place(&mut ways, &row.prefetch));
        match all.iter_mut().find(|s| (s.0, s.1) == (policy, way)) {
            Some(series) => series.3.push(row),
            None => all.push((policy, way, format!("{}, prefetch {}", row.policy, row.prefetch), vec![row])),
        }
    }
    all.iter_mut().for_each(|s| s.3.sort_by_key(|row| row.cache_slots));
    // one policy alone: its ways get the colours
    let one = policies.len() == 1;
    all.into_iter().map(|(policy, way, name, rows)| (if one { way } else { policy }, way, name, rows)).collect()
}

/// The axis of cache sizes: a mark where one was measured, if there is room for it.
fn sizes(report: &BenchReport) -> Axis {
    let most = report.configurations.iter().map(|c| c.cache_share).fold(0.0, f64::max).max(1e-9);
    let mut marks: Vec<(f64, String)> = Vec::new();
    let mut shares: Vec<f64> = report.configurations.iter().map(|c| c.cache_share).collect();
    shares.sort_unstable_by(f64::total_cmp);
    for at in shares {
        if marks.last().is_none_or(|last| at - last.0 > most / 8.0) {
            marks.push((at, share(Some(at)).replace(".0 %", " %")));
        }
    }
    Axis { title: "expert cache, share of all experts".into(), unit: String::new(), range: (0.0, most), marks }
}

fn hit_rates(report: &BenchReport) -> String {
    let ends = |r: &ConfigurationRow| {
        let runs = r.hit_rate_runs.iter().flatten().map(|rate| 100.0 * rate);
        r.hits_differ().then_some(())?;
        Some((runs.clone().reduce(f64::min)?, runs.reduce(f64::max)?))
    };
    let point = |r: &&ConfigurationRow| Some((r.cache_share, 100.0 * r.hit_rate?, ends(r)));
    let mut all: Vec<Line> = series(report)
        .into_iter()
        .map(|(colour, dash, name, rows)| Line {
            name,
            look: Look::Series { colour, dash },
            points: rows.iter().filter_map(point).collect(),
        })
        .collect();
    let bound = report.bound.iter().filter_map(|b| Some((b.share, 100.0 * b.hit_rate?, None))).collect();
    all.push(Line { name: "Belady, the bound on demand".into(), look: Look::Bound, points: bound });
    let y = Axis::up_to("hit rate", 100.0, " %");
    let plot = lines("Hit rate by cache size", &sizes(report), &y, &all);
    let note = "Experts of new tokens that had a slot, or were on their way, when the router asked. Belady knows the future \
                and never prefetches, so prefetching may pass it. Upright lines: the two runs differ, since auto prefetches \
                when the clock favours it.";
    card("Hit rate", note, &plot, false)
}

fn speeds(report: &BenchReport) -> String {
    let spread = |r: &&ConfigurationRow| {
        r.tok_s.map(|s| (r.cache_share, s.median, Some((s.p5.min(s.median), s.p95.max(s.median)))))
    };
    let all: Vec<Line> = series(report)
        .into_iter()
        .map(|(colour, dash, name, rows)| Line {
            name,
            look: Look::Series { colour, dash },
            points: rows.iter().filter_map(spread).collect(),
        })
        .collect();
    let most = report.configurations.iter().filter_map(|c| c.tok_s).map(|s| s.p95).fold(0.0, f64::max);
    let plot = lines("Tokens per second by cache size", &sizes(report), &Axis::up_to("tokens/s", most, ""), &all);
    let note = "New tokens per second: the median token, and from the 5th to the 95th percentile, over both runs. A higher \
                hit rate is not always a higher speed.";
    card("Tokens per second", note, &plot, false)
}

fn name(row: &ConfigurationRow) -> String {
    format!("{}, {}, prefetch {}", row.cache, row.policy, row.prefetch)
}

fn splits(report: &BenchReport) -> String {
    let bar = |row: &ConfigurationRow| {
        let split = row.split?;
        let part = |ms: f64, what: &str| (ms, format!("{what}: {} ms", number(Some(ms))));
        Some(Bar {
            name: name(row),
            total: format!("{} ms", number(Some(split.total_ms))),
            parts: vec![
                part(split.compute_ms, "compute"),
                part(split.stall_ms, "disk stall"),
                part(split.rest_ms, "rest"),
            ],
        })
    };
    let all: Vec<Bar> = report.configurations.iter().filter_map(bar).collect();
    let note = "Mean time of a new token. Disk stall: nothing could be computed for want of an expert. Compute: the rest of \
                the forward pass. Rest: sampling and text.";
    card("Where a token's time goes", note, &bars("Time per token", &["compute", "disk stall", "rest"], &all), false)
}

fn ledger(report: &BenchReport) -> String {
    let bar = |row: &ConfigurationRow| {
        let sum = row.bytes;
        let part = |n: u64, what: &str| (n as f64, format!("{what}: {}", bytes(n)));
        Bar {
            name: name(row),
            total: bytes(sum.total),
            parts: vec![
                part(sum.demand, "demand"),
                part(sum.useful, "prefetched, useful"),
                part(sum.late, "prefetched, late"),
                part(sum.wasted, "prefetched, wasted"),
            ],
        }
    };
    let all: Vec<Bar> = report.configurations.iter().map(bar).collect();
    let note = "Bytes of experts read in a run, prompts and answers. Late: asked for while it was still being read. Wasted: \
                read, and never asked for.";
    let parts = ["demand", "useful", "late", "wasted"];
    card("What was read", note, &bars("Bytes read", &parts, &all), false)
}

/// The method whose predictions one layer ahead were right most often, of those that predict every layer: they have a
/// control.
fn best_method(all: &[RecallTotal]) -> Option<Method> {
    let controlled = |row: &RecallTotal| all.iter().any(|r| r.predictor == row.predictor && r.d == Some(0));
    let ahead = all.iter().filter(|row| row.d == Some(1) && controlled(row));
    let rated = ahead.filter_map(|row| Some((row.slot_rate?, row.predictor)));
    rated.max_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, method)| method)
}

fn recall(report: &BenchReport) -> String {
    let Some(method) = best_method(&report.recall_totals) else { return String::new() };
    let shown = |r: &&RecallByLayer| r.counts.predictor == method && r.counts.d.is_some() && r.slot_rate.is_some();
    let mut rows: Vec<&RecallByLayer> = report.recall.iter().filter(shown).collect();
    rows.sort_by_key(|r| (r.counts.d, r.counts.layer));
    let distances: std::collections::BTreeSet<usize> = rows.iter().filter_map(|r| r.counts.d).collect();
    let line = |&d: &usize| Line {
        name: if d == 0 { "d = 0, the control".into() } else { format!("d = {d}") },
        look: if d == 0 { Look::Bound } else { Look::Series { colour: d - 1, dash: d - 1 } },
        points: rows
            .iter()
            .filter(|r| r.counts.d == Some(d))
            .filter_map(|r| Some((r.counts.layer as f64, 100.0 * r.slot_rate?, None)))
            .collect(),
    };
    let all: Vec<Line> = distances.iter().map(line).collect();
    let last = rows.iter().map(|r| r.counts.layer).max().unwrap_or(0);
    let step = (last / 8).max(1);
    let marks = (0..=last).step_by(step).map(|l| (l as f64, l.to_string())).collect();
    let title = "layer that was predicted".into();
    let x = Axis { title, unit: String::new(), range: (0.0, last.max(1) as f64), marks };
    let plot = lines("Recall by layer and lookahead", &x, &Axis::up_to("recall", 100.0, " %"), &all);
    let note = format!(
        "Routed experts that {method} had predicted, d layers ahead, in the untimed run. The control is the layer's own \
         router, and must read 100 %."
    );
    card("How often predictions are right", &note, &(plot + &predictors(&report.recall_totals)), false)
}

/// Every predictor and distance, over all layers.
fn predictors(totals: &[RecallTotal]) -> String {
    let mut table = String::from(
        "<details><summary>All predictors</summary><div class=\"scroll\"><table><tr><th>predictor</th><th>d</th>\
         <th>of routed</th><th>of misses</th></tr>",
    );
    for row in totals {
        table += &format!(
            "<tr><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>",
            row.predictor,
            row.d.map_or("before".into(), |d| d.to_string()),
            share(row.slot_rate),
            share(row.miss_rate)
        );
    }
    table + "</table></div></details>"
}

/// Use and residence of every expert.
pub fn map(report: &BenchReport) -> String {
    let routing = &report.routing;
    let row = |layer: &crate::bench::routing::LayerUse| HeatRow {
        name: layer.layer.to_string(),
        cells: (0..).zip(&layer.uses).map(|(e, &n)| (n, layer.resident.binary_search(&e).is_ok())).collect(),
    };
    let rows: Vec<HeatRow> = routing.layers.iter().map(row).collect();
    let note = format!(
        "How many tokens each expert was used for, layers down and experts across; underlined: it had a slot when the untimed \
         run ended ({}). A new token uses {} of the experts that the one before used.",
        escape(&routing.configuration),
        share(routing.next_token_reuse)
    );
    card("Which experts work", &note, &heat("Use of experts by layer", &rows), true)
}
