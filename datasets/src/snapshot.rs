//! Reading a snapshot.

use std::collections::BTreeMap;
use std::fs::File;

use arrow::array::RecordBatch;
use camino::{Utf8Path, Utf8PathBuf};
use parquet::arrow::arrow_reader::{ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder};
use serde_json::Value;

use crate::error::{Result, SnapshotError};
use crate::files;
use crate::manifest::{FileEntry, Manifest, WITHHELD_FILES, WITHHELD_LIST};
use crate::probes::{self, PROBES_FILE, Probe};
use crate::release::manifest::is_within;
use crate::remote::Elsewhere;
use crate::rows::Row;
use crate::schema::{self, Table};
use crate::writer::{Visibility, WITHHELD, document};

mod digest;

/// A finished snapshot whose files are all there and have the right columns, or lie elsewhere.
#[derive(Debug, Clone)]
pub struct Snapshot {
    dir: Utf8PathBuf,
    manifest: Manifest,
    /// Files below `withheld/` by their path; none where that was left out.
    withheld: BTreeMap<String, FileEntry>,
    /// Where the files lie that the folder lacks; none: it lacks none.
    elsewhere: Option<Elsewhere>,
}

impl Snapshot {
    /// Opens a snapshot: checks the format version, then every listed file's presence, size and
    /// columns. Checksums are left to [`verify`](crate::verify::verify).
    ///
    /// Of a snapshot that lies elsewhere only the files that were fetched are looked at.
    ///
    /// # Errors
    /// When the folder is no snapshot of this version or a file is missing or damaged.
    pub fn open(dir: &Utf8Path) -> Result<Self> {
        let mut manifest = Manifest::read(dir)?;
        let withheld = withheld_files(dir, &mut manifest)?;
        let elsewhere = Elsewhere::read(dir)?;
        let dir = match elsewhere {
            // Its files are known by their paths, which one folder must not have two of.
            Some(_) => dir
                .canonicalize_utf8()
                .map_err(|cause| SnapshotError::io("look at", dir, cause))?,
            None => dir.to_owned(),
        };
        let snapshot = Self {
            dir,
            manifest,
            withheld,
            elsewhere,
        };
        for visibility in Visibility::ALL {
            if visibility == Visibility::Withheld && !snapshot.has_withheld() {
                continue;
            }
            snapshot.check_sizes(visibility)?;
            for table in Table::ALL {
                snapshot.check_listed(visibility, table)?;
                if !snapshot.lacks(visibility.file(table)) {
                    snapshot.check_table(visibility, table)?;
                }
            }
        }
        Ok(snapshot)
    }

    /// What the snapshot is made of.
    #[must_use]
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// The snapshot's folder.
    #[must_use]
    pub fn dir(&self) -> &Utf8Path {
        &self.dir
    }

    /// The file with a table's visible rows, which [`FilesElsewhere`](crate::remote::FilesElsewhere) reads
    /// where it is not there.
    #[must_use]
    pub fn path(&self, table: Table) -> Utf8PathBuf {
        self.dir.join(Visibility::Visible.file(table))
    }

    /// The file with a table's withheld rows, likewise.
    #[must_use]
    pub fn withheld_path(&self, table: Table) -> Utf8PathBuf {
        self.dir.join(Visibility::Withheld.file(table))
    }

    /// The size of the file with a table's visible rows.
    #[must_use]
    pub fn bytes(&self, table: Table) -> u64 {
        let file = Visibility::Visible.file(table);
        let listed = self.manifest.files.get(file.as_str());
        listed.map_or(0, |entry| entry.bytes)
    }

    /// Whether `withheld/` is there; a published held-out snapshot lacks it.
    #[must_use]
    pub fn has_withheld(&self) -> bool {
        self.dir.join(WITHHELD).is_dir()
    }

    /// Reads all visible rows of a table, in the table's order.
    ///
    /// # Errors
    /// When the file is damaged.
    pub fn read_rows<R: Row>(&self) -> Result<Vec<R>> {
        self.rows(Visibility::Visible)
    }

