//! A table of many snapshots: their files one after the other, after a column `snapshot` that
//! names the one that a row is of.
//!
//! A condition on `snapshot` chooses files; every other one goes down to the Parquet reader.

use std::fmt;
use std::sync::Arc;

use aiopslab_datasets::schema::Table;
use aiopslab_datasets::snapshot::Snapshot;
use aiopslab_datasets::writer::Visibility;
use arrow::array::{AsArray, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use async_trait::async_trait;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::{Column, DFSchema, ScalarValue};
use datafusion::datasource::TableType;
use datafusion::datasource::file_format::FileFormat;
use datafusion::datasource::file_format::parquet::ParquetFormat;
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::{FileGroup, FileScanConfigBuilder};
use datafusion::datasource::table_schema::TableSchema;
use datafusion::error::Result;
use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::logical_expr::{Expr, TableProviderFilterPushDown};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::empty::EmptyExec;

use crate::error::ReplayError;

/// The column that says which snapshot a row is of.
pub(super) const SNAPSHOT: &str = "snapshot";

/// One table over snapshots.
pub(super) struct SnapshotTable {
    /// `snapshot`, then the file's columns.
    schema: SchemaRef,
    /// The same with `snapshot` at its end, as the reader wants it.
    in_files: TableSchema,
    /// The names of the snapshots and the visible file of each.
    files: Vec<(String, PartitionedFile)>,
    options: ParquetFormat,
}

impl fmt::Debug for SnapshotTable {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "SnapshotTable({} files)", self.files.len())
    }
}

impl SnapshotTable {
    /// The visible rows of a table; reads nothing.
    pub(super) fn new(table: Table, snapshots: &[(String, Snapshot)]) -> Result<Self, ReplayError> {
        let name = Arc::new(Field::new(SNAPSHOT, DataType::Utf8, false));
        let columns = table.schema();
        let mut fields = vec![Arc::clone(&name)];
        fields.extend(columns.fields().iter().cloned());
        let files = snapshots
            .iter()
            .map(|(name, snapshot)| Ok((name.clone(), file(table, name, snapshot)?)))
            .collect::<Result<_, ReplayError>>()?;
        Ok(Self {
            schema: Arc::new(Schema::new(fields)),
            in_files: TableSchema::builder(columns)
                .with_table_partition_cols(vec![name])
                .build(),
            files,
            options: ParquetFormat::default(),
        })
    }

    /// The files that conditions on `snapshot` leave.
    fn chosen(&self, state: &dyn Session, filters: &[Expr]) -> Result<Vec<PartitionedFile>> {
        let mut chosen = vec![true; self.files.len()];
        let names: StringArray = self.files.iter().map(|(name, _)| Some(name)).collect();
        let schema = Arc::new(Schema::new(vec![Field::new(
            SNAPSHOT,
            DataType::Utf8,
            false,
        )]));
        let known = DFSchema::try_from(Arc::clone(&schema))?;
        let batch = RecordBatch::try_new(schema, vec![Arc::new(names)])?;
        for filter in filters.iter().filter(|filter| is_on_snapshot(filter)) {
            let filter = without_table(filter.clone())?;
            let filter = state.create_physical_expr(filter, &known)?;
            let holds = filter.evaluate(&batch)?.into_array(self.files.len())?;
            if let Some(holds) = holds.as_boolean_opt() {
                for (one, holds) in chosen.iter_mut().zip(holds) {
                    *one &= holds == Some(true);
                }
            }
        }
        let files = self.files.iter().zip(chosen);
        Ok(files
            .filter(|(_, chosen)| *chosen)
            .map(|((_, file), _)| file.clone())
            .collect())
    }
}

#[async_trait]
impl TableProvider for SnapshotTable {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    fn supports_filters_pushdown(
        &self,
        filters: &[&Expr],
    ) -> Result<Vec<TableProviderFilterPushDown>> {
        let support = |filter: &&Expr| match is_on_snapshot(filter) {
            true => TableProviderFilterPushDown::Exact,
            // What remains above is pushed into the reader by the physical optimizer.
            false => TableProviderFilterPushDown::Inexact,
        };
        Ok(filters.iter().map(support).collect())
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let all: Vec<usize> = (0..self.schema.fields().len()).collect();
        let shown = projection.unwrap_or(&all);
        let files = self.chosen(state, filters)?;
        if files.is_empty() {
            let schema = self.schema.project(shown)?;
            return Ok(Arc::new(EmptyExec::new(Arc::new(schema))));
        }
        let last = self.schema.fields().len() - 1;
        let in_files = shown.iter().map(|at| at.checked_sub(1).unwrap_or(last));
        let source = self.options.file_source(self.in_files.clone());
        let config = FileScanConfigBuilder::new(ObjectStoreUrl::local_filesystem(), source)
            .with_file_groups(FileGroup::new(files).split_files(state.config().target_partitions()))
            .with_projection_indices(Some(in_files.collect()))?
            .with_limit(limit)
            .build();
        self.options.create_physical_plan(state, config).await
    }
}

/// Whether a condition is on `snapshot` alone.
fn is_on_snapshot(filter: &Expr) -> bool {
    let columns = filter.column_refs();
    !columns.is_empty()
        && columns.iter().all(|column| column.name == SNAPSHOT)
        && !filter.is_volatile()
}

fn without_table(filter: Expr) -> Result<Expr> {
    use datafusion::common::tree_node::{Transformed, TreeNode};
    let bare = filter.transform(|expression| {
        Ok(match expression {
            Expr::Column(column) => Transformed::yes(Expr::Column(Column::from_name(column.name))),
            other => Transformed::no(other),
        })
    })?;
    Ok(bare.data)
}

fn file(table: Table, name: &str, snapshot: &Snapshot) -> Result<PartitionedFile, ReplayError> {
    let failed = |cause: String| ReplayError::Read {
        table: table.name(),
        cause,
    };
    // A location has no `..`.
    let dir = snapshot.dir().canonicalize_utf8();
    let dir = dir.map_err(|error| failed(error.to_string()))?;
    let path = dir.join(Visibility::Visible.file(table));
    let location = object_store::path::Path::from_absolute_path(path)
        .map_err(|error| failed(error.to_string()))?;
    let value = ScalarValue::Utf8(Some(name.to_owned()));
    let file = PartitionedFile::new("", snapshot.bytes(table));
    let mut file = file.with_partition_values(vec![value]);
    file.object_meta.location = location;
    Ok(file)
}
