//! `eval --algorithm`: the statistical algorithms on snapshots whose windows are known, as the papers evaluate theirs
//! (`docs/score-as.md`). No agent takes part: tables come from the recording, the window from its `withheld/`.
//!
//! AC@k is the share of incidents with a culprit among the first `k` components, Avg@5 the mean of AC@1 to AC@5, MRR
//! the mean of 1 / the place of the first culprit (RCAEval's words, `RCAEval/benchmark/evaluation.py`). Chance is the
//! Avg@5 of a random order of the same components; lift is what is above it.

mod tables;

use std::collections::BTreeSet;

use aiopslab_capture::Windows;
use aiopslab_datasets::Snapshot;
use aiopslab_problems::family::Truth;
use serde::{Deserialize, Serialize};

use crate::agents::Algorithm;
use crate::algorithms::{Ranked, Window, logs, metrics, traces};
use crate::exit::Failure;

pub use self::tables::Recorded;

/// The ranks that are averaged.
const AVERAGED: usize = 5;

/// How one algorithm ranked one incident.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Ranking {
    /// The snapshot's name.
    pub snapshot: String,
    /// The algorithm's name.
    pub algorithm: &'static str,
    /// Components, most suspicious first; those that nothing speaks for are left out.
    pub ranked: Vec<String>,
    /// Where the first culprit is, from 1; none: it is not ranked.
    pub place: Option<usize>,
    /// Components that there is data of, the culprits included.
    pub components: usize,
    /// Those among them that are culprits.
    pub culprits: usize,
}

/// What an algorithm came to on all incidents.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Figures {
    /// Incidents with data of the algorithm's kind.
    pub incidents: usize,
    /// Share of them with a culprit in the first place.
    pub ac_at_1: f64,
    /// Among the first three.
    pub ac_at_3: f64,
    /// Among the first five.
    pub ac_at_5: f64,
    /// Mean of AC@1 to AC@5.
    pub avg_at_5: f64,
    /// Mean of 1 / the place.
    pub mrr: f64,
    /// Avg@5 of a random order.
    pub chance: f64,
}

/// Why a snapshot is not asked.
pub type LeftOut = &'static str;

/// What `withheld/truth.json` says of the fault.
#[derive(Deserialize)]
struct Told {
    truth: Truth,
}

/// What comes with a snapshot: when it was as it should be and when not, and who was at fault.
#[derive(Debug)]
pub struct Known {
    window: Window,
    culprits: BTreeSet<String>,
}

/// Ranks the components of one incident, or says why it can't be asked.
///
/// # Errors
/// When the snapshot can't be read.
pub fn rank(
    name: &str,
    recorded: &mut Recorded<'_>,
    Known { window, culprits }: &Known,
    algorithm: Algorithm,
) -> Result<Result<Ranking, LeftOut>, Failure> {
    let (ranked, components): (Vec<Ranked>, BTreeSet<String>) = match algorithm {
        Algorithm::Metrics => {
            let table = tables::metrics(recorded, window)?;
            let components = table.iter().map(|series| series.component.clone());
            (metrics::rank(&table, window), components.collect())
        }
        Algorithm::Traces => {
            let table = tables::traces(recorded)?;
            let components = table.iter().map(|span| span.component.clone());
            (traces::rank(&table, window), components.collect())
        }
        Algorithm::Logs => {
            let table = tables::logs(recorded)?;
            let ranked = logs::rank(&table, window);
            (ranked, table.components)
        }
    };
    if components.is_empty() {
        return Ok(Err("it holds no data of this kind"));
    }
    let ranked: Vec<String> = ranked.into_iter().map(|one| one.component).collect();
    let is_culprit = |name: &String| culprits.contains(name);
    let named = components.iter().filter(|name| is_culprit(name)).count();
    Ok(Ok(Ranking {
        snapshot: name.to_owned(),
        algorithm: algorithm.name(),
        place: ranked.iter().position(is_culprit).map(|place| place + 1),
        ranked,
        // A culprit without data could have been named all the same.
        components: components.len() + usize::from(named == 0),
        culprits: named.max(1),
    }))
}

