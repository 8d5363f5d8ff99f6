//! Comma-separated values as RFC 4180 has them, read strictly, a record at a time.
//!
//! A lenient reader makes wrong rows of damaged ones without a word. Here a quote within an unquoted
//! field, text after a closing quote or a quote that is never closed make the record malformed; it is
//! handed on as text, and reading goes on with the next line.

use std::io::{self, BufRead, Read};

use super::defects::{Rule, rules};

/// Longest record; a quote that is still open then is damage.
pub(super) const MAX_RECORD: usize = 4 << 20;

/// A record: its fields, without quotes, one after the other.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::import) struct Fields {
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

impl Fields {
    /// Fields that are known.
    pub(in crate::import) fn of<'a>(all: impl Iterator<Item = &'a [u8]>) -> Self {
        let mut fields = Self::default();
        all.for_each(|field| fields.push(field));
        fields
    }

    /// How many there are.
    pub(in crate::import) fn len(&self) -> usize {
        self.ends.len()
    }

    /// A field; none beyond the last.
    pub(in crate::import) fn get(&self, index: usize) -> Option<&[u8]> {
        let end = *self.ends.get(index)?;
        let start = index
            .checked_sub(1)
            .and_then(|before| self.ends.get(before))
            .copied()
            .unwrap_or(0);
        self.bytes.get(start..end)
    }

    /// All of them as text, for people.
    pub(in crate::import) fn to_texts(&self) -> Vec<String> {
        (0..self.len())
            .filter_map(|index| self.get(index))
            .map(|field| String::from_utf8_lossy(field).into_owned())
            .collect()
    }

    /// The length of all of them together.
    pub(super) fn bytes(&self) -> usize {
        self.bytes.len()
    }

    fn push(&mut self, field: &[u8]) {
        self.bytes.extend_from_slice(field);
        self.ends.push(self.bytes.len());
    }
}

/// A record that breaks the format's rules.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::import) struct Malformed {
    /// The sort of defect.
    pub(in crate::import) rule: &'static Rule,
    /// What is wrong.
    pub(in crate::import) reason: &'static str,
    /// The record as it stands there.
    pub(in crate::import) text: String,
}

/// What was read, and the line of the file that it begins on (from 1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::import) struct Record {
    pub(in crate::import) line: u64,
    pub(in crate::import) content: Result<Fields, Malformed>,
}

/// Reads records.
pub(in crate::import) struct Reader<R> {
    input: R,
    /// Lines that were taken for a record which turned out to be damaged.
    again: Vec<u8>,
    lines: u64,
    buffer: Vec<u8>,
}

impl<R: BufRead> Reader<R> {
    pub(in crate::import) fn new(input: R) -> Self {
        Self {
            input,
            again: Vec::new(),
            lines: 0,
            buffer: Vec::new(),
        }
    }

    /// The next record; none at the end. Empty lines are no records.
    pub(in crate::import) fn next(&mut self) -> io::Result<Option<Record>> {
        loop {
            self.buffer.clear();
            if !self.read_line()? {
                return Ok(None);
            }
            if self.lines == 1 && self.buffer.starts_with(b"\xef\xbb\xbf") {
                self.buffer.drain(..3);
            }
            if !trimmed(&self.buffer).is_empty() {
                break;
            }
        }
        let line = self.lines;
        let mut fields = Fields::default();
        let mut at = 0;
        loop {
            match field(&self.buffer, at) {
                Found::Field { text, next } => {
                    fields.push(&text);
                    match next {
                        Some(next) => at = next,
                        None => {
                            let content = Ok(fields);
                            return Ok(Some(Record { line, content }));
                        }
                    }
                }
                Found::Open => {
                    if self.buffer.len() > MAX_RECORD || !self.read_line()? {
                        return Ok(Some(self.malformed(line, "a quote is not closed")));
                    }
                }
                Found::Damage(reason) => return Ok(Some(self.malformed(line, reason))),
            }
        }
    }

    /// The record's first line is damaged; what was taken to belong to it is read again.
    fn malformed(&mut self, line: u64, reason: &'static str) -> Record {
        let first = self
            .buffer
            .iter()
            .position(|byte| *byte == b'\n')
            .map_or(self.buffer.len(), |end| end + 1);
        let rest = self.buffer.split_off(first);
        self.again.splice(..0, rest);
        self.lines = line;
        let text = String::from_utf8_lossy(trimmed(&self.buffer)).into_owned();
        Record {
            line,
            content: Err(Malformed {
                rule: &rules::MALFORMED_ROW,
                reason,
                text,
            }),
        }
    }

