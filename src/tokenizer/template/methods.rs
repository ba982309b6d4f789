//! Python's methods of strings, dicts and lists, as far as templates use them.
//!
//! `minijinja-contrib` has the common ones; here is what it lacks or does in another way (white space and line ends as
//! Python sees them, `start` and `end`, `maxsplit`), and a bound on those that could make a huge text from a small one.

use minijinja::value::{Kwargs, Rest, Tuple, Value, ValueKind, from_args};
use minijinja::{Error, ErrorKind, State};
use minijinja_contrib::pycompat;

use super::letters;
use super::text::{Bytes, prints};
use super::views::View;

/// Longest text that a method may return, in bytes.
const TEXT_BYTES_MAX: usize = 16 << 20;

/// Names of methods that values have in Python: they are attributes there.
#[rustfmt::skip]
pub const NAMES: [&str; 63] = [
    "append", "capitalize", "casefold", "center", "clear", "copy", "count", "encode", "endswith", "expandtabs", "extend",
    "find", "format", "format_map", "fromkeys", "get", "index", "insert", "isalnum", "isalpha", "isascii", "isdecimal",
    "isdigit", "isidentifier", "islower", "isnumeric", "isprintable", "isspace", "istitle", "isupper", "items", "join", "keys",
    "ljust", "lower", "lstrip", "maketrans", "partition", "pop", "popitem", "remove", "removeprefix", "removesuffix", "replace",
    "reverse", "rfind", "rindex", "rjust", "rpartition", "rsplit", "rstrip", "setdefault", "sort", "split", "splitlines",
    "startswith", "strip", "swapcase", "title", "translate", "update", "upper", "values",
];

/// Called for a method that the engine does not know.
pub fn call(state: &mut State, value: &Value, method: &str, args: &[Value]) -> Result<Value, Error> {
    let own = match value.kind() {
        ValueKind::String => string_method(state, value.as_str().unwrap_or_default(), method, args)?,
        ValueKind::Seq if value.downcast_object_ref::<Bytes>().is_some() => {
            value.downcast_object_ref::<Bytes>().map(|bytes| bytes_method(bytes, method, args)).transpose()?
        }
        ValueKind::Map if ["items", "keys", "values"].contains(&method) => {
            let () = from_args(args)?;
            View::of(value, method).map(Value::from_object)
        }
        // The engine builds slices and sums of lists lazily.
        ValueKind::Map | ValueKind::Seq | ValueKind::Iterable if method == "copy" => {
            let () = from_args(args)?;
            Some(value.clone())
        }
        ValueKind::Iterable if method == "count" => {
            let (wanted,): (Value,) = from_args(args)?;
            Some(Value::from(value.try_iter()?.filter(|item| *item == wanted).count()))
        }
        ValueKind::Seq | ValueKind::Iterable if method == "index" => {
            let (wanted,): (Value,) = from_args(args)?;
            let found = value.try_iter()?.position(|item| item == wanted);
            Some(Value::from(found.ok_or_else(|| invalid(format!("{wanted} is not in the list")))?))
        }
        _ => None,
    };
    match own {
        Some(result) => Ok(result),
        None => pycompat::unknown_method_callback(state, value, method, args),
    }
}

fn invalid(what: impl Into<String>) -> Error {
    Error::new(ErrorKind::InvalidOperation, what.into())
}

/// White space as `str.isspace` sees it: Unicode's, and the four separators of ASCII.
pub fn is_space(c: char) -> bool {
    c.is_whitespace() || ('\x1c'..='\x1f').contains(&c)
}

/// Whether a character is a decimal digit of any script.
fn is_decimal(c: char) -> bool {
    unicode_general_category::get_general_category(c) == unicode_general_category::GeneralCategory::DecimalNumber
}

/// Reads the arguments of `encode` and `decode`; the errors' handling does not matter where there are none.
fn utf8_only(method: &str, args: &[Value]) -> Result<(), Error> {
    let (encoding, errors, kwargs): (Option<String>, Option<String>, Kwargs) = from_args(args)?;
    let encoding = encoding.map_or_else(|| kwargs.get::<Option<String>>("encoding"), |x| Ok(Some(x)))?;
    let errors = errors.map_or_else(|| kwargs.get::<Option<String>>("errors"), |x| Ok(Some(x)))?;
    kwargs.assert_all_used()?;
    let encoding = encoding.unwrap_or_else(|| "utf-8".into()).to_lowercase().replace('_', "-");
    if !["utf-8", "utf8"].contains(&encoding.as_str()) {
        return Err(invalid(format!("{method}: the encoding {encoding} is not supported, only utf-8")));
    }
    match errors.as_deref() {
        None | Some("strict") => Ok(()),
        Some(_) if method == "encode" => Ok(()),
        Some(errors) => Err(invalid(format!("decode: errors='{errors}' is not supported"))),
    }
}

