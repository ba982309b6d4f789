//! The clock that templates see: seconds since 1970 (UTC) and C's `strftime` over them.
//!
//! Written here because it is a hundred lines over one well-known formula; the date crates bring time zones,
//! parsing and locales that no template can reach. Times are UTC, so that a prompt does not depend on the machine.

use std::time::{SystemTime, UNIX_EPOCH};

use crate::error::{Error, Result};

const DAYS: [&str; 7] = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];
const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// Longest text that one format may give, in bytes.
const TEXT_BYTES_MAX: usize = 4096;

/// The time a template shall see: `SOURCE_DATE_EPOCH` where it is set, else the clock; in seconds since 1970.
///
/// # Errors
///
/// `SOURCE_DATE_EPOCH` is set and not a number of seconds.
pub fn now() -> Result<i64> {
    match std::env::var("SOURCE_DATE_EPOCH") {
        Ok(text) => text.trim().parse().ok().filter(|seconds| in_range(*seconds)).ok_or_else(|| {
            Error::Usage(format!("SOURCE_DATE_EPOCH is {text:?}; it must be a number of seconds since 1970"))
        }),
        Err(_) => {
            let since = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
            Ok(i64::try_from(since).unwrap_or(0))
        }
    }
}

/// Whether `seconds` lies in the years that have four digits.
fn in_range(seconds: i64) -> bool {
    (-62_167_219_200..253_402_300_800).contains(&seconds)
}

/// A moment taken apart.
struct Moment {
    year: i64,
    month: usize,
    day: i64,
    /// 0 is 1 January.
    day_of_year: i64,
    /// 0 is Sunday.
    weekday: usize,
    hour: i64,
    minute: i64,
    second: i64,
    epoch: i64,
}

impl Moment {
    /// Howard Hinnant's `civil_from_days` (chrono-compatible low-level date algorithms): years run from March, so that
    /// the leap day is the last day of one.
    fn new(seconds: i64) -> Self {
        let (days, of_day) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
        let shifted = days + 719_468;
        let (era, day_of_era) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
        let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let from_march = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let month_from_march = (5 * from_march + 2) / 153;
        let day = from_march - (153 * month_from_march + 2) / 5 + 1;
        let month = if month_from_march < 10 { month_from_march + 2 } else { month_from_march - 10 };
        let year = year_of_era + era * 400 + i64::from(month < 2);
        let leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
        let before = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334];
        let month = usize::try_from(month).unwrap_or(0);
        Self {
            year,
            month,
            day,
            day_of_year: before[month] + i64::from(leap && month > 1) + day - 1,
            weekday: usize::try_from((days + 4).rem_euclid(7)).unwrap_or(0),
            hour: of_day / 3600,
            minute: of_day / 60 % 60,
            second: of_day % 60,
            epoch: seconds,
        }
    }

    /// The ISO 8601 week and its year.
    fn iso_week(&self) -> (i64, i64) {
        let monday_based = (self.weekday as i64 + 6) % 7;
        let week = (self.day_of_year - monday_based + 10) / 7;
        let weeks_of = |year: i64| {
            let closing = |y: i64| (y + y.div_euclid(4) - y.div_euclid(100) + y.div_euclid(400)).rem_euclid(7);
            52 + i64::from(closing(year) == 4 || closing(year - 1) == 3)
        };
        match week {
            0 => (self.year - 1, weeks_of(self.year - 1)),
            week if week > weeks_of(self.year) => (self.year + 1, 1),
            week => (self.year, week),
        }
    }
}

