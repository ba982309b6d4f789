//! `foregate chat` and `generate` at a terminal: a pseudo-terminal, and somebody who waits for output and types.

#![cfg(target_os = "linux")]

mod common;

use std::fs::{self, File};
use std::io::{Read, Write};
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use common::{Dir, TestCommand, foregate, tiny_model};
use rustix::process::{Pid, Signal, kill_process};
use rustix::pty::{OpenptFlags, grantpt, ioctl_tiocgptpeer, openpt, unlockpt};
use rustix::termios::{ControlModes, InputModes, LocalModes, OutputModes, tcgetattr};

/// Far more than anything here takes: only a test that fails waits so long.
const LIMIT: Duration = Duration::from_secs(60);
const CTRL_C: &str = "\x03";
const CTRL_D: &str = "\x04";
const UP: &str = "\x1b[A";
/// What the editor sends when it has a line, and when it waits for one.
const LINE_TAKEN: &str = "\x1b[?2004l";
const PROMPT: &str = "> ";
const HINT: &str = "/exit or Ctrl-D leaves";

/// All that a program has written to its terminal, and whether it has closed it.
#[derive(Default)]
struct Written {
    bytes: Vec<u8>,
    closed: bool,
}

/// A program at a terminal of its own.
struct Terminal {
    child: Child,
    keyboard: File,
    screen: Arc<(Mutex<Written>, Condvar)>,
    /// Bytes of the screen that were waited for.
    seen: usize,
}

impl Terminal {
    fn start(command: TestCommand) -> Self {
        let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY;
        let keyboard = openpt(flags).unwrap();
        grantpt(&keyboard).unwrap();
        unlockpt(&keyboard).unwrap();
        let tty = File::from(ioctl_tiocgptpeer(&keyboard, flags | OpenptFlags::CLOEXEC).unwrap());
        // a session of its own, or the terminal could not send it the signals of its keys
        let mut session = Command::new("setsid");
        session.arg("--ctty").env("TERM", "xterm").env_remove("NO_COLOR");
        let mut session = command.behind(session).into_command();
        let end = || Stdio::from(tty.try_clone().unwrap());
        let child = session.stdin(end()).stdout(end()).stderr(end()).spawn().expect("setsid of util-linux");
        let mut output = File::from(keyboard.try_clone().unwrap());
        let screen = Arc::new((Mutex::<Written>::default(), Condvar::new()));
        let shared = screen.clone();
        thread::spawn(move || {
            let mut buffer = [0; 4096];
            loop {
                // a terminal that nobody has open any more is an error to read
                let n = output.read(&mut buffer).unwrap_or(0);
                let mut written = shared.0.lock().unwrap();
                written.bytes.extend(&buffer[..n]);
                written.closed = n == 0;
                shared.1.notify_all();
                if n == 0 {
                    return;
                }
            }
        });
        Self { child, keyboard: keyboard.into(), screen, seen: 0 }
    }

    fn types(&mut self, keys: impl AsRef<[u8]>) {
        self.keyboard.write_all(keys.as_ref()).unwrap();
    }

    /// Waits until one of `texts` is on the screen, behind what was waited for before; which, and what stands before it.
    fn wait_for_any(&mut self, texts: &[&str]) -> (usize, String) {
        let start = Instant::now();
        let mut written = self.screen.0.lock().unwrap();
        loop {
            let rest = &written.bytes[self.seen..];
            let find = |text: &str| rest.windows(text.len()).position(|w| w == text.as_bytes());
            if let Some((at, which)) = texts.iter().enumerate().filter_map(|(i, text)| Some((find(text)?, i))).min() {
                let before = String::from_utf8_lossy(&rest[..at]).into_owned();
                self.seen += at + texts[which].len();
                return (which, before);
            }
            let all = String::from_utf8_lossy(&written.bytes);
            assert!(!written.closed, "the program ended before {texts:?}: {all:?}");
            let left = LIMIT.checked_sub(start.elapsed());
            let left = left.unwrap_or_else(|| panic!("no {texts:?} in time: {all:?}"));
            written = self.screen.1.wait_timeout(written, left).unwrap().0;
        }
    }

    /// The same for one text: what stands before it.
    fn wait_for(&mut self, text: &str) -> String {
        self.wait_for_any(&[text]).1
    }

