use camino::Utf8Path;

use crate::import::formats::testing::{Source, Taken};
use crate::rows::{Coverage, LogInstance, LogLine, MetricSample, MetricSeries, Span};

const LOG: &str = "Timestamp,TimeUnixNano,Node,PodName,Container,TraceID,SpanID,Log\n";
const TRACE: &str =
    "TraceID,SpanID,ParentID,PodName,OperationName,StartTimeUnixNano,EndTimeUnixNano,Duration\n";
const METRIC: &str = "Time,TimeStamp,PodName,CpuUsage(m),PodServerLatencyP90(s)\n";
const POD: &str = "ts-food-service-f5756978c-k8vqf";
const DAY: &str = "rca_data/2023-01-29";

/// A second of 2023-01-29T09:34:00Z.
fn at(second: u64) -> u64 {
    1_674_984_840 + second
}

fn line(second: u64, text: &str) -> String {
    let time = format!("2023-01-29T09:34:{second:02}.5Z");
    let log = format!(r#"{{""log"":""{text}\n"",""stream"":""stdout"",""time"":""{time}""}}"#);
    format!(
        "{time},{}500000000,n1,{POD},server,{:032x},{:016x},\"{log}\"\n",
        at(second),
        1,
        2
    )
}

fn span(id: u64, parent: &str, second: u64) -> String {
    format!(
        "{:032x},{id:016x},{parent},{POD},GET,{}000000000,{}000000000,1000000\n",
        1,
        at(second),
        at(second + 1)
    )
}

fn source() -> Source {
    let zero = line(25, "broken").replace("2023-01-29T09:34:25.5Z,", "2023-01-29T09:34:25.5,");
    let zero = zero.replace(&format!("{}500000000", at(25)), "-6795364578871345152");
    // The 10-field row of 10_06_log.csv, in short.
    let torn = line(26, "a").trim_end().to_owned() + "ulate distance]\\n\"\"\",\"\"stream\"\"\n";
    let local = line(24, "17:34:24.100 INFO x");
    let log = [LOG, &line(31, "later"), &local, &zero, &torn].concat();
    // Neighbouring minute files overlap.
    let next = [LOG, &line(31, "later"), &line(59, "last")].concat();
    let trace = [
        TRACE,
        &span(2, "root", 20),
        &span(3, &format!("{:016x}", 2), 21),
    ]
    .concat();
    let orphan = span(5, &format!("{:016x}", 9), 50);
    let next_trace = [TRACE, &span(2, "root", 20), &orphan, &span(6, "root", 51)].concat();
    let metric = |second: u64, stamp: &str| {
        let clock = format!("2023-01-29 09:34:{second:02}.25 +0000 UTC m=+1.5");
        format!("{clock},{stamp},{POD},7.5,\n")
    };
    let right = at(9).to_string();
    let replaced = "1674988840".replace("66", "86");
    assert_eq!(at(0).to_string(), "1674984840");
    let metrics = [
        METRIC,
        &metric(9, &right),
        &metric(9, &right),
        &metric(30, "1"),
        "2023-01-29 08:00:00.1 +0000 UTC m=+1.5,1674979200,x,1,2\n",
        &format!(
            "{},{replaced},{POD},n/a,\n",
            "2023-01-29 09:34:40.25 +0000 UTC m=+1.5"
        ),
    ]
    .concat();
    let labels = r#"{"09": [
        {"inject_time": "2023-01-29 09:34:19", "inject_timestamp": "1674956059", "inject_pod": "ts-food-service-f5756978c-k8vqf", "inject_type": "return"},
        {"inject_time": "2023-01-29 09:50:00", "inject_timestamp": "1674985800", "inject_pod": "ts-food-service-f5756978c-k8vqf", "inject_type": "return"}]}"#;
    Source::of(&[
        (&format!("{DAY}/2023-01-29-fault_list.json"), labels),
        (&format!("{DAY}/log/09_35_log.csv"), &log),
        (&format!("{DAY}/log/09_36_log.csv"), &next),
        (&format!("{DAY}/trace/09_35_trace.csv"), &trace),
        (&format!("{DAY}/trace/09_36_trace.csv"), &next_trace),
        (&format!("{DAY}/metric/{POD}_metric.csv"), &metrics),
        (
            &format!("{DAY}/metric/dependency.csv"),
            "Source,Target,Weight\n",
        ),
    ])
}

