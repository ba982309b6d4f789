//! SentencePiece BPE: neighbours merge while their joined text is a token, best score first.
//!
//! The `tokenizers` crate ranks merges by their place in a list, so it cannot say that two tokens have the same score and
//! the left one goes first, which is every token of a file whose converter wrote one score for all; and it would keep the
//! whole text as one word, because this tokenizer has no splitter.

use hashbrown::HashSet;

use super::cache::PieceCache;
use super::merge::{MERGE_BYTES, SYMBOL_BYTES, Word};
use super::texts::Texts;
use super::vocab::{TokenType, Vocab};
use crate::gguf::Gguf;
use crate::{Error, Result};

/// How a space is written in token texts: U+2581.
pub const SPACE: &str = "\u{2581}";
/// The same as a character.
const SPACE_CHAR: char = '\u{2581}';

/// A SentencePiece tokenizer: tokens with scores.
#[derive(Debug)]
pub struct Spm {
    texts: Texts,
    /// By id, 0 for the tokens of the best score, 1 for those of the next.
    ranks: Vec<u32>,
    /// Tokens of single bytes, where the vocabulary has them.
    bytes: Vec<Option<u32>>,
    /// Stands for a byte without a token.
    unknown: Option<u32>,
    /// Longest token, in bytes.
    token_bytes_max: usize,
    /// Pairs of neighbouring characters that some token holds: between others no merge can reach across.
    neighbours: HashSet<(char, char)>,
}

/// The id of a character that is no token.
const NO_TOKEN: u32 = u32::MAX;

impl Spm {
    /// Reads scores and byte tokens. Errors: fewer scores than tokens, or a score that is no number.
    pub fn read(gguf: &Gguf, texts: Texts, vocab: &Vocab) -> Result<Self> {
        let key = "tokenizer.ggml.scores";
        let scores = match gguf.metadata().f32s(key)? {
            Some(scores) => scores,
            None => vec![0.0; texts.len()],
        };
        if scores.len() < texts.len() {
            let what = format!("`{key}` has {} entries for {} tokens", scores.len(), texts.len());
            return Err(Error::file(gguf.path(), what));
        }
        if let Some(id) = scores.iter().position(|score| score.is_nan()) {
            return Err(Error::file(gguf.path(), format!("`{key}`: the score of token {id} is not a number")));
        }
        let as_text = |text| str::from_utf8(text).ok();
        let mut neighbours = HashSet::new();
        for text in texts.iter().filter_map(as_text) {
            neighbours.extend(text.chars().zip(text.chars().skip(1)));
        }
        let of_byte = |byte: u8| texts.id(format!("<0x{byte:02X}>")).or_else(|| texts.id([byte]));
        Ok(Self {
            bytes: (0..=255).map(of_byte).collect(),
            token_bytes_max: texts.iter().filter_map(as_text).map(str::len).max().unwrap_or(0),
            unknown: vocab.unknown,
            ranks: ranks(&scores[..texts.len()]),
            neighbours,
            texts,
        })
    }

    /// The token whose text is exactly `text` (in the file's spelling).
    pub fn id(&self, text: &str) -> Option<u32> {
        self.texts.id(text)
    }

