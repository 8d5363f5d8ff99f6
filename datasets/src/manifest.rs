//! `manifest.json`: what a snapshot is made of. It tells nothing about the fault.

use std::collections::BTreeMap;
use std::fmt;

use camino::Utf8Path;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::error::{Result, SnapshotError};
use crate::files;
use crate::rows::Coverage;

/// Name of the manifest within a snapshot.
pub const MANIFEST_FILE: &str = "manifest.json";

/// Version of the snapshot format.
///
/// Changes: `1-draft`, the first one; `1`, frozen: the same tables, with what is in `withheld/` listed there and no
/// longer in the manifest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FormatVersion(String);

impl FormatVersion {
    /// The versions that this build reads.
    pub const READABLE: [&'static str; 2] = ["1", "1-draft"];

    /// The version that this build writes.
    #[must_use]
    pub fn current() -> Self {
        Self(Self::READABLE[0].to_owned())
    }

    /// Checks that this build can read the version that the file at `path` names.
    ///
    /// # Errors
    /// When it is another version, e.g. of a later build.
    pub fn check_readable_by(&self, path: &Utf8Path) -> Result<()> {
        if Self::READABLE.contains(&self.0.as_str()) {
            return Ok(());
        }
        Err(SnapshotError::UnreadableVersion {
            path: path.to_owned(),
            found: self.0.clone(),
            readable: Self::READABLE.join(", "),
        })
    }
}

impl fmt::Display for FormatVersion {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// Name of a snapshot that tells nothing about what is in it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct SnapshotId(String);

impl SnapshotId {
    /// The first 16 hexadecimal digits of the SHA-256 of a seed.
    #[must_use]
    pub fn from_seed(seed: &str) -> Self {
        let mut digits = files::hex(&Sha256::digest(seed.as_bytes()));
        digits.truncate(16);
        Self(digits)
    }

    /// The digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for SnapshotId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// Whether the recording ended as it should.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// Finished, and no recorder lost anything.
    Complete,
    /// Salvaged, or a recorder lost something; coverage tells what is missing.
    Partial,
}

/// A span of time, half-open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Observed {
    /// Its first moment.
    pub from: Timestamp,
    /// Its end.
    pub to: Timestamp,
}

/// What the manifest knows of a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileEntry {
    /// Rows of a Parquet file, 0 for a JSON document.
    pub rows: u64,
    /// Length.
    pub bytes: u64,
    /// SHA-256 in hexadecimal.
    pub sha256: String,
}

/// What a recorder did with what it saw; `offered` is the sum of the others.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecorderCounts {
    /// Rows that its source offered.
    pub offered: u64,
    /// Rows written as they were.
    pub written: u64,
    /// Rows written with something redacted.
    pub redacted: u64,
    /// Rows written to `withheld/`.
    pub withheld: u64,
    /// Rows lost.
    pub lost: u64,
}

/// What was redacted, so that a reader knows what is not the cluster's own.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Redaction {
    /// The rules that were applied, in words.
    pub rules: Vec<String>,
    /// How many values were replaced.
    pub values: u64,
}

/// `manifest.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// Version of the format.
    pub format_version: FormatVersion,
    /// Opaque id.
    pub snapshot: SnapshotId,
    /// Name of the application.
    pub application: String,
    /// The application's namespaces.
    pub namespaces: Vec<String>,
    /// The label that names a pod's service.
    pub service_label: String,
    /// Versions of everything recorded: cluster, Prometheus, Jaeger, the recorder.
    pub versions: BTreeMap<String, Value>,
    /// Clocks against the recorder's.
    pub clock_offsets: BTreeMap<String, Value>,
    /// What the recording covers.
    pub observed: Observed,
    /// Where the default replay clock stands.
    pub end: Timestamp,
    /// Whether it is complete.
    pub state: State,
    /// Visible files by their path.
    pub files: BTreeMap<String, FileEntry>,
    /// Files below `withheld/` in snapshots recorded before [`WITHHELD_FILES`] listed them: how
    /// many rows are hidden tells of the fault.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) withheld_files: BTreeMap<String, FileEntry>,
    /// What was redacted.
    pub redaction: Redaction,
    /// What each recorder did.
    pub recorders: BTreeMap<String, RecorderCounts>,
    /// Rates, scrape intervals and the like.
    pub settings: Value,
}

/// The document in `withheld/` that lists the other files there, by path.
pub const WITHHELD_FILES: &str = "files";
/// Its path within a snapshot.
pub(crate) const WITHHELD_LIST: &str = "withheld/files.json";

/// What a capture knows of a manifest; the writer adds the rest.
///
/// A capture notes it as `manifest` early on, so that salvage has it.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct ManifestDraft {
    /// What the snapshot id is made from; it cannot be recovered from the id.
    pub seed: String,
    /// Name of the application.
    pub application: String,
    /// The application's namespaces.
    pub namespaces: Vec<String>,
    /// The label that names a pod's service.
    pub service_label: String,
    /// Versions of everything recorded.
    pub versions: BTreeMap<String, Value>,
    /// Clocks against the recorder's.
    pub clock_offsets: BTreeMap<String, Value>,
    /// What the recording covers; none: from the earliest to the latest recorded moment.
    pub observed: Option<Observed>,
    /// Where the default replay clock stands; none: at the end of what is covered.
    pub end: Option<Timestamp>,
    /// What recorders cover since when, as far as they have got: salvage has nothing else to tell
    /// "nothing there" from "not looked". Their ends are not known yet.
    pub begun: Vec<Coverage>,
    /// What was redacted.
    pub redaction: Redaction,
    /// What each recorder did.
    pub recorders: BTreeMap<String, RecorderCounts>,
    /// Rates, scrape intervals and the like.
    pub settings: Value,
}

impl Manifest {
    /// Reads a snapshot's manifest; the version is checked before anything else is read.
    pub(crate) fn read(dir: &Utf8Path) -> Result<Self> {
        let path = dir.join(MANIFEST_FILE);
        let value = match files::read_json(&path) {
            Err(SnapshotError::MissingFile { .. }) => {
                return Err(SnapshotError::NoManifest {
                    dir: dir.to_owned(),
                });
            }
            other => other?,
        };
        let json = |cause| SnapshotError::Json {
            path: path.clone(),
            cause,
        };
        let version = value.get("format_version").cloned().unwrap_or(Value::Null);
        let version: FormatVersion = serde_json::from_value(version).map_err(json)?;
        version.check_readable_by(&path)?;
        serde_json::from_value(value).map_err(json)
    }

    /// Whether it lists what is withheld, as older ones do.
    pub(crate) fn lists_withheld(&self) -> bool {
        !self.withheld_files.is_empty()
    }

    /// Writes the manifest, under a temporary name first.
    pub(crate) fn write(&self, dir: &Utf8Path) -> Result<()> {
        let path = dir.join(MANIFEST_FILE);
        let value = serde_json::to_value(self).map_err(|cause| SnapshotError::Json {
            path: path.clone(),
            cause,
        })?;
        files::write_json(&path, &value)
    }
}
