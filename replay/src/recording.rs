//! A snapshot seen from one moment: the one implementation of [`View`]. Time passes by taking
//! another one ([`Recording::at`]), never within one.
//!
//! What every episode asks for (objects, discovery, coverage, container instances) is read once and
//! kept; log lines, samples and spans are read by the call that needs them.

mod usage;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use aiopslab_datasets::rows::{
    Coverage, Exec, LogInstance, LogLine, ObjectApi, ObjectVersion, Usage,
};
use aiopslab_datasets::schema::Table;
use aiopslab_datasets::snapshot::Snapshot;
use aiopslab_problems::environment::Observation;
use arrow::array::AsArray;
use async_trait::async_trait;
use datafusion::prelude::lit;
use serde_json::Value;
use tokio::sync::OnceCell;

use crate::agent_sql::AgentSql;
use crate::clock::Course;
use crate::coverage::{CoverageAt, WindowCoverage};
use crate::error::{ReplayError, Result};
use crate::kubernetes::discovery;
use crate::tables::{Selection, Tables, column, moment, valid_at};
use crate::view::{
    Change, ColumnDefinition, ExecAnswer, LogQuery, ObjectQuery, RecordedObject, ResourceType,
    View, ViewError, storage_key,
};

/// How old a sample may be that still counts: Prometheus' look-back, and ours for usage.
pub(crate) const LOOK_BACK_NS: i64 = 5 * 60 * 1_000_000_000;

type ByResource<T> = BTreeMap<(String, String), T>;

/// A snapshot at one moment.
pub struct Recording {
    tables: Arc<Tables>,
    now: i64,
    plays_until: Option<i64>,
    service_label: String,
    coverage: OnceCell<CoverageAt>,
    api: OnceCell<Vec<ObjectApi>>,
    versions: OnceCell<ByResource<Vec<ObjectVersion>>>,
    parsed: Mutex<ByResource<Arc<Vec<RecordedObject>>>>,
    instances: OnceCell<Vec<LogInstance>>,
    usage: OnceCell<Vec<Usage>>,
    exec: OnceCell<Vec<Exec>>,
    agent_sql: OnceCell<AgentSql>,
}

impl Recording {
    /// Opens a snapshot at a moment, as an agent may see it; reads nothing yet.
    pub fn open(snapshot: &Snapshot, now: i64) -> Result<Self> {
        let course = Course {
            now,
            plays_until: None,
        };
        Self::on_course(snapshot, course, false)
    }

    /// Opens a snapshot at the beginning of a clock's course; `withheld`: as AIOpsLab would show it.
    pub(crate) fn on_course(snapshot: &Snapshot, course: Course, withheld: bool) -> Result<Self> {
        let tables = if withheld {
            Tables::open_with_withheld(snapshot)?
        } else {
            Tables::open(snapshot)?
        };
        let label = &snapshot.manifest().service_label;
        Ok(Self::over(Arc::new(tables), label, course))
    }

    /// The recording at a later moment, as far as time can pass.
    pub(crate) fn at(&self, moment: i64) -> Self {
        let last = self.plays_until.unwrap_or(self.now);
        let course = Course {
            now: moment.clamp(self.now, last.max(self.now)),
            plays_until: self.plays_until,
        };
        Self::over(Arc::clone(&self.tables), &self.service_label, course)
    }

    /// Opens a snapshot at a moment with the rows that are withheld from agents, as AIOpsLab would
    /// show it.
    pub fn open_with_withheld(snapshot: &Snapshot, now: i64) -> Result<Self> {
        let course = Course {
            now,
            plays_until: None,
        };
        Self::on_course(snapshot, course, true)
    }

    fn over(tables: Arc<Tables>, service_label: &str, course: Course) -> Self {
        Self {
            tables,
            now: course.now,
            plays_until: course.plays_until,
            service_label: service_label.to_owned(),
            coverage: OnceCell::new(),
            api: OnceCell::new(),
            versions: OnceCell::new(),
            parsed: Mutex::default(),
            instances: OnceCell::new(),
            usage: OnceCell::new(),
            exec: OnceCell::new(),
            agent_sql: OnceCell::new(),
        }
    }

    pub(crate) fn tables(&self) -> &Tables {
        &self.tables
    }

    pub(crate) async fn coverage(&self) -> Result<&CoverageAt> {
        self.coverage
            .get_or_try_init(async || {
                let rows: Vec<Coverage> = self.tables.rows(Selection::default()).await?;
                Ok(CoverageAt::new(rows, self.now))
            })
            .await
    }

    /// Answers an agent's SQL.
    pub(crate) async fn query_sql(&self, text: &str) -> Result<Observation> {
        let sql = self
            .agent_sql
            .get_or_try_init(|| AgentSql::open(&self.tables, self.now))
            .await?;
        Ok(sql.query(text, self.coverage().await?).await)
    }

