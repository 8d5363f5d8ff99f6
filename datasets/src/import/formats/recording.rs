//! Sources that are one recording in some files of any name: what is read of a folder, or one file.

use camino::{Utf8Path, Utf8PathBuf};

use crate::files;
use crate::import::engine::incident::{Found, Incident, Part};
use crate::import::engine::sheet::Sheet;
use crate::import::{ImportError, LeftOut};

/// What the files of such a source are.
pub(super) struct Recording {
    /// Name of the format, of the incident and of the application.
    pub(super) name: &'static str,
    pub(super) sheet: &'static Sheet,
    /// Ends of the names of files; a compressed file has a further one.
    pub(super) endings: &'static [&'static str],
    /// The namespace of rows that tell none; empty: they have none.
    pub(super) namespace: &'static str,
    /// What the source should be, what it has, and the way out.
    pub(super) what: &'static str,
    pub(super) missing: &'static str,
    pub(super) hint: &'static str,
}

/// Ends of compressed files.
const COMPRESSED: [&str; 3] = ["", ".gz", ".zst"];

impl Recording {
    /// The files below a folder, in the order of their paths, or the one file that is named, whatever its name.
    pub(super) fn find(&self, source: &Utf8Path) -> Result<Found, ImportError> {
        let mut unread = Vec::new();
        let mut parts = Vec::new();
        let mut root = None;
        if let (true, Some(name)) = (source.is_file(), source.file_name()) {
            let parent = source.parent().filter(|path| !path.as_str().is_empty());
            root = Some(parent.map_or_else(|| Utf8PathBuf::from("."), Utf8Path::to_owned));
            parts.push(Part::new(name, self.sheet));
        }
        if root.is_none() {
            for path in files::list_below(source)? {
                match self.is_ours(&path) {
                    true => parts.push(Part::new(path, self.sheet)),
                    false => unread.push(LeftOut {
                        what: path.into_string(),
                        reason: format!("its name does not end in {}", self.endings.join(", ")),
                    }),
                }
            }
        }
        if parts.is_empty() {
            return Err(ImportError::NotASource {
                dir: source.to_owned(),
                what: self.what,
                missing: self.missing,
                hint: self.hint,
            });
        }
        let mut found = Found::recording(self.name, self.name, parts, unread);
        found.root = root;
        for Incident { namespace, .. } in &mut found.incidents {
            self.namespace.clone_into(namespace);
        }
        Ok(found)
    }

    fn is_ours(&self, path: &Utf8Path) -> bool {
        let ends = |ending: &str| {
            let mut compressed = COMPRESSED.iter();
            compressed.any(|more| path.as_str().ends_with(&format!("{ending}{more}")))
        };
        self.endings.iter().any(|ending| ends(ending))
    }
}
