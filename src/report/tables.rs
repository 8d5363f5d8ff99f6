//! The figures arranged as tables: a row for each figure, a column for each agent.

use std::collections::BTreeSet;

use aiopslab_problems::episode::Usage;
use aiopslab_problems::score::RankedAnswer;
use aiopslab_problems::task::Task;
use serde::Serialize;

use super::figures::AgentSummary;
use super::summary::Summary;
use crate::comparison::{Row as Pair, Solved};

/// The steps at which it is told how much has been solved.
const MILESTONES: [u64; 8] = [1, 2, 3, 5, 10, 20, 50, 100];

/// Some figures of every agent.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Table {
    /// What they are about.
    pub(super) title: String,
    /// The figures.
    pub(super) rows: Vec<Row>,
    /// What they mean.
    pub(super) notes: Vec<String>,
}

/// One figure of every agent.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Row {
    /// What it is.
    pub(super) name: String,
    /// Whether it belongs to the row before it.
    pub(super) is_below: bool,
    /// How many problems it is of; none: of all that were asked.
    pub(super) problems: Option<usize>,
    /// A cell for each agent.
    pub(super) cells: Vec<Cell>,
}

/// One figure of one agent.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Cell {
    /// The figure.
    pub(super) text: String,
    /// How far it may be off.
    pub(super) interval: Option<String>,
    /// The same of a share, as numbers from 0 to 1, for pictures: low, share, high.
    pub(super) share: Option<(f64, f64, f64)>,
}

impl Cell {
    pub(super) fn none() -> Self {
        Self::text("-")
    }

    pub(super) fn text(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            interval: None,
            share: None,
        }
    }

    fn solved(solved: &Solved) -> Self {
        let (low, high) = solved.interval.unwrap_or((solved.share, solved.share));
        Self {
            text: percent(solved.share),
            interval: solved
                .interval
                .map(|(low, high)| format!("{:.0} … {:.0}", low * 100.0, high * 100.0)),
            share: Some((low, solved.share, high)),
        }
    }

    fn lift(pair: &Pair) -> Self {
        let points = |share: f64| format!("{:+.0}", share * 100.0);
        let (low, high) = pair.interval;
        Self {
            text: points(pair.lift),
            interval: (pair.problems > 1).then(|| format!("{} … {}", points(low), points(high))),
            share: None,
        }
    }

    fn share(share: Option<f64>) -> Self {
        share.map_or_else(Self::none, |share| Self::text(percent(share)))
    }
}

impl Row {
    pub(super) fn of(
        summary: &Summary,
        name: impl Into<String>,
        cell: impl FnMut(&AgentSummary) -> Cell,
    ) -> Self {
        Self {
            name: name.into(),
            is_below: false,
            problems: None,
            cells: summary.agents.iter().map(cell).collect(),
        }
    }

    pub(super) fn below(self) -> Self {
        Self {
            is_below: true,
            ..self
        }
    }
}

/// What was solved, per task and in all, and how much more than others solve.
pub(super) fn solved(summary: &Summary) -> Table {
    let mut rows = Vec::new();
    for task in Task::ALL {
        let of = |agent: &AgentSummary| agent.tasks.get(&task).copied();
        if let Some(row) = solved_row(summary, task.name(), of) {
            rows.push(row);
            if task == Task::Detection {
                let name = "balanced accuracy";
                let row = Row::of(summary, name, |agent| {
                    Cell::share(agent.detection_balanced_accuracy)
                });
                rows.push(row.below());
                let row = Row::of(summary, "false alarms", |agent| {
                    Cell::share(agent.detection_false_positive_rate)
                });
                rows.push(row.below());
            }
            rows.extend(lifts(summary, Some(task)));
        }
    }
    let all = |agent: &AgentSummary| (agent.all.problems > 0).then_some(agent.all);
    if let Some(row) = solved_row(summary, "all", all) {
        rows.push(row);
        rows.extend(lifts(summary, None));
    }
    let mut notes = vec![
        "solved: mean over problems of the share of their episodes that was right (strict), with the 95 % interval of a bootstrap over problems".to_owned(),
        "lift: how many points more than another agent on the same problems".to_owned(),
        "balanced accuracy: mean of the shares of faults and of quiet systems that were recognised (always Yes: 50 %); false alarms: share of quiet systems answered Yes".to_owned(),
    ];
    notes.extend(trivial(summary));
    Table {
        title: "solved".to_owned(),
        rows,
        notes,
    }
}

