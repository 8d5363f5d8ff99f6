//! What one episode came to: its result, and its line in a summary.

use aiopslab_problems::action::Action;
use aiopslab_problems::catalog::Problem;
use aiopslab_problems::condition::Outcome;
use aiopslab_problems::environment::Verdict;
use aiopslab_problems::episode::{
    self, EndReason, EpisodeEnd, EpisodeResult, EpisodeStep, Usage, Writes,
};
use aiopslab_problems::family::Exercised;
use aiopslab_problems::score::{Graded, score};
use aiopslab_problems::task::Task;
use aiopslab_replay::shell;
use serde::{Deserialize, Serialize};

/// What one episode came to, for the summary. Holds no time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Evaluated {
    /// The agent.
    pub agent: String,
    /// The problem.
    pub problem: String,
    /// Its family.
    #[serde(default)]
    pub family: String,
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
    /// How near it came.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub graded: Option<Graded>,
    /// Why the episode ended.
    pub end: EndReason,
    /// What broke, if something did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// Why the fault counts as not repaired, where that was judged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unmitigated: Option<String>,
    /// Responses of the agent.
    pub steps: u64,
    /// Calls that reached the environment.
    pub actions: u64,
    /// Those of them that the recording could answer.
    pub covered: u64,
    /// Calls that could not be read.
    pub invalid_calls: u64,
    /// Calls that had been made before with the same arguments.
    #[serde(default)]
    pub repeated_calls: u64,
    /// What the commands would change.
    #[serde(flatten)]
    pub writes: Writes,
    /// What the agent's model took; none: it has none, or does not tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub usage: Option<Usage>,
    /// The episode's folder below the output folder.
    pub folder: String,
}

/// What belongs to an episode's place in an evaluation rather than to the episode.
pub(crate) struct Place {
    /// Name of the snapshot's folder.
    pub(crate) snapshot: String,
    /// Which repetition, from 1.
    pub(crate) repeat: u32,
    /// The episode's folder below the output folder.
    pub(crate) folder: String,
}

/// Scores an episode and puts its result together.
pub(crate) fn result(
    problem: &Problem,
    agent: &str,
    session_id: &str,
    (steps, end): (&[EpisodeStep], &EpisodeEnd),
) -> EpisodeResult {
    let scores = score(problem, &episode::summary(steps, end));
    let commands = steps.iter().filter_map(|step| match &step.action {
        Some(Action::ExecShell { command, .. }) => Some(command),
        _ => None,
    });
    let writes = commands.map(|command| shell::writes(command)).sum();
    EpisodeResult::new(problem, agent, session_id, (steps, end), scores, writes)
}

impl Evaluated {
    /// Sums up an episode from its result and how it ended.
    pub(crate) fn new(
        problem: &Problem,
        result: &EpisodeResult,
        end: &EpisodeEnd,
        steps: usize,
        place: Place,
    ) -> Self {
        let count =
            |verdict: &Verdict| u64::from(result.tally.verdicts.get(verdict).copied().unwrap_or(0));
        Self {
            agent: result.agent.clone(),
            problem: problem.id.to_string(),
            family: problem.family.clone(),
            snapshot: place.snapshot,
            repeat: place.repeat,
            task: problem.task,
            anomaly: problem.truth.anomaly,
            exercised: problem.exercised,
            success: result.strict.success == Some(true),
            graded: result.graded,
            end: end.end_reason,
            error: end.error.clone(),
            unmitigated: match &end.mitigation {
                Some(Outcome::Fails(because) | Outcome::Unknown(because)) => Some(because.clone()),
                Some(Outcome::Holds) | None => None,
            },
            steps: steps as u64,
            actions: result.tally.verdicts.values().copied().map(u64::from).sum(),
            covered: count(&Verdict::Answered) + count(&Verdict::Empty),
            invalid_calls: u64::from(result.tally.invalid_calls),
            repeated_calls: u64::from(result.tally.repeated_calls),
            writes: result.writes,
            usage: result.usage,
            folder: place.folder,
        }
    }
}

#[cfg(test)]
impl Evaluated {
    /// An episode that was right or not, for tests.
    pub(crate) fn example(problem: &str, task: Task, anomaly: bool, success: bool) -> Self {
        Self {
            agent: "a".to_owned(),
            problem: problem.to_owned(),
            family: "f".to_owned(),
            snapshot: "s".to_owned(),
            repeat: 1,
            task,
            anomaly,
            exercised: Exercised::Lab,
            success,
            graded: None,
            end: EndReason::Submitted,
            error: None,
            unmitigated: None,
            steps: 2,
            actions: 1,
            covered: 1,
            invalid_calls: 0,
            repeated_calls: 0,
            writes: Writes::default(),
            usage: None,
            folder: String::new(),
        }
    }
}
