//! A snapshot as an environment: AIOpsLab's seven actions answered from the recording.

mod logs;
mod metrics;
mod traces;
mod without_objects;

use aiopslab_datasets::snapshot::Snapshot;
use aiopslab_problems::action::{Action, ActionSet};
use aiopslab_problems::answer;
use aiopslab_problems::environment::{Environment, EnvironmentError, Observation, Verdict};
use aiopslab_problems::family::Application;
use async_trait::async_trait;
use camino::Utf8Path;
use jiff::Timestamp;

use crate::clock::{ACTION_NS, Clock, time};
use crate::coverage::WindowCoverage;
use crate::error::Result;
use crate::files::VirtualFiles;
use crate::recording::Recording;
use crate::shell;
use crate::view::{View, ViewError};

/// How a snapshot is replayed.
#[derive(Debug, Clone)]
pub struct ReplayOptions {
    /// Which moment is now.
    pub clock: Clock,
    /// Answer exactly as AIOpsLab does, its mistakes included.
    pub upstream_quirks: bool,
    /// Show the rows, too, that are withheld from agents, as AIOpsLab would.
    pub upstream_visibility: bool,
    /// Which actions there are.
    pub action_set: ActionSet,
    /// The application that was recorded.
    pub application: Application,
}

impl ReplayOptions {
    /// The end of a recording of an application, with AIOpsLab's actions.
    #[must_use]
    pub fn new(application: Application) -> Self {
        Self {
            clock: Clock::End,
            upstream_quirks: false,
            upstream_visibility: false,
            action_set: ActionSet::Upstream,
            application,
        }
    }
}

/// A snapshot that an agent acts on. Every episode opens its own: files and call numbers are its state.
pub struct ReplayEnvironment {
    recording: Recording,
    files: VirtualFiles,
    upstream_quirks: bool,
    action_set: ActionSet,
    application: Application,
    /// The namespaces that were recorded.
    namespaces: Vec<String>,
    calls: u32,
    may_write: bool,
}

impl ReplayEnvironment {
    /// Opens the snapshot in a folder.
    pub fn open(dir: &Utf8Path, options: &ReplayOptions) -> Result<Self> {
        Self::new(&Snapshot::open(dir)?, options)
    }

    /// Serves an open snapshot; reads nothing but the times of the fault, if the clock needs them.
    pub fn new(snapshot: &Snapshot, options: &ReplayOptions) -> Result<Self> {
        let course = options.clock.course(snapshot)?;
        Ok(Self {
            recording: Recording::on_course(snapshot, course, options.upstream_visibility)?,
            files: VirtualFiles::new(),
            upstream_quirks: options.upstream_quirks,
            action_set: options.action_set,
            application: options.application.clone(),
            namespaces: snapshot.manifest().namespaces.clone(),
            calls: 0,
            may_write: false,
        })
    }

    /// The recording at the clock.
    #[must_use]
    pub fn view(&self) -> &dyn View {
        &self.recording
    }

    /// The files that actions wrote.
    #[must_use]
    pub fn files(&self) -> &VirtualFiles {
        &self.files
    }

    /// Whether the last action would have changed the cluster, or may have: what a command inside a
    /// container does is not known unless it was recorded.
    #[must_use]
    pub fn may_write(&self) -> bool {
        self.may_write
    }

    /// Actions so far.
    #[must_use]
    pub fn calls(&self) -> u32 {
        self.calls
    }

    /// Lets time pass up to a moment, where it can.
    fn pass(&mut self, moment: i64) {
        if self.recording.plays_until().is_some() && moment > self.recording.now() {
            self.recording = self.recording.at(moment);
        }
    }

    async fn exec_shell(&mut self, command: &str, timeout: i64) -> Result<Observation, ViewError> {
        if self.upstream_quirks
            && let Some(refusal) = answer::refused_command(command)
        {
            return Ok(Observation::new(refusal, Verdict::Denied));
        }
        let outcome = shell::run(&self.recording, &mut self.files, command, timeout).await?;
        self.pass(outcome.now);
        self.may_write = outcome.may_write;
        let text = if !self.upstream_quirks || outcome.verdict == Verdict::NotCaptured {
            outcome.text()
        } else {
            answer::shell_text_upstream(&outcome.stdout, &outcome.stderr, outcome.exit_code)
        };
        Ok(Observation::new(text, outcome.verdict))
    }

    fn read_table(&self, path: &str, missing: String, kind: &str) -> Observation {
        Observation::table(self.files.read(path), missing, kind)
    }
}

#[async_trait]
impl Environment for ReplayEnvironment {
    async fn act(&mut self, action: &Action) -> Result<Observation, EnvironmentError> {
        if self.calls > 0 {
            self.pass(self.recording.now().saturating_add(ACTION_NS));
        }
        self.calls += 1;
        self.may_write = false;
        let observation = match action {
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
                Ok(self.read_table(file_path, missing, "metrics"))
            }
            Action::ReadTraces { file_path } => {
                let missing = answer::traces_file_not_found(file_path);
                Ok(self.read_table(file_path, missing, "traces"))
            }
            Action::QuerySql { query } if self.action_set == ActionSet::Extended => {
                let answer = self.recording.query_sql(query).await;
                answer.map_err(ViewError::from)
            }
            Action::QuerySql { .. } => Ok(Observation::no_query_sql()),
            Action::Submit { .. } => Ok(Observation::submitted()),
        };
        observation.map_err(|error| EnvironmentError {
            action: action.name(),
            source: Box::new(error),
        })
    }

    fn now(&self) -> Option<Timestamp> {
        self.recording.plays_until()?;
        Some(time(self.recording.now()))
    }
}

/// Start of a window of minutes back from now, or what is wrong with it.
fn window_start(now: i64, minutes: i64) -> Result<i64, Observation> {
    answer::window_start(now, minutes).map_err(|text| Observation::new(text, Verdict::Invalid))
}

/// The verdict on an answer out of a window.
fn window_verdict(covered: WindowCoverage, is_empty: bool) -> Verdict {
    match (covered, is_empty) {
        (WindowCoverage::Whole, true) => Verdict::Empty,
        (WindowCoverage::Whole, false) => Verdict::Answered,
        (WindowCoverage::Part, _) => Verdict::Partial,
        (WindowCoverage::None, true) => Verdict::NotCaptured,
        (WindowCoverage::None, false) => Verdict::Partial,
    }
}

#[cfg(test)]
mod playing;
#[cfg(test)]
mod tests;
