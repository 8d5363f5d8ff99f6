//! Checking a snapshot: whether it is what its manifest says, whether its tables agree with each
//! other, and whether it shows what a recording of a fault must show.

mod content;
mod structure;

use crate::error::Result;
use crate::snapshot::Snapshot;

pub use content::{ContentExpectations, RecordedObject, Window, Windows};

/// What was checked, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// The checks.
    pub checks: Vec<Check>,
}

/// One check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// What was checked.
    pub name: String,
    /// Whether it holds.
    pub passed: bool,
    /// What was seen, or what is wrong.
    pub detail: String,
}

impl Report {
    /// Whether every check holds.
    #[must_use]
    pub fn passed(&self) -> bool {
        self.checks.iter().all(|check| check.passed)
    }
}

/// Checks a snapshot's structure and, if asked, whether its content shows the fault.
///
/// What the content should be is taken from the snapshot itself: see [`ContentExpectations`].
#[must_use]
pub fn verify(snapshot: &Snapshot, content: bool) -> Report {
    let mut checks = structure::checks(snapshot);
    if content {
        match ContentExpectations::of(snapshot) {
            Ok(expectations) => checks.extend(content::checks(snapshot, &expectations)),
            Err(cause) => checks.push(check("content", || Err(cause))),
        }
    }
    Report { checks }
}

/// What a check found: what was seen, or the problems.
enum Found {
    Fine(String),
    Problems(Vec<String>),
}

impl Found {
    fn of(problems: Vec<String>, fine: impl FnOnce() -> String) -> Self {
        if problems.is_empty() {
            Self::Fine(fine())
        } else {
            Self::Problems(problems)
        }
    }
}

fn check(name: &str, run: impl FnOnce() -> Result<Found>) -> Check {
    let (passed, detail) = match run() {
        Ok(Found::Fine(detail)) => (true, detail),
        Ok(Found::Problems(problems)) => {
            let first: Vec<_> = problems.iter().take(3).cloned().collect();
            let more = problems.len() - first.len();
            let more = if more > 0 {
                format!("; and {more} more")
            } else {
                String::new()
            };
            (false, format!("{}{more}", first.join("; ")))
        }
        Err(error) => (false, error.to_string()),
    };
    Check {
        name: name.to_owned(),
        passed,
        detail,
    }
}

#[cfg(test)]
mod tests;
