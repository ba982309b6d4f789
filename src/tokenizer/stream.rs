//! Tokens to text as they come, without ever splitting a character.

use super::Tokenizer;

/// Turns tokens into text one by one. What it gives, joined, is the whole decoding with invalid bytes replaced by U+FFFD.
#[derive(Debug)]
pub struct Detokenizer<'t> {
    tokenizer: &'t Tokenizer,
    show_control: bool,
    /// The beginning of a character whose other bytes are still to come: at most 3 bytes.
    pending: Vec<u8>,
}

impl<'t> Detokenizer<'t> {
    /// A stream that leaves control tokens out.
    pub fn new(tokenizer: &'t Tokenizer) -> Self {
        Self { tokenizer, show_control: false, pending: Vec::new() }
    }

    /// A stream that writes control tokens as their texts.
    pub fn with_control(tokenizer: &'t Tokenizer) -> Self {
        Self { show_control: true, ..Self::new(tokenizer) }
    }

    /// The text that `id` completes; empty while a character is incomplete. An id outside the vocabulary gives nothing.
    pub fn push(&mut self, id: u32) -> String {
        if self.show_control || !self.tokenizer.is_control(id) {
            self.pending.extend_from_slice(self.tokenizer.piece(id));
        }
        self.take(false)
    }

    /// What is left at the end: an incomplete character becomes U+FFFD. The stream is as new afterwards.
    pub fn finish(&mut self) -> String {
        self.take(true)
    }

    fn take(&mut self, at_end: bool) -> String {
        let mut text = String::new();
        let mut kept = 0;
        let mut chunks = self.pending.utf8_chunks().peekable();
        while let Some(chunk) = chunks.next() {
            text.push_str(chunk.valid());
            let invalid = chunk.invalid();
            // Only the last chunk can be the beginning of a longer character.
            let incomplete =
                chunks.peek().is_none() && std::str::from_utf8(invalid).is_err_and(|error| error.error_len().is_none());
            if incomplete && !at_end {
                kept = invalid.len();
            } else if !invalid.is_empty() {
                text.push(char::REPLACEMENT_CHARACTER);
            }
        }
        self.pending.drain(..self.pending.len() - kept);
        text
    }
}
