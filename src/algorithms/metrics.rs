//! Metrics: which component left its usual range the farthest.
//!
//! The RobustScorer of BARO (Pham, Ha, Zhang: "BARO: Robust Root Cause Analysis for Microservices via
//! Multivariate Bayesian Online Change Point Detection", FSE 2024): a z-score of each value in the
//! incident against median and interquartile range of the baseline; a series scores its largest, a
//! component its best series. Ours differs in three points:
//!
//! - the interquartile range of a handful of values is an accident, so it is drawn towards what the
//!   other series of the same metric show (`statistics::moderated`); with a long baseline that fades;
//! - a twentieth of the level is the least unit;
//! - a series that ends while others go on (a pod that is gone) has zeros from then on.

use std::collections::BTreeMap;
use std::ops::Range;

use super::change_point::{Grid, incidents};
use super::statistics::{interquartile_range, median, moderated, noise};
use super::{Ranked, Window, ranked};

/// Score from which on a component is anomalous: the three sigmas of the N-sigma rule, with the
/// interquartile range (1.35 sigma of normal noise) in sigma's place as in BARO, so stricter.
pub const ANOMALOUS: f64 = 3.0;

/// Share of its level by which a series has to change at least to be noticed: what is steadier than that
/// (memory, mostly) would otherwise be anomalous with every byte.
const SMALLEST_CHANGE: f64 = 0.05;

/// The step of AIOpsLab's `get_metrics`; milliseconds.
const BIN_MS: i64 = 15_000;

/// What the values of a series are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A level.
    Gauge,
    /// A total that only grows, until it begins again at zero; its rate is what counts.
    Counter,
}

impl Kind {
    /// How the spread of a series grows with its level, but for a factor: that of a level in proportion,
    /// that of a rate, which is a number of events, with its root.
    fn spread_at(self, level: f64) -> f64 {
        match self {
            Self::Gauge => level.abs(),
            Self::Counter => level.abs().sqrt(),
        }
    }
}

/// One series of one component; a component may have several of one metric, one for each pod.
#[derive(Debug, Clone, PartialEq)]
pub struct Series {
    /// Whose.
    pub component: String,
    /// Of what.
    pub metric: String,
    /// What the values are.
    pub kind: Kind,
    /// Milliseconds since the epoch, and the value. Of several at one moment the largest counts, NaN
    /// never does.
    pub samples: Vec<(i64, f64)>,
}

/// Ranks the components by how far one of their metrics left its usual range.
#[must_use]
pub fn rank(table: &[Series], window: &Window) -> Vec<Ranked> {
    let levels = levels(table);
    let end = end(&levels).min(window.fault.end);
    let within = |level: &Level, range: &Range<i64>| -> Vec<f64> {
        let values = level.values.iter().filter(|(at, _)| range.contains(at));
        values.map(|(_, value)| *value).collect()
    };
    let usual: Vec<(&Level, Vec<f64>)> = levels
        .iter()
        .map(|level| (level, within(level, &window.baseline)))
        // One value tells no range.
        .filter(|(_, values)| values.len() > 1)
        .collect();
    let scales = Scales::of(&usual, interquartile_range);
    let mut scores: BTreeMap<&str, f64> = BTreeMap::new();
    for (level, values) in &usual {
        let center = middle(values);
        let mut present = within(level, &window.fault);
        if level.has_ended(end) {
            present.push(0.0);
        }
        // What never moves at zero is measured in units of its own, as in BARO.
        let scale = scales.of_one(level, values).unwrap_or(1.0);
        let away = present.iter().map(|value| (value - center).abs() / scale);
        let score = scores.entry(level.component).or_default();
        *score = away.filter(|away| away.is_finite()).fold(*score, f64::max);
    }
    ranked(scores)
}

/// Estimates the window: when many series change their level together.
#[must_use]
pub fn window(table: &[Series]) -> Option<Window> {
    let levels = levels(table);
    let (first, last) = (levels.iter().filter_map(Level::first).min()?, end(&levels));
    let grid = Grid::over(first.saturating_sub(1), last, BIN_MS)?;
    let binned: Vec<(&Level, Vec<f64>)> = levels
        .iter()
        .map(|level| (level, level.binned(&grid, last)))
        .collect();
    let scales = Scales::of(&binned, noise);
    let series: Vec<Vec<f64>> = binned
        .iter()
        .filter_map(|(level, values)| {
            let scale = scales.of_one(level, values)?;
            let scaled: Vec<f64> = values.iter().map(|value| value / scale).collect();
            scaled
                .iter()
                .all(|value| value.is_finite())
                .then_some(scaled)
        })
        .collect();
    incidents(&grid, &series).next()
}

/// In which units deviations of a series are measured: by how much it varies, and its like.
struct Scales<'a> {
    spread: fn(&[f64]) -> f64,
    expected: BTreeMap<(&'a str, Kind), f64>,
}

