//! Numbers with their units, for people.

/// Bytes as `2.65 MiB`: binary units, three significant digits or more.
pub fn bytes(n: u64) -> String {
    const NAMES: [&str; 5] = ["bytes", "KiB", "MiB", "GiB", "TiB"];
    let mut value = n as f64;
    let mut unit = 0;
    while value >= 1024.0 && unit + 1 < NAMES.len() {
        value /= 1024.0;
        unit += 1;
    }
    match unit {
        0 => format!("{n} bytes"),
        _ if value < 10.0 => format!("{value:.2} {}", NAMES[unit]),
        _ => format!("{value:.1} {}", NAMES[unit]),
    }
}

/// The binary unit that a value of so many bytes is told in, and its name: for columns of one unit.
pub fn binary_unit(bytes: f64) -> (f64, &'static str) {
    let units = [(1024f64.powi(3), "GiB"), (1024f64.powi(2), "MiB"), (1024.0, "KiB")];
    units.into_iter().find(|unit| bytes >= unit.0).unwrap_or((1.0, "bytes"))
}

/// `numerator / denominator` as a percentage, or `-` where there was nothing to count.
pub fn percent(numerator: u64, denominator: u64) -> String {
    match denominator {
        0 => "-".into(),
        _ => format!("{:.1} %", 100.0 * numerator as f64 / denominator as f64),
    }
}

/// So many things, `one` of them by name: `1 prompt`, `2 prompts`.
pub fn counted(n: usize, one: &str) -> String {
    format!("{n} {one}{}", if n == 1 { "" } else { "s" })
}

/// A rate as `1.25 GiB/s`.
pub fn per_second(bytes_per_s: f64) -> String {
    format!("{}/s", bytes(bytes_per_s as u64))
}

/// Three significant digits or more; `-` for none.
pub fn number(value: Option<f64>) -> String {
    match value {
        None => "-".into(),
        Some(n) if n >= 100.0 => format!("{n:.0}"),
        Some(n) if n >= 10.0 => format!("{n:.1}"),
        Some(n) => format!("{n:.2}"),
    }
}

/// A fraction as a percentage; `-` for none.
pub fn share(value: Option<f64>) -> String {
    value.filter(|v| v.is_finite()).map_or("-".into(), |v| format!("{:.1} %", 100.0 * v))
}

/// Fractions of several runs as a percentage, or as a range of it where they differ in what is shown; `-` for none.
pub fn share_range(values: &[Option<f64>]) -> String {
    let values = values.iter().flatten().copied();
    let (low, high) = (values.clone().reduce(f64::min), values.reduce(f64::max));
    match (share(low), share(high)) {
        (low, high) if low == high => high,
        (low, high) => format!("{}-{high}", low.trim_end_matches(" %")),
    }
}

/// Bytes of several runs, or from the fewest to the most where they differ in what is shown; `-` for none.
pub fn bytes_range(values: &[Option<f64>]) -> String {
    let values = values.iter().flatten().copied();
    let ends = [values.clone().reduce(f64::min), values.reduce(f64::max)];
    match ends.map(|end| end.map_or("-".into(), |n| bytes(n as u64))) {
        [low, high] if low == high => high,
        [low, high] => format!("{low} to {high}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_read_well() {
        for (n, text) in
            [(0, "0 bytes"), (1023, "1023 bytes"), (1024, "1.00 KiB"), (2_780_000, "2.65 MiB"), (18 << 30, "18.0 GiB")]
        {
            assert_eq!(bytes(n), text);
        }
    }

    #[test]
    fn a_column_has_the_unit_of_its_largest_value() {
        for (n, unit) in [(0.0, "bytes"), (1023.0, "bytes"), (1024.0, "KiB"), (2e6, "MiB"), (5e12, "GiB")] {
            assert_eq!(binary_unit(n).1, unit);
        }
    }

    #[test]
    fn runs_that_differ_are_shown_from_one_end_to_the_other() {
        for (values, text) in [
            (&[Some(0.5), Some(0.50001)][..], "50.0 %"),
            (&[Some(0.38), Some(0.27)], "27.0-38.0 %"),
            (&[None, Some(1.0)], "100.0 %"),
            (&[None], "-"),
        ] {
            assert_eq!(share_range(values), text);
        }
        assert_eq!(bytes_range(&[Some(2048.4), Some(2048.0)]), "2.00 KiB");
        assert_eq!(bytes_range(&[Some(3000.0), None, Some(100.0)]), "100 bytes to 2.93 KiB");
        assert_eq!(bytes_range(&[None]), "-");
    }

    #[test]
    fn one_thing_is_not_many() {
        assert_eq!([0, 1, 2].map(|n| counted(n, "prompt")), ["0 prompts", "1 prompt", "2 prompts"]);
    }

    #[test]
    fn a_share_of_nothing_is_no_number() {
        assert_eq!(percent(1, 8), "12.5 %");
        assert_eq!(percent(0, 0), "-");
    }
}
