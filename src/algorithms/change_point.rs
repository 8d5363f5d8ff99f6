//! When did it begin? The window of an incident, from series that tell how a system works.
//!
//! Time is cut into bins, and the bins into stretches within which every series keeps its level:
//! optimal partitioning (Jackson et al. 2005) of the squared deviations, with the penalty of the
//! Bayesian information criterion for each further stretch, one mean per series. BARO (Pham et al.,
//! FSE 2024) uses Bayesian online change point detection for the same end; here the whole recording
//! is at hand, so nothing has to be online, and dozens of series over dozens of bins need no prior.

use std::ops::Range;

use super::Window;
use super::statistics::{median, noise};

/// The smallest sample whose quartiles are values of its own: a shorter stretch is no baseline but a
/// passage, the start of the system for instance.
const BASELINE_BINS: usize = 5;

/// What holds for one bin only is an outlier.
const STRETCH_BINS: usize = 2;

/// Largest deviation that counts, in units of a series' noise: noise has a heavier tail than a normal
/// distribution, and one series alone decides nothing.
const LARGEST: f64 = 5.0;

/// What lies further back than this many bins is not looked at: the cost grows with their square.
const MOST_BINS: i64 = 720;

/// Bins of one width, the last of which ends with the recording. A bin holds its end, not its start.
#[derive(Debug, Clone, Copy)]
pub(super) struct Grid {
    start: i64,
    width: i64,
    pub(super) bins: usize,
}

impl Grid {
    /// The whole bins between the first moment and the last; none: there is no whole one.
    pub(super) fn over(first: i64, last: i64, width: i64) -> Option<Self> {
        let bins = last
            .saturating_sub(first)
            .checked_div(width)?
            .min(MOST_BINS);
        let start = last - bins * width;
        let bins = usize::try_from(bins).ok().filter(|bins| *bins > 0)?;
        Some(Self { start, width, bins })
    }

    /// The bin of a moment.
    pub(super) fn bin(&self, at: i64) -> Option<usize> {
        let into = at.checked_sub(self.start)?.checked_sub(1)?;
        let bin = usize::try_from(into.div_euclid(self.width)).ok()?;
        (bin < self.bins).then_some(bin)
    }

    fn moments(&self, bins: &Range<usize>) -> Range<i64> {
        let start = |bin: usize| self.start + self.width * bin as i64 + 1;
        start(bins.start)..start(bins.end)
    }
}

/// A series of counts as one of a noise of 1: twice the square root, which makes it so for events that
/// come independently (Anscombe 1948), less where they come in bursts.
pub(super) fn stable(counts: &[u32]) -> Vec<f64> {
    let roots = counts
        .iter()
        .map(|count| 2.0 * (f64::from(*count) + 0.375).sqrt());
    let roots: Vec<f64> = roots.collect();
    let noise = noise(&roots).max(1.0);
    roots.into_iter().map(|root| root / noise).collect()
}

/// The windows that an incident may have, the likeliest first: everything after a stretch that something
/// else followed, and that stretch as its baseline; a longer one is likelier to be what is usual.
///
/// Every series has a value for every bin and a noise of about 1. None: nothing changed, or what was
/// before the change was too short to be a baseline.
pub(super) fn incidents(grid: &Grid, series: &[Vec<f64>]) -> impl Iterator<Item = Window> {
    let mut stretches = stretches(grid.bins, series);
    stretches.pop();
    stretches.retain(|stretch| stretch.len() >= BASELINE_BINS);
    // Of equally long ones the later.
    stretches.sort_by_key(|stretch| std::cmp::Reverse((stretch.len(), stretch.end)));
    let grid = *grid;
    stretches.into_iter().map(move |baseline| Window {
        baseline: grid.moments(&baseline),
        fault: grid.moments(&(baseline.end..grid.bins)),
    })
}

/// The stretches of constant level, in order; together they are all bins.
fn stretches(bins: usize, series: &[Vec<f64>]) -> Vec<Range<usize>> {
    let sums = Sums::of(bins, series);
    // One mean per series, and where the stretch begins.
    let penalty = (series.len() as f64 + 1.0) * (bins.max(1) as f64).ln();
    // The least cost of the bins up to each, and where the last stretch of it begins.
    let mut best: Vec<(f64, usize)> = vec![(-penalty, 0)];
    for end in 1..=bins {
        let starts = 0..=end.saturating_sub(STRETCH_BINS);
        let costs = starts.filter_map(|start| {
            let (before, _) = best.get(start)?;
            Some((before + sums.cost(start, end) + penalty, start))
        });
        let least = costs.min_by(|one, other| one.0.total_cmp(&other.0));
        best.push(least.unwrap_or((f64::INFINITY, 0)));
    }
    let mut found = Vec::new();
    let mut end = bins;
    while end > 0 {
        let start = best.get(end).map_or(0, |(_, start)| *start);
        found.push(start..end);
        end = start;
    }
    found.reverse();
    found
}

