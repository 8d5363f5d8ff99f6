//! AIOpsLab's own figures, quirks included: the formulas are told in [`super`].

use serde_json::{Map, Value, json};

use super::{EpisodeSummary, is_one_of, judged, same_word};
use crate::catalog::Problem;
use crate::task::Task;

pub(super) fn upstream(problem: &Problem, episode: &EpisodeSummary) -> Map<String, Value> {
    let solution = episode.solution.as_ref().unwrap_or(&Value::Null);
    let truth = problem.upstream_truth.as_ref().unwrap_or(&problem.truth);
    let mut results = Map::new();
    let mut put = |key: &str, value: Value| results.insert(key.to_owned(), value);
    match problem.task {
        Task::Detection => {
            let expected = if truth.anomaly { "Yes" } else { "No" };
            let accuracy = match solution {
                Value::String(text) if same_word(text, expected) => "Correct",
                Value::String(_) => "Incorrect",
                _ => "Invalid Format",
            };
            put("Detection Accuracy", accuracy.into());
        }
        Task::Localization => {
            let found = truth
                .faulty_components
                .iter()
                .map(|set| upstream_localization(solution, set));
            let best = found.max_by(|left, right| left.0.total_cmp(&right.0));
            let (accuracy, success, is_subset) = best.unwrap_or((0.0, false, false));
            put("Localization Accuracy", json!(accuracy));
            put("success", success.into());
            put("is_subset", is_subset.into());
        }
        Task::Analysis => {
            let right = |key: &str, expected: &[String]| {
                solution
                    .get(key)
                    .and_then(Value::as_str)
                    .is_some_and(|text| is_one_of(text, expected))
            };
            let level = right("system_level", &truth.system_level);
            let kind = right("fault_type", &truth.fault_type);
            put("system_level_correct", level.into());
            put("fault_type_correct", kind.into());
            put("success", (level && kind).into());
        }
        Task::Mitigation => {
            if let Some(success) = judged(episode.upstream_mitigation.as_ref()) {
                put("success", success.into());
            }
        }
    }
    put("steps", episode.steps.into());
    results
}

/// Accuracy, success and subset for one accepted set. AIOpsLab only knows sets of one.
fn upstream_localization(solution: &Value, accepted: &[String]) -> (f64, bool, bool) {
    let names: Vec<&str> = match solution {
        // Python iterates a text by letters, so it is never a superset, only ever exact.
        Value::String(name) => {
            let exact = accepted.len() == 1 && accepted[0] == *name;
            return (if exact { 100.0 } else { 0.0 }, exact, false);
        }
        Value::Array(items) => match items.iter().map(Value::as_str).collect() {
            Some(names) => names,
            None => return (0.0, false, false),
        },
        _ => return (0.0, false, false),
    };
    let exact = names == accepted;
    let is_subset =
        !accepted.is_empty() && accepted.iter().all(|name| names.contains(&name.as_str()));
    let share = u32::try_from(accepted.len()).map_or(0.0, f64::from)
        / u32::try_from(names.len()).map_or(f64::INFINITY, f64::from);
    let accuracy = match (exact, is_subset) {
        (true, _) => 100.0,
        (false, true) => 100.0 * share,
        (false, false) => 0.0,
    };
    (
        accuracy,
        exact || (is_subset && names.len() == 1),
        is_subset,
    )
}
