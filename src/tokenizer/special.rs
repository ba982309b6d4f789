//! Cutting special tokens out of a text before it is split.
//!
//! Longer tokens are cut first, wherever they stand, and shorter ones only from what is left: not the leftmost match wins
//! but the longest token.

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
    pub fn cut<'t>(&self, text: &'t str, parse_special: bool) -> Vec<Fragment<'t>> {
        let mut fragments = Vec::new();
        if !text.is_empty() {
            fragments.push(Fragment::Text(text));
        }
        for place in self.occurring(text, parse_special) {
            let mut cut = Vec::with_capacity(fragments.len() + 2);
            for fragment in fragments {
                match fragment {
                    Fragment::Text(text) => self.tokens[place].cut(text, &mut cut),
                    token => cut.push(token),
                }
            }
            fragments = cut;
        }
        fragments
    }

    /// The places of the tokens that stand somewhere in `text`, in order.
    fn occurring(&self, text: &str, parse_special: bool) -> Vec<usize> {
        let mut found = vec![false; self.tokens.len()];
        for token in self.finder.find_overlapping_iter(text) {
            found[token.pattern().as_usize()] = true;
        }
        let wanted = |&place: &usize| found[place] && (parse_special || self.tokens[place].always);
        (0..self.tokens.len()).filter(wanted).collect()
    }
}

impl Special {
    fn cut<'t>(&self, mut text: &'t str, out: &mut Vec<Fragment<'t>>) {
        while let Some(at) = text.find(&*self.text) {
            if at > 0 {
                out.push(Fragment::Text(&text[..at]));
            }
            out.push(Fragment::Token(self.id));
            text = &text[at + self.text.len()..];
            if self.swallows_space {
                text = text.trim_start_matches([' ', '\t', '\n', '\x0B', '\x0C', '\r']);
            }
        }
        if !text.is_empty() {
            out.push(Fragment::Text(text));
        }
    }
}
