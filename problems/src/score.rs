//! Scores of an episode, in two modes that are always both computed, and how near an answer came.
//!
//! # `upstream`: AIOpsLab's own figures
//!
//! The keys and formulas of AIOpsLab's `evaluators/quantitative.py` and of its problems' `eval`, quirks included.
//! - Detection: `Detection Accuracy` is `Correct` or `Incorrect` by the trimmed, lower-case text; `Invalid Format` for
//!   anything but a text. There is no `success`.
//! - Localization, for a truth `F` and a solution `S`: `exact` if `S` is `F` or `[F]`, with case; `is_subset` if `F` is
//!   an item of the list `S`; `Localization Accuracy` is 100 if exact, else `100 / len(S)` if subset, else 0;
//!   `success` if exact, or subset and `len(S) == 1`. Duplicates count (`[F, F]` is 50 and no success). Of several
//!   accepted names the best counts. Solutions that make AIOpsLab's evaluator raise get 0.
//! - Analysis: `system_level_correct` and `fault_type_correct` by trimmed, lower-case texts; `success` is both.
//! - Mitigation: `success` from the state of the cluster, by AIOpsLab's own tests of it.
//! - Where AIOpsLab's truth is mistaken, it is still what counts here (`upstream` in the family's file).
//! - Always `steps`. `TTD` and its like are measured times, `in_tokens` and `out_tokens` are counted by a tokenizer:
//!   they belong to the session.
//!
//! # `strict`: ours
//!
//! - Detection: Yes or No, outer white space and case aside.
//! - Localization: the set of names equals one of the truth's sets; outer white space, case, order and duplicates aside.
//! - Analysis: both fields, outer white space and case aside; where several are right, any of them.
//! - Mitigation: the family's `mitigated` conditions; unknown until a live environment has judged them.
//!
//! An episode without a submission, or with a malformed one, has failed in both modes.
//!
//! # `graded`: how near an answer came
//!
//! Rank metrics and partial credit, beside `strict` and never instead of it: [`graded`].
//!
//! # `judge`: whether an answer was reasoned
//!
//! What a language model is asked of an episode, where somebody wants that: [`judge`].

pub mod foreign;
mod graded;
pub mod judge;
mod upstream;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

pub use self::graded::{Graded, RankedAnswer};
use crate::catalog::Problem;
use crate::condition::Outcome;
use crate::family::Truth;
use crate::submission::Submission;
pub use crate::submission::{FAULT_TYPES, SYSTEM_LEVELS};
use crate::task::Task;

/// What of an episode is scored.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct EpisodeSummary {
    /// What was submitted; none: nothing was.
    pub solution: Option<Value>,
    /// How many responses the agent gave.
    pub steps: u64,
    /// What a mitigation's conditions came to on a live cluster.
    pub mitigation: Option<Outcome>,
    /// The same by AIOpsLab's own tests.
    pub upstream_mitigation: Option<Outcome>,
}

/// An episode's scores.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Scores {
    /// AIOpsLab's keys and formulas.
    pub upstream: Map<String, Value>,
    /// Ours.
    pub strict: StrictScore,
    /// How near the answer came; none: there is nothing between right and wrong.
    pub graded: Option<Graded>,
}

/// Our score.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct StrictScore {
    /// Whether the problem is solved; none: a mitigation that nobody has judged.
    pub success: Option<bool>,
    /// Whether anything was submitted.
    pub submitted: bool,
    /// Whether the submission has the form that the task asks for.
    pub well_formed: bool,
}

/// Scores an episode.
#[must_use]
pub fn score(problem: &Problem, episode: &EpisodeSummary) -> Scores {
    let submission = episode
        .solution
        .as_ref()
        .and_then(|solution| Submission::parse(problem.task, solution).ok());
    Scores {
        upstream: upstream::upstream(problem, episode),
        strict: strict(problem, episode, submission.as_ref()),
        graded: graded::graded(problem, submission.as_ref()),
    }
}

fn strict(
    problem: &Problem,
    episode: &EpisodeSummary,
    submission: Option<&Submission>,
) -> StrictScore {
    let success = match problem.task {
        Task::Mitigation => judged(episode.mitigation.as_ref()),
        _ => Some(submission.is_some_and(|submission| is_right(submission, &problem.truth))),
    };
    StrictScore {
        success,
        submitted: episode.solution.is_some(),
        well_formed: submission.is_some(),
    }
}

fn judged(mitigation: Option<&Outcome>) -> Option<bool> {
    match mitigation? {
        Outcome::Holds => Some(true),
        Outcome::Fails(_) => Some(false),
        Outcome::Unknown(_) => None,
    }
}

fn is_right(submission: &Submission, truth: &Truth) -> bool {
    match submission {
        Submission::Detection(anomaly) => *anomaly == truth.anomaly,
        Submission::Localization(names) => graded::is_exact(names, &truth.faulty_components),
        Submission::Analysis {
            system_level,
            fault_type,
        } => {
            is_one_of(system_level, &truth.system_level) && is_one_of(fault_type, &truth.fault_type)
        }
        Submission::Mitigation => false,
    }
}

