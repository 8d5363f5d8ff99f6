//! Importers: what other tools collected, as snapshots. They read files and nothing else.
//!
//! Data sets of incidents are read by one engine, which knows each by a file in `formats/`: what to
//! look for, which columns there are, in which units and zone, whose rows they are, and what is true.
//! Every importer hands back a [`Report`]: what it read is what it wrote, what it quarantined and
//! what it left out, each with the reason.

mod engine;
mod formats;
pub mod support_bundle;

use std::collections::BTreeMap;
use std::fmt::Display;

use camino::{Utf8Path, Utf8PathBuf};
use serde::Serialize;
use serde_json::json;
use thiserror::Error;

use crate::error::SnapshotError;
use crate::files;
use crate::manifest::Manifest;

use engine::{Engine, Outcome};

pub use engine::defects::{Defect, Treatment};
pub use engine::incident::ImportedTruth;
pub use formats::{FORMATS, Format, format};
pub use support_bundle::{Collector, SupportBundle, import_support_bundle};

/// The report of all incidents of a source, beside their snapshots.
const REPORT_FILE: &str = "import.json";

/// Hears how far an import has come.
pub trait ImportProgress: Sync {
    /// An incident begins: its number, of how many, and the bytes of its files.
    fn begins(&self, incident: &str, number: usize, of: usize, bytes: u64);
    /// So many more bytes and rows of its files are done.
    fn advanced(&self, bytes: u64, rows: u64);
}

/// What a source became.
#[derive(Debug)]
pub struct ImportedSource {
    /// A snapshot per incident.
    pub incidents: Vec<Imported>,
    /// Incidents that the source tells of and has not, then those of which nothing could be taken.
    pub left_out: Vec<LeftOut>,
}

/// An incident that is a snapshot now.
#[derive(Debug)]
pub struct Imported {
    /// The snapshot's folder.
    pub dir: Utf8PathBuf,
    /// Its manifest.
    pub manifest: Manifest,
    /// What became of everything that was read.
    pub report: Report,
    /// What the source says is true; it is for the caller to write.
    pub truth: Option<ImportedTruth>,
}

/// What to import.
#[derive(Debug, Clone)]
pub struct ImportRequest {
    /// The folder of the source, or its file where it is one.
    pub source: Utf8PathBuf,
    /// The folder for the snapshots.
    pub out: Utf8PathBuf,
    /// The key that opaque names are made with.
    pub key: String,
    /// Only incidents whose names contain this.
    pub only: String,
}

/// Writes every incident of a source as a snapshot: `OUT/NAME-1`, or `OUT` itself where the source is
/// one recording.
///
/// Names that a source gives away the fault by are replaced by ones made with the key. The same
/// source, key and build give the same bytes.
///
/// An incident that has nothing, or whose own files can't be read, is left out and costs no other.
/// `finished` gets each snapshot as soon as it is there, so that what ends the import later costs it
/// nothing; its error ends the import.
///
/// # Errors
/// When the source is none of the format, a snapshot can't be written, or every incident was left
/// out.
pub fn import<E: From<ImportError>>(
    format: &Format,
    request: &ImportRequest,
    progress: &dyn ImportProgress,
    mut finished: impl FnMut(&Imported) -> Result<(), E>,
) -> Result<ImportedSource, E> {
    let ImportRequest {
        source,
        out,
        key,
        only,
    } = request;
    let mut found = (format.find)(source, key)?;
    let source = found.root.as_deref().unwrap_or(source);
    let all = found.incidents.len();
    found.incidents.retain(|one| one.name.contains(only));
    let of = found.incidents.len();
    let told = found.left_out.len();
    let mut imported = ImportedSource {
        incidents: Vec::new(),
        left_out: found.left_out,
    };
    let engine = Engine {
        format: format.name,
        root: source,
        key,
        progress,
    };
    let mut numbers: BTreeMap<String, u32> = BTreeMap::new();
    for (index, mut incident) in found.incidents.into_iter().enumerate() {
        // Two of one name are told apart: the folder's number is the variant, which is 1.
        let number = numbers.entry(incident.name.clone()).or_default();
        *number += 1;
        if *number > 1 {
            incident.rename(&format!("{}-n{number}", incident.name));
        }
        let dir = match found.is_single {
            true => out.to_owned(),
            false => out.join(format!("{}-1", incident.name)),
        };
        let parts = incident.parts.iter();
        let bytes = parts.map(|part| size(&source.join(&part.path))).sum();
        progress.begins(&incident.name, index + 1, of, bytes);
        let what = incident.name.clone();
        match engine.run(incident, &dir)? {
            Outcome::Imported(one) => {
                finished(&one)?;
                imported.incidents.push(*one);
            }
            Outcome::LeftOut(reason) => imported.left_out.push(LeftOut { what, reason }),
        }
    }
    let report = match found.is_single {
        true => None,
        false => Some(write_report(out, &imported)?),
    };
    // Where no name contains the text, nothing was tried.
    if of > 0 || all == 0 {
        refuse_nothing(&imported, told, source, report)?;
    }
    Ok(imported)
}

