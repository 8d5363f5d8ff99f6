use arrow::datatypes::{Field, Schema};
use proptest::prelude::*;

use super::*;

/// A stale marker: a NaN whose payload must survive.
pub(crate) const STALE: u64 = 0x7ff0_0000_0000_0002;

fn text(value: &str) -> String {
    value.to_owned()
}

/// One row of every table.
macro_rules! every_row {
    ($call:ident) => {
        $call(&[coverage()]);
        $call(&[series()]);
        $call(&[sample(1, f64::from_bits(STALE))]);
        $call(&[metadata()]);
        $call(&[instance()]);
        $call(&[line(0)]);
        $call(&[span()]);
        $call(&[version(1)]);
        $call(&[api()]);
        $call(&[usage()]);
        $call(&[exec()]);
    };
}

pub(crate) fn coverage() -> Coverage {
    Coverage {
        table: text("spans"),
        source: text("jaeger"),
        scope: String::new(),
        from: 1,
        to: 2,
        state: text("partial"),
        reason: Some(text("a page was cut")),
        from_is_source_start: true,
    }
}

pub(crate) fn series() -> MetricSeries {
    MetricSeries {
        series_id: u64::MAX,
        source: text("prometheus"),
        name: text("up"),
        labels: vec![(text("job"), text("geo")), (text("pod"), String::new())],
        namespace: None,
        pod: Some(String::new()),
        container: None,
        node: Some(text("lab")),
        first: -1,
        last: 1_000,
    }
}

pub(crate) fn sample(series_id: u64, value: f64) -> MetricSample {
    MetricSample {
        series_id,
        timestamp: 5,
        value,
        histogram: Some(vec![0, 255]),
    }
}

fn metadata() -> MetricMetadata {
    MetricMetadata {
        kind: text("metadata"),
        name: text("up"),
        r#type: Some(text("gauge")),
        help: None,
        unit: None,
        json: None,
        valid_from: 3,
        valid_to: None,
    }
}

pub(crate) fn instance() -> LogInstance {
    LogInstance {
        instance_id: 7,
        pod_uid: text("u"),
        namespace: text("shop"),
        pod: text("geo-1"),
        container: text("geo"),
        role: text("container"),
        restart: 2,
        container_id: text("containerd://1"),
        node: text("lab"),
        started: Some(4),
        finished: None,
        exit_code: Some(-1),
        reason: None,
        first_line_kept: false,
    }
}

pub(crate) fn line(seq: u64) -> LogLine {
    LogLine {
        instance_id: 7,
        seq,
        timestamp: 9,
        message: vec![0xff, 0x00, b'x'],
        stream: Some(text("stderr")),
        namespace: text("shop"),
        service: None,
        pod: text("geo-1"),
        container: text("geo"),
    }
}

pub(crate) fn span() -> Span {
    Span {
        trace_id: text("0af7651916cd43dd8448eb211c80319c"),
        span_id: text("b7ad6b7169203331"),
        parent_span_id: None,
        service: text("geo"),
        operation: text("/nearby"),
        kind: text("server"),
        start: 1,
        end: 9,
        status: text("error"),
        message: Some(text("refused")),
        attributes: text("[]"),
        resource: text("[]"),
        scope: None,
        events: text("[]"),
        links: text("[]"),
        flags: u32::MAX,
        warnings: None,
        source: text("jaeger"),
    }
}

pub(crate) fn version(seq: u64) -> ObjectVersion {
    ObjectVersion {
        seq,
        event: text("modified"),
        observed: 12,
        exact: true,
        valid_from: 11,
        valid_to: None,
        group: String::new(),
        version: text("v1"),
        resource: text("services"),
        kind: text("Service"),
        namespace: text("shop"),
        name: text("geo"),
        uid: text("u"),
        resource_version: text("5"),
        object: text("{\"kind\":\"Service\"}"),
        cells: Some(text("[\"geo\"]")),
    }
}

fn api() -> ObjectApi {
    ObjectApi {
        kind: text("columns"),
        name: text("pods."),
        json: text("[]"),
        valid_from: 0,
        valid_to: Some(1),
    }
}

fn usage() -> Usage {
    Usage {
        kind: text("node"),
        namespace: String::new(),
        name: text("lab"),
        container: String::new(),
        timestamp: 1,
        window_ms: 15_000,
        cpu_nanocores: i64::MAX,
        memory_bytes: 0,
    }
}

