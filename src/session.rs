//! A session: an agent's responses go in one by one, each is acted on and recorded, until it ends.
//!
//! [`Session`] is driven from either side: [`run`] asks an agent of ours for its responses, a server
//! takes those of a client.

mod files;
mod timing;

use std::any::Any;
use std::panic::AssertUnwindSafe;
use std::time::{Duration, Instant};

use aiopslab_problems::action::{self, Action, ActionSet, CallSyntax};
use aiopslab_problems::environment::{Environment, Verdict};
use aiopslab_problems::episode::{EndReason, EpisodeEnd, EpisodeStep, Limits, Usage};
use aiopslab_problems::prompt;
use futures::FutureExt;

pub use self::files::EpisodeFiles;
pub(crate) use self::files::{RESULT, TIMING, TRANSCRIPT, write_json};
pub use self::timing::{
    Host, Measurement, StepClock, StepTiming, TIMING_VERSION, TimingHeader, Totals,
};
use crate::agents::{Agent, AgentError, Briefing, Response};
use crate::exit::Failure;

/// What binds an agent in an episode.
#[derive(Debug, Clone, Copy)]
pub struct Rules {
    /// Which responses count as a call.
    pub syntax: CallSyntax,
    /// Which actions there are.
    pub action_set: ActionSet,
    /// What it may take.
    pub limits: Limits,
}

/// What an agent meets next.
#[derive(Debug, Clone, PartialEq)]
pub enum Turn {
    /// An observation that it has to answer.
    Observation(String),
    /// The end. It is not recorded yet: a repair is judged first.
    Ended(EpisodeEnd),
}

/// An episode under way.
pub struct Session<'a> {
    environment: Box<dyn Environment + 'a>,
    rules: Rules,
    files: EpisodeFiles,
    steps: Vec<EpisodeStep>,
    deadline: Option<Instant>,
}

impl<'a> Session<'a> {
    /// Begins; the time that it may take runs from here.
    pub fn new(environment: Box<dyn Environment + 'a>, rules: Rules, files: EpisodeFiles) -> Self {
        let seconds = rules.limits.max_seconds.map(Duration::from_secs);
        Self {
            environment,
            rules,
            files,
            steps: Vec::new(),
            deadline: seconds.and_then(|seconds| Instant::now().checked_add(seconds)),
        }
    }

    /// What was done so far.
    #[must_use]
    pub fn steps(&self) -> &[EpisodeStep] {
        &self.steps
    }

    /// The number of the response that is awaited, from 1.
    #[must_use]
    pub fn next_step(&self) -> u32 {
        u32::try_from(self.steps.len())
            .unwrap_or(u32::MAX)
            .saturating_add(1)
    }

    /// Acts on a response and records it; `clock` began when it was asked for.
    ///
    /// A broken environment ends the episode, and only that.
    ///
    /// # Errors
    /// When the record can't be written.
    pub async fn take(
        &mut self,
        response: Response,
        mut clock: StepClock,
    ) -> Result<Turn, Failure> {
        clock.answered();
        if self.is_late() {
            return Ok(ended(EndReason::TimeLimit));
        }
        let number = self.next_step();
        let environment = self.environment.as_mut();
        let step = match answer(environment, &self.rules, number, response.text).await {
            Ok(step) => EpisodeStep {
                thoughts: response.thoughts,
                ..step
            },
            Err(error) => {
                let reason = EndReason::EnvironmentFailed;
                return Ok(Turn::Ended(EpisodeEnd::without_submission(
                    reason,
                    Some(error),
                )));
            }
        };
        self.files.record(&step, response.usage, &clock)?;
        let observation = prompt::observation(&step.observation);
        let submitted = match &step.action {
            Some(Action::Submit { solution }) => Some(solution.clone()),
            _ => None,
        };
        self.steps.push(step);
        if let Some(solution) = submitted {
            return Ok(Turn::Ended(EpisodeEnd::submitted(solution)));
        }
        Ok(match self.used_up() {
            Some(reason) => ended(reason),
            None => Turn::Observation(observation),
        })
    }

    /// Hands over what was done, for scoring and the record's end.
    #[must_use]
    pub fn into_parts(mut self) -> (Vec<EpisodeStep>, Option<Usage>, EpisodeFiles) {
        self.files.stop();
        (self.steps, self.files.usage(), self.files)
    }