fn solved_row(
    summary: &Summary,
    name: &str,
    of: impl Fn(&AgentSummary) -> Option<Solved>,
) -> Option<Row> {
    let problems = summary.agents.iter().filter_map(&of);
    let problems = problems.map(|solved| solved.problems).max()?;
    let row = Row::of(summary, name, |agent| {
        of(agent).as_ref().map_or_else(Cell::none, Cell::solved)
    });
    Some(Row {
        problems: Some(problems),
        ..row
    })
}

/// A row for each agent that is evaluated: what it solves more than each of the others.
fn lifts(summary: &Summary, task: Option<Task>) -> Vec<Row> {
    let evaluated = summary.agents.iter();
    let evaluated = evaluated.filter(|one| one.lift.iter().any(|pair| pair.task == task));
    let several = evaluated.clone().count() > 1;
    evaluated
        .map(|one| {
            let name = match several {
                true => format!("lift of {}", one.agent),
                false => "lift".to_owned(),
            };
            let pair = |other: &AgentSummary| {
                let mut pairs = one.lift.iter();
                pairs.find(|pair| pair.against == other.agent && pair.task == task)
            };
            Row::of(summary, name, |other| {
                pair(other).map_or_else(Cell::none, Cell::lift)
            })
            .below()
        })
        .collect()
}

/// What is known of problems that tell nothing.
fn trivial(summary: &Summary) -> Option<String> {
    let trivial = summary.trivial();
    (!trivial.is_empty()).then(|| {
        format!(
            "baseline:constant solves {} of {} problems, which tell nothing about an agent",
            trivial.len(),
            summary.problems()
        )
    })
}

/// One of the figures of a ranked answer.
type Figure = fn(&RankedAnswer) -> f64;

/// How near answers came that may not have been right.
pub(super) fn nearness(summary: &Summary) -> Option<Table> {
    let mut rows = Vec::new();
    let ranked: [(&str, Figure); 7] = [
        ("localization: Acc@1", |answer| answer.acc_at_1),
        ("Acc@3", |answer| answer.acc_at_3),
        ("Acc@5", |answer| answer.acc_at_5),
        ("MRR", |answer| answer.reciprocal_rank),
        ("precision", |answer| answer.precision),
        ("recall", |answer| answer.recall),
        ("F1", |answer| answer.f1),
    ];
    if summary.agents.iter().any(|one| one.localization.is_some()) {
        rows.extend(ranked.iter().map(|(name, figure)| {
            Row::of(summary, *name, |agent| {
                let answer = agent.localization.as_ref();
                answer.map_or_else(Cell::none, |answer| {
                    Cell::text(format!("{:.2}", figure(answer)))
                })
            })
        }));
        rows.iter_mut().skip(1).for_each(|row| row.is_below = true);
    }
    if summary.agents.iter().any(|one| one.analysis.is_some()) {
        rows.push(Row::of(summary, "analysis: system level", |agent| {
            Cell::share(agent.analysis.map(|fields| fields.system_level))
        }));
        let row = Row::of(summary, "fault type", |agent| {
            Cell::share(agent.analysis.map(|fields| fields.fault_type))
        });
        rows.push(row.below());
    }
    let notes = vec![
        "beside what is solved, never instead of it: a list of components read as a ranking, and its overlap with the right set".to_owned(),
    ];
    (!rows.is_empty()).then_some(Table {
        title: "how near".to_owned(),
        rows,
        notes,
    })
}

/// What agents did, rather than what they found.
pub(super) fn conduct(summary: &Summary) -> Table {
    let count = |number: u64| Cell::text(number.to_string());
    let rows = vec![
        Row::of(summary, "episodes", |agent| {
            count(agent.all.episodes as u64)
        }),
        coverage(summary),
        steps(summary),
        Row::of(summary, "invalid calls", |agent| count(agent.invalid_calls)),
        Row::of(summary, "repeated calls", |agent| {
            count(agent.repeated_calls)
        }),
        Row::of(summary, "writes attempted", |agent| {
            count(agent.writes.writes_attempted.into())
        }),
        Row::of(summary, "destructive commands", |agent| {
            count(agent.writes.destructive_commands.into())
        }),
    ];
    Table {
        title: "conduct".to_owned(),
        rows,
        notes: vec![COVERAGE.to_owned()],
    }
}

pub(super) const COVERAGE: &str =
    "coverage: share of actions that the recordings could answer, or prove empty";

pub(super) fn coverage(summary: &Summary) -> Row {
    Row::of(summary, "coverage", |agent| Cell::share(agent.coverage))
}

