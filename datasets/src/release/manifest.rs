//! `release.json`: every file of a release with its digest, and what its snapshots are.

use std::collections::BTreeMap;

use camino::Utf8Path;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::error::{ReleaseError, Result};
use crate::error::SnapshotError;
use crate::files;

/// Name of the manifest within a release; it is written last.
pub const RELEASE_FILE: &str = "release.json";
/// Name of the manifest's signature, as the tool `minisign` names it.
pub const SIGNATURE_FILE: &str = "release.json.minisig";
/// The folder with a folder per snapshot.
pub const SNAPSHOTS_FOLDER: &str = "snapshots";
/// The folder with the files of the catalog that the problems need.
pub const CATALOG_FOLDER: &str = "catalog";
/// The folder with what is encrypted.
pub(super) const SEALED_FOLDER: &str = "sealed";

/// Version of the release format.
///
/// Changes: `1`, the first one.
pub(super) const FORMAT_VERSION: &str = "1";
/// What stands in the manifest for its own digest while that is computed.
const NO_DIGEST: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// What a release is made of.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Release {
    /// Version of this format: `1`.
    pub format_version: String,
    /// What its builder says of it; keys of the manifest like the others.
    #[serde(flatten)]
    pub about: About,
    /// Its snapshots by the names of their folders below `snapshots/`.
    pub snapshots: BTreeMap<String, ReleaseEntry>,
    /// Every file of the release but this one and its signature, by its path within the release.
    pub files: BTreeMap<String, ReleaseFile>,
    /// Figures that were measured when it was built: baselines, fidelity, coverage.
    pub figures: BTreeMap<String, Value>,
    /// SHA-256 of this file, with 64 zeros in the place of this value.
    #[serde(default)]
    pub sha256: String,
}

impl Release {
    /// Reads a manifest that came from `place`, a path or a URL; the version is checked before anything else.
    ///
    /// # Errors
    /// When it is none, of another version, or lists a path that leads out of the release.
    pub fn parse(bytes: &[u8], place: &str) -> Result<Self> {
        let json = |cause| ReleaseError::Json {
            place: place.to_owned(),
            cause,
        };
        let value: Value = serde_json::from_slice(bytes).map_err(json)?;
        let version = value.get("format_version").and_then(Value::as_str);
        if version != Some(FORMAT_VERSION) {
            return Err(ReleaseError::UnreadableVersion {
                place: place.to_owned(),
                found: version.unwrap_or("none").to_owned(),
                readable: FORMAT_VERSION,
            });
        }
        let release: Self = serde_json::from_value(value).map_err(json)?;
        let is_name = |name: &String| is_within(name) && !name.contains('/');
        let names = release.snapshots.keys().filter(|name| !is_name(name));
        let paths = release.files.keys().filter(|path| !is_within(path));
        match names.chain(paths).next() {
            None => Ok(release),
            Some(path) => Err(ReleaseError::BadPath {
                place: place.to_owned(),
                path: path.clone(),
            }),
        }
    }

    /// What a manifest whose truth is held out tells of it nonetheless: where, and what.
    #[must_use]
    pub fn told(&self) -> Vec<(String, String)> {
        let folder = format!("{CATALOG_FOLDER}/");
        let files = self.files.keys().filter(|path| path.starts_with(&folder));
        let catalog = files.map(|path| (path.clone(), "is there".to_owned()));
        let snapshots = self.snapshots.iter();
        let problems = snapshots.flat_map(|(name, entry)| {
            let ids = entry.problems.keys();
            ids.map(move |id| (name.clone(), format!("its problem {id} is named")))
        });
        catalog.chain(problems).collect()
    }

    /// The text of the manifest, with its digest, which is noted here too.
    pub(super) fn text(&mut self) -> serde_json::Result<String> {
        NO_DIGEST.clone_into(&mut self.sha256);
        let blank = files::canonical(&serde_json::to_value(&*self)?);
        self.sha256 = files::hex(&Sha256::digest(&blank));
        Ok(blank.replacen(NO_DIGEST, &self.sha256, 1))
    }

    /// Whether this is the text that the manifest was written as.
    pub(super) fn is_text(&self, text: &str) -> bool {
        let blank = text.replacen(&self.sha256, NO_DIGEST, 1);
        files::hex(&Sha256::digest(blank)) == self.sha256
    }
}

/// Whether a path leads to a file below the folder that it is taken from, on every system.
pub(crate) fn is_within(path: &str) -> bool {
    path.split('/').all(|part| {
        !["", ".", ".."].contains(&part)
            && !part.contains(['\\', ':'])
            && !part.contains(char::is_control)
    })
}

/// What whoever builds a release says of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct About {
    /// The release's name, e.g. `testbed`.
    pub name: String,
    /// Its version, e.g. `1.0.0`.
    pub version: String,
    /// Whether its truth is held out: encrypted, and its snapshots named by opaque ids.
    pub held_out: bool,
    /// SPDX expression of its data's licence.
    pub licence: String,
    /// How to cite it, in one line.
    pub citation: String,
    /// The page where people find it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// The day on which it is published. Said, not taken from the clock: two builds are equal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub published: Option<Date>,
}

/// A snapshot of a release.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ReleaseEntry {
    /// The snapshot's opaque id, as in its manifest.
    pub snapshot: String,
    /// The application that was recorded.
    pub application: String,
    /// Digest of its visible rows, whatever they are encoded in.
    pub logical_digest: String,
    /// The problems that are asked on it: ids, and digests of what is asked and right. None in a held-out
    /// release, since they name the fault.
    pub problems: BTreeMap<String, String>,
    /// Where its truth is held out: what is encrypted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sealed: Option<Sealed>,
}

/// An encrypted `withheld/`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sealed {
    /// Path of the encrypted file within the release.
    pub file: String,
    /// SHA-256 of the plaintext, a tar that has a secret salt in it, so that nobody can tell from this what else is.
    pub salted_sha256: String,
}

/// What the manifest knows of a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReleaseFile {
    /// Length.
    pub bytes: u64,
    /// SHA-256 in hexadecimal. Of an encrypted file it is the ciphertext's, which every build makes anew.
    pub sha256: String,
}

impl ReleaseFile {
    /// What is listed of a file with these bytes.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        Self {
            bytes: bytes.len() as u64,
            sha256: files::hex(&Sha256::digest(bytes)),
        }
    }

    /// What is listed of the file at a path.
    pub(crate) fn measure(path: &Utf8Path) -> std::result::Result<Self, SnapshotError> {
        let (bytes, sha256) = files::measure(path)?;
        Ok(Self { bytes, sha256 })
    }
}
