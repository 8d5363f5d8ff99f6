//! From the streams of a recording to the files of a snapshot.

use std::collections::BTreeMap;

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::compute::{max, min};
use arrow::datatypes::{DataType, TimeUnit, TimestampMillisecondType, TimestampNanosecondType};
use camino::Utf8Path;
use jiff::Timestamp;

use crate::error::{Result, SnapshotError};
use crate::files;
use crate::manifest::{
    FileEntry, FormatVersion, Manifest, ManifestDraft, Observed, SnapshotId, State, WITHHELD_FILES,
};
use crate::probes::PROBES_FILE;
use crate::rows::{Coverage, LogInstance, ObjectVersion, Row};
use crate::schema::Table;

use super::intervals::Intervals;
use super::numbering::Numbering;
use super::parquet_file::ParquetFile;
use super::segment::{SegmentReader, SegmentWriter};
use super::sort::{Limits, sort, sort_by};
use super::{
    DRAFT_NOTE, LineOrder, NOTES, QUARANTINE_FILE, RECORDING, Visibility, WITHHELD, document,
    segment_path,
};

pub(super) fn finish(
    dir: &Utf8Path,
    draft: ManifestDraft,
    state: State,
    order: LineOrder,
) -> Result<Manifest> {
    let mut range = Range::default();
    let mut listed: BTreeMap<Visibility, BTreeMap<String, FileEntry>> = BTreeMap::new();
    for visibility in Visibility::ALL {
        let entries = listed.entry(visibility).or_default();
        for table in Table::ALL {
            let entry = write_table(dir, visibility, table, order, &mut range)?;
            entries.insert(visibility.file(table).into_string(), entry);
        }
    }
    carry_notes_over(dir)?;
    list_withheld(
        dir,
        listed.remove(&Visibility::Withheld).unwrap_or_default(),
    )?;
    let observed = draft.observed.unwrap_or_else(|| range.observed());
    let manifest = Manifest {
        format_version: FormatVersion::current(),
        snapshot: SnapshotId::from_seed(&draft.seed),
        application: draft.application,
        namespaces: draft.namespaces,
        service_label: draft.service_label,
        versions: draft.versions,
        clock_offsets: draft.clock_offsets,
        observed,
        end: draft.end.unwrap_or(observed.to),
        state,
        files: listed.remove(&Visibility::Visible).unwrap_or_default(),
        withheld_files: BTreeMap::new(),
        redaction: draft.redaction,
        recorders: draft.recorders,
        settings: draft.settings,
    };
    manifest.write(dir)?;
    files::remove_folder(&dir.join(RECORDING))?;
    Ok(manifest)
}

/// Writes the list of what is withheld: the tables, and the documents beside them.
fn list_withheld(dir: &Utf8Path, mut listed: BTreeMap<String, FileEntry>) -> Result<()> {
    for name in files::list(&dir.join(WITHHELD))? {
        let is_document =
            name.ends_with(".json") || [PROBES_FILE, QUARANTINE_FILE].contains(&name.as_str());
        if is_document && name != document(WITHHELD_FILES)? {
            let path = Utf8Path::new(WITHHELD).join(name);
            let (bytes, sha256) = files::measure(&dir.join(&path))?;
            let rows = 0;
            let entry = FileEntry {
                rows,
                bytes,
                sha256,
            };
            listed.insert(path.into_string(), entry);
        }
    }
    let path = dir.join(WITHHELD).join(document(WITHHELD_FILES)?);
    let json = |cause| SnapshotError::Json {
        path: path.clone(),
        cause,
    };
    files::write_json(&path, &serde_json::to_value(listed).map_err(json)?)
}

/// The latest recorded moment of an unfinished recording.
pub(super) fn latest(dir: &Utf8Path) -> Result<Option<Timestamp>> {
    let mut range = Range::default();
    for table in Table::ALL {
        for batch in SegmentReader::open(&segment_path(dir, Visibility::Visible, table))? {
            range.see(table, &batch?);
        }
    }
    Ok(range
        .to
        .and_then(|moment| Timestamp::from_nanosecond(moment.into()).ok()))
}

/// Until when the recorders of an unfinished recording said that they covered something; none if
/// they did not come to it.
pub(super) fn covered(dir: &Utf8Path) -> Result<Option<Timestamp>> {
    let path = segment_path(dir, Visibility::Visible, Table::Coverage);
    let mut until = None;
    for batch in SegmentReader::open(&path)? {
        let rows = Coverage::from_batch(&batch?).map_err(|source| SnapshotError::Rows {
            path: path.clone(),
            source,
        })?;
        until = until.max(rows.iter().map(|row| row.to).max());
    }
    Ok(until.and_then(|until| Timestamp::from_nanosecond(until.into()).ok()))
}

/// Writes coverage for a capture that died before its recorders said what they covered: what had
/// begun, up to the end; every other table that has rows was recorded in part.
pub(super) fn cover_what_is_there(
    dir: &Utf8Path,
    observed: Option<Observed>,
    begun: Vec<Coverage>,
) -> Result<()> {
    let segment = |table| segment_path(dir, Visibility::Visible, table);
    let has_rows = |table| -> Result<bool> {
        for batch in SegmentReader::open(&segment(table))? {
            if batch?.num_rows() > 0 {
                return Ok(true);
            }
        }
        Ok(false)
    };
    let Some(observed) = observed else {
        return Ok(());
    };
    let nanoseconds = |time: Timestamp| i64::try_from(time.as_nanosecond()).unwrap_or(i64::MAX);
    let to = nanoseconds(observed.to);
    let mut rows: Vec<Coverage> = begun
        .into_iter()
        .map(|row| Coverage { to, ..row })
        .collect();
    for table in Table::ALL {
        if table == Table::Coverage || rows.iter().any(|row| row.table == table.name()) {
            continue;
        }
        let state = if has_rows(table)? {
            "partial"
        } else {
            "missing"
        };
        rows.push(Coverage {
            table: table.name().to_owned(),
            source: "salvage".to_owned(),
            scope: String::new(),
            from: nanoseconds(observed.from),
            to,
            state: state.to_owned(),
            reason: Some("the capture died".to_owned()),
            from_is_source_start: false,
        });
    }
    let mut writer = SegmentWriter::new(Table::Coverage, segment(Table::Coverage));
    writer.append(&Coverage::to_batch(&rows))?;
    writer.close()
}

