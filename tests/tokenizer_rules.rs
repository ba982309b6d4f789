//! The rules around merging: special tokens, BOS and EOS, spaces, bytes, streams, and what is refused.

#[path = "common/gguf_builder.rs"]
mod builder;
mod tokenizer {
    pub mod vocab;
}

use builder::{Builder, V};
use foregate::gguf::Gguf;
use foregate::tokenizer::{Detokenizer, Kind, Tokenizer};
use proptest::prelude::*;
use tokenizer::vocab::{byte_alphabet, fixture, open};

const CONTROL: i32 = 3;
const USER_DEFINED: i32 = 4;
const BYTE: i32 = 6;

/// A vocabulary under construction: texts with their types, merges, scores.
struct Vocabulary {
    builder: Builder,
    tokens: Vec<(String, i32)>,
    scores: Vec<f32>,
    merges: Vec<String>,
}

impl Vocabulary {
    /// All bytes (ids 0 to 255 are the bytes) under the pre-tokeniser `pre`.
    fn byte_level(pre: &str) -> Self {
        let tokens = byte_alphabet().iter().map(|c| (c.to_string(), 1)).collect();
        let builder = Builder::new().key("tokenizer.ggml.model", V::str("gpt2")).key("tokenizer.ggml.pre", V::str(pre));
        Self { builder, tokens, scores: Vec::new(), merges: Vec::new() }
    }

    /// `<unk> <s> </s>` and the 256 bytes (ids from 3).
    fn spm() -> Self {
        let mut tokens = vec![("<unk>".to_owned(), 2), ("<s>".to_owned(), CONTROL), ("</s>".to_owned(), CONTROL)];
        tokens.extend((0..256).map(|byte| (format!("<0x{byte:02X}>"), BYTE)));
        let builder = Builder::new().key("tokenizer.ggml.model", V::str("llama"));
        Self { builder, scores: vec![0.0; tokens.len()], tokens, merges: Vec::new() }
    }

    fn token(mut self, text: &str, ty: i32) -> Self {
        self.tokens.push((text.to_owned(), ty));
        self.scores.push(0.0);
        self
    }

    fn scored(mut self, text: &str, score: f32) -> Self {
        self.tokens.push((text.to_owned(), 1));
        self.scores.push(score);
        self
    }

    /// A merge and its token.
    fn merge(mut self, left: &str, right: &str) -> Self {
        self.merges.push(format!("{left} {right}"));
        self.token(&format!("{left}{right}"), 1)
    }

    fn key(mut self, key: &str, value: V) -> Self {
        self.builder = self.builder.key(key, value);
        self
    }

    fn without(mut self, text: &str) -> Self {
        let place = self.tokens.iter().position(|(token, _)| token == text).unwrap();
        self.tokens[place].0 = format!("[gone {text}]");
        self
    }

    fn id(&self, text: &str) -> u32 {
        self.tokens.iter().position(|(token, _)| token == text).unwrap() as u32
    }

    fn open(&self) -> Tokenizer {
        self.try_open().unwrap()
    }

    fn try_open(&self) -> foregate::Result<Tokenizer> {
        let (texts, types): (Vec<V>, Vec<V>) = self.tokens.iter().map(|(text, ty)| (V::str(text), V::I32(*ty))).unzip();
        let mut file = Builder { keys: self.builder.keys.clone(), ..Builder::new() }
            .key("tokenizer.ggml.tokens", V::Arr(8, texts))
            .key("tokenizer.ggml.token_type", V::Arr(5, types))
            .key("tokenizer.ggml.merges", V::Arr(8, self.merges.iter().map(|merge| V::str(merge)).collect()));
        if self.scores.len() == self.tokens.len() {
            file = file.key("tokenizer.ggml.scores", V::Arr(6, self.scores.iter().map(|&s| V::F32(s)).collect()));
        }
        let dir = tempfile::tempdir().unwrap();
        Tokenizer::from_gguf(&Gguf::open(&file.write(dir.path(), "vocab.gguf")).unwrap())
    }
}

fn encode(tokenizer: &Tokenizer, text: &str, parse_special: bool) -> Vec<u32> {
    tokenizer.encode(text, false, parse_special).unwrap()
}

fn bytes(text: &str) -> Vec<u32> {
    text.bytes().map(u32::from).collect()
}

