//! The history of every object: one watch per kind that carries full objects and printed cells.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use aiopslab_datasets::Visibility;
use aiopslab_datasets::rows::{ObjectApi, ObjectVersion};
use serde_json::Value;
use tokio::sync::mpsc;
use tokio::time::{sleep, timeout};

use super::coverage::{Covered, Outage};
use super::sink::Sink;
use super::table::{self, Event, EventKind, Row};
use super::{Context, SECOND, access};
use crate::cluster::{ApiResource, ClusterError, page_path};

/// Asks for printed tables.
const TABLE: &str = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json";
/// A watch that says nothing for so long is taken for dead; bookmarks come every minute.
const SILENCE: Duration = Duration::from_secs(150);
/// Longest pause between two attempts.
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// Kinds that are not recorded, with the reason that coverage tells.
const SKIPPED: &[(&str, &str)] = &[
    (
        "componentstatuses",
        "deprecated; it probes rather than keeps",
    ),
    ("events.events.k8s.io", "the same objects as events"),
];

/// Starts one watch per kind; they end with the context's stop token.
///
/// `ready` is dropped by each watch when it knows the state at the start.
pub(super) async fn record(
    context: Arc<Context>,
    versions: Sink<ObjectVersion>,
    api: Sink<ObjectApi>,
    ready: mpsc::Sender<()>,
) -> Result<Vec<Covered>, ClusterError> {
    let mut covered = Vec::new();
    let mut watches = tokio::task::JoinSet::new();
    let seq = Arc::new(AtomicU64::new(0));
    for resource in context.cluster.resources().await? {
        let scope = format!("resource={}", resource.full_name());
        let skipped = SKIPPED
            .iter()
            .find(|(name, _)| *name == resource.full_name());
        if let Some((_, reason)) = skipped {
            let missing = Covered::missing("object_versions", "kubernetes", &scope, reason);
            context.begun.set(missing.clone(), context.start);
            covered.push(missing);
        } else if resource.can("list") && resource.can("watch") {
            for namespace in places(&context, resource) {
                let watch = Watch {
                    context: Arc::clone(&context),
                    resource: resource.clone(),
                    namespace,
                    seq: Arc::clone(&seq),
                    versions: versions.clone(),
                    api: api.clone(),
                    ready: Some(ready.clone()),
                    known: BTreeMap::new(),
                    resume: None,
                    columns_written: false,
                    can_stream_lists: true,
                    outage: Outage::default(),
                    heard_at: context.start,
                };
                watches.spawn(watch.run());
            }
        }
    }
    drop(ready);
    covered.extend(record_api(&context, &api).await);
    while let Some(watch) = watches.join_next().await {
        match watch {
            Ok(coverage) => covered.push(coverage),
            Err(error) => context.failure.set(format!("a watch ended: {error}")),
        }
    }
    Ok(covered)
}

/// The namespaces in which a kind is watched; none: in all at once.
fn places(context: &Context, resource: &ApiResource) -> Vec<Option<String>> {
    if context.options.confined && resource.namespaced {
        return context.namespaces.iter().cloned().map(Some).collect();
    }
    vec![None]
}

