//! What came of an evaluation: figures per agent and task, as a table and as JSON.

use std::collections::BTreeMap;

use aiopslab_problems::catalog::Problem;
use aiopslab_problems::family::Exercised;
use aiopslab_problems::task::Task;
use camino::Utf8Path;
use comfy_table::{CellAlignment, Table, presets};
use serde::{Deserialize, Serialize};

use crate::evaluation::Evaluated;
use crate::exit::Failure;

/// The name of an evaluation's summary.
pub(crate) const SUMMARY: &str = "summary.json";

/// `summary.json`: what an evaluation came to. Holds nothing measured.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// The agent that was evaluated.
    pub agent: String,
    /// How many snapshots there were.
    pub snapshots: usize,
    /// How often each problem was asked.
    pub repeat: u32,
    /// Figures of the agent, then of the baselines.
    pub agents: Vec<AgentSummary>,
    /// How many problems were asked, by how far their families have been tried.
    pub exercised: BTreeMap<Exercised, usize>,
    /// Problems that need a cluster: neither run nor counted.
    pub not_run: Vec<String>,
    /// How many episodes are not finished, because somebody stopped the evaluation.
    #[serde(default)]
    pub unfinished: usize,
    /// Why the same evaluation can come to something else; none: nothing known does that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_reproducible: Option<String>,
    /// Every episode, in the order of the problems.
    pub episodes: Vec<Evaluated>,
}

impl Summary {
    /// Reads what an evaluation left in its folder.
    ///
    /// # Errors
    /// When there is no summary, or it can't be read.
    pub fn read(folder: &Utf8Path) -> Result<Self, Failure> {
        let path = folder.join(SUMMARY);
        let text = std::fs::read_to_string(&path).map_err(|error| {
            Failure::user(format!(
                "{path} can't be read: {error}\nhint: give a folder that `aiopslab eval --out` made; `aiopslab score --write` makes a summary of its episodes"
            ))
        })?;
        serde_json::from_str(&text).map_err(|error| {
            Failure::user(format!("{path} is no summary of an evaluation: {error}"))
        })
    }

    /// Sums up episodes: the agent's figures first, then those of the others in the order given.
    pub fn of<'a>(
        agents: &[String],
        problems: impl Iterator<Item = &'a Problem>,
        repeat: u32,
        episodes: Vec<Evaluated>,
    ) -> Self {
        let figures = agents.iter().map(|name| {
            let own = episodes.iter().filter(|episode| episode.agent == *name);
            AgentSummary::of(name, &own.collect::<Vec<_>>())
        });
        let figures = figures.collect();
        let mut exercised = BTreeMap::new();
        for problem in problems {
            *exercised.entry(problem.exercised).or_default() += 1;
        }
        Self {
            agent: agents.first().cloned().unwrap_or_default(),
            snapshots: 0,
            repeat,
            agents: figures,
            exercised,
            not_run: Vec::new(),
            unfinished: 0,
            not_reproducible: None,
            episodes,
        }
    }
}

/// Figures of one agent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AgentSummary {
    /// Its name.
    pub agent: String,
    /// Success per task.
    pub tasks: BTreeMap<Task, TaskSummary>,
    /// Mean of the shares of faults answered Yes and of controls answered No; none without both.
    pub detection_balanced_accuracy: Option<f64>,
    /// Share of actions that the recording could answer (or prove empty), 0 to 1; none without actions.
    pub coverage: Option<f64>,
    /// Mean number of steps in an episode.
    pub mean_steps: f64,
    /// Calls that could not be read.
    pub invalid_calls: u64,
}

/// Figures of one agent at one task.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskSummary {
    /// Episodes.
    pub episodes: usize,
    /// Episodes that succeeded (`strict`).
    pub successes: usize,
}

impl AgentSummary {
    /// Sums up the episodes of one agent.
    #[must_use]
    pub fn of(agent: &str, episodes: &[&Evaluated]) -> Self {
        let mut tasks: BTreeMap<Task, TaskSummary> = BTreeMap::new();
        for episode in episodes {
            let task = tasks.entry(episode.task).or_default();
            task.episodes += 1;
            task.successes += usize::from(episode.success);
        }
        let share = |anomaly: bool| {
            let asked: Vec<_> = episodes
                .iter()
                .filter(|one| one.task == Task::Detection && one.anomaly == anomaly)
                .collect();
            ratio(asked.iter().filter(|one| one.success).count(), asked.len())
        };
        let sum =
            |figure: fn(&Evaluated) -> u64| episodes.iter().map(|one| figure(one)).sum::<u64>();
        let actions = sum(|one| one.actions);
        let steps = sum(|one| one.steps);
        Self {
            agent: agent.to_owned(),
            tasks,
            detection_balanced_accuracy: share(true)
                .zip(share(false))
                .map(|(yes, no)| (yes + no) / 2.0),
            coverage: ratio(usize_of(sum(|one| one.covered)), usize_of(actions)),
            mean_steps: ratio(usize_of(steps), episodes.len()).unwrap_or_default(),
            invalid_calls: sum(|one| one.invalid_calls),
        }
    }
}

