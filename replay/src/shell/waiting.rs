//! Time that passes while commands wait. Where it stands still (every clock but `play`), nothing
//! here does anything.

use aiopslab_problems::environment::Verdict;

use super::command::{Patience, Waited};
use super::interpreter::{Done, Halt, Shell};
use super::outcome::TIMED_OUT;
use crate::view::View;

/// What is printed when a wait reaches the end of the recording.
pub(crate) const END_OF_RECORDING: &str =
    "notice: what changes after this moment is not available in this recording\n";

const SECOND: f64 = 1e9;

impl Shell<'_> {
    /// The recording at the moment that has been reached.
    pub(super) fn view(&self) -> &dyn View {
        self.later.as_deref().unwrap_or(self.began)
    }

    /// Lets time pass after a command has waited.
    pub(super) fn waited(&mut self, waited: Waited) -> Done {
        self.pass(waited.until);
        if waited.stopped {
            self.status = TIMED_OUT;
            return Err(Halt::TimedOut);
        }
        Ok(())
    }

    /// Waits for a time in nanoseconds, as far as the recording goes.
    pub(super) fn sleep(&mut self, duration: i64) -> Done {
        let Some(end) = self.view().plays_until() else {
            return Ok(());
        };
        let asked = self.view().now().saturating_add(duration);
        let until = asked.min(self.patience.deadline);
        if until > end {
            self.pass(end);
            self.verdict = self.verdict.max(Verdict::Partial);
            return self.print(2, END_OF_RECORDING);
        }
        self.waited(Waited {
            until,
            stopped: until < asked,
        })
    }

    fn pass(&mut self, moment: i64) {
        if moment > self.view().now()
            && let Some(later) = self.view().later(moment)
        {
            self.later = Some(later);
        }
    }

    /// Gives what follows no more than a time (0: as long as it takes); returns the patience before.
    pub(super) fn limit(&mut self, duration: i64) -> Patience {
        let before = self.patience;
        if duration > 0 {
            let deadline = self.view().now().saturating_add(duration);
            self.patience.deadline = before.deadline.min(deadline);
        }
        before
    }

    /// Takes the limit back; what it has stopped has the status for that.
    pub(super) fn unlimit(&mut self, before: Patience, done: Done) -> Done {
        let deadline = self.patience.deadline;
        self.patience = before;
        match done {
            Err(Halt::TimedOut) if deadline < before.deadline && self.view().now() >= deadline => {
                self.status = TIMED_OUT;
                Ok(())
            }
            done => done,
        }
    }
}

/// Nanoseconds of a number with `s`, `m`, `h` or `d`, or of `inf`.
pub(super) fn duration(text: &str) -> Option<i64> {
    let (number, unit) = match text.char_indices().next_back()? {
        (end, 's') => (&text[..end], 1.0),
        (end, 'm') => (&text[..end], 60.0),
        (end, 'h') => (&text[..end], 3600.0),
        (end, 'd') => (&text[..end], 86_400.0),
        _ => (text, 1.0),
    };
    let number = number.parse::<f64>().ok()?;
    // A conversion that is too large is the largest.
    (number >= 0.0).then_some((number * unit * SECOND).round() as i64)
}

#[cfg(test)]
mod tests {
    use super::duration;

    #[test]
    fn durations_have_units_and_fractions() {
        for (text, seconds) in [
            ("2", 2.0),
            ("0.5", 0.5),
            ("1.5m", 90.0),
            ("1h", 3600.0),
            ("2d", 172_800.0),
        ] {
            assert_eq!(duration(text), Some((seconds * 1e9) as i64), "{text}");
        }
        assert_eq!(duration("inf"), Some(i64::MAX));
        for text in ["", "s", "-1", "nan", "1w", "é"] {
            assert_eq!(duration(text), None, "{text}");
        }
    }
}
