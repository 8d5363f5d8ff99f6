//! Starting the recorders: a sink for each table, a task for each source.

use std::sync::Arc;

use aiopslab_datasets::SnapshotWriter;
use aiopslab_datasets::rows::{
    Exec, LogInstance, LogLine, MetricMetadata, MetricSample, MetricSeries, ObjectApi,
    ObjectVersion, Row, Span, Usage,
};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::context::Context;
use super::sink::{Budget, Collector, Sink};
use super::weight::Weight;
use super::{Kind, Report, logs, objects, prometheus, traces, usage};
use crate::cluster::ClusterError;
use crate::progress::SharedProgress;

/// Makes sinks and tasks.
pub(super) struct Starter {
    pub(super) context: Arc<Context>,
    pub(super) writer: Arc<SnapshotWriter>,
    pub(super) progress: SharedProgress,
    pub(super) budget: Budget,
    pub(super) collectors: Vec<Collector>,
    pub(super) tasks: Vec<(Kind, JoinHandle<Result<Report, ClusterError>>)>,
}

impl Starter {
    pub(super) fn sink<R: Row + Weight + Send + Sync + 'static>(&mut self) -> Sink<R> {
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

    pub(super) fn is_wanted(&self, kind: Kind) -> bool {
        !self.context.options.without.contains(&kind)
    }

    pub(super) fn spawn(
        &mut self,
        kind: Kind,
        task: impl Future<Output = Result<Report, ClusterError>> + Send + 'static,
    ) {
        self.tasks.push((kind, tokio::spawn(task)));
    }

    pub(super) fn start_all(&mut self, ready: mpsc::Sender<()>) -> AtEnd {
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

/// The sinks of what is asked at the end.
pub(super) struct AtEnd {
    pub(super) metrics: Option<(Sink<MetricSeries>, Sink<MetricSample>)>,
    pub(super) exec: Option<Sink<Exec>>,
}
