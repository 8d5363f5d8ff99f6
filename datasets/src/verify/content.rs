//! Whether a snapshot shows what a recording of a fault must show.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;

use crate::error::{Result, SnapshotError};
use crate::rows::{LogLine, MetricSeries, ObjectVersion, Row, Span};
use crate::snapshot::Snapshot;
use crate::writer::{Visibility, WITHHELD};

use super::{Check, Found, check};

/// The series that tells whether cAdvisor's labels were kept.
const CADVISOR_SERIES: &str = "container_cpu_usage_seconds_total";
/// Environment variables with this prefix tell that a container sends traces.
const TRACING_VARIABLE: &str = "OTEL_EXPORTER_OTLP";
/// How much more frequent error spans must be after injection.
const RISE: f64 = 2.0;

/// What a snapshot's content should be.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ContentExpectations {
    /// Namespaces of the application.
    pub namespaces: Vec<String>,
    /// Services that send traces: they must have log lines, spans and cAdvisor series.
    pub services: Vec<String>,
    /// Pods by service, for all services: every one must have cAdvisor series.
    pub pods: BTreeMap<String, BTreeSet<String>>,
    /// When and what, from `withheld/windows.json`.
    pub windows: Option<Windows>,
    /// The objects that the injection changed, from `withheld/journal.json`.
    pub objects: Vec<RecordedObject>,
    /// Whether the injection changed objects at all, rather than ran commands in containers.
    pub changes_objects: bool,
}

/// `withheld/windows.json`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Windows {
    /// Before the fault.
    pub baseline: Option<Window>,
    /// When it was injected; none where there was no fault.
    pub injected: Option<Timestamp>,
    /// From injection to the end.
    pub fault: Option<Window>,
}

/// A span of time, half-open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub struct Window {
    /// Its first moment.
    pub from: Timestamp,
    /// Its end.
    pub to: Timestamp,
}

/// An object that `withheld/journal.json` names.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct RecordedObject {
    /// Plural resource name.
    pub resource: String,
    /// Namespace, empty for cluster-scoped objects.
    #[serde(default)]
    pub namespace: String,
    /// Name.
    pub name: String,
}

#[derive(Deserialize)]
struct Journal {
    #[serde(default)]
    objects: Vec<RecordedObject>,
    #[serde(default)]
    steps: Vec<Value>,
}

impl ContentExpectations {
    /// Takes from a snapshot what it should contain: the services from the labels and environment
    /// of the application's recorded pods, windows and objects from `withheld/`.
    ///
    /// # Errors
    /// When the objects cannot be read or a document in `withheld/` is damaged.
    pub fn of(snapshot: &Snapshot) -> Result<Self> {
        let manifest = snapshot.manifest();
        let mut expectations = Self {
            namespaces: manifest.namespaces.clone(),
            ..Self::default()
        };
        let mut traced = BTreeSet::new();
        each_object(snapshot, |row| {
            if row.resource != "pods" || !manifest.namespaces.contains(&row.namespace) {
                return;
            }
            let Ok(pod) = serde_json::from_str::<Value>(&row.object) else {
                return;
            };
            let labels = pod
                .get("metadata")
                .and_then(|metadata| metadata.get("labels"));
            let service = labels.and_then(|labels| labels.get(&manifest.service_label));
            let Some(service) = service.and_then(Value::as_str) else {
                return;
            };
            if sends_traces(&pod) {
                traced.insert(service.to_owned());
            }
            expectations
                .pods
                .entry(service.to_owned())
                .or_default()
                .insert(row.name);
        })?;
        expectations.services = traced.into_iter().collect();
        expectations.windows = document(snapshot, "windows")?;
        if let Some(journal) = document::<Journal>(snapshot, "journal")? {
            // Commands and experiments leave the objects as they are.
            let is_beside = |step: &Value| {
                let change = step.get("change");
                change.is_some_and(|it| it == "exec" || it == "chaos")
            };
            expectations.changes_objects =
                journal.steps.is_empty() || !journal.steps.iter().all(is_beside);
            expectations.objects = journal.objects;
        }
        Ok(expectations)
    }
}

fn sends_traces(pod: &Value) -> bool {
    let containers = pod.get("spec").and_then(|spec| spec.get("containers"));
    let containers = containers.and_then(Value::as_array).into_iter().flatten();
    let mut variables = containers
        .filter_map(|container| container.get("env").and_then(Value::as_array))
        .flatten()
        .filter_map(|variable| variable.get("name").and_then(Value::as_str));
    variables.any(|name| name.starts_with(TRACING_VARIABLE))
}

fn document<T: for<'de> Deserialize<'de>>(snapshot: &Snapshot, name: &str) -> Result<Option<T>> {
    let value = match snapshot.withheld_json(name) {
        Err(SnapshotError::MissingFile { .. }) => return Ok(None),
        other => other?,
    };
    let path = || snapshot.dir().join(WITHHELD).join(format!("{name}.json"));
    serde_json::from_value(value)
        .map(Some)
        .map_err(|cause| SnapshotError::Json {
            path: path(),
            cause,
        })
}

fn each_object(snapshot: &Snapshot, mut see: impl FnMut(ObjectVersion)) -> Result<()> {
    for batch in snapshot.batches(Visibility::Visible, ObjectVersion::TABLE)? {
        let rows = ObjectVersion::from_batch(&batch?).map_err(|source| SnapshotError::Rows {
            path: snapshot.path(ObjectVersion::TABLE),
            source,
        })?;
        rows.into_iter().for_each(&mut see);
    }
    Ok(())
}

