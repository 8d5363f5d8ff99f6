//! Importers: what other tools collected, as snapshots. They read files and nothing else.
//!
//! Every importer hands back a [`Report`]: what it read is what it wrote and what it left out, each
//! with the reason.

pub mod support_bundle;

use camino::Utf8PathBuf;
use serde::Serialize;
use thiserror::Error;

use crate::error::SnapshotError;

pub use support_bundle::{SupportBundle, import_support_bundle};

/// Why nothing could be imported. What is wrong with a part of the source is in the [`Report`].
#[derive(Debug, Error)]
pub enum ImportError {
    /// The snapshot could not be written, or the source not be read.
    #[error(transparent)]
    Snapshot(#[from] SnapshotError),
    /// The folder is none of the kind that is imported.
    #[error("{dir} is no {what}: {missing} is not there\nhint: {hint}")]
    NotASource {
        /// The folder.
        dir: Utf8PathBuf,
        /// What it should be.
        what: &'static str,
        /// What such a folder has.
        missing: &'static str,
        /// The way out.
        hint: &'static str,
    },
    /// Nothing in the source says when it was collected.
    #[error(
        "nothing in {dir} says when it was collected\nhint: tell it with --at, e.g. --at 2026-01-31T12:00:00Z"
    )]
    NoMoment {
        /// The folder.
        dir: Utf8PathBuf,
    },
}

/// What became of everything that an importer read.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// The files of the source.
    pub files: Tally,
    /// The objects in them.
    pub objects: Tally,
    /// The container logs in them.
    pub logs: Tally,
}

/// Counts of one sort of thing: `read` is `written` and the length of `left_out` together.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Tally {
    /// How many there were.
    pub read: u64,
    /// How many are in the snapshot.
    pub written: u64,
    /// Those that are not.
    pub left_out: Vec<LeftOut>,
}

/// Something that is not in the snapshot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LeftOut {
    /// What it is: a file, or an object and its file.
    pub what: String,
    /// Why it was left out.
    pub reason: String,
}

impl Tally {
    fn wrote(&mut self) {
        self.read += 1;
        self.written += 1;
    }

    fn left_out(&mut self, what: impl Into<String>, reason: impl Into<String>) {
        self.read += 1;
        self.left_out.push(LeftOut {
            what: what.into(),
            reason: reason.into(),
        });
    }

    /// Whether nothing got lost on the way.
    #[must_use]
    pub fn adds_up(&self) -> bool {
        self.read == self.written + self.left_out.len() as u64
    }
}
