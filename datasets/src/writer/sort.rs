//! Sorting a table in bounded memory: sorted chunks, spilled to disk when there is more than one,
//! and merged.
//!
//! Within a chunk, rows that are equal in the sort columns are ordered by their other columns, so
//! the order in which recorders' batches arrived does not show; between chunks the earlier chunk
//! goes first.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::mem;

use arrow::array::{Array, RecordBatch};
use arrow::compute::{
    SortColumn, concat_batches, interleave_record_batch, lexsort_to_indices, take_record_batch,
};
use arrow::datatypes::DataType;
use arrow::row::{OwnedRow, RowConverter, Rows, SortField};
use camino::Utf8Path;

use crate::error::{Result, SnapshotError};
use crate::files;
use crate::schema::Table;

use super::segment::{SegmentReader, SegmentWriter};

/// How much of a table is sorted at once.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    pub(super) rows: usize,
    pub(super) bytes: usize,
}

impl Limits {
    pub(super) const DEFAULT: Self = Self {
        rows: 262_144,
        bytes: 64 << 20,
    };
}

/// Most rows per batch that a merge reads and hands on.
const MERGE_ROWS: usize = 8_192;
/// Bytes per batch that a merge reads of each chunk, about; long rows come fewer at a time. Chunks are as
/// many as the table is long, so these are few.
const MERGE_BYTES: usize = 256 << 10;

/// Sorts a table and hands it on batch by batch.
pub(super) fn sort(
    table: Table,
    segment: &Utf8Path,
    spill: &Utf8Path,
    limits: Limits,
    emit: impl FnMut(RecordBatch) -> Result<()>,
) -> Result<()> {
    sort_by(table, table.sort_columns(), segment, spill, limits, emit)
}

/// Sorts a table by columns of choice.
pub(super) fn sort_by(
    table: Table,
    keys: &[&str],
    segment: &Utf8Path,
    spill: &Utf8Path,
    limits: Limits,
    mut emit: impl FnMut(RecordBatch) -> Result<()>,
) -> Result<()> {
    files::remove_folder(spill)?;
    let mut chunks = 0;
    let mut pending = Vec::new();
    let (mut rows, mut bytes) = (0, 0);
    for batch in SegmentReader::open(segment)? {
        let batch = batch?;
        rows += batch.num_rows();
        bytes += size(&batch);
        pending.push(batch);
        if rows >= limits.rows || bytes >= limits.bytes {
            spill_chunk(
                table,
                &spill_path(spill, chunks),
                &sort_chunk(table, keys, segment, mem::take(&mut pending))?,
            )?;
            (rows, bytes) = (0, 0);
            chunks += 1;
        }
    }
    if chunks == 0 {
        return match pending.is_empty() {
            true => Ok(()),
            false => emit(sort_chunk(table, keys, segment, pending)?),
        };
    }
    if !pending.is_empty() {
        spill_chunk(
            table,
            &spill_path(spill, chunks),
            &sort_chunk(table, keys, segment, pending)?,
        )?;
        chunks += 1;
    }
    let readers: Result<Vec<_>> = (0..chunks)
        .map(|chunk| SegmentReader::open(&spill_path(spill, chunk)))
        .collect();
    Merge::new(table, keys, spill, readers?)?.run(&mut emit)?;
    files::remove_folder(spill)
}

fn spill_path(spill: &Utf8Path, chunk: usize) -> camino::Utf8PathBuf {
    spill.join(format!("{chunk}.arrows"))
}

fn spill_chunk(table: Table, path: &Utf8Path, chunk: &RecordBatch) -> Result<()> {
    let mut writer = SegmentWriter::new(table, path.to_owned());
    let at_once = merge_rows(chunk);
    let mut start = 0;
    while start < chunk.num_rows() {
        let rows = at_once.min(chunk.num_rows() - start);
        writer.append(&chunk.slice(start, rows))?;
        start += rows;
    }
    writer.close()
}

/// How many rows of a chunk go into one batch of a merge.
fn merge_rows(chunk: &RecordBatch) -> usize {
    let bytes = size(chunk) / chunk.num_rows().max(1);
    (MERGE_BYTES / bytes.max(1)).clamp(1, MERGE_ROWS)
}

/// Bytes of the rows of a batch. What was read is cut out of one buffer, which each of its columns would
/// count whole.
fn size(batch: &RecordBatch) -> usize {
    let columns = batch.columns().iter().map(|column| column.to_data());
    // A layout without a size is none of ours.
    columns
        .map(|data| data.get_slice_memory_size().unwrap_or(0))
        .sum()
}

