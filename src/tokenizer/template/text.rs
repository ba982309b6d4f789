//! Values as Python's `str` and `repr` write them, through a bound.
//!
//! The engine's own texts differ in large floats and in characters that do not print; and a small value can print as a
//! huge text: a list of two lists that are the same list of two lists, and so on.

use std::sync::Arc;

use minijinja::value::{Enumerator, Object, ObjectRepr, Rest, Value, ValueKind};
use minijinja::{Error, ErrorKind, State};
use unicode_general_category::{GeneralCategory as Category, get_general_category};

use super::render::PROMPT_BYTES_MAX;
use super::views::View;

/// The global function that the operator `~` becomes. No template would use such a name.
pub const CONCAT: &str = "__concat";

/// How deep a value may be nested to be printed (Python gives up at 1000).
const DEPTH_MAX: usize = 1000;

/// `str(value)`.
///
/// # Errors
///
/// The text would be larger than any prompt, or the value is nested too deep.
pub fn text_of(value: &Value) -> Result<String, Error> {
    let mut text = Text::default();
    text.push_value(value)?;
    Ok(text.into_string())
}

/// The values of a chain of `~` as one text. (As in Jinja2 without `autoescape`, it is not marked as escaped.)
///
/// # Errors
///
/// As [`text_of`], or it takes too many steps.
pub fn concat(state: &State, values: Rest<Value>) -> Result<Value, Error> {
    let mut text = Text::default();
    for value in values.iter() {
        let before = text.text.len();
        text.push_value(value)?;
        if value.as_object().is_some() {
            // Walking costs more than copying, which the engine asks for.
            state.consume_fuel((text.text.len() - before) as u64 / 4)?;
        }
    }
    Ok(Value::from(text.into_string()))
}

/// A text that refuses to grow beyond the largest prompt.
#[derive(Default)]
pub struct Text {
    text: String,
}

impl Text {
    /// The text.
    pub fn into_string(self) -> String {
        self.text
    }

    /// Whether there is no text yet.
    pub fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// Appends a text.
    ///
    /// # Errors
    ///
    /// There would be too much.
    pub fn push(&mut self, text: &str) -> Result<(), Error> {
        if self.text.len().saturating_add(text.len()) > PROMPT_BYTES_MAX {
            return Err(Error::new(ErrorKind::InvalidOperation, "the text would be larger than 16 MiB"));
        }
        self.text.push_str(text);
        Ok(())
    }

    /// Appends `str(value)`.
    ///
    /// # Errors
    ///
    /// As [`text_of`].
    pub fn push_value(&mut self, value: &Value) -> Result<(), Error> {
        match value.as_str() {
            Some(text) => self.push(text),
            None => self.push_repr(value, 0),
        }
    }

    fn push_repr(&mut self, value: &Value, depth: usize) -> Result<(), Error> {
        if depth > DEPTH_MAX {
            let what = format!("a value nested more than {DEPTH_MAX} deep cannot be printed");
            return Err(Error::new(ErrorKind::InvalidOperation, what));
        }
        match (value.kind(), value.as_object()) {
            (ValueKind::String, _) if value.is_safe() => {
                self.push("Markup(")?;
                self.push(&quoted(value.as_str().unwrap_or_default()))?;
                self.push(")")
            }
            (ValueKind::String, _) => self.push(&quoted(value.as_str().unwrap_or_default())),
            (ValueKind::Number, _) if !value.is_integer() => {
                self.push(&f64::try_from(value.clone()).map_or_else(|_| value.to_string(), float_text))
            }
            // What the engine builds lazily (slices, sums) is iterable only, and a list in Python.
            (_, Some(object)) if matches!(object.repr(), ObjectRepr::Seq | ObjectRepr::Iterable) => {
                if let Some(bytes) = object.downcast_ref::<Bytes>() {
                    return self.push(&bytes.quoted());
                }
                // The pairs of `groupby` are tuples in Jinja2.
                let is_tuple = value.is_tuple() || object.type_name().ends_with("GroupTuple");
                let (open, close) = if is_tuple { ("(", ")") } else { ("[", "]") };
                let view = object.downcast_ref::<View>().map(View::type_name);
                self.push(&view.map_or_else(String::new, |name| format!("{name}(")))?;
                self.push(open)?;
                let mut count = 0;
                for item in object.try_iter().into_iter().flatten() {
                    self.push(if count > 0 { ", " } else { "" })?;
                    self.push_repr(&item, depth + 1)?;
                    count += 1;
                }
                self.push(if value.is_tuple() && count == 1 { "," } else { "" })?;
                self.push(close)?;
                self.push(if view.is_some() { ")" } else { "" })
            }
            (_, Some(object)) if object.repr() == ObjectRepr::Map && is_dict(value) => {
                self.push("{")?;
                for (index, (key, value)) in object.try_iter_pairs().into_iter().flatten().enumerate() {
                    self.push(if index > 0 { ", " } else { "" })?;
                    self.push_repr(&key, depth + 1)?;
                    self.push(": ")?;
                    self.push_repr(&value, depth + 1)?;
                }
                self.push("}")
            }
            _ => std::fmt::Write::write_fmt(&mut Sink(self), format_args!("{value}"))
                .map_err(|_| Error::new(ErrorKind::InvalidOperation, "the text would be larger than 16 MiB")),
        }
    }
}

