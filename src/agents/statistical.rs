//! Statistical baselines: agents that apply one algorithm of [`crate::algorithms`] to one kind of data.
//!
//! They read through the ordinary actions, estimate the window, and submit:
//! - detection: Yes if there is an incident and its first component is anomalous by the algorithm's threshold;
//! - localization: the first component, since a score takes all that is named; nothing without an incident;
//! - analysis: the commonest answer, since none of them tells one cause from another.

mod reading;
mod tables;

use aiopslab_problems::task::Task;
use serde_json::{Value, json};

use super::Briefing;
use super::constant::commonest_cause;
use super::conversation::Talk;
use crate::algorithms::{Ranked, logs, metrics, traces};

/// Which algorithm, on which data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Algorithm {
    /// How far metrics left their usual range.
    Metrics,
    /// The share of requests that a component spoils.
    Traces,
    /// The share of log lines that are new and mean it.
    Logs,
}

impl Algorithm {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Metrics, Self::Traces, Self::Logs];

    /// The name of the agent after `baseline:`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Metrics => "metrics",
            Self::Traces => "traces",
            Self::Logs => "logs",
        }
    }

    /// The algorithm of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.name() == name)
    }

    fn threshold(self) -> f64 {
        match self {
            Self::Metrics => metrics::ANOMALOUS,
            Self::Traces => traces::ANOMALOUS,
            Self::Logs => logs::ANOMALOUS,
        }
    }
}

/// Reads, estimates, ranks and answers the task.
pub(super) async fn judge(mut talk: Talk, briefing: Briefing, algorithm: Algorithm) -> Value {
    match briefing.task {
        Task::Detection => {
            let first = first(&mut talk, &briefing.namespace, algorithm).await;
            let anomalous = first.is_some_and(|first| first.score >= algorithm.threshold());
            json!(if anomalous { "Yes" } else { "No" })
        }
        Task::Localization => {
            let first = first(&mut talk, &briefing.namespace, algorithm).await;
            json!(Vec::from_iter(first.map(|first| first.component)))
        }
        // What none of them can tell is answered without looking.
        Task::Analysis => commonest_cause(),
        Task::Mitigation => Value::Null,
    }
}

/// The component that most speaks for; none without an incident.
async fn first(talk: &mut Talk, namespace: &str, algorithm: Algorithm) -> Option<Ranked> {
    let ranking = match algorithm {
        Algorithm::Metrics => {
            let table = reading::metrics(talk, namespace).await;
            let window = metrics::window(&table);
            window.map(|window| metrics::rank(&table, &window))
        }
        Algorithm::Traces => {
            let table = reading::traces(talk, namespace).await;
            let window = traces::window(&table);
            window.map(|window| traces::rank(&table, &window))
        }
        Algorithm::Logs => {
            let table = reading::logs(talk, namespace).await;
            let window = logs::window(&table);
            window.map(|window| logs::rank(&table, &window))
        }
    };
    ranking?.into_iter().next()
}
