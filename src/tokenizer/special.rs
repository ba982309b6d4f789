//! Cutting special tokens out of a text before it is split.
//!
//! Longer tokens are cut first, wherever they stand, and shorter ones only from what is left: not the leftmost match wins
//! but the longest token.

use std::collections::BTreeMap;
use std::ops::Range;

use aho_corasick::AhoCorasick;

use super::vocab::{TokenType, Vocab};
use crate::error::{Error, Result};

/// A part of a text after the special tokens were cut out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fragment<'t> {
    /// Text still to be split and merged; never empty.
    Text(&'t str),
    /// A special token.
    Token(u32),
}

/// The special tokens of a vocabulary.
#[derive(Debug)]
pub struct Specials {
    /// Longest first, equal lengths by id.
    tokens: Vec<Special>,
    /// Finds all of `tokens`, by their places, in one pass.
    finder: AhoCorasick,
}

#[derive(Debug)]
struct Special {
    text: Box<str>,
    id: u32,
    /// Cut out even where special tokens are not asked for.
    always: bool,
    swallows_space: bool,
}

impl Specials {
    /// The control, unknown and user-defined tokens of `vocab`.
    ///
    /// # Errors
    /// More text in such tokens than can be searched for (gigabytes).
    pub fn new(vocab: &Vocab) -> Result<Self> {
        let mut tokens = Vec::new();
        for id in (0..).take(vocab.len()) {
            let always = match vocab.token_type(id) {
                TokenType::UserDefined => true,
                TokenType::Control | TokenType::Unknown => false,
                TokenType::Normal | TokenType::Unused | TokenType::Byte => continue,
            };
            // A token that is no valid text cannot stand in one.
            let Some(Ok(text)) = vocab.piece(id).map(str::from_utf8) else { continue };
            if !text.is_empty() {
                tokens.push(Special { text: text.into(), id, always, swallows_space: vocab.swallows_space(id) });
            }
        }
        tokens.sort_by_key(|token| std::cmp::Reverse(token.text.len()));
        let finder = AhoCorasick::new(tokens.iter().map(|token| token.text.as_bytes()))
            .map_err(|e| Error::Tokenizer(format!("{} special tokens cannot be searched for: {e}", tokens.len())))?;
        Ok(Self { tokens, finder })
    }

    /// Cuts `text`; control and unknown tokens are seen only with `parse_special`.
    ///
    /// Tokens are taken in groups, the longest first, so that the places where a group stands take little memory; each
    /// group is looked for in what the ones before it left.
    pub fn cut<'t>(&self, text: &'t str, parse_special: bool) -> Vec<Fragment<'t>> {
        let mut counts = vec![0usize; self.tokens.len()];
        self.finder.find_overlapping_iter(text).for_each(|found| counts[found.pattern().as_usize()] += 1);
        let wanted = |&rank: &usize| counts[rank] > 0 && (parse_special || self.tokens[rank].always);
        let mut ranks = (0..self.tokens.len()).filter(wanted).peekable();
        let (most, mut claims) = (PLACES_MIN.max(text.len() / 2), Claims::default());
        while let Some(first) = ranks.next() {
            let (mut last, mut places) = (first, counts[first]);
            while let Some(next) = ranks.next_if(|&rank| places + counts[rank] <= most) {
                (last, places) = (next, places + counts[next]);
            }
            let mut found = Vec::new();
            for gap in claims.gaps(text.len()) {
                for place in self.finder.find_overlapping_iter(&text[gap.clone()]) {
                    let rank = place.pattern().as_usize();
                    if (first..=last).contains(&rank) && wanted(&rank) {
                        found.push((rank, gap.start + place.start()));
                    }
                }
            }
            found.sort_unstable();
            for (rank, start) in found {
                claims.claim(text, start, &self.tokens[rank]);
            }
        }
        claims.fragments(text)
    }
}

/// Places that are looked for at a time, at least.
const PLACES_MIN: usize = 1 << 16;

/// The parts of a text that are tokens: by first byte the end, white space that was swallowed included, and the token.
#[derive(Default)]
struct Claims(BTreeMap<usize, (usize, u32)>);

