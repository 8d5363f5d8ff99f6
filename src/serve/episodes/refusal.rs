//! Why a client does not get what it asks for.

use aiopslab_problems::episode::EndReason;

use crate::exit::Failure;

/// A request that is not granted; the text is the client's, with a `hint:` line where there is a way out.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// Something in the request makes no sense.
    #[error("{0}")]
    Malformed(String),
    /// There is no such problem here.
    #[error("there is no problem {id:?} here\nhint: the nearest are {}", nearest.join(", "))]
    UnknownProblem {
        /// What was asked for.
        id: String,
        /// What is called like it.
        nearest: Vec<String>,
    },
    /// There is no such episode.
    #[error("there is no episode {0:?}")]
    UnknownEpisode(String),
    /// There is no such agent here.
    #[error("there is no agent {name:?} here\nhint: the agents are {}", known.join(", "))]
    UnknownAgent {
        /// What was asked for.
        name: String,
        /// Those that there are.
        known: Vec<String>,
    },
    /// The step is neither the next one nor the last one again.
    #[error("step {given} is out of turn\nhint: the next one is {next}")]
    OutOfTurn {
        /// What was given.
        given: u32,
        /// What is awaited.
        next: u32,
    },
    /// The step was taken, with another response.
    #[error("step {0} was taken with another response\nhint: a step is repeated as it was")]
    TakenOtherwise(u32),
    /// The key of an earlier request came with another one.
    #[error("the idempotency key belongs to another request\nhint: take a new key")]
    KeyTaken,
    /// The episode has ended.
    #[error("the episode is over: {}", .0.name())]
    Over(EndReason),
    /// The episode has not ended.
    #[error("the episode is still running\nhint: submit, or end it with DELETE")]
    Running,
    /// Nobody touched the episode for too long.
    #[error(
        "the episode's lease ran out: it has ended\nhint: `serve --lease` says how long an episode waits for its client"
    )]
    Lapsed,
    /// No further episode can be opened.
    #[error("{0} episodes are open already\nhint: end one, or try again later")]
    Full(usize),
    /// The server is about to end.
    #[error("the server is stopping")]
    Stopping,
    /// Something is broken on our side.
    #[error("{0}")]
    Failed(String),
}

impl From<Failure> for Refusal {
    fn from(failure: Failure) -> Self {
        let reason = failure.reason();
        tracing::error!("{reason}");
        Self::Failed(reason)
    }
}
