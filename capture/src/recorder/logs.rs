//! The log of every container instance, followed from its first line to its last.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use aiopslab_datasets::Visibility;
use aiopslab_datasets::rows::{LogInstance, LogLine};
use serde_json::Value;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use super::coverage::{Covered, Hole, Outage};
use super::follower::Follower;
use super::instances::{Found, instances_of};
use super::sink::Sink;
use super::{Context, SECOND};
use crate::cluster::ClusterError;

/// A watch of pods that says nothing for so long is taken for dead; bookmarks come every minute.
const SILENCE: Duration = Duration::from_secs(150);
/// Pause before a watch or a log is opened again.
pub(super) const PAUSE: Duration = Duration::from_secs(1);
/// A log that begins so long after its container is taken for one that was rotated.
const FIRST_LINE_WITHIN: i64 = 60 * SECOND;
/// Bytes of a file that kubelet rotates, if it is not told otherwise.
const ROTATED_AT: i64 = 10 << 20;

/// What is known of the instances; shared by the watches and the followers.
#[derive(Default)]
pub(super) struct Registry {
    pub(super) instances: BTreeMap<String, Entry>,
    /// When lines may be missing, by namespace.
    holes: BTreeMap<String, Vec<Hole>>,
}

pub(super) struct Entry {
    pub(super) row: LogInstance,
    visibility: Visibility,
    /// Start of the first line.
    pub(super) first_line: Option<i64>,
    /// Start of the last line.
    pub(super) last_line: i64,
    /// Bytes of all lines that were served, some of them more than once.
    pub(super) bytes: i64,
    /// Whether it is over and a previous one by now.
    pub(super) replaced: bool,
}

pub(super) struct Logs {
    pub(super) context: Arc<Context>,
    pub(super) lines: Sink<LogLine>,
    pub(super) instances: Sink<LogInstance>,
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
    let mut gaps: BTreeMap<String, Gaps> = BTreeMap::new();
    while let Some(result) = watches.join_next().await {
        match result {
            Ok((namespace, of_namespace)) => {
                gaps.insert(namespace, of_namespace);
            }
            Err(error) => context
                .failure
                .set(format!("following logs ended: {error}")),
        }
    }
    logs.finish(namespaces, gaps).await
}

impl Logs {
    pub(super) fn registry(&self) -> MutexGuard<'_, Registry> {
        self.registry.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes that lines of an instance may be missing.
    pub(super) fn lose(&self, row: &LogInstance, when: Range<i64>, reason: &str) {
        let reason = format!("{}/{}: {reason}", row.pod, row.container);
        let mut registry = self.registry();
        let holes = registry.holes.entry(row.namespace.clone()).or_default();
        holes.push(Hole { when, reason });
    }

