//! Traces: which component spoils the largest share of the requests.
//!
//! Of SimpleRCA (Fang et al., "An Empirical Study of SOTA RCA Models: From Oversimplified Benchmarks to
//! Realistic Failures", arXiv 2510.04711) the rule for traces: an operation is slow beyond three times
//! the 95th percentile of the baseline. Which component a failed or slow request is blamed on is found
//! by going down its trace: from a span to the failed one below it, else to the slow one that takes
//! most of its time, and where the trace breaks off, to the component that used to answer there.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use super::change_point::{Grid, incidents, stable};
use super::statistics::{median, quantile};
use super::{FACTOR, Ranked, Window, ranked};

/// Share of the requests from which on a component is anomalous. The rule for slow requests looks at
/// the slowest twentieth of the baseline, so less than that can't be told from chance.
pub const ANOMALOUS: f64 = 0.05;

/// Spans that make a 95th percentile: one in twenty has to be above it.
const PERCENTILE_SPANS: usize = 20;

/// Short against an incident, long against a request; milliseconds.
const BIN_MS: i64 = 5_000;

/// Times its median that an operation takes when it counts as slow for the window's sake. There is no
/// baseline yet to compare with, and quick operations vary by a multiple.
const SLOW_MEDIANS: f64 = 5.0;

/// One span.
#[derive(Debug, Clone, PartialEq)]
pub struct Span {
    /// Its trace.
    pub trace: String,
    /// Its id.
    pub id: String,
    /// The span that it is part of.
    pub parent: Option<String>,
    /// Who did it.
    pub component: String,
    /// What.
    pub operation: String,
    /// Start, milliseconds since the epoch.
    pub start: i64,
    /// Length in milliseconds.
    pub duration: f64,
    /// Whether it failed.
    pub failed: bool,
}

/// Ranks the components by the share of the incident's requests that they spoil, beyond the baseline's.
#[must_use]
pub fn rank(table: &[Span], window: &Window) -> Vec<Ranked> {
    let forest = Forest::of(table);
    let usual = Usual::of(&forest, window);
    let before = spoilt(&forest, &usual, &window.baseline);
    let mut scores = spoilt(&forest, &usual, &window.fault);
    for (component, share) in before {
        *scores.entry(component).or_default() -= share;
    }
    ranked(scores)
}

/// Estimates the window: when the numbers of failed, slow and other spans change.
#[must_use]
pub fn window(table: &[Span]) -> Option<Window> {
    let spans = in_order(table);
    let first = spans.iter().map(|span| span.start).min()?;
    let last = spans.iter().map(|span| span.end()).max()?;
    let grid = Grid::over(first.saturating_sub(1), last, BIN_MS)?;
    let mut lengths: BTreeMap<(&str, &str), Vec<f64>> = BTreeMap::new();
    for span in &spans {
        lengths.entry(span.kind()).or_default().push(span.duration);
    }
    let slow: BTreeMap<(&str, &str), f64> = lengths
        .into_iter()
        .filter_map(|(kind, lengths)| Some((kind, SLOW_MEDIANS * median(&lengths)?)))
        .collect();
    // Per component: spans that failed, those that did not, and those that were slow.
    let mut counts: BTreeMap<&str, [Vec<u32>; 3]> = BTreeMap::new();
    for span in &spans {
        let Some(bin) = grid.bin(span.start) else {
            continue;
        };
        let is_slow = slow
            .get(&span.kind())
            .is_some_and(|limit| span.duration > *limit);
        let none = || std::array::from_fn(|_| vec![0; grid.bins]);
        let counts = counts.entry(&span.component).or_insert_with(none);
        for (counts, counted) in counts.iter_mut().zip([span.failed, !span.failed, is_slow]) {
            if let Some(count) = counts.get_mut(bin) {
                *count += u32::from(counted);
            }
        }
    }
    let series: Vec<Vec<f64>> = counts
        .values()
        .flatten()
        .map(|counts| stable(counts))
        .collect();
    incidents(&grid, &series).next()
}

impl Span {
    fn kind(&self) -> (&str, &str) {
        (&self.component, &self.operation)
    }

    fn end(&self) -> i64 {
        // A length that is no number ends at once.
        self.start.saturating_add(self.duration.max(0.0) as i64)
    }
}

/// The table in an order that its own does not decide.
fn in_order(table: &[Span]) -> Vec<&Span> {
    let mut spans: Vec<&Span> = table.iter().collect();
    spans.sort_by(|one, other| {
        let key = |span: &Span| (span.start, span.failed, span.duration.to_bits());
        (&one.trace, &one.id, one.kind(), &one.parent, key(one)).cmp(&(
            &other.trace,
            &other.id,
            other.kind(),
            &other.parent,
            key(other),
        ))
    });
    spans
}

/// The spans with those below them.
struct Forest<'a> {
    spans: Vec<&'a Span>,
    below: BTreeMap<(&'a str, &'a str), Vec<usize>>,
    /// Those whose parent is not there.
    roots: Vec<usize>,
}

