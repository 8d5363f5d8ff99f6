//! `withheld/probes.jsonl.zst`: what the live system answered at the end of the fault window, so
//! that a replay can be compared with it.
//!
//! One JSON object a line, compressed with zstd: `zstdcat probes.jsonl.zst | jq` reads it.

use camino::{Utf8Path, Utf8PathBuf};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::error::{Result, SnapshotError};
use crate::files;
use crate::writer::WITHHELD;

/// Name of the document below `withheld/`.
pub const PROBES_FILE: &str = "probes.jsonl.zst";
/// Written once and read often.
const COMPRESSION_LEVEL: i32 = 19;

/// A question to the live system, with its answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Probe {
    /// What the question is about.
    pub tool: Tool,
    /// Which kind of question of that tool, e.g. `get table`.
    pub kind: String,
    /// The API server's time just before it was asked.
    pub before: Timestamp,
    /// The API server's time just after it was answered.
    pub after: Timestamp,
    /// How often it was asked; the answer is the last one's.
    pub attempts: u32,
    /// Whether objects changed meanwhile, each time.
    pub moving: bool,
    /// Question and answer.
    #[serde(flatten)]
    pub exchange: Exchange,
}

/// What a probe is about, and so what replays it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Tool {
    /// Objects, through kubectl.
    Kubectl,
    /// Log lines, through `kubectl logs`.
    Logs,
    /// Spans, through Jaeger's query API.
    Jaeger,
    /// Samples, through Prometheus' query API.
    Prometheus,
}

impl Tool {
    /// Every one, in the order of reports.
    pub const ALL: [Self; 4] = [Self::Kubectl, Self::Logs, Self::Jaeger, Self::Prometheus];

    /// Its name in documents and reports.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Kubectl => "kubectl",
            Self::Logs => "logs",
            Self::Jaeger => "jaeger",
            Self::Prometheus => "prometheus",
        }
    }
}

/// A question and its answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Exchange {
    /// A command.
    Command {
        /// The program's name and its arguments.
        argv: Vec<String>,
        /// Its exit code.
        exit_code: i32,
        /// What it printed.
        stdout: String,
        /// What it printed as errors.
        stderr: String,
    },
    /// An HTTP request.
    Request {
        /// Path and query.
        path: String,
        /// Status code.
        status: u16,
        /// Body.
        body: String,
    },
}

fn path(dir: &Utf8Path) -> Utf8PathBuf {
    dir.join(WITHHELD).join(PROBES_FILE)
}

/// Writes the probes of a snapshot, in the order given.
pub(crate) fn write(dir: &Utf8Path, probes: &[Probe]) -> Result<()> {
    let path = path(dir);
    let mut lines = Vec::new();
    for probe in probes {
        serde_json::to_writer(&mut lines, probe).map_err(|cause| SnapshotError::Json {
            path: path.clone(),
            cause,
        })?;
        lines.push(b'\n');
    }
    let bytes = zstd::encode_all(lines.as_slice(), COMPRESSION_LEVEL)
        .map_err(|cause| SnapshotError::io("compress", &path, cause))?;
    files::create_parent(&path)?;
    files::write_atomically(&path, &bytes)
}

/// Reads the probes of a snapshot; none: it has no such document.
pub(crate) fn read(dir: &Utf8Path) -> Result<Option<Vec<Probe>>> {
    let path = path(dir);
    let file = match files::open(&path) {
        Err(SnapshotError::MissingFile { .. }) => return Ok(None),
        file => file?,
    };
    let lines =
        zstd::decode_all(file).map_err(|cause| SnapshotError::io("decompress", &path, cause))?;
    let probes = serde_json::Deserializer::from_slice(&lines).into_iter();
    let probes: std::result::Result<_, _> = probes.collect();
    probes
        .map(Some)
        .map_err(|cause| SnapshotError::Json { path, cause })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn probe(exchange: Exchange) -> Probe {
        Probe {
            tool: Tool::Kubectl,
            kind: "get table".to_owned(),
            before: "2026-11-24T06:00:00.5Z".parse().unwrap(),
            after: "2026-11-24T06:00:00.75Z".parse().unwrap(),
            attempts: 2,
            moving: false,
            exchange,
        }
    }

    #[test]
    fn a_line_is_one_flat_object() {
        let command = probe(Exchange::Command {
            argv: vec!["kubectl".to_owned(), "version".to_owned()],
            exit_code: 0,
            stdout: "v\n".to_owned(),
            stderr: String::new(),
        });
        let expected = json!({
            "tool": "kubectl", "kind": "get table", "attempts": 2, "moving": false,
            "before": "2026-11-24T06:00:00.5Z", "after": "2026-11-24T06:00:00.75Z",
            "argv": ["kubectl", "version"], "exit_code": 0, "stdout": "v\n", "stderr": "",
        });
        let value: Value = serde_json::to_value(&command).unwrap();
        assert_eq!(value, expected);
    }

    #[test]
    fn probes_come_back_as_they_were_written() {
        let folder = tempfile::tempdir().unwrap();
        let dir = Utf8Path::from_path(folder.path()).unwrap();
        assert_eq!(read(dir).unwrap(), None);
        let request = Exchange::Request {
            path: "/api/services".to_owned(),
            status: 200,
            body: "{}".to_owned(),
        };
        let probes = vec![probe(request.clone()), probe(request)];
        write(dir, &probes).unwrap();
        assert_eq!(read(dir).unwrap(), Some(probes));
    }
}
