//! String literals.

/// Why the inside of a tag cannot be rewritten, and where.
#[derive(Debug)]
pub struct Refused {
    /// Line ends before it.
    pub line: usize,
    /// What is wrong.
    pub why: String,
}

/// Bytes of the string that `text` begins with, in these quotes.
pub fn length(text: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            c if c == quote => return at + 1,
            _ => {}
        }
    }
    text.len()
}
