//! Byte-level byte-pair encoding, on the `tokenizers` crate's BPE model.
//!
//! Three things stand around that model. Texts and single bytes that merges name but the vocabulary lacks get ids behind
//! the vocabulary, because the model drops an unknown character before it merges, so that its neighbours would meet.
//! Long pieces are cut where no merge can reach across, so that memory does not follow a text without spaces. And pieces
//! seen before in the same text are not merged again.

use std::collections::{HashMap, HashSet};
use std::fmt;

use tokenizers::Model;
use tokenizers::models::bpe;

use super::alphabet;
use super::cache::PieceCache;
use super::split::{self, Pass};
use super::vocab::{Texts, required_strings};
use crate::gguf::Gguf;
use crate::{Error, Result};

/// From this length (bytes) on a piece is cut where that is safe.
const LONG_PIECE: usize = 4096;

/// A byte-level BPE tokenizer: a splitter and merges.
pub struct ByteBpe {
    model: bpe::BPE,
    passes: &'static [Pass],
    ignore_merges: bool,
    /// The vocabulary's size; the model's ids from here on are texts without a token.
    n_tokens: u32,
    /// For each text without a token, the tokens of its single characters, as far as there are any.
    fallbacks: Vec<Vec<u32>>,
    /// Bit `256 a + b`: some merge joins a text that ends in byte `a` with one that begins with byte `b`.
    joined: Box<[u64; 1024]>,
}

impl fmt::Debug for ByteBpe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ByteBpe").field("n_tokens", &self.n_tokens).finish_non_exhaustive()
    }
}

/// The model's vocabulary while it is built: the file's texts, and the ids given to texts without a token.
struct Building<'a> {
    texts: &'a Texts<'a>,
    extra: HashMap<Vec<u8>, u32>,
}

impl Building<'_> {
    fn id(&mut self, text: &[u8]) -> u32 {
        if let Some(&id) = self.texts.ids.get(text) {
            return id;
        }
        if let Some(&id) = self.extra.get(text) {
            return id;
        }
        let id = (self.texts.by_id.len() + self.extra.len()) as u32;
        self.extra.insert(text.to_vec(), id);
        id
    }
}

impl ByteBpe {
    /// Builds the model from `tokenizer.ggml.merges`. Errors: no merges, or more texts than 32 bits number.
    pub fn read(gguf: &Gguf, texts: &Texts<'_>, pre: &split::table::Pre) -> Result<Self> {
        let merges = required_strings(gguf, "tokenizer.ggml.merges")?;
        if texts.by_id.len().saturating_add(merges.len().saturating_mul(3)) > u32::MAX as usize {
            return Err(Error::file(gguf.path(), format!("`tokenizer.ggml.merges` has {} entries", merges.len())));
        }
        let mut building = Building { texts, extra: HashMap::new() };
        for c in alphabet::CHARS.iter() {
            building.id(c.encode_utf8(&mut [0; 4]).as_bytes());
        }
        let mut joined = Box::new([0; 1024]);
        let mut seen = HashSet::with_capacity(merges.len());
        let mut pairs = Vec::with_capacity(merges.len());
        let mut whole = Vec::new();
        for merge in merges.bytes() {
            let Some((left, right)) = halves(merge) else { continue };
            // Of equal merges the first counts.
            if !seen.insert((building.id(left.as_bytes()), building.id(right.as_bytes()))) {
                continue;
            }
            whole.clear();
            whole.extend_from_slice(left.as_bytes());
            whole.extend_from_slice(right.as_bytes());
            building.id(&whole);
            let ends = (left.chars().next_back(), right.chars().next());
            if let (Some(a), Some(b)) = (ends.0.and_then(alphabet::byte_of), ends.1.and_then(alphabet::byte_of)) {
                set_bit(&mut joined, a, b);
            }
            pairs.push((left.to_owned(), right.to_owned()));
        }
        drop(seen);
        let extra = building.extra;
        let known = texts.ids.iter().filter_map(|(text, &id)| Some((str::from_utf8(text).ok()?.to_owned(), id)));
        let unknown = extra.iter().filter_map(|(text, &id)| Some((str::from_utf8(text).ok()?.to_owned(), id)));
        let vocab: bpe::Vocab = known.chain(unknown).collect();
        let model = bpe::BPE::builder()
            .vocab_and_merges(vocab, pairs)
            .cache_capacity(0)
            .build()
            .map_err(|e| Error::file(gguf.path(), format!("the tokenizer's merges cannot be used: {e}")))?;
        let mut fallbacks = vec![Vec::new(); extra.len()];
        for (text, id) in &extra {
            let single = |byte: &u8| texts.ids.get(std::slice::from_ref(byte)).copied();
            fallbacks[*id as usize - texts.by_id.len()] = text.iter().filter_map(single).collect();
        }
        Ok(Self {
            model,
            passes: pre.passes,
            ignore_merges: pre.ignore_merges,
            n_tokens: texts.by_id.len() as u32,
            fallbacks,
            joined,
        })
    }

