//! Texts to tokens and back, built from a GGUF file's own metadata.
//!
//! A text goes through four steps: special tokens are cut out (`special`), what is left is split into pieces
//! (`split`), each piece is merged into tokens (`bpe` or `spm`), and BOS and EOS are put around the whole. Tokens
//! become text again through [`Tokenizer::decode`] or, one by one, through a [`Detokenizer`].

mod alphabet;
mod bpe;
mod cache;
mod merge;
mod special;
mod split;
mod spm;
mod stream;
pub mod template;
mod texts;
mod vocab;

use crate::gguf::{Gguf, Quoted};
use crate::{Error, Result};

use bpe::ByteBpe;
use cache::PieceCache;
use special::{Fragment, Specials};
use spm::Spm;
use texts::Texts;
use vocab::{Defaults, Vocab};

pub use stream::Detokenizer;
pub use vocab::TokenType;

/// The kinds of tokenizer that are supported.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Byte-level BPE (`tokenizer.ggml.model` = gpt2).
    ByteBpe,
    /// SentencePiece BPE (`tokenizer.ggml.model` = llama).
    Spm,
}

/// A model's tokenizer. Reads only; share it between threads as needed.
#[derive(Debug)]
pub struct Tokenizer {
    vocab: Vocab,
    specials: Specials,
    merger: Merger,
    pre: String,
    warnings: Vec<String>,
}

#[derive(Debug)]
enum Merger {
    ByteBpe(Box<ByteBpe>),
    Spm(Box<Spm>),
}

/// What a byte of text takes while it is encoded, merging apart: itself, its spelling in SentencePiece, a token of its own in
/// a list that is growing.
pub const TEXT_BYTES: usize = 12;

impl Tokenizer {
    /// Builds the tokenizer that `gguf` describes. Errors: the file has none, one of an unsupported kind, an unknown
    /// pre-tokeniser, or broken data; each says which.
    pub fn from_gguf(gguf: &Gguf) -> Result<Self> {
        let model = gguf.metadata().str("tokenizer.ggml.model")?;
        match model {
            Some("gpt2") => Self::byte_bpe(gguf),
            Some("llama") => Self::spm(gguf),
            None | Some("none" | "no_vocab") => Err(Error::file(
                gguf.path(),
                "the file has no tokenizer (`tokenizer.ggml.model` is absent or none), so it takes and gives token ids only",
            )),
            Some(other) => Err(Error::Unsupported(format!(
                "{}: a tokenizer of kind {} (tokenizer.ggml.model) is not supported; supported are gpt2, llama",
                gguf.path().display(),
                Quoted(other)
            ))),
        }
    }

    fn byte_bpe(gguf: &Gguf) -> Result<Self> {
        let mut warnings = Vec::new();
        let name = gguf.metadata().str("tokenizer.ggml.pre")?.filter(|name| !name.is_empty());
        if name.is_none() {
            warnings.push(
                "the file does not name its pre-tokeniser (tokenizer.ggml.pre): the default one is used, and answers may be worse"
                    .to_owned(),
            );
        }
        let name = name.unwrap_or("default");
        let pre = split::table::find(name).ok_or_else(|| {
            let known: Vec<&str> = split::table::names().collect();
            Error::Unsupported(format!(
                "{}: the pre-tokeniser {} (tokenizer.ggml.pre) is not known; known are {}",
                gguf.path().display(),
                Quoted(name),
                known.join(", ")
            ))
        })?;
        let texts = Texts::read(gguf)?;
        let defaults = Defaults { bos: None, eos: None, unknown: None, add_bos: pre.add_bos, add_space_prefix: false };
        let vocab = Vocab::read(gguf, &texts, &defaults, decode_byte_level, &mut warnings)?;
        let bpe = ByteBpe::read(gguf, texts, pre)?;
        Self::new(vocab, Merger::ByteBpe(Box::new(bpe)), name, warnings)
    }

    fn spm(gguf: &Gguf) -> Result<Self> {
        let mut warnings = Vec::new();
        let texts = Texts::read(gguf)?;
        let defaults = Defaults { bos: Some(1), eos: Some(2), unknown: Some(0), add_bos: true, add_space_prefix: true };
        let vocab = Vocab::read(gguf, &texts, &defaults, spm::decode, &mut warnings)?;
        let spm = Spm::read(gguf, texts, &vocab)?;
        Self::new(vocab, Merger::Spm(Box::new(spm)), "default", warnings)
    }

    fn new(vocab: Vocab, merger: Merger, pre: &str, warnings: Vec<String>) -> Result<Self> {
        Ok(Self { specials: Specials::new(&vocab)?, vocab, merger, pre: pre.to_owned(), warnings })
    }

