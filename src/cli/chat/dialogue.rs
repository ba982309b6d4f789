//! The conversation: its messages, and one turn of it.

use serde_json::{Value, json};

use super::display::Display;
use crate::cli::sampling::SamplingFlags;
use crate::error::{Error, Result};
use crate::generate::sampler::Sampler;
use crate::generate::stats::RunStats;
use crate::generate::stream::{Ended, Generator, LanguageModel, ModelText, Request};
use crate::tokenizer::Tokenizer;
use crate::tokenizer::template::thoughts::{Format, Splitter, assistant_message};
use crate::tokenizer::template::{ChatTemplate, Conversation};

/// A conversation with one model. Each turn renders the whole of it; the KV cache keeps what has not changed.
pub struct Dialogue<'a> {
    tokenizer: &'a Tokenizer,
    template: &'a ChatTemplate,
    format: Format,
    generator: Generator,
    sampler: Sampler,
    max_tokens: Option<usize>,
    /// Memory that cutting a prompt into tokens may take.
    encoding: u64,
    stops: Vec<String>,
    system: Option<String>,
    messages: Vec<Value>,
    last: Option<RunStats>,
}

impl<'a> Dialogue<'a> {
    /// An empty conversation; cutting it into tokens may take `encoding` bytes of memory.
    pub fn new(
        tokenizer: &'a Tokenizer,
        template: &'a ChatTemplate,
        format: Format,
        sampling: &SamplingFlags,
        system: Option<String>,
        encoding: u64,
    ) -> Self {
        let mut dialogue = Self {
            tokenizer,
            template,
            format,
            generator: Generator::new(),
            sampler: Sampler::new(sampling.resolve()),
            max_tokens: sampling.max_tokens(),
            encoding,
            stops: sampling.stop.clone(),
            system,
            messages: Vec::new(),
            last: None,
        };
        dialogue.reset();
        dialogue
    }

    /// The seed of the draws.
    pub fn seed(&self) -> u64 {
        self.sampler.sampling().seed
    }

    /// What the last answer cost.
    pub fn last(&self) -> Option<&RunStats> {
        self.last.as_ref()
    }

    /// Forgets everything but the system prompt.
    pub fn reset(&mut self) {
        self.messages = self.system.iter().map(|text| json!({"role": "system", "content": text})).collect();
    }

    /// Begins anew with this system prompt; empty: with none.
    pub fn set_system(&mut self, text: &str) {
        self.system = Some(text.to_owned()).filter(|text| !text.is_empty());
        self.reset();
    }

    /// One message and its answer, shown as it comes. A turn that fails, or is stopped before its first word, leaves the
    /// conversation as it was.
    pub fn turn(
        &mut self,
        model: &mut dyn LanguageModel,
        text: &str,
        cancel: &dyn Fn() -> bool,
        display: &mut Display,
    ) -> Result<Ended> {
        self.messages.push(json!({"role": "user", "content": text}));
        let turn = self.answer(model, cancel, display);
        match &turn {
            Ok((_, Some(message))) => self.messages.push(message.clone()),
            Ok((_, None)) | Err(_) => drop(self.messages.pop()),
        }
        turn.map(|(ended, _)| ended)
    }

    /// The answer to the last message; without a message if there was no word of it.
    fn answer(
        &mut self,
        model: &mut dyn LanguageModel,
        cancel: &dyn Fn() -> bool,
        display: &mut Display,
    ) -> Result<(Ended, Option<Value>)> {
        let prompt = self.template.render(&Conversation::new(self.messages.clone())?)?;
        if self.tokenizer.encode_bytes(&prompt) > self.encoding {
            return Err(Error::TextTooLong { bytes: prompt.len() });
        }
        let ids = self.tokenizer.encode(&prompt, !self.template.begins_with_bos(&prompt), true)?;
        let mut splitter = Splitter::new(self.format, &prompt);
        let mut tokens = ModelText::new(self.tokenizer, &self.format.markers());
        let request = Request { prompt: &ids, max_tokens: self.max_tokens, stops: &self.stops };
        let mut show = |piece: &str| display.pieces(&splitter.push(piece));
        let answer = self.generator.answer(model, &mut tokens, &mut self.sampler, &request, cancel, &mut show)?;
        display.pieces(&splitter.finish())?;
        self.last = Some(answer.stats);
        let said = !(splitter.answer().is_empty() && splitter.thought().is_empty());
        let message = said.then(|| assistant_message(self.template, splitter.thought(), splitter.answer()));
        Ok((answer.ended, message))
    }
}
