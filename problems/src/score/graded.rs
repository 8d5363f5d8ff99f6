//! How near an answer came: rank metrics and partial credit.
//!
//! # Localization
//!
//! A submission is a list of names, read as a ranking, the likeliest first. As in strict scoring, case and outer white
//! space don't matter, and of a name that is there twice the first counts (as RCABench does). `L` is that list, `F` a
//! set of the truth, `L[..k]` the first `k` of `L`.
//! - `acc_at_k`, for k = 1, 3, 5: `|L[..k] ∩ F| / min(k, |F|)`. This is AC@k as RCAEval and the literature before it
//!   define it; for a single faulty component it is 1 if that is among the first `k`, else 0.
//! - `reciprocal_rank`: 1 / the position of the first name in `L` that is in `F`, 0 if there is none. Its mean over
//!   problems is the MRR (Voorhees 1999).
//! - `precision` is `|L ∩ F| / |L|`, `recall` is `|L ∩ F| / |F|`, `f1` their harmonic mean; each 0 where it would be
//!   0 / 0. Position plays no part.
//!
//! Where several sets are right, each figure is that of the set that it is best for; precision, recall and f1 are of
//! one set, that of the best f1.
//! Where nothing is at fault, the empty list has 1 in everything and every other list 0.
//!
//! # Analysis
//!
//! Whether each of the two fields is right.
//!
//! # Detection
//!
//! Whether the answer was an alarm (Yes): false alarms are counted over controls. Nothing of it is partial.
//!
//! Without a submission of the right form, localization has 0 in everything, analysis two wrong fields, detection nothing.

use serde::{Deserialize, Serialize};

use super::is_one_of;
use crate::catalog::Problem;
use crate::family::Truth;
use crate::submission::Submission;
use crate::task::Task;

/// How near an answer came; beside the strict score, never instead of it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Graded {
    /// Of a localization.
    Localization(RankedAnswer),
    /// Of an analysis.
    Analysis {
        /// Whether the level is right.
        system_level: bool,
        /// Whether the kind of fault is right.
        fault_type: bool,
    },
    /// Of a detection.
    Detection {
        /// Whether the answer was Yes.
        alarm: bool,
    },
}

/// A list of names beside the set of the truth that it is nearest to; each figure is 0 to 1.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct RankedAnswer {
    /// What the first name finds.
    pub acc_at_1: f64,
    /// What the first three names find.
    pub acc_at_3: f64,
    /// What the first five names find.
    pub acc_at_5: f64,
    /// 1 / the position of the first right name.
    pub reciprocal_rank: f64,
    /// Share of the names that are right.
    pub precision: f64,
    /// Share of the components at fault that are named.
    pub recall: f64,
    /// Harmonic mean of precision and recall.
    pub f1: f64,
}

impl RankedAnswer {
    const PERFECT: Self = Self {
        acc_at_1: 1.0,
        acc_at_3: 1.0,
        acc_at_5: 1.0,
        reciprocal_rank: 1.0,
        precision: 1.0,
        recall: 1.0,
        f1: 1.0,
    };

    fn of(names: &[String], sets: &[Vec<String>]) -> Self {
        let named = folded(names);
        if sets.is_empty() {
            return if named.is_empty() {
                Self::PERFECT
            } else {
                Self::default()
            };
        }
        let beside = sets.iter().map(|set| Self::beside(&named, &folded(set)));
        beside.fold(Self::default(), Self::better)
    }

    fn beside(named: &[String], set: &[String]) -> Self {
        let found = |names: &[String]| names.iter().filter(|name| set.contains(name)).count();
        let acc_at = |k: usize| share(found(&named[..k.min(named.len())]), k.min(set.len()));
        let first = named.iter().position(|name| set.contains(name));
        let (precision, recall) = (
            share(found(named), named.len()),
            share(found(named), set.len()),
        );
        let sum = precision + recall;
        Self {
            acc_at_1: acc_at(1),
            acc_at_3: acc_at(3),
            acc_at_5: acc_at(5),
            reciprocal_rank: first.map_or(0.0, |position| share(1, position + 1)),
            precision,
            recall,
            f1: if sum > 0.0 {
                2.0 * precision * recall / sum
            } else {
                0.0
            },
        }
    }

    fn better(self, other: Self) -> Self {
        let nearer = if other.f1 > self.f1 { other } else { self };
        Self {
            acc_at_1: self.acc_at_1.max(other.acc_at_1),
            acc_at_3: self.acc_at_3.max(other.acc_at_3),
            acc_at_5: self.acc_at_5.max(other.acc_at_5),
            reciprocal_rank: self.reciprocal_rank.max(other.reciprocal_rank),
            ..nearer
        }
    }
}

/// Grades what was submitted; none: nothing of the right form.
pub(super) fn graded(problem: &Problem, submission: Option<&Submission>) -> Option<Graded> {
    let truth = &problem.truth;
    match (problem.task, submission) {
        (_, Some(submission)) => of_submission(submission, truth),
        (Task::Localization, None) => Some(Graded::Localization(RankedAnswer::default())),
        (Task::Analysis, None) => Some(Graded::Analysis {
            system_level: false,
            fault_type: false,
        }),
        (Task::Detection | Task::Mitigation, None) => None,
    }
}

