//! The files of a minute and of a day: their columns, and what is wrong with their times.

use serde::Deserialize;

use crate::import::engine::defects::{Notes, Rule};
use crate::import::engine::names::{series, service_of_pod};
use crate::import::engine::sheet::{
    Line, Logs, Row, Rows, Series, Sheet, Spans, Until, When, Wide, unset,
};
use crate::import::engine::time::{Unit, on_clock, rfc3339, since_epoch};

const GO_ZERO_TIME: Rule = Rule::repaired(
    "go_zero_time",
    "TimeUnixNano is Go's zero time (-6795364578871345152) and Timestamp has no zone: the time that the container runtime stamped is taken",
);
const NO_LINE_OF_DOCKER: Rule = Rule::noted(
    "no_docker_line",
    "Log is no JSON object as Docker writes it: it is taken for the line itself",
);
const LOCAL_CLOCK: Rule = Rule::noted(
    "message_clock_is_utc_plus_8",
    "the line begins with a time of day that is 8 hours after its time: left as the application wrote it",
);
/// Found by comparing every row of adservice on 2022-08-22 with its Time.
const DIGITS_REPLACED: Rule = Rule::repaired(
    "timestamp_digits_replaced",
    "in TimeStamp 67, 66 and 65 were replaced by 81, 86 and 86, in this order (about 200000000 s too late): Time is taken",
);
const OTHER_SECOND: Rule = Rule::repaired(
    "timestamp_is_not_time",
    "TimeStamp and Time are more than a second apart: Time is taken",
);
pub(super) static LOGS: Sheet = Sheet {
    name: "log rows",
    columns: &[
        "Timestamp",
        "TimeUnixNano",
        "Node",
        "PodName",
        "Container",
        "TraceID",
        "SpanID",
        "Log",
    ],
    unique: true,
    time: When::Found(&["TimeUnixNano", "Log"], time_of_line),
    rows: Rows::Logs(Logs {
        namespace: None,
        pod: "PodName",
        container: Some("Container"),
        node: Some("Node"),
        service: service_of_pod,
        message: "Log",
        line: docker_line,
        trace: Some("TraceID"),
    }),
    partial: Some("only lines that carry a trace id were collected"),
};

pub(super) static TRACES: Sheet = Sheet {
    name: "span rows",
    columns: &[
        "TraceID",
        "SpanID",
        "ParentID",
        "PodName",
        "OperationName",
        "StartTimeUnixNano",
        "EndTimeUnixNano",
        "Duration",
    ],
    unique: true,
    time: When::Column("StartTimeUnixNano", Unit::Nanoseconds),
    rows: Rows::Spans(Spans {
        trace: "TraceID",
        span: "SpanID",
        parent: "ParentID",
        root: &["root"],
        of: "PodName",
        service: service_of_pod,
        of_is_pod: true,
        operation: Some("OperationName"),
        // Duration is the same in microseconds.
        until: Until::End("EndTimeUnixNano", Unit::Nanoseconds),
        status: unset,
        attributes: &[],
    }),
    partial: None,
};

pub(super) static METRICS: Sheet = Sheet {
    name: "pod metric rows",
    columns: &["Time", "TimeStamp", "PodName"],
    unique: false,
    time: When::Found(&["Time", "TimeStamp"], time_of_sample),
    rows: Rows::Wide(Wide {
        of: Some("PodName"),
        series: |column, pod| series(column, &[("pod", pod), ("service", &service_of_pod(pod))]),
    }),
    partial: None,
};

pub(super) static FRONT: Sheet = Sheet {
    name: "front-end metric rows",
    columns: &["Time", "TimeStamp", "ServiceName"],
    unique: false,
    time: When::Found(&["Time", "TimeStamp"], time_of_sample),
    rows: Rows::Wide(Wide {
        of: Some("ServiceName"),
        series: |column, service| series(column, &[("service", &service.to_lowercase())]),
    }),
    partial: None,
};

