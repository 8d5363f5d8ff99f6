//! Whether a snapshot is what its manifest says and its tables agree with each other.

use std::collections::{BTreeMap, BTreeSet};

use arrow::row::{OwnedRow, RowConverter, SortField};

use crate::error::{Result, SnapshotError};
use crate::files;
use crate::rows::{
    Coverage, LogInstance, LogLine, MetricSample, MetricSeries, ObjectVersion, Row, Span,
};
use crate::schema::Table;
use crate::snapshot::Snapshot;
use crate::writer::Visibility;

use super::{Check, Found, check};

pub(super) fn checks(snapshot: &Snapshot) -> Vec<Check> {
    vec![
        check("checksums", || checksums(snapshot)),
        check("schemas", || schemas(snapshot)),
        check("rows", || rows(snapshot)),
        check("sort order", || sort_order(snapshot)),
        check("object intervals", || object_intervals(snapshot)),
        check("log sequence", || log_sequence(snapshot)),
        check("samples", || samples(snapshot)),
        check("spans", || spans(snapshot)),
        check("coverage", || coverage(snapshot)),
        check("recorders", || recorders(snapshot)),
        check("logical digest", || {
            Ok(Found::Fine(snapshot.computed_digest()?))
        }),
    ]
}

fn kinds(snapshot: &Snapshot) -> &'static [Visibility] {
    if snapshot.has_withheld() {
        &Visibility::ALL
    } else {
        &[Visibility::Visible]
    }
}

/// Calls `see` with every row of a table, without holding the table.
fn each<R: Row>(snapshot: &Snapshot, visibility: Visibility, mut see: impl FnMut(R)) -> Result<()> {
    for batch in snapshot.batches(visibility, R::TABLE)? {
        let path = || snapshot.dir().join(visibility.file(R::TABLE));
        let rows = R::from_batch(&batch?).map_err(|source| SnapshotError::Rows {
            path: path(),
            source,
        })?;
        rows.into_iter().for_each(&mut see);
    }
    Ok(())
}

fn checksums(snapshot: &Snapshot) -> Result<Found> {
    let mut problems = Vec::new();
    let mut count = 0;
    for visibility in kinds(snapshot) {
        for (name, entry) in snapshot.listed(*visibility) {
            let (bytes, sha256) = files::measure(&snapshot.fetched(*visibility, name.as_ref())?)?;
            count += 1;
            if (bytes, &sha256) != (entry.bytes, &entry.sha256) {
                problems.push(format!("{name} has another checksum"));
            }
        }
    }
    Ok(Found::of(problems, || format!("{count} files")))
}

fn schemas(snapshot: &Snapshot) -> Result<Found> {
    for visibility in kinds(snapshot) {
        for table in Table::ALL {
            snapshot.check_table(*visibility, table)?;
        }
    }
    Ok(Found::Fine(format!("{} tables", Table::ALL.len())))
}

fn rows(snapshot: &Snapshot) -> Result<Found> {
    let mut problems = Vec::new();
    let mut total = 0;
    for visibility in kinds(snapshot) {
        for table in Table::ALL {
            let mut rows = 0;
            for batch in snapshot.batches(*visibility, table)? {
                rows += batch?.num_rows() as u64;
            }
            total += rows;
            let file = visibility.file(table);
            let listed = snapshot.listed(*visibility).get(file.as_str());
            let listed = listed.map_or(0, |entry| entry.rows);
            if rows != listed {
                problems.push(format!(
                    "{file} has {rows} rows, the manifest says {listed}"
                ));
            }
        }
    }
    Ok(Found::of(problems, || format!("{total} rows")))
}

fn sort_order(snapshot: &Snapshot) -> Result<Found> {
    let mut problems = Vec::new();
    for visibility in kinds(snapshot) {
        for table in Table::ALL {
            if let Some(row) = first_unsorted(snapshot, *visibility, table)? {
                problems.push(format!(
                    "{} row {row} is out of order",
                    visibility.file(table)
                ));
            }
        }
    }
    Ok(Found::of(problems, || "every table".to_owned()))
}

fn first_unsorted(
    snapshot: &Snapshot,
    visibility: Visibility,
    table: Table,
) -> Result<Option<usize>> {
    let path = snapshot.dir().join(visibility.file(table));
    let failed = |cause| SnapshotError::reading(&path, cause);
    let schema = table.schema();
    let keys = table.sort_columns();
    let fields = keys
        .iter()
        .filter_map(|name| schema.field_with_name(name).ok())
        .map(|field| SortField::new(field.data_type().clone()))
        .collect();
    let converter = RowConverter::new(fields).map_err(failed)?;
    let mut last: Option<OwnedRow> = None;
    let mut index = 0;
    for batch in snapshot.batches(visibility, table)? {
        let batch = batch?;
        let columns: Vec<_> = keys
            .iter()
            .filter_map(|name| batch.column_by_name(name).cloned())
            .collect();
        let rows = converter.convert_columns(&columns).map_err(failed)?;
        for row in &rows {
            if last.as_ref().is_some_and(|last| last.row() > row) {
                return Ok(Some(index));
            }
            last = Some(row.owned());
            index += 1;
        }
    }
    Ok(None)
}

