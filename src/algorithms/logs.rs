//! Logs: which component the lines mean that were not there before.
//!
//! Lines become templates as [`aiopslab_replay::log_template`] makes them: tokens with a digit are
//! variables. Lines are novel whose template is more frequent than usual, or unknown.
//!
//! Who writes a novel line noticed something; the component that it names last is who it means
//! ("status 503 from search: connection refused: rate"). Where that one's own novel lines mean a
//! third, the blame goes on.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use aiopslab_replay::log_template::tokens;

use super::change_point::{Grid, incidents, stable};
use super::{FACTOR, Ranked, Window, ranked};

/// Share of the lines from which on a component is anomalous: as for the requests of a trace.
pub const ANOMALOUS: f64 = 0.05;

/// What was said less often is an anecdote: a name that came up, a text of somebody's.
const REPEATED: u32 = 3;

/// Lines of a template from which on its frequency over time tells something.
const FREQUENT: u32 = 10;

/// Share of the baseline's lines that go on in the incident at least. What has nothing to do with what
/// follows is the start of the system, before it had anything to do.
const USUAL_GOES_ON: f64 = 0.2;

/// Short against an incident; milliseconds.
const BIN_MS: i64 = 5_000;

/// What components wrote.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Logs {
    /// All components that a line may name, whether or not they write.
    pub components: BTreeSet<String>,
    /// The lines.
    pub lines: Vec<Line>,
}

/// One line.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Line {
    /// Milliseconds since the epoch.
    pub at: i64,
    /// Who wrote it.
    pub component: String,
    /// What.
    pub text: String,
}

/// Ranks the components by the share of the incident's lines that are novel and mean them.
#[must_use]
pub fn rank(logs: &Logs, window: &Window) -> Vec<Ranked> {
    let mut counts: BTreeMap<(&str, String), (u32, u32)> = BTreeMap::new();
    let mut present = Vec::new();
    for line in &logs.lines {
        let kind = (&*line.component, template(&line.text));
        if window.baseline.contains(&line.at) {
            counts.entry(kind).or_default().0 += 1;
        } else if window.fault.contains(&line.at) {
            counts.entry(kind.clone()).or_default().1 += 1;
            present.push((line, kind));
        }
    }
    // How many lines of each writer mean each component. Whole lines are counted, so that no order of
    // adding matters.
    let mut meant: BTreeMap<&str, BTreeMap<&str, u32>> = BTreeMap::new();
    for (line, kind) in &present {
        let (before, now) = counts.get(kind).copied().unwrap_or_default();
        if now >= REPEATED && f64::from(now) > FACTOR * f64::from(before) * window.ratio() {
            let named = named_last(&line.text, &line.component, &logs.components);
            let meant = meant.entry(&line.component).or_default();
            *meant.entry(named.unwrap_or(&line.component)).or_default() += 1;
        }
    }
    let mut blamed: BTreeMap<&str, u32> = BTreeMap::new();
    for (writer, meant_by_it) in &meant {
        for (component, lines) in meant_by_it {
            *blamed
                .entry(passed_on(&meant, writer, component))
                .or_default() += lines;
        }
    }
    let all = present.len().max(1) as f64;
    let shares = blamed
        .into_iter()
        .map(|(component, lines)| (component, f64::from(lines) / all));
    ranked(shares.collect())
}

/// Estimates the window: when the frequencies of templates change.
#[must_use]
pub fn window(logs: &Logs) -> Option<Window> {
    let moments = logs.lines.iter().map(|line| line.at);
    let (first, last) = (moments.clone().min()?, moments.max()?);
    let grid = Grid::over(first.saturating_sub(1), last, BIN_MS)?;
    let mut counts: BTreeMap<(&str, String), Vec<u32>> = BTreeMap::new();
    for line in &logs.lines {
        let Some(bin) = grid.bin(line.at) else {
            continue;
        };
        let kind = (&*line.component, template(&line.text));
        let counts = counts.entry(kind).or_insert_with(|| vec![0; grid.bins]);
        if let Some(count) = counts.get_mut(bin) {
            *count += 1;
        }
    }
    let frequent = counts
        .values()
        .filter(|counts| counts.iter().sum::<u32>() >= FREQUENT);
    let series: Vec<Vec<f64>> = frequent.map(|counts| stable(counts)).collect();
    incidents(&grid, &series).find(|window| goes_on(logs, window) >= USUAL_GOES_ON)
}

/// The share of the baseline's lines whose template is there in the incident, too.
fn goes_on(logs: &Logs, window: &Window) -> f64 {
    let kinds = |time: &Range<i64>| -> Vec<(&str, String)> {
        let lines = logs.lines.iter().filter(|line| time.contains(&line.at));
        lines
            .map(|line| (&*line.component, template(&line.text)))
            .collect()
    };
    let present: BTreeSet<(&str, String)> = kinds(&window.fault).into_iter().collect();
    let usual = kinds(&window.baseline);
    let going_on = usual.iter().filter(|kind| present.contains(kind)).count();
    going_on as f64 / usual.len().max(1) as f64
}

/// The tokens of a line, variables left blank.
fn template(text: &str) -> String {
    let mut template = String::with_capacity(text.len());
    for token in tokens(text) {
        template.push_str(token);
        template.push(' ');
    }
    template
}

/// The last component that a line names, other than its writer: as a word, in an address, or with the
/// cluster's domain.
fn named_last<'a>(text: &str, writer: &str, components: &'a BTreeSet<String>) -> Option<&'a str> {
    // A path or a dotted name has a component's name as a part without meaning it.
    let in_name = |letter: char| letter.is_ascii_alphanumeric() || "-_./".contains(letter);
    text.split(|letter: char| !in_name(letter))
        .rev()
        .filter_map(|word| {
            let word = word.trim_start_matches("//").trim_end_matches('.');
            let host = word
                .split_once('.')
                .filter(|(_, domain)| domain.contains("svc"));
            components.get(host.map_or(word, |(host, _)| host))
        })
        .map(String::as_str)
        .find(|component| *component != writer)
}

/// Follows the blame from one component to the next, as long as most novel lines of each mean another.
fn passed_on<'a>(
    meant: &BTreeMap<&'a str, BTreeMap<&'a str, u32>>,
    writer: &'a str,
    component: &'a str,
) -> &'a str {
    // Not back to the writer: of two that accuse each other, either is meant by the other.
    let mut seen = BTreeSet::from_iter((writer != component).then_some(writer));
    let mut blamed = component;
    while seen.insert(blamed) {
        let Some(means) = meant.get(blamed) else {
            break;
        };
        let all: u32 = means.values().sum();
        let most = means.iter().find(|(_, lines)| **lines * 2 > all);
        match most {
            Some((next, _)) if !seen.contains(next) => blamed = next,
            _ => break,
        }
    }
    blamed
}
