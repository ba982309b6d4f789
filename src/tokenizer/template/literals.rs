//! String literals: Python's escapes in the engine's words.

/// Why the inside of a tag cannot be rewritten, and where.
#[derive(Debug)]
pub struct Refused {
    /// Line ends before it.
    pub line: usize,
    /// What is wrong.
    pub why: String,
}

impl Refused {
    /// The same, seen from `lines` further up.
    pub fn below(self, lines: usize) -> Self {
        Self { line: self.line + lines, ..self }
    }
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

/// A literal, quotes included: escapes that the engine lacks, or reads in another way than Python, become such that it
/// knows.
///
/// # Errors
///
/// An escape that has no text, or is not supported.
pub fn rewrite(literal: &str) -> Result<String, Refused> {
    let mut out = String::with_capacity(literal.len());
    let mut rest = literal;
    while let Some(at) = rest.find('\\') {
        let (before, escape) = rest.split_at(at);
        out.push_str(before);
        let refused =
            |why: String| Refused { line: literal[..literal.len() - escape.len()].matches('\n').count(), why };
        let octal = escape.get(1..4).and_then(|digits| u32::from_str_radix(digits, 8).ok());
        let mut length = 1 + escape[1..].chars().next().map_or(0, char::len_utf8);
        match escape[1..].chars().next() {
            Some('a') => out.push_str("\\x07"),
            Some('v') => out.push_str("\\x0b"),
            // The engine would leave out the backslash, as JSON does.
            Some('/') => out.push_str("\\\\/"),
            // Python leaves both out; two literals side by side are one, and no line moves.
            Some('\n') => out.extend(literal.chars().take(1).chain(['\n']).chain(literal.chars().take(1))),
            Some('U') => {
                length = 10;
                let code = escape.get(2..length).filter(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()));
                let character = code.and_then(|code| char::from_u32(u32::from_str_radix(code, 16).ok()?));
                push_units(
                    &mut out,
                    character.ok_or_else(|| refused("`\\U` without the number of a character".into()))?,
                );
            }
            Some('N') => return Err(refused("characters by name (`\\N{...}`) are not supported in strings".into())),
            // Above what the engine reads as octal.
            Some('4'..='7') if octal.is_some() => {
                length = 4;
                push_units(&mut out, octal.and_then(char::from_u32).unwrap_or_default());
            }
            // Jinja2 escapes what is not ASCII before it reads escapes, and so it reads the backslash of that.
            Some(c) if !c.is_ascii() => {
                let code = u32::from(c);
                out.push_str(&match code {
                    ..=0xff => format!("\\\\x{code:02x}"),
                    0x100..=0xffff => format!("\\\\u{code:04x}"),
                    _ => format!("\\\\U{code:08x}"),
                });
            }
            _ => out.push_str(&escape[..length]),
        }
        rest = &escape[length..];
    }
    Ok(out + rest)
}

/// A character as escapes that the engine knows, whatever it would mean by itself.
fn push_units(out: &mut String, character: char) {
    for unit in character.encode_utf16(&mut [0; 2]) {
        out.push_str(&format!("\\u{unit:04x}"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_are_those_of_the_engine() {
        for (literal, expected) in [
            (r"'\U0001F600\U00000027é'", r"'\ud83d\ude00\u0027é'"),
            (r#""\a\v\\a\/\"""#, r#""\x07\x0b\\a\\/\"""#),
            ("'a\\\nb'", "'a'\n'b'"),
            (r"'\101\777\é\世\s'", r"'\101\u01ff\\xe9\\u4e16\s'"),
            (r"'\x41\u00e9\n'", r"'\x41\u00e9\n'"),
        ] {
            assert_eq!(rewrite(literal).unwrap(), expected);
        }
    }

    #[test]
    fn escapes_without_a_text_are_refused_and_unfinished_literals_stay() {
        for (literal, line) in [("'\n\\N{BULLET}'", 1), (r"'\U0001F60'", 0), (r"'\U00110000'", 0), (r"'\Ué0000000'", 0)]
        {
            assert_eq!(rewrite(literal).unwrap_err().line, line, "{literal}");
        }
        for same in ["'", "'a\\", "\"a"] {
            assert_eq!(rewrite(same).unwrap(), same);
        }
    }
}
