use camino::Utf8Path;
use serde_json::json;

use super::*;
use crate::rows::tests::{line, series, span, version};
use crate::rows::{LogLine, MetricSample, MetricSeries, ObjectVersion, Row, Span};
use crate::writer::tests::{draft, folder, record};
use crate::writer::{SnapshotWriter, Visibility};

fn append<R: Row>(writer: &SnapshotWriter, row: R) {
    writer.append_rows(Visibility::Visible, &[row]).unwrap();
}

fn failed(dir: &Utf8Path, more: impl Fn(&SnapshotWriter), content: bool) -> Vec<String> {
    let writer = SnapshotWriter::create(dir).unwrap();
    record(&writer);
    more(&writer);
    let draft = crate::ManifestDraft {
        service_label: "app".to_owned(),
        ..draft()
    };
    writer.finish(draft).unwrap();
    let report = verify(&Snapshot::open(dir).unwrap(), content);
    let failed = report.checks.into_iter().filter(|check| !check.passed);
    failed
        .map(|check| format!("{}: {}", check.name, check.detail))
        .collect()
}

#[test]
fn a_sound_snapshot_passes() {
    let (_temporary, dir) = folder();
    assert_eq!(failed(&dir, |_| (), false), [] as [&str; 0]);
}

#[test]
fn contradictions_are_found() {
    let (_temporary, dir) = folder();
    let contradict = |writer: &SnapshotWriter| {
        append(
            writer,
            LogLine {
                instance_id: 8,
                ..line(0)
            },
        );
        append(writer, line(9));
        append(
            writer,
            MetricSample {
                series_id: 1,
                timestamp: 1,
                value: 0.0,
                histogram: None,
            },
        );
        append(
            writer,
            Span {
                start: 10,
                end: 9,
                ..span()
            },
        );
    };
    let failed = failed(&dir, contradict, false);
    assert_eq!(
        failed,
        [
            "log sequence: instance 7 has 4 lines from 0 to 9; lines of an unknown instance 8",
            "samples: samples of an unknown series 1",
            "spans: span b7ad6b7169203331 ends before it starts",
        ]
    );
}

#[test]
fn a_changed_byte_is_found() {
    let (_temporary, dir) = folder();
    assert!(failed(&dir, |_| (), false).is_empty());
    let snapshot = Snapshot::open(&dir).unwrap();
    let path = snapshot.path(crate::schema::Table::Coverage);
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[20] ^= 1;
    std::fs::write(&path, bytes).unwrap();
    let report = verify(&snapshot, false);
    assert!(!report.checks[0].passed && report.checks[0].detail.starts_with("coverage.parquet"));
}

/// A recorded fault, nanoseconds 0 to 1000 healthy and 1000 to 2000 not.
fn fault(writer: &SnapshotWriter) {
    let pod = json!({
        "metadata": {"labels": {"app": "geo"}},
        "spec": {"containers": [{"env": [{"name": "OTEL_EXPORTER_OTLP_ENDPOINT"}]}]},
    });
    let pod = ObjectVersion {
        resource: "pods".to_owned(),
        name: "geo-1".to_owned(),
        object: pod.to_string(),
        ..version(3)
    };
    append(writer, pod);
    append(
        writer,
        LogLine {
            service: Some("geo".to_owned()),
            ..line(3)
        },
    );
    append(
        writer,
        MetricSeries {
            series_id: 5,
            name: "container_cpu_usage_seconds_total".to_owned(),
            namespace: Some("shop".to_owned()),
            pod: Some("geo-1".to_owned()),
            container: Some("geo".to_owned()),
            ..series()
        },
    );
    for start in [100, 200] {
        append(
            writer,
            Span {
                start,
                end: start,
                status: "ok".to_owned(),
                ..span()
            },
        );
    }
    append(
        writer,
        Span {
            start: 1_500,
            end: 1_600,
            ..span()
        },
    );
    let journal = json!({
        "objects": [{"resource": "services", "namespace": "shop", "name": "geo"}],
        "steps": [{"change": "fields"}],
    });
    writer.note("journal", &journal).unwrap();
    let moment = |nanoseconds: i128| {
        jiff::Timestamp::from_nanosecond(nanoseconds)
            .unwrap()
            .to_string()
    };
    let window = |from, to| json!({"from": moment(from), "to": moment(to)});
    let windows = json!({
        "baseline": window(10, 1_000),
        "injected": moment(1_000),
        "fault": window(1_000, 2_000),
    });
    writer.note("windows", &windows).unwrap();
}

#[test]
fn content_shows_the_fault_or_not() {
    let (_temporary, dir) = folder();
    let shown = |writer: &SnapshotWriter| {
        fault(writer);
        append(
            writer,
            ObjectVersion {
                observed: 1_100,
                valid_from: 1_100,
                ..version(4)
            },
        );
    };
    assert_eq!(failed(&dir, shown, true), [] as [&str; 0]);

    let (_temporary, dir) = folder();
    let hidden = failed(&dir, fault, true);
    assert_eq!(hidden.len(), 1, "{hidden:?}");
    assert!(
        hidden[0].starts_with("injected change: no change of services shop/geo"),
        "{hidden:?}"
    );
}
