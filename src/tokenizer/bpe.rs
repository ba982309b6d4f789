//! Byte-level byte-pair encoding, on the `tokenizers` crate's BPE model.
//!
//! Three things stand around that model. Texts and single bytes that merges name but the vocabulary lacks get ids behind
//! the vocabulary, because the model drops an unknown character before it merges, so that its neighbours would meet.
//! Long pieces are merged in parts, so that time and memory stay in proportion to a text without spaces. And pieces seen
//! before in the same text are not merged again.
//!
//! Parts are put together by this: tokens t1 .. tn are the merging of their text if, and only if, each pair of neighbours
//! is the merging of its own text. For the first merge that crossed from one token into the next would be the best
//! candidate of that pair too, where everything before it happened in the same order.

use std::fmt;

use tokenizers::Model;
use tokenizers::models::bpe;

use super::alphabet;
use super::cache::PieceCache;
use super::split::{self, Pass};
use super::vocab::{Texts, required_strings};
use crate::gguf::Gguf;
use crate::{Error, Result};

/// From this length (bytes) on a piece is cut where no merge reaches across.
const LONG_PIECE: usize = 4096;
/// What is still longer after that is merged in parts of this length (bytes).
const PART: usize = 64 << 10;

/// A token and how many bytes it stands for.
type Merged = (u32, usize);

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

/// The model's vocabulary while it is built: the file's texts, and behind them those that have no token.
struct Building {
    vocab: bpe::Vocab,
    n_tokens: u32,
    /// The texts without a token, in the order of their ids.
    extra: Vec<String>,
}

impl Building {
    fn new(texts: &Texts<'_>) -> Self {
        let known = texts.ids.iter().filter_map(|(text, &id)| Some((str::from_utf8(text).ok()?.to_owned(), id)));
        let mut building = Self { vocab: known.collect(), n_tokens: texts.by_id.len() as u32, extra: Vec::new() };
        for c in alphabet::CHARS.iter() {
            building.id(c.encode_utf8(&mut [0; 4]));
        }
        building
    }

    fn id(&mut self, text: &str) -> u32 {
        if let Some(&id) = self.vocab.get(text) {
            return id;
        }
        let id = self.n_tokens + self.extra.len() as u32;
        self.extra.push(text.to_owned());
        self.vocab.insert(text.to_owned(), id);
        id
    }

    /// For each text without a token, the tokens of its single characters, as far as there are any.
    fn fallbacks(&self) -> Vec<Vec<u32>> {
        let token = |c: char| self.vocab.get(c.encode_utf8(&mut [0; 4])).copied().filter(|&id| id < self.n_tokens);
        self.extra.iter().map(|text| text.chars().filter(char::is_ascii).filter_map(token).collect()).collect()
    }
}

