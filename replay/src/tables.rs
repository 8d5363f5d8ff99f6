//! A snapshot's Parquet files as tables of a query engine, wherever they lie.
//!
//! Opening reads nothing: files are read by the queries that need them. One partition and a fixed
//! batch size, so that the same query gives the same bytes everywhere.

use std::sync::Arc;

use aiopslab_datasets::remote::FilesElsewhere;
use aiopslab_datasets::rows::Row;
use aiopslab_datasets::schema::Table;
use aiopslab_datasets::snapshot::Snapshot;
use aiopslab_datasets::writer::Visibility;
use arrow::array::RecordBatch;
use datafusion::common::ScalarValue;
use datafusion::datasource::file_format::parquet::ParquetFormat;
use datafusion::datasource::listing::{
    ListingOptions, ListingTable, ListingTableConfig, ListingTableUrl,
};
use datafusion::error::DataFusionError;
use datafusion::execution::SessionStateBuilder;
use datafusion::execution::memory_pool::FairSpillPool;
use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::execution::runtime_env::{RuntimeEnv, RuntimeEnvBuilder};
use datafusion::logical_expr::{Expr, SortExpr};
use datafusion::prelude::{SessionConfig, SessionContext, ident, lit};

use crate::error::{ReplayError, Result};

/// A query may hold this much in memory before it fails.
const MEMORY: usize = 1 << 30;

/// The tables of a snapshot under their names, all rows of them.
pub(crate) struct Tables {
    context: SessionContext,
    holds_withheld: bool,
}

/// Which rows of a table, in which order.
#[derive(Default)]
pub(crate) struct Selection {
    filter: Option<Expr>,
    order: Vec<SortExpr>,
    limit: Option<usize>,
    columns: Option<Vec<&'static str>>,
}

impl Selection {
    /// Only rows for which this holds too.
    pub(crate) fn and(mut self, condition: Expr) -> Self {
        self.filter = Some(match self.filter {
            Some(filter) => filter.and(condition),
            None => condition,
        });
        self
    }

    /// In this order, ascending or not.
    pub(crate) fn order(mut self, columns: &[&str], ascending: bool) -> Self {
        self.order.extend(
            columns
                .iter()
                .map(|name| column(name).sort(ascending, true)),
        );
        self
    }

    /// Only these columns; for [`Tables::batches`] alone, since rows need all of them.
    pub(crate) fn columns(mut self, names: &[&'static str]) -> Self {
        self.columns = Some(names.to_vec());
        self
    }

    /// Only the first so many.
    pub(crate) fn limit(mut self, rows: usize) -> Self {
        self.limit = Some(rows);
        self
    }
}

impl Tables {
    /// The rows that an agent may see.
    pub(crate) fn open(snapshot: &Snapshot) -> Result<Self> {
        Self::open_as(snapshot, &[Visibility::Visible])
    }

    /// All rows, those that are withheld from agents too.
    pub(crate) fn open_with_withheld(snapshot: &Snapshot) -> Result<Self> {
        if !snapshot.has_withheld() {
            return Err(ReplayError::NoWithheld);
        }
        Self::open_as(snapshot, &Visibility::ALL)
    }

    fn open_as(snapshot: &Snapshot, visible: &[Visibility]) -> Result<Self> {
        let runtime = RuntimeEnvBuilder::new()
            .with_memory_pool(Arc::new(FairSpillPool::new(MEMORY)))
            .build_arc()
            .map_err(|error| read_error("the snapshot", &error))?;
        find_elsewhere(&runtime, [snapshot])?;
        let mut state = SessionStateBuilder::new_with_default_features()
            .with_config(session_config().with_information_schema(true))
            .with_runtime_env(runtime)
            .build();
        datafusion_functions_json::register_all(&mut state)
            .map_err(|error| read_error("the snapshot", &error))?;
        let context = SessionContext::new_with_state(state);
        for table in Table::ALL {
            register(&context, snapshot, table, visible)?;
        }
        Ok(Self {
            context,
            holds_withheld: visible.contains(&Visibility::Withheld),
        })
    }

    /// Whether the rows that are withheld from agents are among them: of an object, the newest of
    /// the versions that are valid at a moment is the one that it had.
    pub(crate) fn holds_withheld(&self) -> bool {
        self.holds_withheld
    }

    /// The engine, for queries in SQL.
    pub(crate) fn context(&self) -> &SessionContext {
        &self.context
    }

