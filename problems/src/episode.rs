//! The record of an episode: one agent on one problem once.
//!
//! A transcript is one [`Record`] per line: a header, the steps, the end. It holds nothing that was measured, so the
//! same episode on the same snapshot gives the same bytes. The result is a superset of AIOpsLab's session file.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

pub use crate::action::ActionSet;
use crate::action::{Action, CallSyntax};
use crate::catalog::ProblemId;
use crate::condition::Outcome;
use crate::environment::Verdict;
use crate::prompt::Briefing;
use crate::score::{EpisodeSummary, Graded, Scores, StrictScore};
use crate::task::Task;

/// Version of the transcript's and the result's form. 1: the first; 2: what the agent was told, and
/// limits of time, tokens and money. A step's `thoughts` came later, and are absent where there are none.
pub const EPISODE_VERSION: u32 = 2;

/// One line of a transcript.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "record", rename_all = "lowercase")]
pub enum Record {
    /// What the episode is of.
    Header(Box<EpisodeHeader>),
    /// One response of the agent and what came of it.
    Step(EpisodeStep),
    /// How it ended.
    End(EpisodeEnd),
}

/// What an episode is of: all that decides it, but for the agent itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EpisodeHeader {
    /// [`EPISODE_VERSION`].
    pub version: u32,
    /// The problem.
    pub problem_id: ProblemId,
    /// The agent, as named on the command line.
    pub agent: String,
    /// The snapshot; none: a live cluster.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub snapshot: Option<SnapshotRef>,
    /// The clock, e.g. `end`, `before-fault`, a moment, or `play`; `live` for a running cluster.
    pub clock: String,
    /// Whether the first write leads from the snapshot to a running cluster.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub on_write_live: bool,
    /// Which actions the agent had.
    pub action_set: ActionSet,
    /// Whether it could see what is withheld otherwise.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub upstream_visibility: bool,
    /// How it could call them.
    pub syntax: CallSyntax,
    /// What it could take at most.
    #[serde(flatten)]
    pub limits: Limits,
    /// Decides what the agent leaves to chance.
    pub seed: u64,
    /// Versions of the programs and formats that took part, by name.
    pub versions: BTreeMap<String, String>,
    /// What the agent was told; none: in version 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub briefing: Option<Briefing>,
    /// What else decides the agent: its model, prompts and parameters, where it has such.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent_settings: Option<Value>,
}

/// What an agent may take at most in one episode.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Limits {
    /// Responses.
    pub max_steps: u32,
    /// Seconds on the wall. An episode under such a limit can't be reproduced.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_seconds: Option<u64>,
    /// Tokens, in and out together.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_tokens: Option<u64>,
    /// Money, in US dollars.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_cost_usd: Option<f64>,
}

impl EpisodeHeader {
    /// Why the same episode can take another course; none: nothing known speaks for that.
    #[must_use]
    pub fn not_reproducible(&self) -> Option<&'static str> {
        not_reproducible(&self.limits, self.snapshot.is_none() || self.on_write_live)
    }
}

impl Limits {
    /// A number of steps, and nothing else.
    #[must_use]
    pub fn steps(max_steps: u32) -> Self {
        Self {
            max_steps,
            max_seconds: None,
            max_tokens: None,
            max_cost_usd: None,
        }
    }
}

/// Says why the same episode can take another course when it is run again, as far as its record
/// tells; `is_live`: a running cluster takes part.
#[must_use]
pub fn not_reproducible(limits: &Limits, is_live: bool) -> Option<&'static str> {
    if is_live {
        Some("a running cluster takes part")
    } else if limits.max_seconds.is_some() {
        Some("its time on the wall is limited (max_seconds)")
    } else {
        None
    }
}

/// What responses of a model took, as its provider counts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Usage {
    /// Tokens that the model read.
    pub input_tokens: u64,
    /// Tokens that it wrote.
    pub output_tokens: u64,
    /// What that cost, in US dollars; none: not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost_usd: Option<f64>,
    /// Whether a number is our estimate, because the provider told none.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub estimated: bool,
}

impl Usage {
    /// Tokens in and out together.
    #[must_use]
    pub fn tokens(&self) -> u64 {
        self.input_tokens.saturating_add(self.output_tokens)
    }
}

