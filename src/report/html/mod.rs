//! The report of `bench` as one page: no request to anywhere, no script, plots as inline SVG, light and dark by the
//! reader's preference, and no wider than a phone. Every number in it stands in the JSON, which the page carries.

mod heat;
mod plots;
mod svg;
mod words;

use std::fmt::Write;

use crate::report::bench::BenchReport;
use crate::report::units::bytes;
use crate::report::units::{number, per_second, share, share_range};

const STYLE: &str = include_str!("style.css");

/// Text that can stand in HTML, in attributes too.
fn escape(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            c => safe.push(c),
        }
    }
    safe
}

/// The page.
pub fn page(report: &BenchReport) -> String {
    let title = escape(name(report));
    let mut page = format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <title>{title}: foregate bench</title><link rel=\"icon\" href=\"data:,\"><style>{STYLE}</style></head>\n\
         <body><main>"
    );
    page += &header(report);
    page += &tiles(report);
    page += "<div class=\"grid\">";
    page += &plots::all(report);
    page += &words::machine(report);
    page += &plots::map(report);
    page += &words::table(report);
    page += &words::meaning(report);
    page += &words::prompts(report);
    page += &words::runs(report);
    page += "</div></main>\n";
    // `<` would end the script element early
    let data = serde_json::to_string(report).unwrap_or_default().replace('<', "\\u003c");
    let _ = write!(page, "<script type=\"application/json\" id=\"data\">{data}</script>\n</body></html>\n");
    page
}

/// What the model calls itself, or its file.
fn name(report: &BenchReport) -> &str {
    match report.model.name.as_str() {
        "" => report.model.path.rsplit(['/', '\\']).next().unwrap_or_default(),
        name => name,
    }
}

fn header(report: &BenchReport) -> String {
    let model = &report.model;
    format!(
        "<header><p class=\"eyebrow\">foregate bench</p><h1>{}</h1><p>{}, {}: {} experts in {} layers, {} per token. {}, \
         {} starts, {}.</p></header>",
        escape(name(report)),
        escape(&model.architecture),
        bytes(model.bytes),
        model.experts,
        model.expert_layers,
        model.experts_per_token,
        escape(&report.machine.device_name),
        report.settings.start,
        words::date(report.unix_time_s)
    )
}

/// The figures that are looked for first.
fn tiles(report: &BenchReport) -> String {
    let tile = |value: String, says: String| format!("<div class=\"tile\"><b>{value}</b><span>{says}</span></div>");
    let mut tiles = String::from("<section class=\"tiles\" aria-label=\"At a glance\">");
    if let Some(fastest) = &report.fastest {
        let best = &report.configurations[fastest.configuration];
        tiles += &tile(format!("{} tok/s", number(best.tok_s_mean)), words::fastest(report, fastest));
        let bound = share(report.bound_at(best.cache_slots).and_then(|b| b.hit_rate));
        tiles += &tile(share_range(&best.hit_rate_runs), format!("hit rate there; Belady {bound}"));
    }
    let rate = &report.machine.line_rate;
    let from = rate.origin();
    tiles += &tile(per_second(rate.bytes_per_s), format!("line rate, {} in {} lanes, {from}", rate.path, rate.lanes));
    let hash = report.sha256.get(..8).unwrap_or_default();
    tiles += &tile("Same tokens".into(), format!("in all {} runs: <code>{hash}</code>", report.sha256_runs));
    tiles + "</section>"
}

#[cfg(test)]
mod tests;
