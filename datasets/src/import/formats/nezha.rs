//! Nezha (FSE'23, MIT): faults injected into Online Boutique (2022-08-22, -23) and Train-Ticket (2023-01-29, -30), with metrics by
//! the day and traces and log lines by the minute.
//!
//! Layout, from <https://github.com/IntelligentDDS/Nezha> and its files: `rca_data/DAY/{log,trace,traceid}/HH_MM_*.csv` hold
//! the minute before `HH:MM`, `rca_data/DAY/metric/*.csv` the whole day, `rca_data/DAY/DAY-fault_list.json` the injections;
//! `construct_data/DAY` is a minute without a fault.
//!
//! An incident is an injection whose minute is there. It gets the minutes around it that no other
//! injection lies in, the day's minute without a fault, and the metrics from 15 minutes before on.

use std::collections::{BTreeMap, BTreeSet};

use camino::{Utf8Path, Utf8PathBuf};
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde_json::Value;

use super::Format;
use crate::files;
use crate::import::engine::defects::{Notes, Rule};
use crate::import::engine::incident::{Found, ImportedTruth, Incident, Part};
use crate::import::engine::names::{series, service_of_pod};
use crate::import::engine::sheet::{
    Line, Logs, Row, Rows, Series, Sheet, Spans, Until, When, Wide, unset,
};
use crate::import::engine::time::{Unit, moment, nanoseconds, on_clock, rfc3339, since_epoch};
use crate::import::{ImportError, LeftOut};

pub(super) const FORMAT: Format = Format {
    name: "nezha",
    about: "Nezha (FSE'23): the folder with rca_data in it",
    proven: true,
    find,
};

/// Minutes from the injection's on, at most; one less before it.
const AROUND: i32 = 3;
/// How far the metrics go back.
const HISTORY: SignedDuration = SignedDuration::from_mins(15);
const MINUTE: SignedDuration = SignedDuration::from_mins(1);
/// A scrape of the last minute may come a little later.
const LATE: SignedDuration = SignedDuration::from_secs(15);

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
const LABEL_EPOCH: Rule = Rule::repaired(
    "inject_timestamp",
    "inject_timestamp is another moment than inject_time: inject_time is taken, as UTC",
);

