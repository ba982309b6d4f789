//! Telling a reasoning model's thoughts from its answer, while the text is being generated.
//!
//! Most models think between two tags (`<think> .. </think>`), which the prompt may already have opened. gpt-oss
//! writes messages into channels: `<|channel|>analysis<|message|>..<|end|><|start|>assistant<|channel|>final<|message|>..`
//! (OpenAI's Harmony format), analysis being thoughts. Which of the two a model does is read off its template's code.

#[cfg(test)]
mod tests;

use serde_json::{Map, Value};

use super::{ChatTemplate, Conversation};
use crate::gguf::Gguf;
use crate::tokenizer::Tokenizer;

/// What a piece of generated text is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Thinking aloud: shown apart from the answer, and not part of what was said.
    Thought,
    /// What the user asked for.
    Answer,
}

/// The tags that models think between.
const TAGS: [(&str, &str); 9] = [
    ("<think>", "</think>"),
    ("<seed:think>", "</seed:think>"),
    ("<mm:think>", "</mm:think>"),
    ("[THINK]", "[/THINK]"),
    ("<|START_THINKING|>", "<|END_THINKING|>"),
    ("<|channel>thought", "<channel|>"),
    ("◁think▷", "◁/think▷"),
    ("<thought>", "</thought>"),
    ("<thinking>", "</thinking>"),
];

const START: &str = "<|start|>";
const CHANNEL: &str = "<|channel|>";
const CONSTRAIN: &str = "<|constrain|>";
const MESSAGE: &str = "<|message|>";

/// The special tokens of the Harmony format.
const HARMONY: [&str; 7] = [START, CHANNEL, CONSTRAIN, MESSAGE, "<|end|>", "<|return|>", "<|call|>"];

/// How a model marks its thoughts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Not at all: everything is the answer.
    Plain,
    /// Between an opening and a closing tag, before the answer.
    Tags(&'static str, &'static str),
    /// In the channels of the Harmony format.
    Channels,
}

impl Format {
    /// The format that a template writes, or reads out of an answer to cut its thoughts off; else the one whose opening
    /// its prompts end with, the model having to close it. What stands in a template's comments does not count.
    pub fn of(template: &ChatTemplate) -> Self {
        let code = template.code();
        if code.contains(CHANNEL) && code.contains(MESSAGE) {
            return Self::Channels;
        }
        let closed = TAGS.iter().find(|(_, close)| code.contains(close));
        let opened = || {
            let probe = vec![serde_json::json!({"role": "user", "content": "?"})];
            let prompt = Conversation::new(probe).and_then(|probe| template.render(&probe)).ok()?;
            TAGS.iter().find(|(open, _)| prompt.trim_end().ends_with(open))
        };
        closed.or_else(opened).map_or(Self::Plain, |&(open, close)| Self::Tags(open, close))
    }

    /// The format of a model's answers in `template`: what that says, or else, where it is not the model's own, what that one
    /// says, or where there is none the vocabulary, by having both of two tags. A model goes on thinking in a template that
    /// does not know of it.
    pub fn of_model(template: &ChatTemplate, gguf: &Gguf, tokenizer: &Tokenizer) -> Self {
        let known = |format: Self| (format != Self::Plain).then_some(format);
        let has = |tag: &str| tokenizer.token(tag).is_some();
        let tags = || TAGS.iter().find(|(open, close)| has(open) && has(close));
        let own = || ChatTemplate::from_gguf(gguf).ok().filter(|own| !own.is_fallback());
        known(Self::of(template)).unwrap_or_else(|| match own() {
            Some(own) => Self::of(&own),
            None => tags().map_or(Self::Plain, |&(open, close)| Self::Tags(open, close)),
        })
    }

    /// The texts that are no part of a message.
    pub fn markers(self) -> Vec<&'static str> {
        match self {
            Self::Plain => Vec::new(),
            Self::Tags(open, close) => vec![open, close],
            Self::Channels => HARMONY.to_vec(),
        }
    }
}

