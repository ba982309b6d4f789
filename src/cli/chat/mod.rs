//! `foregate chat`: a conversation with a model.

mod dialogue;
pub(super) mod display;
mod lines;

use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};

use crate::cli::flags::{EngineFlags, ModelFlag, RunFlags};
use crate::cli::interrupt::Interrupt;
use crate::cli::sampling::SamplingFlags;
use crate::cli::{demo, message, open};
use crate::error::{Error, Result};
use crate::generate::plan::text::ChatText;
use crate::generate::stream::{Ended, LanguageModel};
use crate::os;
use crate::report::run::stats_text;
use crate::tokenizer::template::thoughts::Format;
use dialogue::Dialogue;
use display::Display;
use lines::{Line, Lines};

/// Chat with a model.
///
/// On a terminal: Ctrl-C stops an answer, Ctrl-D leaves, /help lists the commands. Without a terminal each line of stdin
/// is a turn. Three presses of Ctrl-C in one answer end the program.
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
    #[command(flatten)]
    run: RunFlags,
}

const HELP: &str = "\
/help           this list
/stats          speed, hit rates, bytes read and stall of the last answer
/system TEXT    begin anew with this system prompt; without TEXT, with none
/reset          forget the conversation
/exit           leave (also Ctrl-D)
Ctrl-C stops an answer, or clears the line.
";

/// What a line asks of the program.
#[derive(Debug, PartialEq)]
enum Command<'a> {
    Help,
    Stats,
    System(&'a str),
    Reset,
    Exit,
    /// No command that there is.
    Unknown,
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
            line => match line.split_once(char::is_whitespace) {
                Some(("/system", text)) => Some(Self::System(text.trim())),
                // a path such as /usr/bin is no command
                split => {
                    let word = split.map_or(line, |(word, _)| word).strip_prefix('/')?;
                    let letters = !word.is_empty() && word.chars().all(char::is_alphabetic);
                    letters.then_some(Self::Unknown)
                }
            },
        }
    }
}

pub fn run(args: &Args) -> Result<()> {
    args.engine.check()?;
    if args.chat_template.as_deref() == Some(Path::new("-")) {
        return Err(Error::Usage("--chat-template cannot be stdin: messages come from there".into()));
    }
    let lines = Some(PathBuf::from("-"));
    args.run.check([(&args.chat_template, "the chat template"), (&lines, "the file of the messages")])?;
    let path = demo::find(args.model.model.as_deref())?;
    let file = open::model_file(&path, &args.engine, None)?;
    let tokenizer = open::tokenizer(&file.gguf)?;
    let template = open::template(&file.gguf, args.chat_template.as_deref())?;
    let format = Format::of_model(&template, &file.gguf, &tokenizer);
    let interrupt = Interrupt::install()?;
    let ChatText { longest, encoding, held } = ChatText::new(file.config.ctx);
    let mut opened = open::engine(file, &args.engine, Some(&args.run), held)?;
    let mut lines = Lines::new(&interrupt, longest)?;
    let mut display = Display::new();
    let mut dialogue = Dialogue::new(&tokenizer, &template, format, &args.sampling, args.system.clone(), encoding);
    if args.engine.verbose {
        message::note(&format!("seed {}", dialogue.seed()));
    }
    if io::stdin().is_terminal() {
        interrupt.keep_conversation();
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
            Line::Broken => {
                failed += 1;
                message::note("a line that is not UTF-8 text is left out");
                continue;
            }
            Line::TooLong => {
                failed += 1;
                message::note(&format!(
                    "a line of more than {longest} bytes is left out: a larger --ctx takes longer ones"
                ));
                continue;
            }
        };
        match Command::parse(&line) {
            Some(Command::Help) => message::block(HELP),
            Some(Command::Exit) => break,
            Some(Command::Unknown) => {
                failed += 1;
                message::note("no such command: /help lists them");
            }
            Some(Command::Reset) => dialogue.reset(),
            Some(Command::System(text)) => dialogue.set_system(text),
            Some(Command::Stats) => match dialogue.last() {
                Some(stats) => message::block(&stats_text(stats, os::peak_resident_bytes())),
                None => message::note("no answer yet"),
            },
            None => {
                let turn = interrupt.during(|cancel| dialogue.turn(&mut opened.engine, &line, cancel, &mut display));
                opened.end_turn(lines.interactive())?;
                display.end_of_answer(turn.is_ok())?;
                match turn {
                    Ok(ended) => {
                        tell(ended, opened.engine.ctx());
                        if let Some(stats) = dialogue.last().filter(|_| args.stats) {
                            message::block(&stats_text(stats, os::peak_resident_bytes()));
                        }
                    }
                    Err(e @ (Error::ContextFull { .. } | Error::TextTooLong { .. } | Error::Template(_))) => {
                        failed += 1;
                        message::note(&format!("{e}; the message is not kept, and /reset forgets the conversation"));
                    }
                    Err(e) => return Err(e),
                }
            }
        }
    }
    opened.finish()?;
    match failed {
        0 => Ok(()),
        _ if lines.interactive() => Ok(()),
        n => Err(Error::Unsupported(format!("{n} of the lines got no answer"))),
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
    fn a_first_word_of_a_slash_and_letters_is_a_command() {
        assert_eq!(Command::parse(" /reset "), Some(Command::Reset));
        assert_eq!(Command::parse("/system be brief "), Some(Command::System("be brief")));
        assert_eq!(Command::parse("/system"), Some(Command::System("")));
        for line in ["reset", "/usr/bin is what?", "/", "/ what?", "/2 is half", "a /reset", "//"] {
            assert_eq!(Command::parse(line), None, "{line}");
        }
        for line in ["/resetting", "/bogus", "/bogus please", "/reset please", "/systematic"] {
            assert_eq!(Command::parse(line), Some(Command::Unknown), "{line}");
        }
    }
}
