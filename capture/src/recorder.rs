//! The recorders: side by side from before the baseline until after the fault window, each feeds
//! the rows of its source to the snapshot's writer.
//!
//! Inputs: a cluster, an application, options. Outputs: rows with coverage, counts, versions.
//! Nothing is dropped silently: what could not be read is counted as lost or told by coverage.

mod access;
mod changes;
mod clocks;
mod context;
mod coverage;
mod exec;
mod follower;
mod instances;
pub(crate) mod jaeger;
mod log_lines;
mod logs;
mod metrics;
mod objects;
mod options;
mod prometheus;
mod range_query;
mod remote_read;
mod scrapes;
mod selector;
mod sink;
mod starter;
mod table;
mod traces;
mod usage;
mod weight;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use aiopslab_datasets::manifest::{RecorderCounts, Redaction};
use aiopslab_datasets::rows::Coverage;
use aiopslab_datasets::{SnapshotWriter, Visibility};
use aiopslab_problems::family::Application;
use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::cluster::{Cluster, ClusterError};
use crate::progress::SharedProgress;
use crate::redact_rules::RedactRules;
use context::{
    Context, check_sources, learn_secrets, nanoseconds, nanoseconds_of, new_context, rfc3339,
};
use coverage::Covered;
use sink::{Budget, Collector};
use starter::{AtEnd, Starter};

pub use options::{ExecCommand, Kind, RecorderOptions, UnknownKind};

/// Nanoseconds of a second.
const SECOND: i64 = 1_000_000_000;
/// How long the state at the start may take to be read.
const READY_WITHIN: Duration = Duration::from_secs(60);

/// A recorder can't start, or could not go on.
#[derive(Debug, thiserror::Error)]
pub enum RecorderError {
    /// The cluster said no.
    #[error(transparent)]
    Cluster(#[from] ClusterError),
    /// A source of telemetry is not there.
    #[error(
        "no {what} at service {service} in namespace {namespace}: {source}\nhint: install it, name another in the application's file, or go on with --without {kind}"
    )]
    NoSource {
        /// Its name.
        what: &'static str,
        /// Namespace of its Service.
        namespace: String,
        /// Its Service, with the port.
        service: String,
        /// The recorder to leave out.
        kind: Kind,
        /// What it said instead.
        #[source]
        source: ClusterError,
    },
    /// An option can't be read.
    #[error("failed to read option {option}: {reason}")]
    Option {
        /// The option.
        option: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The state at the start could not be read in time.
    #[error(
        "the objects of the cluster were not listed within {0:?}\nhint: is the API server overloaded?"
    )]
    NotReady(Duration),
    /// The recording broke off.
    #[error("the recording broke off: {0}")]
    Broken(String),
}

/// What one recorder came to, besides its rows.
#[derive(Default)]
struct Report {
    covered: Vec<Covered>,
    versions: BTreeMap<String, Value>,
}

/// Recorders at work.
pub struct Recording {
    context: Arc<Context>,
    writer: Arc<SnapshotWriter>,
    collectors: Vec<Collector>,
    tasks: Vec<(Kind, JoinHandle<Result<Report, ClusterError>>)>,
    at_end: AtEnd,
}

/// What a recording came to.
#[derive(Debug, Clone, Default)]
pub struct RecordingOutcome {
    /// What became of the rows, by table.
    pub counts: BTreeMap<String, RecorderCounts>,
    /// Versions of what was recorded from.
    pub versions: BTreeMap<String, Value>,
    /// Clocks against ours.
    pub clock_offsets: BTreeMap<String, Value>,
    /// How it was recorded.
    pub settings: Value,
    /// What was redacted.
    pub redaction: Redaction,
}

impl Recording {
    /// Starts the recorders; returns when the state at the start is known.
    pub async fn start(
        cluster: &Cluster,
        application: &Application,
        writer: Arc<SnapshotWriter>,
        options: RecorderOptions,
        progress: SharedProgress,
    ) -> Result<Self, RecorderError> {
        let context = Arc::new(new_context(cluster, application, options)?);
        check_sources(&context).await?;
        learn_secrets(&context).await;
        let mut starter = Starter {
            context,
            writer,
            progress,
            budget: Budget::default(),
            collectors: Vec::new(),
            tasks: Vec::new(),
        };
        let (ready, all_ready) = mpsc::channel(1);
        let at_end = starter.start_all(ready);
        let Starter {
            context,
            writer,
            collectors,
            tasks,
            ..
        } = starter;
        let recording = Self {
            context,
            writer,
            collectors,
            tasks,
            at_end,
        };
        match recording.wait_until_ready(all_ready).await {
            Ok(()) => Ok(recording),
            Err(error) => {
                recording.stop().await;
                Err(error)
            }
        }
    }

    async fn wait_until_ready(&self, mut ready: mpsc::Receiver<()>) -> Result<(), RecorderError> {
        // Nothing is ever sent: the channel closes when the last recorder is ready.
        let all_ready = timeout(READY_WITHIN, ready.recv());
        tokio::select! {
            () = self.context.failure.happened() => self.check(),
            result = all_ready => {
                result.map(|_| ()).map_err(|_| RecorderError::NotReady(READY_WITHIN))
            }
        }
    }

    /// Says whether the recording still goes on (a full disk ends it).
    pub fn check(&self) -> Result<(), RecorderError> {
        match self.context.failure.reason() {
            Some(reason) => Err(RecorderError::Broken(reason.to_owned())),
            None => Ok(()),
        }
    }

