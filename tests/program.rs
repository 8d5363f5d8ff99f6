//! Running the program as a user does, in a folder of its own.

use assert_cmd::Command;
use tempfile::TempDir;

/// Whether what lies outside of the project has to be there.
pub(crate) fn is_interop() -> bool {
    std::env::var("AIOPSLAB_INTEROP").is_ok_and(|value| value == "1")
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
