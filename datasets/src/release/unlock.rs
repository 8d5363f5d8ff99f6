//! Opening what is sealed.

use std::collections::BTreeMap;
use std::io::{self, BufReader};

use camino::{Utf8Path, Utf8PathBuf};

use super::archive;
use super::error::{ReleaseError, Result};
use super::hashed::Hashed;
use super::manifest::{CATALOG_FOLDER, Sealed};
use super::seal::SALT;
use crate::error::SnapshotError;
use crate::files;
use crate::writer::WITHHELD;

/// The keys of somebody whom a release was sealed for.
pub struct Identities(Vec<Box<dyn age::Identity>>);

impl std::fmt::Debug for Identities {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Keys must not reach a log.
        formatter.debug_tuple("Identities").finish_non_exhaustive()
    }
}

impl Identities {
    /// Reads the file that `age-keygen` wrote.
    ///
    /// # Errors
    /// When it is not there or holds something else.
    pub fn read(path: &Utf8Path) -> Result<Self> {
        let wrong = |reason: String| ReleaseError::Identity {
            path: path.to_owned(),
            reason,
        };
        let file = age::IdentityFile::from_file(path.to_string());
        let identities = file.map_err(|cause| wrong(cause.to_string()))?;
        let identities = identities.into_identities();
        Ok(Self(identities.map_err(|cause| wrong(cause.to_string()))?))
    }
}

/// Writes what was withheld from a snapshot into its folder; hands back the files of the catalog that were sealed
/// with it, by name.
pub(super) fn open(
    release: &Utf8Path,
    sealed: &Sealed,
    identities: &Identities,
    snapshot: &Utf8Path,
) -> Result<BTreeMap<String, Vec<u8>>> {
    let file = release.join(&sealed.file);
    let locked = |cause: age::DecryptError| ReleaseError::Locked {
        file: file.clone(),
        reason: cause.to_string(),
    };
    let reader = BufReader::new(files::open(&file)?);
    let decryptor = age::Decryptor::new_buffered(reader).map_err(locked)?;
    let keys = identities.0.iter();
    let keys = keys.map(|one| one.as_ref() as &dyn age::Identity);
    let plaintext = Hashed::new(decryptor.decrypt(keys).map_err(locked)?);
    let mut catalog = BTreeMap::new();
    let mut rest = archive::each(plaintext, file.as_str(), |path, data| {
        let (folder, name) = path.split_once('/').unwrap_or(("", path));
        match (folder, name) {
            ("", SALT) => Ok(()),
            (WITHHELD, _) => archive::write(&snapshot.join(path), data),
            (CATALOG_FOLDER, name) if !name.contains('/') => {
                let mut bytes = Vec::new();
                data.read_to_end(&mut bytes)
                    .map_err(|cause| SnapshotError::io("read", &file, cause))?;
                catalog.insert(name.to_owned(), bytes);
                Ok(())
            }
            _ => Err(ReleaseError::BadPath {
                place: file.to_string(),
                path: path.to_owned(),
            }),
        }
    })?;
    // The end of an archive is padded; the digest is of all of it.
    io::copy(&mut rest, &mut io::sink())
        .map_err(|cause| SnapshotError::io("read", &file, cause))?;
    let (_, digest) = rest.finish();
    if digest == sealed.salted_sha256 {
        return Ok(catalog);
    }
    Err(ReleaseError::WrongPlaintext {
        file: Utf8PathBuf::from(&sealed.file),
    })
}
