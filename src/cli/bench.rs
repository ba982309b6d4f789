//! `foregate bench`: speed and hit rates over cache sizes, policies and prefetching.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{SystemTime, UNIX_EPOCH};

use crate::bench::fastest::Fastest;
use crate::bench::figures::{ConfigurationRow, RunRow};
use crate::bench::prompts::Prompt;
use crate::bench::run::{Bench, Outcome, Probe, same_answers};
use crate::bench::{Configuration, configurations, line_rate, order, recall, routing};
use crate::cli::flags::{self, EngineFlags, ModelFlag};
use crate::cli::interrupt::{INTERRUPTED, Interrupt};
use crate::cli::result_file::{ResultFile, Scratch, keep_apart, of_model};
use crate::cli::{demo, measure, message, open, out};
use crate::error::{Error, Result};
use crate::expert::cache::PolicyKind;
use crate::expert::pager::Prefetch;
use crate::expert::trace::{Trace, is_packed};
use crate::generate::options::LOOKAHEAD_DEFAULT;
use crate::generate::plan::CacheSize;
use crate::generate::planner::{ModelFile, Planner};
use crate::gguf::Gguf;
use crate::model::Config;
use crate::os;
use crate::report::bench::{BENCH_SCHEMA, BenchReport, Machine, ModelFacts, PromptRow, Settings};
use crate::report::html;

/// Measure speed and hit rates over cache sizes, policies and prefetching.
///
/// Answers a set of prompts, greedily, in every configuration, each twice: through the list and back, so that drift weighs
/// on all alike. The tokens of all runs must be the same. An untimed run comes first, which records the routing.
#[derive(Debug, clap::Args)]
#[command(
    mut_arg("cache", |a| a.hide(true)), mut_arg("policy", |a| a.hide(true)), mut_arg("prefetch", |a| a.hide(true)),
    after_help = "Examples:\n  \
    foregate bench --report demo.html\n  \
    foregate bench model.gguf --sizes 12.5%,25%,50% --policies lru,next-use --prefetch-modes off,auto,4 --cold\n  \
    foregate bench model.gguf --sizes 8GiB -n 64 --json")]
pub struct Args {
    #[command(flatten)]
    model: ModelFlag,
    /// Cache sizes: bytes, shares of all experts, or multiples of the experts that one token uses
    #[arg(
        long, value_name = "SIZE|N%|Nx,..", value_delimiter = ',', value_parser = parse_size,
        default_value = "12.5%,25%,50%", help_heading = SWEEP
    )]
    sizes: Vec<(String, CacheSize)>,
    /// Eviction policies [default: that of runs]
    #[arg(long, value_name = "NAME,..", value_delimiter = ',', value_parser = flags::policy(), help_heading = SWEEP)]
    policies: Vec<PolicyKind>,
    /// Ways of prefetching
    #[arg(
        long, value_name = "auto|off|N,..", value_delimiter = ',', default_value = "off,auto", help_heading = SWEEP
    )]
    prefetch_modes: Vec<Prefetch>,
    /// Prompts to use instead of those that ship: lines of `domain: text`; `-` is stdin
    #[arg(long, value_name = "FILE", help_heading = SWEEP)]
    prompts: Option<PathBuf>,
    /// Tokens of an answer at most
    #[arg(short = 'n', long, value_name = "N", default_value_t = 48, value_parser = flags::count(1 << 20), help_heading = SWEEP)]
    tokens: usize,
    /// Take the model's file out of the page cache before every run
    #[arg(long, help_heading = SWEEP)]
    cold: bool,
    /// Print one JSON object instead of the table (see the README)
    #[arg(long, help_heading = RESULT)]
    json: bool,
    /// Write a page with plots, for a browser
    #[arg(long, value_name = "FILE.html", help_heading = RESULT)]
    report: Option<PathBuf>,
    /// Keep the routing of the untimed run, for `foregate simulate`; gzip if FILE ends in .gz
    #[arg(long, value_name = "FILE", help_heading = RESULT)]
    trace: Option<PathBuf>,
    #[command(flatten)]
    engine: EngineFlags,
}

