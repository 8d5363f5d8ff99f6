//! Metric series, samples and what is known about metrics.

use super::row;

/// A row of [`Table::MetricSeries`](crate::schema::Table::MetricSeries).
#[derive(Debug, Clone, PartialEq)]
pub struct MetricSeries {
    /// Joins with the samples.
    pub series_id: u64,
    /// Which Prometheus.
    pub source: String,
    /// Metric name.
    pub name: String,
    /// All labels but the name, sorted by key.
    pub labels: Vec<(String, String)>,
    /// The label `namespace`.
    pub namespace: Option<String>,
    /// The label `pod`.
    pub pod: Option<String>,
    /// The label `container`.
    pub container: Option<String>,
    /// The label `node`, or `instance` where that names a node.
    pub node: Option<String>,
    /// Time of the first sample (ms).
    pub first: i64,
    /// Time of the last sample (ms).
    pub last: i64,
}

row!(MetricSeries, MetricSeries {
    series_id: u64, source: String, name: String, labels: Vec<(String, String)>,
    namespace: Option<String>, pod: Option<String>, container: Option<String>, node: Option<String>,
    first: i64, last: i64,
});

/// A row of [`Table::MetricSamples`](crate::schema::Table::MetricSamples).
#[derive(Debug, Clone, PartialEq)]
pub struct MetricSample {
    /// The series.
    pub series_id: u64,
    /// Milliseconds since the epoch.
    pub timestamp: i64,
    /// The value; NaN payloads are kept.
    pub value: f64,
    /// A native histogram, protobuf encoded.
    pub histogram: Option<Vec<u8>>,
}

row!(MetricSample, MetricSamples {
    series_id: u64, timestamp: i64, value: f64, histogram: Option<Vec<u8>>,
});

/// A row of [`Table::MetricMetadata`](crate::schema::Table::MetricMetadata).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MetricMetadata {
    /// `metadata`, `rules`, `alerts`, `targets` or `config`.
    pub kind: String,
    /// Metric name, or empty.
    pub name: String,
    /// `counter`, `gauge`, `histogram`, …
    pub r#type: Option<String>,
    /// Help text.
    pub help: Option<String>,
    /// Unit.
    pub unit: Option<String>,
    /// What the server answered, for the kinds that are not `metadata`.
    pub json: Option<String>,
    /// Since when.
    pub valid_from: i64,
    /// Until when.
    pub valid_to: Option<i64>,
}

row!(MetricMetadata, MetricMetadata {
    kind: String, name: String, r#type: Option<String>, help: Option<String>, unit: Option<String>,
    json: Option<String>, valid_from: i64, valid_to: Option<i64>,
});
