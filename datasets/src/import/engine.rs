//! The one engine behind the formats of rows: it reads the files of an incident as their sheets say,
//! on all processors, and writes a snapshot.
//!
//! Reading, understanding and writing go on at once, a few pieces of files at a time. What is held of
//! rows that are written are identities, to find duplicates by: 16 bytes a row, 40 a span. A file may be compressed.
//! Rows are written in the order of the source, whichever processor was first, so that the same
//! source makes the same bytes.

mod compressed;
mod covered;
pub(super) mod csv;
pub(super) mod defects;
pub(super) mod documents;
pub(super) mod ids;
pub(super) mod incident;
pub(super) mod item;
pub(super) mod names;
mod parse;
mod pipeline;
pub(super) mod quarantine;
mod series;
pub(super) mod sheet;
mod sink;
pub(super) mod source;
mod tables;
pub(super) mod time;
mod traces;

use std::collections::BTreeMap;
use std::sync::Arc;

use camino::Utf8Path;
use serde_json::json;

use super::{ImportError, ImportProgress, Imported, Report, SourceFile};
use crate::error::SnapshotError;
use crate::manifest::{ManifestDraft, Observed, RecorderCounts, Redaction};
use crate::writer::SnapshotWriter;

use defects::Rule;
use incident::{Incident, Part};
use item::Parsed;
use parse::parse;
use sheet::{Header, Rows};
use sink::{Sink, Sunk};
use source::Piece;

/// What the tables say that their rows came from.
const SOURCE: &str = "import";
/// The document below `withheld/` with the report.
const REPORT: &str = "import";

/// Writes an incident as a snapshot into a new folder.
pub(super) fn run(
    format: &'static str,
    root: &Utf8Path,
    incident: Incident,
    out: &Utf8Path,
    key: &str,
    progress: &dyn ImportProgress,
) -> Result<Imported, ImportError> {
    let writer = SnapshotWriter::create(out)?;
    let mut report = Report::default();
    for one in &incident.unread {
        report.files.left_out(&one.what, &one.reason);
    }
    let mut sink = Sink::new(&writer, &incident)?;
    let mut rows = 0;
    pipeline::in_order(
        |submit| source::read(root, &incident.parts, submit),
        |piece| understand(&incident, piece),
        |piece| -> Result<(), SnapshotError> {
            let part = incident.parts.get(piece.part);
            let path = part.map_or(Utf8Path::new(""), |part| &part.path);
            match piece.content {
                Content::Rows(header, parsed) => {
                    let count = parsed.len() as u64;
                    for row in parsed {
                        sink.take(piece.part, &header, row)?;
                    }
                    rows += count;
                    progress.advanced(piece.bytes, count);
                }
                Content::Refused(reason) => {
                    report.files.left_out(path.as_str(), reason);
                    progress.advanced(piece.bytes, 0);
                }
                Content::End {
                    sha256,
                    header,
                    is_whole,
                } => {
                    if let (false, Some((rule, path))) = (is_whole, part.and_then(last_line)) {
                        sink.note(rule, path);
                    }
                    let names = header.names.iter();
                    let unused = names.filter(|name| !part.is_some_and(|it| it.sheet.uses(name)));
                    report.files.wrote();
                    report.sources.push(SourceFile {
                        path: path.to_string(),
                        bytes: piece.bytes,
                        sha256,
                        rows: std::mem::take(&mut rows),
                        unused_columns: unused.cloned().collect(),
                    });
                }
            }
            Ok(())
        },
    )?;
    let Sunk {
        report,
        range,
        written,
        namespaces,
    } = sink.finish(report)?;
    let Some((from, end)) = range else {
        return Err(ImportError::Nothing {
            dir: root.to_owned(),
            incident: incident.name,
        });
    };
    writer.write_withheld_json(REPORT, &json!({"format": format, "report": report}))?;
    let draft = ManifestDraft {
        seed: format!("{format}/{}/{key}", incident.name),
        application: incident.application,
        namespaces: namespaces.into_iter().collect(),
        service_label: "app".to_owned(),
        observed: Some(Observed {
            from: time::moment(from),
            to: time::moment(end),
        }),
        end: Some(time::moment(end)),
        redaction: Redaction {
            rules: vec!["none: everything is as it was published".to_owned()],
            values: 0,
        },
        recorders: recorders(&written),
        settings: json!({"imported": {"from": format}}),
        ..ManifestDraft::default()
    };
    Ok(Imported {
        dir: out.to_owned(),
        manifest: writer.finish_by_time(draft)?,
        report,
        truth: incident.truth,
    })
}

/// What was offered is what was taken: quarantined rows are in the report.
fn recorders(written: &BTreeMap<&'static str, u64>) -> BTreeMap<String, RecorderCounts> {
    let counts = written.iter().map(|(table, rows)| {
        let counts = RecorderCounts {
            offered: *rows,
            written: *rows,
            ..RecorderCounts::default()
        };
        ((*table).to_owned(), counts)
    });
    counts.collect()
}

/// A piece whose rows are understood.
struct Understood {
    part: usize,
    bytes: u64,
    content: Content,
}

enum Content {
    Rows(Arc<Header>, Vec<Parsed>),
    Refused(String),
    End {
        sha256: String,
        header: Arc<Header>,
        is_whole: bool,
    },
}

/// The defect of a file that does not end as it should.
fn last_line(part: &Part) -> Option<(&'static Rule, &Utf8Path)> {
    match &part.sheet.rows {
        Rows::Documents(documents) => documents.last.map(|(_, rule)| (rule, part.path.as_path())),
        _ => None,
    }
}

fn understand(incident: &Incident, piece: Piece) -> Understood {
    match piece {
        Piece::Rows {
            part,
            header,
            records,
            bytes,
        } => {
            let mut parsed = Vec::with_capacity(records.len());
            if let Some(of) = incident.parts.get(part) {
                for record in records {
                    parse(of.sheet, of.window, &header, record, &mut parsed);
                }
            }
            Understood {
                part,
                bytes,
                content: Content::Rows(header, parsed),
            }
        }
        Piece::Refused {
            part,
            reason,
            bytes,
        } => Understood {
            part,
            bytes,
            content: Content::Refused(reason),
        },
        Piece::End {
            part,
            bytes,
            sha256,
            header,
            is_whole,
        } => Understood {
            part,
            bytes,
            content: Content::End {
                sha256,
                header,
                is_whole,
            },
        },
    }
}
