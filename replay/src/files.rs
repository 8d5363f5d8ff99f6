//! The files of an episode: what actions wrote, under fixed virtual paths. Nothing is on disk.

use std::collections::BTreeMap;

/// Text files by absolute path.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct VirtualFiles {
    files: BTreeMap<String, String>,
}

impl VirtualFiles {
    /// Nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Writes a file, replacing one that is there.
    pub fn write(&mut self, path: impl AsRef<str>, text: impl Into<String>) {
        self.files.insert(normalize(path.as_ref()), text.into());
    }

    /// Adds to the end of a file, which need not be there.
    pub fn append(&mut self, path: impl AsRef<str>, text: &str) {
        self.files
            .entry(normalize(path.as_ref()))
            .or_default()
            .push_str(text);
    }

    /// The text of a file.
    #[must_use]
    pub fn read(&self, path: impl AsRef<str>) -> Option<&str> {
        self.files
            .get(&normalize(path.as_ref()))
            .map(String::as_str)
    }

    /// Removes a file; tells whether it was there.
    pub fn remove(&mut self, path: impl AsRef<str>) -> bool {
        self.files.remove(&normalize(path.as_ref())).is_some()
    }

    /// Whether files lie below this path.
    #[must_use]
    pub fn is_folder(&self, path: impl AsRef<str>) -> bool {
        let folder = normalize(path.as_ref());
        folder == "/" || {
            let below = format!("{folder}/");
            self.files
                .range(below.clone()..)
                .next()
                .is_some_and(|(path, _)| path.starts_with(&below))
        }
    }

    /// Every path with its text, sorted.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.files
            .iter()
            .map(|(path, text)| (path.as_str(), text.as_str()))
    }

    /// Number of bytes in all files.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.files.values().map(String::len).sum()
    }
}

/// An absolute path without `.`, `..` and doubled slashes; a relative one is taken from the root.
#[must_use]
pub fn normalize(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    format!("/{}", parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_normalized() {
        let mut files = VirtualFiles::new();
        files.write("/a//b/./c.csv", "x");
        assert_eq!(files.read("a/d/../b/c.csv"), Some("x"));
        assert!(
            files.is_folder("/a/b/") && !files.is_folder("/a/b/c.csv") && !files.is_folder("/c")
        );
    }
}
