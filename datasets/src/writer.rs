//! Recording into a snapshot folder, and finishing it.
//!
//! While recording, every table is an append-only Arrow IPC stream under `.recording/`; each batch
//! reaches the file in one write, so a killed recorder loses at most the batch it was writing.
//! [`SnapshotWriter::finish`] sorts the tables in bounded memory, writes them as Parquet and the
//! manifest last; [`salvage`] does the same for a folder whose recorder died. Until the manifest
//! is there, `.recording/` is kept, so both can be repeated.

mod finish;
mod intervals;
mod numbering;
mod parquet_file;
mod segment;
mod sort;

use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use arrow::array::RecordBatch;
use camino::{Utf8Path, Utf8PathBuf};
use jiff::Timestamp;
use serde_json::Value;

use crate::error::{Result, SnapshotError};
use crate::files;
use crate::manifest::{MANIFEST_FILE, Manifest, ManifestDraft, Observed, RecorderCounts, State};
use crate::probes::{self, Probe};
use crate::rows::Row;
use crate::schema::Table;

use segment::SegmentWriter;

/// Folder of a recording in progress.
const RECORDING: &str = ".recording";
/// Folder below it with JSON documents.
const NOTES: &str = "notes";
/// The note with the manifest's draft.
pub const DRAFT_NOTE: &str = "manifest";
/// Folder with what an agent must not see.
pub const WITHHELD: &str = "withheld";
/// The document below it with the rows of an import that are in no table.
pub(crate) const QUARANTINE_FILE: &str = "quarantine.jsonl.zst";
/// How long a recorder may hold a row back before it appends it.
pub const HELD_BACK: Duration = Duration::from_millis(500);
/// Rows per batch of an append-only stream.
const ROWS_PER_BATCH: usize = 16_384;

/// Who may see a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Visibility {
    /// Everybody.
    Visible,
    /// Only the harness; the row goes below `withheld/`.
    Withheld,
}

impl Visibility {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Visible, Self::Withheld];

    /// Path of a table's file below the snapshot's root.
    #[must_use]
    pub fn file(self, table: Table) -> Utf8PathBuf {
        match self {
            Self::Visible => Utf8PathBuf::from(table.file()),
            Self::Withheld => Utf8Path::new(WITHHELD).join(table.file()),
        }
    }

    fn folder(self) -> &'static str {
        match self {
            Self::Visible => "visible",
            Self::Withheld => "withheld",
        }
    }
}

/// The order of the log lines of an instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum LineOrder {
    /// As they were numbered.
    AsNumbered,
    /// By their times.
    ByTime,
}

/// Records into a snapshot folder; may be shared between threads.
pub struct SnapshotWriter {
    dir: Utf8PathBuf,
    segments: Vec<(Visibility, Table, Mutex<SegmentWriter>)>,
    documents: Mutex<()>,
}

impl fmt::Debug for SnapshotWriter {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("SnapshotWriter")
            .field("dir", &self.dir)
            .finish_non_exhaustive()
    }
}

impl SnapshotWriter {
    /// Starts a recording in a folder that is new or empty.
    ///
    /// # Errors
    /// When the folder is not empty or cannot be written to.
    pub fn create(dir: &Utf8Path) -> Result<Self> {
        if !files::list(dir)?.is_empty() {
            return Err(SnapshotError::NotEmpty {
                dir: dir.to_owned(),
            });
        }
        files::create_folder(&dir.join(RECORDING).join(NOTES))?;
        let mut segments = Vec::new();
        for visibility in Visibility::ALL {
            for table in Table::ALL {
                let writer = SegmentWriter::new(table, segment_path(dir, visibility, table));
                segments.push((visibility, table, Mutex::new(writer)));
            }
        }
        Ok(Self {
            dir: dir.to_owned(),
            segments,
            documents: Mutex::new(()),
        })
    }

    /// The snapshot's folder.
    #[must_use]
    pub fn dir(&self) -> &Utf8Path {
        &self.dir
    }

    /// The folder for files that are needed until the recording is finished, and go with it.
    pub(crate) fn scratch(&self) -> Utf8PathBuf {
        self.dir.join(RECORDING)
    }

    /// Appends a batch with the table's schema.
    ///
    /// # Errors
    /// When the batch has other columns or cannot be written; what was written before is kept.
    pub fn append(&self, visibility: Visibility, table: Table, batch: &RecordBatch) -> Result<()> {
        let found = self
            .segments
            .iter()
            .find(|(seen, of, _)| *seen == visibility && *of == table);
        // There is a segment for every pair.
        let Some((_, _, segment)) = found else {
            return Ok(());
        };
        lock(segment).append(batch)
    }

    /// Appends rows; each table is one stream, shared by all recorders.
    ///
    /// # Errors
    /// When they cannot be written; what was written before is kept.
    pub fn append_rows<R: Row>(&self, visibility: Visibility, rows: &[R]) -> Result<()> {
        for rows in rows.chunks(ROWS_PER_BATCH) {
            self.append(visibility, R::TABLE, &R::to_batch(rows))?;
        }
        Ok(())
    }

