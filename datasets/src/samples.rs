//! The snapshots that ship with the program, embedded in it.

use std::sync::atomic::{AtomicU64, Ordering};

use camino::{Utf8Path, Utf8PathBuf};
use sha2::{Digest, Sha256};

/// A snapshot that ships with the program.
#[derive(Debug, Clone, Copy)]
pub struct Sample {
    /// Its name: the family and the number of the variant.
    pub name: &'static str,
    files: &'static [(&'static str, &'static [u8])],
}

static SAMPLES: &[Sample] = include!(concat!(env!("OUT_DIR"), "/samples.rs"));

/// Numbers the files that are being written.
static NUMBER: AtomicU64 = AtomicU64::new(0);

/// Every shipped sample, by name.
#[must_use]
pub fn samples() -> &'static [Sample] {
    SAMPLES
}

/// A name that tells the shipped samples from those of other builds of the program.
#[must_use]
pub fn digest() -> String {
    let mut hasher = Sha256::new();
    for (path, bytes) in SAMPLES.iter().flat_map(|sample| sample.files) {
        hasher.update(path.len().to_le_bytes());
        hasher.update(path);
        hasher.update(bytes.len().to_le_bytes());
        hasher.update(bytes);
    }
    let digest = hasher.finalize();
    digest
        .iter()
        .take(8)
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

impl Sample {
    /// Writes the sample below `folder`, in a folder of its name.
    ///
    /// What is there already is kept. A file appears whole or not at all, so that several programs
    /// may share the folder, and one that was killed is no harm.
    ///
    /// # Errors
    /// When a file can't be written.
    pub fn write_below(&self, folder: &Utf8Path) -> std::io::Result<Utf8PathBuf> {
        let root = folder.join(self.name);
        for (path, bytes) in self.files {
            let file = root.join(path);
            if std::fs::read(&file).is_ok_and(|there| there == *bytes) {
                continue;
            }
            if let Some(parent) = file.parent() {
                std::fs::create_dir_all(parent)?;
            }
            let number = NUMBER.fetch_add(1, Ordering::Relaxed);
            let unfinished = folder.join(format!(".{}-{number}", std::process::id()));
            std::fs::write(&unfinished, bytes)?;
            std::fs::rename(&unfinished, &file)?;
        }
        Ok(root)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn several_may_write_where_one_was_killed() {
        let folder = tempfile::tempdir().unwrap();
        let folder = Utf8Path::from_path(folder.path()).unwrap();
        let sample = samples().first().unwrap();
        let (path, bytes) = sample.files.last().unwrap();
        let half = folder.join(sample.name).join(path);
        std::fs::create_dir_all(half.parent().unwrap()).unwrap();
        std::fs::write(&half, &bytes[..bytes.len() / 2]).unwrap();
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| sample.write_below(folder).unwrap());
            }
        });
        let root = sample.write_below(folder).unwrap();
        for (path, bytes) in sample.files {
            assert_eq!(std::fs::read(root.join(path)).unwrap(), *bytes, "{path}");
        }
        let left: Vec<_> = std::fs::read_dir(folder).unwrap().collect();
        assert_eq!(left.len(), 1, "{left:?}");
    }
}
