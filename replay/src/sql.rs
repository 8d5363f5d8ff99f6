//! SQL over a snapshot, for people: every visible table as it is, and views at the clock.
//!
//! Only reading is possible, and `now()` is the clock. Agents don't get this: raw tables hold what
//! comes after *now* as well.

mod parquet;

use std::sync::Arc;

use aiopslab_datasets::snapshot::Snapshot;
use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use arrow::temporal_conversions::timestamp_ns_to_datetime;
use datafusion::error::DataFusionError;
use datafusion::execution::SessionState;
use datafusion::prelude::{DataFrame, SQLOptions};
use datafusion::sql::parser::Statement;
use datafusion::sql::sqlparser::ast::Statement as SqlStatement;

use crate::clock::Clock;
use crate::error::{ReplayError, Result};
use crate::tables::{Tables, read_error};

/// The views, each with what it shows.
pub const VIEWS: [(&str, &str); 5] = [
    (
        "logs",
        r#"SELECT timestamp, namespace, service, pod, container, stream,
             TRY_CAST(message AS VARCHAR) AS message, instance_id, seq
           FROM log_lines WHERE timestamp <= now()"#,
    ),
    (
        "metrics",
        r#"SELECT timestamp, name, labels, namespace, pod, container, node, value, source, metric_samples.series_id
           FROM metric_samples JOIN metric_series ON metric_samples.series_id = metric_series.series_id
           WHERE timestamp <= now()"#,
    ),
    (
        "traces",
        r#"SELECT start, trace_id, span_id, parent_span_id, service, operation, kind, status, message,
             (CAST("end" AS BIGINT) - CAST(start AS BIGINT)) / 1e6 AS duration_ms, attributes, resource, events
           FROM spans WHERE "end" <= now()"#,
    ),
    (
        "objects",
        r#"SELECT "group", version, resource, kind, namespace, name, uid, valid_from, object
           FROM object_versions
           WHERE valid_from <= now() AND (valid_to IS NULL OR valid_to > now())"#,
    ),
    (
        "events",
        r#"SELECT coalesce(json_get_str(object, 'lastTimestamp'), json_get_str(object, 'eventTime'),
               json_get_str(object, 'metadata', 'creationTimestamp')) AS last_seen,
             coalesce(json_get_int(object, 'count'), json_get_int(object, 'series', 'count'), 1) AS count,
             namespace, json_get_str(object, 'type') AS type, json_get_str(object, 'reason') AS reason,
             lower(coalesce(json_get_str(object, 'involvedObject', 'kind'), json_get_str(object, 'regarding', 'kind')))
               || '/' || coalesce(json_get_str(object, 'involvedObject', 'name'), json_get_str(object, 'regarding', 'name')) AS object,
             coalesce(json_get_str(object, 'message'), json_get_str(object, 'note')) AS message
           FROM (SELECT namespace, object, row_number() OVER (PARTITION BY uid ORDER BY seq DESC) AS newest
                 FROM object_versions
                 WHERE resource = 'events' AND event <> 'deleted' AND valid_from <= now())
           WHERE newest = 1"#,
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

/// A snapshot opened for queries.
pub struct SqlSession {
    state: SessionState,
    tables: Vec<String>,
}

impl SqlSession {
    /// Opens a snapshot for queries at a clock.
    pub async fn open(snapshot: &Snapshot, clock: Clock) -> Result<Self> {
        let now = clock.resolve(snapshot)?;
        let tables = Tables::open(snapshot)?;
        let context = tables.context();
        for (name, text) in VIEWS {
            let failed = |error: DataFusionError| read_error(name, &error);
            let plan = context
                .state()
                .create_logical_plan(text)
                .await
                .map_err(failed)?;
            let view = DataFrame::new(context.state(), plan).into_view();
            context.register_table(name, view).map_err(failed)?;
        }
        let mut state = context.state();
        let props = state.execution_props_mut();
        props.query_execution_start_time = timestamp_ns_to_datetime(now).map(|time| time.and_utc());
        let mut tables: Vec<String> = aiopslab_datasets::schema::Table::ALL
            .iter()
            .map(|table| table.name().to_owned())
            .chain(VIEWS.iter().map(|(name, _)| (*name).to_owned()))
            .collect();
        tables.sort();
        Ok(Self { state, tables })
    }

    /// The names of the tables and views, sorted.
    #[must_use]
    pub fn tables(&self) -> &[String] {
        &self.tables
    }

    /// Runs one reading statement.
    pub async fn query(&self, text: &str) -> Result<QueryAnswer> {
        let failed = |error: DataFusionError| self.explain(&error);
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
        let frame = DataFrame::new(self.state.clone(), plan);
        let schema = Arc::clone(frame.schema().inner());
        let batches = frame.collect().await.map_err(failed)?;
        // The plan's schema may call a column not null that turns out otherwise, or the reverse.
        let schema = batches.first().map_or(schema, RecordBatch::schema);
        Ok(QueryAnswer { schema, batches })
    }

    fn explain(&self, error: &DataFusionError) -> ReplayError {
        let cause = error.strip_backtrace().replace("datafusion.public.", "");
        let hint = if cause.contains("table '") && cause.contains("not found") {
            format!("the tables are {}", self.tables.join(", "))
        } else if cause.contains("No field named") {
            "`DESCRIBE TABLE` lists the columns; names such as \"end\" and \"group\" need double quotes"
                .to_owned()
        } else if cause.contains("Resources exhausted") {
            "narrow it down, e.g. by a condition on the time".to_owned()
        } else {
            "`SHOW TABLES` lists the tables, `DESCRIBE TABLE` the columns of one".to_owned()
        };
        ReplayError::Query { cause, hint }
    }
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