/// Records discovery, version, OpenAPI and access rules, as clients of the replayed cluster will ask for them.
async fn record_api(context: &Context, api: &Sink<ObjectApi>) -> Vec<Covered> {
    let row = |kind: &str, name: &str, json: &Value| ObjectApi {
        kind: kind.to_owned(),
        name: name.to_owned(),
        json: json.to_string(),
        valid_from: context.start,
        valid_to: None,
    };
    let put = |row: ObjectApi| api.put(row, Visibility::Visible, false);
    put(row("version", "kubernetes", context.cluster.version())).await;
    let mut paths = vec!["/api".to_owned(), "/apis".to_owned(), "/api/v1".to_owned()];
    let mut reasons = Vec::new();
    let mut next = 0;
    while let Some(path) = paths.get(next).cloned() {
        next += 1;
        match context.cluster.get_json(&path).await {
            Ok(answer) => {
                if path == "/apis" {
                    paths.extend(group_versions(&answer));
                }
                let name = path
                    .trim_start_matches("/api/")
                    .trim_start_matches("/apis/");
                put(row("discovery", name.trim_start_matches('/'), &answer)).await;
            }
            Err(error) => reasons.push(error.to_string()),
        }
    }
    let discovery = Covered::recorded("object_api", "kubernetes", "kind=discovery").unless(reasons);
    let mut reasons = Vec::new();
    match context.cluster.get_json("/openapi/v3").await {
        Ok(index) => {
            for (name, url) in openapi_documents(&index) {
                match context.cluster.get_json(&url).await {
                    Ok(document) => put(row("openapi", &name, &document)).await,
                    Err(error) => reasons.push(error.to_string()),
                }
            }
        }
        Err(error) => reasons.push(error.to_string()),
    }
    let openapi = Covered::recorded("object_api", "kubernetes", "kind=openapi").unless(reasons);
    vec![discovery, openapi, access::record(context, api).await]
}

/// The OpenAPI documents of the group versions: name, e.g. `apis/apps/v1`, and path.
fn openapi_documents(index: &Value) -> Vec<(String, String)> {
    let paths = index["paths"].as_object().into_iter().flatten();
    let of_group_versions = paths.filter(|(name, _)| name.contains("/v"));
    let mut documents: Vec<_> = of_group_versions
        .filter_map(|(name, path)| {
            let url = path["serverRelativeURL"].as_str()?;
            Some((name.clone(), url.to_owned()))
        })
        .collect();
    documents.sort();
    documents
}

fn group_versions(groups: &Value) -> Vec<String> {
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    list(&groups["groups"])
        .iter()
        .flat_map(|group| list(&group["versions"]))
        .filter_map(|version| Some(format!("/apis/{}", version["groupVersion"].as_str()?)))
        .collect()
}

/// Why a watch has to go on differently.
enum Interruption {
    /// The server forgot where we were.
    Gone,
    /// The server can't begin a watch with the list.
    NoStreamedLists,
    /// We may not, or there is nothing there any more.
    Refused(ClusterError),
    /// Anything else: try again.
    Broken(String),
}

/// The watch of one kind.
struct Watch {
    context: Arc<Context>,
    resource: ApiResource,
    /// Only what is in it; none: everything.
    namespace: Option<String>,
    seq: Arc<AtomicU64>,
    versions: Sink<ObjectVersion>,
    api: Sink<ObjectApi>,
    ready: Option<mpsc::Sender<()>>,
    /// Resource version by namespace, name and uid.
    known: BTreeMap<(String, String, String), String>,
    resume: Option<String>,
    columns_written: bool,
    can_stream_lists: bool,
    outage: Outage,
    /// When the server was last heard of.
    heard_at: i64,
}

impl Watch {
    async fn run(mut self) -> Covered {
        let mut pause = Duration::from_millis(200);
        let stop = self.context.stop.clone();
        loop {
            // Not cancelled from here: a row that was taken from a watch must reach the writer.
            let session = self.session().await;
            if stop.is_cancelled() {
                break;
            }
            match session {
                Ok(()) => pause = Duration::from_millis(200),
                Err(Interruption::Gone) => {
                    // What was deleted and made again in between is not known.
                    let reason = "the server forgot versions, the kind was listed anew".to_owned();
                    self.outage.failed(self.heard_at, reason);
                    self.resume = None;
                }
                Err(Interruption::NoStreamedLists) => self.can_stream_lists = false,
                Err(Interruption::Refused(error)) => {
                    let reason = error.to_string();
                    return Covered::missing(
                        "object_versions",
                        "kubernetes",
                        &self.scope(),
                        &reason,
                    );
                }
                Err(Interruption::Broken(reason)) => {
                    self.outage.failed(self.heard_at, reason);
                    pause = (pause * 2).min(LONGEST_PAUSE);
                }
            }
            tokio::select! {
                () = stop.cancelled() => break,
                () = sleep(pause) => {}
            }
        }
        let covered = Covered::recorded("object_versions", "kubernetes", &self.scope());
        let mut reasons = Vec::new();
        if self.ready.is_some() {
            reasons.push("it was never listed completely".to_owned());
        }
        covered.with_holes(self.outage.into_holes()).unless(reasons)
    }

