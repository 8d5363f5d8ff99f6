//! What was recorded, so that "nothing there" can be told from "not looked".

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use aiopslab_datasets::rows::Coverage;

/// A row of coverage whose window may still be open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Covered {
    table: &'static str,
    source: &'static str,
    scope: String,
    from: Option<i64>,
    state: &'static str,
    reason: Option<String>,
    from_is_source_start: bool,
}

impl Covered {
    /// Everything from the start of the recording to its end.
    pub(super) fn recorded(table: &'static str, source: &'static str, scope: &str) -> Self {
        Self {
            table,
            source,
            scope: scope.to_owned(),
            from: None,
            state: "recorded",
            reason: None,
            from_is_source_start: false,
        }
    }

    /// Nothing.
    pub(super) fn missing(
        table: &'static str,
        source: &'static str,
        scope: &str,
        reason: &str,
    ) -> Self {
        let mut covered = Self::recorded(table, source, scope);
        covered.state = "missing";
        covered.reason = Some(reason.to_owned());
        covered
    }

    /// Not everything, if there are reasons.
    pub(super) fn unless(mut self, mut reasons: Vec<String>) -> Self {
        reasons.sort();
        reasons.dedup();
        if !reasons.is_empty() && self.state == "recorded" {
            self.state = "partial";
            self.reason = Some(reasons.join("; "));
        }
        self
    }

    /// From another moment than the start of the recording.
    pub(super) fn since(mut self, from: i64) -> Self {
        self.from = Some(from);
        self
    }

    /// The source had nothing before.
    pub(super) fn whole_source(mut self, is: bool) -> Self {
        self.from_is_source_start = is;
        self
    }

    /// The row, with the window of the recording where no other was set.
    pub(super) fn row(self, from: i64, to: i64) -> Coverage {
        Coverage {
            table: self.table.to_owned(),
            source: self.source.to_owned(),
            scope: self.scope,
            from: self.from.unwrap_or(from),
            to,
            state: self.state.to_owned(),
            reason: self.reason,
            from_is_source_start: self.from_is_source_start,
        }
    }
}

/// What recorders have begun to cover. Should the capture be killed, salvage knows nothing else.
#[derive(Debug, Default)]
pub(super) struct Begun(Mutex<BTreeMap<(&'static str, String), Coverage>>);

impl Begun {
    /// Notes what is covered from a moment on, in place of what was noted of the same part.
    pub(super) fn set(&self, covered: Covered, from: i64) {
        let part = (covered.table, covered.scope.clone());
        let mut parts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        parts.insert(part, covered.row(from, from));
    }

    /// All of it; the ends are not known.
    pub(super) fn rows(&self) -> Vec<Coverage> {
        let parts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        parts.values().cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gap_replaces_what_had_begun() {
        let begun = Begun::default();
        let pods = || Covered::recorded("object_versions", "kubernetes", "resource=pods");
        begun.set(pods(), 5);
        begun.set(
            Covered::missing("object_versions", "kubernetes", "resource=leases", "-"),
            5,
        );
        begun.set(pods().unless(vec!["listed anew".to_owned()]), 5);
        let states: Vec<_> = begun
            .rows()
            .into_iter()
            .map(|row| (row.scope, row.state))
            .collect();
        let state = |scope: &str, state: &str| (scope.to_owned(), state.to_owned());
        assert_eq!(
            states,
            [
                state("resource=leases", "missing"),
                state("resource=pods", "partial")
            ]
        );
    }
}
