//! What an agent acts on, live or replayed, and what comes back.

use async_trait::async_trait;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::action::Action;
use crate::answer;

/// What an environment knows about its own answer; goes to the transcript, never to the agent.
///
/// Ordered from best to worst: an action's verdict is the worst of what ran in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// The recording holds the answer.
    Answered,
    /// Nothing is there, and coverage proves it.
    Empty,
    /// The window that was asked for reaches beyond what was recorded.
    Partial,
    /// Refused: a write, or something that the agent may not see.
    Denied,
    /// The call makes no sense.
    Invalid,
    /// It can't be known from the recording.
    NotCaptured,
}

/// The answer to one action.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Observation {
    /// What the agent reads.
    pub text: String,
    /// What the environment knows about it.
    pub verdict: Verdict,
}

impl Observation {
    /// An answer with its verdict.
    #[must_use]
    pub fn new(text: impl Into<String>, verdict: Verdict) -> Self {
        Self {
            text: text.into(),
            verdict,
        }
    }

    /// What `read_metrics` and `read_traces` answer: the table that a file holds, or that there is none.
    #[must_use]
    pub fn table(csv: Option<&str>, missing: String, kind: &str) -> Self {
        let Some(csv) = csv else {
            return Self::new(missing, Verdict::Invalid);
        };
        match answer::table_text(csv) {
            Ok(text) => Self::new(text, Verdict::Answered),
            Err(error) => Self::new(format!("Failed to read {kind}: {error}"), Verdict::Invalid),
        }
    }

    /// What `query_sql` answers where there is none.
    #[must_use]
    pub fn no_query_sql() -> Self {
        Self::new("there is no action query_sql here", Verdict::Invalid)
    }

    /// What `submit` would answer if it arrived at an environment.
    #[must_use]
    pub fn submitted() -> Self {
        Self::new(
            "submit ends the episode; nothing is left to do here",
            Verdict::Invalid,
        )
    }
}

/// A system with an incident in it, live or replayed.
///
/// Bad input is an [`Observation`], never an error: only a broken environment fails.
#[async_trait]
pub trait Environment: Send {
    /// Carries out one action. `submit` is the session's business and never arrives here.
    async fn act(&mut self, action: &Action) -> Result<Observation, EnvironmentError>;

    /// The moment of a recording at which the last action was answered, where time passes in it;
    /// none: it stands still, or is that of the world.
    fn now(&self) -> Option<Timestamp> {
        None
    }

    /// Whether the last action was answered by a running system rather than a recording.
    fn is_live(&self) -> bool {
        false
    }
}

/// One that somebody else keeps.
#[async_trait]
impl<E: Environment + ?Sized> Environment for &mut E {
    async fn act(&mut self, action: &Action) -> Result<Observation, EnvironmentError> {
        (**self).act(action).await
    }

    fn now(&self) -> Option<Timestamp> {
        (**self).now()
    }

    fn is_live(&self) -> bool {
        (**self).is_live()
    }
}

/// The environment itself is broken (a damaged snapshot, a lost cluster).
#[derive(Debug, thiserror::Error)]
#[error("the environment failed during {action}")]
pub struct EnvironmentError {
    /// Name of the action.
    pub action: &'static str,
    /// What went wrong.
    #[source]
    pub source: Box<dyn std::error::Error + Send + Sync>,
}
