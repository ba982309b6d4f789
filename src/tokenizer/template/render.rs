//! One compiled template, and rendering it within limits.
//!
//! A template comes from the same stranger as the weights. It is compiled and rendered on a thread of its own with a
//! stack that the deepest value it can build fits on; steps, bytes and seconds are bounded. What no bound inside the
//! engine catches (one operation over a value that refers to itself a million times) ends at the time limit.

use std::io::{self, Write};
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::time::Duration;

use minijinja::{Environment, ErrorKind, Value};
use serde_json::Map;

use super::environment::{self, Raised};
use super::source;
use crate::error::{Error, Result};

/// Largest prompt that a template may give, in bytes.
pub const PROMPT_BYTES_MAX: usize = 16 << 20;

/// Stack of the thread that renders, in bytes (reserved, not used). The deepest value that a template can build,
/// some 160,000 levels, takes about 600 bytes for each to walk.
const STACK_BYTES: usize = 256 << 20;

/// The name that a template has inside the engine.
const NAME: &str = "chat_template";

/// What one rendering may use.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Steps of the engine; each also pays for 64 bytes of text or two slots of a list.
    pub steps: u64,
    /// Wall-clock time.
    pub time: Duration,
}

impl Limits {
    /// Enough for published templates 100 times over: they take up to 2300 steps for a few messages, and 4 million
    /// (those that look back at every message) for a thousand.
    pub fn for_messages(count: usize, bytes: usize) -> Self {
        let (count, bytes) = (count as u64, bytes as u64);
        Self {
            steps: 1_000_000 + 12_000 * count + bytes / 4,
            time: Duration::from_secs(10) + Duration::from_millis(20 * count),
        }
    }
}

/// A template, ready to render.
#[derive(Clone, Debug)]
pub struct Compiled {
    env: Environment<'static>,
    /// Where the text came from, for errors.
    name: String,
    /// The text as it was given.
    source: String,
}

impl Compiled {
    /// Compiles `source`; `name` is for errors.
    pub fn new(name: &str, source: &str) -> Result<Self> {
        let prepared = source::prepare(source, name)?;
        let compiled = contained(name, Duration::from_secs(10), move || {
            let mut env = environment::new()?;
            env.add_template_owned(NAME, prepared)?;
            Ok(env)
        })?;
        Ok(Self { env: compiled, name: name.to_owned(), source: source.to_owned() })
    }

    /// The text as it was given.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// Renders with `variables`; `now` is the template's clock.
    pub fn render(&self, variables: Map<String, serde_json::Value>, now: i64, limits: Limits) -> Result<String> {
        let mut env = self.env.clone();
        env.set_fuel(Some(limits.steps));
        environment::set_clock(&mut env, now);
        let bytes = contained(&self.name, limits.time, move || {
            let mut out = Bounded(Vec::new());
            env.get_template(NAME)?.render_captured_to(engine_value(serde_json::Value::Object(variables)), &mut out)?;
            Ok(out.0)
        })?;
        String::from_utf8(bytes).map_err(|_| Error::Template(format!("{}: the prompt is not UTF-8", self.name)))
    }
}

/// Runs `work` on a thread with a large stack, for at most `time`. A thread that takes longer is left to itself.
fn contained<T: Send + 'static>(
    name: &str,
    time: Duration,
    work: impl FnOnce() -> Result<T, minijinja::Error> + Send + 'static,
) -> Result<T> {
    let (sender, receiver) = sync_channel(1);
    let thread = std::thread::Builder::new().name("chat template".into()).stack_size(STACK_BYTES);
    thread
        .spawn(move || {
            // The receiver is gone only when the time was over.
            let _ = sender.send(work().map_err(|e| explain(&e)));
        })
        .map_err(|e| Error::Template(format!("{name}: no thread to render on: {e}")))?;
    match receiver.recv_timeout(time) {
        Ok(result) => result.map_err(|what| Error::Template(format!("{name}{what}"))),
        Err(RecvTimeoutError::Timeout) => {
            Err(Error::Template(format!("{name}: stopped after {} seconds", time.as_secs_f32())))
        }
        Err(RecvTimeoutError::Disconnected) => Err(Error::Template(format!("{name}: the template engine failed"))),
    }
}

/// An error of the engine as `, line 3: what`.
fn explain(error: &minijinja::Error) -> String {
    // The innermost error says what happened; an include or a block around it only that it happened inside.
    let mut at = error;
    let mut raised = None;
    let mut source = std::error::Error::source(error);
    while let Some(inner) = source {
        if let Some(exception) = inner.downcast_ref::<Raised>() {
            raised = Some(exception.0.clone());
        }
        if let Some(inner) = inner.downcast_ref::<minijinja::Error>().filter(|inner| inner.line().is_some()) {
            at = inner;
        }
        source = inner.source();
    }
    let what = match (raised, at.kind()) {
        (Some(message), _) => format!("refused the conversation: {message}"),
        (_, ErrorKind::OutOfFuel) => "takes too many steps, or makes too much text".to_owned(),
        (_, ErrorKind::WriteFailure) => format!("gives more than {} MiB of text", PROMPT_BYTES_MAX >> 20),
        (_, kind) => at.detail().map_or_else(|| kind.to_string(), |detail| format!("{kind}: {detail}")),
    };
    match at.line() {
        Some(line) => format!(", line {line}: {what}"),
        None => format!(": {what}"),
    }
}

/// JSON as the engine's value. Not through serde: with serde_json's arbitrary precision, which a dependency may switch
/// on for all, a number would arrive as a mapping.
fn engine_value(json: serde_json::Value) -> Value {
    match json {
        serde_json::Value::Null => Value::from(()),
        serde_json::Value::Bool(bool) => Value::from(bool),
        serde_json::Value::Number(number) => match (number.as_i64(), number.as_u64()) {
            (Some(integer), _) => Value::from(integer),
            (_, Some(integer)) => Value::from(integer),
            _ => Value::from(number.as_f64().unwrap_or(f64::NAN)),
        },
        serde_json::Value::String(text) => Value::from(text),
        serde_json::Value::Array(items) => Value::from(items.into_iter().map(engine_value).collect::<Vec<_>>()),
        serde_json::Value::Object(fields) => Value::from_pairs(fields.into_iter().map(|(k, v)| (k, engine_value(v)))),
    }
}

/// A sink that refuses more than the largest prompt.
struct Bounded(Vec<u8>);

impl Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.0.len() + bytes.len() > PROMPT_BYTES_MAX {
            return Err(io::Error::from(io::ErrorKind::FileTooLarge));
        }
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
