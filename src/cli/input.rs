//! Texts that a command is given: on the command line, in a file, on stdin.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use clap::Args;

use crate::error::{Error, Result};
use crate::generate::plan::text::longest_text;
use crate::report::units::bytes;

/// Bytes that a template, a list of messages or of prompts may have.
pub const SMALL_FILE_MAX: u64 = 16 << 20;

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
    /// The text, if it is no longer than a ceiling of `memory` bytes allows.
    ///
    /// # Errors
    /// A file that cannot be read, is not UTF-8 or too long.
    pub fn read(&self, memory: u64) -> Result<String> {
        match (&self.prompt, &self.file) {
            (Some(text), _) => Ok(text.clone()),
            (None, Some(path)) => read_text(path, longest_text(memory)),
            (None, None) => Err(Error::Usage("no text: give -p TEXT or -f FILE".into())),
        }
    }

    /// The text as a prompt: without the newline that ends a file, one at most, as in llama.cpp.
    ///
    /// # Errors
    /// As [`TextFlags::read`].
    pub fn read_prompt(&self, memory: u64) -> Result<String> {
        let mut text = self.read(memory)?;
        if self.file.is_some() && text.ends_with('\n') {
            text.pop();
        }
        Ok(text)
    }
}

/// The whole of a text file of at most `most` bytes; `-` is stdin.
///
/// # Errors
/// It cannot be read, is longer or is not UTF-8.
pub fn read_text(path: &Path, most: u64) -> Result<String> {
    let stdin = path == Path::new("-");
    let path = if stdin { Path::new("stdin") } else { path };
    let mut text = Vec::new();
    let read = if stdin {
        io::stdin().lock().take(most + 1).read_to_end(&mut text)
    } else {
        File::open(path).and_then(|file| file.take(most + 1).read_to_end(&mut text))
    };
    let read = read.map_err(|e| Error::io(path, e))?;
    if read as u64 > most {
        return Err(Error::file(
            path,
            format!("a text of more than {}, the most that is taken here: give a shorter one", bytes(most)),
        ));
    }
    String::from_utf8(text).map_err(|e| {
        Error::file(
            path,
            format!("not UTF-8 text: the byte at offset {} begins no character", e.utf8_error().valid_up_to()),
        )
    })
}
