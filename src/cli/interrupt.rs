//! Ctrl-C: it stops an answer and not the conversation.

use std::process;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use crate::cli::{message, out};
use crate::error::{Error, Result};
use crate::os;

/// Exit code of a program that Ctrl-C ended, as shells expect it.
pub const INTERRUPTED: u8 = 130;

/// The press during one answer that ends the program, in case the answer does not stop.
const LAST: usize = 3;

/// What Ctrl-C means at a prompt that it does not leave.
pub const HINT: &str = "/exit or Ctrl-D leaves";

/// What stands before the cursor where a message is typed.
pub const PROMPT: &str = "> ";

/// Knows what the program is at, and how often Ctrl-C was pressed since an answer began.
#[derive(Clone, Debug, Default)]
pub struct Interrupt(Arc<State>);

#[derive(Debug, Default)]
struct State {
    answering: AtomicBool,
    at_terminal: AtomicBool,
    at_prompt: AtomicBool,
    presses: AtomicUsize,
}

impl Interrupt {
    /// Takes Ctrl-C over: it ends the program, but as [`Interrupt::during`] and [`Interrupt::keep_conversation`] say. Where
    /// the program began with its signal ignored, it stays so and does nothing.
    ///
    /// # Errors
    /// The system does not let us.
    pub fn install() -> Result<Self> {
        let interrupt = Self::default();
        if os::ignores_interrupts() {
            return Ok(interrupt);
        }
        let state = interrupt.0.clone();
        let handler = move || {
            if state.press() {
                os::end_results();
                process::exit(INTERRUPTED.into());
            }
        };
        ctrlc::set_handler(handler).map_err(|e| Error::Unsupported(format!("Ctrl-C cannot be caught: {e}")))?;
        Ok(interrupt)
    }

    /// From now on Ctrl-C between answers gives a hint alone: a person at a terminal would lose the conversation. (At its
    /// prompt the line editor takes the key itself; this is for the moments around it, and for terminals that it cannot
    /// edit on.)
    pub fn keep_conversation(&self) {
        self.0.at_terminal.store(true, Ordering::SeqCst);
    }

    /// Reads a line at a terminal that cannot edit: there Ctrl-C gives the prompt anew.
    pub fn at_prompt<T>(&self, read: impl FnOnce() -> T) -> T {
        self.0.at_prompt.store(true, Ordering::SeqCst);
        let line = read();
        self.0.at_prompt.store(false, Ordering::SeqCst);
        line
    }

    /// Runs an answer; what it is given says whether it should stop. One press asks for that, and the third of one answer
    /// ends the program.
    pub fn during<T>(&self, answer: impl FnOnce(&dyn Fn() -> bool) -> T) -> T {
        self.0.presses.store(0, Ordering::SeqCst);
        self.0.answering.store(true, Ordering::SeqCst);
        let result = answer(&|| self.0.presses.load(Ordering::SeqCst) > 0);
        self.0.answering.store(false, Ordering::SeqCst);
        result
    }
}

impl State {
    /// Ctrl-C was pressed; whether that ends the program.
    fn press(&self) -> bool {
        if self.answering.load(Ordering::SeqCst) {
            return self.presses.fetch_add(1, Ordering::SeqCst) + 1 >= LAST;
        }
        let stays = self.at_terminal.load(Ordering::SeqCst);
        if stays {
            message::block("\n");
            message::note(HINT);
            if self.at_prompt.load(Ordering::SeqCst) {
                // a terminal that is gone will end the program where the line is read
                let _ = out::write(PROMPT.as_bytes());
            }
        }
        !stays
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_press_stops_an_answer_and_the_third_ends_the_program() {
        let interrupt = Interrupt::default();
        assert!(interrupt.0.press(), "nothing is answered");
        for _ in 0..2 {
            interrupt.during(|cancel| {
                assert!(!cancel(), "presses do not outlive an answer");
                assert!(!interrupt.0.press() && cancel());
                assert!(!interrupt.0.press() && cancel());
                assert!(interrupt.0.press());
            });
        }
    }

    #[test]
    fn no_press_leaves_a_conversation_at_a_terminal() {
        let interrupt = Interrupt::default();
        interrupt.keep_conversation();
        assert!((0..5).all(|_| !interrupt.0.press()));
    }
}
