//! Jinja2's filters that the engine lacks, or has with another result.

use minijinja::value::{Kwargs, ObjectRepr, Rest, Value, ValueKind, ValueOrKwargs, from_args};
use minijinja::{Environment, Error, ErrorKind, State};
use minijinja_contrib::filters as contrib;

use super::letters;
use super::methods;
use super::text::{Text, text_of};
use super::wrap::wrapped;

/// Widest indention.
const WIDTH_MAX: usize = 1 << 16;

/// Gives an environment the filters of this file, and takes away one that differs.
pub fn add_to(env: &mut Environment<'static>) {
    for name in ["escape", "e"] {
        env.add_filter(name, escape);
    }
    env.add_filter("forceescape", force_escape);
    env.add_filter("attr", attr);
    env.add_filter("title", title);
    env.add_filter("capitalize", |value: &Value| Ok::<_, Error>(letters::capitalize(&text_of(value)?)));
    env.add_filter("upper", |value: &Value| in_case(value, str::to_uppercase));
    env.add_filter("lower", |value: &Value| in_case(value, str::to_lowercase));
    env.add_filter("center", center);
    env.add_filter("filesizeformat", file_size);
    env.add_filter("indent", indent);
    env.add_filter("striptags", strip_tags);
    env.add_filter("truncate", truncate);
    env.add_filter("urlencode", url_encode);
    env.add_filter("wordwrap", word_wrap);
    env.add_filter("xmlattr", xml_attributes);
    env.add_filter("wordcount", word_count);
    // It breaks lines and sorts keys otherwise than Python's.
    env.remove_filter("pprint");
}

fn invalid(what: impl Into<String>) -> Error {
    Error::new(ErrorKind::InvalidOperation, what.into())
}

/// Arguments of a filter that may be given by place or by name, as Python's may.
struct Arguments<'a> {
    places: std::vec::IntoIter<Value>,
    named: Kwargs,
    filter: &'a str,
}

impl<'a> Arguments<'a> {
    fn new(filter: &'a str, args: Rest<ValueOrKwargs>) -> Result<Self, Error> {
        let args = args.into_values();
        let (places, named): (Rest<Value>, Kwargs) = from_args(&args)?;
        Ok(Self { places: places.0.into_iter(), named, filter })
    }

    /// The next argument: it is called `name` where it is not given by its place.
    fn next(&mut self, name: &str) -> Result<Option<Value>, Error> {
        match (self.places.next(), self.named.get::<Option<Value>>(name)?) {
            (Some(_), Some(_)) => Err(invalid(format!("{}: {name} is given twice", self.filter))),
            (value, named) => Ok(value.or(named)),
        }
    }

    fn integer(&mut self, name: &str, default: i64) -> Result<i64, Error> {
        let Some(value) = self.next(name)? else { return Ok(default) };
        i64::try_from(value).map_err(|_| invalid(format!("{}: {name} must be an integer", self.filter)))
    }

    fn truth(&mut self, name: &str, default: bool) -> Result<bool, Error> {
        Ok(self.next(name)?.map_or(default, |value| value.is_true()))
    }

    fn text(&mut self, name: &str, default: &str) -> Result<String, Error> {
        let Some(value) = self.next(name)? else { return Ok(default.into()) };
        let wrong = || invalid(format!("{}: {name} must be a string", self.filter));
        value.as_str().map(str::to_owned).ok_or_else(wrong)
    }

    fn end(mut self) -> Result<(), Error> {
        match self.places.next() {
            Some(_) => Err(invalid(format!("{}: too many arguments", self.filter))),
            None => self.named.assert_all_used(),
        }
    }
}

/// The text that a filter works on, which must be one.
fn string<'a>(filter: &str, value: &'a Value) -> Result<&'a str, Error> {
    value.as_str().ok_or_else(|| invalid(format!("{filter}: {} is not a string", value.kind())))
}

