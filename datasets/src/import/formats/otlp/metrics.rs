//! Data points. Histograms and summaries become the series that Prometheus has for them.

use std::sync::Arc;

use serde::Deserialize;
use serde_json::Value;

use super::envelope::OfResource;
use super::values::{KeyValue, digits, note_unknown, number, one_of, text_of, time};
use crate::import::engine::defects::{Notes, Rule, rules};
use crate::import::engine::documents::Taken;
use crate::import::engine::item::{Item, Point, Reading};
use crate::import::engine::names::metric as name_of;
use crate::import::engine::sheet::{Metadata, Series};

const KIND: &str = "data points";
/// The metric itself can't be read, and so none of its points.
const METRIC: &str = "metrics";

const DELTA: Rule = Rule::noted(
    "delta_temporality",
    "a sum or histogram is of the time since the point before, not since a start: left as it is, so that rate() of it is wrong",
);
const NO_BUCKETS: Rule = Rule::noted(
    "exponential_buckets_left_out",
    "an exponential histogram keeps its count and sum; its buckets are left out",
);

/// What Prometheus writes where a series has no value any more.
const STALE: u64 = 0x7ff0_0000_0000_0002;
/// The flag of a point without a value.
const NO_RECORDED_VALUE: u32 = 1;
const TEMPORALITIES: [&str; 3] = ["unspecified", "delta", "cumulative"];

