//! The log of every container instance, followed from its first line to its last.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use aiopslab_datasets::Visibility;
use aiopslab_datasets::rows::{LogInstance, LogLine};
use serde_json::Value;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use super::coverage::Covered;
use super::instances::{Found, instances_of};
use super::log_lines::{Dedup, split};
use super::sink::Sink;
use super::{Context, SECOND};
use crate::cluster::ClusterError;

/// A watch of pods that says nothing for so long is taken for dead; bookmarks come every minute.
const SILENCE: Duration = Duration::from_secs(150);
/// Pause before a log is opened again.
const PAUSE: Duration = Duration::from_secs(1);
/// A log that begins so long after its container is taken for one that was rotated.
const FIRST_LINE_WITHIN: i64 = 60 * SECOND;

/// What is known of the instances; shared by the watches and the followers.
#[derive(Default)]
struct Registry {
    instances: BTreeMap<String, Entry>,
}

struct Entry {
    row: LogInstance,
    visibility: Visibility,
    /// Start of the first line.
    first_line: Option<i64>,
    /// Whether it is over and a previous one by now.
    replaced: bool,
    /// What could not be read.
    lost: Option<String>,
}

struct Logs {
    context: Arc<Context>,
    lines: Sink<LogLine>,
    instances: Sink<LogInstance>,
    registry: Mutex<Registry>,
    next_instance: AtomicU64,
}

/// Follows the containers of some namespaces until the context stops.
///
/// `ready` is dropped when the pods at the start are known.
pub(super) async fn record(
    context: Arc<Context>,
    namespaces: Vec<String>,
    lines: Sink<LogLine>,
    instances: Sink<LogInstance>,
    ready: mpsc::Sender<()>,
) -> Vec<Covered> {
    let logs = Arc::new(Logs {
        context: Arc::clone(&context),
        lines,
        instances,
        registry: Mutex::new(Registry::default()),
        next_instance: AtomicU64::new(0),
    });
    let mut watches = JoinSet::new();
    for namespace in namespaces.clone() {
        let (logs, ready) = (Arc::clone(&logs), ready.clone());
        watches.spawn(async move { (namespace.clone(), watch(logs, namespace, ready).await) });
    }
    drop(ready);
    let mut gaps: BTreeMap<String, Vec<String>> = BTreeMap::new();
    while let Some(result) = watches.join_next().await {
        match result {
            Ok((namespace, reasons)) => gaps.entry(namespace).or_default().extend(reasons),
            Err(error) => context
                .failure
                .set(format!("following logs ended: {error}")),
        }
    }
    logs.finish(namespaces, gaps).await
}

impl Logs {
    fn registry(&self) -> std::sync::MutexGuard<'_, Registry> {
        self.registry.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes the instances, says what is covered.
    async fn finish(
        &self,
        namespaces: Vec<String>,
        mut gaps: BTreeMap<String, Vec<String>>,
    ) -> Vec<Covered> {
        let mut entries: Vec<_> = std::mem::take(&mut self.registry().instances)
            .into_values()
            .collect();
        entries.sort_by_key(|entry| entry.row.instance_id);
        let mut from: BTreeMap<String, (i64, bool)> = BTreeMap::new();
        for mut entry in entries {
            let row = &mut entry.row;
            row.first_line_kept = match (row.started, entry.first_line) {
                (Some(started), Some(first)) => first - started < FIRST_LINE_WITHIN,
                (_, None) => true,
                (None, Some(_)) => false,
            };
            let since = from
                .entry(row.namespace.clone())
                .or_insert((self.context.start, true));
            since.0 = since.0.min(entry.first_line.unwrap_or(since.0));
            since.1 &= row.first_line_kept;
            if let Some(reason) = entry.lost {
                let place = format!("{}/{}: {reason}", row.pod, row.container);
                gaps.entry(row.namespace.clone()).or_default().push(place);
            }
            self.instances.put(entry.row, entry.visibility, false).await;
        }
        namespaces
            .into_iter()
            .flat_map(|namespace| {
                let reasons = gaps.remove(&namespace).unwrap_or_default();
                let (since, complete) = from
                    .get(&namespace)
                    .copied()
                    .unwrap_or((self.context.start, true));
                ["log_lines", "log_instances"].map(|table| {
                    Covered::recorded(table, "kubernetes", &format!("namespace={namespace}"))
                        .since(since)
                        .whole_source(complete)
                        .unless(reasons.clone())
                })
            })
            .collect()
    }

