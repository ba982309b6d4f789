//! What a chat template is given: messages, tools and variables.

use serde_json::{Map, Value};

use super::clock;
use crate::error::{Error, Result};

/// A conversation to be turned into a prompt.
#[derive(Clone, Debug)]
pub struct Conversation {
    /// The messages in order: objects with `role`, `content` and whatever else the template reads (`tool_calls`,
    /// `reasoning_content`, `thinking`, ..).
    pub messages: Vec<Value>,
    /// The tools that the model may call, in the form of OpenAI's API; `None` is the template's `none`.
    pub tools: Option<Value>,
    /// Whether the prompt ends with the opening of the assistant's turn.
    pub add_generation_prompt: bool,
    /// Further variables (`enable_thinking`, ..). They also override `bos_token`, `eos_token` and the fields above.
    pub variables: Map<String, Value>,
    /// The time that the template sees, in seconds since 1970 (UTC).
    pub now: i64,
}

impl Conversation {
    /// A conversation without tools and variables that waits for the assistant; its clock is `SOURCE_DATE_EPOCH` where
    /// that is set, else the system's.
    ///
    /// # Errors
    ///
    /// `SOURCE_DATE_EPOCH` is no number.
    pub fn new(messages: Vec<Value>) -> Result<Self> {
        Ok(Self { messages, tools: None, add_generation_prompt: true, variables: Map::new(), now: clock::now()? })
    }

    /// Reads `{"messages": [..], "tools": [..], "add_generation_prompt": true, "variables": {..}}`, all but the
    /// messages optional and other fields ignored, or the list of messages alone.
    ///
    /// # Errors
    ///
    /// The text is not JSON (line and column are named), or a field is not of its type.
    pub fn from_json(text: &str) -> Result<Self> {
        let root: Value = serde_json::from_str(text).map_err(|e| invalid(format!("not JSON: {e}")))?;
        let mut fields = match root {
            Value::Object(fields) => fields,
            Value::Array(_) => Map::from_iter([("messages".to_owned(), root)]),
            _ => return Err(invalid("expected an object with \"messages\"")),
        };
        let messages = match fields.swap_remove("messages") {
            Some(Value::Array(messages)) => messages,
            Some(_) => return Err(invalid("\"messages\" is not a list")),
            None => return Err(invalid("there is no \"messages\"")),
        };
        for (index, message) in messages.iter().enumerate() {
            if !message.get("role").is_some_and(Value::is_string) {
                return Err(invalid(format!("message {index} is no object with a \"role\"")));
            }
        }
        let mut conversation = Self::new(messages)?;
        conversation.tools = fields.swap_remove("tools").filter(|tools| !tools.is_null());
        match fields.swap_remove("add_generation_prompt") {
            None | Some(Value::Null) => {}
            Some(Value::Bool(add)) => conversation.add_generation_prompt = add,
            Some(_) => return Err(invalid("\"add_generation_prompt\" is neither true nor false")),
        }
        match fields.swap_remove("variables") {
            None | Some(Value::Null) => {}
            Some(Value::Object(variables)) => conversation.variables = variables,
            Some(_) => return Err(invalid("\"variables\" is not an object")),
        }
        Ok(conversation)
    }
}

fn invalid(what: impl std::fmt::Display) -> Error {
    Error::Unsupported(format!("conversation: {what}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_is_read_and_a_bare_list_is_the_messages() {
        let text = r#"{"messages": [{"role": "user", "content": "a"}], "tools": null, "add_generation_prompt": false,
                       "variables": {"enable_thinking": false}, "name": "ignored"}"#;
        let read = Conversation::from_json(text).unwrap();
        assert_eq!((read.messages.len(), read.tools, read.add_generation_prompt), (1, None, false));
        assert_eq!(read.variables["enable_thinking"], false);
        let bare = Conversation::from_json(r#"[{"role": "user"}]"#).unwrap();
        assert!(bare.add_generation_prompt && bare.messages.len() == 1);
    }

    #[test]
    fn each_wrong_field_is_named() {
        for (text, named) in [
            ("{", "not JSON"),
            ("3", "messages"),
            ("{}", "messages"),
            (r#"{"messages": 1}"#, "messages"),
            (r#"[{"role": 1}]"#, "message 0"),
            (r#"[{"role": "user"}, "x"]"#, "message 1"),
            (r#"{"messages": [], "add_generation_prompt": 1}"#, "add_generation_prompt"),
            (r#"{"messages": [], "variables": []}"#, "variables"),
        ] {
            let message = Conversation::from_json(text).unwrap_err().to_string();
            assert!(message.contains(named), "{text}: {message}");
        }
    }
}