fn bytes_method(bytes: &Bytes, method: &str, args: &[Value]) -> Result<Value, Error> {
    match method {
        "decode" => {
            utf8_only("decode", args)?;
            Ok(Value::from(std::str::from_utf8(&bytes.0).map_err(|e| invalid(format!("decode: {e}")))?))
        }
        "hex" => {
            let () = from_args(args)?;
            Ok(Value::from(bytes.hex()))
        }
        _ => Err(invalid(format!("bytes have no method {method} here, only decode and hex"))),
    }
}

/// `isidentifier`. Beyond ASCII it takes tables that are not at hand.
fn is_identifier(text: &str) -> Result<bool, Error> {
    if !text.is_ascii() {
        return Err(invalid("isidentifier: only a text in ASCII is supported"));
    }
    let begins = text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    Ok(begins && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_'))
}

/// Refuses a text of `bytes` bytes before it is made.
fn allow(bytes: usize) -> Result<(), Error> {
    if bytes > TEXT_BYTES_MAX { Err(invalid("the text would be larger than 16 MiB")) } else { Ok(()) }
}

/// The result of a method of this file; none for any other method.
fn string_method(state: &State, text: &str, method: &str, args: &[Value]) -> Result<Option<Value>, Error> {
    Ok(Some(match method {
        "strip" | "lstrip" | "rstrip" => {
            let (chars,): (Option<&str>,) = from_args(args)?;
            let cut = |c: char| chars.map_or_else(|| is_space(c), |chars| chars.contains(c));
            let text = if method == "rstrip" { text } else { text.trim_start_matches(cut) };
            Value::from(if method == "lstrip" { text } else { text.trim_end_matches(cut) })
        }
        "split" | "rsplit" => split(state, text, args, method == "rsplit")?,
        "splitlines" => split_lines(state, text, args)?,
        "partition" | "rpartition" => {
            let (separator,): (&str,) = from_args(args)?;
            if separator.is_empty() {
                return Err(invalid("empty separator"));
            }
            let found = if method == "partition" { text.find(separator) } else { text.rfind(separator) };
            let parts = match found {
                Some(at) => [&text[..at], separator, &text[at + separator.len()..]],
                None if method == "partition" => [text, "", ""],
                None => ["", "", text],
            };
            tuple(parts)
        }
        "removeprefix" => {
            let (prefix,): (&str,) = from_args(args)?;
            Value::from(text.strip_prefix(prefix).unwrap_or(text))
        }
        "removesuffix" => {
            let (suffix,): (&str,) = from_args(args)?;
            Value::from(text.strip_suffix(suffix).unwrap_or(text))
        }
        "find" | "rfind" | "index" | "rindex" | "count" => search(text, method, args)?,
        "startswith" | "endswith" if args.len() > 1 => {
            let (affix, start, end): (Value, Option<i64>, Option<i64>) = from_args(args)?;
            let (_, window) = window(text, start, end);
            let one = |affix: &Value| {
                affix.as_str().is_some_and(|affix| {
                    if method == "startswith" { window.starts_with(affix) } else { window.ends_with(affix) }
                })
            };
            Value::from(if affix.as_str().is_some() { one(&affix) } else { affix.try_iter()?.any(|affix| one(&affix)) })
        }
        "replace" => {
            let (old, new, count, kwargs): (&str, &str, Option<i64>, Kwargs) = from_args(args)?;
            let count = count.map_or_else(|| kwargs.get::<Option<i64>>("count"), |count| Ok(Some(count)))?;
            kwargs.assert_all_used()?;
            let count = count.and_then(|count| usize::try_from(count).ok()).unwrap_or(usize::MAX);
            let places = if old.is_empty() { text.chars().count() + 1 } else { text.matches(old).count() };
            allow(text.len().saturating_add(new.len().saturating_mul(places.min(count))))?;
            Value::from(text.replacen(old, new, count))
        }
        "join" => {
            let (items,): (&Value,) = from_args(args)?;
            join(text, items)?
        }
        "format" => {
            check_format(text, args)?;
            return Ok(None);
        }
        "zfill" | "center" | "ljust" | "rjust" => pad(text, method, args)?,
        "casefold" => {
            let () = from_args(args)?;
            Value::from(letters::casefold(text))
        }
        "swapcase" => {
            let () = from_args(args)?;
            Value::from(letters::swapcase(text))
        }
        "capitalize" => {
            let () = from_args(args)?;
            Value::from(letters::capitalize(text))
        }
        "encode" => {
            utf8_only("encode", args)?;
            Value::from_object(Bytes(text.as_bytes().to_vec()))
        }
        "title" => {
            let () = from_args(args)?;
            Value::from(letters::title(text))
        }
        "isspace" => {
            let () = from_args(args)?;
            Value::from(!text.is_empty() && text.chars().all(is_space))
        }
        "isprintable" => {
            let () = from_args(args)?;
            Value::from(text.chars().all(prints))
        }
        "isidentifier" => {
            let () = from_args(args)?;
            Value::from(is_identifier(text)?)
        }
        "isdecimal" => {
            let () = from_args(args)?;
            Value::from(!text.is_empty() && text.chars().all(is_decimal))
        }
        _ => return Ok(None),
    }))
}

/// A tuple of three strings.
fn tuple(parts: [&str; 3]) -> Value {
    Value::from(Tuple::from(parts.map(Value::from)))
}

/// A list of strings, its slots paid for before it is made.
fn list(state: &State, parts: Vec<&str>) -> Result<Value, Error> {
    state.consume_fuel(parts.len() as u64)?;
    Ok(Value::from(parts.into_iter().map(Value::from).collect::<Vec<_>>()))
}

/// `split` and `rsplit`: at `sep`, or at runs of white space, at most `maxsplit` times.
fn split(state: &State, text: &str, args: &[Value], from_right: bool) -> Result<Value, Error> {
    let (separator, most, kwargs): (Option<Value>, Option<i64>, Kwargs) = from_args(args)?;
    let separator = separator.map_or_else(|| kwargs.get::<Option<Value>>("sep"), |value| Ok(Some(value)))?;
    let most = most.map_or_else(|| kwargs.get::<Option<i64>>("maxsplit"), |most| Ok(Some(most)))?;
    kwargs.assert_all_used()?;
    let most = most.and_then(|most| usize::try_from(most).ok()).map_or(usize::MAX, |most| most.saturating_add(1));
    let separator = match &separator {
        None => None,
        Some(value) if value.is_none() => None,
        Some(value) => match value.as_str() {
            Some("") => return Err(invalid("empty separator")),
            Some(separator) => Some(separator),
            None => return Err(invalid(format!("the separator must be a string, not {}", value.kind()))),
        },
    };
    let parts = match (separator, from_right) {
        (Some(separator), false) => text.splitn(most, separator).collect(),
        (Some(separator), true) => reversed(text.rsplitn(most, separator).collect()),
        (None, from_right) => words(text, most, from_right),
    };
    list(state, parts)
}

fn reversed(mut parts: Vec<&str>) -> Vec<&str> {
    parts.reverse();
    parts
}

/// Splits at runs of white space into at most `most` parts; the last one (from the right: the first) is what is left,
/// with the white space at its outer end.
fn words(text: &str, most: usize, from_right: bool) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut rest = text;
    loop {
        rest = if from_right { rest.trim_end_matches(is_space) } else { rest.trim_start_matches(is_space) };
        if rest.is_empty() {
            break;
        }
        let full = parts.len() + 1 >= most;
        let cut = if from_right { rest.rfind(is_space) } else { rest.find(is_space) };
        match cut.filter(|_| !full) {
            None => {
                parts.push(rest);
                break;
            }
            Some(at) if from_right => {
                let after = at + rest[at..].chars().next().map_or(1, char::len_utf8);
                parts.push(&rest[after..]);
                rest = &rest[..at];
            }
            Some(at) => {
                parts.push(&rest[..at]);
                rest = &rest[at..];
            }
        }
    }
    if from_right { reversed(parts) } else { parts }
}

