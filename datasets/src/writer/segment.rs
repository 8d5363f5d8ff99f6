//! Append-only Arrow IPC streams.

use std::fs::File;
use std::io::{BufReader, ErrorKind, Seek, SeekFrom, Write};

use arrow::array::RecordBatch;
use arrow::error::ArrowError;
use arrow::ipc::reader::StreamReader;
use arrow::ipc::writer::StreamWriter;
use camino::{Utf8Path, Utf8PathBuf};

use crate::error::{Result, SnapshotError};
use crate::files;
use crate::schema::Table;

/// Writes a table's stream; the file is created with the first batch.
pub(super) struct SegmentWriter {
    table: Table,
    path: Utf8PathBuf,
    open: Option<Open>,
}

struct Open {
    // Batches are encoded in memory and written whole, so that a failed write can be undone.
    encoder: StreamWriter<Vec<u8>>,
    file: File,
    length: u64,
}

impl SegmentWriter {
    pub(super) fn new(table: Table, path: Utf8PathBuf) -> Self {
        Self {
            table,
            path,
            open: None,
        }
    }

    pub(super) fn append(&mut self, batch: &RecordBatch) -> Result<()> {
        let schema = self.table.schema();
        if let Some(detail) = crate::schema::difference(&schema, &batch.schema()) {
            return Err(SnapshotError::WrongBatch {
                table: self.table.name(),
                detail,
            });
        }
        if batch.num_rows() == 0 {
            return Ok(());
        }
        if self.open.is_none() {
            let encoder = StreamWriter::try_new(Vec::new(), &schema)
                .map_err(|cause| SnapshotError::writing(&self.path, cause))?;
            let file = files::create(&self.path)?;
            self.open = Some(Open {
                encoder,
                file,
                length: 0,
            });
        }
        let Some(open) = self.open.as_mut() else {
            return Ok(());
        };
        open.encoder
            .write(batch)
            .map_err(|cause| SnapshotError::writing(&self.path, cause))?;
        open.write_out(&self.path)
    }

    pub(super) fn close(self) -> Result<()> {
        let Some(mut open) = self.open else {
            return Ok(());
        };
        open.encoder
            .finish()
            .map_err(|cause| SnapshotError::writing(&self.path, cause))?;
        open.write_out(&self.path)
    }
}

impl Open {
    fn write_out(&mut self, path: &Utf8Path) -> Result<()> {
        let bytes = self.encoder.get_ref();
        let written = self.file.write_all(bytes).and_then(|()| self.file.flush());
        if let Err(cause) = written {
            // Bytes stay in the encoder and go out with the next batch; a torn one is cut off.
            // If cutting fails as well, salvage reads up to the tear.
            let _ = self.file.set_len(self.length);
            let _ = self.file.seek(SeekFrom::Start(self.length));
            return Err(SnapshotError::io("write", path, cause));
        }
        self.length += bytes.len() as u64;
        self.encoder.get_mut().clear();
        Ok(())
    }
}

/// Reads a table's stream batch by batch; no file means no rows.
pub(super) struct SegmentReader {
    path: Utf8PathBuf,
    stream: Option<StreamReader<BufReader<File>>>,
}

impl SegmentReader {
    pub(super) fn open(path: &Utf8Path) -> Result<Self> {
        let file = match files::open(path) {
            Err(SnapshotError::MissingFile { .. }) => None,
            other => Some(other?),
        };
        let stream = match file.map(|file| StreamReader::try_new(BufReader::new(file), None)) {
            Some(Ok(stream)) => Some(stream),
            // The recorder died before the schema was on disk.
            Some(Err(cause)) if is_torn(&cause) => None,
            Some(Err(cause)) => return Err(SnapshotError::reading(path, cause)),
            None => None,
        };
        Ok(Self {
            path: path.to_owned(),
            stream,
        })
    }
}

impl Iterator for SegmentReader {
    type Item = Result<RecordBatch>;

    fn next(&mut self) -> Option<Self::Item> {
        match self.stream.as_mut()?.next()? {
            Ok(batch) => Some(Ok(batch)),
            Err(cause) if is_torn(&cause) => {
                self.stream = None;
                None
            }
            Err(cause) => Some(Err(SnapshotError::reading(&self.path, cause))),
        }
    }
}

/// Whether the stream just ends within a message, as it does when its writer was killed.
fn is_torn(cause: &ArrowError) -> bool {
    match cause {
        ArrowError::IoError(_, source) => source.kind() == ErrorKind::UnexpectedEof,
        _ => false,
    }
}
