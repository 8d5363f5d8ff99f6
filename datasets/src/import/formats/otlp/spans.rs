//! Spans.

use serde::Deserialize;
use serde_json::{Value, json};

use super::envelope::OfResource;
use super::values::{KeyValue, attributes, digits, note_unknown, one_of, time};
use crate::import::engine::defects::{Notes, Rule, rules};
use crate::import::engine::documents::Taken;
use crate::import::engine::ids::{digest, span_id, trace_id};
use crate::import::engine::item::{Item, OneSpan};
use crate::redact::base64;

const KIND: &str = "spans";

const IDS_IN_BASE64: Rule = Rule::repaired(
    "ids_in_base64",
    "ids of traces and spans are in base64, as proto3's JSON has them, and not in hexadecimal, as OTLP has them: they are written in hexadecimal",
);

const FIELDS: [&str; 16] = [
    "traceId",
    "spanId",
    "traceState",
    "parentSpanId",
    "flags",
    "name",
    "kind",
    "startTimeUnixNano",
    "endTimeUnixNano",
    "attributes",
    "droppedAttributesCount",
    "events",
    "droppedEventsCount",
    "links",
    "droppedLinksCount",
    "status",
];
const KINDS: [&str; 6] = [
    "unspecified",
    "internal",
    "server",
    "client",
    "producer",
    "consumer",
];
const STATUSES: [&str; 3] = ["unset", "ok", "error"];

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Span {
    trace_id: String,
    span_id: String,
    trace_state: String,
    parent_span_id: String,
    flags: u32,
    name: String,
    kind: Value,
    #[serde(deserialize_with = "digits")]
    start_time_unix_nano: String,
    #[serde(deserialize_with = "digits")]
    end_time_unix_nano: String,
    attributes: Vec<KeyValue>,
    dropped_attributes_count: u64,
    events: Vec<Event>,
    dropped_events_count: u64,
    links: Vec<Link>,
    dropped_links_count: u64,
    status: Status,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Event {
    #[serde(deserialize_with = "digits")]
    time_unix_nano: String,
    name: String,
    attributes: Vec<KeyValue>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Link {
    trace_id: String,
    span_id: String,
    trace_state: String,
    attributes: Vec<KeyValue>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Status {
    message: String,
    code: Value,
}

/// Takes the spans of a resource.
pub(super) fn read(of: OfResource, taken: &mut Taken<'_>) {
    let service = of.resource.service();
    let resource = of.resource.to_json();
    for scope in of.scopes {
        let (name, has_more) = (scope.scope(), scope.has_more());
        for row in scope.rows {
            let mut notes = Notes::default();
            if has_more {
                notes.note_once(&rules::FIELDS_LEFT_OUT);
            }
            let span = resource.clone().and_then(|resource| {
                let mut span = span(&row, &mut notes)?;
                span.service.clone_from(&service);
                span.resource = resource;
                span.scope.clone_from(&name);
                Ok(span)
            });
            match span {
                // A span that was sent twice is equal in everything.
                Ok(span) => {
                    let identity = digest(&[row.to_string(), span.resource.clone()]);
                    taken.take(KIND, Item::Span(Box::new(span)), Some(identity), notes);
                }
                Err(reason) => taken.refuse(KIND, &rules::UNREADABLE_VALUE, reason, row),
            }
        }
    }
}

/// A span, but for what its resource and scope tell.
fn span(row: &Value, notes: &mut Notes) -> Result<OneSpan, String> {
    let told = Span::deserialize(row).map_err(|cause| cause.to_string())?;
    note_unknown(row, &FIELDS, notes);
    let (trace_text, span_text) = (hex(&told.trace_id, notes), hex(&told.span_id, notes));
    let is_none = |text: &str| text.bytes().all(|byte| byte == b'0');
    if is_none(&trace_text) || is_none(&span_text) {
        return Err("a span without an id".to_owned());
    }
    let parent = Some(hex(&told.parent_span_id, notes)).filter(|text| !is_none(text));
    let start = time(&told.start_time_unix_nano, "startTimeUnixNano", notes)?;
    let start = start.ok_or("a span without a start")?;
    let end = time(&told.end_time_unix_nano, "endTimeUnixNano", notes)?.unwrap_or(start);
    if end < start {
        notes.note(&rules::SPAN_ENDS_EARLY);
    }
    let (trace, trace_is_hex) = trace_id(&trace_text);
    let (span, span_is_hex) = span_id(&span_text);
    let mut all = attributes(told.attributes.iter())?;
    let text = |key: &str, value: &str| json!({"key": key, "type": "string", "value": value});
    if !(trace_is_hex && span_is_hex) {
        notes.note(&rules::IDS_MADE_HEXADECIMAL);
        all.push(text("source.trace_id", &trace_text));
        all.push(text("source.span_id", &span_text));
    }
    if !told.trace_state.is_empty() {
        all.push(text("w3c.tracestate", &told.trace_state));
    }
    for (key, count) in [
        (
            "otel.dropped_attributes_count",
            told.dropped_attributes_count,
        ),
        ("otel.dropped_events_count", told.dropped_events_count),
        ("otel.dropped_links_count", told.dropped_links_count),
    ] {
        if count > 0 {
            all.push(json!({"key": key, "type": "int64", "value": count}));
        }
    }
    let events: Result<Vec<Value>, String> = told
        .events
        .iter()
        .map(|event| {
            let at = time(&event.time_unix_nano, "events.timeUnixNano", notes)?.unwrap_or(start);
            let attributes = attributes(event.attributes.iter())?;
            Ok(json!({"time": at, "name": event.name, "attributes": attributes}))
        })
        .collect();
    let links: Vec<Value> = told
        .links
        .iter()
        .map(|link| {
            if !(link.attributes.is_empty() && link.trace_state.is_empty()) {
                notes.note_once(&rules::FIELDS_LEFT_OUT);
            }
            let trace = trace_id(&hex(&link.trace_id, notes)).0;
            let span = span_id(&hex(&link.span_id, notes)).0;
            json!({"trace_id": format!("{trace:032x}"), "span_id": format!("{span:016x}")})
        })
        .collect();
    Ok(OneSpan {
        trace,
        span,
        parent: parent.map(|text| span_id(&text).0),
        service: String::new(),
        operation: told.name,
        kind: one_of(&told.kind, "kind", "SPAN_KIND_", &KINDS)?,
        start,
        end: end.max(start),
        status: one_of(&told.status.code, "status.code", "STATUS_CODE_", &STATUSES)?,
        message: Some(told.status.message).filter(|text| !text.is_empty()),
        attributes: json!(all).to_string(),
        resource: String::new(),
        scope: None,
        events: json!(events?).to_string(),
        links: json!(links).to_string(),
        // The lower 8 bits are those of W3C's trace context.
        flags: told.flags & 0xff,
    })
}

/// An id in hexadecimal. 16 or 8 bytes in base64 have lengths that hexadecimal ids have not.
pub(super) fn hex(text: &str, notes: &mut Notes) -> String {
    if !matches!((text.len(), text.ends_with('=')), (24 | 12, true)) {
        return text.to_owned();
    }
    match base64::decode(text) {
        Some(bytes) => {
            notes.note_once(&IDS_IN_BASE64);
            crate::files::hex(&bytes)
        }
        None => text.to_owned(),
    }
}
