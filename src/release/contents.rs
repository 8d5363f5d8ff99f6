//! What the snapshots of a release hold, as they tell themselves.

use std::collections::{BTreeMap, BTreeSet};

use aiopslab_datasets::manifest::State;
use aiopslab_datasets::release::{Release, SNAPSHOTS_FOLDER};
use aiopslab_datasets::schema::Table;
use aiopslab_datasets::writer::Visibility;
use aiopslab_datasets::{Manifest, Snapshot};
use camino::Utf8Path;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;

use crate::exit::Failure;

/// How much there is of a table.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub(super) struct Size {
    pub(super) rows: u64,
    pub(super) bytes: u64,
}

/// The sum of several snapshots.
#[derive(Debug, Clone, Default)]
pub(super) struct Contents {
    /// The visible part of every table that has rows.
    pub(super) tables: BTreeMap<Table, Size>,
    /// How many snapshots there are of each application.
    pub(super) applications: BTreeMap<String, usize>,
    /// The first moment of any snapshot, and the end of the last.
    pub(super) recorded: Option<(Timestamp, Timestamp)>,
    /// What was recorded, and by what, each with its version.
    pub(super) sources: BTreeSet<String>,
    /// How many snapshots are partial.
    pub(super) partial: usize,
    /// Rows that recorders lost.
    pub(super) lost: u64,
    /// The rules of redaction.
    pub(super) rules: BTreeSet<String>,
    /// How many values were replaced.
    pub(super) redacted: u64,
    /// What was wrong: one line for each kind of fault, with its number of snapshots. Of a release whose
    /// truth is held out, nothing.
    pub(super) faults: BTreeMap<Fault, usize>,
}

/// A kind of fault.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Fault {
    pub(super) family: String,
    pub(super) summary: String,
}

impl Contents {
    /// Of the snapshots in the folder of a release.
    pub(super) fn of(release: &Release, dir: &Utf8Path) -> Result<Self, Failure> {
        let mut contents = Self::default();
        for name in release.snapshots.keys() {
            let snapshot = Snapshot::open(&dir.join(SNAPSHOTS_FOLDER).join(name))?;
            contents.add(snapshot.manifest());
            if !release.about.held_out {
                contents.add_fault(&snapshot)?;
            }
        }
        Ok(contents)
    }

    /// Adds what a snapshot's manifest tells.
    pub(super) fn add(&mut self, manifest: &Manifest) {
        for table in Table::ALL {
            let file = Visibility::Visible.file(table);
            let entry = manifest.files.get(file.as_str());
            if let Some(entry) = entry.filter(|entry| entry.rows > 0) {
                let size = self.tables.entry(table).or_default();
                size.rows += entry.rows;
                size.bytes += entry.bytes;
            }
        }
        let application = manifest.application.clone();
        *self.applications.entry(application).or_default() += 1;
        let (from, to) = (manifest.observed.from, manifest.observed.to);
        self.recorded = Some(match self.recorded {
            Some((first, last)) => (first.min(from), last.max(to)),
            None => (from, to),
        });
        let versions = manifest.versions.iter();
        self.sources.extend(versions.map(|(name, told)| {
            let version = version(told).map(|version| format!("{name} {version}"));
            version.unwrap_or_else(|| name.clone())
        }));
        self.partial += usize::from(manifest.state == State::Partial);
        let recorders = manifest.recorders.values();
        self.lost += recorders.map(|counts| counts.lost).sum::<u64>();
        self.rules.extend(manifest.redaction.rules.iter().cloned());
        self.redacted += manifest.redaction.values;
    }

    fn add_fault(&mut self, snapshot: &Snapshot) -> Result<(), Failure> {
        if let Some(truth) = snapshot.find_withheld_json("truth")? {
            let text = |key: &str| truth[key].as_str().unwrap_or_default().to_owned();
            let fault = Fault {
                family: text("family"),
                summary: text("summary"),
            };
            *self.faults.entry(fault).or_default() += 1;
        }
        Ok(())
    }

    /// How many rows there are.
    pub(super) fn rows(&self) -> u64 {
        self.tables.values().map(|size| size.rows).sum()
    }
}

/// The version in what a source says of itself: our own, that of an API server, that of a Prometheus.
fn version(told: &Value) -> Option<&str> {
    let places = ["", "/gitVersion", "/buildinfo/version"];
    let mut found = places.iter().filter_map(|place| told.pointer(place));
    found.find_map(Value::as_str)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_source_says_its_version_in_its_own_way() {
        assert_eq!(version(&json!("0.1.0")), Some("0.1.0"));
        let cluster = json!({"gitVersion": "v1.34.4", "major": "1"});
        assert_eq!(version(&cluster), Some("v1.34.4"));
        let prometheus = json!({"buildinfo": {"version": "3.5.0"}});
        assert_eq!(version(&prometheus), Some("3.5.0"));
        assert_eq!(version(&json!({"services": []})), None);
    }
}
