//! An agent of ours that a client lets run to its end.

use aiopslab_problems::episode::EpisodeResult;

use super::episode::read_result;
use super::{Episodes, Refusal, Wish, interrupted};
use crate::agents::{AgentSpec, Briefing};
use crate::evaluation::Talked;
use crate::results::{self, Times};
use crate::session::{self, TIMING};

/// What came of it.
pub struct Simulated {
    /// What the agent was told.
    pub briefing: Briefing,
    /// Its result, with the times and all figures of a session of AIOpsLab.
    pub result: EpisodeResult,
}

impl Episodes {
    /// Runs an agent, until its episode ends or the server stops.
    ///
    /// # Errors
    /// When the wish makes no sense, too many episodes are open, or a file can't be written.
    pub async fn simulate(&self, spec: &AgentSpec, wish: &Wish) -> Result<Simulated, Refusal> {
        let mut asking = self.ask(wish)?;
        let mut agent = asking.asked.agent(spec);
        let mut begun = self.start(asking).await?;
        let briefing = begun.asked.briefing();
        let end = tokio::select! {
            end = session::run(agent.as_mut(), &mut begun.session, briefing) => end?,
            () = self.stopping.cancelled() => interrupted(),
        };
        Talked::new(begun.session, end, begun.folder).close(&begun.asked)?;
        let timing = begun.result.with_file_name(TIMING);
        let untold = || Refusal::Failed(format!("{timing} does not tell when it began and ended"));
        let times = Times::read(&timing)?.ok_or_else(untold)?;
        let result = read_result(&begun.result)?;
        Ok(Simulated {
            briefing: begun.asked.briefing().clone(),
            result: self
                .apart(move || results::as_session(result, &times))
                .await?,
        })
    }
}