    /// Appends a line to the buffer; whether there was one.
    fn read_line(&mut self) -> io::Result<bool> {
        let before = self.buffer.len();
        if self.again.is_empty() {
            // A longer line comes in pieces, which are no rows.
            let mut piece = self.input.by_ref().take(MAX_RECORD as u64 + 1);
            piece.read_until(b'\n', &mut self.buffer)?;
        } else {
            let end = self.again.iter().position(|byte| *byte == b'\n');
            let end = end.map_or(self.again.len(), |end| end + 1);
            self.buffer.extend(self.again.drain(..end));
        }
        let is_there = self.buffer.len() > before;
        self.lines += u64::from(is_there);
        Ok(is_there)
    }
}

fn trimmed(line: &[u8]) -> &[u8] {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    line.strip_suffix(b"\r").unwrap_or(line)
}

enum Found {
    /// A field and where the next one begins; none: it was the last.
    Field {
        text: Vec<u8>,
        next: Option<usize>,
    },
    /// A quote is open at the end of the buffer.
    Open,
    Damage(&'static str),
}

/// The field that begins at a position.
fn field(buffer: &[u8], at: usize) -> Found {
    let rest = buffer.get(at..).unwrap_or_default();
    if rest.first() == Some(&b'"') {
        return quoted(rest, at);
    }
    let rest = trimmed(rest);
    let end = rest.iter().position(|byte| *byte == b',');
    let text = rest.get(..end.unwrap_or(rest.len())).unwrap_or_default();
    if text.contains(&b'"') {
        return Found::Damage("a quote within an unquoted field");
    }
    Found::Field {
        text: text.to_owned(),
        next: end.map(|end| at + end + 1),
    }
}

fn quoted(rest: &[u8], at: usize) -> Found {
    let mut text = Vec::new();
    let mut from = 1;
    loop {
        let tail = rest.get(from..).unwrap_or_default();
        let Some(quote) = tail.iter().position(|byte| *byte == b'"') else {
            return Found::Open;
        };
        text.extend_from_slice(tail.get(..quote).unwrap_or_default());
        let after = from + quote + 1;
        match rest.get(after) {
            Some(b'"') => {
                text.push(b'"');
                from = after + 1;
            }
            Some(b',') => {
                return Found::Field {
                    text,
                    next: Some(at + after + 1),
                };
            }
            _ if trimmed(rest.get(after..).unwrap_or_default()).is_empty() => {
                return Found::Field { text, next: None };
            }
            _ => return Found::Damage("text after a closing quote"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Vec<(u64, Result<Vec<String>, &'static str>)> {
        let mut reader = Reader::new(text.as_bytes());
        let mut all = Vec::new();
        while let Some(record) = reader.next().unwrap() {
            let content = record.content.map(|fields| fields.to_texts());
            all.push((record.line, content.map_err(|malformed| malformed.reason)));
        }
        all
    }

    fn good(line: u64, fields: &[&str]) -> (u64, Result<Vec<String>, &'static str>) {
        (
            line,
            Ok(fields.iter().map(|one| (*one).to_owned()).collect()),
        )
    }

    #[test]
    fn fields_are_what_the_standard_says() {
        assert_eq!(
            read("\u{feff}a,b,\r\n\"x, \"\"y\"\"\",\"two\nlines\",\n\n,,\nlast,\"\""),
            [
                good(1, &["a", "b", ""]),
                good(2, &["x, \"y\"", "two\nlines", ""]),
                good(5, &["", "", ""]),
                good(6, &["last", ""]),
            ]
        );
    }

    #[test]
    fn damage_costs_one_line_and_no_more() {
        assert_eq!(
            read("a,\"b\"c,d\n1,2\n5\" tall,x\n\"open,1\n2,3\n4,5"),
            [
                (1, Err("text after a closing quote")),
                good(2, &["1", "2"]),
                (3, Err("a quote within an unquoted field")),
                (4, Err("a quote is not closed")),
                good(5, &["2", "3"]),
                good(6, &["4", "5"]),
            ]
        );
    }
}
