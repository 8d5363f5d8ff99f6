//! What is known of the traces of an incident as a whole: orphans, roots, and how the clocks of spans
//! and log lines compare.
//!
//! Of a span only its ids are kept.

use std::collections::BTreeMap;

use camino::Utf8Path;

use super::defects::{Defects, Notes, rules};
use super::item::OneSpan;
use super::spilled::Spilled;
use crate::error::Result;

/// Further apart, one of two clocks is wrong (ms).
const SKEW: i64 = 60_000;

#[derive(Debug)]
pub(super) struct Traces {
    /// By trace and span: whether there is such a span, and how many say that they are its children.
    spans: Spilled<(u128, u64), (bool, u32)>,
    /// By trace: its roots, the start of its first span, and the time of its first log line (ns).
    traces: Spilled<u128, (u32, Option<i64>, Option<i64>)>,
}

impl Traces {
    /// Of an incident for which there is a folder for files that are needed meanwhile.
    pub(super) fn new(scratch: &Utf8Path) -> Self {
        Self {
            spans: Spilled::new(scratch.join("spans.redb")),
            traces: Spilled::new(scratch.join("traces.redb")),
        }
    }

    pub(super) fn see(&mut self, span: &OneSpan, notes: &mut Notes) -> Result<()> {
        let own = (span.trace, span.span);
        if self
            .spans
            .update(own, |(is_there, _)| std::mem::replace(is_there, true))?
        {
            notes.note(&rules::REUSED_SPAN_ID);
        }
        if let Some(parent) = span.parent {
            self.spans
                .update((span.trace, parent), |(_, children)| *children += 1)?;
        }
        self.traces.update(span.trace, |(roots, start, _)| {
            *roots += u32::from(span.parent.is_none());
            *start = earlier(*start, span.start);
        })
    }

    pub(super) fn see_log(&mut self, trace: u128, time: i64) -> Result<()> {
        self.traces
            .update(trace, |(.., line)| *line = earlier(*line, time))
    }

    /// Adds what is wrong to the defects; hands back how many milliseconds the log lines' clock is
    /// after that of the spans: the median, over the traces that have both, of the time from a trace's first span
    /// to its first line.
    pub(super) fn judge(&self, defects: &mut Defects) -> Result<Option<i64>> {
        let mut orphans = 0;
        self.spans.for_each(|(is_there, children)| {
            orphans += if is_there { 0 } else { u64::from(children) };
        })?;
        let (mut several, mut without) = (0, 0);
        // How many traces have an offset: as many as there are milliseconds, not as there are traces.
        let mut offsets: BTreeMap<i64, u64> = BTreeMap::new();
        self.traces.for_each(|(roots, start, line)| {
            let Some(start) = start else {
                return;
            };
            several += u64::from(roots > 1);
            without += u64::from(roots == 0);
            if let Some(line) = line {
                let offset = line.saturating_sub(start) / 1_000_000;
                *offsets.entry(offset).or_default() += 1;
            }
        })?;
        let place = "all files of spans together";
        defects.add(&rules::ORPHAN_SPAN, orphans, place);
        defects.add(&rules::SEVERAL_ROOTS, several, place);
        defects.add(&rules::NO_ROOT, without, place);
        let all: u64 = offsets.values().sum();
        let mut before = 0;
        let median = offsets.iter().find_map(|(offset, count)| {
            before += count;
            (before > all / 2).then_some(*offset)
        });
        if let Some(median) = median.filter(|median| median.abs() > SKEW) {
            let place = format!("{median} ms, in {all} traces");
            defects.add(&rules::CLOCK_SKEW, all, &place);
        }
        Ok(median)
    }
}

fn earlier(known: Option<i64>, time: i64) -> Option<i64> {
    Some(known.map_or(time, |known| known.min(time)))
}
