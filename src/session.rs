//! The session loop: asks the agent, acts on the environment, records, until it submits or runs out of steps.

mod files;

use aiopslab_problems::action::{self, Action, ActionSet, CallSyntax};
use aiopslab_problems::environment::{Environment, Verdict};
use aiopslab_problems::episode::{EndReason, EpisodeEnd, EpisodeStep};
use aiopslab_problems::prompt;

pub use self::files::EpisodeFiles;
use crate::agents::{Agent, Briefing};
use crate::exit::Failure;

/// What binds an agent in an episode.
#[derive(Debug, Clone, Copy)]
pub struct Rules {
    /// Which responses count as a call.
    pub syntax: CallSyntax,
    /// Which actions there are.
    pub action_set: ActionSet,
    /// Responses that it has.
    pub max_steps: u32,
}

/// Runs one episode of at most `max_steps` responses. How it ended is returned, not yet recorded: a
/// repair is judged first.
///
/// # Errors
/// When the environment is broken or the record can't be written. A broken agent ends its episode.
pub async fn run(
    agent: &mut dyn Agent,
    environment: &mut dyn Environment,
    briefing: &Briefing,
    rules: Rules,
    files: &mut EpisodeFiles,
) -> Result<(Vec<EpisodeStep>, EpisodeEnd), Failure> {
    let mut steps = Vec::new();
    let end = match agent.start(briefing).await {
        Err(error) => failed(&error),
        Ok(()) => {
            let mut turns = Turns {
                agent,
                environment,
                rules,
                files,
                steps: &mut steps,
            };
            turns.take(rules.max_steps).await?
        }
    };
    Ok((steps, end))
}

/// The turns of an episode under way.
struct Turns<'a> {
    agent: &'a mut dyn Agent,
    environment: &'a mut dyn Environment,
    rules: Rules,
    files: &'a mut EpisodeFiles,
    steps: &'a mut Vec<EpisodeStep>,
}

impl Turns<'_> {
    async fn take(&mut self, most: u32) -> Result<EpisodeEnd, Failure> {
        let mut observation = prompt::NEXT_STEP.to_owned();
        for number in 1..=most {
            let mut clock = self.files.clock();
            let response = match self.agent.respond(&observation).await {
                Ok(response) => response,
                Err(error) => return Ok(failed(&error)),
            };
            clock.answered();
            let step = self.act(number, response).await?;
            self.files.record(&step, &clock)?;
            observation = prompt::observation(&step.observation);
            let submitted = match &step.action {
                Some(Action::Submit { solution }) => Some(solution.clone()),
                _ => None,
            };
            self.steps.push(step);
            if submitted.is_some() {
                return Ok(EpisodeEnd {
                    end_reason: EndReason::Submitted,
                    solution: submitted,
                    error: None,
                    mitigation: None,
                    upstream_mitigation: None,
                });
            }
        }
        Ok(EpisodeEnd {
            end_reason: EndReason::StepLimit,
            solution: None,
            error: None,
            mitigation: None,
            upstream_mitigation: None,
        })
    }

    async fn act(&mut self, number: u32, response: String) -> Result<EpisodeStep, Failure> {
        let (action, observation, verdict) =
            match action::parse_among(&response, self.rules.syntax, self.rules.action_set) {
                Err(error) => (None, error.to_string(), Verdict::Invalid),
                Ok(submission @ Action::Submit { .. }) => {
                    (Some(submission), String::new(), Verdict::Answered)
                }
                Ok(action) => {
                    let answer = self.environment.act(&action).await?;
                    (Some(action), answer.text, answer.verdict)
                }
            };
        Ok(EpisodeStep {
            step: number,
            response,
            action,
            observation,
            verdict,
            now: self.environment.now(),
            live: self.environment.is_live(),
        })
    }
}

fn failed(error: &crate::agents::AgentError) -> EpisodeEnd {
    EpisodeEnd {
        end_reason: EndReason::AgentFailed,
        solution: None,
        error: Some(error.to_string()),
        mitigation: None,
        upstream_mitigation: None,
    }
}
