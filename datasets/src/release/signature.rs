//! `release.json.minisig`: who vouches for a release.

use minisign_verify::{PublicKey, Signature};

use crate::error::{Result, SnapshotError};

/// Name of the signature within a release; minisign makes it of `release.json`.
pub const SIGNATURE_FILE: &str = "release.json.minisig";

/// Checks minisign's signature of a `release.json`.
///
/// The key is the text of a public key's file, or its second line alone.
///
/// # Errors
/// When key or signature can't be read, or the signature is not by this key over these bytes.
pub fn verify_signature(release_json: &[u8], signature: &str, key: &str) -> Result<()> {
    let failed = |what: &str, cause: minisign_verify::Error| SnapshotError::Signature {
        cause: format!("{what}: {cause}"),
    };
    let key = match key.trim().lines().count() {
        1 => PublicKey::from_base64(key.trim()),
        _ => PublicKey::decode(key),
    };
    let key = key.map_err(|cause| failed("the public key", cause))?;
    let signature = Signature::decode(signature).map_err(|cause| failed(SIGNATURE_FILE, cause))?;
    key.verify(release_json, &signature, true)
        .map_err(|cause| failed(SIGNATURE_FILE, cause))
}
