//! Many episodes: which problems are asked, of whom, side by side, and what is kept of each.

mod episode;
mod evaluated;
mod live;
mod on_write;
mod plan;

use std::sync::Arc;

use aiopslab_problems::action::ActionSet;
use aiopslab_problems::episode::Limits;
use camino::{Utf8Path, Utf8PathBuf};
use futures::{StreamExt, TryStreamExt};

pub use self::episode::{Asked, Talked};
pub use self::evaluated::Evaluated;
pub(crate) use self::evaluated::{Place, result};
pub use self::live::{LivePlan, LiveQuestion, Stage, run as run_live};
pub use self::on_write::run as run_on_write;
pub use self::plan::{Plan, Question, Wanted};
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
}

/// Runs every episode of a plan for every agent; results come in the plan's order, whatever ran first.
///
/// # Errors
/// When a snapshot is damaged or the output can't be written. What an agent does wrong is a result.
pub async fn run(
    plan: &Plan,
    agents: &[AgentSpec],
    options: &Options,
    done: impl Fn() + Send + Sync + 'static,
) -> Result<Vec<Evaluated>, Failure> {
    let options = Arc::new(options.clone());
    let done = Arc::new(done);
    let mut episodes = Vec::new();
    for agent in agents {
        for question in &plan.questions {
            for repeat in 1..=options.repeat {
                episodes.push((agent.clone(), question.clone(), repeat));
            }
        }
    }
    let running = episodes.into_iter().map(|(agent, question, repeat)| {
        let (options, done) = (Arc::clone(&options), Arc::clone(&done));
        async move {
            let task =
                tokio::spawn(async move { episode(&agent, &question, repeat, &options).await });
            let result = match task.await {
                Ok(result) => result,
                Err(panicked) => Err(Failure::Ours(panicked.into())),
            };
            done();
            result
        }
    });
    futures::stream::iter(running)
        .buffered(options.jobs.max(1))
        .try_collect()
        .await
}

async fn episode(
    spec: &AgentSpec,
    question: &Question,
    repeat: u32,
    options: &Options,
) -> Result<Evaluated, Failure> {
    let mut environment = Asked::replay(question, options)?;
    let mut asked = Asked::on_snapshot(&spec.to_string(), question, repeat, options);
    let mut agent = asked.agent(spec);
    let talked = asked
        .talk(agent.as_mut(), &mut environment, options)
        .await?;
    talked.close(&asked)
}

/// A folder's name for an agent.
fn slug(agent: &str) -> String {
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

/// Takes an output folder that may not hold anything yet, or the next free number below `results/`.
///
/// # Errors
/// When the folder holds something.
pub fn output_folder(asked: Option<&Utf8Path>) -> Result<Utf8PathBuf, Failure> {
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
    if taken {
        return Err(Failure::user(format!(
            "{asked} is not empty\nhint: choose another folder with --out"
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
