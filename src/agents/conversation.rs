//! An agent written as one function that calls and waits, instead of as a state machine.

use std::future::Future;

use aiopslab_problems::action::{self, Action};
use aiopslab_problems::prompt::NEXT_STEP;
use async_trait::async_trait;
use serde_json::Value;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::{Agent, AgentError, Briefing, Response};

/// The function's side: calls go out, observations come in.
pub(super) struct Talk {
    calls: mpsc::Sender<String>,
    observations: mpsc::Receiver<String>,
}

impl Talk {
    /// Makes one call and waits for what comes back; nothing comes once the episode is over.
    pub(super) async fn call(&mut self, call: &Action) -> String {
        if self.calls.send(action::render(call)).await.is_err() {
            return String::new();
        }
        let observation = self.observations.recv().await.unwrap_or_default();
        // Every observation ends by asking for the next step; what it says comes before.
        let said = observation
            .strip_suffix(NEXT_STEP)
            .map(|said| said.strip_suffix('\n').unwrap_or(said));
        said.unwrap_or(&observation).to_owned()
    }

    /// Runs a shell command.
    pub(super) async fn shell(&mut self, command: &str) -> String {
        self.call(&Action::ExecShell {
            command: command.to_owned(),
            timeout: 30,
        })
        .await
    }
}

/// Runs such a function as an agent; what it returns is submitted.
pub(super) struct Talking<F> {
    function: F,
    running: Option<Running>,
}

struct Running {
    calls: mpsc::Receiver<String>,
    observations: mpsc::Sender<String>,
    task: JoinHandle<Value>,
    begun: bool,
}

impl<F> Talking<F> {
    pub(super) fn new(function: F) -> Self {
        Self {
            function,
            running: None,
        }
    }
}

#[async_trait]
impl<F, R> Agent for Talking<F>
where
    F: Fn(Talk, Briefing) -> R + Send,
    R: Future<Output = Value> + Send + 'static,
{
    async fn start(&mut self, briefing: &Briefing) -> Result<(), AgentError> {
        let (call, calls) = mpsc::channel(1);
        let (observation, observations) = mpsc::channel(1);
        let talk = Talk {
            calls: call,
            observations,
        };
        let task = tokio::spawn((self.function)(talk, briefing.clone()));
        self.running = Some(Running {
            calls,
            observations: observation,
            task,
            begun: false,
        });
        Ok(())
    }

    async fn respond(&mut self, observation: &str) -> Result<Response, AgentError> {
        let broken = |what: &str| AgentError::Broken {
            command: "baseline".to_owned(),
            what: what.to_owned(),
        };
        let running = self
            .running
            .as_mut()
            .ok_or_else(|| broken("was never started"))?;
        // The first observation only says "begin": the function's first call does not answer it.
        // Nobody takes an observation once the function has returned.
        if running.begun {
            drop(running.observations.send(observation.to_owned()).await);
        }
        running.begun = true;
        if let Some(call) = running.calls.recv().await {
            return Ok(call.into());
        }
        let solution = (&mut running.task).await.map_err(|_| broken("broke off"))?;
        Ok(action::render(&Action::Submit { solution }).into())
    }
}
