//! The table of pre-tokenisers: what each `tokenizer.ggml.pre` means.
//!
//! The patterns stand in Perl notation beside their rules. Source: the split patterns of the models' own tokenizers, in
//! the form in which llama.cpp applies them.

use super::Pass;
use super::class::{self, ASCII_MARKS, BLANK, CRLF, Class, L, M, N, NOT_LF, P, S, SPACE, atom, not, of};
use super::rule::Rule::{CasedWord, Contraction, LineBreaks, SpaceAtEnd, SpaceBeforeSpace, SpacedWord};
use super::rule::{Case, Rule, Run};

/// A pre-tokeniser: how texts are split, and what else its name implies.
pub struct Pre {
    /// The names that mean it.
    pub names: &'static [&'static str],
    /// The passes of the splitter.
    pub passes: &'static [Pass],
    /// A piece that is itself a token is taken whole, whatever the merges say.
    pub ignore_merges: bool,
    /// Whether BOS is put first when the file does not say.
    pub add_bos: bool,
}

/// The pre-tokeniser of that name.
pub fn find(name: &str) -> Option<&'static Pre> {
    TABLE.iter().find(|pre| pre.names.contains(&name))
}

/// All known names.
pub fn names() -> impl Iterator<Item = &'static str> {
    TABLE.iter().flat_map(|pre| pre.names.iter().copied())
}

const fn pre(names: &'static [&'static str], passes: &'static [Pass]) -> Pre {
    Pre { names, passes, ignore_merges: false, add_bos: false }
}

const fn whole(mut pre: Pre) -> Pre {
    pre.ignore_merges = true;
    pre
}

const fn with_bos(mut pre: Pre) -> Pre {
    pre.add_bos = true;
    pre
}

