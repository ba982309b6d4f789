//! GPT-2's byte alphabet: every byte as one printable character, so that a token of any bytes can be written as text.
//!
//! The printable characters of Latin-1 stand for themselves; the other 68 bytes follow from U+0100 on, in order. Source:
//! `bytes_to_unicode` of the GPT-2 release.

use std::sync::LazyLock;

/// The 256 characters, by byte.
pub static CHARS: LazyLock<[char; 256]> = LazyLock::new(|| {
    let mut next = 0x100;
    std::array::from_fn(|byte| {
        let byte = byte as u8;
        if matches!(byte, b'!'..=b'~' | 0xA1..=0xAC | 0xAE..=0xFF) {
            char::from(byte)
        } else {
            next += 1;
            char::from_u32(next - 1).unwrap_or(char::REPLACEMENT_CHARACTER)
        }
    })
});

/// Bytes by character: all characters of the alphabet lie below U+0144.
static BYTES: LazyLock<[Option<u8>; 0x144]> = LazyLock::new(|| {
    let mut bytes = [None; 0x144];
    for (byte, c) in (0..=255).zip(CHARS.iter()) {
        bytes[*c as usize] = Some(byte);
    }
    bytes
});

/// The byte that `c` stands for; `None` outside the alphabet.
pub fn byte_of(c: char) -> Option<u8> {
    BYTES.get(c as usize).copied().flatten()
}

/// Appends the bytes that `text` stands for; a character outside the alphabet stands for itself, and so does a text that
/// is not valid UTF-8.
pub fn decode(text: &[u8], out: &mut Vec<u8>) {
    let Ok(text) = std::str::from_utf8(text) else { return out.extend_from_slice(text) };
    for c in text.chars() {
        match byte_of(c) {
            Some(byte) => out.push(byte),
            None => out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_has_its_own_character_and_comes_back() {
        for byte in 0..=255 {
            assert_eq!(byte_of(CHARS[usize::from(byte)]), Some(byte));
        }
        assert_eq!((CHARS[usize::from(b' ')], CHARS[usize::from(b'\n')], CHARS[0xAD]), ('Ġ', 'Ċ', 'Ń'));
    }
}
