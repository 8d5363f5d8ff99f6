//! A recording without a truth: what is said of it afterwards is checked, kept and asked for.

use std::fs;

use serde_json::Value;

use crate::command_line::copy_folder;
use crate::program::Place;

const SAMPLE: &str = "scale_pod_zero_testbed-1";
const ADD: [&str; 3] = ["truth", "add", "incident"];

/// A sample as `capture --attach` would have recorded it: nobody has said what was wrong.
fn recording() -> Place {
    let place = Place::new();
    let folder = place.path("incident");
    let samples = concat!(env!("CARGO_MANIFEST_DIR"), "/datasets/samples/");
    copy_folder(format!("{samples}{SAMPLE}").as_ref(), &folder);
    let path = folder.join("withheld/files.json");
    let mut listed: Value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
    for name in ["truth", "windows", "journal"] {
        let document = format!("withheld/{name}.json");
        fs::remove_file(folder.join(&document)).unwrap();
        listed.as_object_mut().unwrap().remove(&document).unwrap();
    }
    fs::write(&path, listed.to_string()).unwrap();
    place.ok(&["snapshot", "verify", "incident"]);
    place
}

fn add<'a>(more: &[&'a str]) -> Vec<&'a str> {
    ADD.iter().chain(more).copied().collect()
}

fn episodes(place: &Place, more: &[&str]) -> Vec<Value> {
    let arguments = [&["eval", "incident", "--json"], more].concat();
    let summary: Value = serde_json::from_str(&place.ok(&arguments)).unwrap();
    let all = summary["episodes"].as_array().unwrap().iter();
    all.filter(|one| one["agent"] == "baseline:doctor")
        .cloned()
        .collect()
}

#[test]
fn a_label_is_kept_and_asked_for() {
    let place = recording();
    let digest = || fs::read_to_string(place.path("incident/manifest.json")).unwrap();
    let before = digest();
    place.refused(&["eval", "incident"], &["has no truth yet", "truth add"]);
    let said = place.ok(&add(&[
        "--name",
        "quiet-zero",
        "--faulty",
        "recommendation",
        "--level",
        "Virtualization",
        "--fault-type",
        "Operation Error",
        "--started",
        "2026-11-23T09:29:31.676Z",
    ]));
    assert!(said.contains("quiet-zero-localization-1"), "{said}");
    place.ok(&["snapshot", "verify", "incident"]);
    assert_eq!(digest(), before, "nothing visible changes");

    let solved = episodes(&place, &["--out", "a"]);
    assert_eq!(solved.len(), 3);
    assert!(
        solved.iter().all(|one| one["success"] == true),
        "{solved:?}"
    );
    let pods = "kubectl get pods -n hotel-testbed | grep -c ^recommendation";
    let at = |clock: &str| {
        place
            .run(&["shell", "incident", "--clock", clock, "-c", pods])
            .stdout
    };
    assert_eq!((at("before-fault").trim(), at("end").trim()), ("1", "0"));

    // Scored again without the recording, by what was asked then.
    let scored = place.ok(&["score", "a"]);
    assert!(scored.contains(", 0 not scored"), "{scored}");

    // Said otherwise, the same answers are wrong.
    place.refused(&add(&["--faulty", "geo"]), &["label already", "--replace"]);
    place.ok(&add(&[
        "--name",
        "quiet-zero",
        "--faulty",
        "geo",
        "--replace",
    ]));
    place.ok(&["snapshot", "verify", "incident"]);
    let asked = ["--problem", "quiet-zero-localization-1", "--out", "b"];
    let wrong = episodes(&place, &asked);
    assert_eq!(wrong.len(), 1);
    assert_eq!(wrong[0]["success"], false);
    place.refused(
        &["eval", "incident", "--problem", "quiet-one-localization-1"],
        &["unknown problem"],
    );
}

#[test]
fn an_incident_that_was_over_is_asked_about_while_it_lasted() {
    let place = recording();
    // The replicas are there until 09:29:31: what is asked before is answered No.
    place.ok(&add(&[
        "--name",
        "too-early",
        "--faulty",
        "recommendation",
        "--started",
        "2026-11-23T09:28:30Z",
        "--ended",
        "2026-11-23T09:29:10Z",
    ]));
    let asked = episodes(&place, &["--task", "detection", "--out", "a"]);
    assert_eq!(asked[0]["success"], false, "it sees nothing wrong yet");
}

#[test]
fn labels_that_can_not_be_are_refused_and_change_nothing() {
    let place = recording();
    for (more, says) in [
        (
            &["--faulty", "recommendatio"][..],
            &["recommendatio", "nearest names are recommendation"][..],
        ),
        (&[], &["nothing is said"]),
        (&["--no-fault", "--faulty", "geo"], &["no fault"]),
        (
            &["--no-fault", "--started", "2026-11-23T09:29:31Z"],
            &["contradict"],
        ),
        (
            &[
                "--faulty",
                "geo",
                "--level",
                "Cloud",
                "--fault-type",
                "Code Defect",
            ],
            &["Cloud", "Hardware"],
        ),
        (
            &["--faulty", "geo", "--level", "Application"],
            &["--fault-type"],
        ),
        (
            &["--faulty", "geo", "--started", "noon"],
            &["noon", "RFC 3339"],
        ),
        (
            &["--faulty", "geo", "--started", "2020-01-01T00:00:00Z"],
            &["it runs from 2026-11-23"],
        ),
        (
            &[
                "--faulty",
                "geo",
                "--started",
                "2026-11-23T09:29:31Z",
                "--ended",
                "2026-11-23T09:29:30Z",
            ],
            &["does not lie within"],
        ),
        (&["--faulty", "geo", "--name", "a b"], &["a b", "--name"]),
        (
            &["--faulty", "geo", "--name", "scale_pod_zero_testbed"],
            &["family of the catalog"],
        ),
    ] {
        place.refused(&add(more), says);
        assert!(
            !place.path("incident/withheld/truth.json").exists(),
            "{more:?}"
        );
    }
    place.ok(&add(&["--faulty", "gone", "--unseen"]));
    place.refused(
        &["truth", "add", SAMPLE, "--faulty", "geo", "--replace"],
        &["recorded when it was captured"],
    );
    place.refused_as_usage(&add(&["--ended", "2026-11-23T09:29:31Z"]), &["--started"]);
}
