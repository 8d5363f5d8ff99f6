//! Checking a release: every byte of it is what its manifest says, and every snapshot is sound.

use std::collections::BTreeSet;

use camino::Utf8Path;

use super::error::Result;
use super::manifest::{
    RELEASE_FILE, Release, ReleaseEntry, ReleaseFile, SIGNATURE_FILE, SNAPSHOTS_FOLDER,
};
use crate::error::SnapshotError;
use crate::files;
use crate::snapshot::Snapshot;
use crate::verify::{self, Check, Report};

/// Checks a release: signature (with a key), manifest, each file, and each snapshot whose files are all as listed, as
/// [`verify`](crate::verify::verify) does. A check that fails is named by the file or snapshot.
///
/// # Errors
/// When it can't be opened: see [`Release::open`].
pub fn verify(dir: &Utf8Path, key: Option<&str>) -> Result<Report> {
    let release = Release::open(dir, key)?;
    let mut checks = Vec::new();
    if key.is_some() {
        checks.push(passed(SIGNATURE_FILE, "by this key".to_owned()));
    }
    checks.push(manifest(dir, &release)?);
    if release.about.held_out {
        let told = release.told().into_iter();
        checks.extend(
            told.map(|(place, what)| {
                failed(&place, format!("{what} although the truth is held out"))
            }),
        );
    }
    let files = every_file(dir, &release)?;
    for (name, entry) in &release.snapshots {
        let below = format!("{SNAPSHOTS_FOLDER}/{name}/");
        // What is known to be changed is not worth reading.
        let is_wrong = |file: &Check| !file.passed && file.name.starts_with(&below);
        if !files.iter().any(is_wrong) {
            checks.push(snapshot(dir, &release, name, entry));
        }
    }
    checks.extend(files);
    Ok(Report { checks })
}

/// Whether the manifest is byte for byte as it was written.
fn manifest(dir: &Utf8Path, release: &Release) -> Result<Check> {
    let text = files::read(&dir.join(RELEASE_FILE))?;
    let is_text = std::str::from_utf8(&text).is_ok_and(|text| release.is_text(text));
    Ok(match is_text {
        true => passed(RELEASE_FILE, release.sha256.clone()),
        false => failed(RELEASE_FILE, "was changed: its digest is another"),
    })
}

/// Each file that is missing, was changed or is not listed; one line for all if there is none.
fn every_file(dir: &Utf8Path, release: &Release) -> Result<Vec<Check>> {
    let mut checks = Vec::new();
    for (path, file) in &release.files {
        match files::measure(&dir.join(path)) {
            Ok((bytes, sha256)) => {
                let found = ReleaseFile { bytes, sha256 };
                if found != *file {
                    checks.push(failed(path, "was changed: its digest is another"));
                }
            }
            Err(SnapshotError::MissingFile { .. }) => checks.push(failed(path, "is missing")),
            Err(error) => checks.push(failed(path, error)),
        }
    }
    let mut there = BTreeSet::new();
    walk(dir, "", &mut there)?;
    for path in there {
        let is_known = [RELEASE_FILE, SIGNATURE_FILE].contains(&path.as_str());
        if !is_known && !release.files.contains_key(&path) {
            checks.push(failed(&path, "is not listed in release.json"));
        }
    }
    if checks.is_empty() {
        checks.push(passed("files", release.files.len().to_string()));
    }
    Ok(checks)
}

fn walk(dir: &Utf8Path, below: &str, found: &mut BTreeSet<String>) -> Result<()> {
    for name in files::list(&dir.join(below))? {
        let path = match below {
            "" => name,
            below => format!("{below}/{name}"),
        };
        if dir.join(&path).is_dir() {
            walk(dir, &path, found)?;
        } else {
            found.insert(path);
        }
    }
    Ok(())
}

/// Whether a snapshot is sound, is the one that was released, and shows no truth that is held out.
fn snapshot(dir: &Utf8Path, release: &Release, name: &str, entry: &ReleaseEntry) -> Check {
    let path = format!("{SNAPSHOTS_FOLDER}/{name}");
    let opened = match Snapshot::open(&dir.join(&path)) {
        Ok(opened) => opened,
        Err(error) => return failed(&path, error),
    };
    let mut wrong: Vec<String> = Vec::new();
    for check in verify::verify(&opened, false).checks {
        let is_digest = check.name == "logical digest";
        if !check.passed {
            wrong.push(format!("{}: {}", check.name, check.detail));
        } else if is_digest && check.detail != entry.logical_digest {
            wrong.push("its rows are others than those that were released".to_owned());
        }
    }
    if opened.manifest().snapshot.as_str() != entry.snapshot {
        wrong.push("it has another id than the one that was released".to_owned());
    }
    if release.about.held_out && opened.has_withheld() {
        wrong.push("withheld/ is there although it is held out".to_owned());
    }
    let sealed = entry.sealed.as_ref();
    if release.about.held_out && !sealed.is_some_and(|it| release.files.contains_key(&it.file)) {
        wrong.push("its truth is nowhere".to_owned());
    }
    match wrong.is_empty() {
        true => passed(&path, entry.logical_digest.clone()),
        false => failed(&path, wrong.join("; ")),
    }
}

fn passed(name: &str, detail: String) -> Check {
    Check {
        name: name.to_owned(),
        passed: true,
        detail,
    }
}

fn failed(name: &str, detail: impl ToString) -> Check {
    Check {
        name: name.to_owned(),
        passed: false,
        detail: detail.to_string(),
    }
}