    async fn api(&self, kind: &str) -> Result<impl Iterator<Item = &ObjectApi>> {
        let all = self
            .api
            .get_or_try_init(async || {
                // OpenAPI documents are large: each is read when it is asked for.
                let selection = Selection::default()
                    .and(valid_at(self.now))
                    .and(column("kind").not_eq(lit("openapi")))
                    .order(&["kind", "name", "valid_from"], true);
                self.tables.rows(selection).await
            })
            .await?;
        Ok(all.iter().filter(move |row| row.kind == kind))
    }

    /// What the server answered, with the names.
    async fn api_documents(&self, kind: &str) -> Result<Vec<(String, Value)>> {
        let rows = self.api(kind).await?;
        rows.map(|row| Ok((row.name.clone(), parse(row)?)))
            .collect()
    }

    async fn versions(&self) -> Result<&ByResource<Vec<ObjectVersion>>> {
        self.versions
            .get_or_try_init(async || {
                let rows: Vec<ObjectVersion> = self
                    .tables
                    .rows(Selection::default().and(valid_at(self.now)))
                    .await?;
                let mut by_resource: ByResource<Vec<ObjectVersion>> = BTreeMap::new();
                for row in rows {
                    by_resource
                        .entry((row.group.clone(), row.resource.clone()))
                        .or_default()
                        .push(row);
                }
                for rows in by_resource.values_mut() {
                    rows.sort_by(|one, other| {
                        storage_key(&one.namespace, &one.name)
                            .cmp(storage_key(&other.namespace, &other.name))
                            .then(one.seq.cmp(&other.seq))
                    });
                    // Where withheld rows are shown, a withheld version stands in for the visible one.
                    rows.reverse();
                    rows.dedup_by(|one, other| {
                        (&one.namespace, &one.name, &one.uid)
                            == (&other.namespace, &other.name, &other.uid)
                    });
                    rows.reverse();
                }
                Ok(by_resource)
            })
            .await
    }

    /// The objects of a resource, parsed once.
    async fn parsed(&self, group: &str, resource: &str) -> Result<Arc<Vec<RecordedObject>>> {
        let key = (group.to_owned(), resource.to_owned());
        let known = self
            .parsed
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(&key)
            .cloned();
        if let Some(known) = known {
            return Ok(known);
        }
        let mut objects = Vec::new();
        for version in self.versions().await?.get(&key).into_iter().flatten() {
            objects.push(recorded(version)?);
        }
        let objects = Arc::new(objects);
        self.parsed
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(key, Arc::clone(&objects));
        Ok(objects)
    }

    async fn instances(&self) -> Result<&Vec<LogInstance>> {
        self.instances
            .get_or_try_init(async || {
                let started = column("started")
                    .is_null()
                    .or(column("started").lt_eq(moment(self.now)));
                let mut rows: Vec<LogInstance> =
                    self.tables.rows(Selection::default().and(started)).await?;
                for row in &mut rows {
                    if row.finished.is_some_and(|finished| finished > self.now) {
                        (row.finished, row.exit_code, row.reason) = (None, None, None);
                    }
                }
                rows.sort_by(|one, other| instance_order(one).cmp(&instance_order(other)));
                Ok(rows)
            })
            .await
    }

    async fn all_usage(&self) -> Result<&Vec<Usage>> {
        self.usage
            .get_or_try_init(async || {
                let selection = Selection::default()
                    .and(column("timestamp").lt_eq(moment(self.now)))
                    .and(column("timestamp").gt(moment(self.now.saturating_sub(LOOK_BACK_NS))));
                let rows: Vec<Usage> = self.tables.rows(selection).await?;
                let pods: BTreeSet<(String, String)> = self
                    .versions()
                    .await?
                    .get(&(String::new(), "pods".to_owned()))
                    .into_iter()
                    .flatten()
                    .map(|pod| (pod.namespace.clone(), pod.name.clone()))
                    .collect();
                Ok(usage::newest(rows, &pods))
            })
            .await
    }
}

fn instance_order(row: &LogInstance) -> (&str, &str, &str, i32, Option<i64>, u64) {
    (
        &row.namespace,
        &row.pod,
        &row.container,
        row.restart,
        row.started,
        row.instance_id,
    )
}

