//! How answers and thoughts look.

use std::env;
use std::io::{self, IsTerminal};

use crate::cli::{message, out};
use crate::error::Result;
use crate::tokenizer::template::thoughts::Kind;

const DIM: &str = "\x1b[2m";
const PLAIN: &str = "\x1b[0m";

/// Shows an answer as it comes: on a terminal with its thoughts dimmed before it; elsewhere stdout has the answer alone
/// and thoughts go to stderr.
pub struct Display {
    terminal: bool,
    colour: bool,
    /// What was shown last in this answer.
    last: Option<Kind>,
    /// Whether the last character shown was a line's end.
    line_ended: bool,
}

impl Display {
    /// For this process's stdout.
    pub fn new() -> Self {
        let terminal = io::stdout().is_terminal();
        let plain =
            env::var_os("NO_COLOR").is_some_and(|v| !v.is_empty()) || env::var_os("TERM").is_some_and(|t| t == "dumb");
        Self { terminal, colour: terminal && !plain, last: None, line_ended: true }
    }

    /// Shows pieces in order.
    pub fn pieces(&mut self, pieces: &[(Kind, String)]) -> Result<()> {
        pieces.iter().try_for_each(|(kind, text)| self.piece(*kind, text))
    }

    fn piece(&mut self, kind: Kind, text: &str) -> Result<()> {
        let turned = self.last.is_some_and(|last| last != kind);
        if kind == Kind::Thought && !self.terminal {
            message::block(text);
        } else if kind == Kind::Thought && self.colour {
            out::write(format!("{DIM}{text}{PLAIN}").as_bytes())?;
        } else {
            let gap = if turned && self.terminal { "\n\n" } else { "" };
            out::write(format!("{gap}{text}").as_bytes())?;
        }
        if turned && !self.terminal {
            message::block("\n");
        }
        self.last = Some(kind);
        self.line_ended = text.ends_with('\n');
        Ok(())
    }

    /// Ends the answer's last line; `answered`: also where there was no word of it.
    pub fn end_of_answer(&mut self, answered: bool) -> Result<()> {
        let (last, line_ended) = (self.last.take(), std::mem::replace(&mut self.line_ended, true));
        if last == Some(Kind::Thought) && !self.terminal && !line_ended {
            message::block("\n");
        }
        let open = match last {
            None => answered,
            Some(Kind::Thought) => true,
            Some(Kind::Answer) => !line_ended,
        };
        if open { out::write(b"\n") } else { Ok(()) }
    }
}
