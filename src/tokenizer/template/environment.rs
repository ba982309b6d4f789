//! The template engine as chat templates expect it: transformers' Jinja2 settings, its extra functions, and limits.

use minijinja::syntax::SyntaxConfig;
use minijinja::value::{Kwargs, ObjectRepr, Rest, Tuple, Value, ValueKind, ValueOrKwargs, from_args};
use minijinja::{AutoEscape, Environment, Error, ErrorKind, Output, State};
use minijinja_contrib::globals;

use super::render::PROMPT_BYTES_MAX;
use super::text::{self, Text, text_of};
use super::views::View;
use super::{clock, filters, json, methods, percent, source, variadic};

/// How deep a value that gets a name may be nested; the JSON of a conversation is at most 128 deep.
const KEPT_DEPTH_MAX: usize = 200;

/// What `raise_exception` was called with; the source of the error it makes, so that the message can be told apart.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Raised(pub String);

/// An environment that holds no template yet.
pub fn new() -> Result<Environment<'static>, Error> {
    let mut env = Environment::new();
    env.set_syntax(SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build()?);
    env.set_debug(false);
    env.set_formatter(write_value);
    env.set_auto_escape_callback(|_| AutoEscape::None);
    env.set_unknown_method_callback(methods::call);
    // It prints the engine's inside and is no part of Jinja2.
    env.remove_global("debug");
    env.add_function("raise_exception", raise_exception);
    env.add_function("joiner", joiner);
    env.add_function("cycler", |items: Rest<Value>| globals::cycler(items.to_vec()));
    env.add_function(source::CHECKED, checked);
    env.add_function(source::KEPT, kept);
    env.add_function(percent::NAME, percent::percent);
    env.add_function(text::CONCAT, text::concat);
    env.add_function(variadic::NAME, variadic::wrap);
    env.add_filter("tojson", json::tojson);
    env.add_filter("dictsort", dictsort);
    env.add_filter("trim", trim);
    env.add_filter("length", length);
    env.add_filter("count", length);
    env.add_filter("string", string);
    env.add_filter("join", join);
    filters::add_to(&mut env);
    env.add_test("iterable", |value: &Value| !value.is_none() && value.try_iter().is_ok());
    env.add_test("sequence", |value: &Value| {
        match value.kind() {
            ValueKind::Seq | ValueKind::Map | ValueKind::String | ValueKind::Undefined => true,
            // A slice or a sum of lists, which the engine builds lazily.
            ValueKind::Iterable => value.downcast_object_ref::<View>().is_none(),
            _ => false,
        }
    });
    env.add_test("callable", is_callable);
    Ok(env)
}

/// Sets the clock of `strftime_now`, in seconds since 1970.
pub fn set_clock(env: &mut Environment<'static>, now: i64) {
    env.add_function("strftime_now", move |format: &str| clock::strftime(format, now).map_err(invalid));
}

fn invalid(what: impl Into<String>) -> Error {
    Error::new(ErrorKind::InvalidOperation, what.into())
}

/// Prints the value of a `{{ .. }}`.
fn write_value(out: &mut Output, state: &mut State, value: &Value) -> Result<(), Error> {
    if !matches!(state.auto_escape(), AutoEscape::None) {
        return Err(invalid("autoescape is not supported: prompts are no HTML"));
    }
    let written = match value.as_str() {
        Some(text) => out.write_str(text),
        None => out.write_str(&text_of(value)?),
    };
    written.map_err(Error::from)
}

fn raise_exception(message: &Value) -> Result<Value, Error> {
    let message = text_of(message)?;
    Err(invalid(message.clone()).with_source(Raised(message)))
}

/// Passes on a value that is about to get a name, if it can be walked: neither too deep nor, written out, too large.
fn checked(state: &State, value: Value) -> Result<Value, Error> {
    Walk { state, in_namespace: false, bytes: 0 }.check(&value, 0)?;
    Ok(value)
}

/// The same for an attribute of a namespace. There it has to be plain data: then no value can hold itself.
fn kept(state: &State, value: Value) -> Result<Value, Error> {
    Walk { state, in_namespace: true, bytes: 0 }.check(&value, 0)?;
    Ok(value)
}

/// A walk over a value; what occurs twice is visited twice.
struct Walk<'a, 'b, 'c> {
    state: &'a State<'b, 'c>,
    in_namespace: bool,
    bytes: usize,
}

impl Walk<'_, '_, '_> {
    fn check(&mut self, value: &Value, depth: usize) -> Result<(), Error> {
        if let Some(text) = value.as_str() {
            self.bytes = self.bytes.saturating_add(text.len());
            if self.bytes > PROMPT_BYTES_MAX {
                return Err(invalid("a value with more than 16 MiB of text cannot be kept"));
            }
        }
        let Some(object) = value.as_object() else { return Ok(()) };
        if depth > KEPT_DEPTH_MAX {
            return Err(invalid(format!("a value nested more than {KEPT_DEPTH_MAX} deep cannot be kept")));
        }
        if ["Namespace", "Loop"].iter().any(|name| object.type_name().ends_with(name)) {
            // Its attributes have been checked when they were set.
            return if self.in_namespace {
                Err(invalid("a namespace cannot hold a namespace or a loop"))
            } else {
                Ok(())
            };
        }
        self.state.consume_fuel(1)?;
        match object.repr() {
            ObjectRepr::Map => {
                for (key, value) in object.try_iter_pairs().into_iter().flatten() {
                    self.check(&key, depth + 1)?;
                    self.check(&value, depth + 1)?;
                }
            }
            ObjectRepr::Seq | ObjectRepr::Iterable => {
                for item in object.try_iter().into_iter().flatten() {
                    self.check(&item, depth + 1)?;
                }
            }
            _ => {}
        }
        Ok(())
    }
}

