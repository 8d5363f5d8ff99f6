//! SQL over snapshots, for people: the recorded tables as they are, and views at the clock.
//!
//! One session goes over one snapshot or many; each row says in its first column, `snapshot`, which
//! one it is of. Only reading is possible, and `now()` is the clock. Agents don't get this: the
//! tables hold what comes after *now* as well, and the windows tell when the fault was there.
//!
//! [`views`] are SQL files; `functions` are theirs and a person's; `table` reads the files of many
//! snapshots as one table; `recordings` knows each snapshot's *now* and windows; `running` is a
//! query on its way.

mod functions;
pub mod header;
mod parquet;
mod recordings;
mod running;
mod table;
mod views;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;

use aiopslab_datasets::schema::Table;
use aiopslab_datasets::snapshot::Snapshot;
use arrow::array::{RecordBatch, StringArray, TimestampNanosecondArray};
use arrow::datatypes::SchemaRef;
use arrow::temporal_conversions::timestamp_ns_to_datetime;
use datafusion::catalog::{MemorySchemaProvider, TableProvider};
use datafusion::common::TableReference;
use datafusion::datasource::MemTable;
use datafusion::error::DataFusionError;
use datafusion::execution::disk_manager::{DiskManagerBuilder, DiskManagerMode};
use datafusion::execution::memory_pool::FairSpillPool;
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::execution::{SessionState, SessionStateBuilder};
use datafusion::logical_expr::LogicalPlan;
use datafusion::prelude::{DataFrame, SQLOptions, SessionContext};
use datafusion::sql::parser::Statement;
use datafusion::sql::sqlparser::ast::Statement as SqlStatement;

use self::recordings::{Recordings, WindowName};
use self::table::{SNAPSHOT, SnapshotTable};
use crate::clock::Clock;
use crate::error::{ReplayError, Result};
use crate::tables::{find_elsewhere, read_error, session_config};

pub use self::functions::FUNCTIONS;
pub use self::running::{Progress, RunningQuery};
pub use self::views::{View, views};

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

/// What a query answers.
#[derive(Debug, Clone)]
pub struct QueryAnswer {
    /// The columns.
    pub schema: SchemaRef,
    /// The rows.
    pub batches: Vec<RecordBatch>,
}

impl QueryAnswer {
    /// Number of rows.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.batches.iter().map(RecordBatch::num_rows).sum()
    }
}

/// What the queries of a session may take.
#[derive(Debug, Clone)]
pub struct SqlLimits {
    /// Bytes of memory; what needs more is spilled.
    pub memory: usize,
    /// The folder that is spilled to; none: a query that needs more memory fails.
    pub spill: Option<PathBuf>,
}

impl Default for SqlLimits {
    fn default() -> Self {
        Self {
            memory: 1 << 30,
            spill: None,
        }
    }
}

/// Snapshots opened for queries.
pub struct SqlSession {
    state: SessionState,
    tables: Vec<String>,
    know_windows: bool,
}

impl SqlSession {
    /// Opens a snapshot for queries at a clock; its name is that of its folder.
    pub async fn open(snapshot: &Snapshot, clock: Clock) -> Result<Self> {
        let name = snapshot.dir().file_name().unwrap_or("snapshot").to_owned();
        Self::open_all(vec![(name, snapshot.clone())], clock, &SqlLimits::default()).await
    }

    /// Opens snapshots under their names, which differ, at a clock.
    pub async fn open_all(
        mut snapshots: Vec<(String, Snapshot)>,
        clock: Clock,
        limits: &SqlLimits,
    ) -> Result<Self> {
        snapshots.sort_by(|one, other| one.0.cmp(&other.0));
        let recordings = Arc::new(Recordings::of(&snapshots, clock)?);
        let context = context(limits, &snapshots)?;
        functions::register(&context, &recordings);
        let mut tables = BTreeSet::new();
        register_recorded(&context, &snapshots, &mut tables)?;
        register_facts(&context, &snapshots, &recordings, &mut tables)?;
        for view in views() {
            let failed = |error: DataFusionError| read_error(view.name, &error);
            let plan = context.state().create_logical_plan(view.sql).await;
            let provider = DataFrame::new(context.state(), plan.map_err(failed)?).into_view();
            context
                .register_table(view.name, provider)
                .map_err(failed)?;
            tables.insert(view.name.to_owned());
        }
        let mut state = context.state();
        let latest = recordings.all().iter().map(|recording| recording.now).max();
        state.execution_props_mut().query_execution_start_time = latest
            .and_then(timestamp_ns_to_datetime)
            .map(|time| time.and_utc());
        Ok(Self {
            state,
            tables: tables.into_iter().collect(),
            know_windows: recordings.know_windows(),
        })
    }

    /// The names of the tables and views, sorted.
    #[must_use]
    pub fn tables(&self) -> &[String] {
        &self.tables
    }

    /// The columns of a table or view, in their order; none where there is no such table.
    pub async fn columns(&self, table: &str) -> Vec<String> {
        let reference = TableReference::from(table);
        let provider = match self.state.schema_for_ref(reference.clone()) {
            Ok(schema) => schema.table(reference.table()).await.ok().flatten(),
            Err(_) => None,
        };
        provider.map_or_else(Vec::new, |provider| {
            let schema = provider.schema();
            schema
                .fields()
                .iter()
                .map(|field| field.name().clone())
                .collect()
        })
    }

