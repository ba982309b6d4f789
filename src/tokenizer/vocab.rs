//! What the file says about its tokens: texts, types, special ids and flags, with the corrections that published files
//! need.

use super::texts::Texts;
use crate::gguf::{Gguf, Metadata, Strings};
use crate::{Error, Result};

/// What a token is (`tokenizer.ggml.token_type`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenType {
    /// A piece of text.
    Normal,
    /// Stands for what the vocabulary cannot write.
    Unknown,
    /// Steers the model and is no text: cut out of a text only on request.
    Control,
    /// Text that is always cut out whole.
    UserDefined,
    /// A free place.
    Unused,
    /// One byte, written `<0xXX>`.
    Byte,
}

/// The tokens of a file and the rules that come with them.
#[derive(Debug)]
pub struct Vocab {
    /// The bytes that each token stands for, one after another.
    pieces: Vec<u8>,
    /// Where each token's bytes end in `pieces`.
    ends: Vec<u32>,
    types: Vec<TokenType>,
    /// Put before a text, if `add_bos`.
    pub bos: Option<u32>,
    /// Put behind a text, if `add_eos`.
    pub eos: Option<u32>,
    /// Stands for what has no token (SPM).
    pub unknown: Option<u32>,
    /// Whether encoding with special tokens begins with BOS.
    pub add_bos: bool,
    /// Whether encoding with special tokens ends with EOS.
    pub add_eos: bool,
    /// Whether SPM puts a space before a text.
    pub add_space_prefix: bool,
    /// Whether white space after this token is swallowed, for the tokens of a phi-3 file (else empty).
    swallows_space: Vec<bool>,
    /// Sorted ids that end an answer.
    end_ids: Vec<u32>,
}

/// What a kind of tokenizer assumes where the file says nothing.
pub struct Defaults {
    /// `tokenizer.ggml.bos_token_id`
    pub bos: Option<u32>,
    /// `tokenizer.ggml.eos_token_id`
    pub eos: Option<u32>,
    /// `tokenizer.ggml.unknown_token_id`
    pub unknown: Option<u32>,
    /// `tokenizer.ggml.add_bos_token`
    pub add_bos: bool,
    /// `tokenizer.ggml.add_space_prefix`
    pub add_space_prefix: bool,
}

/// Texts that end an answer wherever they are tokens; they count as control tokens whatever the file says.
const END_TEXTS: &[&str] = &[
    "<|eot_id|>",
    "<|im_end|>",
    "<|end|>",
    "<|return|>",
    "<|call|>",
    "<|flush|>",
    "<|calls|>",
    "<end_of_turn>",
    "<|endoftext|>",
    "</s>",
    "<|eom_id|>",
    "<EOT>",
    "_<EOT>",
    "[EOT]",
    "[EOS]",
    "<|end_of_text|>",
    "<end_of_utterance>",
    "<eos>",
    "<turn|>",
    "<|tool_response>",
    "<｜end▁of▁sentence｜>",
    "[e~[",
];

/// Tokens for filling in the middle: the file's keys, the texts that are known (the first that is a token counts), and
/// whether such a token ends an answer.
const FILL_IN: &[(&[&str], &[&str], bool)] = &[
    (
        &["tokenizer.ggml.fim_pre_token_id", "tokenizer.ggml.prefix_token_id"],
        &[
            "<|fim_prefix|>",
            "<fim-prefix>",
            "<fim_prefix>",
            "<｜fim▁begin｜>",
            "<PRE>",
            "▁<PRE>",
            "<|code_prefix|>",
            "<|prefix|>",
        ],
        false,
    ),
    (
        &["tokenizer.ggml.fim_suf_token_id", "tokenizer.ggml.suffix_token_id"],
        &[
            "<|fim_suffix|>",
            "<fim-suffix>",
            "<fim_suffix>",
            "<｜fim▁hole｜>",
            "<SUF>",
            "▁<SUF>",
            "<|code_suffix|>",
            "<|suffix|>",
        ],
        false,
    ),
    (
        &["tokenizer.ggml.fim_mid_token_id", "tokenizer.ggml.middle_token_id"],
        &[
            "<|fim_middle|>",
            "<fim-middle>",
            "<fim_middle>",
            "<｜fim▁end｜>",
            "<MID>",
            "▁<MID>",
            "<|code_middle|>",
            "<|middle|>",
        ],
        false,
    ),
    (&["tokenizer.ggml.fim_pad_token_id"], &["<|fim_pad|>", "<fim-pad>", "<fim_pad>", "<PAD>", "[PAD]"], true),
    (
        &["tokenizer.ggml.fim_rep_token_id"],
        &["<|fim_repo|>", "<|repo_name|>", "<fim-repo>", "<REPO>", "<reponame>"],
        true,
    ),
    (&["tokenizer.ggml.fim_sep_token_id"], &["<|file_sep|>"], true),
];

