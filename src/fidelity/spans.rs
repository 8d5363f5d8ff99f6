//! Probes of Jaeger: what its query API answered, and the same of the recorded spans at a moment.
//!
//! Both become lines in a normal form, so that order and the way ids are written do not count.

use std::collections::{BTreeMap, BTreeSet};

use aiopslab_datasets::Snapshot;
use aiopslab_datasets::rows::{Row, Span};
use aiopslab_replay::clock::Clock;
use aiopslab_replay::sql;
use serde_json::{Map, Value, json};
use url::form_urlencoded;

use super::{Answer, Replayed};
use crate::exit::Failure;

/// What a path asks for.
enum Question {
    Services,
    Operations(String),
    Traces(BTreeMap<String, String>),
    Trace(String),
    Other,
}

impl Question {
    fn read(path: &str) -> Self {
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let parameters: BTreeMap<String, String> = form_urlencoded::parse(query.as_bytes())
            .into_owned()
            .collect();
        let parts: Vec<String> = path.split('/').skip(2).map(decoded).collect();
        let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
        match parts.as_slice() {
            ["services"] => Self::Services,
            ["services", service, "operations"] => Self::Operations((*service).to_owned()),
            ["operations"] => match parameters.get("service") {
                Some(service) => Self::Operations(service.clone()),
                None => Self::Other,
            },
            ["traces"] => Self::Traces(parameters),
            ["traces", id] => Self::Trace((*id).to_owned()),
            _ => Self::Other,
        }
    }
}

fn decoded(part: &str) -> String {
    let pair = format!("={}", part.replace('+', "%2B"));
    let mut decoded = form_urlencoded::parse(pair.as_bytes());
    decoded
        .next()
        .map(|(_, value)| value.into_owned())
        .unwrap_or_default()
}

/// What Jaeger answered, in the normal form.
pub(super) fn live(path: &str, status: u16, body: &str) -> Answer {
    let body: Value = serde_json::from_str(body).unwrap_or_default();
    let data = body["data"].as_array().map_or(&[][..], Vec::as_slice);
    let lines = match Question::read(path) {
        Question::Services => data.iter().map(plain).collect(),
        // One of the two paths tells the kind of span too, which the other does not know.
        Question::Operations(_) => data.iter().map(operation_name).collect(),
        _ => data.iter().flat_map(trace_lines).collect(),
    };
    answer(lines, status)
}

