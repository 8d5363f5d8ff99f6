//! `release.json`: every file of a release with its digest, and what its snapshots are.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Name of the manifest within a release; it is written last.
pub const RELEASE_FILE: &str = "release.json";

/// What a release is made of.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Release {
    /// Version of this format: `1`.
    pub format_version: String,
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
    /// Its snapshots by the names of their folders below `snapshots/`.
    pub snapshots: BTreeMap<String, ReleaseEntry>,
    /// Every file of the release but this one and its signature, by its path within the release.
    pub files: BTreeMap<String, ReleaseFile>,
    /// Figures that were measured when it was built: baselines, fidelity, coverage.
    pub figures: BTreeMap<String, Value>,
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
    /// The problems that are asked on it; in a held-out release, their opaque ids.
    pub problems: Vec<String>,
    /// Where its truth is held out: what is encrypted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sealed: Option<Sealed>,
}

/// An encrypted `withheld/`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sealed {
    /// Path of the encrypted file within the release.
    pub file: String,
    /// SHA-256 of salt and plaintext: the salt is a secret of whoever built the release.
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
