//! `--what-if` from what an earlier run kept: a flag acts on the prediction, or is refused.

use std::collections::BTreeMap;

use sha2::{Digest, Sha256};

use super::{Args, Question, TOKENS};
use crate::bench::prompts::Prompt;
use crate::cli::message;
use crate::digest;
use crate::error::{Error, Result};
use crate::generate::options::LOOKAHEAD_DEFAULT;
use crate::generate::profile::{Profile, ProfileStore, Record, Setting};
use crate::report::tune::TuneReport;
use crate::tune::forecast::Forecast;

/// What was kept tells; `None` where it cannot, and the user is told why.
///
/// # Errors
/// A flag that cannot act on what was kept.
pub(super) fn answer(question: &Question<'_>, store: &ProfileStore, prompts: &[Prompt]) -> Result<Option<TuneReport>> {
    let Some(record) = record(store) else { return Ok(None) };
    let (profile, options) = (&record.profile, question.options);
    let forecast = match forecast(question, store, &record) {
        Ok(forecast) => forecast,
        Err(e) => {
            message::note(&format!("what an earlier run kept cannot answer: {e}: measuring anew"));
            return Ok(None);
        }
    };
    refuse_idle(question, profile, prompts)?;
    let policy = options.policy.unwrap_or(profile.setting.policy);
    if !forecast.serves(policy) {
        let what =
            format!("--policy {policy} decides by the router's scores, which were not kept: add --again to measure");
        return Err(Error::Usage(what));
    }
    let with: String = profile.conditions.iter().map(|(flag, value)| format!(", {flag} {value}")).collect();
    message::note(&format!(
        "what an earlier run kept answers ({}{with}); --again measures anew",
        store.path().display()
    ));
    let prefetch = options.prefetch.unwrap_or(profile.setting.prefetch);
    let mut report = question.report(&forecast, profile, Setting { policy, prefetch, ..profile.setting })?;
    report.profile = Some(store.path().display().to_string());
    Ok(Some(report))
}

/// What was kept, if there is something sound: else the user is told.
fn record(store: &ProfileStore) -> Option<Record> {
    let found = store.load();
    match &found {
        Ok(Some(_)) => {}
        Ok(None) => message::note("nothing was kept for this model, device, drive and budget: measuring"),
        Err(warning) => message::warnings(std::slice::from_ref(warning)),
    }
    found.ok().flatten()
}

fn forecast(question: &Question<'_>, store: &ProfileStore, record: &Record) -> Result<Forecast> {
    let (trace, profile) = (store.routing(record)?, &record.profile);
    let lookahead = question.options.lookahead.unwrap_or(LOOKAHEAD_DEFAULT);
    let forecast = Forecast::new(&trace, profile.cost, profile.disk, profile.recall, lookahead)?;
    forecast.ok_or_else(|| Error::file(store.trace(), "the trace holds no new token"))
}

/// What the run of a setting is measured with that no prediction can change afterwards, given or not, to be kept.
pub(super) fn measured_with(
    question: &Question<'_>,
    setting: &Setting,
    prompts: &[Prompt],
) -> Result<BTreeMap<String, String>> {
    let Question { args, planner, options } = question;
    let plan = planner.plan(&setting.fill(options))?;
    let chosen = [
        ("-n", TOKENS.to_string()),
        ("--ctx", plan.ctx.to_string()),
        ("--batch", plan.batch.to_string()),
        ("--kv", planner.kv(options).to_string()),
        ("--predictor", options.predictor.to_string()),
    ];
    Ok(chosen.into_iter().chain(fixed(args, prompts)).map(|(flag, value)| (flag.to_owned(), value)).collect())
}

/// The flags among those that are given. Those of the device are in its name, by which profiles are kept.
fn fixed(args: &Args, prompts: &[Prompt]) -> impl Iterator<Item = (&'static str, String)> {
    let engine = &args.engine;
    let number = |n: Option<usize>| n.map(|n| n.to_string());
    let flags = [
        ("--prompts", args.prompts.as_ref().map(|_| sha256(prompts))),
        ("-n", number(args.tokens)),
        ("--ctx", number(engine.ctx)),
        ("--batch", number(engine.batch)),
        ("--kv", engine.kv.map(|kv| kv.kind().to_string())),
        ("--predictor", engine.predictor.map(|predictor| predictor.to_string())),
    ];
    flags.into_iter().filter_map(|(flag, value)| Some((flag, value?)))
}

fn sha256(prompts: &[Prompt]) -> String {
    let mut hash = Sha256::new();
    prompts.iter().for_each(|prompt| hash.update(format!("{}: {}\n", prompt.domain, prompt.text)));
    digest::hex(hash)
}

/// Whether the first number is the larger one.
fn longer(one: &str, other: &str) -> bool {
    let number = |text: &str| text.parse::<usize>().ok();
    number(one) > number(other)
}

/// Refuses what is given and was not measured with.
fn refuse_idle(question: &Question<'_>, profile: &Profile, prompts: &[Prompt]) -> Result<()> {
    let Profile { setting: best, conditions, .. } = profile;
    let refuse = |flag: &str, how: &str| {
        let what =
            format!("{flag} cannot act: what was kept was measured {how}; leave it out, or add --again to measure");
        Err(Error::Usage(what))
    };
    for (flag, value) in fixed(question.args, prompts) {
        match conditions.get(flag) {
            Some(measured) if *measured == value => {}
            // a longer one takes more memory, and that is predicted; in a shorter one other tokens may be left
            Some(measured) if flag == "--ctx" && longer(&value, measured) => {}
            Some(_) if flag == "--prompts" => return refuse(flag, "with others"),
            Some(measured) => return refuse(flag, &format!("with {flag} {measured}")),
            None => return refuse(flag, "without it"),
        }
    }
    match (question.options.io, question.options.lanes) {
        (Some(path), _) if path != best.path => refuse("--io", &format!("with {} reads", best.path)),
        (_, Some(lanes)) if lanes != best.lanes => refuse("--lanes", &format!("with {} lanes", best.lanes)),
        _ => Ok(()),
    }
}
