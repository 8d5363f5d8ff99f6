//! `summary.json`: what an evaluation came to.

use std::collections::BTreeMap;

use aiopslab_problems::catalog::Problem;
use aiopslab_problems::family::Exercised;
use camino::Utf8Path;
use serde::{Deserialize, Serialize};

use super::figures::AgentSummary;
use crate::agents::AgentSpec;
use crate::comparison::{self, always_solved};
use crate::evaluation::Evaluated;
use crate::exit::Failure;

/// The name of an evaluation's summary.
pub(crate) const SUMMARY: &str = "summary.json";

/// `summary.json`: what an evaluation came to. Holds no time.
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
            Failure::user(format!(
                "{path} is no summary of an evaluation: {error}\nhint: `aiopslab score {folder} --write` makes it anew"
            ))
        })
    }

    /// Sums up episodes: the agent's figures first, then those of the others in the order given.
    pub fn of<'a>(
        agents: &[String],
        problems: impl Iterator<Item = &'a Problem>,
        repeat: u32,
        episodes: Vec<Evaluated>,
    ) -> Self {
        let mut exercised = BTreeMap::new();
        for problem in problems {
            *exercised.entry(problem.exercised).or_default() += 1;
        }
        let mut summary = Self {
            agent: agents.first().cloned().unwrap_or_default(),
            snapshots: 0,
            repeat,
            agents: Vec::new(),
            exercised,
            not_run: Vec::new(),
            unfinished: 0,
            not_reproducible: None,
            episodes,
        };
        summary.count(agents);
        summary
    }

    /// Makes the figures of agents from the episodes.
    pub(super) fn count(&mut self, agents: &[String]) {
        let own = |name: &String| {
            let episodes = self.episodes.iter();
            episodes.filter(|one| one.agent == *name).collect()
        };
        let all: Vec<(String, Vec<&Evaluated>)> = agents
            .iter()
            .map(|name| (name.clone(), own(name)))
            .collect();
        let evaluated: Vec<bool> = agents.iter().map(|name| self.is_evaluated(name)).collect();
        let figures = all.iter().zip(evaluated);
        self.agents = figures
            .map(|((name, episodes), is_evaluated)| {
                let mut figures = AgentSummary::of(name, episodes);
                if is_evaluated {
                    let mut others = all.clone();
                    others.retain(|(other, _)| other != name);
                    figures.lift = comparison::compare(episodes, &others);
                }
                figures
            })
            .collect();
    }

    /// Whether an agent is there for its own sake rather than for comparison.
    #[must_use]
    pub fn is_evaluated(&self, agent: &str) -> bool {
        let is_baseline = AgentSpec::BASELINES
            .iter()
            .any(|baseline| baseline.to_string() == agent);
        agent == self.agent || !is_baseline
    }

    /// Problems that whoever always answers the same solves: they tell nothing about an agent.
    #[must_use]
    pub fn trivial(&self) -> Vec<&str> {
        let constant = AgentSpec::Constant.to_string();
        let own = self.episodes.iter().filter(|one| one.agent == constant);
        always_solved(own).into_iter().collect()
    }

    /// How many problems were asked.
    #[must_use]
    pub fn problems(&self) -> usize {
        self.exercised.values().sum()
    }
}
