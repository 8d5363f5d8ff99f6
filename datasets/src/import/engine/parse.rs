//! From a record of a file to what it says, as the file's sheet tells: pure, so that it can be done
//! on many threads.

use serde_json::json;
use sha2::{Digest, Sha256};

use super::csv::{Fields, Record};
use super::defects::{Notes, Rule, rules};
use super::sheet::{Header, Logs, Long, Row, Rows, Sheet, Spans, Until, When, Wide};
use super::time::{duration, since_epoch};
use crate::files;

/// What a row says.
#[derive(Debug)]
pub(super) enum Item {
    Log(Box<Log>),
    Span(Box<OneSpan>),
    Samples(Samples),
}

#[derive(Debug)]
pub(super) struct Log {
    pub(super) time: i64,
    /// None: the incident's.
    pub(super) namespace: Option<String>,
    pub(super) pod: String,
    pub(super) container: String,
    pub(super) node: String,
    pub(super) service: String,
    pub(super) message: String,
    pub(super) stream: Option<String>,
    pub(super) trace: Option<u128>,
}

#[derive(Debug)]
pub(super) struct OneSpan {
    pub(super) trace: u128,
    pub(super) span: u64,
    pub(super) parent: Option<u64>,
    pub(super) service: String,
    pub(super) operation: String,
    pub(super) start: i64,
    pub(super) end: i64,
    pub(super) status: &'static str,
    /// JSON arrays of `{"key","type","value"}`.
    pub(super) attributes: String,
    pub(super) resource: String,
}

/// The samples of one row.
#[derive(Debug)]
pub(super) struct Samples {
    pub(super) time: i64,
    /// Whose they are; empty where the columns say it.
    pub(super) of: String,
    /// Labels of columns.
    pub(super) labels: Vec<(&'static str, String)>,
    /// From 1: which of the samples of one metric and moment that the source can't tell apart.
    pub(super) nth: u32,
    pub(super) values: Values,
}

impl Samples {
    /// Their time in milliseconds, as tables of samples have it.
    pub(super) fn milliseconds(&self) -> i64 {
        self.time.div_euclid(1_000_000)
    }