/// `time` (seconds since 1970) in C's `strftime` format, glibc's `-`, `_`, `0`, `^` and `#` flags included. A letter that
/// means nothing stays as it is.
///
/// # Errors
///
/// The text would be longer than 4096 bytes.
pub fn strftime(format: &str, time: i64) -> Result<String, String> {
    let moment = Moment::new(time);
    let mut out = String::new();
    let mut rest = format;
    while let Some(at) = rest.find('%') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let flags = rest[1..].len() - rest[1..].trim_start_matches(['-', '_', '0', '^', '#']).len();
        let Some(letter) = rest[1 + flags..].chars().next() else { break };
        match directive(&moment, letter) {
            Some(field) => field.write(&rest[1..1 + flags], &mut out),
            None => out.push_str(&rest[..1 + flags + letter.len_utf8()]),
        }
        rest = &rest[1 + flags + letter.len_utf8()..];
        if out.len() > TEXT_BYTES_MAX {
            break;
        }
    }
    out.push_str(rest);
    if out.len() > TEXT_BYTES_MAX {
        return Err("strftime: the text is too long".into());
    }
    Ok(out)
}

/// What one directive stands for.
enum Field {
    Text(String),
    /// A number, its width and what pads it.
    Number(i64, usize, char),
}

impl Field {
    fn write(self, flags: &str, out: &mut String) {
        match self {
            Field::Text(text) if flags.contains(['^', '#']) => out.push_str(&text.to_uppercase()),
            Field::Text(text) => out.push_str(&text),
            Field::Number(value, width, pad) => {
                let (width, pad) = match flags.chars().rev().find(|c| "-_0".contains(*c)) {
                    Some('-') => (0, pad),
                    Some('_') => (width, ' '),
                    Some('0') => (width, '0'),
                    _ => (width, pad),
                };
                let text = value.to_string();
                out.extend(std::iter::repeat_n(pad, width.saturating_sub(text.len())));
                out.push_str(&text);
            }
        }
    }
}

fn directive(m: &Moment, letter: char) -> Option<Field> {
    let two = |value| Field::Number(value, 2, '0');
    let spaced = |value| Field::Number(value, 2, ' ');
    let text = |text: &str| Field::Text(text.to_owned());
    let compound = |format: &str| strftime(format, m.epoch).map(Field::Text).ok();
    let hour_12 = (m.hour + 11) % 12 + 1;
    Some(match letter {
        'Y' => Field::Number(m.year, 0, '0'),
        'C' => two(m.year.div_euclid(100)),
        'y' => two(m.year.rem_euclid(100)),
        'm' => two(m.month as i64 + 1),
        'B' => text(MONTHS[m.month]),
        'b' | 'h' => text(&MONTHS[m.month][..3]),
        'd' => two(m.day),
        'e' => spaced(m.day),
        'j' => Field::Number(m.day_of_year + 1, 3, '0'),
        'A' => text(DAYS[m.weekday]),
        'a' => text(&DAYS[m.weekday][..3]),
        'w' => Field::Number(m.weekday as i64, 1, '0'),
        'u' => Field::Number((m.weekday as i64 + 6) % 7 + 1, 1, '0'),
        'U' => two((m.day_of_year + 7 - m.weekday as i64) / 7),
        'W' => two((m.day_of_year + 7 - (m.weekday as i64 + 6) % 7) / 7),
        'G' => Field::Number(m.iso_week().0, 0, '0'),
        'g' => two(m.iso_week().0.rem_euclid(100)),
        'V' => two(m.iso_week().1),
        'H' => two(m.hour),
        'k' => spaced(m.hour),
        'I' => two(hour_12),
        'l' => spaced(hour_12),
        'M' => two(m.minute),
        'S' => two(m.second),
        'f' => Field::Number(0, 6, '0'),
        'p' => text(if m.hour < 12 { "AM" } else { "PM" }),
        'P' => text(if m.hour < 12 { "am" } else { "pm" }),
        's' => Field::Number(m.epoch, 0, '0'),
        // A time without a zone, as templates get it: Python leaves both empty.
        'Z' | 'z' => text(""),
        'n' => text("\n"),
        't' => text("\t"),
        '%' => text("%"),
        'D' | 'x' => return compound("%m/%d/%y"),
        'F' => return compound("%Y-%m-%d"),
        'T' | 'X' => return compound("%H:%M:%S"),
        'R' => return compound("%H:%M"),
        'r' => return compound("%I:%M:%S %p"),
        'c' => return compound("%a %b %e %H:%M:%S %Y"),
        _ => return None,
    })
}
