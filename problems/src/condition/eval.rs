//! What a condition needs to know, and what it comes to.

mod field;
mod pods;

use std::collections::BTreeSet;

use regex::Regex;
use serde_json::Value;

pub(crate) use self::field::contains;
use self::field::{describe_field, eval_field};
use self::pods::{eval_pods, ready_endpoints};
use super::{
    Anchor, Answers, Comparison, Condition, FigureTest, Outcome, PodState, Question, WorkloadTest,
};
use crate::path::{self, PathError};

impl Condition {
    /// Names the questions that have to be answered before the condition can be judged.
    #[must_use]
    pub fn needs(&self) -> BTreeSet<Question> {
        match self {
            Self::All { all: parts } | Self::Any { any: parts } => {
                parts.iter().flat_map(Self::needs).collect()
            }
            Self::Not { not } => not.needs(),
            _ => self.question().into_iter().collect(),
        }
    }

    /// Judges the condition by fetched answers.
    #[must_use]
    pub fn eval(&self, answers: &Answers) -> Outcome {
        match self {
            Self::All { all } => eval_all(all, answers),
            Self::Any { any } => eval_any(any, answers),
            Self::Not { not } => match not.eval(answers) {
                Outcome::Holds => {
                    Outcome::Fails(format!("what must not hold does: {}", not.describe()))
                }
                Outcome::Fails(_) => Outcome::Holds,
                unknown @ Outcome::Unknown(_) => unknown,
            },
            single => {
                let question = single.question();
                match question.as_ref().and_then(|question| answers.get(question)) {
                    Some(answer) => single.eval_answer(answer),
                    None => Outcome::Unknown(format!("no answer for: {}", single.describe())),
                }
            }
        }
    }

    /// Says in one line what must hold.
    #[must_use]
    pub fn describe(&self) -> String {
        let join = |parts: &[Self], word: &str| {
            parts
                .iter()
                .map(Self::describe)
                .collect::<Vec<_>>()
                .join(word)
        };
        match self {
            Self::All { all } => join(all, " and "),
            Self::Any { any } => format!("({})", join(any, " or ")),
            Self::Not { not } => format!("not ({})", not.describe()),
            Self::Field(test) => describe_field(test),
            Self::Pods { pods, service } => {
                let of = service.as_ref().map(|service| format!(" of {service}"));
                let state = match pods {
                    PodState::Ready => "ready",
                    PodState::UpstreamReady => "ready as AIOpsLab tests it",
                };
                format!("pods{} {state}", of.unwrap_or_default())
            }
            Self::Endpoints { endpoints, is } => {
                format!(
                    "ready endpoints of {endpoints} {}",
                    describe_comparison(*is)
                )
            }
            Self::Restarts {
                restarts,
                since,
                is,
            } => format!(
                "restarts of {restarts} since {} {}",
                name_of(*since),
                describe_comparison(*is)
            ),
            Self::Log {
                log,
                matches,
                since,
            } => format!("log of {log} matches {matches:?} since {since:?}").to_lowercase(),
            Self::Workload { workload } => {
                let (name, test) = figure(*workload);
                let test = match test {
                    FigureTest::Above(bound) => {
                        format!("above {bound} and that much above the baseline")
                    }
                    FigureTest::Below(bound) => format!("below {bound}"),
                    FigureTest::BackToBaselineWithin(bound) => {
                        format!("within {bound} above the baseline")
                    }
                };
                format!("workload {name} {test}")
            }
        }
    }

    /// Checks what can be checked without a cluster: paths and patterns.
    pub fn check(&self) -> Result<(), ConditionError> {
        match self {
            Self::All { all: parts } | Self::Any { any: parts } => {
                parts.iter().try_for_each(Self::check)
            }
            Self::Not { not } => not.check(),
            Self::Field(test) => {
                let tests = [
                    test.equals.is_some(),
                    test.exists.is_some(),
                    test.at_least.is_some(),
                    test.contains.is_some(),
                ];
                if tests.into_iter().any(|given| given) {
                    path::check(&test.path)?;
                    Ok(test.json.as_deref().map_or(Ok(()), path::check)?)
                } else {
                    Err(ConditionError::NoTest {
                        field: test.field.clone(),
                        path: test.path.clone(),
                    })
                }
            }
            Self::Log { matches, .. } => {
                Regex::new(matches)
                    .map(|_| ())
                    .map_err(|source| ConditionError::Pattern {
                        pattern: matches.clone(),
                        source: Box::new(source),
                    })
            }
            Self::Pods { .. }
            | Self::Endpoints { .. }
            | Self::Restarts { .. }
            | Self::Workload { .. } => Ok(()),
        }
    }