/// What the recorded spans answer at a moment.
pub(super) async fn replay(
    snapshot: &Snapshot,
    moment: i64,
    path: &str,
) -> Result<Replayed, Failure> {
    let clock = Clock::At(moment);
    let lines = match Question::read(path) {
        Question::Other => {
            return Ok(Replayed::NotCaptured(format!("nothing answers {path}")));
        }
        Question::Services => {
            let query = r#"SELECT * FROM spans WHERE "end" <= now()"#;
            let spans = read(snapshot, clock, query).await?;
            spans.into_iter().map(|span| span.service).collect()
        }
        Question::Operations(service) => {
            let query = format!(
                r#"SELECT * FROM spans WHERE "end" <= now() AND service = {}"#,
                literal(&service)
            );
            let spans = read(snapshot, clock, &query).await?;
            spans.into_iter().map(|span| span.operation).collect()
        }
        Question::Trace(id) => {
            let spans =
                traces(snapshot, clock, &format!("= {}", literal(&padded(&id, 32)))).await?;
            if spans.is_empty() {
                return Ok(Replayed::Answer(answer(BTreeSet::new(), 404)));
            }
            spans.iter().map(span_line).collect()
        }
        Question::Traces(parameters) => {
            let Some(condition) = condition(&parameters) else {
                return Ok(Replayed::NotCaptured(format!("nothing answers {path}")));
            };
            let ids =
                format!(r#"IN (SELECT trace_id FROM spans WHERE "end" <= now() AND {condition})"#);
            let spans = traces(snapshot, clock, &ids).await?;
            spans.iter().map(span_line).collect()
        }
    };
    Ok(Replayed::Answer(answer(lines, 200)))
}

async fn traces(snapshot: &Snapshot, clock: Clock, ids: &str) -> Result<Vec<Span>, Failure> {
    let query = format!(r#"SELECT * FROM spans WHERE "end" <= now() AND trace_id {ids}"#);
    read(snapshot, clock, &query).await
}

async fn read(snapshot: &Snapshot, clock: Clock, query: &str) -> Result<Vec<Span>, Failure> {
    let answer = sql(snapshot, clock, query).await?;
    let mut spans = Vec::new();
    for batch in &answer.batches {
        spans.extend(Span::from_batch(batch)?);
    }
    Ok(spans)
}

/// What a search asks of one span of a trace; none: something that we don't know.
fn condition(parameters: &BTreeMap<String, String>) -> Option<String> {
    let mut all = Vec::new();
    for (name, value) in parameters {
        let micros = || value.parse::<i64>().ok()?.checked_mul(1000);
        all.push(match name.as_str() {
            "service" => format!("service = {}", literal(value)),
            "operation" => format!("operation = {}", literal(value)),
            "start" => format!("CAST(start AS BIGINT) >= {}", micros()?),
            "end" => format!("CAST(start AS BIGINT) <= {}", micros()?),
            "minDuration" => {
                let least = value.strip_suffix("ms")?.parse::<i64>().ok()? * 1_000_000;
                format!(r#"CAST("end" AS BIGINT) - CAST(start AS BIGINT) >= {least}"#)
            }
            "tags" if value == r#"{"error":"true"}"# => "status = 'error'".to_owned(),
            // There are always fewer.
            "limit" => continue,
            _ => return None,
        });
    }
    Some(all.join(" AND "))
}

fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

fn answer(lines: BTreeSet<String>, status: u16) -> Answer {
    let mut stdout = String::new();
    for line in lines {
        stdout.push_str(&line);
        stdout.push('\n');
    }
    Answer {
        stdout,
        stderr: String::new(),
        exit_code: i32::from(status),
    }
}

fn plain(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn operation_name(value: &Value) -> String {
    match &value["name"] {
        Value::String(name) => name.clone(),
        _ => plain(value),
    }
}

fn padded(id: &str, digits: usize) -> String {
    format!("{id:0>digits$}")
}

/// The spans of a trace as Jaeger told it, a line each.
fn trace_lines(trace: &Value) -> Vec<String> {
    let spans = trace["spans"].as_array().into_iter().flatten();
    let line = |span: &Value| {
        let id = |value: &Value, digits| padded(&plain(value), digits);
        let process = &trace["processes"][plain(&span["processID"])];
        let references = span["references"].as_array().into_iter().flatten();
        let references = references.map(|reference| {
            let is_parent =
                reference["refType"] == "CHILD_OF" && reference["traceID"] == span["traceID"];
            let to = format!(
                "{}/{}",
                id(&reference["traceID"], 32),
                id(&reference["spanID"], 16)
            );
            (is_parent, to)
        });
        Normal {
            trace_id: id(&span["traceID"], 32),
            span_id: id(&span["spanID"], 16),
            operation: plain(&span["operationName"]),
            start_us: span["startTime"].as_i64().unwrap_or_default(),
            duration_us: span["duration"].as_i64().unwrap_or_default(),
            flags: span["flags"].as_u64().unwrap_or_default(),
            references: references.collect(),
            tags: tags(&span["tags"]),
            logs: logs(&span["logs"]),
            service: plain(&process["serviceName"]),
            process: tags(&process["tags"]),
            warnings: span["warnings"].as_array().cloned().unwrap_or_default(),
        }
        .line()
    };
    spans.map(line).collect()
}

/// A recorded span as Jaeger would tell it.
fn span_line(span: &Span) -> String {
    let json = |text: &str| -> Value { serde_json::from_str(text).unwrap_or_default() };
    let attributes = json(&span.attributes);
    let mut own = tags(&attributes);
    own.extend(added_tags(span, &attributes));
    own.sort();
    let parent = span.parent_span_id.as_ref();
    let parent = parent.map(|parent| (true, format!("{}/{parent}", span.trace_id)));
    let links = json(&span.links);
    let links = links.as_array().into_iter().flatten().map(|link| {
        let to = format!("{}/{}", plain(&link["trace_id"]), plain(&link["span_id"]));
        (false, to)
    });
    let events = json(&span.events);
    let events = events.as_array().into_iter().flatten().map(event);
    let resource = json(&span.resource);
    let resource: Vec<Value> = resource
        .as_array()
        .into_iter()
        .flatten()
        .skip(1)
        .cloned()
        .collect();
    let warnings = span.warnings.as_deref().map(json);
    Normal {
        trace_id: span.trace_id.clone(),
        span_id: span.span_id.clone(),
        operation: span.operation.clone(),
        start_us: span.start.div_euclid(1000),
        duration_us: (span.end - span.start).div_euclid(1000),
        flags: u64::from(span.flags),
        references: parent.into_iter().chain(links).collect(),
        tags: own,
        logs: events.collect(),
        service: span.service.clone(),
        process: tags(&Value::Array(resource)),
        warnings: warnings
            .and_then(|list| list.as_array().cloned())
            .unwrap_or_default(),
    }
    .line()
}

/// The tags that Jaeger makes of what OpenTelemetry has fields for.
fn added_tags(span: &Span, attributes: &Value) -> Vec<String> {
    let mut added = Vec::new();
    let mut add = |key: &str, kind: &str, value: Value| {
        added.push(tag(&json!({"key": key, "type": kind, "value": value})));
    };
    if span.kind != "unspecified" {
        add("span.kind", "string", json!(span.kind));
    }
    let mut attributes = attributes.as_array().into_iter().flatten();
    let is_told = attributes.any(|attribute| attribute["key"] == "error");
    match span.status.as_str() {
        "ok" => add("otel.status_code", "string", json!("OK")),
        // Other tracers have nothing but this attribute.
        "error" if !is_told => {
            add("otel.status_code", "string", json!("ERROR"));
            add("error", "bool", json!(true));
        }
        _ => {}
    }
    if let Some(message) = &span.message {
        add("otel.status_description", "string", json!(message));
    }
    let scope = span
        .scope
        .as_deref()
        .and_then(|text| serde_json::from_str::<Value>(text).ok());
    for (field, key) in [
        ("name", "otel.scope.name"),
        ("version", "otel.scope.version"),
    ] {
        let value = scope.as_ref().map(|scope| &scope[field]);
        if let Some(Value::String(text)) = value {
            add(key, "string", json!(text));
        }
    }
    added
}

/// An event as Jaeger's log entry.
fn event(event: &Value) -> (i64, Vec<String>) {
    let mut fields = tags(&event["attributes"]);
    let name = plain(&event["name"]);
    if !name.is_empty() {
        fields.push(tag(
            &json!({"key": "event", "type": "string", "value": name}),
        ));
    }
    fields.sort();
    let time = event["time"].as_i64().unwrap_or_default();
    (time.div_euclid(1000), fields)
}

fn logs(logs: &Value) -> Vec<(i64, Vec<String>)> {
    let logs = logs.as_array().into_iter().flatten();
    logs.map(|log| {
        (
            log["timestamp"].as_i64().unwrap_or_default(),
            tags(&log["fields"]),
        )
    })
    .collect()
}

/// Tags as sorted texts; repetitions stay.
fn tags(list: &Value) -> Vec<String> {
    let mut tags: Vec<String> = list.as_array().into_iter().flatten().map(tag).collect();
    tags.sort();
    tags
}

fn tag(tag: &Value) -> String {
    format!(
        "{}:{}={}",
        plain(&tag["key"]),
        plain(&tag["type"]),
        tag["value"]
    )
}

/// A span in the normal form.
struct Normal {
    trace_id: String,
    span_id: String,
    operation: String,
    start_us: i64,
    duration_us: i64,
    flags: u64,
    /// Whether it is the parent, and which span it is.
    references: Vec<(bool, String)>,
    tags: Vec<String>,
    logs: Vec<(i64, Vec<String>)>,
    service: String,
    process: Vec<String>,
    warnings: Vec<Value>,
}

impl Normal {
    fn line(mut self) -> String {
        self.references.sort();
        self.logs.sort();
        let mut line = Map::new();
        let fields = [
            ("trace", json!(self.trace_id)),
            ("span", json!(self.span_id)),
            ("service", json!(self.service)),
            ("operation", json!(self.operation)),
            ("start", json!(self.start_us)),
            ("duration", json!(self.duration_us)),
            ("flags", json!(self.flags)),
            ("references", json!(self.references)),
            ("tags", json!(self.tags)),
            ("logs", json!(self.logs)),
            ("process", json!(self.process)),
            ("warnings", json!(self.warnings)),
        ];
        for (name, value) in fields {
            line.insert(name.to_owned(), value);
        }
        Value::Object(line).to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_recorded_span_is_told_as_jaeger_tells_it() {
        let told = json!({"data": [{"traceID": "ab", "spans": [{
            "traceID": "ab", "spanID": "1", "flags": 1, "operationName": "GET /rates",
            "references": [{"refType": "CHILD_OF", "traceID": "ab", "spanID": "2"}],
            "startTime": 7, "duration": 250,
            "tags": [
                {"key": "span.kind", "type": "string", "value": "server"},
                {"key": "http.status_code", "type": "int64", "value": 500},
                {"key": "otel.status_code", "type": "string", "value": "ERROR"},
                {"key": "error", "type": "bool", "value": true},
                {"key": "otel.scope.name", "type": "string", "value": "testbed"}],
            "logs": [{"timestamp": 5, "fields": [
                {"key": "event", "type": "string", "value": "exception"},
                {"key": "level", "type": "string", "value": "warn"}]}],
            "processID": "p1", "warnings": null}],
            "processes": {"p1": {"serviceName": "rate", "tags": [
                {"key": "pod", "type": "string", "value": "rate-1"}]}}}]});
        let row = Span {
            trace_id: padded("ab", 32),
            span_id: padded("1", 16),
            parent_span_id: Some(padded("2", 16)),
            service: "rate".to_owned(),
            operation: "GET /rates".to_owned(),
            kind: "server".to_owned(),
            start: 7_000,
            end: 257_000,
            status: "error".to_owned(),
            message: None,
            attributes: r#"[{"key":"http.status_code","type":"int64","value":500}]"#.to_owned(),
            resource: concat!(
                r#"[{"key":"service.name","type":"string","value":"rate"},"#,
                r#"{"key":"pod","type":"string","value":"rate-1"}]"#
            )
            .to_owned(),
            scope: Some(r#"{"name":"testbed","version":null}"#.to_owned()),
            events: r#"[{"time":5000,"name":"exception","attributes":[{"key":"level","type":"string","value":"warn"}]}]"#.to_owned(),
            links: "[]".to_owned(),
            flags: 1,
            warnings: None,
            source: "jaeger".to_owned(),
        };
        let live = live("/api/traces/ab", 200, &told.to_string());
        assert_eq!(live.stdout, format!("{}\n", span_line(&row)));
    }

    #[test]
    fn searches_become_conditions() {
        let check = |path: &str, expected: Option<&str>| {
            let Question::Traces(parameters) = Question::read(path) else {
                panic!("{path} is a search");
            };
            assert_eq!(condition(&parameters).as_deref(), expected, "{path}");
        };
        check(
            "/api/traces?service=geo&start=5&end=7&limit=200",
            Some(
                "CAST(start AS BIGINT) <= 7000 AND service = 'geo' AND CAST(start AS BIGINT) >= 5000",
            ),
        );
        check(
            "/api/traces?service=it%27s&tags=%7B%22error%22%3A%22true%22%7D",
            Some("service = 'it''s' AND status = 'error'"),
        );
        check("/api/traces?service=geo&lookback=1h", None);
    }
}