    /// What the recorders have begun to cover; the ends are not known yet.
    #[must_use]
    pub fn begun(&self) -> Vec<Coverage> {
        self.context.begun.rows()
    }

    /// Whether a recorder was not left out.
    pub(crate) fn records(&self, kind: Kind) -> bool {
        !self.context.options.without.contains(&kind)
    }

    /// Whether a recorder saw a visible object change in a window.
    pub(crate) fn objects_changed(&self, from: Timestamp, to: Timestamp) -> bool {
        let window = nanoseconds_of(from)..=nanoseconds_of(to);
        self.context.changes.any_in(&window)
    }

    /// What is replaced in everything that is written.
    pub(crate) fn redaction(&self) -> &Arc<RedactRules> {
        &self.context.redaction
    }

    /// The time by the API server's clock.
    pub(crate) fn now(&self) -> Timestamp {
        Timestamp::from_nanosecond(i128::from(self.context.now())).unwrap_or_default()
    }

    /// Returns when the recording can't go on; never, if all is well.
    pub async fn broken(&self) {
        self.context.failure.happened().await;
    }

    async fn stop(self) {
        self.context.stop.cancel();
        for (_, task) in self.tasks {
            task.await.ok();
        }
        drop(self.at_end);
        for collector in self.collectors {
            collector.finish().await;
        }
    }

    /// Asks what is asked at the end, stops the recorders and writes coverage of the window.
    pub async fn finish(
        self,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<RecordingOutcome, RecorderError> {
        let (from, to) = (
            nanoseconds_of(from).min(self.context.start),
            nanoseconds_of(to),
        );
        let mut report = Report::default();
        if let Some(sink) = self.at_end.exec {
            report
                .covered
                .extend(exec::record(&self.context, &sink).await);
        }
        self.context.stop.cancel();
        for (kind, task) in self.tasks {
            match task.await {
                Ok(Ok(part)) => {
                    report.covered.extend(part.covered);
                    report.versions.extend(part.versions);
                }
                Ok(Err(error)) => {
                    self.context
                        .failure
                        .set(format!("recorder {kind}: {error}"));
                }
                Err(error) => self
                    .context
                    .failure
                    .set(format!("recorder {kind}: {error}")),
            }
        }
        if let Some((series, samples)) = self.at_end.metrics {
            let window = (from.min(self.context.since), to);
            let part = metrics::record(&self.context, window, &series, &samples).await;
            report.covered.extend(part);
        }
        let mut counts = BTreeMap::new();
        for collector in self.collectors {
            let (table, of_table) = collector.finish().await;
            counts.insert(table.to_owned(), of_table);
        }
        report.covered.extend(left_out(&self.context.options));
        let mut rows: Vec<Coverage> = report
            .covered
            .into_iter()
            .flat_map(|covered| {
                let holes = self.context.clocks.holes(covered.table(), to);
                covered.with_holes(holes).rows(from, to)
            })
            .collect();
        // What a server said may repeat what it was asked.
        for reason in rows.iter_mut().filter_map(|row| row.reason.as_mut()) {
            self.context.redaction.text(reason);
        }
        if let Err(error) = self.writer.append_rows(Visibility::Visible, &rows) {
            self.context.failure.set(error.to_string());
        }
        if let Some(reason) = self.context.failure.reason() {
            return Err(RecorderError::Broken(reason.to_owned()));
        }
        report.versions.insert(
            "kubernetes".to_owned(),
            self.context.cluster.version().clone(),
        );
        Ok(RecordingOutcome {
            counts,
            versions: report.versions,
            clock_offsets: clock_offsets(&self.context),
            settings: settings(&self.context),
            redaction: self.context.redaction.record(),
        })
    }
}

/// Coverage of the recorders that were left out.
fn left_out(options: &RecorderOptions) -> Vec<Covered> {
    let tables = |kind: Kind| -> &'static [&'static str] {
        match kind {
            Kind::Objects => &["object_versions", "object_api"],
            Kind::Logs => &["log_instances", "log_lines"],
            Kind::Metrics => &["metric_series", "metric_samples", "metric_metadata"],
            Kind::Traces => &["spans"],
            Kind::Usage => &["usage"],
            Kind::Exec => &["exec"],
        }
    };
    let missing = |kind: Kind| {
        let left_out = format!("recorder {kind} was left out");
        let reason = options.absent.get(&kind).unwrap_or(&left_out).clone();
        let all = tables(kind).iter();
        all.map(move |table| Covered::missing(table, kind.source(), "", &reason))
    };
    options
        .without
        .iter()
        .flat_map(|kind| missing(*kind))
        .collect()
}

fn clock_offsets(context: &Context) -> BTreeMap<String, Value> {
    let server = context.cluster.clock_offset();
    let mut offsets = context.clocks.offsets(server);
    offsets.insert("kubernetes".to_owned(), server);
    let json = |clock| serde_json::to_value(clock).unwrap_or_default();
    let offsets = offsets.into_iter();
    offsets.map(|(name, clock)| (name, json(clock))).collect()
}

fn settings(context: &Context) -> Value {
    json!({
        "without": context.options.without.iter().map(|kind| kind.name()).collect::<Vec<_>>(),
        "metrics_selectors": context.options.selectors(&context.namespaces),
        "metrics_before_start_s": metrics::BEFORE_START / SECOND,
        "log_namespaces": context.options.log_namespaces(&context.namespace),
        "usage_interval_s": context.options.usage_interval.as_secs(),
        "traces_interval_s": context.options.traces_interval.as_secs(),
        "objects": {"managed_fields": "dropped", "openapi": "left out"},
    })
}

#[cfg(test)]
mod tests;
