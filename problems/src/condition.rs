//! Conditions: what must hold, as data and as pure functions of fetched answers.
//!
//! A condition does no I/O. [`Condition::needs`] names the questions, an environment fetches the
//! [`Answers`], [`Condition::eval`] judges them. The same conditions are an application's health
//! check, a fault's verification, a mitigation oracle and a snapshot's self-check.

mod eval;
mod form;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

pub use self::eval::ConditionError;
pub(crate) use self::eval::{contains, figure};

/// What must hold. A condition's kind is told by the key that it has: `field`, `pods`, `workload`, …
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Condition {
    /// All of these.
    All {
        /// The parts.
        all: Vec<Condition>,
    },
    /// At least one of these.
    Any {
        /// The parts.
        any: Vec<Condition>,
    },
    /// Not this.
    Not {
        /// The part.
        not: Box<Condition>,
    },
    /// A field of an object.
    Field(FieldTest),
    /// Every pod of the application (or of one service) is ready: `{ pods = "ready" }`.
    Pods {
        /// The state that every pod is in.
        pods: PodState,
        /// Only the pods of this service; none: all of the application's.
        #[serde(skip_serializing_if = "Option::is_none")]
        service: Option<String>,
    },
    /// The number of ready endpoints of a Service.
    Endpoints {
        /// Name of the Service.
        endpoints: String,
        /// The test on the number.
        #[serde(flatten)]
        is: Comparison,
    },
    /// The number of containers of a service that were started since an anchor, in new pods or in old ones.
    Restarts {
        /// Name of the service.
        restarts: String,
        /// Since when.
        since: Anchor,
        /// The test on the number.
        #[serde(flatten)]
        is: Comparison,
    },
    /// A pattern in the log of a service's pods since an anchor.
    Log {
        /// Name of the service.
        log: String,
        /// Regular expression.
        matches: String,
        /// Since when.
        since: Anchor,
    },
    /// What the workload measured: `{ workload = { error_ratio = { above = 0.05 } } }`.
    Workload {
        /// The figure and its test.
        workload: WorkloadTest,
    },
}

/// A test of a field of an object.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FieldTest {
    /// The object, `resource/name`.
    pub field: String,
    /// Path with dots, `[n]` and `[*]`.
    pub path: String,
    /// Path inside the values, which are texts of JSON: a ConfigMap's, for example.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub json: Option<String>,
    /// Every value at the path is this (and there is one).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub equals: Option<Value>,
    /// There is (true) or is no (false) value at the path.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exists: Option<bool>,
    /// Every value at the path is a number at least this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_least: Option<f64>,
    /// Every value at the path is a list with this item, or a text with this text in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contains: Option<Value>,
}

/// The state that pods are asked to be in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PodState {
    /// Every container is ready (or the pod has succeeded), none is waiting or terminating.
    Ready,
    /// AIOpsLab's test: every container that has a status is ready; a pod that has none yet does not count.
    UpstreamReady,
}

/// A comparison with a number.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Comparison {
    /// Exactly.
    Equals(f64),
    /// At least.
    AtLeast(f64),
    /// At most.
    AtMost(f64),
}

/// A moment of a capture or of a live episode.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Anchor {
    /// Start of the baseline window.
    Baseline,
    /// When the fault had been injected.
    Inject,
    /// When the agent submitted.
    Submit,
    /// The last moments before the question is asked.
    Now,
}

/// A test of one figure of the workload.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WorkloadTest {
    /// Share of requests that failed, 0 to 1, over the last interval of seconds.
    ErrorRatio(FigureTest),
    /// 99th percentile of latency in seconds, likewise.
    LatencyP99(FigureTest),
}

/// How a figure is judged.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FigureTest {
    /// Above `above` in the present window, and by at least `above` more than in the baseline.
    Above(f64),
    /// Below this in the present window.
    Below(f64),
    /// No more than this above the baseline's.
    BackToBaselineWithin(f64),
}

/// What an environment has to fetch for a condition.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Question {
    /// The JSON of an object, `resource/name`; null if there is none.
    Object(String),
    /// The JSON list of the pods of the application, or of one service.
    Pods(Option<String>),
    /// The JSON list of the EndpointSlices of a Service.
    Endpoints(String),
    /// How many containers of a service were started since an anchor: `{count}`.
    Restarts {
        /// Name of the service.
        service: String,
        /// Since when.
        since: Anchor,
    },
    /// The lines of a service's log since an anchor that match a pattern: `{count, first}`.
    Log {
        /// Name of the service.
        service: String,
        /// Regular expression.
        matches: String,
        /// Since when.
        since: Anchor,
    },
    /// `{baseline: {requests, errors, latency_p99}, present: {requests, errors, latency_p99}}`; seconds.
    Workload,
}

/// Fetched answers, kept as evidence. A question that could not be answered is absent.
pub type Answers = BTreeMap<Question, Value>;

/// Returns answers as a JSON list of `{question, answer}`, for files: questions can't be JSON keys.
#[must_use]
pub fn evidence(answers: &Answers) -> Value {
    answers
        .iter()
        .map(|(question, answer)| json!({ "question": question, "answer": answer }))
        .collect()
}

/// What a condition comes to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", tag = "outcome", content = "because")]
pub enum Outcome {
    /// It holds.
    Holds,
    /// It does not, and why (names the first part that fails, with the value found).
    Fails(String),
    /// An answer is missing, and which.
    Unknown(String),
}
