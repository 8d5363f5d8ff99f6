//! The recorders: side by side from before the baseline until after the fault window, each feeds
//! the rows of its source to the snapshot's writer.
//!
//! Inputs: a cluster, an application, options. Outputs: rows with coverage, counts, versions.
//! Nothing is dropped silently: what could not be read is counted as lost or told by coverage.

mod access;
mod changes;
mod clocks;
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
mod table;
mod traces;
mod usage;
mod weight;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use aiopslab_datasets::manifest::{RecorderCounts, Redaction};
use aiopslab_datasets::rows::{
    Coverage, Exec, LogInstance, LogLine, MetricMetadata, MetricSample, MetricSeries, ObjectApi,
    ObjectVersion, Row, Span, Usage,
};
use aiopslab_datasets::{SnapshotWriter, Visibility};
use aiopslab_problems::family::{Application, Endpoint};
use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use crate::cluster::{Cluster, ClusterError};
use crate::progress::SharedProgress;
use crate::redact_rules::RedactRules;
use crate::visibility::VisibilityRules;
use changes::Changes;
use clocks::Clocks;
use coverage::{Begun, Covered};
use sink::{Budget, Collector, Failure, Sink};
use weight::Weight;

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

/// What the recorders share.
struct Context {
    cluster: Cluster,
    namespace: String,
    /// All that are recorded, the application's first.
    namespaces: Vec<String>,
    service_label: String,
    prometheus: Endpoint,
    jaeger: Endpoint,
    options: RecorderOptions,
    visibility: VisibilityRules,
    redaction: Arc<RedactRules>,
    stop: CancellationToken,
    failure: Failure,
    begun: Begun,
    changes: Changes,
    clocks: Clocks,
    /// When recording began, by the API server's clock.
    start: i64,
    /// From when on what is kept elsewhere is read; the start, unless it is read back.
    since: i64,
}

impl Context {
    /// The time by the API server's clock.
    fn now(&self) -> i64 {
        nanoseconds_of(self.cluster.now())
    }

    /// Where the recorded objects of a namespaced kind are listed: `base` is the path of its group.
    fn collections(&self, base: &str, resource: &str) -> Vec<String> {
        if !self.options.confined {
            return vec![format!("{base}/{resource}")];
        }
        let namespaces = self.namespaces.iter();
        namespaces
            .map(|namespace| format!("{base}/namespaces/{namespace}/{resource}"))
            .collect()
    }
}

fn nanoseconds_of(time: Timestamp) -> i64 {
    i64::try_from(time.as_nanosecond()).unwrap_or(i64::MAX)
}

/// Reads a time as the API server writes it.
fn nanoseconds(text: &str) -> Option<i64> {
    text.parse::<Timestamp>().ok().map(nanoseconds_of)
}