    /// The names of the functions, sorted.
    #[must_use]
    pub fn functions(&self) -> Vec<String> {
        let mut names: Vec<String> = self
            .state
            .scalar_functions()
            .keys()
            .chain(self.state.aggregate_functions().keys())
            .chain(self.state.window_functions().keys())
            .cloned()
            .collect();
        names.sort();
        names.dedup();
        names
    }

    /// Runs one reading statement to its end.
    pub async fn query(&self, text: &str) -> Result<QueryAnswer> {
        let mut running = self.start(text).await?;
        let mut batches = Vec::new();
        while let Some(batch) = running.next().await? {
            batches.push(batch);
        }
        Ok(running.answer(batches))
    }

    /// Starts one reading statement.
    pub async fn start(&self, text: &str) -> Result<RunningQuery> {
        let plan = self.plan(text).await?;
        RunningQuery::start(&self.state, plan, self.know_windows, &self.tables).await
    }

    async fn plan(&self, text: &str) -> Result<LogicalPlan> {
        let failed = |error: DataFusionError| explain(&error, &self.tables, self.know_windows);
        let dialect = self.state.config().options().sql_parser.dialect;
        let statement = self
            .state
            .sql_to_statement(text, &dialect)
            .map_err(failed)?;
        refuse_writes(&statement)?;
        let plan = self
            .state
            .statement_to_plan(statement)
            .await
            .map_err(failed)?;
        SQLOptions::new()
            .with_allow_ddl(false)
            .with_allow_dml(false)
            .with_allow_statements(false)
            .verify_plan(&plan)
            .map_err(|_| ReplayError::Write {
                statement: "a statement within it".to_owned(),
            })?;
        Ok(plan)
    }
}

/// What the engine said, and the way out.
fn explain(error: &DataFusionError, tables: &[String], know_windows: bool) -> ReplayError {
    let cause = error.strip_backtrace().replace("datafusion.public.", "");
    let missing = cause.contains("table '") && cause.contains("not found");
    let hint = if missing && cause.contains("'windows'") && !know_windows {
        "when the baseline and the fault were is kept in withheld/, and no such windows are here"
            .to_owned()
    } else if missing {
        format!("the tables are {}", tables.join(", "))
    } else if cause.contains("No field named") {
        "`DESCRIBE TABLE` lists the columns; names such as \"end\" and \"group\" need double quotes"
            .to_owned()
    } else if cause.contains("nvalid function") {
        "`SHOW FUNCTIONS` lists the functions".to_owned()
    } else if cause.contains("clock(snapshot)") {
        "every table has the column snapshot".to_owned()
    } else if cause.contains("it is not known when") {
        "the other snapshots, and every table but windows, can still be asked".to_owned()
    } else if cause.contains("is no moment") {
        "e.g. since(snapshot, '5m')".to_owned()
    } else if cause.contains("Resources exhausted") {
        "narrow it down, e.g. by a condition on the time, or give it more memory".to_owned()
    } else {
        "`SHOW TABLES` lists the tables, `DESCRIBE TABLE` the columns of one".to_owned()
    };
    ReplayError::Query { cause, hint }
}

fn context(limits: &SqlLimits, snapshots: &[(String, Snapshot)]) -> Result<SessionContext> {
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
    let mut state = SessionStateBuilder::new_with_default_features()
        .with_config(session_config().with_information_schema(true))
        .with_runtime_env(runtime)
        .with_physical_optimizer_rule(Arc::new(running::GiveWay))
        .build();
    datafusion_functions_json::register_all(&mut state).map_err(failed)?;
    Ok(SessionContext::new_with_state(state))
}

/// The recorded tables: all of them in the schema `raw`, and without it those that no view hides.
fn register_recorded(
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

/// `snapshots`, and `windows` where any are known.
fn register_facts(
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

fn texts<'a>(values: impl Iterator<Item = &'a str>) -> arrow::array::ArrayRef {
    Arc::new(StringArray::from_iter_values(values))
}

fn times(values: impl Iterator<Item = i64>) -> arrow::array::ArrayRef {
    Arc::new(TimestampNanosecondArray::from_iter_values(values).with_timezone("UTC"))
}

fn register_rows(
    context: &SessionContext,
    name: &'static str,
    rows: std::result::Result<RecordBatch, arrow::error::ArrowError>,
) -> Result<()> {
    let failed = |error: DataFusionError| read_error(name, &error);
    let rows = rows.map_err(|error| failed(error.into()))?;
    let table = MemTable::try_new(rows.schema(), vec![vec![rows]]).map_err(failed)?;
    context
        .register_table(name, Arc::new(table))
        .map_err(failed)?;
    Ok(())
}

/// Answers one query: [`SqlSession::open`] and [`SqlSession::query`] in one.
pub async fn sql(snapshot: &Snapshot, clock: Clock, text: &str) -> Result<QueryAnswer> {
    SqlSession::open(snapshot, clock).await?.query(text).await
}

fn refuse_writes(statement: &Statement) -> Result<()> {
    let reads = match statement {
        Statement::Statement(statement) => matches!(
            statement.as_ref(),
            SqlStatement::Query(_)
                | SqlStatement::ExplainTable { .. }
                | SqlStatement::ShowTables { .. }
                | SqlStatement::ShowColumns { .. }
                | SqlStatement::ShowVariable { .. }
                | SqlStatement::ShowFunctions { .. }
        ),
        Statement::Explain(explain) => return refuse_writes(&explain.statement),
        _ => false,
    };
    if reads {
        return Ok(());
    }
    let text = statement.to_string();
    let word = text.split_whitespace().next().unwrap_or("this");
    Err(ReplayError::Write {
        statement: word.to_uppercase(),
    })
}

#[cfg(test)]
mod tests;
