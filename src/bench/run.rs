//! One run: a model opened in one configuration answers all prompts.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use sha2::{Digest, Sha256};

use super::Configuration;
use crate::compute::DeviceInfo;
use crate::digest;
use crate::error::{Error, Result};
use crate::expert::ExpertId;
use crate::expert::pager::Ledger;
use crate::expert::predict::{PredictorKind, RecallRow};
use crate::expert::source::SourceInfo;
use crate::expert::trace::Trace;
use crate::generate::engine::Engine;
use crate::generate::options::Options;
use crate::generate::plan::{CacheSize, Plan};
use crate::generate::profile::Setting;
use crate::generate::sampler::{Sampler, Sampling};
use crate::generate::stats::Phase;
use crate::generate::stream::{Ended, Generator, LanguageModel, ModelText, Request};
use crate::os;
use crate::tokenizer::Tokenizer;

/// What all runs have in common.
pub struct Bench<'a> {
    /// The model's file.
    pub path: &'a Path,
    /// The files to drop from the page cache before each run; none: the cache is left as it is.
    pub cold: &'a [PathBuf],
    /// How the model is opened; cache, policy and prefetch are the configuration's.
    pub options: Options,
    /// Turns answers into text.
    pub tokenizer: &'a Tokenizer,
    /// What is asked, in tokens.
    pub prompts: &'a [Vec<u32>],
    /// Tokens of an answer at most.
    pub tokens: usize,
}

/// What one run gave.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// Time to open the model.
    pub load: Duration,
    /// All prompts.
    pub prefill: Phase,
    /// All answers' tokens that were fed back.
    pub decode: Phase,
    /// Time of all answers beyond prefill and decode: sampling, text.
    pub rest: Duration,
    /// Time of each decode step.
    pub steps: Vec<Duration>,
    /// From the start of each prompt to its first token.
    pub first_tokens: Vec<Duration>,
    /// The answers' tokens.
    pub ids: Vec<Vec<u32>>,
    /// The answers.
    pub texts: Vec<String>,
    /// Prefetching, over all layers.
    pub ledger: Ledger,
    /// Slots of the cache.
    pub slots: usize,
    /// Bytes of the cache.
    pub cache_bytes: u64,
    /// The process's peak during this run; `None` where it cannot be told apart from earlier ones.
    pub peak_resident: Option<u64>,
}

impl Outcome {
    /// SHA-256 of all answers' tokens, each answer led by its length; numbers are little-endian u32.
    pub fn sha256(&self) -> String {
        let mut hash = Sha256::new();
        for ids in &self.ids {
            hash.update((ids.len() as u32).to_le_bytes());
            digest::add_ids(&mut hash, ids);
        }
        digest::hex(hash)
    }
}

/// What the untimed run tells beside its outcome.
pub struct Probe {
    /// The answers, untimed.
    pub outcome: Outcome,
    /// Who computes.
    pub device: DeviceInfo,
    /// How experts are read.
    pub source: SourceInfo,
    /// Where memory goes.
    pub plan: Plan,
    /// Who predicts.
    pub predictor: PredictorKind,
    /// How often predictions were right, by every method and distance.
    pub recall: Vec<RecallRow>,
    /// Experts with a slot at the end.
    pub residents: Vec<ExpertId>,
    /// What was chosen for the user.
    pub notes: Vec<String>,
}

