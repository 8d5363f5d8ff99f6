//! Kept episodes: scored again, and compared.

use std::fs;

use serde_json::Value;

use crate::program::Place;

const DETECTION: &str = "scale_pod_zero_testbed-detection-1";

fn evaluated(place: &Place) {
    let paths = ["scale_pod_zero_testbed-1", "noop_detection_testbed-1"];
    let samples = concat!(env!("CARGO_MANIFEST_DIR"), "/datasets/samples");
    let paths = paths.map(|name| format!("{samples}/{name}"));
    place.ok(&[
        "eval",
        &paths[0],
        &paths[1],
        "--agent",
        "baseline:doctor",
        "--out",
        "results",
    ]);
}

fn scored(place: &Place, further: &[&str]) -> Value {
    let mut arguments = vec!["score", "results", "--json"];
    arguments.extend(further);
    serde_json::from_str(&place.ok(&arguments)).unwrap()
}

#[test]
fn old_episodes_are_scored_from_their_files_alone() {
    let place = Place::new();
    evaluated(&place);
    let summary: Value =
        serde_json::from_str(&fs::read_to_string(place.path("results/summary.json")).unwrap())
            .unwrap();
    let again = scored(&place, &[]);
    assert_eq!(again["agents"], summary["agents"]);
    assert_eq!(again["changed"], serde_json::json!([]));

    // A score that was changed is told, and put right where that is wanted.
    let result = place.path(&format!(
        "results/baseline-doctor/{DETECTION}-r1/result.json"
    ));
    let before = fs::read_to_string(&result).unwrap();
    let other = before.replace("\"Correct\"", "\"Incorrect\"");
    assert_ne!(before, other);
    fs::write(&result, &other).unwrap();
    let told = scored(&place, &[])["changed"][0]
        .as_str()
        .unwrap()
        .to_owned();
    assert!(
        told.ends_with("Detection Accuracy was \"Incorrect\", is \"Correct\""),
        "{told}"
    );
    assert_eq!(fs::read_to_string(&result).unwrap(), other);
    scored(&place, &["--write"]);
    assert_eq!(fs::read_to_string(&result).unwrap(), before);
    assert_eq!(scored(&place, &[])["changed"], serde_json::json!([]));

    // Our result has the keys of a session of AIOpsLab, and is read as one.
    let told = place.ok(&["score", result.to_str().unwrap()]);
    assert!(
        told.contains("1 episodes scored, 0 of them otherwise"),
        "{told}"
    );
}

#[test]
fn what_was_broken_off_is_told_and_left_out() {
    let place = Place::new();
    evaluated(&place);
    let transcript = place.path(&format!(
        "results/baseline-doctor/{DETECTION}-r1/transcript.jsonl"
    ));
    let text = fs::read_to_string(&transcript).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    // Killed while the last line was being written.
    let cut = format!(
        "{}\n{}",
        lines[..lines.len() - 1].join("\n"),
        &lines[lines.len() - 1][..9]
    );
    fs::write(&transcript, cut).unwrap();
    let again = scored(&place, &[]);
    let unscored = again["unscored"].as_array().unwrap();
    assert_eq!(unscored.len(), 1);
    assert!(
        unscored[0].as_str().unwrap().contains("broken off"),
        "{unscored:?}"
    );

    fs::write(&transcript, "{\"record\":\"nonsense\"}\n").unwrap();
    place.refused(&["score", "results"], &["transcript.jsonl, line 1"]);
    place.refused(
        &["score", "results/baseline-doctor/nothing"],
        &["can't be read"],
    );
}

#[test]
fn an_agent_is_compared_with_the_baselines_and_with_another() {
    let place = Place::new();
    evaluated(&place);
    let told: Value = serde_json::from_str(&place.ok(&["compare", "results", "--json"])).unwrap();
    let rows = told["rows"].as_array().unwrap();
    let detection = rows
        .iter()
        .find(|row| row["against"] == "baseline:constant" && row["task"] == "detection")
        .unwrap();
    // One fault and one control: who always says Yes is right once.
    assert_eq!(detection["problems"], 2);
    assert_eq!(
        (&detection["a"], &detection["b"]),
        (&1.0.into(), &0.5.into())
    );
    assert_eq!(
        (&detection["only_a"], &detection["p"]),
        (&1.into(), &1.0.into())
    );
    let table = place.ok(&["compare", "results"]);
    let known =
        format!("baseline:constant solves 1 of 4 problems, which tell nothing: {DETECTION}");
    assert!(table.contains(&known), "{table}");
    let same = place.ok(&["compare", "results", "results"]);
    assert!(same.contains("+0 … +0"), "{same}");
    place.refused(&["compare", "nowhere"], &["nowhere/summary.json"]);
}
