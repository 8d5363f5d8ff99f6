//! Which moment of a recording is *now*.

use std::fmt;
use std::str::FromStr;

use aiopslab_datasets::snapshot::Snapshot;
use jiff::Timestamp;

/// A moment of a recording. The wall clock plays no part.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Clock {
    /// The end of the recording: the fault is there.
    #[default]
    End,
    /// Just before the fault was injected: nothing is wrong yet.
    BeforeFault,
    /// A moment, in nanoseconds since the Unix epoch.
    At(i64),
}

/// A clock that can't be had.
#[derive(Debug, thiserror::Error)]
pub enum ClockError {
    /// The text names no clock.
    #[error("unknown clock {0:?}\nhint: end, before-fault, or a time such as 2026-01-31T12:00:00Z")]
    Unknown(String),
    /// The moment was not recorded.
    #[error("clock {asked} lies outside of the recording\nhint: it runs from {from} to {to}")]
    Outside {
        /// The moment that was asked for.
        asked: Timestamp,
        /// First moment of the recording.
        from: Timestamp,
        /// Last moment of the recording.
        to: Timestamp,
    },
    /// It is not known when the fault was injected.
    #[error("clock before-fault: {reason}\nhint: use end, or a time")]
    NoInjection {
        /// Why.
        reason: String,
    },
}

impl Clock {
    /// The moment in nanoseconds since the Unix epoch.
    ///
    /// This is where the time of injection is read from `withheld/`: it moves the clock and goes
    /// nowhere else.
    pub fn resolve(self, snapshot: &Snapshot) -> Result<i64, ClockError> {
        let manifest = snapshot.manifest();
        let (from, to) = (
            nanoseconds(manifest.observed.from),
            nanoseconds(manifest.observed.to),
        );
        let moment = match self {
            Self::End => return Ok(nanoseconds(manifest.end)),
            Self::BeforeFault => injection(snapshot)?.saturating_sub(1),
            Self::At(moment) => moment,
        };
        if moment < from || moment > to {
            return Err(ClockError::Outside {
                asked: time(moment),
                from: time(from),
                to: time(to),
            });
        }
        Ok(moment)
    }
}

impl FromStr for Clock {
    type Err = ClockError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "end" => Ok(Self::End),
            "before-fault" => Ok(Self::BeforeFault),
            text => text
                .parse::<Timestamp>()
                .ok()
                .map(|time| Self::At(nanoseconds(time)))
                .ok_or_else(|| ClockError::Unknown(text.to_owned())),
        }
    }
}

impl fmt::Display for Clock {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::End => formatter.write_str("end"),
            Self::BeforeFault => formatter.write_str("before-fault"),
            Self::At(moment) => write!(formatter, "{}", time(*moment)),
        }
    }
}

/// Nanoseconds since the Unix epoch as a timestamp.
pub(crate) fn time(nanoseconds: i64) -> Timestamp {
    Timestamp::from_nanosecond(i128::from(nanoseconds)).unwrap_or(Timestamp::UNIX_EPOCH)
}

pub(crate) fn nanoseconds(time: Timestamp) -> i64 {
    i64::try_from(time.as_nanosecond()).unwrap_or(i64::MAX)
}

fn injection(snapshot: &Snapshot) -> Result<i64, ClockError> {
    let missing = |reason: &str| ClockError::NoInjection {
        reason: reason.to_owned(),
    };
    if !snapshot.has_withheld() {
        return Err(missing(
            "this snapshot came without withheld/, which says when the fault was injected",
        ));
    }
    let windows = snapshot
        .withheld_json("windows")
        .map_err(|error| missing(&format!("withheld/windows.json can't be read: {error}")))?;
    match windows
        .get("injected")
        .and_then(|injected| injected.as_str())
    {
        Some(text) => match text.parse::<Timestamp>() {
            Ok(time) => Ok(nanoseconds(time)),
            Err(_) => Err(missing("withheld/windows.json names no time of injection")),
        },
        None => Err(missing("no fault was injected in this snapshot")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clocks_parse_and_print() {
        for text in ["end", "before-fault", "2026-01-31T12:00:00.5Z"] {
            assert_eq!(text.parse::<Clock>().unwrap().to_string(), text);
        }
        assert!("yesterday".parse::<Clock>().is_err());
    }
}
