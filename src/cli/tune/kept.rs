//! `--what-if` from what an earlier run kept.

use std::collections::BTreeMap;

use sha2::{Digest, Sha256};

use super::{Args, Question, TOKENS};
use crate::bench::prompts::Prompt;
use crate::cli::message;
use crate::digest;
use crate::error::{Error, Result};
use crate::generate::options::LOOKAHEAD_DEFAULT;
use crate::generate::profile::{ProfileStore, Record};
use crate::report::tune::TuneReport;
use crate::tune::forecast::Forecast;

/// What was kept tells; `None` where it cannot, and the user is told why.
///
/// # Errors
/// A plan or a policy that cannot be predicted.
pub(super) fn answer(question: &Question<'_>, store: &ProfileStore) -> Result<Option<TuneReport>> {
    let record = match store.load() {
        Ok(Some(record)) => record,
        Ok(None) => {
            message::note("nothing was kept for this model, device, drive and budget: measuring");
            return Ok(None);
        }
        Err(warning) => {
            message::warnings(&[warning]);
            return Ok(None);
        }
    };
    let forecast = match forecast(question, store, &record) {
        Ok(forecast) => forecast,
        Err(e) => {
            message::note(&format!("what an earlier run kept cannot answer: {e}: measuring anew"));
            return Ok(None);
        }
    };
    message::note(&format!("what an earlier run kept answers ({}); --again measures anew", store.path().display()));
    let mut report = question.report(&forecast, &record.profile, record.profile.setting)?;
    report.profile = Some(store.path().display().to_string());
    Ok(Some(report))
}

fn forecast(question: &Question<'_>, store: &ProfileStore, record: &Record) -> Result<Forecast> {
    let (trace, profile) = (store.routing(record)?, &record.profile);
    let lookahead = question.options.lookahead.unwrap_or(LOOKAHEAD_DEFAULT);
    let forecast = Forecast::new(&trace, profile.cost, profile.disk, profile.recall, lookahead)?;
    forecast.ok_or_else(|| Error::file(store.trace(), "the trace holds no new token"))
}

/// What a run is measured with that no prediction can change afterwards, to be kept.
pub(super) fn measured_with(args: &Args, prompts: &[Prompt]) -> BTreeMap<String, String> {
    let mut all: BTreeMap<_, _> = fixed(args, prompts).map(|(flag, value)| (flag.to_owned(), value)).collect();
    all.entry("-n".into()).or_insert_with(|| TOKENS.to_string());
    all
}

/// The flags among those that are given. Those of the device are in its name, by which profiles are kept.
fn fixed(args: &Args, prompts: &[Prompt]) -> impl Iterator<Item = (&'static str, String)> {
    let engine = &args.engine;
    let number = |n: Option<usize>| n.map(|n| n.to_string());
    let flags = [
        ("--prompts", args.prompts.as_ref().map(|_| sha256(prompts))),
        ("-n", number(args.tokens)),
        ("--batch", number(engine.batch)),
        ("--kv", engine.kv.map(|kv| format!("{kv:?}").to_lowercase())),
        ("--predictor", engine.predictor.map(|predictor| predictor.to_string())),
    ];
    flags.into_iter().filter_map(|(flag, value)| Some((flag, value?)))
}

fn sha256(prompts: &[Prompt]) -> String {
    let mut hash = Sha256::new();
    prompts.iter().for_each(|prompt| hash.update(format!("{}: {}\n", prompt.domain, prompt.text)));
    digest::hex(hash)
}
