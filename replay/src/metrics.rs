//! Metrics as Prometheus' `query_range` gives them for a bare selector.

use std::collections::BTreeMap;

use aiopslab_datasets::rows::MetricSeries;
use aiopslab_datasets::schema::Table;
use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::{Float64Type, TimestampMillisecondType, UInt64Type};
use datafusion::prelude::lit;

use crate::error::{ReplayError, Result};
use crate::recording::LOOK_BACK_NS;
use crate::tables::{Selection, Tables, column, millis};

const LOOK_BACK_MS: i64 = LOOK_BACK_NS / 1_000_000;

/// Prometheus' mark of a series that has ended: a NaN of this very bit pattern.
const STALE: u64 = 0x7ff0_0000_0000_0002;

/// Which series, and when; milliseconds.
pub(crate) struct RangeQuery<'a> {
    pub(crate) namespace: &'a str,
    /// None at all: whatever the name.
    pub(crate) names: &'a [&'a str],
    pub(crate) start: i64,
    /// No later than the clock.
    pub(crate) end: i64,
    pub(crate) step: i64,
}

/// A series with its values on the grid; never without one.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct RangeSeries {
    pub(crate) series: MetricSeries,
    /// Milliseconds since the epoch, and the value.
    pub(crate) points: Vec<(i64, f64)>,
}

/// Evaluates a selector over a range, sorted by name and series.
pub(crate) async fn query_range(
    tables: &Tables,
    query: &RangeQuery<'_>,
) -> Result<Vec<RangeSeries>> {
    let oldest = query.start.saturating_sub(LOOK_BACK_MS);
    let mut selection = Selection::default()
        .and(column("namespace").eq(lit(query.namespace)))
        .and(column("first").lt_eq(millis(query.end)))
        .and(column("last").gt(millis(oldest)));
    if !query.names.is_empty() {
        let names = query.names.iter().map(|name| lit(*name)).collect();
        selection = selection.and(column("name").in_list(names, false));
    }
    let mut series: Vec<MetricSeries> = tables.rows(selection).await?;
    series.sort_by(|one, other| {
        (&one.name, &one.labels, one.series_id).cmp(&(&other.name, &other.labels, other.series_id))
    });
    let ids = series.iter().map(|series| series.series_id);
    let (Some(lowest), Some(highest)) = (ids.clone().min(), ids.max()) else {
        return Ok(Vec::new());
    };
    // A range of ids prunes row groups; the few others in it are dropped below.
    let selection = Selection::default()
        .and(
            column("series_id")
                .gt_eq(lit(lowest))
                .and(column("series_id").lt_eq(lit(highest))),
        )
        .and(
            column("timestamp")
                .gt(millis(oldest))
                .and(column("timestamp").lt_eq(millis(query.end))),
        );
    let selection = selection.columns(&["series_id", "timestamp", "value", "histogram"]);
    let mut samples: BTreeMap<u64, Vec<(i64, f64)>> = series
        .iter()
        .map(|series| (series.series_id, Vec::new()))
        .collect();
    for batch in tables.batches(Table::MetricSamples, selection).await? {
        collect(&batch, &mut samples)?;
    }
    Ok(series
        .into_iter()
        .filter_map(|series| {
            let points = evaluate(samples.remove(&series.series_id)?, query);
            (!points.is_empty()).then_some(RangeSeries { series, points })
        })
        .collect())
}

/// Adds the samples of a batch to their series; native histograms have no single value.
fn collect(batch: &RecordBatch, samples: &mut BTreeMap<u64, Vec<(i64, f64)>>) -> Result<()> {
    let [ids, times, values, histograms] = batch.columns() else {
        return Err(unexpected());
    };
    let ids = ids
        .as_primitive_opt::<UInt64Type>()
        .ok_or_else(unexpected)?
        .values();
    let times = times
        .as_primitive_opt::<TimestampMillisecondType>()
        .ok_or_else(unexpected)?
        .values();
    let values = values
        .as_primitive_opt::<Float64Type>()
        .ok_or_else(unexpected)?
        .values();
    let mut rows = ids.iter().zip(times).zip(values).enumerate().peekable();
    // The file is sorted by series: one look-up per run of rows.
    while let Some((_, ((id, _), _))) = rows.peek() {
        let id = **id;
        let mut series = samples.get_mut(&id);
        while let Some((row, ((_, time), value))) = rows.next_if(|(_, ((next, _), _))| **next == id)
        {
            if let Some(series) = series.as_mut().filter(|_| histograms.is_null(row)) {
                series.push((*time, *value));
            }
        }
    }
    Ok(())
}

fn unexpected() -> ReplayError {
    ReplayError::Read {
        table: Table::MetricSamples.name(),
        cause: "the columns are not of the table's types".to_owned(),
    }
}

/// The value at a step is that of the newest sample in the five minutes up to it, unless that
/// sample says that the series has ended.
fn evaluate(mut samples: Vec<(i64, f64)>, query: &RangeQuery<'_>) -> Vec<(i64, f64)> {
    samples.sort_by_key(|(time, _)| *time);
    let mut points = Vec::new();
    let (Some(first), Some(last)) = (samples.first(), samples.last()) else {
        return points;
    };
    // However long the window, only the part that the recording reaches is walked.
    let step = query.step.max(1);
    let skipped = first.0.saturating_sub(query.start).max(0) / step;
    let end = query.end.min(last.0.saturating_add(LOOK_BACK_MS));
    let mut at = query.start.saturating_add(skipped * step);
    let mut newest = None;
    let mut rest = samples.iter().peekable();
    while at <= end {
        while let Some(sample) = rest.next_if(|(time, _)| *time <= at) {
            newest = Some(*sample);
        }
        if let Some((time, value)) = newest
            && time > at.saturating_sub(LOOK_BACK_MS)
            && value.to_bits() != STALE
        {
            points.push((at, value));
        }
        at = at.saturating_add(step);
    }
    points
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_look_back_and_stop_at_stale_markers() {
        let sample = |seconds: i64, value: f64| (seconds * 1000, value);
        let query = RangeQuery {
            namespace: "",
            names: &[],
            start: 0,
            end: 600_000,
            step: 60_000,
        };
        let points = evaluate(vec![sample(30, 1.0), sample(90, 2.0)], &query);
        let seconds: Vec<_> = points
            .iter()
            .map(|(at, value)| (at / 1000, *value))
            .collect();
        assert_eq!(
            seconds,
            [
                (60, 1.0),
                (120, 2.0),
                (180, 2.0),
                (240, 2.0),
                (300, 2.0),
                (360, 2.0)
            ]
        );
        let ended = vec![sample(30, 1.0), sample(90, f64::from_bits(STALE))];
        assert_eq!(evaluate(ended, &query), [(60_000, 1.0)]);
    }
}
