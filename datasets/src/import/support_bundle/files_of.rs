//! The files of a bundle: where they are, and what each holds.

use std::io::Read;

use camino::{Utf8Path, Utf8PathBuf};
use serde_json::Value;

use super::kinds::{self, Kind};
use super::logs::LogFile;
use crate::error::{Result, SnapshotError};
use crate::files;
use crate::import::ImportError;

/// The folder that makes a folder a bundle.
const RESOURCES: &str = "cluster-resources";
/// The resource types that the server served.
pub(super) const DISCOVERY: &str = "cluster-resources/resources.json";

/// What a file holds.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Content {
    /// The server's version.
    Version,
    /// Lists of resource types.
    Discovery,
    /// Objects of a kind, in one namespace or (none) cluster-scoped.
    Objects(Kind, Option<String>),
    /// What went wrong when objects of a kind were collected.
    Errors(Kind),
    /// The log of a container.
    Log(LogFile),
    /// When it was collected.
    Moment,
    /// Nothing that a snapshot has a place for.
    LeftOut(&'static str),
}

/// The folder with `cluster-resources`: the one given, or the only such folder in it.
pub(super) fn root(dir: &Utf8Path) -> std::result::Result<Utf8PathBuf, ImportError> {
    if dir.join(RESOURCES).is_dir() {
        return Ok(dir.to_owned());
    }
    let names = files::list(dir)?;
    let inside: Vec<_> = names
        .iter()
        .map(|name| dir.join(name))
        .filter(|path| path.join(RESOURCES).is_dir())
        .collect();
    match inside.as_slice() {
        [only] => Ok(only.clone()),
        _ => Err(ImportError::NotASource {
            dir: dir.to_owned(),
            what: "support bundle",
            missing: RESOURCES,
            hint: "unpack the archive (tar -xzf support-bundle.tar.gz) and name the folder with cluster-resources in it",
        }),
    }
}

pub(super) fn read(path: &Utf8Path) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    files::open(path)?
        .read_to_end(&mut bytes)
        .map_err(|cause| SnapshotError::io("read", path, cause))?;
    Ok(bytes)
}

/// A document, JSON or YAML by its name; else what is wrong with it.
pub(super) fn parse(path: &Utf8Path, bytes: &[u8]) -> std::result::Result<Value, String> {
    if path.extension() == Some("json") {
        return serde_json::from_slice(bytes).map_err(|cause| format!("it is no JSON: {cause}"));
    }
    let text = std::str::from_utf8(bytes).map_err(|cause| format!("it is no text: {cause}"))?;
    serde_saphyr::from_str(text).map_err(|cause| {
        // Further lines show the place.
        let cause = cause.to_string();
        let first = cause.lines().next().unwrap_or_default();
        format!("it is no YAML: {}", first.trim_start_matches("error: "))
    })
}

/// What the file of this path holds.
pub(super) fn content(path: &Utf8Path, discovery: &[Value]) -> Content {
    let parts: Vec<&str> = path.as_str().split('/').collect();
    let unknown = Content::LeftOut("no file that this importer knows");
    match parts.as_slice() {
        ["cluster-info", "cluster_version.json"] => Content::Version,
        [RESOURCES, below @ ..] => match below {
            ["resources.json"] => Content::Discovery,
            ["groups.json"] => Content::LeftOut("resources.json tells the groups as well"),
            ["auth-cani-list", ..] => {
                Content::LeftOut("a snapshot has no place for what the collector may do")
            }
            ["image-pull-secrets", ..] => Content::LeftOut("it holds names of secrets, no objects"),
            ["pods", "logs", namespace, pod, file] => match file.strip_suffix(".log") {
                Some(stem) => Content::Log(LogFile::new(path, [*namespace, *pod, stem], None)),
                None => unknown,
            },
            ["custom-resources", file] => match document(file) {
                Some(name) => custom(name, None, discovery).unwrap_or(unknown),
                None => unknown,
            },
            ["custom-resources", name, file] => match document(file) {
                Some(namespace) => {
                    custom(name, Some(namespace.to_owned()), discovery).unwrap_or(unknown)
                }
                None => unknown,
            },
            [file] => match document(file) {
                Some(name) => match name.strip_suffix("-errors") {
                    Some(name) => kinds::named(name).map_or(unknown, Content::Errors),
                    None => kinds::named(name).map_or(unknown, |kind| Content::Objects(kind, None)),
                },
                None => unknown,
            },
            [name, file] => match (kinds::named(name), document(file)) {
                (Some(kind), Some(namespace)) => Content::Objects(kind, Some(namespace.to_owned())),
                _ => unknown,
            },
            _ => unknown,
        },
        _ => unknown,
    }
}

fn custom(name: &str, namespace: Option<String>, discovery: &[Value]) -> Option<Content> {
    let kind = kinds::custom(name, discovery)?;
    Some(Content::Objects(kind, namespace))
}

/// A file's name without the ending of a document.
fn document(file: &str) -> Option<&str> {
    [".json", ".yaml"]
        .iter()
        .find_map(|ending| file.strip_suffix(ending))
}
