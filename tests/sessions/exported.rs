//! Episodes as session files of AIOpsLab, and transcripts of earlier versions.

use std::fs;

use serde_json::{Value, json};

use super::{DETECTION, json, sample};
use crate::program::Place;
use crate::upstream_keys;

#[test]
fn exported_sessions_have_the_keys_of_aiopslab_and_score_the_same() {
    let place = Place::new();
    let paths = [
        sample("scale_pod_zero_testbed-1"),
        sample("noop_detection_testbed-1"),
    ];
    place.ok(&[
        "eval",
        &paths[0],
        &paths[1],
        "--agent",
        "baseline:doctor",
        "--repeat",
        "2",
        "--out",
        "out",
    ]);
    place.ok(&["export", "out", "--out", "sessions"]);
    let files = fs::read_dir(place.path("sessions")).unwrap();
    let names: Vec<String> = files
        .map(|file| file.unwrap().file_name().into_string().unwrap())
        .collect();
    let summary = json(&place, "out/summary.json");
    assert_eq!(names.len(), summary["episodes"].as_array().unwrap().len());
    for name in &names {
        let text = fs::read_to_string(place.path(&format!("sessions/{name}"))).unwrap();
        assert!(text.starts_with("{\n    \"agent\": "), "{text:.40}");
        let session: Value = serde_json::from_str(&text).unwrap();
        let keys: Vec<&str> = session
            .as_object()
            .unwrap()
            .keys()
            .map(String::as_str)
            .collect();
        assert_eq!(
            keys[..7],
            [
                "agent",
                "session_id",
                "problem_id",
                "start_time",
                "end_time",
                "trace",
                "results"
            ]
        );
        let start = session["start_time"].as_f64().unwrap();
        assert_eq!(
            *name,
            format!("{}_{start:?}.json", session["session_id"].as_str().unwrap())
        );
        let took = session["end_time"].as_f64().unwrap() - start;
        let task = session["task"].as_str().unwrap();
        let told = upstream_keys::check(task, &session["results"]);
        assert!(told > 0.0 && (told - took).abs() < 0.1, "{told} {took}");
        let last = session["trace"].as_array().unwrap().last().unwrap();
        assert_eq!(*last, json!({"role": "env", "content": "1"}));
    }
    let scored = |what: &str| -> Value {
        serde_json::from_str(&place.ok(&["score", what, "--json"])).unwrap()
    };
    let (before, after) = (scored("out"), scored("sessions"));
    assert_eq!(after["changed"], json!([]));
    let scores = |of: &Value| {
        let agents = of["agents"].as_array().unwrap().iter();
        let scores = agents.map(|agent| (agent["agent"].to_string(), agent["tasks"].to_string()));
        scores.collect::<std::collections::BTreeMap<_, _>>()
    };
    assert_eq!(scores(&before), scores(&after));
    place.refused(
        &["score", "sessions", "--write"],
        &["only read, never written"],
    );
}

#[test]
fn what_is_not_finished_is_not_exported_and_told() {
    let place = Place::new();
    let folder = sample("scale_pod_zero_testbed-1");
    place.ok(&[
        "eval",
        &folder,
        "--problem",
        DETECTION,
        "--agent",
        "baseline:constant",
        "--out",
        "out",
    ]);
    let episode = format!("out/baseline-constant/{DETECTION}-r1");
    fs::remove_file(place.path(&format!("{episode}/result.json"))).unwrap();
    let told = place.ok(&["export", "out", "--out", "sessions"]);
    assert!(
        told.contains(&format!(
            "not exported: baseline-constant/{DETECTION}-r1: it is not finished"
        )),
        "{told}"
    );
}

#[test]
fn a_transcript_of_version_1_is_scored_replayed_and_no_longer_resumed() {
    let place = Place::new();
    let episode = format!("old/scripted-script/{DETECTION}-r1");
    fs::create_dir_all(place.path(&episode)).unwrap();
    let transcript = place.path(&format!("{episode}/transcript.jsonl"));
    fs::write(&transcript, include_str!("transcript-v1.jsonl")).unwrap();
    let told = place.ok(&["score", "old"]);
    assert!(told.contains("1 episodes scored"), "{told}");
    let told = place.ok(&["rerun", "old"]);
    assert!(
        told.starts_with("2 steps of 1 episodes: 0 answers changed"),
        "{told}"
    );
    place.ok(&["score", "old", "--write"]);
    let script = "exec_shell(\"kubectl get deployments -n hotel-testbed\")\n---\nsubmit(\"Yes\")\n";
    fs::write(place.path("script"), script).unwrap();
    let folder = sample("scale_pod_zero_testbed-1");
    place.refused(
        &[
            "eval",
            &folder,
            "--problem",
            DETECTION,
            "--agent",
            "scripted:script",
            "--out",
            "old",
            "--resume",
        ],
        &["version was 1, is 2"],
    );
    let later = include_str!("transcript-v1.jsonl").replacen("\"version\":1", "\"version\":99", 1);
    fs::write(&transcript, later).unwrap();
    place.refused(&["score", "old"], &["version 99", "newer aiopslab"]);
}
