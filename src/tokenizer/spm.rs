//! SentencePiece BPE: neighbours merge while their joined text is a token, best score first.
//!
//! The merging is our own. The `tokenizers` crate ranks merges by their place in a list, so it cannot say that two
//! tokens have the same score and the left one goes first, which is every token of a file whose converter wrote one
//! score for all; and it would keep the whole text as one word, because this tokenizer has no splitter.

use std::cmp::Ordering;
use std::collections::{BinaryHeap, HashMap, HashSet};

use super::cache::PieceCache;
use super::vocab::{Texts, TokenType, Vocab};
use crate::gguf::Gguf;
use crate::{Error, Result};

/// How a space is written in token texts: U+2581.
pub const SPACE: &str = "\u{2581}";

/// A SentencePiece tokenizer: tokens with scores.
#[derive(Debug)]
pub struct Spm {
    /// Ids by text.
    ids: HashMap<Box<str>, u32>,
    /// Scores by id.
    scores: Vec<f32>,
    /// Tokens of single bytes, where the vocabulary has them.
    bytes: Vec<Option<u32>>,
    /// Stands for a byte without a token.
    unknown: Option<u32>,
    /// Longest token, in bytes.
    token_bytes_max: usize,
    /// Pairs of neighbouring characters that some token holds: between others no merge can reach across.
    neighbours: HashSet<(char, char)>,
}

/// A merge that can be done: the token made of the symbol at `left` and its neighbour.
#[derive(PartialEq)]
struct Merge {
    score: f32,
    left: u32,
    /// Length of the joined text, to know an outdated entry by.
    bytes: u32,
}

impl Eq for Merge {}

impl Ord for Merge {
    fn cmp(&self, other: &Self) -> Ordering {
        self.score.total_cmp(&other.score).then(other.left.cmp(&self.left)).then(other.bytes.cmp(&self.bytes))
    }
}

impl PartialOrd for Merge {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// A stretch of the text; `bytes` is 0 once it was merged into its left neighbour.
#[derive(Clone, Copy)]
struct Symbol {
    start: u32,
    bytes: u32,
    prev: u32,
    next: u32,
}

/// No neighbour.
const NONE: u32 = u32::MAX;

impl Spm {
    /// Reads scores and byte tokens. Errors: fewer scores than tokens, or a score that is no number.
    pub fn read(gguf: &Gguf, texts: &Texts<'_>, vocab: &Vocab) -> Result<Self> {
        let key = "tokenizer.ggml.scores";
        let scores = match gguf.metadata().f32s(key)? {
            Some(scores) => scores,
            None => vec![0.0; texts.by_id.len()],
        };
        if scores.len() < texts.by_id.len() {
            let what = format!("`{key}` has {} entries for {} tokens", scores.len(), texts.by_id.len());
            return Err(Error::file(gguf.path(), what));
        }
        if let Some(id) = scores.iter().position(|score| score.is_nan()) {
            return Err(Error::file(gguf.path(), format!("`{key}`: the score of token {id} is not a number")));
        }
        let as_text = |(text, &id): (&&[u8], &u32)| Some((Box::from(str::from_utf8(text).ok()?), id));
        let ids: HashMap<Box<str>, u32> = texts.ids.iter().filter_map(as_text).collect();
        let mut neighbours = HashSet::new();
        for text in ids.keys() {
            neighbours.extend(text.chars().zip(text.chars().skip(1)));
        }
        let of_byte = |byte: u8| {
            let written = ids.get(format!("<0x{byte:02X}>").as_str());
            written.or_else(|| texts.ids.get([byte].as_slice())).copied()
        };
        Ok(Self {
            bytes: (0..=255).map(of_byte).collect(),
            token_bytes_max: ids.keys().map(|text| text.len()).max().unwrap_or(0),
            unknown: vocab.unknown,
            scores,
            neighbours,
            ids,
        })
    }

    /// The token whose text is exactly `text` (in the file's spelling).
    pub fn id(&self, text: &str) -> Option<u32> {
        self.ids.get(text).copied()
    }

    /// Appends the tokens of `text`, whose spaces are written as [`SPACE`]. Errors: more than 4 GiB, or a byte without a
    /// token in a vocabulary without an unknown token.
    pub fn encode<'t>(&self, text: &'t str, cache: &mut PieceCache<'t>, out: &mut Vec<u32>) -> Result<()> {
        if u32::try_from(text.len()).is_err() {
            return Err(Error::Tokenizer(format!("a text of {} bytes is too long: cut it", text.len())));
        }
        let mut start = 0;
        let mut chars = text.char_indices();
        let mut last = chars.next().map(|(_, c)| c);
        for (at, c) in chars {
            if last.is_some_and(|last| !self.neighbours.contains(&(last, c))) {
                cache.with(&text[start..at], out, |out| self.merge(&text[start..at], out))?;
                start = at;
            }
            last = Some(c);
        }
        if start < text.len() {
            cache.with(&text[start..], out, |out| self.merge(&text[start..], out))?;
        }
        Ok(())
    }

    /// Merges one stretch that no merge reaches out of.
    fn merge(&self, text: &str, out: &mut Vec<u32>) -> Result<()> {
        let n = text.chars().count() as u32;
        let mut symbols: Vec<Symbol> = Vec::with_capacity(n as usize);
        for (i, (at, c)) in (0..).zip(text.char_indices()) {
            let prev = if i == 0 { NONE } else { i - 1 };
            let next = if i + 1 == n { NONE } else { i + 1 };
            symbols.push(Symbol { start: at as u32, bytes: c.len_utf8() as u32, prev, next });
        }
        let mut queue = BinaryHeap::new();
        for left in 0..n.saturating_sub(1) {
            queue.extend(self.merge_of(text, &symbols, left));
        }
        while let Some(merge) = queue.pop() {
            let left = symbols[merge.left as usize];
            if left.bytes == 0 || left.next == NONE {
                continue;
            }
            let right = symbols[left.next as usize];
            if left.bytes + right.bytes != merge.bytes {
                continue;
            }
            symbols[left.next as usize].bytes = 0;
            symbols[merge.left as usize] = Symbol { bytes: merge.bytes, next: right.next, ..left };
            if right.next != NONE {
                symbols[right.next as usize].prev = merge.left;
            }
            if left.prev != NONE {
                queue.extend(self.merge_of(text, &symbols, left.prev));
            }
            queue.extend(self.merge_of(text, &symbols, merge.left));
        }
        for symbol in symbols.iter().filter(|symbol| symbol.bytes > 0) {
            self.emit(&text[symbol.start as usize..][..symbol.bytes as usize], out)?;
        }
        Ok(())
    }

    /// The merge of the symbol at `left` with its neighbour, if their joined text is a token.
    fn merge_of(&self, text: &str, symbols: &[Symbol], left: u32) -> Option<Merge> {
        let symbol = symbols[left as usize];
        let right = symbols.get(symbol.next as usize)?;
        let bytes = symbol.bytes + right.bytes;
        if bytes as usize > self.token_bytes_max {
            return None;
        }
        let id = self.ids.get(&text[symbol.start as usize..][..bytes as usize])?;
        Some(Merge { score: self.scores[*id as usize], left, bytes })
    }

    fn emit(&self, text: &str, out: &mut Vec<u32>) -> Result<()> {
        if let Some(&id) = self.ids.get(text) {
            out.push(id);
            return Ok(());
        }
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