impl Claims {
    /// Takes `token` at `start`, unless part of that is taken.
    fn claim(&mut self, text: &str, start: usize, token: &Special) {
        let end = start + token.text.len();
        let before = self.0.range(..=start).next_back().map_or(0, |(_, (end, _))| *end);
        let next = self.0.range(start..).next().map_or(text.len(), |(next, _)| *next);
        if before > start || next < end {
            return;
        }
        let mut taken = end;
        if token.swallows_space {
            let behind = &text[end..next];
            taken += behind.len() - behind.trim_start_matches([' ', '\t', '\n', '\x0B', '\x0C', '\r']).len();
        }
        self.0.insert(start, (taken, token.id));
    }

    /// What is not taken of a text of `len` bytes, in order; nothing empty.
    fn gaps(&self, len: usize) -> Vec<Range<usize>> {
        let starts = self.0.keys().copied().chain([len]);
        let ends = [0].into_iter().chain(self.0.values().map(|(end, _)| *end));
        ends.zip(starts).map(|(end, start)| end..start).filter(|gap| !gap.is_empty()).collect()
    }

    fn fragments<'t>(&self, text: &'t str) -> Vec<Fragment<'t>> {
        let mut fragments = Vec::with_capacity(2 * self.0.len() + 1);
        let mut at = 0;
        for (&start, &(end, id)) in &self.0 {
            if at < start {
                fragments.push(Fragment::Text(&text[at..start]));
            }
            fragments.push(Fragment::Token(id));
            at = end;
        }
        if at < text.len() {
            fragments.push(Fragment::Text(&text[at..]));
        }
        fragments
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn specials(texts: &[(String, bool)]) -> Specials {
        let mut tokens: Vec<Special> = (0..)
            .zip(texts)
            .map(|(id, (text, swallows_space))| Special {
                text: text.as_str().into(),
                id,
                always: id % 3 > 0,
                swallows_space: *swallows_space,
            })
            .collect();
        tokens.sort_by_key(|token| std::cmp::Reverse(token.text.len()));
        let finder = AhoCorasick::new(tokens.iter().map(|token| token.text.as_bytes())).unwrap();
        Specials { tokens, finder }
    }

    /// One token after the other, each in all that is left.
    fn plainly<'t>(specials: &Specials, text: &'t str, parse_special: bool) -> Vec<Fragment<'t>> {
        let mut fragments = vec![Fragment::Text(text)];
        for token in specials.tokens.iter().filter(|token| parse_special || token.always) {
            let mut cut = Vec::new();
            for fragment in fragments {
                let Fragment::Text(mut text) = fragment else {
                    cut.push(fragment);
                    continue;
                };
                while let Some(at) = text.find(&*token.text) {
                    cut.extend([Fragment::Text(&text[..at]), Fragment::Token(token.id)]);
                    text = &text[at + token.text.len()..];
                    if token.swallows_space {
                        text = text.trim_start_matches([' ', '\t', '\n', '\x0B', '\x0C', '\r']);
                    }
                }
                cut.push(Fragment::Text(text));
            }
            fragments = cut;
        }
        fragments.retain(|fragment| *fragment != Fragment::Text(""));
        fragments
    }

    proptest! {
        #[test]
        fn groups_cut_as_one_token_after_the_other(
            texts in prop::collection::btree_set("[ab é]{1,4}", 0..12), swallow in any::<u16>(), text in "[ab é\n]{0,60}"
        ) {
            let texts: Vec<(String, bool)> =
                texts.into_iter().enumerate().map(|(i, text)| (text, swallow >> i & 1 == 1)).collect();
            let specials = specials(&texts);
            for parse_special in [false, true] {
                prop_assert_eq!(specials.cut(&text, parse_special), plainly(&specials, &text, parse_special));
            }
        }
    }

    #[test]
    fn more_places_than_are_looked_for_at_a_time_are_all_found() {
        let texts: Vec<(String, bool)> = (1..9).map(|n| ("a".repeat(n), false)).collect();
        let (specials, text) = (specials(&texts), "a".repeat(PLACES_MIN) + "b" + &"a".repeat(11));
        assert_eq!(specials.cut(&text, true), plainly(&specials, &text, true));
    }
}
