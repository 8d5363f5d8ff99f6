//! Several evaluations side by side, as one summary.

use std::collections::{BTreeMap, BTreeSet};

use camino::{Utf8Path, Utf8PathBuf};

use super::summary::Summary;
use crate::agents::AgentSpec;
use crate::exit::Failure;
use crate::judge::{self, Judged, Subject, Verdicts};
use crate::results;

/// Evaluations as one summary, and where their episodes lie.
#[derive(Debug)]
pub struct Source {
    /// The figures of every agent.
    pub summary: Summary,
    /// The folder of each of the summary's episodes.
    pub folders: Vec<Utf8PathBuf>,
    /// What judges said, where they were asked.
    pub judged: Vec<Judged>,
}

/// Reads evaluations and puts their agents side by side.
///
/// An agent that several of them evaluate is told apart by the folder's name. What a baseline did on
/// a problem is taken from the first evaluation that has it.
///
/// # Errors
/// When one of them can't be read.
pub fn beside(roots: &[Utf8PathBuf]) -> Result<Source, Failure> {
    let mut read = Vec::new();
    for root in roots {
        read.push((root.as_path(), Summary::read(root)?));
    }
    tell_apart(&mut read);
    let mut together: Option<Source> = None;
    for (root, summary) in read {
        let folders = summary.episodes.iter().map(|one| root.join(&one.folder));
        let folders = folders.collect();
        match &mut together {
            None => {
                together = Some(Source {
                    summary,
                    folders,
                    judged: Vec::new(),
                });
            }
            Some(source) => source.take(summary, folders),
        }
    }
    let mut source =
        together.ok_or_else(|| Failure::user("there is no evaluation to report on"))?;
    source.summary.count(&source.agents());
    let mut verdicts = Verdicts::default();
    for root in roots {
        verdicts.extend(Verdicts::read(root)?);
    }
    if verdicts.iter().next().is_some() {
        let judged = judge::judged(&verdicts, &source.subjects()?);
        source.judged = judged;
    }
    Ok(source)
}

/// Gives agents other names that more than one of the folders evaluates.
fn tell_apart(read: &mut [(&Utf8Path, Summary)]) {
    let mut times: BTreeMap<String, usize> = BTreeMap::new();
    for (_, summary) in read.iter() {
        *times.entry(summary.agent.clone()).or_default() += 1;
    }
    for (root, summary) in read {
        if times.get(&summary.agent).is_some_and(|times| *times > 1) {
            let name = format!("{} ({root})", summary.agent);
            for episode in &mut summary.episodes {
                if episode.agent == summary.agent {
                    episode.agent.clone_from(&name);
                }
            }
            summary.agent = name;
        }
    }
}

impl Source {
    /// Adds another evaluation.
    fn take(&mut self, other: Summary, folders: Vec<Utf8PathBuf>) {
        let summary = &mut self.summary;
        let mut known: BTreeSet<(String, String, String, u32)> = BTreeSet::new();
        let mut problems: BTreeSet<String> = BTreeSet::new();
        let key = |one: &crate::evaluation::Evaluated| {
            let names = (one.agent.clone(), one.problem.clone(), one.snapshot.clone());
            (names.0, names.1, names.2, one.repeat)
        };
        for episode in &summary.episodes {
            known.insert(key(episode));
            problems.insert(episode.problem.clone());
        }
        for (episode, folder) in other.episodes.into_iter().zip(folders) {
            if problems.insert(episode.problem.clone()) {
                *summary.exercised.entry(episode.exercised).or_default() += 1;
            }
            if known.insert(key(&episode)) {
                summary.episodes.push(episode);
                self.folders.push(folder);
            }
        }
        summary.repeat = summary.repeat.max(other.repeat);
        for problem in other.not_run {
            if !summary.not_run.contains(&problem) {
                summary.not_run.push(problem);
            }
        }
        let snapshots: BTreeSet<&String> =
            summary.episodes.iter().map(|one| &one.snapshot).collect();
        summary.snapshots = snapshots.len();
    }

    /// The episodes, by what verdicts on them are known.
    fn subjects(&self) -> Result<Vec<Subject<'_>>, Failure> {
        let mut subjects = Vec::new();
        let episodes = self.summary.episodes.iter().zip(&self.folders);
        for (number, (evaluated, folder)) in episodes.enumerate() {
            if folder.is_dir() {
                let kept = results::episode(folder, folder)?;
                subjects.extend(Subject::new(number, evaluated, &kept));
            }
        }
        Ok(subjects)
    }

    /// The agents: those that are evaluated in the order of the folders, then the baselines.
    fn agents(&self) -> Vec<String> {
        let mut agents: Vec<String> = Vec::new();
        for episode in &self.summary.episodes {
            if !agents.contains(&episode.agent) {
                agents.push(episode.agent.clone());
            }
        }
        let baselines = AgentSpec::BASELINES.map(|baseline| baseline.to_string());
        agents.sort_by_key(|agent| match self.summary.is_evaluated(agent) {
            true => None,
            false => baselines.iter().position(|baseline| baseline == agent),
        });
        agents
    }
}