impl<'a> Scales<'a> {
    /// Measures the spread of all series; of each metric the median is expected.
    fn of(series: &[(&Level<'a>, Vec<f64>)], spread: fn(&[f64]) -> f64) -> Self {
        let mut spreads: BTreeMap<(&str, Kind), Vec<f64>> = BTreeMap::new();
        for (level, values) in series {
            let unit = level.kind.spread_at(middle(values));
            if unit > 0.0 {
                let spreads = spreads.entry((level.metric, level.kind)).or_default();
                spreads.push(spread(values) / unit);
            }
        }
        let expected = spreads
            .into_iter()
            .map(|(metric, spreads)| (metric, middle(&spreads)));
        Self {
            spread,
            expected: expected.collect(),
        }
    }

    /// The unit of one series; none: it and its like never move.
    fn of_one(&self, level: &Level, values: &[f64]) -> Option<f64> {
        let center = middle(values);
        let of_its_like = self.expected.get(&(level.metric, level.kind)).copied();
        let expected = of_its_like.unwrap_or(0.0) * level.kind.spread_at(center);
        let scale = moderated((self.spread)(values), values.len(), expected);
        let scale = scale.max(SMALLEST_CHANGE * center.abs());
        (scale > 0.0).then_some(scale)
    }
}

/// A series as levels over time, in order: a gauge as it is, a counter as its rate.
struct Level<'a> {
    component: &'a str,
    metric: &'a str,
    kind: Kind,
    values: Vec<(i64, f64)>,
}

impl<'a> Level<'a> {
    fn of(series: &'a Series) -> Self {
        let mut samples: BTreeMap<i64, f64> = BTreeMap::new();
        for (at, value) in series.samples.iter().filter(|(_, value)| value.is_finite()) {
            let known = samples.entry(*at).or_insert(*value);
            *known = known.max(*value);
        }
        let samples: Vec<(i64, f64)> = samples.into_iter().collect();
        let values = match series.kind {
            Kind::Gauge => samples,
            Kind::Counter => samples.windows(2).filter_map(rate).collect(),
        };
        Self {
            component: &series.component,
            metric: &series.metric,
            kind: series.kind,
            values,
        }
    }

    fn first(&self) -> Option<i64> {
        self.values.first().map(|(at, _)| *at)
    }

    fn last(&self) -> Option<i64> {
        self.values.last().map(|(at, _)| *at)
    }

    /// Whether it ended, by its own step, well before a moment at which others go on.
    fn has_ended(&self, end: i64) -> bool {
        let steps: Vec<f64> = self
            .values
            .windows(2)
            .filter_map(|pair| Some(pair.get(1)?.0.saturating_sub(pair.first()?.0) as f64))
            .collect();
        let usual = median(&steps).zip(self.last());
        usual.is_some_and(|(step, last)| end.saturating_sub(last) as f64 > 2.0 * step)
    }

    /// The mean of each bin; without one the level before, before the first the first.
    fn binned(&self, grid: &Grid, end: i64) -> Vec<f64> {
        let mut sums = vec![(0.0, 0_u32); grid.bins];
        for (at, value) in &self.values {
            if let Some((sum, count)) = grid.bin(*at).and_then(|bin| sums.get_mut(bin)) {
                *sum += value;
                *count += 1;
            }
        }
        let gone = self.last().filter(|_| self.has_ended(end));
        let gone = gone.and_then(|last| grid.bin(last)).unwrap_or(grid.bins);
        let mut level = self.values.first().map_or(0.0, |(_, value)| *value);
        let levels = sums.into_iter().enumerate().map(|(bin, (sum, count))| {
            if count > 0 {
                level = sum / f64::from(count);
            } else if bin > gone {
                level = 0.0;
            }
            level
        });
        levels.collect()
    }
}

/// The table in an order that its own does not decide.
fn levels(table: &[Series]) -> Vec<Level<'_>> {
    let mut levels: Vec<Level> = table.iter().map(Level::of).collect();
    levels.retain(|level| !level.values.is_empty());
    let values = |level: &Level| -> Vec<(i64, u64)> {
        let values = level.values.iter();
        values.map(|(at, value)| (*at, value.to_bits())).collect()
    };
    levels.sort_by(|one, other| {
        (one.component, one.metric, one.kind)
            .cmp(&(other.component, other.metric, other.kind))
            .then_with(|| values(one).cmp(&values(other)))
    });
    levels
}

fn end(levels: &[Level]) -> i64 {
    levels.iter().filter_map(Level::last).max().unwrap_or(0)
}

/// The growth per second between two samples; after a reset what has come since.
fn rate(pair: &[(i64, f64)]) -> Option<(i64, f64)> {
    let ((before, low), (at, high)) = (*pair.first()?, *pair.get(1)?);
    let growth = if high >= low { high - low } else { high };
    let rate = growth.max(0.0) * 1000.0 / at.saturating_sub(before) as f64;
    rate.is_finite().then_some((at, rate))
}

fn middle(values: &[f64]) -> f64 {
    median(values).unwrap_or(0.0)
}