#[test]
fn known_defects_are_named_and_counted() {
    let taken = source().import("nezha");
    assert_eq!(taken.tally("log rows"), [6, 4, 2, 0]);
    assert_eq!(taken.tally("span rows"), [5, 4, 1, 0]);
    assert_eq!(taken.tally("pod metric rows"), [5, 2, 2, 1]);
    let defects: Vec<_> = taken.defects().into_iter().collect();
    assert_eq!(
        defects,
        [
            ("duplicate_row", 2),
            ("duplicate_sample", 1),
            ("go_zero_time", 1),
            ("inject_timestamp", 1),
            ("malformed_row", 1),
            ("message_clock_is_utc_plus_8", 1),
            ("orphan_span", 1),
            ("several_roots", 1),
            ("timestamp_is_not_time", 1),
            ("unreadable_value", 1),
        ]
    );
    let quarantine = taken.quarantine();
    let places: Vec<_> = quarantine
        .iter()
        .map(|one| {
            format!(
                "{}:{} {}",
                one["file"].as_str().unwrap(),
                one["line"],
                one["rule"]
            )
        })
        .collect();
    assert_eq!(
        places,
        [
            format!("{DAY}/log/09_35_log.csv:5 \"malformed_row\""),
            format!("{DAY}/log/09_36_log.csv:2 \"duplicate_row\""),
            format!("{DAY}/trace/09_36_trace.csv:2 \"duplicate_row\""),
            format!("{DAY}/metric/{POD}_metric.csv:3 \"duplicate_sample\""),
            format!("{DAY}/metric/{POD}_metric.csv:6 \"unreadable_value\""),
        ]
    );
    let values = quarantine[3]["row"]["values"].to_string();
    assert_eq!(values, r#"[["CpuUsage(m)","7.5"]]"#);
    assert!(quarantine[1].get("row").is_none(), "an equal row is there");
    let torn = quarantine[0]["row"].as_str().unwrap();
    assert!(
        torn.ends_with("ulate distance]\\n\"\"\",\"\"stream\"\""),
        "{torn}"
    );
    let left_out = &taken.source.left_out;
    assert_eq!(left_out.len(), 1);
    assert!(left_out[0].reason.contains("09_51_log.csv"), "{left_out:?}");
    let files = &taken.one().report.files;
    assert_eq!((files.read, files.written), (8, 5), "{files:?}");
}

#[test]
fn rows_are_those_of_the_source() {
    let taken = source().import("nezha");
    let lines: Vec<LogLine> = taken.rows();
    let seen: Vec<_> = lines
        .iter()
        .map(|line| {
            (
                line.seq,
                String::from_utf8_lossy(&line.message).into_owned(),
            )
        })
        .collect();
    let expected = ["17:34:24.100 INFO x", "broken", "later", "last"];
    let expected: Vec<_> = (0..).zip(expected.map(str::to_owned)).collect();
    assert_eq!(seen, expected);
    let first = &lines[1];
    assert_eq!(first.timestamp, at(25) as i64 * 1_000_000_000 + 500_000_000);
    assert_eq!(first.service.as_deref(), Some("ts-food-service"));
    assert_eq!(
        (first.namespace.as_str(), first.container.as_str()),
        ("train-ticket", "server")
    );
    assert_eq!(first.stream.as_deref(), Some("stdout"));
    let instances: Vec<LogInstance> = taken.rows();
    assert_eq!(
        (instances[0].pod.as_str(), instances[0].node.as_str()),
        (POD, "n1")
    );

    let spans: Vec<Span> = taken.rows();
    assert_eq!(spans[0].parent_span_id, None);
    assert_eq!(spans[1].parent_span_id.as_deref(), Some("0000000000000002"));
    assert_eq!(spans[1].end - spans[1].start, 1_000_000_000);
    assert!(spans[0].resource.contains(POD));

    let series: Vec<MetricSeries> = taken.rows();
    let names: Vec<_> = series
        .iter()
        .map(|one| (one.name.as_str(), one.pod.as_deref()))
        .collect();
    assert_eq!(names, [("CpuUsage_m", Some(POD))]);
    let samples: Vec<MetricSample> = taken.rows();
    let times: Vec<_> = samples.iter().map(|one| one.timestamp).collect();
    let ms = |second| at(second) as i64 * 1000 + 250;
    assert_eq!(times, [ms(9), ms(30)]);

    let coverage: Vec<Coverage> = taken.rows();
    let state = |table: &str| {
        let rows = coverage.iter().filter(|row| row.table == table);
        rows.map(|row| row.state.as_str()).collect::<Vec<_>>()
    };
    assert_eq!(state("log_lines"), ["partial"]);
    assert_eq!(state("spans"), ["recorded"]);
    assert_eq!(state("object_versions"), ["missing"]);

    let truth = taken.one().truth.as_ref().unwrap();
    assert_eq!(truth.name, "nezha-2023-01-29T0934Z");
    assert_eq!(truth.faulty, [["ts-food-service"]]);
    assert_eq!(truth.injected.unwrap().as_second(), at(19) as i64);
    // Nothing that an agent sees has the kind.
    let manifest = std::fs::read_to_string(taken.one().dir.join("manifest.json")).unwrap();
    assert!(
        !manifest.contains("return") && !manifest.contains("food"),
        "{manifest}"
    );
}

#[test]
fn the_same_source_gives_the_same_bytes() {
    let source = source();
    let digests = || -> Vec<String> {
        let taken = source.import("nezha");
        let files = &taken.one().manifest.files;
        assert!(!files.is_empty());
        files.values().map(|file| file.sha256.clone()).collect()
    };
    assert_eq!(digests(), digests());
}

#[test]
fn the_real_files_add_up() {
    let source = Utf8Path::new(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../shared/data/nezha"
    ));
    if !std::env::var("AIOPSLAB_INTEROP").is_ok_and(|value| value == "1") {
        println!("skipped: AIOPSLAB_INTEROP is not 1");
        return;
    }
    let taken = Taken::of("nezha", source, "");
    for one in &taken.source.incidents {
        println!(
            "{} {:#?}",
            one.dir,
            (
                &one.report.rows,
                &one.report.defects,
                one.report.clock_skew_ms
            )
        );
    }
    assert_eq!(taken.source.incidents.len(), 4);
}