/// The channel marks of gpt-oss: shown as text, whatever the file says.
const CHANNEL_TEXTS: &[&str] = &["<|channel|>", "<|message|>", "<|start|>", "<|constrain|>"];

/// Tokens and merges at most: published files have less than a sixth of this.
const ENTRIES_MAX: usize = 1 << 22;

/// The array of strings at `key`. Errors: absent or of another type.
pub fn required_strings<'a>(gguf: &'a Gguf, key: &str) -> Result<Strings<'a>> {
    let absent = || Error::file(gguf.path(), format!("the tokenizer lacks the array `{key}`"));
    let strings = gguf.metadata().strings(key)?.ok_or_else(absent)?;
    if strings.len() > ENTRIES_MAX {
        let what = format!("`{key}` has {} entries; a tokenizer has at most {ENTRIES_MAX}", strings.len());
        return Err(Error::file(gguf.path(), what));
    }
    Ok(strings)
}

impl Vocab {
    /// Reads types, special ids and flags, and keeps each token's bytes as `decode` turns its text into them. What is
    /// odd but usable is added to `warnings`. Errors: arrays shorter than the vocabulary, values of wrong types.
    pub fn read(
        gguf: &Gguf,
        texts: &Texts,
        defaults: &Defaults,
        decode: impl Fn(&[u8], TokenType, &mut Vec<u8>),
        warnings: &mut Vec<String>,
    ) -> Result<Self> {
        let file = gguf.metadata();
        let n = texts.len();
        let mut types = read_types(gguf, n)?;
        let mut id_at = |key: &str, default: Option<u32>| -> Result<Option<u32>> {
            let default = default.filter(|&id| (id as usize) < n);
            match file.u32(key)? {
                Some(id) if (id as usize) < n => Ok(Some(id)),
                // -1 (as 32 bits) is how converters write "none".
                Some(u32::MAX) => Ok(None),
                Some(id) => {
                    warnings.push(format!("`{key}` is {id}, but there are only {n} tokens: ignored"));
                    Ok(default)
                }
                None => Ok(default),
            }
        };
        let bos = id_at("tokenizer.ggml.bos_token_id", defaults.bos)?;
        let eos = id_at("tokenizer.ggml.eos_token_id", defaults.eos)?;
        let unknown = id_at("tokenizer.ggml.unknown_token_id", defaults.unknown)?;
        let mut end_ids = Vec::new();
        end_ids.extend(eos);
        end_ids.extend(id_at("tokenizer.ggml.eot_token_id", None)?);
        end_ids.extend(id_at("tokenizer.ggml.eom_token_id", None)?);
        for (keys, known, ends) in FILL_IN {
            let mut given = None;
            for key in *keys {
                given = id_at(key, given)?;
            }
            let found = known.iter().find_map(|text| texts.id(text));
            if let (None, Some(id)) = (given, found) {
                types[id as usize] = TokenType::Control;
            }
            if *ends {
                end_ids.extend(given.or(found));
            }
        }
        correct_end_texts(texts, &mut types, &mut end_ids);
        let flag = |key: &str, default: bool| Ok::<_, Error>(file.bool(key)?.unwrap_or(default));
        let add_bos = flag("tokenizer.ggml.add_bos_token", defaults.add_bos)?;
        let add_eos = flag("tokenizer.ggml.add_eos_token", false)?;
        for (add, id, name) in [(add_bos, bos, "bos"), (add_eos, eos, "eos")] {
            if add && id.is_none() {
                warnings.push(format!(
                    "the tokenizer adds a {name} token, but `tokenizer.ggml.{name}_token_id` names none: none is added"
                ));
            }
        }
        let mut vocab = Self {
            pieces: Vec::with_capacity(texts.iter().map(<[u8]>::len).sum()),
            ends: Vec::with_capacity(n),
            swallows_space: space_swallowers(file, texts, &types),
            types,
            bos,
            eos,
            unknown,
            add_bos,
            add_eos,
            add_space_prefix: flag("tokenizer.ggml.add_space_prefix", defaults.add_space_prefix)?,
            end_ids,
        };
        for (id, text) in texts.iter().enumerate() {
            decode(text, vocab.types[id], &mut vocab.pieces);
            let end = u32::try_from(vocab.pieces.len());
            vocab.ends.push(end.map_err(|_| Error::file(gguf.path(), "the tokens together are longer than 4 GiB"))?);
        }
        Ok(vocab)
    }