/// Where in the text the model is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// In a text of this kind.
    Body(Kind),
    /// Behind a prompt's `<|start|>assistant`: a tool may be addressed before the channel is named.
    Addressee,
    /// Behind `<|start|>`.
    Role,
    /// Behind `<|channel|>`: the channel's name and the rest of the header.
    Header,
}

/// Splits generated text into thoughts and answer. Markers may be split across pushes, and are never part of what comes
/// out; neither is the white space that a section begins with, but for an answer without thoughts.
#[derive(Clone, Debug)]
pub struct Splitter {
    format: Format,
    markers: Vec<&'static str>,
    place: Place,
    /// Text that may turn out to be a marker.
    held: String,
    /// What stands in the role or header so far.
    header: String,
    /// Whether the section has had no text yet, and shall not begin with white space.
    at_start: bool,
    thought: String,
    answer: String,
}

impl Splitter {
    /// A splitter for the text that follows `prompt`, which may already have opened the thoughts.
    pub fn new(format: Format, prompt: &str) -> Self {
        let mut splitter = Self {
            format,
            markers: format.markers(),
            place: Place::Body(Kind::Answer),
            held: String::new(),
            header: String::new(),
            at_start: false,
            thought: String::new(),
            answer: String::new(),
        };
        match format {
            Format::Plain => {}
            Format::Tags(open, _) => {
                if prompt.trim_end().ends_with(open) {
                    splitter.begin(Kind::Thought);
                }
            }
            Format::Channels => {
                // The last message's header says where the model goes on.
                if let Some(at) = prompt.rfind(START) {
                    splitter.push(&prompt[at..]);
                    if splitter.place == Place::Role {
                        splitter.place = Place::Addressee;
                        splitter.header.clear();
                    }
                    splitter.thought.clear();
                    splitter.answer.clear();
                }
            }
        }
        splitter
    }

    /// Takes generated text; gives what is certain by now, in order.
    pub fn push(&mut self, text: &str) -> Vec<(Kind, String)> {
        let mut out = Vec::new();
        self.held.push_str(text);
        while let Some((at, marker)) = self.first_marker() {
            let rest = self.held.split_off(at + marker.len());
            let mut before = std::mem::replace(&mut self.held, rest);
            before.truncate(at);
            self.text(&before, &mut out);
            self.marker(marker, &mut out);
        }
        let certain = self.held.len() - self.possible_marker();
        let rest = self.held.split_off(certain);
        let text = std::mem::replace(&mut self.held, rest);
        self.text(&text, &mut out);
        out
    }

    /// Takes the text of a special token, which is otherwise hidden: a marker of the format, or nothing to show.
    pub fn push_special(&mut self, text: &str) -> Vec<(Kind, String)> {
        let mut out = Vec::new();
        if let Some(marker) = self.markers.iter().copied().find(|marker| *marker == text) {
            let held = std::mem::take(&mut self.held);
            self.text(&held, &mut out);
            self.marker(marker, &mut out);
        }
        out
    }

    /// Gives what was held back; the generation is over.
    pub fn finish(&mut self) -> Vec<(Kind, String)> {
        let mut out = Vec::new();
        let held = std::mem::take(&mut self.held);
        self.text(&held, &mut out);
        if self.place == Place::Addressee {
            let text = std::mem::take(&mut self.header);
            self.place = Place::Body(Kind::Answer);
            self.text(&text, &mut out);
        }
        out
    }

    /// The thoughts so far, without white space around them.
    pub fn thought(&self) -> &str {
        self.thought.trim()
    }

    /// The answer so far.
    pub fn answer(&self) -> &str {
        &self.answer
    }

    /// The first marker in the held text.
    fn first_marker(&self) -> Option<(usize, &'static str)> {
        self.markers.iter().filter_map(|marker| Some((self.held.find(marker)?, *marker))).min_by_key(|(at, _)| *at)
    }

