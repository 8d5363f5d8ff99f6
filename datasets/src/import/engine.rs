//! The one engine behind the formats of rows: it reads the files of an incident as their sheets say,
//! on all processors, and writes a snapshot.
//!
//! Reading, understanding and writing go on at once, several files and a few pieces of each at a time.
//! What is kept of rows that are written are identities, to find duplicates by, and the ids of spans;
//! where they are many, in files. A file may be compressed.
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
mod spilled;
mod tables;
pub(super) mod time;
mod traces;

use std::collections::BTreeMap;
use std::sync::Arc;

use camino::Utf8Path;
use serde_json::json;

use super::{ImportError, ImportProgress, Imported, Report, SourceFile, Tally, one_line};
use crate::error::SnapshotError;
use crate::files;
use crate::manifest::{ManifestDraft, Observed, RecorderCounts, Redaction};
use crate::writer::SnapshotWriter;

use defects::{Rule, Treatment};
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

/// What every incident of a source is imported with.
pub(super) struct Engine<'a> {
    pub(super) format: &'static str,
    /// The folder that the paths are below.
    pub(super) root: &'a Utf8Path,
    pub(super) key: &'a str,
    pub(super) progress: &'a dyn ImportProgress,
}

/// What became of an incident.
pub(super) enum Outcome {
    Imported(Box<Imported>),
    /// Why there is no snapshot of it.
    LeftOut(String),
}

/// Removes what an incident that is left out has in its folder, and the folder unless it was there
/// before.
fn discard(dir: &Utf8Path, was_there: bool) -> Result<(), SnapshotError> {
    if !was_there {
        return files::remove_folder(dir);
    }
    // It was empty, and a snapshot that is not finished has folders only.
    for name in files::list(dir)? {
        files::remove_folder(&dir.join(name))?;
    }
    Ok(())
}

/// Why the rows of an incident did not come to their end.
enum Failed {
    /// Its own files can't be read.
    Reading(SnapshotError),
    /// The snapshot can't be written.
    Writing(SnapshotError),
}

impl Engine<'_> {
    /// Writes an incident as a snapshot into a new folder, or tells why it is left out: nothing stays
    /// of it then. An error would be one of every other incident too.
    pub(super) fn run(&self, incident: Incident, out: &Utf8Path) -> Result<Outcome, ImportError> {
        let was_there = out.exists();
        let outcome = self.write(incident, out)?;
        if let Outcome::LeftOut(_) = outcome {
            discard(out, was_there)?;
        }
        Ok(outcome)
    }

    fn write(&self, incident: Incident, out: &Utf8Path) -> Result<Outcome, ImportError> {
        let writer = SnapshotWriter::create(out)?;
        let mut report = Report::default();
        for one in &incident.unread {
            report.files.left_out(&one.what, &one.reason);
        }
        let mut sink = Sink::new(&writer, &incident)?;
        let mut rows = 0;
        let done = pipeline::in_order(
            incident.parts.iter().enumerate(),
            |(index, part), submit| {
                source::read(self.root, index, part, submit).map_err(Failed::Reading)
            },
            |piece| understand(&incident, piece),
            |piece| -> Result<(), Failed> {
                let part = incident.parts.get(piece.part);
                let path = part.map_or(Utf8Path::new(""), |part| &part.path);
                match piece.content {
                    Content::Rows(header, parsed) => {
                        let count = parsed.len() as u64;
                        for row in parsed {
                            let taken = sink.take(piece.part, &header, row);
                            taken.map_err(Failed::Writing)?;
                        }
                        rows += count;
                        self.progress.advanced(piece.bytes, count);
                    }
                    Content::Refused(reason) => {
                        report.files.left_out(path.as_str(), reason);
                        self.progress.advanced(piece.bytes, 0);
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
                        let unused =
                            names.filter(|name| !part.is_some_and(|it| it.sheet.uses(name)));
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
        );
        match done {
            Ok(()) => {}
            Err(Failed::Reading(cause)) => return Ok(Outcome::LeftOut(one_line(&cause))),
            Err(Failed::Writing(cause)) => return Err(cause.into()),
        }
        let Sunk {
            report,
            range,
            written,
            namespaces,
        } = sink.finish(report)?;
        let Some((from, end)) = range else {
            return Ok(Outcome::LeftOut(why_nothing(&report, &incident)));
        };
        let Self { format, key, .. } = self;
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
        Ok(Outcome::Imported(Box::new(Imported {
            dir: out.to_owned(),
            manifest: writer.finish_by_time(draft)?,
            report,
            truth: incident.truth,
        })))
    }
}

/// Why nothing of an incident could be taken, as far as its report tells.
fn why_nothing(report: &Report, incident: &Incident) -> String {
    let sum = |of: fn(&Tally) -> u64| report.rows.values().map(of).sum::<u64>();
    let (quarantined, outside) = (sum(|one| one.quarantined), sum(|one| one.outside));
    let mut reasons = Vec::new();
    // Those that the format does not read come first.
    if let Some(refused) = report.files.left_out.get(incident.unread.len()) {
        reasons.push(format!("{}: {}", refused.what, refused.reason));
    }
    let mut defects = report.defects.iter();
    if let Some(defect) = defects.find(|one| one.treatment == Treatment::Quarantined) {
        let (name, first) = (&defect.name, &defect.first);
        reasons.push(format!(
            "rows quarantined: {quarantined} ({name} at {first})"
        ));
    }
    if outside > 0 {
        reasons.push(format!("rows of another time: {outside}"));
    }
    if reasons.is_empty() {
        let first = incident.parts.first();
        let first = first.map_or("", |part| part.path.as_str());
        reasons.push(format!("its files have no rows, the first is {first}"));
    }
    format!("no row could be taken: {}", reasons.join("; "))
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