const SWEEP: &str = "What is measured";
const RESULT: &str = "Results";

fn parse_size(text: &str) -> Result<(String, CacheSize), String> {
    Ok((text.to_owned(), flags::parse_cache(text)?))
}

pub fn run(args: &Args) -> Result<ExitCode> {
    check(args)?;
    let path = demo::find(args.model.model.as_deref())?;
    let prompts = measure::prompts(args.prompts.as_deref())?;
    let file = open::model_file(&path, &args.engine, None)?;
    let tokenizer = open::tokenizer(&file.gguf)?;
    let (asked, chat) = measure::ask(&file.gguf, &tokenizer, &prompts)?;
    let ModelFile { gguf, config } = file;
    let shards = gguf.shard_paths().to_vec();
    own_files(args, &shards)?;
    let mut facts = model_facts(&gguf, &config);
    // what is mapped stays in the page cache
    drop(gguf);

    let all = configurations(&unique(&args.sizes), &policies(args), &unique(&args.prefetch_modes));
    let mut bench = Bench {
        path: &path,
        cold: if args.cold { &shards } else { &[] },
        options: args.engine.resolve()?,
        tokenizer: &tokenizer,
        prompts: &asked,
        tokens: args.tokens,
    };
    plan_all(&bench, &all)?;
    let interrupt = Interrupt::install()?;
    let page = args.report.as_deref().map(ResultFile::new).transpose()?;
    let trace = args.trace.as_deref().map(ResultFile::new).transpose()?;
    let packed = args.trace.as_deref().is_none_or(is_packed);
    let routing = Scratch::new(if packed { ".csv.gz" } else { ".csv" });
    let swept = interrupt.during(|cancel| sweep(args, &mut bench, &all, (&shards, routing.path()), cancel))?;
    let Some(measured) = swept else {
        message::note("stopped: there is no result");
        return Ok(ExitCode::from(INTERRUPTED));
    };
    (facts.experts, facts.experts_per_token) = (measured.probe.plan.experts, measured.probe.plan.cycle);
    facts.expert_bytes = measured.probe.plan.expert_bytes;
    facts.expert_layers = measured.probe.plan.layers.len();
    let report = report(args, facts, &all, &prompts, (&asked, chat), measured)?;
    // hours of measuring are told of, whatever becomes of the page
    let written = page.map(|page| {
        let path = page.path();
        page.write(|file| {
            file.write_all(html::page(&report).as_bytes()).map(|()| true).map_err(|e| Error::io(path, e))
        })?;
        message::note(&format!("the report is {}", path.display()));
        Ok(())
    });
    let told = if args.json { out::json(&report) } else { out::write(report.text().as_bytes()) };
    let kept = trace.map(|trace| {
        let path = trace.path();
        let copy = |file: &mut dyn Write| io::copy(&mut File::open(routing.path())?, file).map(|_| true);
        trace.write(|file| copy(file).map_err(|e| Error::io(path, e))).map(drop)
    });
    all_of([written, Some(told), kept])?;
    Ok(ExitCode::SUCCESS)
}

/// The first error, after the others were told: a result that is lost never goes without a word.
fn all_of(results: [Option<Result<()>>; 3]) -> Result<()> {
    let mut errors = results.into_iter().flatten().filter_map(Result::err);
    let first = errors.next();
    errors.for_each(|error| message::error(&error.to_string()));
    first.map_or(Ok(()), Err)
}

/// Refuses flags that could not act.
fn check(args: &Args) -> Result<()> {
    let engine = &args.engine;
    let swept = [
        ("--cache", engine.cache.is_some(), "--sizes"),
        ("--policy", engine.policy.is_some(), "--policies"),
        ("--prefetch", engine.prefetch.is_some(), "--prefetch-modes"),
    ];
    if let Some((flag, _, instead)) = swept.iter().find(|(_, given, _)| *given) {
        return Err(Error::Usage(format!("{flag} is what bench varies: give {instead}")));
    }
    let ways = unique(&args.prefetch_modes);
    let prefetch = if ways == [Prefetch::Off] { Prefetch::Off } else { Prefetch::Auto };
    EngineFlags { prefetch: Some(prefetch), ..engine.clone() }.check()
}

