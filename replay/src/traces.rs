//! Spans as the tracing backend had them.

use aiopslab_datasets::rows::Span;

use crate::error::Result;
use crate::tables::{Selection, Tables, column, moment};

/// The spans that had ended by `now` and started at or after `since`, by start, trace and span.
pub(crate) async fn spans(tables: &Tables, since: Option<i64>, now: i64) -> Result<Vec<Span>> {
    let mut selection = Selection::default().and(column("end").lt_eq(moment(now)));
    if let Some(since) = since {
        selection = selection.and(column("start").gt_eq(moment(since)));
    }
    let mut spans: Vec<Span> = tables.rows(selection).await?;
    spans.sort_by(|one, other| {
        (one.start, &one.trace_id, &one.span_id).cmp(&(
            other.start,
            &other.trace_id,
            &other.span_id,
        ))
    });
    Ok(spans)
}
