//! RCAEval RE1, RE2 and RE3 (MIT): faults injected into Online Boutique (OB), Sock Shop (SS) and Train-Ticket (TT).
//!
//! Layout, from <https://github.com/phamquiluan/RCAEval> and its issues: `RE{1,2,3}-{OB,SS,TT}/SERVICE_FAULT/RUN/` with `inject_time.txt` (a Unix
//! second in the middle of the case), `data.csv` (RE1) or `metrics.csv` (RE2, RE3): a column `time` (s) and one per
//! `SERVICE_METRIC`; `logs.csv` with `timestamp` in nanoseconds (`time` is for display), `traces.csv` with `startTime` and `duration`
//! in microseconds.
//!
//! The folder's name is the answer: the part before its last underscore is the service at fault, the
//! rest the kind. Incidents get opaque names.

use camino::{Utf8Path, Utf8PathBuf};
use jiff::Timestamp;

use super::Format;
use crate::files;
use crate::import::engine::defects::rules;
use crate::import::engine::incident::{Found, ImportedTruth, Incident, Part};
use crate::import::engine::names::{opaque, series};
use crate::import::engine::sheet::{
    Logs, Row, Rows, Series, Sheet, Spans, Until, When, Wide, plain,
};
use crate::import::engine::time::Unit;
use crate::import::{ImportError, LeftOut, one_line};

pub(super) const FORMAT: Format = Format {
    name: "rcaeval",
    about: "RCAEval RE1, RE2, RE3: a folder with SERVICE_FAULT/RUN/inject_time.txt somewhere in it",
    proven: false,
    find,
};

/// Folders above a case, at most.
const DEPTH: usize = 5;
const INJECT_TIME: &str = "inject_time.txt";

static METRICS: Sheet = Sheet {
    name: "metric rows",
    columns: &["time"],
    unique: false,
    time: When::Column("time", Unit::Seconds),
    rows: Rows::Wide(Wide {
        of: None,
        series: of_column,
    }),
    partial: None,
};

static LOGS: Sheet = Sheet {
    name: "log rows",
    columns: &["timestamp", "container_name", "message"],
    unique: true,
    time: When::Column("timestamp", Unit::Nanoseconds),
    rows: Rows::Logs(Logs {
        namespace: None,
        // Pods are not told.
        pod: "container_name",
        container: None,
        node: None,
        service: str::to_owned,
        message: "message",
        line: plain,
        trace: None,
    }),
    partial: None,
};

static TRACES: Sheet = Sheet {
    name: "span rows",
    columns: &[
        "traceID",
        "spanID",
        "serviceName",
        "methodName",
        "operationName",
        "startTime",
        "duration",
        "statusCode",
        "parentSpanID",
    ],
    unique: true,
    time: When::Column("startTime", Unit::Microseconds),
    rows: Rows::Spans(Spans {
        trace: "traceID",
        span: "spanID",
        parent: "parentSpanID",
        root: &["nan"],
        of: "serviceName",
        service: str::to_owned,
        of_is_pod: false,
        operation: Some("operationName"),
        until: Until::Duration("duration", Unit::Microseconds),
        status,
        attributes: &["methodName", "statusCode"],
    }),
    partial: None,
};

/// `ts-order-service_latency-90`: names of services have no underscore.
fn of_column(column: &str, _: &str) -> Series {
    let (service, metric) = column.split_once('_').unwrap_or(("", column));
    series(metric, &[("service", service)])
}

