//! A recording as an agent sees it at its `end`: what came later is left out, and nothing tells that it came.
//!
//! What can be asked at `end` is answered as before. Rows of `exec` stay whenever they were asked, as recorders ask
//! after `end`: an answer of validity `instance` holds as long as its container lives, and of others a replay tells
//! the form only. Only those of containers that started later go.

use std::collections::{BTreeMap, BTreeSet};

use camino::Utf8Path;
use jiff::Timestamp;
use serde_json::json;

use crate::error::{Result, SnapshotError};
use crate::files;
use crate::manifest::{ManifestDraft, Observed, Redaction};
use crate::rows::{
    Coverage, Exec, LogInstance, LogLine, MetricMetadata, MetricSample, MetricSeries, ObjectApi,
    ObjectVersion, Row, Span, Usage,
};
use crate::snapshot::Snapshot;
use crate::writer::{SnapshotWriter, Visibility, WITHHELD};

/// Writes what a snapshot shows at its end as a snapshot of its own, without `withheld/`.
///
/// The manifest counts no rows of recorders and no redacted values, since these counts are of hidden rows too, and
/// has no settings, since those of the workload may be the family's.
pub(super) fn at_end(snapshot: &Snapshot, dir: &Utf8Path, seed: String) -> Result<()> {
    let writer = SnapshotWriter::create(dir)?;
    visit(
        snapshot,
        &mut Copying {
            snapshot,
            writer: &writer,
        },
    )?;
    let manifest = snapshot.manifest();
    let draft = ManifestDraft {
        seed,
        application: manifest.application.clone(),
        namespaces: manifest.namespaces.clone(),
        service_label: manifest.service_label.clone(),
        versions: manifest.versions.clone(),
        clock_offsets: manifest.clock_offsets.clone(),
        observed: Some(Observed {
            from: manifest.observed.from,
            to: manifest.end,
        }),
        end: Some(manifest.end),
        redaction: Redaction {
            rules: manifest.redaction.rules.clone(),
            values: 0,
        },
        settings: json!({}),
        ..ManifestDraft::default()
    };
    writer.finish_copy(draft, manifest.state)?;
    files::remove_folder(&dir.join(WITHHELD))
}

/// How many rows of each table begin after a snapshot's end, or tell of a time after it.
///
/// # Errors
/// When the snapshot is damaged.
pub fn later_rows(snapshot: &Snapshot) -> Result<BTreeMap<&'static str, u64>> {
    let mut counting = Counting {
        snapshot,
        later: BTreeMap::new(),
    };
    visit(snapshot, &mut counting)?;
    Ok(counting.later)
}

/// What becomes of a row at the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum AtEnd {
    /// It is as it was.
    Same,
    /// It told of something later, and does no longer.
    Shortened,
    /// It is not there yet.
    Later,
}

/// Goes through the visible rows of tables.
trait Visit {
    fn table<R: Row>(&mut self, at_end: impl FnMut(&mut R) -> AtEnd) -> Result<()>;
}

