//! `aiopslab truth`: what is true of a recording, said by a person.

use std::collections::BTreeSet;

use aiopslab_capture::{Window, Windows};
use aiopslab_datasets::rows::{LogInstance, MetricSeries, ObjectVersion, Span};
use aiopslab_datasets::{Manifest, Snapshot};
use aiopslab_problems::catalog::nearest;
use aiopslab_problems::family::Truth as Said;
use aiopslab_problems::label::Label;
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::cli::{AddTruth, Truth};
use crate::exit::Failure;
use crate::library::{Library, base_name};
use crate::output::print;
use crate::settings::Settings;

pub(super) fn run(arguments: Truth, settings: &Settings) -> Result<(), Failure> {
    match arguments {
        Truth::Add(arguments) => add(&arguments, settings),
    }
}

fn add(arguments: &AddTruth, settings: &Settings) -> Result<(), Failure> {
    let library = Library::open(settings)?;
    let dir = library.find(&arguments.snapshot)?;
    let mut snapshot = Snapshot::open(&dir)?;
    if !snapshot.has_withheld() {
        return Err(Failure::user(format!(
            "{dir} came without withheld/: its truth is kept elsewhere"
        )));
    }
    let replaced = may_be_labelled(&snapshot, arguments.replace)?;
    let name = arguments.name.clone().unwrap_or_else(|| base_name(&dir));
    if library.catalog.family(&name).is_some() {
        return Err(Failure::user(format!(
            "{name} is a family of the catalog\nhint: --name NAME gives another name"
        )));
    }
    let said = said(arguments);
    if !arguments.unseen {
        are_there(&snapshot, &said)?;
    }
    let mut label = Label::new(&name, &arguments.summary, said)?;
    let windows = windows(arguments, snapshot.manifest())?;
    if let (Some(window), true) = (&windows.fault, arguments.ended.is_some()) {
        // The window is half-open.
        let last = window.to.checked_sub(std::time::Duration::from_millis(1))?;
        label.asked_at = Some(last.to_string());
    }
    let mut truth = serde_json::to_value(&label)?;
    truth["application"] = json!(snapshot.manifest().application);
    let windows = serde_json::to_value(windows)?;
    snapshot.write_withheld_json(&[("truth", truth), ("windows", windows)])?;
    print(&format!(
        "{} {dir}: {}\n",
        if replaced {
            "labelled anew"
        } else {
            "labelled"
        },
        label
            .problems()
            .iter()
            .map(|problem| problem.id.to_string())
            .collect::<Vec<_>>()
            .join(", ")
    ));
    Ok(())
}

/// Whether there is a label to replace; the truth of a capture stays what it is.
fn may_be_labelled(snapshot: &Snapshot, replace: bool) -> Result<bool, Failure> {
    let dir = snapshot.dir();
    let Some(truth) = snapshot.find_withheld_json("truth")? else {
        return Ok(false);
    };
    if truth["labelled"] != Value::Bool(true) {
        return Err(Failure::user(format!(
            "the truth of {dir} was recorded when it was captured; it can't be another"
        )));
    }
    if !replace {
        return Err(Failure::user(format!(
            "{dir} has a label already\nhint: --replace puts this one in its place"
        )));
    }
    Ok(true)
}

fn said(arguments: &AddTruth) -> Said {
    let set = |names: &String| -> Vec<String> {
        let names = names.split(',').map(str::trim);
        names
            .filter(|name| !name.is_empty())
            .map(str::to_owned)
            .collect()
    };
    Said {
        anomaly: !arguments.no_fault,
        faulty_components: arguments
            .faulty
            .iter()
            .map(set)
            .filter(|set| !set.is_empty())
            .collect(),
        system_level: arguments.levels.clone(),
        fault_type: arguments.fault_types.clone(),
    }
}

/// Agents answer with names that they have seen.
fn are_there(snapshot: &Snapshot, said: &Said) -> Result<(), Failure> {
    let mut known: BTreeSet<String> = BTreeSet::new();
    let label = &snapshot.manifest().service_label;
    for version in snapshot.read_rows::<ObjectVersion>()? {
        if version.resource == "pods"
            && let Ok(pod) = serde_json::from_str::<Value>(&version.object)
            && let Some(service) = pod["metadata"]["labels"][label].as_str()
        {
            known.insert(service.to_owned());
        }
        if version.resource != "events" {
            known.insert(version.name);
        }
    }
    known.extend(
        snapshot
            .read_rows::<Span>()?
            .into_iter()
            .map(|span| span.service),
    );
    // Recordings without objects and spans have names in their logs and series.
    for instance in snapshot.read_rows::<LogInstance>()? {
        known.extend([instance.pod, instance.container]);
    }
    for series in snapshot.read_rows::<MetricSeries>()? {
        let labels = series.labels.into_iter();
        let named = labels.filter(|(name, _)| ["pod", "service"].contains(&name.as_str()));
        known.extend(named.map(|(_, value)| value));
    }
    let mut named = said.faulty_components.iter().flatten();
    match named.find(|name| !known.contains(*name)) {
        None => Ok(()),
        Some(name) => Err(Failure::user(format!(
            "nothing in the snapshot is called {name:?}\nhint: the nearest names are {}; --unseen takes it all the same",
            nearest(name, known.iter().map(String::as_str)).join(", ")
        ))),
    }
}

/// When the fault was there, within what was recorded.
fn windows(arguments: &AddTruth, manifest: &Manifest) -> Result<Windows, Failure> {
    let (first, last) = (manifest.observed.from, manifest.end);
    let Some(started) = moment("--started", arguments.started.as_deref())? else {
        return Ok(Windows::default());
    };
    if arguments.no_fault {
        return Err(Failure::user(
            "--started and --no-fault contradict each other",
        ));
    }
    let ended = moment("--ended", arguments.ended.as_deref())?;
    let to = ended.unwrap_or(last);
    if started <= first || started >= last || to <= started || to > last {
        let window = ended.map_or_else(|| started.to_string(), |to| format!("{started} to {to}"));
        return Err(Failure::user(format!(
            "the fault ({window}) does not lie within the recording\nhint: it runs from {first} to {last}"
        )));
    }
    Ok(Windows {
        baseline: Some(Window {
            from: first,
            to: started,
        }),
        injected: Some(started),
        fault: Some(Window { from: started, to }),
        recovered: ended,
    })
}

fn moment(option: &str, text: Option<&str>) -> Result<Option<Timestamp>, Failure> {
    let Some(text) = text else {
        return Ok(None);
    };
    text.parse().map(Some).map_err(|_| {
        Failure::user(format!(
            "{option}: {text:?} is no time\nhint: RFC 3339, such as 2026-11-24T10:07:00Z"
        ))
    })
}