pub(super) fn checks(snapshot: &Snapshot, expected: &ContentExpectations) -> Vec<Check> {
    let mut checks = vec![
        check("services", || Ok(services(expected))),
        check("log lines of services", || log_lines(snapshot, expected)),
        check("spans of services", || spans(snapshot, expected)),
        check("cAdvisor series", || cadvisor(snapshot, expected)),
    ];
    if let Some(injected) = expected
        .windows
        .as_ref()
        .and_then(|windows| windows.injected)
    {
        checks.push(check("injected change", || {
            changed(snapshot, expected, injected)
        }));
        checks.push(check("errors rise", || errors_rise(snapshot, expected)));
    }
    checks
}

fn services(expected: &ContentExpectations) -> Found {
    if expected.services.is_empty() {
        let namespaces = expected.namespaces.join(", ");
        return Found::Problems(vec![format!("no pod of a traced service in {namespaces}")]);
    }
    Found::Fine(expected.services.join(", "))
}

fn missing(expected: &ContentExpectations, seen: &BTreeSet<String>, what: &str) -> Found {
    let missing = expected
        .services
        .iter()
        .filter(|service| !seen.contains(*service));
    let problems = missing
        .map(|service| format!("{service} has no {what}"))
        .collect();
    Found::of(problems, || format!("{} services", expected.services.len()))
}

fn log_lines(snapshot: &Snapshot, expected: &ContentExpectations) -> Result<Found> {
    let lines: Vec<LogLine> = snapshot.read_rows()?;
    let own = lines
        .into_iter()
        .filter(|line| expected.namespaces.contains(&line.namespace));
    let seen = own.filter_map(|line| line.service).collect();
    Ok(missing(expected, &seen, "log lines"))
}

fn spans(snapshot: &Snapshot, expected: &ContentExpectations) -> Result<Found> {
    let spans: Vec<Span> = snapshot.read_rows()?;
    let seen = spans.into_iter().map(|span| span.service).collect();
    Ok(missing(expected, &seen, "spans"))
}

fn cadvisor(snapshot: &Snapshot, expected: &ContentExpectations) -> Result<Found> {
    let series: Vec<MetricSeries> = snapshot.read_rows()?;
    let mut pods = BTreeSet::new();
    for one in series.iter().filter(|one| one.name == CADVISOR_SERIES) {
        let namespace = one.namespace.as_ref();
        let has_container = one.container.as_ref().is_some_and(|name| !name.is_empty());
        if has_container && namespace.is_some_and(|name| expected.namespaces.contains(name)) {
            pods.extend(one.pod.as_ref());
        }
    }
    let without = expected
        .pods
        .iter()
        .filter(|(_, own)| !own.iter().any(|pod| pods.contains(pod)));
    let problems = without
        .map(|(service, _)| format!("{service} has no {CADVISOR_SERIES} with a container"))
        .collect();
    Ok(Found::of(problems, || {
        format!("{} services", expected.pods.len())
    }))
}

fn changed(
    snapshot: &Snapshot,
    expected: &ContentExpectations,
    injected: Timestamp,
) -> Result<Found> {
    let end = snapshot.manifest().end;
    let (from, to) = (nanoseconds(injected), nanoseconds(end));
    let mut changed = BTreeSet::new();
    each_object(snapshot, |row| {
        let is_named = expected.objects.iter().any(|object| {
            (&object.resource, &object.namespace, &object.name)
                == (&row.resource, &row.namespace, &row.name)
        });
        let is_change = row.event != "initial" && row.event != "relisted";
        if is_named && is_change && (from..=to).contains(&row.observed) {
            changed.insert(format!("{} {}/{}", row.resource, row.namespace, row.name));
        }
    })?;
    if !changed.is_empty() {
        return Ok(Found::Fine(
            changed.into_iter().collect::<Vec<_>>().join(", "),
        ));
    }
    if !expected.changes_objects {
        return Ok(Found::Fine(
            "the injection ran commands or an experiment, it changes no object".to_owned(),
        ));
    }
    let name = |it: &RecordedObject| format!("{} {}/{}", it.resource, it.namespace, it.name);
    let names: Vec<_> = expected.objects.iter().map(name).collect();
    let problem = format!(
        "no change of {} between {injected} and {end}",
        names.join(", ")
    );
    Ok(Found::Problems(vec![problem]))
}

fn errors_rise(snapshot: &Snapshot, expected: &ContentExpectations) -> Result<Found> {
    let windows = expected.windows.as_ref();
    let baseline = windows.and_then(|windows| windows.baseline);
    let fault = windows.and_then(|windows| windows.fault);
    let (Some(baseline), Some(fault)) = (baseline, fault) else {
        return Ok(Found::Problems(vec![
            "withheld/windows.json lacks a window".to_owned(),
        ]));
    };
    let spans: Vec<Span> = snapshot.read_rows()?;
    let rate = |window: Window| {
        let range = nanoseconds(window.from)..nanoseconds(window.to);
        let within = spans.iter().filter(|span| range.contains(&span.start));
        let (all, errors) = within.fold((0_u32, 0_u32), |(all, errors), span| {
            (all + 1, errors + u32::from(span.status == "error"))
        });
        (f64::from(errors) / f64::from(all.max(1)), errors, all)
    };
    let (before, after) = (rate(baseline), rate(fault));
    let seen = format!(
        "error spans: {} of {} before, {} of {} after the injection",
        before.1, before.2, after.1, after.2
    );
    let rises = after.1 > 0 && after.0 > before.0 * RISE;
    Ok(if rises {
        Found::Fine(seen)
    } else {
        Found::Problems(vec![seen])
    })
}

fn nanoseconds(moment: Timestamp) -> i64 {
    i64::try_from(moment.as_nanosecond()).unwrap_or(i64::MAX)
}
