//! `varargs` and `kwargs`: the arguments of a macro's call that the macro does not name. The engine refuses such arguments;
//! Jinja2 collects them for macros that read one of these two.
//!
//! A macro that does gets two parameters more, and behind its end its name is given to a [`Variadic`], which fills them.

use std::sync::Arc;

use minijinja::value::{Kwargs, Object, ObjectRepr, Rest, Tuple, Value, from_args};
use minijinja::{Error, State};

/// The global function that wraps a macro. No template would use such a name.
pub const NAME: &str = "__variadic";

const HIDDEN: [&str; 2] = ["varargs", "kwargs"];

/// A macro whose end has not come yet.
pub struct Open {
    name: String,
    /// Where its parameters end in the text that the engine gets.
    end: usize,
    /// Which of the two it has as parameters of its own.
    declared: [bool; 2],
    reads: bool,
}

impl Open {
    /// For the inside of a tag that begins a macro; `at`: where that stands in the text that the engine gets.
    pub fn new(inside: &str, at: usize) -> Option<Self> {
        let parameters = inside.trim_start().strip_prefix("macro")?;
        let (name, _) = parameters.split_once('(')?;
        let declared = HIDDEN.map(|hidden| identifiers(parameters).any(|word| word == hidden));
        Some(Self { name: name.trim().to_owned(), end: at + inside.rfind(')')?, declared, reads: false })
    }

    /// Looks at the inside of a tag of the macro's body.
    pub fn see(&mut self, inside: &str) {
        let undeclared = |word: &str| HIDDEN.iter().zip(self.declared).any(|(hidden, own)| word == *hidden && !own);
        self.reads |= identifiers(inside).any(undeclared);
    }

    /// At the macro's end: adds the parameters to `out`, and gives the statement that follows the end.
    pub fn close(self, out: &mut String) -> Option<String> {
        if !self.reads {
            return None;
        }
        let mut added = String::new();
        let mut empty = out[..self.end].trim_end().ends_with('(');
        for (hidden, _) in HIDDEN.iter().zip(self.declared).filter(|(_, own)| !own) {
            added.push_str(if std::mem::take(&mut empty) { "" } else { ", " });
            added.push_str(&format!("{hidden}={}", if *hidden == "kwargs" { "{}" } else { "()" }));
        }
        out.insert_str(self.end, &added);
        let name = self.name;
        Some(format!(" set {name} = {NAME}({name}) "))
    }
}

/// The names in an expression: no strings, no attributes.
fn identifiers(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        loop {
            let first = rest.chars().next()?;
            if first == '\'' || first == '"' {
                rest = &rest[super::literals::length(rest, first)..];
                continue;
            }
            let dot = usize::from(first == '.');
            let word = rest[dot..].find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len() - dot);
            if word == 0 {
                rest = &rest[first.len_utf8()..];
                continue;
            }
            let found = &rest[dot..dot + word];
            rest = &rest[dot + word..];
            if dot == 0 {
                return Some(found);
            }
        }
    })
}

/// A macro that takes any arguments.
#[derive(Debug)]
pub struct Variadic {
    inner: Value,
    /// The parameters that the template names.
    named: Vec<String>,
}

/// Wraps a macro.
///
/// # Errors
///
/// It is none.
pub fn wrap(inner: Value) -> Result<Value, Error> {
    let all = inner.get_attr("arguments")?.try_iter()?.map(|name| name.to_string()).collect::<Vec<_>>();
    let named = all.into_iter().filter(|name| !HIDDEN.contains(&name.as_str())).collect();
    Ok(Value::from_object(Variadic { inner, named }))
}

impl Object for Variadic {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        match key.as_str()? {
            "arguments" => Some(self.named.iter().map(String::as_str).collect::<Value>()),
            "name" | "caller" => self.inner.get_item(key).ok(),
            _ => None,
        }
    }

    fn call(self: &Arc<Self>, state: &mut State<'_, '_>, args: &[Value]) -> Result<Value, Error> {
        let (places, given): (Rest<&Value>, Kwargs) = from_args(args)?;
        let split = places.len().min(self.named.len());
        let mut call: Vec<Value> = places[..split].iter().map(|&value| value.clone()).collect();
        let (mut named, mut more) = (Vec::new(), Vec::new());
        for name in given.args() {
            let own = name == "caller" || self.named.iter().any(|parameter| parameter == name);
            if own { &mut named } else { &mut more }.push((name.to_owned(), given.peek::<Value>(name)?));
        }
        let rest: Vec<Value> = places[split..].iter().map(|&value| value.clone()).collect();
        named.push(("varargs".into(), Value::from(Tuple::from(rest))));
        named.push(("kwargs".into(), Value::from_pairs(more)));
        call.push(Value::from(named.into_iter().collect::<Kwargs>()));
        self.inner.call(state, &call)
    }
}
