//! The files of an episode: what actions wrote, under fixed virtual paths. Nothing is on disk.

use std::collections::{BTreeMap, BTreeSet};

/// Text files by absolute path, the folders around them, and the folder that relative paths start in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VirtualFiles {
    files: BTreeMap<String, String>,
    folders: BTreeSet<String>,
    working_folder: String,
    bytes: usize,
}

/// Where an agent's shell has its scratch files: empty when the episode starts.
const SCRATCH_FOLDER: &str = "/tmp";

/// The home folder of the agent's shell. Files can be written there; what else it holds is unknown.
pub(crate) const HOME_FOLDER: &str = "/root";

/// The other folders that lie in the root folder of a Linux machine. What they hold is unknown.
const MACHINE_FOLDERS: [&str; 18] = [
    "bin", "boot", "dev", "etc", "home", "lib", "lib64", "media", "mnt", "opt", "proc", "root",
    "run", "sbin", "srv", "sys", "usr", "var",
];

/// Whether a path is that of a folder of the machine, or lies below one.
pub(crate) fn is_of_machine(path: &str) -> bool {
    let top = path.trim_start_matches('/').split('/').next();
    top.is_some_and(|top| MACHINE_FOLDERS.contains(&top))
}

/// The names in the root folder that every machine has.
pub(crate) fn root_names() -> impl Iterator<Item = &'static str> {
    MACHINE_FOLDERS
        .into_iter()
        .chain(SCRATCH_FOLDER.strip_prefix('/'))
}

impl Default for VirtualFiles {
    fn default() -> Self {
        Self {
            files: BTreeMap::new(),
            folders: BTreeSet::from([SCRATCH_FOLDER.to_owned()]),
            working_folder: "/".to_owned(),
            bytes: 0,
        }
    }
}

impl VirtualFiles {
    /// Nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Writes a file, replacing one that is there.
    pub fn write(&mut self, path: impl AsRef<str>, text: impl Into<String>) {
        let text = text.into();
        self.bytes += text.len();
        if let Some(old) = self.files.insert(self.resolve(path), text) {
            self.bytes -= old.len();
        }
    }

    /// Adds to the end of a file, which need not be there.
    pub fn append(&mut self, path: impl AsRef<str>, text: &str) {
        self.bytes += text.len();
        let path = self.resolve(path);
        self.files.entry(path).or_default().push_str(text);
    }

    /// The text of a file.
    #[must_use]
    pub fn read(&self, path: impl AsRef<str>) -> Option<&str> {
        self.files.get(&self.resolve(path)).map(String::as_str)
    }

    /// Removes a file; tells whether it was there.
    pub fn remove(&mut self, path: impl AsRef<str>) -> bool {
        let removed = self.files.remove(&self.resolve(path));
        self.bytes -= removed.as_ref().map_or(0, String::len);
        removed.is_some()
    }

    /// Makes a folder.
    pub fn make_folder(&mut self, path: impl AsRef<str>) {
        let path = self.resolve(path);
        self.folders.insert(path);
    }

    /// Removes a folder with all that lies below it.
    pub fn remove_folder(&mut self, path: impl AsRef<str>) {
        let path = self.resolve(path);
        let below = format!("{path}/");
        self.folders
            .retain(|folder| *folder != path && !folder.starts_with(&below));
        let inside: Vec<String> = self.paths_below(&below).map(str::to_owned).collect();
        for file in inside {
            self.remove(file);
        }
    }

    /// Whether there is a folder at this path: one that was made, one with files below it, or one
    /// that every machine has.
    #[must_use]
    pub fn is_folder(&self, path: impl AsRef<str>) -> bool {
        let folder = self.resolve(path);
        let below = format!("{}/", folder.trim_end_matches('/'));
        folder == "/"
            || folder.rfind('/') == Some(0) && is_of_machine(&folder)
            || self.folders.contains(&folder)
            || self.paths_below(&below).next().is_some()
            || self
                .folders
                .range(below.clone()..)
                .next()
                .is_some_and(|path| path.starts_with(&below))
    }

    /// Whether everything in the folder around this path is known, so that what is not here is
    /// nowhere. The root and the machine's folders hold more than what the episode wrote.
    #[must_use]
    pub fn is_known(&self, path: impl AsRef<str>) -> bool {
        let path = self.resolve(path);
        path.rsplit_once('/')
            .is_some_and(|(folder, _)| !folder.is_empty() && self.is_complete(folder))
    }

