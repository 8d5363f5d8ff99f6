//! Kept episodes: scored again, and compared.

use std::fs;

use serde_json::Value;

use crate::program::Place;

const DETECTION: &str = "scale_pod_zero_testbed-detection-1";
const SAMPLES: [&str; 2] = ["scale_pod_zero_testbed-1", "noop_detection_testbed-1"];

fn evaluated(place: &Place) {
    evaluate(place, &SAMPLES, "baseline:doctor", "results");
}

fn evaluate(place: &Place, names: &[&str], agent: &str, out: &str) {
    let samples = concat!(env!("CARGO_MANIFEST_DIR"), "/datasets/samples");
    let paths = names.iter().map(|name| format!("{samples}/{name}"));
    let paths: Vec<String> = paths.collect();
    let mut arguments = vec!["eval"];
    arguments.extend(paths.iter().map(String::as_str));
    arguments.extend(["--agent", agent, "--out", out]);
    place.ok(&arguments);
}

fn compared(place: &Place, folders: &[&str]) -> Value {
    let arguments = [&["compare"], folders, &["--json"]].concat();
    serde_json::from_str(&place.ok(&arguments)).unwrap()
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
    let told = compared(&place, &["results"]);
    assert_eq!(told["exercised"], serde_json::json!({"lab": 4}));
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
    let exercised = "problems by where their fault was exercised: lab 4\n";
    assert!(table.contains(exercised), "{table}");
    let same = place.ok(&["compare", "results", "results"]);
    assert!(same.contains("+0 … +0"), "{same}");
    place.refused(&["compare", "nowhere"], &["nowhere/summary.json"]);
}

#[test]
fn the_baselines_are_beside_whoever_is_named() {
    let place = Place::new();
    evaluated(&place);
    evaluate(&place, &SAMPLES, "baseline:logs", "logs");
    let others = |a: &str, b: &str| -> Vec<String> {
        let told = compared(&place, &[a, b]);
        let rows = told["rows"].as_array().unwrap().iter();
        let mut names: Vec<String> = rows
            .map(|row| row["against"].as_str().unwrap().to_owned())
            .collect();
        names.dedup();
        names
    };
    // Whom the doctor, the constant and the random guesser ran beside: each once, whoever B is.
    let (constant, random) = ("baseline:constant", "baseline:random");
    assert_eq!(
        others("results", "logs"),
        ["baseline:logs", constant, random]
    );
    assert_eq!(
        others("logs", "results"),
        ["baseline:doctor", constant, random]
    );
    let table = place.ok(&["compare", "logs", "results"]);
    assert!(table.contains("baseline:constant solves 1 of 4 problems"));

    // What A and its baselines share does not hide that A and B share nothing.
    let elsewhere = ["revoke_auth_postgres_testbed-1"];
    evaluate(&place, &elsewhere, "baseline:logs", "elsewhere");
    place.refused(
        &["compare", "results", "elsewhere"],
        &["there is no problem that both were asked"],
    );
}
