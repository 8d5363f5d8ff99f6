//! The statistical baselines on the shipped samples: what they find, and that they only ask for what there is.

use serde_json::Value;

use crate::episodes::{evaluate, records};
use crate::program::Place;

/// Faults of three kinds, and systems without one under two loads.
const SAMPLES: [&str; 5] = [
    "k8s_target_port_misconfig_testbed-1",
    "noop_detection_testbed-1",
    "noop_detection_testbed-3",
    "revoke_auth_postgres_testbed-1",
    "scale_pod_zero_testbed-1",
];

/// Evaluates a baseline; its own line of the summary.
fn agent(place: &Place, name: &str, out: &str, further: &[&str]) -> Value {
    let agent = format!("baseline:{name}");
    let mut arguments = vec!["--agent", &agent];
    arguments.extend(further);
    let summary = evaluate(place, out, &arguments);
    let agents = summary["agents"].as_array().unwrap();
    agents
        .iter()
        .find(|one| one["agent"] == agent)
        .unwrap()
        .clone()
}

fn check(name: &str, finds_every_fault: bool) {
    let place = Place::new();
    let found = agent(&place, name, "all", &SAMPLES);
    let detection = found["detection_balanced_accuracy"].as_f64().unwrap();
    assert!(detection > 0.5, "no better than a constant: {detection}");
    if finds_every_fault {
        for task in ["detection", "localization"] {
            let score = &found["tasks"][task];
            assert_eq!(score["successes"], score["episodes"], "{task}");
        }
    }
    let folder = format!("baseline-{name}");
    let all = records(&place.path("all").join(&folder));
    for (path, text) in &all {
        for verdict in ["invalid", "not_captured", "denied"] {
            let verdict = format!(r#""verdict":"{verdict}""#);
            assert!(!text.contains(&verdict), "{}: {verdict}", path.display());
        }
    }
    agent(&place, name, "again", &["scale_pod_zero_testbed-1"]);
    let again = records(&place.path("again").join(&folder));
    assert!(again.len() > 3, "only {} files", again.len());
    for (path, text) in again {
        assert_eq!(all.get(&path), Some(&text), "{}", path.display());
    }
}

#[test]
fn metrics_tell_a_fault_from_none() {
    check("metrics", false);
}

#[test]
fn traces_tell_every_fault_and_where_it_is() {
    check("traces", true);
}

#[test]
fn logs_tell_every_fault_and_where_it_is() {
    check("logs", true);
}
