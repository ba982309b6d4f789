//! Character classes of the pre-tokenisers.
//!
//! Every character belongs to exactly one [atom]; a class such as `\p{L}` or `[^\s\p{L}\p{N}]` is a set of atoms, so a
//! membership test is one table look-up and one `and`. The few classes that name ranges of code points are functions.
//!
//! [atom]: atom

use unicode_general_category::{GeneralCategory as G, get_general_category};

/// Atoms: disjoint sets of characters that together hold every character.
pub mod atom {
    #![allow(missing_docs)] // the names say it
    pub const LF: u32 = 1;
    pub const CR: u32 = 1 << 1;
    /// U+0020 alone.
    pub const BLANK: u32 = 1 << 2;
    /// The other white space.
    pub const WHITE: u32 = 1 << 3;
    /// a-z.
    pub const LOWER: u32 = 1 << 4;
    /// A-Z.
    pub const UPPER: u32 = 1 << 5;
    /// The other letters, whatever their case.
    pub const LETTER: u32 = 1 << 6;
    pub const MARK: u32 = 1 << 7;
    /// 0-9.
    pub const DIGIT: u32 = 1 << 8;
    /// The other numbers.
    pub const NUMBER: u32 = 1 << 9;
    pub const SLASH: u32 = 1 << 10;
    pub const BACKTICK: u32 = 1 << 11;
    /// The other ASCII characters of \p{P}.
    pub const ASCII_PUNCT: u32 = 1 << 12;
    /// The other ASCII characters of \p{S}.
    pub const ASCII_SYMBOL: u32 = 1 << 13;
    pub const PUNCT: u32 = 1 << 14;
    pub const SYMBOL: u32 = 1 << 15;
    /// Controls, format characters, private use, unassigned.
    pub const OTHER: u32 = 1 << 16;
    pub const ALL: u32 = (1 << 17) - 1;
}

use atom::{
    ALL, ASCII_PUNCT, ASCII_SYMBOL, BACKTICK, CR, DIGIT, LETTER, LF, LOWER, MARK, NUMBER, OTHER, PUNCT, SLASH, SYMBOL,
    UPPER, WHITE,
};

pub use atom::BLANK;

/// A set of characters.
#[derive(Clone, Copy)]
pub enum Class {
    /// The union of these atoms.
    Atoms(u32),
    /// The characters for which the function holds.
    Chars(fn(char) -> bool),
}

/// `\p{L}`
pub const L: u32 = LOWER | UPPER | LETTER;
/// `\p{M}`
pub const M: u32 = MARK;
/// `\p{N}`
pub const N: u32 = DIGIT | NUMBER;
/// `\p{P}`
pub const P: u32 = SLASH | ASCII_PUNCT | PUNCT;
/// `\p{S}`
pub const S: u32 = BACKTICK | ASCII_SYMBOL | SYMBOL;
/// `[\r\n]`
pub const CRLF: u32 = CR | LF;
/// `\s`
pub const SPACE: u32 = CRLF | BLANK | WHITE;
/// The ASCII characters of `\p{P}` and `\p{S}`.
pub const ASCII_MARKS: u32 = SLASH | BACKTICK | ASCII_PUNCT | ASCII_SYMBOL;

/// The class of `atoms`.
pub const fn of(atoms: u32) -> Class {
    Class::Atoms(atoms)
}

/// The class of all characters outside `atoms`.
pub const fn not(atoms: u32) -> Class {
    Class::Atoms(ALL & !atoms)
}

impl Class {
    /// Whether `c` is in the class.
    #[inline]
    pub fn has(self, c: char) -> bool {
        match self {
            Class::Atoms(set) => atom_of(c) & set != 0,
            Class::Chars(holds) => holds(c),
        }
    }
}

/// The one atom that holds `c`.
#[inline]
pub fn atom_of(c: char) -> u32 {
    match u8::try_from(c) {
        Ok(byte) if byte < 128 => ASCII[usize::from(byte)],
        _ => atom_beyond_ascii(c),
    }
}

static ASCII: [u32; 128] = {
    let mut table = [OTHER; 128];
    let mut i = 0;
    while i < 128 {
        let byte = i as u8;
        table[i] = match byte {
            b'\n' => LF,
            b'\r' => CR,
            b' ' => BLANK,
            b'\t' | 0x0B | 0x0C => WHITE,
            b'a'..=b'z' => LOWER,
            b'A'..=b'Z' => UPPER,
            b'0'..=b'9' => DIGIT,
            b'/' => SLASH,
            b'`' => BACKTICK,
            b'$' | b'+' | b'<' | b'=' | b'>' | b'^' | b'|' | b'~' => ASCII_SYMBOL,
            b'!'..=b'~' => ASCII_PUNCT,
            _ => OTHER,
        };
        i += 1;
    }
    table
};

