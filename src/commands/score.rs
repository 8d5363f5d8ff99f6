//! `aiopslab score`: kept episodes scored again, by the catalog's truth of today; and predictions in other projects' forms.

mod foreign;
mod judging;

use std::collections::BTreeSet;

use aiopslab_problems::episode::{EpisodeEnd, EpisodeResult};
use camino::Utf8Path;
use serde_json::{Value, json};

use self::judging::Judging;
use crate::agents::AgentSpec;
use crate::cli::Score;
use crate::evaluation::{self, Evaluated, Place};
use crate::exit::Failure;
use crate::judge;
use crate::library::Library;
use crate::output::print;
use crate::report::{self, SUMMARY, Summary};
use crate::results::{self, Kept};
use crate::session::{self, RESULT};
use crate::settings::Settings;

/// What scoring again came to.
#[derive(Default)]
struct Rescored {
    episodes: Vec<Evaluated>,
    /// Episodes whose score is another one now, one line each.
    changed: Vec<String>,
    /// Episodes that can't be scored, with the reason.
    unscored: Vec<String>,
}

pub(super) async fn run(arguments: &Score, settings: &Settings) -> Result<(), Failure> {
    if let Some(scorer) = arguments.scorer {
        return foreign::run(scorer, arguments);
    }
    let judge = arguments.judge.as_ref();
    let judge = judge.map(|name| judge::named(name, &settings.llm));
    let judge = judge.transpose()?;
    let mut library = Library::open(settings)?;
    library
        .catalog
        .learn(results::problems(&arguments.results)?);
    let kept = results::read(&arguments.results)?;
    if arguments.write && kept.iter().any(|kept| kept.is_session) {
        return Err(Failure::user(
            "session files are only read, never written\nhint: leave out --write",
        ));
    }
    let mut rescored = Rescored::default();
    for kept in &kept {
        rescored.take(&library, kept, arguments)?;
    }
    let mut summary = rescored.summary(&library, &arguments.results)?;
    let mut reasons = kept.iter().filter_map(Kept::not_reproducible);
    summary.not_reproducible = reasons.next().map(str::to_owned);
    if arguments.write {
        session::write_json(&arguments.results.join(SUMMARY), &summary)?;
    }
    let judged = match &judge {
        Some(model) => {
            let episodes = (arguments.results.as_path(), kept.as_slice());
            let jobs = settings.jobs.value;
            Some(Judging::of(model, &library, (&summary, episodes), jobs).await?)
        }
        None => None,
    };
    if arguments.json {
        let mut told = serde_json::to_value(&summary)?;
        if let Some(judged) = &judged {
            told["judged"] = serde_json::to_value(judged)?;
        }
        told["changed"] = json!(rescored.changed);
        told["unscored"] = json!(rescored.unscored);
        print(&format!("{told:#}\n"));
        return judged.map_or(Ok(()), |judged| judged.is_complete());
    }
    print(&report::of_evaluation(&summary));
    if let Some(judged) = &judged {
        print(&judged.text(&summary));
    }
    for line in &rescored.changed {
        print(&format!("changed: {line}\n"));
    }
    for line in &rescored.unscored {
        print(&format!("not scored: {line}\n"));
    }
    print(&format!(
        "{} episodes scored, {} of them otherwise than before, {} not scored\n",
        summary.episodes.len(),
        rescored.changed.len(),
        rescored.unscored.len()
    ));
    judged.map_or(Ok(()), |judged| judged.is_complete())
}

impl Rescored {
    fn take(&mut self, library: &Library, kept: &Kept, arguments: &Score) -> Result<(), Failure> {
        let problem = match library.catalog.problem(&kept.problem) {
            Ok(problem) => problem,
            Err(error) => {
                self.unscored.push(format!("{}: {error}", kept.folder));
                return Ok(());
            }
        };
        let Some(end) = &kept.end else {
            let line = format!("{}: it was broken off before its end", kept.folder);
            self.unscored.push(line);
            return Ok(());
        };
        let record = (kept.steps.as_slice(), end);
        let mut result = evaluation::result(problem, &kept.agent, &kept.session_id, record);
        result.usage = kept.usage();
        result.not_reproducible = kept.not_reproducible().map(str::to_owned);
        if let Some(change) = change(kept, &result) {
            self.changed.push(format!("{}: {change}", kept.folder));
            if arguments.write {
                let path = arguments.results.join(&kept.folder).join(RESULT);
                session::write_json(&path, &result)?;
            }
        }
        self.episodes.push(evaluated(kept, problem, &result, end));
        Ok(())
    }

