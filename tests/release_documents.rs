//! What is read of a release: its card, and what is another in the next version.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use aiopslab_datasets::Snapshot;
use aiopslab_datasets::release::RELEASE_FILE;
use aiopslab_datasets::writer::SnapshotWriter;
use camino::Utf8Path;
use serde_json::{Value, json};

use crate::program::{Place, listed};
use crate::truncated;

const SAMPLES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/datasets/samples");
const QUIET: &str = "noop_detection_testbed-1";
const FAULTY: &str = "scale_pod_zero_testbed-1";

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy(&path, &target);
        } else {
            fs::copy(&path, &target).unwrap();
        }
    }
}

/// Puts samples into a folder, each under a name, as a release has them.
fn collect(dir: &Path, samples: &[(&str, &str)]) {
    for (sample, name) in samples {
        let from = Path::new(SAMPLES).join(sample);
        copy(&from, &dir.join("snapshots").join(name));
    }
}

/// Writes the manifest of a release of what is in the folder.
fn seal(dir: &Path, version: &str, held_out: bool) {
    let mut snapshots = BTreeMap::new();
    for entry in fs::read_dir(dir.join("snapshots")).unwrap() {
        let path = entry.unwrap().path();
        let snapshot = Snapshot::open(Utf8Path::from_path(&path).unwrap()).unwrap();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        let entry = json!({
            "snapshot": snapshot.manifest().snapshot,
            "application": snapshot.manifest().application,
            "logical_digest": snapshot.logical_digest().unwrap(),
            "problems": {format!("{name}-asked"): "00".repeat(32)},
        });
        snapshots.insert(name, entry);
    }
    let release = json!({
        "format_version": "1",
        "name": "small",
        "version": version,
        "held_out": held_out,
        "licence": "CC-BY-4.0",
        "citation": "The authors of small, 2026",
        "snapshots": snapshots,
        "files": listed(dir),
        "figures": {"families": 1},
    });
    fs::write(dir.join(RELEASE_FILE), format!("{release:#}")).unwrap();
}

/// A copy of a sample in which geo said something else when it started.
fn alter(sample: &str, dir: &Path) {
    let original = format!("{SAMPLES}/{sample}");
    let original = Snapshot::open(Utf8Path::new(&original)).unwrap();
    fs::create_dir_all(dir).unwrap();
    let writer = SnapshotWriter::create(Utf8Path::from_path(dir).unwrap()).unwrap();
    truncated::copy_with(&original, &writer, |line| {
        if line.service.as_deref() == Some("geo") && line.seq == 0 {
            line.message = b"the altered line".to_vec();
        }
    });
    for name in ["truth", "windows"] {
        let document = original.withheld_json(name).unwrap();
        writer.write_withheld_json(name, &document).unwrap();
    }
    let end = i64::try_from(original.manifest().end.as_nanosecond()).unwrap();
    let draft = truncated::draft(original.manifest(), end);
    writer.finish(draft).unwrap();
}

#[test]
fn a_card_tells_what_is_in_a_release() {
    let place = Place::new();
    let dir = place.path("small");
    collect(&dir, &[(QUIET, QUIET), (FAULTY, FAULTY)]);
    seal(&dir, "1.0.0", false);
    let card = place.ok(&["release", "card", "small"]);
    for part in [
        "license: cc-by-4.0\n",
        "size_categories:\n- 100K<n<1M\n",
        "- config_name: log_lines\n  data_files: \"snapshots/*/logs/lines.parquet\"\n",
        "# small 1.0.0\n",
        "| `noop_detection_testbed` | nothing is wrong | 1 |\n",
        "| `scale_pod_zero_testbed` |",
        "`hotel-testbed` (2)",
        "- kubernetes v1.34.4\n- prometheus 3.5.0\n",
        "- every value of a Secret\n",
        "All of them are complete.",
        "The authors of small, 2026",
    ] {
        assert!(card.contains(part), "{part:?} is not in\n{card}");
    }
    assert!(!card.contains("config_name: metric_series"), "{card}");
    // The two recordings' log lines, by their manifests.
    let lines = [QUIET, FAULTY].map(|name| {
        let manifest = fs::read(dir.join("snapshots").join(name).join("manifest.json")).unwrap();
        let manifest: Value = serde_json::from_slice(&manifest).unwrap();
        manifest["files"]["logs/lines.parquet"]["rows"]
            .as_u64()
            .unwrap()
    });
    let row = format!("| `log_lines` | {} |", lines[0] + lines[1]);
    assert!(card.contains(&row), "{row} is not in\n{card}");
    place.refused(
        &["release", "card", "small/snapshots"],
        &["release.json", "hint:"],
    );
}

