//! Formats of times, with GNU's flags and widths.

use jiff::Timestamp;
use jiff::civil::Weekday;
use jiff::tz::TimeZone;

use super::super::{Halt, lacking};

/// A moment in nanoseconds since the Unix epoch as text.
pub(in super::super) fn formatted(
    nanoseconds: i128,
    format: &str,
    program: &str,
) -> Result<String, Halt> {
    let moment = Timestamp::from_nanosecond(nanoseconds)
        .map_err(|_| lacking(program, "of such a time"))?
        .to_zoned(TimeZone::UTC);
    let mut out = String::new();
    let mut rest = format;
    while let Some(position) = rest.find('%') {
        let (before, after) = rest.split_at(position);
        out.push_str(before);
        let directive = Directive::parse(after);
        match directive.print(&moment) {
            Some(text) => out.push_str(&text),
            // What is no conversion stands for itself.
            None => out.push_str(after.get(..directive.length).unwrap_or(after)),
        }
        rest = after.get(directive.length..).unwrap_or_default();
        if directive.width.is_some_and(|width| width > 1024) {
            return Err(lacking(program, format));
        }
    }
    out.push_str(rest);
    Ok(out)
}

struct Directive {
    pad: Option<char>,
    upper: bool,
    swap: bool,
    width: Option<usize>,
    colons: usize,
    letter: char,
    length: usize,
}

/// How a number is filled up.
struct Number {
    value: i64,
    width: usize,
    pad: char,
}

impl Directive {
    fn parse(text: &str) -> Self {
        let mut directive = Self {
            pad: None,
            upper: false,
            swap: false,
            width: None,
            colons: 0,
            letter: '\0',
            length: 1,
        };
        let mut chars = text.chars().skip(1).peekable();
        while let Some(c) = chars.next_if(|c| "-_0^#".contains(*c)) {
            match c {
                '^' => directive.upper = true,
                '#' => directive.swap = true,
                pad => directive.pad = Some(pad),
            }
            directive.length += 1;
        }
        while let Some(digit) = chars.peek().and_then(|c| c.to_digit(10)) {
            let width = directive.width.unwrap_or(0).saturating_mul(10);
            directive.width = Some(width.saturating_add(digit as usize));
            directive.length += 1;
            chars.next();
        }
        while chars.next_if_eq(&':').is_some() {
            directive.colons += 1;
            directive.length += 1;
        }
        if let Some(letter) = chars.next() {
            directive.letter = letter;
            directive.length += letter.len_utf8();
        }
        directive
    }

    fn print(&self, moment: &jiff::Zoned) -> Option<String> {
        if let Some(number) = self.number(moment) {
            return Some(self.padded(&number));
        }
        let again =
            |format: &str| formatted(moment.timestamp().as_nanosecond(), format, "date").ok();
        let text = match self.letter {
            '%' => "%".to_owned(),
            'n' => "\n".to_owned(),
            't' => "\t".to_owned(),
            'a' => weekday(moment).get(..3)?.to_owned(),
            'A' => weekday(moment).to_owned(),
            'b' | 'h' => month(moment).get(..3)?.to_owned(),
            'B' => month(moment).to_owned(),
            'c' => again("%a %b %e %H:%M:%S %Y")?,
            'D' | 'x' => again("%m/%d/%y")?,
            'F' => again("%Y-%m-%d")?,
            'R' => again("%H:%M")?,
            'T' | 'X' => again("%H:%M:%S")?,
            'r' => again("%I:%M:%S %p")?,
            'p' if self.swap => half(moment).to_lowercase(),
            'p' => half(moment).to_owned(),
            'P' => half(moment).to_lowercase(),
            'N' => self.fraction(moment),
            'Z' if self.swap => "utc".to_owned(),
            'Z' => "UTC".to_owned(),
            'z' => match self.colons {
                0 => "+0000",
                1 => "+00:00",
                2 => "+00:00:00",
                _ => "+00",
            }
            .to_owned(),
            _ => return None,
        };
        let text = match self.upper || (self.swap && !"pZ".contains(self.letter)) {
            true => text.to_uppercase(),
            false => text,
        };
        let missing = match self.letter {
            'N' => 0,
            _ => self.width.unwrap_or(0).min(1024).saturating_sub(text.len()),
        };
        let pad = if self.pad == Some('0') { "0" } else { " " };
        let missing = if self.pad == Some('-') { 0 } else { missing };
        Some(format!("{}{text}", pad.repeat(missing)))
    }