fn atom_beyond_ascii(c: char) -> u32 {
    if c.is_whitespace() {
        return WHITE;
    }
    match get_general_category(c) {
        G::UppercaseLetter | G::LowercaseLetter | G::TitlecaseLetter | G::ModifierLetter | G::OtherLetter => LETTER,
        G::NonspacingMark | G::SpacingMark | G::EnclosingMark => MARK,
        G::DecimalNumber | G::LetterNumber | G::OtherNumber => NUMBER,
        G::ConnectorPunctuation
        | G::DashPunctuation
        | G::OpenPunctuation
        | G::ClosePunctuation
        | G::InitialPunctuation
        | G::FinalPunctuation
        | G::OtherPunctuation => PUNCT,
        G::MathSymbol | G::CurrencySymbol | G::ModifierSymbol | G::OtherSymbol => SYMBOL,
        _ => OTHER,
    }
}

/// Chinese characters, as kimi-k2 counts them.
pub fn is_han(c: char) -> bool {
    matches!(u32::from(c), 0x3400..=0x4DBF | 0x4E00..=0x9FFF | 0xF900..=0xFAFF | 0x20000..=0x2A6DF | 0x2A700..=0x2EBEF
        | 0x2F800..=0x2FA1F)
}

/// Letters that are no Chinese characters.
pub fn is_letter_not_han(c: char) -> bool {
    atom_of(c) & L != 0 && !is_han(c)
}

/// `[一-龥぀-ゟ゠-ヿ]`: Chinese characters and kana, as deepseek-v3 counts them.
pub fn is_cjk_v3(c: char) -> bool {
    matches!(u32::from(c), 0x3040..=0x30FF | 0x4E00..=0x9FA5)
}

/// `[一-龥ࠀ-一가-퟿]`: as deepseek-llm and deepseek-coder count them; white space is never part of a listed range.
pub fn is_cjk_v1(c: char) -> bool {
    matches!(u32::from(c), 0x800..=0x9FA5 | 0xAC00..=0xD7FF) && !c.is_whitespace()
}

/// `[!-/:-~！-／：-～‘-‟　-。]` of deepseek-llm, less U+3000, which is white space.
pub fn is_deepseek_mark(c: char) -> bool {
    matches!(u32::from(c), 0x21..=0x2F | 0x3A..=0x7E | 0xFF01..=0xFF0F | 0xFF1A..=0xFF5E | 0x2018..=0x201F
        | 0x3001..=0x3002)
}

