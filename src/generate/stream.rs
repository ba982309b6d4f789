//! The token loop: prompt, feed, sample, text, until something ends the answer.
//!
//! It knows the model and the tokenizer by the little it needs of them ([`LanguageModel`], [`TokenText`]), so that its
//! rules are tested on a scripted model.

use std::ops::Range;
use std::time::Instant;

use serde::Serialize;

use crate::error::{Error, Result};
use crate::generate::sampler::Sampler;
use crate::generate::stats::{Counters, Phase, RunStats};
use crate::generate::stop::StopTexts;
use crate::tokenizer::{Detokenizer, Tokenizer};

/// A model with a KV cache, as the token loop sees it.
pub trait LanguageModel {
    /// Computes `tokens` at the next positions; `each` is given the logits `(rows, vocabulary)` of the tokens in `wanted`
    /// (indices of `tokens`), in order and a few rows at a time. `false` if `cancel` said so first; then only the
    /// positions up to [`LanguageModel::position`] are computed.
    fn each_logits(
        &mut self,
        tokens: &[u32],
        wanted: Range<usize>,
        cancel: &dyn Fn() -> bool,
        each: &mut dyn FnMut(&[f32]) -> Result<()>,
    ) -> Result<bool>;
    /// The same with the logits of the last token alone; `None` if `cancel` said so first.
    fn next_logits(&mut self, tokens: &[u32], cancel: &dyn Fn() -> bool) -> Result<Option<Vec<f32>>> {
        let mut last = Vec::new();
        let whole = self.each_logits(tokens, tokens.len().saturating_sub(1)..tokens.len(), cancel, &mut |row| {
            last = row.to_vec();
            Ok(())
        })?;
        Ok(whole.then_some(last))
    }
    /// The next tokens are the prompt of a new turn.
    fn begin_turn(&mut self) {}
    /// How many tokens the KV cache holds.
    fn position(&self) -> usize;
    /// Forgets the tokens from `position` on.
    fn rewind(&mut self, position: usize) -> Result<()>;
    /// How many tokens the KV cache can hold.
    fn ctx(&self) -> usize;
    /// How many tokens there are to choose from.
    fn vocab(&self) -> usize;
    /// What experts have cost so far.
    fn counters(&self) -> Counters;
}

/// Turns tokens into text, piece by piece, whole characters only.
pub trait TokenText {
    /// What can be shown after this token.
    fn push(&mut self, token: u32) -> String;
    /// What was held back at the end.
    fn finish(&mut self) -> String;
    /// Whether the token ends an answer.
    fn is_end(&self, token: u32) -> bool;
}

/// A model's own tokenizer as [`TokenText`].
#[derive(Debug)]
pub struct ModelText<'t> {
    tokenizer: &'t Tokenizer,
    stream: Detokenizer<'t>,
    shown: Vec<u32>,
}

impl<'t> ModelText<'t> {
    /// Text without control tokens, but for those whose texts are among `shown`.
    pub fn new(tokenizer: &'t Tokenizer, shown: &[&str]) -> Self {
        let shown = shown.iter().filter_map(|text| tokenizer.token(text)).collect();
        Self { tokenizer, stream: Detokenizer::new(tokenizer), shown }
    }
}

impl TokenText for ModelText<'_> {
    fn push(&mut self, token: u32) -> String {
        if self.shown.contains(&token) && self.tokenizer.is_control(token) {
            return self.stream.finish() + &self.tokenizer.decode_lossy(&[token]);
        }
        self.stream.push(token)
    }

    fn finish(&mut self) -> String {
        self.stream.finish()
    }

    fn is_end(&self, token: u32) -> bool {
        self.tokenizer.is_end_of_generation(token)
    }
}

/// Why an answer is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Ended {
    /// The model gave one of its end tokens.
    EndToken,
    /// A stop text came.
    StopText,
    /// The wanted number of tokens is reached.
    Length,
    /// The context is full.
    ContextFull,
    /// The user interrupted it.
    Interrupted,
}

/// What to answer and when to stop.
pub struct Request<'a> {
    /// The whole context: what the KV cache already holds of it is not computed again.
    pub prompt: &'a [u32],
    /// Tokens to generate at most; `None`: until the context is full.
    pub max_tokens: Option<usize>,
    /// Texts that end the answer.
    pub stops: &'a [String],
}

/// An answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// Its text, without a stop text.
    pub text: String,
    /// Its tokens, the end token included.
    pub ids: Vec<u32>,
    /// Why it is over.
    pub ended: Ended,
    /// What it cost.
    pub stats: RunStats,
}

/// Answers prompts with one model, and knows which tokens its KV cache holds.
#[derive(Debug, Default)]
pub struct Generator {
    held: Vec<u32>,
}