    /// Writes the instances, says what is covered.
    async fn finish(
        &self,
        namespaces: Vec<String>,
        mut gaps: BTreeMap<String, Gaps>,
    ) -> Vec<Covered> {
        let Registry {
            instances,
            mut holes,
        } = std::mem::take(&mut *self.registry());
        let mut entries: Vec<_> = instances.into_values().collect();
        for (row, hole) in never_seen(&entries) {
            holes.entry(row).or_default().push(hole);
        }
        entries.sort_by_key(|entry| entry.row.instance_id);
        let reads_back = self.context.options.since.is_some();
        let mut from: BTreeMap<String, (i64, bool)> = BTreeMap::new();
        for mut entry in entries {
            let row = &mut entry.row;
            row.first_line_kept = match (row.started, entry.first_line) {
                // Lines from before were not asked for.
                (started, _) if reads_back && started.is_none_or(|it| it < self.context.since) => {
                    false
                }
                (Some(started), Some(first)) => {
                    keeps_first_line(started, first..entry.last_line, entry.bytes)
                }
                (_, None) => true,
                (None, Some(_)) => false,
            };
            let since = from
                .entry(row.namespace.clone())
                .or_insert((self.context.since, true));
            since.0 = since.0.min(entry.first_line.unwrap_or(since.0));
            since.1 &= row.first_line_kept;
            self.instances.put(entry.row, entry.visibility, false).await;
        }
        let covered = |namespace: String| {
            let gaps = gaps.remove(&namespace).unwrap_or_default();
            let mut holes = holes.remove(&namespace).unwrap_or_default();
            holes.extend(gaps.holes);
            let (since, complete) = from
                .get(&namespace)
                .copied()
                .unwrap_or((self.context.since, true));
            ["log_lines", "log_instances"].map(|table| {
                Covered::recorded(table, "kubernetes", &format!("namespace={namespace}"))
                    .since(since)
                    .whole_source(complete)
                    .with_holes(holes.clone())
                    .unless(gaps.reasons.clone())
            })
        };
        namespaces.into_iter().flat_map(covered).collect()
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
                    // Before the first line of it is read.
                    self.context.redaction.learn_settings(pod);
                    let mut found = found;
                    found.row.instance_id = self.next_instance.fetch_add(1, Ordering::Relaxed);
                    found.visibility = visibility;
                    let entry = Entry {
                        row: found.row.clone(),
                        visibility,
                        first_line: None,
                        last_line: 0,
                        bytes: 0,
                        replaced: found.previous,
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

/// Whether a log that was read from a first line on began with it: one that began long after its
/// container was rotated before, and one that at its pace can have filled a file by then perhaps too.
fn keeps_first_line(started: i64, lines: Range<i64>, bytes: i64) -> bool {
    let before = lines.start - started;
    let seconds = |time: i64| (time / SECOND).max(1);
    let pace = bytes / seconds(lines.end - lines.start);
    before < FIRST_LINE_WITHIN && pace.saturating_mul(before / SECOND) < ROTATED_AT / 2
}

/// What is wrong with the logs of a namespace as a whole.
#[derive(Default)]
struct Gaps {
    reasons: Vec<String>,
    holes: Vec<Hole>,
}

/// Instances between two others of a container that nobody ever saw, with their namespaces.
fn never_seen(entries: &[Entry]) -> Vec<(String, Hole)> {
    let mut rows: Vec<&LogInstance> = entries.iter().map(|entry| &entry.row).collect();
    rows.sort_by_key(|row| (&row.pod_uid, &row.container, row.restart));
    let pairs = rows.iter().zip(rows.iter().skip(1));
    let apart = pairs.filter(|(one, next)| {
        (&one.pod_uid, &one.container) == (&next.pod_uid, &next.container)
            && next.restart > one.restart + 1
    });
    apart
        .map(|(one, next)| {
            let reason = format!(
                "{}/{}: it was restarted {} times, and not every instance was seen",
                one.pod,
                one.container,
                next.restart - one.restart
            );
            let when = one.finished.unwrap_or(i64::MIN)..next.started.unwrap_or(i64::MAX);
            (one.namespace.clone(), Hole { when, reason })
        })
        .collect()
}

/// Watches the pods of a namespace and follows their containers; returns what went wrong.
async fn watch(logs: Arc<Logs>, namespace: String, ready: mpsc::Sender<()>) -> Gaps {
    let mut watch = PodWatch {
        logs: Arc::clone(&logs),
        namespace,
        ready: Some(ready),
        followers: JoinSet::new(),
        resume: None,
        outage: Outage::default(),
        seen_at: logs.context.now(),
    };
    let mut gaps = Gaps::default();
    let stop = logs.context.stop.clone();
    while !stop.is_cancelled() {
        let result = tokio::select! {
            () = stop.cancelled() => break,
            result = watch.session() => result, // writes nothing itself, may be dropped
        };
        match result {
            Err(error) if matches!(error.status(), Some(401 | 403)) => {
                gaps.reasons.push(error.to_string());
                break;
            }
            Err(error) => watch.outage.failed(watch.seen_at, error.to_string()),
            Ok(()) => {}
        }
        tokio::select! {
            () = stop.cancelled() => {}
            () = sleep(PAUSE) => {}
        }
    }
    watch.ready = None;
    while let Some(follower) = watch.followers.join_next().await {
        if let Err(error) = follower {
            gaps.reasons.push(format!("a log was lost: {error}"));
        }
    }
    gaps.holes = watch.outage.into_holes();
    gaps
}

/// The watch of a namespace's pods.
struct PodWatch {
    logs: Arc<Logs>,
    namespace: String,
    ready: Option<mpsc::Sender<()>>,
    followers: JoinSet<()>,
    /// Where the next watch goes on.
    resume: Option<String>,
    outage: Outage,
    /// When the server was last heard of.
    seen_at: i64,
}

impl PodWatch {
    /// One connection: from the list or from where we were, until it ends.
    async fn session(&mut self) -> Result<(), ClusterError> {
        let context = Arc::clone(&self.logs.context);
        let pods = format!("/api/v1/namespaces/{}/pods", self.namespace);
        let version = match self.resume.clone() {
            Some(version) => version,
            None => self.list(&pods).await?,
        };
        let path = format!("{pods}?watch=1&allowWatchBookmarks=true&resourceVersion={version}");
        self.resume = Some(version);
        let opened = context.cluster.stream_lines(&path, "application/json");
        let mut events = match opened.await {
            Err(error) if error.status() == Some(410) => {
                self.forgotten();
                return Ok(());
            }
            opened => opened?,
        };
        self.outage.resumed();
        // A watch that says nothing is opened again; nothing is lost by that.
        while let Ok(line) = timeout(SILENCE, events.next_line()).await {
            let Some(line) = line? else { break };
            let Ok(event) = serde_json::from_slice::<Value>(&line) else {
                continue;
            };
            let object = &event["object"];
            match event["type"].as_str() {
                Some("ADDED" | "MODIFIED" | "DELETED") => self.follow_all(object),
                Some("ERROR") => {
                    self.forgotten();
                    return Ok(());
                }
                _ => {}
            }
            self.seen_at = context.now();
            if let Some(version) = object["metadata"]["resourceVersion"].as_str() {
                self.resume = Some(version.to_owned());
            }
            while self.followers.try_join_next().is_some() {}
        }
        Ok(())
    }

    /// The pods that there are; returns the list's resource version.
    async fn list(&mut self, path: &str) -> Result<String, ClusterError> {
        let context = Arc::clone(&self.logs.context);
        let listed = context.cluster.each_page(path, |pods| {
            pods.iter().for_each(|pod| self.follow_all(pod));
        });
        let version = listed.await?;
        self.seen_at = context.now();
        self.outage.over(self.seen_at);
        if self.ready.take().is_some() {
            for table in ["log_lines", "log_instances"] {
                let scope = format!("namespace={}", self.namespace);
                let covered = Covered::recorded(table, "kubernetes", &scope);
                context.begun.set(covered, context.start);
            }
        }
        Ok(version)
    }

    /// The server does not know where we were: a pod may have come and gone since.
    fn forgotten(&mut self) {
        self.resume = None;
        let reason = "the server forgot versions: a pod may have come and gone".to_owned();
        self.outage.failed(self.seen_at, reason);
    }

    fn follow_all(&mut self, pod: &Value) {
        for found in self.logs.take(pod) {
            let follower = Follower::new(Arc::clone(&self.logs), found);
            self.followers.spawn(follower.run());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_that_may_have_been_rotated_before_is_not_taken_for_whole() {
        let kept = |first: i64, last: i64, mib: i64| {
            keeps_first_line(0, first * SECOND..last * SECOND, mib << 20)
        };
        assert!(kept(3, 100, 1));
        assert!(kept(0, 10, 200));
        assert!(kept(30, 300, 30));
        assert!(!kept(70, 100, 1));
        // 2 MiB a second, and the first of them 20 s after the start.
        assert!(!kept(20, 30, 20));
    }

    #[test]
    fn an_instance_between_two_others_that_nobody_saw_is_told() {
        let pod = |restart: i64, id: &str| {
            serde_json::json!({"metadata": {"uid": "u", "namespace": "shop", "name": "geo-1"},
                "status": {"containerStatuses": [{"name": "geo", "restartCount": restart,
                    "containerID": id, "state": {"terminated": {
                        "startedAt": "2026-11-23T08:00:00Z", "finishedAt": "2026-11-23T08:00:05Z"}}}]}})
        };
        let entries = |restarts: &[i64]| -> Vec<Entry> {
            let found = restarts
                .iter()
                .flat_map(|restart| instances_of(&pod(*restart, &format!("c://{restart}")), "app"));
            found
                .map(|found| Entry {
                    row: found.row,
                    visibility: found.visibility,
                    first_line: None,
                    last_line: 0,
                    bytes: 0,
                    replaced: false,
                })
                .collect()
        };
        assert!(never_seen(&entries(&[2, 3])).is_empty());
        let told = never_seen(&entries(&[5, 2, 3]));
        assert_eq!(told.len(), 1);
        assert_eq!(told[0].0, "shop");
        assert!(told[0].1.reason.contains("restarted 2 times"), "{told:?}");
    }
}