fn joiner(separator: Option<Value>, kwargs: Kwargs) -> Result<Value, Error> {
    let separator = separator.map_or_else(|| kwargs.get::<Option<Value>>("sep"), |value| Ok(Some(value)))?;
    kwargs.assert_all_used()?;
    Ok(globals::joiner(separator))
}

/// `dictsort(case_sensitive=false, by='key', reverse=false)`: pairs in order.
fn dictsort(state: &State, value: Value, args: Rest<ValueOrKwargs>) -> Result<Value, Error> {
    let args = args.into_values();
    let (case_sensitive, by, reverse, kwargs): (Option<bool>, Option<String>, Option<bool>, Kwargs) = from_args(&args)?;
    let case_sensitive =
        case_sensitive.map_or_else(|| kwargs.get::<Option<bool>>("case_sensitive"), |x| Ok(Some(x)))?;
    let by = by.map_or_else(|| kwargs.get::<Option<String>>("by"), |by| Ok(Some(by)))?;
    let reverse = reverse.map_or_else(|| kwargs.get::<Option<bool>>("reverse"), |x| Ok(Some(x)))?.unwrap_or(false);
    kwargs.assert_all_used()?;
    let by_value = match by.as_deref() {
        None | Some("key") => false,
        Some("value") => true,
        Some(_) => return Err(invalid("dictsort: sort either by \"key\" or by \"value\"")),
    };
    let object = value.as_object().filter(|object| object.repr() == ObjectRepr::Map);
    let pairs = object.and_then(|object| object.try_iter_pairs()).ok_or_else(|| invalid("dictsort: not a mapping"))?;
    let folded = |value: &Value| match value.as_str() {
        Some(text) if !case_sensitive.unwrap_or(false) => Value::from(text.to_lowercase()),
        _ => value.clone(),
    };
    let mut pairs = pairs.map(|(k, v)| (folded(if by_value { &v } else { &k }), [k, v])).collect::<Vec<_>>();
    state.consume_fuel(pairs.len() as u64 * 8)?;
    if reverse {
        pairs.sort_by(|(a, _), (b, _)| b.cmp(a));
    } else {
        pairs.sort_by(|(a, _), (b, _)| a.cmp(b));
    }
    Ok(pairs.into_iter().map(|(_, pair)| Value::from(Tuple::from(pair))).collect())
}

/// `trim(chars=none)`, with Python's idea of white space.
fn trim(value: &Value, chars: Option<&str>) -> Result<String, Error> {
    let text = text_of(value)?;
    Ok(text.trim_matches(|c| chars.map_or_else(|| methods::is_space(c), |chars| chars.contains(c))).to_owned())
}

/// `length`: of what is undefined, 0, as in Jinja2.
fn length(value: &Value) -> Result<usize, Error> {
    match value.len() {
        Some(length) => Ok(length),
        None if value.is_undefined() => Ok(0),
        None if value.kind() == ValueKind::Iterable => Ok(value.try_iter()?.count()),
        None => Err(invalid(format!("{} has no length", value.kind()))),
    }
}

fn string(value: &Value) -> Result<Value, Error> {
    Ok(if value.kind() == ValueKind::String { value.clone() } else { Value::from(text_of(value)?) })
}

/// `join(separator='', attribute=none)`.
fn join(value: &Value, separator: Option<String>, attribute: Option<Value>, kwargs: Kwargs) -> Result<String, Error> {
    let separator = separator.map_or_else(|| kwargs.get::<Option<String>>("d"), |x| Ok(Some(x)))?.unwrap_or_default();
    let attribute = attribute.map_or_else(|| kwargs.get::<Option<Value>>("attribute"), |x| Ok(Some(x)))?;
    kwargs.assert_all_used()?;
    let mut out = Text::default();
    if value.is_undefined() {
        return Ok(String::new());
    }
    for (index, item) in value.try_iter()?.enumerate() {
        let item = match attribute.as_ref().filter(|attribute| !attribute.is_none()) {
            Some(attribute) => attribute_of(&item, attribute)?,
            None => item,
        };
        out.push(if index > 0 { &separator } else { "" })?;
        out.push_value(&item)?;
    }
    Ok(out.into_string())
}

/// `item` at a path such as `function.name`, or at an index.
fn attribute_of(item: &Value, attribute: &Value) -> Result<Value, Error> {
    match attribute.as_str() {
        Some(path) => path.split('.').try_fold(item.clone(), |value, part| match part.parse::<usize>() {
            Ok(index) => value.get_item(&Value::from(index)),
            Err(_) => value.get_attr(part),
        }),
        None => item.get_item(attribute),
    }
}

/// Whether a value can be called: a macro or a function.
fn is_callable(value: &Value) -> bool {
    value.as_object().is_some_and(|object| {
        let name = object.type_name();
        ["Macro", "BoxedFunction", "Joiner", "Variadic"].iter().any(|suffix| name.ends_with(suffix))
    })
}