    /// Waits for an answer that -n cuts short; what is on the screen of it, and before it from the prompt on.
    fn answer(&mut self) -> String {
        let before = self.wait_for("foregate: cut at -n tokens");
        before.trim_start().replace("\r\n", "\n")
    }

    fn gets(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    /// What a program may change of the terminal; its keyboard's end tells, and outlives the program.
    fn modes(&self) -> (InputModes, OutputModes, ControlModes, LocalModes) {
        let now = tcgetattr(&self.keyboard).unwrap();
        (now.input_modes, now.output_modes, now.control_modes, now.local_modes)
    }

    /// Waits for the program's end; the signal that it died of.
    fn death(&mut self) -> Option<i32> {
        self.rest();
        self.child.wait().unwrap().signal()
    }

    /// Waits until the program has closed its terminal; what it wrote since the last wait.
    fn rest(&self) -> String {
        let start = Instant::now();
        let mut written = self.screen.0.lock().unwrap();
        while !written.closed {
            let left = LIMIT.checked_sub(start.elapsed()).expect("the program ends in time");
            written = self.screen.1.wait_timeout(written, left).unwrap().0;
        }
        String::from_utf8_lossy(&written.bytes[self.seen..]).into_owned()
    }

    /// Waits for the program's end; its exit code and what it wrote since the last wait.
    fn end(mut self) -> (Option<i32>, String) {
        let rest = self.rest();
        (self.child.wait().unwrap().code(), rest)
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // a test that failed leaves nothing behind
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A chat with a history of its own.
fn chat(dir: &Dir, args: &[&str]) -> Terminal {
    Terminal::start(chat_command(dir, args))
}

fn chat_command(dir: &Dir, args: &[&str]) -> TestCommand {
    foregate(["chat"]).arg(tiny_model()).args(args).env("XDG_STATE_HOME", dir.path())
}

const SHORT: [&str; 7] = ["--device", "cpu", "--temp", "0", "-n", "6", "--stats"];

/// The answers of a chat without a terminal to the same lines.
fn piped(args: &[&str], lines: &str) -> String {
    chat_command(&Dir::new(), args).stdin(lines).ok()
}

#[test]
fn lines_are_kept_from_one_run_to_the_next() {
    let dir = Dir::new();
    let mut first = chat(&dir, &SHORT);
    first.wait_for(PROMPT);
    first.types("a line to keep\r");
    first.wait_for("decode: ");
    first.wait_for(PROMPT);
    first.types("/exit\r");
    assert_eq!(first.end().0, Some(0));
    let history = fs::read_to_string(dir.path().join("foregate/history")).unwrap();
    assert!(history.contains("a line to keep"), "{history}");

    let mut second = chat(&dir, &SHORT);
    second.wait_for(PROMPT);
    second.types([UP, UP].concat());
    second.wait_for("a line to keep");
    second.types("\r");
    second.wait_for("decode: ");
    second.wait_for(PROMPT);
    second.types(CTRL_D);
    assert_eq!(second.end().0, Some(0));
}

#[test]
fn ctrl_c_clears_the_line_and_never_leaves_the_prompt() {
    let mut chat = chat(&Dir::new(), &SHORT);
    chat.wait_for(PROMPT);
    for word in ["abc", "def"] {
        chat.types(word);
        chat.wait_for(word);
        chat.types(CTRL_C);
        assert!(!chat.wait_for(PROMPT).contains(HINT), "a line was there to clear");
    }
    for _ in 0..3 {
        chat.types(CTRL_C);
        chat.wait_for(HINT);
        chat.wait_for(PROMPT);
    }
    chat.types("hello\r");
    chat.wait_for(LINE_TAKEN);
    assert_eq!(chat.answer(), piped(&SHORT, "hello\n"), "nothing of the cleared lines is sent");
    chat.wait_for(PROMPT);
    chat.types("/exit\r");
    assert_eq!(chat.end().0, Some(0));
}

#[test]
fn what_comes_right_behind_ctrl_c_is_kept() {
    let mut chat = chat(&Dir::new(), &SHORT);
    chat.wait_for(PROMPT);
    // one write, and so one read
    chat.types(format!("abc{CTRL_C}hello\r/exit\r"));
    chat.wait_for(LINE_TAKEN);
    chat.wait_for(LINE_TAKEN);
    assert_eq!(chat.answer(), piped(&SHORT, "hello\n"));
    assert_eq!(chat.end().0, Some(0));
}

#[test]
fn ctrl_c_leaves_no_prompt_of_a_terminal_that_cannot_edit() {
    let mut chat = Terminal::start(chat_command(&Dir::new(), &SHORT).env("TERM", "dumb"));
    chat.wait_for(PROMPT);
    chat.types("abc");
    for _ in 0..3 {
        chat.types(CTRL_C);
        chat.wait_for(HINT);
        assert_eq!(chat.wait_for(PROMPT).trim(), "", "the prompt comes again");
    }
    chat.types("hello\n");
    // this terminal echoes what is typed
    assert_eq!(chat.answer(), format!("hello\n{}", piped(&SHORT, "hello\n")), "nothing of the cleared line is sent");
    chat.types("/exit\n");
    assert_eq!(chat.end().0, Some(0));
}

#[test]
fn ctrl_c_in_an_answer_stops_it_and_the_conversation_goes_on() {
    let mut chat = chat(&Dir::new(), &["--device", "cpu", "--ctx", "30000", "--temp", "0.9", "--seed", "1"]);
    chat.wait_for(PROMPT);
    chat.types("go on forever\r");
    chat.wait_for(LINE_TAKEN);
    // some of the answer
    chat.wait_for_any(&["a", "e", "i", "o", "u", "s", "t", "n", " "]);
    // the second press comes in the answer or at the prompt, and ends neither
    chat.types([CTRL_C, CTRL_C].concat());
    chat.wait_for("foregate: stopped");
    chat.wait_for(PROMPT);
    chat.types("/stats\r");
    chat.wait_for("decode: ");
    chat.wait_for(PROMPT);
    chat.types("/exit\r");
    assert_eq!(chat.end().0, Some(0));
}

#[test]
fn ctrl_c_in_a_long_prompt_stops_it_before_a_word_and_leaves_no_trace() {
    // one batch: only between layers can it stop
    let args = ["--device", "reference", "--temp", "0", "--ctx", "6000", "--batch", "6000", "-n", "6", "--stats"];
    let mut chat = chat(&Dir::new(), &args);
    chat.wait_for(PROMPT);
    chat.types("hello\r");
    chat.wait_for(LINE_TAKEN);
    let first = chat.answer();
    chat.wait_for(PROMPT);
    chat.types(format!("\x1b[200~{}\x1b[201~", "qz".repeat(2000)));
    chat.types("\r");
    chat.wait_for(LINE_TAKEN);
    let before = loop {
        // the press may come before the prompt is begun; then it is a hint
        thread::sleep(Duration::from_millis(300));
        chat.types(CTRL_C);
        let (which, before) = chat.wait_for_any(&["foregate: stopped", HINT, "decode: "]);
        assert!(which < 2, "the whole answer came: {before:?}");
        if which == 0 {
            break before;
        }
    };
    assert_eq!(before.replace("^C", "").trim(), "", "no token is drawn after the stop");
    chat.wait_for(PROMPT);
    chat.types("what now?\r");
    chat.wait_for(LINE_TAKEN);
    let both = first + &chat.answer();
    assert_eq!(
        both,
        piped(&args, "hello\nwhat now?\n"),
        "the next answer is that of a chat without the stopped prompt"
    );
    chat.wait_for(PROMPT);
    chat.types("/exit\r");
    assert_eq!(chat.end().0, Some(0));
}

#[test]
fn a_signal_that_ends_the_prompt_gives_the_terminal_its_modes_back() {
    for signal in [Signal::TERM, Signal::HUP, Signal::QUIT] {
        let mut chat = chat(&Dir::new(), &SHORT);
        let before = chat.modes();
        chat.wait_for(PROMPT);
        chat.types("one\r");
        chat.wait_for("decode: ");
        chat.wait_for(PROMPT);
        chat.types("abc");
        chat.wait_for("abc");
        assert_ne!(chat.modes(), before, "the editor echoes by itself");
        chat.gets(signal);
        assert_eq!(chat.death(), Some(signal.as_raw()));
        assert_eq!(chat.modes(), before, "{signal:?}");
        assert!(chat.rest().contains(LINE_TAKEN), "what is pasted is no longer marked");
    }
}

#[test]
fn a_signal_ends_a_prompt_in_the_background_too() {
    // it stops where it would set the terminal's modes, and must not do so once more when it ends
    let script = "\"$@\" & wait %1; kill -TERM %1; while kill -0 $!; do sleep 0.1; done; wait $!; echo \"ended by $?\"";
    let mut shell = Command::new("bash");
    shell.args(["-m", "-c", script, "bash"]);
    let mut shell = Terminal::start(chat_command(&Dir::new(), &SHORT).behind(shell));
    shell.wait_for("ended by 143");
    assert_eq!(shell.end().0, Some(0));
}

#[test]
fn an_interrupt_that_is_ignored_from_the_start_does_nothing_at_the_prompt() {
    let command = chat_command(&Dir::new(), &SHORT).ignoring_interrupts();
    let mut chat = Terminal::start(command);
    chat.wait_for(PROMPT);
    chat.types("abc");
    chat.wait_for("abc");
    chat.gets(Signal::INT);
    thread::sleep(Duration::from_millis(100));
    chat.types("def\r");
    chat.wait_for(LINE_TAKEN);
    assert_eq!(chat.answer(), piped(&SHORT, "abcdef\n"));
    chat.wait_for(PROMPT);
    chat.types("/exit\r");
    assert_eq!(chat.end().0, Some(0));
}

#[test]
fn lines_typed_while_the_model_loads_are_answered_in_order() {
    let mut chat = chat(&Dir::new(), &SHORT);
    chat.types("one\ntwo\n/exit\n");
    chat.wait_for("decode: ");
    chat.wait_for("decode: ");
    assert_eq!(chat.end().0, Some(0));
}

#[test]
fn lines_pasted_together_are_answered_in_order() {
    let mut chat = chat(&Dir::new(), &SHORT);
    chat.wait_for(PROMPT);
    chat.types("one\rtwo\rthree\r/exit\r");
    for _ in 0..3 {
        chat.wait_for("decode: ");
    }
    assert_eq!(chat.end().0, Some(0));
}

#[test]
fn a_byte_that_is_no_text_costs_its_line_and_not_the_conversation() {
    let mut chat = chat(&Dir::new(), &SHORT);
    chat.wait_for(PROMPT);
    chat.types(b"ab\xff");
    chat.wait_for("not UTF-8");
    chat.wait_for(PROMPT);
    chat.types("hello\r");
    chat.wait_for(LINE_TAKEN);
    assert_eq!(chat.answer(), piped(&SHORT, "hello\n"));
    chat.wait_for(PROMPT);
    chat.types("/exit\r");
    assert_eq!(chat.end().0, Some(0));
}

#[test]
fn thoughts_are_dimmed_unless_colours_are_unwanted() {
    let dir = Dir::new();
    let template = dir.file("template", "{{ messages[0].content }}<think>");
    let command = || chat_command(&dir, &SHORT).arg("--chat-template").arg(&template);
    for (command, dimmed) in [(command(), true), (command().env("NO_COLOR", "1"), false)] {
        let mut chat = Terminal::start(command);
        chat.wait_for(PROMPT);
        chat.types("hello\r");
        chat.wait_for(LINE_TAKEN);
        let thought = chat.wait_for("prefill: ");
        assert_eq!(thought.contains("\x1b[2m") && thought.contains("\x1b[0m"), dimmed, "{thought:?}");
        chat.wait_for(PROMPT);
        chat.types("/exit\r");
        assert_eq!(chat.end().0, Some(0));
    }
}

#[test]
fn the_progress_of_loading_is_shown_on_a_terminal_alone() {
    let command = || foregate(["generate"]).arg(tiny_model()).args(["--device", "cpu", "-p", "the", "-n", "2"]);
    let (code, screen) = Terminal::start(command()).end();
    assert_eq!(code, Some(0));
    assert!(screen.contains("loading "), "{screen:?}");
    let run = command().run();
    run.expect_code(0);
    assert!(!run.stderr().contains("loading "), "{}", run.stderr());
}

#[test]
fn ctrl_c_ends_generate_with_what_there_is() {
    let args = ["--device", "cpu", "--ctx", "30000", "--temp", "0.9", "--seed", "1", "--stats", "-v", "-p", "the"];
    let mut run = Terminal::start(foregate(["generate"]).arg(tiny_model()).args(args));
    run.wait_for("seed 1\r\n");
    // some of the answer
    run.wait_for_any(&["a", "e", "i", "o", "u", "s", "t", "n", " "]);
    run.types(CTRL_C);
    run.wait_for("foregate: stopped");
    let (code, rest) = run.end();
    assert_eq!(code, Some(130), "{rest}");
    assert!(rest.contains("decode: "), "{rest}");
}