    /// The tokens of `text`. With `add_special`, BOS and EOS are put around it where the model wants them; with
    /// `parse_special`, texts of control tokens become those tokens (else they are plain text). Errors: a text that the
    /// vocabulary cannot write (SentencePiece without byte and unknown tokens).
    pub fn encode(&self, text: &str, add_special: bool, parse_special: bool) -> Result<Vec<u32>> {
        let fragments = self.specials.cut(text, parse_special);
        let mut out = Vec::new();
        if add_special && self.vocab.add_bos {
            out.extend(self.vocab.bos);
        }
        match &self.merger {
            Merger::ByteBpe(bpe) => {
                let mut cache = PieceCache::default();
                for fragment in &fragments {
                    match fragment {
                        Fragment::Text(text) => bpe.encode(text, &mut cache, &mut out)?,
                        Fragment::Token(id) => out.push(*id),
                    }
                }
            }
            Merger::Spm(spm) => {
                let written = self.write_spaces(&fragments);
                let mut cache = PieceCache::default();
                for (fragment, written) in fragments.iter().zip(&written) {
                    match fragment {
                        Fragment::Text(_) => spm.encode(written, &mut cache, &mut out)?,
                        Fragment::Token(id) => out.push(*id),
                    }
                }
            }
        }
        if add_special && self.vocab.add_eos {
            out.extend(self.vocab.eos);
        }
        Ok(out)
    }

    /// Memory that [`Tokenizer::encode`] takes for `text` at most, the text and its tokens included, in bytes.
    pub fn encode_bytes(&self, text: &str) -> u64 {
        let merged = match &self.merger {
            Merger::ByteBpe(bpe) => bpe.merge_bytes(text),
            Merger::Spm(spm) => spm.merge_bytes(text),
        };
        (TEXT_BYTES * text.len() + merged) as u64
    }

    /// SPM's spelling of each text fragment: spaces as U+2581, one more before the first text and after special tokens.
    fn write_spaces(&self, fragments: &[Fragment<'_>]) -> Vec<String> {
        let mut after_special = true;
        let spell = |fragment: &Fragment<'_>| {
            let Fragment::Text(text) = fragment else {
                after_special = true;
                return String::new();
            };
            let prefix = if self.vocab.add_space_prefix && after_special { spm::SPACE } else { "" };
            after_special = false;
            format!("{prefix}{}", text.replace(' ', spm::SPACE))
        };
        fragments.iter().map(spell).collect()
    }

    /// The bytes of all tokens, one after another. Control tokens give their texts; ids outside the vocabulary nothing.
    pub fn decode(&self, ids: &[u32]) -> Vec<u8> {
        ids.iter().flat_map(|&id| self.piece(id)).copied().collect()
    }

    /// `ids` as text for a person: as [`Self::decode`], with what is no valid UTF-8 replaced by U+FFFD.
    pub fn decode_lossy(&self, ids: &[u32]) -> String {
        String::from_utf8_lossy(&self.decode(ids)).into_owned()
    }

    /// The bytes that `id` stands for, perhaps a part of a character; empty outside the vocabulary.
    pub fn piece(&self, id: u32) -> &[u8] {
        self.vocab.piece(id).unwrap_or_default()
    }

    /// The token whose text in the vocabulary is exactly `text`, such as `<|im_end|>`.
    pub fn token(&self, text: &str) -> Option<u32> {
        match &self.merger {
            Merger::ByteBpe(bpe) => bpe.id(text),
            Merger::Spm(spm) => spm.id(text),
        }
    }

    /// How many tokens the vocabulary has.
    pub fn vocab_len(&self) -> usize {
        self.vocab.len()
    }

    /// Which kind of tokenizer this is.
    pub fn kind(&self) -> Kind {
        match self.merger {
            Merger::ByteBpe(_) => Kind::ByteBpe,
            Merger::Spm(_) => Kind::Spm,
        }
    }

    /// The name of the pre-tokeniser.
    pub fn pre(&self) -> &str {
        &self.pre
    }

    /// The token that begins a text.
    pub fn bos(&self) -> Option<u32> {
        self.vocab.bos
    }

    /// The token that ends a text.
    pub fn eos(&self) -> Option<u32> {
        self.vocab.eos
    }

    /// Whether `encode` with `add_special` puts BOS first (where there is one).
    pub fn add_bos(&self) -> bool {
        self.vocab.add_bos
    }

    /// Whether `encode` with `add_special` puts EOS last (where there is one).
    pub fn add_eos(&self) -> bool {
        self.vocab.add_eos
    }

    /// What `id` is.
    pub fn token_type(&self, id: u32) -> TokenType {
        self.vocab.token_type(id)
    }

    /// Whether `id` steers the model and is no text.
    pub fn is_control(&self, id: u32) -> bool {
        self.token_type(id) == TokenType::Control
    }

    /// Whether `id` ends an answer.
    pub fn is_end_of_generation(&self, id: u32) -> bool {
        self.vocab.end_ids().binary_search(&id).is_ok()
    }

    /// All tokens that end an answer, in order.
    pub fn end_of_generation(&self) -> &[u32] {
        self.vocab.end_ids()
    }

    /// What is odd about the file's tokenizer but was got over: one line each, for the user.
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }
}

/// The bytes that a byte-level token's `text` stands for.
fn decode_byte_level(text: &[u8], ty: TokenType, out: &mut Vec<u8>) {
    match ty {
        TokenType::Normal => alphabet::decode(text, out),
        other => spm::decode(text, other, out),
    }
}
