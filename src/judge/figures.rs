//! Verdicts summed up, beside the scores and never among them.

use std::collections::BTreeMap;

use aiopslab_problems::episode::Usage;
use aiopslab_problems::score::judge::{Judge, episode_sha256};
use serde::Serialize;

use super::asking::submission;
use super::verdicts::{Verdict, Verdicts};
use crate::evaluation::Evaluated;
use crate::results::Kept;

/// What one judge said of the episodes of an evaluation.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Judged {
    /// Who judged.
    pub judge: Judge,
    /// Ratings by agent.
    pub agents: BTreeMap<String, Ratings>,
    /// Verdicts on episodes that are not among these as they went: they have changed, or are not there any more.
    pub unmatched: usize,
    /// What judging took, which is no part of what the agents took; none: there is no model.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub usage: Option<Usage>,
    /// Episodes that were judged.
    pub episodes: Vec<JudgedEpisode>,
}

/// What a judge said of one agent's episodes.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize)]
pub struct Ratings {
    /// Episodes with a verdict.
    pub judged: usize,
    /// Those whose verdict is no rating, which count in no mean.
    pub unparsable: usize,
    /// Mean rating, 1 to 10; none: there is none.
    pub mean: Option<f64>,
    /// Mean rating of the episodes that were solved.
    pub mean_solved: Option<f64>,
    /// Mean rating of the others.
    pub mean_unsolved: Option<f64>,
}

/// A verdict at its episode.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct JudgedEpisode {
    /// Its number among those of the summary.
    #[serde(skip)]
    pub number: usize,
    /// The agent.
    pub agent: String,
    /// Which repetition, from 1.
    pub repeat: u32,
    /// The episode's folder.
    pub folder: String,
    /// Whether the episode was solved (`strict`).
    pub success: bool,
    /// What the judge said.
    #[serde(flatten)]
    pub verdict: Verdict,
}

/// An episode as it is in a summary, and by what its verdicts are known.
pub(crate) struct Subject<'a> {
    number: usize,
    evaluated: &'a Evaluated,
    episode_sha256: String,
}

impl<'a> Subject<'a> {
    /// The episode of that number in a summary; none: nothing was submitted in it.
    pub(crate) fn new(number: usize, evaluated: &'a Evaluated, kept: &Kept) -> Option<Self> {
        let episode_sha256 = episode_sha256(&kept.steps, submission(kept)?);
        Some(Self {
            number,
            evaluated,
            episode_sha256,
        })
    }

    fn of(&self) -> (&str, &str) {
        (&self.evaluated.problem, &self.episode_sha256)
    }
}

/// Verdicts by the problem and the digest of the episode.
type ByEpisode<'a> = BTreeMap<(&'a str, &'a str), &'a Verdict>;

/// What each judge said of these episodes, in the order of the verdicts.
pub(crate) fn judged(verdicts: &Verdicts, subjects: &[Subject<'_>]) -> Vec<Judged> {
    let mut by_judge: Vec<(&Judge, ByEpisode<'_>)> = Vec::new();
    for verdict in verdicts.iter() {
        let of = (verdict.problem.as_str(), verdict.episode_sha256.as_str());
        match by_judge.iter_mut().find(|one| *one.0 == verdict.judge) {
            // The last one is of the truth that the catalog had last.
            Some((_, own)) => drop(own.insert(of, verdict)),
            None => by_judge.push((&verdict.judge, BTreeMap::from([(of, verdict)]))),
        }
    }
    let judged = by_judge.into_iter().map(|(judge, mut own)| {
        let find =
            |subject: &Subject<'_>| Some(JudgedEpisode::new(subject, own.get(&subject.of())?));
        let episodes = subjects.iter().filter_map(find).collect();
        for subject in subjects {
            own.remove(&subject.of());
        }
        Judged::new(judge, episodes, own.len())
    });
    judged.collect()
}

impl JudgedEpisode {
    fn new(subject: &Subject<'_>, verdict: &Verdict) -> Self {
        let evaluated = subject.evaluated;
        Self {
            number: subject.number,
            agent: evaluated.agent.clone(),
            repeat: evaluated.repeat,
            folder: evaluated.folder.clone(),
            success: evaluated.success,
            verdict: verdict.clone(),
        }
    }

    fn rating(&self) -> Option<f64> {
        self.verdict.ruling.rating().map(f64::from)
    }
}

impl Judged {
    fn new(judge: &Judge, episodes: Vec<JudgedEpisode>, unmatched: usize) -> Self {
        let mut agents: BTreeMap<String, Vec<&JudgedEpisode>> = BTreeMap::new();
        // A verdict that several episodes share was paid for once.
        let mut paid: BTreeMap<&str, Option<Usage>> = BTreeMap::new();
        for episode in &episodes {
            agents
                .entry(episode.agent.clone())
                .or_default()
                .push(episode);
            paid.insert(&episode.verdict.key, episode.verdict.usage);
        }
        let agents = agents.into_iter();
        // A script takes nothing, which is no verdict of zero tokens.
        let told: Vec<Usage> = paid.into_values().flatten().collect();
        let usage = (!told.is_empty()).then(|| told.into_iter().sum());
        Self {
            judge: judge.clone(),
            agents: agents
                .map(|(agent, own)| (agent, Ratings::of(&own)))
                .collect(),
            unmatched,
            usage,
            episodes,
        }
    }
}

impl Ratings {
    fn of(episodes: &[&JudgedEpisode]) -> Self {
        let mean_of = |is_meant: &dyn Fn(&JudgedEpisode) -> bool| {
            let meant = episodes.iter().filter(|one| is_meant(one));
            let ratings: Vec<f64> = meant.filter_map(|one| one.rating()).collect();
            (!ratings.is_empty()).then(|| ratings.iter().sum::<f64>() / ratings.len() as f64)
        };
        Self {
            judged: episodes.len(),
            unparsable: episodes.iter().filter(|one| one.rating().is_none()).count(),
            mean: mean_of(&|_| true),
            mean_solved: mean_of(&|one| one.success),
            mean_unsolved: mean_of(&|one| !one.success),
        }
    }
}
