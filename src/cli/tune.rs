//! `foregate tune`: the setting that is fastest on this machine, and what others would reach.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{SystemTime, UNIX_EPOCH};

use indicatif::ProgressBar;

use crate::bench::run::{Bench, Probe};
use crate::cli::flags::{self, EngineFlags, IoFlag, ModelFlag};
use crate::cli::interrupt::{INTERRUPTED, Interrupt};
use crate::cli::result_file::Scratch;
use crate::cli::{demo, measure, message, open, out, size, state};
use crate::error::{Error, Result};
use crate::expert::trace::Trace;
use crate::generate::options::{LOOKAHEAD_DEFAULT, Options};
use crate::generate::plan::CacheSize;
use crate::generate::planner::Planner;
use crate::generate::profile::{Profile, ProfileStore};
use crate::os;
use crate::report::tune::{TUNE_SCHEMA, TuneReport, WhatIf};
use crate::tune::forecast::Forecast;
use crate::tune::search::{self, Search, Settled, Size, Watch};
use crate::tune::trial::Trial;

/// Find the fastest cache size, reading, policy and prefetching on this machine, and keep them.
///
/// Times what is worth trying, there and back, and compares the answers. `chat` and `generate` then use what was found
/// wherever a flag leaves it open, and say so. What is given here is kept as it is.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
    Predictions are for the prompts that are measured, from an empty cache on: recorded routing on a virtual clock, with the \
    time of computing and reading fitted to two timed runs.\n\n\
    Examples:\n  \
    foregate tune model.gguf --memory 8GiB\n  \
    foregate tune model.gguf --what-if 8GiB,16GiB")]
pub struct Args {
    #[command(flatten)]
    model: ModelFlag,
    /// Predict other values of --memory (of --vram on a GPU with memory of its own); what was kept answers if there is
    /// something, at once
    #[arg(long, value_name = "SIZE,..", value_delimiter = ',', value_parser = size::parse, help_heading = ANSWERS)]
    what_if: Vec<u64>,
    /// Measure again, whatever was kept
    #[arg(long, requires = "what_if", help_heading = ANSWERS)]
    again: bool,
    /// Keep nothing
    #[arg(long, help_heading = ANSWERS)]
    dry_run: bool,
    /// Print one JSON object instead of tables (see the README)
    #[arg(long, help_heading = ANSWERS)]
    json: bool,
    /// Prompts to use instead of those that ship: lines of `domain: text`; `-` is stdin
    #[arg(long, value_name = "FILE", help_heading = SWEEP)]
    prompts: Option<PathBuf>,
    /// Tokens of an answer at most
    #[arg(short = 'n', long, value_name = "N", default_value_t = 32, value_parser = flags::count(1 << 20), help_heading = SWEEP)]
    tokens: usize,
    #[command(flatten)]
    engine: EngineFlags,
}

const SWEEP: &str = "What is measured";
const ANSWERS: &str = "Answers";

pub fn run(args: &Args) -> Result<ExitCode> {
    args.engine.check()?;
    let path = demo::find(args.model.model.as_deref())?;
    let file = open::model_file(&path, &args.engine, None)?;
    let options = args.engine.resolve()?;
    let planner = Planner::new(file, &options, &mut Vec::new())?;
    if planner.model.experts.is_empty() {
        return Err(Error::file(&path, "the model has no routed experts: there is nothing to tune"));
    }
    let store = store(&planner)?;
    if !args.what_if.is_empty()
        && !args.again
        && let Some((store, profile)) = store.as_ref().and_then(|store| Some((store, store.load()?)))
    {
        message::note("what an earlier run kept answers; --again measures anew");
        let report = kept(args, &planner, &options, store, &profile)?;
        return print(args, &report);
    }
    let tokenizer = open::tokenizer(&planner.gguf)?;
    let prompts = measure::prompts(args.prompts.as_deref())?;
    let (asked, _) = measure::ask(&planner.gguf, &tokenizer, &prompts)?;
    let bench = Bench {
        path: &path,
        cold: &[],
        options: options.clone(),
        tokenizer: &tokenizer,
        prompts: &asked,
        tokens: args.tokens,
    };
    let interrupt = Interrupt::install()?;
    let routing = Scratch::new(".csv.gz");
    let tuned = interrupt.during(|cancel| {
        let mut bar = Bar { bar: measure::progress_bar(asked.len() as u64), prompts: asked.len(), cancel };
        let settled = Settled {
            cache: args.engine.cache.is_some(),
            policy: args.engine.policy,
            prefetch: options.prefetch,
            reading: args.engine.io != IoFlag::Auto || args.engine.lanes.is_some(),
        };
        let tuned = Search::new(bench, &planner, settled, &mut bar).run(routing.path());
        bar.bar.finish_and_clear();
        tuned
    })?;
    let Some(tuned) = tuned else {
        message::note("stopped: nothing is kept");
        return Ok(ExitCode::from(INTERRUPTED));
    };
    let best = &tuned.trials[tuned.best];
    let setting = best.setting;
    let Forecast { cost, disk, recall, .. } = tuned.forecast;
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs());
    let profile = Profile::new(now, setting, best.tok_s, cost, disk, recall);
    let (mut place, mut kept) = (None, Ok(()));
    match store.filter(|_| !args.dry_run) {
        Some(store) => {
            kept = store.save(&profile, routing.path());
            place = kept.is_ok().then(|| store.path().display().to_string());
        }
        None => message::note("nothing is kept"),
    }
    let found = (tuned.trials, Some(tuned.best), tuned.sizes);
    let report = report(args, &planner, &options, &tuned.forecast, &profile, found, place)?;
    // what was measured is told, whether or not it can be kept
    let code = print(args, &report)?;
    kept.map(|()| code)
}

