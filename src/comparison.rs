//! What an agent's share of solved problems is worth: its interval, its lift over another agent's,
//! and whether that can be chance.
//!
//! A problem is the unit, however often it was asked. The interval is a bootstrap over problems
//! (Efron 1979, percentiles); the test is McNemar's (1947) in its exact form, a sign test on the
//! problems that one of them solved more often; several tests are corrected after Holm (1979).

use std::collections::{BTreeMap, BTreeSet};

use aiopslab_problems::task::Task;
use rand::rngs::Xoshiro256PlusPlus;
use rand::{RngExt, SeedableRng};
use serde::{Deserialize, Serialize};

use crate::evaluation::Evaluated;

/// How often problems are drawn for an interval.
const RESAMPLES: usize = 10_000;
/// The same figures on every machine.
const SEED: u64 = 1;

/// How much of some problems an agent solved.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Solved {
    /// Episodes.
    pub episodes: usize,
    /// Episodes that succeeded (`strict`).
    pub successes: usize,
    /// Problems; each may have been asked several times.
    pub problems: usize,
    /// Share of them that was solved, 0 to 1: the mean over repetitions.
    pub share: f64,
    /// The 95 % interval of `share`; none: a single problem says nothing of others.
    pub interval: Option<(f64, f64)>,
}

impl Solved {
    /// Sums up episodes of one agent; none: there are none.
    pub fn of<'a>(episodes: impl Iterator<Item = &'a Evaluated>) -> Option<Self> {
        let episodes: Vec<&Evaluated> = episodes.collect();
        let shares: Vec<f64> = shares(&episodes).into_values().collect();
        (!shares.is_empty()).then(|| Self {
            episodes: episodes.len(),
            successes: episodes.iter().filter(|one| one.success).count(),
            problems: shares.len(),
            share: mean(&shares),
            interval: (shares.len() > 1).then(|| interval(&shares)),
        })
    }
}

/// Two agents at one task.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Row {
    /// The second agent.
    pub against: String,
    /// The task; none: all of them together.
    pub task: Option<Task>,
    /// Problems that both were asked.
    pub problems: usize,
    /// Share of them that the first one solved, 0 to 1: the mean over repetitions.
    pub a: f64,
    /// The same of the second one.
    pub b: f64,
    /// `a - b`.
    pub lift: f64,
    /// The 95 % interval of `lift`.
    pub interval: (f64, f64),
    /// Problems that the first one solved more often.
    pub only_a: usize,
    /// Problems that the second one solved more often.
    pub only_b: usize,
    /// How likely such a difference or a greater one is by chance.
    pub p: f64,
    /// The same, corrected for the number of rows.
    pub p_holm: f64,
}

/// Compares one agent's episodes with those of others: a row for each task and one for all.
///
/// Problems that only one of a pair was asked don't count.
#[must_use]
pub fn compare(a: &[&Evaluated], others: &[(String, Vec<&Evaluated>)]) -> Vec<Row> {
    let first = shares(a);
    let mut rows = Vec::new();
    for (name, episodes) in others {
        let second = shares(episodes);
        let tasks = Task::ALL.into_iter().map(Some).chain([None]);
        for task in tasks {
            let is_meant = |key: &&(Task, String)| task.is_none_or(|task| key.0 == task);
            let pairs: Vec<(f64, f64)> = first
                .keys()
                .filter(is_meant)
                .filter_map(|key| Some((*first.get(key)?, *second.get(key)?)))
                .collect();
            if !pairs.is_empty() {
                rows.push(row(name, task, &pairs));
            }
        }
    }
    let corrected = holm(&rows.iter().map(|row| row.p).collect::<Vec<_>>());
    for (row, p) in rows.iter_mut().zip(corrected) {
        row.p_holm = p;
    }
    rows
}

/// Problems that an agent solved each time it was asked: where it always answers the same, they tell
/// nothing about others.
pub fn always_solved<'a>(episodes: impl Iterator<Item = &'a Evaluated>) -> BTreeSet<&'a str> {
    let (mut solved, mut failed) = (BTreeSet::new(), BTreeSet::new());
    for episode in episodes {
        let kept = if episode.success {
            &mut solved
        } else {
            &mut failed
        };
        kept.insert(episode.problem.as_str());
    }
    &solved - &failed
}

/// The share of its episodes that was solved, by problem.
fn shares(episodes: &[&Evaluated]) -> BTreeMap<(Task, String), f64> {
    let mut counts: BTreeMap<(Task, String), (f64, f64)> = BTreeMap::new();
    for episode in episodes {
        let key = (episode.task, episode.problem.clone());
        let (solved, asked) = counts.entry(key).or_default();
        *solved += f64::from(u8::from(episode.success));
        *asked += 1.0;
    }
    let shares = counts.into_iter();
    shares
        .map(|(key, (solved, asked))| (key, solved / asked))
        .collect()
}