#[test]
fn a_file_without_a_tokenizer_says_so() {
    for builder in [Builder::new(), Builder::new().key("tokenizer.ggml.model", V::str("no_vocab"))] {
        let dir = tempfile::tempdir().unwrap();
        let path = builder.key("general.name", V::str("x")).write(dir.path(), "model.gguf");
        let error = Tokenizer::from_gguf(&Gguf::open(&path).unwrap()).unwrap_err().to_string();
        assert!(error.contains("no tokenizer") && error.contains("model.gguf"), "{error}");
    }
}

#[test]
fn an_unsupported_kind_is_named_with_those_that_are_supported() {
    let mut vocabulary = Vocabulary::spm();
    vocabulary.builder.keys[0].1 = V::str("bert");
    let error = vocabulary.try_open().unwrap_err().to_string();
    assert!(error.contains("`bert`") && error.contains("gpt2, llama"), "{error}");
}

#[test]
fn a_missing_pre_tokeniser_means_the_default_one_with_a_warning() {
    let named = Vocabulary::byte_level("default").merge("1", "2").merge("12", "3").merge("123", "4");
    let mut nameless = Vocabulary { builder: Builder::new(), ..named };
    nameless = nameless.key("tokenizer.ggml.model", V::str("gpt2"));
    let tokenizer = nameless.open();
    assert!(tokenizer.warnings().iter().any(|line| line.contains("tokenizer.ggml.pre")), "{:?}", tokenizer.warnings());
    assert_eq!(encode(&tokenizer, "1234", false), [nameless.id("123"), u32::from(b'4')]);
}

#[test]
fn longer_special_tokens_are_cut_first_wherever_they_stand() {
    let vocabulary = Vocabulary::byte_level("gpt-2").token("ab", USER_DEFINED).token("bcd", USER_DEFINED);
    let tokenizer = vocabulary.open();
    assert_eq!(encode(&tokenizer, "abcdab", false), [u32::from(b'a'), vocabulary.id("bcd"), vocabulary.id("ab")]);
}

#[test]
fn control_tokens_are_seen_only_on_request_and_user_defined_ones_always() {
    let vocabulary = Vocabulary::byte_level("gpt-2").token("<|c|>", CONTROL).token("<|u|>", USER_DEFINED);
    let tokenizer = vocabulary.open();
    let (control, user) = (vocabulary.id("<|c|>"), vocabulary.id("<|u|>"));
    assert_eq!(encode(&tokenizer, "<|c|><|u|>", true), [control, user]);
    assert_eq!(encode(&tokenizer, "<|c|><|u|>", false), [bytes("<|c|>"), vec![user]].concat());
    assert!(tokenizer.is_control(control) && !tokenizer.is_control(user));
}

#[test]
fn bos_and_eos_follow_the_defaults_of_the_name_and_the_keys_of_the_file() {
    let with_ids = |pre: &str| {
        Vocabulary::byte_level(pre)
            .token("<B>", CONTROL)
            .token("<E>", CONTROL)
            .key("tokenizer.ggml.bos_token_id", V::U32(256))
            .key("tokenizer.ggml.eos_token_id", V::U32(257))
    };
    let add = |vocabulary: Vocabulary| vocabulary.open().encode("a", true, false).unwrap();
    assert_eq!(add(with_ids("qwen2")), [97]);
    assert_eq!(add(with_ids("llama-bpe")), [256, 97]);
    assert_eq!(add(with_ids("tekken")), [256, 97]);
    assert_eq!(add(with_ids("llama-bpe").key("tokenizer.ggml.add_bos_token", V::Bool(false))), [97]);
    assert_eq!(add(with_ids("qwen2").key("tokenizer.ggml.add_eos_token", V::Bool(true))), [97, 257]);
    let without_id = Vocabulary::byte_level("llama-bpe").open();
    assert_eq!(without_id.encode("a", true, false).unwrap(), [97]);
    assert!(without_id.warnings()[0].contains("bos_token_id"), "{:?}", without_id.warnings());
}

#[test]
fn known_end_texts_end_an_answer_whatever_the_file_says_of_them() {
    let vocabulary = Vocabulary::byte_level("qwen2").token("<|im_end|>", 1).token("<|im_start|>", CONTROL);
    let tokenizer = vocabulary.open();
    let end = vocabulary.id("<|im_end|>");
    assert!(tokenizer.is_control(end) && tokenizer.is_end_of_generation(end));
    assert!(!tokenizer.is_end_of_generation(vocabulary.id("<|im_start|>")));
    assert_eq!(tokenizer.end_of_generation(), [end]);
}

