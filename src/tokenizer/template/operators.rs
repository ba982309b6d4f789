//! The operators `%` and `~`, which the engine has no hook for: they become calls before it compiles them.
//!
//! `%` formats texts in Python, and `~` writes its operands as `str` does. It binds tighter than `+` and `-`, and looser
//! than `%`, `*` and `/`. String literals, which are met on the way, are rewritten too.

use super::literals::{self, Refused};
use super::{percent, text};

/// Words that end an operand.
const WORDS: [&str; 10] = ["and", "or", "not", "in", "if", "else", "elif", "for", "set", "recursive"];

/// Most brackets inside each other; the engine takes 150.
const DEPTH_MAX: usize = 200;

/// The inside of a tag with these operators as calls, and string literals as the engine reads them. Nothing else changes:
/// not white space, and so no line.
///
/// # Errors
///
/// A string literal is none that can be rewritten.
pub fn rewrite(inside: &str) -> Result<String, Refused> {
    if !inside.contains(['%', '~', '\\']) {
        return Ok(inside.to_owned());
    }
    Reader { text: inside, at: 0, depth: 0 }.expressions()
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
    /// Brackets that are open.
    depth: usize,
}

/// What a token means for the operands around it.
#[derive(Clone, Copy, PartialEq)]
enum Token {
    Space,
    /// Part of an operand; whether an operand may end with it.
    Part(bool),
    Open,
    Close,
    Percent,
    Tilde,
    /// `*`, `/` or `//`, which bind as `%` does.
    Product,
    /// Ends an operand.
    Break,
}

/// What has been rewritten, up to the operand that is being read.
#[derive(Default)]
struct Written {
    out: String,
    /// Where the chain of `~` begins that ends at the end of `out`, and whether it has a `~` yet.
    chain: usize,
    in_chain: bool,
    /// Where the operand of `%` begins that ends at the end of `out`, and whether this is inside a right operand.
    operand: usize,
    in_percent: bool,
}

impl Written {
    /// Ends the right operand of a `%`.
    fn end_percent(&mut self) {
        if std::mem::take(&mut self.in_percent) {
            self.out.insert(self.out.trim_end().len(), ')');
        }
    }

    /// Ends a chain of `~`.
    fn end_chain(&mut self) {
        self.end_percent();
        if std::mem::take(&mut self.in_chain) {
            self.out.insert(self.out.trim_end().len(), ')');
        }
    }

    /// Makes what follows `from`, but for blanks, the first argument of a call; gives where the call begins.
    fn begin_call(&mut self, from: usize, name: &str) -> usize {
        let blank = self.out[from..].len() - self.out[from..].trim_start().len();
        self.out.insert_str(from + blank, &format!("{name}("));
        from + blank
    }
}

impl<'a> Reader<'a> {
    /// What stands up to a closing bracket that was not opened here, or the end.
    fn expressions(&mut self) -> Result<String, Refused> {
        let mut written = Written::default();
        let (mut ended, mut after_is) = (false, false);
        loop {
            let before = self.at;
            let Some((token, text)) = self.token(ended, after_is) else { break };
            match token {
                Token::Space => {
                    written.out.push_str(text);
                    continue;
                }
                Token::Close => {
                    self.at = before;
                    break;
                }
                Token::Open => {
                    written.out.push_str(text);
                    self.depth += 1;
                    if self.depth > DEPTH_MAX {
                        let why = format!("brackets nested more than {DEPTH_MAX} deep");
                        return Err(Refused { line: self.text[..before].matches('\n').count(), why });
                    }
                    written.out.push_str(&self.expressions()?);
                    self.depth -= 1;
                    if let Some((_, close)) = self.token(true, false) {
                        written.out.push_str(close);
                    }
                    (ended, after_is) = (true, false);
                    continue;
                }
                Token::Percent => {
                    written.end_percent();
                    // The chain goes on: `a % b % c` is `(a % b) % c`.
                    written.operand = written.begin_call(written.operand, percent::NAME);
                    written.in_percent = true;
                    written.out.push(',');
                }
                Token::Tilde => {
                    written.end_percent();
                    if !std::mem::replace(&mut written.in_chain, true) {
                        written.begin_call(written.chain, text::CONCAT);
                    }
                    written.out.push(',');
                    written.operand = written.out.len();
                }
                Token::Break => {
                    written.end_chain();
                    written.out.push_str(text);
                    (written.chain, written.operand) = (written.out.len(), written.out.len());
                }
                Token::Product => {
                    written.end_percent();
                    written.out.push_str(text);
                }
                Token::Part(_) if text.starts_with(['\'', '"']) => {
                    let line = self.text[..before].matches('\n').count();
                    written.out.push_str(&literals::rewrite(text).map_err(|refused| refused.below(line))?);
                }
                Token::Part(_) => written.out.push_str(text),
            }
            ended = token == Token::Part(true);
            after_is = text == "is" || (after_is && text == "not");
        }
        written.end_chain();
        Ok(written.out)
    }

