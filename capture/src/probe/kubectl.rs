//! The real kubectl, run with the capture's kubeconfig.

use std::process::Stdio;
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use serde_json::Value;
use tempfile::TempDir;
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::Command;
use tokio::time::timeout;

use crate::run::ClusterOptions;

/// How long one command may take: kubectl itself waits 20 seconds for a pod.
const TIME_LIMIT: Duration = Duration::from_secs(30);
/// How much one command may print.
const OUTPUT_LIMIT: u64 = 2 << 20;

/// A kubectl that was found.
pub(crate) struct Kubectl {
    program: Utf8PathBuf,
    cluster: ClusterOptions,
    /// Where it keeps what it knows of the server's API between commands.
    cache: TempDir,
}

/// What a command did.
pub(crate) struct Output {
    pub(crate) exit_code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Kubectl {
    /// Finds the program: the one that is named, else the one on the `PATH`.
    pub(crate) fn find(named: Option<&Utf8Path>, cluster: &ClusterOptions) -> Result<Self, String> {
        let program = match named {
            Some(named) if named.is_file() => named.to_owned(),
            Some(named) => return Err(format!("there is no kubectl at {named}")),
            None => on_path().ok_or("there is no kubectl on the PATH, and --kubectl names none")?,
        };
        let cache = tempfile::tempdir().map_err(|error| error.to_string())?;
        Ok(Self {
            program,
            cluster: cluster.clone(),
            cache,
        })
    }

    /// Where it is.
    pub(crate) fn program(&self) -> &Utf8Path {
        &self.program
    }

    /// Its version as it tells it, such as `v1.34.4`; none: it does not.
    pub(crate) async fn version(&self) -> Option<String> {
        let words = ["version", "--client", "--output=json"].map(str::to_owned);
        let output = self.run(&words).await.ok()?;
        let told: Value = serde_json::from_str(&output.stdout).ok()?;
        Some(told["clientVersion"]["gitVersion"].as_str()?.to_owned())
    }

    /// Runs it with the words that follow its name.
    pub(crate) async fn run(&self, words: &[String]) -> Result<Output, String> {
        let mut command = Command::new(&self.program);
        if let Some(context) = &self.cluster.context {
            command.arg("--context").arg(context);
        }
        if let Some(kubeconfig) = &self.cluster.kubeconfig {
            command.env("KUBECONFIG", kubeconfig);
        }
        command
            .args(words)
            .env("KUBECACHEDIR", self.cache.path())
            // Nobody's preferences, language or place changes what is printed.
            .env("KUBERC", "off")
            .env("LC_ALL", "C")
            .env("TZ", "UTC")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        let text = format!("kubectl {}", words.join(" "));
        match timeout(TIME_LIMIT, output_of(command)).await {
            Err(_) => Err(format!("{text} did not end within {TIME_LIMIT:?}")),
            Ok(Err(reason)) => Err(format!("{text}: {reason}")),
            Ok(Ok(output)) => Ok(output),
        }
    }
}

/// Major and minor version: `1.34` of `v1.34.4`.
pub(crate) fn minor(version: &str) -> &str {
    let version = version.trim_start_matches('v');
    let end = version.match_indices('.').nth(1);
    end.map_or(version, |(end, _)| &version[..end])
}

async fn output_of(mut command: Command) -> Result<Output, String> {
    let mut child = command.spawn().map_err(|error| error.to_string())?;
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    let (stdout, stderr) = tokio::join!(read(stdout), read(stderr));
    let (stdout, stderr) = (stdout?, stderr?);
    let status = child.wait().await.map_err(|error| error.to_string())?;
    let exit_code = status.code().ok_or("a signal ended it")?;
    Ok(Output {
        exit_code,
        stdout,
        stderr,
    })
}

async fn read(stream: Option<impl AsyncRead + Unpin>) -> Result<String, String> {
    let mut bytes = Vec::new();
    if let Some(stream) = stream {
        let mut limited = stream.take(OUTPUT_LIMIT + 1);
        let read = limited.read_to_end(&mut bytes).await;
        read.map_err(|error| error.to_string())?;
    }
    if bytes.len() as u64 > OUTPUT_LIMIT {
        return Err(format!("it printed more than {OUTPUT_LIMIT} bytes"));
    }
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn on_path() -> Option<Utf8PathBuf> {
    let name = format!("kubectl{}", std::env::consts::EXE_SUFFIX);
    let folders = std::env::var_os("PATH")?;
    std::env::split_paths(&folders)
        .filter_map(|folder| Utf8PathBuf::from_path_buf(folder.join(&name)).ok())
        .find(|path| path.is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_has_a_major_and_a_minor() {
        for (version, expected) in [
            ("v1.34.4", "1.34"),
            ("v1.32.4-dispatcher", "1.32"),
            ("", ""),
        ] {
            assert_eq!(minor(version), expected);
        }
    }

    #[test]
    fn a_program_that_is_not_there_is_named() {
        let named = Utf8Path::new("/nowhere/kubectl");
        let Err(reason) = Kubectl::find(Some(named), &ClusterOptions::default()) else {
            panic!("must not be found");
        };
        assert!(reason.contains("/nowhere/kubectl"), "{reason}");
    }
}
