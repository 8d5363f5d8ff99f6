use std::io::Write;

use serde_json::{Value, json};

use crate::import::formats::testing::{Source, Taken};
use crate::rows::{LogInstance, LogLine, MetricMetadata, MetricSample, MetricSeries, Span};

const SECOND: u64 = 1_000_000_000;
/// 2026-01-01T00:00:00Z.
const TIME: u64 = 1_767_225_600 * SECOND;

fn text(value: &str) -> Value {
    json!({"stringValue": value})
}

fn resource() -> Value {
    json!({"attributes": [
        {"key": "k8s.namespace.name", "value": text("shop")},
        {"key": "k8s.pod.name", "value": text("cart-5b67c48447-mv5hb")},
        {"key": "service.name", "value": text("cart")},
        {"key": "process.pid", "value": {"intValue": "7"}}]})
}

fn line(kind: &str, scopes: &str, rows: &str, all: &[Value]) -> String {
    let scope = json!({"scope": {"name": "lib", "version": "1"}, rows: all});
    let of = json!({"resource": resource(), scopes: [scope]});
    json!({kind: [of]}).to_string()
}

fn spans(all: &[Value]) -> String {
    line("resourceSpans", "scopeSpans", "spans", all)
}

fn span(id: u32, more: &Value) -> Value {
    let mut span = json!({"traceId": "5b8aa5a2d2c872e8321cf37308d69df2", "spanId": format!("{id:016x}"),
        "name": "buy", "kind": 2, "startTimeUnixNano": TIME.to_string(),
        "endTimeUnixNano": (TIME + SECOND).to_string()});
    for (key, value) in more.as_object().unwrap() {
        span[key] = value.clone();
    }
    span
}

fn imported(text: &str) -> Taken {
    Source::of(&[("traces.json", text)]).import("otlp")
}

