//! A file that is kept only if it is what it should be.

use std::fs::{self, File};
use std::io::Write;
use std::sync::atomic::{AtomicU64, Ordering};

use camino::{Utf8Path, Utf8PathBuf};
use sha2::{Digest, Sha256};

use crate::error::{Result, SnapshotError};
use crate::files;
use crate::release::ReleaseFile;

/// The end of the name that a file has until it is whole.
pub const PARTIAL: &str = ".partial";

/// A file under way. It gets its name when all of it has come and has the right digest.
pub struct CheckedFile {
    file: File,
    temporary: Utf8PathBuf,
    to: Utf8PathBuf,
    listed: ReleaseFile,
    source: String,
    bytes: u64,
    hash: Sha256,
}

impl CheckedFile {
    /// Begins the file `to`, of which the length and digest are listed; `source` is where it comes from.
    ///
    /// # Errors
    /// When it can't be created.
    pub fn create(to: &Utf8Path, listed: &ReleaseFile, source: &str) -> Result<Self> {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let (process, count) = (std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        // Two may fetch the same file at the same time.
        let temporary = Utf8PathBuf::from(format!("{to}.{process}-{count}{PARTIAL}"));
        Ok(Self {
            file: files::create(&temporary)?,
            temporary,
            to: to.to_owned(),
            listed: listed.clone(),
            source: source.to_owned(),
            bytes: 0,
            hash: Sha256::new(),
        })
    }

    /// Appends what came.
    ///
    /// # Errors
    /// When it can't be written, or is more than there should be.
    pub fn write(&mut self, chunk: &[u8]) -> Result<()> {
        self.bytes += chunk.len() as u64;
        if self.bytes > self.listed.bytes {
            return Err(self.changed(&format!("more than {} bytes came", self.listed.bytes)));
        }
        self.hash.update(chunk);
        self.file
            .write_all(chunk)
            .map_err(|cause| SnapshotError::io("write", &self.temporary, cause))
    }

    /// Gives the file its name.
    ///
    /// # Errors
    /// When it has not the listed length and digest, or can't be renamed.
    pub fn finish(mut self) -> Result<()> {
        if self.bytes != self.listed.bytes {
            return Err(self.changed(&format!(
                "{} bytes came instead of {}",
                self.bytes, self.listed.bytes
            )));
        }
        let found = files::hex(&std::mem::take(&mut self.hash).finalize());
        if found != self.listed.sha256 {
            return Err(self.changed(&format!(
                "its sha256 is {found} instead of {}",
                self.listed.sha256
            )));
        }
        self.file
            .sync_all()
            .map_err(|cause| SnapshotError::io("write", &self.temporary, cause))?;
        files::rename(&self.temporary, &self.to)
    }

    fn changed(&self, cause: &str) -> SnapshotError {
        SnapshotError::Remote {
            action: "use",
            url: self.source.clone(),
            cause: format!("it is not the file that is listed: {cause}"),
            hint: "the file was changed or sent in part; try again, then ask whoever publishes it",
        }
    }
}

impl Drop for CheckedFile {
    fn drop(&mut self) {
        // It is gone where it got its name.
        drop(fs::remove_file(&self.temporary));
    }
}

/// Whether a file is there and is what is listed.
///
/// # Errors
/// When it is there and can't be read.
pub fn is_here(path: &Utf8Path, listed: &ReleaseFile) -> Result<bool> {
    match ReleaseFile::measure(path) {
        Ok(found) => Ok(found == *listed),
        Err(SnapshotError::MissingFile { .. }) => Ok(false),
        Err(error) => Err(error),
    }
}
