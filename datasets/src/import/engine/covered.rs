//! What of an incident was recorded: stretches of time per table, and nothing of all other tables.

use std::collections::BTreeMap;

use crate::rows::Coverage;
use crate::schema::Table;

/// The times of the rows that were taken.
#[derive(Debug, Default)]
pub(super) struct Covered {
    stretches: BTreeMap<(&'static str, u32), (i64, i64)>,
    partial: BTreeMap<&'static str, &'static str>,
    from: Option<i64>,
    end: Option<i64>,
}

impl Covered {
    /// A row of a table from a time to another.
    pub(super) fn see(&mut self, table: Table, stretch: u32, from: i64, to: i64) {
        let times = self
            .stretches
            .entry((table.name(), stretch))
            .or_insert((from, to));
        *times = (times.0.min(from), times.1.max(to));
        self.from = Some(self.from.map_or(from, |first| first.min(from)));
        self.end = Some(self.end.map_or(to, |last| last.max(to)));
    }

    /// A table holds not all that there was.
    pub(super) fn partial(&mut self, table: Table, reason: Option<&'static str>) {
        if let Some(reason) = reason {
            self.partial.insert(table.name(), reason);
        }
    }

    /// The first and the last moment; none: nothing was taken.
    pub(super) fn range(&self) -> Option<(i64, i64)> {
        self.from.zip(self.end)
    }

    /// Two tables that have no time in common, if there are such.
    pub(super) fn disjoint(&self) -> Option<(&'static str, &'static str)> {
        let mut ranges: BTreeMap<&'static str, (i64, i64)> = BTreeMap::new();
        for ((table, _), (from, to)) in &self.stretches {
            let range = ranges.entry(table).or_insert((*from, *to));
            *range = (range.0.min(*from), range.1.max(*to));
        }
        let all: Vec<_> = ranges.into_iter().collect();
        all.iter().enumerate().find_map(|(index, (one, a))| {
            let others = all.get(index + 1..).unwrap_or_default().iter();
            let mut apart = others.filter(|(_, b)| a.1 < b.0 || b.1 < a.0);
            apart.next().map(|(other, _)| (*one, *other))
        })
    }

    /// The rows of the coverage. A table's last stretch reaches to the end of the recording: sources
    /// don't tell where they stopped to look.
    pub(super) fn rows(&self) -> Vec<Coverage> {
        let Some((from, end)) = self.range() else {
            return Vec::new();
        };
        let row = |table: Table, times: (i64, i64), state: &str, reason: Option<&str>| Coverage {
            table: table.name().to_owned(),
            source: super::SOURCE.to_owned(),
            scope: String::new(),
            from: times.0,
            to: times.1,
            state: state.to_owned(),
            reason: reason.map(str::to_owned),
            from_is_source_start: false,
        };
        let mut rows = Vec::new();
        for (data, beside) in [
            (Table::LogLines, &[Table::LogInstances][..]),
            (Table::Spans, &[]),
            (
                Table::MetricSamples,
                &[Table::MetricSeries, Table::MetricMetadata],
            ),
        ] {
            let stretches = self.stretches.iter();
            let mut stretches: Vec<_> = stretches
                .filter(|((table, _), _)| *table == data.name())
                .map(|(_, times)| *times)
                .collect();
            stretches.sort_unstable();
            if let Some(last) = stretches.last_mut() {
                last.1 = end;
            }
            for table in [&[data][..], beside].concat() {
                if stretches.is_empty() {
                    let reason = Some("the source has none");
                    rows.push(row(table, (from, end), "missing", reason));
                }
                let partial = self.partial.get(data.name()).copied();
                let state = if partial.is_some() {
                    "partial"
                } else {
                    "recorded"
                };
                for times in &stretches {
                    rows.push(row(table, *times, state, partial));
                }
            }
        }
        for table in [
            Table::ObjectVersions,
            Table::ObjectApi,
            Table::Usage,
            Table::Exec,
        ] {
            let reason = Some("the source has none");
            rows.push(row(table, (from, end), "missing", reason));
        }
        rows
    }
}