fn exec() -> Exec {
    Exec {
        pod_uid: text("u"),
        namespace: text("shop"),
        pod: text("geo-1"),
        container: text("geo"),
        container_id: text("containerd://1"),
        argv: text("[\"ps\"]"),
        stdout: b"\xfe\n".to_vec(),
        stderr: Vec::new(),
        exit_code: 127,
        asked: 77,
        validity: text("instant"),
    }
}

/// Like `==`, with NaN equal to the same NaN.
fn printed<R: std::fmt::Debug>(rows: &[R]) -> String {
    format!("{rows:?}")
}

fn round_trip<R: Row + std::fmt::Debug + Clone>(rows: &[R]) {
    assert_eq!(
        printed(&R::from_batch(&R::to_batch(rows)).unwrap()),
        printed(rows)
    );
    assert!(R::from_batch(&R::to_batch(&[])).unwrap().is_empty());
    // Views, and columns in another order.
    let batch = R::to_batch(rows);
    let schema = batch.schema();
    let columns = schema
        .fields()
        .iter()
        .zip(batch.columns())
        .rev()
        .map(|(field, array)| {
            let data_type = match field.data_type() {
                DataType::Utf8 => DataType::Utf8View,
                DataType::Binary => DataType::BinaryView,
                other => other.clone(),
            };
            let array = arrow::compute::cast(array, &data_type).unwrap();
            (Field::new(field.name(), data_type, true), array)
        });
    let (fields, columns): (Vec<_>, Vec<_>) = columns.unzip();
    let view = RecordBatch::try_new(Schema::new(fields).into(), columns).unwrap();
    assert_eq!(printed(&R::from_batch(&view).unwrap()), printed(rows));
}

#[test]
fn every_row_round_trips() {
    every_row!(round_trip);
}

#[test]
fn fields_are_the_columns_of_the_schema() {
    fn same(table: Table, fields: &[&str]) {
        let fields: Vec<_> = fields
            .iter()
            .map(|name| name.trim_start_matches("r#"))
            .collect();
        let schema = table.schema();
        let columns: Vec<_> = schema
            .fields()
            .iter()
            .map(|field| field.name().as_str())
            .collect();
        assert_eq!(fields, columns, "{}", table.name());
    }
    same(Table::Coverage, Coverage::FIELDS);
    same(Table::MetricSeries, MetricSeries::FIELDS);
    same(Table::MetricSamples, MetricSample::FIELDS);
    same(Table::MetricMetadata, MetricMetadata::FIELDS);
    same(Table::LogInstances, LogInstance::FIELDS);
    same(Table::LogLines, LogLine::FIELDS);
    same(Table::Spans, Span::FIELDS);
    same(Table::ObjectVersions, ObjectVersion::FIELDS);
    same(Table::ObjectApi, ObjectApi::FIELDS);
    same(Table::Usage, Usage::FIELDS);
    same(Table::Exec, Exec::FIELDS);
}

#[test]
fn nan_payloads_survive() {
    let rows = [sample(1, f64::from_bits(STALE)), sample(2, f64::NAN)];
    let back = MetricSample::from_batch(&MetricSample::to_batch(&rows)).unwrap();
    let bits: Vec<u64> = back.iter().map(|row| row.value.to_bits()).collect();
    assert_eq!(bits, [STALE, f64::NAN.to_bits()]);
}

#[test]
fn batches_that_do_not_fit_are_refused() {
    let batch = Usage::to_batch(&[usage()]);
    let missing = Exec::from_batch(&batch).unwrap_err();
    assert_eq!(missing.to_string(), "no column pod_uid in a batch of exec");
    let mut columns: Vec<_> = batch.columns().to_vec();
    columns[0] = arrow::array::new_null_array(&DataType::Utf8, 1);
    let fields: Vec<_> = batch
        .schema()
        .fields()
        .iter()
        .map(|field| field.as_ref().clone().with_nullable(true))
        .collect();
    let nulls = RecordBatch::try_new(Schema::new(fields).into(), columns).unwrap();
    let null = Usage::from_batch(&nulls).unwrap_err();
    assert_eq!(null.to_string(), "column kind of usage holds a null");
}

proptest! {
    #[test]
    fn any_series_round_trips(
        series_id: u64,
        labels in prop::collection::vec((".*", ".*"), 0..4),
        name in ".*",
        namespace in prop::option::of(".*"),
        first: i64,
    ) {
        let row = MetricSeries {
            series_id, labels, name, namespace, first,
            ..series()
        };
        let rows = [row.clone(), series(), row];
        prop_assert_eq!(MetricSeries::from_batch(&MetricSeries::to_batch(&rows)).unwrap(), rows);
    }
}