/// Writes the reports of all incidents; hands back the file.
fn write_report(out: &Utf8Path, imported: &ImportedSource) -> Result<Utf8PathBuf, ImportError> {
    let reports: BTreeMap<&str, &Report> = imported
        .incidents
        .iter()
        .filter_map(|one| Some((one.dir.file_name()?, &one.report)))
        .collect();
    let report = json!({"incidents": reports, "left_out": imported.left_out});
    let path = out.join(REPORT_FILE);
    files::write_json(&path, &report)?;
    Ok(path)
}

/// An import that left out everything has failed. The first `told` were not there to be tried, so
/// that the reasons of the others say more.
fn refuse_nothing(
    imported: &ImportedSource,
    told: usize,
    source: &Utf8Path,
    report: Option<Utf8PathBuf>,
) -> Result<(), ImportError> {
    let left_out = &imported.left_out;
    match left_out.get(told).or_else(|| left_out.first()) {
        Some(first) if imported.incidents.is_empty() => Err(ImportError::Nothing {
            dir: source.to_owned(),
            left_out: left_out.len(),
            what: first.what.clone(),
            reason: first.reason.clone(),
            hint: match report {
                Some(path) => format!("{path} says why each was left out"),
                None => "check that its files are whole, and of this format".to_owned(),
            },
        }),
        _ => Ok(()),
    }
}

fn size(path: &Utf8Path) -> u64 {
    // A file that is not there is an error when it is read.
    std::fs::metadata(path).map_or(0, |file| file.len())
}

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
    /// Every incident was left out.
    #[error(
        "nothing in {dir} could be imported, {left_out} left out; the first is {what}: {reason}\nhint: {hint}"
    )]
    Nothing {
        /// The source.
        dir: Utf8PathBuf,
        /// How many incidents were left out.
        left_out: usize,
        /// The first of them.
        what: String,
        /// Why it was left out.
        reason: String,
        /// The way out.
        hint: String,
    },
    /// The labels of a source can't be understood.
    #[error("cannot understand {path}: {cause}\nhint: is it the file that the data set came with?")]
    Labels {
        /// The file.
        path: Utf8PathBuf,
        /// What is wrong.
        cause: String,
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

impl ImportError {
    fn labels(path: Utf8PathBuf, cause: &dyn Display) -> Self {
        Self::Labels {
            path,
            cause: cause.to_string(),
        }
    }
}

/// What became of everything that an importer read.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// The files of the source.
    pub files: Tally,
    /// The objects in them, where they hold objects.
    pub objects: Tally,
    /// The container logs in them, where each is a file.
    pub logs: Tally,
    /// The rows in them, by what they are.
    pub rows: BTreeMap<String, Tally>,
    /// What was wrong, by name.
    pub defects: Vec<Defect>,
    /// How many milliseconds the clock of the log lines is after that of the spans of the same
    /// traces (median); none: they have no traces in common.
    pub clock_skew_ms: Option<i64>,
    /// The files that were read, in order.
    pub sources: Vec<SourceFile>,
}

/// A file that was read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SourceFile {
    /// Its path below the source.
    pub path: String,
    /// Its length.
    pub bytes: u64,
    /// Its SHA-256.
    pub sha256: String,
    /// Its rows, without the header.
    pub rows: u64,
    /// Columns that have no place in a snapshot, or say again what others do.
    pub unused_columns: Vec<String>,
}

/// Counts of one sort of thing: `read` is the sum of the others.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Tally {
    /// How many there were.
    pub read: u64,
    /// How many are in the snapshot.
    pub written: u64,
    /// How many rows are in `withheld/quarantine.jsonl.zst`, each with the reason.
    pub quarantined: u64,
    /// How many rows are of another time, and so of another incident.
    pub outside: u64,
    /// Those that are not in the snapshot.
    pub left_out: Vec<LeftOut>,
}

/// Something that is not in the snapshot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LeftOut {
    /// What it is: a file, an object and its file, or an incident.
    pub what: String,
    /// Why it was left out.
    pub reason: String,
}

impl LeftOut {
    /// What was left out because of an error.
    fn because(what: impl Into<String>, cause: &dyn Display) -> Self {
        Self {
            what: what.into(),
            reason: one_line(cause),
        }
    }
}

/// What an error says, without its hint: a reason is one line.
fn one_line(cause: &dyn Display) -> String {
    let text = cause.to_string();
    let lines = text.lines().filter(|line| !line.starts_with("hint:"));
    lines.collect::<Vec<_>>().join(" ")
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
        self.read == self.written + self.quarantined + self.outside + self.left_out.len() as u64
    }
}
