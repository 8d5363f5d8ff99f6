//! Moments as `date -d` reads them: what agents and tools write, relative to now.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;

use super::strftime::MONTHS;

const SECOND: i128 = 1_000_000_000;

/// Why a text is no moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unreadable {
    /// GNU's refuses it, too.
    Invalid,
    /// GNU's might read it.
    Lacking,
}

/// A moment in nanoseconds since the Unix epoch.
pub(super) fn moment(text: &str, now: i128) -> Result<i128, Unreadable> {
    let text = text.trim();
    if let Some(seconds) = text.strip_prefix('@') {
        return seconds_since_epoch(seconds);
    }
    let lower = text.to_ascii_lowercase();
    let mut words = Words { rest: &lower };
    let mut found = Found::default();
    while let Some(word) = words.next()? {
        found.take(word, &mut words)?;
    }
    found.moment(now, text.is_empty())
}

fn seconds_since_epoch(text: &str) -> Result<i128, Unreadable> {
    let (whole, part) = text.split_once(['.', ',']).unwrap_or((text, "0"));
    let negative = whole.starts_with('-');
    let seconds: i64 = whole.parse().map_err(|_| Unreadable::Invalid)?;
    if part.is_empty() || !part.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(Unreadable::Invalid);
    }
    let nanoseconds = nanoseconds(part);
    let nanoseconds = if negative { -nanoseconds } else { nanoseconds };
    Ok(i128::from(seconds) * SECOND + nanoseconds)
}

fn nanoseconds(digits: &str) -> i128 {
    let nine: String = digits.chars().chain("000000000".chars()).take(9).collect();
    nine.parse().unwrap_or(0)
}

/// A piece of the text.
#[derive(Debug, Clone, Copy)]
enum Word<'t> {
    Name(&'t str),
    /// Digits with a sign, and whether a blank follows the sign.
    Number(Option<char>, &'t str),
    Date(i16, i8, i8),
    /// Hours, minutes, seconds and nanoseconds.
    Time(i8, i8, i8, i128),
}

struct Words<'t> {
    rest: &'t str,
}