impl std::iter::Sum for Usage {
    /// A cost with something unknown in it is unknown. Who did not tell its tokens is no item:
    /// as one of zeros it would count as one that took none.
    fn sum<I: Iterator<Item = Self>>(items: I) -> Self {
        let nothing = Self {
            cost_usd: Some(0.0),
            ..Self::default()
        };
        items.fold(nothing, |sum, next| Self {
            input_tokens: sum.input_tokens.saturating_add(next.input_tokens),
            output_tokens: sum.output_tokens.saturating_add(next.output_tokens),
            cost_usd: sum
                .cost_usd
                .zip(next.cost_usd)
                .map(|(left, right)| left + right),
            estimated: sum.estimated || next.estimated,
        })
    }
}

/// A snapshot, by what it holds rather than where it lies.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SnapshotRef {
    /// The manifest's opaque id.
    pub id: String,
    /// Digest of its logical rows.
    pub digest: String,
}

/// One response of the agent and what came of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EpisodeStep {
    /// Its number, from 1.
    pub step: u32,
    /// What the agent asked its model before, and was answered, in this order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub thoughts: Vec<Thought>,
    /// What the agent wrote.
    pub response: String,
    /// The action that it called; none: `response` is no call.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub action: Option<Action>,
    /// What the agent read next.
    pub observation: String,
    /// What the environment knows about it; `invalid` for a response that is no call.
    pub verdict: Verdict,
    /// The moment at which it was answered, under the clock `play`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub now: Option<Timestamp>,
    /// Whether a running cluster answered. The first such step of an episode that began on a
    /// snapshot marks the switch: what the agent wrote in it was not carried out.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub live: bool,
}

/// A question of an agent's to its model that is no request for an action, and the answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Thought {
    /// Which of the agent's questions it is.
    pub name: String,
    /// The question.
    pub ask: String,
    /// The answer.
    pub answer: String,
}

/// How an episode ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EpisodeEnd {
    /// Why.
    pub end_reason: EndReason,
    /// What was submitted; none: nothing was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub solution: Option<Value>,
    /// What broke, if something did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// What became of the fault that was to be repaired, as judged on the running cluster.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mitigation: Option<Outcome>,
    /// The same by AIOpsLab's own tests.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub upstream_mitigation: Option<Outcome>,
}

impl EpisodeEnd {
    /// An end without a submission.
    #[must_use]
    pub fn without_submission(end_reason: EndReason, error: Option<String>) -> Self {
        Self {
            end_reason,
            solution: None,
            error,
            mitigation: None,
            upstream_mitigation: None,
        }
    }

    /// The end that a submission is.
    #[must_use]
    pub fn submitted(solution: Value) -> Self {
        Self {
            solution: Some(solution),
            ..Self::without_submission(EndReason::Submitted, None)
        }
    }
}

/// Why an episode ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EndReason {
    /// The agent submitted.
    Submitted,
    /// It took all its steps without submitting.
    StepLimit,
    /// Its time was over.
    TimeLimit,
    /// It had used up its tokens.
    TokenLimit,
    /// It had used up its money.
    CostLimit,
    /// The agent broke.
    AgentFailed,
    /// The environment broke.
    EnvironmentFailed,
    /// Somebody stopped it.
    Interrupted,
}

impl EndReason {
    /// Its word in the records.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Submitted => "submitted",
            Self::StepLimit => "step_limit",
            Self::TimeLimit => "time_limit",
            Self::TokenLimit => "token_limit",
            Self::CostLimit => "cost_limit",
            Self::AgentFailed => "agent_failed",
            Self::EnvironmentFailed => "environment_failed",
            Self::Interrupted => "interrupted",
        }
    }
}

/// An item of AIOpsLab's trace.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TraceItem {
    /// `assistant` or `env`.
    pub role: String,
    /// What was said.
    pub content: String,
}

/// The result of an episode: AIOpsLab's session keys first, ours after.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EpisodeResult {
    /// The agent's name.
    pub agent: String,
    /// Names the episode.
    pub session_id: String,
    /// The problem.
    pub problem_id: ProblemId,
    /// Seconds since the epoch; measured, so only where a session asks for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start_time: Option<f64>,
    /// Seconds since the epoch; likewise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end_time: Option<f64>,
    /// What agent and environment said, in turn.
    pub trace: Vec<TraceItem>,
    /// AIOpsLab's figures.
    pub results: Map<String, Value>,
    /// What was asked.
    pub task: Task,
    /// Whether the problem is a control.
    pub control: bool,
    /// What was submitted.
    pub solution: Option<Value>,
    /// Our score.
    pub strict: StrictScore,
    /// How near the answer came.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub graded: Option<Graded>,
    /// Why the episode ended.
    pub end_reason: EndReason,
    /// What the agent's model took; none: it has none, or does not tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub usage: Option<Usage>,
    /// Why the same episode can take another course when it is run again; none: nothing known
    /// speaks for that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_reproducible: Option<String>,
    /// Counts over the steps.
    #[serde(flatten)]
    pub tally: Tally,
    /// What the commands would change.
    #[serde(flatten)]
    pub writes: Writes,
}

