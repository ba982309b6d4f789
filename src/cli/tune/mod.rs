//! `foregate tune`: the setting that is fastest on this machine, and what others would reach.

mod bar;
mod kept;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{SystemTime, UNIX_EPOCH};

use self::bar::Bar;
use crate::bench::prompts::Prompt;
use crate::bench::run::Bench;
use crate::cli::flags::{self, EngineFlags, IoFlag, ModelFlag};
use crate::cli::interrupt::{INTERRUPTED, Interrupt};
use crate::cli::result_file::Scratch;
use crate::cli::{demo, measure, message, open, out, size, state};
use crate::error::{Error, Result};
use crate::generate::options::Options;
use crate::generate::planner::Planner;
use crate::generate::profile::{Profile, Setting};
use crate::os;
use crate::report::tune::{TUNE_SCHEMA, TuneReport, WhatIf};
use crate::tune::forecast::Forecast;
use crate::tune::search::{self as tuning, Search, Settled, Tuned};

/// Find the fastest cache size, reading, policy and prefetching on this machine, and keep them.
///
/// Times what is worth trying, there and back, and compares the answers. What was found is kept for the model, the device,
/// the drive and the budget: `chat` and `generate` with the same --memory and --vram (or with neither, if neither is given
/// here) then use it wherever a flag leaves it open, and say so. What is given here is kept as it is.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
    Predictions are for the prompts that are measured, from an empty cache on: recorded routing on a virtual clock, with the \
    time of computing and reading fitted to two timed runs.\n\n\
    Examples:\n  \
    foregate tune model.gguf --memory 8GiB\n  \
    foregate tune model.gguf --memory 8GiB --what-if 16GiB,32GiB")]
pub struct Args {
    #[command(flatten)]
    model: ModelFlag,
    /// Predict other values of --memory (of --vram on a GPU with memory of its own); what was kept for the budget that is
    /// given answers if there is something, at once
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
    /// Tokens of an answer at most [default: 32]
    #[arg(short = 'n', long, value_name = "N", value_parser = flags::count(1 << 20), help_heading = SWEEP)]
    tokens: Option<usize>,
    #[command(flatten)]
    engine: EngineFlags,
}

const SWEEP: &str = "What is measured";
const ANSWERS: &str = "Answers";
/// Tokens of an answer unless told otherwise.
const TOKENS: usize = 32;

pub fn run(args: &Args) -> Result<ExitCode> {
    args.engine.check()?;
    let path = demo::find(args.model.model.as_deref())?;
    let file = open::model_file(&path, &args.engine, None)?;
    let options = args.engine.resolve()?;
    let planner = Planner::new(file, &options, &mut Vec::new())?;
    if planner.model.experts.is_empty() {
        return Err(Error::file(&path, "the model has no routed experts: there is nothing to tune"));
    }
    let store = state::folder().map(|folder| planner.profiles(&folder, &options)).transpose()?;
    let prompts = measure::prompts(args.prompts.as_deref())?;
    let question = Question { args, planner: &planner, options: &options };
    if !args.what_if.is_empty()
        && !args.again
        && let Some(report) =
            store.as_ref().map(|store| kept::answer(&question, store, &prompts)).transpose()?.flatten()
    {
        return print(args, &report);
    }
    let routing = Scratch::new(".csv.gz");
    let Some(tuned) = search(&question, &path, &prompts, &routing)? else {
        message::note("stopped: nothing is kept");
        return Ok(ExitCode::from(INTERRUPTED));
    };
    let profile = profile(&question, &prompts, &tuned)?;
    let mut report = question.report(&tuned.forecast, &profile, profile.setting)?;
    report.prediction_error_median = TuneReport::errors(&tuned.trials).0;
    (report.trials, report.best_trial, report.sizes) = (tuned.trials, Some(tuned.best), tuned.sizes);
    let mut kept = Ok(());
    match store.filter(|_| !args.dry_run) {
        Some(store) => {
            kept = store.save(&profile, routing.path());
            report.profile = kept.is_ok().then(|| store.path().display().to_string());
        }
        None => message::note("nothing is kept"),
    }
    // what was measured is told, whether or not it can be kept
    let code = print(args, &report)?;
    if let Some(place) = &report.profile {
        message::note(&format!("kept in {place}; chat and generate use it under the same --memory and --vram"));
    }
    kept.map(|()| code)
}

