//! When objects changed, so that a probe knows whether its answer is of one moment.

use std::ops::RangeInclusive;
use std::sync::{Mutex, PoisonError};

/// The moments at which recorders saw an object change, by the API server's clock.
#[derive(Debug, Default)]
pub(super) struct Changes(Mutex<Vec<i64>>);

impl Changes {
    pub(super) fn saw(&self, observed: i64) {
        let mut moments = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        moments.push(observed);
    }

    /// Whether there was any in a window.
    pub(super) fn any_in(&self, window: &RangeInclusive<i64>) -> bool {
        let moments = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // The latest are at the end; watches may be a little out of step with each other.
        moments.iter().rev().any(|moment| window.contains(moment))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_is_found_in_its_window() {
        let changes = Changes::default();
        [10, 30, 20]
            .into_iter()
            .for_each(|moment| changes.saw(moment));
        for (window, expected) in [
            (0..=9, false),
            (11..=20, true),
            (30..=40, true),
            (31..=40, false),
        ] {
            assert_eq!(changes.any_in(&window), expected, "{window:?}");
        }
    }
}
