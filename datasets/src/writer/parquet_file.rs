//! Parquet files: layout per table, hashed while they are written.

use std::fs::File;
use std::io::{self, BufWriter, Write};

use arrow::array::RecordBatch;
use arrow::datatypes::DataType;
use camino::{Utf8Path, Utf8PathBuf};
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::file::metadata::SortingColumn;
use parquet::file::properties::{EnabledStatistics, WriterProperties, WriterPropertiesBuilder};
use parquet::schema::types::ColumnPath;
use sha2::{Digest, Sha256};

use crate::error::{Result, SnapshotError};
use crate::files;
use crate::manifest::FileEntry;
use crate::schema::Table;

/// What files name as their creator: a constant, so that an upgrade of a library does not show.
pub(super) const CREATED_BY: &str = "aiopslab snapshot version 1";
const ROW_GROUP_ROWS: usize = 131_072;
const PAGE_BYTES: usize = 256 << 10;
const OBJECT_PAGE_BYTES: usize = 1 << 20;
/// The page size is checked once per so many values, so it must be small for wide text.
const VALUES_PER_PAGE_CHECK: usize = 128;

/// Writes a table's file under a temporary name until it is finished.
pub(super) struct ParquetFile {
    path: Utf8PathBuf,
    temporary: Utf8PathBuf,
    rows: u64,
    writer: ArrowWriter<HashingFile>,
}

impl ParquetFile {
    pub(super) fn create(path: &Utf8Path, table: Table) -> Result<Self> {
        let temporary = path.with_extension("parquet.partial");
        let failed = |cause| SnapshotError::writing(path, cause);
        let file = HashingFile {
            file: BufWriter::new(files::create(&temporary)?),
            hash: Sha256::new(),
            bytes: 0,
        };
        let properties = properties(table).map_err(failed)?;
        let writer =
            ArrowWriter::try_new(file, table.schema(), Some(properties)).map_err(failed)?;
        Ok(Self {
            path: path.to_owned(),
            temporary,
            rows: 0,
            writer,
        })
    }

    pub(super) fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        self.rows += batch.num_rows() as u64;
        self.writer
            .write(batch)
            .map_err(|cause| SnapshotError::writing(&self.path, cause))
    }

    pub(super) fn finish(self) -> Result<FileEntry> {
        let failed = |cause| SnapshotError::io("write", &self.path, cause);
        let file = self
            .writer
            .into_inner()
            .map_err(|cause| SnapshotError::writing(&self.path, cause))?;
        let bytes = file.bytes;
        let sha256 = files::hex(&file.hash.finalize());
        let written = file
            .file
            .into_inner()
            .map_err(|cause| failed(cause.into_error()))?;
        written.sync_all().map_err(failed)?;
        files::rename(&self.temporary, &self.path)?;
        Ok(FileEntry {
            rows: self.rows,
            bytes,
            sha256,
        })
    }
}

struct HashingFile {
    file: BufWriter<File>,
    hash: Sha256,
    bytes: u64,
}

