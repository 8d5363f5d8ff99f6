//! The rounds of an evaluation: every agent on every question, as often as it is asked.

use super::episode::Asked;
use super::{Evaluated, Evaluation, Options, resume};
use crate::agents::{Agent, AgentSpec};
use crate::exit::Failure;

/// An episode to be run.
pub(super) struct Round<Q> {
    pub(super) question: Q,
    pub(super) asked: Asked,
    pub(super) agent: Box<dyn Agent>,
}

/// Rounds in the order of their results, each with what came of it if it is finished already.
pub(super) type Rounds<Q> = Vec<(Round<Q>, Option<Evaluated>)>;

/// Begins an evaluation: makes its rounds, and counts those that are finished already as taken.
///
/// `ask` makes of an agent's name, a question and the number of the repetition what is asked.
///
/// # Errors
/// When the output holds another evaluation.
pub(super) fn begin<Q: Clone>(
    agents: &[AgentSpec],
    questions: &[Q],
    options: &Options,
    ask: impl Fn(&str, &Q, u32) -> Asked,
) -> Result<(Rounds<Q>, Evaluation), Failure> {
    let mut rounds = Vec::new();
    for spec in agents {
        for question in questions {
            for repeat in 1..=options.repeat {
                let mut asked = ask(&spec.to_string(), question, repeat);
                rounds.push(Round {
                    agent: asked.agent(spec),
                    question: question.clone(),
                    asked,
                });
            }
        }
    }
    let kept = resume::finished(rounds.iter().map(|round| &round.asked), options)?;
    let evaluation = Evaluation {
        taken: kept.iter().flatten().count(),
        ..Evaluation::default()
    };
    Ok((rounds.into_iter().zip(kept).collect(), evaluation))
}
