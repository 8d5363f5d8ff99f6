//! Where the rows of an incident go: into its tables, or into the quarantine. Everything comes in the
//! order of the source, so that the same source makes the same snapshot.

use std::collections::{BTreeMap, BTreeSet};

use camino::Utf8Path;
use serde_json::Value;

use super::defects::{Defects, Notes, Rule, rules};
use super::incident::{Incident, Part};
use super::item::{Item, Parsed, Samples, Values};
use super::quarantine::Quarantine;
use super::sheet::{Header, Rows};
use super::spilled::Spilled;
use super::tables::Tables;
use super::time::{moment, nanoseconds};
use crate::error::Result;
use crate::import::{Report, Tally};
use crate::writer::SnapshotWriter;

/// Takes what the files of an incident say.
pub(super) struct Sink<'a> {
    incident: &'a Incident,
    tables: Tables<'a>,
    quarantine: Quarantine,
    tallies: BTreeMap<&'static str, Tally>,
    defects: Defects,
    /// How many rows there were of an identity.
    seen: Spilled<u128, u32>,
    /// The part whose rows come.
    part: Option<usize>,
    held: Vec<Held>,
}

/// Samples of one moment that wait for the others of it.
struct Held {
    part: usize,
    line: u64,
    identity: Option<u128>,
    notes: Vec<&'static Rule>,
    samples: Samples,
}

/// Where a row is from, and what it is.
struct Origin {
    kind: &'static str,
    line: u64,
    /// Of rows with one identity the first is taken, unless the sheet tells them apart.
    identity: Option<u128>,
}

/// What a sink has come to.
pub(super) struct Sunk {
    pub(super) report: Report,
    /// The first and the last moment; none: nothing was taken.
    pub(super) range: Option<(i64, i64)>,
    /// Rows by table.
    pub(super) written: BTreeMap<&'static str, u64>,
    /// The namespaces of all rows.
    pub(super) namespaces: BTreeSet<String>,
}

impl<'a> Sink<'a> {
    pub(super) fn new(writer: &'a SnapshotWriter, incident: &'a Incident) -> Result<Self> {
        let mut defects = Defects::default();
        for (rule, place) in &incident.defects {
            defects.add(rule, 1, place);
        }
        Ok(Self {
            incident,
            tables: Tables::new(writer, &incident.namespace),
            seen: Spilled::new(writer.scratch().join("rows.redb")),
            quarantine: Quarantine::create(writer.dir())?,
            tallies: BTreeMap::new(),
            defects,
            part: None,
            held: Vec::new(),
        })
    }

    /// Takes a row of a part, or tells why not.
    pub(super) fn take(&mut self, index: usize, header: &Header, row: Parsed) -> Result<()> {
        let Some(part) = self.incident.parts.get(index) else {
            return Ok(());
        };
        if self.part.replace(index) != Some(index) {
            self.release()?;
            self.tables.next_part();
        }
        let tally = self.tallies.entry(row.kind).or_default();
        tally.read += 1;
        let item = match row.result {
            Ok(Some(item)) => item,
            Ok(None) => {
                tally.outside += 1;
                return Ok(());
            }
            Err(refused) => {
                let (rule, reason) = (refused.rule, refused.reason);
                let place = (part, row.kind, row.line);
                return self.refuse(place, rule, &reason, Some(&refused.row));
            }
        };
        match item {
            Item::Samples(samples) if several(part).is_some() => {
                let is_later = |one: &Held| one.samples.time != samples.time;
                if self.held.first().is_some_and(is_later) {
                    self.release()?;
                }
                self.held.push(Held {
                    part: index,
                    line: row.line,
                    identity: row.identity,
                    notes: row.notes,
                    samples,
                });
                Ok(())
            }
            item => {
                let origin = Origin {
                    kind: row.kind,
                    line: row.line,
                    identity: row.identity,
                };
                self.add(part, header, item, &origin, row.notes)
            }
        }
    }

