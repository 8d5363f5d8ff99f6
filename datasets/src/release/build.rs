//! Building a release, part by part; the manifest comes last.

use std::collections::BTreeMap;

use camino::{Utf8Path, Utf8PathBuf};
use serde_json::Value;

use super::archive::must_be_empty;
use super::cut;
use super::error::{ReleaseError, Result};
use super::manifest::{
    About, FORMAT_VERSION, RELEASE_FILE, Release, ReleaseEntry, ReleaseFile, SEALED_FOLDER,
    SIGNATURE_FILE, SNAPSHOTS_FOLDER, Sealed, is_within,
};
use super::seal::Seal;
use super::unlock::{self, Identities};
use crate::files;
use crate::manifest::{MANIFEST_FILE, WITHHELD_LIST};
use crate::snapshot::Snapshot;
use crate::writer::Visibility;

/// A release that is being built. Without [`Self::finish`], the folder is none.
#[derive(Debug)]
pub struct Builder {
    dir: Utf8PathBuf,
    release: Release,
}

impl Builder {
    /// Begins a release in a folder that is new or empty.
    ///
    /// # Errors
    /// When the folder is in use, or the name or version could not be part of a path.
    pub fn create(dir: &Utf8Path, about: About) -> Result<Self> {
        must_be_empty(dir)?;
        for (what, text) in [("name", &about.name), ("version", &about.version)] {
            let allowed = |letter: char| letter.is_ascii_alphanumeric() || "._+-".contains(letter);
            if !text.starts_with(|letter: char| letter.is_ascii_alphanumeric())
                || !text.chars().all(allowed)
            {
                return Err(ReleaseError::BadName {
                    what,
                    text: text.clone(),
                });
            }
        }
        Ok(Self {
            dir: dir.to_owned(),
            release: Release {
                format_version: FORMAT_VERSION.to_owned(),
                about,
                snapshots: BTreeMap::new(),
                files: BTreeMap::new(),
                figures: BTreeMap::new(),
                sha256: String::new(),
            },
        })
    }

    /// The manifest as far as the release is built; it has no digest yet.
    #[must_use]
    pub fn release(&self) -> &Release {
        &self.release
    }

    /// Copies a snapshot as it is, under a name.
    ///
    /// # Errors
    /// When there is another of that name, or a file is not what the snapshot's manifest says.
    pub fn add_snapshot(&mut self, name: &str, snapshot: &Snapshot) -> Result<()> {
        let entry = entry(snapshot)?;
        self.enter(name, entry)?;
        self.copy_snapshot(name, snapshot)
    }

    /// Adds what a snapshot shows at its end, under an opaque name, and encrypts what it withholds together with
    /// files of the catalog. Hands back the name.
    ///
    /// # Errors
    /// When the snapshot withholds nothing, is in the release already, or can't be written.
    pub fn add_sealed(
        &mut self,
        snapshot: &Snapshot,
        seal: &Seal,
        catalog: &BTreeMap<String, String>,
    ) -> Result<String> {
        let (name, seed) = seal.opaque(&snapshot.manifest().snapshot);
        let name = name.as_str().to_owned();
        let dir = self.dir.join(SNAPSHOTS_FOLDER).join(&name);
        if self.release.snapshots.contains_key(&name) {
            return Err(twice(SNAPSHOTS_FOLDER, &name));
        }
        let file = format!("{SEALED_FOLDER}/{name}.tar.age");
        let salted_sha256 = seal.encrypt(snapshot, catalog, &self.dir.join(&file))?;
        self.list(&file)?;
        cut::at_end(snapshot, &dir, seed)?;
        let shown = Snapshot::open(&dir)?;
        for path in shown_files(&shown) {
            self.list(&format!("{SNAPSHOTS_FOLDER}/{name}/{path}"))?;
        }
        let sealed = Some(Sealed {
            file,
            salted_sha256,
        });
        let entry = ReleaseEntry {
            sealed,
            ..entry(&shown)?
        };
        self.enter(&name, entry)?;
        Ok(name)
    }

    /// Adds a snapshot of a held-out release in another folder, with what it withholds. Hands back the files of the
    /// catalog that were sealed with it.
    ///
    /// # Errors
    /// When no identity opens it, or what is in it is not what the release's manifest says.
    pub fn add_unlocked(
        &mut self,
        from: &Utf8Path,
        name: &str,
        locked: &ReleaseEntry,
        identities: &Identities,
    ) -> Result<BTreeMap<String, Vec<u8>>> {
        let shown = Snapshot::open(&from.join(SNAPSHOTS_FOLDER).join(name))?;
        self.copy_snapshot(name, &shown)?;
        let dir = self.dir.join(SNAPSHOTS_FOLDER).join(name);
        let catalog = match &locked.sealed {
            Some(sealed) => unlock::open(from, sealed, identities, &dir)?,
            None => BTreeMap::new(),
        };
        let whole = Snapshot::open(&dir)?;
        for path in withheld_files(&whole) {
            self.list(&format!("{SNAPSHOTS_FOLDER}/{name}/{path}"))?;
        }
        self.enter(name, entry(&whole)?)?;
        Ok(catalog)
    }

