//! The operator `%`: the engine knows it for numbers, Python for texts as well (`"%s: %d" % (name, count)`).
//!
//! The engine has no hook for operators, so `a % b` becomes the call of a function before it is compiled.

use minijinja::value::{Kwargs, ObjectRepr, Value, ValueKind};
use minijinja::{Error, ErrorKind, State};

use super::text::text_of;

/// The global function that the operator becomes. No template would use such a name.
pub const NAME: &str = "__percent";

/// Words that end an operand.
const WORDS: [&str; 10] = ["and", "or", "not", "in", "if", "else", "elif", "for", "set", "recursive"];

/// The inside of a tag with its `%` operators as calls. Nothing else changes: not white space, and so no line.
pub fn rewrite(inside: &str) -> String {
    if !inside.contains('%') {
        return inside.to_owned();
    }
    Reader { text: inside, at: 0 }.expressions()
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
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
    /// `*`, `/` or `//`, which bind as `%` does.
    Product,
    /// Ends an operand.
    Break,
}

impl<'a> Reader<'a> {
    /// What stands up to a closing bracket that was not opened here, or the end.
    fn expressions(&mut self) -> String {
        let mut out = String::with_capacity(self.text.len() - self.at);
        // Where the operand of `%` begins that ends at the end of `out`.
        let mut start = 0;
        // Inside the right operand of a `%`.
        let mut open = false;
        let (mut ended, mut after_is) = (false, false);
        loop {
            let before = self.at;
            let Some((token, text)) = self.token(ended, after_is) else { break };
            if open && matches!(token, Token::Percent | Token::Product | Token::Break | Token::Close) {
                let blank = out.len() - out.trim_end().len();
                out.insert(out.len() - blank, ')');
                open = false;
            }
            match token {
                Token::Space => {
                    out.push_str(text);
                    continue;
                }
                Token::Close => {
                    self.at = before;
                    return out;
                }
                Token::Open => {
                    out.push_str(text);
                    out.push_str(&self.expressions());
                    if let Some((_, close)) = self.token(true, false) {
                        out.push_str(close);
                    }
                    (ended, after_is) = (true, false);
                    continue;
                }
                Token::Percent => {
                    let blank = out[start..].len() - out[start..].trim_start().len();
                    let left = out.split_off(start + blank);
                    out.push_str(&format!("{NAME}({left},"));
                    // The chain goes on: `a % b % c` is `(a % b) % c`.
                    start += blank;
                    open = true;
                }
                Token::Break => {
                    out.push_str(text);
                    start = out.len();
                }
                Token::Part(_) | Token::Product => out.push_str(text),
            }
            ended = token == Token::Part(true);
            after_is = text == "is";
        }
        if open {
            let blank = out.len() - out.trim_end().len();
            out.insert(out.len() - blank, ')');
        }
        out
    }