/// Reads the window and the culprits of a snapshot, or says what it does not tell.
///
/// # Errors
/// When the snapshot can't be read.
pub fn known(snapshot: &Snapshot) -> Result<Result<Known, LeftOut>, Failure> {
    let truth = snapshot.find_withheld_json("truth")?;
    let windows = snapshot.find_withheld_json("windows")?;
    let (Some(truth), Some(windows)) = (truth, windows) else {
        return Ok(Err("its truth and windows are not with it"));
    };
    let truth = Told::deserialize(&truth)?.truth;
    let culprits: BTreeSet<String> = truth.faulty_components.into_iter().flatten().collect();
    if culprits.is_empty() {
        return Ok(Err("nobody was at fault"));
    }
    let windows = Windows::deserialize(&windows)?;
    let (Some(baseline), Some(fault)) = (windows.baseline, windows.fault) else {
        return Ok(Err("it does not tell when the fault began"));
    };
    let window = Window {
        baseline: baseline.from.as_millisecond()..baseline.to.as_millisecond(),
        fault: fault.from.as_millisecond()..fault.to.as_millisecond(),
    };
    Ok(Ok(Known { window, culprits }))
}

impl Figures {
    /// Of the rankings of one algorithm; none without any.
    #[must_use]
    pub fn of(rankings: &[&Ranking]) -> Option<Self> {
        let mean = |figure: &dyn Fn(&Ranking) -> f64| {
            let sum: f64 = rankings.iter().map(|ranking| figure(ranking)).sum();
            sum / rankings.len() as f64
        };
        let ac = |k: usize| mean(&|one| f64::from(one.place.is_some_and(|place| place <= k)));
        let averaged =
            |ac: &dyn Fn(usize) -> f64| (1..=AVERAGED).map(ac).sum::<f64>() / AVERAGED as f64;
        (!rankings.is_empty()).then(|| Self {
            incidents: rankings.len(),
            ac_at_1: ac(1),
            ac_at_3: ac(3),
            ac_at_5: ac(AVERAGED),
            avg_at_5: averaged(&ac),
            mrr: mean(&|one| one.place.map_or(0.0, |place| 1.0 / place as f64)),
            chance: averaged(&|k| mean(&|one| by_chance(one.components, one.culprits, k))),
        })
    }
}

/// How probable it is that a random order of `n` components has one of the culprits among its first `k`.
fn by_chance(n: usize, culprits: usize, k: usize) -> f64 {
    let missed = (0..k).map(|drawn| {
        let (left, innocent) = (n.saturating_sub(drawn), n.saturating_sub(culprits + drawn));
        if left == 0 {
            0.0
        } else {
            innocent as f64 / left as f64
        }
    });
    1.0 - missed.product::<f64>()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ranking(place: Option<usize>) -> Ranking {
        Ranking {
            snapshot: "one".to_owned(),
            algorithm: "metrics",
            ranked: Vec::new(),
            place,
            components: 10,
            culprits: 1,
        }
    }

    #[test]
    fn chance_is_that_of_a_random_order() {
        assert!((by_chance(10, 1, 3) - 0.3).abs() < 1e-12);
        assert!((by_chance(4, 2, 1) - 0.5).abs() < 1e-12);
        assert!((by_chance(4, 2, 2) - 5.0 / 6.0).abs() < 1e-12);
        assert!((by_chance(2, 1, 5) - 1.0).abs() < 1e-12);
    }

    #[test]
    fn figures_are_means_over_incidents() {
        let rankings = [ranking(Some(1)), ranking(Some(4)), ranking(None)];
        let rankings: Vec<&Ranking> = rankings.iter().collect();
        let figures = Figures::of(&rankings).unwrap();
        assert!((figures.ac_at_1 - 1.0 / 3.0).abs() < 1e-12);
        assert!((figures.ac_at_5 - 2.0 / 3.0).abs() < 1e-12);
        assert!((figures.avg_at_5 - 7.0 / 15.0).abs() < 1e-12);
        assert!((figures.mrr - (1.0 + 0.25) / 3.0).abs() < 1e-12);
        assert!((figures.chance - 0.3).abs() < 1e-12);
        assert_eq!(Figures::of(&[]), None);
    }
}
