//! Stderr: everything that is not a result.

/// One line for the user.
pub fn note(text: &str) {
    eprintln!("foregate: {text}");
}

/// Several of them.
pub fn notes(lines: &[String]) {
    lines.iter().for_each(|line| note(line));
}

/// What is odd but was got over.
pub fn warnings(lines: &[String]) {
    for line in lines {
        eprintln!("warning: {line}");
    }
}

/// Lines of figures.
pub fn block(text: &str) {
    eprint!("{text}");
}
