//! What a session has before the first statement: the engine, the tables and the views.

use std::collections::BTreeSet;
use std::sync::Arc;

use aiopslab_datasets::schema::Table;
use aiopslab_datasets::snapshot::Snapshot;
use arrow::array::{ArrayRef, RecordBatch, StringArray, TimestampNanosecondArray};
use arrow::error::ArrowError;
use datafusion::catalog::{MemorySchemaProvider, TableProvider};
use datafusion::datasource::MemTable;
use datafusion::error::DataFusionError;
use datafusion::execution::SessionStateBuilder;
use datafusion::execution::disk_manager::{DiskManagerBuilder, DiskManagerMode};
use datafusion::execution::memory_pool::FairSpillPool;
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::prelude::{DataFrame, SessionContext};

use super::recordings::{Recordings, WindowName};
use super::table::{SNAPSHOT, SnapshotTable};
use super::{SqlLimits, running, views};
use crate::error::Result;
use crate::tables::{find_elsewhere, read_error, session_config};

/// The schema that holds every recorded table under its own name.
const RAW: &str = "raw";

/// The tables that are made of what the manifests and the windows say: name and what it shows.
pub const FACTS: [(&str, &str); 2] = [
    (
        "snapshots",
        "the snapshots that the session goes over: snapshot, id, application, now, from, to",
    ),
    (
        "windows",
        "when it was as it should be, and when the fault was there (from withheld/): snapshot, window, from, to",
    ),
];

/// The engine for these snapshots, with its functions and those on JSON.
pub(super) fn context(
    limits: &SqlLimits,
    snapshots: &[(String, Snapshot)],
) -> Result<SessionContext> {
    let failed = |error: DataFusionError| read_error("the snapshot", &error);
    let spill = match &limits.spill {
        Some(folder) => DiskManagerMode::Directories(vec![folder.clone()]),
        None => DiskManagerMode::Disabled,
    };
    let runtime = RuntimeEnvBuilder::new()
        .with_memory_pool(Arc::new(FairSpillPool::new(limits.memory)))
        .with_disk_manager_builder(DiskManagerBuilder::default().with_mode(spill))
        .build_arc()
        .map_err(failed)?;
    find_elsewhere(&runtime, snapshots.iter().map(|(_, snapshot)| snapshot))?;
    let config = session_config()
        .with_information_schema(true)
        .with_target_partitions(limits.jobs.clamp(1, snapshots.len().max(1)));
    let mut state = SessionStateBuilder::new_with_default_features()
        .with_config(config)
        .with_runtime_env(runtime)
        .with_physical_optimizer_rule(Arc::new(running::GiveWay))
        .build();
    datafusion_functions_json::register_all(&mut state).map_err(failed)?;
    Ok(SessionContext::new_with_state(state))
}

/// The recorded tables: all of them in the schema `raw`, and without it those that no view hides.
pub(super) fn register_recorded(
    context: &SessionContext,
    snapshots: &[(String, Snapshot)],
    names: &mut BTreeSet<String>,
) -> Result<()> {
    let failed = |error: DataFusionError| read_error("the snapshot", &error);
    let catalog = &context
        .state()
        .config_options()
        .catalog
        .default_catalog
        .clone();
    if let Some(catalog) = context.catalog(catalog) {
        catalog
            .register_schema(RAW, Arc::new(MemorySchemaProvider::new()))
            .map_err(failed)?;
    }
    let views = views();
    for table in Table::ALL {
        let name = table.name();
        let provider: Arc<dyn TableProvider> = Arc::new(SnapshotTable::new(table, snapshots)?);
        context
            .register_table(format!("{RAW}.{name}"), Arc::clone(&provider))
            .map_err(failed)?;
        let shown = match views.iter().any(|view| view.name == name) {
            true => format!("{RAW}.{name}"),
            false => {
                context.register_table(name, provider).map_err(failed)?;
                name.to_owned()
            }
        };
        names.insert(shown);
    }
    Ok(())
}

/// The views, each after those that it reads.
pub(super) async fn register_views(
    context: &SessionContext,
    names: &mut BTreeSet<String>,
) -> Result<()> {
    for view in views() {
        let failed = |error: DataFusionError| read_error(view.name, &error);
        let plan = context.state().create_logical_plan(view.sql).await;
        let provider = DataFrame::new(context.state(), plan.map_err(failed)?).into_view();
        context
            .register_table(view.name, provider)
            .map_err(failed)?;
        names.insert(view.name.to_owned());
    }
    Ok(())
}

/// `snapshots`, and `windows` where any are known.
pub(super) fn register_facts(
    context: &SessionContext,
    snapshots: &[(String, Snapshot)],
    recordings: &Recordings,
    names: &mut BTreeSet<String>,
) -> Result<()> {
    let manifests = || snapshots.iter().map(|(_, snapshot)| snapshot.manifest());
    let all = recordings.all();
    let to = |time: jiff::Timestamp| crate::clock::nanoseconds(time);
    let known = RecordBatch::try_from_iter([
        (SNAPSHOT, texts(all.iter().map(|one| one.name.as_str()))),
        ("id", texts(manifests().map(|one| one.snapshot.as_str()))),
        (
            "application",
            texts(manifests().map(|one| one.application.as_str())),
        ),
        ("now", times(all.iter().map(|one| one.now))),
        ("from", times(all.iter().map(|one| one.from))),
        ("to", times(manifests().map(|one| to(one.observed.to)))),
    ]);
    register_rows(context, "snapshots", known)?;
    names.insert("snapshots".to_owned());
    if recordings.know_windows() {
        let mut rows = Vec::new();
        for recording in all {
            for name in [WindowName::Baseline, WindowName::Fault] {
                let window = recording.window(name);
                rows.extend(window.map(|window| (recording.name.as_str(), name.name(), window)));
            }
        }
        let windows = RecordBatch::try_from_iter([
            (SNAPSHOT, texts(rows.iter().map(|row| row.0))),
            ("window", texts(rows.iter().map(|row| row.1))),
            ("from", times(rows.iter().map(|row| row.2.from))),
            ("to", times(rows.iter().map(|row| row.2.to))),
        ]);
        register_rows(context, "windows", windows)?;
        names.insert("windows".to_owned());
    }
    Ok(())
}

fn texts<'a>(values: impl Iterator<Item = &'a str>) -> ArrayRef {
    Arc::new(StringArray::from_iter_values(values))
}

fn times(values: impl Iterator<Item = i64>) -> ArrayRef {
    Arc::new(TimestampNanosecondArray::from_iter_values(values).with_timezone("UTC"))
}

fn register_rows(
    context: &SessionContext,
    name: &'static str,
    rows: Result<RecordBatch, ArrowError>,
) -> Result<()> {
    let failed = |error: DataFusionError| read_error(name, &error);
    let rows = rows.map_err(|error| failed(error.into()))?;
    let table = MemTable::try_new(rows.schema(), vec![vec![rows]]).map_err(failed)?;
    context
        .register_table(name, Arc::new(table))
        .map_err(failed)?;
    Ok(())
}