    /// The agent first that the evaluation was of; where nobody says so, one that is no baseline.
    fn summary(&self, library: &Library, results: &Utf8Path) -> Result<Summary, Failure> {
        let first = Summary::read(results).ok().map(|summary| summary.agent);
        let names: BTreeSet<&String> = self.episodes.iter().map(|one| &one.agent).collect();
        let baselines = AgentSpec::BASELINES.map(|baseline| baseline.to_string());
        let mut agents: Vec<String> = names.into_iter().cloned().collect();
        agents.sort_by_key(|agent| {
            let baseline = baselines.iter().position(|baseline| baseline == agent);
            (first.as_ref() != Some(agent), baseline)
        });
        let ids: BTreeSet<&String> = self.episodes.iter().map(|one| &one.problem).collect();
        let mut problems = Vec::new();
        for id in ids {
            problems.push(library.catalog.problem(id)?);
        }
        let repeat = self
            .episodes
            .iter()
            .map(|one| one.repeat)
            .max()
            .unwrap_or(1);
        let mut summary = Summary::of(&agents, problems.into_iter(), repeat, self.episodes.clone());
        let snapshots: BTreeSet<&String> = self.episodes.iter().map(|one| &one.snapshot).collect();
        summary.snapshots = snapshots.len();
        Ok(summary)
    }
}

fn evaluated(
    kept: &Kept,
    problem: &aiopslab_problems::catalog::Problem,
    result: &EpisodeResult,
    end: &EpisodeEnd,
) -> Evaluated {
    let place = Place {
        snapshot: kept.snapshot.clone().unwrap_or_default(),
        repeat: kept.repeat,
        folder: kept.folder.to_string(),
    };
    Evaluated::new(problem, result, end, kept.steps.len(), place)
}

/// What differs from the score that was kept, if anything does.
fn change(kept: &Kept, result: &EpisodeResult) -> Option<String> {
    let (strict, upstream) = results::score_of(result);
    let Some(before) = &kept.scored else {
        return Some("it had no score".to_owned());
    };
    let mut differences = Vec::new();
    // A session of AIOpsLab has no score of ours.
    if let Some(before) = before.get("strict") {
        differences.extend(difference("strict", before, &strict));
        differences.extend(beside(kept, result));
    }
    // Times and tokens belong to the session, so they are not said again.
    for (name, now) in upstream.as_object().into_iter().flatten() {
        match &before["results"][name] {
            Value::Null => differences.push(format!("{name} was not there, is {now}")),
            before => differences.extend(difference(name, before, now)),
        }
    }
    (!differences.is_empty()).then(|| differences.join("; "))
}

/// What differs of the figures beside the score.
fn beside(kept: &Kept, result: &EpisodeResult) -> Vec<String> {
    let now = serde_json::to_value(result).unwrap_or_default();
    let figures = ["graded", "writes_attempted", "destructive_commands"].into_iter();
    let differences = figures.filter_map(|name| {
        let (now, before) = (now.get(name)?, kept.scored.as_ref()?.get(name));
        match before {
            None => Some(format!("{name} was not there, is {now}")),
            Some(before) => difference(name, before, now),
        }
    });
    differences.collect()
}

fn difference(name: &str, before: &Value, now: &Value) -> Option<String> {
    let is_same = match (before.as_f64(), now.as_f64()) {
        (Some(before), Some(now)) => (before - now).abs() < 1e-9,
        _ => before == now,
    };
    (!is_same).then(|| format!("{name} was {before}, is {now}"))
}