const FIELDS: [&str; 16] = [
    "attributes",
    "startTimeUnixNano",
    "timeUnixNano",
    "asDouble",
    "asInt",
    "flags",
    "count",
    "sum",
    "bucketCounts",
    "explicitBounds",
    "min",
    "max",
    "scale",
    "zeroCount",
    "zeroThreshold",
    "quantileValues",
];

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Metric {
    name: String,
    description: String,
    unit: String,
    gauge: Option<Points>,
    sum: Option<Points>,
    histogram: Option<Points>,
    exponential_histogram: Option<Points>,
    summary: Option<Points>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Points {
    data_points: Vec<Value>,
    aggregation_temporality: Value,
    is_monotonic: bool,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct DataPoint {
    attributes: Vec<KeyValue>,
    #[serde(deserialize_with = "digits")]
    time_unix_nano: String,
    as_double: Value,
    as_int: Value,
    flags: u32,
    count: Value,
    sum: Value,
    bucket_counts: Vec<Value>,
    explicit_bounds: Vec<Value>,
    quantile_values: Vec<Quantile>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Quantile {
    quantile: Value,
    value: Value,
}

/// Takes the data points of a resource.
pub(super) fn read(of: OfResource, taken: &mut Taken<'_>) {
    let labels = of.resource.labels();
    for scope in of.scopes {
        for row in scope.rows {
            match Metric::deserialize(&row) {
                Ok(metric) => read_metric(metric, &labels, taken),
                Err(cause) => {
                    let reason = cause.to_string();
                    taken.refuse(METRIC, &rules::UNREADABLE_VALUE, reason, row);
                }
            }
        }
    }
}

fn read_metric(metric: Metric, labels: &[(&'static str, String)], taken: &mut Taken<'_>) {
    let Metric {
        name,
        description,
        unit,
        gauge,
        sum,
        histogram,
        exponential_histogram,
        summary,
    } = metric;
    let told = |text: String| Some(text).filter(|text| !text.is_empty());
    let mut metadata = Metadata {
        name: name_of(&name).0,
        kind: None,
        help: told(description),
        unit: told(unit),
    };
    for (points, kind, is_exponential) in [
        (gauge, "gauge", false),
        (sum, "sum", false),
        (histogram, "histogram", false),
        (exponential_histogram, "histogram", true),
        (summary, "summary", false),
    ] {
        let Some(points) = points else { continue };
        let kind = match kind {
            "sum" if points.is_monotonic => "counter",
            "sum" => "gauge",
            kind => kind,
        };
        metadata.kind = Some(kind.to_owned());
        let temporality = one_of(
            &points.aggregation_temporality,
            "aggregationTemporality",
            "AGGREGATION_TEMPORALITY_",
            &TEMPORALITIES,
        );
        for row in points.data_points {
            let mut notes = Notes::default();
            let point = temporality.clone().and_then(|temporality| {
                if temporality == "delta" {
                    notes.note(&DELTA);
                }
                if is_exponential {
                    notes.note(&NO_BUCKETS);
                }
                point(&row, &metadata, labels, &mut notes)
            });
            match point {
                Ok(point) => {
                    let identity = point.identity();
                    taken.take(KIND, Item::Point(point), Some(identity), notes);
                }
                Err(reason) => taken.refuse(KIND, &rules::UNREADABLE_VALUE, reason, row),
            }
        }
    }
}

/// The samples of a data point.
fn point(
    row: &Value,
    metadata: &Metadata,
    of_resource: &[(&'static str, String)],
    notes: &mut Notes,
) -> Result<Point, String> {
    let told = DataPoint::deserialize(row).map_err(|cause| cause.to_string())?;
    note_unknown(row, &FIELDS, notes);
    let at = time(&told.time_unix_nano, "timeUnixNano", notes)?.ok_or("a point without a time")?;
    let labels = labels(of_resource, &told.attributes)?;
    let is_stale = told.flags & NO_RECORDED_VALUE != 0;
    let mut readings = Vec::new();
    let mut add = |end: &str, more: Option<(&str, f64)>, value: f64| {
        let mut labels = labels.clone();
        labels.extend(more.map(|(label, of)| (label.to_owned(), text(of))));
        labels.sort();
        let series = Series {
            name: format!("{}{end}", metadata.name),
            labels,
            metadata: Some(metadata.clone()),
        };
        let value = if is_stale {
            f64::from_bits(STALE)
        } else {
            value
        };
        readings.push(Reading::new(Arc::new(series), value));
    };
    match metadata.kind.as_deref() {
        Some("histogram" | "summary") => {
            let mut seen = 0.0;
            let bounds = told
                .explicit_bounds
                .iter()
                .map(|bound| number(bound, "explicitBounds"));
            let bounds = bounds.chain([Ok(f64::INFINITY)]);
            let counts = &told.bucket_counts;
            if !counts.is_empty() && counts.len() != told.explicit_bounds.len() + 1 {
                return Err("bucketCounts is not one longer than explicitBounds".to_owned());
            }
            for (count, bound) in counts.iter().zip(bounds) {
                seen += number(count, "bucketCounts")?;
                add("_bucket", Some(("le", bound?)), seen);
            }
            for one in &told.quantile_values {
                let quantile = number(&one.quantile, "quantile")?;
                add(
                    "",
                    Some(("quantile", quantile)),
                    number(&one.value, "value")?,
                );
            }
            add("_count", None, number(&told.count, "count")?);
            if !told.sum.is_null() {
                add("_sum", None, number(&told.sum, "sum")?);
            }
        }
        _ => match (&told.as_double, &told.as_int) {
            (Value::Null, Value::Null) if is_stale => add("", None, f64::NAN),
            (Value::Null, Value::Null) => return Err("a point without a value".to_owned()),
            (Value::Null, whole) => add("", None, number(whole, "asInt")?),
            (double, _) => add("", None, number(double, "asDouble")?),
        },
    }
    Ok(Point { time: at, readings })
}

/// A bound as Prometheus writes it.
fn text(bound: f64) -> String {
    match bound == f64::INFINITY {
        true => "+Inf".to_owned(),
        false => bound.to_string(),
    }
}

/// The labels of a point: its resource's and its own attributes, under names that PromQL takes.
/// Where two have one name, both values are there, as Prometheus joins them.
fn labels(
    of_resource: &[(&'static str, String)],
    attributes: &[KeyValue],
) -> Result<Vec<(String, String)>, String> {
    let mut labels: Vec<(String, String)> = of_resource
        .iter()
        .map(|(label, value)| ((*label).to_owned(), value.clone()))
        .collect();
    for one in attributes {
        let value = text_of(&one.value).ok_or_else(|| format!("{}: no value", one.key))?;
        let name = name_of(&one.key).0.replace(':', "_");
        match labels.iter_mut().find(|(known, _)| *known == name) {
            Some((_, known)) if *known != value => *known = format!("{known};{value}"),
            Some(_) => {}
            None => labels.push((name, value)),
        }
    }
    Ok(labels)
}
