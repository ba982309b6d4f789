//! Of the page: nothing asked from elsewhere, nothing that escapes, colours that can be read.

use super::*;

/// The value of a custom property in the first or the second (dark) block of the style sheet, as linear RGB luminance.
fn luminance(block: usize, name: &str) -> f64 {
    let text = STYLE.split(":root {").nth(block + 1).unwrap().split('}').next().unwrap();
    let hex = text.split(&format!("--{name}: #")).nth(1).unwrap_or_else(|| panic!("{name}")).get(..6).unwrap();
    let channel = |at: usize| {
        let value = f64::from(u8::from_str_radix(&hex[at..at + 2], 16).unwrap()) / 255.0;
        if value <= 0.04045 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
    };
    0.2126 * channel(0) + 0.7152 * channel(2) + 0.0722 * channel(4)
}

fn contrast(block: usize, a: &str, b: &str) -> f64 {
    let (a, b) = (luminance(block, a), luminance(block, b));
    (a.max(b) + 0.05) / (a.min(b) + 0.05)
}

/// WCAG 2.2: 4.5 for text (1.4.3), 3 for what a plot is read by (1.4.11).
#[test]
fn colours_stand_out_in_light_and_dark() {
    for block in [0, 1] {
        for ground in ["page", "card"] {
            for text in ["ink", "soft", "accent"] {
                assert!(contrast(block, text, ground) >= 4.5, "{block} {text} on {ground}");
            }
        }
        for line in ["s0", "s1", "s2", "s3", "s4", "s5", "s6", "heat", "ink"] {
            assert!(contrast(block, line, "card") >= 3.0, "{block} {line}");
        }
    }
}

#[test]
fn text_of_files_and_models_cannot_become_markup() {
    assert_eq!(escape("<a href=\"x\" b='y'>&"), "&lt;a href=&quot;x&quot; b=&#39;y&#39;&gt;&amp;");
}

#[test]
fn the_style_sheet_asks_for_nothing_from_elsewhere() {
    for word in ["url(", "@import", "http", "//"] {
        assert!(!STYLE.contains(word), "{word}");
    }
}

#[test]
fn dates_are_those_of_the_calendar() {
    for (seconds, text) in
        [(0, "1970-01-01 00:00 UTC"), (951_782_400, "2000-02-29 00:00 UTC"), (1_767_225_599, "2025-12-31 23:59 UTC")]
    {
        assert_eq!(words::date(seconds), text);
    }
}