/// `text` with what HTML reserves written as MarkupSafe writes it.
fn push_escaped(out: &mut Text, text: &str) -> Result<(), Error> {
    let mut rest = text;
    while let Some(at) = rest.find(['&', '<', '>', '\'', '"']) {
        out.push(&rest[..at])?;
        out.push(match rest.as_bytes()[at] {
            b'&' => "&amp;",
            b'<' => "&lt;",
            b'>' => "&gt;",
            b'\'' => "&#39;",
            _ => "&#34;",
        })?;
        rest = &rest[at + 1..];
    }
    out.push(rest)
}

fn escape(value: &Value) -> Result<Value, Error> {
    if value.is_safe() { Ok(value.clone()) } else { force_escape(value) }
}

fn force_escape(value: &Value) -> Result<Value, Error> {
    let mut out = Text::default();
    push_escaped(&mut out, &text_of(value)?)?;
    Ok(Value::from_safe_string(out.into_string()))
}

/// `attr(name)`: an attribute, where `value.name` would take an item as well.
fn attr(value: &Value, name: &str) -> Result<Value, Error> {
    let has_attributes = value
        .as_object()
        .is_some_and(|object| ["Namespace", "Loop", "Macro"].iter().any(|suffix| object.type_name().ends_with(suffix)));
    if has_attributes {
        return value.get_attr(name);
    }
    if value.is_undefined() {
        return Err(Error::from(ErrorKind::UndefinedError));
    }
    if methods::NAMES.contains(&name) {
        return Err(invalid(format!("attr: a method such as {name} can only be called, by value.{name}()")));
    }
    Ok(Value::UNDEFINED)
}

/// `title`: a capital at the start of each word, where a word ends at white space, hyphens and opening brackets (unlike
/// the method, for which any letter after a character that is none begins a word).
fn title(value: &Value) -> Result<String, Error> {
    let text = text_of(value)?;
    let is_separator = |c: char| matches!(c, '-' | '(' | '{' | '[' | '<') || methods::is_space(c);
    let mut out = String::with_capacity(text.len());
    for part in text.split_inclusive(is_separator) {
        let mut characters = part.chars();
        out.extend(characters.next().into_iter().flat_map(char::to_uppercase));
        out.push_str(&characters.as_str().to_lowercase());
    }
    Ok(out)
}

/// `upper` and `lower`: what was escaped stays so.
fn in_case(value: &Value, case: fn(&str) -> String) -> Result<Value, Error> {
    let text = case(&text_of(value)?);
    Ok(if value.is_safe() { Value::from_safe_string(text) } else { Value::from(text) })
}

fn center(value: &Value, args: Rest<ValueOrKwargs>) -> Result<Value, Error> {
    let mut args = Arguments::new("center", args)?;
    let width = args.integer("width", 80)?;
    args.end()?;
    methods::pad(&text_of(value)?, "center", &[Value::from(width)])
}

/// `filesizeformat(binary=false)`.
fn file_size(value: &Value, args: Rest<ValueOrKwargs>) -> Result<String, Error> {
    let mut args = Arguments::new("filesizeformat", args)?;
    let binary = args.truth("binary", false)?;
    args.end()?;
    let number = match value.as_str() {
        Some(text) => text.trim().parse().ok(),
        None => f64::try_from(value.clone()).ok(),
    };
    let number = number.filter(|number| number.is_finite());
    let number = number.ok_or_else(|| invalid(format!("filesizeformat: {value} is no number")))?;
    let base = if binary { 1024.0 } else { 1000.0 };
    // Below the first unit (and below zero) Jinja2 has whole bytes.
    if number != 1.0 && number < base {
        return Ok(format!("{} Bytes", number.trunc() as i64));
    }
    Ok(contrib::filesizeformat(number, Some(binary)))
}

