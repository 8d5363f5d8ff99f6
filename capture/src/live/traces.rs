//! `get_traces`: spans as a CSV file, from Jaeger.

use std::collections::{BTreeMap, HashSet};

use aiopslab_datasets::rows::Span;
use aiopslab_problems::answer::{self, TraceSpan};
use aiopslab_problems::environment::{Observation, Verdict};
use jiff::Timestamp;

use super::environment::LiveEnvironment;
use crate::cluster::ClusterError;
use crate::error::CaptureError;
use crate::recorder::jaeger::{self, Place};

/// Jaeger ignores the window that AIOpsLab asks for and takes this one, in microseconds.
const JAEGER_WINDOW_US: i64 = 2 * 24 * 3_600_000_000;
/// How many traces of a service Jaeger returns where no limit is asked for.
const JAEGER_LIMIT: usize = 100;
/// How many traces of a service are asked for at most.
const LIMIT: usize = 20_000;

impl LiveEnvironment {
    /// The spans that ended by now: ours within the window and each once; AIOpsLab's once for every
    /// service that their trace touches, whatever the window.
    pub(super) async fn get_traces(
        &self,
        namespace: &str,
        duration: i64,
    ) -> Result<Observation, CaptureError> {
        let now = Timestamp::now().as_microsecond();
        let start = match answer::window_start(now.saturating_mul(1000), duration) {
            Ok(start) => (start / 1000).max(self.since.as_microsecond()),
            Err(text) => return Ok(Observation::new(text, Verdict::Invalid)),
        };
        let collected_in = &self.application.namespace;
        if !self.upstream_quirks && namespace != collected_in {
            let text = answer::no_traces_in(namespace, collected_in);
            return Ok(Observation::new(text, Verdict::Invalid));
        }
        let rows = if self.upstream_quirks {
            self.spans_upstream(now).await
        } else {
            self.spans_within(start, now).await
        };
        let rows = match rows {
            Ok(rows) => rows,
            Err(error) => {
                let text = format!("Error: the traces could not be read: {error}");
                return Ok(Observation::new(text, Verdict::NotCaptured));
            }
        };
        let path = answer::traces_path(self.calls);
        let file = (path.clone(), answer::traces_csv(&rows));
        self.export(&[file]).await?;
        let verdict = if rows.is_empty() {
            Verdict::Empty
        } else {
            Verdict::Answered
        };
        Ok(Observation::new(answer::traces_message(&path), verdict))
    }

    fn jaeger(&self) -> Place<'_> {
        (&self.application.jaeger, &self.application.namespace)
    }

    /// Every span that started in the window and has ended, by start, trace and span.
    async fn spans_within(&self, start: i64, now: i64) -> Result<Vec<TraceSpan>, ClusterError> {
        let place = self.jaeger();
        let mut seen = HashSet::new();
        let mut spans: BTreeMap<(i64, String, String), Span> = BTreeMap::new();
        for service in jaeger::services(&self.cluster, place).await? {
            // A trace comes whole, with each service that it touches.
            let mut traces =
                jaeger::traces(&self.cluster, place, &service, start..now, LIMIT).await?;
            traces.forget(&mut seen);
            for span in traces.into_spans() {
                if span.start >= start.saturating_mul(1000) && span.end <= now.saturating_mul(1000)
                {
                    let key = (span.start, span.trace_id.clone(), span.span_id.clone());
                    spans.insert(key, span);
                }
            }
        }
        let rows = spans.values().map(|span| row(span, &answer::RESPONSE_KEYS));
        Ok(rows.collect())
    }

    /// Service by service, the newest traces that touch it.
    async fn spans_upstream(&self, now: i64) -> Result<Vec<TraceSpan>, ClusterError> {
        let place = self.jaeger();
        let mut rows = Vec::new();
        for service in jaeger::services(&self.cluster, place).await? {
            let start = now.saturating_sub(JAEGER_WINDOW_US);
            let traces = jaeger::traces(&self.cluster, place, &service, start..now, JAEGER_LIMIT);
            let spans = traces.await?.into_spans();
            rows.extend(spans.map(|span| row(&span, &answer::RESPONSE_KEYS_UPSTREAM)));
        }
        Ok(rows)
    }
}

fn row(span: &Span, response_keys: &[&str]) -> TraceSpan {
    TraceSpan {
        trace_id: span.trace_id.clone(),
        span_id: span.span_id.clone(),
        parent_span_id: span.parent_span_id.clone(),
        service: span.service.clone(),
        operation: span.operation.clone(),
        start_us: span.start / 1000,
        duration_us: span.end.saturating_sub(span.start) / 1000,
        has_error: span.status == "error" || answer::marks_error(&span.attributes),
        response: answer::response(&span.attributes, response_keys),
    }
}
