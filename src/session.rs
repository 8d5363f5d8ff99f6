//! The session loop: asks the agent, acts on the environment, records, until it submits or runs out of steps.

mod files;

use aiopslab_problems::action::{self, Action, CallSyntax};
use aiopslab_problems::catalog::Problem;
use aiopslab_problems::environment::{Environment, Verdict};
use aiopslab_problems::episode::{EndReason, EpisodeHeader, EpisodeResult, Step};
use aiopslab_problems::score::Scores;
use serde_json::Value;

pub use self::files::EpisodeFiles;
use crate::agents::{Agent, Briefing};
use crate::exit::Failure;

/// What an agent reads before its first step and after every observation.
const GO_ON: &str = "Please take the next action";

/// What ends an episode besides a submission.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Responses that an agent may give.
    pub max_steps: u32,
}

/// How an episode went.
#[derive(Debug, Clone)]
pub struct Ended {
    /// Every step.
    pub steps: Vec<Step>,
    /// What was submitted.
    pub solution: Option<Value>,
    /// Why it ended.
    pub end: EndReason,
}

impl Ended {
    /// Counts steps.
    pub fn count(&self, which: impl Fn(&Step) -> bool) -> u64 {
        self.steps.iter().filter(|step| which(step)).count() as u64
    }
}

/// Whether the recording could answer a step's action, or prove that nothing is there.
#[must_use]
pub fn is_covered(step: &Step) -> bool {
    matches!(step.verdict, Some(Verdict::Answered | Verdict::Empty))
}

/// Runs one episode.
///
/// # Errors
/// When the environment is broken or the record can't be written. A broken agent ends its episode.
pub async fn run(
    agent: &mut dyn Agent,
    environment: &mut dyn Environment,
    briefing: &Briefing,
    syntax: CallSyntax,
    limits: Limits,
    files: &mut EpisodeFiles,
) -> Result<Ended, Failure> {
    let mut ended = Ended { steps: Vec::new(), solution: None, end: EndReason::StepLimit };
    if let Err(error) = agent.start(briefing).await {
        ended.end = EndReason::AgentFailed { reason: error.to_string() };
        return Ok(ended);
    }
    let mut observation = GO_ON.to_owned();
    for number in 1..=limits.max_steps {
        let mut clock = files.clock();
        let response = match agent.respond(&observation).await {
            Ok(response) => response,
            Err(error) => {
                ended.end = EndReason::AgentFailed { reason: error.to_string() };
                return Ok(ended);
            }
        };
        clock.answered();
        let step = act(number, response, environment, syntax, &mut ended.solution).await?;
        files.record(&step, &clock)?;
        observation = format!("{}\n{GO_ON}", step.observation);
        let submitted = matches!(step.action, Some(Action::Submit { .. }));
        ended.steps.push(step);
        if submitted {
            ended.end = EndReason::Submitted;
            return Ok(ended);
        }
    }
    Ok(ended)
}

async fn act(
    number: u32,
    response: String,
    environment: &mut dyn Environment,
    syntax: CallSyntax,
    solution: &mut Option<Value>,
) -> Result<Step, Failure> {
    let mut step =
        Step { step: number, response, action: None, error: None, observation: String::new(), verdict: None };
    match action::parse(&step.response, syntax) {
        Err(error) => {
            step.observation = error.to_string();
            step.error = Some(step.observation.clone());
        }
        Ok(Action::Submit { solution: submitted }) => {
            *solution = Some(submitted.clone());
            step.action = Some(Action::Submit { solution: submitted });
        }
        Ok(action) => {
            let answer = environment.act(&action).await?;
            step.observation = answer.text;
            step.verdict = Some(answer.verdict);
            step.action = Some(action);
        }
    }
    Ok(step)
}

/// Puts an episode's result together: nothing in it was measured.
#[must_use]
pub fn result(header: &EpisodeHeader, problem: &Problem, ended: &Ended, scores: &Scores) -> EpisodeResult {
    EpisodeResult::new(header, problem, &ended.steps, ended.solution.clone(), ended.end.clone(), scores)
}