impl Generator {
    /// For a model whose KV cache is empty.
    pub fn new() -> Self {
        Self::default()
    }

    /// Generates an answer to `request`, handing each piece of text to `show` as soon as it is final.
    ///
    /// # Errors
    /// An empty prompt, one longer than the context, failures of the model, the sampler or `show`.
    pub fn answer(
        &mut self,
        model: &mut dyn LanguageModel,
        text: &mut dyn TokenText,
        sampler: &mut Sampler,
        request: &Request<'_>,
        cancel: &dyn Fn() -> bool,
        show: &mut dyn FnMut(&str) -> Result<()>,
    ) -> Result<Answer> {
        let start = Instant::now();
        let mut stats = RunStats::default();
        sampler.forget();
        sampler.accept(request.prompt);
        let mut logits = self.prefill(model, request.prompt, cancel, &mut stats.prefill)?;

        let mut writer = Writer { stops: StopTexts::new(request.stops.iter().cloned()), text: String::new(), show };
        let mut ids = Vec::new();
        let full = |ids: &[u32]| request.max_tokens.is_some_and(|most| ids.len() >= most);
        let mut ended = loop {
            // a stop in the last layer of a long prompt must not cost a token more
            let Some(row) = logits.filter(|_| !cancel()) else { break Ended::Interrupted };
            if full(&ids) {
                break Ended::Length;
            }
            let token = sampler.sample(&row)?;
            sampler.accept(&[token]);
            ids.push(token);
            stats.first_token.get_or_insert_with(|| start.elapsed());
            if text.is_end(token) {
                break Ended::EndToken;
            }
            writer.write(&text.push(token))?;
            if writer.stops.found() {
                break Ended::StopText;
            } else if full(&ids) {
                break Ended::Length;
            } else if model.position() >= model.ctx() {
                break Ended::ContextFull;
            }
            logits = self.decode(model, token, cancel, &mut stats)?;
        };
        writer.write(&text.finish())?;
        if writer.stops.found() {
            ended = Ended::StopText;
        } else {
            writer.flush()?;
        }
        Ok(Answer { text: writer.text, ids, ended, stats })
    }

    /// Brings the KV cache from what it holds to `prompt`, computing what differs and at least the last token.
    fn prefill(
        &mut self,
        model: &mut dyn LanguageModel,
        prompt: &[u32],
        cancel: &dyn Fn() -> bool,
        phase: &mut Phase,
    ) -> Result<Option<Vec<f32>>> {
        if prompt.is_empty() {
            return Err(Error::Unsupported("the prompt has no tokens, so there is nothing to go on from".into()));
        }
        if prompt.len() > model.ctx() {
            return Err(Error::ContextFull { tokens: prompt.len(), ctx: model.ctx() });
        }
        let shared = self.held.iter().zip(prompt).take_while(|(a, b)| a == b).count().min(prompt.len() - 1);
        model.rewind(shared)?;
        self.held.truncate(shared);
        let (start, before) = (Instant::now(), model.counters());
        model.begin_turn();
        let logits = model.next_logits(&prompt[shared..], cancel)?;
        self.held.extend(&prompt[shared..model.position()]);
        *phase = Phase { tokens: model.position() - shared, time: start.elapsed(), experts: model.counters() - before };
        Ok(logits)
    }

    /// One token further.
    fn decode(
        &mut self,
        model: &mut dyn LanguageModel,
        token: u32,
        cancel: &dyn Fn() -> bool,
        stats: &mut RunStats,
    ) -> Result<Option<Vec<f32>>> {
        let (start, before) = (Instant::now(), model.counters());
        let logits = model.next_logits(&[token], cancel)?;
        if logits.is_some() {
            self.held.push(token);
            stats.decode.tokens += 1;
            stats.decode.time += start.elapsed();
            stats.decode.experts += model.counters() - before;
            stats.steps.push(start.elapsed());
        }
        Ok(logits)
    }
}

/// Passes on what is no stop text and keeps a copy.
struct Writer<'a> {
    stops: StopTexts,
    text: String,
    show: &'a mut dyn FnMut(&str) -> Result<()>,
}

impl Writer<'_> {
    fn write(&mut self, piece: &str) -> Result<()> {
        let piece = self.stops.push(piece);
        self.pass(&piece)
    }

    fn flush(&mut self) -> Result<()> {
        let piece = self.stops.finish();
        self.pass(&piece)
    }

    fn pass(&mut self, piece: &str) -> Result<()> {
        self.text.push_str(piece);
        if piece.is_empty() { Ok(()) } else { (self.show)(piece) }
    }
}

#[cfg(test)]
mod tests;
