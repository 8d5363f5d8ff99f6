//! A model and where it is asked, whoever asks it: an agent in an episode, or a judge after it.

use aiopslab_problems::episode::Usage;
use serde_json::{Map, Value, json};

use super::LlmError;
use super::answer::Answer;
use super::client::{Client, Origin, SCRIPTED};
use super::conversation::{BYTES_PER_TOKEN, Message};
use super::endpoint::Failed;
use super::prices::{self, Priced};
use super::recording::Asked;
use super::tokens;
use crate::settings::LlmSettings;

/// Members of a request that are ours to set.
const OURS: [&str; 6] = [
    "messages",
    "model",
    "stream",
    "stream_options",
    "tool_choice",
    "tools",
];

/// What is said behind the name where there is no model.
pub(super) const NO_MODEL: &str = " (scripted, no model)";

/// A model that can be asked, by many at once.
#[derive(Debug)]
pub(crate) struct Model {
    name: String,
    settings: LlmSettings,
    price: Option<Priced>,
    origin: Origin,
    client: Client,
}

/// What a model said to one question.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Said {
    /// Its answer.
    pub(crate) text: String,
    /// What that took; none: there is no model.
    pub(crate) usage: Option<Usage>,
}

impl Model {
    /// Makes a model out of its name and the settings. Nobody is asked yet.
    pub(crate) fn new(name: &str, settings: &LlmSettings) -> Result<Self, LlmError> {
        let parameters = &settings.parameters.value;
        if let Some(name) = OURS.iter().find(|name| parameters.contains_key(**name)) {
            return Err(LlmError::Settings(format!(
                "llm.parameters can't set {name}\nhint: it is for what else a request can hold, like temperature; llm.stream and llm.tools are settings of their own"
            )));
        }
        let origin = Origin::of(name, settings).map_err(LlmError::Settings)?;
        Ok(Self {
            name: name.to_owned(),
            price: prices::find(name, settings),
            client: Client::new(name, &origin, settings).map_err(LlmError::Settings)?,
            origin,
            settings: settings.clone(),
        })
    }

    /// Its name without what it is called in tables.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Where it is asked, without what might be secret in it.
    pub(crate) fn endpoint(&self) -> String {
        self.origin.to_string()
    }

    /// How it is asked.
    pub(crate) fn settings(&self) -> &LlmSettings {
        &self.settings
    }

    /// Whether there is no model behind it.
    pub(crate) fn is_scripted(&self) -> bool {
        self.name == SCRIPTED
    }

    /// Bytes that a request may hold.
    pub(crate) fn budget(&self) -> usize {
        self.settings
            .context_tokens
            .value
            .saturating_mul(BYTES_PER_TOKEN)
    }

    /// Asks one question outside of any conversation.
    ///
    /// # Errors
    /// What kept it from answering, after all attempts.
    pub(crate) async fn say(&self, question: &str) -> Result<Said, String> {
        let messages = [Message::user(question)];
        let request = self.request(&messages, Map::new());
        let answered = self.ask(&mut Asked::new(0), &request).await;
        let answer = answered.map_err(|failed| match failed.is_too_long {
            true => format!("{}\nhint: lower llm.context_tokens", failed.what),
            false => failed.what,
        })?;
        let usage = self.usage(&answer, &messages);
        Ok(Said {
            text: answer.content,
            usage: self.is_counted().then_some(usage),
        })
    }

    /// A request, with further members of the caller's. Their order is part of what recordings know it by.
    pub(super) fn request(&self, messages: &[Message], further: Map<String, Value>) -> Value {
        let mut request = json!({"model": self.name, "messages": messages});
        if self.settings.stream.value {
            request["stream"] = json!(true);
            request["stream_options"] = json!({"include_usage": true});
        }
        let parameters = self.settings.parameters.value.clone();
        for (name, value) in further.into_iter().chain(parameters) {
            request[name] = value;
        }
        request
    }

    pub(super) async fn ask(&self, asked: &mut Asked, request: &Value) -> Result<Answer, Failed> {
        self.client.ask(asked, request).await
    }

    /// What an answer to these messages took.
    pub(super) fn usage(&self, answer: &Answer, messages: &[Message]) -> Usage {
        let price = self.price.as_ref().map(|priced| &priced.price);
        prices::usage(answer.tokens, || tokens::counted(messages, answer), price)
    }

    /// Whether its answers take anything: a script's do not.
    pub(super) fn is_counted(&self) -> bool {
        matches!(self.origin, Origin::Endpoint(_))
    }

    /// Whether what it takes can be told in money.
    pub(super) fn has_price(&self) -> bool {
        self.price.is_some() || self.is_scripted()
    }

    /// What it costs and who says so, for the record.
    pub(super) fn price(&self) -> Option<Value> {
        let priced = self.price.as_ref()?;
        Some(json!({"usd_per_million_tokens": priced.price, "from": priced.from}))
    }
}