/// Goes through every table with what becomes of its rows.
fn visit(snapshot: &Snapshot, visitor: &mut impl Visit) -> Result<()> {
    let end = nanoseconds(snapshot.manifest().end);
    let end_ms = end.div_euclid(1_000_000);
    let at = move |time: i64| match time > end {
        true => AtEnd::Later,
        false => AtEnd::Same,
    };
    let valid = move |from: i64, to: &mut Option<i64>| {
        if from > end {
            return AtEnd::Later;
        }
        match to.take_if(|moment| *moment > end) {
            Some(_) => AtEnd::Shortened,
            None => AtEnd::Same,
        }
    };
    visitor.table(|row: &mut Coverage| match row {
        _ if row.from > end => AtEnd::Later,
        _ if row.to > end => {
            row.to = end;
            AtEnd::Shortened
        }
        _ => AtEnd::Same,
    })?;
    let last = last_samples(snapshot, end_ms)?;
    visitor.table(|row: &mut MetricSeries| match row {
        _ if row.first > end_ms => AtEnd::Later,
        _ if row.last > end_ms => {
            row.last = last.get(&row.series_id).copied().unwrap_or(row.first);
            AtEnd::Shortened
        }
        _ => AtEnd::Same,
    })?;
    visitor.table(|row: &mut MetricSample| match row.timestamp > end_ms {
        true => AtEnd::Later,
        false => AtEnd::Same,
    })?;
    visitor.table(|row: &mut MetricMetadata| valid(row.valid_from, &mut row.valid_to))?;
    let mut started_later: BTreeSet<String> = BTreeSet::new();
    visitor.table(|row: &mut LogInstance| match row {
        _ if row.started.is_some_and(|started| started > end) => {
            started_later.insert(row.container_id.clone());
            AtEnd::Later
        }
        _ if row.finished.is_some_and(|finished| finished > end) => {
            (row.finished, row.exit_code, row.reason) = (None, None, None);
            AtEnd::Shortened
        }
        _ => AtEnd::Same,
    })?;
    visitor.table(|row: &mut LogLine| at(row.timestamp))?;
    visitor.table(|row: &mut Span| at(row.end))?;
    visitor.table(|row: &mut ObjectVersion| valid(row.valid_from, &mut row.valid_to))?;
    visitor.table(|row: &mut ObjectApi| valid(row.valid_from, &mut row.valid_to))?;
    visitor.table(|row: &mut Usage| at(row.timestamp))?;
    visitor.table(
        |row: &mut Exec| match started_later.contains(&row.container_id) {
            true => AtEnd::Later,
            false => AtEnd::Same,
        },
    )
}

/// The last sample of each series by a moment.
fn last_samples(snapshot: &Snapshot, end_ms: i64) -> Result<BTreeMap<u64, i64>> {
    let mut last: BTreeMap<u64, i64> = BTreeMap::new();
    each_batch(snapshot, |rows: Vec<MetricSample>| {
        for row in rows.iter().filter(|row| row.timestamp <= end_ms) {
            let known = last.entry(row.series_id).or_insert(row.timestamp);
            *known = row.timestamp.max(*known);
        }
        Ok(())
    })?;
    Ok(last)
}

struct Copying<'a> {
    snapshot: &'a Snapshot,
    writer: &'a SnapshotWriter,
}

impl Visit for Copying<'_> {
    fn table<R: Row>(&mut self, mut at_end: impl FnMut(&mut R) -> AtEnd) -> Result<()> {
        each_batch(self.snapshot, |mut rows: Vec<R>| {
            rows.retain_mut(|row| at_end(row) != AtEnd::Later);
            self.writer.append_rows(Visibility::Visible, &rows)
        })
    }
}

struct Counting<'a> {
    snapshot: &'a Snapshot,
    later: BTreeMap<&'static str, u64>,
}

impl Visit for Counting<'_> {
    fn table<R: Row>(&mut self, mut at_end: impl FnMut(&mut R) -> AtEnd) -> Result<()> {
        let mut later = 0;
        each_batch(self.snapshot, |mut rows: Vec<R>| {
            rows.retain_mut(|row| at_end(row) != AtEnd::Same);
            later += rows.len() as u64;
            Ok(())
        })?;
        if later > 0 {
            self.later.insert(R::TABLE.name(), later);
        }
        Ok(())
    }
}

/// Hands over the visible rows of a table, a batch at a time.
fn each_batch<R: Row>(
    snapshot: &Snapshot,
    mut take: impl FnMut(Vec<R>) -> Result<()>,
) -> Result<()> {
    for batch in snapshot.batches(Visibility::Visible, R::TABLE)? {
        let rows = R::from_batch(&batch?).map_err(|source| SnapshotError::Rows {
            path: snapshot.path(R::TABLE),
            source,
        })?;
        take(rows)?;
    }
    Ok(())
}

fn nanoseconds(time: Timestamp) -> i64 {
    i64::try_from(time.as_nanosecond()).unwrap_or(i64::MAX)
}