fn same_word(text: &str, expected: &str) -> bool {
    text.trim().to_lowercase() == expected.trim().to_lowercase()
}

fn is_one_of(text: &str, expected: &[String]) -> bool {
    expected.iter().any(|expected| same_word(text, expected))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::catalog::Catalog;

    fn scores(id: &str, solution: Value) -> (String, Option<bool>) {
        let catalog = Catalog::embedded().unwrap();
        let episode = EpisodeSummary {
            solution: Some(solution),
            steps: 3,
            ..EpisodeSummary::default()
        };
        let scores = score(catalog.problem(id).unwrap(), &episode);
        (
            Value::Object(scores.upstream).to_string(),
            scores.strict.success,
        )
    }

    #[test]
    fn detection() {
        let detection = |control: &str, solution| {
            scores(
                &format!("scale_pod_zero_testbed-detection-{control}1"),
                solution,
            )
        };
        let result =
            |accuracy: &str| format!("{{\"Detection Accuracy\":\"{accuracy}\",\"steps\":3}}");
        assert_eq!(
            detection("", json!(" yes ")),
            (result("Correct"), Some(true))
        );
        assert_eq!(
            detection("", json!("no")),
            (result("Incorrect"), Some(false))
        );
        assert_eq!(
            detection("", json!(["Yes"])),
            (result("Invalid Format"), Some(false))
        );
        assert_eq!(
            detection("", Value::Null),
            (result("Invalid Format"), Some(false))
        );
        assert_eq!(
            detection("control-", json!("No")),
            (result("Correct"), Some(true))
        );
    }

    #[test]
    fn localization() {
        let localization =
            |solution| scores("revoke_auth_postgres_testbed-localization-1", solution);
        let result = |accuracy: &str, success: bool, subset: bool| {
            format!(
                "{{\"Localization Accuracy\":{accuracy},\"success\":{success},\"is_subset\":{subset},\"steps\":3}}"
            )
        };
        assert_eq!(
            localization(json!(["postgres-geo"])),
            (result("100.0", true, true), Some(true))
        );
        assert_eq!(
            localization(json!("geo")),
            (result("100.0", true, false), Some(true))
        );
        assert_eq!(
            localization(json!([" Geo", "geo"])),
            (result("50.0", false, true), Some(true))
        );
        assert_eq!(
            localization(json!(["GEO"])),
            (result("0.0", false, false), Some(true))
        );
        assert_eq!(
            localization(json!(["geo", "postgres-geo"])),
            (result("50.0", false, true), Some(false))
        );
        assert_eq!(
            localization(json!([])),
            (result("0.0", false, false), Some(false))
        );
        assert_eq!(
            localization(json!([["geo"]])),
            (result("0.0", false, false), Some(false))
        );
        assert_eq!(
            localization(json!(7)),
            (result("0.0", false, false), Some(false))
        );
    }

    #[test]
    fn analysis_and_mitigation() {
        let solution = json!({"system_level": "virtualization ", "fault_type": "Operation Error"});
        let (upstream, strict) = scores("scale_pod_zero_testbed-analysis-1", solution);
        assert_eq!(
            upstream,
            "{\"system_level_correct\":true,\"fault_type_correct\":true,\"success\":true,\"steps\":3}"
        );
        assert_eq!(strict, Some(true));
        let half = json!({"system_level": "Virtualization", "fault_type": 5});
        assert_eq!(
            scores("scale_pod_zero_testbed-analysis-1", half).1,
            Some(false)
        );
        assert_eq!(
            scores("scale_pod_zero_testbed-mitigation-1", Value::Null),
            ("{\"steps\":3}".to_owned(), None)
        );
        let catalog = Catalog::embedded().unwrap();
        let problem = catalog
            .problem("scale_pod_zero_testbed-mitigation-1")
            .unwrap();
        let episode = EpisodeSummary {
            mitigation: Some(Outcome::Fails("no".to_owned())),
            upstream_mitigation: Some(Outcome::Holds),
            ..EpisodeSummary::default()
        };
        let scores = score(problem, &episode);
        assert_eq!(scores.upstream["success"], json!(true));
        assert_eq!(scores.strict.success, Some(false));
    }

    #[test]
    fn mistaken_truth_counts_upstream_only() {
        let analysis = |id: &str, fault_type: &str| {
            let solution = json!({"system_level": "Application", "fault_type": fault_type});
            let (upstream, strict) = scores(id, solution);
            (upstream.contains("\"success\":true"), strict)
        };
        let wrong_bin = "wrong_bin_usage-analysis-1";
        let copied = analysis(wrong_bin, "Network/Storage Issue");
        assert_eq!(copied, (true, Some(false)));
        let right = analysis(wrong_bin, "Misconfiguration");
        assert_eq!(right, (false, Some(true)));
        // Of several right answers AIOpsLab knows the first.
        let image = "misconfig_app_hotel_res-analysis-1";
        assert_eq!(analysis(image, "Misconfiguration"), (true, Some(true)));
        assert_eq!(analysis(image, "Code Defect"), (false, Some(true)));
    }
}
