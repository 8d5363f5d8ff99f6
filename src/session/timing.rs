//! What is measured of an episode: `timing.jsonl`, one [`Measurement`] per line.

use std::time::Instant;

use aiopslab_problems::episode::Usage;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Version of the file's form. 1: the first with a header and an end; before it there were steps only.
pub const TIMING_VERSION: u32 = 1;

/// One line of `timing.jsonl`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "record", rename_all = "lowercase")]
pub enum Measurement {
    /// When and where the episode began.
    Header(TimingHeader),
    /// What one step took.
    Step(StepTiming),
    /// What all of it took; absent where the episode was broken off.
    End(Totals),
}

/// When and where an episode began.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TimingHeader {
    /// [`TIMING_VERSION`].
    pub version: u32,
    /// When the agent could begin.
    pub started: Timestamp,
    /// On what it ran.
    pub host: Host,
}

/// What of a machine and a program explains the times.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Host {
    /// Version of this program.
    pub aiopslab: String,
    /// Operating system.
    pub os: String,
    /// Processor architecture.
    pub arch: String,
    /// Processors that the program may use.
    pub cpus: usize,
}

/// What one step took.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StepTiming {
    /// The step's number in the transcript.
    pub step: u32,
    /// Until the agent had responded, in milliseconds.
    pub agent_ms: f64,
    /// Until that was acted on, in milliseconds.
    pub environment_ms: f64,
    /// What the response took, where its agent tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub usage: Option<Usage>,
}

/// What an episode took.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Totals {
    /// When the agent was done.
    pub ended: Timestamp,
    /// From its beginning until then, in milliseconds. A response that came too late is in it, and
    /// in neither of the sums.
    pub elapsed_ms: f64,
    /// Sum over the steps.
    pub agent_ms: f64,
    /// Sum over the steps.
    pub environment_ms: f64,
    /// Sum over the steps, where the agent tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub usage: Option<Usage>,
}

/// Measures one step.
pub struct StepClock {
    asked: Instant,
    answered: Option<Instant>,
}

/// Measures an episode.
pub(super) struct EpisodeClock {
    began: Instant,
    agent_ms: f64,
    environment_ms: f64,
    usage: Option<Usage>,
}

impl TimingHeader {
    /// Here and now.
    pub(super) fn here() -> Self {
        Self {
            version: TIMING_VERSION,
            started: Timestamp::now(),
            host: Host {
                aiopslab: env!("CARGO_PKG_VERSION").to_owned(),
                os: std::env::consts::OS.to_owned(),
                arch: std::env::consts::ARCH.to_owned(),
                cpus: std::thread::available_parallelism().map_or(1, usize::from),
            },
        }
    }
}

impl StepClock {
    /// Starts measuring: the agent is asked now.
    #[must_use]
    pub fn start() -> Self {
        Self {
            asked: Instant::now(),
            answered: None,
        }
    }

    /// The agent has responded.
    pub fn answered(&mut self) {
        self.answered = Some(Instant::now());
    }
}

impl EpisodeClock {
    pub(super) fn start() -> Self {
        Self {
            began: Instant::now(),
            agent_ms: 0.0,
            environment_ms: 0.0,
            usage: None,
        }
    }

    /// Takes in a step that has just been acted on.
    pub(super) fn step(
        &mut self,
        step: u32,
        usage: Option<Usage>,
        clock: &StepClock,
    ) -> StepTiming {
        let answered = clock.answered.unwrap_or(clock.asked);
        let timing = StepTiming {
            step,
            agent_ms: milliseconds(clock.asked, answered),
            environment_ms: milliseconds(answered, Instant::now()),
            usage,
        };
        self.agent_ms += timing.agent_ms;
        self.environment_ms += timing.environment_ms;
        if let Some(usage) = usage {
            self.usage = Some(self.usage.into_iter().chain([usage]).sum());
        }
        timing
    }

    /// What the steps took so far, as their agent tells.
    pub(super) fn usage(&self) -> Option<Usage> {
        self.usage
    }

    /// The agent is done.
    pub(super) fn totals(&self) -> Totals {
        Totals {
            ended: Timestamp::now(),
            elapsed_ms: milliseconds(self.began, Instant::now()),
            agent_ms: self.agent_ms,
            environment_ms: self.environment_ms,
            usage: self.usage,
        }
    }
}

fn milliseconds(from: Instant, to: Instant) -> f64 {
    to.duration_since(from).as_secs_f64() * 1e3
}
