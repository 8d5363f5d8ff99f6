//! Spans as Jaeger's query API (v1) tells them, mapped to OpenTelemetry's terms.

use std::collections::HashSet;

use aiopslab_datasets::rows::Span;
use aiopslab_problems::family::Endpoint;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::cluster::{Cluster, ClusterError};

/// Services of the tracing system itself.
const OWN_SERVICES: [&str; 4] = [
    "jaeger",
    "jaeger-query",
    "jaeger-all-in-one",
    "jaeger-collector",
];

/// Where Jaeger is, and the namespace that is meant if its endpoint names none.
pub(crate) type Place<'a> = (&'a Endpoint, &'a str);

/// The services that Jaeger has traces of, sorted, without its own.
pub(crate) async fn services(
    cluster: &Cluster,
    (jaeger, namespace): Place<'_>,
) -> Result<Vec<String>, ClusterError> {
    let answer = cluster
        .proxy_json(jaeger, namespace, "/api/services")
        .await?;
    let mut services: Vec<String> = answer["data"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|name| name.as_str().map(str::to_owned))
        .filter(|name| !OWN_SERVICES.contains(&name.as_str()))
        .collect();
    services.sort();
    Ok(services)
}

/// The traces that touch a service and started in a window (microseconds), at most `limit`.
pub(crate) async fn traces(
    cluster: &Cluster,
    (jaeger, namespace): Place<'_>,
    service: &str,
    window: std::ops::Range<i64>,
    limit: usize,
) -> Result<Answer, ClusterError> {
    let service: String = url::form_urlencoded::byte_serialize(service.as_bytes()).collect();
    let (start, end) = (window.start, window.end);
    let path = format!("/api/traces?service={service}&start={start}&end={end}&limit={limit}");
    let headers = [("accept", "application/json")];
    let answer = cluster
        .proxy(
            jaeger,
            namespace,
            http::Method::GET,
            &path,
            &headers,
            Vec::new(),
        )
        .await?;
    serde_json::from_slice(&answer.body).map_err(|error| ClusterError::Nonsense {
        path,
        reason: error.to_string(),
    })
}

/// The answer to a search.
#[derive(Debug, Deserialize)]
pub(crate) struct Answer {
    #[serde(default, deserialize_with = "null_is_empty")]
    pub(super) data: Vec<Trace>,
}

impl Answer {
    /// Leaves out the traces that were seen before, and remembers the others.
    pub(crate) fn forget(&mut self, seen: &mut HashSet<String>) {
        self.data.retain(|trace| {
            let mut spans = trace.spans.iter();
            spans
                .next()
                .is_some_and(|span| seen.insert(span.trace_id.clone()))
        });
    }

    /// Every span of the traces.
    pub(crate) fn into_spans(self) -> impl Iterator<Item = Span> {
        self.data.into_iter().flat_map(|trace| {
            let processes = trace.processes;
            let spans = trace.spans.into_iter();
            spans
                .filter_map(|one| span(one, &processes))
                .collect::<Vec<_>>()
        })
    }
}

/// A trace with all its spans.
#[derive(Debug, Deserialize)]
pub(super) struct Trace {
    #[serde(default, deserialize_with = "null_is_empty")]
    pub(super) spans: Vec<JaegerSpan>,
    #[serde(default)]
    pub(super) processes: std::collections::BTreeMap<String, Process>,
}

/// A span.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct JaegerSpan {
    #[serde(rename = "traceID")]
    pub(super) trace_id: String,
    #[serde(rename = "spanID")]
    pub(super) span_id: String,
    #[serde(default)]
    flags: u32,
    operation_name: String,
    #[serde(default, deserialize_with = "null_is_empty")]
    references: Vec<Reference>,
    /// Microseconds.
    pub(super) start_time: i64,
    /// Microseconds.
    duration: i64,
    #[serde(default, deserialize_with = "null_is_empty")]
    tags: Vec<Tag>,
    #[serde(default, deserialize_with = "null_is_empty")]
    logs: Vec<Log>,
    #[serde(rename = "processID")]
    process_id: String,
    #[serde(default, deserialize_with = "null_is_empty")]
    warnings: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Reference {
    ref_type: String,
    #[serde(rename = "traceID")]
    trace_id: String,
    #[serde(rename = "spanID")]
    span_id: String,
}

