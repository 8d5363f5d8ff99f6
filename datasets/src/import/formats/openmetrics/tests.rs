use super::line::sample;
use crate::import::formats::testing::Source;
use crate::rows::{MetricMetadata, MetricSample, MetricSeries};

const DUMP: &str = "\
# HELP http_requests Requests, \\\"all\\\" of them.
# TYPE http_requests counter
# UNIT http_request_seconds seconds
# a comment for people
http_requests_total{code=\"200\",namespace=\"shop\",pod=\"cart-0\"} 1027 1395066363.000 # {trace_id=\"KOO5S4vxi0o\"} 0.67
http_requests_total{code=\"200\",namespace=\"shop\",pod=\"cart-0\"} 1030 1395066378.500
http_requests_total{code=\"200\",namespace=\"shop\",pod=\"cart-0\"} 1031 1395066378.500
http_request_seconds_bucket{le=\"0.5\"} 3e0 1395066363
http_request_seconds_bucket{le=\"+Inf\"} 4 1395066363
up{job=\"a\\\\b\\nc\"} NaN 1395066363123

{\"a.metric\", \"a.label\"=\"x\"} +Inf 1395066363
scraped 1
torn{a=\"b\" 1 1395066363
# EOF
";

#[test]
fn a_dump_becomes_series() {
    println!("unproven: dumps were tried on these lines only");
    let taken = Source::of(&[("dump.om", DUMP), ("notes.md", "x")]).import("openmetrics");
    assert_eq!(taken.tally("samples"), [9, 6, 3, 0]);
    assert_eq!(taken.tally("metadata lines"), [3, 3, 0, 0]);
    let defects: Vec<_> = taken.defects().into_iter().collect();
    assert_eq!(
        defects,
        [
            ("duplicate_sample", 1),
            ("epoch_unit", 1),
            ("exemplar_left_out", 1),
            ("unreadable_value", 2)
        ]
    );
    let lines: Vec<_> = taken
        .quarantine()
        .iter()
        .map(|one| (one["line"].as_u64().unwrap(), one["reason"].to_string()))
        .collect();
    assert_eq!(lines[0].0, 7);
    assert_eq!(
        lines[1],
        (13, "\"it has no time: a scrape tells none\"".to_owned())
    );
    assert_eq!(lines[2], (14, "\"the braces are not closed\"".to_owned()));

    let series: Vec<MetricSeries> = taken.rows();
    let names: Vec<_> = series.iter().map(|one| one.name.as_str()).collect();
    assert_eq!(
        names,
        [
            "http_requests_total",
            "http_request_seconds_bucket",
            "http_request_seconds_bucket",
            "up",
            "a.metric",
        ]
    );
    assert_eq!(series[0].pod.as_deref(), Some("cart-0"));
    assert_eq!(series[3].labels, [("job".to_owned(), "a\\b\nc".to_owned())]);
    assert_eq!(taken.one().manifest.namespaces, ["shop"]);
    let samples: Vec<MetricSample> = taken.rows();
    let of = |index: usize| {
        let id = series[index].series_id;
        let mine = samples.iter().filter(move |one| one.series_id == id);
        mine.map(|one| (one.timestamp, one.value))
            .collect::<Vec<_>>()
    };
    assert_eq!(
        of(0),
        [(1_395_066_363_000, 1027.0), (1_395_066_378_500, 1030.0)]
    );
    assert_eq!(of(3)[0].0, 1_395_066_363_123);
    let metadata: Vec<MetricMetadata> = taken.rows();
    let told: Vec<_> = metadata
        .iter()
        .map(|one| {
            (
                one.name.as_str(),
                one.r#type.as_deref(),
                one.unit.as_deref(),
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            ("http_request_seconds", None, Some("seconds")),
            ("http_requests", Some("counter"), None)
        ]
    );
    assert_eq!(
        metadata[1].help.as_deref(),
        Some("Requests, \"all\" of them.")
    );
}

#[test]
fn a_text_that_was_cut_off_is_told() {
    let whole = "up 1 1395066363\n";
    let torn = format!("{whole}up 1 139506");
    let taken = Source::of(&[("a.txt", torn.as_str())]).import("openmetrics");
    assert_eq!(taken.tally("samples"), [2, 1, 1, 0]);
    let defects: Vec<_> = taken.defects().into_iter().collect();
    assert_eq!(defects, [("no_eof", 1), ("unreadable_value", 1)]);
}

#[test]
fn lines_are_read_strictly() {
    let read = |line: &str| {
        let sample = sample(line);
        sample.map(|one| (one.name, one.labels.len(), one.value, one.time))
    };
    let is = |name: &str, labels, value, time: Option<&str>| {
        Ok((name.to_owned(), labels, value, time.map(str::to_owned)))
    };
    assert_eq!(read("a 1"), is("a", 0, 1.0, None));
    assert_eq!(read("a{} 1 2"), is("a", 0, 1.0, Some("2")));
    assert_eq!(
        read("a {b=\"c\", d=\"}\",} -Inf 2.5"),
        is("a", 2, f64::NEG_INFINITY, Some("2.5"))
    );
    assert_eq!(read("a{b=\"\"} 1"), is("a", 0, 1.0, None));
    assert_eq!(read("a{b=\"# 7\"} 1 2 # {} 1"), is("a", 1, 1.0, Some("2")));
    for wrong in [
        "a",
        "a one",
        "a infinity",
        "a 1 2 3",
        "a{b=c} 1",
        "a{b=\"c} 1",
        "a{b} 1",
        "a{b=\"1\",b=\"2\"} 1",
        "{b=\"c\"} 1",
        "{",
        "a{\"b\"",
    ] {
        assert!(read(wrong).is_err(), "{wrong}");
    }
}
