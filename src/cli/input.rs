//! Texts that a command is given: on the command line, in a file, on stdin.

use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use clap::Args;

use crate::error::{Error, Result};

/// A text, in one of two ways.
#[derive(Args, Clone, Debug)]
#[group(required = true, multiple = false)]
pub struct TextFlags {
    /// The text itself
    #[arg(short, long, value_name = "TEXT", allow_hyphen_values = true)]
    pub prompt: Option<String>,
    /// A file that holds the text; - is stdin. `generate` and `perplexity` leave out one newline at its end
    #[arg(short, long, value_name = "FILE")]
    pub file: Option<PathBuf>,
}

impl TextFlags {
    /// The text.
    ///
    /// # Errors
    /// A file that cannot be read or is not UTF-8.
    pub fn read(&self) -> Result<String> {
        match (&self.prompt, &self.file) {
            (Some(text), _) => Ok(text.clone()),
            (None, Some(path)) => read_text(path),
            (None, None) => Err(Error::Usage("no text: give -p TEXT or -f FILE".into())),
        }
    }

    /// The text as a prompt: without the newline that ends a file, one at most, as in llama.cpp.
    ///
    /// # Errors
    /// As [`TextFlags::read`].
    pub fn read_prompt(&self) -> Result<String> {
        let mut text = self.read()?;
        if self.file.is_some() && text.ends_with('\n') {
            text.pop();
        }
        Ok(text)
    }
}

/// The whole of a text file; `-` is stdin.
///
/// # Errors
/// It cannot be read or is not UTF-8.
pub fn read_text(path: &Path) -> Result<String> {
    let stdin = path == Path::new("-");
    let path = if stdin { Path::new("stdin") } else { path };
    let mut bytes = Vec::new();
    let read =
        if stdin { io::stdin().lock().read_to_end(&mut bytes).map(drop) } else { fs::read(path).map(|b| bytes = b) };
    read.map_err(|e| Error::io(path, e))?;
    String::from_utf8(bytes).map_err(|e| {
        Error::file(
            path,
            format!("not UTF-8 text: the byte at offset {} begins no character", e.utf8_error().valid_up_to()),
        )
    })
}
