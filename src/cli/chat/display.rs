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

    /// Ends the answer's last line.
    pub fn end_of_answer(&mut self) -> Result<()> {
        let open = self.last.is_none() || self.last == Some(Kind::Thought) || !self.line_ended;
        self.last = None;
        self.line_ended = true;
        if open { out::write(b"\n") } else { Ok(()) }
    }
}
