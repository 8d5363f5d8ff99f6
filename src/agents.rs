//! Agents: who acts on an environment.
//!
//! An agent is told its task once and then answers each observation with text that holds one call
//! (`problems::action`). It learns nothing else: not the problem's id, not the snapshot's name.

mod constant;
mod conversation;
mod doctor;
mod external;
mod http;
mod human;
pub mod llm;
mod random;
mod scripted;
mod statistical;

use std::fmt;
use std::sync::Arc;

use aiopslab_problems::episode::{Limits, Thought, Usage};
pub use aiopslab_problems::prompt::{ActionHelp, Briefing};
use async_trait::async_trait;
use camino::Utf8PathBuf;
use serde_json::Value;
use url::Url;

use self::llm::{Llm, LlmError};
use crate::settings::LlmSettings;

pub use self::statistical::Algorithm;

/// What an agent answers to an observation.
#[derive(Debug, Clone, PartialEq)]
pub struct Response {
    /// Text that holds one call.
    pub text: String,
    /// What the agent asked its model before, and was answered.
    pub thoughts: Vec<Thought>,
    /// What it took the agent's model; none: it has none, or does not tell.
    pub usage: Option<Usage>,
}

impl From<String> for Response {
    fn from(text: String) -> Self {
        Self {
            text,
            thoughts: Vec::new(),
            usage: None,
        }
    }
}

/// Someone who acts.
#[async_trait]
pub trait Agent: Send {
    /// Takes the task.
    async fn start(&mut self, briefing: &Briefing) -> Result<(), AgentError>;
    /// Answers an observation with text that holds one call.
    async fn respond(&mut self, observation: &str) -> Result<Response, AgentError>;
    /// What else decides what it does, for the record: model, prompts, parameters.
    fn settings(&self) -> Option<Value> {
        None
    }
}

/// The agent itself broke; its episode ends, the evaluation goes on.
#[derive(Debug, thiserror::Error)]
pub enum AgentError {
    /// A scripted agent has no response left.
    #[error("the script has no response left after {0} steps")]
    ScriptEnded(usize),
    /// The process of an external agent could not be started.
    #[error(
        "starting the agent {command:?}: {source}\nhint: the command is run by `sh -c`; try it in a terminal"
    )]
    Start {
        /// The command.
        command: String,
        /// Why.
        source: std::io::Error,
    },
    /// The process of an external agent broke off.
    #[error("the agent {command:?} {what}")]
    Broken {
        /// The command.
        command: String,
        /// What it did.
        what: String,
    },
    /// A language model does not answer.
    #[error("{0}")]
    Model(String),
    /// The person at the terminal does not.
    #[error("the person at the terminal: {0}")]
    Person(String),
}

/// Which agent, as named on the command line.
#[derive(Debug, Clone)]
pub enum AgentSpec {
    /// `baseline:doctor`
    Doctor,
    /// `baseline:constant`
    Constant,
    /// `baseline:random`
    Random,
    /// `baseline:metrics`, `baseline:traces` or `baseline:logs`
    Statistical(Algorithm),
    /// `scripted:FILE`
    Scripted {
        /// The file's name.
        path: Utf8PathBuf,
        /// What it says.
        responses: Vec<String>,
    },
    /// `exec:COMMAND`
    External(String),
    /// `http:URL`
    Remote(Url),
    /// `human`
    Human,
    /// `llm:MODEL`
    Llm(Arc<Llm>),
}

impl AgentSpec {
    /// The agents that every evaluation is shown beside.
    pub const BASELINES: [Self; 3] = [Self::Constant, Self::Random, Self::Doctor];

    /// Makes the agent for one episode; `seed` decides whatever is left to chance.
    #[must_use]
    pub fn agent(&self, seed: u64) -> Box<dyn Agent> {
        match self {
            Self::Doctor => Box::new(conversation::Talking::new(doctor::diagnose)),
            Self::Random => Box::new(conversation::Talking::new(move |talk, briefing| {
                random::guess(talk, briefing, seed)
            })),
            Self::Statistical(algorithm) => {
                let algorithm = *algorithm;
                Box::new(conversation::Talking::new(move |talk, briefing| {
                    statistical::judge(talk, briefing, algorithm)
                }))
            }
            Self::Constant => Box::new(constant::Constant::default()),
            Self::Scripted { responses, .. } => {
                Box::new(scripted::Scripted::new(responses.clone()))
            }
            Self::External(command) => Box::new(external::External::new(command.clone())),
            Self::Remote(url) => Box::new(http::Remote::new(url.clone())),
            Self::Human => Box::new(human::Human::default()),
            Self::Llm(llm) => Box::new(llm.agent(seed)),
        }
    }
}

