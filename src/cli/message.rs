//! Stderr: everything that is not a result. Where stderr is closed or full there is nobody to tell, and the work goes on.

use std::io::{self, Write};

/// One line for the user.
pub fn note(text: &str) {
    line("foregate: ", text);
}

/// Several of them.
pub fn notes(lines: &[String]) {
    lines.iter().for_each(|line| note(line));
}

/// What is odd but was got over.
pub fn warnings(lines: &[String]) {
    lines.iter().for_each(|text| line("warning: ", text));
}

/// Why the program ends.
pub fn error(text: &str) {
    line("error: ", text);
}

/// Lines of figures.
pub fn block(text: &str) {
    let _ = io::stderr().lock().write_all(text.as_bytes());
}

fn line(what: &str, text: &str) {
    block(&format!("{what}{}\n", printable(text)));
}

/// Without control characters, which could be a terminal's commands: texts quote files.
fn printable(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' | '\t' => shown.push(c),
            c if c.is_control() => shown.extend(c.escape_debug()),
            c => shown.push(c),
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::printable;

    #[test]
    fn a_terminals_commands_are_shown_and_not_sent() {
        assert_eq!(printable("é\n\tx\u{1b}[2J\u{9b}"), "é\n\tx\\u{1b}[2J\\u{9b}");
    }
}