/// Commands that would change a cluster, as they are written in an episode's `exec_shell` calls,
/// whether they were carried out, denied or never reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Writes {
    /// All of them.
    #[serde(default)]
    pub writes_attempted: u32,
    /// Those that would take away what runs or is stored.
    #[serde(default)]
    pub destructive_commands: u32,
}

impl std::iter::Sum for Writes {
    fn sum<I: Iterator<Item = Self>>(all: I) -> Self {
        all.fold(Self::default(), |sum, one| Self {
            writes_attempted: sum.writes_attempted.saturating_add(one.writes_attempted),
            destructive_commands: sum
                .destructive_commands
                .saturating_add(one.destructive_commands),
        })
    }
}

/// Counts over an episode's steps.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Tally {
    /// Share of the actions whose verdict is `answered` or `empty`; none: there was no action but the submission.
    pub coverage: Option<f64>,
    /// Responses that were no call.
    pub invalid_calls: u32,
    /// Actions that had been called before with the same arguments.
    pub repeated_calls: u32,
    /// Number of actions by verdict, in the verdicts' words.
    pub verdicts: BTreeMap<Verdict, u32>,
}

impl Tally {
    /// Counts over steps. Submissions and responses that are no call are no actions on the environment.
    #[must_use]
    pub fn of(steps: &[EpisodeStep]) -> Self {
        let mut tally = Self::default();
        let mut seen = BTreeSet::new();
        for step in steps {
            match &step.action {
                None => tally.invalid_calls += 1,
                Some(Action::Submit { .. }) => {}
                Some(action) => {
                    *tally.verdicts.entry(step.verdict).or_default() += 1;
                    if !seen.insert(format!("{action:?}")) {
                        tally.repeated_calls += 1;
                    }
                }
            }
        }
        tally.coverage = tally.share_covered();
        tally
    }

    fn share_covered(&self) -> Option<f64> {
        let all: u32 = self.verdicts.values().sum();
        let covered = |verdict| self.verdicts.get(&verdict).copied().unwrap_or(0);
        let known = covered(Verdict::Answered) + covered(Verdict::Empty);
        (all > 0).then(|| f64::from(known) / f64::from(all))
    }
}

/// Returns AIOpsLab's trace of an episode, where the environment's answer to a submission is `1`.
#[must_use]
pub fn trace(steps: &[EpisodeStep]) -> Vec<TraceItem> {
    let item = |role: &str, content: &str| TraceItem {
        role: role.to_owned(),
        content: content.to_owned(),
    };
    steps
        .iter()
        .flat_map(|step| {
            let submitted = matches!(step.action, Some(Action::Submit { .. }));
            let answer = if submitted {
                "1"
            } else {
                step.observation.as_str()
            };
            [item("assistant", &step.response), item("env", answer)]
        })
        .collect()
}

/// Returns what of an episode is scored.
#[must_use]
pub fn summary(steps: &[EpisodeStep], end: &EpisodeEnd) -> EpisodeSummary {
    let steps = u64::try_from(steps.len()).unwrap_or(u64::MAX);
    EpisodeSummary {
        solution: end.solution.clone(),
        steps,
        mitigation: end.mitigation.clone(),
        upstream_mitigation: end.upstream_mitigation.clone(),
    }
}

