//! Where messages come from: a line editor on a terminal, stdin elsewhere.

use std::cell::Cell;
use std::env;
use std::fs;
use std::io::{self, BufRead, IsTerminal};
use std::path::PathBuf;

use rustyline::completion::Completer;
use rustyline::error::ReadlineError;
use rustyline::highlight::Highlighter;
use rustyline::hint::Hinter;
use rustyline::history::DefaultHistory;
use rustyline::validate::Validator;
use rustyline::{Context, Helper};

use crate::cli::interrupt::HINT;
use crate::cli::message;
use crate::error::{Error, Result};

/// What was read.
pub enum Line {
    /// A line without its end.
    Text(String),
    /// A line that is not UTF-8 text.
    Broken,
    /// The user has left.
    End,
}

/// A line editor that knows whether its line is empty.
pub type Editor = rustyline::Editor<Watch, DefaultHistory>;

/// Sees whether the line under the cursor is empty, which the editor does not tell when Ctrl-C ends it.
pub struct Watch {
    empty: Cell<bool>,
}

impl Hinter for Watch {
    type Hint = String;

    fn hint(&self, line: &str, _: usize, _: &Context<'_>) -> Option<String> {
        self.empty.set(line.is_empty());
        None
    }
}

impl Completer for Watch {
    type Candidate = String;
}

impl Highlighter for Watch {}
impl Validator for Watch {}
impl Helper for Watch {}

/// A source of lines.
pub enum Lines {
    /// A person at a terminal, with editing and history.
    Editor(Box<Editor>),
    /// A pipe or a file.
    Stdin,
}

impl Lines {
    /// The editor where stdin and stdout are a terminal.
    ///
    /// # Errors
    /// The terminal cannot be set up.
    pub fn new() -> Result<Self> {
        if !(io::stdin().is_terminal() && io::stdout().is_terminal()) {
            return Ok(Self::Stdin);
        }
        let mut editor = Editor::new().map_err(terminal_error)?;
        editor.set_helper(Some(Watch { empty: Cell::new(true) }));
        if let Some(path) = history_path() {
            // No history yet, or one that cannot be read, is an empty one.
            let _ = editor.load_history(&path);
        }
        Ok(Self::Editor(Box::new(editor)))
    }

    /// Whether a person is typing.
    pub fn interactive(&self) -> bool {
        matches!(self, Self::Editor(_))
    }

    /// The next line. At the editor Ctrl-D ends, and Ctrl-C clears the line, or says how to leave where it is empty.
    ///
    /// # Errors
    /// Stdin cannot be read.
    pub fn next(&mut self) -> Result<Line> {
        let editor = match self {
            Self::Editor(editor) => editor,
            Self::Stdin => return next_of_stdin(),
        };
        loop {
            match editor.readline("> ") {
                Ok(line) => {
                    remember(editor, &line);
                    return Ok(Line::Text(line));
                }
                Err(ReadlineError::Eof) => return Ok(Line::End),
                // the key, and the signal from elsewhere
                Err(ReadlineError::Interrupted | ReadlineError::Signal(_)) => {
                    if editor.helper().is_none_or(|watch| watch.empty.get()) {
                        message::note(HINT);
                    }
                }
                Err(ReadlineError::Io(e)) if e.kind() == io::ErrorKind::InvalidData => return Ok(Line::Broken),
                Err(other) => return Err(terminal_error(other)),
            }
        }
    }
}

fn next_of_stdin() -> Result<Line> {
    let mut line = Vec::new();
    match io::stdin().lock().read_until(b'\n', &mut line) {
        Ok(0) => Ok(Line::End),
        Ok(_) => Ok(String::from_utf8(line)
            .map_or(Line::Broken, |line| Line::Text(line.trim_end_matches(['\n', '\r']).to_owned()))),
        Err(e) => Err(Error::io("stdin", e)),
    }
}

/// Keeps a line for the next time. A history that cannot be written is no reason to stop.
fn remember(editor: &mut Editor, line: &str) {
    if line.trim().is_empty() || !matches!(editor.add_history_entry(line), Ok(true)) {
        return;
    }
    if let Some(path) = history_path() {
        if let Some(dir) = path.parent() {
            let _ = fs::create_dir_all(dir);
        }
        let _ = editor.append_history(&path);
    }
}

/// `foregate/history` in the directory where the system keeps a user's state.
fn history_path() -> Option<PathBuf> {
    let dir = |variable: &str| env::var_os(variable).map(PathBuf::from).filter(|path| path.is_absolute());
    let state = if cfg!(windows) {
        dir("LOCALAPPDATA")
    } else {
        dir("XDG_STATE_HOME").or_else(|| dir("HOME").map(|home| home.join(".local/state")))
    };
    state.map(|state| state.join("foregate").join("history"))
}

fn terminal_error(e: ReadlineError) -> Error {
    Error::io("terminal", io::Error::other(e))
}
