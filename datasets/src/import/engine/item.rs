//! What a row of a source says, once it is understood.

use std::sync::Arc;

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::defects::Rule;
use super::ids::{add, first_half};
use super::sheet::{Header, Metadata, Series};

/// What a row says.
#[derive(Debug)]
pub(in crate::import) enum Item {
    Log(Box<Log>),
    Span(Box<OneSpan>),
    /// Samples whose series follow from the columns.
    Samples(Samples),
    /// Samples whose series the row tells.
    Point(Point),
    /// What is known of a metric.
    Metadata(Metadata),
}

#[derive(Debug)]
pub(in crate::import) struct Log {
    pub(in crate::import) time: i64,
    /// None: the incident's.
    pub(in crate::import) namespace: Option<String>,
    pub(in crate::import) pod: String,
    pub(in crate::import) container: String,
    pub(in crate::import) node: String,
    pub(in crate::import) service: String,
    pub(in crate::import) message: String,
    pub(in crate::import) stream: Option<String>,
    pub(in crate::import) trace: Option<u128>,
}

#[derive(Debug)]
pub(in crate::import) struct OneSpan {
    pub(in crate::import) trace: u128,
    pub(in crate::import) span: u64,
    pub(in crate::import) parent: Option<u64>,
    pub(in crate::import) service: String,
    pub(in crate::import) operation: String,
    pub(in crate::import) kind: &'static str,
    pub(in crate::import) start: i64,
    pub(in crate::import) end: i64,
    pub(in crate::import) status: &'static str,
    /// Message of the status.
    pub(in crate::import) message: Option<String>,
    /// JSON arrays of `{"key","type","value"}`.
    pub(in crate::import) attributes: String,
    pub(in crate::import) resource: String,
    /// JSON, as the table has them.
    pub(in crate::import) scope: Option<String>,
    pub(in crate::import) events: String,
    pub(in crate::import) links: String,
    pub(in crate::import) flags: u32,
}

/// The samples of one row.
#[derive(Debug)]
pub(in crate::import) struct Samples {
    pub(in crate::import) time: i64,
    /// Whose they are; empty where the columns say it.
    pub(in crate::import) of: String,
    /// Labels of columns.
    pub(in crate::import) labels: Vec<(&'static str, String)>,
    /// From 1: which of the samples of one metric and moment that the source can't tell apart.
    pub(in crate::import) nth: u32,
    pub(in crate::import) values: Values,
}

impl Samples {
    /// Their time in milliseconds, as tables of samples have it.
    pub(super) fn milliseconds(&self) -> i64 {
        self.time.div_euclid(1_000_000)
    }

    /// Equal for samples of one series and moment in the files of a sheet.
    pub(super) fn identity(&self, sheet: &str) -> u128 {
        let metric = match &self.values {
            Values::Columns(_) => "",
            Values::Metric(metric, _) => metric,
        };
        let labels = self.labels.iter().map(|(_, value)| value.as_str());
        let mut hash = Sha256::new();
        for text in [sheet, &self.of, metric].into_iter().chain(labels) {
            add(&mut hash, text.as_bytes());
        }
        hash.update(self.milliseconds().to_le_bytes());
        first_half(&hash.finalize())
    }

    /// What they say, for the quarantine.
    pub(super) fn to_json(&self, header: &Header) -> Value {
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
pub(in crate::import) enum Values {
    /// By the position of the column; empty cells are no samples.
    Columns(Vec<(usize, f64)>),
    /// The value of a metric.
    Metric(String, f64),
}

/// What was measured at a moment: one sample, or those that a histogram becomes.
#[derive(Debug)]
pub(in crate::import) struct Point {
    pub(in crate::import) time: i64,
    pub(in crate::import) readings: Vec<Reading>,
}

/// One sample of a series.
#[derive(Debug)]
pub(in crate::import) struct Reading {
    pub(in crate::import) series: Arc<Series>,
    pub(in crate::import) value: f64,
    /// A native histogram, as Prometheus encodes it.
    pub(in crate::import) histogram: Option<Vec<u8>>,
}

impl Reading {
    pub(in crate::import) fn new(series: Arc<Series>, value: f64) -> Self {
        Self {
            series,
            value,
            histogram: None,
        }
    }
}

impl Point {
    /// Its time in milliseconds, as tables of samples have it.
    pub(super) fn milliseconds(&self) -> i64 {
        self.time.div_euclid(1_000_000)
    }

    /// Equal for points of one series and moment: a series has one sample at a time.
    pub(in crate::import) fn identity(&self) -> u128 {
        let mut hash = Sha256::new();
        if let Some(first) = self.readings.first() {
            add(&mut hash, first.series.name.as_bytes());
            for (name, value) in &first.series.labels {
                add(&mut hash, name.as_bytes());
                add(&mut hash, value.as_bytes());
            }
        }
        hash.update(self.milliseconds().to_le_bytes());
        first_half(&hash.finalize())
    }

    /// What it says, for the quarantine.
    pub(super) fn to_json(&self) -> Value {
        let readings = self.readings.iter();
        let readings: Vec<_> = readings
            .map(|one| {
                let Series { name, labels, .. } = one.series.as_ref();
                json!({"metric": name, "labels": labels, "value": one.value.to_string()})
            })
            .collect();
        json!(readings)
    }
}

/// A row that can't be taken.
#[derive(Debug)]
pub(in crate::import) struct Refused {
    pub(in crate::import) rule: &'static Rule,
    pub(in crate::import) reason: String,
    /// The row as it stands there, or its fields.
    pub(in crate::import) row: Value,
}

/// What became of a row of a record.
#[derive(Debug)]
pub(in crate::import) struct Parsed {
    /// What it is, in the report.
    pub(in crate::import) kind: &'static str,
    pub(in crate::import) line: u64,
    /// Equal for rows of which only one is taken; none: all are.
    pub(in crate::import) identity: Option<u128>,
    /// What was noted of it.
    pub(in crate::import) notes: Vec<&'static Rule>,
    /// None: it happened outside of its part's window.
    pub(in crate::import) result: Result<Option<Item>, Refused>,
}
