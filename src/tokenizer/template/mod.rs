//! Chat templates: the Jinja text in a model's file that turns a conversation into a prompt.
//!
//! The engine is minijinja with what published templates expect of transformers' Jinja2 around it:
//!
//! - [`source`](self) prepares the text: `operators` makes calls of `%` and `~`, `literals` has the escapes of strings,
//!   `variadic` the arguments of macros;
//! - `environment` sets the engine up: `percent` is what `%` does, `filters` has Jinja2's filters, `methods` Python's
//!   methods, `views` what those of a dict give, `letters` its upper and lower case, `text` its `str`, `json` is
//!   `tojson`, [`clock`] is `strftime_now`;
//! - `render` compiles and renders within limits, because a template comes from the same stranger as the weights;
//! - [`thoughts`] tells a reasoning model's thoughts from its answer while it is generated.
//!
//! A rendered prompt holds its special tokens as text: it is tokenized with special tokens parsed, and without another
//! BOS where it begins with one.

pub mod clock;
mod conversation;
mod environment;
mod filters;
mod json;
mod letters;
mod literals;
mod methods;
mod operators;
mod percent;
mod render;
mod source;
mod text;
pub mod thoughts;
mod variadic;
mod views;
mod wrap;

use std::path::Path;

use serde_json::{Map, Value};

pub use conversation::Conversation;
use render::{Compiled, Limits};

use crate::error::{Error, Result};
use crate::gguf::Gguf;

/// The key of the template, and the prefix of its variants' keys.
const KEY: &str = "tokenizer.chat_template";

/// The variant that is used when there are tools, as in transformers.
const TOOL_VARIANT: &str = "tool_use";

/// The plainest format that chat models know, for files without a template.
const CHATML: &str = "\
{%- for message in messages -%}
{{- '<|im_start|>' ~ message.role ~ '\\n' -}}
{%- if message.content is string -%}
{{- message.content -}}
{%- else -%}
{%- for part in message.content or [] if part.text is string -%}{{- part.text -}}{%- endfor -%}
{%- endif -%}
{{- '<|im_end|>\\n' -}}
{%- endfor -%}
{%- if add_generation_prompt -%}{{- '<|im_start|>assistant\\n' -}}{%- endif -%}
";

/// Where a template came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The model's file.
    Model,
    /// A text that the user gave.
    Given,
    /// The model's file has none: ChatML is used. The user should be told.
    ChatMlFallback,
}

/// A chat template, compiled.
#[derive(Clone, Debug)]
pub struct ChatTemplate {
    origin: Origin,
    main: Compiled,
    /// The template for conversations with tools, where the file has one of its own.
    with_tools: Option<Compiled>,
    bos: Option<String>,
    eos: Option<String>,
}

impl ChatTemplate {
    /// The template of a model's file, its variant for tools included; ChatML where the file has none
    /// (see [`is_fallback`](Self::is_fallback)).
    ///
    /// # Errors
    ///
    /// The template does not compile or exceeds a limit (file and line are named), or a key is of a wrong type.
    pub fn from_gguf(gguf: &Gguf) -> Result<Self> {
        let metadata = gguf.metadata();
        let compile = |key: &str| -> Result<Option<Compiled>> {
            let text = metadata.str(key)?;
            text.map(|text| Compiled::new(&format!("{}: {key}", gguf.path().display()), text)).transpose()
        };
        let with_tools = compile(&format!("{KEY}.{TOOL_VARIANT}"))?;
        let main = match compile(KEY)? {
            Some(main) => Some(main),
            None => compile(&format!("{KEY}.default"))?,
        };
        let (bos, eos) = special_tokens(gguf)?;
        Ok(match main.or_else(|| with_tools.clone()) {
            Some(main) => Self { origin: Origin::Model, main, with_tools, bos, eos },
            None => Self { bos, eos, ..Self::chatml_fallback()? },
        })
    }

    /// A template that was given as text, and the texts of the tokens it may print.
    ///
    /// # Errors
    ///
    /// The template does not compile or exceeds a limit; the line is named.
    pub fn from_source(text: &str, bos: Option<&str>, eos: Option<&str>) -> Result<Self> {
        Self::from_text("template", text, bos, eos)
    }

