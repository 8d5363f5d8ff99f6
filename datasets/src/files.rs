//! File operations whose errors name the path.

use std::fs::{self, File};
use std::io::{self, Read, Write};

use camino::{Utf8Path, Utf8PathBuf};
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::error::{Result, SnapshotError};

pub(crate) fn create_folder(path: &Utf8Path) -> Result<()> {
    fs::create_dir_all(path).map_err(|cause| SnapshotError::io("create the folder", path, cause))
}

pub(crate) fn create_parent(path: &Utf8Path) -> Result<()> {
    path.parent().map_or(Ok(()), create_folder)
}

pub(crate) fn create(path: &Utf8Path) -> Result<File> {
    create_parent(path)?;
    File::create(path).map_err(|cause| SnapshotError::io("create", path, cause))
}

pub(crate) fn open(path: &Utf8Path) -> Result<File> {
    File::open(path).map_err(|cause| match cause.kind() {
        io::ErrorKind::NotFound => SnapshotError::MissingFile {
            path: path.to_owned(),
        },
        _ => SnapshotError::io("open", path, cause),
    })
}

pub(crate) fn rename(from: &Utf8Path, to: &Utf8Path) -> Result<()> {
    fs::rename(from, to).map_err(|cause| SnapshotError::io("rename a file to", to, cause))
}

pub(crate) fn remove_folder(path: &Utf8Path) -> Result<()> {
    match fs::remove_dir_all(path) {
        Err(cause) if cause.kind() != io::ErrorKind::NotFound => {
            Err(SnapshotError::io("remove", path, cause))
        }
        _ => Ok(()),
    }
}

/// The file names in a folder, sorted; none when there is no folder.
pub(crate) fn list(path: &Utf8Path) -> Result<Vec<String>> {
    let failed = |cause| SnapshotError::io("list", path, cause);
    let entries = match fs::read_dir(path) {
        Ok(entries) => entries,
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(cause) => return Err(failed(cause)),
    };
    let mut names = Vec::new();
    for entry in entries {
        names.push(
            entry
                .map_err(failed)?
                .file_name()
                .to_string_lossy()
                .into_owned(),
        );
    }
    names.sort();
    Ok(names)
}

/// Folders below one that is listed with all that is in it are not nested deeper.
const DEEPEST: usize = 16;

/// Every file below a folder by its path from there, sorted.
pub(crate) fn list_below(root: &Utf8Path) -> Result<Vec<Utf8PathBuf>> {
    let mut found = Vec::new();
    let mut folders = vec![(Utf8PathBuf::new(), 0)];
    while let Some((folder, depth)) = folders.pop() {
        for name in list(&root.join(&folder))? {
            let path = folder.join(name);
            if root.join(&path).is_dir() {
                if depth < DEEPEST {
                    folders.push((path, depth + 1));
                }
            } else {
                found.push(path);
            }
        }
    }
    found.sort();
    Ok(found)
}

/// Writes a whole file under a temporary name, then renames it.
pub(crate) fn write_atomically(path: &Utf8Path, bytes: &[u8]) -> Result<()> {
    let temporary = path.with_extension("partial");
    let mut file = create(&temporary)?;
    file.write_all(bytes)
        .and_then(|()| file.sync_all())
        .map_err(|cause| SnapshotError::io("write", path, cause))?;
    rename(&temporary, path)
}

/// Writes a JSON document with sorted keys.
pub(crate) fn write_json(path: &Utf8Path, value: &Value) -> Result<()> {
    write_atomically(path, canonical(value).as_bytes())
}

/// The text of a JSON document with sorted keys.
pub(crate) fn canonical(value: &Value) -> String {
    format!("{:#}\n", sorted(value))
}

pub(crate) fn read(path: &Utf8Path) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    open(path)?
        .read_to_end(&mut bytes)
        .map_err(|cause| SnapshotError::io("read", path, cause))?;
    Ok(bytes)
}

pub(crate) fn copy(from: &Utf8Path, to: &Utf8Path) -> Result<()> {
    create_parent(to)?;
    match fs::copy(from, to) {
        Ok(_) => Ok(()),
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => Err(SnapshotError::MissingFile {
            path: from.to_owned(),
        }),
        Err(cause) => Err(SnapshotError::io("copy a file to", to, cause)),
    }
}

pub(crate) fn read_json(path: &Utf8Path) -> Result<Value> {
    serde_json::from_slice(&read(path)?).map_err(|cause| SnapshotError::Json {
        path: path.to_owned(),
        cause,
    })
}

/// The same document with the keys of every object in order.
pub(crate) fn sorted(value: &Value) -> Value {
    match value {
        Value::Array(items) => items.iter().map(sorted).collect(),
        Value::Object(fields) => {
            let mut fields: Vec<_> = fields.iter().collect();
            fields.sort_by_key(|(key, _)| *key);
            Value::Object(
                fields
                    .into_iter()
                    .map(|(key, value)| (key.clone(), sorted(value)))
                    .collect(),
            )
        }
        other => other.clone(),
    }
}

/// Length and SHA-256 of a file.
pub(crate) fn measure(path: &Utf8Path) -> Result<(u64, String)> {
    let mut file = open(path)?;
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 1 << 16];
    let mut bytes = 0;
    loop {
        let read = file
            .read(&mut buffer)
            .map_err(|cause| SnapshotError::io("read", path, cause))?;
        let Some(block) = buffer.get(..read).filter(|block| !block.is_empty()) else {
            break;
        };
        hash.update(block);
        bytes += read as u64;
    }
    Ok((bytes, hex(&hash.finalize())))
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes
        .iter()
        .fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
            // Writing to a String cannot fail.
            let _ = write!(text, "{byte:02x}");
            text
        })
}