static TABLE: &[Pre] = &[
    pre(&["default"], &[Pass::Rules(PUNCTUATION), Pass::Rules(GPT2), Pass::Rules(NUMBERS), Pass::Rules(THREE_DIGITS)]),
    pre(
        &[
            "gpt-2",
            "olmo",
            "phi-2",
            "mpt",
            "jais",
            "trillion",
            "exaone4",
            "mellum",
            "gigachat",
            "granite-docling",
            "a.x-4.0",
        ],
        &[Pass::Rules(GPT2)],
    ),
    with_bos(whole(pre(
        &["llama-bpe", "llama3", "llama-v3", "lfm2", "falcon3", "falcon-h1", "pixtral", "midm-2.0"],
        &[Pass::Rules(LLAMA3)],
    ))),
    whole(pre(&["glm4", "glm5"], &[Pass::Rules(LLAMA3)])),
    pre(&["dbrx", "smaug-bpe", "chatglm-bpe"], &[Pass::Rules(LLAMA3)]),
    pre(
        &["qwen2", "deepseek-r1-qwen", "stablelm2", "hunyuan", "megrez", "grok-2", "solar-open", "kormo"],
        &[Pass::Rules(QWEN2)],
    ),
    pre(&["qwen35"], &[Pass::Rules(QWEN35)]),
    pre(&["ufakzeka"], &[Pass::Rules(&[WORD, ONE_NUMBER, MARKS_TO_BREAK, LineBreaks, SPACES, SPACE_RUN])]),
    pre(
        &["seed-coder"],
        &[Pass::Rules(&[
            CONTRACTION,
            WORD,
            ONE_NUMBER,
            Run::of(not(SPACE | L | N)).after(of(BLANK)).rule(),
            LineBreaks,
            SPACES,
            SPACE_RUN,
        ])],
    ),
    pre(&["laguna"], &[Pass::Rules(LINES), Pass::Rules(QWEN2)]),
    pre(&["bailingmoe", "bailingmoe2", "llada-moe"], &[Pass::Rules(QWEN2)]),
    pre(&["gpt-4o", "llama4", "kanana2", "talkie", "minimax-m2"], &[Pass::Rules(GPT4O)]),
    with_bos(whole(pre(&["tekken"], &[Pass::Rules(TEKKEN)]))),
    pre(&["tiny_aya", "cohere2moe"], &[Pass::ThreesFromRight, Pass::Rules(TINY_AYA)]),
    pre(
        &["deepseek-llm"],
        &[
            Pass::Rules(LINE_BREAK),
            Pass::Rules(&[Run::of(Class::Chars(class::is_deepseek_letter)).after(of(SPACE)).rule()]),
            Pass::Rules(&[Run::of(Class::Chars(class::is_deepseek_mark)).after(of(SPACE)).rule()]),
            Pass::Rules(&[SpaceAtEnd]),
            Pass::Rules(CJK_V1),
            Pass::Rules(NUMBERS),
        ],
    ),
    pre(
        &["deepseek-coder"],
        &[
            Pass::Rules(LINE_BREAK),
            Pass::Rules(&[Run::of(of(L)).after(of(SPACE)).rule()]),
            Pass::Rules(&[Run::of(of(P)).after(of(SPACE)).rule()]),
            Pass::Rules(CJK_V1),
            Pass::Rules(&[ONE_NUMBER]),
        ],
    ),
    pre(
        &["deepseek-v3", "hunyuan-dense", "joyai-llm", "hy_v4"],
        &[Pass::Rules(&[THREE_NUMBERS]), Pass::Rules(CJK_V3), Pass::Rules(DEEPSEEK_V3)],
    ),
    pre(
        &["spark2_5"],
        &[
            Pass::Rules(&[THREE_NUMBERS]),
            Pass::Rules(CJK_V3),
            Pass::Rules(&[
                MARKED_LATIN,
                WORD_V3,
                Run::of(of(P | S)).after(of(BLANK)).rule(),
                Run::of(of(CRLF)).at_most(1).rule(),
                SPACES,
                SPACE_RUN,
            ]),
            Pass::Rules(&[ONE_NUMBER]),
        ],
    ),
    whole(pre(
        &["youtu"],
        &[
            Pass::Rules(&[
                Run::of(Class::Chars(class::is_youtu_hangul)).rule(),
                Run::of(Class::Chars(class::is_youtu_mark)).rule(),
                Run::of(Class::Chars(class::is_youtu_bopomofo)).rule(),
                Run::of(Class::Chars(class::is_cjk_v3)).rule(),
            ]),
            Pass::Rules(&[MARKED_WORD_CONTRACTED, ONE_NUMBER, MARKS_TO_BREAK_OR_SLASH, LineBreaks, SPACES, SPACE_RUN]),
        ],
    )),
    whole(pre(
        &["minicpm5"],
        &[
            Pass::Rules(&[THREE_NUMBERS]),
            Pass::Rules(&[CONTRACTION, WORD, Run::of(of(N)).rule(), MARKS_TO_BREAK, LineBreaks, SPACES, SPACE_RUN]),
        ],
    )),
    pre(
        &["refact", "starcoder", "command-r", "smollm", "codeshell", "exaone", "minerva-7b", "mellum2"],
        &[Pass::Rules(&[ONE_NUMBER]), Pass::Rules(GPT2)],
    ),
    pre(&["falcon"], &[Pass::Rules(FALCON_PUNCTUATION), Pass::Rules(GPT2), Pass::Rules(THREE_DIGITS)]),
    pre(
        &["exaone-moe"],
        &[Pass::Rules(&[
            CONTRACTION,
            SpacedWord { lead: not(CRLF | L | N) },
            ONE_NUMBER,
            Run::of(not(SPACE | L | N)).after(of(BLANK)).then_one(of(CRLF | atom::SLASH)).rule(),
            LineBreaks,
            SPACES,
            SPACE_RUN,
        ])],
    ),
    pre(&["superbpe"], &[Pass::Rules(NUMBERS), Pass::ThreesAligned]),
    pre(
        &["kimi-k2"],
        &[Pass::Rules(&[
            Run::of(Class::Chars(class::is_han)).rule(),
            Run::of(Class::Chars(class::is_letter_not_han)).after(not(CRLF | L | N)).contracted().rule(),
            THREE_NUMBERS,
            MARKS_TO_BREAK,
            LineBreaks,
            SPACES,
            SPACE_RUN,
        ])],
    ),
    pre(
        &["afmoe"],
        &[
            Pass::ThreesFromRight,
            Pass::Rules(&[Run::of(Class::Chars(class::is_afmoe_script)).rule()]),
            Pass::Rules(DEEPSEEK_V3),
        ],
    ),
    pre(&["poro-chat", "bloom", "gpt3-finnish"], &[Pass::Rules(BLOOM)]),
    pre(&["viking"], &[Pass::Rules(BLOOM), Pass::Rules(&[ONE_NUMBER])]),
    pre(&["jais-2"], &[Pass::Rules(JAIS2)]),
];

// `'(?i:s|t|m|d|re|ve|ll)`
const CONTRACTION: Rule = Contraction(Case::Any);
// `[^\r\n\p{L}\p{N}]?\p{L}+`
const WORD: Rule = Run::of(of(L)).after(not(CRLF | L | N)).rule();
// `[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+`
const MARKED_WORD: Rule = Run::of(of(L | M)).after(not(CRLF | L | N)).rule();
// the same, then `(?i:'s|'t|'re|'ve|'m|'ll|'d)?`
const MARKED_WORD_CONTRACTED: Rule = Run::of(of(L | M)).after(not(CRLF | L | N)).contracted().rule();
// `[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+`
const WORD_V3: Rule = Run::of(of(L | M)).after(not(CRLF | L | P | S)).rule();
// An ASCII punctuation mark, then `[A-Za-z]+`
const MARKED_LATIN: Rule = Run::of(of(atom::LOWER | atom::UPPER)).led_by(of(ASCII_MARKS)).rule();
// `\p{N}`
const ONE_NUMBER: Rule = Run::of(of(N)).at_most(1).rule();
// `\p{N}{1,3}`
const THREE_NUMBERS: Rule = Run::of(of(N)).at_most(3).rule();
// ` ?[^\s\p{L}\p{N}]+[\r\n]*`
const MARKS_TO_BREAK: Rule = Run::of(not(SPACE | L | N)).after(of(BLANK)).then(of(CRLF)).rule();
// ` ?[^\s\p{L}\p{N}]+[\r\n/]*`
const MARKS_TO_BREAK_OR_SLASH: Rule = Run::of(not(SPACE | L | N)).after(of(BLANK)).then(of(CRLF | atom::SLASH)).rule();
// `\s+(?!\S)`
const SPACES: Rule = SpaceBeforeSpace { min: 1, max: usize::MAX };
// `\s+`
const SPACE_RUN: Rule = Run::of(of(SPACE)).rule();

