//! `release.json` of a release that lies elsewhere: nothing of it is believed unchecked.

use camino::{Utf8Component, Utf8Path};

use crate::error::{Result, SnapshotError};
use crate::release::{RELEASE_FILE, Release};

/// The version of `release.json` that this build reads.
const READABLE: &str = "1";

/// Reads the text of a `release.json` that came from `source`.
///
/// # Errors
/// When it is none of this version, or names a file that would lie outside of the release.
pub fn parse_release(json: &[u8], source: &str) -> Result<Release> {
    let failed = |cause: String, hint| SnapshotError::Remote {
        action: "read",
        url: format!("{source}/{RELEASE_FILE}"),
        cause,
        hint,
    };
    let asking = "ask whoever publishes it";
    let value: serde_json::Value =
        serde_json::from_slice(json).map_err(|cause| failed(cause.to_string(), asking))?;
    let version = value.get("format_version").and_then(|it| it.as_str());
    if version != Some(READABLE) {
        let found = version.unwrap_or("none");
        return Err(failed(
            format!("its format version is {found}, this build reads {READABLE}"),
            "use a build of aiopslab that reads it",
        ));
    }
    let release: Release =
        serde_json::from_value(value).map_err(|cause| failed(cause.to_string(), asking))?;
    let names = release.files.keys().chain(release.snapshots.keys());
    for name in names {
        if !is_plain(name) {
            return Err(failed(format!("{name:?} is no path within it"), asking));
        }
    }
    Ok(release)
}

/// Whether a path leads to a file below the folder that it is relative to.
pub(crate) fn is_plain(path: &str) -> bool {
    let path = Utf8Path::new(path);
    let mut parts = path.components().peekable();
    parts.peek().is_some() && parts.all(|part| matches!(part, Utf8Component::Normal(_)))
}
