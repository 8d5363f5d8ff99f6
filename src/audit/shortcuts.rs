//! Whether something that says nothing of the fault tells incidents from controls.
//!
//! For each feature the most trivial classifier there is: a threshold, chosen on all but one of the
//! episodes and tried on that one. A feature is a shortcut if it is right more often than chance
//! would have it: with the share p of the larger class, P(X ≥ right) of a binomial distribution
//! below 1 % divided by the number of features.

use aiopslab_datasets::Snapshot;
use aiopslab_datasets::rows::{LogLine, MetricSample, ObjectVersion, Row, Span};
use aiopslab_problems::catalog::Problem;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;

use crate::evaluation::Question;
use crate::exit::Failure;

/// How often a shortcut may be found where there is none.
const LEVEL: f64 = 0.01;

/// What an agent could go by on one problem.
struct Episode {
    is_incident: bool,
    features: Vec<(&'static str, f64)>,
}

/// What the features tell.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Shortcuts {
    /// Episodes with a fault.
    pub incidents: usize,
    /// Episodes without.
    pub controls: usize,
    /// Whether there are enough of them for a feature to be found out at all.
    pub enough: bool,
    /// The features.
    pub features: Vec<Shortcut>,
}

/// What one feature tells.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Shortcut {
    /// The feature.
    pub feature: &'static str,
    /// Episodes that the threshold gets right when it is tried on them.
    pub right: usize,
    /// Probability of that by chance.
    pub by_chance: f64,
    /// Whether it is a shortcut; never where there are too few episodes.
    pub found: bool,
}

/// Asks the detection problems of several snapshots, each at its own moment.
///
/// # Errors
/// When a snapshot is damaged.
pub fn shortcuts(questions: &[Question]) -> Result<Shortcuts, Failure> {
    let mut episodes = Vec::new();
    for question in questions
        .iter()
        .filter(|question| is_asked(&question.problem))
    {
        episodes.push(Episode {
            is_incident: question.problem.truth.anomaly,
            features: features(question)?,
        });
    }
    Ok(judge(&episodes))
}

fn is_asked(problem: &Problem) -> bool {
    problem.task == aiopslab_problems::task::Task::Detection
}

fn judge(episodes: &[Episode]) -> Shortcuts {
    let incidents = episodes.iter().filter(|one| one.is_incident).count();
    let controls = episodes.len() - incidents;
    let names: Vec<&str> = episodes
        .first()
        .map(|one| one.features.iter().map(|(name, _)| *name).collect())
        .unwrap_or_default();
    let level = LEVEL / names.len().max(1) as f64;
    let share = incidents.max(controls) as f64 / episodes.len().max(1) as f64;
    let chance = |right| at_least(right, episodes.len(), share);
    let enough = incidents > 1 && controls > 1 && chance(episodes.len()) < level;
    let features = names.iter().enumerate().map(|(index, feature)| {
        let values: Vec<(f64, bool)> = episodes
            .iter()
            .filter_map(|one| Some((one.features.get(index)?.1, one.is_incident)))
            .collect();
        let right = right_when_left_out(&values);
        let by_chance = chance(right);
        Shortcut {
            feature: names.get(index).copied().unwrap_or(feature),
            right,
            by_chance,
            found: enough && by_chance < level,
        }
    });
    Shortcuts {
        incidents,
        controls,
        enough,
        features: features.collect(),
    }
}

/// How many are judged right by a threshold that was chosen on the others.
fn right_when_left_out(values: &[(f64, bool)]) -> usize {
    let judged = |index: usize| {
        let mut others = values.to_vec();
        let (value, is_incident) = others.remove(index);
        let (threshold, above_is_incident) = best_threshold(&mut others);
        ((value > threshold) == above_is_incident) == is_incident
    };
    (0..values.len()).filter(|index| judged(*index)).count()
}

/// The threshold, and the side of it, that gets most right; the lowest of equals.
fn best_threshold(values: &mut [(f64, bool)]) -> (f64, bool) {
    values.sort_by(|one, other| one.0.total_cmp(&other.0));
    let mut best = (0, f64::NEG_INFINITY, true);
    let mut thresholds = vec![f64::NEG_INFINITY];
    thresholds.extend(values.windows(2).filter_map(|pair| match pair {
        [(low, _), (high, _)] => Some(low + (high - low) / 2.0),
        _ => None,
    }));
    for threshold in thresholds {
        for above in [true, false] {
            let right = values
                .iter()
                .filter(|(value, is_incident)| ((*value > threshold) == above) == *is_incident)
                .count();
            if right > best.0 {
                best = (right, threshold, above);
            }
        }
    }
    (best.1, best.2)
}