    /// Notes the problems that are asked on a snapshot that was added: ids, and digests.
    pub fn ask(&mut self, name: &str, problems: BTreeMap<String, String>) {
        if let Some(entry) = self.release.snapshots.get_mut(name) {
            entry.problems = problems;
        }
    }

    /// Notes what was measured.
    pub fn measured(&mut self, figures: BTreeMap<String, Value>) {
        self.release.figures = figures;
    }

    /// Writes a file of any other kind.
    ///
    /// # Errors
    /// When its path leads out of the release or is taken, or it can't be written.
    pub fn add_file(&mut self, path: &str, bytes: &[u8]) -> Result<()> {
        if !is_within(path) {
            return Err(ReleaseError::BadPath {
                place: self.dir.to_string(),
                path: path.to_owned(),
            });
        }
        if [RELEASE_FILE, SIGNATURE_FILE].contains(&path) || self.release.files.contains_key(path) {
            return Err(ReleaseError::Twice {
                path: path.to_owned(),
            });
        }
        let target = self.dir.join(path);
        files::write_atomically(&target, bytes)?;
        self.list(path)
    }

    /// Writes the manifest: now the folder is a release.
    ///
    /// # Errors
    /// When it can't be written.
    pub fn finish(mut self) -> Result<Release> {
        let path = self.dir.join(RELEASE_FILE);
        let text = self.release.text().map_err(|cause| ReleaseError::Json {
            place: path.to_string(),
            cause,
        })?;
        files::write_atomically(&path, text.as_bytes())?;
        Ok(self.release)
    }

    fn enter(&mut self, name: &str, entry: ReleaseEntry) -> Result<()> {
        match self.release.snapshots.insert(name.to_owned(), entry) {
            None => Ok(()),
            Some(_) => Err(twice(SNAPSHOTS_FOLDER, name)),
        }
    }

    fn copy_snapshot(&mut self, name: &str, snapshot: &Snapshot) -> Result<()> {
        let below = format!("{SNAPSHOTS_FOLDER}/{name}");
        for path in shown_files(snapshot)
            .into_iter()
            .chain(withheld_files(snapshot))
        {
            let from = snapshot.dir().join(&path);
            let to = format!("{below}/{path}");
            files::copy(&from, &self.dir.join(&to))?;
            self.list(&to)?;
            let copied = self.release.files.get(&to).map(|file| &file.sha256);
            let mut listed = Visibility::ALL.into_iter();
            let listed = listed.find_map(|seen| snapshot.listed(seen).get(&path));
            if listed.is_some_and(|listed| Some(&listed.sha256) != copied) {
                return Err(ReleaseError::Changed { path: from });
            }
        }
        Ok(())
    }

    /// Lists a file that is there.
    fn list(&mut self, path: &str) -> Result<()> {
        let file = ReleaseFile::measure(&self.dir.join(path))?;
        self.release.files.insert(path.to_owned(), file);
        Ok(())
    }
}

fn entry(snapshot: &Snapshot) -> Result<ReleaseEntry> {
    let manifest = snapshot.manifest();
    Ok(ReleaseEntry {
        snapshot: manifest.snapshot.to_string(),
        application: manifest.application.clone(),
        logical_digest: snapshot.logical_digest()?,
        problems: BTreeMap::new(),
        sealed: None,
    })
}

/// The files of a snapshot that everybody may see.
fn shown_files(snapshot: &Snapshot) -> Vec<String> {
    let listed = snapshot.listed(Visibility::Visible).keys().cloned();
    listed.chain([MANIFEST_FILE.to_owned()]).collect()
}

/// The files of a snapshot below `withheld/`, if it is there.
pub(super) fn withheld_files(snapshot: &Snapshot) -> Vec<String> {
    let mut paths: Vec<String> = Vec::new();
    if snapshot.has_withheld() {
        paths.extend(snapshot.listed(Visibility::Withheld).keys().cloned());
        if snapshot.dir().join(WITHHELD_LIST).is_file() {
            paths.push(WITHHELD_LIST.to_owned());
        }
    }
    paths
}

fn twice(folder: &str, name: &str) -> ReleaseError {
    ReleaseError::Twice {
        path: format!("{folder}/{name}"),
    }
}
