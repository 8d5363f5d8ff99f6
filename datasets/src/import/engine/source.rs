//! Reading the files of an incident, a bounded piece at a time.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use camino::Utf8Path;
use sha2::{Digest, Sha256};

use super::csv::{Fields, MAX_RECORD, Reader, Record};
use super::incident::Part;
use super::pipeline::Submit;
use super::sheet::Header;
use crate::error::{Result, SnapshotError};
use crate::files;

/// Records of one job.
const RECORDS: usize = 1024;
/// Bytes of a file that one job is made of, about; long rows come fewer at a time.
const BYTES: u64 = 1 << 20;

/// A piece of a file, or how the reading of one ended.
pub(super) enum Piece {
    Rows {
        part: usize,
        header: Arc<Header>,
        records: Vec<Record>,
        bytes: u64,
    },
    /// The file has not the columns that it must have.
    Refused {
        part: usize,
        reason: String,
        bytes: u64,
    },
    End {
        part: usize,
        bytes: u64,
        sha256: String,
        header: Arc<Header>,
    },
}

/// Reads all files in order.
pub(super) fn read(root: &Utf8Path, parts: &[Part], submit: Submit<'_, Piece>) -> Result<()> {
    for (index, part) in parts.iter().enumerate() {
        if !read_one(&root.join(&part.path), index, part, submit)? {
            break;
        }
    }
    Ok(())
}

/// Whether more is wanted.
fn read_one(path: &Utf8Path, index: usize, part: &Part, submit: Submit<'_, Piece>) -> Result<bool> {
    let failed = |cause| SnapshotError::io("read", path, cause);
    let read = AtomicU64::new(0);
    let mut hash = Sha256::new();
    let file = Hashed {
        file: files::open(path)?,
        hash: &mut hash,
        read: &read,
    };
    let input = BufReader::with_capacity(1 << 16, file);
    let mut reader = match &part.lines {
        Some(constants) => Records::Lines(Lines::new(input, constants)),
        None => Records::Table(Reader::new(input)),
    };
    let header = match (&part.lines, part.header.clone()) {
        (Some(constants), _) => {
            let names = constants.iter().map(|(name, _)| (*name).to_owned());
            let names = std::iter::once(LINE.to_owned()).chain(names).collect();
            header(names, part.sheet.columns)
        }
        (None, Some(names)) => {
            // The rows before the samples are the header, and were read when the format was.
            for _ in 0..part.header_rows {
                reader.next().map_err(failed)?;
            }
            header(names, part.sheet.columns)
        }
        (None, None) => first(reader.next().map_err(failed)?)
            .and_then(|names| header(names, part.sheet.columns)),
    };
    let header = match header {
        Ok(header) => Arc::new(header),
        Err(reason) => {
            let bytes = std::fs::metadata(path).map_or(0, |file| file.len());
            return Ok(submit(Piece::Refused {
                part: index,
                reason,
                bytes,
            }));
        }
    };
    let mut told = 0;
    loop {
        let mut records = Vec::new();
        let from = read.load(Ordering::Relaxed);
        while records.len() < RECORDS && read.load(Ordering::Relaxed) - from < BYTES {
            match reader.next().map_err(failed)? {
                Some(record) => records.push(record),
                None => break,
            }
        }
        let is_last = records.is_empty();
        let now = read.load(Ordering::Relaxed);
        let piece = Piece::Rows {
            part: index,
            header: Arc::clone(&header),
            records,
            bytes: now - told,
        };
        told = now;
        if is_last {
            break;
        }
        if !submit(piece) {
            return Ok(false);
        }
    }
    drop(reader);
    Ok(submit(Piece::End {
        part: index,
        bytes: read.load(Ordering::Relaxed),
        sha256: files::hex(&hash.finalize()),
        header,
    }))
}

fn first(record: Option<Record>) -> std::result::Result<Vec<String>, String> {
    let record = record.ok_or("the file is empty")?;
    let fields = record.content.map_err(|malformed| {
        let reason = malformed.reason;
        format!("its header breaks RFC 4180: {reason}")
    })?;
    Ok(fields.to_texts())
}

fn header(names: Vec<String>, columns: &[&str]) -> std::result::Result<Header, String> {
    let mut seen = BTreeSet::new();
    if let Some(twice) = names.iter().find(|name| !seen.insert(name.as_str())) {
        return Err(format!("it has the column {twice} twice"));
    }
    match columns.iter().find(|column| !seen.contains(*column)) {
        Some(lacking) => Err(format!("it has no column {lacking}")),
        None => Ok(Header { names }),
    }
}

/// The column of a line of text.
pub(in crate::import) const LINE: &str = "line";

/// The records of a file.
enum Records<R> {
    Table(Reader<R>),
    Lines(Lines<R>),
}

impl<R: BufRead> Records<R> {
    fn next(&mut self) -> io::Result<Option<Record>> {
        match self {
            Self::Table(reader) => reader.next(),
            Self::Lines(lines) => lines.next(),
        }
    }
}

/// A file with a record per line of text.
struct Lines<R> {
    input: R,
    constants: Vec<Vec<u8>>,
    line: u64,
}

impl<R: BufRead> Lines<R> {
    fn new(input: R, constants: &[(&'static str, String)]) -> Self {
        let constants = constants
            .iter()
            .map(|(_, value)| value.clone().into_bytes());
        Self {
            input,
            constants: constants.collect(),
            line: 0,
        }
    }

    fn next(&mut self) -> io::Result<Option<Record>> {
        let mut text = Vec::new();
        // A longer line comes in pieces, of which the first is one with a time.
        let mut piece = self.input.by_ref().take(MAX_RECORD as u64);
        if piece.read_until(b'\n', &mut text)? == 0 {
            return Ok(None);
        }
        self.line += 1;
        if text.ends_with(b"\n") {
            text.pop();
        }
        let fields = std::iter::once(&text).chain(&self.constants);
        Ok(Some(Record {
            line: self.line,
            content: Ok(Fields::of(fields.map(Vec::as_slice))),
        }))
    }
}

/// A file whose bytes are counted and hashed as they are read.
struct Hashed<'a> {
    file: File,
    hash: &'a mut Sha256,
    read: &'a AtomicU64,
}

impl Read for Hashed<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read(buffer)?;
        self.hash.update(buffer.get(..read).unwrap_or_default());
        self.read.fetch_add(read as u64, Ordering::Relaxed);
        Ok(read)
    }
}
