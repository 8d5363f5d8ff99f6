//! Numbering the log lines of an import: from 0 within each instance, in the order of their times.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, RecordBatch, UInt64Array};
use arrow::datatypes::UInt64Type;
use camino::Utf8Path;

use crate::error::{Result, SnapshotError};

/// The instance whose lines come, and the next number.
#[derive(Debug, Default)]
pub(super) struct Numbering {
    instance: Option<u64>,
    next: u64,
}

impl Numbering {
    /// Lines of equal times stay in the order of the numbers that they had.
    pub(super) const SORT_COLUMNS: &'static [&'static str] = &[
        "namespace",
        "pod",
        "container",
        "instance_id",
        "timestamp",
        "seq",
    ];

    /// The same lines, numbered.
    pub(super) fn number(&mut self, batch: &RecordBatch, path: &Utf8Path) -> Result<RecordBatch> {
        let failed = |cause: arrow::error::ArrowError| SnapshotError::writing(path, cause);
        let schema = batch.schema();
        let instances = schema.index_of("instance_id").map_err(failed)?;
        let numbers = schema.index_of("seq").map_err(failed)?;
        let mut columns: Vec<ArrayRef> = batch.columns().to_vec();
        let instances = batch.column(instances).as_primitive::<UInt64Type>();
        let numbered = instances.values().iter().map(|instance| {
            if self.instance.replace(*instance) != Some(*instance) {
                self.next = 0;
            }
            self.next += 1;
            self.next - 1
        });
        let numbered: ArrayRef = Arc::new(UInt64Array::from_iter_values(numbered));
        if let Some(column) = columns.get_mut(numbers) {
            *column = numbered;
        }
        RecordBatch::try_new(schema, columns).map_err(failed)
    }
}