    /// Takes the samples of one moment that the source can't tell apart, the largest first.
    fn release(&mut self) -> Result<()> {
        let mut held = std::mem::take(&mut self.held);
        let size = |one: &Held| match &one.samples.values {
            Values::Metric(_, value) => *value,
            Values::Columns(_) => 0.0,
        };
        held.sort_by(|one, other| size(other).total_cmp(&size(one)));
        let header = Header { names: Vec::new() };
        for one in held {
            if let Some(part) = self.incident.parts.get(one.part) {
                let item = Item::Samples(one.samples);
                let origin = Origin {
                    kind: part.sheet.name,
                    line: one.line,
                    identity: one.identity,
                };
                self.add(part, &header, item, &origin, one.notes)?;
            }
        }
        Ok(())
    }

    fn add(
        &mut self,
        part: &Part,
        header: &Header,
        mut item: Item,
        origin: &Origin,
        noted: Vec<&'static Rule>,
    ) -> Result<()> {
        let mut notes = Notes::default();
        let Origin {
            kind,
            line,
            identity,
        } = *origin;
        let nth = match identity {
            Some(identity) => self.seen.update(identity, |count| {
                *count += 1;
                *count
            })?,
            None => 1,
        };
        let rule = match &mut item {
            Item::Samples(samples) if several(part).is_some() => {
                samples.nth = nth;
                if let Some(rule) = several(part).filter(|_| nth > 1) {
                    notes.note(rule);
                }
                None
            }
            Item::Samples(_) | Item::Point(_) => Some(&rules::DUPLICATE_SAMPLE),
            _ => Some(&rules::DUPLICATE_ROW),
        };
        if let Some(rule) = rule.filter(|_| nth > 1) {
            // A row that is equal to another is in the snapshot; a second sample may have another value.
            let row = match &item {
                Item::Samples(samples) => Some(samples.to_json(header)),
                Item::Point(point) => Some(point.to_json()),
                _ => None,
            };
            return self.refuse((part, kind, line), rule, rule.text, row.as_ref());
        }
        if let Some(tally) = self.tallies.get_mut(kind) {
            tally.written += 1;
        }
        self.tables.add(item, part, header, &mut notes)?;
        for rule in noted.into_iter().chain(notes.taken()) {
            let place = format!("{}:{line}", part.path);
            self.defects.add(rule, 1, &place);
        }
        Ok(())
    }

    /// Notes a defect of a file as a whole.
    pub(super) fn note(&mut self, rule: &'static Rule, file: &Utf8Path) {
        self.defects.add(rule, 1, file.as_str());
    }

    fn refuse(
        &mut self,
        (part, kind, line): (&Part, &'static str, u64),
        rule: &'static Rule,
        reason: &str,
        row: Option<&Value>,
    ) -> Result<()> {
        if let Some(tally) = self.tallies.get_mut(kind) {
            tally.quarantined += 1;
        }
        let place = format!("{}:{line}", part.path);
        self.defects.add(rule, 1, &place);
        let place: (&Utf8Path, u64) = (&part.path, line);
        self.quarantine.add(place, rule.name, reason, row)
    }

    /// Writes what is known at the end.
    pub(super) fn finish(mut self, mut report: Report) -> Result<Sunk> {
        self.release()?;
        self.quarantine.finish()?;
        let range = self.tables.covered.range();
        if let Some((one, other)) = self.tables.covered.disjoint() {
            let place = format!("{one} and {other}");
            self.defects.add(&rules::DISJOINT, 1, &place);
        }
        let injected = self.incident.truth.as_ref();
        let injected = injected.and_then(|truth| nanoseconds(truth.injected?));
        if let (Some(injected), Some((from, end))) = (injected, range)
            && !(from..=end).contains(&injected)
        {
            let place = moment(injected).to_string();
            self.defects.add(&rules::INJECTED_OUTSIDE, 1, &place);
        }
        report.clock_skew_ms = self.tables.traces.judge(&mut self.defects)?;
        let namespaces = self.tables.namespaces();
        let written = self.tables.finish()?;
        let tallies = self.tallies.into_iter();
        report.rows = tallies
            .map(|(name, tally)| (name.to_owned(), tally))
            .collect();
        report.defects = self.defects.report();
        Ok(Sunk {
            report,
            range,
            written,
            namespaces,
        })
    }
}

/// Whether the source mixes several series, and by which rule they are told apart.
fn several(part: &Part) -> Option<&'static Rule> {
    match &part.sheet.rows {
        Rows::Long(long) => long.several,
        _ => None,
    }
}