fn usize_of(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

fn ratio(part: usize, whole: usize) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

/// The table for people: a row for each figure, a column for each agent.
#[must_use]
pub fn table(summary: &Summary) -> String {
    let mut table = Table::new();
    table.load_preset(presets::UTF8_HORIZONTAL_ONLY);
    let header = ["".to_owned(), "asked".to_owned()]
        .into_iter()
        .chain(summary.agents.iter().map(|agent| agent.agent.clone()));
    table.set_header(header);
    for task in Task::ALL {
        let Some(asked) = summary
            .agents
            .first()
            .and_then(|agent| agent.tasks.get(&task))
        else {
            continue;
        };
        let scores = summary.agents.iter().map(|agent| {
            let score = agent.tasks.get(&task).copied().unwrap_or_default();
            format!(
                "{} solved ({})",
                score.successes,
                percent(ratio(score.successes, score.episodes))
            )
        });
        table.add_row(
            [task.to_string(), asked.episodes.to_string()]
                .into_iter()
                .chain(scores),
        );
        if task == Task::Detection {
            row(&mut table, summary, "  balanced accuracy", |agent| {
                percent(agent.detection_balanced_accuracy)
            });
        }
    }
    row(&mut table, summary, "coverage", |agent| {
        percent(agent.coverage)
    });
    row(&mut table, summary, "steps per problem", |agent| {
        format!("{:.1}", agent.mean_steps)
    });
    for column in 1..summary.agents.len() + 2 {
        if let Some(column) = table.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    let mut out = format!("{table}\n");
    out.push_str("balanced accuracy: mean of the shares of faults and of quiet systems that were recognised (always Yes: 50 %)\n");
    out.push_str("coverage: share of actions that the recordings could answer\n");
    let exercised = summary.exercised.iter();
    let exercised: Vec<String> = exercised
        .map(|(how, count)| format!("{} {count}", how.name()))
        .collect();
    out.push_str(&format!(
        "problems by where their fault was exercised: {}\n",
        exercised.join(", ")
    ));
    if !summary.not_run.is_empty() {
        out.push_str(&format!(
            "not run, not counted: {} mitigation problems (they need a cluster)\n",
            summary.not_run.len()
        ));
    }
    out
}

/// A line for each mitigation that was judged.
#[must_use]
pub fn repairs(summary: &Summary) -> String {
    let mitigations = summary.episodes.iter();
    let lines = mitigations
        .filter(|one| one.task == Task::Mitigation)
        .map(|one| {
            let outcome = match &one.unmitigated {
                Some(because) => format!("not repaired: {because}"),
                None if one.success => "repaired".to_owned(),
                None => "not judged".to_owned(),
            };
            format!("{} by {}: {outcome}\n", one.problem, one.agent)
        });
    lines.collect()
}

fn row(table: &mut Table, summary: &Summary, name: &str, figure: impl Fn(&AgentSummary) -> String) {
    let cells = [name.to_owned(), String::new()]
        .into_iter()
        .chain(summary.agents.iter().map(figure));
    table.add_row(cells);
}

fn percent(share: Option<f64>) -> String {
    share.map_or_else(|| "-".to_owned(), |share| format!("{:.0} %", share * 100.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn episode(task: Task, anomaly: bool, success: bool) -> Evaluated {
        Evaluated {
            agent: "a".to_owned(),
            problem: "p".to_owned(),
            snapshot: "s".to_owned(),
            repeat: 1,
            task,
            anomaly,
            exercised: Exercised::Lab,
            success,
            end: aiopslab_problems::episode::EndReason::Submitted,
            error: None,
            unmitigated: None,
            steps: 2,
            actions: 1,
            covered: 1,
            invalid_calls: 0,
            usage: None,
            folder: String::new(),
        }
    }

    #[test]
    fn always_yes_is_half_right_however_many_controls_there_are() {
        let episodes = [
            episode(Task::Detection, true, true),
            episode(Task::Detection, false, false),
            episode(Task::Detection, false, false),
        ];
        let summary = AgentSummary::of("a", &episodes.iter().collect::<Vec<_>>());
        assert_eq!(summary.detection_balanced_accuracy, Some(0.5));
        assert_eq!(
            summary.tasks[&Task::Detection],
            TaskSummary {
                episodes: 3,
                successes: 1
            }
        );
        assert_eq!(summary.coverage, Some(1.0));
    }
}