pub(crate) fn recorded(version: &ObjectVersion) -> Result<RecordedObject> {
    let what = || {
        format!(
            "{}/{} in {:?}",
            version.resource, version.name, version.namespace
        )
    };
    let json = |cause| ReplayError::Json {
        what: what(),
        cause,
    };
    let object: Value = serde_json::from_str(&version.object).map_err(json)?;
    let cells: Option<Vec<Value>> = version
        .cells
        .as_deref()
        .map(serde_json::from_str)
        .transpose()
        .map_err(json)?;
    Ok(RecordedObject {
        group: version.group.clone(),
        version: version.version.clone(),
        resource: version.resource.clone(),
        kind: version.kind.clone(),
        namespace: version.namespace.clone(),
        name: version.name.clone(),
        uid: version.uid.clone(),
        object,
        cells,
        observed: version.observed,
        valid_from: version.valid_from,
    })
}

/// The OpenAPI documents that were served at a moment.
fn openapi_at(now: i64) -> Selection {
    Selection::default()
        .and(valid_at(now))
        .and(column("kind").eq(lit("openapi")))
}

fn parse(row: &ObjectApi) -> Result<Value> {
    serde_json::from_str(&row.json).map_err(|cause| ReplayError::Json {
        what: format!("{} {}", row.kind, row.name),
        cause,
    })
}

#[async_trait]
impl View for Recording {
    fn now(&self) -> i64 {
        self.now
    }

    async fn resources(&self) -> Result<Vec<ResourceType>, ViewError> {
        let documents = self.discovery().await?;
        Ok(discovery::resource_types(
            documents
                .iter()
                .map(|(name, document)| (name.as_str(), document)),
        ))
    }

    async fn objects(&self, query: &ObjectQuery) -> Result<Vec<RecordedObject>, ViewError> {
        let all = self.parsed(&query.group, &query.resource).await?;
        let wanted = |object: &&RecordedObject| {
            query
                .namespace
                .as_ref()
                .is_none_or(|namespace| *namespace == object.namespace)
                && query.name.as_ref().is_none_or(|name| *name == object.name)
        };
        Ok(all.iter().filter(wanted).cloned().collect())
    }

    async fn columns(
        &self,
        group: &str,
        resource: &str,
    ) -> Result<Vec<ColumnDefinition>, ViewError> {
        let name = format!("{resource}.{group}");
        let name = name.trim_end_matches('.');
        for row in self.api("columns").await? {
            if row.name.trim_end_matches('.') == name {
                return Ok(discovery::column_definitions(&parse(row)?));
            }
        }
        Ok(Vec::new())
    }

    async fn covers_objects(
        &self,
        group: &str,
        resource: &str,
        namespace: Option<&str>,
    ) -> Result<bool, ViewError> {
        let mut part = vec![("group", group), ("resource", resource)];
        part.extend(namespace.map(|namespace| ("namespace", namespace)));
        Ok(self.coverage().await?.covers(Table::ObjectVersions, &part))
    }

    async fn log_instances(
        &self,
        namespace: &str,
        pod: &str,
    ) -> Result<Vec<LogInstance>, ViewError> {
        let all = self.instances().await?;
        Ok(all
            .iter()
            .filter(|row| row.namespace == namespace && row.pod == pod)
            .cloned()
            .collect())
    }

    async fn log_lines(&self, query: &LogQuery) -> Result<Vec<LogLine>, ViewError> {
        let all = self.instances().await?;
        let wanted: BTreeSet<u64> = query.instance_ids.iter().copied().collect();
        let mut lines = Vec::new();
        // The file is sorted by pod: naming it lets the engine skip most of the file.
        for instance in all.iter().filter(|row| wanted.contains(&row.instance_id)) {
            let mut selection = Selection::default()
                .and(column("namespace").eq(lit(instance.namespace.as_str())))
                .and(column("pod").eq(lit(instance.pod.as_str())))
                .and(column("instance_id").eq(lit(instance.instance_id)))
                .and(column("timestamp").lt_eq(moment(self.now)));
            if let Some(since) = query.since_ns {
                selection = selection.and(column("timestamp").gt_eq(moment(since)));
            }
            if let Some(tail) = query.tail {
                selection = selection
                    .order(&["seq"], false)
                    .limit(usize::try_from(tail).unwrap_or(usize::MAX));
            }
            let mut rows: Vec<LogLine> = self.tables.rows(selection).await?;
            rows.sort_by_key(|line| line.seq);
            lines.push((instance.instance_id, rows));
        }
        lines.sort_by_key(|(instance, _)| *instance);
        Ok(lines.into_iter().flat_map(|(_, rows)| rows).collect())
    }

    async fn stamps_log_lines(&self, instance: &LogInstance) -> Result<bool, ViewError> {
        let part = [
            ("namespace", instance.namespace.as_str()),
            ("pod", instance.pod.as_str()),
            ("container", instance.container.as_str()),
        ];
        let coverage = self.coverage().await?;
        Ok(!coverage.lacks_column(Table::LogLines, "timestamp", &part))
    }

