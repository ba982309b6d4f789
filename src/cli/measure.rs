//! What the commands that measure have in common: prompts, the file of the routing, the bar.

use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};
use std::process;

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

/// Where the routing is recorded. A file that the user did not ask for goes away, and one of a measurement that did not end.
pub struct TraceFile {
    /// Where it is.
    pub path: PathBuf,
    asked: bool,
    keep: bool,
}

impl TraceFile {
    /// The file that was asked for, or one of our own.
    pub fn new(given: Option<&Path>) -> Self {
        let own = || std::env::temp_dir().join(format!("foregate-bench-{}.csv.gz", process::id()));
        Self { path: given.map_or_else(own, Path::to_owned), asked: given.is_some(), keep: false }
    }

    /// What was asked for is whole.
    pub fn keep(&mut self) {
        self.keep = self.asked;
    }
}

impl Drop for TraceFile {
    fn drop(&mut self) {
        // a pipe or a device that was asked for is not ours
        if !self.keep && std::fs::metadata(&self.path).is_ok_and(|found| found.is_file()) {
            // a file that is left in the directory for temporary files does no harm
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

/// A bar of prompts on a terminal, nothing elsewhere.
pub fn progress_bar(prompts: u64) -> ProgressBar {
    if !io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template(BAR).expect("the template is a constant and a test renders it");
    ProgressBar::new(prompts).with_style(style)
}

const BAR: &str = "{bar:30} {pos}/{len} {eta} left  {wide_msg}";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bars_template_is_valid() {
        assert!(ProgressStyle::with_template(BAR).is_ok());
    }
}