/// Measures. `None` if it was stopped.
fn search(question: &Question<'_>, path: &Path, prompts: &[Prompt], routing: &Scratch) -> Result<Option<Tuned>> {
    let Question { args, planner, options } = question;
    let tokenizer = open::tokenizer(&planner.gguf)?;
    let (asked, _) = measure::ask(&planner.gguf, &tokenizer, prompts)?;
    let bench = Bench {
        path,
        cold: &[],
        options: (*options).clone(),
        tokenizer: &tokenizer,
        prompts: &asked,
        tokens: args.tokens.unwrap_or(TOKENS),
    };
    let settled = Settled {
        cache: args.engine.cache.is_some(),
        policy: args.engine.policy,
        prefetch: options.prefetch,
        reading: args.engine.io != IoFlag::Auto || args.engine.lanes.is_some(),
    };
    Interrupt::install()?.during(|cancel| {
        let mut bar = Bar::new(asked.len(), cancel);
        let tuned = Search::new(bench, planner, settled, &mut bar).run(routing.path());
        bar.clear();
        tuned
    })
}

/// What is kept of a search.
fn profile(question: &Question<'_>, prompts: &[Prompt], tuned: &Tuned) -> Result<Profile> {
    let (best, Forecast { cost, disk, recall, .. }) = (&tuned.trials[tuned.best], tuned.forecast.clone());
    Ok(Profile {
        unix_time_s: SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs()),
        setting: best.setting,
        tok_s: best.tok_s,
        cost,
        disk,
        recall,
        error_most: TuneReport::errors(&tuned.trials).1,
        conditions: kept::measured_with(question, &best.setting, prompts)?,
    })
}

/// What is asked of a model.
struct Question<'a> {
    args: &'a Args,
    planner: &'a Planner,
    options: &'a Options,
}

impl Question<'_> {
    /// What a forecast tells of the setting `asked`, beside the profile it is from.
    fn report(&self, forecast: &Forecast, profile: &Profile, asked: Setting) -> Result<TuneReport> {
        let (gguf, device) = (&self.planner.gguf, self.planner.device_info());
        let plan = self.planner.plan(&profile.setting.fill(self.options))?;
        let what_if =
            self.args.what_if.iter().map(|&budget| self.what_if(forecast, &asked, plan.vram.is_some(), budget));
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
            prediction_error_median: None,
            prediction_error_most: profile.error_most,
            best: profile.setting,
            tok_s: profile.tok_s,
            best_trial: None,
            asked,
            what_if: what_if.collect::<Result<_>>()?,
            trials: Vec::new(),
            sizes: Vec::new(),
            profile: None,
        })
    }

    /// What another budget would reach, once it is tuned for. Its cache is the one that is given, or fills it: what was found
    /// to be the best size within one budget is not the best within another. A budget that tuning would refuse is refused.
    fn what_if(&self, forecast: &Forecast, asked: &Setting, vram: bool, budget: u64) -> Result<WhatIf> {
        let within = |options: Options| match vram {
            true => Options { vram: Some(budget), ..options },
            false => Options { memory: Some(budget), ..options },
        };
        let tuned = Options { cache: self.options.cache, ..asked.fill(self.options) };
        let plan = self.planner.plan(&within(self.options.clone()));
        Ok(match plan.and_then(|_| self.planner.plan(&within(tuned))) {
            Ok(plan) => {
                WhatIf { budget_bytes: budget, size: Some(tuning::size(forecast, &plan, asked)?), refused: None }
            }
            Err(e) => WhatIf { budget_bytes: budget, size: None, refused: Some(e.to_string()) },
        })
    }
}

fn print(args: &Args, report: &TuneReport) -> Result<ExitCode> {
    if args.json {
        out::json(report)?;
    } else {
        out::write(report.text().as_bytes())?;
    }
    message::warnings(report.doubts().as_slice());
    Ok(ExitCode::SUCCESS)
}