    /// Whether this is a folder of which everything is known.
    #[must_use]
    pub fn is_complete(&self, path: impl AsRef<str>) -> bool {
        let folder = self.resolve(path);
        folder != "/" && !is_of_machine(&folder) && self.is_folder(&folder)
    }

    /// Whether this is a folder in which the episode may write: of the machine's, it is the root
    /// and what is known of the home folder.
    #[must_use]
    pub fn is_writable(&self, path: impl AsRef<str>) -> bool {
        let folder = self.resolve(path);
        let below_home = folder.strip_prefix(HOME_FOLDER);
        folder == "/"
            || self.is_folder(&folder)
                && (!is_of_machine(&folder)
                    || below_home.is_some_and(|rest| rest.is_empty() || rest.starts_with('/')))
    }

    /// The names in a folder, sorted, each with whether it is a folder.
    #[must_use]
    pub fn names_in(&self, path: impl AsRef<str>) -> Vec<(String, bool)> {
        let below = format!("{}/", self.resolve(path).trim_end_matches('/'));
        let mut names: BTreeMap<&str, bool> = BTreeMap::new();
        for file in self.paths_below(&below) {
            let rest = file.strip_prefix(&below).unwrap_or(file);
            match rest.split_once('/') {
                Some((folder, _)) => names.insert(folder, true),
                None => names.insert(rest, false),
            };
        }
        for folder in self.folders.range(below.clone()..) {
            let Some(rest) = folder.strip_prefix(&below) else {
                break;
            };
            names.insert(rest.split('/').next().unwrap_or(rest), true);
        }
        names
            .into_iter()
            .map(|(name, is_folder)| (name.to_owned(), is_folder))
            .collect()
    }

    fn paths_below(&self, below: &str) -> impl Iterator<Item = &str> {
        self.files
            .range(below.to_owned()..)
            .map(|(path, _)| path.as_str())
            .take_while(move |path| path.starts_with(below))
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
        self.bytes
    }

    /// The folder that relative paths start in.
    #[must_use]
    pub fn working_folder(&self) -> &str {
        &self.working_folder
    }

    /// Changes the folder that relative paths start in, which need not be there.
    pub fn set_working_folder(&mut self, path: impl AsRef<str>) {
        self.working_folder = self.resolve(path);
    }

    /// The absolute path that a path means.
    #[must_use]
    pub fn resolve(&self, path: impl AsRef<str>) -> String {
        let path = path.as_ref();
        if path.starts_with('/') || self.working_folder == "/" {
            normalize(path)
        } else {
            normalize(&format!("{}/{path}", self.working_folder))
        }
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
        files.set_working_folder("/a");
        assert_eq!(files.read("b/c.csv"), Some("x"));
    }

    #[test]
    fn folders_of_the_machine_hold_more_than_what_was_written() {
        let mut files = VirtualFiles::new();
        files.write("/root/.kube/x", "");
        files.make_folder("/data/made");
        for (folder, complete, writable) in [
            ("/", false, true),
            ("/tmp", true, true),
            ("/root", false, true),
            ("/root/.kube", false, true),
            ("/etc", false, false),
            ("/data/made", true, true),
        ] {
            assert!(files.is_folder(folder), "{folder}");
            assert_eq!(files.is_complete(folder), complete, "{folder}");
            assert_eq!(files.is_writable(folder), writable, "{folder}");
        }
        assert!(!files.is_known("/root/.kube/config") && !files.is_folder("/root/other"));
    }

    #[test]
    fn folders_are_listed_and_removed() {
        let mut files = VirtualFiles::new();
        files.write("/tmp/a/b", "123");
        files.make_folder("/tmp/a/d/e");
        files.write(
            "/tmp/a",
            "shadowed by nothing: files and folders are kept apart",
        );
        files.remove("/tmp/a");
        assert_eq!(
            files.names_in("/tmp/a"),
            [("b".to_owned(), false), ("d".to_owned(), true)]
        );
        assert!(files.is_folder("/tmp/a/d") && files.is_known("/tmp/x"));
        assert!(!files.is_known("/etc/hosts") && !files.is_known("/x"));
        files.set_working_folder("/tmp");
        assert!(!files.is_known("/x") && files.is_known("x"));
        files.remove_folder("/tmp/a");
        assert_eq!((files.names_in("/tmp"), files.bytes()), (vec![], 0));
    }
}
