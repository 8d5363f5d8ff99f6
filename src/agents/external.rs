//! The agent in another process: one JSON line in, one JSON line out (`docs/agents.md`).

use std::process::Stdio;

use aiopslab_problems::episode::Usage;
use async_trait::async_trait;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

use super::{Agent, AgentError, Briefing, Response};

/// A response longer than this is no response.
const LONGEST_LINE: u64 = 4 << 20;

/// Starts its command for one episode and kills it at the end.
pub(super) struct External {
    command: String,
    process: Option<Process>,
}

struct Process {
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    // Dropped, and thereby killed, with the agent.
    _child: Child,
}

impl External {
    pub(super) fn new(command: String) -> Self {
        Self {
            command,
            process: None,
        }
    }

    fn broken(&self, what: impl Into<String>) -> AgentError {
        AgentError::Broken {
            command: self.command.clone(),
            what: what.into(),
        }
    }

    async fn tell(&mut self, message: &Value) -> Result<(), AgentError> {
        let line = format!("{message}\n");
        let written = match &mut self.process {
            Some(process) => process.input.write_all(line.as_bytes()).await,
            None => return Err(self.broken("was never started")),
        };
        written.map_err(|error| self.broken(format!("no longer reads: {error}")))
    }

    async fn hear(&mut self) -> Result<String, AgentError> {
        let Some(process) = &mut self.process else {
            return Err(self.broken("was never started"));
        };
        let mut line = Vec::new();
        let read = (&mut process.output)
            .take(LONGEST_LINE)
            .read_until(b'\n', &mut line)
            .await;
        match read {
            Ok(0) => Err(self.broken("ended without an answer")),
            Ok(_) if line.last() != Some(&b'\n') => {
                Err(self.broken("ended in the middle of a line, or wrote over 4 MiB"))
            }
            Ok(_) => Ok(String::from_utf8_lossy(&line).into_owned()),
            Err(error) => Err(self.broken(format!("can't be read: {error}"))),
        }
    }
}

/// What an agent that is not ours answers, by line or over HTTP.
#[derive(Deserialize)]
pub(super) struct Answer {
    response: String,
    usage: Option<Usage>,
}

impl From<Answer> for Response {
    fn from(answer: Answer) -> Self {
        Self {
            text: answer.response,
            thoughts: Vec::new(),
            usage: answer.usage,
        }
    }
}

#[async_trait]
impl Agent for External {
    async fn start(&mut self, briefing: &Briefing) -> Result<(), AgentError> {
        let start = |source| AgentError::Start {
            command: self.command.clone(),
            source,
        };
        let shell = if cfg!(windows) {
            ("cmd", "/C")
        } else {
            ("sh", "-c")
        };
        let mut child = Command::new(shell.0)
            .args([shell.1, &self.command])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(start)?;
        let (Some(input), Some(output)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(self.broken("has no standard input or output"));
        };
        self.process = Some(Process {
            input,
            output: BufReader::new(output),
            _child: child,
        });
        let mut message = serde_json::to_value(briefing).unwrap_or_default();
        message["type"] = json!("start");
        self.tell(&message).await
    }

    async fn respond(&mut self, observation: &str) -> Result<Response, AgentError> {
        self.tell(&json!({"type": "observation", "observation": observation}))
            .await?;
        let line = self.hear().await?;
        serde_json::from_str::<Answer>(&line)
            .map(Response::from)
            .map_err(|_| {
                let shown: String = line.trim_end().chars().take(200).collect();
                self.broken(format!(
                    "answered {shown:?}\nhint: an answer is one line of JSON, {{\"response\": \"text with one call\"}}"
                ))
            })
    }
}
