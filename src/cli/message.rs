//! Stderr: everything that is not a result.

/// What is odd but was got over.
pub fn warnings(lines: &[String]) {
    for line in lines {
        eprintln!("warning: {line}");
    }
}