    /// The next token; `ended`: an operand has just ended, so that a sign is an operator.
    fn token(&mut self, ended: bool, after_is: bool) -> Option<(Token, &'a str)> {
        let rest = &self.text[self.at..];
        let first = rest.chars().next()?;
        let (token, len) = match first {
            c if c.is_whitespace() => (Token::Space, c.len_utf8()),
            '\'' | '"' => (Token::Part(true), string_length(rest, first)),
            '(' | '[' | '{' => (Token::Open, 1),
            ')' | ']' | '}' => (Token::Close, 1),
            '%' => (Token::Percent, 1),
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
                    "not" if after_is => (Token::Part(false), len),
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

/// Bytes of the string that `text` begins with, in these quotes.
pub fn string_length(text: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            c if c == quote => return at + 1,
            _ => {}
        }
    }
    text.len()
}

fn invalid(what: impl Into<String>) -> Error {
    Error::new(ErrorKind::InvalidOperation, what.into())
}

/// `left % right`: the remainder of numbers, or the text `left` with `right` in its places.
///
/// # Errors
///
/// The operands are of other types, the divisor is zero, or values and places do not match.
pub fn percent(state: &mut State, left: &Value, right: &Value) -> Result<Value, Error> {
    if let Some(format) = left.as_str() {
        return apply(state, left, format, right);
    }
    let number = |value: &Value| matches!(value.kind(), ValueKind::Number | ValueKind::Bool);
    if !(number(left) && number(right)) {
        return Err(invalid(format!("unsupported operand types for %: {} and {}", left.kind(), right.kind())));
    }
    let zero = || invalid("division by zero");
    if let (Ok(a), Ok(b)) = (integer(left), integer(right)) {
        // Overflow (the smallest number by -1) has no remainder either.
        let rest = if b == 0 { return Err(zero()) } else { a.checked_rem(b).unwrap_or(0) };
        let rest = if rest != 0 && (rest < 0) != (b < 0) { rest + b } else { rest };
        return Ok(i64::try_from(rest).map_or_else(|_| Value::from(rest), Value::from));
    }
    let (a, b) = (f64::try_from(left.clone())?, f64::try_from(right.clone())?);
    if b == 0.0 {
        return Err(zero());
    }
    let rest = a % b;
    Ok(Value::from(if rest == 0.0 {
        0f64.copysign(b)
    } else if (rest < 0.0) != (b < 0.0) {
        rest + b
    } else {
        rest
    }))
}

fn integer(value: &Value) -> Result<i128, Error> {
    match value.kind() {
        ValueKind::Bool => Ok(value.is_true().into()),
        _ if value.is_integer() => i128::try_from(value.clone()),
        _ => Err(invalid("not an integer")),
    }
}

/// `format % right`. A tuple fills the places one by one, a mapping by name, anything else is the only value.
fn apply(state: &mut State, left: &Value, format: &str, right: &Value) -> Result<Value, Error> {
    let places = places(format)?;
    let is_mapping = right.as_object().is_some_and(|object| object.repr() == ObjectRepr::Map);
    if places.iter().any(|place| place.named) {
        if !is_mapping {
            return Err(invalid("%: a format with names requires a mapping"));
        }
        let object = right.as_object().and_then(|object| object.try_iter_pairs()).into_iter().flatten();
        let pairs = object.map(|(key, value)| (key.to_string(), value)).collect::<Vec<_>>();
        let printed =
            pairs.into_iter().map(|(key, value)| Ok((key, printable(value)?))).collect::<Result<Vec<_>, Error>>();
        let named: Kwargs = printed?.into_iter().collect();
        return state.apply_filter("format", &[left.clone(), Value::from(named)]);
    }
    let values = if right.is_tuple() { right.try_iter()?.collect() } else { vec![right.clone()] };
    let wanted: usize = places.len();
    if values.len() < wanted {
        return Err(invalid(format!("%: {} values for {wanted} places", values.len())));
    }
    // Python lets a mapping that no place asks for pass.
    if values.len() > wanted && (right.is_tuple() || !is_mapping) {
        return Err(invalid("%: not all values have a place"));
    }
    let mut args = vec![left.clone()];
    for (value, place) in values.into_iter().zip(&places) {
        args.push(match place.kind {
            b's' => printable(value)?,
            // Python cuts floats here.
            b'd' | b'i' | b'u' if value.kind() == ValueKind::Number && !value.is_integer() => {
                let number = f64::try_from(value)?.trunc();
                let fits = number.abs() < 1e18;
                Value::from(fits.then_some(number as i64).ok_or_else(|| invalid("%: too large for `%d`"))?)
            }
            _ => value,
        });
    }
    state.apply_filter("format", &args)
}

/// A value as it is to be printed: lists and mappings as Python writes them.
fn printable(value: Value) -> Result<Value, Error> {
    match value.kind() {
        ValueKind::Number | ValueKind::Bool | ValueKind::String => Ok(value),
        _ => text_of(&value).map(Value::from),
    }
}

/// A place for a value in a format.
struct Place {
    named: bool,
    /// The letter of its type.
    kind: u8,
}

/// The places of a format.
fn places(format: &str) -> Result<Vec<Place>, Error> {
    let mut places = Vec::new();
    let mut rest = format;
    while let Some(at) = rest.find('%') {
        rest = &rest[at + 1..];
        let named = rest.starts_with('(');
        if named {
            rest = rest.split_once(')').ok_or_else(|| invalid("%: a name without its closing bracket"))?.1;
        }
        let conversion = rest.find(|c: char| !"#0- +.123456789hlL".contains(c));
        let conversion = conversion.ok_or_else(|| invalid("%: a place without its type"))?;
        match rest.as_bytes()[conversion] {
            b'%' if conversion == 0 && !named => {}
            b'*' => return Err(invalid("%: a width from the values (`*`) is not supported")),
            b'r' | b'a' => return Err(invalid("%: `%r` and `%a` are not supported")),
            kind => places.push(Place { named, kind }),
        }
        rest = rest.get(conversion + 1..).unwrap_or_default();
    }
    Ok(places)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operators_become_calls_and_the_rest_stays() {
        for (inside, expected) in [
            (" a % b ", " __percent(a , b) "),
            ("if loop.index0 % 2 == 0", "if __percent(loop.index0 , 2) == 0"),
            ("x + a * b % c % d ~ e", "x + __percent(__percent(a * b , c) , d) ~ e"),
            ("a % -b|abs * 2", "__percent(a , -b|abs) * 2"),
            (
                "(a % 2) + '%s' % (b % 3, f(c % 4))",
                "(__percent(a , 2)) + __percent('%s' , (__percent(b , 3), f(__percent(c , 4))))",
            ),
            ("x - 1 % 2 if a is not none % 3 else b", "x - __percent(1 , 2) if __percent(a is not none , 3) else b"),
            ("set a = '\\'% d' % {'k': v % 2}", "set a = __percent('\\'% d' , {'k': __percent(v , 2)})"),
            ("a % 1e-3 - ns.set % 2", "__percent(a , 1e-3) - __percent(ns.set , 2)"),
            ("a\n % b\n", "__percent(a\n , b)\n"),
            ("a['%'] ~ \"%\"", "a['%'] ~ \"%\""),
        ] {
            assert_eq!(rewrite(inside), expected);
        }
    }

    #[test]
    fn broken_tags_stay_broken() {
        for inside in ["%", "a %", "% a", "(a % b", "a % b)", "'a % b", "a %% b"] {
            let _ = rewrite(inside);
        }
    }
}
