//! `foregate template`: the prompt that a conversation becomes.

use std::path::{Path, PathBuf};

use crate::cli::{demo, input, open, out};
use crate::error::{Error, Result};
use crate::gguf::Gguf;
use crate::tokenizer::template::{ChatTemplate, Conversation};

/// Print the prompt that a conversation becomes, and nothing else.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "The conversation is JSON: {\"messages\": [{\"role\": \"user\", \"content\": \"Hi\"}], \"tools\": [..], \
    \"add_generation_prompt\": true, \"variables\": {\"enable_thinking\": false}}, or the list of messages alone. All but \
    the messages may be left out; variables override bos_token, eos_token and the like. SOURCE_DATE_EPOCH fixes the \
    clock that templates see.\n\nExample:\n  foregate template model.gguf --messages conversation.json"
)]
pub struct Args {
    /// GGUF file, or the first shard of one [default: the demo model; none with --chat-template]
    #[arg(value_name = "MODEL")]
    model: Option<PathBuf>,
    /// The conversation; - is stdin
    #[arg(long, value_name = "FILE")]
    messages: PathBuf,
    /// A Jinja template in place of the model's; - is stdin
    #[arg(long, value_name = "FILE")]
    chat_template: Option<PathBuf>,
}

pub fn run(args: &Args) -> Result<()> {
    let stdin = Path::new("-");
    if args.messages == stdin && args.chat_template.as_deref() == Some(stdin) {
        return Err(Error::Usage("--messages and --chat-template cannot both be stdin".into()));
    }
    let template = template(args)?;
    let text = input::read_text(&args.messages, input::SMALL_FILE_MAX)?;
    let conversation = Conversation::from_json(&text).map_err(|e| match e {
        Error::Usage(_) => e,
        e => Error::file(if args.messages == stdin { Path::new("stdin") } else { &args.messages }, e.to_string()),
    })?;
    out::write(template.render(&conversation)?.as_bytes())
}

/// The template that was given, with the tokens of the model if there is one; else the model's own.
fn template(args: &Args) -> Result<ChatTemplate> {
    let Some(path) = &args.chat_template else {
        return open::template(&Gguf::open(&demo::find(args.model.as_deref())?)?, None);
    };
    if let Some(model) = &args.model {
        return open::template(&Gguf::open(model)?, Some(path));
    }
    let name = if path == Path::new("-") { "stdin".to_owned() } else { path.display().to_string() };
    ChatTemplate::from_text(&name, &input::read_text(path, input::SMALL_FILE_MAX)?, None, None)
}
