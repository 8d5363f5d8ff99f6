//! What is wrong with a catalog, and where.

use std::fmt;

use toml::de::{DeTable, DeValue};

use crate::path::{self, Part};

/// One thing that is wrong with a catalog file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    /// The file.
    pub file: String,
    /// Its line, from 1.
    pub line: usize,
    /// What is wrong there.
    pub message: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:{}: {}", self.file, self.line, self.message)
    }
}

/// A catalog with something wrong in it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the catalog is wrong:\n{}", lines(findings))]
pub struct CatalogError {
    /// Everything that is wrong, in the order of files and lines; at least one.
    pub findings: Vec<Finding>,
}

fn lines(findings: &[Finding]) -> String {
    let lines: Vec<String> = findings.iter().map(ToString::to_string).collect();
    lines.join("\n")
}

/// Takes what is wrong with one file.
pub(super) struct Notes<'a> {
    pub(super) file: &'a str,
    pub(super) text: &'a str,
    pub(super) findings: &'a mut Vec<Finding>,
}

impl Notes<'_> {
    /// Notes what is wrong at a path like `inject[0].set`; if there is no such value, at the nearest one around it.
    pub(super) fn wrong(&mut self, at: &str, message: impl Into<String>) {
        self.findings.push(Finding {
            file: self.file.to_owned(),
            line: line_of_path(self.text, at),
            // A finding is one line.
            message: message.into().replace('\n', "; "),
        });
    }

    /// Notes that the file is no TOML, or not of the expected form.
    pub(super) fn malformed(&mut self, error: &toml::de::Error) {
        let start = error.span().map_or(0, |span| span.start);
        self.findings.push(Finding {
            file: self.file.to_owned(),
            line: line_at(self.text, start),
            message: error.message().trim_end().replace('\n', "; "),
        });
    }
}

fn line_at(text: &str, offset: usize) -> usize {
    let before = text.bytes().take(offset);
    before.filter(|byte| *byte == b'\n').count() + 1
}

fn line_of_path(text: &str, at: &str) -> usize {
    let (Ok(table), Ok(parts)) = (DeTable::parse(text), path::parse(at)) else {
        return 1;
    };
    let mut offset = 0;
    let mut inside = Inside::Table(table.get_ref());
    for part in parts {
        let next = match (inside, part) {
            (Inside::Table(table), Part::Key(key)) => {
                let found = table
                    .iter()
                    .find(|(name, _)| name.get_ref() == key.as_str());
                found.map(|(name, value)| (name.span().start, value))
            }
            (Inside::Value(value), Part::Key(key)) => {
                let found = value.as_table().and_then(|table| {
                    table
                        .iter()
                        .find(|(name, _)| name.get_ref() == key.as_str())
                });
                found.map(|(name, value)| (name.span().start, value))
            }
            (Inside::Value(value), Part::Index(index)) => value
                .as_array()
                .and_then(|items| items.get(index))
                .map(|item| (item.span().start, item)),
            _ => None,
        };
        let Some((start, value)) = next else { break };
        offset = start;
        inside = Inside::Value(value.get_ref());
    }
    line_at(text, offset)
}

/// Where a walk through a document has got to.
#[derive(Clone, Copy)]
enum Inside<'a> {
    Table(&'a DeTable<'a>),
    Value(&'a DeValue<'a>),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_have_lines() {
        let text = "a = 1\nb = [\n  { c = 1 },\n  { c = 2,\n    d = 3 },\n]\n\n[[e]]\nf = 1\n\n[[e]]\nf = 2\n\n[g.h]\ni = 1\n";
        for (at, line) in [
            ("a", 1),
            ("b", 2),
            ("b[1]", 4),
            ("b[1].d", 5),
            ("b[1].x", 4),
            ("e[0]", 8),
            ("e[1]", 11),
            ("e[1].f", 12),
            ("g.h.i", 15),
            ("nothing", 1),
        ] {
            assert_eq!(line_of_path(text, at), line, "{at}");
        }
    }
}