    fn number(&self, moment: &jiff::Zoned) -> Option<Number> {
        let number = |value: i64, width: usize, pad: char| Some(Number { value, width, pad });
        let hour = i64::from(moment.hour());
        let twelve = if hour % 12 == 0 { 12 } else { hour % 12 };
        let day_of_year = i64::from(moment.day_of_year());
        let sunday = i64::from(moment.weekday().to_sunday_zero_offset());
        let monday = i64::from(moment.weekday().to_monday_zero_offset());
        let iso = moment.date().iso_week_date();
        match self.letter {
            'C' => number(i64::from(moment.year()) / 100, 2, '0'),
            'd' => number(i64::from(moment.day()), 2, '0'),
            'e' => number(i64::from(moment.day()), 2, '_'),
            'g' => number(i64::from(iso.year()).rem_euclid(100), 2, '0'),
            'G' => number(i64::from(iso.year()), 4, '0'),
            'H' => number(hour, 2, '0'),
            'I' => number(twelve, 2, '0'),
            'j' => number(day_of_year, 3, '0'),
            'k' => number(hour, 2, '_'),
            'l' => number(twelve, 2, '_'),
            'm' => number(i64::from(moment.month()), 2, '0'),
            'M' => number(i64::from(moment.minute()), 2, '0'),
            'q' => number((i64::from(moment.month()) - 1) / 3 + 1, 1, '0'),
            's' => number(
                moment.timestamp().as_nanosecond().div_euclid(1_000_000_000) as i64,
                1,
                '0',
            ),
            'S' => number(i64::from(moment.second()), 2, '0'),
            'u' => number(monday + 1, 1, '0'),
            'U' => number((day_of_year + 6 - sunday) / 7, 2, '0'),
            'V' => number(i64::from(iso.week()), 2, '0'),
            'w' => number(sunday, 1, '0'),
            'W' => number((day_of_year + 6 - monday) / 7, 2, '0'),
            'y' => number(i64::from(moment.year()).rem_euclid(100), 2, '0'),
            'Y' => number(i64::from(moment.year()), 4, '0'),
            _ => None,
        }
    }

    fn padded(&self, number: &Number) -> String {
        let width = self.width.unwrap_or(number.width).min(1024);
        let sign = if number.value < 0 { "-" } else { "" };
        let digits = number.value.unsigned_abs().to_string();
        let missing = width.saturating_sub(digits.len() + sign.len());
        match self.pad.unwrap_or(number.pad) {
            '-' => format!("{sign}{digits}"),
            '_' => format!("{}{sign}{digits}", " ".repeat(missing)),
            _ => format!("{sign}{}{digits}", "0".repeat(missing)),
        }
    }

    /// The first digits of the nanoseconds.
    fn fraction(&self, moment: &jiff::Zoned) -> String {
        let nanoseconds = moment.timestamp().as_nanosecond().rem_euclid(1_000_000_000);
        let digits = format!("{nanoseconds:09}");
        match self.width {
            Some(width) if width <= 9 => digits.get(..width.max(1)).unwrap_or(&digits).to_owned(),
            _ if self.pad == Some('-') => {
                let short = digits.trim_end_matches('0');
                if short.is_empty() {
                    "0".to_owned()
                } else {
                    short.to_owned()
                }
            }
            Some(width) => format!("{digits:0<width$}", width = width.min(1024)),
            None => digits,
        }
    }
}

fn half(moment: &jiff::Zoned) -> &'static str {
    if moment.hour() < 12 { "AM" } else { "PM" }
}

fn weekday(moment: &jiff::Zoned) -> &'static str {
    match moment.weekday() {
        Weekday::Monday => "Monday",
        Weekday::Tuesday => "Tuesday",
        Weekday::Wednesday => "Wednesday",
        Weekday::Thursday => "Thursday",
        Weekday::Friday => "Friday",
        Weekday::Saturday => "Saturday",
        Weekday::Sunday => "Sunday",
    }
}

/// The months' names.
pub(super) const MONTHS: [&str; 12] = [
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

fn month(moment: &jiff::Zoned) -> &'static str {
    let position = usize::try_from(moment.month() - 1).unwrap_or(0);
    MONTHS.get(position).copied().unwrap_or_default()
}
