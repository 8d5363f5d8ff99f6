//! PetShop: whether the node at fault is among the first `k` potential causes (`in_top_k` and `evaluate` in
//! `code/rca_task.py`, and the grouping of `code/run_experiments.py`, of
//! amazon-science/petshop-root-cause-analysis at 1c5992d).
//!
//! - Causes are ordered by their score, the highest first; equal scores keep their order.
//! - The node has to be the true one, and the metric too where the truth names one.
//! - Recall is the share of issues whose cause is among the first `k`, for k = 1 and 3, by traffic (the two temporal
//!   ones are one) and by the metric that the issue shows in.
//!
//! Departure: an issue without a prediction counts as not found; PetShop asks its method about every issue.
//! Specificity (no cause named where nothing is wrong) needs the method itself, and is not scored.
//! Not proven: PetShop archives no causes with their scores.

use serde::Deserialize;
use serde_json::{Value, json};

use super::{Group, Ranks, Report, Unreadable, jsonl, mean, missing_note};

/// The traffics, as PetShop groups its scenarios, by how their names begin.
const TRAFFICS: [&str; 3] = ["low_traffic", "high_traffic", "temporal_traffic"];

/// The causes that were named for an issue.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Prediction {
    /// Its folder below `dataset`: `low_traffic/test/issue_9`.
    pub case: String,
    /// The causes, in any order.
    pub causes: Vec<Cause>,
}

/// A potential cause.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cause {
    /// The node.
    pub node: String,
    /// Its metric.
    #[serde(default)]
    pub metric: Option<String>,
    /// How likely it is the cause.
    pub score: f64,
}

/// An issue and its cause.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issue {
    /// Its folder below `dataset`.
    pub case: String,
    /// The metric that it shows in: `latency` or `availability`.
    pub shows_in: String,
    /// The node at fault.
    pub node: String,
    /// The metric at fault; none: any.
    pub metric: Option<String>,
}

/// `target.json`, as far as it is scored.
#[derive(Deserialize)]
struct Target {
    target: Shown,
    root_cause: RootCause,
}

#[derive(Deserialize)]
struct Shown {
    metric: String,
}

#[derive(Deserialize)]
struct RootCause {
    node: String,
    metric: Option<String>,
}

/// Reads predictions: JSON lines `{"case": …, "causes": [{"node": …, "metric": …, "score": …}]}`.
///
/// # Errors
/// When a line is of another form, or a case comes twice.
pub fn predictions(text: &str) -> Result<Vec<(u64, Prediction)>, Unreadable> {
    jsonl::read(text, |one: &Prediction| &one.case)
}

impl Issue {
    /// Reads the `target.json` of an issue.
    ///
    /// # Errors
    /// When it is none.
    pub fn read(case: &str, text: &str) -> Result<Self, Unreadable> {
        let target: Target = serde_json::from_str(text).map_err(|error| {
            Unreadable::new(error.line() as u64, format!("it is no target: {error}"))
        })?;
        Ok(Self {
            case: case.to_owned(),
            shows_in: target.target.metric,
            node: target.root_cause.node,
            metric: target.root_cause.metric,
        })
    }

    /// Where its cause is among those that were named, from 1.
    fn found(&self, causes: &[Cause]) -> Option<usize> {
        let mut causes: Vec<&Cause> = causes.iter().collect();
        causes.sort_by(|left, right| right.score.total_cmp(&left.score));
        let is_it = |cause: &&Cause| {
            cause.node == self.node && (self.metric.is_none() || cause.metric == self.metric)
        };
        causes.iter().position(is_it).map(|place| place + 1)
    }
}

