//! An agent of ours that a client lets run to its end.

use jiff::Timestamp;
use serde_json::Value;

use super::episode::read_result;
use super::{Episodes, Refusal, Wish, interrupted};
use crate::agents::{AgentSpec, Briefing};
use crate::evaluation::Talked;
use crate::session;

/// What came of it.
pub struct Simulated {
    /// When it began.
    pub started: Timestamp,
    /// When it was over.
    pub ended: Timestamp,
    /// What the agent was told.
    pub briefing: Briefing,
    /// Its `result.json`.
    pub result: Value,
}

impl Episodes {
    /// Runs an agent, until its episode ends or the server stops.
    ///
    /// # Errors
    /// When the wish makes no sense, too many episodes are open, or a file can't be written.
    pub async fn simulate(&self, spec: &AgentSpec, wish: &Wish) -> Result<Simulated, Refusal> {
        let started = Timestamp::now();
        let mut asking = self.ask(wish)?;
        let mut agent = asking.asked.agent(spec);
        let mut begun = self.start(asking).await?;
        let briefing = begun.asked.briefing();
        let end = tokio::select! {
            end = session::run(agent.as_mut(), &mut begun.session, briefing) => end?,
            () = self.stopping.cancelled() => interrupted(),
        };
        Talked::new(begun.session, end, begun.folder).close(&begun.asked)?;
        Ok(Simulated {
            started,
            ended: Timestamp::now(),
            briefing: begun.asked.briefing().clone(),
            result: read_result(&begun.result)?,
        })
    }
}