/// What the spans of one process share.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Process {
    service_name: String,
    #[serde(default, deserialize_with = "null_is_empty")]
    tags: Vec<Tag>,
}

#[derive(Debug, Clone, Deserialize)]
struct Tag {
    key: String,
    #[serde(default)]
    r#type: String,
    value: Value,
}

#[derive(Debug, Deserialize)]
struct Log {
    /// Microseconds.
    timestamp: i64,
    #[serde(default, deserialize_with = "null_is_empty")]
    fields: Vec<Tag>,
}

/// Go writes an empty list as null.
fn null_is_empty<'de, D, T>(deserializer: D) -> Result<Vec<T>, D::Error>
where
    D: serde::Deserializer<'de>,
    T: Deserialize<'de>,
{
    Option::<Vec<T>>::deserialize(deserializer).map(Option::unwrap_or_default)
}

impl Tag {
    fn text(&self) -> String {
        match &self.value {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        }
    }

    fn json(&self) -> Value {
        json!({"key": self.key, "type": self.r#type, "value": self.value})
    }
}

fn attributes<'a>(tags: impl Iterator<Item = &'a Tag>) -> String {
    Value::Array(tags.map(Tag::json).collect()).to_string()
}

/// Takes the first tag of a name out of the list.
fn take(tags: &mut Vec<Tag>, key: &str) -> Option<String> {
    let index = tags.iter().position(|tag| tag.key == key)?;
    Some(tags.remove(index).text())
}

/// Pads an id with the zeros that Jaeger leaves out.
fn padded(id: &str, digits: usize) -> String {
    format!("{id:0>digits$}")
}

/// Maps a span; none if it belongs to a process that the trace does not tell of.
pub(super) fn span(
    span: JaegerSpan,
    processes: &std::collections::BTreeMap<String, Process>,
) -> Option<Span> {
    let process = processes.get(&span.process_id)?;
    let mut tags = span.tags;
    let kind = take(&mut tags, "span.kind").unwrap_or_else(|| "unspecified".to_owned());
    let (status, message) = take_status(&mut tags);
    let scope = take(&mut tags, "otel.scope.name").or_else(|| take(&mut tags, "otel.library.name"));
    let scope_version =
        take(&mut tags, "otel.scope.version").or_else(|| take(&mut tags, "otel.library.version"));
    let scope = scope.map(|name| json!({"name": name, "version": scope_version}).to_string());
    let parent = span
        .references
        .iter()
        .position(|it| it.ref_type == "CHILD_OF" && it.trace_id == span.trace_id);
    let links = span
        .references
        .iter()
        .enumerate()
        .filter(|(index, _)| Some(*index) != parent);
    let links = links.map(|(_, link)| {
        json!({"trace_id": padded(&link.trace_id, 32), "span_id": padded(&link.span_id, 16)})
    });
    let start = span.start_time.saturating_mul(1000);
    let service = json!({"key": "service.name", "type": "string", "value": process.service_name});
    let mut resource = vec![service];
    resource.extend(process.tags.iter().map(Tag::json));
    let warnings = (!span.warnings.is_empty()).then(|| json!(span.warnings).to_string());
    Some(Span {
        trace_id: padded(&span.trace_id, 32),
        span_id: padded(&span.span_id, 16),
        parent_span_id: parent
            .and_then(|index| span.references.get(index))
            .map(|parent| padded(&parent.span_id, 16)),
        service: process.service_name.clone(),
        operation: span.operation_name,
        kind,
        start,
        end: start.saturating_add(span.duration.max(0).saturating_mul(1000)),
        status,
        message,
        attributes: attributes(tags.iter()),
        resource: Value::Array(resource).to_string(),
        scope,
        events: Value::Array(span.logs.into_iter().map(event).collect()).to_string(),
        links: Value::Array(links.collect()).to_string(),
        flags: span.flags,
        warnings,
        source: "jaeger".to_owned(),
    })
}

/// Status and its message; `error` is what Jaeger adds to a failed OpenTelemetry span.
fn take_status(tags: &mut Vec<Tag>) -> (String, Option<String>) {
    let code = take(tags, "otel.status_code");
    let message = take(tags, "otel.status_description");
    let is_error = |tags: &[Tag]| {
        tags.iter()
            .any(|it| it.key == "error" && it.text() == "true")
    };
    let status = match code.as_deref() {
        Some("ERROR") => {
            if is_error(tags) {
                take(tags, "error");
            }
            "error"
        }
        Some("OK") => "ok",
        _ if is_error(tags) => "error",
        _ => "unset",
    };
    (status.to_owned(), message)
}

fn event(log: Log) -> Value {
    let mut fields = log.fields;
    let name = take(&mut fields, "event").unwrap_or_default();
    let attributes: Vec<_> = fields.iter().map(Tag::json).collect();
    json!({
        "time": log.timestamp.saturating_mul(1000),
        "name": name,
        "attributes": attributes,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn first(answer: Value) -> Span {
        let answer: Answer = serde_json::from_value(answer).unwrap();
        let trace = answer.data.into_iter().next().unwrap();
        span(trace.spans.into_iter().next().unwrap(), &trace.processes).unwrap()
    }

    #[test]
    fn otel_fields_come_back_out_of_the_tags() {
        let row = first(json!({"data": [{"traceID": "ab", "spans": [{
            "traceID": "ab", "spanID": "1", "flags": 1, "operationName": "GET /rates",
            "references": [{"refType": "CHILD_OF", "traceID": "ab", "spanID": "2"},
                {"refType": "FOLLOWS_FROM", "traceID": "cd", "spanID": "3"}],
            "startTime": 1_700_000_000_000_001_i64, "duration": 250,
            "tags": [
                {"key": "http.route", "type": "string", "value": "/rates"},
                {"key": "http.route", "type": "string", "value": "again"},
                {"key": "http.status_code", "type": "int64", "value": 500},
                {"key": "span.kind", "type": "string", "value": "server"},
                {"key": "otel.status_code", "type": "string", "value": "ERROR"},
                {"key": "otel.status_description", "type": "string", "value": "refused"},
                {"key": "error", "type": "bool", "value": true},
                {"key": "otel.scope.name", "type": "string", "value": "testbed"}],
            "logs": [{"timestamp": 5, "fields": [
                {"key": "event", "type": "string", "value": "exception"},
                {"key": "level", "type": "string", "value": "warn"}]}],
            "processID": "p1", "warnings": null}],
            "processes": {"p1": {"serviceName": "rate", "tags": [
                {"key": "pod", "type": "string", "value": "rate-1"}]}}}]}));
        assert_eq!(row.trace_id, format!("{:0>32}", "ab"));
        assert_eq!(row.parent_span_id.as_deref(), Some("0000000000000002"));
        assert_eq!(
            (row.kind.as_str(), row.status.as_str()),
            ("server", "error")
        );
        assert_eq!(row.message.as_deref(), Some("refused"));
        assert_eq!(
            (row.start, row.end - row.start),
            (1_700_000_000_000_001_000, 250_000)
        );
        assert_eq!(
            row.attributes,
            concat!(
                r#"[{"key":"http.route","type":"string","value":"/rates"},"#,
                r#"{"key":"http.route","type":"string","value":"again"},"#,
                r#"{"key":"http.status_code","type":"int64","value":500}]"#
            )
        );
        assert!(
            row.resource.starts_with(r#"[{"key":"service.name""#),
            "{}",
            row.resource
        );
        assert!(
            row.events.contains(r#""name":"exception""#),
            "{}",
            row.events
        );
        assert!(
            row.links.contains(&format!("{:0>32}", "cd")),
            "{}",
            row.links
        );
        assert_eq!(
            row.scope.as_deref(),
            Some(r#"{"name":"testbed","version":null}"#)
        );
        assert_eq!(row.warnings, None);
    }

    #[test]
    fn spans_of_other_tracers_keep_their_error_tag() {
        let row = first(json!({"data": [{"spans": [{
            "traceID": "ab", "spanID": "1", "operationName": "x", "startTime": 1, "duration": 1,
            "tags": [{"key": "error", "type": "bool", "value": true}], "processID": "p1"}],
            "processes": {"p1": {"serviceName": "a"}}}]}));
        assert_eq!(
            (row.kind.as_str(), row.status.as_str()),
            ("unspecified", "error")
        );
        assert!(row.attributes.contains("error"));
        assert_eq!(row.parent_span_id, None);
    }

    #[test]
    fn no_traces_are_null() {
        let answer: Answer = serde_json::from_str(r#"{"data":null,"total":0}"#).unwrap();
        assert!(answer.data.is_empty());
    }
}