    async fn covers_logs(&self, namespace: &str) -> Result<bool, ViewError> {
        Ok(self
            .coverage()
            .await?
            .covers(Table::LogLines, &[("namespace", namespace)]))
    }

    async fn usage(&self, kind: &str, namespace: Option<&str>) -> Result<Vec<Usage>, ViewError> {
        let wanted = |row: &&Usage| {
            row.kind == kind && namespace.is_none_or(|namespace| row.namespace == namespace)
        };
        Ok(self
            .all_usage()
            .await?
            .iter()
            .filter(wanted)
            .cloned()
            .collect())
    }

    async fn exec_answers(&self, pod_uid: &str) -> Result<Vec<ExecAnswer>, ViewError> {
        let rows = self
            .exec
            .get_or_try_init(async || {
                let order = ["pod_uid", "container", "argv", "asked"];
                self.tables
                    .rows(Selection::default().order(&order, true))
                    .await
            })
            .await?;
        rows.iter()
            .filter(|row| row.pod_uid == pod_uid)
            .map(|row| {
                let argv = serde_json::from_str(&row.argv).map_err(|cause| ReplayError::Json {
                    what: format!("command run in {}", row.pod),
                    cause,
                })?;
                Ok(ExecAnswer {
                    container: row.container.clone(),
                    container_id: row.container_id.clone(),
                    argv,
                    stdout: row.stdout.clone(),
                    stderr: row.stderr.clone(),
                    exit_code: row.exit_code,
                    lasting: row.validity == "instance",
                })
            })
            .collect()
    }

    async fn server_version(&self) -> Result<Value, ViewError> {
        let first = self.api("version").await?.next();
        Ok(first.map(parse).transpose()?.unwrap_or(Value::Null))
    }

    async fn discovery(&self) -> Result<Vec<(String, Value)>, ViewError> {
        Ok(self.api_documents("discovery").await?)
    }

    async fn access_rules(&self) -> Result<Vec<(String, Value)>, ViewError> {
        Ok(self.api_documents("access").await?)
    }

    async fn openapi_names(&self) -> Result<Vec<String>, ViewError> {
        let selection = openapi_at(self.now).columns(&["name"]);
        let mut names = BTreeSet::new();
        for batch in self.tables.batches(Table::ObjectApi, selection).await? {
            let column = batch.column(0).as_string_opt::<i32>();
            names.extend(column.into_iter().flatten().flatten().map(str::to_owned));
        }
        Ok(names.into_iter().collect())
    }

    async fn openapi(&self, name: &str) -> Result<Option<Value>, ViewError> {
        let selection = openapi_at(self.now)
            .and(column("name").eq(lit(name)))
            .order(&["valid_from"], false)
            .limit(1);
        let rows: Vec<ObjectApi> = self.tables.rows(selection).await?;
        Ok(rows.first().map(parse).transpose()?)
    }

    fn plays_until(&self) -> Option<i64> {
        self.plays_until
    }

    fn later(&self, moment: i64) -> Option<Arc<dyn View>> {
        self.plays_until?;
        Some(Arc::new(self.at(moment)))
    }

    async fn changes(
        &self,
        query: &ObjectQuery,
        until: i64,
    ) -> Result<Option<Vec<Change>>, ViewError> {
        let Some(last) = self.plays_until else {
            return Ok(None);
        };
        let until = until.min(last);
        let mut part = vec![
            ("group", query.group.as_str()),
            ("resource", query.resource.as_str()),
        ];
        part.extend(
            query
                .namespace
                .iter()
                .map(|name| ("namespace", name.as_str())),
        );
        let coverage = self.coverage().await?.at(until);
        if !coverage.covers(Table::ObjectVersions, &part)
            || coverage.window(Table::ObjectVersions, &part, self.now) != WindowCoverage::Whole
        {
            return Ok(None);
        }
        let is = |name: &str, value: &str| column(name).eq(lit(value));
        let mut selection = Selection::default()
            .and(is("group", &query.group))
            .and(is("resource", &query.resource))
            .and(column("valid_from").gt(moment(self.now)))
            .and(column("valid_from").lt_eq(moment(until)))
            .order(&["valid_from", "seq"], true);
        if let Some(namespace) = &query.namespace {
            selection = selection.and(is("namespace", namespace));
        }
        if let Some(name) = &query.name {
            selection = selection.and(is("name", name));
        }
        let rows: Vec<ObjectVersion> = self.tables.rows(selection).await?;
        let changes = rows.iter().map(|row| {
            Ok(Change {
                moment: row.valid_from,
                deleted: row.event == "deleted",
                object: recorded(row)?,
            })
        });
        Ok(Some(changes.collect::<Result<_>>()?))
    }

    fn service_label(&self) -> &str {
        &self.service_label
    }
}
