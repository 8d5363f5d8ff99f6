//! Records that hold rows of their own: a line with a document of many spans, a message with the
//! samples of a series.

use serde_json::Value;

use super::defects::{Notes, Rule};
use super::item::{Item, Parsed, Refused};

/// How a file of such records is read.
#[derive(Debug)]
pub(in crate::import) struct Documents {
    /// What a record is.
    pub(in crate::import) cut: Cut,
    /// Understands a record, row by row.
    pub(in crate::import) read: fn(&[u8], &mut Taken<'_>),
    /// The line that a whole file ends with, and the defect of one that does not; none: any.
    pub(in crate::import) last: Option<(&'static str, &'static Rule)>,
}

/// What a record is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::import) enum Cut {
    /// A line of text.
    Lines,
    /// A series of a remote read's answer, encoded; its line is its number in the answer.
    Series,
}

/// Takes the rows of a record.
pub(in crate::import) struct Taken<'a> {
    line: u64,
    /// What a record that can't be understood is, in the report.
    name: &'static str,
    rows: &'a mut Vec<Parsed>,
}

impl<'a> Taken<'a> {
    pub(super) fn new(line: u64, name: &'static str, rows: &'a mut Vec<Parsed>) -> Self {
        Self { line, name, rows }
    }

    /// A row of a kind, with what was noted of it; of rows with one identity the first is taken.
    pub(in crate::import) fn take(
        &mut self,
        kind: &'static str,
        item: Item,
        identity: Option<u128>,
        notes: Notes,
    ) {
        self.rows.push(Parsed {
            kind,
            line: self.line,
            identity,
            notes: notes.taken(),
            result: Ok(Some(item)),
        });
    }

    /// A row that can't be taken, as it stands there.
    pub(in crate::import) fn refuse(
        &mut self,
        kind: &'static str,
        rule: &'static Rule,
        reason: String,
        row: Value,
    ) {
        self.rows.push(Parsed {
            kind,
            line: self.line,
            identity: None,
            notes: Vec::new(),
            result: Err(Refused { rule, reason, row }),
        });
    }

    /// The record as a whole can't be understood.
    pub(in crate::import) fn refuse_all(
        &mut self,
        rule: &'static Rule,
        reason: String,
        row: Value,
    ) {
        self.refuse(self.name, rule, reason, row);
    }
}