    /// The next token; `ended`: an operand has just ended, so that a sign is an operator.
    fn token(&mut self, ended: bool, after_is: bool) -> Option<(Token, &'a str)> {
        let rest = &self.text[self.at..];
        let first = rest.chars().next()?;
        let (token, len) = match first {
            c if c.is_whitespace() => (Token::Space, c.len_utf8()),
            '\'' | '"' => (Token::Part(true), literals::length(rest, first)),
            '(' | '[' | '{' => (Token::Open, 1),
            ')' | ']' | '}' => (Token::Close, 1),
            '%' => (Token::Percent, 1),
            '~' => (Token::Tilde, 1),
            '*' if rest.starts_with("**") => (Token::Part(false), 2),
            '/' if rest.starts_with("//") => (Token::Product, 2),
            '*' | '/' => (Token::Product, 1),
            '+' | '-' if !ended => (Token::Part(false), 1),
            '.' | '|' => (Token::Part(false), 1),
            c if c.is_alphanumeric() || c == '_' => {
                let word = |text: &str| text.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(text.len());
                let mut len = word(rest);
                // A number's exponent may have a sign.
                if c.is_ascii_digit() && rest[..len].ends_with(['e', 'E']) && rest[len..].starts_with(['+', '-']) {
                    len += 1 + word(&rest[len + 1..]);
                }
                match &rest[..len] {
                    _ if self.text[..self.at].ends_with('.') => (Token::Part(true), len),
                    "is" => (Token::Part(false), len),
                    // `in` is a test as well.
                    "not" | "in" if after_is => (Token::Part(false), len),
                    word if WORDS.contains(&word) => (Token::Break, len),
                    _ => (Token::Part(true), len),
                }
            }
            c => (Token::Break, c.len_utf8()),
        };
        self.at += len;
        Some((token, &rest[..len]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operators_become_calls_and_the_rest_stays() {
        for (inside, expected) in [
            (" a % b ", " __percent(a , b) "),
            ("if loop.index0 % 2 == 0", "if __percent(loop.index0 , 2) == 0"),
            ("x + a * b % c % d - e", "x + __percent(__percent(a * b , c) , d) - e"),
            ("a % -b|abs * 2", "__percent(a , -b|abs) * 2"),
            (
                "(a % 2) + '%s' % (b % 3, f(c % 4))",
                "(__percent(a , 2)) + __percent('%s' , (__percent(b , 3), f(__percent(c , 4))))",
            ),
            ("x - 1 % 2 if a is not none % 3 else b", "x - __percent(1 , 2) if __percent(a is not none , 3) else b"),
            ("set a = '\\'% d' % {'k': v % 2}", "set a = __percent('\\'% d' , {'k': __percent(v , 2)})"),
            ("a % 1e-3 - ns.set % 2", "__percent(a , 1e-3) - __percent(ns.set , 2)"),
            ("a\n % b\n", "__percent(a\n , b)\n"),
            ("a['%'] - \"%\"", "a['%'] - \"%\""),
            ("a ~ b ~ c", "__concat(a , b , c)"),
            (
                "x + a * b ~ -c % d\n~ e|f ~ 1 - y ~ z",
                "x + __concat(a * b , __percent(-c , d)\n, e|f , 1) - __concat(y , z)",
            ),
            (
                "set a = (b ~ c)[d ~ e] ~ {'k': 'é' ~ v}",
                "set a = __concat((__concat(b , c))[__concat(d , e)] , {'k': __concat('é' , v)})",
            ),
            (
                "if a ~ b is not in c and d % 2 ~ '~' == e",
                "if __concat(a , b is not in c) and __concat(__percent(d , 2) , '~') == e",
            ),
        ] {
            assert_eq!(rewrite(inside).unwrap(), expected);
        }
    }

    #[test]
    fn broken_tags_stay_broken() {
        for inside in [
            "%",
            "a %",
            "% a",
            "(a % b",
            "a % b)",
            "'a % b",
            "a %% b",
            "~",
            "a ~",
            "~ a",
            "(a ~ b",
            "a ~ b)",
            "a ~~ b % ~",
        ] {
            let _ = rewrite(inside);
        }
    }
}
