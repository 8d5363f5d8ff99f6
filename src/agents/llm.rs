//! A language model as an agent, over any OpenAI-compatible endpoint (`docs/llm-agents.md`).
//!
//! A [`strategy`] says what the model is told and what it is asked besides; [`conversation`] keeps what was said
//! and fits it into a request; [`model`] has the request answered by a [`client`]: by an [`endpoint`], a
//! [`recording`] or, for `llm:scripted`, a [`script`]. In tool mode [`tools`] turns actions into tools and calls into
//! text. The judge of `aiopslab score` asks the same way, without an episode.

mod answer;
mod client;
mod conversation;
mod endpoint;
mod model;
mod prices;
mod prompts;
mod recording;
mod script;
mod strategy;
mod tokens;
mod tools;

use std::fmt;
use std::sync::Arc;

use aiopslab_problems::action::ActionSet;
use aiopslab_problems::episode::{Thought, Usage};
use async_trait::async_trait;
use serde_json::{Map, Value, json};

use self::answer::Answer;
use self::conversation::{Conversation, Message, Turn};
use self::endpoint::Failed;
pub(crate) use self::model::Model;
use self::prompts::Prompts;
use self::recording::Asked;
use self::strategy::Strategy;
pub use self::strategy::{SHIPPED as STRATEGIES, StrategyError};
use super::{Agent, AgentError, Briefing, Response};
use crate::settings::LlmSettings;

/// A model with everything that decides what it does; shared by its episodes.
#[derive(Debug)]
pub struct Llm {
    model: Model,
    strategy: Strategy,
}

/// A model that can't be asked, whatever the episode.
#[derive(Debug, thiserror::Error)]
pub enum LlmError {
    /// Its strategy.
    #[error(transparent)]
    Strategy(#[from] StrategyError),
    /// Its settings.
    #[error("{0}")]
    Settings(String),
}

impl Llm {
    /// Makes a model out of its name and the settings. Nobody is asked yet.
    ///
    /// # Errors
    /// When strategy, settings or a record can't be used.
    pub fn new(model: &str, settings: &LlmSettings) -> Result<Self, LlmError> {
        Ok(Self {
            model: Model::new(model, settings)?,
            strategy: Strategy::find(&settings.strategy.value)?,
        })
    }

    /// Makes the agent of one episode.
    pub(super) fn agent(self: &Arc<Self>, seed: u64) -> LlmAgent {
        LlmAgent {
            llm: Arc::clone(self),
            asked: Asked::new(seed),
            prompts: None,
            conversation: Conversation::default(),
            pending: None,
            budget: self.model.budget(),
            tools: Vec::new(),
            set: ActionSet::Upstream,
        }
    }

    /// All that decides what it does, for the record.
    fn record(&self) -> Value {
        let settings = self.model.settings();
        json!({
            "model": self.model.name(),
            "endpoint": self.model.endpoint(),
            "azure_api_version": settings.azure_api_version.value,
            "strategy": self.strategy.record(),
            "tools": settings.tools.value,
            "stream": settings.stream.value,
            "context_tokens": settings.context_tokens.value,
            "parameters": settings.parameters.value,
            "price": self.model.price(),
        })
    }

    /// Whether what it takes can be told in money.
    #[must_use]
    pub fn has_price(&self) -> bool {
        self.model.has_price()
    }
}

impl fmt::Display for Llm {
    /// The name in records and tables; it says so where there is no model.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "llm:{}", self.model.name())?;
        if self.strategy.name != "shell" {
            write!(formatter, "@{}", self.strategy.name)?;
        }
        if self.model.is_scripted() {
            formatter.write_str(model::NO_MODEL)?;
        }
        Ok(())
    }
}

/// A model in one episode.
pub(super) struct LlmAgent {
    llm: Arc<Llm>,
    asked: Asked,
    prompts: Option<Prompts>,
    conversation: Conversation,
    /// The answer that the next observation belongs to.
    pending: Option<Answer>,
    /// Bytes that a request may hold.
    budget: usize,
    tools: Vec<Value>,
    set: ActionSet,
}