    /// The token whose text is exactly `text` (in the file's spelling).
    pub fn id(&self, text: &str) -> Option<u32> {
        self.model.token_to_id(text).filter(|&id| id < self.n_tokens)
    }

    /// Appends the tokens of `text`, which holds no special tokens.
    pub fn encode<'t>(&self, text: &'t str, cache: &mut PieceCache<'t>, out: &mut Vec<u32>) -> Result<()> {
        let mut spelled = String::new();
        let mut failed = None;
        split::split(self.passes, text, &mut |piece| {
            if failed.is_none() {
                failed = cache.with(piece, out, |out| self.encode_piece(piece, &mut spelled, out)).err();
            }
        });
        failed.map_or(Ok(()), Err)
    }

    fn encode_piece(&self, piece: &str, spelled: &mut String, out: &mut Vec<u32>) -> Result<()> {
        if self.ignore_merges {
            spell(piece.as_bytes(), spelled);
            if let Some(id) = self.id(spelled) {
                out.push(id);
                return Ok(());
            }
        }
        let mut rest = piece.as_bytes();
        while !rest.is_empty() {
            let (part, after) = rest.split_at(self.safe_cut(rest));
            rest = after;
            spell(part, spelled);
            let tokens = self.model.tokenize(spelled).map_err(|e| Error::Tokenizer(e.to_string()))?;
            for token in tokens {
                match token.id.checked_sub(self.n_tokens) {
                    None => out.push(token.id),
                    Some(extra) => out.extend_from_slice(&self.fallbacks[extra as usize]),
                }
            }
        }
        Ok(())
    }

    /// The first place from [`LONG_PIECE`] on between two bytes that no merge joins; the end where there is none.
    fn safe_cut(&self, bytes: &[u8]) -> usize {
        let joins = |at: &usize| !bit(&self.joined, bytes[at - 1], bytes[*at]);
        (LONG_PIECE..bytes.len()).find(joins).unwrap_or(bytes.len())
    }
}

/// The two texts of a merge, which one space parts; a text may itself begin with a space.
fn halves(merge: &[u8]) -> Option<(&str, &str)> {
    let merge = str::from_utf8(merge).ok()?;
    let space = merge.bytes().skip(1).position(|byte| byte == b' ')? + 1;
    Some((&merge[..space], &merge[space + 1..])).filter(|(_, right)| !right.is_empty())
}

/// Writes `bytes` in GPT-2's alphabet.
fn spell(bytes: &[u8], out: &mut String) {
    out.clear();
    let chars = &*alphabet::CHARS;
    out.extend(bytes.iter().map(|&byte| chars[usize::from(byte)]));
}

fn set_bit(bits: &mut [u64; 1024], a: u8, b: u8) {
    bits[usize::from(a) * 4 + usize::from(b) / 64] |= 1 << (b % 64);
}

fn bit(bits: &[u64; 1024], a: u8, b: u8) -> bool {
    bits[usize::from(a) * 4 + usize::from(b) / 64] >> (b % 64) & 1 != 0
}
