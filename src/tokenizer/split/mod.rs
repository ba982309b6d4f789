//! Pre-tokenisers: how a text is cut into pieces before byte-pair merging.
//!
//! A splitter is a list of passes, and each later pass sees each piece of the one before as a whole text (so the piece's
//! end is the end for a look-ahead). In a pass the first [`Rule`] that matches at a position makes a piece; the stretches
//! that no rule matches stay pieces too. So the pieces, in order, are always the whole text.
//!
//! The patterns are those that llama.cpp applies for each `tokenizer.ggml.pre`, which for a few models differ from the
//! model's own tokenizer (case in gpt-4o and tekken, for example): a GGUF file was tested against the former.

pub mod class;
pub mod rule;
pub mod table;

use class::{Class, N, of};
use rule::{Rule, SpaceRun, run_end};

/// One pass over a text.
pub enum Pass {
    /// Alternatives; the first that matches at a position wins.
    Rules(&'static [Rule]),
    /// Numbers in threes from the right: a cut after the first group of a run and after each three that follow. What
    /// stands before a number stays with its first group.
    ThreesFromRight,
    /// Every run of 0-9 in threes from the right, with cuts only inside and before the groups of three.
    ThreesAligned,
}

/// Cuts `text` by `passes` and gives the pieces, in order, to `piece`.
pub fn split<'t>(passes: &[Pass], text: &'t str, piece: &mut dyn FnMut(&'t str)) {
    if text.is_empty() {
        return;
    }
    match passes.split_first() {
        None => piece(text),
        Some((pass, rest)) => pass.cut(text, &mut |part| split(rest, part, piece)),
    }
}

impl Pass {
    fn cut<'t>(&self, text: &'t str, piece: &mut dyn FnMut(&'t str)) {
        match self {
            Pass::Rules(rules) => cut_by_rules(rules, text, piece),
            Pass::ThreesFromRight => {
                let mut start = 0;
                groups_of_three(text, of(N), |_, end| {
                    piece(&text[start..end]);
                    start = end;
                });
                if start < text.len() {
                    piece(&text[start..]);
                }
            }
            Pass::ThreesAligned => {
                let mut start = 0;
                groups_of_three(text, of(class::atom::DIGIT), |at, end| {
                    if at > start && end - at == 3 {
                        piece(&text[start..at]);
                        start = at;
                    }
                });
                piece(&text[start..]);
            }
        }
    }
}

fn cut_by_rules<'t>(rules: &[Rule], text: &'t str, piece: &mut dyn FnMut(&'t str)) {
    let mut spaces = SpaceRun::default();
    let (mut unmatched, mut at) = (0, 0);
    while let Some(c) = text[at..].chars().next() {
        let Some(end) = rules.iter().find_map(|rule| rule.end(text, at, &mut spaces)) else {
            at += c.len_utf8();
            continue;
        };
        if at > unmatched {
            piece(&text[unmatched..at]);
        }
        piece(&text[at..end]);
        (unmatched, at) = (end, end);
    }
    if at > unmatched {
        piece(&text[unmatched..at]);
    }
}

/// Gives the byte range of each group of three characters in the runs of `class`, counted from a run's right end; the
/// first group of a run may have one or two.
fn groups_of_three(text: &str, class: Class, mut group: impl FnMut(usize, usize)) {
    let mut at = 0;
    while let Some(c) = text[at..].chars().next() {
        let run = run_end(text, at, class, usize::MAX);
        if run == at {
            at += c.len_utf8();
            continue;
        }
        let first = (text[at..run].chars().count() + 2) % 3 + 1;
        let mut end = run_end(text, at, class, first);
        group(at, end);
        while end < run {
            at = end;
            end = run_end(text, at, class, 3);
            group(at, end);
        }
        at = run;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn pieces<'t>(pre: &str, text: &'t str) -> Vec<&'t str> {
        let mut out = Vec::new();
        split(table::find(pre).unwrap().passes, text, &mut |piece| out.push(piece));
        out
    }

    #[test]
    fn gpt2_keeps_a_space_with_its_word_and_digits_together() {
        assert_eq!(pieces("gpt-2", "I've  2024 cats\n\n x"), ["I", "'ve", " ", " 2024", " cats", "\n\n", " x"]);
    }

    #[test]
    fn llama3_takes_digits_in_threes_from_the_left() {
        assert_eq!(pieces("llama-bpe", "12345 I'LL\n\n"), ["123", "45", " I", "'LL", "\n\n"]);
    }

    #[test]
    fn gpt4o_cuts_words_where_ascii_case_rises() {
        assert_eq!(pieces("gpt-4o", "camelCase HTTPServer ПриВет's"), ["camel", "Case", " HTTPServer", " ПриВет's"]);
    }

    #[test]
    fn a_caseless_letter_is_given_back_to_end_an_upper_case_run() {
        assert_eq!(pieces("gpt-4o", "ÉAB "), ["É", "AB", " "]);
    }

    #[test]
    fn numbers_from_the_right_keep_what_stands_before_them() {
        assert_eq!(pieces("superbpe", "a1234567"), ["a", "1", "234", "567"]);
        assert_eq!(pieces("afmoe", "1234567"), ["1", "234", "567"]);
    }

    #[test]
    fn deepseek_llm_does_not_count_the_ideographic_space_as_punctuation() {
        assert_eq!(pieces("deepseek-llm", "!\u{3000}!"), ["!", "\u{3000}!"]);
    }

    proptest! {
        #[test]
        fn the_pieces_of_every_splitter_are_the_text(text in any_text()) {
            for pre in table::names() {
                prop_assert_eq!(pieces(pre, &text).concat(), text.as_str(), "{}", pre);
                prop_assert!(pieces(pre, &text).iter().all(|piece| !piece.is_empty()), "{}", pre);
            }
        }
    }

    /// Texts in which classes meet often.
    fn any_text() -> impl Strategy<Value = String> {
        let c = prop_oneof![
            4 => proptest::sample::select(" \t\r\n'sStlLeEvVrRabAB019/.,!$`_é\u{301}漢あ\u{3000}\u{200d}½".chars().collect::<Vec<_>>()),
            1 => any::<char>(),
        ];
        proptest::collection::vec(c, 0..60).prop_map(String::from_iter)
    }
}