    /// Notes what is covered from the start on, now that the state at the start is known.
    fn note_begun(&self) {
        let covered = Covered::recorded("object_versions", "kubernetes", &self.scope());
        let context = &self.context;
        let reasons = self.outage.holes().into_iter().map(|hole| hole.reason);
        context
            .begun
            .set(covered.unless(reasons.collect()), context.start);
    }

    fn scope(&self) -> String {
        let resource = self.resource.full_name();
        match &self.namespace {
            Some(namespace) => format!("resource={resource},namespace={namespace}"),
            None => format!("resource={resource}"),
        }
    }

    fn collection(&self) -> String {
        self.resource.collection(self.namespace.as_deref())
    }

    /// One connection: from the list or from where we were, until it ends.
    async fn session(&mut self) -> Result<(), Interruption> {
        let mut syncing = self.resume.is_none();
        let mut query = String::from("?watch=1&includeObject=Object&allowWatchBookmarks=true");
        if syncing && !self.can_stream_lists {
            self.list().await?;
            syncing = false;
        }
        match &self.resume {
            Some(version) => query.push_str(&format!("&resourceVersion={version}")),
            None => query.push_str("&sendInitialEvents=true&resourceVersionMatch=NotOlderThan"),
        }
        let path = format!("{}{query}", self.collection());
        let stop = self.context.stop.clone();
        let opened = tokio::select! {
            () = stop.cancelled() => return Ok(()),
            opened = self.context.cluster.stream_lines(&path, TABLE) => opened,
        };
        let mut stream = opened.map_err(|error| self.judge(error))?;
        if !syncing {
            // It goes on where it stopped: nothing is lost.
            self.outage.resumed();
        }
        let mut seen = BTreeMap::new();
        loop {
            let line = tokio::select! {
                () = stop.cancelled() => return Ok(()),
                line = timeout(SILENCE, stream.next_line()) => line,
            };
            let line = match line {
                // Whoever ends in the middle of the list begins again.
                Err(_) | Ok(Ok(None)) => return Ok(()),
                Ok(Err(error)) => return Err(Interruption::Broken(error.to_string())),
                Ok(Ok(Some(line))) => line,
            };
            let Some(event) = table::read_event(&line) else {
                self.versions.lose(1);
                continue;
            };
            self.write_columns(&event).await;
            if event.kind == EventKind::Error {
                return Err(match event.code {
                    Some(410) => Interruption::Gone,
                    code => Interruption::Broken(format!("the watch ended with status {code:?}")),
                });
            }
            self.heard_at = self.context.now();
            for row in event.rows {
                if event.kind != EventKind::Bookmark {
                    self.take(event.kind, row, syncing, &mut seen).await;
                }
            }
            if syncing && event.ends_initial_list {
                syncing = false;
                self.finish_sync(std::mem::take(&mut seen)).await;
            }
            if !syncing && let Some(version) = event.resource_version {
                self.resume = Some(version);
            }
        }
    }

    fn judge(&self, error: ClusterError) -> Interruption {
        match error.status() {
            Some(410) => Interruption::Gone,
            Some(400 | 422) if self.can_stream_lists && self.resume.is_none() => {
                Interruption::NoStreamedLists
            }
            Some(401 | 403 | 404 | 405) if self.ready.is_some() => Interruption::Refused(error),
            _ => Interruption::Broken(error.to_string()),
        }
    }

