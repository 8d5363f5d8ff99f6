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
    /// Time passes: it begins where the fault window does (the fault has been proven to be there),
    /// or at a moment, and ends with the recording. See [`ACTION_NS`].
    Play {
        /// Where it begins, in nanoseconds since the Unix epoch.
        from: Option<i64>,
    },
}

/// What an action takes under [`Clock::Play`], with the thought that precedes it: the first is
/// answered at the beginning, each later one ten seconds after the one before, and after what that
/// one waited.
pub const ACTION_NS: i64 = 10 * 1_000_000_000;

/// A moment, and up to which one time can pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Course {
    /// Where it begins.
    pub(crate) now: i64,
    /// Where it ends; none: time stands still.
    pub(crate) plays_until: Option<i64>,
}

/// A clock that can't be had.
#[derive(Debug, thiserror::Error)]
pub enum ClockError {
    /// The text names no clock.
    #[error(
        "unknown clock {0:?}\nhint: end, before-fault, a time such as 2026-01-31T12:00:00Z, play, or play:TIME"
    )]
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
    /// Time passes with an agent's actions, and nobody acts here.
    #[error(
        "clock {0} moves with what an agent does, and nothing is done here\nhint: use end, before-fault, or a time"
    )]
    Moves(Clock),
    /// It is not known since when the fault was there.
    #[error("clock play: {reason}\nhint: say where it begins, as in play:2026-01-31T12:00:00Z")]
    NoFaultWindow {
        /// Why.
        reason: String,
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
    /// # Errors
    /// When the moment was not recorded, is not known, or does not stand still.
    pub fn resolve(self, snapshot: &Snapshot) -> Result<i64, ClockError> {
        match self {
            Self::Play { .. } => Err(ClockError::Moves(self)),
            _ => Ok(self.course(snapshot)?.now),
        }
    }

    /// Where the clock begins, and how far it goes.
    ///
    /// The times of the fault, from `withheld/`, move the clock and go nowhere else.
    pub(crate) fn course(self, snapshot: &Snapshot) -> Result<Course, ClockError> {
        let manifest = snapshot.manifest();
        let (from, to) = (
            nanoseconds(manifest.observed.from),
            nanoseconds(manifest.observed.to),
        );
        let end = nanoseconds(manifest.end);
        let (now, to) = match self {
            Self::End => (end, end),
            Self::BeforeFault => (injection(snapshot)?.saturating_sub(1), to),
            Self::At(moment) => (moment, to),
            Self::Play { from: None } => (fault_window(snapshot)?, end),
            Self::Play { from: Some(from) } => (from, end),
        };
        if self != Self::End && (now < from || now > to) {
            return Err(ClockError::Outside {
                asked: time(now),
                from: time(from),
                to: time(to),
            });
        }
        Ok(Course {
            now,
            plays_until: matches!(self, Self::Play { .. }).then_some(end),
        })
    }
}

impl FromStr for Clock {
    type Err = ClockError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "end" => Ok(Self::End),
            "before-fault" => Ok(Self::BeforeFault),
            "play" => Ok(Self::Play { from: None }),
            text => {
                let (moment, plays) = match text.strip_prefix("play:") {
                    Some(moment) => (moment, true),
                    None => (text, false),
                };
                let moment = moment
                    .parse::<Timestamp>()
                    .map(nanoseconds)
                    .map_err(|_| ClockError::Unknown(text.to_owned()))?;
                Ok(if plays {
                    Self::Play { from: Some(moment) }
                } else {
                    Self::At(moment)
                })
            }
        }
    }
}

impl fmt::Display for Clock {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::End => formatter.write_str("end"),
            Self::BeforeFault => formatter.write_str("before-fault"),
            Self::At(moment) => write!(formatter, "{}", time(*moment)),
            Self::Play { from: None } => formatter.write_str("play"),
            Self::Play { from: Some(from) } => write!(formatter, "play:{}", time(*from)),
        }
    }
}

/// Nanoseconds since the Unix epoch as a timestamp.
pub(crate) fn time(nanoseconds: i64) -> Timestamp {
    Timestamp::from_nanosecond(i128::from(nanoseconds)).unwrap_or(Timestamp::UNIX_EPOCH)
}

/// Nanoseconds since the Unix epoch; the last that fit for what is later.
#[must_use]
pub fn nanoseconds(time: Timestamp) -> i64 {
    i64::try_from(time.as_nanosecond()).unwrap_or(i64::MAX)
}

fn injection(snapshot: &Snapshot) -> Result<i64, ClockError> {
    withheld_time(
        snapshot,
        "/injected",
        "no fault was injected in this snapshot",
    )
    .map_err(|reason| ClockError::NoInjection { reason })
}

/// When the fault was first proven to be there; in a quiet capture, when it would have been.
fn fault_window(snapshot: &Snapshot) -> Result<i64, ClockError> {
    withheld_time(snapshot, "/fault/from", "this snapshot has no fault window")
        .map_err(|reason| ClockError::NoFaultWindow { reason })
}

/// A time of the fault, or why there is none.
fn withheld_time(snapshot: &Snapshot, pointer: &str, none: &str) -> Result<i64, String> {
    if !snapshot.has_withheld() {
        return Err(
            "this snapshot came without withheld/, which says when the fault was there".to_owned(),
        );
    }
    let times = snapshot
        .withheld_json("windows")
        .map_err(|error| format!("withheld/windows.json can't be read: {error}"))?;
    time_at(&times, pointer)?.ok_or_else(|| none.to_owned())
}

/// A time of the document `withheld/windows.json`, in nanoseconds since the Unix epoch; none where it
/// has none there.
pub(crate) fn time_at(windows: &serde_json::Value, pointer: &str) -> Result<Option<i64>, String> {
    let Some(text) = windows.pointer(pointer).and_then(serde_json::Value::as_str) else {
        return Ok(None);
    };
    match text.parse() {
        Ok(time) => Ok(Some(nanoseconds(time))),
        Err(_) => Err(format!("withheld/windows.json has no time at {pointer}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clocks_parse_and_print() {
        for text in [
            "end",
            "before-fault",
            "2026-01-31T12:00:00.5Z",
            "play",
            "play:2026-01-31T12:00:00.5Z",
        ] {
            assert_eq!(text.parse::<Clock>().unwrap().to_string(), text);
        }
        assert!("yesterday".parse::<Clock>().is_err());
        assert!("play:yesterday".parse::<Clock>().is_err());
    }
}
