//! Small sources, written by the tests, and what becomes of them.

use std::collections::BTreeMap;

use camino::{Utf8Path, Utf8PathBuf};
use tempfile::TempDir;

use crate::import::{
    ImportError, ImportProgress, ImportRequest, Imported, ImportedSource, format, import,
};
use crate::rows::Row;
use crate::{Snapshot, verify};

/// Hears nothing.
pub(in crate::import) struct Quiet;

impl ImportProgress for Quiet {
    fn begins(&self, _: &str, _: usize, _: usize, _: u64) {}
    fn advanced(&self, _: u64, _: u64) {}
}

/// A folder with files.
pub(super) struct Source {
    dir: TempDir,
}

impl Source {
    pub(super) fn of(files: &[(&str, &str)]) -> Self {
        let files = files.iter();
        let files: Vec<_> = files
            .map(|(path, text)| (*path, text.as_bytes().to_vec()))
            .collect();
        Self::of_bytes(&files)
    }

    pub(super) fn of_bytes(files: &[(&str, Vec<u8>)]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        for (path, content) in files {
            let path = dir.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, content).unwrap();
        }
        Self { dir }
    }

    pub(super) fn path(&self) -> &Utf8Path {
        Utf8Path::from_path(self.dir.path()).unwrap()
    }

    /// Imports it; every snapshot is verified.
    pub(super) fn import(&self, name: &str) -> Taken {
        Taken::of(name, self.path(), "")
    }
}

/// Imported snapshots.
pub(super) struct Taken {
    _dir: TempDir,
    pub(super) out: Utf8PathBuf,
    pub(super) source: ImportedSource,
}

impl Taken {
    pub(super) fn of(name: &str, source: &Utf8Path, key: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let out = Utf8Path::from_path(dir.path()).unwrap().join("out");
        let request = ImportRequest {
            source: source.to_owned(),
            out: out.clone(),
            key: key.to_owned(),
            only: String::new(),
        };
        let unlabelled = |_: &Imported| Ok::<(), ImportError>(());
        let imported = import(format(name).unwrap(), &request, &Quiet, unlabelled).unwrap();
        for one in &imported.incidents {
            let snapshot = Snapshot::open(&one.dir).unwrap();
            let verified = verify::verify(&snapshot, false);
            assert!(verified.passed(), "{}: {verified:?}", one.dir);
            for (name, tally) in &one.report.rows {
                assert!(tally.adds_up(), "{}: {name}: {tally:?}", one.dir);
            }
            assert!(one.report.files.adds_up());
        }
        Self {
            _dir: dir,
            out,
            source: imported,
        }
    }

    pub(super) fn one(&self) -> &Imported {
        match self.source.incidents.as_slice() {
            [one] => one,
            many => panic!(
                "{} incidents, {:?} left out",
                many.len(),
                self.source.left_out
            ),
        }
    }

    /// Rows of a table of the only incident.
    pub(super) fn rows<R: Row>(&self) -> Vec<R> {
        Snapshot::open(&self.one().dir)
            .unwrap()
            .read_rows()
            .unwrap()
    }

    /// Defects of the only incident: name and count.
    pub(super) fn defects(&self) -> BTreeMap<&'static str, u64> {
        let defects = &self.one().report.defects;
        defects.iter().map(|one| (one.name, one.count)).collect()
    }

    /// Read, written, quarantined, outside.
    pub(super) fn tally(&self, kind: &str) -> [u64; 4] {
        let tally = &self.one().report.rows[kind];
        [tally.read, tally.written, tally.quarantined, tally.outside]
    }

    /// The lines of the quarantine.
    pub(super) fn quarantine(&self) -> Vec<serde_json::Value> {
        let path = self.one().dir.join("withheld/quarantine.jsonl.zst");
        let text = zstd::decode_all(std::fs::File::open(path).unwrap()).unwrap();
        let text = String::from_utf8(text).unwrap();
        text.lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }
}