fn unique<T: Clone + PartialEq>(values: &[T]) -> Vec<T> {
    let mut seen: Vec<T> = Vec::new();
    for value in values {
        if !seen.contains(value) {
            seen.push(value.clone());
        }
    }
    seen
}

fn policies(args: &Args) -> Vec<PolicyKind> {
    if args.policies.is_empty() { vec![PolicyKind::DEFAULT] } else { unique(&args.policies) }
}

/// Refuses results that would take the place of what they are made from, or of one another.
fn own_files(args: &Args, shards: &[PathBuf]) -> Result<()> {
    let results = [("--report", args.report.as_deref()), ("--trace", args.trace.as_deref())];
    for (flag, path) in results.iter().filter_map(|(flag, path)| Some((flag, (*path)?))) {
        let prompts = args.prompts.as_deref().map(|prompts| (prompts, "the file of the prompts"));
        keep_apart(flag, path, of_model(shards).chain(prompts))?;
    }
    let report = args.report.iter().map(|report| (report.as_path(), "the file of --report"));
    args.trace.as_deref().map_or(Ok(()), |trace| keep_apart("--trace", trace, report))
}

/// Refuses sizes that cannot work before hours of measuring.
fn plan_all(bench: &Bench<'_>, all: &[Configuration]) -> Result<()> {
    let file = ModelFile::open(bench.path, bench.options.ctx)?;
    let planner = Planner::new(file, &bench.options, &mut Vec::new())?;
    all.iter().try_for_each(|configuration| planner.plan(&bench.options(configuration)).map(drop))
}

fn model_facts(gguf: &Gguf, config: &Config) -> ModelFacts {
    ModelFacts {
        path: gguf.path().display().to_string(),
        bytes: gguf.file_bytes(),
        name: config.name.clone(),
        architecture: config.arch.name.into(),
        layers: config.layers.len(),
        expert_layers: 0,
        experts: 0,
        experts_per_token: 0,
        expert_bytes: 0,
    }
}

/// All that was measured.
struct Sweep {
    probe: Probe,
    trace: Trace,
    line_rate: line_rate::LineRate,
    order: Vec<usize>,
    outcomes: Vec<Outcome>,
}

/// The untimed run, the line rate, the timed runs. `None` if the user stopped it.
fn sweep(
    args: &Args,
    bench: &mut Bench<'_>,
    all: &[Configuration],
    (shards, routing): (&[PathBuf], &Path),
    cancel: &dyn Fn() -> bool,
) -> Result<Option<Sweep>> {
    let order = order(all.len());
    let bar = measure::progress_bar(((order.len() + 1) * bench.prompts.len()) as u64);
    let first = probed(all);
    bar.set_message(format!("untimed: {first}"));
    let Some((probe, trace)) = bench.probe(&bench.options(first), routing, cancel, &mut || bar.inc(1))? else {
        return Ok(None);
    };
    if probe.device.kind == "gpu" {
        args.engine.check_gpu()?;
        // another batch may move the last bits of a logit there
        bench.options.batch = Some(probe.plan.batch);
    }
    bar.suspend(|| {
        message::note(&format!("computing on {}: {}", probe.device.kind, probe.device.name));
        message::notes(&probe.notes);
        message::notes(probe.source.note.as_slice());
    });
    (bench.options.io, bench.options.lanes) = (Some(probe.source.path), Some(probe.source.lanes));
    bench.cool()?;
    let (path, lanes) = (probe.source.path, probe.source.lanes);
    let line_rate = line_rate::measure(shards, &probe.plan.layers, path, lanes, args.cold)?;
    let mut outcomes: Vec<Outcome> = Vec::new();
    for (n, &place) in order.iter().enumerate() {
        bar.set_message(format!("run {} of {}: {}", n + 1, order.len(), all[place]));
        let Some(outcome) = bench.run(&bench.options(&all[place]), cancel, &mut || bar.inc(1))? else {
            return Ok(None);
        };
        let (before, now) = (format!("the untimed run ({first})"), format!("run {} ({})", n + 1, all[place]));
        same_answers((&before, &probe.outcome), (&now, &outcome))?;
        outcomes.push(outcome);
    }
    bar.finish_and_clear();
    Ok(Some(Sweep { probe, trace, line_rate, order, outcomes }))
}