#[test]
fn a_held_out_release_says_nothing_of_what_was_wrong() {
    let place = Place::new();
    let dir = place.path("held-out");
    collect(&dir, &[(QUIET, "3f01"), (FAULTY, "8c55")]);
    for name in ["3f01", "8c55"] {
        fs::remove_dir_all(dir.join("snapshots").join(name).join("withheld")).unwrap();
    }
    seal(&dir, "1.0.0", true);
    let card = place.ok(&["release", "card", "held-out"]);
    assert!(card.contains("aiopslab release unlock"), "{card}");
    for hidden in ["noop", "scale_pod", "nothing is wrong", "-asked"] {
        assert!(!card.contains(hidden), "{hidden:?} is in\n{card}");
    }
    place.refused(
        &["release", "diff", "held-out", "held-out"],
        &["held out", "--results"],
    );
}

#[test]
fn two_releases_are_told_apart_down_to_the_answers() {
    let place = Place::new();
    let (before, after) = (place.path("before"), place.path("after"));
    collect(&before, &[(QUIET, QUIET), (FAULTY, FAULTY)]);
    seal(&before, "1.0.0", false);
    // Another version has another recording, and one that was altered.
    collect(
        &after,
        &[
            (QUIET, QUIET),
            ("container_kill_testbed-1", "container_kill_testbed-1"),
        ],
    );
    alter(FAULTY, &after.join("snapshots").join(FAULTY));
    seal(&after, "1.1.0", false);

    let same = place.ok(&["release", "diff", "before", "before"]);
    assert!(
        same.contains("snapshots: 0 added, 0 removed, 0 changed, 2 as before\n"),
        "{same}"
    );
    assert!(
        same.contains(" steps of 4 episodes: 0 answers changed;"),
        "{same}"
    );

    let script = "get_logs(\"hotel-testbed\", \"geo\")\n---\nget_logs(\"hotel-testbed\", \"search\")\n---\nsubmit(\"Yes\")\n";
    fs::write(place.path("script"), script).unwrap();
    let asked = ["eval", "before/snapshots", "--task", "detection", "--agent"];
    place.ok(&[&asked[..], &["scripted:script", "--out", "out"]].concat());
    let diff = ["release", "diff", "before", "after", "--results", "out"];
    let told = place.ok(&[&diff[..], &["--json"]].concat());
    let told: Value = serde_json::from_str(&told).unwrap();
    let difference = &told["difference"];
    assert_eq!(
        difference["snapshots"],
        json!({"added": ["container_kill_testbed-1"], "removed": [], "changed": [FAULTY], "same": 1})
    );
    let lines = format!("snapshots/{FAULTY}/logs/lines.parquet");
    let changed = difference["files"]["changed"].as_array().unwrap();
    assert!(changed.contains(&json!(lines)), "{difference:#}");
    let answers = told["answers"]["changed"].as_array().unwrap();
    let by_script = answers.iter().filter(|one| {
        let folder = one["folder"].as_str().unwrap();
        folder.starts_with("scripted")
    });
    let actions: Vec<&Value> = by_script.map(|one| &one["action"]).collect();
    assert_eq!(actions, ["get_logs(\"hotel-testbed\", \"geo\")"]);

    let text = place.ok(&diff);
    for part in [
        "small 1.0.0 and small 1.1.0\n",
        "  + container_kill_testbed-1\n",
        "  ~ snapshots/scale_pod_zero_testbed-1/logs/lines.parquet\n",
        "the altered line",
    ] {
        assert!(text.contains(part), "{part:?} is not in\n{text}");
    }
    assert!(!text.contains("  + snapshots/container_kill"), "{text}");
}
