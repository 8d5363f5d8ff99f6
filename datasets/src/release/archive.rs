//! Tar archives that are the same for the same files, and releases in one of them.
//!
//! Entries are plain files sorted by path, of user and group 0, mode 0644, and no time.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Write};

use camino::Utf8Path;

use super::error::{ReleaseError, Result};
use super::manifest::{RELEASE_FILE, Release, SIGNATURE_FILE, is_within};
use crate::error::SnapshotError;
use crate::files;

/// Puts the release in a folder, with its signature if there is one, into an uncompressed tar.
///
/// # Errors
/// When the folder is no release, a file of it is missing, or the archive can't be written.
pub fn pack(dir: &Utf8Path, out: &Utf8Path) -> Result<()> {
    let release = Release::open(dir, None)?;
    let mut paths: BTreeSet<&str> = release.files.keys().map(String::as_str).collect();
    paths.insert(RELEASE_FILE);
    if dir.join(SIGNATURE_FILE).is_file() {
        paths.insert(SIGNATURE_FILE);
    }
    let temporary = out.with_extension("partial");
    let mut archive = Archive::new(BufWriter::new(files::create(&temporary)?), out.as_str());
    for path in paths {
        archive.add_file(path, &dir.join(path))?;
    }
    let file = archive.finish()?.into_inner();
    file.map_err(io::IntoInnerError::into_error)
        .and_then(|file| file.sync_all())
        .map_err(|cause| SnapshotError::io("write", out, cause))?;
    Ok(files::rename(&temporary, out)?)
}

/// Makes a folder of a release that is in a tar; its digests are left to [`verify`](super::verify()).
///
/// # Errors
/// When the folder is in use, the archive is damaged or holds anything but files below the folder, or what is in it
/// is no release.
pub fn unpack(archive: &Utf8Path, dir: &Utf8Path) -> Result<Release> {
    must_be_empty(dir)?;
    let file = BufReader::new(files::open(archive)?);
    each(file, archive.as_str(), |path, data| {
        write(&dir.join(path), data)
    })?;
    Release::open(dir, None)
}

pub(super) fn must_be_empty(dir: &Utf8Path) -> Result<()> {
    match files::list(dir)?.is_empty() {
        true => Ok(()),
        false => Err(ReleaseError::NotEmpty {
            dir: dir.to_owned(),
        }),
    }
}

/// Writes what a reader has left into a new file.
pub(super) fn write(path: &Utf8Path, data: &mut dyn Read) -> Result<()> {
    let mut file = files::create(path)?;
    match io::copy(data, &mut file) {
        Ok(_) => Ok(()),
        Err(cause) => Err(SnapshotError::io("write", path, cause).into()),
    }
}

/// Writes an archive; entries come in the order in which they are added.
pub(super) struct Archive<W: Write> {
    tar: tar::Builder<W>,
    place: String,
}

impl<W: Write> Archive<W> {
    /// An archive that errors call `place`.
    pub(super) fn new(out: W, place: &str) -> Self {
        Self {
            tar: tar::Builder::new(out),
            place: place.to_owned(),
        }
    }

    pub(super) fn add_bytes(&mut self, path: &str, bytes: &[u8]) -> Result<()> {
        self.add(path, bytes.len() as u64, bytes)
    }

    pub(super) fn add_file(&mut self, path: &str, file: &Utf8Path) -> Result<()> {
        let opened: File = files::open(file)?;
        let length = opened.metadata().map(|metadata| metadata.len());
        let length = length.map_err(|cause| SnapshotError::io("look at", file, cause))?;
        self.add(path, length, opened)
    }

    fn add(&mut self, path: &str, length: u64, data: impl Read) -> Result<()> {
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(tar::EntryType::Regular);
        header.set_size(length);
        header.set_mode(0o644);
        header.set_uid(0);
        header.set_gid(0);
        header.set_mtime(0);
        let added = self.tar.append_data(&mut header, path, data);
        added.map_err(|cause| self.broken(&cause))
    }

    /// Ends the archive; hands back what it was written to.
    pub(super) fn finish(self) -> Result<W> {
        let Self { tar, place } = self;
        tar.into_inner()
            .map_err(|cause| broken("write", &place, &cause))
    }

    fn broken(&self, cause: &io::Error) -> ReleaseError {
        broken("write", &self.place, cause)
    }
}

/// Hands over each file of an archive that errors call `place`; then hands back the reader, which may have more.
pub(super) fn each<R: Read>(
    reader: R,
    place: &str,
    mut take: impl FnMut(&str, &mut dyn Read) -> Result<()>,
) -> Result<R> {
    let failed = |cause: io::Error| broken("read", place, &cause);
    let mut archive = tar::Archive::new(reader);
    for entry in archive.entries().map_err(failed)? {
        let mut entry = entry.map_err(failed)?;
        let kind = entry.header().entry_type();
        if kind.is_dir() {
            continue;
        }
        let name = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        let path = name.strip_prefix("./").unwrap_or(&name);
        // A link could lead the files after it elsewhere.
        if !kind.is_file() || !is_within(path) {
            return Err(ReleaseError::BadPath {
                place: place.to_owned(),
                path: name,
            });
        }
        take(path, &mut entry)?;
    }
    Ok(archive.into_inner())
}

fn broken(action: &'static str, place: &str, cause: &io::Error) -> ReleaseError {
    ReleaseError::Archive {
        action,
        path: place.to_owned(),
        reason: cause.to_string(),
    }
}
