//! An incident per injection: which files are its own, and what the list of faults says of it.

use std::collections::{BTreeMap, BTreeSet};

use camino::{Utf8Path, Utf8PathBuf};
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde_json::Value;

use super::sheets::{AT_DESTINATION, AT_SOURCE, FRONT, LOGS, METRICS, TRACES};
use crate::files;
use crate::import::engine::defects::Rule;
use crate::import::engine::incident::{Found, ImportedTruth, Incident, Part};
use crate::import::engine::names::service_of_pod;
use crate::import::engine::time::{moment, nanoseconds, on_clock};
use crate::import::{ImportError, LeftOut};

/// Minutes from the injection's on, at most; one less before it.
const AROUND: i32 = 3;
/// How far the metrics go back.
const HISTORY: SignedDuration = SignedDuration::from_mins(15);
const MINUTE: SignedDuration = SignedDuration::from_mins(1);
/// A scrape of the last minute may come a little later.
const LATE: SignedDuration = SignedDuration::from_secs(15);

const LABEL_EPOCH: Rule = Rule::repaired(
    "inject_timestamp",
    "inject_timestamp is another moment than inject_time: inject_time is taken, as UTC",
);

#[derive(Deserialize)]
pub(super) struct Fault {
    inject_time: String,
    inject_timestamp: Value,
    inject_pod: String,
    inject_type: String,
}

/// The files of a day.
pub(super) struct Day {
    folder: String,
    /// Its minute without a fault.
    construct: String,
    minutes: Vec<String>,
    construct_minutes: Vec<String>,
    metrics: Vec<String>,
}

impl Day {
    pub(super) fn read(root: &Utf8Path, day: &str) -> Result<Self, ImportError> {
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

pub(super) fn find_in(
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