/// `splitlines(keepends=False)`: at every line end that Python knows.
fn split_lines(state: &State, text: &str, args: &[Value]) -> Result<Value, Error> {
    let (keep, kwargs): (Option<bool>, Kwargs) = from_args(args)?;
    let keep = keep.map_or_else(|| kwargs.get::<Option<bool>>("keepends"), |keep| Ok(Some(keep)))?.unwrap_or(false);
    kwargs.assert_all_used()?;
    list(state, lines(text, keep))
}

/// The lines of a text, with their ends or without.
pub fn lines(text: &str, keep: bool) -> Vec<&str> {
    let is_end = |c: char| {
        matches!(c, '\n' | '\r' | '\x0b' | '\x0c' | '\x1c' | '\x1d' | '\x1e' | '\u{85}' | '\u{2028}' | '\u{2029}')
    };
    let mut lines = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find(is_end) {
        let end = if rest[at..].starts_with("\r\n") { 2 } else { rest[at..].chars().next().map_or(1, char::len_utf8) };
        lines.push(&rest[..if keep { at + end } else { at }]);
        rest = &rest[at + end..];
    }
    if !rest.is_empty() {
        lines.push(rest);
    }
    lines
}

/// The part of `text` between two character positions, negative ones from the end; with the position it starts at.
fn window(text: &str, start: Option<i64>, end: Option<i64>) -> (usize, &str) {
    if start.is_none() && end.is_none() {
        return (0, text);
    }
    let length = text.chars().count();
    let position = |at: i64| match usize::try_from(at) {
        Ok(at) => at.min(length),
        Err(_) => length.saturating_sub(usize::try_from(at.unsigned_abs()).unwrap_or(usize::MAX)),
    };
    let (start, end) = (start.map_or(0, position), end.map_or(length, position));
    let byte = |at: usize| text.char_indices().nth(at).map_or(text.len(), |(byte, _)| byte);
    (start, if start < end { &text[byte(start)..byte(end)] } else { "" })
}