#[test]
fn channel_marks_are_text_and_end_does_not_end_where_return_and_call_do() {
    let texts = ["<|channel|>", "<|message|>", "<|start|>", "<|constrain|>", "<|end|>", "<|return|>", "<|call|>"];
    let vocabulary = texts.iter().fold(Vocabulary::byte_level("gpt-4o"), |v, text| v.token(text, CONTROL));
    let tokenizer = vocabulary.open();
    for text in &texts[..5] {
        assert!(!tokenizer.is_control(vocabulary.id(text)), "{text}");
        assert_eq!(encode(&tokenizer, text, false), [vocabulary.id(text)]);
    }
    assert_eq!(tokenizer.end_of_generation(), [vocabulary.id("<|return|>"), vocabulary.id("<|call|>")]);
    let plain = Vocabulary::byte_level("qwen2").token("<|end|>", CONTROL);
    assert!(plain.open().is_end_of_generation(plain.id("<|end|>")));
}

#[test]
fn phi3_swallows_white_space_after_special_tokens() {
    let vocabulary = Vocabulary::spm()
        .token("<|user|>", CONTROL)
        .token("<|endoftext|>", CONTROL)
        .key("general.name", V::str("Phi3 Mini"))
        .key("tokenizer.ggml.add_space_prefix", V::Bool(false));
    let tokenizer = vocabulary.open();
    let (user, text_end) = (vocabulary.id("<|user|>"), vocabulary.id("<|endoftext|>"));
    let x = vocabulary.id("<0x78>");
    assert_eq!(encode(&tokenizer, "<|user|> \n x<|user|>\t", true), [user, x, user]);
    let newline = vocabulary.id("<0x0A>");
    assert_eq!(encode(&tokenizer, "<|endoftext|>\nx", true), [text_end, newline, x]);
}

#[test]
fn neighbours_do_not_merge_across_a_byte_without_a_token() {
    let vocabulary = Vocabulary::byte_level("superbpe").merge("a", "b").without("#");
    let tokenizer = vocabulary.open();
    assert_eq!(encode(&tokenizer, "a#b ab", false), [97, 98, 32, vocabulary.id("ab")]);
}

#[test]
fn merges_whose_text_is_no_token_fall_back_to_their_characters() {
    let mut vocabulary = Vocabulary::byte_level("gpt-2").merge("a", "b");
    vocabulary.merges.insert(0, "c d".to_owned());
    vocabulary.merges.insert(1, "cd e".to_owned());
    assert_eq!(encode(&vocabulary.open(), "abcde", false), [vocabulary.id("ab"), 99, 100, 101]);
}

#[test]
fn a_piece_that_is_a_token_is_taken_whole_where_the_name_says_so() {
    let vocabulary = |pre| Vocabulary::byte_level(pre).token("abc", 1).merge("b", "c");
    assert_eq!(encode(&vocabulary("llama-bpe").open(), "abc", false), [vocabulary("").id("abc")]);
    assert_eq!(encode(&vocabulary("qwen2").open(), "abc", false), [97, vocabulary("").id("bc")]);
}

#[test]
fn spm_puts_a_space_before_texts_at_the_start_and_after_special_tokens() {
    let vocabulary = Vocabulary::spm().scored("▁", -1.0).scored("▁a", -2.0).scored("a", -3.0);
    let tokenizer = vocabulary.open();
    assert_eq!(tokenizer.kind(), Kind::Spm);
    let (prefixed, plain) = (vocabulary.id("▁a"), vocabulary.id("a"));
    assert_eq!(tokenizer.encode("a", true, false).unwrap(), [1, prefixed]);
    assert_eq!(tokenizer.encode("", true, false).unwrap(), [1]);
    assert_eq!(encode(&tokenizer, "a</s>a", true), [prefixed, 2, prefixed]);
    assert_eq!(tokenizer.decode(&[prefixed, plain]), b" aa");
    let without = vocabulary.key("tokenizer.ggml.add_space_prefix", V::Bool(false)).open();
    assert_eq!(encode(&without, "a a", false), [plain, prefixed]);
}

