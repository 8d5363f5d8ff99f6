//! Logs of containers: those of the present instances, and of the ones before.

use std::collections::{BTreeMap, BTreeSet};

use camino::{Utf8Path, Utf8PathBuf};
use jiff::Timestamp;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::objects::Objects;
use super::{files_of, nanoseconds};
use crate::error::Result;
use crate::import::engine::defects::rules;
use crate::import::engine::quarantine::Quarantine;
use crate::import::{ImportProgress, Report, Tally, size};
use crate::rows::{LogInstance, LogLine};
use crate::writer::{SnapshotWriter, Visibility};

/// What the lines are, in the report.
const LINES: &str = "log lines";

/// The log of a container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct LogFile {
    pub(super) path: Utf8PathBuf,
    namespace: String,
    pod: String,
    /// The container, perhaps with `-previous` after it where `is_previous` does not tell.
    container: String,
    /// Whether it is of the instance before the present one; none: its name tells.
    is_previous: Option<bool>,
}

impl LogFile {
    /// Of namespace, pod and container.
    pub(super) fn new(path: &Utf8Path, of: [&str; 3], is_previous: Option<bool>) -> Self {
        let [namespace, pod, container] = of.map(str::to_owned);
        Self {
            path: path.to_owned(),
            namespace,
            pod,
            container,
            is_previous,
        }
    }
}

/// What became of all logs.
#[derive(Debug, Default)]
pub(super) struct Logs {
    /// The instances whose lines have no times of their own.
    pub(super) unstamped: BTreeSet<u64>,
    pub(super) instances: Vec<LogInstance>,
}

/// Writes every log, one file at a time; lines without a time of their own were there at the moment.
pub(super) fn write(
    root: &Utf8Path,
    (files, objects, moment): (&[LogFile], &Objects, i64),
    (writer, progress): (&SnapshotWriter, &dyn ImportProgress),
    report: &mut Report,
) -> Result<Logs> {
    let mut logs = Logs::default();
    let mut quarantine = Quarantine::create(writer.dir())?;
    let mut tally = Tally::default();
    let mut malformed = Vec::new();
    // Of a crashed container, the present log and the one before are of the same instance.
    let mut taken: BTreeMap<(String, String), String> = BTreeMap::new();
    for file in files {
        let path = &file.path;
        let mut instance = match instance(file, objects) {
            Ok(instance) => instance,
            Err(reason) => {
                progress.advanced(size(&root.join(path)), 0);
                report.logs.left_out(path.as_str(), reason);
                continue;
            }
        };
        let text = files_of::read(&root.join(path))?;
        progress.advanced(text.len() as u64, 0);
        let digest = crate::files::hex(&Sha256::digest(&text));
        let identity = (instance.pod_uid.clone(), instance.container_id.clone());
        if let Some(known) = taken.get(&identity) {
            let reason = match *known == digest {
                true => "the same instance's log, with the same lines, is there already",
                false => "another log of the same instance is there already",
            };
            report.logs.left_out(path.as_str(), reason);
            continue;
        }
        taken.insert(identity, digest);
        instance.instance_id = logs.instances.len() as u64;
        let read = lines(&instance, &text, moment, file.is_previous.is_some());
        if !read.has_times {
            logs.unstamped.insert(instance.instance_id);
        }
        for (line, text) in &read.malformed {
            let rule = &rules::UNREADABLE_VALUE;
            let text = String::from_utf8_lossy(text);
            let row = json!(text);
            let place = (path.as_path(), *line);
            quarantine.add(place, rule.name, "the line has no time", Some(&row))?;
            malformed.push(format!("{path}:{line}"));
        }
        let (written, refused) = (read.lines.len() as u64, read.malformed.len() as u64);
        tally.read += written + refused;
        tally.written += written;
        tally.quarantined += refused;
        progress.advanced(0, written + refused);
        writer.append_rows(Visibility::Visible, &read.lines)?;
        logs.instances.push(instance);
        report.logs.wrote();
    }
    quarantine.finish()?;
    writer.append_rows(Visibility::Visible, &logs.instances)?;
    report.rows.insert(LINES.to_owned(), tally);
    if let Some(first) = malformed.first() {
        let mut defects = crate::import::engine::defects::Defects::default();
        defects.add(&rules::UNREADABLE_VALUE, malformed.len() as u64, first);
        report.defects = defects.report();
    }
    Ok(logs)
}

