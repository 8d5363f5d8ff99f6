//! Log records. A log line is text: what a record has beside its body stands around it.

use serde::Deserialize;
use serde_json::Value;

use super::envelope::{OfResource, Resource};
use super::spans::hex;
use super::values::{KeyValue, digits, note_unknown, text_of, time};
use crate::import::engine::defects::{Notes, Rule, rules};
use crate::import::engine::documents::Taken;
use crate::import::engine::ids::trace_id;
use crate::import::engine::item::{Item, Log};
use crate::import::engine::names::service_of_pod;

const KIND: &str = "log records";

const OBSERVED_TIME: Rule = Rule::repaired(
    "time_is_when_observed",
    "a log record has no time of its own: the time at which the collector saw it is taken",
);
const AROUND_THE_LINE: Rule = Rule::noted(
    "record_around_line",
    "log lines have no columns for severity, attributes and ids of traces: a severity that the text does not have stands before it, the others after it as NAME=VALUE",
);

const FIELDS: [&str; 11] = [
    "timeUnixNano",
    "observedTimeUnixNano",
    "severityNumber",
    "severityText",
    "body",
    "attributes",
    "droppedAttributesCount",
    "flags",
    "traceId",
    "spanId",
    "eventName",
];
/// Attributes that the collector's receivers of container logs make; they say where the line was found.
const OF_THE_RECEIVER: [&str; 5] = [
    "log.iostream",
    "log.file.path",
    "log.file.name",
    "logtag",
    "time",
];

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Record {
    #[serde(deserialize_with = "digits")]
    time_unix_nano: String,
    #[serde(deserialize_with = "digits")]
    observed_time_unix_nano: String,
    severity_text: String,
    body: Value,
    attributes: Vec<KeyValue>,
    trace_id: String,
    span_id: String,
    event_name: String,
}

/// Takes the log records of a resource.
pub(super) fn read(of: OfResource, taken: &mut Taken<'_>) {
    for scope in of.scopes {
        let has_more = scope.has_more();
        for row in scope.rows {
            let mut notes = Notes::default();
            if has_more {
                notes.note_once(&rules::FIELDS_LEFT_OUT);
            }
            match log(&row, &of.resource, &mut notes) {
                // An application may say the same twice.
                Ok(log) => taken.take(KIND, Item::Log(Box::new(log)), None, notes),
                Err(reason) => taken.refuse(KIND, &rules::UNREADABLE_VALUE, reason, row),
            }
        }
    }
}

fn log(row: &Value, resource: &Resource, notes: &mut Notes) -> Result<Log, String> {
    let told = Record::deserialize(row).map_err(|cause| cause.to_string())?;
    note_unknown(row, &FIELDS, notes);
    let at = match time(&told.time_unix_nano, "timeUnixNano", notes)? {
        Some(at) => at,
        None => {
            let seen = time(&told.observed_time_unix_nano, "observedTimeUnixNano", notes)?;
            notes.note(&OBSERVED_TIME);
            seen.ok_or("a log record without a time")?
        }
    };
    let body = text_of(&told.body).ok_or_else(|| format!("body: {} is no value", told.body))?;
    let trace = hex(&told.trace_id, notes);
    let (line, is_more) = line(body.trim_end_matches('\n'), &told, &trace)?;
    if is_more {
        notes.note(&AROUND_THE_LINE);
    }
    let stream = told.attributes.iter().find(|one| one.key == "log.iostream");
    let pod = resource.get("k8s.pod.name");
    let service = resource.get("service.name");
    let service = service.or_else(|| pod.as_deref().map(service_of_pod));
    let service = service.unwrap_or_else(|| resource.service());
    Ok(Log {
        time: at,
        namespace: resource.namespace(),
        container: resource
            .get("k8s.container.name")
            .unwrap_or_else(|| service.clone()),
        node: resource.node().unwrap_or_default(),
        pod: pod.unwrap_or_else(|| service.clone()),
        service,
        message: line,
        stream: stream.and_then(|one| text_of(&one.value)),
        trace: (!trace.is_empty()).then(|| trace_id(&trace).0),
    })
}

/// The text with what stands around it, and whether anything does.
fn line(body: &str, told: &Record, trace: &str) -> Result<(String, bool), String> {
    let severity = told.severity_text.trim();
    let is_told = body.to_lowercase().contains(&severity.to_lowercase());
    let mut line = match severity {
        severity if is_told || severity.is_empty() => body.to_owned(),
        severity => format!("{severity} {body}"),
    };
    for one in &told.attributes {
        if OF_THE_RECEIVER.contains(&one.key.as_str()) {
            continue;
        }
        let value = text_of(&one.value);
        add(
            &mut line,
            &one.key,
            &value.ok_or_else(|| format!("{}: no value", one.key))?,
        );
    }
    for (key, value) in [
        ("event_name", told.event_name.as_str()),
        ("trace_id", trace),
        ("span_id", told.span_id.as_str()),
    ] {
        if !value.is_empty() && !body.contains(value) {
            add(&mut line, key, value);
        }
    }
    let is_more = line != body;
    Ok((line, is_more))
}

/// `NAME=VALUE`, in quotes where the value is more than a word.
fn add(line: &mut String, key: &str, value: &str) {
    let is_word = !value.is_empty()
        && !value.contains(|letter: char| letter.is_whitespace() || letter == '"');
    if !line.is_empty() {
        line.push(' ');
    }
    match is_word {
        true => line.push_str(&format!("{key}={value}")),
        false => line.push_str(&format!("{key}={}", Value::from(value))),
    }
}