/// The alphabetic scripts that deepseek-llm lists: Latin, Greek, Cyrillic, Armenian, Georgian, Cherokee and others.
pub fn is_deepseek_letter(c: char) -> bool {
    #[rustfmt::skip]
    const RANGES: &[(u32, u32)] = &[
        (0x41, 0x5A), (0x61, 0x7A), (0xB5, 0xB5), (0xC0, 0xD6), (0xD8, 0xF6), (0xF8, 0x1BA), (0x1BC, 0x1BF),
        (0x1C4, 0x293), (0x295, 0x2AF), (0x370, 0x373), (0x376, 0x377), (0x37B, 0x37D), (0x37F, 0x37F),
        (0x386, 0x386), (0x388, 0x38A), (0x38C, 0x38C), (0x38E, 0x3A1), (0x3A3, 0x3F5), (0x3F7, 0x481),
        (0x48A, 0x52F), (0x531, 0x556), (0x10A0, 0x10C5), (0x13A0, 0x13F5), (0x13F8, 0x13FD), (0x1C90, 0x1CBA),
        (0x1CBD, 0x1CBF), (0x1D00, 0x1D2B), (0x1D6B, 0x1D77), (0x1D79, 0x1D9A), (0x1E00, 0x1F15), (0x1F18, 0x1F1D),
        (0x1F20, 0x1F45), (0x1F48, 0x1F4D), (0x1F50, 0x1F57), (0x1F59, 0x1F59), (0x1F5B, 0x1F5B), (0x1F5D, 0x1F5D),
        (0x1F5F, 0x1F7D), (0x1F80, 0x1FB4), (0x1FB6, 0x1FBC), (0x1FBE, 0x1FBE), (0x1FC2, 0x1FC4), (0x1FC6, 0x1FCC),
        (0x1FD0, 0x1FD3), (0x1FD6, 0x1FDB), (0x1FE0, 0x1FEC), (0x1FF2, 0x1FF4), (0x1FF6, 0x1FFC), (0x2102, 0x2102),
        (0x2107, 0x2107), (0x210A, 0x2113), (0x2115, 0x2115), (0x2119, 0x211D), (0x2124, 0x2124), (0x2126, 0x2126),
        (0x2128, 0x2128), (0x212A, 0x212D), (0x212F, 0x2134), (0x2139, 0x2139), (0x213C, 0x213F), (0x2145, 0x2149),
        (0x214E, 0x214E), (0x2183, 0x2184), (0x2C00, 0x2C7B), (0x2C7E, 0x2CE4), (0x2CEB, 0x2CEE), (0x2CF2, 0x2CF3),
        (0xA640, 0xA66D), (0xA680, 0xA69B), (0xA722, 0xA76F), (0xA771, 0xA787), (0xA78B, 0xA78E), (0xAB70, 0xABBF),
        (0xFB00, 0xFB06), (0xFB13, 0xFB17), (0xFF21, 0xFF3A), (0xFF41, 0xFF5A), (0x10400, 0x1044F),
        (0x104B0, 0x104D3), (0x104D8, 0x104FB), (0x10C80, 0x10CB2), (0x10CC0, 0x10CF2), (0x118A0, 0x118DF),
        (0x1E900, 0x1E943),
    ];
    let code = u32::from(c);
    let after = RANGES.partition_point(|&(first, _)| first <= code);
    after > 0 && code <= RANGES[after - 1].1
}

/// The scripts that afmoe sets apart: CJK, kana, Hangul, Thai, Lao, Khmer, Myanmar. The range from U+8C48 is as wide as
/// that in the published pattern, and so holds several of the others.
pub fn is_afmoe_script(c: char) -> bool {
    matches!(u32::from(c), 0xE40..=0xEFF | 0x1000..=0x109F | 0x1100..=0x11FF | 0x1780..=0x17FF | 0x2F00..=0x2FDF
        | 0x3040..=0x30FF | 0x3400..=0x4DBF | 0x4E00..=0xFAFF | 0xFF65..=0xFF9F)
}

/// Hangul, as youtu sets it apart.
pub fn is_youtu_hangul(c: char) -> bool {
    matches!(u32::from(c), 0x3131..=0x318E | 0xAC00..=0xD7A3)
}

/// Wide punctuation, as youtu sets it apart.
pub fn is_youtu_mark(c: char) -> bool {
    matches!(u32::from(c), 0x2014 | 0x2018..=0x2019 | 0x201C..=0x201D | 0x2026 | 0x3001..=0x303F | 0xFE30..=0xFE4F
        | 0xFF01 | 0xFF0C | 0xFF1A..=0xFF1B)
}

/// Bopomofo, as youtu sets it apart.
pub fn is_youtu_bopomofo(c: char) -> bool {
    matches!(u32::from(c), 0x3105..=0x312F)
}

/// `[^(\s|.,!?…。，、।۔،)]`: what a word of bloom, poro and viking is made of.
pub fn is_bloom_word(c: char) -> bool {
    !c.is_whitespace() && !"(|.,!?…。，、।۔،)".contains(c)
}

/// A character outside `\n`.
pub const NOT_LF: Class = not(LF);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_character_has_exactly_one_atom() {
        for c in (0..=u32::from(char::MAX)).filter_map(char::from_u32) {
            assert_eq!(atom_of(c).count_ones(), 1, "{c:?}");
            assert!(atom_of(c) <= ALL);
        }
    }

    #[test]
    fn ascii_atoms_follow_the_unicode_categories() {
        for c in (0..128u8).map(char::from) {
            let unicode = match atom_beyond_ascii(c) {
                LETTER => L,
                NUMBER => N,
                PUNCT => P,
                SYMBOL => S,
                WHITE => SPACE,
                other => other,
            };
            assert!(of(unicode).has(c), "{c:?}");
        }
    }

    #[test]
    fn deepseek_ranges_are_in_order() {
        assert!(is_deepseek_letter('A') && is_deepseek_letter('ж') && is_deepseek_letter('\u{1E943}'));
        assert!(!is_deepseek_letter('\u{40}') && !is_deepseek_letter('א') && !is_deepseek_letter('\u{1E944}'));
    }
}
