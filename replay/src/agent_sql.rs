//! `query_sql`, the agent's SQL: one SELECT over views of what was true or finished at *now*.
//!
//! An agent sees the [`views`] and nothing else: no table with what comes later, no file, no
//! catalog of the engine. Functions are those of [`functions`], whose results depend on nothing
//! but their arguments. Work is counted ([`meter`]), so that a query ends, and always in the same way.

mod functions;
mod meter;
mod print;
mod statement;
mod views;

use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::sync::Arc;

use aiopslab_datasets::schema::Table;
use aiopslab_problems::action::sql_views;
use aiopslab_problems::environment::{Observation, Verdict};
use arrow::array::RecordBatch;
use arrow::datatypes::DataType;
use arrow::temporal_conversions::timestamp_ns_to_datetime;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::error::DataFusionError;
use datafusion::execution::{SessionState, SessionStateBuilder};
use datafusion::logical_expr::LogicalPlan;
use datafusion::prelude::{DataFrame, SQLOptions, SessionContext};

use crate::coverage::{CoverageAt, TableCoverage};
use crate::error::Result;
use crate::tables::{Tables, read_error, session_config};

/// The most rows that an answer shows.
const ROWS: usize = 1000;
/// The most bytes of rows that an answer shows.
const BYTES: usize = 64 * 1024;

/// A recording at one moment, opened for an agent's queries.
pub(crate) struct AgentSql {
    state: SessionState,
}

impl AgentSql {
    /// Sets the views up; reads nothing.
    pub(crate) async fn open(tables: &Tables, now: i64) -> Result<Self> {
        let state = state(tables)?;
        let context = SessionContext::new_with_state(state);
        for view in views::VIEWS {
            let failed = |error: DataFusionError| read_error(view.name, &error);
            // The views' own texts are planned where the tables are.
            let plan = tables
                .context()
                .state()
                .create_logical_plan(&view.sql(now, tables.holds_withheld()))
                .await
                .map_err(failed)?;
            let provider = DataFrame::new(context.state(), plan).into_view();
            context
                .register_table(view.name, provider)
                .map_err(failed)?;
        }
        let mut state = context.state();
        let moment = timestamp_ns_to_datetime(now).map(|time| time.and_utc());
        state.execution_props_mut().query_execution_start_time = moment;
        Ok(Self { state })
    }

    /// Answers a query; what is wrong with it is an answer too.
    pub(crate) async fn query(&self, text: &str, coverage: &CoverageAt) -> Observation {
        match self.answer(text, coverage).await {
            ControlFlow::Continue(observation) => observation,
            ControlFlow::Break(error) => Observation::new(error, Verdict::Invalid),
        }
    }

    async fn answer(&self, text: &str, coverage: &CoverageAt) -> ControlFlow<String, Observation> {
        let failed = |error: DataFusionError| explain(&error);
        let dialect = self.state.config().options().sql_parser.dialect;
        let statement = or_break(self.state.sql_to_statement(text, &dialect), failed)?;
        if let Some(refusal) = statement::refusal(&statement) {
            return ControlFlow::Break(refusal);
        }
        let plan = or_break(self.state.statement_to_plan(statement).await, failed)?;
        let reads_only = SQLOptions::new()
            .with_allow_ddl(false)
            .with_allow_dml(false)
            .with_allow_statements(false)
            .verify_plan(&plan);
        or_break(reads_only, failed)?;
        let used = or_break(tables_of(&plan), failed)?;
        let known: Vec<TableCoverage> = used.iter().map(|table| coverage.table(*table)).collect();
        if let Some(position) = known.iter().position(|one| *one == TableCoverage::None) {
            let name = used.iter().nth(position).map_or("", |table| table.name());
            let what = views::shown(name);
            return ControlFlow::Continue(Observation::new(
                format!("notice: {what} are not available in this recording"),
                Verdict::NotCaptured,
            ));
        }
        let batches = self.collect(plan).await;
        let (schema, batches) = or_break(batches, failed)?;
        let shown = print::csv(&schema, &batches, ROWS, BYTES);
        let verdict = match (
            shown.rows,
            known.iter().all(|one| *one == TableCoverage::All),
        ) {
            (0, false) => Verdict::Partial,
            (0, true) => Verdict::Empty,
            _ => Verdict::Answered,
        };
        ControlFlow::Continue(Observation::new(shown.text, verdict))
    }

    /// The rows, one more than are shown; in the order that was asked for, else in that of their columns.
    async fn collect(
        &self,
        plan: LogicalPlan,
    ) -> Result<(arrow::datatypes::SchemaRef, Vec<RecordBatch>), DataFusionError> {
        let ordered = matches!(plan, LogicalPlan::Sort(_) | LogicalPlan::Limit(_));
        let mut frame = DataFrame::new(self.state.clone(), plan);
        if !ordered {
            let keys: Vec<_> = frame
                .schema()
                .iter()
                .filter(|(_, field)| !matches!(field.data_type(), DataType::Map(..)))
                .map(|(qualifier, field)| {
                    let key = datafusion::logical_expr::Expr::from((qualifier, field));
                    key.sort(true, false)
                })
                .collect();
            if !keys.is_empty() {
                frame = frame.sort(keys)?;
            }
        }
        let frame = frame.limit(0, Some(ROWS + 1))?;
        let schema = Arc::clone(frame.schema().inner());
        Ok((schema, frame.collect().await?))
    }
}

fn state(tables: &Tables) -> Result<SessionState> {
    let builder = SessionStateBuilder::new()
        .with_config(session_config())
        .with_runtime_env(tables.context().runtime_env())
        .with_physical_optimizer_rule(Arc::new(meter::MeterRule));
    let mut state = functions::register(builder).build();
    datafusion_functions_json::register_all(&mut state)
        .map_err(|error| read_error("the snapshot", &error))?;
    Ok(state)
}

/// The recorded tables that a plan reads.
fn tables_of(plan: &LogicalPlan) -> Result<BTreeSet<Table>, DataFusionError> {
    let mut used = BTreeSet::new();
    plan.apply_with_subqueries(|node| {
        if let LogicalPlan::TableScan(scan) = node {
            let name = scan.table_name.table();
            used.extend(views::tables_behind(name));
        }
        Ok(TreeNodeRecursion::Continue)
    })?;
    Ok(used)
}

/// What the engine said, and the way out.
fn explain(error: &DataFusionError) -> String {
    let cause = error.strip_backtrace().replace("datafusion.public.", "");
    let cause = cause.lines().take(6).collect::<Vec<_>>().join("\n");
    let hint = if cause.contains("nvalid function") {
        format!("the functions are {}", functions::NAMES.join(", "))
    } else if cause.contains("table '") || cause.contains("able function") {
        format!("the views are:\n{}", sql_views())
    } else if cause.contains("No field named") {
        format!(
            "names such as \"end\" and \"group\" need double quotes, texts single ones; the views are:\n{}",
            sql_views()
        )
    } else if cause.contains("Resources exhausted") || cause.contains(meter::EXCEEDED) {
        "join on equal ids, or narrow it down before joining, e.g. by a condition on the time"
            .to_owned()
    } else {
        "it takes one SELECT, or WITH … SELECT; names in double quotes, texts in single ones"
            .to_owned()
    };
    format!("Error: {cause}\nhint: {hint}")
}

fn or_break<T, E>(result: Result<T, E>, said: impl FnOnce(E) -> String) -> ControlFlow<String, T> {
    match result {
        Ok(value) => ControlFlow::Continue(value),
        Err(error) => ControlFlow::Break(said(error)),
    }
}

#[cfg(test)]
mod tests;
