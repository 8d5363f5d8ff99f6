//! Agents: who acts on an environment.
//!
//! An agent is told its task once and then answers each observation with text that holds one call
//! (`problems::action`). It learns nothing else: not the problem's id, not the snapshot's name.

mod constant;
mod conversation;
mod doctor;
mod external;
mod random;
mod scripted;
mod statistical;

use std::fmt;
use std::str::FromStr;

use aiopslab_problems::episode::Usage;
pub use aiopslab_problems::prompt::{ActionHelp, Briefing};
use async_trait::async_trait;
use camino::Utf8PathBuf;
use serde_json::Value;

pub use self::statistical::Algorithm;

/// What an agent answers to an observation.
#[derive(Debug, Clone, PartialEq)]
pub struct Response {
    /// Text that holds one call.
    pub text: String,
    /// What it took the agent's model; none: it has none, or does not tell.
    pub usage: Option<Usage>,
}

impl From<String> for Response {
    fn from(text: String) -> Self {
        Self { text, usage: None }
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
}

/// Which agent, as named on the command line.
#[derive(Debug, Clone, PartialEq, Eq)]
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
        }
    }
}

/// A name that is no agent, or an agent that can't be had.
#[derive(Debug, thiserror::Error)]
pub enum UnknownAgent {
    /// Nobody has this name.
    #[error(
        "unknown agent {0:?}\nhint: baseline:doctor, baseline:constant, baseline:random, baseline:metrics, baseline:traces, baseline:logs, scripted:FILE or exec:COMMAND"
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
}

impl FromStr for AgentSpec {
    type Err = UnknownAgent;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.split_once(':') {
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
            _ => Err(UnknownAgent::Name(text.to_owned())),
        }
    }
}