/// Whether a mapping is plain data, and no macro or loop, which have names of their own.
fn is_dict(value: &Value) -> bool {
    value.as_object().is_some_and(|object| !["Macro", "Loop"].iter().any(|name| object.type_name().ends_with(name)))
}

/// Lets the engine print into a bounded text.
struct Sink<'a>(&'a mut Text);

impl std::fmt::Write for Sink<'_> {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        self.0.push(text).map_err(|_| std::fmt::Error)
    }
}

/// `repr` of a string: in single quotes unless it has some and no double ones; what does not print is escaped.
fn quoted(text: &str) -> String {
    let quote = if text.contains('\'') && !text.contains('"') { '"' } else { '\'' };
    let mut out = String::with_capacity(text.len() + 2);
    out.push(quote);
    for c in text.chars() {
        match c {
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\\' => out.push_str("\\\\"),
            c if c == quote => out.extend(['\\', c]),
            c if prints(c) => out.push(c),
            c => match c as u32 {
                code @ ..=0xff => out.push_str(&format!("\\x{code:02x}")),
                code @ ..=0xffff => out.push_str(&format!("\\u{code:04x}")),
                code => out.push_str(&format!("\\U{code:08x}")),
            },
        }
    }
    out.push(quote);
    out
}

/// What `encode` gives. (The engine's own bytes print as text.)
#[derive(Debug)]
pub struct Bytes(pub Vec<u8>);

impl Bytes {
    /// `hex`: two digits for each.
    pub fn hex(&self) -> String {
        self.0.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// `repr` of bytes.
    fn quoted(&self) -> String {
        let quote = if self.0.contains(&b'\'') && !self.0.contains(&b'"') { b'"' } else { b'\'' };
        let mut out = format!("b{}", char::from(quote));
        for &byte in &self.0 {
            match byte {
                b'\n' => out.push_str("\\n"),
                b'\r' => out.push_str("\\r"),
                b'\t' => out.push_str("\\t"),
                b'\\' => out.push_str("\\\\"),
                byte if byte == quote => out.extend(['\\', char::from(quote)]),
                b' '..=b'~' => out.push(char::from(byte)),
                byte => out.push_str(&format!("\\x{byte:02x}")),
            }
        }
        out.push(char::from(quote));
        out
    }
}

impl Object for Bytes {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Seq
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.0.get(key.as_usize()?).map(|&byte| Value::from(byte))
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Seq(self.0.len())
    }

    fn render(self: &Arc<Self>, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.quoted())
    }
}

/// `str.isprintable` of one character.
pub fn prints(c: char) -> bool {
    c == ' '
        || !matches!(
            get_general_category(c),
            Category::Control
                | Category::Format
                | Category::Surrogate
                | Category::PrivateUse
                | Category::Unassigned
                | Category::LineSeparator
                | Category::ParagraphSeparator
                | Category::SpaceSeparator
        )
}

/// `repr` of a float: the shortest digits that read back, with an exponent of at least two digits below 1e-4 and from
/// 1e16 on.
pub fn float_text(number: f64) -> String {
    let size = number.abs();
    if number.is_nan() || number.is_infinite() {
        return if number.is_nan() {
            "nan"
        } else if number > 0.0 {
            "inf"
        } else {
            "-inf"
        }
        .into();
    }
    if size == 0.0 || (1e-4..1e16).contains(&size) {
        let text = number.to_string();
        return if text.contains('.') { text } else { text + ".0" };
    }
    let text = format!("{number:e}");
    let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let (sign, exponent) = exponent.strip_prefix('-').map_or(('+', exponent), |exponent| ('-', exponent));
    format!("{digits}e{sign}{exponent:0>2}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floats_are_written_as_python_writes_them() {
        for (number, text) in [
            (1.0, "1.0"),
            (-0.0, "-0.0"),
            (0.1, "0.1"),
            (1e16, "1e+16"),
            (1.5e300, "1.5e+300"),
            (1e15, "1000000000000000.0"),
            (1e-7, "1e-07"),
            (0.0001, "0.0001"),
            (0.00001, "1e-05"),
            (f64::NEG_INFINITY, "-inf"),
        ] {
            assert_eq!(float_text(number), text);
        }
    }
}