    /// Rows of a table.
    pub(crate) async fn rows<R: Row>(&self, selection: Selection) -> Result<Vec<R>> {
        let mut rows = Vec::new();
        for batch in self.batches(R::TABLE, selection).await? {
            rows.extend(R::from_batch(&batch)?);
        }
        Ok(rows)
    }

    /// Rows of a table as they are stored, for what reads many.
    pub(crate) async fn batches(
        &self,
        table: Table,
        selection: Selection,
    ) -> Result<Vec<RecordBatch>> {
        let failed = |error: DataFusionError| read_error(table.name(), &error);
        let mut frame = self.context.table(table.name()).await.map_err(failed)?;
        if let Some(filter) = selection.filter {
            frame = frame.filter(filter).map_err(failed)?;
        }
        if !selection.order.is_empty() {
            frame = frame.sort(selection.order).map_err(failed)?;
        }
        if let Some(limit) = selection.limit {
            frame = frame.limit(0, Some(limit)).map_err(failed)?;
        }
        if let Some(columns) = selection.columns {
            frame = frame
                .select(columns.into_iter().map(column).collect::<Vec<_>>())
                .map_err(failed)?;
        }
        frame.collect().await.map_err(failed)
    }
}

/// Lets the engine find the files of snapshots that lie elsewhere, where it looks for all files.
pub(crate) fn find_elsewhere<'a>(
    runtime: &RuntimeEnv,
    snapshots: impl IntoIterator<Item = &'a Snapshot>,
) -> Result<()> {
    if let Some(files) = FilesElsewhere::of(snapshots)? {
        let local = ObjectStoreUrl::local_filesystem();
        runtime.register_object_store(local.as_ref(), Arc::new(files));
    }
    Ok(())
}

/// How the engine runs, for people and agents alike.
pub(crate) fn session_config() -> SessionConfig {
    let mut config = SessionConfig::new()
        .with_target_partitions(1)
        .with_information_schema(false)
        .with_collect_statistics(false);
    let options = config.options_mut();
    options.execution.time_zone = Some("UTC".to_owned());
    options.execution.parquet.pushdown_filters = true;
    options.execution.parquet.schema_force_view_types = false;
    options.sql_parser.map_string_types_to_utf8view = false;
    config
}

fn register(
    context: &SessionContext,
    snapshot: &Snapshot,
    table: Table,
    visible: &[Visibility],
) -> Result<()> {
    let failed = |error: DataFusionError| read_error(table.name(), &error);
    let mut locations = Vec::new();
    for visibility in visible {
        let path = match visibility {
            Visibility::Visible => snapshot.path(table),
            Visibility::Withheld => snapshot.withheld_path(table),
        };
        let location = url::Url::from_file_path(std::path::absolute(&path).unwrap_or(path.into()))
            .map_err(|()| ReplayError::Read {
                table: table.name(),
                cause: "its path can't be a URL".to_owned(),
            })?;
        locations.push(ListingTableUrl::parse(location).map_err(failed)?);
    }
    let options =
        ListingOptions::new(Arc::new(ParquetFormat::default())).with_file_extension(".parquet");
    let config = ListingTableConfig::new_with_multi_paths(locations)
        .with_listing_options(options)
        .with_schema(table.schema());
    let provider = ListingTable::try_new(config).map_err(failed)?;
    context
        .register_table(table.name(), Arc::new(provider))
        .map_err(failed)?;
    Ok(())
}

pub(crate) fn read_error(table: &'static str, error: &DataFusionError) -> ReplayError {
    ReplayError::Read {
        table,
        cause: error.strip_backtrace(),
    }
}

/// A column; its name is taken as it is.
pub(crate) fn column(name: &str) -> Expr {
    ident(name)
}

/// A moment as a literal of the tables' nanosecond type.
pub(crate) fn moment(nanoseconds: i64) -> Expr {
    lit(ScalarValue::TimestampNanosecond(
        Some(nanoseconds),
        Some("UTC".into()),
    ))
}

/// A moment as a literal of the metrics' millisecond type.
pub(crate) fn millis(milliseconds: i64) -> Expr {
    lit(ScalarValue::TimestampMillisecond(
        Some(milliseconds),
        Some("UTC".into()),
    ))
}

/// Whether an interval of the columns `valid_from` and `valid_to` holds a moment.
pub(crate) fn valid_at(now: i64) -> Expr {
    column("valid_from").lt_eq(moment(now)).and(
        column("valid_to")
            .is_null()
            .or(column("valid_to").gt(moment(now))),
    )
}
