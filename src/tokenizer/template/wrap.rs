//! Lines of a limited width, as Python's `textwrap` makes them.

use std::sync::LazyLock;

use fancy_regex::Regex;
use minijinja::{Error, ErrorKind};

use super::methods;

/// Where Python's `textwrap` may break a line: at white space, behind hyphens inside words, around dashes.
static CHUNK: LazyLock<Regex> = LazyLock::new(|| {
    let space = r"\t\n\x0b\x0c\r ";
    let (word, letter) = (r#"[\w!"'&.,?]"#, r"[^\d\W]");
    let pattern = format!(
        r"[{space}]+|(?<={word})-{{2,}}(?=\w)|[^{space}]+?(?:-(?:(?<={letter}{{2}}-)|(?<={letter}-{letter}-))(?={letter}-?{letter})|(?=[{space}]|\z)|(?<={word})(?=-{{2,}}\w))"
    );
    Regex::new(&pattern).expect("the pattern is a constant and a test uses it")
});

/// One line in parts of at most `width` characters, as `textwrap.wrap` cuts it.
///
/// # Errors
///
/// Looking for the places takes too many steps.
pub fn wrapped(line: &str, width: usize, break_words: bool, at_hyphens: bool) -> Result<Vec<String>, Error> {
    let mut chunks: Vec<Vec<char>> = Vec::new();
    if at_hyphens {
        for found in CHUNK.find_iter(line) {
            let found = found.map_err(|e| Error::new(ErrorKind::InvalidOperation, format!("wordwrap: {e}")))?;
            chunks.push(found.as_str().chars().collect());
        }
    } else {
        let is_space = |c: char| "\t\n\x0b\x0c\r ".contains(c);
        for c in line.chars() {
            match chunks.last_mut() {
                Some(chunk) if is_space(chunk[0]) == is_space(c) => chunk.push(c),
                _ => chunks.push(vec![c]),
            }
        }
    }
    let blank = |chunk: &[char]| chunk.iter().all(|&c| methods::is_space(c));
    chunks.reverse();
    let mut lines = Vec::new();
    while !chunks.is_empty() {
        if !lines.is_empty() && chunks.last().is_some_and(|chunk| blank(chunk)) {
            chunks.pop();
        }
        let (mut parts, mut length): (Vec<Vec<char>>, usize) = (Vec::new(), 0);
        while let Some(chunk) = chunks.pop_if(|chunk| length + chunk.len() <= width) {
            length += chunk.len();
            parts.push(chunk);
        }
        if let Some(long) = chunks.pop_if(|chunk| chunk.len() > width) {
            if break_words {
                let left = width - length;
                let hyphen = long[..left].iter().rposition(|&c| c == '-').filter(|_| at_hyphens);
                let end = hyphen.filter(|&at| long[..at].iter().any(|&c| c != '-')).map_or(left, |at| at + 1);
                parts.push(long[..end].to_vec());
                chunks.push(long[end..].to_vec());
            } else if parts.is_empty() {
                parts.push(long);
            } else {
                chunks.push(long);
            }
        }
        if parts.last().is_some_and(|part| blank(part)) {
            parts.pop();
        }
        if !parts.is_empty() {
            lines.push(parts.concat().into_iter().collect());
        }
    }
    Ok(lines)
}
