//! Times of foreign files, as nanoseconds since the Unix epoch.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::Offset;

use super::defects::{Notes, rules};

/// How a column writes times.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::import) enum Unit {
    /// Since the Unix epoch, with or without a fraction.
    Seconds,
    /// Since the Unix epoch.
    Milliseconds,
    /// Since the Unix epoch.
    Microseconds,
    /// Since the Unix epoch.
    Nanoseconds,
}

impl Unit {
    const ALL: [Self; 4] = [
        Self::Seconds,
        Self::Milliseconds,
        Self::Microseconds,
        Self::Nanoseconds,
    ];

    pub(in crate::import) fn nanoseconds(self) -> i64 {
        match self {
            Self::Seconds => 1_000_000_000,
            Self::Milliseconds => 1_000_000,
            Self::Microseconds => 1_000,
            Self::Nanoseconds => 1,
        }
    }
}

/// What no recording of a cluster is earlier than, 2001-09-09, and later than, 2100-01-01; within these, the number
/// of digits tells the unit.
const PLAUSIBLE: std::ops::Range<i128> = 1_000_000_000_000_000_000..4_102_444_800_000_000_000;

/// A time since the epoch. One that can't be in its unit but is in exactly one other is taken to be
/// in that, which is noted.
pub(in crate::import) fn since_epoch(
    text: &str,
    unit: Unit,
    notes: &mut Notes,
) -> Result<i64, String> {
    let told = |unit: Unit| number(text, unit).filter(|time| PLAUSIBLE.contains(time));
    let time = told(unit).or_else(|| {
        let time = Unit::ALL.into_iter().find_map(told)?;
        notes.note(&rules::EPOCH_UNIT);
        Some(time)
    });
    time.and_then(|time| i64::try_from(time).ok())
        .ok_or_else(|| format!("{text:?} is no time"))
}

/// A length of time in nanoseconds.
pub(in crate::import) fn duration(text: &str, unit: Unit) -> Result<i64, String> {
    number(text, unit)
        .filter(|length| *length >= 0)
        .and_then(|length| i64::try_from(length).ok())
        .ok_or_else(|| format!("{text:?} is no length of time"))
}

/// A decimal number of units, exactly.
fn number(text: &str, unit: Unit) -> Option<i128> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let is_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || whole.len() > 20 || !is_digits(whole) || !is_digits(fraction) {
        return None;
    }
    let scale = i128::from(unit.nanoseconds());
    let mut time = whole.parse::<i128>().ok()?.checked_mul(scale)?;
    let mut weight = scale;
    for digit in fraction.bytes() {
        weight /= 10;
        time += i128::from(digit - b'0') * weight;
    }
    Some(time)
}

/// A time in RFC 3339.
pub(in crate::import) fn rfc3339(text: &str) -> Option<i64> {
    text.parse().ok().and_then(nanoseconds)
}

/// `2023-01-29 09:34:19`, with or without a fraction, on a clock that is so many hours before UTC.
pub(in crate::import) fn on_clock(text: &str, hours: i8) -> Option<i64> {
    let time: DateTime = text.trim().parse().ok()?;
    let offset = Offset::from_hours(hours).ok()?;
    offset.to_timestamp(time).ok().and_then(nanoseconds)
}

pub(in crate::import) fn nanoseconds(time: Timestamp) -> Option<i64> {
    i64::try_from(time.as_nanosecond()).ok()
}

/// The moment that so many nanoseconds since the epoch are.
pub(in crate::import) fn moment(nanoseconds: i64) -> Timestamp {
    Timestamp::from_nanosecond(nanoseconds.into()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_are_told_and_repaired() {
        let mut notes = Notes::default();
        let mut time = |text: &str, unit| since_epoch(text, unit, &mut notes);
        let moment = 1_674_984_859_000_000_000;
        assert_eq!(time("1674984859", Unit::Seconds), Ok(moment));
        assert_eq!(
            time("1674984859.25", Unit::Seconds),
            Ok(moment + 250_000_000)
        );
        assert_eq!(time("1674984859000", Unit::Milliseconds), Ok(moment));
        assert_eq!(time("1674984859000", Unit::Seconds), Ok(moment));
        assert_eq!(time("1674984859000000", Unit::Seconds), Ok(moment));
        assert_eq!(
            time("-6795364578871345152", Unit::Nanoseconds),
            Err("\"-6795364578871345152\" is no time".to_owned())
        );
        assert!(time("", Unit::Seconds).is_err());
        assert!(time("12", Unit::Seconds).is_err());
        assert_eq!(notes.taken(), [&rules::EPOCH_UNIT, &rules::EPOCH_UNIT]);
    }

    #[test]
    fn clocks_have_zones() {
        let utc = on_clock("2023-01-29 09:34:19", 0);
        assert_eq!(utc, rfc3339("2023-01-29T09:34:19Z"));
        assert_eq!(on_clock("2023-01-29 17:34:19", 8), utc);
        assert_eq!(on_clock("17:34", 8), None);
        assert_eq!(duration("19333", Unit::Microseconds), Ok(19_333_000));
        assert!(duration("-1", Unit::Microseconds).is_err());
    }
}
