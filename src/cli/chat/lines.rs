//! Where messages come from: a line editor on a terminal, stdin elsewhere.

use std::env;
use std::fs;
use std::io::{self, BufRead, IsTerminal, Read};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rustyline::error::ReadlineError;
use rustyline::history::DefaultHistory;
use rustyline::{Cmd, ConditionalEventHandler, Event, EventContext, EventHandler, KeyEvent, RepeatCount};

use crate::cli::interrupt::{HINT, Interrupt, PROMPT};
use crate::cli::{message, state};
use crate::error::{Error, Result};
use crate::os::KeptModes;

/// What was read.
pub enum Line {
    /// A line without its end.
    Text(String),
    /// A line that is not UTF-8 text.
    Broken,
    /// A line of more bytes than are taken.
    TooLong,
    /// The user has left.
    End,
}

/// The line editor.
pub type Editor = rustyline::Editor<(), DefaultHistory>;

/// Ctrl-C at the editor. Its own answer is an error, with which it forgets the keys that came in the same read: those of a
/// line that is typed or pasted right behind. So the key takes the line as Enter does, and is remembered.
#[derive(Clone, Default)]
struct CtrlC(Arc<AtomicBool>);

impl CtrlC {
    /// Whether it ended the line that was read last.
    fn take(&self) -> bool {
        self.0.swap(false, Ordering::SeqCst)
    }
}

impl ConditionalEventHandler for CtrlC {
    fn handle(&self, _: &Event, _: RepeatCount, _: bool, _: &EventContext<'_>) -> Option<Cmd> {
        self.0.store(true, Ordering::SeqCst);
        Some(Cmd::AcceptLine)
    }
}

/// A source of lines.
pub enum Lines {
    /// A person at a terminal, with editing and history.
    Editor(Box<Person>),
    /// A pipe or a file, and how many bytes a line of it may have.
    Stdin(usize),
}

/// Who types, and what with.
pub struct Person {
    editor: Editor,
    ctrl_c: CtrlC,
    /// What Ctrl-C does where the editor cannot take the key.
    interrupt: Interrupt,
}

impl Lines {
    /// The editor where stdin and stdout are a terminal; elsewhere lines may have up to `longest` bytes.
    ///
    /// # Errors
    /// The terminal cannot be set up.
    pub fn new(interrupt: &Interrupt, longest: usize) -> Result<Self> {
        if !(io::stdin().is_terminal() && io::stdout().is_terminal()) {
            return Ok(Self::Stdin(longest));
        }
        let mut editor = Editor::new().map_err(terminal_error)?;
        let ctrl_c = CtrlC::default();
        editor.bind_sequence(KeyEvent::ctrl('C'), EventHandler::Conditional(Box::new(ctrl_c.clone())));
        if let Some(path) = history_path() {
            // No history yet, or one that cannot be read, is an empty one.
            let _ = editor.load_history(&path);
        }
        Ok(Self::Editor(Box::new(Person { editor, ctrl_c, interrupt: interrupt.clone() })))
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
        let Person { editor, ctrl_c, interrupt } = match self {
            Self::Editor(person) => &mut **person,
            Self::Stdin(longest) => return next_of(&mut io::stdin().lock(), *longest),
        };
        loop {
            let read = if edits() { edited(editor) } else { interrupt.at_prompt(|| editor.readline(PROMPT)) };
            match read {
                Ok(line) if ctrl_c.take() => {
                    if line.is_empty() {
                        message::note(HINT);
                    }
                }
                Ok(line) => {
                    remember(editor, &line);
                    return Ok(Line::Text(line));
                }
                Err(ReadlineError::Eof) => return Ok(Line::End),
                // the signal, from elsewhere
                Err(ReadlineError::Interrupted | ReadlineError::Signal(_)) => message::note(HINT),
                Err(ReadlineError::Io(e)) if e.kind() == io::ErrorKind::InvalidData => return Ok(Line::Broken),
                Err(other) => return Err(terminal_error(other)),
            }
        }
    }
}

/// Reads a line with the terminal in the editor's modes; a signal that ends the program meanwhile takes them back.
fn edited(editor: &mut Editor) -> rustyline::Result<String> {
    let _kept = KeptModes::of_stdin();
    editor.readline(PROMPT)
}

/// Whether the editor can edit on this terminal; on others it reads lines as the terminal gives them.
fn edits() -> bool {
    let term = env::var("TERM").unwrap_or_default();
    !["dumb", "cons25", "emacs"].iter().any(|name| term.eq_ignore_ascii_case(name))
}

/// The next line. The rest of one that is too long is passed over.
fn next_of(input: &mut dyn BufRead, longest: usize) -> Result<Line> {
    let failed = |e| Error::io("stdin", e);
    let mut line = Vec::new();
    // beside its text a line may end in "\r\n"
    let most = longest as u64 + 2;
    if input.take(most).read_until(b'\n', &mut line).map_err(failed)? == 0 {
        return Ok(Line::End);
    }
    if line.len() as u64 == most && !line.ends_with(b"\n") {
        input.skip_until(b'\n').map_err(failed)?;
        return Ok(Line::TooLong);
    }
    Ok(String::from_utf8(line).map_or(Line::Broken, |line| Line::Text(line.trim_end_matches(['\n', '\r']).to_owned())))
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

/// The file of lines typed before.
fn history_path() -> Option<PathBuf> {
    state::folder().map(|folder| folder.join("history"))
}

fn terminal_error(e: ReadlineError) -> Error {
    Error::io("terminal", io::Error::other(e))
}
