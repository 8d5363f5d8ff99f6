//! What is known of the traces of an incident as a whole: orphans, roots, and how the clocks of spans
//! and log lines compare.
//!
//! Of a span only its ids are held.

use std::collections::{BTreeMap, HashSet};

use super::defects::{Defects, Notes, rules};
use super::item::OneSpan;

/// Further apart, one of two clocks is wrong (ms).
const SKEW: i64 = 60_000;

#[derive(Debug, Default)]
pub(super) struct Traces {
    spans: HashSet<(u128, u64)>,
    parents: Vec<(u128, u64)>,
    traces: BTreeMap<u128, Trace>,
    /// First log line of each trace.
    logs: BTreeMap<u128, i64>,
}

#[derive(Debug)]
struct Trace {
    roots: u32,
    start: i64,
}

impl Traces {
    pub(super) fn see(&mut self, span: &OneSpan, notes: &mut Notes) {
        if !self.spans.insert((span.trace, span.span)) {
            notes.note(&rules::REUSED_SPAN_ID);
        }
        let trace = self.traces.entry(span.trace).or_insert(Trace {
            roots: 0,
            start: span.start,
        });
        trace.start = trace.start.min(span.start);
        match span.parent {
            Some(parent) => self.parents.push((span.trace, parent)),
            None => trace.roots += 1,
        }
    }

    pub(super) fn see_log(&mut self, trace: u128, time: i64) {
        let first = self.logs.entry(trace).or_insert(time);
        *first = time.min(*first);
    }

    /// Adds what is wrong to the defects; hands back how many milliseconds the log lines' clock is
    /// after that of the spans: the median, over the traces that have both, of the time from a trace's first span
    /// to its first line.
    pub(super) fn judge(&self, defects: &mut Defects) -> Option<i64> {
        let orphans = self
            .parents
            .iter()
            .filter(|parent| !self.spans.contains(parent));
        let place = "all files of spans together";
        defects.add(&rules::ORPHAN_SPAN, orphans.count() as u64, place);
        let with = |are: fn(u32) -> bool| {
            let traces = self.traces.values();
            traces.filter(|trace| are(trace.roots)).count() as u64
        };
        defects.add(&rules::SEVERAL_ROOTS, with(|roots| roots > 1), place);
        defects.add(&rules::NO_ROOT, with(|roots| roots == 0), place);
        let mut offsets: Vec<i64> = self
            .logs
            .iter()
            .filter_map(|(id, line)| {
                let start = self.traces.get(id)?.start;
                Some(line.saturating_sub(start) / 1_000_000)
            })
            .collect();
        offsets.sort_unstable();
        let median = offsets.get(offsets.len() / 2).copied()?;
        if median.abs() > SKEW {
            let place = format!("{median} ms, in {} traces", offsets.len());
            defects.add(&rules::CLOCK_SKEW, offsets.len() as u64, &place);
        }
        Some(median)
    }
}
