//! What clients tried to change: refused, and written down.

use std::fs::File;
use std::io::Write;
use std::sync::{Mutex, PoisonError};

use aiopslab_replay::kubernetes::ResourcePath;
use serde_json::{Map, Value, json};

use super::protobuf;

/// Where attempted writes go: a file, or standard error.
pub struct WriteLog {
    file: Option<Mutex<File>>,
}

/// An attempted write.
pub(super) struct Attempt<'a> {
    pub(super) method: &'a str,
    pub(super) path: &'a str,
    pub(super) parameters: &'a [(String, String)],
    pub(super) resource: &'a ResourcePath,
    pub(super) content_type: &'a str,
    pub(super) user_agent: &'a str,
    /// The subcommand, which kubectl tells.
    pub(super) command: &'a str,
    pub(super) body: &'a [u8],
}

impl WriteLog {
    /// Writes to a file, a JSON object a line; without one, to standard error.
    #[must_use]
    pub fn new(file: Option<File>) -> Self {
        Self {
            file: file.map(Mutex::new),
        }
    }

    pub(super) fn record(&self, attempt: &Attempt<'_>) {
        let line = format!("{}\n", attempt.json());
        let written = match &self.file {
            Some(file) => file
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .write_all(line.as_bytes()),
            None => std::io::stderr().lock().write_all(line.as_bytes()),
        };
        if let Err(error) = written {
            tracing::error!(%error, "an attempted write could not be recorded: {line}");
        }
    }
}

impl Attempt<'_> {
    fn json(&self) -> Value {
        let mut parameters = Map::new();
        for (key, value) in self.parameters {
            parameters.insert(key.clone(), json!(value));
        }
        json!({
            "method": self.method,
            "path": self.path,
            "parameters": parameters,
            "group": self.resource.group,
            "version": self.resource.version,
            "resource": self.resource.resource,
            "namespace": self.resource.namespace,
            "name": self.resource.name,
            "subresource": self.resource.subresource,
            "content_type": self.content_type,
            "user_agent": self.user_agent,
            "command": self.command,
            "body": protobuf::body(self.body),
        })
    }
}
