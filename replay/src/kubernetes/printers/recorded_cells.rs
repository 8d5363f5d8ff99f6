//! Every cell that the servers of the shipped samples printed, computed again as of the moment of
//! its recording.
//!
//! `recorded_cells.txt` lists what differs and why. A difference that it does not list fails. The
//! variable AIOPSLAB_FRESH names one more snapshot, a fresh capture, whose cells are computed again too.

use std::collections::BTreeMap;

use aiopslab_datasets::rows::ObjectVersion;
use aiopslab_datasets::samples::samples;
use aiopslab_datasets::snapshot::Snapshot;
use camino::{Utf8Path, Utf8PathBuf};
use serde_json::Value;

use super::printer;
use crate::kubernetes::table::TableMaker;
use crate::recording::{self, Recording};
use crate::tables::Selection;
use crate::view::RecordedObject;

const EXPLAINED: &str = include_str!("recorded_cells.txt");

/// A recorder sees a row later than the server printed it, and by another clock.
const LATE_MS: i64 = 3_000;

#[derive(Default)]
struct Compared {
    cells: usize,
    late: usize,
    unexplained: Vec<String>,
}

#[tokio::test]
async fn every_recorded_cell_is_computed_again() {
    let folder = tempfile::tempdir().unwrap();
    let root = Utf8Path::from_path(folder.path()).unwrap();
    let mut found = String::new();
    for sample in samples() {
        let compared = compare(&sample.write_below(root).unwrap()).await;
        found.push_str(&format!(
            "{} {} {}\n",
            sample.name, compared.cells, compared.late
        ));
    }
    if let Ok(fresh) = std::env::var("AIOPSLAB_FRESH") {
        let compared = compare(&Utf8PathBuf::from(&fresh)).await;
        println!("{fresh} {} {}", compared.cells, compared.late);
        assert!(compared.cells > 1_000, "{fresh} holds hardly any cells");
    }
    let explained: Vec<&str> = EXPLAINED
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .collect();
    assert_eq!(found, explained.join("\n") + "\n");
}

async fn compare(dir: &Utf8Path) -> Compared {
    let snapshot = Snapshot::open(dir).unwrap();
    let end = crate::clock::nanoseconds(snapshot.manifest().end);
    let recording = Recording::open(&snapshot, end).unwrap();
    let versions: Vec<ObjectVersion> = recording
        .tables()
        .rows(Selection::default().order(&["seq"], true))
        .await
        .unwrap();
    let mut makers: BTreeMap<(String, String), TableMaker> = BTreeMap::new();
    let mut compared = Compared::default();
    for version in &versions {
        let key = (version.group.clone(), version.resource.clone());
        if printer(&key.0, &key.1).is_none() {
            continue;
        }
        if !makers.contains_key(&key) {
            let maker = TableMaker::open(&recording, &key.0, &key.1).await.unwrap();
            makers.insert(key.clone(), maker.unwrap());
        }
        let object = recording::recorded(version).unwrap();
        if let Some(cells) = &object.cells {
            compared.add(&makers[&key], &object, cells);
        }
    }
    assert!(
        compared.unexplained.is_empty(),
        "{} rows of {dir} differ:\n{}",
        compared.unexplained.len(),
        compared.unexplained.join("\n")
    );
    compared
}

impl Compared {
    /// All cells of a row were printed at one moment.
    fn add(&mut self, maker: &TableMaker, object: &RecordedObject, recorded: &[Value]) {
        let at = |late_ms: i64| {
            maker
                .cells(object, object.observed - late_ms * 1_000_000)
                .unwrap()
        };
        self.cells += recorded.len();
        let ours = at(0);
        if ours == recorded {
            return;
        }
        let differ = ours
            .iter()
            .zip(recorded)
            .filter(|(one, other)| one != other)
            .count();
        if (0..=LATE_MS).step_by(50).any(|late| at(late) == recorded) {
            self.late += differ;
            return;
        }
        self.unexplained.push(format!(
            "{} {} {}: {} instead of {}",
            object.resource,
            object.namespace,
            object.name,
            Value::Array(ours),
            Value::Array(recorded.to_vec())
        ));
    }
}
