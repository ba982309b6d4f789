//! The patterns that pre-tokenisers are made of, matched without a regex engine.
//!
//! The published splitters are regexes with look-ahead, classes by Unicode category and alternatives of which the first
//! that matches wins. A general engine needs backtracking for them, and runs out of steps, or quadratic, on a million
//! equal characters. Each alternative is one of a few shapes, and each shape can be matched in one forward scan.

use super::class::{self, CRLF, Class, L, SPACE, atom, of};

/// One alternative of a splitter.
pub enum Rule {
    /// An English contraction: `'s 't 'm 'd 're 've 'll`.
    Contraction(Case),
    /// A run of one class, with what may stand around it.
    Run(Run),
    /// `[^\r\n\p{L}\p{N}]?`, then upper-case letters, then lower-case letters (of which one class may be empty), where only
    /// a-z and A-Z have case and any other letter counts as both; then a contraction, if wanted.
    CasedWord {
        /// Whether a contraction belongs to the word.
        contraction: bool,
    },
    /// `lead?`, then letters with their marks, single spaces between them included.
    SpacedWord {
        /// What may stand before the first letter.
        lead: Class,
    },
    /// `\s*[\r\n]+`: white space up to the last line break of the run.
    LineBreaks,
    /// `\s{min,max}(?!\S)`: white space that is followed by more white space or by the end.
    SpaceBeforeSpace {
        /// Fewest characters.
        min: usize,
        /// Most characters.
        max: usize,
    },
    /// `\s+$`: white space at the end.
    SpaceAtEnd,
}

/// Whether a contraction's letters match in both cases.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Case {
    /// Lower case only.
    Lower,
    /// Either case.
    Any,
}

/// `lead? body{min,max} tail{0,max_tail} contraction?`
pub struct Run {
    lead: Option<Class>,
    lead_required: bool,
    body: Class,
    min: usize,
    max: usize,
    tail: Option<Class>,
    max_tail: usize,
    contraction: bool,
}

impl Run {
    /// `body+`
    pub const fn of(body: Class) -> Self {
        Self {
            lead: None,
            lead_required: false,
            body,
            min: 1,
            max: usize::MAX,
            tail: None,
            max_tail: 0,
            contraction: false,
        }
    }

    /// At most `max` characters.
    pub const fn at_most(mut self, max: usize) -> Self {
        self.max = max;
        self
    }

    /// Exactly `n` characters.
    pub const fn exactly(mut self, n: usize) -> Self {
        self.min = n;
        self.max = n;
        self
    }

    /// After at most one character of `lead`.
    pub const fn after(mut self, lead: Class) -> Self {
        self.lead = Some(lead);
        self
    }

    /// After exactly one character of `lead`.
    pub const fn led_by(mut self, lead: Class) -> Self {
        self.lead = Some(lead);
        self.lead_required = true;
        self
    }

    /// Followed by any number of characters of `tail`.
    pub const fn then(mut self, tail: Class) -> Self {
        self.tail = Some(tail);
        self.max_tail = usize::MAX;
        self
    }

    /// Followed by at most one character of `tail`.
    pub const fn then_one(mut self, tail: Class) -> Self {
        self.tail = Some(tail);
        self.max_tail = 1;
        self
    }

    /// Followed by a contraction, if there is one.
    pub const fn contracted(mut self) -> Self {
        self.contraction = true;
        self
    }

    /// As a rule.
    pub const fn rule(self) -> Rule {
        Rule::Run(self)
    }

    fn end(&self, text: &str, at: usize) -> Option<usize> {
        let led = self.lead.and_then(|lead| first_of(text, at, lead)).and_then(|start| self.end_of_body(text, start));
        if led.is_some() || self.lead_required { led } else { self.end_of_body(text, at) }
    }

    fn end_of_body(&self, text: &str, at: usize) -> Option<usize> {
        let end = run_end(text, at, self.body, self.max);
        if end == at || self.min > 1 {
            nth_char(text, at, self.min, end)?;
        }
        let end = self.tail.map_or(end, |tail| run_end(text, end, tail, self.max_tail));
        Some(if self.contraction { after_contraction(text, end, Case::Any) } else { end })
    }
}

/// The white-space run that was looked at last, so that rules which look to its end stay linear however often they ask.
#[derive(Default)]
pub struct SpaceRun {
    start: usize,
    end: usize,
    /// Where the last `\r` or `\n` of the run ends; 0 where there is none.
    after_break: usize,
    /// Where the last character of the run starts.
    last: usize,
}

