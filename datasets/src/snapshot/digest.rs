//! A digest of rows rather than of files: equal for equal rows, however they are encoded.

use arrow::array::{Array, ArrayRef};
use sha2::{Digest, Sha256};

use crate::error::{Result, SnapshotError};
use crate::files;
use crate::rows::RowError;
use crate::schema::Table;
use crate::writer::Visibility;

use super::Snapshot;

/// Hashes each column on its own, since batches may be cut anywhere, then the columns' hashes.
pub(super) fn digest(snapshot: &Snapshot) -> Result<String> {
    let mut all = Sha256::new();
    for table in Table::ALL {
        let schema = table.schema();
        let mut columns: Vec<Sha256> = schema.fields().iter().map(|_| Sha256::new()).collect();
        for batch in snapshot.batches(Visibility::Visible, table)? {
            let batch = batch?;
            for (hash, array) in columns.iter_mut().zip(batch.columns()) {
                if update(hash, array).is_none() {
                    let column = array.data_type().to_string();
                    let source = RowError::MissingColumn {
                        table: table.name(),
                        column,
                    };
                    return Err(SnapshotError::Rows {
                        path: snapshot.path(table),
                        source,
                    });
                }
            }
        }
        all.update(table.name());
        for (field, hash) in schema.fields().iter().zip(columns) {
            all.update([0]);
            all.update(field.name());
            all.update(hash.finalize());
        }
    }
    Ok(files::hex(&all.finalize()))
}

/// Hashes the cells of a column; none for a type that no schema has.
fn update(hash: &mut Sha256, array: &ArrayRef) -> Option<()> {
    use arrow::array::AsArray;
    use arrow::datatypes as types;

    macro_rules! numbers {
        ($type:ty, $bytes:expr) => {
            if let Some(values) = array.as_primitive_opt::<$type>() {
                for value in values {
                    cell(
                        hash,
                        value.map($bytes).as_ref().map(|bytes| bytes.as_slice()),
                    );
                }
                return Some(());
            }
        };
    }
    numbers!(types::TimestampNanosecondType, |value: i64| value
        .to_le_bytes());
    numbers!(types::TimestampMillisecondType, |value: i64| value
        .to_le_bytes());
    numbers!(types::Int64Type, |value: i64| value.to_le_bytes());
    numbers!(types::UInt64Type, |value: u64| value.to_le_bytes());
    numbers!(types::Int32Type, |value: i32| value.to_le_bytes());
    numbers!(types::UInt32Type, |value: u32| value.to_le_bytes());
    numbers!(types::Float64Type, |value: f64| value
        .to_bits()
        .to_le_bytes());
    if let Some(values) = array.as_string_opt::<i32>() {
        values
            .iter()
            .for_each(|value| cell(hash, value.map(str::as_bytes)));
    } else if let Some(values) = array.as_binary_opt::<i32>() {
        values.iter().for_each(|value| cell(hash, value));
    } else if let Some(values) = array.as_boolean_opt() {
        values.iter().for_each(|value| {
            cell(
                hash,
                value
                    .map(|fact| [u8::from(fact)])
                    .as_ref()
                    .map(|byte| byte.as_slice()),
            )
        });
    } else {
        for entries in array.as_map_opt()?.iter() {
            let Some(entries) = entries else {
                cell(hash, None);
                continue;
            };
            cell(hash, Some(&(entries.len() as u64).to_le_bytes()));
            let texts = |index: usize| entries.columns().get(index)?.as_string_opt::<i32>();
            for (key, value) in texts(0)?.iter().zip(texts(1)?.iter()) {
                cell(hash, key.map(str::as_bytes));
                cell(hash, value.map(str::as_bytes));
            }
        }
    }
    Some(())
}

fn cell(hash: &mut Sha256, bytes: Option<&[u8]>) {
    let Some(bytes) = bytes else {
        return hash.update([0]);
    };
    hash.update([1]);
    hash.update((bytes.len() as u64).to_le_bytes());
    hash.update(bytes);
}