/// The configuration of the untimed run: the one in the middle.
fn probed(all: &[Configuration]) -> &Configuration {
    &all[all.len() / 2]
}

fn report(
    args: &Args,
    model: ModelFacts,
    all: &[Configuration],
    prompts: &[Prompt],
    (asked, chat): (&[Vec<u32>], bool),
    sweep: Sweep,
) -> Result<BenchReport> {
    let Sweep { probe, trace, line_rate, order, outcomes } = sweep;
    let start = if args.cold { "cold" } else { "warm" };
    let runs_of = |place: usize| -> Vec<&Outcome> {
        order.iter().zip(&outcomes).filter(|(p, _)| **p == place).map(|(_, outcome)| outcome).collect()
    };
    let rows: Vec<ConfigurationRow> =
        (0..).zip(all).map(|(place, c)| ConfigurationRow::new(c, model.experts, &runs_of(place))).collect();
    let mut slots: Vec<usize> = rows.iter().map(|row| row.cache_slots).collect();
    slots.sort_unstable();
    slots.dedup();
    let answers = prompts.iter().zip(asked).zip(probe.outcome.texts.iter().zip(&probe.outcome.ids));
    Ok(BenchReport {
        schema: BENCH_SCHEMA,
        version: env!("CARGO_PKG_VERSION"),
        unix_time_s: SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs()),
        machine: Machine {
            os: std::env::consts::OS,
            arch: std::env::consts::ARCH,
            cpu: os::cpu_name(),
            cores: std::thread::available_parallelism().map_or(1, usize::from),
            memory_bytes: os::total_memory(),
            device: probe.device.kind.into(),
            device_name: probe.device.name.clone(),
            read_path: probe.source.path.to_string(),
            lanes: probe.source.lanes,
            line_rate,
            read_paths: probe.source.measured.clone(),
        },
        settings: Settings {
            tokens: args.tokens,
            chat,
            start,
            ctx: probe.plan.ctx,
            batch: probe.plan.batch,
            predictor: probe.predictor,
            lookahead: args.engine.lookahead.unwrap_or(LOOKAHEAD_DEFAULT),
            order: order.clone(),
        },
        prompts: answers
            .map(|((prompt, asked), (answer, ids))| PromptRow {
                domain: prompt.domain.clone(),
                prompt: prompt.text.clone(),
                prompt_tokens: asked.len(),
                answer: answer.clone(),
                answer_tokens: ids.len(),
            })
            .collect(),
        new_tokens: probe.outcome.ids.iter().map(Vec::len).sum(),
        sha256: probe.outcome.sha256(),
        sha256_runs: 1 + outcomes.len(),
        bound: routing::bounds(&trace, &slots)?,
        recall: recall::by_layer(&probe.recall),
        recall_totals: recall::over_layers(&probe.recall),
        routing: routing::routing(&trace, &probe.residents, probed(all).to_string()),
        runs: order.iter().zip(&outcomes).zip(1..).map(|((&c, o), run)| RunRow::new(run, c, start, o)).collect(),
        drift: BenchReport::drift_of(&rows),
        fastest: Fastest::of(&rows),
        configurations: rows,
        model,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_named_twice_runs_once() {
        assert_eq!(unique(&["a", "b", "a"]), ["a", "b"]);
    }
}