    /// How many tokens there are.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// The bytes that `id` stands for; `None` outside the vocabulary.
    pub fn piece(&self, id: u32) -> Option<&[u8]> {
        let id = id as usize;
        let end = *self.ends.get(id)? as usize;
        let start = if id == 0 { 0 } else { self.ends[id - 1] as usize };
        Some(&self.pieces[start..end])
    }

    /// What `id` is; outside the vocabulary, unused.
    pub fn token_type(&self, id: u32) -> TokenType {
        self.types.get(id as usize).copied().unwrap_or(TokenType::Unused)
    }

    /// Whether white space after `id` is swallowed when a text is encoded.
    pub fn swallows_space(&self, id: u32) -> bool {
        self.swallows_space.get(id as usize).copied().unwrap_or(false)
    }

    /// The ids that end an answer, sorted.
    pub fn end_ids(&self) -> &[u32] {
        &self.end_ids
    }
}

fn read_types(gguf: &Gguf, n: usize) -> Result<Vec<TokenType>> {
    let key = "tokenizer.ggml.token_type";
    let Some(types) = gguf.metadata().i32s(key)? else { return Ok(vec![TokenType::Normal; n]) };
    if types.len() < n {
        let what = format!("`{key}` has {} entries for {n} tokens", types.len());
        return Err(Error::file(gguf.path(), what));
    }
    let known = |number: &i32| match number {
        1 => TokenType::Normal,
        2 => TokenType::Unknown,
        3 => TokenType::Control,
        4 => TokenType::UserDefined,
        6 => TokenType::Byte,
        _ => TokenType::Unused,
    };
    Ok(types[..n].iter().map(known).collect())
}

/// Makes the known end texts control tokens and ends of generation, and the channel marks text.
fn correct_end_texts(texts: &Texts, types: &mut [TokenType], end_ids: &mut Vec<u32>) {
    for id in END_TEXTS.iter().filter_map(|text| texts.id(text)) {
        types[id as usize] = TokenType::Control;
        end_ids.push(id);
    }
    for id in CHANNEL_TEXTS.iter().filter_map(|text| texts.id(text)) {
        types[id as usize] = TokenType::UserDefined;
    }
    // Where other texts end an answer, `<|end|>` ends only a part of it.
    let has = |text| texts.id(text).is_some();
    let calls = has("<|call|>") || has("<|calls|>");
    if let Some(end) = texts.id("<|end|>").filter(|_| calls && (has("<|return|>") || has("<|flush|>"))) {
        types[end as usize] = TokenType::UserDefined;
        end_ids.retain(|&id| id != end);
    }
    end_ids.sort_unstable();
    end_ids.dedup();
}

/// phi-3: white space right after a special token belongs to the token. Nothing in the file says so but its name.
fn space_swallowers(file: &Metadata, texts: &Texts, types: &[TokenType]) -> Vec<bool> {
    let name = file.str("general.name").ok().flatten().unwrap_or_default().to_ascii_lowercase();
    if !(name.contains("phi-3") || name.contains("phi3")) {
        return Vec::new();
    }
    let special = |ty: &TokenType| matches!(ty, TokenType::Control | TokenType::UserDefined | TokenType::Unknown);
    let mut swallows: Vec<bool> = types.iter().map(special).collect();
    for id in ["<unk>", "<s>", "<|endoftext|>"].iter().filter_map(|text| texts.id(text)) {
        swallows[id as usize] = false;
    }
    swallows
}
