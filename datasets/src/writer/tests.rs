use std::fs;

use serde_json::json;

use super::sort::{Limits, sort};
use super::*;
use crate::manifest::Observed;
use crate::rows::tests::{coverage, instance, line, sample, series, span, version};
use crate::rows::{Coverage, LogLine, MetricSample, ObjectVersion, Span};
use crate::snapshot::Snapshot;

pub(crate) fn folder() -> (tempfile::TempDir, Utf8PathBuf) {
    let temporary = tempfile::tempdir().unwrap();
    let path = Utf8PathBuf::from_path_buf(temporary.path().join("snapshot")).unwrap();
    (temporary, path)
}

pub(crate) fn draft() -> ManifestDraft {
    ManifestDraft {
        seed: "a seed".to_owned(),
        application: "shop".to_owned(),
        namespaces: vec!["shop".to_owned()],
        ..ManifestDraft::default()
    }
}

/// Records a little of everything that tables refer to each other with.
pub(crate) fn record(writer: &SnapshotWriter) {
    for table in Table::ALL {
        let row = Coverage {
            table: table.name().to_owned(),
            ..coverage()
        };
        writer.append_rows(Visibility::Visible, &[row]).unwrap();
    }
    writer
        .append_rows(Visibility::Visible, &[series()])
        .unwrap();
    writer
        .append_rows(Visibility::Visible, &[sample(series().series_id, 1.5)])
        .unwrap();
    writer
        .append_rows(Visibility::Visible, &[instance()])
        .unwrap();
    writer
        .append_rows(Visibility::Visible, &[line(1), line(0)])
        .unwrap();
    writer
        .append_rows(Visibility::Withheld, &[line(2)])
        .unwrap();
    writer.append_rows(Visibility::Visible, &[span()]).unwrap();
    let later = ObjectVersion {
        valid_from: 20,
        resource_version: "6".to_owned(),
        ..version(2)
    };
    writer
        .append_rows(Visibility::Visible, &[later, version(1)])
        .unwrap();
}

fn recorded(dir: &Utf8Path) -> Manifest {
    let writer = SnapshotWriter::create(dir).unwrap();
    record(&writer);
    writer
        .write_withheld_json("truth", &json!({"b": 1, "a": 2}))
        .unwrap();
    writer.finish(draft()).unwrap()
}

#[test]
fn what_is_recorded_is_read_back_in_order() {
    let (_temporary, dir) = folder();
    let manifest = recorded(&dir);
    assert_eq!(manifest.state, State::Complete);
    assert_eq!(manifest.files.len(), Table::ALL.len());
    assert_eq!(manifest.files["logs/lines.parquet"].rows, 2);
    assert_eq!(manifest.files["usage/usage.parquet"].rows, 0);
    assert!(!dir.join(RECORDING).exists());

    let snapshot = Snapshot::open(&dir).unwrap();
    assert_eq!(*snapshot.manifest(), manifest);
    let hidden = snapshot.listed(Visibility::Withheld);
    assert_eq!(hidden["withheld/logs/lines.parquet"].rows, 1);
    assert!(hidden.contains_key("withheld/truth.json"));
    assert_eq!(snapshot.read_rows::<LogLine>().unwrap(), [line(0), line(1)]);
    assert_eq!(snapshot.read_withheld_rows::<LogLine>().unwrap(), [line(2)]);
    assert_eq!(snapshot.read_rows::<Span>().unwrap(), [span()]);
    let ends: Vec<_> = snapshot
        .read_rows::<ObjectVersion>()
        .unwrap()
        .iter()
        .map(|row| (row.seq, row.valid_to))
        .collect();
    assert_eq!(ends, [(1, Some(20)), (2, None)]);
    let text = fs::read_to_string(dir.join("withheld/truth.json")).unwrap();
    assert_eq!(text, "{\n  \"a\": 2,\n  \"b\": 1\n}\n");
}