impl<'a> Forest<'a> {
    fn of(table: &'a [Span]) -> Self {
        let spans = in_order(table);
        let known: BTreeSet<(&str, &str)> =
            spans.iter().map(|span| (&*span.trace, &*span.id)).collect();
        let mut below: BTreeMap<(&str, &str), Vec<usize>> = BTreeMap::new();
        let mut roots = Vec::new();
        for (index, span) in spans.iter().enumerate() {
            let parent = span.parent.as_ref().map(|parent| (&*span.trace, &**parent));
            match parent.filter(|parent| known.contains(parent)) {
                Some(parent) => below.entry(parent).or_default().push(index),
                None => roots.push(index),
            }
        }
        Self {
            spans,
            below,
            roots,
        }
    }

    fn below<'b>(&'b self, span: &'b Span) -> impl Iterator<Item = &'a Span> + use<'a, 'b> {
        let indices = self.below.get(&(&*span.trace, &*span.id));
        let spans = indices.into_iter().flatten();
        spans.filter_map(|index| self.spans.get(*index).copied())
    }

    fn longest_below(&self, span: &Span, of: impl Fn(&Span) -> bool) -> Option<&'a Span> {
        let spans = self.below(span).filter(|span| of(span));
        spans.max_by(|one, other| one.duration.total_cmp(&other.duration))
    }
}

/// What was usual in the baseline.
struct Usual<'a> {
    /// From which length on an operation is slow, in milliseconds.
    slow: BTreeMap<(&'a str, &'a str), f64>,
    /// Whose span is usually below that of an operation.
    answers: BTreeMap<(&'a str, &'a str), &'a str>,
}

impl<'a> Usual<'a> {
    fn of(forest: &Forest<'a>, window: &Window) -> Self {
        let mut lengths: BTreeMap<(&str, &str), Vec<f64>> = BTreeMap::new();
        let mut below: BTreeMap<(&str, &str), BTreeMap<&str, usize>> = BTreeMap::new();
        for span in &forest.spans {
            if !window.baseline.contains(&span.start) {
                continue;
            }
            lengths.entry(span.kind()).or_default().push(span.duration);
            let components = forest.below(span).map(|below| &*below.component);
            let others: BTreeSet<&str> = components
                .filter(|other| *other != span.component)
                .collect();
            for other in others {
                *below
                    .entry(span.kind())
                    .or_default()
                    .entry(other)
                    .or_default() += 1;
            }
        }
        let answers = below.into_iter().filter_map(|(kind, components)| {
            let (component, count) = components.into_iter().max_by_key(|(_, count)| *count)?;
            let all = lengths.get(&kind).map_or(0, Vec::len);
            (count * 2 > all).then_some((kind, component))
        });
        let answers = answers.collect();
        let slow = lengths.into_iter().filter_map(|(kind, lengths)| {
            let enough = lengths.len() >= PERCENTILE_SPANS;
            let limit = quantile(&lengths, 0.95).filter(|_| enough)?;
            Some((kind, FACTOR * limit))
        });
        Self {
            slow: slow.collect(),
            answers,
        }
    }

    fn is_slow(&self, span: &Span) -> bool {
        let limit = self.slow.get(&span.kind());
        limit.is_some_and(|limit| span.duration > *limit)
    }
}

/// The share of the requests of a time that each component spoils.
fn spoilt<'a>(forest: &Forest<'a>, usual: &Usual<'a>, time: &Range<i64>) -> BTreeMap<&'a str, f64> {
    let roots = forest
        .roots
        .iter()
        .filter_map(|root| forest.spans.get(*root));
    let requests: Vec<&&Span> = roots.filter(|root| time.contains(&root.start)).collect();
    let mut counts: BTreeMap<&str, u32> = BTreeMap::new();
    for request in &requests {
        if request.failed || usual.is_slow(request) {
            *counts.entry(culprit(forest, usual, request)).or_default() += 1;
        }
    }
    let all = requests.len().max(1) as f64;
    counts
        .into_iter()
        .map(|(component, count)| (component, f64::from(count) / all))
        .collect()
}

/// Goes down a trace to where it went wrong.
fn culprit<'a>(forest: &Forest<'a>, usual: &Usual<'a>, request: &'a Span) -> &'a str {
    let mut span = request;
    let mut seen = BTreeSet::new();
    // Spans that share an id can be below themselves.
    while seen.insert(std::ptr::from_ref(span)) {
        let slow = |below: &Span| usual.is_slow(below) && below.duration * 2.0 >= span.duration;
        let next = forest
            .longest_below(span, |below| below.failed)
            .or_else(|| forest.longest_below(span, slow));
        match next {
            Some(next) => span = next,
            None => break,
        }
    }
    let answered = forest
        .below(span)
        .any(|below| below.component != span.component);
    let silent = usual.answers.get(&span.kind()).filter(|_| !answered);
    silent.copied().unwrap_or(&span.component)
}
