//! Byte-level byte-pair encoding.
//!
//! Merges are a table of our own, from two ids to a rank and an id. The `tokenizers` crate's BPE model, which the tests
//! hold against it, takes every text and both halves of every merge as strings of their own: above 200,000 tokens that
//! alone is more memory than loading may take.
//!
//! Texts and single bytes that merges name but the vocabulary lacks get ids behind the vocabulary, so that their
//! neighbours do not meet. Long pieces are merged in parts, so that memory stays in proportion to a text without spaces.
//! And pieces seen before in the same text are not merged again.
//!
//! Parts are put together by this: tokens t1 .. tn are the merging of their text if, and only if, each pair of neighbours
//! is the merging of its own text. For the first merge that crossed from one token into the next would be the best
//! candidate of that pair too, where everything before it happened in the same order.

use std::convert::Infallible;
use std::fmt;

use hashbrown::HashMap;

use super::alphabet;
use super::cache::PieceCache;
use super::merge::{MERGE_BYTES, Merged, SYMBOL_BYTES, Word};
use super::split::{self, Pass};
use super::texts::Texts;
use super::vocab::required_strings;
use crate::gguf::Gguf;
use crate::{Error, Result};

/// From this length (bytes) on a piece is cut where no merge reaches across.
const LONG_PIECE: usize = 4096;
/// What is still longer after that is merged in parts of this length (bytes).
const PART: usize = 64 << 10;

/// A byte-level BPE tokenizer: a splitter and merges.
pub struct ByteBpe {
    /// The vocabulary's texts, and behind them those without a token.
    texts: Texts,
    /// The vocabulary's size; ids from here on are texts without a token.
    n_tokens: u32,
    merges: Merges,
    /// For each text without a token, the tokens of its single characters, as far as there are any.
    fallbacks: Vec<Vec<u32>>,
    passes: &'static [Pass],
    ignore_merges: bool,
}

/// What merges to what.
struct Merges {
    /// Ids of single bytes.
    of_byte: [u32; 256],
    /// Rank and id of what two ids merge to.
    of_pair: HashMap<(u32, u32), (u32, u32)>,
    /// Bit `256 a + b`: some merge joins a text that ends in byte `a` with one that begins with byte `b`.
    joined: Box<[u64; 1024]>,
}

impl fmt::Debug for ByteBpe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ByteBpe").field("n_tokens", &self.n_tokens).finish_non_exhaustive()
    }
}

impl Merges {
    /// Reads `merges`, the best first; what they name and `texts` lack is added there.
    fn new<'a>(merges: impl ExactSizeIterator<Item = &'a [u8]>, texts: &mut Texts) -> Self {
        let of_byte = alphabet::CHARS.map(|c| texts.id_or_push(c.encode_utf8(&mut [0; 4])));
        let mut joined = Box::new([0; 1024]);
        let mut of_pair = HashMap::with_capacity(merges.len());
        let mut whole = String::new();
        for (merge, rank) in merges.zip(0..) {
            let Some((left, right)) = halves(merge) else { continue };
            let pair = (texts.id_or_push(left), texts.id_or_push(right));
            whole.clear();
            whole.extend([left, right]);
            // Of equal merges the first counts.
            of_pair.entry(pair).or_insert_with(|| (rank, texts.id_or_push(&whole)));
            let ends = (left.chars().next_back(), right.chars().next());
            if let (Some(a), Some(b)) = (ends.0.and_then(alphabet::byte_of), ends.1.and_then(alphabet::byte_of)) {
                set_bit(&mut joined, a, b);
            }
        }
        Self { of_byte, of_pair, joined }
    }

    /// The merging of `bytes`, fewer than 2^32.
    fn merge(&self, bytes: &[u8], word: &mut Word) -> impl Iterator<Item = Merged> {
        let parts = bytes.iter().map(|&byte| (self.of_byte[usize::from(byte)], 1));
        word.merge(parts, |_, left, right| self.of_pair.get(&(left.id, right.id)).copied())
    }

    /// The same in parts of `part_len` bytes.
    fn merge_in_parts(&self, bytes: &[u8], part_len: usize, word: &mut Word) -> Vec<Merged> {
        let mut parts = bytes.chunks(part_len);
        let mut done: Vec<Merged> = self.merge(parts.next().unwrap_or_default(), word).collect();
        let mut at = part_len;
        for part in parts {
            let next: Vec<Merged> = self.merge(part, word).collect();
            self.join(bytes, at, &mut done, &next, word);
            at += part.len();
        }
        done
    }

    /// Appends `next`, the tokens of `bytes` from `at` on, to `done`, those before: what stands around the seam is merged
    /// again, wider and wider, until it fits its neighbours on both sides.
    fn join(&self, bytes: &[u8], at: usize, done: &mut Vec<Merged>, next: &[Merged], word: &mut Word) {
        // How many tokens on either side of the seam are merged again.
        let (mut left, mut right) = (0, 0);
        loop {
            let kept = done.len() - left;
            let start = at - byte_len(&done[kept..]);
            let end = at + byte_len(&next[..right]);
            let middle: Vec<Merged> = self.merge(&bytes[start..end], word).collect();
            let first = middle.first().or(next.get(right));
            let fits_left = match (kept.checked_sub(1), first) {
                (Some(last), Some(first)) => self.fit(bytes, start, done[last], *first, word),
                _ => true,
            };
            let fits_right = match (middle.last(), next.get(right)) {
                (Some(last), Some(first)) => self.fit(bytes, end, *last, *first, word),
                _ => true,
            };
            if fits_left && fits_right {
                done.truncate(kept);
                done.extend(middle);
                done.extend_from_slice(&next[right..]);
                return;
            }
            if !fits_left {
                left = (left * 2 + 1).min(done.len());
            }
            if !fits_right || right == 0 {
                right = (right * 2 + 1).min(next.len());
            }
        }
    }

    /// Whether two neighbouring tokens, which meet at byte `at`, are the merging of their text.
    fn fit(&self, bytes: &[u8], at: usize, a: Merged, b: Merged, word: &mut Word) -> bool {
        self.merge(&bytes[at - a.1..at + b.1], word).eq([a, b])
    }

    /// The first place from [`LONG_PIECE`] on between two bytes that no merge joins; the end where there is none.
    fn safe_cut(&self, bytes: &[u8]) -> usize {
        let joins = |at: &usize| !bit(&self.joined, bytes[at - 1], bytes[*at]);
        (LONG_PIECE..bytes.len()).find(joins).unwrap_or(bytes.len())
    }
}