impl EpisodeResult {
    /// Puts together the result of an episode from its records and scores.
    #[must_use]
    pub fn new(
        problem: &crate::catalog::Problem,
        agent: &str,
        session_id: &str,
        (steps, end): (&[EpisodeStep], &EpisodeEnd),
        scores: Scores,
        writes: Writes,
    ) -> Self {
        Self {
            agent: agent.to_owned(),
            session_id: session_id.to_owned(),
            problem_id: problem.id.clone(),
            start_time: None,
            end_time: None,
            trace: trace(steps),
            results: scores.upstream,
            task: problem.task,
            control: problem.control,
            solution: end.solution.clone(),
            strict: scores.strict,
            graded: scores.graded,
            end_reason: end.end_reason,
            usage: None,
            not_reproducible: None,
            tally: Tally::of(steps),
            writes,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::catalog::Catalog;
    use crate::score::score;

    fn step(number: u32, action: Option<Action>, verdict: Verdict) -> EpisodeStep {
        EpisodeStep {
            step: number,
            thoughts: Vec::new(),
            response: "r".to_owned(),
            action,
            observation: "o".to_owned(),
            verdict,
            now: None,
            live: false,
        }
    }

    fn logs(service: &str) -> Option<Action> {
        Some(Action::GetLogs {
            namespace: "n".to_owned(),
            service: service.to_owned(),
        })
    }

    #[test]
    fn a_result_has_the_keys_of_aiopslab_and_ours() {
        let steps = [
            step(1, logs("a"), Verdict::Answered),
            step(2, logs("a"), Verdict::Answered),
            step(3, logs("b"), Verdict::Empty),
            step(4, logs("c"), Verdict::NotCaptured),
            step(5, None, Verdict::Invalid),
            step(
                6,
                Some(Action::Submit {
                    solution: json!("Yes"),
                }),
                Verdict::Answered,
            ),
        ];
        let end = EpisodeEnd {
            end_reason: EndReason::Submitted,
            solution: Some(json!("Yes")),
            error: None,
            mitigation: None,
            upstream_mitigation: None,
        };
        let catalog = Catalog::embedded().unwrap();
        let problem = catalog
            .problem("scale_pod_zero_testbed-detection-1")
            .unwrap();
        let scores = score(problem, &summary(&steps, &end));
        let writes = Writes {
            writes_attempted: 2,
            destructive_commands: 1,
        };
        let result = EpisodeResult::new(problem, "baseline:x", "s", (&steps, &end), scores, writes);
        let json = serde_json::to_value(&result).unwrap();
        assert_eq!(json["coverage"], json!(0.75));
        assert_eq!(
            (&json["invalid_calls"], &json["repeated_calls"]),
            (&json!(1), &json!(1))
        );
        assert_eq!(json["graded"], json!({"alarm": true}));
        assert_eq!(
            (&json["writes_attempted"], &json["destructive_commands"]),
            (&json!(2), &json!(1))
        );
        assert_eq!(
            json["verdicts"],
            json!({"answered": 2, "empty": 1, "not_captured": 1})
        );
        assert_eq!(
            json["results"],
            json!({"Detection Accuracy": "Correct", "steps": 6})
        );
        assert_eq!(json["trace"][11], json!({"role": "env", "content": "1"}));
        assert_eq!(
            serde_json::from_value::<EpisodeResult>(json).unwrap(),
            result
        );
    }

    #[test]
    fn a_repair_is_scored_by_the_end_of_its_record() {
        let end = r#"{"record":"end","end_reason":"submitted","solution":null,"mitigation":{"outcome":"fails","because":"services shop/geo is gone"}}"#;
        let Record::End(end) = serde_json::from_str(end).unwrap() else {
            panic!("is an end");
        };
        let summary = summary(&[], &end);
        let because = "services shop/geo is gone".to_owned();
        assert_eq!(summary.mitigation, Some(Outcome::Fails(because)));
        assert_eq!(summary.upstream_mitigation, None);
    }

    #[test]
    fn records_are_lines_that_are_read_back() {
        let record = Record::Step(step(1, logs("a"), Verdict::Answered));
        let line = serde_json::to_string(&record).unwrap();
        assert_eq!(
            line,
            r#"{"record":"step","step":1,"response":"r","action":{"action":"get_logs","namespace":"n","service":"a"},"observation":"o","verdict":"answered"}"#
        );
        assert_eq!(serde_json::from_str::<Record>(&line).unwrap(), record);
        let thought = Thought {
            name: "plan".to_owned(),
            ask: "q".to_owned(),
            answer: "a".to_owned(),
        };
        let record = Record::Step(EpisodeStep {
            thoughts: vec![thought],
            ..step(1, None, Verdict::Invalid)
        });
        let line = serde_json::to_string(&record).unwrap();
        assert_eq!(
            line,
            r#"{"record":"step","step":1,"thoughts":[{"name":"plan","ask":"q","answer":"a"}],"response":"r","observation":"o","verdict":"invalid"}"#
        );
        assert_eq!(serde_json::from_str::<Record>(&line).unwrap(), record);
    }
}
