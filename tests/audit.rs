//! What gives a fault away is found in the visible part of a snapshot, at every depth, and nothing
//! of it is in the samples.

use aiopslab_datasets::Snapshot;
use aiopslab_datasets::rows::{LogLine, MetricSeries, ObjectVersion};
use aiopslab_datasets::writer::{SnapshotWriter, Visibility};
use camino::Utf8Path;
use serde_json::{Value, json};

use crate::program::Place;
use crate::truncated;

const SAMPLE: &str = "scale_pod_zero_testbed-1";

fn sample() -> Snapshot {
    let dir = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/datasets/samples/scale_pod_zero_testbed-1"
    );
    Snapshot::open(Utf8Path::new(dir)).unwrap()
}

/// A copy of the sample with rows that give the fault away, one for each depth.
fn plant(dir: &Utf8Path, visibility: Visibility) {
    let sample = sample();
    let writer = SnapshotWriter::create(dir).unwrap();
    truncated::copy(&sample, &writer);
    let now = i64::try_from(sample.manifest().observed.from.as_nanosecond()).unwrap();
    let mut objects: Vec<ObjectVersion> = sample.read_rows().unwrap();
    let mut of = |resource: &str| {
        let found = objects
            .iter()
            .position(|row| row.resource == resource && row.valid_to.is_none());
        objects.remove(found.unwrap())
    };
    // A whole row.
    let mut chaos = of("configmaps");
    chaos.name = "chaos-mesh-controller".to_owned();
    chaos.uid = "planted".to_owned();
    chaos.valid_from = now;
    chaos.object = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": chaos.name, "namespace": chaos.namespace, "uid": "planted"}}).to_string();
    // Something in an object that is otherwise fine.
    let mut annotated = of("serviceaccounts");
    annotated.uid = "annotated".to_owned();
    annotated.name = "annotated".to_owned();
    annotated.valid_from = now;
    annotated.object = json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {
        "name": "annotated", "namespace": annotated.namespace, "uid": "annotated",
        "annotations": {"kubernetes.io/change-cause": "scaled to zero"}}})
    .to_string();
    writer.append_rows(visibility, &[chaos, annotated]).unwrap();
    let lines: Vec<LogLine> = sample.read_rows().unwrap();
    let mut line = lines.last().unwrap().clone();
    line.seq += 1;
    line.message = b"running /scripts/scale.sh for scale-pod-zero".to_vec();
    writer.append_rows(visibility, &[line]).unwrap();
    let series: Vec<MetricSeries> = sample.read_rows().unwrap();
    let mut one = series.last().unwrap().clone();
    one.series_id += 1;
    one.labels = vec![("pod".to_owned(), "chaos-daemon-x7k2p".to_owned())];
    writer.append_rows(visibility, &[one]).unwrap();
    for name in ["truth", "windows", "journal"] {
        writer
            .write_withheld_json(name, &sample.withheld_json(name).unwrap())
            .unwrap();
    }
    let end = i64::try_from(sample.manifest().end.as_nanosecond()).unwrap();
    writer
        .finish(truncated::draft(sample.manifest(), end))
        .unwrap();
}

fn audited(place: &Place, what: &[&str]) -> (i32, Value) {
    let mut arguments = vec!["snapshot", "audit", "--json"];
    arguments.extend(what);
    let ran = place.run(&arguments);
    (
        ran.code,
        serde_json::from_str(&ran.stdout).unwrap_or_else(|_| panic!("{}", ran.stderr)),
    )
}

#[test]
fn nothing_in_the_samples_gives_the_fault_away() {
    let place = Place::new();
    let (code, audited) = audited(&place, &[]);
    let snapshots = audited["snapshots"].as_array().unwrap();
    assert!(snapshots.len() >= 4);
    for one in snapshots {
        assert!(one["texts"].as_u64().unwrap() > 15, "{one}");
        assert_eq!(one["leaks"], json!([]), "{one}");
    }
    // As many controls as incidents, recorded alike: no length, age or number of rows tells them apart.
    assert_eq!(audited["shortcuts"]["enough"], true);
    let features = audited["shortcuts"]["features"].as_array().unwrap();
    let found = features.iter().filter(|feature| feature["found"] == true);
    let found: Vec<_> = found.map(|feature| &feature["feature"]).collect();
    assert!(features.len() > 5 && found.is_empty(), "{found:?}");
    assert_eq!((code, &audited["passed"]), (0, &json!(true)));
}

#[test]
fn what_is_planted_is_found_at_every_depth_unless_it_is_withheld() {
    let place = Place::new();
    let dir = place.path("planted");
    plant(Utf8Path::from_path(&dir).unwrap(), Visibility::Visible);
    let (code, found) = audited(&place, &["planted"]);
    assert_eq!(code, 1);
    let leaks = found["snapshots"][0]["leaks"].as_array().unwrap();
    let said: Vec<String> = leaks
        .iter()
        .map(|leak| format!("{} | {} | {}", leak["depth"], leak["place"], leak["text"]))
        .collect();
    for (depth, place, text) in [
        ("row", "configmaps/chaos-mesh-controller", "chaos-mesh"),
        (
            "JSON path",
            ".metadata.annotations.kubernetes.io/change-cause",
            "change-cause",
        ),
        ("log line", "log of ", "/scripts/"),
        ("series", "label pod of ", "chaos-daemon"),
    ] {
        let depth = format!("\"{depth}\"");
        let is_it =
            |one: &&String| one.starts_with(&depth) && one.contains(place) && one.contains(text);
        assert_eq!(said.iter().filter(is_it).count(), 1, "{depth} in {said:#?}");
    }
    assert_eq!(said.len(), 4, "{said:#?}");

    // The same rows, withheld: not seen, but for a comparison with what AIOpsLab would show.
    let dir = place.path("withheld");
    plant(Utf8Path::from_path(&dir).unwrap(), Visibility::Withheld);
    let (code, found) = audited(&place, &["withheld"]);
    assert_eq!((code, &found["snapshots"][0]["leaks"]), (0, &json!([])));
    let asked = ["-c", "kubectl get configmaps,serviceaccounts -A -o name"];
    let agents = place.ok(&[&["shell", "withheld"], &asked[..]].concat());
    let upstream =
        place.ok(&[&["shell", "withheld", "--upstream-visibility"], &asked[..]].concat());
    for name in ["chaos-mesh-controller", "serviceaccount/annotated"] {
        assert!(
            !agents.contains(name) && upstream.contains(name),
            "{upstream}"
        );
    }
    assert!(upstream.lines().count() > agents.lines().count());
}

#[test]
fn upstream_visibility_shows_the_journal_of_a_sample() {
    let place = Place::new();
    let asked = ["-c", "kubectl get configmaps -n kube-system -o name"];
    let agents = place.ok(&[&["shell", SAMPLE], &asked[..]].concat());
    let upstream = place.ok(&[&["shell", SAMPLE, "--upstream-visibility"], &asked[..]].concat());
    assert!(
        !agents.contains("cluster-settings-") && upstream.contains("cluster-settings-"),
        "{upstream}"
    );
}
