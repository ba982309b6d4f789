//! `foregate chat`: a conversation with a model.

mod dialogue;
mod display;
mod lines;

use std::path::{Path, PathBuf};

use crate::cli::flags::{EngineFlags, ModelFlag, SamplingFlags};
use crate::cli::interrupt::Interrupt;
use crate::cli::{demo, message, open};
use crate::error::{Error, Result};
use crate::generate::stream::{Ended, LanguageModel};
use crate::gguf::Gguf;
use crate::os;
use crate::report::run::stats_text;
use dialogue::Dialogue;
use display::Display;
use lines::{Line, Lines};

/// Chat with a model.
///
/// On a terminal: Ctrl-C stops an answer, Ctrl-D leaves, /help lists the commands. Without a terminal each line of stdin
/// is a turn.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  foregate chat model.gguf --memory 8GiB\n  \
    echo \"Name three rivers.\" | foregate chat model.gguf --temp 0")]
pub struct Args {
    #[command(flatten)]
    model: ModelFlag,
    /// System prompt
    #[arg(short, long, value_name = "TEXT")]
    system: Option<String>,
    /// Chat template to use instead of the model's
    #[arg(long, value_name = "FILE")]
    chat_template: Option<PathBuf>,
    /// Print speed, hit rates, bytes read and stall to stderr after each answer
    #[arg(long)]
    stats: bool,
    #[command(flatten)]
    sampling: SamplingFlags,
    #[command(flatten)]
    engine: EngineFlags,
}

const HELP: &str = "\
/help           this list
/stats          speed, hit rates, bytes read and stall of the last answer
/system TEXT    begin anew with this system prompt; without TEXT, with none
/reset          forget the conversation
/exit           leave (also Ctrl-D)
Ctrl-C stops an answer.
";

/// What a line asks of the program.
#[derive(Debug, PartialEq)]
enum Command<'a> {
    Help,
    Stats,
    System(&'a str),
    Reset,
    Exit,
}

impl<'a> Command<'a> {
    /// `None` for a line that is meant for the model.
    fn parse(line: &'a str) -> Option<Self> {
        match line.trim() {
            "/help" => Some(Self::Help),
            "/stats" => Some(Self::Stats),
            "/reset" => Some(Self::Reset),
            "/exit" | "/quit" => Some(Self::Exit),
            "/system" => Some(Self::System("")),
            line => line.strip_prefix("/system ").map(|text| Self::System(text.trim())),
        }
    }
}

pub fn run(args: &Args) -> Result<()> {
    args.engine.check()?;
    if args.chat_template.as_deref() == Some(Path::new("-")) {
        return Err(Error::Usage("--chat-template cannot be stdin: messages come from there".into()));
    }
    let path = demo::find(args.model.model.as_deref())?;
    let gguf = Gguf::open(&path)?;
    let tokenizer = open::tokenizer(&gguf)?;
    let template = open::template(&gguf, args.chat_template.as_deref())?;
    drop(gguf);
    let interrupt = Interrupt::install()?;
    let mut opened = open::engine(&path, &args.engine, None)?;
    let mut lines = Lines::new()?;
    let mut display = Display::new();
    let mut dialogue = Dialogue::new(&tokenizer, &template, &args.sampling, args.system.clone());
    if args.engine.verbose {
        message::note(&format!("seed {}", dialogue.seed()));
    }
    if lines.interactive() {
        message::note("type a message; /help lists the commands, Ctrl-D leaves");
    }

    let mut failed = 0;
    loop {
        let line = match lines.next()? {
            Line::End => break,
            Line::Text(line) if line.trim().is_empty() => continue,
            Line::Text(line) => line,
        };
        match Command::parse(&line) {
            Some(Command::Help) => message::block(HELP),
            Some(Command::Exit) => break,
            Some(Command::Reset) => dialogue.reset(),
            Some(Command::System(text)) => dialogue.set_system(text),
            Some(Command::Stats) => match dialogue.last() {
                Some(stats) => message::block(&stats_text(stats, os::peak_resident_bytes())),
                None => message::note("no answer yet"),
            },
            None => {
                let turn = interrupt.during(|cancel| dialogue.turn(&mut opened.engine, &line, cancel, &mut display));
                display.end_of_answer(turn.is_ok())?;
                match turn {
                    Ok(ended) => {
                        tell(ended, opened.engine.ctx());
                        if let Some(stats) = dialogue.last().filter(|_| args.stats) {
                            message::block(&stats_text(stats, os::peak_resident_bytes()));
                        }
                    }
                    Err(e @ (Error::ContextFull { .. } | Error::Template(_))) => {
                        failed += 1;
                        message::note(&format!("{e}; the message is not kept, and /reset forgets the conversation"));
                    }
                    Err(e) => return Err(e),
                }
            }
        }
    }
    match failed {
        0 => Ok(()),
        _ if lines.interactive() => Ok(()),
        n => Err(Error::Unsupported(format!("{n} of the messages got no answer"))),
    }
}

/// Says why an answer is cut short.
fn tell(ended: Ended, ctx: usize) {
    match ended {
        Ended::EndToken | Ended::StopText => {}
        Ended::Interrupted => message::note("stopped"),
        Ended::Length => message::note("cut at -n tokens"),
        Ended::ContextFull => message::note(&format!(
            "the context of {ctx} tokens is full and the answer is cut: /reset forgets the conversation, --ctx makes room"
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::Command;

    #[test]
    fn only_known_commands_are_commands() {
        assert_eq!(Command::parse(" /reset "), Some(Command::Reset));
        assert_eq!(Command::parse("/system be brief "), Some(Command::System("be brief")));
        assert_eq!(Command::parse("/system"), Some(Command::System("")));
        for line in ["/resetting", "reset", "/usr/bin is what?", "/systematic"] {
            assert_eq!(Command::parse(line), None, "{line}");
        }
    }
}
