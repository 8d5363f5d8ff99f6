//! Whole evaluations on the shipped samples: what the baselines score, and that it is always the same.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::program::Place;

/// Evaluates; the summary.
pub(crate) fn evaluate(place: &Place, out: &str, further: &[&str]) -> Value {
    let mut arguments = vec!["eval", "--out", out, "--json"];
    arguments.extend(further);
    serde_json::from_str(&place.ok(&arguments)).unwrap()
}

/// Every file below a folder that holds nothing measured.
pub(crate) fn records(folder: &Path) -> BTreeMap<PathBuf, String> {
    let mut found = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in std::fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.file_name().unwrap() != "timing.jsonl" {
                let below = path.strip_prefix(folder).unwrap().to_owned();
                found.insert(below, std::fs::read_to_string(&path).unwrap());
            }
        }
    }
    found
}

#[test]
fn the_doctor_solves_every_sample_and_the_constant_half_of_detection() {
    let place = Place::new();
    let summary = evaluate(&place, "results", &["--agent", "baseline:doctor"]);
    assert!(summary["snapshots"].as_u64().unwrap() >= 4);
    let agents = summary["agents"].as_array().unwrap();
    let of = |name: &str| agents.iter().find(|agent| agent["agent"] == name).unwrap();
    for (task, score) in of("baseline:doctor")["tasks"].as_object().unwrap() {
        assert_eq!(score["successes"], score["episodes"], "{task}");
    }
    // A minute of traces reaches before some recordings begin, which is partial; nothing is unknown.
    assert!(of("baseline:doctor")["coverage"].as_f64().unwrap() > 0.9);
    for (path, text) in records(&place.path("results/baseline-doctor")) {
        assert!(
            !text.contains(r#""verdict":"not_captured""#),
            "{}",
            path.display()
        );
    }
    assert_eq!(of("baseline:constant")["detection_balanced_accuracy"], 0.5);
    assert!(
        !summary["not_run"].as_array().unwrap().is_empty(),
        "mitigation needs a cluster"
    );
}

#[test]
fn the_same_evaluation_gives_the_same_bytes_whatever_the_jobs() {
    let place = Place::new();
    let runs = [("a", "1"), ("b", "2"), ("c", "2")].map(|(out, jobs)| {
        evaluate(&place, out, &["--agent", "baseline:doctor", "--jobs", jobs]);
        records(&place.path(out))
    });
    assert!(runs[0].len() > 30, "only {} files", runs[0].len());
    assert_eq!(runs[0], runs[1]);
    assert_eq!(runs[1], runs[2]);
}

#[test]
fn nothing_that_tells_the_answer_reaches_an_agent() {
    let place = Place::new();
    evaluate(&place, "results", &["--agent", "baseline:doctor"]);
    for (path, text) in records(&place.path("results/baseline-doctor")) {
        if !path.ends_with("transcript.jsonl") {
            continue;
        }
        for line in text
            .lines()
            .filter(|line| line.contains(r#""record":"step""#))
        {
            for secret in [
                "misconfig",
                "scale_pod_zero",
                "revoke_auth",
                "aiopslab.io/journal",
                "truth",
            ] {
                assert!(!line.contains(secret), "{} shows {secret}", path.display());
            }
        }
    }
}

#[test]
fn a_scripted_agent_and_a_child_process_give_the_same_answers() {
    let place = Place::new();
    std::fs::write(place.path("script"), "```\nsubmit(\"Yes\")\n```\n").unwrap();
    std::fs::write(
        place.path("agent.sh"),
        "while read -r line; do case $line in *'\"type\":\"observation\"'*) printf '%s\\n' '{\"response\": \"submit(\\\"Yes\\\")\"}';; esac; done\n",
    )
    .unwrap();
    for (agent, out) in [("scripted:script", "s"), ("exec:sh agent.sh", "e")] {
        let summary = evaluate(&place, out, &["--agent", agent, "--task", "detection"]);
        let agent = &summary["agents"][0];
        assert_eq!(agent["detection_balanced_accuracy"], 0.5, "{agent}");
    }
}

#[test]
fn an_agent_that_breaks_ends_its_episodes_and_nothing_else() {
    let place = Place::new();
    let summary = evaluate(
        &place,
        "out",
        &["--agent", "exec:exit 3", "--task", "analysis"],
    );
    let episodes = summary["episodes"].as_array().unwrap();
    let broken: Vec<_> = episodes
        .iter()
        .filter(|one| one["agent"] == "exec:exit 3")
        .collect();
    assert!(!broken.is_empty());
    let count = broken.len();
    for episode in broken {
        assert_eq!(episode["end"], "agent_failed");
        assert_eq!(episode["success"], false);
    }
    let told = place.ok(&["report", "out"]);
    let line = format!("episodes of exec:exit 3 without an answer: agent_failed {count}\n");
    assert!(told.contains(&line), "{told}");
}

#[test]
fn our_actions_are_there_only_where_they_are_asked_for() {
    let place = Place::new();
    let script = "```\nquery_sql(\"SELECT count(*) > 0 AS some FROM logs\")\n```\n---\n```\nsubmit(\"Yes\")\n```\n";
    std::fs::write(place.path("script"), script).unwrap();
    for (out, further, set, says) in [
        ("a", &[][..], "upstream", "Invalid action: query_sql"),
        (
            "b",
            &["--actions", "extended"][..],
            "extended",
            "some\\ntrue\\n",
        ),
    ] {
        let mut arguments = vec!["--agent", "scripted:script", "--task", "detection"];
        arguments.extend(further);
        evaluate(&place, out, &arguments);
        let transcripts = records(&place.path(&format!("{out}/scripted-script")));
        let transcripts: Vec<_> = transcripts
            .iter()
            .filter(|(path, _)| path.ends_with("transcript.jsonl"))
            .collect();
        assert!(transcripts.len() >= 4);
        for (path, text) in transcripts {
            assert!(
                text.contains(&format!(r#""action_set":"{set}""#)),
                "{}",
                path.display()
            );
            assert!(text.contains(says), "{}: {text}", path.display());
        }
    }
    place.refused_as_usage(
        &["eval", "--upstream", "--actions", "extended"],
        &["--upstream"],
    );
}
