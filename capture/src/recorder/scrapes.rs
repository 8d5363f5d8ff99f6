//! When Prometheus scraped, seen from the samples that it has: a Prometheus that was down has no
//! sample of any series, and says nothing about it.

use std::collections::{BTreeMap, BTreeSet};

use super::coverage::Hole;

/// Nanoseconds of a millisecond.
const MILLISECOND: i64 = 1_000_000;
/// Milliseconds of a second.
const SECOND_MS: i64 = 1000;
/// By how many seconds a process's start may be told wrongly: Linux counts it from the machine's boot, whose time is
/// known to the second and moves when the clock is set.
const START_ERROR: i64 = 2;

/// The seconds in which any sample was taken, and how far the samples of a series are apart.
#[derive(Debug, Default)]
pub(super) struct Scrapes {
    seconds: BTreeSet<i64>,
    /// How often which distance was seen, in whole seconds.
    distances: BTreeMap<i64, u64>,
}

impl Scrapes {
    /// Takes note of the samples of one series, by their times in order (milliseconds).
    pub(super) fn see(&mut self, times: impl Iterator<Item = i64>) {
        let mut before = None;
        for time in times {
            self.seconds.insert(time.div_euclid(SECOND_MS));
            if let Some(before) = before.replace(time) {
                let distance: i64 = time - before;
                let seconds = (distance + SECOND_MS / 2).div_euclid(SECOND_MS);
                *self.distances.entry(seconds).or_default() += 1;
            }
        }
    }

    /// The usual distance of two samples, in seconds; none if there are no two.
    fn interval(&self) -> Option<i64> {
        let usual = self.distances.iter().filter(|(seconds, _)| **seconds > 0);
        usual
            .max_by_key(|(_, times)| **times)
            .map(|(seconds, _)| *seconds)
    }

    /// The time in which a Prometheus that was started at a moment (milliseconds) may have missed a
    /// scrape of every target, if it had scraped before.
    pub(super) fn restart(&self, started: i64) -> Option<Hole> {
        let started = started.div_euclid(SECOND_MS);
        // What was scraped in the same second came after.
        let last = self.seconds.range(..started - START_ERROR).next_back()?;
        let again = started + START_ERROR + self.interval()? + 1;
        Some(Hole {
            when: last * SECOND_MS * MILLISECOND..again * SECOND_MS * MILLISECOND,
            reason: "Prometheus was started again: a scrape of any target may be missing"
                .to_owned(),
        })
    }

    /// The times in a window (milliseconds) in which nothing at all was scraped, although samples
    /// usually come more often.
    pub(super) fn holes(&self, (from, to): (i64, i64)) -> Vec<Hole> {
        let hole = |from_ms: i64, to_ms: i64, reason: &str| Hole {
            when: from_ms * MILLISECOND..to_ms * MILLISECOND,
            reason: reason.to_owned(),
        };
        let Some(interval) = self.interval() else {
            // Nothing can be told from fewer than two samples of a series.
            return match self.seconds.is_empty() && from < to {
                true => vec![hole(from, to, "Prometheus has no samples of this time")],
                false => Vec::new(),
            };
        };
        // A scrape that fails still makes samples (`up`), and targets take turns.
        let longest = interval * SECOND_MS * 3 / 2 + SECOND_MS;
        let ends = [from.div_euclid(SECOND_MS), to.div_euclid(SECOND_MS)];
        let moments: BTreeSet<i64> = self.seconds.iter().copied().chain(ends).collect();
        let pairs = moments.iter().zip(moments.iter().skip(1));
        pairs
            .map(|(one, next)| (one * SECOND_MS, next * SECOND_MS))
            .filter(|(one, next)| next - one > longest && *one < to && *next > from)
            .map(|(one, next)| {
                let reason = format!(
                    "Prometheus scraped nothing for {} s, which is otherwise every {interval} s",
                    (next - one) / SECOND_MS
                );
                hole(one, next, &reason)
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(scrapes: &Scrapes, window: (i64, i64)) -> Vec<(i64, i64)> {
        let holes = scrapes.holes(window).into_iter();
        holes
            .map(|hole| (hole.when.start / MILLISECOND, hole.when.end / MILLISECOND))
            .collect()
    }

    #[test]
    fn a_prometheus_that_was_down_is_told() {
        let mut scrapes = Scrapes::default();
        let times = (0..60_000).step_by(5000);
        // Two targets; one scrape of the first failed, and from 30 s to 50 s everything.
        scrapes.see(
            times
                .clone()
                .filter(|time| *time != 10_000 && !(30_000..50_000).contains(time)),
        );
        scrapes.see(
            times
                .map(|time| time + 1200)
                .filter(|time| !(30_000..50_000).contains(time)),
        );
        assert_eq!(told(&scrapes, (0, 60_000)), [(26_000, 50_000)]);
        // What is before and after is told too.
        assert_eq!(
            told(&scrapes, (-40_000, 100_000)),
            [(-40_000, 0), (26_000, 50_000), (56_000, 100_000)]
        );
    }

    #[test]
    fn a_prometheus_that_came_back_at_once_is_told() {
        let mut scrapes = Scrapes::default();
        scrapes.see((0..60_000).step_by(5000).filter(|time| *time != 30_000));
        let hole = scrapes.restart(31_500).unwrap();
        let when = hole.when.start / MILLISECOND..hole.when.end / MILLISECOND;
        assert_eq!(when, 25_000..39_000);
        scrapes.see([30_900].into_iter());
        let hole = scrapes.restart(30_500).unwrap();
        assert_eq!(hole.when.start / MILLISECOND, 25_000);
        // The start is told a second too late: the first scrape after it seems to be before.
        scrapes.see([33_200].into_iter());
        let hole = scrapes.restart(34_100).unwrap();
        assert_eq!(hole.when.start / MILLISECOND, 30_000);
        // It is a first start if nothing was scraped before.
        assert_eq!(scrapes.restart(-5000), None);
    }

    #[test]
    fn no_samples_at_all_are_told_and_slow_scrapes_are_not() {
        assert_eq!(told(&Scrapes::default(), (0, 9000)), [(0, 9000)]);
        let mut slow = Scrapes::default();
        slow.see((0..600_000).step_by(60_000));
        assert_eq!(told(&slow, (0, 600_000)), []);
    }
}