pub(super) static AT_SOURCE: Sheet = edges("edge metric rows (source)", |column, _| {
    edge(column, "source")
});
pub(super) static AT_DESTINATION: Sheet = edges("edge metric rows (destination)", |column, _| {
    edge(column, "destination")
});

const fn edges(name: &'static str, series: fn(&str, &str) -> Series) -> Sheet {
    Sheet {
        name,
        columns: &["time", "timestamp"],
        unique: false,
        time: When::Column("timestamp", Unit::Seconds),
        rows: Rows::Wide(Wide { of: None, series }),
        partial: None,
    }
}

/// The median latency between two services, as the one or the other saw it: `frontend_cartservice`.
fn edge(column: &str, reporter: &str) -> Series {
    let (source, destination) = column.split_once('_').unwrap_or((column, ""));
    series(
        "EdgeLatencyP50(s)",
        &[
            ("source", source),
            ("destination", destination),
            ("reporter", reporter),
        ],
    )
}

#[derive(Deserialize)]
struct DockerLine {
    log: String,
    stream: Option<String>,
    time: Option<String>,
}

fn time_of_line(row: &Row<'_>, notes: &mut Notes) -> Result<i64, String> {
    let text = row.get("TimeUnixNano")?;
    if !text.starts_with('-') {
        return since_epoch(text, Unit::Nanoseconds, notes);
    }
    let line = serde_json::from_str::<DockerLine>(row.get("Log")?).ok();
    let stamp = line.and_then(|line| rfc3339(&line.time?));
    let stamp = stamp.ok_or_else(|| format!("{text:?} is no time, and Log has none either"))?;
    notes.note(&GO_ZERO_TIME);
    Ok(stamp)
}

fn docker_line(text: &str, time: i64, notes: &mut Notes) -> Line {
    let line = serde_json::from_str(text).unwrap_or_else(|_| {
        notes.note(&NO_LINE_OF_DOCKER);
        DockerLine {
            log: text.to_owned(),
            stream: None,
            time: None,
        }
    });
    let message = line.log.strip_suffix('\n').unwrap_or(&line.log).to_owned();
    if is_ahead(&message, time) {
        notes.note(&LOCAL_CLOCK);
    }
    Line {
        message,
        stream: line.stream,
    }
}

/// Whether a line begins with a time of day (`17:33:16.821`) that is 8 hours after it was written.
fn is_ahead(message: &str, time: i64) -> bool {
    const DAY: i64 = 86_400;
    let clock = message.get(..8).unwrap_or_default();
    let told = on_clock(&format!("1970-01-01T{clock}"), 0).map(|told| told / 1_000_000_000);
    let written = time.div_euclid(1_000_000_000);
    told.is_some_and(|told| {
        let ahead = (told - written).rem_euclid(DAY);
        (ahead - 8 * 3_600).abs() <= 60
    })
}

/// `2023-01-29 08:41:09.969234525 +0000 UTC m=+1.045396385`, as Go prints a time; TimeStamp has its seconds.
fn time_of_sample(row: &Row<'_>, notes: &mut Notes) -> Result<i64, String> {
    let (text, stamp) = (row.get("Time")?, row.get("TimeStamp")?);
    let clock = text.split_once(" +0000 UTC").map(|(clock, _)| clock);
    let told = clock.and_then(|clock| on_clock(clock, 0));
    let Some(told) = told else {
        return since_epoch(stamp, Unit::Seconds, notes);
    };
    let second = told.div_euclid(1_000_000_000);
    let near = second - 1..=second + 1;
    let is_replaced = || {
        let mut seconds = near.clone().map(|second| second.to_string());
        seconds.any(|second| {
            let second = second.replace("67", "81").replace("66", "86");
            second.replace("65", "86") == stamp
        })
    };
    if stamp.parse().is_ok_and(|stamp| near.contains(&stamp)) {
        return Ok(told);
    }
    notes.note(match is_replaced() {
        true => &DIGITS_REPLACED,
        false => &OTHER_SECOND,
    });
    Ok(told)
}
