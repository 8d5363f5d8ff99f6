//! Releases: what people and the ecosystem read of one.
//!
//! `figures` are measured when a release is built, `documents` are written from them and from what the
//! snapshots' manifests tell, `Difference` is what two releases do not share.

mod card;
mod citation;
mod contents;
mod croissant;
mod difference;
mod documented;
mod figures;
mod huggingface;

use aiopslab_datasets::release::{RELEASE_FILE, Release};
use camino::Utf8Path;

pub(crate) use card::{card, documents};
pub(crate) use difference::Difference;
pub(crate) use figures::{episodes, figures, recorded};

use crate::exit::Failure;

/// The folder of a release's snapshots.
pub(crate) const SNAPSHOTS: &str = "snapshots";

/// Reads a release's manifest.
///
/// # Errors
/// When the folder is no release.
pub(crate) fn read(dir: &Utf8Path) -> Result<Release, Failure> {
    let path = dir.join(RELEASE_FILE);
    let text = std::fs::read(&path).map_err(|error| {
        Failure::user(format!(
            "{path} can't be read: {error}\nhint: name the folder of a release, as `aiopslab release build --out` makes it"
        ))
    })?;
    serde_json::from_slice(&text).map_err(|error| {
        Failure::user(format!(
            "{path} is no manifest of a release: {error}\nhint: copy the release again"
        ))
    })
}
