//! From a record of a file to what it says, as the file's sheet tells: pure, so that it can be done
//! on many threads.

use serde_json::json;

use super::csv::{Fields, Record};
use super::defects::{Notes, rules};
use super::documents::Taken;
use super::ids::{digest, span_id, trace_id};
use super::item::{Item, Log, OneSpan, Parsed, Refused, Samples, Values};
use super::sheet::{Header, Logs, Long, Row, Rows, Sheet, Spans, Until, When, Wide};
use super::time::{duration, since_epoch};

/// Understands a record: most are one row.
pub(super) fn parse(
    sheet: &Sheet,
    window: Option<(i64, i64)>,
    header: &Header,
    record: Record,
    rows: &mut Vec<Parsed>,
) {
    let line = record.line;
    let refused = |rule, reason, row| Parsed {
        kind: sheet.name,
        line,
        identity: None,
        notes: Vec::new(),
        result: Err(Refused { rule, reason, row }),
    };
    let fields = match record.content {
        Ok(fields) => fields,
        Err(malformed) => {
            let reason = malformed.reason.to_owned();
            rows.push(refused(malformed.rule, reason, json!(malformed.text)));
            return;
        }
    };
    if let Rows::Documents(documents) = &sheet.rows {
        let document = fields.get(0).unwrap_or_default();
        (documents.read)(document, &mut Taken::new(line, sheet.name, rows));
        return;
    }
    let (found, expected) = (fields.len(), header.names.len());
    if found != expected {
        let reason = format!("{found} fields, the header has {expected}");
        let row = json!(fields.to_texts());
        rows.push(refused(&rules::FIELD_COUNT, reason, row));
        return;
    }
    let row = Row {
        header,
        fields: &fields,
    };
    let mut notes = Notes::default();
    rows.push(match item(sheet, window, &row, &mut notes) {
        Ok(item) => Parsed {
            kind: sheet.name,
            line,
            identity: match &item {
                Some(Item::Samples(samples)) => Some(samples.identity(sheet.name)),
                _ => sheet.unique.then(|| identity(&fields)),
            },
            notes: notes.taken(),
            result: Ok(item),
        },
        Err(reason) => refused(&rules::UNREADABLE_VALUE, reason, json!(fields.to_texts())),
    });
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
        When::Within => return Err("its rows tell their times themselves".to_owned()),
    };
    if window.is_some_and(|(from, to)| !(from..to).contains(&time)) {
        return Ok(None);
    }
    let item = match &sheet.rows {
        Rows::Logs(logs) => log(logs, row, time, notes),
        Rows::Spans(spans) => span(spans, row, time, notes),
        Rows::Wide(wide) => samples(sheet, wide, row, time),
        Rows::Long(long) => sample(long, row, time),
        Rows::Documents(_) => Err("it has no columns".to_owned()),
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
        kind: "unspecified",
        start,
        end: end.max(start),
        status: (spans.status)(row),
        message: None,
        attributes: json!(attributes).to_string(),
        resource: json!(resource).to_string(),
        scope: None,
        events: "[]".to_owned(),
        links: "[]".to_owned(),
        flags: 0,
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

/// Equal for equal rows.
fn identity(fields: &Fields) -> u128 {
    let fields: Vec<&[u8]> = (0..fields.len())
        .map(|index| fields.get(index).unwrap_or_default())
        .collect();
    digest(&fields)
}
