//! Many episodes: which problems are asked, of whom, side by side, and what is kept of each.

mod episode;
mod evaluated;
mod live;
mod on_write;
mod plan;
mod resume;
mod rounds;

use std::sync::Arc;

use aiopslab_problems::action::ActionSet;
use aiopslab_problems::episode::Limits;
use camino::{Utf8Path, Utf8PathBuf};
use futures::{StreamExt, TryStreamExt};
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

pub use self::episode::{Asked, Talked};
pub use self::evaluated::Evaluated;
pub(crate) use self::evaluated::{Place, result};
pub use self::live::{LivePlan, LiveQuestion, Stage, run as run_live};
pub use self::on_write::run as run_on_write;
pub use self::plan::{Plan, Question, Wanted};
pub(crate) use self::plan::{has_fault, problems_on};
use self::rounds::Round;
use crate::agents::AgentSpec;
use crate::exit::Failure;

/// How episodes are run.
#[derive(Debug, Clone)]
pub struct Options {
    /// What an agent may take for one problem.
    pub limits: Limits,
    /// AIOpsLab's call syntax, answers and quirks, exactly.
    pub upstream: bool,
    /// Show the rows, too, that are withheld from agents.
    pub upstream_visibility: bool,
    /// Which actions agents have.
    pub action_set: ActionSet,
    /// Episodes that run at the same time.
    pub jobs: usize,
    /// How often each problem is asked.
    pub repeat: u32,
    /// Where the episodes go.
    pub out: Utf8PathBuf,
    /// Takes the finished episodes that are there as they are.
    pub resume: bool,
}

/// What came of an evaluation.
#[derive(Debug, Clone, Default)]
pub struct Evaluation {
    /// The episodes that are finished, in the plan's order.
    pub episodes: Vec<Evaluated>,
    /// How many of them were there before.
    pub taken: usize,
    /// How many are not finished: somebody stopped the evaluation, or a defect of ours did them.
    pub unfinished: usize,
}

/// Runs every episode of a plan for every agent; results come in the plan's order, whatever ran first.
///
/// Cancelled, it leaves the episodes under way unfinished.
///
/// # Errors
/// When the output can't be written, or holds another evaluation. What an agent does wrong is a
/// result, and so is an environment that breaks.
pub async fn run(
    plan: &Plan,
    agents: &[AgentSpec],
    options: &Options,
    cancel: &CancellationToken,
    done: impl Fn() + Send + Sync + 'static,
) -> Result<Evaluation, Failure> {
    let ask = |agent: &str, question: &Question, repeat| {
        Asked::on_snapshot(agent, question, repeat, options)
    };
    let (rounds, mut evaluation) = rounds::begin(agents, &plan.questions, options, ask)?;
    let options = Arc::new(options.clone());
    let running = rounds.into_iter().map(|(round, kept)| {
        let (options, done) = (Arc::clone(&options), &done);
        async move {
            let evaluated = match kept {
                Some(kept) => Some(kept),
                None if cancel.is_cancelled() => None,
                None => {
                    let task = tokio::spawn(async move { round.run(&options).await });
                    let task = AbortOnDropHandle::new(task);
                    match cancel.run_until_cancelled(task).await {
                        None => None,
                        Some(Ok(evaluated)) => Some(evaluated?),
                        // A defect of ours, outside of agent and environment; it has told itself.
                        Some(Err(_)) => None,
                    }
                }
            };
            done();
            Ok::<_, Failure>(evaluated)
        }
    });
    let mut results = futures::stream::iter(running).buffered(options.jobs.max(1));
    while let Some(evaluated) = results.try_next().await? {
        match evaluated {
            Some(evaluated) => evaluation.episodes.push(evaluated),
            None => evaluation.unfinished += 1,
        }
    }
    Ok(evaluation)
}

impl Round<Question> {
    async fn run(mut self, options: &Options) -> Result<Evaluated, Failure> {
        let asked = &self.asked;
        let talked = match Asked::replay(&self.question, options) {
            Ok(mut environment) => {
                let agent = self.agent.as_mut();
                asked.talk(agent, &mut environment, options).await?
            }
            Err(broken) => asked.without_environment(&broken, options)?,
        };
        talked.close(asked)
    }
}

/// A folder's name for an agent.
pub(crate) fn slug(agent: &str) -> String {
    let mut slug = String::new();
    for letter in agent.chars().take(60) {
        let plain = letter.is_ascii_alphanumeric() || letter == '.' || letter == '_';
        if plain {
            slug.push(letter);
        } else if !slug.ends_with('-') {
            slug.push('-');
        }
    }
    slug.trim_matches('-').to_owned()
}

/// Takes an output folder, or the next free number below `results/`; to resume, it may hold something.
///
/// # Errors
/// When the folder holds something otherwise.
pub fn output_folder(asked: Option<&Utf8Path>, resume: bool) -> Result<Utf8PathBuf, Failure> {
    let Some(asked) = asked else {
        let free = (1..10_000)
            .map(|n| Utf8PathBuf::from(format!("results/{n:03}")))
            .find(|path| !path.exists());
        return free.ok_or_else(|| {
            Failure::user("the folder results/ is full\nhint: choose another with --out")
        });
    };
    let taken = asked
        .read_dir_utf8()
        .is_ok_and(|mut entries| entries.next().is_some());
    if taken && !resume {
        return Err(Failure::user(format!(
            "{asked} is not empty\nhint: choose another folder with --out, or go on with the evaluation that is in it: --resume"
        )));
    }
    Ok(asked.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_agent_gives_a_folder_its_name() {
        assert_eq!(slug("baseline:doctor"), "baseline-doctor");
        assert_eq!(slug("exec:python3 ../a b.py"), "exec-python3-..-a-b.py");
    }
}
