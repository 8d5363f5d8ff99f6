//! What is said of one agent.

use std::collections::BTreeMap;

use aiopslab_problems::episode::{Usage, Writes};
use aiopslab_problems::score::{Graded, RankedAnswer};
use aiopslab_problems::task::Task;
use serde::{Deserialize, Serialize};

use crate::comparison::{Row, Solved};
use crate::evaluation::Evaluated;

/// Figures of one agent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AgentSummary {
    /// Its name.
    pub agent: String,
    /// Success in everything.
    #[serde(default)]
    pub all: Solved,
    /// Success per task.
    pub tasks: BTreeMap<Task, Solved>,
    /// Success per family.
    #[serde(default)]
    pub families: BTreeMap<String, Solved>,
    /// How much more it solved than each other agent; of agents that are evaluated.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lift: Vec<Row>,
    /// Mean of the shares of faults answered Yes and of controls answered No; none without both.
    pub detection_balanced_accuracy: Option<f64>,
    /// Share of controls answered Yes; none without controls.
    #[serde(default)]
    pub detection_false_positive_rate: Option<f64>,
    /// Means over localizations.
    #[serde(default)]
    pub localization: Option<RankedAnswer>,
    /// Shares of analyses with the one and the other field right.
    #[serde(default)]
    pub analysis: Option<AnalysisFields>,
    /// Share of actions that the recording could answer (or prove empty), 0 to 1; none without actions.
    pub coverage: Option<f64>,
    /// Mean number of steps in an episode.
    pub mean_steps: f64,
    /// Calls that could not be read.
    pub invalid_calls: u64,
    /// Calls that had been made before with the same arguments.
    #[serde(default)]
    pub repeated_calls: u64,
    /// What the commands would change.
    #[serde(flatten)]
    pub writes: Writes,
    /// What its model took in all; none: it has none, or does not tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub usage: Option<Usage>,
    /// How many episodes `usage` is of, where some do not tell; none: all of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub usage_episodes: Option<usize>,
}

/// Shares of analyses with a field right.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct AnalysisFields {
    /// The level.
    pub system_level: f64,
    /// The kind of fault.
    pub fault_type: f64,
}

impl AgentSummary {
    /// Sums up the episodes of one agent.
    #[must_use]
    pub fn of(agent: &str, episodes: &[&Evaluated]) -> Self {
        let solved = |is_meant: &dyn Fn(&Evaluated) -> bool| {
            Solved::of(episodes.iter().copied().filter(|one| is_meant(one)))
        };
        let tasks = Task::ALL.into_iter();
        let mut families: BTreeMap<String, Option<Solved>> = BTreeMap::new();
        for episode in episodes {
            families
                .entry(episode.family.clone())
                .or_insert_with(|| solved(&|one| one.family == episode.family));
        }
        let detections = |anomaly: bool, right: &dyn Fn(&Evaluated) -> bool| {
            let asked = episodes.iter().copied();
            let asked = asked.filter(|one| one.task == Task::Detection && one.anomaly == anomaly);
            let found: Vec<bool> = asked.map(right).collect();
            ratio(found.iter().filter(|found| **found).count(), found.len())
        };
        let success = |one: &Evaluated| one.success;
        let sum =
            |figure: fn(&Evaluated) -> u64| episodes.iter().map(|one| figure(one)).sum::<u64>();
        let steps = sum(|one| one.steps);
        Self {
            agent: agent.to_owned(),
            all: solved(&|_| true).unwrap_or_default(),
            tasks: tasks
                .filter_map(|task| Some((task, solved(&|one| one.task == task)?)))
                .collect(),
            families: families
                .into_iter()
                .filter_map(|(family, solved)| Some((family, solved?)))
                .collect(),
            lift: Vec::new(),
            detection_balanced_accuracy: detections(true, &success)
                .zip(detections(false, &success))
                .map(|(yes, no)| (yes + no) / 2.0),
            detection_false_positive_rate: detections(false, &|one| {
                one.graded == Some(Graded::Detection { alarm: true })
            }),
            localization: localization(episodes),
            analysis: analysis(episodes),
            coverage: ratio(
                usize_of(sum(|one| one.covered)),
                usize_of(sum(|one| one.actions)),
            ),
            mean_steps: ratio(usize_of(steps), episodes.len()).unwrap_or_default(),
            invalid_calls: sum(|one| one.invalid_calls),
            repeated_calls: sum(|one| one.repeated_calls),
            writes: episodes.iter().map(|one| one.writes).sum(),
            usage: usage(episodes),
            usage_episodes: usage_episodes(episodes),
        }
    }

    /// Tokens of an episode in the mean over those that tell, in and out; none: none tells.
    pub(super) fn mean_tokens(&self) -> Option<(f64, f64)> {
        let usage = self.usage?;
        let episodes = self.usage_episodes.unwrap_or(self.all.episodes) as f64;
        Some((
            usage.input_tokens as f64 / episodes,
            usage.output_tokens as f64 / episodes,
        ))
    }
}

/// The sum over episodes. One that does not tell has no part in the tokens, and makes the cost
/// unknown.
fn usage(episodes: &[&Evaluated]) -> Option<Usage> {
    let known = episodes.iter().any(|one| one.usage.is_some());
    let all = episodes.iter().map(|one| one.usage.unwrap_or_default());
    known.then(|| all.sum())
}

