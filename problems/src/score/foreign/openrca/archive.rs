//! What was asked, from OpenRCA's archive (`rca/archive`), which has no scoring points.
//!
//! Of the failures in a question's time an archived row has one in full (`groundtruth`), and what was asked of all of
//! them as two sets of values (`passed`, `failed`). So a second failure is what of these values is not the first's;
//! what it has in common with the first is in the sets once. The archive has no question of more than two failures.

use std::collections::BTreeSet;

use csv::StringRecord;

use super::super::Unreadable;
use super::csv::{Table, line};
use super::{Criteria, time};

/// What is known of the archive as a whole.
pub(super) struct Archive {
    components: BTreeSet<String>,
    reasons: BTreeSet<String>,
}

/// What kind of value.
#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Component,
    Reason,
    Time,
}

/// The kinds that tasks 1 to 7 ask for (`main/task_specification.json`).
const ASKED: [&[Kind]; 7] = [
    &[Kind::Time],
    &[Kind::Reason],
    &[Kind::Component],
    &[Kind::Time, Kind::Reason],
    &[Kind::Time, Kind::Component],
    &[Kind::Component, Kind::Reason],
    &[Kind::Component, Kind::Time, Kind::Reason],
];

impl Kind {
    /// Its name in `groundtruth`.
    fn key(self) -> &'static str {
        match self {
            Self::Component => "component",
            Self::Reason => "reason",
            Self::Time => "datetime",
        }
    }
}

impl Archive {
    /// Learns which values are components and which are reasons.
    pub(super) fn new(table: &Table) -> Result<Self, Unreadable> {
        if !table.has("groundtruth") {
            let what = "there is neither a column \"scoring_points\", as in query.csv, nor \"groundtruth\", as in OpenRCA's archive";
            return Err(Unreadable::new(1, what));
        }
        let mut archive = Self {
            components: BTreeSet::new(),
            reasons: BTreeSet::new(),
        };
        for row in table.rows() {
            let truth = table.field(row, "groundtruth")?;
            let value = |kind: Kind| value(truth, kind).map(str::to_owned);
            archive.components.extend(value(Kind::Component));
            archive.reasons.extend(value(Kind::Reason));
        }
        Ok(archive)
    }

    /// What a row's question asks for.
    pub(super) fn criteria(
        &self,
        table: &Table,
        row: &StringRecord,
        task: u8,
    ) -> Result<Criteria, Unreadable> {
        let kinds = ASKED[usize::from(task.clamp(1, 7)) - 1];
        let truth = table.field(row, "groundtruth")?;
        let sets = [table.field(row, "passed")?, table.field(row, "failed")?];
        let mut others: Vec<(Kind, &str)> = Vec::new();
        for value in sets.iter().flat_map(|set| set.lines()) {
            if !value.is_empty() {
                others.push((self.kind(value, kinds, line(row))?, value));
            }
        }
        let mut criteria = Criteria::default();
        for kind in kinds {
            let own = value(truth, *kind).ok_or_else(|| {
                let what = format!("its groundtruth has no {}", kind.key());
                Unreadable::new(line(row), what)
            })?;
            let of_kind = others.iter().filter(|one| one.0 == *kind);
            let further: BTreeSet<&str> = of_kind
                .map(|one| one.1)
                .filter(|other| *other != own)
                .collect();
            if further.len() > 1 {
                let what = "it is of more than two failures, which can't be told apart\nhint: give query.csv as the truth";
                return Err(Unreadable::new(line(row), what));
            }
            let values = match kind {
                Kind::Component => &mut criteria.components,
                Kind::Reason => &mut criteria.reasons,
                Kind::Time => &mut criteria.times,
            };
            values.push(own.to_owned());
            values.extend(further.into_iter().map(str::to_owned));
        }
        criteria.share_what_is_common();
        Ok(criteria)
    }

    fn kind(&self, value: &str, kinds: &[Kind], line: u64) -> Result<Kind, Unreadable> {
        let is = |kind: &Kind| match kind {
            Kind::Component => self.components.contains(value),
            Kind::Reason => self.reasons.contains(value),
            Kind::Time => time(value).is_some(),
        };
        let possible: Vec<Kind> = kinds.iter().copied().filter(|kind| is(kind)).collect();
        match (possible.as_slice(), kinds) {
            ([only], _) | ([], [only]) => Ok(*only),
            _ => Err(Unreadable::new(
                line,
                format!(
                    "it can't be told what {value:?} is in it\nhint: give query.csv as the truth"
                ),
            )),
        }
    }
}

impl Criteria {
    /// Gives the second failure what it has in common with the first.
    fn share_what_is_common(&mut self) {
        let failures = self.failures();
        for kind in [&mut self.components, &mut self.reasons, &mut self.times] {
            if let [only] = kind.as_slice() {
                *kind = vec![only.clone(); failures];
            }
        }
    }
}

/// A value of a record that is written as lines of `key: value`.
fn value(record: &str, kind: Kind) -> Option<&str> {
    let mut lines = record.lines().filter_map(|line| line.split_once(": "));
    lines
        .find(|(key, _)| *key == kind.key())
        .map(|(_, value)| value)
}