    fn question(&self) -> Option<Question> {
        match self {
            Self::All { .. } | Self::Any { .. } | Self::Not { .. } => None,
            Self::Field(test) => Some(Question::Object(test.field.clone())),
            Self::Pods { service, .. } => Some(Question::Pods(service.clone())),
            Self::Endpoints { endpoints, .. } => Some(Question::Endpoints(endpoints.clone())),
            Self::Restarts {
                restarts, since, ..
            } => Some(Question::Restarts {
                service: restarts.clone(),
                since: *since,
            }),
            Self::Log {
                log,
                matches,
                since,
            } => Some(Question::Log {
                service: log.clone(),
                matches: matches.clone(),
                since: *since,
            }),
            Self::Workload { .. } => Some(Question::Workload),
        }
    }

    fn eval_answer(&self, answer: &Value) -> Outcome {
        match self {
            Self::Field(test) => eval_field(test, answer),
            Self::Pods { pods, service } => eval_pods(*pods, service.as_deref(), answer),
            Self::Endpoints { endpoints, is } => {
                let ready = ready_endpoints(answer);
                holds_or(is.holds(ready), || {
                    format!(
                        "service {endpoints} has {ready} ready endpoints, wanted {}",
                        describe_comparison(*is)
                    )
                })
            }
            Self::Restarts {
                restarts,
                since,
                is,
            } => match answer.get("count").and_then(Value::as_f64) {
                Some(count) => holds_or(is.holds(count), || {
                    format!(
                        "{count} containers of {restarts} were started since {}, wanted {}",
                        name_of(*since),
                        describe_comparison(*is)
                    )
                }),
                None => Outcome::Unknown(format!(
                    "the answer about the restarts of {restarts} has no count"
                )),
            },
            Self::Log {
                log,
                matches,
                since,
            } => match answer.get("count").and_then(Value::as_u64) {
                Some(0) => Outcome::Fails(format!(
                    "no line of the log of {log} since {} matches {matches:?}",
                    name_of(*since)
                )),
                Some(_) => Outcome::Holds,
                None => Outcome::Unknown(format!("the answer about the log of {log} has no count")),
            },
            Self::Workload { workload } => {
                let (name, test) = figure(*workload);
                eval_figure(name, test, answer)
            }
            Self::All { .. } | Self::Any { .. } | Self::Not { .. } => self.eval(&Answers::new()),
        }
    }
}

/// A condition that can never be judged.
#[derive(Debug, thiserror::Error)]
pub enum ConditionError {
    /// A path can't be read.
    #[error(transparent)]
    Path(#[from] PathError),
    /// A pattern is no regular expression.
    #[error("malformed pattern {pattern:?}")]
    Pattern {
        /// The pattern.
        pattern: String,
        /// What the regular expression compiler says.
        #[source]
        source: Box<regex::Error>,
    },
    /// A field is named but nothing is asked of it.
    #[error(
        "nothing is asked of {path} of {field}\nhint: add `equals`, `exists`, `at_least` or `contains`"
    )]
    NoTest {
        /// The object.
        field: String,
        /// The path.
        path: String,
    },
}

fn eval_all(parts: &[Condition], answers: &Answers) -> Outcome {
    let mut unknown = None;
    for part in parts {
        match part.eval(answers) {
            Outcome::Holds => {}
            fails @ Outcome::Fails(_) => return fails,
            other @ Outcome::Unknown(_) => unknown = unknown.or(Some(other)),
        }
    }
    unknown.unwrap_or(Outcome::Holds)
}

