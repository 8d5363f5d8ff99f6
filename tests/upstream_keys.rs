//! The figures that AIOpsLab keeps of every session, in `results`.

use serde_json::Value;

/// By task; the first is the time.
const OF_TASK: [(&str, &[&str]); 4] = [
    ("detection", &["TTD", "Detection Accuracy"]),
    (
        "localization",
        &["TTL", "Localization Accuracy", "success", "is_subset"],
    ),
    (
        "analysis",
        &[
            "TTA",
            "system_level_correct",
            "fault_type_correct",
            "success",
        ],
    ),
    ("mitigation", &["TTM", "success"]),
];

/// Fails unless all of AIOpsLab's figures are there; returns the time.
pub(crate) fn check(task: &str, results: &Value) -> f64 {
    let (_, keys) = OF_TASK.iter().find(|(of, _)| *of == task).unwrap();
    for key in *keys {
        assert!(
            !results[key].is_null(),
            "{task}: {key} is missing: {results}"
        );
    }
    for key in ["steps", "in_tokens", "out_tokens"] {
        assert!(results[key].is_u64(), "{task}: {key}: {results}");
    }
    results[keys[0]].as_f64().unwrap()
}
