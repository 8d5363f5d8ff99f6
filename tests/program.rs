//! Running the program as a user does, in a folder of its own.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Child, Stdio};

use aiopslab_datasets::release::ReleaseFile;
use assert_cmd::Command;
use tempfile::TempDir;

/// Whether what lies outside of the project has to be there.
pub(crate) fn is_interop() -> bool {
    std::env::var("AIOPSLAB_INTEROP").is_ok_and(|value| value == "1")
}

/// Starts a server with its face's arguments; it ends with its standard input.
pub(crate) fn serve(
    place: &Place,
    arguments: &[&str],
    face: &[&str],
    environment: &[(&str, &str)],
) -> Child {
    std::process::Command::new(assert_cmd::cargo::cargo_bin("aiopslab"))
        .arg("serve")
        .args(arguments)
        .args(face)
        .arg("--until-eof")
        .current_dir(place.path(""))
        .env_remove("AIOPSLAB_SNAPSHOTS")
        .env_remove("AIOPSLAB_API_KEY")
        .envs(environment.iter().copied())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

/// What a release lists of the files of a folder, by their paths within it.
pub(crate) fn listed(root: &Path) -> BTreeMap<String, ReleaseFile> {
    fn list(root: &Path, dir: &Path, files: &mut BTreeMap<String, ReleaseFile>) {
        for entry in std::fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                list(root, &path, files);
                continue;
            }
            let name = path.strip_prefix(root).unwrap().to_str().unwrap();
            let bytes = std::fs::read(&path).unwrap();
            files.insert(name.to_owned(), ReleaseFile::of(&bytes));
        }
    }
    let mut files = BTreeMap::new();
    list(root, root, &mut files);
    files
}

/// A folder to run the program in.
pub(crate) struct Place {
    dir: TempDir,
}

/// What a run came to.
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Place {
    pub(crate) fn new() -> Self {
        Self {
            dir: tempfile::tempdir().unwrap(),
        }
    }

    pub(crate) fn path(&self, name: &str) -> std::path::PathBuf {
        self.dir.path().join(name)
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Ran {
        let output = Command::cargo_bin("aiopslab")
            .unwrap()
            .args(arguments)
            .current_dir(self.dir.path())
            .env_remove("KUBECONFIG")
            .env_remove("AIOPSLAB_SNAPSHOTS")
            .env_remove("XDG_CACHE_HOME")
            .env("HOME", self.dir.path())
            .output()
            .unwrap();
        Ran {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// Runs and expects success.
    pub(crate) fn ok(&self, arguments: &[&str]) -> String {
        let ran = self.run(arguments);
        assert_eq!(ran.code, 0, "{arguments:?} failed: {}", ran.stderr);
        ran.stdout
    }

    /// Runs and expects that the command line itself is refused.
    pub(crate) fn refused_as_usage(&self, arguments: &[&str], says: &[&str]) {
        let ran = self.run(arguments);
        assert_eq!(ran.code, 2, "{arguments:?}: {}", ran.stderr);
        for part in says {
            assert!(ran.stderr.contains(part), "{arguments:?}: {}", ran.stderr);
        }
    }

    /// Runs and expects exit code 1 with all of these in the message.
    pub(crate) fn refused(&self, arguments: &[&str], says: &[&str]) {
        let ran = self.run(arguments);
        assert_eq!(ran.code, 1, "{arguments:?}: {}{}", ran.stdout, ran.stderr);
        let said = format!("{}{}", ran.stdout, ran.stderr);
        for part in says {
            assert!(
                said.contains(part),
                "{arguments:?} should say {part:?}: {}",
                ran.stderr
            );
        }
    }
}
