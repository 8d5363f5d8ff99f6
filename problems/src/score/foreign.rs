//! Other projects' scorers, re-implemented from their descriptions: what predictions get where others score them.
//!
//! Each file says what its project's scorer does, and where this one departs from it. A scorer is proven when it gives
//! every archived prediction of its project the archived score; the others are not proven, and say so.

mod jsonl;
pub mod nezha;
pub mod openrca;
pub mod petshop;
pub mod rcaeval;

use serde::Serialize;
use serde_json::{Map, Value};

/// A file that is not what a scorer reads.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {what}")]
pub struct Unreadable {
    /// The line, from 1.
    pub line: u64,
    /// What is wrong with it.
    pub what: String,
}

impl Unreadable {
    pub(crate) fn new(line: u64, what: impl Into<String>) -> Self {
        Self {
            line,
            what: what.into(),
        }
    }
}

/// What a scorer makes of predictions.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct Report {
    /// Figures over groups of cases, in the scorer's order; the last is of all of them.
    pub groups: Vec<Group>,
    /// What has to be known about the figures.
    pub notes: Vec<String>,
    /// Every case, with what it got.
    pub cases: Vec<Value>,
}

/// Figures over some cases.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Group {
    /// Which cases.
    pub name: String,
    /// How many.
    pub cases: usize,
    /// The figures by name, shares from 0 to 1; null: unknown.
    pub figures: Map<String, Value>,
}

/// The places at which the right answers were found, from 1; none: not at all.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Ranks(Vec<Option<usize>>);

impl Ranks {
    /// Share of the cases whose answer is among the first `k`; none: there is no case.
    pub(crate) fn within(&self, k: usize) -> Option<f64> {
        let found = self.0.iter().flatten().filter(|rank| **rank <= k);
        mean(found.count() as f64, self.0.len())
    }

    /// Mean of [`Self::within`] over 1 to `k`: Avg@k.
    pub(crate) fn average(&self, k: usize) -> Option<f64> {
        let sum: Option<f64> = (1..=k).map(|k| self.within(k)).sum();
        Some(sum? / k as f64)
    }
}

impl FromIterator<Option<usize>> for Ranks {
    fn from_iter<I: IntoIterator<Item = Option<usize>>>(ranks: I) -> Self {
        Self(ranks.into_iter().collect())
    }
}

fn mean(sum: f64, count: usize) -> Option<f64> {
    (count > 0).then(|| sum / count as f64)
}

/// Tells of cases that nobody predicted anything for.
fn missing_note(missing: usize) -> Option<String> {
    (missing > 0).then(|| format!("{missing} cases have no prediction, and count as not found"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_of_all_cases_whether_anything_was_found_or_not() {
        let ranks: Ranks = [Some(1), Some(3), None, Some(9)].into_iter().collect();
        assert_eq!(ranks.within(1), Some(0.25));
        assert_eq!(ranks.within(3), Some(0.5));
        assert_eq!(ranks.average(5), Some((0.25 + 0.25 + 0.5 * 3.0) / 5.0));
        assert_eq!(Ranks::default().average(5), None);
    }
}