    /// Bytes at the end of the held text that may be the beginning of a marker.
    fn possible_marker(&self) -> usize {
        let starts = |bytes: &usize| {
            let from = self.held.len() - bytes;
            self.held.is_char_boundary(from)
                && self.markers.iter().any(|marker| marker.len() > *bytes && marker.starts_with(&self.held[from..]))
        };
        let longest = self.markers.iter().map(|marker| marker.len()).max().unwrap_or(0);
        (1..longest.min(self.held.len() + 1)).rev().find(starts).unwrap_or(0)
    }

    /// Begins a section; its first text follows.
    fn begin(&mut self, kind: Kind) {
        self.place = Place::Body(kind);
        self.at_start = true;
        self.header.clear();
    }

    fn marker(&mut self, marker: &str, out: &mut Vec<(Kind, String)>) {
        match (self.format, marker) {
            (Format::Tags(open, close), _) => match self.place {
                // Thoughts come first: later, a model may well write about such tags.
                Place::Body(Kind::Answer) if marker == open && self.answer.trim().is_empty() => {
                    self.answer.clear();
                    self.begin(Kind::Thought);
                }
                Place::Body(Kind::Thought) if marker == close => self.begin(Kind::Answer),
                // The prompt has opened the thoughts, and the model does so once more.
                Place::Body(Kind::Thought) if marker == open && self.thought().is_empty() => {}
                _ => self.text(marker, out),
            },
            (_, START) => {
                self.place = Place::Role;
                self.header.clear();
            }
            (_, CHANNEL) => {
                self.place = Place::Header;
                self.header.clear();
            }
            (_, CONSTRAIN) => {}
            (_, MESSAGE) => {
                let thinks = self.place == Place::Header && self.header.trim_start().starts_with("analysis");
                self.begin(if thinks { Kind::Thought } else { Kind::Answer });
            }
            // The end of a message.
            _ => self.begin(Kind::Answer),
        }
    }

    fn text(&mut self, text: &str, out: &mut Vec<(Kind, String)>) {
        match self.place {
            Place::Header | Place::Role => self.header.push_str(text),
            Place::Addressee => {
                self.header.push_str(text);
                let begun = self.header.trim_start();
                if !begun.starts_with("to=") && !"to=".starts_with(begun) {
                    // No header at all: a model that answers without channels.
                    let text = std::mem::take(&mut self.header);
                    self.place = Place::Body(Kind::Answer);
                    self.text(&text, out);
                }
            }
            Place::Body(kind) => {
                let text = if self.at_start { text.trim_start() } else { text };
                if text.is_empty() {
                    return;
                }
                let all = if kind == Kind::Thought { &mut self.thought } else { &mut self.answer };
                // A second message of the same kind is a paragraph of its own.
                let between = if self.at_start && !all.is_empty() { "\n\n" } else { "" };
                self.at_start = false;
                let piece = format!("{between}{text}");
                all.push_str(&piece);
                match out.last_mut() {
                    Some((last, joined)) if *last == kind => joined.push_str(&piece),
                    _ => out.push((kind, piece)),
                }
            }
        }
    }
}

/// The message to keep in the history for an answer: without its thoughts, but for templates that read them from a field
/// of their own (and decide themselves which turns still show them).
pub fn assistant_message(template: &ChatTemplate, thought: &str, answer: &str) -> Value {
    let mut message = Map::new();
    message.insert("role".into(), "assistant".into());
    message.insert("content".into(), answer.into());
    if let Some(field) = thought_field(&template.code()).filter(|_| !thought.is_empty()) {
        message.insert(field.into(), thought.into());
    }
    Value::Object(message)
}

/// The field that a template reads a message's thoughts from.
fn thought_field(source: &str) -> Option<&'static str> {
    ["reasoning_content", "thinking", "reasoning"].into_iter().find(|field| {
        let reads =
            [format!("message.{field}"), format!("['{field}']"), format!("[\"{field}\"]"), format!("get('{field}'")];
        reads.iter().any(|read| source.contains(read)) || source.contains(&format!(".{field} is"))
    })
}