    /// The list, for servers that can't stream it, page by page.
    async fn list(&mut self) -> Result<(), Interruption> {
        let collection = format!("{}?includeObject=Object", self.collection());
        let cluster = self.context.cluster.clone();
        let mut seen = BTreeMap::new();
        let mut token = Some(String::new());
        while let Some(page) = token {
            let path = page_path(&collection, &page);
            let headers = [("accept", TABLE)];
            let answer = cluster
                .request(http::Method::GET, &path, &headers, Vec::new())
                .await
                .and_then(|answer| answer.successful(&http::Method::GET, &path))
                .map_err(|error| self.judge(error))?;
            let event = table::read_list(&answer.body)
                .ok_or_else(|| Interruption::Broken(format!("{path} answered no table")))?;
            self.write_columns(&event).await;
            for row in event.rows {
                self.take(EventKind::Added, row, true, &mut seen).await;
            }
            // Every page is of the same version.
            self.resume = event.resource_version;
            token = event.next_page;
        }
        self.finish_sync(seen).await;
        Ok(())
    }

    /// Notes that the state is known, and the deletions that nobody told us of.
    async fn finish_sync(&mut self, seen: BTreeMap<(String, String, String), String>) {
        let missed: Vec<_> = self
            .known
            .keys()
            .filter(|key| !seen.contains_key(*key))
            .cloned()
            .collect();
        for (namespace, name, uid) in missed {
            let object = serde_json::json!({
                "kind": self.resource.kind,
                "metadata": {"name": name, "namespace": namespace, "uid": uid},
            });
            let row = Row {
                object,
                cells: None,
            };
            self.take(EventKind::Deleted, row, false, &mut BTreeMap::new())
                .await;
        }
        self.heard_at = self.context.now();
        self.outage.over(self.heard_at);
        self.note_begun();
        self.ready = None;
    }

    async fn write_columns(&mut self, event: &Event) {
        if self.columns_written || event.columns.is_empty() {
            return;
        }
        self.columns_written = true;
        let row = ObjectApi {
            kind: "columns".to_owned(),
            name: self.resource.full_name(),
            json: Value::Array(event.columns.clone()).to_string(),
            valid_from: self.context.start,
            valid_to: None,
        };
        self.api.put(row, Visibility::Visible, false).await;
    }

    /// Writes one version.
    async fn take(
        &mut self,
        kind: EventKind,
        row: Row,
        syncing: bool,
        seen: &mut BTreeMap<(String, String, String), String>,
    ) {
        let observed = self.context.now();
        let mut object = row.object;
        let text = |object: &Value, pointer: &str| {
            object
                .pointer(pointer)
                .and_then(Value::as_str)
                .unwrap_or_default()
                .to_owned()
        };
        let key = (
            text(&object, "/metadata/namespace"),
            text(&object, "/metadata/name"),
            text(&object, "/metadata/uid"),
        );
        let resource_version = text(&object, "/metadata/resourceVersion");
        let event = match kind {
            EventKind::Deleted => "deleted",
            EventKind::Added if syncing && self.known.contains_key(&key) => "relisted",
            EventKind::Added if syncing && self.ready.is_some() => "initial",
            EventKind::Modified => "modified",
            _ => "added",
        };
        if kind == EventKind::Deleted {
            self.known.remove(&key);
        } else {
            self.known.insert(key.clone(), resource_version.clone());
        }
        if syncing {
            seen.insert(key.clone(), resource_version.clone());
        }
        let visibility = self
            .context
            .visibility
            .of_object(&self.resource.resource, &object);
        // Leases are renewed all the time, and hardly anything tells of them.
        let is_told_of = visibility == Visibility::Visible && self.resource.resource != "leases";
        if kind == EventKind::Modified && !syncing {
            let resource = &self.resource.resource;
            self.context.clocks.saw_change(resource, &object, observed);
        }
        if !syncing && is_told_of {
            self.context.changes.saw(observed);
        }
        let times = Times::of(&object);
        let valid_from = valid_from(event, observed, times, self.context.start);
        self.context.visibility.prune(&mut object);
        let redaction = &self.context.redaction;
        let mut redacted = redaction.object(&self.resource.resource, &mut object);
        let mut cells = row.cells;
        if let Some(cells) = &mut cells {
            redacted |= redaction.object("", cells);
        }
        let version = ObjectVersion {
            seq: self.seq.fetch_add(1, Ordering::Relaxed),
            event: event.to_owned(),
            observed,
            exact: match event {
                "added" => valid_from != observed,
                "initial" => times.changed.is_some() && valid_from < self.context.start,
                _ => false,
            },
            valid_from,
            valid_to: None,
            group: self.resource.group.clone(),
            version: self.resource.version.clone(),
            resource: self.resource.resource.clone(),
            kind: self.resource.kind.clone(),
            namespace: key.0,
            name: key.1,
            uid: key.2,
            resource_version,
            object: object.to_string(),
            cells: cells.map(|cells| cells.to_string()),
        };
        self.versions.put(version, visibility, redacted).await;
    }
}

