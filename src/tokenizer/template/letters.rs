//! Upper and lower case as Python has them, where the standard library lacks a mapping: title case and case folding
//! (Unicode's `SpecialCasing.txt` and `CaseFolding.txt`, as rules).

use unicode_general_category::{GeneralCategory, get_general_category};

/// The title case of a character: what it becomes at the start of a word.
fn push_title(out: &mut String, c: char) {
    let mut upper = c.to_uppercase();
    match c {
        // Georgian has capitals, and begins no word with one.
        '\u{10d0}'..='\u{10ff}' => out.push(c),
        'Ǆ'..='ǆ' => out.push('ǅ'),
        'Ǉ'..='ǉ' => out.push('ǈ'),
        'Ǌ'..='ǌ' => out.push('ǋ'),
        'Ǳ'..='ǳ' => out.push('ǲ'),
        // Greek capitals with iota beneath.
        '\u{1f80}'..='\u{1faf}' => out.extend(char::from_u32(c as u32 | 8)),
        'ᾳ' | 'ᾼ' => out.push('ᾼ'),
        'ῃ' | 'ῌ' => out.push('ῌ'),
        'ῳ' | 'ῼ' => out.push('ῼ'),
        'ᾲ' | 'ᾴ' | 'ᾷ' | 'ῂ' | 'ῄ' | 'ῇ' | 'ῲ' | 'ῴ' | 'ῷ' => {
            out.extend(upper.map(|c| if c == 'Ι' { '\u{345}' } else { c }));
        }
        // Ligatures: only their first letter.
        'ß' | 'և' | '\u{fb00}'..='\u{fb06}' | '\u{fb13}'..='\u{fb17}' => {
            out.extend(upper.next());
            out.extend(upper.flat_map(char::to_lowercase));
        }
        _ => out.extend(upper),
    }
}

/// Whether a character is a letter of upper, lower or title case.
fn is_cased(c: char) -> bool {
    c.is_lowercase() || c.is_uppercase() || get_general_category(c) == GeneralCategory::TitlecaseLetter
}

/// Each character with its lower case. A capital sigma has another one at the end of a word: that takes the whole text.
fn with_lower(text: &str) -> impl Iterator<Item = (char, String)> {
    let is_sigma = |c: char| matches!(c, 'Σ' | 'σ' | 'ς');
    let lower = text.to_lowercase();
    let mut sigmas: std::vec::IntoIter<char> = lower.chars().filter(|&c| is_sigma(c)).collect::<Vec<_>>().into_iter();
    text.chars().map(move |c| {
        let sigma = if is_sigma(c) { sigmas.next() } else { None };
        (c, sigma.map_or_else(|| c.to_lowercase().collect(), String::from))
    })
}

/// `str.title()`: a letter is in title case unless a letter comes before it.
pub fn title(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut inside = false;
    for (c, lower) in with_lower(text) {
        if inside {
            out.push_str(&lower);
        } else {
            push_title(&mut out, c);
        }
        inside = is_cased(c);
    }
    out
}

/// `str.swapcase()`.
pub fn swapcase(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for (c, lower) in with_lower(text) {
        if c.is_uppercase() {
            out.push_str(&lower);
        } else if c.is_lowercase() {
            out.extend(c.to_uppercase());
        } else {
            out.push(c);
        }
    }
    out
}

/// `str.capitalize()`: the first character in title case, the rest in lower case.
pub fn capitalize(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut characters = text.chars();
    if let Some(first) = characters.next() {
        push_title(&mut out, first);
    }
    out.push_str(&characters.as_str().to_lowercase());
    out
}

/// `str.casefold()`: what texts that differ in case alone have in common.
pub fn casefold(text: &str) -> String {
    let fold = |c: char| -> String {
        match c {
            'ı' => c.into(),
            // Cherokee's capitals were there first.
            '\u{13a0}'..='\u{13f5}' => c.into(),
            '\u{13f8}'..='\u{13fd}' | '\u{ab70}'..='\u{abbf}' => c.to_uppercase().collect(),
            _ => c.to_uppercase().flat_map(char::to_lowercase).collect(),
        }
    };
    text.chars().map(fold).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_begin_in_title_case() {
        for (text, expected) in [
            ("ǆungla Ǉ ǌ ǳ", "ǅungla ǈ ǋ ǲ"),
            ("ßtraße ﬁsch ŉ և", "Sstraße Fisch ʼN Եւ"),
            ("ᾳ ᾲ ᾷ ᾀ ῼ", "ᾼ Ὰ\u{345} Α\u{342}\u{345} ᾈ ῼ"),
            ("თბილისი ǅA", "თბილისი ǅa"),
            ("ΟΔΟΣ ΣΑΣ o'neil 1ST", "Οδος Σας O'Neil 1St"),
        ] {
            assert_eq!(title(text), expected);
        }
        assert_eq!((capitalize("ǆUNGLA ΟΔΟΣ"), capitalize("")), ("ǅungla οδος".into(), String::new()));
    }

    #[test]
    fn folding_forgets_case() {
        assert_eq!(casefold("STRASSE ΣΑΣ ﬁ ſ ᏸꭰᎠ İı"), "strasse σασ fi s ᏰᎠᎠ i̇ı");
        assert_eq!(casefold("ß"), "ss");
    }
}
