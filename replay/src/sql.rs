//! SQL over snapshots, for people: the recorded tables as they are, and views at the clock.
//!
//! One session goes over one snapshot or many; each row says in its first column, `snapshot`, which
//! one it is of. Only reading is possible, and `now()` is the clock. Agents don't get this: the
//! tables hold what comes after *now* as well, and the windows tell when the fault was there.
//!
//! `opening` sets a session up: [`views`] are SQL files; `functions` are theirs and a person's;
//! `table` reads the files of many snapshots as one table; `recordings` knows each snapshot's *now*
//! and windows. `statement` says what may be asked, and `running` is a query on its way. [`postgres`]
//! answers the same over the protocol of PostgreSQL.

mod functions;
pub mod header;
mod opening;
mod parquet;
pub mod postgres;
mod recordings;
mod running;
mod statement;
mod table;
mod views;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;

use aiopslab_datasets::snapshot::Snapshot;
use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use arrow::temporal_conversions::timestamp_ns_to_datetime;
use datafusion::common::TableReference;
use datafusion::execution::SessionState;
use datafusion::logical_expr::LogicalPlan;
use datafusion::prelude::SessionContext;
use datafusion::sql::parser::Statement;

use self::recordings::Recordings;
use self::statement::{Known, refuse_writes, refuse_writing_plan};
use crate::clock::Clock;
use crate::error::Result;

pub use self::functions::FUNCTIONS;
pub use self::opening::FACTS;
pub use self::running::{Progress, RunningQuery};
pub use self::views::{View, views};

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
    /// Threads that a query over several snapshots computes on. One snapshot is read from one end to
    /// the other: without an ORDER BY, its rows come as they are recorded.
    pub jobs: usize,
}

impl Default for SqlLimits {
    fn default() -> Self {
        Self {
            memory: 1 << 30,
            spill: None,
            jobs: 1,
        }
    }
}

/// Snapshots opened for queries.
pub struct SqlSession {
    state: SessionState,
    known: Arc<Known>,
}

impl SqlSession {
    /// Opens a snapshot for queries at a clock; its name is that of its folder.
    pub async fn open(snapshot: &Snapshot, clock: Clock) -> Result<Self> {
        let name = snapshot.dir().file_name().unwrap_or("snapshot").to_owned();
        Self::open_all(vec![(name, snapshot.clone())], clock, &SqlLimits::default()).await
    }

    /// Opens snapshots under their names, which differ, at a clock.
    pub async fn open_all(
        snapshots: Vec<(String, Snapshot)>,
        clock: Clock,
        limits: &SqlLimits,
    ) -> Result<Self> {
        Self::open_with(snapshots, clock, limits, |_| Ok(())).await
    }

    /// The same, with more in the engine.
    async fn open_with(
        mut snapshots: Vec<(String, Snapshot)>,
        clock: Clock,
        limits: &SqlLimits,
        add: impl FnOnce(&SessionContext) -> Result<()>,
    ) -> Result<Self> {
        snapshots.sort_by(|one, other| one.0.cmp(&other.0));
        let recordings = Arc::new(Recordings::of(&snapshots, clock)?);
        let context = opening::context(limits, &snapshots)?;
        functions::register(&context, &recordings);
        let mut tables = BTreeSet::new();
        opening::register_recorded(&context, &snapshots, &mut tables)?;
        opening::register_facts(&context, &snapshots, &recordings, &mut tables)?;
        opening::register_views(&context, &mut tables).await?;
        add(&context)?;
        let mut state = context.state();
        let latest = recordings.all().iter().map(|recording| recording.now).max();
        state.execution_props_mut().query_execution_start_time = latest
            .and_then(timestamp_ns_to_datetime)
            .map(|time| time.and_utc());
        let known = Known {
            tables: tables.into_iter().collect(),
            windows: recordings.know_windows(),
        };
        Ok(Self {
            state,
            known: Arc::new(known),
        })
    }

    /// The names of the tables and views, sorted.
    #[must_use]
    pub fn tables(&self) -> &[String] {
        &self.known.tables
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
        let dialect = self.state.config().options().sql_parser.dialect;
        let statement = self.state.sql_to_statement(text, &dialect);
        let plan = self
            .plan(statement.map_err(|error| self.known.explain(&error))?)
            .await?;
        RunningQuery::start(&self.state, plan, Arc::clone(&self.known)).await
    }

    /// The columns that the answer to a plan will have: types are known for sure after the engine has coerced them,
    /// which it does not while parameters are open.
    fn answer_schema(&self, plan: &LogicalPlan) -> SchemaRef {
        let coerced = self.state.optimize(plan);
        let schema = coerced.as_ref().unwrap_or(plan).schema();
        Arc::clone(schema.inner())
    }

    /// Understands one reading statement, and refuses any other.
    async fn plan(&self, statement: Statement) -> Result<LogicalPlan> {
        refuse_writes(&statement)?;
        let plan = self.state.statement_to_plan(statement).await;
        let plan = plan.map_err(|error| self.known.explain(&error))?;
        refuse_writing_plan(&plan)?;
        Ok(plan)
    }
}

/// Answers one query: [`SqlSession::open`] and [`SqlSession::query`] in one.
pub async fn sql(snapshot: &Snapshot, clock: Clock, text: &str) -> Result<QueryAnswer> {
    SqlSession::open(snapshot, clock).await?.query(text).await
}

#[cfg(test)]
mod tests;
