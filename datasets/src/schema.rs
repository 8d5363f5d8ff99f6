//! The tables of a snapshot: names, files, columns, order. Constants, checked on open.
//!
//! Times are UTC. Metrics are in milliseconds, as Prometheus keeps them; everything else in nanoseconds.
//! Intervals are half-open; a null end means "still so when the recording ended".
//! JSON columns hold text with the field order of its source.

use std::sync::{Arc, LazyLock};

use arrow::datatypes::{DataType, Field, Fields, Schema, SchemaRef, TimeUnit};

/// One table of a snapshot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Table {
    /// What was recorded, so that "nothing there" can be told from "not looked".
    Coverage,
    /// One row per metric series.
    MetricSeries,
    /// One row per sample, NaN payloads (stale markers) kept.
    MetricSamples,
    /// Type, help and unit of metrics; rules, alerts and targets as recorded JSON.
    MetricMetadata,
    /// One row per container instance whose log was read.
    LogInstances,
    /// One row per log line.
    LogLines,
    /// One row per span.
    Spans,
    /// One row per version of every Kubernetes object, events included.
    ObjectVersions,
    /// Discovery, OpenAPI, table columns and versions of the API server.
    ObjectApi,
    /// Samples of `metrics.k8s.io` (`kubectl top`).
    Usage,
    /// Commands that were run inside pods.
    Exec,
}

impl Table {
    /// Every table, in the order in which documentation and reports list them.
    pub const ALL: [Self; 11] = [
        Self::Coverage,
        Self::MetricSeries,
        Self::MetricSamples,
        Self::MetricMetadata,
        Self::LogInstances,
        Self::LogLines,
        Self::Spans,
        Self::ObjectVersions,
        Self::ObjectApi,
        Self::Usage,
        Self::Exec,
    ];

    /// The table's name in SQL.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Coverage => "coverage",
            Self::MetricSeries => "metric_series",
            Self::MetricSamples => "metric_samples",
            Self::MetricMetadata => "metric_metadata",
            Self::LogInstances => "log_instances",
            Self::LogLines => "log_lines",
            Self::Spans => "spans",
            Self::ObjectVersions => "object_versions",
            Self::ObjectApi => "object_api",
            Self::Usage => "usage",
            Self::Exec => "exec",
        }
    }

    /// The table's file below the snapshot's root (and below `withheld/`).
    #[must_use]
    pub fn file(self) -> &'static str {
        match self {
            Self::Coverage => "coverage.parquet",
            Self::MetricSeries => "metrics/series.parquet",
            Self::MetricSamples => "metrics/samples.parquet",
            Self::MetricMetadata => "metrics/metadata.parquet",
            Self::LogInstances => "logs/instances.parquet",
            Self::LogLines => "logs/lines.parquet",
            Self::Spans => "traces/spans.parquet",
            Self::ObjectVersions => "objects/versions.parquet",
            Self::ObjectApi => "objects/api.parquet",
            Self::Usage => "usage/usage.parquet",
            Self::Exec => "exec/exec.parquet",
        }
    }

    /// The table's columns.
    #[must_use]
    pub fn schema(self) -> SchemaRef {
        Arc::clone(&SCHEMAS[self as usize])
    }

    /// The columns that the finished file is sorted by, ascending.
    #[must_use]
    pub fn sort_columns(self) -> &'static [&'static str] {
        match self {
            Self::Coverage => &["table", "source", "scope", "from"],
            Self::MetricSeries => &["series_id"],
            Self::MetricSamples => &["series_id", "timestamp"],
            Self::MetricMetadata => &["kind", "name", "valid_from"],
            Self::LogInstances => &["instance_id"],
            Self::LogLines => &["namespace", "pod", "container", "instance_id", "seq"],
            Self::Spans => &["start", "trace_id", "span_id"],
            Self::ObjectVersions => &["resource", "namespace", "name", "uid", "seq"],
            Self::ObjectApi => &["kind", "name", "valid_from"],
            Self::Usage => &["kind", "namespace", "name", "container", "timestamp"],
            Self::Exec => &["namespace", "pod", "container", "asked"],
        }
    }
}

/// The type of every time column outside metrics.
#[must_use]
pub fn nanoseconds() -> DataType {
    DataType::Timestamp(TimeUnit::Nanosecond, Some("UTC".into()))
}

/// The type of the time columns of metrics.
#[must_use]
pub fn milliseconds() -> DataType {
    DataType::Timestamp(TimeUnit::Millisecond, Some("UTC".into()))
}