/// Scores predictions.
///
/// # Errors
/// When a prediction is of an issue that is not there.
pub fn score(predictions: &[(u64, Prediction)], issues: &[Issue]) -> Result<Report, Unreadable> {
    let names: Vec<&str> = issues.iter().map(|issue| issue.case.as_str()).collect();
    let matched = jsonl::matched(predictions, |one| &one.case, &names)?;
    let missing = matched.iter().filter(|one| one.is_none()).count();
    let scored: Vec<Scored<'_>> = issues
        .iter()
        .zip(&matched)
        .map(|(issue, prediction)| {
            let causes = prediction.map_or(&[][..], |prediction| &prediction.causes);
            (issue, issue.found(causes), causes.is_empty())
        })
        .collect();
    let mut metrics: Vec<&str> = issues.iter().map(|issue| issue.shows_in.as_str()).collect();
    metrics.sort_unstable();
    metrics.dedup();
    let mut groups = Vec::new();
    for traffic in TRAFFICS {
        for metric in &metrics {
            let is_own =
                |one: &&Scored<'_>| one.0.case.starts_with(traffic) && one.0.shows_in == *metric;
            let own: Vec<_> = scored.iter().filter(is_own).copied().collect();
            groups.extend((!own.is_empty()).then(|| group(&format!("{traffic}, {metric}"), &own)));
        }
    }
    groups.push(group("all", &scored));
    Ok(Report {
        groups,
        notes: missing_note(missing).into_iter().collect(),
        cases: scored
            .iter()
            .map(|(issue, rank, _)| json!({"case": issue.case, "node": issue.node, "rank": rank}))
            .collect(),
    })
}

/// An issue, the rank of its cause, and whether nothing was named.
type Scored<'a> = (&'a Issue, Option<usize>, bool);

fn group(name: &str, scored: &[Scored<'_>]) -> Group {
    let ranks: Ranks = scored.iter().map(|one| one.1).collect();
    let empty = scored.iter().filter(|one| one.2).count();
    let figures: [(&str, Value); 3] = [
        ("recall@1", json!(ranks.within(1))),
        ("recall@3", json!(ranks.within(3))),
        ("empty", json!(mean(empty as f64, scored.len()))),
    ];
    Group {
        name: name.to_owned(),
        cases: scored.len(),
        figures: figures
            .map(|(name, value)| (name.to_owned(), value))
            .into_iter()
            .collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn issue(case: &str, metric: Option<&str>) -> Issue {
        let metric = json!(metric);
        let target = json!({
            "target": {"node": "PetSite", "metric": "latency", "agg": "Average", "timestamp": 1},
            "root_cause": {"node": "pay", "metric": metric},
            "metadata": {},
        });
        Issue::read(case, &target.to_string()).unwrap()
    }

    #[test]
    fn the_highest_score_comes_first_and_a_metric_counts_where_the_truth_has_one() {
        let predictions = predictions(
            r#"{"case": "low_traffic/test/issue_0", "causes": [{"node": "a", "score": 1}, {"node": "pay", "metric": "requests", "score": 2.5}]}
               {"case": "low_traffic/test/issue_1", "causes": [{"node": "pay", "metric": "requests", "score": 3}, {"node": "a", "score": 1}, {"node": "pay", "metric": "latency", "score": 1}]}
               {"case": "temporal_traffic2/train/issue_0", "causes": []}"#,
        )
        .unwrap();
        let issues = [
            issue("low_traffic/test/issue_0", None),
            issue("low_traffic/test/issue_1", Some("latency")),
            issue("temporal_traffic1/test/issue_3", None),
            issue("temporal_traffic2/train/issue_0", None),
        ];
        let report = score(&predictions, &issues).unwrap();
        let ranks: Vec<&Value> = report.cases.iter().map(|case| &case["rank"]).collect();
        assert_eq!(ranks, [&json!(1), &json!(3), &Value::Null, &Value::Null]);
        let names: Vec<&str> = report
            .groups
            .iter()
            .map(|group| group.name.as_str())
            .collect();
        assert_eq!(
            names,
            ["low_traffic, latency", "temporal_traffic, latency", "all"]
        );
        let low = &report.groups[0].figures;
        assert_eq!(
            (&low["recall@1"], &low["recall@3"]),
            (&json!(0.5), &json!(1.0))
        );
        assert_eq!(report.groups[1].figures["empty"], 1.0);
        assert_eq!(
            report.notes,
            ["1 cases have no prediction, and count as not found"]
        );
    }

    #[test]
    fn what_is_wrong_is_named_with_its_line() {
        let error = Issue::read("x", "{\n\"target\": 1}").unwrap_err();
        assert_eq!(error.line, 2);
        let error = predictions("{\"case\": \"x\", \"causes\": [{\"node\": \"a\"}]}").unwrap_err();
        assert!(
            error
                .to_string()
                .contains("line 1: it is of another form: missing field `score`")
        );
    }
}
