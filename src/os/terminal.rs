//! The terminal's modes, which a line editor changes while a line is typed: a process that ends at once leaves them as
//! they were.
//!
//! As in `unfinished.rs`, what ends the process may be a signal's handler.

#[cfg(unix)]
pub use unix::{KeptModes, restore_terminal};

#[cfg(unix)]
mod unix {
    use std::ptr;
    use std::sync::atomic::{AtomicPtr, Ordering};

    /// To be set again; null: none. Never freed, since a handler may be reading it: some sixty bytes per line that is typed.
    static MODES: AtomicPtr<libc::termios> = AtomicPtr::new(ptr::null_mut());

    /// What ends the marks around pasted text, which the editor has the terminal send.
    const PASTE_UNMARKED: &[u8] = b"\x1b[?2004l";

    /// While this lives, [`restore_terminal`] gives the terminal at stdin the modes back that it had before. There is one at
    /// a time.
    #[derive(Debug)]
    pub struct KeptModes(());

    impl KeptModes {
        /// Keeps the modes that the terminal has now. Where stdin is none, nothing is kept.
        pub fn of_stdin() -> Self {
            // SAFETY: a `termios` of zeros is a valid value, and the call fills it.
            let (known, modes) = unsafe {
                let mut modes: libc::termios = std::mem::zeroed();
                (libc::tcgetattr(libc::STDIN_FILENO, &mut modes) == 0, modes)
            };
            if known {
                MODES.store(Box::into_raw(Box::new(modes)), Ordering::Release);
            }
            Self(())
        }
    }

    impl Drop for KeptModes {
        fn drop(&mut self) {
            MODES.store(ptr::null_mut(), Ordering::Release);
        }
    }

    /// Gives the terminal its modes back, if they are kept and it is ours. For a process that ends now, in a signal's handler
    /// too.
    pub fn restore_terminal() {
        let modes = MODES.load(Ordering::Acquire);
        if modes.is_null() || in_background() {
            return;
        }
        // SAFETY: what stands here came from `Box::into_raw` and is never freed; tcsetattr is async-signal-safe.
        unsafe { libc::tcsetattr(libc::STDIN_FILENO, libc::TCSANOW, modes) };
        if takes_bytes() {
            // SAFETY: the bytes are a constant's, as many as are named; write is async-signal-safe.
            unsafe { libc::write(libc::STDOUT_FILENO, PASTE_UNMARKED.as_ptr().cast(), PASTE_UNMARKED.len()) };
        }
    }

    /// Whether the terminal is another's now, such as the shell's that has stopped us: setting its modes would disturb that
    /// one, and stop us in place of ending.
    fn in_background() -> bool {
        // SAFETY: both calls touch no memory and are async-signal-safe.
        let (front, ours) = unsafe { (libc::tcgetpgrp(libc::STDIN_FILENO), libc::getpgrp()) };
        // none: it is not the terminal of our session, and has no say
        front > 0 && front != ours
    }

    /// Whether stdout would take some bytes at once: an end must not wait for a terminal that is held.
    fn takes_bytes() -> bool {
        let mut stdout = libc::pollfd { fd: libc::STDOUT_FILENO, events: libc::POLLOUT, revents: 0 };
        // SAFETY: one entry is named, which lives; poll is async-signal-safe.
        unsafe { libc::poll(&mut stdout, 1, 0) == 1 && stdout.revents & libc::POLLOUT != 0 }
    }
}

/// Elsewhere no signal ends the process so.
#[cfg(not(unix))]
mod elsewhere {
    /// Nothing is kept.
    #[derive(Debug)]
    pub struct KeptModes(());

    impl KeptModes {
        /// See the type.
        pub fn of_stdin() -> Self {
            Self(())
        }
    }

    /// Does nothing.
    pub fn restore_terminal() {}
}

#[cfg(not(unix))]
pub use elsewhere::{KeptModes, restore_terminal};