/// The container instance whose log a file is.
fn instance(file: &LogFile, objects: &Objects) -> std::result::Result<LogInstance, &'static str> {
    let (name, namespace, stem) = (&file.pod, &file.namespace, file.container.as_str());
    let pod = objects.pods.iter().find(|pod| {
        text(pod, "/metadata/name") == name && text(pod, "/metadata/namespace") == namespace
    });
    let pod = pod.ok_or("its pod is not in the bundle")?;
    let by_name = match (status(pod, stem), stem.strip_suffix("-previous")) {
        (None, Some(container)) => (container, true),
        _ => (stem, false),
    };
    let told = file.is_previous.map(|is_previous| (stem, is_previous));
    let (container, previous) = told.unwrap_or(by_name);
    let (role, status) = status(pod, container).ok_or("its pod has no such container")?;
    let restarts = status
        .get("restartCount")
        .and_then(Value::as_i64)
        .unwrap_or(0);
    let restarts = i32::try_from(restarts).unwrap_or(i32::MAX);
    let last = status.pointer("/lastState/terminated");
    let running = status.pointer("/state/running");
    let ended = status.pointer("/state/terminated");
    let present = running.or(ended);
    // A waiting container's last instance is the one that its restarts count.
    let (state, restart) = match (previous, present, last) {
        (true, Some(_), Some(last)) => (last, restarts.saturating_sub(1)),
        (true, None, Some(last)) | (false, None, Some(last)) => (last, restarts),
        (false, Some(present), _) => (present, restarts),
        (_, _, None) => return Err("its pod knows of no such instance"),
    };
    let container_id = match state.get("containerID").and_then(Value::as_str) {
        Some(id) => id,
        None => text(status, "/containerID"),
    };
    let time = |field: &str| {
        let time: Timestamp = state.get(field)?.as_str()?.parse().ok()?;
        Some(nanoseconds(time))
    };
    Ok(LogInstance {
        instance_id: 0,
        pod_uid: text(pod, "/metadata/uid").to_owned(),
        namespace: namespace.to_owned(),
        pod: name.to_owned(),
        container: container.to_owned(),
        role: role.to_owned(),
        restart,
        container_id: container_id.to_owned(),
        node: text(pod, "/spec/nodeName").to_owned(),
        started: time("startedAt"),
        finished: time("finishedAt"),
        exit_code: state
            .get("exitCode")
            .and_then(Value::as_i64)
            .and_then(|code| i32::try_from(code).ok()),
        reason: state
            .get("reason")
            .and_then(Value::as_str)
            .map(str::to_owned),
        // Collectors have a limit of lines, and don't say whether they reached it.
        first_line_kept: false,
    })
}

fn status<'a>(pod: &'a Value, container: &str) -> Option<(&'static str, &'a Value)> {
    let lists = [
        ("container", "/status/containerStatuses"),
        ("init", "/status/initContainerStatuses"),
        ("ephemeral", "/status/ephemeralContainerStatuses"),
    ];
    lists.into_iter().find_map(|(role, list)| {
        let statuses = pod.pointer(list)?.as_array()?;
        let found = statuses
            .iter()
            .find(|status| text(status, "/name") == container)?;
        Some((role, found))
    })
}

/// The lines of a log.
struct Lines<'a> {
    lines: Vec<LogLine>,
    /// Whether they have times of their own.
    has_times: bool,
    /// Number and text of lines without a time, where the others have one.
    malformed: Vec<(u64, &'a [u8])>,
}

fn lines<'a>(
    instance: &LogInstance,
    text: &'a [u8],
    moment: i64,
    is_always_stamped: bool,
) -> Lines<'a> {
    let mut read = Lines {
        lines: Vec::new(),
        has_times: true,
        malformed: Vec::new(),
    };
    let text = text.strip_suffix(b"\n").unwrap_or(text);
    if text.is_empty() {
        return read;
    }
    let messages = || (1..).zip(text.split(|byte| *byte == b'\n'));
    // Troubleshoot stamps all lines or none; a line may also begin with a time of its own.
    let is_stamped = |(_, message): (u64, &[u8])| stamp(message).is_some();
    read.has_times = match is_always_stamped {
        true => messages().any(is_stamped),
        false => messages().all(is_stamped),
    };
    for (number, message) in messages() {
        let stamped = match read.has_times {
            true => stamp(message),
            false => Some((moment, message)),
        };
        let Some((timestamp, message)) = stamped else {
            read.malformed.push((number, message));
            continue;
        };
        read.lines.push(LogLine {
            instance_id: instance.instance_id,
            seq: read.lines.len() as u64,
            timestamp: timestamp.min(moment),
            message: message.to_owned(),
            stream: None,
            namespace: instance.namespace.clone(),
            service: None,
            pod: instance.pod.clone(),
            container: instance.container.clone(),
        });
    }
    read
}

/// The time before a line, as the kubelet writes it: nanoseconds, UTC.
fn stamp(line: &[u8]) -> Option<(i64, &[u8])> {
    let space = line.iter().position(|byte| *byte == b' ')?;
    let (time, message) = line.split_at_checked(space)?;
    let time = std::str::from_utf8(time).ok()?;
    if !time.ends_with('Z') || time.len() < "2006-01-02T15:04:05.0Z".len() {
        return None;
    }
    let time: Timestamp = time.parse().ok()?;
    Some((nanoseconds(time), message.get(1..)?))
}

fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value
        .pointer(pointer)
        .and_then(Value::as_str)
        .unwrap_or_default()
}