#[test]
fn spm_merges_the_best_score_first_and_the_leftmost_of_equals() {
    let scored = |ab: f32, bc: f32| {
        let vocabulary = Vocabulary::spm().scored("a", 0.0).scored("b", 0.0).scored("c", 0.0);
        vocabulary.scored("bc", bc).scored("ab", ab).key("tokenizer.ggml.add_space_prefix", V::Bool(false))
    };
    let pieces = |vocabulary: Vocabulary| {
        let tokenizer = vocabulary.open();
        let ids = encode(&tokenizer, "abc", false);
        ids.iter().map(|&id| String::from_utf8_lossy(tokenizer.piece(id)).into_owned()).collect::<Vec<_>>()
    };
    assert_eq!(pieces(scored(-1.0, -2.0)), ["ab", "c"]);
    assert_eq!(pieces(scored(-2.0, -1.0)), ["a", "bc"]);
    assert_eq!(pieces(scored(-1.0, -1.0)), ["ab", "c"]);
}

#[test]
fn spm_writes_what_has_no_token_byte_by_byte() {
    let vocabulary = Vocabulary::spm().key("tokenizer.ggml.add_space_prefix", V::Bool(false));
    let tokenizer = vocabulary.open();
    let ids = encode(&tokenizer, "é\n", false);
    assert_eq!(ids, ["<0xC3>", "<0xA9>", "<0x0A>"].map(|text| vocabulary.id(text)));
    assert_eq!(tokenizer.decode(&ids), "é\n".as_bytes());
}

#[test]
fn a_score_that_is_no_number_is_refused() {
    let error = Vocabulary::spm().scored("a", f32::NAN).try_open().unwrap_err().to_string();
    assert!(error.contains("token 259"), "{error}");
}

#[test]
fn arrays_shorter_than_the_vocabulary_are_refused() {
    let builder = Vocabulary::byte_level("gpt-2").builder;
    let tokens = byte_alphabet().iter().map(|c| V::str(&c.to_string())).collect();
    let file = builder
        .key("tokenizer.ggml.tokens", V::Arr(8, tokens))
        .key("tokenizer.ggml.merges", V::Arr(8, Vec::new()))
        .key("tokenizer.ggml.token_type", V::Arr(5, vec![V::I32(1); 3]));
    let dir = tempfile::tempdir().unwrap();
    let error = Tokenizer::from_gguf(&Gguf::open(&file.write(dir.path(), "v.gguf")).unwrap()).unwrap_err().to_string();
    assert!(error.contains("tokenizer.ggml.token_type") && error.contains("3 entries for 256"), "{error}");
}

#[test]
fn a_stream_holds_a_character_back_until_it_is_whole_and_flushes_at_the_end() {
    let vocabulary = Vocabulary::byte_level("gpt-2").token("<|c|>", CONTROL);
    let tokenizer = vocabulary.open();
    let mut stream = Detokenizer::new(&tokenizer);
    let pushed: Vec<String> = "é😀".bytes().map(|byte| stream.push(u32::from(byte))).collect();
    assert_eq!(pushed, ["", "é", "", "", "", "😀"]);
    assert_eq!(
        (stream.push(0xF0), stream.push(256), stream.push(u32::from(b'a'))),
        (String::new(), String::new(), "\u{FFFD}a".into())
    );
    assert_eq!(
        (stream.push(0xE2), stream.finish(), stream.finish()),
        (String::new(), "\u{FFFD}".into(), String::new())
    );
    assert_eq!(Detokenizer::with_control(&tokenizer).push(256), "<|c|>");
}

#[test]
fn any_text_comes_back_and_any_stream_equals_the_whole_decoding() {
    let tokenizers = ["gpt-2", "qwen2"].map(|name| open(&fixture().join(format!("ggml-vocab-{name}.gguf"))));
    proptest!(|(text in any::<String>(), ids in proptest::collection::vec(0..160_000u32, 0..40))| {
        for tokenizer in &tokenizers {
            for parse_special in [false, true] {
                let encoded = tokenizer.encode(&text, false, parse_special).unwrap();
                prop_assert_eq!(tokenizer.decode(&encoded), text.as_bytes());
            }
            let mut stream = Detokenizer::with_control(tokenizer);
            let mut streamed: String = ids.iter().map(|&id| stream.push(id)).collect();
            streamed += &stream.finish();
            prop_assert_eq!(streamed, tokenizer.decode_lossy(&ids));
        }
    });
}