fn of_submission(submission: &Submission, truth: &Truth) -> Option<Graded> {
    match submission {
        Submission::Detection(alarm) => Some(Graded::Detection { alarm: *alarm }),
        Submission::Localization(names) => {
            let answer = RankedAnswer::of(names, &truth.faulty_components);
            Some(Graded::Localization(answer))
        }
        Submission::Analysis {
            system_level,
            fault_type,
        } => Some(Graded::Analysis {
            system_level: is_one_of(system_level, &truth.system_level),
            fault_type: is_one_of(fault_type, &truth.fault_type),
        }),
        Submission::Mitigation => None,
    }
}

/// Whether names are exactly one of the truth's sets.
pub(super) fn is_exact(names: &[String], sets: &[Vec<String>]) -> bool {
    let named = folded(names);
    let is_same = |set: &[String]| {
        let set = folded(set);
        set.len() == named.len() && set.iter().all(|name| named.contains(name))
    };
    match sets {
        [] => named.is_empty(),
        sets => sets.iter().any(|set| is_same(set)),
    }
}

/// Names as they are compared, each once, in their order.
fn folded(names: &[String]) -> Vec<String> {
    let mut once: Vec<String> = Vec::new();
    for name in names {
        let name = name.trim().to_lowercase();
        if !once.contains(&name) {
            once.push(name);
        }
    }
    once
}

fn share(part: usize, whole: usize) -> f64 {
    let count = |number: usize| u32::try_from(number).map_or(f64::INFINITY, f64::from);
    match whole {
        0 => 0.0,
        whole => count(part) / count(whole),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::{EpisodeSummary, score};
    use super::*;
    use crate::catalog::Catalog;

    fn ranked(names: &[&str], sets: &[&[&str]]) -> [f64; 7] {
        let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        let sets: Vec<Vec<String>> = sets.iter().map(|set| owned(set)).collect();
        let names: Vec<String> = owned(names);
        let of = RankedAnswer::of(&names, &sets);
        [
            of.acc_at_1,
            of.acc_at_3,
            of.acc_at_5,
            of.reciprocal_rank,
            of.precision,
            of.recall,
            of.f1,
        ]
    }

    #[test]
    fn a_single_component_is_found_or_not() {
        let geo: &[&[&str]] = &[&["geo"]];
        assert_eq!(ranked(&[" Geo"], geo), [1.0; 7]);
        let second = [0.0, 1.0, 1.0, 0.5, 0.5, 1.0, 2.0 / 3.0];
        assert_eq!(ranked(&["rate", "geo"], geo), second);
        // A name that is said twice takes one place.
        assert_eq!(ranked(&["rate", "RATE", "geo", "geo"], geo), second);
        let fourth = [0.0, 0.0, 1.0, 0.25, 0.25, 1.0, 0.4];
        assert_eq!(ranked(&["a", "b", "c", "geo"], geo), fourth);
        assert_eq!(ranked(&["a"], geo), [0.0; 7]);
        assert_eq!(ranked(&[], geo), [0.0; 7]);
    }

    #[test]
    fn of_several_components_each_counts() {
        let both: &[&[&str]] = &[&["geo", "rate"]];
        assert_eq!(
            ranked(&["geo", "a", "b", "rate"], both),
            [1.0, 0.5, 1.0, 1.0, 0.5, 1.0, 2.0 / 3.0]
        );
        assert_eq!(
            ranked(&["rate"], both),
            [1.0, 0.5, 0.5, 1.0, 1.0, 0.5, 2.0 / 3.0]
        );
    }

    #[test]
    fn of_several_right_sets_the_best_counts() {
        let either: &[&[&str]] = &[&["postgres-geo"], &["geo"]];
        assert_eq!(ranked(&["geo"], either), [1.0; 7]);
        // Both alternatives are one answer and one name too many.
        assert_eq!(
            ranked(&["geo", "postgres-geo"], either),
            [1.0, 1.0, 1.0, 1.0, 0.5, 1.0, 2.0 / 3.0]
        );
        assert_eq!(ranked(&[], &[]), [1.0; 7]);
        assert_eq!(ranked(&["geo"], &[]), [0.0; 7]);
    }

    #[test]
    fn what_was_not_answered_is_graded_too() {
        let catalog = Catalog::embedded().unwrap();
        let graded = |task: &str, solution: Option<serde_json::Value>| {
            let id = format!("scale_pod_zero_testbed-{task}-1");
            let episode = EpisodeSummary {
                solution,
                ..EpisodeSummary::default()
            };
            score(catalog.problem(&id).unwrap(), &episode).graded
        };
        let half = json!({"system_level": "Virtualization", "fault_type": "Code Defect"});
        assert_eq!(
            graded("analysis", Some(half)),
            Some(Graded::Analysis {
                system_level: true,
                fault_type: false
            })
        );
        assert_eq!(
            graded("analysis", None),
            Some(Graded::Analysis {
                system_level: false,
                fault_type: false
            })
        );
        assert_eq!(
            graded("localization", Some(json!(7))),
            Some(Graded::Localization(RankedAnswer::default()))
        );
        assert_eq!(
            graded("detection", Some(json!("no"))),
            Some(Graded::Detection { alarm: false })
        );
        assert_eq!(graded("detection", None), None);
        assert_eq!(graded("mitigation", Some(json!(null))), None);
    }

    #[test]
    fn grades_are_read_back() {
        for graded in [
            Graded::Detection { alarm: true },
            Graded::Analysis {
                system_level: true,
                fault_type: false,
            },
            Graded::Localization(RankedAnswer::PERFECT),
        ] {
            let text = serde_json::to_string(&graded).unwrap();
            assert_eq!(serde_json::from_str::<Graded>(&text).unwrap(), graded);
        }
    }
}