impl ByteBpe {
    /// Builds the tokenizer from `tokenizer.ggml.merges`. Errors: no merges, or more texts than 32 bits number.
    pub fn read(gguf: &Gguf, mut texts: Texts, pre: &split::table::Pre) -> Result<Self> {
        let merges = required_strings(gguf, "tokenizer.ggml.merges")?;
        if texts.len().saturating_add(merges.len().saturating_mul(3)) > u32::MAX as usize - 256 {
            return Err(Error::file(gguf.path(), format!("`tokenizer.ggml.merges` has {} entries", merges.len())));
        }
        let n_tokens = texts.len() as u32;
        let merges = Merges::new(merges.bytes(), &mut texts);
        let fallbacks = fallbacks(&texts, n_tokens);
        Ok(Self { texts, n_tokens, merges, fallbacks, passes: pre.passes, ignore_merges: pre.ignore_merges })
    }

    /// The token whose text is exactly `text` (in the file's spelling).
    pub fn id(&self, text: &str) -> Option<u32> {
        self.texts.id(text).filter(|&id| id < self.n_tokens)
    }

    /// Appends the tokens of `text`, which holds no special tokens. Errors: more than 4 GiB.
    pub fn encode<'t>(&self, text: &'t str, cache: &mut PieceCache<'t>, out: &mut Vec<u32>) -> Result<()> {
        if u32::try_from(text.len()).is_err() {
            return Err(Error::Tokenizer(format!("a text of {} bytes is too long: cut it", text.len())));
        }
        let mut word = Word::default();
        split::split(self.passes, text, &mut |piece| {
            let Ok(()) = cache.with::<Infallible>(piece, out, |out| {
                self.encode_piece(piece, &mut word, out);
                Ok(())
            });
        });
        Ok(())
    }

    /// Memory that merging takes for `text` at most, in bytes: a part of its longest stretch that no safe place cuts, and a
    /// token per byte of the whole stretch, whose parts wait for each other.
    pub fn merge_bytes(&self, text: &str) -> usize {
        let bytes = text.as_bytes();
        let (mut most, mut start) = (0, 0);
        while start < bytes.len() {
            let stretch = self.merges.safe_cut(&bytes[start..]);
            most = most.max(stretch);
            start += stretch;
        }
        // a piece may begin anywhere, so its first cut may come later
        most += LONG_PIECE;
        most * size_of::<Merged>() + most.min(PART) * 3 * (SYMBOL_BYTES + MERGE_BYTES)
    }

    fn encode_piece(&self, piece: &str, word: &mut Word, out: &mut Vec<u32>) {
        let token = self.ignore_merges.then(|| self.id(&spell(piece.as_bytes()))).flatten();
        if let Some(id) = token {
            return out.push(id);
        }
        let mut rest = piece.as_bytes();
        while !rest.is_empty() {
            let (stretch, after) = rest.split_at(self.merges.safe_cut(rest));
            rest = after;
            for (id, _) in self.merges.merge_in_parts(stretch, PART, word) {
                match id.checked_sub(self.n_tokens) {
                    None => out.push(id),
                    Some(extra) => out.extend_from_slice(&self.fallbacks[extra as usize]),
                }
            }
        }
    }
}

/// For each text behind the vocabulary's `n_tokens`, the tokens of its single characters, as far as there are any.
fn fallbacks(texts: &Texts, n_tokens: u32) -> Vec<Vec<u32>> {
    let token = |c: char| texts.id(c.encode_utf8(&mut [0; 4])).filter(|&id| id < n_tokens);
    let of_text = |text| str::from_utf8(text).unwrap_or_default().chars().filter(char::is_ascii).filter_map(token);
    texts.iter().skip(n_tokens as usize).map(|text| of_text(text).collect()).collect()
}

fn byte_len(tokens: &[Merged]) -> usize {
    tokens.iter().map(|token| token.1).sum()
}

/// The two texts of a merge, which one space parts; a text may itself begin with a space.
fn halves(merge: &[u8]) -> Option<(&str, &str)> {
    let merge = str::from_utf8(merge).ok()?;
    let space = merge.bytes().skip(1).position(|byte| byte == b' ')? + 1;
    Some((&merge[..space], &merge[space + 1..])).filter(|(_, right)| !right.is_empty())
}

/// `bytes` in GPT-2's alphabet.
fn spell(bytes: &[u8]) -> String {
    let chars = &*alphabet::CHARS;
    bytes.iter().map(|&byte| chars[usize::from(byte)]).collect()
}

fn set_bit(bits: &mut [u64; 1024], a: u8, b: u8) {
    bits[usize::from(a) * 4 + usize::from(b) / 64] |= 1 << (b % 64);
}

fn bit(bits: &[u64; 1024], a: u8, b: u8) -> bool {
    bits[usize::from(a) * 4 + usize::from(b) / 64] >> (b % 64) & 1 != 0
}

#[cfg(test)]
mod tests;
