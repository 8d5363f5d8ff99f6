//! The spans that Jaeger has: asked in windows small enough to stay under its limit.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use std::time::Duration;

use aiopslab_datasets::Visibility;
use aiopslab_datasets::rows;
use serde_json::json;
use tokio::time::sleep;

use super::coverage::{Covered, Outage};
use super::jaeger;
use super::sink::Sink;
use super::{Context, Report, SECOND};
use crate::cluster::ClusterError;

/// Traces per answer; an answer with so many may lack some.
const LIMIT: usize = 1000;
/// Microseconds of a second.
const SECOND_US: i64 = SECOND / 1000;
/// Longest window that is asked for at once.
const LONGEST_WINDOW_US: i64 = 15 * SECOND_US;
/// In how many windows a long time is asked for.
const MOST_WINDOWS: i64 = 60;
/// Shortest window that is still halved.
const SHORTEST_WINDOW_US: i64 = 1000;
/// Pauses before the last sweep is given up: a Jaeger that was killed comes back.
const PAUSES: [u64; 4] = [2, 4, 8, 16];
/// How late spans arrive: exporters and Jaeger batch them.
const LATENESS_US: i64 = 20 * SECOND_US;

struct Traces {
    context: Arc<Context>,
    sink: Sink<rows::Span>,
    /// Hashes of the spans that were written, with their start.
    seen: HashMap<u64, i64>,
    /// Those that the sweep under way has met.
    met: HashSet<u64>,
    outage: Outage,
    /// Spans whose parent had not arrived when they were read: Jaeger says so in their warnings, and
    /// says something else once it has. They are written when it has, at the latest in the end.
    orphans: BTreeMap<u64, rows::Span>,
    reasons: Vec<String>,
    services: Vec<String>,
}

/// Asks until the context stops, and once more for the whole window.
pub(super) async fn record(context: Arc<Context>, sink: Sink<rows::Span>) -> Report {
    let start = context.since / 1000;
    let mut traces = Traces {
        context: Arc::clone(&context),
        sink,
        seen: HashMap::new(),
        met: HashSet::new(),
        outage: Outage::default(),
        orphans: BTreeMap::new(),
        reasons: Vec::new(),
        services: Vec::new(),
    };
    let mut since = start;
    loop {
        tokio::select! {
            () = context.stop.cancelled() => break,
            () = sleep(context.options.traces_interval) => {}
        }
        let now = context.now() / 1000;
        // Errors are temporary here: the last sweep asks for everything again.
        if traces.sweep(since.max(start), now).await.is_ok() {
            since = now - LATENESS_US;
        }
    }
    let end = context.now() / 1000;
    traces.met.clear();
    for pause in PAUSES.map(Some).into_iter().chain([None]) {
        match (traces.sweep(start, end).await, pause) {
            (Ok(()), _) => {
                traces.note_vanished();
                break;
            }
            (Err(_), Some(pause)) => sleep(Duration::from_secs(pause)).await,
            // What was not yet asked for when it last answered is missing.
            (Err(error), None) => traces.outage.failed(since * 1000, error.to_string()),
        }
    }
    for row in std::mem::take(&mut traces.orphans).into_values() {
        traces.put(row).await;
    }
    let covered = Covered::recorded("spans", "jaeger", "")
        .since(context.since)
        .with_holes(traces.outage.into_holes())
        .unless(traces.reasons);
    let jaeger = json!({"api": "v1", "services": traces.services});
    Report {
        covered: vec![covered],
        versions: std::collections::BTreeMap::from([("jaeger".to_owned(), jaeger)]),
    }
}

impl Traces {
    /// Writes every span of every service that is not known yet.
    async fn sweep(&mut self, from: i64, to: i64) -> Result<(), ClusterError> {
        let context = Arc::clone(&self.context);
        let place = (&context.jaeger, context.namespace.as_str());
        let services = jaeger::services(&context.cluster, place).await?;
        // A window that is full is halved, so that a long time can be asked for in few questions.
        let longest = LONGEST_WINDOW_US.max((to - from) / MOST_WINDOWS);
        for service in &services {
            let mut windows = Vec::new();
            let mut end = to;
            while end > from {
                let start = (end - longest).max(from);
                windows.push((start, end));
                end = start;
            }
            while let Some((start, end)) = windows.pop() {
                let is_whole = self.window(service, start, end).await?;
                if is_whole {
                    continue;
                }
                if end - start <= SHORTEST_WINDOW_US {
                    let reason = format!(
                        "more than {LIMIT} traces of {service} within {} µs",
                        end - start
                    );
                    self.reasons.push(reason);
                    continue;
                }
                let middle = start + (end - start) / 2;
                windows.push((middle, end));
                windows.push((start, middle));
            }
        }
        self.services = services;
        Ok(())
    }

    /// Writes what is new in a window; says whether the answer had all of it.
    async fn window(&mut self, service: &str, start: i64, end: i64) -> Result<bool, ClusterError> {
        let context = Arc::clone(&self.context);
        let place = (&context.jaeger, context.namespace.as_str());
        let answer = jaeger::traces(&context.cluster, place, service, start..end, LIMIT).await?;
        let is_whole = answer.data.len() < LIMIT;
        for trace in answer.data {
            for span in trace.spans {
                let mut hasher = DefaultHasher::new();
                (&span.trace_id, &span.span_id, span.start_time).hash(&mut hasher);
                let hash = hasher.finish();
                self.met.insert(hash);
                if self.seen.contains_key(&hash) {
                    continue;
                }
                let start = span.start_time * 1000;
                let Some(row) = jaeger::span(span, &trace.processes) else {
                    self.seen.insert(hash, start);
                    self.sink.lose(1);
                    continue;
                };
                if is_orphan(&row) {
                    self.orphans.insert(hash, row);
                    continue;
                }
                self.seen.insert(hash, start);
                self.orphans.remove(&hash);
                self.put(row).await;
            }
        }
        Ok(is_whole)
    }

    /// Notes that Jaeger has lost spans: it was restarted, or has no room for all. Of the time
    /// between the latest that is gone and the earliest that is there, some may never have been seen.
    fn note_vanished(&mut self) {
        let gone = self
            .seen
            .iter()
            .filter(|(hash, _)| !self.met.contains(*hash));
        let Some(latest) = gone.map(|(_, start)| *start).max() else {
            return;
        };
        let there = self
            .seen
            .iter()
            .filter(|(hash, _)| self.met.contains(*hash));
        let earliest = there
            .map(|(_, start)| *start)
            .filter(|start| *start > latest)
            .min();
        let reason = "Jaeger lost spans that it had: it was restarted, or had no room".to_owned();
        self.outage.failed(latest, reason);
        self.outage.over(earliest.unwrap_or(i64::MAX));
    }

    async fn put(&self, mut span: rows::Span) {
        let redacted = self.context.redaction.span(&mut span);
        self.sink.put(span, Visibility::Visible, redacted).await;
    }
}

/// Whether Jaeger had the span but not its parent, in the words of its clock skew adjuster
/// (`jaegertracing/jaeger`, `adjuster/clockskew.go`).
fn is_orphan(span: &rows::Span) -> bool {
    let warnings = span.warnings.as_deref().unwrap_or_default();
    warnings.contains("invalid parent span IDs=")
}
