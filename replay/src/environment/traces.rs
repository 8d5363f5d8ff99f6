//! `get_traces`: spans as a CSV file.

use std::collections::{BTreeMap, BTreeSet};

use aiopslab_datasets::schema::Table;
use aiopslab_problems::answer::{self, TraceSpan};
use aiopslab_problems::environment::{Observation, Verdict};

use super::{ReplayEnvironment, window_start, window_verdict};
use crate::traces::{SpanRow, spans};
use crate::view::{View, ViewError};

/// Jaeger ignores the window that AIOpsLab asks for and takes this one.
const JAEGER_WINDOW_NS: i64 = 2 * 24 * 3_600_000_000_000;

/// How many traces of a service Jaeger returns where no limit is asked for.
const JAEGER_LIMIT: usize = 100;

/// Jaeger's own service, which AIOpsLab leaves out.
const JAEGER_SERVICE: &str = "jaeger-all-in-one";

impl ReplayEnvironment {
    /// The spans that ended by now: ours within the window and each once; AIOpsLab's once for every
    /// service that their trace touches, whatever the window.
    pub(super) async fn get_traces(
        &mut self,
        namespace: &str,
        duration: i64,
    ) -> Result<Observation, ViewError> {
        let now = self.recording.now();
        let start = match window_start(now, duration) {
            Ok(start) => start,
            Err(refusal) => return Ok(refusal),
        };
        let collected_in = &self.application.namespace;
        let is_recorded =
            namespace == collected_in || self.namespaces.iter().any(|it| it == namespace);
        if !self.upstream_quirks && !is_recorded {
            let text = answer::no_traces_in(namespace, collected_in);
            return Ok(Observation::new(text, Verdict::Invalid));
        }
        let since = if self.upstream_quirks {
            now.saturating_sub(JAEGER_WINDOW_NS)
        } else {
            start
        };
        let spans = spans(self.recording.tables(), since, now).await?;
        let rows: Vec<TraceSpan> = if self.upstream_quirks {
            upstream_order(&spans)
                .into_iter()
                .map(|span| row(span, &answer::RESPONSE_KEYS_UPSTREAM))
                .collect()
        } else {
            spans
                .iter()
                .map(|span| row(span, &answer::RESPONSE_KEYS))
                .collect()
        };
        let path = answer::traces_path(self.calls);
        self.files.write(&path, answer::traces_csv(&rows));
        let coverage = self.recording.coverage().await?;
        let covered = coverage.window(Table::Spans, &[("namespace", collected_in)], start);
        Ok(Observation::new(
            answer::traces_message(&path),
            window_verdict(covered, rows.is_empty()),
        ))
    }
}

/// Service by service, the newest traces that touch it, every span of them.
fn upstream_order(spans: &[SpanRow]) -> Vec<&SpanRow> {
    let mut traces: BTreeMap<&str, Vec<&SpanRow>> = BTreeMap::new();
    let mut services: BTreeMap<&str, BTreeSet<(i64, &str)>> = BTreeMap::new();
    for span in spans {
        traces.entry(&span.trace_id).or_default().push(span);
    }
    for (trace, spans) in &traces {
        let start = spans
            .iter()
            .map(|span| span.start)
            .min()
            .unwrap_or_default();
        for span in spans.iter().filter(|span| span.service != JAEGER_SERVICE) {
            services
                .entry(&span.service)
                .or_default()
                .insert((start, trace));
        }
    }
    let mut rows = Vec::new();
    for touching in services.into_values() {
        let skipped = touching.len().saturating_sub(JAEGER_LIMIT);
        for (_, trace) in touching.into_iter().skip(skipped) {
            rows.extend(traces.get(trace).into_iter().flatten().copied());
        }
    }
    rows
}

fn row(span: &SpanRow, response_keys: &[&str]) -> TraceSpan {
    TraceSpan {
        trace_id: span.trace_id.clone(),
        span_id: span.span_id.clone(),
        parent_span_id: span.parent_span_id.clone(),
        service: span.service.clone(),
        operation: span.operation.clone(),
        start_us: span.start / 1000,
        duration_us: span.end.saturating_sub(span.start) / 1000,
        has_error: span.is_error || answer::marks_error(&span.attributes),
        response: answer::response(&span.attributes, response_keys),
    }
}
