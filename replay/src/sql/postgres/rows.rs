//! Answers in types that PostgreSQL has.
//!
//! Maps, structures and lists of lists or of structures are sent as JSON text, what else has no type
//! as the text that a terminal shows. Moments have microseconds: PostgreSQL's have no more.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, RecordBatch, StringArray, StringBuilder};
use arrow::datatypes::{DataType, Field, FieldRef, Schema};
use arrow::error::ArrowError;
use arrow::json::writer::{EncoderOptions, make_encoder};
use arrow::util::display::{ArrayFormatter, FormatOptions};
use datafusion_postgres::arrow_pg::datatypes::arrow_schema_to_pg_fields;
use datafusion_postgres::pgwire::api::portal::Format;
use datafusion_postgres::pgwire::api::results::FieldInfo;
use datafusion_postgres::pgwire::error::PgWireResult;

use super::refusal::error;

/// The columns as a client is told of them.
pub(super) fn fields(schema: &Schema, format: &Format) -> PgWireResult<Vec<FieldInfo>> {
    check_formats(format, schema.fields().len())?;
    let fields: Vec<FieldRef> = schema.fields().iter().map(presented).collect();
    arrow_schema_to_pg_fields(&Schema::new(fields), format, None)
}

/// Refuses formats that are not as many as what they are of, which the library takes for granted.
pub(super) fn check_formats(format: &Format, wanted: usize) -> PgWireResult<()> {
    match format {
        // protocol_violation
        Format::Individual(codes) if codes.len() != wanted => Err(error(
            "08P01",
            &format!("{} formats were given for {wanted}", codes.len()),
        )),
        _ => Ok(()),
    }
}

/// Rows whose columns have the types that [`fields`] tells.
pub(super) fn present(rows: &RecordBatch) -> Result<RecordBatch, ArrowError> {
    let schema = rows.schema();
    let is_own = |field: &FieldRef| form(field.data_type()) == Form::Own;
    if schema.fields().iter().all(is_own) {
        return Ok(rows.clone());
    }
    let columns = schema.fields().iter().zip(rows.columns());
    let columns = columns.map(|(field, column)| match form(field.data_type()) {
        Form::Own => Ok(Arc::clone(column)),
        Form::Json => Ok(Arc::new(json(field, column)?) as ArrayRef),
        Form::Shown => Ok(Arc::new(shown(column)?) as ArrayRef),
    });
    let columns = columns.collect::<Result<Vec<_>, ArrowError>>()?;
    let fields: Vec<FieldRef> = schema.fields().iter().map(presented).collect();
    RecordBatch::try_new(Arc::new(Schema::new(fields)), columns)
}

/// How the values of a type are sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    /// In the type of PostgreSQL that is its own.
    Own,
    /// As JSON text.
    Json,
    /// As the text that a terminal shows.
    Shown,
}

fn form(data_type: &DataType) -> Form {
    use DataType as T;
    match data_type {
        T::Null
        | T::Boolean
        | T::Int8
        | T::Int16
        | T::Int32
        | T::Int64
        | T::UInt8
        | T::UInt16
        | T::UInt32
        | T::UInt64
        | T::Float32
        | T::Float64
        | T::Decimal128(..)
        | T::Utf8
        | T::LargeUtf8
        | T::Utf8View
        | T::Binary
        | T::LargeBinary
        | T::BinaryView
        | T::Date32
        | T::Date64
        | T::Time32(_)
        | T::Time64(_)
        | T::Timestamp(..)
        | T::Interval(_)
        | T::Duration(_) => Form::Own,
        T::List(inner) | T::LargeList(inner) => {
            match (inner.data_type(), form(inner.data_type())) {
                (T::List(_) | T::LargeList(_), Form::Own) => Form::Json,
                (_, form) => form,
            }
        }
        T::Map(..) | T::Struct(_) => Form::Json,
        _ => Form::Shown,
    }
}

fn presented(field: &FieldRef) -> FieldRef {
    match form(field.data_type()) {
        Form::Own => Arc::clone(field),
        Form::Json | Form::Shown => Arc::new(Field::new(field.name(), DataType::Utf8, true)),
    }
}

fn json(field: &FieldRef, column: &ArrayRef) -> Result<StringArray, ArrowError> {
    let options = EncoderOptions::default().with_explicit_nulls(true);
    let mut encoder = make_encoder(field, column.as_ref(), &options)?;
    let mut texts = StringBuilder::new();
    let mut text = Vec::new();
    for row in 0..column.len() {
        if encoder.is_null(row) {
            texts.append_null();
            continue;
        }
        text.clear();
        encoder.encode(row, &mut text);
        texts.append_value(String::from_utf8_lossy(&text));
    }
    Ok(texts.finish())
}

fn shown(column: &ArrayRef) -> Result<StringArray, ArrowError> {
    let options = FormatOptions::new();
    let formatter = ArrayFormatter::try_new(column, &options)?;
    let text = |row| match column.is_null(row) {
        true => Ok(None),
        false => formatter.value(row).try_to_string().map(Some),
    };
    let texts = (0..column.len()).map(text);
    Ok(texts.collect::<Result<Vec<_>, ArrowError>>()?.into())
}

#[cfg(test)]
mod tests {
    use arrow::array::{AsArray, Int64Array, ListBuilder, MapBuilder, UInt64Array};

    use super::*;

    #[test]
    fn what_postgresql_has_no_type_for_is_json() {
        let mut labels = MapBuilder::new(None, StringBuilder::new(), StringBuilder::new());
        labels.keys().append_value("job");
        labels.values().append_value("a \"b\"");
        labels.append(true).unwrap();
        labels.append(false).unwrap();
        let mut lists = ListBuilder::new(StringBuilder::new());
        lists.append_value([Some("x"), None]);
        lists.append_null();
        let rows = RecordBatch::try_from_iter([
            ("labels", Arc::new(labels.finish()) as ArrayRef),
            ("lists", Arc::new(lists.finish()) as ArrayRef),
            (
                "large",
                Arc::new(UInt64Array::from(vec![u64::MAX, 0])) as ArrayRef,
            ),
            (
                "n",
                Arc::new(Int64Array::from(vec![None, Some(1)])) as ArrayRef,
            ),
        ])
        .unwrap();
        let presented = present(&rows).unwrap();
        let told = fields(&rows.schema(), &Format::UnifiedText).unwrap();
        let types: Vec<&str> = told.iter().map(|field| field.datatype().name()).collect();
        assert_eq!(types, ["text", "_text", "numeric", "int8"]);
        let labels = presented.column(0).as_string::<i32>();
        assert_eq!(labels.value(0), r#"{"job":"a \"b\""}"#);
        assert!(labels.is_null(1));
        assert_eq!(presented.column(1), rows.column(1));
    }
}