static SCHEMAS: LazyLock<Vec<SchemaRef>> = LazyLock::new(|| {
    Table::ALL
        .iter()
        .map(|table| Arc::new(columns(*table)))
        .collect()
});

fn columns(table: Table) -> Schema {
    let text = |name: &str| Field::new(name, DataType::Utf8, false);
    let maybe_text = |name: &str| Field::new(name, DataType::Utf8, true);
    let time = |name: &str| Field::new(name, nanoseconds(), false);
    let maybe_time = |name: &str| Field::new(name, nanoseconds(), true);
    let field = |name: &str, data_type: DataType| Field::new(name, data_type, false);
    let maybe = |name: &str, data_type: DataType| Field::new(name, data_type, true);
    Schema::new(match table {
        Table::Coverage => vec![
            text("table"),
            text("source"),
            text("scope"), // `key=value` pairs joined by commas, e.g. `resource=pods,namespace=shop`; empty: all
            time("from"),
            time("to"),
            text("state"), // recorded | partial | missing | withheld
            maybe_text("reason"),
            field("from_is_source_start", DataType::Boolean),
        ],
        Table::MetricSeries => vec![
            field("series_id", DataType::UInt64),
            text("source"),
            text("name"),
            field("labels", labels()),
            maybe_text("namespace"),
            maybe_text("pod"),
            maybe_text("container"),
            maybe_text("node"),
            field("first", milliseconds()),
            field("last", milliseconds()),
        ],
        Table::MetricSamples => vec![
            field("series_id", DataType::UInt64),
            field("timestamp", milliseconds()),
            field("value", DataType::Float64),
            maybe("histogram", DataType::Binary),
        ],
        Table::MetricMetadata => vec![
            text("kind"), // metadata | rules | alerts | targets | config
            text("name"),
            maybe_text("type"),
            maybe_text("help"),
            maybe_text("unit"),
            maybe_text("json"),
            time("valid_from"),
            maybe_time("valid_to"),
        ],
        Table::LogInstances => vec![
            field("instance_id", DataType::UInt64),
            text("pod_uid"),
            text("namespace"),
            text("pod"),
            text("container"),
            text("role"), // container | init | ephemeral
            field("restart", DataType::Int32),
            text("container_id"),
            text("node"),
            maybe_time("started"),
            maybe_time("finished"),
            maybe("exit_code", DataType::Int32),
            maybe_text("reason"),
            field("first_line_kept", DataType::Boolean),
        ],
        Table::LogLines => vec![
            field("instance_id", DataType::UInt64),
            field("seq", DataType::UInt64),
            time("timestamp"),
            field("message", DataType::Binary),
            maybe_text("stream"),
            text("namespace"),
            maybe_text("service"),
            text("pod"),
            text("container"),
        ],
        Table::Spans => vec![
            text("trace_id"),
            text("span_id"),
            maybe_text("parent_span_id"),
            text("service"),
            text("operation"),
            text("kind"), // internal | server | client | producer | consumer | unspecified
            time("start"),
            time("end"),
            text("status"), // unset | ok | error
            maybe_text("message"),
            text("attributes"), // JSON array of {"key","type","value"}: ordered, typed, duplicates kept
            text("resource"),   // likewise
            maybe_text("scope"),
            text("events"),
            text("links"),
            field("flags", DataType::UInt32),
            maybe_text("warnings"),
            text("source"),
        ],
        Table::ObjectVersions => vec![
            field("seq", DataType::UInt64),
            text("event"), // initial | added | modified | deleted | relisted
            time("observed"),
            field("exact", DataType::Boolean),
            time("valid_from"),
            maybe_time("valid_to"), // of a deleted event: equal to valid_from (it was never visible)
            text("group"),          // empty for the core group
            text("version"),
            text("resource"),
            text("kind"),
            text("namespace"), // empty for cluster-scoped objects
            text("name"),
            text("uid"),
            text("resource_version"),
            text("object"),
            maybe_text("cells"), // JSON array, as the server printed them
        ],
        Table::ObjectApi => vec![
            text("kind"), // version | discovery | openapi | columns | access
            text("name"), // a group version; of columns `resource.group`; of access a namespace
            text("json"),
            time("valid_from"),
            maybe_time("valid_to"),
        ],
        Table::Usage => vec![
            text("kind"), // node | pod
            text("namespace"),
            text("name"),
            text("container"), // empty for nodes
            time("timestamp"),
            field("window_ms", DataType::Int64),
            field("cpu_nanocores", DataType::Int64),
            field("memory_bytes", DataType::Int64),
        ],
        Table::Exec => vec![
            text("pod_uid"),
            text("namespace"),
            text("pod"),
            text("container"),
            text("container_id"),
            text("argv"), // JSON array
            field("stdout", DataType::Binary),
            field("stderr", DataType::Binary),
            field("exit_code", DataType::Int32),
            time("asked"),
            text("validity"), // instance | instant
        ],
    })
}