    /// Reads all withheld rows of a table, in the table's order.
    ///
    /// # Errors
    /// When `withheld/` is not there or the file is damaged.
    pub fn read_withheld_rows<R: Row>(&self) -> Result<Vec<R>> {
        self.rows(Visibility::Withheld)
    }

    /// Reads `withheld/NAME.json`.
    ///
    /// # Errors
    /// When it is not there or no JSON.
    pub fn withheld_json(&self, name: &str) -> Result<Value> {
        let path = Utf8Path::new(WITHHELD).join(format!("{name}.json"));
        files::read_json(&self.fetched(Visibility::Withheld, &path)?)
    }

    /// Reads `withheld/NAME.json`, if it is there.
    ///
    /// # Errors
    /// When it is no JSON.
    pub fn find_withheld_json(&self, name: &str) -> Result<Option<Value>> {
        match self.withheld_json(name) {
            Ok(value) => Ok(Some(value)),
            Err(SnapshotError::MissingFile { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Writes documents below `withheld/`, over those of the same names, and lists them.
    ///
    /// Nothing visible changes, nor does the logical digest.
    ///
    /// # Errors
    /// When `withheld/` is not there, a name is no file name, or a document can't be written.
    pub fn write_withheld_json(&mut self, documents: &[(&str, Value)]) -> Result<()> {
        let folder = self.dir.join(WITHHELD);
        if let Some(elsewhere) = &self.elsewhere {
            return Err(elsewhere.is_only_read());
        }
        if !self.has_withheld() {
            return Err(SnapshotError::MissingFile { path: folder });
        }
        for (name, value) in documents {
            let path = Utf8Path::new(WITHHELD).join(document(name)?);
            files::write_json(&self.dir.join(&path), value)?;
            let (bytes, sha256) = files::measure(&self.dir.join(&path))?;
            let rows = 0;
            let entry = FileEntry {
                rows,
                bytes,
                sha256,
            };
            self.withheld.insert(path.into_string(), entry);
        }
        let path = folder.join(document(WITHHELD_FILES)?);
        let listed = serde_json::to_value(&self.withheld).map_err(|cause| SnapshotError::Json {
            path: path.clone(),
            cause,
        })?;
        files::write_json(&path, &listed)
    }

    /// Reads the probes of the live system; none: the capture asked nothing, or `withheld/` is not
    /// there.
    ///
    /// # Errors
    /// When the document is damaged.
    pub fn probes(&self) -> Result<Option<Vec<Probe>>> {
        let file = Utf8Path::new(WITHHELD).join(PROBES_FILE);
        self.fetched(Visibility::Withheld, &file)?;
        probes::read(&self.dir)
    }

    /// Reads a table batch by batch.
    ///
    /// # Errors
    /// When the file is missing or damaged; so may every batch be.
    pub fn batches(
        &self,
        visibility: Visibility,
        table: Table,
    ) -> Result<impl Iterator<Item = Result<RecordBatch>> + use<>> {
        let path = self.fetched(visibility, &visibility.file(table))?;
        let reader = reader(&path)?
            .build()
            .map_err(|cause| SnapshotError::reading(&path, cause))?;
        Ok(Batches { path, reader })
    }

    /// SHA-256 over the visible rows in order, whatever they are encoded in; of a snapshot that lies
    /// elsewhere, what its release says.
    ///
    /// # Errors
    /// When a file is damaged.
    pub fn logical_digest(&self) -> Result<String> {
        let said = self.elsewhere.as_ref();
        match said.and_then(|elsewhere| elsewhere.logical_digest.clone()) {
            Some(digest) => Ok(digest),
            None => self.computed_digest(),
        }
    }

    /// The same, computed in any case.
    pub(crate) fn computed_digest(&self) -> Result<String> {
        digest::digest(self)
    }

    fn rows<R: Row>(&self, visibility: Visibility) -> Result<Vec<R>> {
        let mut rows = Vec::new();
        for batch in self.batches(visibility, R::TABLE)? {
            rows.extend(
                R::from_batch(&batch?).map_err(|source| SnapshotError::Rows {
                    path: self.dir.join(visibility.file(R::TABLE)),
                    source,
                })?,
            );
        }
        Ok(rows)
    }

    pub(crate) fn listed(&self, visibility: Visibility) -> &BTreeMap<String, FileEntry> {
        match visibility {
            Visibility::Visible => &self.manifest.files,
            Visibility::Withheld => &self.withheld,
        }
    }

    pub(crate) fn elsewhere(&self) -> Option<&Elsewhere> {
        self.elsewhere.as_ref()
    }

    /// The path of a file of the snapshot, which is fetched first where it lies elsewhere.
    pub(crate) fn fetched(&self, visibility: Visibility, file: &Utf8Path) -> Result<Utf8PathBuf> {
        let path = self.dir.join(file);
        let listed = self.listed(visibility).get(file.as_str());
        if let (Some(elsewhere), Some(entry)) = (&self.elsewhere, listed)
            && !path.exists()
        {
            elsewhere.fetch(file.as_str(), entry, &path)?;
        }
        Ok(path)
    }

    /// Whether a file has yet to be fetched.
    fn lacks(&self, file: impl AsRef<Utf8Path>) -> bool {
        self.elsewhere.is_some() && !self.dir.join(file).exists()
    }

    fn check_sizes(&self, visibility: Visibility) -> Result<()> {
        for (name, entry) in self.listed(visibility) {
            if let Some(elsewhere) = self.elsewhere.as_ref().filter(|_| !is_within(name)) {
                return Err(elsewhere.is_outside(name));
            }
            if self.lacks(name) {
                continue;
            }
            let path = self.dir.join(name);
            let found = files::open(&path)?
                .metadata()
                .map_err(|cause| SnapshotError::io("look at", &path, cause))?
                .len();
            if found != entry.bytes {
                return Err(SnapshotError::WrongSize {
                    path,
                    expected: entry.bytes,
                    found,
                });
            }
        }
        Ok(())
    }

    fn check_listed(&self, visibility: Visibility, table: Table) -> Result<()> {
        let file = visibility.file(table);
        if !self.listed(visibility).contains_key(file.as_str()) {
            return Err(SnapshotError::NotListed {
                dir: self.dir.clone(),
                file: table.file(),
            });
        }
        Ok(())
    }

    pub(crate) fn check_table(&self, visibility: Visibility, table: Table) -> Result<()> {
        let path = self.fetched(visibility, &visibility.file(table))?;
        let found = reader(&path)?;
        match schema::difference(&table.schema(), found.schema()) {
            None => Ok(()),
            Some(detail) => Err(SnapshotError::WrongSchema {
                path,
                table: table.name(),
                detail,
            }),
        }
    }
}

/// What is withheld, from its own list or, in older snapshots, from the manifest.
fn withheld_files(dir: &Utf8Path, manifest: &mut Manifest) -> Result<BTreeMap<String, FileEntry>> {
    let listed = std::mem::take(&mut manifest.withheld_files);
    let path = dir.join(WITHHELD_LIST);
    match files::read_json(&path) {
        Err(SnapshotError::MissingFile { .. }) => Ok(listed),
        value => {
            serde_json::from_value(value?).map_err(|cause| SnapshotError::Json { path, cause })
        }
    }
}

fn reader(path: &Utf8Path) -> Result<ParquetRecordBatchReaderBuilder<File>> {
    ParquetRecordBatchReaderBuilder::try_new(files::open(path)?)
        .map(|builder| builder.with_batch_size(8_192))
        .map_err(|cause| SnapshotError::reading(path, cause))
}

struct Batches {
    path: Utf8PathBuf,
    reader: ParquetRecordBatchReader,
}

impl Iterator for Batches {
    type Item = Result<RecordBatch>;

    fn next(&mut self) -> Option<Self::Item> {
        let batch = self.reader.next()?;
        Some(batch.map_err(|cause| SnapshotError::reading(&self.path, cause)))
    }
}

#[cfg(test)]
mod tests;