    /// What they say, for the quarantine.
    pub(super) fn to_json(&self, header: &Header) -> serde_json::Value {
        let values: Vec<(&str, String)> = match &self.values {
            Values::Columns(values) => values
                .iter()
                .filter_map(|(column, value)| {
                    let name = header.names.get(*column)?;
                    Some((name.as_str(), value.to_string()))
                })
                .collect(),
            Values::Metric(metric, value) => vec![(metric.as_str(), value.to_string())],
        };
        json!({"of": self.of, "labels": self.labels, "values": values})
    }
}

#[derive(Debug)]
pub(super) enum Values {
    /// By the position of the column; empty cells are no samples.
    Columns(Vec<(usize, f64)>),
    /// The value of a metric.
    Metric(String, f64),
}

/// A row that can't be taken.
#[derive(Debug)]
pub(super) struct Refused {
    pub(super) rule: &'static Rule,
    pub(super) reason: String,
    /// The row as it stands there, or its fields.
    pub(super) row: serde_json::Value,
}

/// What became of a record.
#[derive(Debug)]
pub(super) struct Parsed {
    pub(super) line: u64,
    /// Equal for equal rows.
    pub(super) identity: u128,
    /// What was noted of it.
    pub(super) notes: Vec<&'static Rule>,
    /// None: it happened outside of its part's window.
    pub(super) result: Result<Option<Item>, Refused>,
}

/// Understands a record.
pub(super) fn parse(
    sheet: &Sheet,
    window: Option<(i64, i64)>,
    header: &Header,
    record: Record,
) -> Parsed {
    let line = record.line;
    let refused = |rule, reason, row| Parsed {
        line,
        identity: 0,
        notes: Vec::new(),
        result: Err(Refused { rule, reason, row }),
    };
    let fields = match record.content {
        Ok(fields) => fields,
        Err(malformed) => {
            let reason = malformed.reason.to_owned();
            return refused(&rules::MALFORMED_ROW, reason, json!(malformed.text));
        }
    };
    let (found, expected) = (fields.len(), header.names.len());
    if found != expected {
        let reason = format!("{found} fields, the header has {expected}");
        return refused(&rules::FIELD_COUNT, reason, json!(fields.to_texts()));
    }
    let row = Row {
        header,
        fields: &fields,
    };
    let mut notes = Notes::default();
    match item(sheet, window, &row, &mut notes) {
        Ok(item) => Parsed {
            line,
            identity: if sheet.unique { identity(&fields) } else { 0 },
            notes: notes.taken(),
            result: Ok(item),
        },
        Err(reason) => refused(&rules::UNREADABLE_VALUE, reason, json!(fields.to_texts())),
    }
}

fn item(
    sheet: &Sheet,
    window: Option<(i64, i64)>,
    row: &Row<'_>,
    notes: &mut Notes,
) -> Result<Option<Item>, String> {
    let time = match &sheet.time {
        When::Column(column, unit) => since_epoch(row.get(column)?, *unit, notes)?,
        When::Found(_, find) => find(row, notes)?,
    };
    if window.is_some_and(|(from, to)| !(from..to).contains(&time)) {
        return Ok(None);
    }
    let item = match &sheet.rows {
        Rows::Logs(logs) => log(logs, row, time, notes),
        Rows::Spans(spans) => span(spans, row, time, notes),
        Rows::Wide(wide) => samples(sheet, wide, row, time),
        Rows::Long(long) => sample(long, row, time),
    };
    item.map(Some)
}

fn log(logs: &Logs, row: &Row<'_>, time: i64, notes: &mut Notes) -> Result<Item, String> {
    let pod = row.get(logs.pod)?;
    let service = (logs.service)(pod);
    let namespace = logs.namespace.map(|column| row.get(column)).transpose()?;
    let node = logs.node.map(|column| row.get(column)).transpose()?;
    let container = logs.container.map(|column| row.get(column)).transpose()?;
    let line = (logs.line)(row.get(logs.message)?, time, notes);
    let trace = logs.trace.map(|column| row.get(column)).transpose()?;
    Ok(Item::Log(Box::new(Log {
        time,
        namespace: namespace.map(str::to_owned),
        pod: pod.to_owned(),
        container: container.unwrap_or(&service).to_owned(),
        node: node.unwrap_or_default().to_owned(),
        service,
        message: line.message,
        stream: line.stream,
        trace: trace.filter(|id| !id.is_empty()).map(|id| trace_id(id).0),
    })))
}

fn span(spans: &Spans, row: &Row<'_>, start: i64, notes: &mut Notes) -> Result<Item, String> {
    let (trace_text, span_text) = (row.get(spans.trace)?, row.get(spans.span)?);
    if trace_text.is_empty() || span_text.is_empty() {
        return Err("a span without an id".to_owned());
    }
    let (trace, trace_is_hex) = trace_id(trace_text);
    let (span, span_is_hex) = span_id(span_text);
    let parent = row.get(spans.parent)?;
    let parent = Some(parent).filter(|id| !spans.root.contains(id) && !id.is_empty());
    let of = row.get(spans.of)?;
    let end = match spans.until {
        Until::End(column, unit) => since_epoch(row.get(column)?, unit, notes)?,
        Until::Duration(column, unit) => start.saturating_add(duration(row.get(column)?, unit)?),
    };
    if end < start {
        notes.note(&rules::SPAN_ENDS_EARLY);
    }
    let text = |key: &str, value: &str| json!({"key": key, "type": "string", "value": value});
    let mut attributes = Vec::new();
    if !(trace_is_hex && span_is_hex) {
        notes.note(&rules::IDS_MADE_HEXADECIMAL);
        attributes.push(text("source.trace_id", trace_text));
        attributes.push(text("source.span_id", span_text));
    }
    for column in spans.attributes {
        let value = row.get(column)?;
        if !value.is_empty() {
            attributes.push(text(column, value));
        }
    }
    let service = (spans.service)(of);
    let mut resource = vec![text("service.name", &service)];
    if spans.of_is_pod {
        resource.push(text("k8s.pod.name", of));
    }
    let operation = spans.operation.map(|column| row.get(column)).transpose()?;
    Ok(Item::Span(Box::new(OneSpan {
        trace,
        span,
        parent: parent.map(|id| span_id(id).0),
        operation: operation.unwrap_or_default().to_owned(),
        service,
        start,
        end: end.max(start),
        status: (spans.status)(row),
        attributes: json!(attributes).to_string(),
        resource: json!(resource).to_string(),
    })))
}

fn samples(sheet: &Sheet, wide: &Wide, row: &Row<'_>, time: i64) -> Result<Item, String> {
    let of = wide.of.map(|column| row.get(column)).transpose()?;
    let mut values = Vec::new();
    for (index, name) in row.header.names.iter().enumerate() {
        if sheet.columns.contains(&name.as_str()) {
            continue;
        }
        let text = row.at(index)?;
        if !text.is_empty() {
            values.push((index, value(name, text)?));
        }
    }
    Ok(Item::Samples(Samples {
        time,
        of: of.unwrap_or_default().to_owned(),
        labels: Vec::new(),
        nth: 1,
        values: Values::Columns(values),
    }))
}

fn sample(long: &Long, row: &Row<'_>, time: i64) -> Result<Item, String> {
    let metric = row.get(long.metric)?;
    let value = value(long.value, row.get(long.value)?)?;
    let labels = long.labels.iter();
    let labels = labels.map(|column| Ok((*column, row.get(column)?.to_owned())));
    Ok(Item::Samples(Samples {
        time,
        of: row.get(long.of)?.to_owned(),
        labels: labels.collect::<Result<_, String>>()?,
        nth: 1,
        values: Values::Metric(metric.to_owned(), value),
    }))
}

fn value(column: &str, text: &str) -> Result<f64, String> {
    let number = text.trim().parse();
    number.map_err(|_| format!("{column}: {text:?} is no number"))
}

/// A trace id of 32 hexadecimal digits (shorter ones stand for those with zeros before them), or a
/// digest; whether it was hexadecimal.
fn trace_id(text: &str) -> (u128, bool) {
    let is_hex = matches!(text.len(), 16..=32) && is_hexadecimal(text);
    match u128::from_str_radix(text, 16) {
        Ok(id) if is_hex => (id, true),
        _ => (digest(text.as_bytes()), false),
    }
}

fn span_id(text: &str) -> (u64, bool) {
    let is_hex = text.len() == 16 && is_hexadecimal(text);
    match u64::from_str_radix(text, 16) {
        Ok(id) if is_hex => (id, true),
        _ => ((digest(text.as_bytes()) >> 64) as u64, false),
    }
}

fn is_hexadecimal(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn identity(fields: &Fields) -> u128 {
    let mut hash = Sha256::new();
    for index in 0..fields.len() {
        let field = fields.get(index).unwrap_or_default();
        hash.update((field.len() as u64).to_le_bytes());
        hash.update(field);
    }
    first_half(&hash.finalize())
}

fn digest(bytes: &[u8]) -> u128 {
    first_half(&Sha256::digest(bytes))
}

pub(super) fn first_half(digest: &[u8]) -> u128 {
    let mut digits = files::hex(digest);
    digits.truncate(32);
    u128::from_str_radix(&digits, 16).unwrap_or_default()
}