    /// Takes note of a pod's instances; returns those that nobody follows yet.
    fn take(&self, pod: &Value) -> Vec<Found> {
        let label = &self.context.service_label;
        let visibility = self.context.visibility.of_object("pods", pod);
        let mut fresh = Vec::new();
        let mut registry = self.registry();
        for found in instances_of(pod, label) {
            let known = registry.instances.get_mut(&found.row.container_id);
            match known {
                Some(entry) => {
                    let row = &mut entry.row;
                    row.started = found.row.started.or(row.started);
                    row.finished = found.row.finished.or(row.finished);
                    row.exit_code = found.row.exit_code.or(row.exit_code);
                    row.reason = found.row.reason.or(row.reason.take());
                    entry.replaced |= found.previous;
                }
                None => {
                    let mut found = found;
                    found.row.instance_id = self.next_instance.fetch_add(1, Ordering::Relaxed);
                    found.visibility = visibility;
                    let entry = Entry {
                        row: found.row.clone(),
                        visibility,
                        first_line: None,
                        replaced: found.previous,
                        lost: None,
                    };
                    registry
                        .instances
                        .insert(found.row.container_id.clone(), entry);
                    fresh.push(found);
                }
            }
        }
        fresh
    }
}

/// Watches the pods of a namespace and follows their containers; returns what went wrong.
async fn watch(logs: Arc<Logs>, namespace: String, ready: mpsc::Sender<()>) -> Vec<String> {
    let mut ready = Some(ready);
    let mut followers = JoinSet::new();
    let mut gaps = Vec::new();
    let stop = logs.context.stop.clone();
    while !stop.is_cancelled() {
        let session = session(&logs, &namespace, &mut ready, &mut followers);
        let result = tokio::select! {
            () = stop.cancelled() => break,
            result = session => result, // writes nothing itself, may be dropped
        };
        match result {
            Err(error) if matches!(error.status(), Some(401 | 403)) => {
                gaps.push(error.to_string());
                break;
            }
            // A new watch begins with all pods, so that only an instance that came and went in
            // between is missed.
            Err(error) => gaps.push(error.to_string()),
            Ok(()) => {}
        }
        tokio::select! {
            () = stop.cancelled() => {}
            () = sleep(PAUSE) => {}
        }
    }
    drop(ready);
    while let Some(follower) = followers.join_next().await {
        if let Err(error) = follower {
            gaps.push(format!("a log was lost: {error}"));
        }
    }
    gaps
}

async fn session(
    logs: &Arc<Logs>,
    namespace: &str,
    ready: &mut Option<mpsc::Sender<()>>,
    followers: &mut JoinSet<()>,
) -> Result<(), ClusterError> {
    let pods = format!("/api/v1/namespaces/{namespace}/pods");
    let list = logs.context.cluster.get_json(&pods).await?;
    for pod in list["items"].as_array().into_iter().flatten() {
        follow_all(logs, pod, followers);
    }
    if ready.take().is_some() {
        let context = &logs.context;
        for table in ["log_lines", "log_instances"] {
            let scope = format!("namespace={namespace}");
            let covered = Covered::recorded(table, "kubernetes", &scope);
            context.begun.set(covered, context.start);
        }
    }
    let version = list["metadata"]["resourceVersion"]
        .as_str()
        .unwrap_or_default();
    let path = format!("{pods}?watch=1&allowWatchBookmarks=true&resourceVersion={version}");
    let mut events = logs
        .context
        .cluster
        .stream_lines(&path, "application/json")
        .await?;
    while let Ok(Some(line)) = timeout(SILENCE, events.next_line())
        .await
        .unwrap_or(Ok(None))
    {
        let Ok(event) = serde_json::from_slice::<Value>(&line) else {
            continue;
        };
        match event["type"].as_str() {
            Some("ADDED" | "MODIFIED" | "DELETED") => {
                follow_all(logs, &event["object"], followers);
            }
            Some("ERROR") => return Ok(()),
            _ => {}
        }
        while followers.try_join_next().is_some() {}
    }
    Ok(())
}

fn follow_all(logs: &Arc<Logs>, pod: &Value, followers: &mut JoinSet<()>) {
    for found in logs.take(pod) {
        let logs = Arc::clone(logs);
        followers.spawn(async move { Follower::new(logs, found).run().await });
    }
}

/// The reader of one instance's log.
struct Follower {
    logs: Arc<Logs>,
    found: Found,
    dedup: Dedup,
    seq: u64,
}