/// Keeps what is known most of an instance: recorders write it when they meet it and again when it is over.
///
/// Hands back the one before as soon as the next one begins.
fn last_known(known: &mut Option<LogInstance>, row: LogInstance) -> Option<LogInstance> {
    let knows = |row: &LogInstance| (row.finished.is_some(), row.first_line_kept, row.started);
    match known {
        Some(before) if before.instance_id == row.instance_id => {
            if knows(&row) > knows(before) {
                *before = row;
            }
            None
        }
        _ => known.replace(row),
    }
}

fn write_table(
    dir: &Utf8Path,
    visibility: Visibility,
    table: Table,
    order: LineOrder,
    range: &mut Range,
) -> Result<FileEntry> {
    let limits = Limits::DEFAULT;
    let segment = segment_path(dir, visibility, table);
    let spill = dir.join(RECORDING).join("sort").join(table.name());
    let mut file = ParquetFile::create(&dir.join(visibility.file(table)), table)?;
    if table == Table::ObjectVersions {
        let mut intervals = Intervals::default();
        sort(table, &segment, &spill, limits, |batch| {
            range.see(table, &batch);
            let rows = ObjectVersion::from_batch(&batch).map_err(|source| SnapshotError::Rows {
                path: segment.clone(),
                source,
            })?;
            let closed: Vec<_> = rows
                .into_iter()
                .flat_map(|row| intervals.push(row))
                .collect();
            file.write(&ObjectVersion::to_batch(&closed))
        })?;
        file.write(&ObjectVersion::to_batch(&intervals.finish()))?;
    } else if table == Table::LogInstances {
        let mut known: Option<LogInstance> = None;
        sort(table, &segment, &spill, limits, |batch| {
            let rows = LogInstance::from_batch(&batch).map_err(|source| SnapshotError::Rows {
                path: segment.clone(),
                source,
            })?;
            let last_known: Vec<_> = rows
                .into_iter()
                .filter_map(|row| last_known(&mut known, row))
                .collect();
            file.write(&LogInstance::to_batch(&last_known))
        })?;
        file.write(&LogInstance::to_batch(
            &known.into_iter().collect::<Vec<_>>(),
        ))?;
    } else if table == Table::LogLines && order == LineOrder::ByTime {
        let mut numbering = Numbering::default();
        let keys = Numbering::SORT_COLUMNS;
        sort_by(table, keys, &segment, &spill, limits, |batch| {
            range.see(table, &batch);
            file.write(&numbering.number(&batch, &segment)?)
        })?;
    } else {
        sort(table, &segment, &spill, limits, |batch| {
            if visibility == Visibility::Visible {
                range.see(table, &batch);
            }
            file.write(&batch)
        })?;
    }
    file.finish()
}

fn carry_notes_over(dir: &Utf8Path) -> Result<()> {
    let notes = dir.join(RECORDING).join(NOTES);
    for name in files::list(&notes)? {
        let target = dir.join(WITHHELD).join(&name);
        let is_document = name.ends_with(".json") && name != format!("{DRAFT_NOTE}.json");
        if is_document && !target.exists() {
            files::write_json(&target, &files::read_json(&notes.join(&name))?)?;
        }
    }
    Ok(())
}

/// The earliest and latest moment that rows tell of, in nanoseconds.
#[derive(Debug, Default)]
struct Range {
    from: Option<i64>,
    to: Option<i64>,
}

impl Range {
    fn see(&mut self, table: Table, batch: &RecordBatch) {
        // Columns that say when something was seen; objects and log lines may be much older.
        let column = match table {
            Table::MetricSamples | Table::LogLines | Table::Usage => "timestamp",
            Table::Spans => "end",
            Table::ObjectVersions => "observed",
            Table::Exec => "asked",
            _ => return,
        };
        let Some(times) = batch.column_by_name(column) else {
            return;
        };
        let (first, last) = match times.data_type() {
            DataType::Timestamp(TimeUnit::Millisecond, _) => {
                let times = times.as_primitive::<TimestampMillisecondType>();
                let nanoseconds = |moment: i64| moment.saturating_mul(1_000_000);
                (min(times).map(nanoseconds), max(times).map(nanoseconds))
            }
            _ => {
                let times = times.as_primitive::<TimestampNanosecondType>();
                (min(times), max(times))
            }
        };
        if table != Table::LogLines {
            self.from = [self.from, first].into_iter().flatten().min();
        }
        self.to = [self.to, last].into_iter().flatten().max();
    }

    fn observed(&self) -> Observed {
        let moment = |nanoseconds: Option<i64>| {
            Timestamp::from_nanosecond(nanoseconds.unwrap_or(0).into()).unwrap_or_default()
        };
        Observed {
            from: moment(self.from.or(self.to)),
            to: moment(self.to),
        }
    }
}