/// `indent(width=4, first=false, blank=false)`.
fn indent(value: &Value, args: Rest<ValueOrKwargs>) -> Result<String, Error> {
    let text = text_of(value)?;
    let mut args = Arguments::new("indent", args)?;
    let width = args.next("width")?.unwrap_or(Value::from(4));
    let first = args.truth("first", false)?;
    let blank = args.truth("blank", false)?;
    args.end()?;
    let indention = match width.as_str() {
        Some(text) => text.to_owned(),
        None => {
            let width = i64::try_from(width).map_err(|_| invalid("indent: width must be an integer or a string"))?;
            let width = usize::try_from(width).unwrap_or(0);
            if width > WIDTH_MAX {
                return Err(invalid(format!("indent: a width above {WIDTH_MAX} would make too large a text")));
            }
            " ".repeat(width)
        }
    };
    let mut out = Text::default();
    // With one line end more, the last one of the text stays.
    for (index, line) in methods::lines(&format!("{text}\n"), false).into_iter().enumerate() {
        out.push(if index > 0 { "\n" } else { "" })?;
        let indented = if index == 0 { first } else { blank || !line.is_empty() };
        out.push(if indented { &indention } else { "" })?;
        out.push(line)?;
    }
    Ok(out.into_string())
}

/// `striptags`: without tags and comments, white space in single blanks, then entities decoded, as MarkupSafe does it.
fn strip_tags(value: &Value) -> Result<String, Error> {
    let text = text_of(value)?;
    let (mut kept, mut rest) = (String::with_capacity(text.len()), text.as_str());
    while let Some(at) = rest.find('<') {
        let tag = &rest[at..];
        let end = match tag.strip_prefix("<!--") {
            Some(comment) => comment.find("-->").map(|end| end + 7),
            None => tag.find('>').map(|end| end + 1),
        };
        let Some(end) = end else { break };
        kept.push_str(&rest[..at]);
        rest = &tag[end..];
    }
    kept.push_str(rest);
    let words: Vec<&str> = kept.split(methods::is_space).filter(|word| !word.is_empty()).collect();
    let mut out = String::with_capacity(kept.len());
    for (index, word) in words.into_iter().enumerate() {
        out.push_str(if index > 0 { " " } else { "" });
        let mut pieces = word.split('&');
        out.push_str(pieces.next().unwrap_or_default());
        for piece in pieces {
            out.push_str(&reference(piece)?);
        }
    }
    Ok(out)
}

/// What stands behind a `&`, up to the next one, with the character reference decoded that it may begin with.
fn reference(piece: &str) -> Result<String, Error> {
    let length = piece.find(|c: char| !c.is_ascii_alphanumeric() && c != '#').unwrap_or(piece.len());
    let (name, rest) = piece.split_at(length);
    let decode = |name: &str| -> Option<String> {
        let text = match name {
            "nbsp" => "\u{a0}".into(),
            name => contrib::striptags(format!("&{name};")),
        };
        let found = !text.is_empty() && (!text.starts_with('&') || ["amp", "AMP"].contains(&name));
        (found && !text.chars().any(char::is_control)).then_some(text)
    };
    if let Some((text, rest)) = rest.strip_prefix(';').and_then(|rest| Some((decode(name)?, rest))) {
        return Ok(text + rest);
    }
    // Python decodes some names without their end, and numbers that are no characters in ways of its own.
    let number = name.strip_prefix('#').is_some_and(|number| number.starts_with(|c: char| "xX0123456789".contains(c)));
    if number || (2..=name.len()).any(|length| decode(&name[..length]).is_some()) {
        return Err(invalid(format!("striptags: `&{name}` is no character reference that is supported")));
    }
    Ok(format!("&{piece}"))
}

/// `truncate(length=255, killwords=false, end='...', leeway=5)`.
fn truncate(state: &mut State, value: &Value, args: Rest<ValueOrKwargs>) -> Result<Value, Error> {
    string("truncate", value)?;
    let mut args = Arguments::new("truncate", args)?;
    let length = args.integer("length", 255)?;
    let kill_words = args.truth("killwords", false)?;
    let end = args.text("end", "...")?;
    let leeway = args.integer("leeway", 5)?;
    args.end()?;
    let named: [(&str, Value); 4] =
        [("length", length.into()), ("killwords", kill_words.into()), ("end", end.into()), ("leeway", leeway.into())];
    contrib::truncate(state, value, named.into_iter().collect())
}