impl ByteBpe {
    /// Builds the model from `tokenizer.ggml.merges`. Errors: no merges, or more texts than 32 bits number.
    pub fn read(gguf: &Gguf, texts: &Texts<'_>, pre: &split::table::Pre) -> Result<Self> {
        let merges = required_strings(gguf, "tokenizer.ggml.merges")?;
        if texts.by_id.len().saturating_add(merges.len().saturating_mul(3)) > u32::MAX as usize - 256 {
            return Err(Error::file(gguf.path(), format!("`tokenizer.ggml.merges` has {} entries", merges.len())));
        }
        let mut building = Building::new(texts);
        let mut joined = Box::new([0; 1024]);
        let mut seen = bpe::MergeMap::with_capacity(merges.len());
        let mut pairs = Vec::with_capacity(merges.len());
        let mut whole = String::new();
        for merge in merges.bytes() {
            let Some((left, right)) = halves(merge) else { continue };
            // Of equal merges the first counts.
            if seen.insert((building.id(left), building.id(right)), (0, 0)).is_some() {
                continue;
            }
            whole.clear();
            whole.extend([left, right]);
            building.id(&whole);
            let ends = (left.chars().next_back(), right.chars().next());
            if let (Some(a), Some(b)) = (ends.0.and_then(alphabet::byte_of), ends.1.and_then(alphabet::byte_of)) {
                set_bit(&mut joined, a, b);
            }
            pairs.push((left.to_owned(), right.to_owned()));
        }
        drop(seen);
        let fallbacks = building.fallbacks();
        let model = bpe::BPE::builder()
            .vocab_and_merges(building.vocab, pairs)
            .cache_capacity(0)
            .build()
            .map_err(|e| Error::file(gguf.path(), format!("the tokenizer's merges cannot be used: {e}")))?;
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
            let (stretch, after) = rest.split_at(self.safe_cut(rest));
            rest = after;
            for (id, _) in self.merge_in_parts(stretch, PART, spelled)? {
                match id.checked_sub(self.n_tokens) {
                    None => out.push(id),
                    Some(extra) => out.extend_from_slice(&self.fallbacks[extra as usize]),
                }
            }
        }
        Ok(())
    }

    /// The merging of `bytes`.
    fn merge(&self, bytes: &[u8], spelled: &mut String) -> Result<Vec<Merged>> {
        spell(bytes, spelled);
        let tokens = self.model.tokenize(spelled).map_err(|e| Error::Tokenizer(e.to_string()))?;
        Ok(tokens.into_iter().map(|token| (token.id, token.value.chars().count())).collect())
    }

    /// The same for bytes of any length, in parts of `part_len` bytes.
    fn merge_in_parts(&self, bytes: &[u8], part_len: usize, spelled: &mut String) -> Result<Vec<Merged>> {
        let mut parts = bytes.chunks(part_len);
        let mut done = self.merge(parts.next().unwrap_or_default(), spelled)?;
        let mut at = part_len;
        for part in parts {
            let next = self.merge(part, spelled)?;
            self.join(bytes, at, &mut done, &next, spelled)?;
            at += part.len();
        }
        Ok(done)
    }

    /// Appends `next`, the tokens of `bytes` from `at` on, to `done`, those before: what stands around the seam is merged
    /// again, wider and wider, until it fits its neighbours on both sides.
    fn join(
        &self,
        bytes: &[u8],
        at: usize,
        done: &mut Vec<Merged>,
        next: &[Merged],
        spelled: &mut String,
    ) -> Result<()> {
        // How many tokens on either side of the seam are merged again.
        let (mut left, mut right) = (0, 0);
        loop {
            let kept = done.len() - left;
            let start = at - byte_len(&done[kept..]);
            let end = at + byte_len(&next[..right]);
            let middle = self.merge(&bytes[start..end], spelled)?;
            let first = middle.first().or(next.get(right));
            let fits_left = match (kept.checked_sub(1), first) {
                (Some(last), Some(first)) => self.fit(bytes, start, done[last], *first, spelled)?,
                _ => true,
            };
            let fits_right = match (middle.last(), next.get(right)) {
                (Some(last), Some(first)) => self.fit(bytes, end, *last, *first, spelled)?,
                _ => true,
            };
            if fits_left && fits_right {
                done.truncate(kept);
                done.extend(middle);
                done.extend_from_slice(&next[right..]);
                return Ok(());
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
    fn fit(&self, bytes: &[u8], at: usize, a: Merged, b: Merged, spelled: &mut String) -> Result<bool> {
        Ok(self.merge(&bytes[at - a.1..at + b.1], spelled)? == [a, b])
    }

    /// The first place from [`LONG_PIECE`] on between two bytes that no merge joins; the end where there is none.
    fn safe_cut(&self, bytes: &[u8]) -> usize {
        let joins = |at: &usize| !bit(&self.joined, bytes[at - 1], bytes[*at]);
        (LONG_PIECE..bytes.len()).find(joins).unwrap_or(bytes.len())
    }
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

#[cfg(test)]
mod tests {
    use std::path::Path;

    use proptest::prelude::*;

    use super::*;

    fn model(name: &str) -> ByteBpe {
        let path =
            Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/fixtures/tokenizer/ggml-vocab-{name}.gguf"));
        let gguf = Gguf::open(&path).unwrap();
        ByteBpe::read(&gguf, &Texts::read(&gguf).unwrap(), split::table::find("gpt-2").unwrap()).unwrap()
    }

    #[test]
    fn merging_in_parts_gives_what_merging_the_whole_gives() {
        let models = [model("gpt-2"), model("qwen2")];
        let bytes = prop_oneof![
            proptest::collection::vec(any::<u8>(), 1..200),
            "[a-e ]{1,200}".prop_map(String::into_bytes),
            "(the|cat|sat|on|mat|ing| |a|e){1,80}".prop_map(String::into_bytes),
            ("a{1,9}|0{1,9}| {1,9}|=-", 1..60usize).prop_map(|(unit, n)| unit.repeat(n).into_bytes()),
        ];
        proptest!(|(bytes in bytes, part_len in 1..40usize)| {
            for model in &models {
                let mut spelled = String::new();
                let whole = model.merge(&bytes, &mut spelled).unwrap();
                prop_assert_eq!(model.merge_in_parts(&bytes, part_len, &mut spelled).unwrap(), whole);
            }
        });
    }

    #[test]
    fn no_merge_reaches_across_a_safe_cut() {
        let model = model("gpt-2");
        let text: Vec<u8> = "漢字 and 0x00\u{7}\u{1}".bytes().cycle().take(3 * LONG_PIECE).collect();
        let cut = model.safe_cut(&text);
        assert!((LONG_PIECE..text.len()).contains(&cut));
        let mut spelled = String::new();
        let (a, b) = text.split_at(cut);
        let apart = [model.merge(a, &mut spelled).unwrap(), model.merge(b, &mut spelled).unwrap()].concat();
        assert_eq!(model.merge(&text, &mut spelled).unwrap(), apart);
    }

    #[test]
    fn a_merge_is_two_texts_parted_by_the_first_space_behind_its_first_byte() {
        assert_eq!(halves("Ġ t".as_bytes()), Some(("Ġ", "t")));
        assert_eq!(halves(b"  a"), Some((" ", "a")));
        assert_eq!(halves(b"ab"), None);
        assert_eq!(halves(b"a "), None);
    }
}
