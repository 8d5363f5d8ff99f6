//! Holding truth out: opaque names, and what is withheld in an archive that only recipients can open.

use std::collections::BTreeMap;
use std::io::{self, BufWriter, Write};

use age::x25519::Recipient;
use camino::Utf8Path;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::archive::Archive;
use super::build::withheld_files;
use super::error::{ReleaseError, Result};
use super::hashed::Hashed;
use super::manifest::CATALOG_FOLDER;
use crate::error::SnapshotError;
use crate::files;
use crate::manifest::{SnapshotId, WITHHELD_LIST};
use crate::snapshot::Snapshot;

/// The entry of an archive that keeps its digest from telling what else is in it.
pub(super) const SALT: &str = "salt";
/// Bytes of a secret that nobody guesses.
const SECRET_BYTES: usize = 16;

/// How a release is sealed: for whom, and with which secret.
pub struct Seal {
    recipients: Vec<Recipient>,
    mac: Hmac<Sha256>,
}

impl std::fmt::Debug for Seal {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The secret must not reach a log.
        formatter
            .debug_struct("Seal")
            .field("recipients", &self.recipients)
            .finish_non_exhaustive()
    }
}

impl Seal {
    /// Seals for recipients of age (`age1…`). The secret makes names and salts: the same one gives the same, so keep
    /// it for the next build.
    ///
    /// # Errors
    /// When a recipient is none, or the secret is so short that it can be guessed.
    pub fn new(recipients: &[String], secret: &[u8]) -> Result<Self> {
        if secret.len() < SECRET_BYTES {
            return Err(ReleaseError::WeakSecret {
                bytes: secret.len(),
            });
        }
        let recipient = |text: &String| {
            text.parse::<Recipient>()
                .map_err(|reason| ReleaseError::Recipient {
                    text: text.clone(),
                    reason: reason.to_owned(),
                })
        };
        Ok(Self {
            recipients: recipients.iter().map(recipient).collect::<Result<_>>()?,
            mac: Hmac::new_from_slice(secret).expect("HMAC takes a key of any length"),
        })
    }

    /// What a snapshot is called in a held-out release, and the seed of that id.
    pub(super) fn opaque(&self, id: &SnapshotId) -> (SnapshotId, String) {
        let seed = self.derive("snapshot", id);
        (SnapshotId::from_seed(&seed), seed)
    }

    /// Encrypts what a snapshot withholds, and files of the catalog, into a file; hands back the digest of the
    /// archive that is in it.
    pub(super) fn encrypt(
        &self,
        snapshot: &Snapshot,
        catalog: &BTreeMap<String, String>,
        path: &Utf8Path,
    ) -> Result<String> {
        if !snapshot.dir().join(WITHHELD_LIST).is_file() {
            return Err(ReleaseError::NothingToSeal {
                dir: snapshot.dir().to_owned(),
            });
        }
        let failed = |cause: io::Error| SnapshotError::io("write", path, cause);
        let recipients = self.recipients.iter().map(|one| one as &dyn age::Recipient);
        let encryptor = age::Encryptor::with_recipients(recipients);
        let encryptor = encryptor.map_err(|cause| failed(io::Error::other(cause.to_string())))?;
        let file = BufWriter::new(files::create(path)?);
        let encrypted = encryptor.wrap_output(file).map_err(failed)?;
        let mut archive = Archive::new(Hashed::new(encrypted), path.as_str());
        for (name, text) in catalog {
            archive.add_bytes(&format!("{CATALOG_FOLDER}/{name}"), text.as_bytes())?;
        }
        let salt = self.derive(SALT, &snapshot.manifest().snapshot);
        archive.add_bytes(SALT, salt.as_bytes())?;
        let mut withheld = withheld_files(snapshot);
        withheld.sort();
        for name in withheld {
            archive.add_file(&name, &snapshot.dir().join(&name))?;
        }
        let (encrypted, digest) = archive.finish()?.finish();
        let ended = encrypted.finish().and_then(|mut file| file.flush());
        ended.map_err(failed)?;
        Ok(digest)
    }

    /// Something secret about a snapshot, in hexadecimal: whoever knows the public id can't compute it.
    fn derive(&self, purpose: &str, id: &SnapshotId) -> String {
        let mut mac = self.mac.clone();
        mac.update(purpose.as_bytes());
        mac.update(b"\0");
        mac.update(id.as_str().as_bytes());
        files::hex(&mac.finalize().into_bytes())
    }
}
