//! Many episodes: which problems are asked, of whom, side by side, and what is kept of each.

mod plan;

use std::collections::BTreeMap;
use std::sync::Arc;

use aiopslab_problems::action::{ActionSet, CallSyntax, describe};
use aiopslab_problems::environment::Verdict;
use aiopslab_problems::episode::{
    self, EPISODE_VERSION, EndReason, EpisodeHeader, EpisodeResult, SnapshotRef,
};
use aiopslab_problems::family::{Application, Exercised};
use aiopslab_problems::prompt;
use aiopslab_problems::score::score;
use aiopslab_problems::task::Task;
use aiopslab_replay::environment::{ReplayEnvironment, ReplayOptions};
use camino::{Utf8Path, Utf8PathBuf};
use futures::{StreamExt, TryStreamExt};
use serde::Serialize;
use sha2::{Digest, Sha256};

pub use self::plan::{Plan, Question, Wanted};
use crate::agents::{ActionHelp, AgentSpec, Briefing};
use crate::exit::Failure;
use crate::session::{self, EpisodeFiles};

/// How episodes are run.
#[derive(Debug, Clone)]
pub struct Options {
    /// Steps that an agent has for one problem.
    pub max_steps: u32,
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

/// What one episode came to, for the summary. Holds nothing measured.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Evaluated {
    /// The agent.
    pub agent: String,
    /// The problem.
    pub problem: String,
    /// Name of the snapshot's folder.
    pub snapshot: String,
    /// Which repetition, from 1.
    pub repeat: u32,
    /// What was asked.
    pub task: Task,
    /// Whether something was wrong.
    pub anomaly: bool,
    /// How far the problem's family has been tried.
    pub exercised: Exercised,
    /// Whether the answer was right (`strict`).
    pub success: bool,
    /// Why the episode ended.
    pub end: EndReason,
    /// What broke, if something did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// Responses of the agent.
    pub steps: u64,
    /// Calls that reached the environment.
    pub actions: u64,
    /// Those of them that the recording could answer.
    pub covered: u64,
    /// Calls that could not be read.
    pub invalid_calls: u64,
    /// The episode's folder below the output folder.
    pub folder: String,
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
    let problem = &question.problem;
    let folder = format!("{}/{}-r{repeat}", slug(&spec.to_string()), problem.id);
    let replay = ReplayOptions {
        clock: question.clock,
        upstream_quirks: options.upstream,
        upstream_visibility: options.upstream_visibility,
        action_set: options.action_set,
        ..ReplayOptions::new(question.application.clone())
    };
    let mut environment = ReplayEnvironment::new(&question.snapshot, &replay)?;
    let header = header(spec, question, repeat, options);
    let mut files = EpisodeFiles::create(&options.out.join(&folder), &header)?;
    let mut agent = spec.agent(header.seed);
    let briefing = briefing(problem.task, &question.application, options.action_set);
    let rules = session::Rules {
        syntax: header.syntax,
        action_set: options.action_set,
        max_steps: options.max_steps,
    };
    let (steps, end) = session::run(
        agent.as_mut(),
        &mut environment,
        &briefing,
        rules,
        &mut files,
    )
    .await?;
    let scores = score(problem, &episode::summary(&steps, &end));
    let success = scores.strict.success == Some(true);
    let session_id = session_id(&header);
    let result = EpisodeResult::new(problem, &header.agent, &session_id, (&steps, &end), scores);
    files.finish(&result)?;
    let count =
        |verdict: &Verdict| u64::from(result.tally.verdicts.get(verdict).copied().unwrap_or(0));
    Ok(Evaluated {
        agent: header.agent.clone(),
        problem: problem.id.to_string(),
        snapshot: question.recorded.name.clone(),
        repeat,
        task: problem.task,
        anomaly: problem.truth.anomaly,
        exercised: problem.exercised,
        success,
        end: end.end_reason,
        error: end.error,
        steps: steps.len() as u64,
        actions: result.tally.verdicts.values().copied().map(u64::from).sum(),
        covered: count(&Verdict::Answered) + count(&Verdict::Empty),
        invalid_calls: u64::from(result.tally.invalid_calls),
        folder,
    })
}

fn briefing(task: Task, application: &Application, action_set: ActionSet) -> Briefing {
    let help = |(name, help): (String, String)| ActionHelp { name, help };
    Briefing {
        task,
        namespace: application.namespace.clone(),
        description: prompt::description(task, application),
        instructions: prompt::instructions(task),
        actions: describe(task, action_set)
            .into_iter()
            .map(|(name, text)| help((name.to_owned(), text)))
            .collect(),
    }
}

fn header(spec: &AgentSpec, question: &Question, repeat: u32, options: &Options) -> EpisodeHeader {
    let manifest = question.snapshot.manifest();
    EpisodeHeader {
        version: EPISODE_VERSION,
        problem_id: question.problem.id.clone(),
        agent: spec.to_string(),
        snapshot: Some(SnapshotRef {
            id: manifest.snapshot.to_string(),
            digest: question.digest.clone(),
        }),
        clock: question.clock.to_string(),
        action_set: options.action_set,
        upstream_visibility: options.upstream_visibility,
        syntax: if options.upstream {
            CallSyntax::Upstream
        } else {
            CallSyntax::Ours
        },
        max_steps: options.max_steps,
        seed: seed(question.problem.id.as_str(), repeat),
        versions: BTreeMap::from([
            ("aiopslab".to_owned(), env!("CARGO_PKG_VERSION").to_owned()),
            (
                "snapshot format".to_owned(),
                manifest.format_version.to_string(),
            ),
        ]),
    }
}

/// Names an episode: the same for the same episode, so that results can be compared.
fn session_id(header: &EpisodeHeader) -> String {
    let digest = Sha256::digest(serde_json::to_vec(header).unwrap_or_default());
    digest
        .iter()
        .take(8)
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// Decides whatever an agent leaves to chance; the same on every machine.
fn seed(problem: &str, repeat: u32) -> u64 {
    let digest = Sha256::digest(format!("{problem}#{repeat}").as_bytes());
    digest
        .iter()
        .take(8)
        .fold(0, |seed, byte| (seed << 8) | u64::from(*byte))
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

    #[test]
    fn seeds_depend_on_problem_and_repetition_only() {
        assert_eq!(seed("a", 1), seed("a", 1));
        assert_ne!(seed("a", 1), seed("a", 2));
        assert_ne!(seed("a", 1), seed("b", 1));
    }
}
