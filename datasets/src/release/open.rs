//! Opening a release: its signature is checked before its manifest is read.

use camino::Utf8Path;
use minisign_verify::{PublicKey, Signature};

use super::error::{ReleaseError, Result};
use super::manifest::{RELEASE_FILE, Release, SIGNATURE_FILE};
use crate::error::SnapshotError;
use crate::files;

impl Release {
    /// Opens the release in a folder. With a public key of minisign, only one that is signed by it.
    ///
    /// Files are left to [`verify`](super::verify()).
    ///
    /// # Errors
    /// When the folder is no release of this version, or its signature is missing or does not hold.
    pub fn open(dir: &Utf8Path, key: Option<&str>) -> Result<Self> {
        let path = dir.join(RELEASE_FILE);
        let bytes = match files::read(&path) {
            Err(SnapshotError::MissingFile { .. }) => {
                return Err(ReleaseError::NoRelease {
                    dir: dir.to_owned(),
                });
            }
            other => other?,
        };
        if let Some(key) = key {
            let signature = match files::read(&dir.join(SIGNATURE_FILE)) {
                Err(SnapshotError::MissingFile { .. }) => None,
                other => Some(other?),
            };
            check_signature(&bytes, signature.as_deref(), key, path.as_str())?;
        }
        Self::parse(&bytes, path.as_str())
    }
}

/// Checks that a manifest that came from `place`, a path or a URL, is signed: `signature` is what lies beside it.
///
/// `key` is the public key in one line, or the text of the file that minisign wrote it to.
///
/// # Errors
/// When there is no signature, the key is none, or the signature is not by it or of other bytes.
pub fn check_signature(
    manifest: &[u8],
    signature: Option<&[u8]>,
    key: &str,
    place: &str,
) -> Result<()> {
    let signature = signature.ok_or_else(|| ReleaseError::NoSignature {
        place: place.to_owned(),
    })?;
    let mut lines = key.lines().map(str::trim);
    let line = lines
        .rfind(|line| !line.is_empty() && !line.starts_with("untrusted comment:"))
        .unwrap_or_default();
    let key = PublicKey::from_base64(line).map_err(|cause| ReleaseError::Key {
        reason: cause.to_string(),
    })?;
    let bad = |cause: minisign_verify::Error| ReleaseError::BadSignature {
        place: place.to_owned(),
        reason: cause.to_string(),
    };
    let signature = Signature::decode(&String::from_utf8_lossy(signature)).map_err(bad)?;
    key.verify(manifest, &signature, false).map_err(bad)
}
