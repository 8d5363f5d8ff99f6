//! What breaks ends its own episode, with a reason, and nothing else.

use aiopslab::agents::Response;
use aiopslab::session::{EpisodeFiles, Rules, Session, StepClock, Turn};
use aiopslab_problems::action::{Action, ActionSet, CallSyntax};
use aiopslab_problems::environment::{Environment, EnvironmentError, Observation};
use aiopslab_problems::episode::{EndReason, EpisodeHeader, Limits};
use async_trait::async_trait;
use camino::Utf8Path;

use super::{json, lines, sample, says, write_agent};
use crate::command_line::copy_folder;
use crate::program::Place;

struct Defective;

#[async_trait]
impl Environment for Defective {
    async fn act(&mut self, action: &Action) -> Result<Observation, EnvironmentError> {
        panic!("{} was never thought of", action.name());
    }
}

/// The header of a transcript of version 1.
fn header() -> EpisodeHeader {
    let first = include_str!("transcript-v1.jsonl").lines().next();
    serde_json::from_str(first.unwrap()).unwrap()
}

#[tokio::test]
async fn a_defect_of_the_environment_ends_the_episode_with_what_it_said() {
    let folder = tempfile::tempdir().unwrap();
    let files = EpisodeFiles::create(Utf8Path::from_path(folder.path()).unwrap(), &header());
    let rules = Rules {
        syntax: CallSyntax::Ours,
        action_set: ActionSet::Upstream,
        limits: Limits::steps(3),
    };
    let mut session = Session::new(Box::new(Defective), rules, files.unwrap());
    let response = Response::from("get_logs(\"a\", \"b\")".to_owned());
    let turn = session.take(response, StepClock::start()).await.unwrap();
    let Turn::Ended(end) = turn else {
        panic!("it goes on: {turn:?}");
    };
    assert_eq!(end.end_reason, EndReason::EnvironmentFailed);
    let error = end.error.unwrap();
    assert!(error.contains("get_logs was never thought of"), "{error}");
    assert!(session.steps().is_empty());
}

#[test]
fn a_snapshot_that_breaks_ends_its_episodes_and_can_be_mended_and_resumed() {
    let place = Place::new();
    for name in ["scale_pod_zero_testbed-1", "noop_detection_testbed-1"] {
        copy_folder(
            sample(name).as_ref(),
            &place.path(&format!("snapshots/{name}")),
        );
    }
    // The agent breaks one of the two while it is looked at, the first time.
    let lines_of = "snapshots/scale_pod_zero_testbed-1/logs/lines.parquet";
    let before = format!("[ -e broken ] || {{ touch broken; echo broken >{lines_of}; }}");
    let look = says("get_logs(\"hotel-testbed\", \"geo\")");
    write_agent(&place, &before, &[&look, &says("submit(\"Yes\")")]);
    let whole = std::fs::read(place.path(lines_of)).unwrap();
    let eval = [
        "eval",
        "snapshots",
        "--task",
        "detection",
        "--agent",
        "exec:sh agent.sh",
        "--jobs",
        "1",
        "--out",
        "out",
        "--resume",
    ];
    place.refused(
        &eval,
        &[
            "broke",
            "scale_pod_zero_testbed-detection-1-r1",
            "--resume --out out",
        ],
    );
    let summary = json(&place, "out/summary.json");
    let ends = |summary: &serde_json::Value| -> Vec<(String, String)> {
        let episodes = summary["episodes"].as_array().unwrap().iter();
        let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
        let own = episodes.filter(|one| one["agent"] == "exec:sh agent.sh");
        own.map(|one| (text(&one["snapshot"]), text(&one["end"])))
            .collect()
    };
    let told = |end: &str| {
        [
            (
                "noop_detection_testbed-1".to_owned(),
                "submitted".to_owned(),
            ),
            ("scale_pod_zero_testbed-1".to_owned(), end.to_owned()),
        ]
    };
    assert_eq!(ends(&summary), told("environment_failed"));
    let transcript = "out/exec-sh-agent.sh/scale_pod_zero_testbed-detection-1-r1/transcript.jsonl";
    let end = lines(&place, transcript).pop().unwrap();
    assert!(
        end["error"].as_str().is_some_and(|error| !error.is_empty()),
        "{end}"
    );

    std::fs::write(place.path(lines_of), whole).unwrap();
    place.ok(&eval);
    assert_eq!(ends(&json(&place, "out/summary.json")), told("submitted"));
}