fn labels() -> DataType {
    let entries = Fields::from(vec![
        Field::new("keys", DataType::Utf8, false),
        Field::new("values", DataType::Utf8, false),
    ]);
    DataType::Map(
        Arc::new(Field::new("entries", DataType::Struct(entries), false)),
        false,
    )
}

/// The first difference between a table's columns and others: names, types and nulls.
pub(crate) fn difference(expected: &Schema, found: &Schema) -> Option<String> {
    for (index, field) in expected.fields().iter().enumerate() {
        let Some(other) = found.fields().get(index) else {
            return Some(format!("no column {}", field.name()));
        };
        if field.name() != other.name() {
            return Some(format!(
                "column {index} is {}, not {}",
                other.name(),
                field.name()
            ));
        }
        if !is_same(field.data_type(), other.data_type()) {
            let (is, should) = (other.data_type(), field.data_type());
            return Some(format!("column {} is {is}, not {should}", field.name()));
        }
        if other.is_nullable() && !field.is_nullable() {
            return Some(format!("column {} may be null", field.name()));
        }
    }
    let more = found.fields().get(expected.fields().len())?;
    Some(format!("there is a column {}", more.name()))
}

/// Whether two types are the same but for the names within maps, which each library chooses for itself.
fn is_same(expected: &DataType, found: &DataType) -> bool {
    let (DataType::Map(expected, _), DataType::Map(found, _)) = (expected, found) else {
        return expected == found;
    };
    let types = |entries: &DataType| match entries {
        DataType::Struct(fields) => fields
            .iter()
            .map(|field| (field.data_type().clone(), field.is_nullable()))
            .collect(),
        _ => Vec::new(),
    };
    types(expected.data_type()) == types(found.data_type())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The tables that the document describes: name, file and columns with type and null.
    fn documented() -> Vec<String> {
        let text = include_str!("../../docs/formats/snapshot-v1.md");
        let section = text
            .split("\n## ")
            .find(|part| part.starts_with("Tables"))
            .unwrap();
        let described = section.split("\n### `").skip(1).map(|part| {
            let file = part
                .split("File `")
                .nth(1)
                .unwrap()
                .split('`')
                .next()
                .unwrap();
            let columns = part
                .lines()
                .filter(|line| line.starts_with("| `"))
                .map(|line| {
                    let cells: Vec<_> = line.split('|').map(str::trim).collect();
                    format!("{} {} {}", cells[1].trim_matches('`'), cells[2], cells[3])
                });
            let columns: Vec<_> = columns.collect();
            let sorted = part
                .split("sorted by ")
                .nth(1)
                .unwrap()
                .lines()
                .next()
                .unwrap();
            format!(
                "{} {file} {columns:?} {sorted}",
                part.split('`').next().unwrap()
            )
        });
        described.collect()
    }

    fn type_name(data_type: &DataType) -> &'static str {
        match data_type {
            DataType::Utf8 => "text",
            DataType::Binary => "binary",
            DataType::Boolean => "boolean",
            DataType::Int32 => "int32",
            DataType::Int64 => "int64",
            DataType::UInt32 => "uint32",
            DataType::UInt64 => "uint64",
            DataType::Float64 => "float64",
            DataType::Map(..) => "map text to text",
            DataType::Timestamp(TimeUnit::Millisecond, _) => "timestamp ms UTC",
            DataType::Timestamp(..) => "timestamp ns UTC",
            other => panic!("the document has no word for {other}"),
        }
    }

    #[test]
    fn the_document_lists_every_table_and_column() {
        let actual: Vec<_> = Table::ALL
            .into_iter()
            .map(|table| {
                let schema = table.schema();
                let columns = schema.fields().iter().map(|field| {
                    let null = if field.is_nullable() { "yes" } else { "no" };
                    format!("{} {} {null}", field.name(), type_name(field.data_type()))
                });
                let columns: Vec<_> = columns.collect();
                let keys = table.sort_columns().iter().map(|name| format!("`{name}`"));
                let sorted = keys.collect::<Vec<_>>().join(", ");
                format!("{} {} {columns:?} {sorted}.", table.name(), table.file())
            })
            .collect();
        assert_eq!(documented(), actual);
    }
}