    fn is_late(&self) -> bool {
        self.deadline
            .is_some_and(|deadline| Instant::now() >= deadline)
    }

    /// Which limit has been reached.
    fn used_up(&self) -> Option<EndReason> {
        let limits = &self.rules.limits;
        let usage = self.files.usage().unwrap_or_default();
        let reached = [
            (self.next_step() > limits.max_steps, EndReason::StepLimit),
            (
                limits.max_tokens.is_some_and(|most| usage.tokens() >= most),
                EndReason::TokenLimit,
            ),
            (
                limits
                    .max_cost_usd
                    .zip(usage.cost_usd)
                    .is_some_and(|(most, cost)| cost >= most),
                EndReason::CostLimit,
            ),
            (self.is_late(), EndReason::TimeLimit),
        ];
        reached
            .into_iter()
            .find_map(|(is_reached, reason)| is_reached.then_some(reason))
    }
}

/// Acts on one response, by the rules; the error says how the environment broke.
///
/// # Errors
/// When the environment is broken.
pub async fn answer(
    environment: &mut dyn Environment,
    rules: &Rules,
    number: u32,
    response: String,
) -> Result<EpisodeStep, String> {
    let (action, observation, verdict) =
        match action::parse_among(&response, rules.syntax, rules.action_set) {
            Err(error) => (None, error.to_string(), Verdict::Invalid),
            Ok(submission @ Action::Submit { .. }) => {
                (Some(submission), String::new(), Verdict::Answered)
            }
            Ok(action) => {
                let acted = AssertUnwindSafe(environment.act(&action)).catch_unwind();
                let answer = match acted.await {
                    Ok(Ok(answer)) => answer,
                    Ok(Err(error)) => return Err(format!("{:#}", anyhow::Error::new(error))),
                    Err(panic) => {
                        let name = action.name();
                        return Err(format!("{name}: {}", defect(panic.as_ref())));
                    }
                };
                (Some(action), answer.text, answer.verdict)
            }
        };
    Ok(EpisodeStep {
        step: number,
        thoughts: Vec::new(),
        response,
        action,
        observation,
        verdict,
        now: environment.now(),
        live: environment.is_live(),
    })
}

/// Runs an agent of ours to the end of its session.
///
/// # Errors
/// When the record can't be written. A broken agent or environment ends the episode.
pub async fn run(
    agent: &mut dyn Agent,
    session: &mut Session<'_>,
    briefing: &Briefing,
) -> Result<EpisodeEnd, Failure> {
    let deadline = session.deadline;
    if let Err(end) = in_time(deadline, agent.start(briefing)).await {
        return Ok(end);
    }
    let mut observation = prompt::NEXT_STEP.to_owned();
    loop {
        let clock = StepClock::start();
        let response = match in_time(deadline, agent.respond(&observation)).await {
            Ok(response) => response,
            Err(end) => return Ok(end),
        };
        match session.take(response, clock).await? {
            Turn::Observation(next) => observation = next,
            Turn::Ended(end) => return Ok(end),
        }
    }
}

/// Waits for the agent as long as there is time; else the episode has ended.
async fn in_time<T>(
    deadline: Option<Instant>,
    work: impl Future<Output = Result<T, AgentError>>,
) -> Result<T, EpisodeEnd> {
    let work = AssertUnwindSafe(work).catch_unwind();
    let done = match deadline {
        None => Ok(work.await),
        Some(deadline) => tokio::time::timeout_at(deadline.into(), work).await,
    };
    let failed = |error| EpisodeEnd::without_submission(EndReason::AgentFailed, Some(error));
    match done {
        Ok(Ok(Ok(value))) => Ok(value),
        Ok(Ok(Err(error))) => Err(failed(error.to_string())),
        Ok(Err(panic)) => Err(failed(defect(panic.as_ref()))),
        Err(_) => Err(EpisodeEnd::without_submission(EndReason::TimeLimit, None)),
    }
}

/// What a panic said.
fn defect(panic: &(dyn Any + Send)) -> String {
    let said = panic
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| panic.downcast_ref::<&str>().copied());
    format!("a defect of aiopslab: {}", said.unwrap_or("it panicked"))
}

fn ended(reason: EndReason) -> Turn {
    Turn::Ended(EpisodeEnd::without_submission(reason, None))
}