    /// Appends the tokens of `text`, whose spaces are written as [`SPACE`]. Errors: more than 4 GiB, or a byte without a
    /// token in a vocabulary without an unknown token.
    pub fn encode<'t>(&self, text: &'t str, cache: &mut PieceCache<'t>, out: &mut Vec<u32>) -> Result<()> {
        if u32::try_from(text.len()).is_err() {
            return Err(Error::Tokenizer(format!("a text of {} bytes is too long: cut it", text.len())));
        }
        let mut word = Word::default();
        self.stretches(text).try_for_each(|stretch| cache.with(stretch, out, |out| self.merge(stretch, &mut word, out)))
    }

    /// The parts of `text` that no merge reaches out of.
    fn stretches<'t>(&self, text: &'t str) -> impl Iterator<Item = &'t str> {
        let mut rest = text;
        std::iter::from_fn(move || {
            let pairs = rest.chars().zip(rest.char_indices().skip(1));
            let cut =
                pairs.filter(|(last, (_, c))| !self.neighbours.contains(&(*last, *c))).map(|(_, (at, _))| at).next();
            let (stretch, after) = rest.split_at(cut.unwrap_or(rest.len()));
            rest = after;
            (!stretch.is_empty()).then_some(stretch)
        })
    }

    /// Memory that merging takes for `text` at most, in bytes: its longest stretch, a symbol per byte and a merge that waits
    /// per character, in lists that grow by half as much again as they hold.
    pub fn merge_bytes(&self, text: &str) -> usize {
        let (mut most, mut stretch, mut last) = (0, 0, None);
        for c in text.chars().map(|c| if c == ' ' { SPACE_CHAR } else { c }) {
            if last.is_some_and(|last| !self.neighbours.contains(&(last, c))) {
                stretch = 0;
            }
            stretch += 3 * (SYMBOL_BYTES * c.len_utf8() + MERGE_BYTES);
            most = most.max(stretch);
            last = Some(c);
        }
        most
    }

    /// Merges one stretch that no merge reaches out of.
    fn merge(&self, text: &str, word: &mut Word, out: &mut Vec<u32>) -> Result<()> {
        let chars = text.char_indices().map(|(at, c)| {
            let len = c.len_utf8();
            (self.texts.id(&text[at..at + len]).unwrap_or(NO_TOKEN), len)
        });
        let mut at = 0;
        for (id, len) in word.merge(chars, |start, left, right| {
            let len = (left.len + right.len) as usize;
            if len > self.token_bytes_max {
                return None;
            }
            let id = self.texts.id(&text[start..start + len])?;
            Some((self.ranks[id as usize], id))
        }) {
            match id {
                NO_TOKEN => self.emit_bytes(&text[at..at + len], out)?,
                id => out.push(id),
            }
            at += len;
        }
        Ok(())
    }

    /// Appends the tokens of the single bytes of `text`, which has no token.
    fn emit_bytes(&self, text: &str, out: &mut Vec<u32>) -> Result<()> {
        for byte in text.bytes() {
            let id = self.bytes[usize::from(byte)].or(self.unknown).ok_or_else(|| {
                Error::Tokenizer(format!(
                    "{text:?} has no token, its byte 0x{byte:02X} has none, and there is no unknown token"
                ))
            })?;
            out.push(id);
        }
        Ok(())
    }
}

/// For each score its place among all scores, the best first; equal scores have equal places.
fn ranks(scores: &[f32]) -> Vec<u32> {
    let mut sorted = scores.to_vec();
    sorted.sort_unstable_by(|a, b| b.total_cmp(a));
    sorted.dedup();
    scores.iter().map(|score| sorted.partition_point(|other| other > score) as u32).collect()
}

/// Appends the bytes that a token's `text` stands for.
pub fn decode(text: &[u8], ty: TokenType, out: &mut Vec<u8>) {
    match ty {
        TokenType::Control | TokenType::Unknown | TokenType::UserDefined => out.extend_from_slice(text),
        TokenType::Byte => out.extend(byte_of(text)),
        TokenType::Unused => {}
        TokenType::Normal => match str::from_utf8(text) {
            Ok(text) => out.extend_from_slice(text.replace(SPACE, " ").as_bytes()),
            Err(_) => out.extend_from_slice(text),
        },
    }
}

/// The byte that `<0xXX>` stands for.
pub fn byte_of(text: &[u8]) -> Option<u8> {
    let hex = text.strip_prefix(b"<0x")?.strip_suffix(b">")?;
    u8::from_str_radix(str::from_utf8(hex).ok()?, 16).ok()
}