/// Writes a time as the API server reads it.
fn rfc3339(nanoseconds: i64) -> String {
    Timestamp::from_nanosecond(i128::from(nanoseconds))
        .unwrap_or_default()
        .to_string()
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

/// The sinks of what is asked at the end.
struct AtEnd {
    metrics: Option<(Sink<MetricSeries>, Sink<MetricSample>)>,
    exec: Option<Sink<Exec>>,
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

fn new_context(
    cluster: &Cluster,
    application: &Application,
    options: RecorderOptions,
) -> Result<Context, RecorderError> {
    let redaction = RedactRules::new(options.redaction_key, &options.redact).map_err(|error| {
        RecorderError::Option {
            option: "redact".into(),
            reason: error.to_string(),
        }
    })?;
    for text in &options.metrics_selectors {
        selector::parse(text).map_err(|reason| RecorderError::Option {
            option: format!("metrics selector {text}"),
            reason,
        })?;
    }
    let mut visibility =
        VisibilityRules::of_capture(crate::journal::NAMESPACE, crate::journal::NAME_PREFIX);
    visibility.hidden.extend(options.hidden.iter().cloned());
    let start = nanoseconds_of(cluster.now());
    let back = options.since.unwrap_or_default().as_nanos();
    Ok(Context {
        namespaces: options.namespaces(&application.namespace),
        since: start.saturating_sub(i64::try_from(back).unwrap_or(i64::MAX)),
        cluster: cluster.clone(),
        namespace: application.namespace.clone(),
        service_label: application.service_label.clone(),
        prometheus: application.prometheus.clone(),
        jaeger: application.jaeger.clone(),
        options,
        visibility,
        redaction: Arc::new(redaction),
        stop: CancellationToken::new(),
        failure: Failure::default(),
        begun: Begun::default(),
        changes: Changes::default(),
        clocks: Clocks::default(),
        start,
    })
}

/// Reads what tells of secrets first, so that they are known wherever they turn up. What may not be
/// read is not recorded either.
async fn learn_secrets(context: &Context) {
    let (cluster, rules) = (&context.cluster, &context.redaction);
    for path in context.collections("/api/v1", "secrets") {
        let secrets = cluster.each_page(&path, |secrets| {
            secrets.iter().for_each(|secret| rules.learn(secret));
        });
        secrets.await.ok();
    }
    let settings = ["configmaps", "pods"];
    let settings = settings.map(|resource| context.collections("/api/v1", resource));
    for path in settings.into_iter().flatten() {
        let settings = cluster.each_page(&path, |objects| {
            let objects = objects.iter();
            objects.for_each(|object| rules.learn_settings(object));
        });
        settings.await.ok();
    }
}

/// Asks Prometheus and Jaeger whether they are there, before anything starts.
async fn check_sources(context: &Context) -> Result<(), RecorderError> {
    let sources = [
        (
            Kind::Metrics,
            "Prometheus",
            &context.prometheus,
            "/api/v1/status/buildinfo",
        ),
        (Kind::Traces, "Jaeger", &context.jaeger, "/api/services"),
    ];
    for (kind, what, endpoint, path) in sources {
        if context.options.without.contains(&kind) {
            continue;
        }
        let answer = context
            .cluster
            .proxy_json(endpoint, &context.namespace, path)
            .await;
        answer.map_err(|source| RecorderError::NoSource {
            what,
            namespace: endpoint
                .namespace
                .clone()
                .unwrap_or_else(|| context.namespace.clone()),
            service: endpoint.to_string(),
            kind,
            source,
        })?;
    }
    Ok(())
}

/// Makes sinks and tasks.
struct Starter {
    context: Arc<Context>,
    writer: Arc<SnapshotWriter>,
    progress: SharedProgress,
    budget: Budget,
    collectors: Vec<Collector>,
    tasks: Vec<(Kind, JoinHandle<Result<Report, ClusterError>>)>,
}

impl Starter {
    fn sink<R: Row + Weight + Send + Sync + 'static>(&mut self) -> Sink<R> {
        let failure = self.context.failure.clone();
        let (sink, collector) = Sink::open(
            Arc::clone(&self.writer),
            Arc::clone(&self.progress),
            failure,
            self.budget.clone(),
        );
        self.collectors.push(collector);
        sink
    }

    fn is_wanted(&self, kind: Kind) -> bool {
        !self.context.options.without.contains(&kind)
    }

    fn spawn(
        &mut self,
        kind: Kind,
        task: impl Future<Output = Result<Report, ClusterError>> + Send + 'static,
    ) {
        self.tasks.push((kind, tokio::spawn(task)));
    }

    fn start_all(&mut self, ready: mpsc::Sender<()>) -> AtEnd {
        let context = Arc::clone(&self.context);
        if self.is_wanted(Kind::Objects) {
            let (versions, api) = (self.sink::<ObjectVersion>(), self.sink::<ObjectApi>());
            let (context, ready) = (Arc::clone(&context), ready.clone());
            self.spawn(Kind::Objects, async move {
                let covered = objects::record(context, versions, api, ready).await?;
                Ok(Report {
                    covered,
                    ..Report::default()
                })
            });
        }
        if self.is_wanted(Kind::Logs) {
            let (lines, instances) = (self.sink::<LogLine>(), self.sink::<LogInstance>());
            let namespaces = context.options.log_namespaces(&context.namespace);
            let (context, ready) = (Arc::clone(&context), ready.clone());
            self.spawn(Kind::Logs, async move {
                let covered = logs::record(context, namespaces, lines, instances, ready).await;
                Ok(Report {
                    covered,
                    ..Report::default()
                })
            });
        }
        if self.is_wanted(Kind::Traces) {
            let spans = self.sink::<Span>();
            let context = Arc::clone(&context);
            self.spawn(Kind::Traces, async move {
                Ok(traces::record(context, spans).await)
            });
        }
        if self.is_wanted(Kind::Usage) {
            let usage = self.sink::<Usage>();
            let context = Arc::clone(&context);
            self.spawn(Kind::Usage, async move {
                Ok(usage::record(context, usage).await)
            });
        }
        let mut at_end = AtEnd {
            metrics: None,
            exec: None,
        };
        if self.is_wanted(Kind::Metrics) {
            let metadata = self.sink::<MetricMetadata>();
            let context = Arc::clone(&context);
            self.spawn(Kind::Metrics, async move {
                Ok(prometheus::record(context, metadata).await)
            });
            at_end.metrics = Some((self.sink(), self.sink()));
        }
        if self.is_wanted(Kind::Exec) {
            at_end.exec = Some(self.sink());
        }
        at_end
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
