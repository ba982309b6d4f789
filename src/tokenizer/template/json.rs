//! `tojson`: JSON as Python's `json.dumps` writes it, with transformers' defaults (`ensure_ascii=False`, nothing
//! escaped for HTML). The engine's own filter differs in separators, float forms and escapes.

use minijinja::value::{Kwargs, ObjectRepr, Value, ValueKind};
use minijinja::{Error, ErrorKind, State};

use super::text::{Bytes, float_text};
use super::views::View;

/// How deep a value may be nested.
const DEPTH_MAX: usize = 200;

/// Most bytes that one call may write.
const BYTES_MAX: usize = 16 << 20;

/// The `tojson(ensure_ascii=false, indent=none, separators=none, sort_keys=false)` filter.
///
/// # Errors
///
/// A value that JSON has no form for (undefined, a macro), one nested too deep, or too much text.
pub fn tojson(state: &State, value: Value, positional: Option<Value>, kwargs: Kwargs) -> Result<Value, Error> {
    let ensure_ascii = kwargs.get::<Option<Value>>("ensure_ascii")?.or(positional).is_some_and(|value| value.is_true());
    let indent = match kwargs.get::<Option<Value>>("indent")? {
        Some(value) if !value.is_none() => Some(indent_text(&value)?),
        _ => None,
    };
    let (item, key) = match kwargs.get::<Option<Vec<String>>>("separators")? {
        Some(pair) => match <[String; 2]>::try_from(pair) {
            Ok([item, key]) => (item, key),
            Err(_) => return Err(refused("separators must be a pair of strings")),
        },
        None => ((if indent.is_some() { "," } else { ", " }).to_owned(), ": ".to_owned()),
    };
    let sort_keys = kwargs.get::<Option<bool>>("sort_keys")?.unwrap_or(false);
    kwargs.assert_all_used()?;
    let mut writer = Writer { out: String::new(), ensure_ascii, indent, item, key, sort_keys };
    writer.value(&value, 0)?;
    // Walking costs more than copying: as much as the engine asks for its own filter.
    state.consume_fuel(writer.out.len() as u64 / 4)?;
    Ok(Value::from(writer.out))
}

fn refused(what: impl Into<String>) -> Error {
    Error::new(ErrorKind::InvalidOperation, format!("tojson: {}", what.into()))
}

/// `indent` may be a number of blanks or the text itself.
fn indent_text(value: &Value) -> Result<String, Error> {
    if let Some(text) = value.as_str() {
        return Ok(text.to_owned());
    }
    let width = i64::try_from(value.clone()).map_err(|_| refused("indent must be a number or a string"))?;
    let width = usize::try_from(width.max(0)).unwrap_or(usize::MAX);
    if width > 64 {
        return Err(refused("indent is more than 64"));
    }
    Ok(" ".repeat(width))
}

struct Writer {
    out: String,
    ensure_ascii: bool,
    indent: Option<String>,
    item: String,
    key: String,
    sort_keys: bool,
}

impl Writer {
    fn value(&mut self, value: &Value, depth: usize) -> Result<(), Error> {
        if depth > DEPTH_MAX || self.out.len() > BYTES_MAX {
            return Err(refused("the value is too large"));
        }
        match value.kind() {
            ValueKind::None => self.out.push_str("null"),
            ValueKind::Bool => self.out.push_str(if value.is_true() { "true" } else { "false" }),
            ValueKind::Number => self.number(value),
            ValueKind::String => self.string(value.as_str().unwrap_or_default()),
            ValueKind::Seq if value.downcast_object_ref::<Bytes>().is_some() => {
                return Err(refused("bytes are not JSON"));
            }
            ValueKind::Iterable if value.downcast_object_ref::<View>().is_some() => {
                return Err(refused("a view of a dict is not JSON"));
            }
            ValueKind::Seq | ValueKind::Iterable => {
                let items = value.try_iter()?.map(|item| (None, item));
                self.container('[', ']', items, depth)?;
            }
            ValueKind::Map => {
                let object = value.as_object().filter(|object| object.repr() == ObjectRepr::Map);
                let pairs =
                    object.and_then(|object| object.try_iter_pairs()).ok_or_else(|| refused("not a mapping"))?;
                let mut pairs =
                    pairs.map(|(key, value)| Ok((key_text(&key)?, value))).collect::<Result<Vec<_>, Error>>()?;
                if self.sort_keys {
                    pairs.sort_by(|(a, _), (b, _)| a.cmp(b));
                }
                self.container('{', '}', pairs.into_iter().map(|(key, value)| (Some(key), value)), depth)?;
            }
            kind => return Err(refused(format!("{kind} is not JSON serializable"))),
        }
        Ok(())
    }

    /// Writes a list, or a mapping where the items have keys.
    fn container(
        &mut self,
        open: char,
        close: char,
        items: impl Iterator<Item = (Option<String>, Value)>,
        depth: usize,
    ) -> Result<(), Error> {
        self.out.push(open);
        let mut empty = true;
        for (key, value) in items {
            if !empty {
                self.out.push_str(&self.item);
            }
            empty = false;
            self.line(depth + 1);
            if let Some(key) = key {
                self.string(&key);
                self.out.push_str(&self.key);
            }
            self.value(&value, depth + 1)?;
        }
        if !empty {
            self.line(depth);
        }
        self.out.push(close);
        Ok(())
    }

    /// Begins a line at `depth`, if there are lines.
    fn line(&mut self, depth: usize) {
        if let Some(indent) = &self.indent {
            self.out.push('\n');
            for _ in 0..depth {
                self.out.push_str(indent);
            }
        }
    }

    fn number(&mut self, value: &Value) {
        self.out.push_str(&number_text(value));
    }

    fn string(&mut self, text: &str) {
        self.out.push('"');
        for c in text.chars() {
            match c {
                '"' => self.out.push_str("\\\""),
                '\\' => self.out.push_str("\\\\"),
                '\n' => self.out.push_str("\\n"),
                '\r' => self.out.push_str("\\r"),
                '\t' => self.out.push_str("\\t"),
                '\u{8}' => self.out.push_str("\\b"),
                '\u{c}' => self.out.push_str("\\f"),
                c if c < ' ' || (self.ensure_ascii && !(' '..='~').contains(&c)) => {
                    for unit in c.encode_utf16(&mut [0; 2]) {
                        self.out.push_str(&format!("\\u{unit:04x}"));
                    }
                }
                c => self.out.push(c),
            }
        }
        self.out.push('"');
    }
}

/// An integer, or a float as Python's `repr` writes it but for JSON's `NaN` and `Infinity`.
fn number_text(value: &Value) -> String {
    match f64::try_from(value.clone()) {
        Ok(number) if number.is_nan() => "NaN".into(),
        Ok(number) if number.is_infinite() => if number > 0.0 { "Infinity" } else { "-Infinity" }.into(),
        Ok(number) if !value.is_integer() => float_text(number),
        _ => value.to_string(),
    }
}

/// The key of an object: Python turns numbers, booleans and none into strings.
fn key_text(key: &Value) -> Result<String, Error> {
    match key.kind() {
        ValueKind::String => Ok(key.as_str().unwrap_or_default().to_owned()),
        ValueKind::None => Ok("null".into()),
        ValueKind::Bool => Ok(if key.is_true() { "true" } else { "false" }.into()),
        ValueKind::Number => Ok(number_text(key)),
        kind => Err(refused(format!("a key cannot be {kind}"))),
    }
}