static LOGS: Sheet = Sheet {
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

static TRACES: Sheet = Sheet {
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

static METRICS: Sheet = Sheet {
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

static FRONT: Sheet = Sheet {
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

static AT_SOURCE: Sheet = edges("edge metric rows (source)", |column, _| {
    edge(column, "source")
});
static AT_DESTINATION: Sheet = edges("edge metric rows (destination)", |column, _| {
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

#[derive(Deserialize)]
struct Fault {
    inject_time: String,
    inject_timestamp: Value,
    inject_pod: String,
    inject_type: String,
}

fn find(root: &Utf8Path, _: &str) -> Result<Found, ImportError> {
    let mut found = Found::default();
    let days = files::list(&root.join("rca_data"))?;
    let mut is_nezha = false;
    for day in days {
        let list = format!("rca_data/{day}/{day}-fault_list.json");
        let Ok(faults) = files::read_json(&root.join(&list)) else {
            continue;
        };
        is_nezha = true;
        let by_hour: BTreeMap<String, Vec<Fault>> = serde_json::from_value(faults)
            .map_err(|cause| ImportError::labels(root.join(&list), &cause))?;
        find_in(&Day::read(root, &day)?, by_hour, &list, &mut found)?;
    }
    match is_nezha {
        true => Ok(found),
        false => Err(ImportError::NotASource {
            dir: root.to_owned(),
            what: "folder of Nezha",
            missing: "rca_data/DAY/DAY-fault_list.json",
            hint: "name the folder of the repository, with rca_data in it",
        }),
    }
}

/// The files of a day.
struct Day {
    folder: String,
    /// Its minute without a fault.
    construct: String,
    minutes: Vec<String>,
    construct_minutes: Vec<String>,
    metrics: Vec<String>,
}

impl Day {
    fn read(root: &Utf8Path, day: &str) -> Result<Self, ImportError> {
        let (folder, construct) = (format!("rca_data/{day}"), format!("construct_data/{day}"));
        let list = |folder: &str, kind: &str| files::list(&root.join(folder).join(kind));
        // A minute is there where its log lines and its spans are.
        let minutes = |folder: &str| -> Result<Vec<String>, ImportError> {
            let traces: BTreeSet<String> = list(folder, "trace")?.into_iter().collect();
            let minutes = list(folder, "log")?.into_iter().filter_map(|name| {
                let minute = name.strip_suffix("_log.csv")?;
                traces
                    .contains(&format!("{minute}_trace.csv"))
                    .then(|| minute.to_owned())
            });
            Ok(minutes.collect())
        };
        Ok(Self {
            minutes: minutes(&folder)?,
            construct_minutes: minutes(&construct)?,
            metrics: list(&folder, "metric")?,
            folder,
            construct,
        })
    }
}

fn find_in(
    day: &Day,
    by_hour: BTreeMap<String, Vec<Fault>>,
    list: &str,
    found: &mut Found,
) -> Result<(), ImportError> {
    let mut faults = Vec::new();
    for (hour, fault) in by_hour
        .into_iter()
        .flat_map(|(hour, faults)| faults.into_iter().map(move |fault| (hour.clone(), fault)))
    {
        match on_clock(&fault.inject_time, 0) {
            Some(time) => faults.push((moment(time), fault)),
            None => found.left_out.push(LeftOut {
                what: format!("{list}: hour {hour}"),
                reason: format!("{:?} is no time", fault.inject_time),
            }),
        }
    }
    faults.sort_by_key(|(time, _)| *time);
    let times: Vec<Timestamp> = faults.iter().map(|(time, _)| *time).collect();
    for (time, fault) in &faults {
        match minutes_of(day, *time, &times) {
            Some(minutes) => {
                let incident = incident(day, *time, fault, &minutes, list);
                found.incidents.push(incident);
            }
            None => {
                let own = minute(ceiling(*time));
                found.left_out.push(LeftOut {
                    what: format!("{list}: the injection of {time}"),
                    reason: format!("there are no {own}_log.csv and {own}_trace.csv"),
                });
            }
        }
    }
    Ok(())
}

/// `09_34`.
fn minute(time: Timestamp) -> String {
    time.strftime("%H_%M").to_string()
}

/// The end of the minute that a moment lies in: the minute's files are named after it.
fn ceiling(time: Timestamp) -> Timestamp {
    let second = time.as_second();
    let end = second - second.rem_euclid(60) + 60;
    Timestamp::from_second(end).unwrap_or(time)
}

/// The minutes around an injection that are there, as far as no other injection lies in them.
struct Minutes {
    names: Vec<String>,
    /// The end of the last one.
    end: Timestamp,
}

/// None: the injection's own minute is not there.
fn minutes_of(day: &Day, time: Timestamp, all: &[Timestamp]) -> Option<Minutes> {
    let own = ceiling(time);
    let is_ours = |at: &Timestamp| {
        let is_other = |one: &&Timestamp| **one != time && ceiling(**one) == *at;
        day.minutes.contains(&minute(*at)) && !all.iter().any(|one| is_other(&one))
    };
    let before = (1..AROUND).map(|step| own - MINUTE * step);
    let before: Vec<_> = before.take_while(is_ours).collect();
    let after = (0..AROUND).map(|step| own + MINUTE * step);
    let after: Vec<_> = after.take_while(is_ours).collect();
    let end = *after.last()?;
    let names = before.into_iter().rev().chain(after).map(minute).collect();
    Some(Minutes { names, end })
}

fn incident(day: &Day, time: Timestamp, fault: &Fault, minutes: &Minutes, list: &str) -> Incident {
    let mut parts = Vec::new();
    let mut unread = Vec::new();
    for (stretch, folder, minutes) in [
        (0, &day.construct, day.construct_minutes.as_slice()),
        (1, &day.folder, minutes.names.as_slice()),
    ] {
        for (kind, sheet) in [("log", &LOGS), ("trace", &TRACES)] {
            for minute in minutes {
                let path = format!("{folder}/{kind}/{minute}_{kind}.csv");
                parts.push(Part {
                    stretch,
                    ..Part::new(path, sheet)
                });
            }
        }
        for minute in minutes {
            unread.push(LeftOut {
                what: format!("{folder}/traceid/{minute}_traceid.csv"),
                reason: "the ids of the traces in the minute's other files".to_owned(),
            });
        }
    }
    let from = ceiling(time) - MINUTE - HISTORY;
    let window = nanoseconds(from).zip(nanoseconds(minutes.end + LATE));
    for name in &day.metrics {
        let path = Utf8PathBuf::from(format!("{}/metric/{name}", day.folder));
        let sheet = match name.as_str() {
            "front_service.csv" => &FRONT,
            "source_50.csv" => &AT_SOURCE,
            "destination_50.csv" => &AT_DESTINATION,
            name if name.ends_with("_metric.csv") => &METRICS,
            _ => {
                unread.push(LeftOut {
                    what: path.into_string(),
                    reason: "it has no times".to_owned(),
                });
                continue;
            }
        };
        parts.push(Part {
            window,
            stretch: 1,
            ..Part::new(path, sheet)
        });
    }
    let is_train_ticket = fault.inject_pod.starts_with("ts-");
    let application = match is_train_ticket {
        true => "train-ticket",
        false => "online-boutique",
    };
    let service = service_of_pod(&fault.inject_pod);
    let name = format!("nezha-{}", time.strftime("%Y-%m-%dT%H%MZ"));
    let mut defects = Vec::new();
    if let Some(late) = label_is_off(time, &fault.inject_timestamp) {
        defects.push((&LABEL_EPOCH, format!("{list}: {time}, off by {late} s")));
    }
    Incident {
        truth: Some(ImportedTruth {
            name: name.clone(),
            application: application.to_owned(),
            anomaly: true,
            faulty: vec![vec![service.clone()]],
            injected: Some(time),
            ended: None,
            kind: fault.inject_type.clone(),
            summary: format!("{} in {service} (Nezha)", fault.inject_type),
        }),
        name,
        application: application.to_owned(),
        // The namespace is not told.
        namespace: application.to_owned(),
        parts,
        unread,
        defects,
    }
}

/// By how many seconds the label's second form is another moment.
fn label_is_off(time: Timestamp, stamp: &Value) -> Option<i64> {
    let text = stamp
        .as_str()
        .map_or_else(|| stamp.to_string(), str::to_owned);
    let told = text.parse::<i64>().ok()?;
    let late = time.as_second() - told;
    (late != 0).then_some(late)
}

#[cfg(test)]
mod tests;