impl<'t> Words<'t> {
    fn next(&mut self) -> Result<Option<Word<'t>>, Unreadable> {
        self.rest = self.rest.trim_start_matches([' ', '\t', ',']);
        let rest = self.rest;
        let Some(first) = rest.chars().next() else {
            return Ok(None);
        };
        if first.is_ascii_alphabetic() {
            let end = rest.find(|c: char| !c.is_ascii_alphabetic() && c != '.');
            let name = rest.get(..end.unwrap_or(rest.len())).unwrap_or_default();
            self.skip(name.len());
            return Ok(Some(Word::Name(name.trim_end_matches('.'))));
        }
        let sign = Some(first).filter(|c| matches!(c, '+' | '-'));
        let unsigned = match sign {
            Some(_) => rest.get(1..).unwrap_or_default().trim_start(),
            None => rest,
        };
        let length = unsigned.bytes().take_while(u8::is_ascii_digit).count();
        let digits = unsigned.get(..length).unwrap_or_default();
        if digits.is_empty() {
            return Err(Unreadable::Invalid);
        }
        let after = unsigned.get(length..).unwrap_or_default();
        if sign.is_none() && after.starts_with('-') && digits.len() == 4 {
            return self.date(digits, after).map(Some);
        }
        if sign.is_none() && after.starts_with(':') {
            return self.time(digits, after).map(Some);
        }
        if after.starts_with('/') || after.starts_with('.') {
            return Err(Unreadable::Lacking);
        }
        self.rest = after;
        Ok(Some(Word::Number(sign, digits)))
    }

    fn skip(&mut self, bytes: usize) {
        self.rest = self.rest.get(bytes..).unwrap_or_default();
    }

    fn digits(&mut self) -> &'t str {
        let length = self.rest.bytes().take_while(u8::is_ascii_digit).count();
        let digits = self.rest.get(..length).unwrap_or_default();
        self.skip(length);
        digits
    }

    fn date(&mut self, year: &str, after: &'t str) -> Result<Word<'t>, Unreadable> {
        self.rest = after.get(1..).unwrap_or_default();
        let month = self.digits();
        if !self.rest.starts_with('-') {
            return Err(Unreadable::Invalid);
        }
        self.skip(1);
        let day = self.digits();
        // A `t` between date and time is no zone.
        if self.rest.starts_with('t') && self.rest.get(1..2).is_some_and(is_digit) {
            self.skip(1);
        }
        let parsed = (year.parse(), month.parse(), day.parse());
        match parsed {
            (Ok(year), Ok(month), Ok(day)) => Ok(Word::Date(year, month, day)),
            _ => Err(Unreadable::Invalid),
        }
    }

    fn time(&mut self, hours: &str, after: &'t str) -> Result<Word<'t>, Unreadable> {
        self.rest = after.get(1..).unwrap_or_default();
        let minutes = self.digits();
        let (mut seconds, mut fraction) = ("0", "");
        if self.rest.starts_with(':') {
            self.skip(1);
            seconds = self.digits();
            if self.rest.starts_with(['.', ',']) {
                self.skip(1);
                fraction = self.digits();
            }
        }
        let number = |text: &str, most: i8| match text.parse::<i8>() {
            Ok(number) if number <= most && text.len() <= 2 => Ok(number),
            _ => Err(Unreadable::Invalid),
        };
        let (hours, minutes) = (number(hours, 24)?, number(minutes, 59)?);
        if hours == 24 {
            return Err(Unreadable::Lacking);
        }
        Ok(Word::Time(
            hours,
            minutes,
            number(seconds, 60)?,
            nanoseconds(fraction),
        ))
    }
}

fn is_digit(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
}

/// What a text says.
#[derive(Default)]
struct Found {
    date: Option<(i16, i8, i8)>,
    time: Option<(i8, i8, i8, i128)>,
    /// Seconds east of UTC.
    zone: Option<i64>,
    months: i64,
    days: i64,
    nanoseconds: i128,
    /// The last relative part, which `ago` turns around.
    last: Option<Shift>,
    weekday: bool,
    month: Option<i8>,
    day: Option<i8>,
    after_time: bool,
}

#[derive(Clone, Copy, Default)]
struct Shift {
    months: i64,
    days: i64,
    nanoseconds: i128,
}

impl Found {
    fn take(&mut self, word: Word<'_>, words: &mut Words<'_>) -> Result<(), Unreadable> {
        let after_time = std::mem::take(&mut self.after_time);
        match word {
            Word::Date(year, month, day) => self.set_date(year, month, day),
            Word::Time(hours, minutes, seconds, fraction) => {
                if self.time.is_some() {
                    return Err(Unreadable::Invalid);
                }
                self.time = Some((hours, minutes, seconds, fraction));
                self.after_time = true;
                Ok(())
            }
            Word::Number(Some(sign), digits) if after_time => self.offset(sign, digits, words),
            Word::Number(sign, digits) => self.number(sign, digits, words),
            Word::Name(name) => self.name(name, words),
        }
    }

    fn set_date(&mut self, year: i16, month: i8, day: i8) -> Result<(), Unreadable> {
        if self.date.replace((year, month, day)).is_some() {
            return Err(Unreadable::Invalid);
        }
        Ok(())
    }

    /// A zone such as `+02:00`, `+0200` or `+2`.
    fn offset(
        &mut self,
        sign: char,
        digits: &str,
        words: &mut Words<'_>,
    ) -> Result<(), Unreadable> {
        let (mut hours, mut minutes) = (digits, "0");
        if words.rest.starts_with(':') {
            words.skip(1);
            minutes = words.digits();
        } else if digits.len() > 2 {
            (hours, minutes) = digits.split_at(digits.len() - 2);
        }
        let number = |text: &str| text.parse::<i64>().map_err(|_| Unreadable::Invalid);
        let (hours, minutes) = (number(hours)?, number(minutes)?);
        if hours > 24 || minutes > 59 {
            return Err(Unreadable::Invalid);
        }
        let seconds = hours * 3600 + minutes * 60;
        self.zone = Some(if sign == '-' { -seconds } else { seconds });
        Ok(())
    }

    fn number(
        &mut self,
        sign: Option<char>,
        digits: &str,
        words: &mut Words<'_>,
    ) -> Result<(), Unreadable> {
        let number: i64 = digits.parse().map_err(|_| Unreadable::Lacking)?;
        let before = words.rest;
        if let Some(Word::Name(name)) = words.next()? {
            if let Some(month) = month(name) {
                if sign.is_some() {
                    return Err(Unreadable::Lacking);
                }
                self.month = Some(month);
                self.day = Some(i8::try_from(number).map_err(|_| Unreadable::Invalid)?);
                return Ok(());
            }
            if let Some(unit) = unit(name) {
                let number = if sign == Some('-') { -number } else { number };
                return self.shift(number, unit);
            }
        }
        words.rest = before;
        match (sign, digits.len(), self.month, self.day) {
            (None, 1 | 2, Some(_), None) => {
                self.day = Some(i8::try_from(number).map_err(|_| Unreadable::Invalid)?);
                Ok(())
            }
            (None, 4, Some(month), Some(day)) if self.date.is_none() => {
                self.month = None;
                self.set_date(number as i16, month, day)
            }
            (None, 8, None, None) => {
                let (year, rest) = digits.split_at(4);
                let (month, day) = rest.split_at(2);
                let parsed = (year.parse(), month.parse(), day.parse());
                let (Ok(year), Ok(month), Ok(day)) = parsed else {
                    return Err(Unreadable::Invalid);
                };
                self.set_date(year, month, day)
            }
            _ => Err(Unreadable::Lacking),
        }
    }

    fn name(&mut self, name: &str, words: &mut Words<'_>) -> Result<(), Unreadable> {
        match name {
            "z" | "utc" | "gmt" | "ut" => {
                self.zone = Some(0);
                return Ok(());
            }
            "now" | "today" => return Ok(()),
            "yesterday" => return self.shift(-1, Unit::Days(1)),
            "tomorrow" => return self.shift(1, Unit::Days(1)),
            "ago" => {
                let last = self.last.take().ok_or(Unreadable::Invalid)?;
                self.months -= 2 * last.months;
                self.days -= 2 * last.days;
                self.nanoseconds -= 2 * last.nanoseconds;
                return Ok(());
            }
            "next" | "last" | "this" => {
                let number = match name {
                    "next" => 1,
                    "last" => -1,
                    _ => 0,
                };
                let unit = match words.next()? {
                    Some(Word::Name(unit_name)) => unit(unit_name).ok_or(Unreadable::Lacking)?,
                    _ => return Err(Unreadable::Lacking),
                };
                return self.shift(number, unit);
            }
            _ => {}
        }
        if let Some(month) = month(name) {
            self.month = Some(month);
            return Ok(());
        }
        if let Some(unit) = unit(name) {
            return self.shift(1, unit);
        }
        const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
        if name.len() >= 3 && DAYS.iter().any(|day| name.starts_with(day)) {
            self.weekday = true;
            return Ok(());
        }
        // Names of zones and military letters.
        match name.len() {
            1 | 3 | 4 => Err(Unreadable::Lacking),
            2 if matches!(name, "am" | "pm") => Err(Unreadable::Lacking),
            _ if matches!(
                name,
                "first" | "third" | "fourth" | "fifth" | "sixth" | "noon" | "midnight"
            ) =>
            {
                Err(Unreadable::Lacking)
            }
            _ => Err(Unreadable::Invalid),
        }
    }

    fn shift(&mut self, number: i64, unit: Unit) -> Result<(), Unreadable> {
        let times = |factor: i64| number.checked_mul(factor).ok_or(Unreadable::Lacking);
        let shift = match unit {
            Unit::Months(factor) => Shift {
                months: times(factor)?,
                ..Shift::default()
            },
            Unit::Days(factor) => Shift {
                days: times(factor)?,
                ..Shift::default()
            },
            Unit::Seconds(factor) => Shift {
                nanoseconds: i128::from(times(factor)?) * SECOND,
                ..Shift::default()
            },
        };
        self.months = self
            .months
            .checked_add(shift.months)
            .ok_or(Unreadable::Lacking)?;
        self.days = self
            .days
            .checked_add(shift.days)
            .ok_or(Unreadable::Lacking)?;
        self.nanoseconds += shift.nanoseconds;
        if shift.months.abs() > 120_000 || shift.days.abs() > 3_600_000 {
            return Err(Unreadable::Lacking);
        }
        self.last = Some(shift);
        Ok(())
    }

    fn moment(mut self, now: i128, empty: bool) -> Result<i128, Unreadable> {
        let present = Timestamp::from_nanosecond(now).map_err(|_| Unreadable::Lacking)?;
        let present = present.to_zoned(TimeZone::UTC).datetime();
        if let (Some(month), Some(day), None) = (self.month, self.day, self.date) {
            self.date = Some((present.year(), month, day));
        } else if self.month.is_some() && self.date.is_none() {
            return Err(Unreadable::Lacking);
        }
        if self.weekday && self.date.is_none() {
            return Err(Unreadable::Lacking);
        }
        if self.zone.is_some() && self.date.is_none() {
            // The day of now is another one elsewhere.
            return Err(Unreadable::Lacking);
        }
        let date = match self.date {
            None => present.date(),
            Some((year, month, day)) => {
                Date::new(year, month, day).map_err(|_| Unreadable::Invalid)?
            }
        };
        let (hours, minutes, seconds, fraction) = match (self.time, self.date, empty) {
            (Some(time), ..) => time,
            (None, Some(_), _) | (None, _, true) => (0, 0, 0, 0),
            (None, None, false) => {
                let (hours, minutes, seconds) =
                    (present.hour(), present.minute(), present.second());
                (hours, minutes, seconds, now.rem_euclid(SECOND))
            }
        };
        // Months are counted on; a day that the month has not runs into the next.
        let months = i64::from(date.year()) * 12 + i64::from(date.month()) - 1 + self.months;
        let year = i16::try_from(months.div_euclid(12)).map_err(|_| Unreadable::Lacking)?;
        let month = (months.rem_euclid(12) + 1) as i8;
        let first = DateTime::new(year, month, 1, 0, 0, 0, 0).map_err(|_| Unreadable::Lacking)?;
        let first = first
            .to_zoned(TimeZone::UTC)
            .map_err(|_| Unreadable::Lacking)?;
        let days = i128::from(date.day()) - 1 + i128::from(self.days);
        let clock = i128::from(hours) * 3600 + i128::from(minutes) * 60 + i128::from(seconds);
        let moment = first.timestamp().as_nanosecond()
            + (days * 86_400 + clock - i128::from(self.zone.unwrap_or(0))) * SECOND
            + fraction
            + self.nanoseconds;
        Ok(moment)
    }
}

/// A unit of time, as a multiple of the calendar's.
#[derive(Clone, Copy)]
enum Unit {
    Months(i64),
    Days(i64),
    Seconds(i64),
}

fn unit(name: &str) -> Option<Unit> {
    let singular = name
        .strip_suffix('s')
        .filter(|name| !name.is_empty())
        .unwrap_or(name);
    Some(match singular {
        "year" => Unit::Months(12),
        "month" => Unit::Months(1),
        "fortnight" => Unit::Days(14),
        "week" => Unit::Days(7),
        "day" => Unit::Days(1),
        "hour" => Unit::Seconds(3600),
        "minute" | "min" => Unit::Seconds(60),
        "second" | "sec" => Unit::Seconds(1),
        _ => return None,
    })
}

fn month(name: &str) -> Option<i8> {
    let matches = |month: &str| {
        let lower = month.to_ascii_lowercase();
        name == lower || lower.get(..3) == Some(name) || (name == "sept" && lower == "september")
    };
    let position = MONTHS.iter().position(|month| matches(month))?;
    i8::try_from(position + 1).ok()
}