fn eval_any(parts: &[Condition], answers: &Answers) -> Outcome {
    let mut unknown = None;
    let mut reasons = Vec::new();
    for part in parts {
        match part.eval(answers) {
            Outcome::Holds => return Outcome::Holds,
            Outcome::Fails(because) => reasons.push(because),
            other @ Outcome::Unknown(_) => unknown = unknown.or(Some(other)),
        }
    }
    unknown.unwrap_or_else(|| Outcome::Fails(format!("none of: {}", reasons.join("; "))))
}

fn holds_or(holds: bool, because: impl FnOnce() -> String) -> Outcome {
    if holds {
        Outcome::Holds
    } else {
        Outcome::Fails(because())
    }
}

impl Comparison {
    /// Whether a number passes.
    pub(crate) fn holds(self, number: f64) -> bool {
        match self {
            Self::Equals(bound) => number == bound,
            Self::AtLeast(bound) => number >= bound,
            Self::AtMost(bound) => number <= bound,
        }
    }
}

fn name_of(anchor: Anchor) -> String {
    format!("{anchor:?}").to_lowercase()
}

/// The figure's name and its test.
pub(crate) fn figure(workload: WorkloadTest) -> (&'static str, FigureTest) {
    match workload {
        WorkloadTest::ErrorRatio(test) => ("error ratio", test),
        WorkloadTest::LatencyP99(test) => ("99th percentile of latency", test),
    }
}

fn eval_figure(name: &str, test: FigureTest, answer: &Value) -> Outcome {
    let read = |window: &str| read_figure(name, window, &answer[window]);
    let classes = || error_classes(name, &answer["present"]);
    let present = match read("present") {
        Ok(present) => present,
        Err(because) => return Outcome::Unknown(because),
    };
    let baseline = match test {
        FigureTest::Below(_) => Ok(0.0),
        FigureTest::Above(_) | FigureTest::BackToBaselineWithin(_) => read("baseline"),
    };
    let baseline = match baseline {
        Ok(baseline) => baseline,
        Err(because) => return Outcome::Unknown(because),
    };
    match test {
        FigureTest::Above(bound) => {
            holds_or(present > bound && present - baseline >= bound, || {
                format!(
                    "workload {name} is {present:.3} (baseline {baseline:.3}), wanted above {bound} and that much above the baseline"
                )
            })
        }
        FigureTest::Below(bound) => holds_or(present < bound, || {
            format!(
                "workload {name} is {present:.3}{}, wanted below {bound}",
                classes()
            )
        }),
        FigureTest::BackToBaselineWithin(bound) => holds_or(present - baseline <= bound, || {
            format!(
                "workload {name} is {present:.3}{} (baseline {baseline:.3}), wanted within {bound} above the baseline",
                classes()
            )
        }),
    }
}

/// What the requests failed with, for who reads why a figure is too high.
fn error_classes(name: &str, figures: &Value) -> String {
    let classes = figures.get("error_classes").and_then(Value::as_object);
    match classes.filter(|classes| name == "error ratio" && !classes.is_empty()) {
        None => String::new(),
        Some(classes) => {
            let told: Vec<String> = classes
                .iter()
                .map(|(class, count)| format!("{class}: {count}"))
                .collect();
            format!(" ({})", told.join(", "))
        }
    }
}

fn read_figure(name: &str, window: &str, figures: &Value) -> Result<f64, String> {
    let number = |key: &str| figures.get(key).and_then(Value::as_f64);
    let missing = || format!("the workload's {name} of the {window} window is not known");
    let requests = number("requests").ok_or_else(missing)?;
    if requests <= 0.0 {
        return Err(format!(
            "no request of the workload has come to an end in the {window} window"
        ));
    }
    let figure = match name {
        "error ratio" => number("errors").map(|errors| errors / requests),
        _ => number("latency_p99"),
    };
    figure.ok_or_else(missing)
}

fn describe_comparison(is: Comparison) -> String {
    match is {
        Comparison::Equals(bound) => format!("exactly {bound}"),
        Comparison::AtLeast(bound) => format!("at least {bound}"),
        Comparison::AtMost(bound) => format!("at most {bound}"),
    }
}

#[cfg(test)]
mod tests;