impl Follower {
    fn new(logs: Arc<Logs>, found: Found) -> Self {
        Self {
            logs,
            found,
            dedup: Dedup::default(),
            seq: 0,
        }
    }

    /// Reads until the instance is over and read to its end, or the recording stops.
    async fn run(mut self) {
        // Known from now on, whatever becomes of the capture; the end writes what it came to.
        let (row, visibility) = (self.found.row.clone(), self.found.visibility);
        self.logs.instances.put(row, visibility, false).await;
        let stop = self.logs.context.stop.clone();
        if !self.found.previous {
            loop {
                let ended = self.read("&follow=true", true).await;
                if stop.is_cancelled() {
                    break;
                }
                let (over, _) = self.state();
                match ended {
                    // Gone with its pod: a followed log has ended with its last line.
                    Err(error) if error.status() == Some(404) => return,
                    _ if over => break,
                    _ => {}
                }
                tokio::select! {
                    () = stop.cancelled() => {}
                    () = sleep(PAUSE) => {}
                }
                if self.state().0 {
                    break;
                }
            }
        }
        // Once more without following: what came after the last line that was read.
        let which = if self.state().1 { "&previous=true" } else { "" };
        if let Err(error) = self.read(which, false).await
            && self.seq == 0
            && error.status() != Some(404)
        {
            self.set_lost(error.to_string());
        }
    }

    /// Whether the instance is over, and whether another one has taken its place.
    fn state(&self) -> (bool, bool) {
        let registry = self.logs.registry();
        let entry = registry.instances.get(&self.found.row.container_id);
        entry.map_or((true, false), |entry| {
            (entry.row.finished.is_some(), entry.replaced)
        })
    }

    fn set_lost(&self, reason: String) {
        let mut registry = self.logs.registry();
        if let Some(entry) = registry.instances.get_mut(&self.found.row.container_id) {
            entry.lost = Some(reason);
        }
    }

    /// Reads from where we were to the end of the answer.
    ///
    /// Stops between two lines, never within one: a line that was taken must reach the writer.
    async fn read(&mut self, options: &str, stoppable: bool) -> Result<(), ClusterError> {
        let row = &self.found.row;
        let mut path = format!(
            "/api/v1/namespaces/{}/pods/{}/log?container={}&timestamps=true{options}",
            row.namespace, row.pod, row.container
        );
        if let Some(since) = self.dedup.rewind() {
            path.push_str(&format!("&sinceTime={}", super::rfc3339(since)));
        }
        let stop = self.logs.context.stop.clone();
        let mut lines = self.logs.context.cluster.stream_lines(&path, "*/*").await?;
        loop {
            let line = tokio::select! {
                () = stop.cancelled(), if stoppable => return Ok(()),
                line = lines.next_line() => line?,
            };
            match line {
                Some(line) => self.take(&line).await,
                None => return Ok(()),
            }
        }
    }

    /// Whether a line can be of this instance: a log is asked for by container, and a container
    /// may have been restarted in between. Notes the first line.
    fn is_ours(&self, timestamp: i64) -> bool {
        let mut registry = self.logs.registry();
        let Some(entry) = registry.instances.get_mut(&self.found.row.container_id) else {
            return false;
        };
        // The end has whole seconds.
        if entry
            .row
            .finished
            .is_some_and(|finished| timestamp > finished + 2 * SECOND)
        {
            return false;
        }
        entry.first_line = entry.first_line.or(Some(timestamp));
        true
    }

    async fn take(&mut self, line: &[u8]) {
        let Some((timestamp, message)) = split(line) else {
            // Every line of a log has its time. What has none is kubelet saying, with status 200, why
            // there is no log; what was followed to its end before is whole.
            if !line.is_empty() && self.seq == 0 {
                self.set_lost(String::from_utf8_lossy(line).into_owned());
            }
            return;
        };
        if !self.is_ours(timestamp) || !self.dedup.is_new(timestamp, message) {
            return;
        }
        let (message, redacted) = self.logs.context.redaction.line(message);
        let row = &self.found.row;
        let line = LogLine {
            instance_id: row.instance_id,
            seq: self.seq,
            timestamp,
            message,
            stream: None,
            namespace: row.namespace.clone(),
            service: self.found.service.clone(),
            pod: row.pod.clone(),
            container: row.container.clone(),
        };
        self.seq += 1;
        self.logs
            .lines
            .put(line, self.found.visibility, redacted)
            .await;
    }
}