impl SpaceRun {
    /// The run that `at` lies in; empty where there is no white space.
    fn at(&mut self, text: &str, at: usize) -> &Self {
        if !(self.start..self.end).contains(&at) {
            *self = Self { start: at, end: at, after_break: 0, last: at };
            for (i, c) in text[at..].char_indices() {
                let atom = class::atom_of(c);
                if atom & SPACE == 0 {
                    break;
                }
                self.last = at + i;
                self.end = self.last + c.len_utf8();
                if atom & CRLF != 0 {
                    self.after_break = self.end;
                }
            }
        }
        self
    }
}

impl Rule {
    /// Where a match of this rule that starts at byte `at` of `text` ends; `None` if there is none. Never empty.
    /// `spaces` is a note kept between the calls on one text.
    pub fn end(&self, text: &str, at: usize, spaces: &mut SpaceRun) -> Option<usize> {
        match self {
            Rule::Contraction(case) => Some(after_contraction(text, at, *case)).filter(|&end| end > at),
            Rule::Run(run) => run.end(text, at),
            Rule::CasedWord { contraction } => {
                let lead = first_of(text, at, class::not(CRLF | L | class::N));
                let end = cased_word(text, lead.unwrap_or(at))?;
                Some(if *contraction { after_contraction(text, end, Case::Any) } else { end })
            }
            Rule::SpacedWord { lead } => {
                first_of(text, at, *lead).and_then(|start| spaced_word(text, start)).or_else(|| spaced_word(text, at))
            }
            Rule::LineBreaks => Some(spaces.at(text, at).after_break).filter(|&end| end > at),
            Rule::SpaceBeforeSpace { min, max } => {
                let run = spaces.at(text, at);
                // All of the run at the end of the text; else all but its last character.
                let limit = if run.end == text.len() { run.end } else { run.last };
                nth_char(text, at, *min, limit)?;
                Some(run_end(&text[..limit], at, of(SPACE), *max)).filter(|&end| end > at)
            }
            Rule::SpaceAtEnd => Some(spaces.at(text, at).end).filter(|&end| end > at && end == text.len()),
        }
    }
}

/// The byte after the first character at `at`, if it is in `class`.
fn first_of(text: &str, at: usize, class: Class) -> Option<usize> {
    text[at..].chars().next().filter(|&c| class.has(c)).map(|c| at + c.len_utf8())
}

/// Where the run of at most `max` characters of `class` from `at` ends.
pub fn run_end(text: &str, at: usize, class: Class, max: usize) -> usize {
    let mut end = at;
    for c in text[at..].chars().take(max) {
        if !class.has(c) {
            break;
        }
        end += c.len_utf8();
    }
    end
}

/// The byte `n` characters after `at`, if it is not beyond `limit`.
fn nth_char(text: &str, at: usize, n: usize, limit: usize) -> Option<usize> {
    let mut chars = text[at..limit.max(at)].chars();
    for _ in 0..n {
        chars.next()?;
    }
    Some(limit - chars.as_str().len())
}

/// The byte after a contraction at `at`; `at` itself where there is none.
fn after_contraction(text: &str, at: usize, case: Case) -> usize {
    let bytes = &text.as_bytes()[at..];
    let letter = |i: usize| -> u8 {
        let byte = bytes.get(i).copied().unwrap_or(0);
        if case == Case::Any { byte.to_ascii_lowercase() } else { byte }
    };
    if bytes.first() != Some(&b'\'') {
        return at;
    }
    match (letter(1), letter(2)) {
        (b's' | b't' | b'm' | b'd', _) => at + 2,
        (b'r' | b'v', b'e') | (b'l', b'l') => at + 3,
        _ => at,
    }
}

/// The end of `U*l+`, else of `U+l*`, where U are the letters but a-z and l the letters but A-Z.
fn cased_word(text: &str, at: usize) -> Option<usize> {
    const UPPER: Class = of(L & !atom::LOWER);
    const LOWER: Class = of(L & !atom::UPPER);
    let after_upper = run_end(text, at, UPPER, usize::MAX);
    let after_lower = run_end(text, after_upper, LOWER, usize::MAX);
    if after_lower > after_upper {
        return Some(after_lower);
    }
    // No lower-case letter follows: the last letter of the run that counts as both is given back to be that letter.
    let shared = text[at..after_upper].char_indices().rev().find(|&(_, c)| LOWER.has(c));
    if let Some((i, _)) = shared {
        return Some(run_end(text, at + i, LOWER, usize::MAX));
    }
    (after_upper > at).then_some(after_upper)
}

/// The end of letters with marks from `at`, joined by single spaces.
fn spaced_word(text: &str, at: usize) -> Option<usize> {
    let mut end = first_of(text, at, of(L))?;
    loop {
        end = run_end(text, end, of(class::M), usize::MAX);
        let joined = if text[end..].starts_with(' ') { end + 1 } else { end };
        match first_of(text, joined, of(L)) {
            Some(next) => end = next,
            None => return Some(end),
        }
    }
}
