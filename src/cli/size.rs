//! Sizes as people type and read them.

/// Units by suffix: the short ones and those with an `i` are powers of 1024, `kB MB GB TB` powers of 1000.
const UNITS: &[(&str, u64)] = &[
    ("", 1),
    ("b", 1),
    ("k", 1 << 10),
    ("kib", 1 << 10),
    ("kb", 1_000),
    ("m", 1 << 20),
    ("mib", 1 << 20),
    ("mb", 1_000_000),
    ("g", 1 << 30),
    ("gib", 1 << 30),
    ("gb", 1_000_000_000),
    ("t", 1 << 40),
    ("tib", 1 << 40),
    ("tb", 1_000_000_000_000),
];

/// Bytes of a size such as `4GiB`, `4G` (the same), `1.5GB`, `512MiB` or `1000000`; never 0.
pub fn parse(text: &str) -> Result<u64, String> {
    let help = || format!("`{text}` is no size: write 4GiB, 1.5GB, 512MiB or a number of bytes");
    let digits = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = (&text[..digits], text[digits..].trim().to_ascii_lowercase());
    let (_, factor) = *UNITS.iter().find(|(name, _)| *name == unit).ok_or_else(help)?;
    let too_large = || format!("`{text}` is more than any machine has");
    let bytes = if number.contains('.') {
        let bytes = number.parse::<f64>().map_err(|_| help())? * factor as f64;
        if bytes < (1u64 << 62) as f64 { bytes as u64 } else { return Err(too_large()) }
    } else if number.is_empty() {
        return Err(help());
    } else {
        number.parse::<u64>().ok().and_then(|n| n.checked_mul(factor)).ok_or_else(too_large)?
    };
    if bytes == 0 { Err(format!("`{text}` is nothing: give at least one byte")) } else { Ok(bytes) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_as_written() {
        for (text, bytes) in [
            ("4GiB", 4 << 30),
            ("4G", 4 << 30),
            ("4g", 4 << 30),
            ("512MiB", 512 << 20),
            ("512 MiB", 512 << 20),
            ("1.5GB", 1_500_000_000),
            ("1.5GiB", 3 << 29),
            ("0.5k", 512),
            ("4096", 4096),
            ("7b", 7),
            ("2TB", 2_000_000_000_000),
        ] {
            assert_eq!(parse(text), Ok(bytes), "{text}");
        }
    }

    #[test]
    fn what_is_no_size_is_refused() {
        for text in [
            "",
            "GiB",
            "-1",
            "4XB",
            "1e9",
            "0",
            "0GiB",
            "inf",
            "1.2.3",
            ".",
            "1,5GB",
            "99999999999999999999",
            "9999999999TiB",
            "9.9e9T",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
