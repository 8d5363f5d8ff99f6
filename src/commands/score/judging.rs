//! `aiopslab score --judge`: what a model thinks of the reasoning, beside the scores.

use std::collections::{BTreeMap, BTreeSet};

use camino::Utf8Path;
use serde::Serialize;

use crate::agents::llm::Model;
use crate::exit::Failure;
use crate::judge::{self, Judged, Subject};
use crate::library::Library;
use crate::report::{self, Summary};
use crate::results::Kept;

/// What judging came to this time.
#[derive(Serialize)]
pub(super) struct Judging {
    /// Questions that were answered.
    asked: usize,
    /// Questions whose answer had been kept.
    kept: usize,
    /// Episodes without a submission, about which nobody is asked.
    without_submission: usize,
    /// Episodes that have no verdict, with the reason.
    failed: Vec<String>,
    /// The judge's figures; none: it has judged nothing.
    #[serde(flatten)]
    judged: Option<Judged>,
}

impl Judging {
    /// Asks about the episodes of every agent that is evaluated: the baselines reason about nothing.
    pub(super) async fn of(
        model: &Model,
        library: &Library,
        (summary, (results, kept)): (&Summary, (&Utf8Path, &[Kept])),
        jobs: usize,
    ) -> Result<Self, Failure> {
        let kept: BTreeMap<&str, &Kept> =
            kept.iter().map(|one| (one.folder.as_str(), one)).collect();
        let evaluated = summary.episodes.iter().enumerate();
        let evaluated: Vec<_> = evaluated
            .filter(|(_, one)| summary.is_evaluated(&one.agent))
            .filter_map(|(number, one)| Some((number, one, *kept.get(one.folder.as_str())?)))
            .collect();
        let asked: Vec<&Kept> = evaluated.iter().map(|(_, _, kept)| *kept).collect();
        let asked = judge::judge(model, library, (results, &asked), jobs).await?;
        let subjects: Vec<Subject<'_>> = evaluated
            .iter()
            .filter_map(|(number, one, kept)| Subject::new(*number, one, kept))
            .collect();
        let mut judged = judge::judged(&asked.verdicts, &subjects).into_iter();
        Ok(Self {
            asked: asked.answered,
            kept: asked.known,
            without_submission: evaluated.len() - subjects.len(),
            failed: asked.failed,
            judged: judged.find(|judged| judged.judge == asked.judge),
        })
    }

    /// For a terminal: the ratings, and what is missing.
    pub(super) fn text(&self, summary: &Summary) -> String {
        let mut text = match &self.judged {
            Some(judged) => report::of_judge(summary, judged),
            None => String::new(),
        };
        for line in &self.failed {
            text.push_str(&format!("not judged: {line}\n"));
        }
        text.push_str(&format!(
            "judge: {} questions answered, {} answered before, {} failed; {} episodes without a submission were not asked about\n\n",
            self.asked,
            self.kept,
            self.failed.len(),
            self.without_submission
        ));
        text
    }

    /// # Errors
    /// When an episode has no verdict that should have one.
    pub(super) fn is_complete(&self) -> Result<(), Failure> {
        if self.failed.is_empty() {
            return Ok(());
        }
        let why: BTreeSet<&str> = self
            .failed
            .iter()
            .filter_map(|line| Some(line.split_once(": ")?.1))
            .collect();
        Err(Failure::user(format!(
            "{} episodes could not be judged: {}\nhint: the same command asks for what is missing; the verdicts that are there are kept",
            self.failed.len(),
            why.first().copied().unwrap_or_default()
        )))
    }
}
