//! `aiopslab release pull`: a release as a folder here.

use std::collections::BTreeSet;

use aiopslab_datasets::release::{
    RELEASE_FILE, Release, ReleaseFile, SIGNATURE_FILE, check_signature,
};
use aiopslab_datasets::remote::{CheckedFile, PARTIAL, is_here};
use camino::{Utf8Path, Utf8PathBuf};

use super::progress::Progress;
use crate::cli::Pull;
use crate::exit::Failure;
use crate::output::print;
use crate::release::{Item, Target};
use crate::settings::Settings;

pub(super) async fn run(arguments: &Pull, settings: &Settings) -> Result<(), Failure> {
    let (url, dir) = (&arguments.url, &arguments.dir);
    let target = Target::open(url, arguments.plain_http, &settings.registry).await?;
    let json = target.read(RELEASE_FILE).await?.ok_or_else(|| {
        Failure::user(format!(
            "{url} is no release: it has no {RELEASE_FILE}\nhint: check the URL; a push that was interrupted is finished by pushing again"
        ))
    })?;
    let signature = target.read(SIGNATURE_FILE).await?;
    if let Some(key) = settings.release_key()? {
        check_signature(&json, signature.as_deref(), &key, url)?;
    }
    let release = Release::parse(&json, url)?;
    let items = Item::all(release);
    is_free(dir, &items, &json)?;
    fetch(&target, &items, dir).await.map_err(|failure| {
        Failure::user(format!(
            "{dir} is not whole: {}\nhint: the same command goes on from here",
            failure.reason()
        ))
    })?;
    if let Some(signature) = signature {
        write(&dir.join(SIGNATURE_FILE), &signature, url)?;
    }
    write(&dir.join(RELEASE_FILE), &json, url)
}

async fn fetch(target: &Target, items: &[Item], dir: &Utf8Path) -> Result<(), Failure> {
    let mut progress = Progress::start(items);
    for item in items {
        progress.begins(item);
        let to = dir.join(&item.name);
        if is_here(&to, &item.listed)? {
            progress.kept(item);
            continue;
        }
        target
            .fetch(item, &to, &|bytes| progress.seen(bytes))
            .await?;
        progress.carried();
    }
    remove_partial(dir, items)?;
    print(&format!("pulled to {dir}: {}\n", progress.finish()));
    Ok(())
}

/// A folder with something else in it, another release too, is left alone.
fn is_free(dir: &Utf8Path, items: &[Item], json: &[u8]) -> Result<(), Failure> {
    let holds = |what: &str| {
        Failure::user(format!(
            "{dir} holds {what}\nhint: name a new folder, or one that an interrupted pull left"
        ))
    };
    let Ok(entries) = dir.read_dir_utf8() else {
        return Ok(());
    };
    if std::fs::read(dir.join(RELEASE_FILE)).is_ok_and(|there| there != json) {
        return Err(holds("another release"));
    }
    let ours: BTreeSet<&str> = items
        .iter()
        .filter_map(|item| item.name.split('/').next())
        .chain([RELEASE_FILE, SIGNATURE_FILE])
        .collect();
    for entry in entries {
        let entry = entry?;
        let name = entry.file_name();
        if !ours.contains(name) && !name.ends_with(PARTIAL) {
            return Err(holds(&format!("{name}, which is not of this release")));
        }
    }
    Ok(())
}

/// Removes what a pull left that was killed.
fn remove_partial(dir: &Utf8Path, items: &[Item]) -> Result<(), Failure> {
    let folders: BTreeSet<Utf8PathBuf> = items
        .iter()
        .filter_map(|item| Some(dir.join(&item.name).parent()?.to_owned()))
        .collect();
    for folder in folders {
        for entry in folder.read_dir_utf8()? {
            let entry = entry?;
            if entry.file_name().ends_with(PARTIAL) {
                std::fs::remove_file(entry.path())?;
            }
        }
    }
    Ok(())
}

/// Writes a file that no list has; `url` is where it comes from.
fn write(path: &Utf8Path, bytes: &[u8], url: &str) -> Result<(), Failure> {
    let mut file = CheckedFile::create(path, &ReleaseFile::of(bytes), url)?;
    file.write(bytes)?;
    Ok(file.finish()?)
}