/// Sums from the first bin on, so that the cost of any stretch is two look-ups per series.
struct Sums {
    values: Vec<Vec<f64>>,
    squares: Vec<f64>,
}

impl Sums {
    fn of(bins: usize, series: &[Vec<f64>]) -> Self {
        let mut squares = vec![0.0; bins + 1];
        let values = series
            .iter()
            .map(|series| {
                let middle = median(series).unwrap_or(0.0);
                let (mut sum, mut square) = (0.0, 0.0);
                let mut sums = vec![0.0];
                for (value, total) in series.iter().zip(squares.iter_mut().skip(1)) {
                    let value = (value - middle).clamp(-LARGEST, LARGEST);
                    sum += value;
                    square += value * value;
                    sums.push(sum);
                    *total += square;
                }
                sums
            })
            .collect();
        Self { values, squares }
    }

    /// Squared deviations of the bins of a stretch from its mean.
    fn cost(&self, start: usize, end: usize) -> f64 {
        let within = |sums: &[f64]| Some(sums.get(end)? - sums.get(start)?);
        let length = (end - start) as f64;
        let explained: f64 = self
            .values
            .iter()
            .filter_map(|sums| within(sums))
            .map(|sum| sum * sum / length)
            .sum();
        within(&self.squares).unwrap_or(0.0) - explained
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(levels: &[(usize, f64)], expected: Option<(Range<usize>, Range<usize>)>) {
        // Noise that repeats itself: no chance in a test.
        let wave = [0.4, -0.7, 0.9, -0.2, -0.5, 0.6, -0.9, 0.3, 0.1];
        let levels = levels
            .iter()
            .flat_map(|(bins, level)| std::iter::repeat_n(*level, *bins));
        let levels: Vec<f64> = levels.collect();
        let series: Vec<Vec<f64>> = (0..4)
            .map(|shift| {
                let noise = wave.iter().cycle().skip(shift * 2);
                levels
                    .iter()
                    .zip(noise)
                    .map(|(level, noise)| level + noise)
                    .collect()
            })
            .collect();
        let grid = Grid::over(0, levels.len() as i64 * 10, 10).unwrap();
        let found = incidents(&grid, &series).next();
        let expected = expected.map(|(baseline, fault)| Window {
            baseline: grid.moments(&baseline),
            fault: grid.moments(&fault),
        });
        assert_eq!(found, expected, "{levels:?}");
    }

    #[test]
    fn an_incident_is_what_follows_the_longest_stretch() {
        check(&[(12, 0.0), (8, 6.0)], Some((0..12, 12..20)));
        check(&[(12, 0.0), (4, 6.0), (4, -5.0)], Some((0..12, 12..20)));
        // The start of the system is not what is usual.
        check(&[(3, -9.0), (9, 0.0), (6, 5.0)], Some((3..12, 12..18)));
    }

    #[test]
    fn without_a_change_or_a_baseline_there_is_no_incident() {
        check(&[(20, 0.0)], None);
        check(&[(4, -9.0), (16, 0.0)], None);
        check(&[(1, 0.0)], None);
        let grid = Grid::over(0, 100, 10).unwrap();
        assert_eq!(incidents(&grid, &[]).next(), None);
        assert_eq!(incidents(&grid, &[vec![3.0; 10]]).next(), None);
    }

    #[test]
    fn a_grid_ends_with_the_recording() {
        let grid = Grid::over(3, 25, 10).unwrap();
        assert_eq!(grid.bins, 2);
        let bins = [5, 6, 15, 16, 25, 26].map(|at| grid.bin(at));
        assert_eq!(bins, [None, Some(0), Some(0), Some(1), Some(1), None]);
        assert!(Grid::over(3, 9, 10).is_none());
        assert_eq!(Grid::over(i64::MIN, i64::MAX, 10).unwrap().bins, 720);
    }
}
