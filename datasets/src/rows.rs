//! Rows of the tables as plain structs, for recorders that write them and views that read them.
//! Times are nanoseconds since the Unix epoch, except in metrics (milliseconds).

mod cell;
mod coverage;
mod exec;
mod logs;
mod metrics;
mod objects;
mod spans;
mod usage;

use arrow::array::{ArrayRef, RecordBatch};
use arrow::datatypes::DataType;
use thiserror::Error;

pub use coverage::Coverage;
pub use exec::Exec;
pub use logs::{LogInstance, LogLine};
pub use metrics::{MetricMetadata, MetricSample, MetricSeries};
pub use objects::{ObjectApi, ObjectVersion};
pub use spans::Span;
pub use usage::Usage;

use crate::schema::Table;

/// A struct that is one row of a table.
pub trait Row: Sized {
    /// The table whose rows these are.
    const TABLE: Table;

    /// Turns rows into a batch with the table's schema.
    fn to_batch(rows: &[Self]) -> RecordBatch;

    /// Turns a batch into rows; columns are found by name, may stand in any order and may be views.
    ///
    /// # Errors
    /// When a column is missing, of another type, or null where the schema has no nulls.
    fn from_batch(batch: &RecordBatch) -> Result<Vec<Self>, RowError>;
}

/// Why a batch is not made of a table's rows.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum RowError {
    /// A column is not there.
    #[error("no column {column} in a batch of {table}")]
    MissingColumn {
        /// The table.
        table: &'static str,
        /// The column.
        column: String,
    },
    /// A column has a type that cannot be read as the schema's.
    #[error("column {column} of {table} is {found}, not {expected}")]
    WrongType {
        /// The table.
        table: &'static str,
        /// The column.
        column: String,
        /// The schema's type.
        expected: String,
        /// The batch's type.
        found: String,
    },
    /// A column holds a null that the schema does not allow.
    #[error("column {column} of {table} holds a null")]
    UnexpectedNull {
        /// The table.
        table: &'static str,
        /// The column.
        column: String,
    },
}

/// The batch's column in the schema's type, or in the view type that replaces it.
fn column(batch: &RecordBatch, table: Table, index: usize) -> Result<ArrayRef, RowError> {
    let schema = table.schema();
    let field = schema.field(index);
    let name = field.name();
    let array = batch
        .column_by_name(name)
        .ok_or_else(|| RowError::MissingColumn {
            table: table.name(),
            column: name.clone(),
        })?;
    match (field.data_type(), array.data_type()) {
        (expected, found) if expected == found => return Ok(array.clone()),
        (DataType::Utf8, DataType::Utf8View) | (DataType::Binary, DataType::BinaryView) => {
            return Ok(array.clone());
        }
        _ => {}
    }
    arrow::compute::cast(array, field.data_type()).map_err(|_| RowError::WrongType {
        table: table.name(),
        column: name.clone(),
        expected: field.data_type().to_string(),
        found: array.data_type().to_string(),
    })
}

fn read_column<T: cell::Cell>(
    batch: &RecordBatch,
    table: Table,
    index: usize,
) -> Result<Vec<T>, RowError> {
    T::read(&column(batch, table, index)?).ok_or_else(|| RowError::UnexpectedNull {
        table: table.name(),
        column: table.schema().field(index).name().clone(),
    })
}

/// Implements [`Row`] for a struct whose fields are the table's columns, in the schema's order.
macro_rules! row {
    ($row:ident, $table:ident { $($field:ident: $type:ty),+ $(,)? }) => {
        impl $crate::rows::Row for $row {
            const TABLE: $crate::schema::Table = $crate::schema::Table::$table;

            fn to_batch(rows: &[Self]) -> arrow::array::RecordBatch {
                let schema = Self::TABLE.schema();
                let mut types = schema.fields().iter().map(|field| field.data_type());
                let mut columns = Vec::with_capacity(schema.fields().len());
                $(
                    if let Some(data_type) = types.next() {
                        columns.push(<$type as $crate::rows::cell::Cell>::collect(
                            rows.iter().map(|row| &row.$field),
                            data_type,
                        ));
                    }
                )+
                let options = arrow::array::RecordBatchOptions::new()
                    .with_row_count(Some(rows.len()));
                arrow::array::RecordBatch::try_new_with_options(schema.clone(), columns, &options)
                    .expect("every cell builds the type that the schema names (tested for all rows)")
            }

            fn from_batch(
                batch: &arrow::array::RecordBatch,
            ) -> Result<Vec<Self>, $crate::rows::RowError> {
                let mut index = 0..;
                $(
                    let mut $field = $crate::rows::read_column::<$type>(
                        batch,
                        Self::TABLE,
                        index.next().unwrap_or(0),
                    )?
                    .into_iter();
                )+
                let mut rows = Vec::with_capacity(batch.num_rows());
                while let ($(Some($field),)+) = ($($field.next(),)+) {
                    rows.push(Self { $($field),+ });
                }
                Ok(rows)
            }
        }

        impl $row {
            #[cfg(test)]
            pub(crate) const FIELDS: &'static [&'static str] = &[$(stringify!($field)),+];
        }
    };
}
use row;

#[cfg(test)]
pub(crate) mod tests;
