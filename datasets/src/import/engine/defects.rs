//! What is wrong with a source, by name, and what was done about it.

use std::collections::BTreeMap;

use serde::Serialize;

/// What was done about a defect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Treatment {
    /// The value was replaced by the right one.
    Repaired,
    /// The row is not in the snapshot, but in its quarantine.
    Quarantined,
    /// It is in the snapshot as it stands in the source.
    Noted,
}

/// A sort of defect that is known by name.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::import) struct Rule {
    pub(in crate::import) name: &'static str,
    pub(in crate::import) treatment: Treatment,
    /// What is wrong, and what is done about it.
    pub(in crate::import) text: &'static str,
}

impl Rule {
    pub(in crate::import) const fn repaired(name: &'static str, text: &'static str) -> Self {
        Self {
            name,
            treatment: Treatment::Repaired,
            text,
        }
    }

    pub(in crate::import) const fn quarantined(name: &'static str, text: &'static str) -> Self {
        Self {
            name,
            treatment: Treatment::Quarantined,
            text,
        }
    }

    pub(in crate::import) const fn noted(name: &'static str, text: &'static str) -> Self {
        Self {
            name,
            treatment: Treatment::Noted,
            text,
        }
    }
}

/// The rules that hold for every format.
pub(in crate::import) mod rules {
    use super::Rule;

    pub(in crate::import) const MALFORMED_ROW: Rule =
        Rule::quarantined("malformed_row", "the row breaks RFC 4180");
    pub(in crate::import) const MALFORMED_DOCUMENT: Rule = Rule::quarantined(
        "malformed_document",
        "a line, or a message, is not what the format says",
    );
    pub(in crate::import) const DAMAGED_FILE: Rule = Rule::quarantined(
        "damaged_file",
        "a compressed file ends early or is damaged: what would follow is lost",
    );
    pub(in crate::import) const FIELDS_LEFT_OUT: Rule = Rule::noted(
        "fields_left_out",
        "a row has fields that have no place in a snapshot, or that are not known: they are left out",
    );
    pub(in crate::import) const FIELD_COUNT: Rule = Rule::quarantined(
        "field_count",
        "the row has more or fewer fields than the header",
    );
    pub(in crate::import) const UNREADABLE_VALUE: Rule =
        Rule::quarantined("unreadable_value", "a value is not what its column says");
    pub(in crate::import) const DUPLICATE_ROW: Rule = Rule::quarantined(
        "duplicate_row",
        "the same row is in the snapshot already, from this file or an overlapping one",
    );
    pub(in crate::import) const DUPLICATE_SAMPLE: Rule = Rule::quarantined(
        "duplicate_sample",
        "its series has a sample at this time already",
    );
    pub(in crate::import) const EPOCH_UNIT: Rule = Rule::repaired(
        "epoch_unit",
        "a time can't be in the unit that its column has elsewhere: read in the one that its number of digits tells",
    );
    pub(in crate::import) const IDS_MADE_HEXADECIMAL: Rule = Rule::repaired(
        "ids_made_hexadecimal",
        "ids of traces and spans that are not hexadecimal are replaced by digests of them; the source's are in the attributes source.trace_id and source.span_id",
    );
    pub(in crate::import) const SPAN_ENDS_EARLY: Rule = Rule::repaired(
        "span_ends_before_it_starts",
        "a span ends before it starts: it ends when it starts",
    );
    pub(in crate::import) const REUSED_SPAN_ID: Rule = Rule::noted(
        "span_id_used_twice",
        "two different spans of a trace have one id: both are kept",
    );
    pub(in crate::import) const ORPHAN_SPAN: Rule = Rule::noted(
        "orphan_span",
        "the span that a span names as its parent is not in the snapshot",
    );
    pub(in crate::import) const SEVERAL_ROOTS: Rule =
        Rule::noted("several_roots", "a trace has more than one root");
    pub(in crate::import) const NO_ROOT: Rule = Rule::noted(
        "no_root",
        "a trace has no root: it reaches over the edge of what there is",
    );
    pub(in crate::import) const CLOCK_SKEW: Rule = Rule::noted(
        "clock_skew",
        "the clock of the log lines is more than a minute from that of the spans of the same traces (in ms)",
    );
    pub(in crate::import) const DISJOINT: Rule = Rule::noted(
        "modalities_do_not_overlap",
        "two tables have no time in common: a clock is wrong, or they were not collected at the same time",
    );
    pub(in crate::import) const INJECTED_OUTSIDE: Rule = Rule::noted(
        "injected_outside_of_the_recording",
        "the label says that the fault began when nothing was recorded: its clock, or that of the rows, is wrong",
    );
    pub(in crate::import) const OPAQUE_NAME: Rule = Rule::repaired(
        "label_in_path",
        "the folder's name gives the answer away: the incident has an opaque name",
    );
}

/// What is noted of one row.
#[derive(Debug, Default)]
pub(in crate::import) struct Notes(Vec<&'static Rule>);

impl Notes {
    pub(in crate::import) fn note(&mut self, rule: &'static Rule) {
        self.0.push(rule);
    }

    /// Notes what is counted by rows, however often it is in one.
    pub(in crate::import) fn note_once(&mut self, rule: &'static Rule) {
        if !self.0.iter().any(|noted| noted.name == rule.name) {
            self.0.push(rule);
        }
    }

    pub(in crate::import) fn taken(self) -> Vec<&'static Rule> {
        self.0
    }
}

/// Counts of defects by rule.
#[derive(Debug, Default)]
pub(in crate::import) struct Defects {
    found: BTreeMap<&'static str, Found>,
}

#[derive(Debug)]
struct Found {
    rule: &'static Rule,
    count: u64,
    /// Where the first one is: a file, with a line where there is one.
    first: String,
}

/// A defect of a source, as the report has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Defect {
    /// The rule's name.
    pub name: &'static str,
    /// What was done about it.
    pub treatment: Treatment,
    /// What is wrong, and what was done.
    pub rule: &'static str,
    /// How often.
    pub count: u64,
    /// Where the first one is: `file:line`.
    pub first: String,
}

impl Defects {
    /// Counts defects of some place.
    pub(in crate::import) fn add(&mut self, rule: &'static Rule, count: u64, first: &str) {
        if count == 0 {
            return;
        }
        let found = self.found.entry(rule.name).or_insert_with(|| Found {
            rule,
            count: 0,
            first: first.to_owned(),
        });
        found.count += count;
    }

    /// The report's lines, by name.
    pub(in crate::import) fn report(self) -> Vec<Defect> {
        let found = self.found.into_values();
        found
            .map(|found| Defect {
                name: found.rule.name,
                treatment: found.rule.treatment,
                rule: found.rule.text,
                count: found.count,
                first: found.first,
            })
            .collect()
    }
}