/// How many episodes tell what they took, where only some do.
fn usage_episodes(episodes: &[&Evaluated]) -> Option<usize> {
    let told = episodes.iter().filter(|one| one.usage.is_some()).count();
    (0 < told && told < episodes.len()).then_some(told)
}

fn localization(episodes: &[&Evaluated]) -> Option<RankedAnswer> {
    let answers: Vec<RankedAnswer> = episodes
        .iter()
        .filter_map(|one| match one.graded {
            Some(Graded::Localization(answer)) => Some(answer),
            _ => None,
        })
        .collect();
    let mean = |figure: fn(&RankedAnswer) -> f64| {
        answers.iter().map(figure).sum::<f64>() / answers.len() as f64
    };
    (!answers.is_empty()).then(|| RankedAnswer {
        acc_at_1: mean(|one| one.acc_at_1),
        acc_at_3: mean(|one| one.acc_at_3),
        acc_at_5: mean(|one| one.acc_at_5),
        reciprocal_rank: mean(|one| one.reciprocal_rank),
        precision: mean(|one| one.precision),
        recall: mean(|one| one.recall),
        f1: mean(|one| one.f1),
    })
}

fn analysis(episodes: &[&Evaluated]) -> Option<AnalysisFields> {
    let fields: Vec<(bool, bool)> = episodes
        .iter()
        .filter_map(|one| match one.graded {
            Some(Graded::Analysis {
                system_level,
                fault_type,
            }) => Some((system_level, fault_type)),
            _ => None,
        })
        .collect();
    let share = |right: fn(&&(bool, bool)) -> bool| {
        ratio(fields.iter().filter(right).count(), fields.len())
    };
    Some(AnalysisFields {
        system_level: share(|one| one.0)?,
        fault_type: share(|one| one.1)?,
    })
}

fn usize_of(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

fn ratio(part: usize, whole: usize) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn always_yes_is_half_right_however_many_controls_there_are() {
        let detection = |problem: &str, anomaly: bool| Evaluated {
            graded: Some(Graded::Detection { alarm: true }),
            ..Evaluated::example(problem, Task::Detection, anomaly, anomaly)
        };
        let mut episodes = vec![
            detection("p", true),
            detection("q", false),
            detection("r", false),
        ];
        let of =
            |episodes: &[Evaluated]| AgentSummary::of("a", &episodes.iter().collect::<Vec<_>>());
        let figures = of(&episodes);
        assert_eq!(figures.detection_balanced_accuracy, Some(0.5));
        assert_eq!(figures.detection_false_positive_rate, Some(1.0));
        let solved = figures.tasks[&Task::Detection];
        assert_eq!((solved.episodes, solved.successes), (3, 1));
        assert_eq!(figures.coverage, Some(1.0));
        // Whoever does not answer raises no false alarm, and is not right either.
        episodes[2].graded = None;
        let figures = of(&episodes);
        assert_eq!(figures.detection_false_positive_rate, Some(0.5));
        assert_eq!(figures.detection_balanced_accuracy, Some(0.5));
    }

    #[test]
    fn grades_are_means_over_the_problems_of_their_task() {
        let mut half = Evaluated::example("p", Task::Localization, true, false);
        half.graded = Some(Graded::Localization(RankedAnswer {
            acc_at_3: 1.0,
            reciprocal_rank: 0.5,
            ..RankedAnswer::default()
        }));
        let mut nothing = Evaluated::example("q", Task::Localization, true, false);
        nothing.graded = Some(Graded::Localization(RankedAnswer::default()));
        let mut field = Evaluated::example("r", Task::Analysis, true, false);
        field.graded = Some(Graded::Analysis {
            system_level: true,
            fault_type: false,
        });
        let figures = AgentSummary::of("a", &[&half, &nothing, &field]);
        let ranks = figures.localization.unwrap();
        assert_eq!(
            (ranks.acc_at_1, ranks.acc_at_3, ranks.reciprocal_rank),
            (0.0, 0.5, 0.25)
        );
        let fields = figures.analysis.unwrap();
        assert_eq!((fields.system_level, fields.fault_type), (1.0, 0.0));
        assert_eq!(AgentSummary::of("a", &[]).analysis, None);
    }

    #[test]
    fn episodes_that_do_not_tell_their_tokens_are_in_no_mean() {
        let silent = Evaluated::example("p", Task::Detection, true, true);
        let told = Evaluated {
            usage: Some(Usage {
                input_tokens: 100,
                output_tokens: 10,
                cost_usd: Some(0.5),
                estimated: false,
            }),
            ..Evaluated::example("q", Task::Detection, true, true)
        };
        let mixed = AgentSummary::of("a", &[&told, &silent, &told]);
        assert_eq!(mixed.mean_tokens(), Some((100.0, 10.0)));
        assert_eq!(mixed.usage_episodes, Some(2));
        assert_eq!(mixed.usage.unwrap().cost_usd, None);

        let whole = AgentSummary::of("a", &[&told, &told]);
        assert_eq!(whole.mean_tokens(), Some((100.0, 10.0)));
        assert_eq!(whole.usage_episodes, None);
        assert_eq!(whole.usage.unwrap().cost_usd, Some(1.0));

        let nothing = AgentSummary::of("a", &[&silent]);
        assert_eq!(nothing.mean_tokens(), None);
        let written = serde_json::to_value(&nothing).unwrap();
        assert_eq!(written.get("usage"), None);
    }
}
