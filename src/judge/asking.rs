//! Asking a judge about kept episodes.

use std::collections::{BTreeMap, BTreeSet};

use aiopslab_problems::action::ActionSet;
use aiopslab_problems::prompt::Briefing;
use aiopslab_problems::score::judge::{Case, Judge, Question, episode_sha256};
use camino::{Utf8Path, Utf8PathBuf};
use futures::StreamExt;
use serde_json::Value;

use super::verdicts::{Keeper, Verdict, Verdicts};
use crate::agents::llm::Model;
use crate::exit::Failure;
use crate::library::Library;
use crate::results::Kept;
use crate::settings::LlmSettings;

/// What asking came to.
#[derive(Debug)]
pub(crate) struct Asked {
    /// Who was asked.
    pub(crate) judge: Judge,
    /// Every verdict that is kept now.
    pub(crate) verdicts: Verdicts,
    /// Questions that were answered this time.
    pub(crate) answered: usize,
    /// Questions whose answer had been kept.
    pub(crate) known: usize,
    /// Episodes without a verdict, with the reason.
    pub(crate) failed: Vec<String>,
}

/// A question that nobody has answered, and the episode that it is about first.
struct Open {
    key: String,
    question: Question,
    problem: String,
    folder: Utf8PathBuf,
    episode_sha256: String,
}

/// Finds a judge by its name on the command line. Nobody is asked yet.
///
/// # Errors
/// When it is no name of a model, or the settings can't be used.
pub(crate) fn named(text: &str, settings: &LlmSettings) -> Result<Model, Failure> {
    let model = text.strip_prefix("llm:").map(str::trim);
    match model.filter(|model| !model.is_empty()) {
        Some(model) => Ok(Model::new(model, settings)?),
        None => Err(Failure::user(format!(
            "{text:?} is no judge\nhint: --judge llm:MODEL, a model as `--agent llm:MODEL` names it (docs/llm-agents.md)"
        ))),
    }
}

/// Asks about every episode that has a submission, but for those whose verdict is kept already.
///
/// # Errors
/// When verdicts can't be read or kept. What a judge does not answer is told in what is returned.
pub(crate) async fn judge(
    model: &Model,
    library: &Library,
    (results, kept): (&Utf8Path, &[&Kept]),
    jobs: usize,
) -> Result<Asked, Failure> {
    let judge = identity(model);
    let mut asked = Asked {
        judge: judge.clone(),
        verdicts: Verdicts::read(results)?,
        answered: 0,
        known: 0,
        failed: Vec::new(),
    };
    let mut open: BTreeMap<String, Open> = BTreeMap::new();
    let mut known = BTreeSet::new();
    for kept in kept {
        match asked_about(kept, library, model.budget()) {
            Ok(None) => {}
            Ok(Some((case, question, digest))) => {
                let key = judge.key(&case.problem, &question);
                if asked.verdicts.under(&key).is_some() {
                    known.insert(key);
                } else {
                    // Repetitions that went alike are one question.
                    open.entry(key.clone()).or_insert(Open {
                        key,
                        question,
                        problem: case.problem,
                        folder: kept.folder.clone(),
                        episode_sha256: digest,
                    });
                }
            }
            Err(why) => asked.failed.push(format!("{}: {why}", kept.folder)),
        }
    }
    asked.known = known.len();
    if open.is_empty() {
        return Ok(asked);
    }
    eprintln!(
        "{} is asked {} questions; {} answers are kept from before",
        judge.name(),
        open.len(),
        asked.known
    );
    let mut keeper = Keeper::open(results)?;
    let answers = open.into_values().map(|open| async move {
        let said = model.say(&open.question.prompt).await;
        (open, said)
    });
    let mut answers = futures::stream::iter(answers).buffer_unordered(jobs.max(1));
    while let Some((open, said)) = answers.next().await {
        match said {
            Ok(said) => {
                let names = (open.problem.as_str(), open.folder.as_path());
                let digests = (open.key.as_str(), open.episode_sha256.as_str());
                let answer = (said.text, open.question.left_out);
                let verdict = Verdict::new(&judge, names, digests, answer, said.usage);
                keeper.keep(&verdict)?;
                asked.verdicts.add(verdict);
                asked.answered += 1;
            }
            Err(why) => asked.failed.push(format!("{}: {why}", open.folder)),
        }
    }
    asked.failed.sort();
    Ok(asked)
}

/// All of a judge that decides what it answers.
fn identity(model: &Model) -> Judge {
    let settings = model.settings();
    let parameters = settings.parameters.value.clone();
    Judge {
        scripted: model.is_scripted(),
        azure_api_version: settings.azure_api_version.value.clone(),
        ..Judge::new(model.name(), model.endpoint(), parameters)
    }
}

/// The question about an episode, and the digest of the episode; none: nothing was submitted.
fn asked_about(
    kept: &Kept,
    library: &Library,
    bytes: usize,
) -> Result<Option<(Case, Question, String)>, String> {
    let Some(solution) = submission(kept) else {
        return Ok(None);
    };
    let problem = library.catalog.problem(&kept.problem);
    let problem = problem.map_err(|error| error.to_string())?;
    let family = library.catalog.family(&problem.family);
    let header = kept.header.as_ref();
    let briefing = header.and_then(|header| header.briefing.clone());
    let briefing = briefing.or_else(|| {
        let application = library.catalog.application(&family?.application)?;
        let set = header.map_or(ActionSet::Upstream, |header| header.action_set);
        Some(Briefing::new(problem.task, application, set))
    });
    let briefing = briefing.ok_or("nobody knows what its agent was told")?;
    let broken = family.map(|family| family.summary.as_str());
    let case = Case::new(
        problem,
        broken,
        &briefing,
        (kept.steps.as_slice(), solution),
    );
    let question = case.question(bytes).ok_or_else(|| {
        format!(
            "what has to be shown of it does not fit into {bytes} bytes\nhint: raise llm.context_tokens"
        )
    })?;
    Ok(Some((
        case,
        question,
        episode_sha256(&kept.steps, solution),
    )))
}

/// What was submitted in an episode; none: nothing was, so that there is no diagnosis to judge.
pub(super) fn submission(kept: &Kept) -> Option<&Value> {
    kept.end.as_ref()?.solution.as_ref()
}
