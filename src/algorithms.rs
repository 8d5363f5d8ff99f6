//! Statistical algorithms of root cause analysis: from a table and a window to ranked components.
//!
//! Each of them exists once, as a pure function: no I/O, no clock, no chance, nothing of agents. An
//! agent (`baseline:metrics`, `baseline:traces`, `baseline:logs`) fills the table with what it read and
//! lets [`change_point`] estimate the window; whoever knows the window gives it.
//!
//! - [`metrics`]: how far a component's metrics left their usual range (BARO's RobustScorer);
//! - [`traces`]: the share of requests that it spoils (SimpleRCA's rule, followed down each trace);
//! - [`logs`]: the share of lines that are new and mean it (templates as Drain begins to make them).
//!
//! Whatever the table holds (nothing, NaN, one sample, rows in any order), the result is the same for
//! the same rows, and every score is finite.

pub mod change_point;
pub mod logs;
pub mod metrics;
mod statistics;
pub mod traces;

use std::collections::BTreeMap;
use std::ops::Range;

/// What is more than this many times the usual is no fluctuation: SimpleRCA's factor for
/// latencies, used for the frequency of log lines too.
const FACTOR: f64 = 3.0;

/// When it was as it should be, and when it was not; milliseconds since the epoch, half open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Window {
    /// As it should be.
    pub baseline: Range<i64>,
    /// The incident.
    pub fault: Range<i64>,
}

impl Window {
    /// How many times longer the incident is than the baseline.
    fn ratio(&self) -> f64 {
        let length = |range: &Range<i64>| (range.end.saturating_sub(range.start)).max(1) as f64;
        length(&self.fault) / length(&self.baseline)
    }
}

/// A component and how much speaks for it.
#[derive(Debug, Clone, PartialEq)]
pub struct Ranked {
    /// Its name.
    pub component: String,
    /// The more, the likelier; comparable within one algorithm only.
    pub score: f64,
}

/// Components by falling score, ties by name; those that nothing speaks for are left out.
fn ranked(scores: BTreeMap<&str, f64>) -> Vec<Ranked> {
    let mut ranking: Vec<Ranked> = scores
        .into_iter()
        .filter(|(_, score)| score.is_finite() && *score > 0.0)
        .map(|(component, score)| Ranked {
            component: component.to_owned(),
            score,
        })
        .collect();
    // Stable, so that ties keep the order of names.
    ranking.sort_by(|one, other| other.score.total_cmp(&one.score));
    ranking
}

#[cfg(test)]
mod tests;
