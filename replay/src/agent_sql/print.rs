//! An answer as text: CSV, since it wastes nothing.

use std::fmt::Write;

use aiopslab_problems::answer::push_csv_row;
use arrow::array::RecordBatch;
use arrow::datatypes::Schema;
use arrow::util::display::{ArrayFormatter, FormatOptions};

/// What is shown of an answer.
pub(super) struct Shown {
    pub(super) text: String,
    /// Rows that the answer has, as far as they were read.
    pub(super) rows: usize,
}

/// The columns' names and the first rows, with a notice where there are more.
pub(super) fn csv(schema: &Schema, batches: &[RecordBatch], rows: usize, bytes: usize) -> Shown {
    let mut text = String::new();
    push_csv_row(
        &mut text,
        schema.fields().iter().map(|field| field.name().clone()),
    );
    let options = FormatOptions::new().with_display_error(true);
    let all: usize = batches.iter().map(RecordBatch::num_rows).sum();
    let mut shown = 0;
    'all: for batch in batches {
        let columns: Vec<_> = batch
            .columns()
            .iter()
            .map(|column| ArrayFormatter::try_new(column.as_ref(), &options))
            .collect();
        for row in 0..batch.num_rows() {
            if shown == rows {
                break 'all;
            }
            let mut line = String::new();
            push_csv_row(
                &mut line,
                columns.iter().map(|column| match column {
                    Ok(column) => column.value(row).to_string(),
                    Err(error) => error.to_string(),
                }),
            );
            if text.len() + line.len() > bytes {
                break 'all;
            }
            text.push_str(&line);
            shown += 1;
        }
    }
    if shown < all {
        // Writing to a String can't fail.
        let _ = writeln!(
            text,
            "notice: only the first {shown} rows are shown; narrow the query down or aggregate"
        );
    }
    Shown { text, rows: all }
}
