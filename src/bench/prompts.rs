//! Prompts to measure with: a set that ships, or a file of the user's own.

use crate::error::{Error, Result};

/// The set that ships. Its answers differ in domain, since routing does.
const SHIPPED: &str = include_str!("../../assets/bench/prompts.txt");

/// A prompt as written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prompt {
    /// What it is about, in a word.
    pub domain: String,
    /// What is asked.
    pub text: String,
}

/// The prompts that ship.
///
/// # Errors
/// None: a test reads them.
pub fn shipped() -> Result<Vec<Prompt>> {
    parse(SHIPPED)
}

/// Prompts from lines of `domain: text`. Empty lines and those that begin with `#` say nothing.
///
/// # Errors
/// A line without a domain or a text, named; no prompt at all.
pub fn parse(text: &str) -> Result<Vec<Prompt>> {
    let mut prompts = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let parts = line.split_once(':').map(|(domain, text)| (domain.trim(), text.trim()));
        let Some((domain, text)) = parts.filter(|(domain, text)| !domain.is_empty() && !text.is_empty()) else {
            let what = "a prompt is a domain, a colon and a text, as in `facts: What is the capital of Norway?`";
            return Err(Error::Usage(format!("line {number} of the prompts: {what}")));
        };
        prompts.push(Prompt { domain: domain.into(), text: text.into() });
    }
    if prompts.is_empty() {
        return Err(Error::Usage("there are no prompts: give lines of `domain: text`".into()));
    }
    Ok(prompts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_prompts_that_ship_are_of_different_domains() {
        let prompts = shipped().unwrap();
        assert!(prompts.len() >= 6);
        for (n, prompt) in prompts.iter().enumerate() {
            assert!(prompts[..n].iter().all(|p| p.domain != prompt.domain && p.text != prompt.text), "{prompt:?}");
        }
    }

    #[test]
    fn a_text_may_hold_colons_and_a_line_without_one_is_named() {
        let prompts = parse("# x\n\n code : a: b\n").unwrap();
        assert_eq!(prompts, [Prompt { domain: "code".into(), text: "a: b".into() }]);
        for bad in ["facts: x\nnothing", "\n: text", "x\ny:"] {
            assert!(parse(bad).unwrap_err().is_usage(), "{bad}");
        }
        assert!(parse("facts: x\nnothing").unwrap_err().to_string().starts_with("line 2 "));
        assert!(parse("# none\n").is_err());
    }
}