fn object_intervals(snapshot: &Snapshot) -> Result<Found> {
    let mut problems = Vec::new();
    let mut count: usize = 0;
    for visibility in kinds(snapshot) {
        // End of the last version of an identity; none while it is open.
        let mut ends: BTreeMap<[String; 5], Option<i64>> = BTreeMap::new();
        each(snapshot, *visibility, |row: ObjectVersion| {
            count += 1;
            let name = format!(
                "{} {}/{} seq {}",
                row.resource, row.namespace, row.name, row.seq
            );
            if row.valid_to.is_some_and(|end| end < row.valid_from) {
                problems.push(format!("{name} ends before it begins"));
            }
            let identity = [row.group, row.resource, row.namespace, row.name, row.uid];
            if let Some(end) = ends.insert(identity, row.valid_to)
                && end.is_none_or(|end| end > row.valid_from)
            {
                problems.push(format!("{name} overlaps the version before it"));
            }
        })?;
    }
    Ok(Found::of(problems, || format!("{count} versions")))
}

fn log_sequence(snapshot: &Snapshot) -> Result<Found> {
    let mut problems = Vec::new();
    let mut instances = BTreeSet::new();
    // First and last position and number of lines per instance.
    let mut seen: BTreeMap<u64, (u64, u64, u64)> = BTreeMap::new();
    for visibility in kinds(snapshot) {
        each(snapshot, *visibility, |row: LogInstance| {
            instances.insert(row.instance_id);
        })?;
        each(snapshot, *visibility, |row: LogLine| {
            let (first, last, lines) = seen.entry(row.instance_id).or_insert((row.seq, row.seq, 0));
            (*first, *last, *lines) = ((*first).min(row.seq), (*last).max(row.seq), *lines + 1);
        })?;
    }
    let may_have_gaps = !snapshot.has_withheld();
    for (instance, (first, last, lines)) in &seen {
        if !instances.contains(instance) {
            problems.push(format!("lines of an unknown instance {instance}"));
        }
        if !may_have_gaps && last - first + 1 != *lines {
            problems.push(format!(
                "instance {instance} has {lines} lines from {first} to {last}"
            ));
        }
    }
    Ok(Found::of(problems, || {
        format!("{} instances with lines", seen.len())
    }))
}

fn samples(snapshot: &Snapshot) -> Result<Found> {
    let mut problems = Vec::new();
    let mut count: usize = 0;
    for visibility in kinds(snapshot) {
        let mut series = BTreeSet::new();
        each(snapshot, *visibility, |row: MetricSeries| {
            series.insert(row.series_id);
        })?;
        let mut last = None;
        each(snapshot, *visibility, |row: MetricSample| {
            count += 1;
            let known = series.contains(&row.series_id);
            if !known && last.is_none_or(|(id, _)| id != row.series_id) {
                problems.push(format!("samples of an unknown series {}", row.series_id));
            }
            let key = (row.series_id, row.timestamp);
            if last.is_some_and(|last| last >= key) {
                problems.push(format!("series {} has two samples at {}", key.0, key.1));
            }
            last = Some(key);
        })?;
    }
    Ok(Found::of(problems, || format!("{count} samples")))
}

fn spans(snapshot: &Snapshot) -> Result<Found> {
    let mut problems = Vec::new();
    let mut count: usize = 0;
    for visibility in kinds(snapshot) {
        each(snapshot, *visibility, |row: Span| {
            count += 1;
            if row.end < row.start {
                problems.push(format!("span {} ends before it starts", row.span_id));
            }
        })?;
    }
    Ok(Found::of(problems, || format!("{count} spans")))
}

fn coverage(snapshot: &Snapshot) -> Result<Found> {
    let mut problems = Vec::new();
    let mut covered = BTreeSet::new();
    each(snapshot, Visibility::Visible, |row: Coverage| {
        if !["recorded", "partial", "missing", "withheld"].contains(&row.state.as_str()) {
            problems.push(format!("unknown state {} of {}", row.state, row.table));
        }
        if row.to < row.from {
            problems.push(format!("coverage of {} ends before it begins", row.table));
        }
        covered.insert(row.table);
    })?;
    for table in Table::ALL
        .into_iter()
        .filter(|table| *table != Table::Coverage)
    {
        if !covered.contains(table.name()) {
            problems.push(format!(
                "nothing tells whether {} was recorded",
                table.name()
            ));
        }
    }
    Ok(Found::of(problems, || format!("{} tables", covered.len())))
}

fn recorders(snapshot: &Snapshot) -> Result<Found> {
    let mut problems = Vec::new();
    let recorders = &snapshot.manifest().recorders;
    for (name, counts) in recorders {
        let accounted = counts.written + counts.redacted + counts.withheld + counts.lost;
        if counts.offered != accounted {
            problems.push(format!(
                "{name} was offered {} and tells of {accounted}",
                counts.offered
            ));
        }
        if counts.lost > 0 {
            problems.push(format!("{name} lost {}", counts.lost));
        }
    }
    Ok(Found::of(problems, || {
        format!("{} recorders lost nothing", recorders.len())
    }))
}