// `'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)`
const GPT2: &[Rule] = &[
    Contraction(Case::Lower),
    Run::of(of(L)).after(of(BLANK)).rule(),
    Run::of(of(N)).after(of(BLANK)).rule(),
    Run::of(not(SPACE | L | N)).after(of(BLANK)).rule(),
    SPACES,
];

const LLAMA3: &[Rule] = &[CONTRACTION, WORD, THREE_NUMBERS, MARKS_TO_BREAK, LineBreaks, SPACES, SPACE_RUN];

const QWEN2: &[Rule] = &[CONTRACTION, WORD, ONE_NUMBER, MARKS_TO_BREAK, LineBreaks, SPACES, SPACE_RUN];

const QWEN35: &[Rule] = &[
    CONTRACTION,
    MARKED_WORD,
    ONE_NUMBER,
    // ` ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*`
    Run::of(not(SPACE | L | M | N)).after(of(BLANK)).then(of(CRLF)).rule(),
    LineBreaks,
    SPACES,
    SPACE_RUN,
];

const GPT4O: &[Rule] =
    &[CasedWord { contraction: true }, THREE_NUMBERS, MARKS_TO_BREAK_OR_SLASH, LineBreaks, SPACES, SPACE_RUN];

const TEKKEN: &[Rule] =
    &[CasedWord { contraction: false }, ONE_NUMBER, MARKS_TO_BREAK_OR_SLASH, LineBreaks, SPACES, SPACE_RUN];

// As gpt-4o, but the letter classes by case are all letters here, and marks join them.
const TINY_AYA: &[Rule] =
    &[MARKED_WORD_CONTRACTED, THREE_NUMBERS, MARKS_TO_BREAK_OR_SLASH, LineBreaks, SPACES, SPACE_RUN];

const DEEPSEEK_V3: &[Rule] = &[
    MARKED_LATIN,
    WORD_V3,
    // ` ?[\p{P}\p{S}]+[\r\n]*`
    Run::of(of(P | S)).after(of(BLANK)).then(of(CRLF)).rule(),
    LineBreaks,
    SPACES,
    SPACE_RUN,
];

// The same white-space rules with runs cut at powers of two.
const JAIS2: &[Rule] = &[
    CONTRACTION,
    WORD,
    THREE_NUMBERS,
    MARKS_TO_BREAK,
    LineBreaks,
    SpaceBeforeSpace { min: 512, max: 512 },
    SpaceBeforeSpace { min: 256, max: 256 },
    SpaceBeforeSpace { min: 128, max: 128 },
    SpaceBeforeSpace { min: 64, max: 64 },
    SpaceBeforeSpace { min: 32, max: 32 },
    SpaceBeforeSpace { min: 16, max: 16 },
    SpaceBeforeSpace { min: 8, max: 8 },
    SpaceBeforeSpace { min: 4, max: 4 },
    SpaceBeforeSpace { min: 1, max: 2 },
    Run::of(of(SPACE)).at_most(1).rule(),
];

// `[\p{P}\$\+<=>\^~\|]+`
const PUNCTUATION: &[Rule] = &[Run::of(of(P | atom::ASCII_SYMBOL)).rule()];
const FALCON_PUNCTUATION: &[Rule] = &[Run::of(of(P | atom::ASCII_SYMBOL | atom::BACKTICK)).rule()];
// `\p{N}+`
const NUMBERS: &[Rule] = &[Run::of(of(N)).rule()];
// `[0-9][0-9][0-9]`: what is shorter stays with its neighbours.
const THREE_DIGITS: &[Rule] = &[Run::of(of(atom::DIGIT)).exactly(3).rule()];
// `[\r\n]`
const LINE_BREAK: &[Rule] = &[Run::of(of(CRLF)).at_most(1).rule()];
// `[^\n]+|[\n]+`
const LINES: &[Rule] = &[Run::of(NOT_LF).rule(), Run::of(of(atom::LF)).rule()];
const CJK_V1: &[Rule] = &[Run::of(Class::Chars(class::is_cjk_v1)).rule()];
const CJK_V3: &[Rule] = &[Run::of(Class::Chars(class::is_cjk_v3)).rule()];
// ` ?[^(\s|.,!?…。，、।۔،)]+`
const BLOOM: &[Rule] = &[Run::of(Class::Chars(class::is_bloom_word)).after(of(BLANK)).rule()];