pub(super) fn steps(summary: &Summary) -> Row {
    Row::of(summary, "steps per episode", |agent| {
        Cell::text(format!("{:.1}", agent.mean_steps))
    })
}

/// What models took; none: no agent tells of any.
pub(super) fn cost(summary: &Summary) -> Option<Table> {
    let agents = || summary.agents.iter();
    agents().find(|agent| agent.usage.is_some())?;
    let row = |name: &str, figure: &dyn Fn(&AgentSummary, &Usage) -> Cell| {
        Row::of(summary, name, |agent| match &agent.usage {
            Some(usage) => figure(agent, usage),
            None => Cell::none(),
        })
    };
    let tokens = |mean: Option<f64>| match mean {
        Some(mean) => Cell::text(format!("{mean:.0}")),
        None => Cell::none(),
    };
    let money = |dollars: Option<f64>| match dollars {
        Some(dollars) => Cell::text(format!("{dollars:.4}")),
        None => Cell::text("unknown"),
    };
    let rows = vec![
        row("tokens in, per episode", &|agent, _| {
            tokens(agent.mean_tokens().map(|(read, _)| read))
        }),
        row("tokens out, per episode", &|agent, _| {
            tokens(agent.mean_tokens().map(|(_, written)| written))
        }),
        row("US dollars in all", &|_, usage| money(usage.cost_usd)),
        row("US dollars per episode", &|agent, usage| {
            money(usage.cost_usd.map(|cost| cost / agent.all.episodes as f64))
        }),
        row(
            "US dollars per solved episode",
            &|agent, usage| match agent.all.successes {
                0 => Cell::none(),
                solved => money(usage.cost_usd.map(|cost| cost / solved as f64)),
            },
        ),
    ];
    let estimated = agents().any(|agent| agent.usage.is_some_and(|usage| usage.estimated));
    let is_partial = agents().any(|agent| agent.usage_episodes.is_some());
    let notes = [
        (
            estimated,
            "some numbers are our estimate, because a provider told none",
        ),
        (
            is_partial,
            "tokens: means over the episodes whose agent told them; some did not, which makes the cost unknown",
        ),
    ];
    Some(Table {
        title: "cost".to_owned(),
        rows,
        notes: notes
            .into_iter()
            .filter(|(is_so, _)| *is_so)
            .map(|(_, note)| note.to_owned())
            .collect(),
    })
}

/// What was solved, per family.
pub(super) fn families(summary: &Summary) -> Table {
    let agents = summary.agents.iter();
    let names: BTreeSet<&String> = agents.flat_map(|agent| agent.families.keys()).collect();
    let rows = names
        .into_iter()
        .filter_map(|name| solved_row(summary, name, |agent| agent.families.get(name).copied()));
    Table {
        title: "solved, by family".to_owned(),
        rows: rows.collect(),
        notes: Vec::new(),
    }
}

/// How much was solved after so many steps.
pub(super) fn progress(summary: &Summary) -> Table {
    let most = summary.episodes.iter().map(|one| one.steps).max();
    let most = most.unwrap_or_default();
    let last = MILESTONES.iter().position(|step| *step >= most);
    let milestones = &MILESTONES[..last.map_or(MILESTONES.len(), |last| last + 1)];
    let curves: Vec<Vec<u64>> = summary
        .agents
        .iter()
        .map(|agent| curve(summary, &agent.agent))
        .collect();
    let rows = milestones.iter().map(|step| {
        let mut curves = curves.iter();
        Row::of(summary, format!("within {step}"), |agent| {
            let solved = curves.next().map_or(0, |curve| {
                curve.iter().filter(|taken| *taken <= step).count()
            });
            match agent.all.episodes {
                0 => Cell::none(),
                all => Cell::share(Some(solved as f64 / all as f64)),
            }
        })
    });
    Table {
        title: "steps to success".to_owned(),
        rows: rows.collect(),
        notes: vec!["share of all episodes that were solved within so many steps".to_owned()],
    }
}

/// How many steps each solved episode of an agent took, the shortest first.
pub(super) fn curve(summary: &Summary, agent: &str) -> Vec<u64> {
    let episodes = summary.episodes.iter();
    let solved = episodes.filter(|one| one.agent == agent && one.success);
    let mut steps: Vec<u64> = solved.map(|one| one.steps).collect();
    steps.sort_unstable();
    steps
}

fn percent(share: f64) -> String {
    format!("{:.0} %", share * 100.0)
}