/// `find`, `rfind`, `index`, `rindex`, `count`: positions are counted in characters.
fn search(text: &str, method: &str, args: &[Value]) -> Result<Value, Error> {
    let (wanted, start, end): (&str, Option<i64>, Option<i64>) = from_args(args)?;
    let (offset, window) = window(text, start, end);
    if method == "count" {
        return Ok(Value::from(window.matches(wanted).count()));
    }
    let found = if method.starts_with('r') { window.rfind(wanted) } else { window.find(wanted) };
    match found {
        Some(at) => Ok(Value::from(offset + window[..at].chars().count())),
        None if method.ends_with("find") => Ok(Value::from(-1)),
        None => Err(invalid("substring not found")),
    }
}

/// `separator.join(items)`.
fn join(separator: &str, items: &Value) -> Result<Value, Error> {
    let mut out = String::new();
    for (index, item) in items.try_iter()?.enumerate() {
        if index > 0 {
            out.push_str(separator);
        }
        match item.as_str() {
            Some(text) => out.push_str(text),
            None => return Err(invalid(format!("join: item {index} is {}, not a string", item.kind()))),
        }
        allow(out.len())?;
    }
    Ok(Value::from(out))
}

/// `zfill(width)`, `center`, `ljust` and `rjust(width, fillchar=' ')`.
pub fn pad(text: &str, method: &str, args: &[Value]) -> Result<Value, Error> {
    let (width, fill): (i64, Option<char>) = from_args(args)?;
    let width = usize::try_from(width).unwrap_or(0);
    allow(width)?;
    let missing = width.saturating_sub(text.chars().count());
    let fill = fill.unwrap_or(' ').to_string();
    Ok(Value::from(match method {
        "zfill" => {
            let digits = text.trim_start_matches(['+', '-']);
            let sign = &text[..(text.len() - digits.len()).min(1)];
            format!("{sign}{}{}", "0".repeat(missing), &text[sign.len()..])
        }
        "ljust" => format!("{text}{}", fill.repeat(missing)),
        "rjust" => format!("{}{text}", fill.repeat(missing)),
        // CPython puts the odd blank on the left only where the width is odd.
        _ => {
            let left = missing / 2 + (missing & width & 1);
            format!("{}{text}{}", fill.repeat(left), fill.repeat(missing - left))
        }
    }))
}

/// Refuses a format string whose widths or number of fields could make a huge text.
fn check_format(format: &str, args: &[Value]) -> Result<(), Error> {
    let widest = format.split(|c: char| !c.is_ascii_digit()).map(str::len).max().unwrap_or(0);
    if widest > 4 {
        return Err(invalid("format: a width of more than four digits"));
    }
    let (args, kwargs): (Rest<Value>, Kwargs) = from_args(args)?;
    let named = kwargs.args().filter_map(|name| kwargs.peek::<Value>(name).ok()).collect::<Vec<_>>();
    let longest = args.iter().chain(&named).filter_map(|value| value.as_str().map(str::len)).max().unwrap_or(0);
    allow(format.matches('{').count().saturating_mul(longest))
}
