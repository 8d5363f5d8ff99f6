//! How long the windows of a capture are: drawn from a seed, so that no length tells the kind.

use std::time::Duration;

use jiff::Timestamp;
use rand::rngs::Xoshiro256PlusPlus;
use rand::{RngExt, SeedableRng};
use serde::{Deserialize, Serialize};

/// A range of seconds that a length is drawn from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seconds {
    /// The shortest.
    pub min: u64,
    /// The longest.
    pub max: u64,
}

/// The lengths of one capture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Lengths {
    /// How long the application must have been quiet before the baseline.
    pub(crate) age: Duration,
    /// The baseline window.
    pub(crate) baseline: Duration,
    /// The fault window.
    pub(crate) fault: Duration,
}

impl Lengths {
    /// Draws the lengths for a seed, in milliseconds.
    #[must_use]
    pub(crate) fn draw(seed: u64, age: Seconds, baseline: Seconds, window: Seconds) -> Self {
        let mut random = Xoshiro256PlusPlus::seed_from_u64(seed);
        let mut draw = |range: Seconds| {
            let drawn = random.random_range(range.min * 1000..=range.max.max(range.min) * 1000);
            Duration::from_millis(drawn)
        };
        Self {
            age: draw(age),
            baseline: draw(baseline),
            fault: draw(window),
        }
    }
}

/// The windows of a capture, as `withheld/windows.json` says them; only a salvaged one lacks any.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Windows {
    /// The application was proven healthy.
    pub baseline: Option<Window>,
    /// Just before the first step of the fault; none: nothing is injected.
    pub injected: Option<Timestamp>,
    /// The fault was proven present at both ends.
    pub fault: Option<Window>,
    /// When the application was proven healthy again; none: there was nothing to recover.
    pub recovered: Option<Timestamp>,
}

/// A span of time, half-open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Window {
    /// Its start.
    pub from: Timestamp,
    /// Its end.
    pub to: Timestamp,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn same_seed_same_lengths() {
        let range = Seconds { min: 45, max: 75 };
        let draw = |seed| Lengths::draw(seed, range, range, range);
        assert_eq!(draw(7), draw(7));
        assert_ne!(draw(7), draw(8));
        assert!((45..=75).contains(&draw(9).baseline.as_secs()));
    }
}
