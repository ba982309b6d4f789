//! What the commands that measure have in common: prompts, the bar.

use std::io::{self, IsTerminal};
use std::path::Path;

use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;

use crate::bench::prompts::{self, Prompt};
use crate::cli::input;
use crate::error::Result;
use crate::gguf::Gguf;
use crate::tokenizer::Tokenizer;
use crate::tokenizer::template::{ChatTemplate, Conversation};

/// The prompts of a file (`-` is stdin), or those that ship.
pub fn prompts(given: Option<&Path>) -> Result<Vec<Prompt>> {
    match given {
        Some(file) => prompts::parse(&input::read_text(file, input::SMALL_FILE_MAX)?),
        None => prompts::shipped(),
    }
}

/// The prompts in tokens, in the model's own chat template where it has one, and whether it has.
pub fn ask(gguf: &Gguf, tokenizer: &Tokenizer, prompts: &[Prompt]) -> Result<(Vec<Vec<u32>>, bool)> {
    let template = ChatTemplate::from_gguf(gguf)?;
    let ids = |prompt: &Prompt| {
        if template.is_fallback() {
            return tokenizer.encode(&prompt.text, true, true);
        }
        let messages = vec![json!({"role": "user", "content": prompt.text})];
        let text = template.render(&Conversation::new(messages)?)?;
        tokenizer.encode(&text, !template.begins_with_bos(&text), true)
    };
    Ok((prompts.iter().map(ids).collect::<Result<_>>()?, !template.is_fallback()))
}

/// A bar of prompts on a terminal, nothing elsewhere.
pub fn progress_bar(prompts: u64) -> ProgressBar {
    if !io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template(BAR).expect("the template is a constant and a test renders it");
    ProgressBar::new(prompts).with_style(style)
}

const BAR: &str = "{bar:12} {pos}/{len} {eta} left  {wide_msg}";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bars_template_is_valid() {
        assert!(ProgressStyle::with_template(BAR).is_ok());
    }
}
