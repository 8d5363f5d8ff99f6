//! Logs of containers: `pods/logs/NAMESPACE/POD/CONTAINER.log`, and `…-previous.log` of the instance before.

use std::collections::{BTreeMap, BTreeSet};

use camino::Utf8PathBuf;
use jiff::Timestamp;
use serde_json::Value;

use super::nanoseconds;
use super::objects::Objects;
use crate::import::Tally;
use crate::rows::{LogInstance, LogLine};

/// The rows of all logs.
#[derive(Debug, Default)]
pub(super) struct Logs {
    /// The instances whose lines have no times of their own.
    pub(super) unstamped: BTreeSet<u64>,
    pub(super) instances: Vec<LogInstance>,
    pub(super) lines: Vec<LogLine>,
}

/// Reads every log; lines without a time of their own were there at the moment.
pub(super) fn read(
    files: &[(Utf8PathBuf, Vec<u8>)],
    objects: &Objects,
    moment: i64,
    tally: &mut Tally,
) -> Logs {
    let mut logs = Logs::default();
    // Of a crashed container, the present log and the one before are of the same instance.
    let mut taken: BTreeMap<(String, String), &[u8]> = BTreeMap::new();
    for (path, text) in files {
        match instance(path, objects) {
            Err(reason) => tally.left_out(path.as_str(), reason),
            Ok(mut instance) => {
                let identity = (instance.pod_uid.clone(), instance.container_id.clone());
                match taken.get(&identity) {
                    Some(known) if *known == text.as_slice() => tally.left_out(
                        path.as_str(),
                        "the same instance's log, with the same lines, is there already",
                    ),
                    Some(_) => tally.left_out(
                        path.as_str(),
                        "another log of the same instance is there already",
                    ),
                    None => {
                        taken.insert(identity, text);
                        instance.instance_id = logs.instances.len() as u64;
                        let (lines, stamped) = lines(&instance, text, moment);
                        logs.lines.extend(lines);
                        if !stamped {
                            logs.unstamped.insert(instance.instance_id);
                        }
                        logs.instances.push(instance);
                        tally.wrote();
                    }
                }
            }
        }
    }
    logs
}

/// The container instance whose log a file is.
fn instance(path: &Utf8PathBuf, objects: &Objects) -> Result<LogInstance, &'static str> {
    let mut parts = path.as_str().rsplit('/');
    let (file, pod, namespace) = (parts.next(), parts.next(), parts.next());
    let (Some(file), Some(name), Some(namespace)) = (file, pod, namespace) else {
        return Err("its path names no container");
    };
    let pod = objects.pods.iter().find(|pod| {
        text(pod, "/metadata/name") == name && text(pod, "/metadata/namespace") == namespace
    });
    let pod = pod.ok_or("its pod is not in the bundle")?;
    let stem = file.strip_suffix(".log").unwrap_or(file);
    let (container, previous) = match (status(pod, stem), stem.strip_suffix("-previous")) {
        (None, Some(container)) => (container, true),
        _ => (stem, false),
    };
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

/// The lines, and whether they have times of their own.
fn lines(instance: &LogInstance, text: &[u8], moment: i64) -> (Vec<LogLine>, bool) {
    let text = text.strip_suffix(b"\n").unwrap_or(text);
    if text.is_empty() {
        return (Vec::new(), true);
    }
    let messages: Vec<&[u8]> = text.split(|byte| *byte == b'\n').collect();
    // The collector stamps all lines or none; a line may also begin with a time of its own.
    let stamped: Option<Vec<_>> = messages.iter().map(|message| stamp(message)).collect();
    let has_times = stamped.is_some();
    let lines = stamped
        .unwrap_or_else(|| messages.into_iter().map(|line| (moment, line)).collect())
        .into_iter()
        .zip(0..)
        .map(|((timestamp, message), seq)| LogLine {
            instance_id: instance.instance_id,
            seq,
            timestamp: timestamp.min(moment),
            message: message.to_owned(),
            stream: None,
            namespace: instance.namespace.clone(),
            service: None,
            pod: instance.pod.clone(),
            container: instance.container.clone(),
        })
        .collect();
    (lines, has_times)
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