/// P(X ≥ `right`) of a binomial distribution.
fn at_least(right: usize, of: usize, share: f64) -> f64 {
    let mut sum = 0.0;
    for hits in right..=of {
        let mut term = 1.0;
        for step in 0..hits {
            term *= (of - step) as f64 / (step + 1) as f64 * share;
        }
        sum += term * (1.0 - share).powi(i32::try_from(of - hits).unwrap_or(i32::MAX));
    }
    sum.min(1.0)
}

/// Lengths, ages and numbers of rows that an agent could find out at its moment.
fn features(question: &Question) -> Result<Vec<(&'static str, f64)>, Failure> {
    let snapshot = &question.snapshot;
    let now = question.clock.resolve(snapshot)?;
    let seconds = |from: i64| now.saturating_sub(from) as f64 / 1e9;
    let from = i64::try_from(snapshot.manifest().observed.from.as_nanosecond()).unwrap_or(0);
    let count = |times: Vec<i64>| times.into_iter().filter(|time| *time <= now).count() as f64;
    let lines = times(snapshot, |row: &LogLine| row.timestamp)?;
    let spans = times(snapshot, |row: &Span| row.end)?;
    let samples = times(snapshot, |row: &MetricSample| {
        row.timestamp.saturating_mul(1_000_000)
    })?;
    let versions = times(snapshot, |row: &ObjectVersion| row.valid_from)?;
    let pods = pod_ages(snapshot, &question.application.namespace, now)?;
    let oldest = pods.iter().copied().fold(0.0, f64::max);
    let youngest = pods.iter().copied().fold(f64::INFINITY, f64::min);
    Ok(vec![
        ("seconds recorded", seconds(from)),
        ("age of the oldest pod", oldest),
        ("age of the youngest pod", youngest),
        ("log lines", count(lines)),
        ("spans", count(spans)),
        ("samples", count(samples)),
        ("object versions", count(versions)),
    ])
}

fn times<R: Row>(snapshot: &Snapshot, time: impl Fn(&R) -> i64) -> Result<Vec<i64>, Failure> {
    let rows: Vec<R> = snapshot.read_rows()?;
    Ok(rows.iter().map(time).collect())
}

fn pod_ages(snapshot: &Snapshot, namespace: &str, now: i64) -> Result<Vec<f64>, Failure> {
    let rows: Vec<ObjectVersion> = snapshot.read_rows()?;
    let visible = rows.iter().filter(|row| {
        row.resource == "pods"
            && row.namespace == namespace
            && row.valid_from <= now
            && row.valid_to.is_none_or(|to| to > now)
    });
    let created = visible.filter_map(|row| {
        let object: Value = serde_json::from_str(&row.object).ok()?;
        let created = object.pointer("/metadata/creationTimestamp")?.as_str()?;
        created.parse::<Timestamp>().ok()
    });
    let age = |created: Timestamp| (i128::from(now) - created.as_nanosecond()) as f64 / 1e9;
    Ok(created.map(age).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn episodes(values: &[(f64, f64, bool)]) -> Vec<Episode> {
        let episode = |(one, other, is_incident): &(f64, f64, bool)| Episode {
            is_incident: *is_incident,
            features: vec![("tells", *one), ("does not", *other)],
        };
        values.iter().map(episode).collect()
    }

    #[test]
    fn a_feature_that_tells_is_found_where_there_are_enough() {
        // The second feature goes round, whatever the first.
        let many: Vec<_> = (0..40)
            .map(|n| {
                (
                    f64::from(n % 2) * 10.0 + f64::from(n) / 100.0,
                    f64::from(n * 7 % 10),
                    n % 2 == 1,
                )
            })
            .collect();
        let judged = judge(&episodes(&many));
        assert_eq!(
            (judged.incidents, judged.controls, judged.enough),
            (20, 20, true)
        );
        assert_eq!(
            (judged.features[0].right, judged.features[0].found),
            (40, true)
        );
        let few = judge(&episodes(&many[..6]));
        assert!(!few.enough && few.features.iter().all(|feature| !feature.found));
        assert!(!judge(&[]).enough);
    }

    #[test]
    fn chance_is_not_found() {
        let values: Vec<_> = (0..40)
            .map(|n| (f64::from(n * 17 % 40), 0.0, n / 2 % 2 == 1))
            .collect();
        let judged = judge(&episodes(&values));
        assert!(
            judged.enough && judged.features.iter().all(|feature| !feature.found),
            "{judged:?}"
        );
    }

    #[test]
    fn probabilities_are_those_of_the_binomial_distribution() {
        for (right, of, share, expected) in [
            (0, 3, 0.5, 1.0),
            (3, 3, 0.5, 0.125),
            (2, 3, 0.5, 0.5),
            (2, 2, 0.9, 0.81),
        ] {
            assert!(
                (at_least(right, of, share) - expected).abs() < 1e-12,
                "{right} of {of}"
            );
        }
    }
}