/// `urlencode`: a text for a path, or a mapping or pairs for a query.
fn url_encode(value: &Value) -> Result<String, Error> {
    let mut out = Text::default();
    let is_one = value.as_str().is_some() || value.is_none() || value.is_undefined();
    if is_one || value.try_iter().is_err() {
        push_quoted(&mut out, &text_of(value)?, false)?;
        return Ok(out.into_string());
    }
    let is_mapping = value.kind() == ValueKind::Map;
    for (index, item) in value.try_iter()?.enumerate() {
        let (key, value) = if is_mapping {
            (item.clone(), value.get_item(&item)?)
        } else if item.len() == Some(2) {
            (item.get_item_by_index(0)?, item.get_item_by_index(1)?)
        } else {
            return Err(invalid("urlencode: expected pairs"));
        };
        out.push(if index > 0 { "&" } else { "" })?;
        push_quoted(&mut out, &text_of(&key)?, true)?;
        out.push("=")?;
        push_quoted(&mut out, &text_of(&value)?, true)?;
    }
    Ok(out.into_string())
}

/// `text` as `urllib.parse.quote` writes it; in a query `/` is quoted too, and a blank is `+`.
fn push_quoted(out: &mut Text, text: &str, in_query: bool) -> Result<(), Error> {
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'_' | b'.' | b'-' | b'~' => {
                out.push(&char::from(byte).to_string())
            }
            b'/' if !in_query => out.push("/"),
            b' ' if in_query => out.push("+"),
            byte => out.push(&format!("%{byte:02X}")),
        }?;
    }
    Ok(())
}

/// `xmlattr(autospace=true)`.
fn xml_attributes(value: &Value, args: Rest<ValueOrKwargs>) -> Result<String, Error> {
    let mut args = Arguments::new("xmlattr", args)?;
    let auto_space = args.truth("autospace", true)?;
    args.end()?;
    let object = value.as_object().filter(|object| object.repr() == ObjectRepr::Map);
    let pairs = object.and_then(|object| object.try_iter_pairs()).ok_or_else(|| invalid("xmlattr: not a mapping"))?;
    let mut out = Text::default();
    for (key, value) in pairs.filter(|(_, value)| !value.is_none() && !value.is_undefined()) {
        let key = string("xmlattr", &key)?.to_owned();
        if key.contains([' ', '\t', '\n', '\r', '\x0c', '/', '>', '=']) {
            return Err(invalid(format!("xmlattr: {key:?} is no name of an attribute")));
        }
        out.push(if auto_space || !out.is_empty() { " " } else { "" })?;
        push_escaped(&mut out, &key)?;
        out.push("=\"")?;
        match value.is_safe() {
            true => out.push_value(&value)?,
            false => push_escaped(&mut out, &text_of(&value)?)?,
        }
        out.push("\"")?;
    }
    Ok(out.into_string())
}

fn word_count(text: &str) -> usize {
    text.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|word| !word.is_empty()).count()
}

/// `wordwrap(width=79, break_long_words=true, wrapstring='\n', break_on_hyphens=true)`.
fn word_wrap(value: &Value, args: Rest<ValueOrKwargs>) -> Result<String, Error> {
    let text = string("wordwrap", value)?;
    let mut args = Arguments::new("wordwrap", args)?;
    let width = args.integer("width", 79)?;
    let break_words = args.truth("break_long_words", true)?;
    let between = args.text("wrapstring", "\n")?;
    let at_hyphens = args.truth("break_on_hyphens", true)?;
    args.end()?;
    let width = usize::try_from(width).ok().filter(|&width| width > 0);
    let width = width.ok_or_else(|| invalid("wordwrap: the width must be above 0"))?;
    let mut out = Text::default();
    for (index, line) in methods::lines(text, false).into_iter().enumerate() {
        out.push(if index > 0 { &between } else { "" })?;
        for (index, part) in wrapped(line, width, break_words, at_hyphens)?.into_iter().enumerate() {
            out.push(if index > 0 { &between } else { "" })?;
            out.push(&part)?;
        }
    }
    Ok(out.into_string())
}