fn row(against: &str, task: Option<Task>, pairs: &[(f64, f64)]) -> Row {
    let differences: Vec<f64> = pairs.iter().map(|(a, b)| a - b).collect();
    let only_a = differences
        .iter()
        .filter(|difference| **difference > 0.0)
        .count();
    let only_b = differences
        .iter()
        .filter(|difference| **difference < 0.0)
        .count();
    let p = sign_test(only_a, only_b);
    Row {
        against: against.to_owned(),
        task,
        problems: pairs.len(),
        a: mean(&pairs.iter().map(|pair| pair.0).collect::<Vec<_>>()),
        b: mean(&pairs.iter().map(|pair| pair.1).collect::<Vec<_>>()),
        lift: mean(&differences),
        interval: interval(&differences),
        only_a,
        only_b,
        p,
        p_holm: p,
    }
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// The 95 % interval of a mean.
fn interval(values: &[f64]) -> (f64, f64) {
    let mut random = Xoshiro256PlusPlus::seed_from_u64(SEED);
    let mut means: Vec<f64> = (0..RESAMPLES)
        .map(|_| {
            let drawn = (0..values.len()).map(|_| values[random.random_range(0..values.len())]);
            drawn.sum::<f64>() / values.len() as f64
        })
        .collect();
    means.sort_by(f64::total_cmp);
    (means[RESAMPLES / 40], means[RESAMPLES - 1 - RESAMPLES / 40])
}

/// The probability of so uneven a split or a more uneven one if either side is as likely.
fn sign_test(one: usize, other: usize) -> f64 {
    let (all, fewer) = (one + other, one.min(other));
    // C(all, k) / 2^all, by logarithms: of thousands of problems it would overflow.
    let mut logarithm = -(all as f64) * std::f64::consts::LN_2;
    let mut tail = 0.0;
    for k in 0..=fewer {
        tail += logarithm.exp();
        logarithm += ((all - k) as f64).ln() - ((k + 1) as f64).ln();
    }
    (2.0 * tail).min(1.0)
}

/// Corrects the probabilities of several tests.
fn holm(probabilities: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..probabilities.len()).collect();
    order.sort_by(|left, right| probabilities[*left].total_cmp(&probabilities[*right]));
    let mut corrected = vec![1.0; probabilities.len()];
    let mut greatest: f64 = 0.0;
    for (rank, index) in order.into_iter().enumerate() {
        let left = (probabilities.len() - rank) as f64;
        greatest = greatest.max((left * probabilities[index]).min(1.0));
        corrected[index] = greatest;
    }
    corrected
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(left: f64, right: f64) -> bool {
        (left - right).abs() < 1e-9
    }

    #[test]
    fn the_sign_test_is_the_binomial_s() {
        // 2 * (1 + 8) / 2^8, and 2 / 2^5.
        assert!(close(sign_test(1, 7), 18.0 / 256.0));
        assert!(close(sign_test(5, 0), 2.0 / 32.0));
        assert!(close(sign_test(3, 3), 1.0));
        assert!(close(sign_test(0, 0), 1.0));
        assert!(sign_test(2000, 3000) < 1e-40);
    }

    #[test]
    fn holm_s_correction_keeps_the_order() {
        let corrected = holm(&[0.01, 0.04, 0.03]);
        for (found, expected) in corrected.iter().zip([0.03, 0.06, 0.06]) {
            assert!(close(*found, expected), "{corrected:?}");
        }
    }

    #[test]
    fn an_interval_lies_around_its_mean() {
        let (low, high) = interval(&[1.0, 1.0, 0.0, 1.0, -1.0, 1.0, 1.0, 0.0, 1.0, 0.0]);
        assert!(
            low < 0.5 && 0.5 < high && low > -0.2 && high < 1.0,
            "{low} {high}"
        );
        assert_eq!(interval(&[0.5]), (0.5, 0.5));
    }

    #[test]
    fn only_what_both_were_asked_is_compared_and_a_problem_counts_once() {
        let episode = |problem: &str, repeat: u32, success: bool| Evaluated {
            repeat,
            ..Evaluated::example(problem, Task::Detection, true, success)
        };
        let a = [
            episode("p", 1, true),
            episode("p", 2, false),
            episode("q", 1, true),
            episode("r", 1, true),
        ];
        let b = [episode("p", 1, false), episode("q", 1, true)];
        let rows = compare(
            &a.iter().collect::<Vec<_>>(),
            &[("y".to_owned(), b.iter().collect())],
        );
        assert_eq!(rows.len(), 2);
        let row = &rows[0];
        assert_eq!(
            (row.task, row.problems, row.only_a, row.only_b),
            (Some(Task::Detection), 2, 1, 0)
        );
        assert!(close(row.a, 0.75) && close(row.b, 0.5) && close(row.lift, 0.25));
        assert_eq!(rows[1].task, None);
        let solved = Solved::of(a.iter()).unwrap();
        assert_eq!(
            (solved.episodes, solved.successes, solved.problems),
            (4, 3, 3)
        );
        assert!(close(solved.share, 2.5 / 3.0), "{solved:?}");
        assert_eq!(Solved::of(a[..1].iter()).unwrap().interval, None);
        assert_eq!(Solved::of([].iter()), None);
        let always: Vec<&str> = always_solved(a.iter()).into_iter().collect();
        assert_eq!(always, ["q", "r"]);
    }
}
