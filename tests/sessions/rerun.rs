//! What agents did, done again: the same on the same snapshot, and what changed where one changed.

use aiopslab_datasets::Snapshot;
use aiopslab_datasets::writer::SnapshotWriter;
use camino::Utf8Path;
use serde_json::{Value, json};

use super::{DETECTION, SAMPLES, sample};
use crate::program::Place;
use crate::truncated;

/// A sample in which geo said something else when it started.
pub(super) fn altered(dir: &Utf8Path) {
    let folder = sample("scale_pod_zero_testbed-1");
    let sample = Snapshot::open(Utf8Path::new(&folder)).unwrap();
    let writer = SnapshotWriter::create(dir).unwrap();
    truncated::copy_with(&sample, &writer, |line| {
        if line.service.as_deref() == Some("geo") && line.seq == 0 {
            line.message = b"the altered line".to_vec();
        }
    });
    for name in ["truth", "windows"] {
        let document = sample.withheld_json(name).unwrap();
        writer.write_withheld_json(name, &document).unwrap();
    }
    let end = i64::try_from(sample.manifest().end.as_nanosecond()).unwrap();
    writer
        .finish(truncated::draft(sample.manifest(), end))
        .unwrap();
}

#[test]
fn the_same_program_answers_the_same_on_the_same_snapshot() {
    let place = Place::new();
    place.ok(&[
        "eval",
        SAMPLES,
        "--agent",
        "baseline:doctor",
        "--out",
        "out",
    ]);
    let told = place.ok(&["rerun", "out", "--json"]);
    let told: Value = serde_json::from_str(&told).unwrap();
    assert!(told["steps"].as_u64().unwrap() > 100, "{told}");
    assert_eq!(told["changed"], json!([]));
    assert_eq!(told["not_rerun"], json!([]));
    // A moving clock, AIOpsLab's own syntax, and our further actions.
    let script = "```\nexec_shell(\"date; sleep 20; kubectl get pods -n hotel-testbed\")\n```\n---\nget_logs(\"hotel-testbed\", \"geo\")\n---\n```\nquery_sql(\"SELECT count(*) FROM logs\")\n```\n---\nsubmit(\"Yes\")\n";
    std::fs::write(place.path("script"), script).unwrap();
    for (out, further) in [
        ("a", &["--clock", "play", "--actions", "extended"][..]),
        ("b", &["--upstream"][..]),
    ] {
        let mut arguments = vec!["eval", SAMPLES, "--problem", DETECTION, "--agent"];
        arguments.extend(["scripted:script", "--out", out]);
        arguments.extend(further);
        place.ok(&arguments);
        let told = place.ok(&["rerun", out]);
        assert!(told.contains(": 0 answers changed"), "{told}");
    }
}

#[test]
fn on_another_version_of_a_snapshot_the_answers_that_changed_are_listed() {
    let place = Place::new();
    let script = "get_logs(\"hotel-testbed\", \"geo\")\n---\nget_logs(\"hotel-testbed\", \"search\")\n---\nexec_shell(\"kubectl get pods -n hotel-testbed\")\n---\nsubmit(\"Yes\")\n";
    std::fs::write(place.path("script"), script).unwrap();
    let folder = sample("scale_pod_zero_testbed-1");
    place.ok(&[
        "eval",
        &folder,
        "--problem",
        DETECTION,
        "--agent",
        "scripted:script",
        "--out",
        "out",
    ]);
    let version = place.path("versions/scale_pod_zero_testbed-1");
    std::fs::create_dir_all(&version).unwrap();
    altered(Utf8Path::from_path(&version).unwrap());
    let ran = place.run(&["rerun", "out", "--snapshot", "versions", "--json"]);
    assert_eq!(ran.code, 1, "{}", ran.stderr);
    assert!(ran.stderr.contains("answers changed"), "{}", ran.stderr);
    let told: Value = serde_json::from_str(&ran.stdout).unwrap();
    let changed = told["changed"].as_array().unwrap();
    let by_script: Vec<&Value> = changed
        .iter()
        .filter(|one| one["folder"].as_str().unwrap().starts_with("scripted"))
        .collect();
    assert_eq!(by_script.len(), 1, "{told:#}");
    let change = by_script[0];
    assert_eq!(
        (&change["problem"], &change["step"]),
        (&json!(DETECTION), &json!(1))
    );
    assert_eq!(change["action"], "get_logs(\"hotel-testbed\", \"geo\")");
    let now = change["now"]["line"].as_str().unwrap();
    assert!(now.contains("the altered line"), "{change}");
    assert_eq!(change["before"]["verdict"], change["now"]["verdict"]);
    place.refused(
        &["rerun", "out", "--snapshot", "versions"],
        &[
            "scripted-script/scale_pod_zero_testbed-detection-1-r1, step 1: get_logs",
            "+ ",
        ],
    );
    // Of another problem there is nothing to replay on.
    let other = sample("revoke_auth_postgres_testbed-1");
    place.refused(
        &["rerun", "out", "--snapshot", &other],
        &["not rerun: ", "could not be rerun", "hint:"],
    );
}
