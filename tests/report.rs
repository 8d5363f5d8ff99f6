//! Reports of evaluations: tables, Markdown and the page.

use std::fs;

use serde_json::Value;

use crate::program::Place;

const SAMPLES: [&str; 2] = ["revoke_auth_postgres_testbed-1", "noop_detection_testbed-1"];

fn evaluate(place: &Place, out: &str, agent: &str) {
    let mut arguments = vec!["eval"];
    arguments.extend(SAMPLES);
    let page = format!("{out}.html");
    arguments.extend(["--agent", agent, "--repeat", "2", "--out", out]);
    arguments.extend(["--html", &page]);
    place.ok(&arguments);
}

/// An agent that ranks two components, deletes a pod and says what could be markup.
fn with_script(place: &Place) -> &'static str {
    let script = "<script>alert(1)</script> | # *x*\n```\nexec_shell(\"kubectl delete pod geo-1 -n hotel-testbed; kubectl get pods -n hotel-testbed\")\n```\n---\n```\nsubmit([\"frontend\", \"geo\"])\n```\n";
    fs::write(place.path("script"), script).unwrap();
    "scripted:script"
}

fn json(place: &Place, path: &str) -> Value {
    serde_json::from_str(&fs::read_to_string(place.path(path)).unwrap()).unwrap()
}

#[test]
fn near_answers_and_conduct_are_kept_beside_the_strict_score() {
    let place = Place::new();
    evaluate(&place, "results", with_script(&place));
    let folder = "results/scripted-script/revoke_auth_postgres_testbed-localization-1-r1";
    let result = json(&place, &format!("{folder}/result.json"));
    assert_eq!(result["strict"]["success"], false);
    let graded = &result["graded"];
    assert_eq!(
        (&graded["acc_at_1"], &graded["acc_at_3"]),
        (&0.0.into(), &1.0.into())
    );
    assert_eq!(
        (&graded["reciprocal_rank"], &graded["recall"]),
        (&0.5.into(), &1.0.into())
    );
    assert_eq!(
        (
            &result["writes_attempted"],
            &result["destructive_commands"],
            &result["verdicts"]["denied"]
        ),
        (&1.into(), &1.into(), &1.into())
    );
    // Results that were kept before there were such figures get them when they are scored again.
    let path = place.path(&format!("{folder}/result.json"));
    let before = fs::read_to_string(&path).unwrap();
    let mut old = result.clone();
    for key in ["graded", "writes_attempted", "destructive_commands"] {
        old.as_object_mut().unwrap().shift_remove(key);
    }
    fs::write(&path, format!("{old:#}\n")).unwrap();
    let told = place.ok(&["score", "results", "--write"]);
    assert!(told.contains("graded was not there"), "{told}");
    assert_eq!(fs::read_to_string(&path).unwrap(), before);
    let summary = json(&place, "results/summary.json");
    let agent = &summary["agents"][0];
    assert_eq!(agent["localization"]["reciprocal_rank"], 0.5);
    // One command on each of four problems, twice.
    assert_eq!(agent["destructive_commands"], 8);
}

#[test]
fn a_table_has_intervals_lift_and_what_tells_nothing() {
    let place = Place::new();
    evaluate(&place, "results", "baseline:doctor");
    let told = place.ok(&["report", "results"]);
    for part in [
        "baseline:doctor on 2 snapshots, 4 problems, each asked 2 times",
        "100 % (100 … 100)",
        "solved, by family",
        "revoke_auth_postgres_testbed",
        "steps to success",
        "problems that tell nothing: revoke_auth_postgres_testbed-detection-1",
    ] {
        assert!(told.contains(part), "{part}: {told}");
    }
    let lift = told.lines().find(|line| line.contains("lift")).unwrap();
    // Of one fault and one control the constant gets one right.
    assert!(lift.contains("+50 (+0 … +100)"), "{lift}");
    let markdown = place.ok(&["report", "results", "--markdown"]);
    assert!(markdown.contains("| detection "), "{markdown}");
    assert!(markdown.starts_with("# baseline:doctor on "), "{markdown}");
    place.refused(&["report", "nowhere"], &["nowhere/summary.json", "hint: "]);
}

#[test]
fn a_page_shows_every_episode_and_runs_nothing() {
    let place = Place::new();
    evaluate(&place, "doctor", "baseline:doctor");
    evaluate(&place, "scripted", with_script(&place));
    let page = |file: &str| {
        place.ok(&["report", "doctor", "scripted", "--html", file]);
        fs::read_to_string(place.path(file)).unwrap()
    };
    place.ok(&["report", "doctor", "--html", "again.html"]);
    let read = |file: &str| fs::read_to_string(place.path(file)).unwrap();
    assert_eq!(
        read("doctor.html"),
        read("again.html"),
        "eval writes it, too"
    );
    let first = page("a.html");
    assert_eq!(first, page("b.html"), "the same results, the same bytes");
    assert!(!first.contains("<script"), "an agent's text is only text");
    assert!(first.contains("&lt;script&gt;alert(1)"));
    assert!(!first.contains(" src="), "nothing is loaded");
    // Four agents on four problems, twice each.
    assert_eq!(first.matches("<details class=\"episode\">").count(), 32);
    // Who answers the same both times is shown once.
    assert!(first.contains("the same as repeat 1, step by step"));
    for part in [
        "right is: postgres-geo, or geo",
        "kubectl delete pod geo-1",
        "<span class=\"verdict\">denied</span>",
        "baseline:doctor and scripted:script on 2 snapshots",
    ] {
        assert!(first.contains(part), "{part}");
    }
    // Two evaluations of one agent are told apart.
    let twice = place.ok(&["report", "doctor", "doctor"]);
    assert!(twice.contains("baseline:doctor (doctor)"), "{twice}");
}
