//! A recording as it would be if it had ended at a moment.

use aiopslab_datasets::manifest::{ManifestDraft, Observed};
use aiopslab_datasets::rows::{
    Coverage, Exec, LogInstance, LogLine, MetricMetadata, MetricSample, MetricSeries, ObjectApi,
    ObjectVersion, Row, Span, Usage,
};
use aiopslab_datasets::writer::{SnapshotWriter, Visibility};
use aiopslab_datasets::{Manifest, Snapshot};
use camino::Utf8Path;
use jiff::Timestamp;

/// How many moments of each recording are tried; `AIOPSLAB_MOMENTS` sets another number.
const MOMENTS: usize = 2;

/// Writes a copy without anything that is later than `now`.
pub(crate) fn at(snapshot: &Snapshot, now: i64, dir: &Utf8Path) -> Snapshot {
    let writer = SnapshotWriter::create(dir).unwrap();
    let masked = |to: Option<i64>| to.filter(|to| *to <= now);
    let millis = now.div_euclid(1_000_000);
    keep(snapshot, &writer, |row: &mut Coverage| {
        row.to = row.to.min(now);
        row.from <= now
    });
    keep(snapshot, &writer, |row: &mut MetricSeries| {
        row.first <= millis
    });
    keep(snapshot, &writer, |row: &mut MetricSample| {
        row.timestamp <= millis
    });
    keep(snapshot, &writer, |row: &mut MetricMetadata| {
        row.valid_to = masked(row.valid_to);
        row.valid_from <= now
    });
    keep(snapshot, &writer, |row: &mut LogInstance| {
        if row.finished.is_some_and(|finished| finished > now) {
            (row.finished, row.exit_code, row.reason) = (None, None, None);
        }
        row.started.is_none_or(|started| started <= now)
    });
    keep(snapshot, &writer, |row: &mut LogLine| row.timestamp <= now);
    keep(snapshot, &writer, |row: &mut Span| row.end <= now);
    keep(snapshot, &writer, |row: &mut ObjectVersion| {
        row.valid_to = masked(row.valid_to);
        row.valid_from <= now
    });
    keep(snapshot, &writer, |row: &mut ObjectApi| {
        row.valid_to = masked(row.valid_to);
        row.valid_from <= now
    });
    keep(snapshot, &writer, |row: &mut Usage| row.timestamp <= now);
    keep(snapshot, &writer, |row: &mut Exec| row.asked <= now);
    writer.finish(draft(snapshot.manifest(), now)).unwrap();
    Snapshot::open(dir).unwrap()
}

fn keep<R: Row>(
    snapshot: &Snapshot,
    writer: &SnapshotWriter,
    mut keeps: impl FnMut(&mut R) -> bool,
) {
    let mut rows: Vec<R> = snapshot.read_rows().unwrap();
    rows.retain_mut(|row| keeps(row));
    writer.append_rows(Visibility::Visible, &rows).unwrap();
}

/// Writes every visible row.
pub(crate) fn copy(snapshot: &Snapshot, writer: &SnapshotWriter) {
    copy_with(snapshot, writer, |_| {});
}

/// Writes every visible row, each log line as it is altered.
pub(crate) fn copy_with(
    snapshot: &Snapshot,
    writer: &SnapshotWriter,
    mut alter: impl FnMut(&mut LogLine),
) {
    keep(snapshot, writer, |_: &mut Coverage| true);
    keep(snapshot, writer, |_: &mut MetricSeries| true);
    keep(snapshot, writer, |_: &mut MetricSample| true);
    keep(snapshot, writer, |_: &mut MetricMetadata| true);
    keep(snapshot, writer, |_: &mut LogInstance| true);
    keep(snapshot, writer, |line: &mut LogLine| {
        alter(line);
        true
    });
    keep(snapshot, writer, |_: &mut Span| true);
    keep(snapshot, writer, |_: &mut ObjectVersion| true);
    keep(snapshot, writer, |_: &mut ObjectApi| true);
    keep(snapshot, writer, |_: &mut Usage| true);
    keep(snapshot, writer, |_: &mut Exec| true);
}

/// A manifest like another's, but for where the recording ends.
pub(crate) fn draft(manifest: &Manifest, now: i64) -> ManifestDraft {
    let now = Timestamp::from_nanosecond(now.into()).unwrap();
    ManifestDraft {
        seed: "truncated".to_owned(),
        application: manifest.application.clone(),
        namespaces: manifest.namespaces.clone(),
        service_label: manifest.service_label.clone(),
        versions: manifest.versions.clone(),
        clock_offsets: manifest.clock_offsets.clone(),
        observed: Some(Observed {
            from: manifest.observed.from,
            to: now,
        }),
        end: Some(now),
        redaction: manifest.redaction.clone(),
        recorders: manifest.recorders.clone(),
        settings: manifest.settings.clone(),
        ..ManifestDraft::default()
    }
}

/// Moments of a recording: some anywhere, some at the very time of a row, where an order that is
/// off by one shows.
pub(crate) struct Moments {
    moments: std::vec::IntoIter<i64>,
}

impl Moments {
    pub(crate) fn of(snapshot: &Snapshot) -> Self {
        let manifest = snapshot.manifest();
        let nanoseconds = |time: Timestamp| i64::try_from(time.as_nanosecond()).unwrap();
        let (from, to) = (
            nanoseconds(manifest.observed.from),
            nanoseconds(manifest.end),
        );
        let mut rows: Vec<i64> = Vec::new();
        rows.extend(
            snapshot
                .read_rows()
                .unwrap()
                .iter()
                .map(|row: &LogLine| row.timestamp),
        );
        rows.extend(
            snapshot
                .read_rows()
                .unwrap()
                .iter()
                .map(|row: &Span| row.end),
        );
        rows.extend(
            snapshot
                .read_rows()
                .unwrap()
                .iter()
                .map(|row: &ObjectVersion| row.valid_from),
        );
        rows.extend(
            snapshot
                .read_rows()
                .unwrap()
                .iter()
                .map(|row: &MetricSample| row.timestamp * 1_000_000),
        );
        rows.retain(|time| *time > from && *time <= to);
        // The same moments each time, others for each snapshot.
        let mut state = u64::from_str_radix(manifest.snapshot.as_str(), 16).unwrap();
        let mut next = move |most: usize| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            usize::try_from(state >> 33).unwrap() % most
        };
        let mut moments = Vec::new();
        let wanted = std::env::var("AIOPSLAB_MOMENTS").ok();
        let wanted = wanted.map_or(MOMENTS, |number| number.parse().unwrap());
        for number in 0..wanted {
            let moment = match number % 3 {
                0 => from + i64::try_from(next(usize::try_from(to - from).unwrap())).unwrap(),
                1 => rows[next(rows.len())],
                _ => rows[next(rows.len())] - 1,
            };
            moments.push(moment);
        }
        Self {
            moments: moments.into_iter(),
        }
    }
}

impl Iterator for Moments {
    type Item = i64;

    fn next(&mut self) -> Option<i64> {
        self.moments.next()
    }
}