fn sort_chunk(
    table: Table,
    keys: &[&str],
    path: &Utf8Path,
    batches: Vec<RecordBatch>,
) -> Result<RecordBatch> {
    let failed = |cause| SnapshotError::writing(path, cause);
    let schema = table.schema();
    let all = concat_batches(&schema, &batches).map_err(failed)?;
    drop(batches);
    let first = keys.iter().filter_map(|name| all.column_by_name(name));
    let rest = schema.fields().iter().filter(|field| {
        !keys.contains(&field.name().as_str()) && !matches!(field.data_type(), DataType::Map(..))
    });
    let rest = rest.filter_map(|field| all.column_by_name(field.name()));
    let columns: Vec<_> = first
        .chain(rest)
        .map(|values| SortColumn {
            values: values.clone(),
            options: None,
        })
        .collect();
    let order = lexsort_to_indices(&columns, None).map_err(failed)?;
    take_record_batch(&all, &order).map_err(failed)
}

/// A merge of sorted chunks.
struct Merge<'a> {
    path: &'a Utf8Path,
    key_columns: Vec<usize>,
    converter: RowConverter,
    chunks: Vec<Chunk>,
    /// Batches that the output under way takes rows from.
    batches: Vec<RecordBatch>,
    output: Vec<(usize, usize)>,
    heap: BinaryHeap<Reverse<(OwnedRow, usize)>>,
}

struct Chunk {
    reader: SegmentReader,
    keys: Option<Rows>,
    batch: usize,
    row: usize,
}

impl<'a> Merge<'a> {
    fn new(
        table: Table,
        keys: &[&str],
        path: &'a Utf8Path,
        readers: Vec<SegmentReader>,
    ) -> Result<Self> {
        let schema = table.schema();
        let key_columns: Vec<usize> = keys
            .iter()
            .filter_map(|name| schema.index_of(name).ok())
            .collect();
        let fields = key_columns
            .iter()
            .map(|index| SortField::new(schema.field(*index).data_type().clone()))
            .collect();
        let converter =
            RowConverter::new(fields).map_err(|cause| SnapshotError::writing(path, cause))?;
        let chunks = readers
            .into_iter()
            .map(|reader| Chunk {
                reader,
                keys: None,
                batch: 0,
                row: 0,
            })
            .collect();
        let (batches, output, heap) = (Vec::new(), Vec::new(), BinaryHeap::new());
        Ok(Self {
            path,
            key_columns,
            converter,
            chunks,
            batches,
            output,
            heap,
        })
    }

    fn run(mut self, emit: &mut impl FnMut(RecordBatch) -> Result<()>) -> Result<()> {
        for chunk in 0..self.chunks.len() {
            self.read(chunk)?;
        }
        while let Some(Reverse((_, index))) = self.heap.pop() {
            let Some(chunk) = self.chunks.get_mut(index) else {
                continue;
            };
            self.output.push((chunk.batch, chunk.row));
            chunk.row += 1;
            let next = chunk
                .keys
                .as_ref()
                .filter(|keys| chunk.row < keys.num_rows());
            match next.map(|keys| keys.row(chunk.row).owned()) {
                Some(key) => self.heap.push(Reverse((key, index))),
                None => self.read(index)?,
            }
            // What is held is bounded by the batches that are being read, whatever the rows' lengths.
            let is_much = self.batches.len() > self.chunks.len() * 2;
            if is_much || self.output.len() >= MERGE_ROWS {
                self.flush(emit)?;
            }
        }
        self.flush(emit)
    }

    /// Reads the next batch of a chunk, if there is one.
    fn read(&mut self, index: usize) -> Result<()> {
        let Some(chunk) = self.chunks.get_mut(index) else {
            return Ok(());
        };
        chunk.keys = None;
        let Some(batch) = chunk.reader.next() else {
            return Ok(());
        };
        let batch = batch?;
        let columns: Vec<_> = self
            .key_columns
            .iter()
            .map(|column| batch.column(*column).clone())
            .collect();
        let keys = self
            .converter
            .convert_columns(&columns)
            .map_err(|cause| SnapshotError::writing(self.path, cause))?;
        if keys.num_rows() > 0 {
            self.heap.push(Reverse((keys.row(0).owned(), index)));
        }
        (chunk.keys, chunk.batch, chunk.row) = (Some(keys), self.batches.len(), 0);
        self.batches.push(batch);
        Ok(())
    }

    fn flush(&mut self, emit: &mut impl FnMut(RecordBatch) -> Result<()>) -> Result<()> {
        if self.output.is_empty() {
            return Ok(());
        }
        let batches: Vec<&RecordBatch> = self.batches.iter().collect();
        let merged = interleave_record_batch(&batches, &self.output)
            .map_err(|cause| SnapshotError::writing(self.path, cause))?;
        self.output.clear();
        // Only the batches that chunks still stand in are needed from here on.
        let mut kept = Vec::new();
        for chunk in self.chunks.iter_mut().filter(|chunk| chunk.keys.is_some()) {
            kept.extend(self.batches.get(chunk.batch).cloned());
            chunk.batch = kept.len() - 1;
        }
        self.batches = kept;
        emit(merged)
    }
}