    /// Writes, or replaces, a JSON document that must survive a crash.
    ///
    /// The document named [`DRAFT_NOTE`] is a [`ManifestDraft`] for salvage; every other one
    /// becomes `withheld/NAME.json` when the recording is finished or salvaged, unless
    /// [`Self::write_withheld_json`] wrote that.
    ///
    /// # Errors
    /// When the name is no file name or the document cannot be written.
    pub fn note(&self, name: &str, value: &Value) -> Result<()> {
        let path = self.dir.join(RECORDING).join(NOTES).join(document(name)?);
        let _guard = lock(&self.documents);
        files::write_json(&path, value)
    }

    /// Writes `withheld/NAME.json`.
    ///
    /// # Errors
    /// When the name is no file name or the document cannot be written.
    pub fn write_withheld_json(&self, name: &str, value: &Value) -> Result<()> {
        let path = self.dir.join(WITHHELD).join(document(name)?);
        let _guard = lock(&self.documents);
        files::write_json(&path, value)
    }

    /// Writes the probes of the live system below `withheld/`.
    ///
    /// # Errors
    /// When the document cannot be written.
    pub fn write_probes(&self, probes: &[Probe]) -> Result<()> {
        let _guard = lock(&self.documents);
        probes::write(&self.dir, probes)
    }

    /// Sorts everything into Parquet files and writes the manifest.
    ///
    /// The state is complete unless a recorder lost something.
    ///
    /// # Errors
    /// When a file cannot be written; the recording is kept for [`salvage`].
    pub fn finish(self, draft: ManifestDraft) -> Result<Manifest> {
        let state = state(&draft);
        self.finish_with(draft, state, LineOrder::AsNumbered)
    }

    /// Finishes what was put together from files whose log lines are not in the order of their
    /// times: lines are numbered anew within their instance, by their times and then by the numbers
    /// that they were given.
    pub(crate) fn finish_by_time(self, draft: ManifestDraft) -> Result<Manifest> {
        let state = state(&draft);
        self.finish_with(draft, state, LineOrder::ByTime)
    }

    /// Finishes a copy of another snapshot, which is as complete as that one.
    pub(crate) fn finish_copy(self, draft: ManifestDraft, state: State) -> Result<Manifest> {
        self.finish_with(draft, state, LineOrder::AsNumbered)
    }

    fn finish_with(self, draft: ManifestDraft, state: State, order: LineOrder) -> Result<Manifest> {
        for (_, _, segment) in self.segments {
            segment
                .into_inner()
                .unwrap_or_else(PoisonError::into_inner)
                .close()?;
        }
        finish::finish(&self.dir, draft, state, order)
    }
}

/// Complete, unless a recorder lost something.
fn state(draft: &ManifestDraft) -> State {
    let lost = |counts: &RecorderCounts| counts.lost > 0;
    match draft.recorders.values().any(lost) {
        true => State::Partial,
        false => State::Complete,
    }
}

/// Finishes the recording of a capture that died, as a partial snapshot.
///
/// A batch that was being written when it died is left out. The draft is the last one noted; what
/// the recording covers is taken from its rows where the draft does not tell.
///
/// # Errors
/// When there is a manifest already, nothing was recorded, or a file cannot be written.
pub fn salvage(dir: &Utf8Path) -> Result<Manifest> {
    if dir.join(MANIFEST_FILE).exists() {
        return Err(SnapshotError::AlreadyFinished {
            dir: dir.to_owned(),
        });
    }
    if !dir.join(RECORDING).is_dir() {
        return Err(SnapshotError::NothingToSalvage {
            dir: dir.to_owned(),
        });
    }
    let path = dir.join(RECORDING).join(NOTES).join(document(DRAFT_NOTE)?);
    let mut draft = match files::read_json(&path) {
        Err(SnapshotError::MissingFile { .. }) => ManifestDraft::default(),
        value => serde_json::from_value(value?).map_err(|cause| SnapshotError::Json {
            path: path.clone(),
            cause,
        })?,
    };
    let latest = finish::latest(dir)?;
    if draft.observed.is_none() && latest.is_none() {
        return Err(SnapshotError::NothingRecorded {
            dir: dir.to_owned(),
        });
    }
    let covered = finish::covered(dir)?;
    // A draft tells where the clock was to stand, not how far the recording came.
    draft.end = draft
        .end
        .filter(|end| covered.is_some_and(|until| *end <= until));
    if let Some(observed) = draft.observed.take() {
        // What another recorder held back at the last moment is lost.
        let held_back = |latest: Timestamp| latest.checked_sub(2 * HELD_BACK).ok();
        let until = covered.or(latest.and_then(held_back));
        draft.observed = Some(Observed {
            from: observed.from,
            to: until.unwrap_or(observed.from).max(observed.from),
        });
    }
    if covered.is_none() {
        finish::cover_what_is_there(dir, draft.observed, std::mem::take(&mut draft.begun))?;
    }
    finish::finish(dir, draft, State::Partial, LineOrder::AsNumbered)
}

fn segment_path(dir: &Utf8Path, visibility: Visibility, table: Table) -> Utf8PathBuf {
    dir.join(RECORDING)
        .join(visibility.folder())
        .join(format!("{}.arrows", table.name()))
}

pub(crate) fn document(name: &str) -> Result<String> {
    let allowed = |letter: char| letter.is_ascii_alphanumeric() || letter == '-' || letter == '_';
    if name.is_empty() || !name.chars().all(allowed) {
        return Err(SnapshotError::BadName {
            name: name.to_owned(),
        });
    }
    Ok(format!("{name}.json"))
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // A segment repairs itself after a failed write, so a poisoned one is still good.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
pub(crate) mod tests;
