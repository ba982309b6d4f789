//! What it takes to cut texts into tokens, which no plan of a model counts.

use super::{Ceiling, mib, program_bytes, tokenizer_bytes};
use crate::error::{Error, Result};
use crate::gguf::Gguf;
use crate::tokenizer::{TEXT_BYTES, Tokenizer};

/// Texts of so many bytes are within the program's own share.
const SMALL_TEXT: usize = 64 << 10;

/// Bytes of the longest text that [`check_text`] may accept under a ceiling of `memory` bytes.
pub fn longest_text(memory: u64) -> u64 {
    memory / TEXT_BYTES as u64
}

/// Bytes of the process's resident set that it may take to cut a text into tokens, be there a model or not; 0 for a small
/// text.
pub fn text_bytes(gguf: &Gguf, tokenizer: &Tokenizer, text: &str, looks_for_gpus: bool) -> u64 {
    if text.len() <= SMALL_TEXT {
        return 0;
    }
    program_bytes(looks_for_gpus) + tokenizer_bytes(gguf) + tokenizer.encode_bytes(text)
}

/// Refuses a text for which [`text_bytes`] is above a ceiling.
///
/// # Errors
/// [`Error::Budget`].
pub fn check_text(
    gguf: &Gguf,
    tokenizer: &Tokenizer,
    text: &str,
    memory: &Ceiling,
    looks_for_gpus: bool,
) -> Result<()> {
    let need = text_bytes(gguf, tokenizer, text, looks_for_gpus);
    if need <= memory.bytes {
        return Ok(());
    }
    Err(Error::Budget(format!(
        "{memory} is too small to cut a text of {} into tokens: give at least --memory {}, or a shorter text",
        mib(text.len() as u64, true),
        mib(need, true)
    )))
}

/// What a conversation's texts may take beside the plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChatText {
    /// Bytes of a line, at most.
    pub longest: usize,
    /// Bytes that cutting the conversation into tokens may take.
    pub encoding: u64,
    /// Of these, bytes beside the program's own share.
    pub held: u64,
}

impl ChatText {
    /// For a context of `ctx` tokens.
    pub fn new(ctx: usize) -> Self {
        // several times what text takes, so that only what would not fit is refused before it is cut into tokens
        const TEXT_BYTES_PER_TOKEN: usize = 16;
        // text of words takes less
        const ENCODING_BYTES_PER_TEXT_BYTE: u64 = 32;
        let longest = (TEXT_BYTES_PER_TOKEN * ctx).max(SMALL_TEXT);
        let encoding = longest as u64 * ENCODING_BYTES_PER_TEXT_BYTE;
        Self { longest, encoding, held: if longest > SMALL_TEXT { encoding } else { 0 } }
    }
}
