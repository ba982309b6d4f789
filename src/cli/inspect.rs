//! `foregate inspect`: what a model is and what a memory budget makes of it.

use std::path::PathBuf;

use serde::Serialize;

use crate::cli::flags::{EngineFlags, ProfileFlag};
use crate::cli::{message, out};
use crate::error::{Error, Result};
use crate::generate::options::Options;
use crate::generate::plan::text::ChatText;
use crate::generate::plan::{CacheSize, Plan, mib};
use crate::generate::planner::{ModelFile, Planner};
use crate::generate::profile::{Setting, Taken};
use crate::report::model::ModelFacts;
use crate::report::plan::{cache_text, plan_text};
use crate::report::units::bytes;

/// Show what a model is, and where memory would go at a budget.
///
/// Architecture, storage types, sizes of experts, and the plan for --memory, beside what other budgets would give. Loads
/// no weights.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  foregate inspect model.gguf --memory 8GiB")]
pub struct Args {
    /// GGUF file, or the first shard of one
    #[arg(value_name = "MODEL")]
    model: PathBuf,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    engine: EngineFlags,
    #[command(flatten)]
    profile: ProfileFlag,
}

/// What `inspect --json` prints.
#[derive(Serialize)]
struct Report {
    schema: &'static str,
    model: ModelFacts,
    /// At the budget that was asked for, or at the default one; none if that is refused.
    plan: Option<Plan>,
    /// Why.
    refused: Option<String>,
    /// Other budgets, from the smallest that works to the one that holds all experts.
    budgets: Vec<Plan>,
    /// Bytes that `chat` keeps beside a plan for long messages.
    chat_bytes: u64,
    /// What `tune` kept for this model, which settles what the flags leave open.
    profile: Option<Setting>,
}

/// Budgets shown between the smallest and the largest.
const STEPS: u64 = 4;
/// More memory than any machine has.
const UNBOUNDED: u64 = 1 << 50;

pub fn run(args: &Args) -> Result<()> {
    let mut options = Options { profiles: args.profile.folder(), ..args.engine.resolve()? };
    let planner = Planner::new(ModelFile::open(&args.model, options.ctx)?, &options, &mut Vec::new())?;
    let mut warnings = Vec::new();
    let profile = planner.profile(&options, &mut warnings)?.map(|profile| profile.setting);
    message::warnings(&warnings);
    let taken = profile.map(|setting| setting.taken(&options)).unwrap_or_default();
    if let Some(setting) = profile {
        options = setting.fill(&options);
    }
    let all = unbounded(&planner, &options)?;
    if all.experts == 0 {
        args.engine.check_dense()?;
    }
    let (plan, refused) = match planner.plan(&options) {
        Ok(plan) => (Some(plan), None),
        Err(Error::Budget(why)) => (None, Some(why)),
        Err(other) => return Err(other),
    };
    let report = Report {
        schema: "foregate.inspect/1",
        model: ModelFacts::new(&planner.gguf, &planner.model)?,
        plan,
        refused,
        budgets: budgets(&planner, &options, &all)?,
        chat_bytes: ChatText::new(planner.model.config.ctx).held,
        profile,
    };
    if args.json { out::json(&report) } else { out::write(text(&report, taken).as_bytes()) }
}

/// The plan that keeps every expert.
fn unbounded(planner: &Planner, options: &Options) -> Result<Plan> {
    let free = Options { memory: Some(UNBOUNDED), cache: CacheSize::Fill, ..options.clone() };
    match planner.plan(&free) {
        Err(Error::Budget(_)) => planner.plan(&Options { vram: Some(UNBOUNDED), ..free }),
        done => done,
    }
}

/// Plans for memory budgets in even steps from the smallest that works to what holds everything.
fn budgets(planner: &Planner, options: &Options, all: &Plan) -> Result<Vec<Plan>> {
    let most = all.process + all.tokenizer + all.weights + all.kv + all.activations + all.staging + all.slots;
    let least = all.smallest.min(most);
    let mut plans = Vec::new();
    for step in 0..=STEPS {
        let memory = least + (most - least) * step / STEPS;
        let at = Options { memory: Some(memory), cache: CacheSize::Fill, ..options.clone() };
        match planner.plan(&at) {
            Ok(plan) => plans.push(plan),
            // A GPU's memory may be what binds; then memory alone decides nothing.
            Err(Error::Budget(_)) => {}
            Err(other) => return Err(other),
        }
    }
    // Beyond what holds everything, more memory changes nothing.
    plans.dedup_by_key(|plan: &mut Plan| plan.slots);
    Ok(plans)
}

fn text(report: &Report, taken: Taken) -> String {
    let mut text = report.model.text();
    text.push('\n');
    match (&report.plan, &report.refused) {
        (Some(plan), _) => text += &plan_text(plan),
        (None, Some(why)) => text += &format!("refused: {why}\n"),
        (None, None) => {}
    }
    let taken = report.plan.as_ref().map_or(taken, |plan| taken.in_plan(plan));
    if let Some(note) = taken.note() {
        text += &format!("{note}\n");
    }
    if report.model.experts > 0 {
        text += "\nmemory        expert cache\n";
        for plan in &report.budgets {
            text += &format!("{:<14}{:>11}  {}\n", mib(plan.memory, true), bytes(plan.slots), cache_text(plan));
        }
        if let Some(smallest) = report.budgets.first() {
            text += &format!(
                "Less than {} is refused: the resident part and one layer's experts must fit.\n",
                mib(smallest.memory, true)
            );
            if report.chat_bytes > 0 {
                text += &format!("chat keeps {} more for long messages.\n", mib(report.chat_bytes, true));
            }
        }
    }
    text
}