impl Bench<'_> {
    /// What the model is opened with in this configuration.
    pub fn options(&self, configuration: &Configuration) -> Options {
        let mut options = self.options.clone();
        options.cache = configuration.cache;
        options.policy = Some(configuration.policy);
        options.prefetch = Some(configuration.prefetch);
        options
    }

    /// What the model is opened with in this setting; where that takes what fits, the cache is that of the options.
    pub fn options_of(&self, setting: &Setting) -> Options {
        Options {
            cache: setting.cache.map_or(self.options.cache, CacheSize::Bytes),
            policy: Some(setting.policy),
            prefetch: Some(setting.prefetch),
            io: Some(setting.path),
            lanes: Some(setting.lanes),
            ..self.options.clone()
        }
    }

    /// Takes the files out of the page cache, if runs start cold.
    ///
    /// # Errors
    /// The system has no way to do that.
    pub fn cool(&self) -> Result<()> {
        self.cold.iter().try_for_each(|file| os::drop_file_cache(file).map_err(|e| Error::io(file, e)))
    }

    /// The untimed run with these options, recorded to `trace`. `None` if `cancel` stopped it.
    ///
    /// # Errors
    /// Those of opening the model and of answering.
    pub fn probe(
        &self,
        options: &Options,
        trace: &Path,
        cancel: &dyn Fn() -> bool,
        each: &mut dyn FnMut(),
    ) -> Result<Option<(Probe, Trace)>> {
        self.cool()?;
        let options = Options { trace: Some((trace.to_owned(), false)), ..options.clone() };
        let mut engine = Engine::open(self.path, &options, &mut |_| {})?;
        if engine.plan().experts == 0 {
            let what = "the model has no routed experts: there is no expert cache to measure";
            return Err(Error::file(self.path, what));
        }
        engine.measure_recall(true);
        let Some(outcome) = self.answer(&mut engine, cancel, each)? else { return Ok(None) };
        engine.finish_trace()?;
        let probe = Probe {
            outcome,
            device: engine.device_info(),
            source: engine.source_info().clone(),
            plan: engine.plan().clone(),
            predictor: engine.predictor(),
            recall: engine.recall(),
            residents: engine.residents(),
            notes: engine.notes().to_vec(),
        };
        Ok(Some((probe, Trace::read(trace, None)?)))
    }

    /// A timed run with these options; `each` is called after every prompt. `None` if `cancel` stopped it.
    ///
    /// # Errors
    /// Those of opening the model and of answering.
    pub fn run(&self, options: &Options, cancel: &dyn Fn() -> bool, each: &mut dyn FnMut()) -> Result<Option<Outcome>> {
        self.cool()?;
        let own_peak = os::reset_peak_resident();
        let begin = Instant::now();
        let mut engine = Engine::open(self.path, options, &mut |_| {})?;
        let load = begin.elapsed();
        let Some(mut outcome) = self.answer(&mut engine, cancel, each)? else { return Ok(None) };
        outcome.load = load;
        outcome.peak_resident = os::peak_resident_bytes().filter(|_| own_peak);
        Ok(Some(outcome))
    }

    fn answer(
        &self,
        engine: &mut Engine,
        cancel: &dyn Fn() -> bool,
        each: &mut dyn FnMut(),
    ) -> Result<Option<Outcome>> {
        let mut outcome = Outcome::default();
        for prompt in self.prompts {
            engine.rewind(0)?;
            let request = Request { prompt, max_tokens: Some(self.tokens), stops: &[] };
            let (text, sampler) = (&mut ModelText::new(self.tokenizer, &[]), &mut Sampler::new(Sampling::greedy()));
            let begin = Instant::now();
            let answer = Generator::new().answer(engine, text, sampler, &request, cancel, &mut |_| Ok(()))?;
            let all = begin.elapsed();
            if answer.ended == Ended::Interrupted {
                return Ok(None);
            }
            let stats = answer.stats;
            outcome.rest += all.saturating_sub(stats.prefill.time + stats.decode.time);
            add(&mut outcome.prefill, &stats.prefill);
            add(&mut outcome.decode, &stats.decode);
            outcome.steps.extend(stats.steps);
            outcome.first_tokens.extend(stats.first_token);
            outcome.ids.push(answer.ids);
            outcome.texts.push(answer.text);
            each();
        }
        engine.ledger().iter().for_each(|&layer| outcome.ledger += layer);
        outcome.slots = engine.plan().slot_count();
        outcome.cache_bytes = engine.plan().slots;
        Ok(Some(outcome))
    }
}

fn add(sum: &mut Phase, more: &Phase) {
    sum.tokens += more.tokens;
    sum.time += more.time;
    sum.experts += more.experts;
}

/// Compares the answers of a run with those of another; both are named in the error.
///
/// # Errors
/// They differ.
pub fn same_answers(a: (&str, &Outcome), b: (&str, &Outcome)) -> Result<()> {
    if a.1.ids == b.1.ids {
        return Ok(());
    }
    let prompt = 1 + a.1.ids.iter().zip(&b.1.ids).take_while(|(x, y)| x == y).count();
    Err(Error::Device(format!(
        "{} and {} gave different tokens, first at prompt {prompt}: SHA-256 {} and {}. Speed, caching and reading must not \
         change an answer: please report this",
        a.0,
        b.0,
        a.1.sha256(),
        b.1.sha256()
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(ids: &[&[u32]]) -> Outcome {
        Outcome { ids: ids.iter().map(|ids| ids.to_vec()).collect(), ..Outcome::default() }
    }

    #[test]
    fn different_answers_are_an_error_that_names_both_runs_and_the_prompt() {
        let (a, b) = (outcome(&[&[1, 2], &[3]]), outcome(&[&[1, 2], &[4]]));
        assert!(same_answers(("run 1", &a), ("run 2", &a.clone())).is_ok());
        let error = same_answers(("run 1", &a), ("run 2", &b)).unwrap_err();
        let text = error.to_string();
        for part in ["run 1 and run 2", "at prompt 2", &a.sha256(), &b.sha256()] {
            assert!(text.contains(part), "{part}: {text}");
        }
        assert!(!error.is_usage());
    }

    #[test]
    fn a_token_that_moves_to_the_next_answer_changes_the_hash() {
        assert_ne!(outcome(&[&[1, 2], &[3]]).sha256(), outcome(&[&[1], &[2, 3]]).sha256());
    }
}