/// What an object says of its own past, to the end of the second: that is all the precision of these
/// times, and a row that is visible too early gives the future away.
#[derive(Debug, Clone, Copy, Default)]
struct Times {
    created: Option<i64>,
    /// The last change that one of its managers made.
    changed: Option<i64>,
}

impl Times {
    fn of(object: &Value) -> Self {
        let time = |time: &Value| super::nanoseconds(time.as_str()?).map(|time| time + SECOND - 1);
        let managers = object.pointer("/metadata/managedFields");
        let managers = managers.and_then(Value::as_array).into_iter().flatten();
        Self {
            created: object.pointer("/metadata/creationTimestamp").and_then(time),
            changed: managers.filter_map(|manager| time(&manager["time"])).max(),
        }
    }
}

/// Since when a version was the object.
///
/// What was there at the start counts from its last change, as far as that is known. What is new
/// counts from its creation.
fn valid_from(event: &str, observed: i64, times: Times, start: i64) -> i64 {
    match (event, times.created) {
        ("initial", Some(created)) if created > start => created.min(observed),
        ("initial", _) => times.changed.unwrap_or(start).min(start),
        ("added", Some(created)) => created.clamp(start.min(observed), observed),
        _ => observed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_never_begins_before_it_can_have_been_there() {
        let second = SECOND;
        let start = 100 * second;
        let begins = |event: &str, observed: i64, created: i64, changed: Option<i64>| {
            let times = Times {
                created: Some(created),
                changed,
            };
            valid_from(event, observed, times, start)
        };
        // Found at the start, created long before.
        assert_eq!(begins("initial", start + 5, 7 * second, None), start);
        let changed = Some(8 * second);
        assert_eq!(
            begins("initial", start + 5, 7 * second, changed),
            8 * second
        );
        let changed = Some(start + second); // after the start, before it was found
        assert_eq!(
            begins("initial", start + second, 7 * second, changed),
            start
        );
        // Created in the second in which it was seen.
        let observed = 110 * second + 300;
        let created = 111 * second - 1;
        assert_eq!(begins("added", observed, created, None), observed);
        // Found late, by a new list.
        let created = 106 * second - 1;
        assert_eq!(begins("added", observed, created, None), created);
        assert_eq!(begins("modified", observed, created, None), observed);
    }

    #[test]
    fn the_last_manager_tells_of_the_last_change() {
        let object = serde_json::json!({"metadata": {
            "creationTimestamp": "2026-01-01T00:00:00Z",
            "managedFields": [{"time": "2026-01-01T00:00:07Z"}, {"time": "2026-01-01T00:00:03Z"}, {}],
        }});
        let times = Times::of(&object);
        let (created, changed) = (times.created.unwrap(), times.changed.unwrap());
        assert_eq!(changed - created, 7 * SECOND);
        assert_eq!((created + 1) % SECOND, 0);
        assert_eq!(Times::of(&serde_json::json!({})).changed, None);
    }
}