/// Where the model's profile is kept; `None` where the system has no place for it.
fn store(planner: &Planner) -> Result<Option<ProfileStore>> {
    let device = planner.device_info().name;
    state::folder().map(|folder| ProfileStore::new(&folder, planner.gguf.shard_paths(), &device)).transpose()
}

/// The answers of an earlier run.
fn kept(
    args: &Args,
    planner: &Planner,
    options: &Options,
    store: &ProfileStore,
    profile: &Profile,
) -> Result<TuneReport> {
    let trace = Trace::read(&store.trace(), None)?;
    let lookahead = options.lookahead.unwrap_or(LOOKAHEAD_DEFAULT);
    let forecast = Forecast::new(&trace, profile.cost, profile.disk, profile.recall, lookahead)?;
    let forecast = forecast.ok_or_else(|| Error::file(store.trace(), "the trace holds no new token: tune again"))?;
    let place = Some(store.path().display().to_string());
    report(args, planner, options, &forecast, profile, (Vec::new(), None, Vec::new()), place)
}

fn report(
    args: &Args,
    planner: &Planner,
    options: &Options,
    forecast: &Forecast,
    profile: &Profile,
    (trials, best_trial, sizes): (Vec<Trial>, Option<usize>, Vec<Size>),
    place: Option<String>,
) -> Result<TuneReport> {
    let (gguf, device) = (&planner.gguf, planner.device_info());
    let best = profile.setting;
    let options = best.fill(options);
    let plan = planner.plan(&options)?;
    let what_if = args.what_if.iter().map(|&budget| {
        let asked = match plan.vram {
            Some(_) => Options { vram: Some(budget), cache: CacheSize::Fill, ..options.clone() },
            None => Options { memory: Some(budget), cache: CacheSize::Fill, ..options.clone() },
        };
        match planner.plan(&asked) {
            Ok(plan) => {
                Ok(WhatIf { budget_bytes: budget, size: Some(search::size(forecast, &plan, &best)?), refused: None })
            }
            Err(e) => Ok(WhatIf { budget_bytes: budget, size: None, refused: Some(e.to_string()) }),
        }
    });
    let (median, most) = TuneReport::errors(&trials);
    Ok(TuneReport {
        schema: TUNE_SCHEMA,
        model: gguf.path().display().to_string(),
        model_bytes: gguf.file_bytes(),
        experts: plan.experts,
        expert_layers: plan.layers.len(),
        experts_per_token: plan.cycle,
        device: device.name,
        disk: os::disk_of(gguf.path()),
        tokens: forecast.tokens(),
        compute_ms: 1e3 * forecast.cost.of_token(plan.layers.len(), plan.cycle).as_secs_f64(),
        latency_ms: 1e3 * forecast.disk.latency.as_secs_f64(),
        bytes_per_s: forecast.disk.bytes_per_s,
        recall: forecast.recall,
        prediction_error_median: median,
        prediction_error_most: most,
        best,
        tok_s: profile.tok_s,
        best_trial,
        asked: best,
        what_if: what_if.collect::<Result<_>>()?,
        trials,
        sizes,
        profile: place,
    })
}

fn print(args: &Args, report: &TuneReport) -> Result<ExitCode> {
    if args.json {
        out::json(report)?;
    } else {
        out::write(report.text().as_bytes())?;
    }
    message::warnings(report.doubts().as_slice());
    if let Some(place) = &report.profile {
        message::note(&format!("kept in {place}; chat and generate use it"));
    }
    Ok(ExitCode::SUCCESS)
}

/// The search on a terminal.
struct Bar<'a> {
    bar: ProgressBar,
    prompts: usize,
    cancel: &'a dyn Fn() -> bool,
}

impl Watch for Bar<'_> {
    fn probed(&mut self, probe: &Probe) {
        self.bar.suspend(|| {
            message::note(&format!("computing on {}: {}", probe.device.kind, probe.device.name));
            message::notes(&probe.notes);
            message::notes(probe.source.note.as_slice());
        });
    }

    fn planned(&mut self, runs: usize) {
        self.bar.inc_length((runs * self.prompts) as u64);
    }

    fn begin(&mut self, what: &str) {
        self.bar.set_message(what.to_owned());
    }

    fn answered(&mut self) {
        self.bar.inc(1);
    }

    fn stopped(&self) -> bool {
        (self.cancel)()
    }
}