/// Codes of gRPC other than 0 (OK) and of HTTP from 500 on are errors.
fn status(row: &Row<'_>) -> &'static str {
    let code = row
        .get("statusCode")
        .ok()
        .and_then(|text| text.parse::<f64>().ok());
    match code {
        Some(code) if (1.0..=16.0).contains(&code) || code >= 500.0 => "error",
        _ => "unset",
    }
}

fn find(root: &Utf8Path, key: &str) -> Result<Found, ImportError> {
    let mut found = Found::default();
    look(root, Utf8Path::new(""), DEPTH, key, &mut found)?;
    // Folders are in the order of the answers.
    found
        .incidents
        .sort_by(|one, other| one.name.cmp(&other.name));
    match found.incidents.is_empty() && found.left_out.is_empty() {
        false => Ok(found),
        true => Err(ImportError::NotASource {
            dir: root.to_owned(),
            what: "folder of RCAEval",
            missing: "SERVICE_FAULT/RUN/inject_time.txt",
            hint: "name the folder that an archive of RCAEval was unpacked into",
        }),
    }
}

fn look(
    root: &Utf8Path,
    folder: &Utf8Path,
    depth: usize,
    key: &str,
    found: &mut Found,
) -> Result<(), ImportError> {
    if root.join(folder).join(INJECT_TIME).exists() {
        match case(root, folder, key) {
            Ok(incident) => found.incidents.push(incident),
            Err(reason) => found.left_out.push(LeftOut {
                what: folder.to_string(),
                reason,
            }),
        }
        return Ok(());
    }
    for name in files::list(&root.join(folder))? {
        if depth > 0 && root.join(folder).join(&name).is_dir() {
            look(root, &folder.join(name), depth - 1, key, found)?;
        }
    }
    Ok(())
}

/// A case, or why it is none.
fn case(root: &Utf8Path, folder: &Utf8Path, key: &str) -> Result<Incident, String> {
    let path = root.join(folder).join(INJECT_TIME);
    let text = std::fs::read_to_string(&path)
        .map_err(|cause| format!("cannot read {INJECT_TIME}: {cause}"))?;
    let injected = text
        .trim()
        .split('.')
        .next()
        .and_then(|text| text.parse().ok());
    let injected = injected.and_then(|second| Timestamp::from_second(second).ok());
    // The whole path, where the source is a folder of a case itself.
    let whole = root.join(folder);
    let mut above = whole.components().rev().map(|part| part.as_str());
    let (run, label, benchmark) = (above.next(), above.next(), above.next());
    let label = label.unwrap_or_default();
    let Some((service, fault)) = label.rsplit_once('_') else {
        return Err(format!("{label} is not SERVICE_FAULT"));
    };
    let Some(injected) = injected else {
        return Err(format!("{INJECT_TIME} has no Unix second"));
    };
    let benchmark = benchmark.unwrap_or_default();
    let identity = format!("{benchmark}/{label}/{}", run.unwrap_or_default());
    let (set, application) = match benchmark.split_once('-') {
        Some((set, "OB")) => (set, "online-boutique"),
        Some((set, "SS")) => (set, "sock-shop"),
        Some((set, "TT")) => (set, "train-ticket"),
        _ => ("re", "rcaeval"),
    };
    let name = format!(
        "rcaeval-{}-{application}-c{}",
        set.to_lowercase(),
        opaque(&identity, key)
    );
    let (parts, unread) = files_of(root, folder).map_err(|cause| one_line(&cause))?;
    if parts.is_empty() {
        return Err("it has no data.csv, metrics.csv, logs.csv or traces.csv".to_owned());
    }
    Ok(Incident {
        truth: Some(ImportedTruth {
            name: name.clone(),
            application: application.to_owned(),
            anomaly: true,
            faulty: vec![vec![service.to_owned()]],
            injected: Some(injected),
            ended: None,
            kind: fault.to_owned(),
            summary: format!("{fault} in {service} (RCAEval {benchmark})"),
        }),
        name,
        application: application.to_owned(),
        // Namespaces are not told.
        namespace: application.to_owned(),
        parts,
        unread,
        defects: vec![(&rules::OPAQUE_NAME, folder.to_string())],
    })
}

fn files_of(root: &Utf8Path, folder: &Utf8Path) -> Result<(Vec<Part>, Vec<LeftOut>), ImportError> {
    let names = files::list(&root.join(folder))?;
    let has_metrics = names.iter().any(|name| name == "metrics.csv");
    let mut parts = Vec::new();
    let mut unread = Vec::new();
    for name in names {
        let path: Utf8PathBuf = folder.join(&name);
        let (sheet, reason) = match name.as_str() {
            "data.csv" | "metrics.csv" => (Some(&METRICS), ""),
            "simple_metrics.csv" if !has_metrics => (Some(&METRICS), ""),
            "simple_metrics.csv" => (None, "some of the columns of metrics.csv"),
            "logs.csv" => (Some(&LOGS), ""),
            "traces.csv" => (Some(&TRACES), ""),
            INJECT_TIME => (None, "the label: it is in the truth"),
            "logts.csv" | "cluster_info.json" => (None, "computed from logs.csv"),
            "tracets_err.csv" | "tracets_lat.csv" => (None, "computed from traces.csv"),
            _ => (None, "no file of the documented layout"),
        };
        match sheet {
            Some(sheet) => parts.push(Part::new(path, sheet)),
            None => unread.push(LeftOut {
                what: path.into_string(),
                reason: reason.to_owned(),
            }),
        }
    }
    Ok((parts, unread))
}

#[cfg(test)]
mod tests {
    use crate::import::formats::testing::{Source, Taken};
    use crate::rows::{LogLine, MetricSeries, Span};

    const METRICS: &str = "time,ts-order-service_cpu,ts-order-service_latency-90\n1674984840,0.5,\n1674984841,0.5,0.25\n1674984841,0.5,0.25\n";
    const LOGS: &str = "time,timestamp,container_name,message,level,req_path,error\n\
        00:16,1674984840000000001,ts-order-service,\"a \"\"b\"\", c\",info,,\n\
        00:16,1674984840000000001,ts-order-service,\"a \"\"b\"\", c\",info,,\n\
        00:15,yesterday,ts-order-service,x,info,,\n";
    const TRACES: &str = "time,traceID,spanID,serviceName,methodName,operationName,startTimeMillis,startTime,duration,statusCode,parentSpanID\n\
        00:16,000000000000000000000000000000aa,00000000000000b1,front,GET,hipstershop/Get,1674984840000,1674984840000000,250,0.0,\n\
        00:16,000000000000000000000000000000aa,00000000000000b2,cart,GET,hipstershop/Get,1674984840000,1674984840000100,50,14.0,00000000000000b1\n";

    fn source() -> Source {
        let case = "RE2/RE2-TT/ts-order-service_cpu/1";
        let path = |name: &str| format!("{case}/{name}");
        Source::of(&[
            (&path("inject_time.txt"), "1674984841\n"),
            (&path("metrics.csv"), METRICS),
            (&path("simple_metrics.csv"), "time,a_b\n"),
            (&path("logs.csv"), LOGS),
            (&path("traces.csv"), TRACES),
            (&path("logts.csv"), "time,x\n"),
        ])
    }

    #[test]
    fn a_case_is_an_incident_with_an_opaque_name() {
        println!("unproven: RCAEval was tried on this case only");
        let taken = source().import("rcaeval");
        assert_eq!(taken.tally("metric rows"), [3, 2, 1, 0]);
        assert_eq!(taken.tally("log rows"), [3, 1, 2, 0]);
        assert_eq!(taken.tally("span rows"), [2, 2, 0, 0]);
        let one = taken.one();
        let truth = one.truth.as_ref().unwrap();
        assert_eq!(truth.faulty, [["ts-order-service"]]);
        assert_eq!(truth.kind, "cpu");
        let name = one.dir.file_name().unwrap();
        assert!(name.starts_with("rcaeval-re2-train-ticket-c"), "{name}");
        for given_away in ["order", "cpu"] {
            assert!(!name.contains(given_away) && !truth.name.contains(given_away));
        }
        let manifest = std::fs::read_to_string(one.dir.join("manifest.json")).unwrap();
        assert!(!manifest.contains("ts-order"), "{manifest}");
        assert_eq!(taken.defects()["label_in_path"], 1);

        let series: Vec<MetricSeries> = taken.rows();
        let names: Vec<_> = series.iter().map(|one| one.name.as_str()).collect();
        assert_eq!(names, ["cpu", "latency_90"]);
        let lines: Vec<LogLine> = taken.rows();
        assert_eq!(lines[0].message, b"a \"b\", c");
        let spans: Vec<Span> = taken.rows();
        assert_eq!(
            (spans[0].status.as_str(), spans[1].status.as_str()),
            ("unset", "error")
        );
        assert_eq!(spans[0].end - spans[0].start, 250_000);
        let left_out: Vec<_> = one
            .report
            .files
            .left_out
            .iter()
            .map(|one| one.what.as_str())
            .collect();
        assert_eq!(left_out.len(), 3, "{left_out:?}");
        let logs = one
            .report
            .sources
            .iter()
            .find(|one| one.path.ends_with("logs.csv"));
        assert_eq!(
            logs.unwrap().unused_columns,
            ["time", "level", "req_path", "error"]
        );
    }

    #[test]
    fn another_key_gives_another_name() {
        let source = source();
        let name = |key: &str| {
            let taken = Taken::of("rcaeval", source.path(), key);
            taken.one().dir.file_name().unwrap().to_owned()
        };
        assert_eq!(name("a"), name("a"));
        assert_ne!(name("a"), name("b"));
    }
}
