//! A running cluster as an environment: AIOpsLab's seven actions, in the shapes of a replay.

use aiopslab_problems::action::Action;
use aiopslab_problems::answer;
use aiopslab_problems::environment::{Environment, EnvironmentError, Observation, Verdict};
use aiopslab_problems::family::Application;
use async_trait::async_trait;
use jiff::Timestamp;

use super::toolbox::{Ran, Toolbox};
use crate::cluster::{Cluster, ClusterError};
use crate::error::CaptureError;
use crate::journal;
use crate::visibility::VisibilityRules;

/// A running application that an agent acts on. Every episode has its own: files and call numbers are
/// its state.
pub struct LiveEnvironment {
    pub(super) cluster: Cluster,
    pub(super) application: Application,
    pub(super) rules: VisibilityRules,
    /// Answer exactly as AIOpsLab does, its mistakes included.
    pub(super) upstream_quirks: bool,
    pub(super) calls: u32,
    /// What is older belongs to an earlier problem or deployment.
    pub(super) since: Timestamp,
    toolbox: Toolbox,
}

impl LiveEnvironment {
    pub(super) fn new(
        cluster: &Cluster,
        application: &Application,
        since: Timestamp,
        toolbox: Toolbox,
        upstream_quirks: bool,
    ) -> Self {
        Self {
            cluster: cluster.clone(),
            application: application.clone(),
            rules: VisibilityRules::of_capture(journal::NAMESPACE, journal::NAME_PREFIX),
            upstream_quirks,
            calls: 0,
            since,
            toolbox,
        }
    }

    /// Takes over from another environment: its number of actions and its files.
    ///
    /// # Errors
    /// When the cluster fails.
    pub async fn take_over(
        &mut self,
        calls: u32,
        files: &[(String, String)],
    ) -> Result<(), CaptureError> {
        self.calls = calls;
        Ok(self.toolbox.write(files).await?)
    }

    /// Exports files to where the agent's shell sees them.
    pub(super) async fn export(&self, files: &[(String, String)]) -> Result<(), CaptureError> {
        Ok(self.toolbox.write(files).await?)
    }

    async fn exec_shell(
        &mut self,
        command: &str,
        timeout: i64,
    ) -> Result<Observation, CaptureError> {
        // AIOpsLab refuses what never ends; ours stops it, as a replay does.
        if self.upstream_quirks
            && let Some(refusal) = answer::refused_command(command)
        {
            return Ok(Observation::new(refusal, Verdict::Denied));
        }
        let ran = match self.toolbox.run(command, timeout).await {
            Ok(ran) => ran,
            // A command may take its own shell down, by using up its memory for example.
            Err(error) => match self.toolbox.is_ready().await {
                Ok(true) => return Ok(no_answer(&error)),
                _ => {
                    self.toolbox.restart().await?;
                    return Ok(lost_shell());
                }
            },
        };
        let verdict = if ran.is_partial {
            Verdict::Partial
        } else {
            Verdict::Answered
        };
        let Ran {
            stdout,
            stderr,
            exit_code,
            ..
        } = ran;
        let text = if self.upstream_quirks {
            answer::shell_text_upstream(&stdout, &stderr, exit_code)
        } else {
            answer::shell_text(&stdout, &stderr)
        };
        Ok(Observation::new(text, verdict))
    }

    async fn read_table(
        &self,
        path: &str,
        missing: String,
        kind: &str,
    ) -> Result<Observation, CaptureError> {
        let csv = self.toolbox.read(path).await?;
        Ok(Observation::table(csv.as_deref(), missing, kind))
    }

    async fn answer(&mut self, action: &Action) -> Result<Observation, CaptureError> {
        match action {
            Action::GetLogs { namespace, service } => self.get_logs(namespace, service).await,
            Action::GetMetrics {
                namespace,
                duration,
            } => self.get_metrics(namespace, *duration).await,
            Action::GetTraces {
                namespace,
                duration,
            } => self.get_traces(namespace, *duration).await,
            Action::ExecShell { command, timeout } => self.exec_shell(command, *timeout).await,
            Action::ReadMetrics { file_path } => {
                let missing = answer::metrics_file_not_found(file_path);
                self.read_table(file_path, missing, "metrics").await
            }
            Action::ReadTraces { file_path } => {
                let missing = answer::traces_file_not_found(file_path);
                self.read_table(file_path, missing, "traces").await
            }
            Action::QuerySql { .. } => Ok(Observation::no_query_sql()),
            Action::Submit { .. } => Ok(Observation::submitted()),
        }
    }
}

/// What the agent reads when a backend says nothing: it is not told where its shell comes from.
fn no_answer(error: &ClusterError) -> Observation {
    Observation::new(
        format!("Error: the shell did not answer: {error}"),
        Verdict::NotCaptured,
    )
}

fn lost_shell() -> Observation {
    Observation::new(
        "notice: the shell broke down during this command and was started anew, without its files\n",
        Verdict::NotCaptured,
    )
}

#[async_trait]
impl Environment for LiveEnvironment {
    async fn act(&mut self, action: &Action) -> Result<Observation, EnvironmentError> {
        self.calls += 1;
        self.answer(action).await.map_err(|error| EnvironmentError {
            action: action.name(),
            source: Box::new(error),
        })
    }

    fn is_live(&self) -> bool {
        true
    }
}
