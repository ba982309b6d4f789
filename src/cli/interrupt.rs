//! Ctrl-C: it stops an answer and not the program.

use std::process;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::error::{Error, Result};

/// Exit code of a program that Ctrl-C ended, as shells expect it.
const INTERRUPTED: i32 = 130;

/// Knows whether an answer is under way, and whether Ctrl-C was pressed since it began.
#[derive(Clone, Debug, Default)]
pub struct Interrupt(Arc<State>);

#[derive(Debug, Default)]
struct State {
    answering: AtomicBool,
    pressed: AtomicBool,
}

impl Interrupt {
    /// Takes Ctrl-C over: during an answer the first one asks it to stop; a second one, or one at any other time, ends
    /// the program.
    ///
    /// # Errors
    /// The system does not let us.
    pub fn install() -> Result<Self> {
        let interrupt = Self::default();
        let state = interrupt.0.clone();
        let handler = move || {
            if !state.answering.load(Ordering::SeqCst) || state.pressed.swap(true, Ordering::SeqCst) {
                process::exit(INTERRUPTED);
            }
        };
        ctrlc::set_handler(handler).map_err(|e| Error::Unsupported(format!("Ctrl-C cannot be caught: {e}")))?;
        Ok(interrupt)
    }

    /// Runs an answer; what it is given says whether it should stop.
    pub fn during<T>(&self, answer: impl FnOnce(&dyn Fn() -> bool) -> T) -> T {
        self.0.pressed.store(false, Ordering::SeqCst);
        self.0.answering.store(true, Ordering::SeqCst);
        let result = answer(&|| self.0.pressed.load(Ordering::SeqCst));
        self.0.answering.store(false, Ordering::SeqCst);
        result
    }
}
