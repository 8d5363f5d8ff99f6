//! `remote.json`: where the files of a snapshot lie that its folder lacks.

use camino::Utf8Path;
use serde::{Deserialize, Serialize};

use super::place::Place;
use super::requests;
use crate::error::{Result, SnapshotError};
use crate::files;
use crate::manifest::FileEntry;
use crate::release::ReleaseFile;

const REMOTE_FILE: &str = "remote.json";

/// Where the files of a snapshot lie that its folder lacks.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Elsewhere {
    /// URL of the snapshot's folder.
    pub(super) url: String,
    /// Digest of its visible rows, where a release states it: without it all of them would be fetched to
    /// compute it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) logical_digest: Option<String>,
}

impl Elsewhere {
    /// Reads it out of a snapshot's folder; none: all files are there.
    pub(crate) fn read(dir: &Utf8Path) -> Result<Option<Self>> {
        let path = dir.join(REMOTE_FILE);
        match files::read_json(&path) {
            Err(SnapshotError::MissingFile { .. }) => Ok(None),
            value => serde_json::from_value(value?)
                .map(Some)
                .map_err(|cause| SnapshotError::Json { path, cause }),
        }
    }

    pub(super) fn write(&self, dir: &Utf8Path) -> Result<()> {
        let path = dir.join(REMOTE_FILE);
        let value = serde_json::to_value(self).map_err(|cause| SnapshotError::Json {
            path: path.clone(),
            cause,
        })?;
        files::write_json(&path, &value)
    }

    pub(super) fn place(&self) -> Result<Place> {
        Place::parse(&self.url)
    }

    /// Said to who would change the snapshot.
    pub(crate) fn is_only_read(&self) -> SnapshotError {
        SnapshotError::Remote {
            action: "change",
            url: self.url.clone(),
            cause: "what lies elsewhere is only read".to_owned(),
            hint: "`aiopslab release pull URL DIR` makes a copy of a release that can be changed",
        }
    }

    /// Said of a manifest that lists what is not in the snapshot's folder.
    pub(crate) fn is_outside(&self, name: &str) -> SnapshotError {
        SnapshotError::Remote {
            action: "use",
            url: self.url.clone(),
            cause: format!("its manifest lists {name:?}, which is no path within it"),
            hint: "ask whoever publishes it",
        }
    }

    /// Fetches a listed file whole, and waits for it.
    pub(crate) fn fetch(&self, name: &str, entry: &FileEntry, to: &Utf8Path) -> Result<()> {
        let (place, name, to) = (self.place()?, name.to_owned(), to.to_owned());
        let listed = listed(entry);
        requests::wait(async move { place.fetch(&name, &listed, &to, &|_| ()).await })
    }
}

/// What a snapshot's manifest knows of a file, without its rows.
pub(super) fn listed(entry: &FileEntry) -> ReleaseFile {
    ReleaseFile {
        bytes: entry.bytes,
        sha256: entry.sha256.clone(),
    }
}
