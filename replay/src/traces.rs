//! Spans as the tracing backend had them, without what no answer shows.

use aiopslab_datasets::schema::Table;
use arrow::array::{Array, AsArray, PrimitiveArray, RecordBatch, StringArray};
use arrow::datatypes::TimestampNanosecondType;

use crate::error::{ReplayError, Result};
use crate::tables::{Selection, Tables, column, moment};

const COLUMNS: [&str; 9] = [
    "trace_id",
    "span_id",
    "parent_span_id",
    "service",
    "operation",
    "start",
    "end",
    "status",
    "attributes",
];

/// The part of a span that actions show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SpanRow {
    pub(crate) trace_id: String,
    pub(crate) span_id: String,
    pub(crate) parent_span_id: Option<String>,
    pub(crate) service: String,
    pub(crate) operation: String,
    pub(crate) start: i64,
    pub(crate) end: i64,
    pub(crate) is_error: bool,
    /// JSON array of `{"key","type","value"}`.
    pub(crate) attributes: String,
}

/// The spans that had ended by `now` and started at or after `since`, by start, trace and span.
pub(crate) async fn spans(tables: &Tables, since: i64, now: i64) -> Result<Vec<SpanRow>> {
    let selection = Selection::default()
        .and(column("end").lt_eq(moment(now)))
        .and(column("start").gt_eq(moment(since)))
        .columns(&COLUMNS);
    let mut spans = Vec::new();
    for batch in tables.batches(Table::Spans, selection).await? {
        read(&batch, &mut spans)?;
    }
    spans.sort_by(|one, other| {
        (one.start, &one.trace_id, &one.span_id).cmp(&(
            other.start,
            &other.trace_id,
            &other.span_id,
        ))
    });
    Ok(spans)
}

fn read(batch: &RecordBatch, spans: &mut Vec<SpanRow>) -> Result<()> {
    let text = |name: &str| -> Result<&StringArray> {
        batch
            .column_by_name(name)
            .and_then(|array| array.as_string_opt())
            .ok_or_else(unexpected)
    };
    let time = |name: &str| -> Result<&PrimitiveArray<TimestampNanosecondType>> {
        batch
            .column_by_name(name)
            .and_then(|array| array.as_primitive_opt())
            .ok_or_else(unexpected)
    };
    let (traces, ids, parents) = (text("trace_id")?, text("span_id")?, text("parent_span_id")?);
    let (services, operations) = (text("service")?, text("operation")?);
    let (starts, ends) = (time("start")?, time("end")?);
    let (statuses, attributes) = (text("status")?, text("attributes")?);
    for row in 0..batch.num_rows() {
        spans.push(SpanRow {
            trace_id: traces.value(row).to_owned(),
            span_id: ids.value(row).to_owned(),
            parent_span_id: parents.is_valid(row).then(|| parents.value(row).to_owned()),
            service: services.value(row).to_owned(),
            operation: operations.value(row).to_owned(),
            start: starts.value(row),
            end: ends.value(row),
            is_error: statuses.value(row) == "error",
            attributes: attributes.value(row).to_owned(),
        });
    }
    Ok(())
}

fn unexpected() -> ReplayError {
    ReplayError::Read {
        table: Table::Spans.name(),
        cause: "the columns are not of the table's types".to_owned(),
    }
}
