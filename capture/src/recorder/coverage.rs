//! What was recorded, so that "nothing there" can be told from "not looked".

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
