//! Reading the files of an incident, a bounded piece at a time.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, BufRead, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use camino::Utf8Path;
use prost::bytes::Bytes;
use sha2::{Digest, Sha256};

use super::compressed;
use super::csv::{Fields, MAX_RECORD, Malformed, Reader, Record};
use super::defects::rules;
use super::documents::{Cut, Documents};
use super::incident::Part;
use super::pipeline::Submit;
use super::sheet::{Header, Rows};
use crate::error::{Result, SnapshotError};
use crate::files;
use crate::remote_read;

/// Records of one job.
const RECORDS: usize = 1024;
/// Bytes of records that one job is made of, about; long rows come fewer at a time.
const BYTES: usize = 1 << 20;
/// Longest line with a document; a longer one is damage.
pub(super) const LONGEST_DOCUMENT: usize = 64 << 20;
/// Longest answer of a remote read, packed.
const LONGEST_ANSWER: u64 = 1 << 30;

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
        /// Whether it ends as files of its kind do.
        is_whole: bool,
    },
}

/// Reads a file, as long as its pieces are wanted.
pub(super) fn read(
    root: &Utf8Path,
    index: usize,
    part: &Part,
    submit: Submit<'_, Piece>,
) -> Result<()> {
    let path = &root.join(&part.path);
    let failed = |cause| SnapshotError::io("read", path, cause);
    let read = AtomicU64::new(0);
    let mut hash = Sha256::new();
    let file = Hashed {
        file: files::open(path)?,
        hash: &mut hash,
        read: &read,
    };
    let (input, is_packed) = compressed::open(file).map_err(failed)?;
    let refuse = |reason: String| {
        let bytes = std::fs::metadata(path).map_or(0, |file| file.len());
        Piece::Refused {
            part: index,
            reason,
            bytes,
        }
    };
    let (mut reader, header) = match begin(input, part).map_err(failed)? {
        Ok((reader, header)) => (reader, Arc::new(header)),
        Err(reason) => {
            submit(refuse(reason));
            return Ok(());
        }
    };
    let (mut told, mut line, mut is_over, mut is_damaged) = (0, 0, false, false);
    while !is_over {
        let mut records = Vec::new();
        let mut held = 0;
        while records.len() < RECORDS && held < BYTES && !is_over {
            let record = match reader.next() {
                Ok(record) => record,
                Err(cause) if is_packed => {
                    is_damaged = true;
                    Some(damage(line + 1, &cause))
                }
                Err(cause) => return Err(failed(cause)),
            };
            is_over = is_damaged || record.is_none();
            if let Some(record) = record {
                line = record.line;
                held += match &record.content {
                    Ok(fields) => fields.bytes(),
                    Err(malformed) => malformed.text.len(),
                };
                records.push(record);
            }
        }
        if records.is_empty() {
            break;
        }
        let now = read.load(Ordering::Relaxed);
        let piece = Piece::Rows {
            part: index,
            header: Arc::clone(&header),
            records,
            bytes: now - told,
        };
        told = now;
        if !submit(piece) {
            return Ok(());
        }
    }
    let is_whole = reader.is_whole() && !is_damaged;
    drop(reader);
    let (bytes, sha256) = match is_damaged {
        // The rest of the file was not read.
        true => files::measure(path)?,
        false => (read.load(Ordering::Relaxed), files::hex(&hash.finalize())),
    };
    submit(Piece::End {
        part: index,
        bytes,
        sha256,
        header,
        is_whole,
    });
    Ok(())
}

fn damage(line: u64, cause: &io::Error) -> Record {
    Record {
        line,
        content: Err(Malformed {
            rule: &rules::DAMAGED_FILE,
            reason: rules::DAMAGED_FILE.text,
            text: cause.to_string(),
        }),
    }
}

/// The rows of a file and what stands above them, or why the file is none of its kind.
type Begun<'a> = std::result::Result<(Records<Box<dyn BufRead + 'a>>, Header), String>;

/// Reads up to the first row.
fn begin<'a>(input: Box<dyn BufRead + 'a>, part: &Part) -> io::Result<Begun<'a>> {
    let columns = part.sheet.columns;
    if let Rows::Documents(Documents { cut, last, .. }) = &part.sheet.rows {
        let header = Header { names: Vec::new() };
        let records = match cut {
            Cut::Lines => Records::Lines(Lines {
                longest: LONGEST_DOCUMENT,
                last: last.map(|(line, _)| line),
                ..Lines::new(input, &[])
            }),
            Cut::Series => {
                let mut body = Vec::new();
                input.take(LONGEST_ANSWER).read_to_end(&mut body)?;
                match remote_read::encoded_series(&body) {
                    Ok(series) => Records::Series(series.into_iter(), 0),
                    Err(cause) => {
                        return Ok(Err(format!(
                            "it is no answer with samples to a remote read, which is one block of snappy (streamed chunks are not read): {cause}"
                        )));
                    }
                }
            }
        };
        return Ok(Ok((records, header)));
    }
    if let Some(constants) = &part.lines {
        let names = constants.iter().map(|(name, _)| (*name).to_owned());
        let names = std::iter::once(LINE.to_owned()).chain(names).collect();
        let lines = Records::Lines(Lines::new(input, constants));
        return Ok(header(names, columns).map(|header| (lines, header)));
    }
    let mut reader = Reader::new(input);
    let names = match part.header.clone() {
        Some(names) => {
            // The rows before the samples are the header, and were read when the format was.
            for _ in 0..part.header_rows {
                reader.next()?;
            }
            Ok(names)
        }
        None => first(reader.next()?),
    };
    let header = names.and_then(|names| header(names, columns));
    Ok(header.map(|header| (Records::Table(reader), header)))
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
    /// Encoded series, and how many were read.
    Series(std::vec::IntoIter<Bytes>, u64),
}

impl<R: BufRead> Records<R> {
    fn next(&mut self) -> io::Result<Option<Record>> {
        match self {
            Self::Table(reader) => reader.next(),
            Self::Lines(lines) => lines.next(),
            Self::Series(series, read) => Ok(series.next().map(|one| {
                *read += 1;
                Record {
                    line: *read,
                    content: Ok(Fields::of(std::iter::once(one.as_ref()))),
                }
            })),
        }
    }

    /// Whether the end was what it should be.
    fn is_whole(&self) -> bool {
        match self {
            Self::Lines(lines) => lines.last.is_none() || lines.is_whole,
            Self::Table(_) | Self::Series(..) => true,
        }
    }
}

/// A file with a record per line of text.
struct Lines<R> {
    input: R,
    constants: Vec<Vec<u8>>,
    line: u64,
    longest: usize,
    /// The line that the file should end with.
    last: Option<&'static str>,
    /// Whether the line before was that one.
    is_whole: bool,
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
            longest: MAX_RECORD,
            last: None,
            is_whole: false,
        }
    }

    fn next(&mut self) -> io::Result<Option<Record>> {
        let mut text = Vec::new();
        // A longer line comes in pieces, of which the first is one with a time.
        let mut piece = self.input.by_ref().take(self.longest as u64);
        if piece.read_until(b'\n', &mut text)? == 0 {
            return Ok(None);
        }
        self.line += 1;
        if text.ends_with(b"\n") {
            text.pop();
        }
        if let Some(last) = self.last {
            self.is_whole = text.trim_ascii() == last.as_bytes();
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
