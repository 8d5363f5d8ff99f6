//! What can go wrong with a snapshot, each with the way out.

use std::io;

use camino::{Utf8Path, Utf8PathBuf};
use thiserror::Error;

use crate::rows::RowError;

/// The result of working with a snapshot.
pub type Result<T> = std::result::Result<T, SnapshotError>;

/// Why a snapshot could not be written or read.
///
/// The causes are part of the text, since the hint must stay the last line.
#[derive(Debug, Error)]
pub enum SnapshotError {
    /// The file system refused.
    #[error("cannot {action} {path}: {cause}\nhint: {hint}")]
    Io {
        /// What was tried, a verb.
        action: &'static str,
        /// The file or folder.
        path: Utf8PathBuf,
        /// What the system said.
        cause: io::Error,
        /// The way out.
        hint: &'static str,
    },
    /// The folder to record into is in use.
    #[error(
        "the folder {dir} is not empty\nhint: record into another folder, or remove this one; if a recording died in it, `aiopslab snapshot salvage {dir}` finishes it"
    )]
    NotEmpty {
        /// The folder.
        dir: Utf8PathBuf,
    },
    /// The folder is no finished snapshot.
    #[error(
        "no manifest.json in {dir}\nhint: if a recording died here, `aiopslab snapshot salvage {dir}` finishes it"
    )]
    NoManifest {
        /// The folder.
        dir: Utf8PathBuf,
    },
    /// A finished snapshot needs no salvage.
    #[error(
        "{dir} has a manifest already\nhint: nothing needs salvage; `aiopslab snapshot verify {dir}` checks it"
    )]
    AlreadyFinished {
        /// The folder.
        dir: Utf8PathBuf,
    },
    /// The folder holds no recording.
    #[error(
        "nothing to salvage in {dir}: no .recording folder\nhint: name the folder that `aiopslab capture` was writing to"
    )]
    NothingToSalvage {
        /// The folder.
        dir: Utf8PathBuf,
    },
    /// The capture died before a recorder had started.
    #[error(
        "nothing to salvage in {dir}: the capture died before anything was recorded\nhint: remove the folder and capture again"
    )]
    NothingRecorded {
        /// The folder.
        dir: Utf8PathBuf,
    },
    /// The manifest is not ours to read.
    #[error(
        "{path} has format version {found}, this build reads {readable}\nhint: use a build of aiopslab that reads {found}"
    )]
    UnreadableVersion {
        /// The manifest.
        path: Utf8PathBuf,
        /// Its version.
        found: String,
        /// The versions that this build reads.
        readable: String,
    },
    /// A JSON document cannot be understood.
    #[error(
        "cannot parse {path}: {cause}\nhint: restore the file from where the snapshot came from"
    )]
    Json {
        /// The file.
        path: Utf8PathBuf,
        /// What the parser said.
        cause: serde_json::Error,
    },
    /// A file that the manifest lists is not there.
    #[error(
        "the file {path} is missing\nhint: copy the snapshot again; its manifest lists this file"
    )]
    MissingFile {
        /// The file.
        path: Utf8PathBuf,
    },
    /// The manifest does not list a table.
    #[error(
        "the manifest of {dir} does not list {file}\nhint: the snapshot is damaged; copy it again"
    )]
    NotListed {
        /// The snapshot.
        dir: Utf8PathBuf,
        /// The file of the table.
        file: &'static str,
    },
    /// A file is shorter or longer than it was.
    #[error(
        "the file {path} has {found} bytes, the manifest says {expected}\nhint: the file is truncated or was changed; copy the snapshot again"
    )]
    WrongSize {
        /// The file.
        path: Utf8PathBuf,
        /// Bytes by the manifest.
        expected: u64,
        /// Bytes on disk.
        found: u64,
    },
    /// A Parquet file cannot be read or written.
    #[error("cannot {action} {path}: {cause}\nhint: {hint}")]
    Parquet {
        /// What was tried, a verb.
        action: &'static str,
        /// The file.
        path: Utf8PathBuf,
        /// What the library said.
        cause: String,
        /// The way out.
        hint: &'static str,
    },
    /// A Parquet file has other columns than its table.
    #[error(
        "the columns of {path} are not those of {table}: {detail}\nhint: docs/formats/snapshot-v1.md lists them; the file was changed or written by another build"
    )]
    WrongSchema {
        /// The file.
        path: Utf8PathBuf,
        /// The table.
        table: &'static str,
        /// The first difference.
        detail: String,
    },
    /// A batch does not fit its table.
    #[error("cannot read the rows of {path}: {source}")]
    Rows {
        /// The file.
        path: Utf8PathBuf,
        /// What does not fit.
        source: RowError,
    },
    /// A recorder appended a batch that does not fit its table.
    #[error("a batch does not have the columns of {table}: {detail}")]
    WrongBatch {
        /// The table.
        table: &'static str,
        /// The first difference.
        detail: String,
    },
    /// What lies elsewhere can't be reached, or is not what it should be.
    #[error("cannot {action} {url}: {cause}\nhint: {hint}")]
    Remote {
        /// What was tried, a verb.
        action: &'static str,
        /// Where.
        url: String,
        /// What the store said, or what is wrong.
        cause: String,
        /// The way out.
        hint: &'static str,
    },
    /// A name that cannot be a file.
    #[error("the name {name:?} cannot be a document\nhint: use letters, digits, `-` and `_`")]
    BadName {
        /// The name.
        name: String,
    },
}

impl SnapshotError {
    pub(crate) fn io(action: &'static str, path: &Utf8Path, cause: io::Error) -> Self {
        let hint = match cause.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
                "free space on this disk; what was recorded is kept, and `aiopslab snapshot salvage` finishes it"
            }
            io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
                "choose a folder that this user may write to"
            }
            io::ErrorKind::NotFound => "check the path",
            _ => {
                "check the disk; what was recorded is kept, and `aiopslab snapshot salvage` finishes it"
            }
        };
        Self::Io {
            action,
            path: path.to_owned(),
            cause,
            hint,
        }
    }

    pub(crate) fn reading(path: &Utf8Path, cause: impl ToString) -> Self {
        Self::Parquet {
            action: "read",
            path: path.to_owned(),
            cause: cause.to_string(),
            hint: "the file is damaged; copy the snapshot again",
        }
    }

    pub(crate) fn writing(path: &Utf8Path, cause: impl ToString) -> Self {
        Self::Parquet {
            action: "write",
            path: path.to_owned(),
            cause: cause.to_string(),
            hint: "check space and permissions; what was recorded is kept, and `aiopslab snapshot salvage` finishes it",
        }
    }
}
