//! What was recorded, so that "nothing there" can be told from "not looked".

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::{Mutex, PoisonError};

use aiopslab_datasets::rows::Coverage;

/// Holes beyond this number are told as one: whoever reads coverage reads all of it.
const MOST_HOLES: usize = 50;

/// A time in which something may be missing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Hole {
    /// From the last moment that is known to be whole to the first that is again.
    pub(super) when: Range<i64>,
    pub(super) reason: String,
}

/// Notes since when a source does not answer, and what it missed when it answers again.
#[derive(Debug, Default)]
pub(super) struct Outage {
    since: Option<(i64, String)>,
    holes: Vec<Hole>,
}

impl Outage {
    /// The source failed; everything up to `whole_until` is there.
    pub(super) fn failed(&mut self, whole_until: i64, reason: String) {
        self.since.get_or_insert((whole_until, reason));
    }

    /// The source goes on where it stopped: nothing is missing.
    pub(super) fn resumed(&mut self) {
        self.since = None;
    }

    /// The source answers again; what happened in between is not known.
    pub(super) fn over(&mut self, now: i64) {
        if let Some((since, reason)) = self.since.take() {
            let when = since..now;
            self.holes.push(Hole { when, reason });
        }
    }

    /// Every hole; one that is still open reaches to the end of time.
    pub(super) fn into_holes(mut self) -> Vec<Hole> {
        self.over(i64::MAX);
        self.holes
    }

    /// Every hole so far.
    pub(super) fn holes(&self) -> Vec<Hole> {
        self.holes.clone()
    }
}

/// What is covered of a part of a table, in a window that may still be open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Covered {
    table: &'static str,
    source: &'static str,
    scope: String,
    from: Option<i64>,
    state: &'static str,
    reason: Option<String>,
    from_is_source_start: bool,
    holes: Vec<Hole>,
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
            holes: Vec::new(),
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

    /// The table that is covered.
    pub(super) fn table(&self) -> &'static str {
        self.table
    }

    /// With times in which something may be missing; all others are as before.
    pub(super) fn with_holes(mut self, holes: impl IntoIterator<Item = Hole>) -> Self {
        self.holes.extend(holes);
        self
    }

    /// The rows, with the window of the recording where no other was set: one, and if there are
    /// holes one for each, and one for each stretch between them.
    pub(super) fn rows(self, from: i64, to: i64) -> Vec<Coverage> {
        let start = self.from.unwrap_or(from);
        let row = |when: Range<i64>, state: &str, reason: Option<String>| Coverage {
            table: self.table.to_owned(),
            source: self.source.to_owned(),
            scope: self.scope.clone(),
            from: when.start,
            to: when.end,
            state: state.to_owned(),
            reason,
            from_is_source_start: self.from_is_source_start && when.start == start,
        };
        let whole = |when: Range<i64>| row(when, self.state, self.reason.clone());
        let mut rows = Vec::new();
        let mut at = start;
        // What is missing altogether has no holes.
        let holes = match self.state {
            "missing" => Vec::new(),
            _ => merged(&self.holes, start..to),
        };
        for hole in holes {
            if hole.when.start > at {
                rows.push(whole(at..hole.when.start));
            }
            at = hole.when.end;
            rows.push(row(hole.when, "partial", Some(hole.reason)));
        }
        if at < to || rows.is_empty() {
            rows.push(whole(at..to));
        }
        rows
    }
}

/// The holes within a window, in order, those that overlap as one.
fn merged(holes: &[Hole], window: Range<i64>) -> Vec<Hole> {
    let clamp = |moment: i64| moment.clamp(window.start, window.end.max(window.start));
    let mut holes: Vec<Hole> = holes.to_vec();
    holes.sort_by_key(|hole| (hole.when.start, hole.when.end));
    let mut merged: Vec<Hole> = Vec::new();
    for hole in holes {
        // One at the very end, or without length, is still told: a moment counts.
        let (from, to) = (clamp(hole.when.start), clamp(hole.when.end));
        let is_outside = hole.when.end < window.start || hole.when.start > window.end;
        if is_outside {
            continue;
        }
        let is_full = merged.len() >= MOST_HOLES;
        match merged.last_mut() {
            Some(last) if from <= last.when.end || is_full => {
                last.when.end = last.when.end.max(to);
                if last.reason.len() < 1000 && !last.reason.contains(&hole.reason) {
                    last.reason.push_str("; ");
                    last.reason.push_str(&hole.reason);
                }
            }
            _ => merged.push(Hole {
                when: from..to,
                reason: hole.reason,
            }),
        }
    }
    merged
}

/// What recorders have begun to cover. Should the capture be killed, salvage knows nothing else.
#[derive(Debug, Default)]
pub(super) struct Begun(Mutex<BTreeMap<(&'static str, String), Vec<Coverage>>>);

impl Begun {
    /// Notes what is covered from a moment on, in place of what was noted of the same part.
    pub(super) fn set(&self, covered: Covered, from: i64) {
        let part = (covered.table, covered.scope.clone());
        let mut parts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        parts.insert(part, covered.rows(from, from));
    }

    /// All of it; the ends are not known.
    pub(super) fn rows(&self) -> Vec<Coverage> {
        let parts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        parts.values().flatten().cloned().collect()
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

    #[test]
    fn holes_split_what_is_covered() {
        let hole = |when: Range<i64>, reason: &str| Hole {
            when,
            reason: reason.to_owned(),
        };
        let covered = Covered::recorded("log_lines", "kubernetes", "namespace=shop")
            .whole_source(true)
            .with_holes([
                hole(30..40, "b"),
                hole(20..32, "a"),
                hole(90..i64::MAX, "c"),
                hole(-5..2, "before"),
            ]);
        let told: Vec<_> = covered
            .rows(10, 100)
            .into_iter()
            .map(|row| {
                (
                    row.from..row.to,
                    row.state,
                    row.reason,
                    row.from_is_source_start,
                )
            })
            .collect();
        let recorded = |when: Range<i64>, first| (when, "recorded".to_owned(), None, first);
        let partial =
            |when: Range<i64>, why: &str| (when, "partial".to_owned(), Some(why.to_owned()), false);
        assert_eq!(
            told,
            [
                recorded(10..20, true),
                partial(20..40, "a; b"),
                recorded(40..90, false),
                partial(90..100, "c"),
            ]
        );
    }

    #[test]
    fn an_outage_that_was_bridged_is_no_hole() {
        let mut outage = Outage::default();
        outage.failed(5, "reset".to_owned());
        outage.failed(7, "refused".to_owned());
        outage.resumed();
        outage.failed(10, "reset".to_owned());
        outage.over(15);
        outage.failed(20, "refused".to_owned());
        let holes = outage.into_holes();
        let when: Vec<_> = holes.iter().map(|hole| hole.when.clone()).collect();
        assert_eq!(when, [10..15, 20..i64::MAX]);
        assert_eq!(holes[0].reason, "reset");
    }
}