#[test]
fn the_same_rows_give_the_same_bytes() {
    let (_one, first) = folder();
    let (_other, second) = folder();
    assert_eq!(recorded(&first), recorded(&second));
    let manifest = |dir: &Utf8Path| fs::read(dir.join(MANIFEST_FILE)).unwrap();
    assert_eq!(manifest(&first), manifest(&second));
}

#[test]
fn a_folder_in_use_is_refused() {
    let (_temporary, dir) = folder();
    recorded(&dir);
    let error = SnapshotWriter::create(&dir).unwrap_err().to_string();
    assert!(
        error.contains(dir.as_str()) && error.contains("\nhint: "),
        "{error}"
    );
}

#[test]
fn batches_of_another_table_are_refused() {
    let (_temporary, dir) = folder();
    let writer = SnapshotWriter::create(&dir).unwrap();
    let batch = Span::to_batch(&[span()]);
    let error = writer
        .append(Visibility::Visible, Table::Usage, &batch)
        .unwrap_err();
    assert!(
        matches!(error, SnapshotError::WrongBatch { table: "usage", .. }),
        "{error}"
    );
    let error = writer.note("../truth", &json!(1)).unwrap_err();
    assert!(matches!(error, SnapshotError::BadName { .. }), "{error}");
}

#[test]
fn a_killed_recording_is_salvaged_up_to_the_torn_batch() {
    let (_temporary, dir) = folder();
    let writer = SnapshotWriter::create(&dir).unwrap();
    let moment = |seconds| jiff::Timestamp::from_second(seconds).unwrap();
    let noted = ManifestDraft {
        observed: Some(Observed {
            from: moment(0),
            to: moment(9_999),
        }),
        end: Some(moment(9_999)),
        ..draft()
    };
    writer
        .note(DRAFT_NOTE, &serde_json::to_value(noted).unwrap())
        .unwrap();
    writer.note("windows", &json!({"injected": null})).unwrap();
    record(&writer);
    writer.append_rows(Visibility::Visible, &[line(3)]).unwrap();
    // As kill -9 leaves it: no end of stream, the last batch half written.
    drop(writer);
    let path = segment_path(&dir, Visibility::Visible, Table::LogLines);
    let length = fs::metadata(&path).unwrap().len();
    fs::File::options()
        .write(true)
        .open(&path)
        .unwrap()
        .set_len(length - 20)
        .unwrap();
    let path = segment_path(&dir, Visibility::Visible, Table::Spans);
    fs::File::options()
        .write(true)
        .open(&path)
        .unwrap()
        .set_len(20)
        .unwrap();

    assert!(matches!(
        Snapshot::open(&dir),
        Err(SnapshotError::NoManifest { .. })
    ));
    let manifest = salvage(&dir).unwrap();
    assert_eq!(
        (manifest.state, manifest.application.as_str()),
        (State::Partial, "shop")
    );
    assert_eq!(manifest.observed.from, moment(0));
    assert!(
        manifest.end < moment(1),
        "the end is the last row's: {}",
        manifest.end
    );
    let snapshot = Snapshot::open(&dir).unwrap();
    assert_eq!(snapshot.read_rows::<LogLine>().unwrap(), [line(0), line(1)]);
    assert!(snapshot.read_rows::<Span>().unwrap().is_empty());
    assert_eq!(
        snapshot.withheld_json("windows").unwrap(),
        json!({"injected": null})
    );
    assert!(matches!(
        salvage(&dir),
        Err(SnapshotError::AlreadyFinished { .. })
    ));
}