impl Write for HashingFile {
    fn write(&mut self, block: &[u8]) -> io::Result<usize> {
        let written = self.file.write(block)?;
        if let Some(block) = block.get(..written) {
            self.hash.update(block);
        }
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

fn properties(table: Table) -> parquet::errors::Result<WriterProperties> {
    let page = match table {
        Table::ObjectVersions | Table::ObjectApi => OBJECT_PAGE_BYTES,
        _ => PAGE_BYTES,
    };
    let mut builder = WriterProperties::builder()
        .set_created_by(CREATED_BY.to_owned())
        .set_compression(zstd(3)?)
        .set_max_row_group_row_count(Some(ROW_GROUP_ROWS))
        .set_data_page_size_limit(page)
        .set_write_batch_size(VALUES_PER_PAGE_CHECK)
        .set_statistics_enabled(EnabledStatistics::Page)
        .set_dictionary_enabled(false)
        .set_sorting_columns(Some(sorting(table)));
    for field in table.schema().fields() {
        builder = column(builder, table, field.name(), field.data_type())?;
    }
    Ok(builder.build())
}

fn column(
    builder: WriterPropertiesBuilder,
    table: Table,
    name: &str,
    data_type: &DataType,
) -> parquet::errors::Result<WriterPropertiesBuilder> {
    let path = ColumnPath::from(name);
    Ok(match data_type {
        DataType::Map(..) => ["keys", "values"]
            .into_iter()
            .fold(builder, |builder, part| {
                let path = ["labels", "entries", part].map(str::to_owned).to_vec();
                builder.set_column_dictionary_enabled(ColumnPath::new(path), true)
            }),
        DataType::UInt64 | DataType::Int64 | DataType::Timestamp(..) => {
            builder.set_column_encoding(path, Encoding::DELTA_BINARY_PACKED)
        }
        _ if LOW_CARDINALITY.contains(&name) => builder.set_column_dictionary_enabled(path, true),
        _ if (table, name) == (Table::LogLines, "message") => builder
            .set_column_compression(path.clone(), zstd(1)?)
            .set_column_statistics_enabled(path, EnabledStatistics::Chunk),
        _ if LONG_TEXT.contains(&name) => {
            builder.set_column_statistics_enabled(path, EnabledStatistics::Chunk)
        }
        _ => builder,
    })
}

fn zstd(level: i32) -> parquet::errors::Result<Compression> {
    Ok(Compression::ZSTD(ZstdLevel::try_new(level)?))
}

/// Text columns, of any table, whose values repeat often enough for a dictionary.
const LOW_CARDINALITY: &[&str] = &[
    "table",
    "source",
    "scope",
    "state",
    "namespace",
    "pod",
    "container",
    "node",
    "kind",
    "type",
    "unit",
    "role",
    "reason",
    "stream",
    "service",
    "operation",
    "status",
    "resource",
    "flags",
    "event",
    "group",
    "version",
    "uid",
    "pod_uid",
    "container_id",
    "validity",
];

/// Text columns that nobody compares, so that bounds per page would be dead weight.
const LONG_TEXT: &[&str] = &[
    "json",
    "attributes",
    "events",
    "links",
    "object",
    "cells",
    "stdout",
    "stderr",
];

fn sorting(table: Table) -> Vec<SortingColumn> {
    let schema = table.schema();
    let index = |name: &&str| i32::try_from(leaf_index(&schema, name)).ok();
    table
        .sort_columns()
        .iter()
        .filter_map(index)
        .map(|column_idx| SortingColumn {
            column_idx,
            descending: false,
            nulls_first: true,
        })
        .collect()
}

/// Position among the leaf columns: a map has two.
fn leaf_index(schema: &arrow::datatypes::Schema, name: &str) -> usize {
    schema
        .fields()
        .iter()
        .take_while(|field| field.name() != name)
        .map(|field| {
            if matches!(field.data_type(), DataType::Map(..)) {
                2
            } else {
                1
            }
        })
        .sum()
}

#[cfg(test)]
mod tests {
    use parquet::file::reader::{FileReader, SerializedFileReader};

    use super::*;
    use crate::rows::{MetricSeries, Row};

    #[test]
    fn the_layout_is_what_the_document_says() {
        let temporary = tempfile::tempdir().unwrap();
        let path = Utf8PathBuf::from_path_buf(temporary.path().join("series.parquet")).unwrap();
        let mut file = ParquetFile::create(&path, Table::MetricSeries).unwrap();
        file.write(&MetricSeries::to_batch(&[crate::rows::tests::series()]))
            .unwrap();
        let entry = file.finish().unwrap();
        assert_eq!(files::measure(&path).unwrap(), (entry.bytes, entry.sha256));

        let reader = SerializedFileReader::new(File::open(&path).unwrap()).unwrap();
        let metadata = reader.metadata();
        assert_eq!(metadata.file_metadata().created_by(), Some(CREATED_BY));
        let group = metadata.row_group(0);
        assert_eq!(
            group.sorting_columns().unwrap(),
            &sorting(Table::MetricSeries)
        );
        for column in group.columns() {
            let name = column.column_path().string();
            let has_dictionary = column.dictionary_page_offset().is_some();
            let expected = LOW_CARDINALITY.contains(&name.as_str()) || name.starts_with("labels.");
            assert_eq!(has_dictionary, expected, "{name}");
            assert!(
                matches!(column.compression(), Compression::ZSTD(_)),
                "{name}"
            );
            assert!(
                column.offset_index_offset().is_some(),
                "{name} has no page index"
            );
            if name == "series_id" || name == "first" {
                assert!(
                    column
                        .encodings()
                        .any(|it| it == Encoding::DELTA_BINARY_PACKED),
                    "{name}"
                );
            }
        }
    }

    #[test]
    fn sorting_columns_are_leaf_columns() {
        let leaves = |table| {
            sorting(table)
                .iter()
                .map(|it| it.column_idx)
                .collect::<Vec<_>>()
        };
        assert_eq!(leaves(Table::LogLines), [5, 7, 8, 0, 1]);
        assert_eq!(leaf_index(&Table::MetricSeries.schema(), "namespace"), 5);
    }
}
