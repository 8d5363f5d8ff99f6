//! Rows in the form that was asked for.

use std::sync::Arc;

use aiopslab_replay::QueryAnswer;
use arrow::array::{ArrayRef, RecordBatch, StringArray};
use arrow::datatypes::{Field, Schema, SchemaRef};
use arrow::error::ArrowError;
use arrow::util::display::{ArrayFormatter, FormatOptions};
use arrow::util::pretty::pretty_format_batches_with_options;

use crate::cli::Format;
use crate::exit::Failure;

/// The rows of an answer as they come.
pub(super) struct Rows {
    format: Format,
    /// What can only be printed as a whole.
    kept: Vec<RecordBatch>,
    count: usize,
}

impl Rows {
    pub(super) fn new(format: Format) -> Self {
        Self {
            format,
            kept: Vec::new(),
            count: 0,
        }
    }

    /// Number of rows so far.
    pub(super) fn count(&self) -> usize {
        self.count
    }

    /// What can be printed already.
    pub(super) fn add(&mut self, batch: RecordBatch) -> Result<Vec<u8>, Failure> {
        let is_first = self.count == 0;
        self.count += batch.num_rows();
        match self.format {
            Format::Table | Format::Parquet => {
                self.kept.push(batch);
                Ok(Vec::new())
            }
            _ if batch.num_rows() == 0 => Ok(Vec::new()),
            Format::Csv => csv(&batch, is_first),
            Format::Json => json(&batch),
        }
    }

    /// What is left to print.
    pub(super) fn end(self, schema: &SchemaRef) -> Result<Vec<u8>, Failure> {
        let empty = || RecordBatch::new_empty(Arc::clone(schema));
        match self.format {
            Format::Table => {
                let options = FormatOptions::new().with_display_error(true).with_null("-");
                // Without a row, an empty batch still shows the columns.
                let batches = match self.count {
                    0 => vec![empty()],
                    _ => self.kept,
                };
                let table = pretty_format_batches_with_options(&batches, &options)?;
                let rows = if self.count == 1 { "row" } else { "rows" };
                Ok(format!("{table}\n{} {rows}\n", self.count).into_bytes())
            }
            Format::Csv if self.count == 0 => csv(&empty(), true),
            Format::Csv | Format::Json => Ok(Vec::new()),
            Format::Parquet => {
                let schema = match self.kept.first() {
                    Some(batch) => batch.schema(),
                    None => Arc::clone(schema),
                };
                let batches = self.kept;
                Ok(QueryAnswer { schema, batches }.to_parquet()?)
            }
        }
    }
}

fn csv(batch: &RecordBatch, with_header: bool) -> Result<Vec<u8>, Failure> {
    let mut out = Vec::new();
    let mut writer = arrow::csv::WriterBuilder::new()
        .with_header(with_header)
        .build(&mut out);
    writer.write(&without_nesting(batch)?)?;
    drop(writer);
    Ok(out)
}

fn json(batch: &RecordBatch) -> Result<Vec<u8>, Failure> {
    let mut out = Vec::new();
    let mut writer = arrow::json::LineDelimitedWriter::new(&mut out);
    writer.write(batch)?;
    writer.finish()?;
    Ok(out)
}

/// Maps and lists as text, for what has flat columns only.
fn without_nesting(batch: &RecordBatch) -> Result<RecordBatch, ArrowError> {
    let (mut fields, mut columns) = (Vec::new(), Vec::new());
    let schema = batch.schema();
    for (field, column) in schema.fields().iter().zip(batch.columns()) {
        if field.data_type().is_nested() {
            fields.push(Arc::new(Field::new(
                field.name(),
                arrow::datatypes::DataType::Utf8,
                true,
            )));
            columns.push(as_text(column)?);
        } else {
            fields.push(Arc::clone(field));
            columns.push(Arc::clone(column));
        }
    }
    RecordBatch::try_new(Arc::new(Schema::new(fields)), columns)
}

fn as_text(column: &ArrayRef) -> Result<ArrayRef, ArrowError> {
    let options = FormatOptions::default();
    let formatter = ArrayFormatter::try_new(column, &options)?;
    let texts: StringArray = (0..column.len())
        .map(|row| {
            column
                .is_valid(row)
                .then(|| formatter.value(row).to_string())
        })
        .collect();
    Ok(Arc::new(texts))
}