impl LlmAgent {
    /// Takes in what came of the last action.
    fn hear(&mut self, observation: &str) {
        let Some(answer) = self.pending.take() else {
            // The first observation only asks to begin.
            self.conversation.task.push_str("\n\n");
            self.conversation.task.push_str(observation);
            return;
        };
        let mut heard = observation.to_owned();
        if answer.is_cut_off() {
            heard = format!("(Your last answer was cut off: it was too long.)\n{heard}");
        }
        self.conversation.turns.push(Turn {
            said: answer.content,
            called: answer.tool_calls,
            heard,
        });
    }

    /// Asks, with `last` at the end of what was said; once more with half the room where that was too much.
    async fn ask(&mut self, last: &str, may_act: bool) -> Result<(Answer, Usage), AgentError> {
        let mut is_second = false;
        loop {
            let messages = self.conversation.fitted(last, self.budget);
            let request = self.request(&messages, may_act);
            match self.llm.model.ask(&mut self.asked, &request).await {
                Ok(answer) => {
                    let usage = self.llm.model.usage(&answer, &messages);
                    return Ok((answer, usage));
                }
                Err(failed) if failed.is_too_long && !is_second => {
                    let sent: usize = messages.iter().map(Message::bytes).sum();
                    self.budget = self.budget.min(sent) / 2;
                    is_second = true;
                }
                Err(Failed { what, .. }) => return Err(AgentError::Model(what)),
            }
        }
    }

    fn request(&self, messages: &[Message], may_act: bool) -> Value {
        let mut tools = Map::new();
        if !self.tools.is_empty() {
            let choice = if may_act { "auto" } else { "none" };
            tools.insert("tools".to_owned(), json!(self.tools));
            tools.insert("tool_choice".to_owned(), json!(choice));
        }
        self.llm.model.request(messages, tools)
    }
}

#[async_trait]
impl Agent for LlmAgent {
    async fn start(&mut self, briefing: &Briefing) -> Result<(), AgentError> {
        let strategy = &self.llm.strategy;
        let by_tools = self.llm.model.settings().tools.value;
        let prompts = Prompts::new(strategy, briefing, by_tools);
        self.conversation = Conversation {
            system: prompts.system().map_err(AgentError::Model)?,
            task: prompts.task().map_err(AgentError::Model)?,
            turns: Vec::new(),
        };
        self.prompts = Some(prompts);
        self.set = tools::action_set(briefing);
        if by_tools {
            self.tools = tools::offered(briefing, |action| strategy.tells_of(action));
        }
        Ok(())
    }

    async fn respond(&mut self, observation: &str) -> Result<Response, AgentError> {
        self.hear(observation);
        let Some(mut prompts) = self.prompts.take() else {
            return Err(AgentError::Model("it was never started".to_owned()));
        };
        let step = u32::try_from(self.conversation.turns.len()).unwrap_or(u32::MAX - 1) + 1;
        let (mut took, mut thoughts) = (Vec::new(), Vec::new());
        let llm = Arc::clone(&self.llm);
        for think in llm.strategy.thinks(step) {
            let ask = prompts.ask(think, step).map_err(AgentError::Model)?;
            let (thought, usage) = self.ask(&ask, false).await?;
            took.push(usage);
            let answer = thought.content.trim().to_owned();
            prompts.remember(think, answer.clone());
            let name = think.name.clone();
            thoughts.push(Thought { name, ask, answer });
        }
        let turn = prompts.turn(step).map_err(AgentError::Model)?;
        self.prompts = Some(prompts);
        let (answer, usage) = self.ask(&turn, true).await?;
        took.push(usage);
        let text = tools::as_text(&answer, self.set);
        self.pending = Some(answer);
        Ok(Response {
            text,
            thoughts,
            usage: llm.model.is_counted().then(|| took.into_iter().sum()),
        })
    }

    fn settings(&self) -> Option<Value> {
        Some(self.llm.record())
    }
}