    /// As [`from_source`](Self::from_source), from a file.
    ///
    /// # Errors
    ///
    /// The file cannot be read, or as above.
    pub fn from_file(path: &Path, bos: Option<&str>, eos: Option<&str>) -> Result<Self> {
        let text = std::fs::read_to_string(path).map_err(|e| Error::io(path, e))?;
        Self::from_text(&path.display().to_string(), &text, bos, eos)
    }

    /// As [`from_source`](Self::from_source); `name` is what errors call the template.
    ///
    /// # Errors
    ///
    /// As above.
    pub fn from_text(name: &str, text: &str, bos: Option<&str>, eos: Option<&str>) -> Result<Self> {
        let main = Compiled::new(name, text)?;
        Ok(Self { origin: Origin::Given, main, with_tools: None, bos: bos.map(Into::into), eos: eos.map(Into::into) })
    }

    /// ChatML, for files without a template.
    ///
    /// # Errors
    ///
    /// No thread could be started.
    pub fn chatml_fallback() -> Result<Self> {
        Ok(Self { origin: Origin::ChatMlFallback, ..Self::from_text("ChatML", CHATML, None, None)? })
    }

    /// Where the template came from.
    pub fn origin(&self) -> &Origin {
        &self.origin
    }

    /// Whether this is ChatML because the file has no template; whoever shows answers should say so.
    pub fn is_fallback(&self) -> bool {
        self.origin == Origin::ChatMlFallback
    }

    /// The text of the template that a conversation without tools gets.
    pub fn source(&self) -> &str {
        self.main.source()
    }

    /// The same text without comments.
    fn code(&self) -> String {
        source::without_comments(self.main.source())
    }

    /// Whether `prompt` begins with the text of the BOS token, so that tokenizing must not add another.
    pub fn begins_with_bos(&self, prompt: &str) -> bool {
        self.bos.as_deref().is_some_and(|bos| !bos.is_empty() && prompt.starts_with(bos))
    }

    /// The prompt that `conversation` becomes.
    ///
    /// # Errors
    ///
    /// The template refuses the conversation (`raise_exception`), fails (the line is named), or exceeds a limit.
    pub fn render(&self, conversation: &Conversation) -> Result<String> {
        let bytes = conversation.messages.iter().map(text_bytes).sum();
        self.render_within(conversation, Limits::for_messages(conversation.messages.len(), bytes))
    }

    fn render_within(&self, conversation: &Conversation, limits: Limits) -> Result<String> {
        let compiled = match &conversation.tools {
            Some(_) => self.with_tools.as_ref().unwrap_or(&self.main),
            None => &self.main,
        };
        let mut variables = Map::new();
        variables.insert("messages".into(), Value::Array(conversation.messages.clone()));
        variables.insert("tools".into(), conversation.tools.clone().unwrap_or(Value::Null));
        variables.insert("add_generation_prompt".into(), Value::Bool(conversation.add_generation_prompt));
        for (name, text) in [("bos_token", &self.bos), ("eos_token", &self.eos)] {
            if let Some(text) = text {
                variables.insert(name.into(), Value::String(text.clone()));
            }
        }
        variables.extend(conversation.variables.clone());
        compiled.render(variables, conversation.now, limits)
    }
}

/// Bytes of text in a message.
fn text_bytes(value: &Value) -> usize {
    match value {
        Value::String(text) => text.len(),
        Value::Array(items) => items.iter().map(text_bytes).sum(),
        Value::Object(fields) => fields.iter().map(|(key, value)| key.len() + text_bytes(value)).sum(),
        _ => 8,
    }
}

/// The texts of a file's BOS and EOS tokens, where it has such tokens.
///
/// # Errors
///
/// The file names a token that it does not have, or a key is of a wrong type.
pub fn special_tokens(gguf: &Gguf) -> Result<(Option<String>, Option<String>)> {
    let metadata = gguf.metadata();
    let Some(tokens) = metadata.strings("tokenizer.ggml.tokens")? else { return Ok((None, None)) };
    let text = |key: &str| -> Result<Option<String>> {
        let Some(id) = metadata.u32(key)? else { return Ok(None) };
        let bytes = tokens
            .bytes()
            .nth(id as usize)
            .ok_or_else(|| Error::file(gguf.path(), format!("{key} is {id}, but there are {} tokens", tokens.len())))?;
        Ok(Some(String::from_utf8_lossy(bytes).into_owned()))
    };
    Ok((text("tokenizer.ggml.bos_token_id")?, text("tokenizer.ggml.eos_token_id")?))
}

#[cfg(test)]
mod tests;
