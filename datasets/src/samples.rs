//! The snapshots that ship with the program, embedded in it.

use camino::{Utf8Path, Utf8PathBuf};

/// A snapshot that ships with the program.
#[derive(Debug, Clone, Copy)]
pub struct Sample {
    /// Its name: the family and the number of the variant.
    pub name: &'static str,
    files: &'static [(&'static str, &'static [u8])],
}

static SAMPLES: &[Sample] = include!(concat!(env!("OUT_DIR"), "/samples.rs"));

/// Every shipped sample, by name.
#[must_use]
pub fn samples() -> &'static [Sample] {
    SAMPLES
}

impl Sample {
    /// Writes the sample below `folder`, in a folder of its name.
    ///
    /// # Errors
    /// When a file can't be written.
    pub fn write_below(&self, folder: &Utf8Path) -> std::io::Result<Utf8PathBuf> {
        let root = folder.join(self.name);
        for (path, bytes) in self.files {
            let file = root.join(path);
            if let Some(parent) = file.parent() {
                std::fs::create_dir_all(parent)?;
            }
            std::fs::write(&file, bytes)?;
        }
        Ok(root)
    }
}