#[test]
fn salvage_knows_what_had_begun() {
    let (_temporary, dir) = folder();
    let writer = SnapshotWriter::create(&dir).unwrap();
    let moment = |seconds| jiff::Timestamp::from_second(seconds).unwrap();
    let begun = Coverage {
        table: Table::LogLines.name().to_owned(),
        scope: "namespace=shop".to_owned(),
        state: "recorded".to_owned(),
        ..coverage()
    };
    let noted = ManifestDraft {
        observed: Some(Observed {
            from: moment(0),
            to: moment(0),
        }),
        begun: vec![begun],
        ..draft()
    };
    writer
        .note(DRAFT_NOTE, &serde_json::to_value(noted).unwrap())
        .unwrap();
    let late = LogLine {
        timestamp: 10_000_000_000,
        ..line(0)
    };
    writer.append_rows(Visibility::Visible, &[late]).unwrap();
    drop(writer);

    let manifest = salvage(&dir).unwrap();
    assert_eq!(
        manifest.end,
        moment(9),
        "rows of the last second may be lost"
    );
    let covered: Vec<Coverage> = Snapshot::open(&dir).unwrap().read_rows().unwrap();
    let of = |table: Table| {
        covered
            .iter()
            .find(|row| row.table == table.name())
            .unwrap()
    };
    let lines = of(Table::LogLines);
    assert_eq!(
        (lines.state.as_str(), lines.scope.as_str(), lines.to),
        ("recorded", "namespace=shop", 9_000_000_000)
    );
    assert_eq!(of(Table::Spans).state, "missing");
    assert_eq!(covered.len(), Table::ALL.len() - 1);
}

#[test]
fn an_empty_folder_has_nothing_to_salvage() {
    let (_temporary, dir) = folder();
    fs::create_dir(&dir).unwrap();
    assert!(matches!(
        salvage(&dir),
        Err(SnapshotError::NothingToSalvage { .. })
    ));
    fs::remove_dir(&dir).unwrap();
    drop(SnapshotWriter::create(&dir).unwrap());
    assert!(matches!(
        salvage(&dir),
        Err(SnapshotError::NothingRecorded { .. })
    ));
}

#[test]
fn lost_rows_make_a_partial_snapshot() {
    let (_temporary, dir) = folder();
    let writer = SnapshotWriter::create(&dir).unwrap();
    let counts = RecorderCounts {
        offered: 1,
        lost: 1,
        ..RecorderCounts::default()
    };
    let recorders = [("spans".to_owned(), counts)].into();
    let manifest = writer
        .finish(ManifestDraft {
            recorders,
            ..draft()
        })
        .unwrap();
    assert_eq!(manifest.state, State::Partial);
}

#[test]
fn chunks_are_merged_into_one_order() {
    let (_temporary, dir) = folder();
    let writer = SnapshotWriter::create(&dir).unwrap();
    // A fixed shuffle: 7919 has no factor in common with 1000.
    let row = |index: u64| MetricSample {
        timestamp: i64::try_from(index * 7_919 % 1_000).unwrap(),
        ..sample(index * 7_919 % 3, 0.0)
    };
    for start in (0..1_000).step_by(10) {
        let rows: Vec<_> = (start..start + 10).map(row).collect();
        writer.append_rows(Visibility::Visible, &rows).unwrap();
    }
    drop(writer);
    let path = segment_path(&dir, Visibility::Visible, Table::MetricSamples);
    let spill = dir.join("spill");
    let sorted = |rows| {
        let limits = Limits {
            rows,
            bytes: usize::MAX,
        };
        let mut keys = Vec::new();
        sort(Table::MetricSamples, &path, &spill, limits, |batch| {
            let rows = MetricSample::from_batch(&batch).unwrap();
            keys.extend(rows.iter().map(|row| (row.series_id, row.timestamp)));
            Ok(())
        })
        .unwrap();
        keys
    };
    let mut expected: Vec<_> = (0..1_000)
        .map(row)
        .map(|row| (row.series_id, row.timestamp))
        .collect();
    expected.sort_unstable();
    assert_eq!(sorted(64), expected);
    assert_eq!(sorted(usize::MAX), expected);
    assert!(!spill.exists());
}