impl fmt::Display for AgentSpec {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Doctor => formatter.write_str("baseline:doctor"),
            Self::Constant => formatter.write_str("baseline:constant"),
            Self::Random => formatter.write_str("baseline:random"),
            Self::Statistical(algorithm) => write!(formatter, "baseline:{}", algorithm.name()),
            Self::Scripted { path, .. } => write!(formatter, "scripted:{path}"),
            Self::External(command) => write!(formatter, "exec:{command}"),
            Self::Remote(url) => write!(formatter, "http:{url}"),
            Self::Human => formatter.write_str("human"),
            Self::Llm(llm) => llm.fmt(formatter),
        }
    }
}

/// A name that is no agent, or an agent that can't be had.
#[derive(Debug, thiserror::Error)]
pub enum UnknownAgent {
    /// Nobody has this name.
    #[error(
        "unknown agent {0:?}\nhint: baseline:doctor, baseline:constant, baseline:random, baseline:metrics, baseline:traces, baseline:logs, scripted:FILE, exec:COMMAND, http:URL, llm:MODEL or human"
    )]
    Name(String),
    /// The script can't be read.
    #[error("the script {path} can't be read: {source}")]
    Script {
        /// The file.
        path: Utf8PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The address is none.
    #[error("the agent {agent:?} has no good address: {what}")]
    Address {
        /// As named.
        agent: String,
        /// What is wrong.
        what: String,
    },
    /// The model can't be asked.
    #[error(transparent)]
    Llm(#[from] LlmError),
    /// There is nobody to ask, or too much at once.
    #[error("human is for a terminal and one episode at a time\nhint: --agent human --jobs 1")]
    Human,
    /// What the model takes can't be told in money.
    #[error(
        "the price of {agent} is not known, so money can't limit it\nhint: [llm.prices.\"MODEL\"] in aiopslab.toml says it, in US dollars for a million tokens: input, output, cached_input"
    )]
    Price {
        /// The agent.
        agent: String,
    },
}

impl AgentSpec {
    /// Finds an agent by its name on the command line.
    ///
    /// # Errors
    /// When nobody has the name, or what belongs to it can't be read.
    pub fn named(text: &str, llm: &LlmSettings) -> Result<Self, UnknownAgent> {
        if text.starts_with("http://") || text.starts_with("https://") {
            return remote(text, text);
        }
        match text.split_once(':') {
            None if text == "human" => Ok(Self::Human),
            Some(("baseline", "doctor")) => Ok(Self::Doctor),
            Some(("baseline", "constant")) => Ok(Self::Constant),
            Some(("baseline", "random")) => Ok(Self::Random),
            Some(("baseline", name)) => Algorithm::named(name)
                .map(Self::Statistical)
                .ok_or_else(|| UnknownAgent::Name(text.to_owned())),
            Some(("scripted", path)) => {
                let path = Utf8PathBuf::from(path);
                match std::fs::read_to_string(&path) {
                    Ok(script) => Ok(Self::Scripted {
                        responses: scripted::responses(&script),
                        path,
                    }),
                    Err(source) => Err(UnknownAgent::Script { path, source }),
                }
            }
            Some(("exec", command)) if !command.trim().is_empty() => {
                Ok(Self::External(command.to_owned()))
            }
            Some(("http", address)) => remote(text, address),
            Some(("llm", model)) if !model.trim().is_empty() => {
                Ok(Self::Llm(Arc::new(Llm::new(model.trim(), llm)?)))
            }
            _ => Err(UnknownAgent::Name(text.to_owned())),
        }
    }

    /// Checks that it can be run like this, before anything is.
    ///
    /// # Errors
    /// When a person would be asked several things at once, or money is to limit what has no price.
    pub fn check(&self, limits: &Limits, jobs: usize) -> Result<(), UnknownAgent> {
        match self {
            Self::Human if jobs > 1 || !human::is_there() => Err(UnknownAgent::Human),
            Self::Llm(llm) if limits.max_cost_usd.is_some() && !llm.has_price() => {
                Err(UnknownAgent::Price {
                    agent: llm.to_string(),
                })
            }
            _ => Ok(()),
        }
    }
}

/// An agent that has the same name is the same.
impl PartialEq for AgentSpec {
    fn eq(&self, other: &Self) -> bool {
        self.to_string() == other.to_string()
    }
}

fn remote(agent: &str, address: &str) -> Result<AgentSpec, UnknownAgent> {
    match http::address(address) {
        Ok(url) => Ok(AgentSpec::Remote(url)),
        Err(what) => Err(UnknownAgent::Address {
            agent: agent.to_owned(),
            what,
        }),
    }
}