#[test]
fn spans_are_those_of_the_document() {
    println!("unproven: OTLP was tried on these documents only");
    let full = span(
        2,
        &json!({"parentSpanId": "0000000000000001", "flags": 257, "traceState": "a=b", "status": {"code": 2, "message": "no"},
        "attributes": [
            {"key": "http.status", "value": {"intValue": "500"}},
            {"key": "ok", "value": {"boolValue": false}},
            {"key": "ratio", "value": {"doubleValue": 0.5}},
            {"key": "list", "value": {"arrayValue": {"values": [text("a"), {"intValue": 1}]}}},
            {"key": "map", "value": {"kvlistValue": {"values": [{"key": "k", "value": text("v")}]}}}],
        "events": [{"timeUnixNano": TIME.to_string(), "name": "exception", "attributes": [{"key": "m", "value": text("x")}]}],
        "links": [{"traceId": "0000000000000000000000000000000a", "spanId": "000000000000000b"}]}),
    );
    let by_name = span(
        3,
        &json!({"kind": "SPAN_KIND_CLIENT", "parentSpanId": "0000000000000001", "new": 1}),
    );
    let in_base64 = span(
        4,
        &json!({"traceId": "W4qlotLIcugyHPNzCNad8g==", "spanId": "AAAAAAAAAAQ=", "parentSpanId": "AAAAAAAAAAE="}),
    );
    let first = spans(&[span(1, &json!({"parentSpanId": ""})), full.clone(), by_name]);
    let second = spans(&[full, in_base64]);
    let taken = imported(&format!("{first}\n\n{second}\n"));
    assert_eq!(taken.tally("spans"), [5, 4, 1, 0]);
    let defects: Vec<_> = taken.defects().into_iter().collect();
    assert_eq!(
        defects,
        [
            ("duplicate_row", 1),
            ("fields_left_out", 1),
            ("ids_in_base64", 1)
        ]
    );
    let rows: Vec<Span> = taken.rows();
    let row = |id: &str| rows.iter().find(|one| one.span_id.ends_with(id)).unwrap();
    assert_eq!(row("4").trace_id, "5b8aa5a2d2c872e8321cf37308d69df2");
    assert_eq!(row("1").parent_span_id, None);
    assert_eq!(
        (row("3").kind.as_str(), row("1").kind.as_str()),
        ("client", "server")
    );
    let full = row("2");
    assert_eq!(full.parent_span_id.as_deref(), Some("0000000000000001"));
    assert_eq!(
        (full.status.as_str(), full.message.as_deref()),
        ("error", Some("no"))
    );
    assert_eq!((full.service.as_str(), full.flags), ("cart", 1));
    assert_eq!(full.end - full.start, SECOND as i64);
    let attributes: Value = serde_json::from_str(&full.attributes).unwrap();
    let all: Vec<_> = attributes
        .as_array()
        .unwrap()
        .iter()
        .map(|one| {
            format!(
                "{} {} {}",
                one["key"].as_str().unwrap(),
                one["type"].as_str().unwrap(),
                one["value"]
            )
        })
        .collect();
    assert_eq!(
        all,
        [
            "http.status int64 500",
            "ok bool false",
            "ratio float64 0.5",
            "list string \"[\\\"a\\\",1]\"",
            "map string \"{\\\"k\\\":\\\"v\\\"}\"",
            "w3c.tracestate string \"a=b\"",
        ]
    );
    assert!(
        full.resource.starts_with(r#"[{"key":"service.name""#),
        "{}",
        full.resource
    );
    assert!(full.resource.contains("process.pid"));
    assert_eq!(
        full.scope.as_deref(),
        Some(r#"{"name":"lib","version":"1"}"#)
    );
    assert!(
        full.events
            .contains(&format!("\"time\":{TIME},\"name\":\"exception\"")),
        "{}",
        full.events
    );
    assert!(full.links.contains("000000000000000b"));
    assert_eq!(taken.one().manifest.namespaces, ["otlp"]);
}

#[test]
fn a_wrong_row_costs_itself_and_a_torn_line_its_line() {
    let early = span(3, &json!({"endTimeUnixNano": (TIME - 1).to_string()}));
    let micros = span(
        4,
        &json!({"startTimeUnixNano": (TIME / 1000).to_string(), "parentSpanId": "00000000000000ff"}),
    );
    let document = spans(&[
        span(1, &json!({"name": 7})),
        span(2, &json!({"traceId": "0000"})),
        early,
        micros,
        span(5, &json!({"kind": 9})),
        span(6, &json!({"startTimeUnixNano": "soon"})),
        span(
            7,
            &json!({"attributes": [{"key": "a", "value": {"intValue": "many"}}]}),
        ),
    ]);
    let torn = &document[..document.len() / 2];
    let taken = imported(&format!("{document}\n{{\"spans\": []}}\n[1]\n{torn}"));
    assert_eq!(taken.tally("spans"), [7, 2, 5, 0]);
    assert_eq!(taken.tally("documents"), [3, 0, 3, 0]);
    let defects: Vec<_> = taken.defects().into_iter().collect();
    assert_eq!(
        defects,
        [
            ("epoch_unit", 1),
            ("malformed_document", 3),
            ("orphan_span", 1),
            ("span_ends_before_it_starts", 1),
            ("unreadable_value", 5),
        ]
    );
    let reasons = taken.quarantine();
    assert_eq!(reasons[0]["row"]["name"], 7);
    let said = |index: usize| reasons[index]["reason"].as_str().unwrap().to_owned();
    assert!(said(1).contains("without an id"), "{}", said(1));
    assert!(
        said(2).contains("kind: 9 is none of unspecified"),
        "{}",
        said(2)
    );
    assert!(
        said(3).contains("startTimeUnixNano: \"soon\""),
        "{}",
        said(3)
    );
    assert!(said(5).contains("none of resourceSpans"), "{}", said(5));
}

#[test]
fn log_records_are_lines() {
    let record = |more: Value| {
        let mut record = json!({"timeUnixNano": TIME.to_string(), "body": text("sold out")});
        for (key, value) in more.as_object().unwrap() {
            record[key] = value.clone();
        }
        record
    };
    let document = line(
        "resourceLogs",
        "scopeLogs",
        "logRecords",
        &[
            record(
                json!({"severityText": "ERROR", "severityNumber": 17, "traceId": "5b8aa5a2d2c872e8321cf37308d69df2",
                "attributes": [{"key": "item", "value": text("a b")}, {"key": "log.iostream", "value": text("stderr")}]}),
            ),
            record(json!({"body": text("error: sold out\n"), "severityText": "Error"})),
            record(
                json!({"timeUnixNano": "0", "observedTimeUnixNano": TIME + SECOND, "body": {"kvlistValue": {"values": [{"key": "k", "value": {"intValue": 1}}]}}}),
            ),
            record(json!({"timeUnixNano": 0})),
            record(json!({"body": 5})),
        ],
    );
    let taken = imported(&document);
    assert_eq!(taken.tally("log records"), [5, 3, 2, 0]);
    let defects: Vec<_> = taken.defects().into_iter().collect();
    assert_eq!(
        defects,
        [
            ("record_around_line", 1),
            ("time_is_when_observed", 1),
            ("unreadable_value", 2)
        ]
    );
    let lines: Vec<LogLine> = taken.rows();
    let said: Vec<_> = lines
        .iter()
        .map(|one| String::from_utf8_lossy(&one.message))
        .collect();
    assert_eq!(
        said,
        [
            "ERROR sold out item=\"a b\" trace_id=5b8aa5a2d2c872e8321cf37308d69df2",
            "error: sold out",
            "{\"k\":1}",
        ]
    );
    assert_eq!(lines[0].stream.as_deref(), Some("stderr"));
    assert_eq!(
        (lines[0].namespace.as_str(), lines[0].service.as_deref()),
        ("shop", Some("cart"))
    );
    let instances: Vec<LogInstance> = taken.rows();
    assert_eq!(
        (instances[0].pod.as_str(), instances[0].container.as_str()),
        ("cart-5b67c48447-mv5hb", "cart")
    );
}

#[test]
fn data_points_are_series_of_prometheus() {
    let at = TIME.to_string();
    let metrics = [
        json!({"name": "http.requests", "unit": "1", "description": "Requests.", "sum": {"isMonotonic": true, "aggregationTemporality": 2,
            "dataPoints": [
                {"timeUnixNano": at, "asInt": "3", "attributes": [{"key": "http.code", "value": {"intValue": 200}}]},
                {"timeUnixNano": at, "asInt": 4, "attributes": [{"key": "http.code", "value": {"intValue": 200}}]},
                {"timeUnixNano": at}]}}),
        json!({"name": "latency", "histogram": {"aggregationTemporality": "AGGREGATION_TEMPORALITY_DELTA", "dataPoints": [
            {"timeUnixNano": at, "count": "3", "sum": 1.5, "bucketCounts": ["2", "1"], "explicitBounds": [0.5], "exemplars": []},
            {"timeUnixNano": at, "count": "3", "bucketCounts": ["2"], "explicitBounds": [0.5]}]}}),
        json!({"name": "exp", "exponentialHistogram": {"aggregationTemporality": 2, "dataPoints": [
            {"timeUnixNano": at, "count": "2", "sum": 3, "scale": 1, "positive": {"bucketCounts": ["2"]}}]}}),
        json!({"name": "old", "summary": {"dataPoints": [
            {"timeUnixNano": at, "quantileValues": [{"quantile": 0.5, "value": "NaN"}]}]}}),
        json!({"name": "gone", "gauge": {"dataPoints": [{"timeUnixNano": at, "flags": 1}]}}),
        json!({"name": 5}),
    ];
    let document = line("resourceMetrics", "scopeMetrics", "metrics", &metrics);
    let taken = imported(&document);
    assert_eq!(taken.tally("data points"), [8, 5, 3, 0]);
    assert_eq!(taken.tally("metrics"), [1, 0, 1, 0]);
    let defects: Vec<_> = taken.defects().into_iter().collect();
    assert_eq!(
        defects,
        [
            ("delta_temporality", 1),
            ("duplicate_sample", 1),
            ("exponential_buckets_left_out", 1),
            ("fields_left_out", 2),
            ("unreadable_value", 3),
        ]
    );
    let series: Vec<MetricSeries> = taken.rows();
    let samples: Vec<MetricSample> = taken.rows();
    let value = |name: &str, label: &str| {
        let found = series.iter().find(|one| {
            let mut labels = one.labels.iter();
            one.name == name && (label.is_empty() || labels.any(|(_, value)| value == label))
        });
        let id = found
            .unwrap_or_else(|| panic!("no {name} {label}"))
            .series_id;
        samples
            .iter()
            .find(|one| one.series_id == id)
            .unwrap()
            .value
    };
    assert_eq!(value("http_requests", "200"), 3.0);
    assert_eq!(value("latency_bucket", "0.5"), 2.0);
    assert_eq!(value("latency_bucket", "+Inf"), 3.0);
    assert_eq!(
        (value("latency_sum", ""), value("latency_count", "")),
        (1.5, 3.0)
    );
    assert_eq!((value("exp_sum", ""), value("exp_count", "")), (3.0, 2.0));
    assert!(value("old", "0.5").is_nan());
    assert_eq!(value("gone", "").to_bits(), 0x7ff0_0000_0000_0002);
    let of = series
        .iter()
        .find(|one| one.name == "http_requests")
        .unwrap();
    assert_eq!(of.pod.as_deref(), Some("cart-5b67c48447-mv5hb"));
    let keys: Vec<_> = of.labels.iter().map(|(key, _)| key.as_str()).collect();
    assert_eq!(keys, ["http_code", "namespace", "pod", "service"]);
    let metadata: Vec<MetricMetadata> = taken.rows();
    let of = metadata
        .iter()
        .find(|one| one.name == "http_requests")
        .unwrap();
    assert_eq!(
        (of.r#type.as_deref(), of.help.as_deref(), of.unit.as_deref()),
        (Some("counter"), Some("Requests."), Some("1"))
    );
}

#[test]
fn files_may_be_compressed_empty_and_damaged() {
    let text = format!("{}\n", spans(&[span(1, &json!({}))]));
    let other = format!(
        "{}\n",
        spans(&[span(2, &json!({"parentSpanId": "0000000000000001"}))])
    );
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(text.as_bytes()).unwrap();
    let gzip = gzip.finish().unwrap();
    // Without its end.
    let noise: Vec<String> = (3..200)
        .map(|id| spans(&[span(id, &json!({"name": format!("{}", id * 37 % 251)}))]))
        .collect();
    let torn = zstd::encode_all(noise.join("\n").as_bytes(), 1).unwrap();
    let torn = torn[..torn.len() - 4].to_vec();
    let source = Source::of_bytes(&[
        ("a/traces.json.gz", gzip),
        (
            "b.jsonl.zst",
            zstd::encode_all(other.as_bytes(), 3).unwrap(),
        ),
        ("c.json", Vec::new()),
        ("d.jsonl.zst", torn),
        ("readme.md", b"x".to_vec()),
    ]);
    let taken = source.import("otlp");
    let report = &taken.one().report;
    assert_eq!(
        (report.files.read, report.files.written),
        (5, 4),
        "{:?}",
        report.files
    );
    assert_eq!(taken.defects()["damaged_file"], 1);
    let [read, written, ..] = taken.tally("spans");
    assert!(read >= 2 && read == written, "{read} {written}");
    assert_eq!(taken.tally("documents"), [1, 0, 1, 0]);
    let digests = |taken: &Taken| taken.one().manifest.files.clone();
    assert_eq!(digests(&taken), digests(&source.import("otlp")));
    // A file alone is named itself.
    let one = Taken::of("otlp", &source.path().join("a/traces.json.gz"), "");
    assert_eq!(one.one().report.sources[0].path, "traces.json.gz");
    assert_eq!(one.tally("spans"), [1, 1, 0, 0]);
}
