//! What a condition needs to know, and what it comes to.

use std::collections::BTreeSet;

use regex::Regex;
use serde_json::Value;

use super::{
    Answers, Comparison, Condition, FieldTest, FigureTest, Outcome, Question, WorkloadTest,
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
            Self::Pods {
                service: Some(service),
                ..
            } => format!("pods of {service} ready"),
            Self::Pods { service: None, .. } => "pods ready".to_owned(),
            Self::Endpoints { endpoints, is } => {
                format!(
                    "ready endpoints of {endpoints} {}",
                    describe_comparison(*is)
                )
            }
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
                ];
                if tests.into_iter().any(|given| given) {
                    Ok(path::check(&test.path)?)
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
            Self::Pods { .. } | Self::Endpoints { .. } | Self::Workload { .. } => Ok(()),
        }
    }

    fn question(&self) -> Option<Question> {
        match self {
            Self::All { .. } | Self::Any { .. } | Self::Not { .. } => None,
            Self::Field(test) => Some(Question::Object(test.field.clone())),
            Self::Pods { service, .. } => Some(Question::Pods(service.clone())),
            Self::Endpoints { endpoints, .. } => Some(Question::Endpoints(endpoints.clone())),
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
            Self::Pods { service, .. } => eval_pods(service.as_deref(), answer),
            Self::Endpoints { endpoints, is } => {
                let ready = ready_endpoints(answer);
                let holds = match *is {
                    Comparison::Equals(bound) => ready == bound,
                    Comparison::AtLeast(bound) => ready >= bound,
                    Comparison::AtMost(bound) => ready <= bound,
                };
                holds_or(holds, || {
                    format!(
                        "service {endpoints} has {ready} ready endpoints, wanted {}",
                        describe_comparison(*is)
                    )
                })
            }
            Self::Log {
                log,
                matches,
                since,
            } => match answer.get("count").and_then(Value::as_u64) {
                Some(0) => Outcome::Fails(format!(
                    "no line of the log of {log} since {} matches {matches:?}",
                    format!("{since:?}").to_lowercase()
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
    #[error("nothing is asked of {path} of {field}\nhint: add `equals`, `exists` or `at_least`")]
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

fn eval_field(test: &FieldTest, object: &Value) -> Outcome {
    let FieldTest { field, path, .. } = test;
    if object.is_null() {
        return holds_or(test.exists == Some(false), || {
            format!("{field} does not exist")
        });
    }
    let found = match path::get(object, path) {
        Ok(found) => found,
        Err(error) => return Outcome::Unknown(error.to_string()),
    };
    if test.exists == Some(false) {
        return match found.first() {
            Some(value) => Outcome::Fails(format!("{path} of {field} is {value}, wanted none")),
            None => Outcome::Holds,
        };
    }
    if found.is_empty() {
        return Outcome::Fails(format!("{field} has no {path}"));
    }
    for value in found {
        if let Some(wanted) = test
            .equals
            .as_ref()
            .filter(|wanted| !path::same(value, wanted))
        {
            return Outcome::Fails(format!("{path} of {field} is {value}, wanted {wanted}"));
        }
        if let Some(bound) = test.at_least
            && !value.as_f64().is_some_and(|number| number >= bound)
        {
            return Outcome::Fails(format!(
                "{path} of {field} is {value}, wanted at least {bound}"
            ));
        }
    }
    Outcome::Holds
}

fn eval_pods(service: Option<&str>, pods: &Value) -> Outcome {
    let whose = service
        .map(|service| format!(" of {service}"))
        .unwrap_or_default();
    let Some(pods) = pods.as_array() else {
        return Outcome::Unknown(format!("the answer about the pods{whose} is no list"));
    };
    if pods.is_empty() {
        return Outcome::Fails(format!("there is no pod{whose}"));
    }
    for pod in pods {
        if let Some(because) = why_not_ready(pod) {
            let name = pod["metadata"]["name"].as_str().unwrap_or("without a name");
            return Outcome::Fails(format!("pod {name} {because}"));
        }
    }
    Outcome::Holds
}

/// A pod that has succeeded needs nothing more, even while it is being deleted. Any other pod on its way out,
/// without container statuses (not scheduled yet), or with a container that is not ready isn't ready.
fn why_not_ready(pod: &Value) -> Option<String> {
    let status = &pod["status"];
    let phase = status["phase"].as_str().unwrap_or("Unknown");
    if phase == "Succeeded" {
        return None;
    }
    if !pod["metadata"]["deletionTimestamp"].is_null() {
        return Some("is terminating".to_owned());
    }
    let wanted = pod["spec"]["containers"].as_array().map_or(1, Vec::len);
    let containers = status["containerStatuses"]
        .as_array()
        .map(Vec::as_slice)
        .unwrap_or_default();
    for container in containers {
        let name = container["name"].as_str().unwrap_or("");
        for state in ["waiting", "terminated"] {
            if let Some(reason) = container["state"].get(state) {
                let reason = reason["reason"].as_str().unwrap_or("no reason given");
                return Some(format!("has container {name} {state}: {reason}"));
            }
        }
        if container["ready"] != Value::Bool(true) {
            return Some(format!("has container {name} not ready"));
        }
    }
    (phase != "Running" || containers.len() < wanted).then(|| format!("is in phase {phase}"))
}

/// The number of distinct ready endpoints; an endpoint counts once, in however many slices it is.
fn ready_endpoints(slices: &Value) -> f64 {
    let mut seen = BTreeSet::new();
    for slice in slices.as_array().into_iter().flatten() {
        for endpoint in slice["endpoints"].as_array().into_iter().flatten() {
            // A missing `ready` means ready, as the API documents.
            if endpoint["conditions"]["ready"] != Value::Bool(false) {
                let target = endpoint["targetRef"]["uid"].as_str();
                seen.insert(
                    target
                        .or_else(|| endpoint["addresses"][0].as_str())
                        .unwrap_or(""),
                );
            }
        }
    }
    u32::try_from(seen.len()).map_or(f64::INFINITY, f64::from)
}

fn figure(workload: WorkloadTest) -> (&'static str, FigureTest) {
    match workload {
        WorkloadTest::ErrorRatio(test) => ("error ratio", test),
        WorkloadTest::LatencyP99(test) => ("99th percentile of latency", test),
    }
}

fn eval_figure(name: &str, test: FigureTest, answer: &Value) -> Outcome {
    let read = |window: &str| read_figure(name, window, &answer[window]);
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
            format!("workload {name} is {present:.3}, wanted below {bound}")
        }),
        FigureTest::BackToBaselineWithin(bound) => holds_or(present - baseline <= bound, || {
            format!(
                "workload {name} is {present:.3} (baseline {baseline:.3}), wanted within {bound} above the baseline"
            )
        }),
    }
}

fn read_figure(name: &str, window: &str, figures: &Value) -> Result<f64, String> {
    let number = |key: &str| figures.get(key).and_then(Value::as_f64);
    let missing = || format!("the workload's {name} of the {window} window is not known");
    let requests = number("requests").ok_or_else(missing)?;
    if requests <= 0.0 {
        return Err(format!(
            "the workload sent no request in the {window} window"
        ));
    }
    let figure = match name {
        "error ratio" => number("errors").map(|errors| errors / requests),
        _ => number("latency_p99"),
    };
    figure.ok_or_else(missing)
}

fn describe_field(test: &FieldTest) -> String {
    let asked = match (&test.equals, test.exists, test.at_least) {
        (Some(value), _, _) => format!("equals {value}"),
        (_, _, Some(bound)) => format!("at least {bound}"),
        (_, Some(false), _) => "absent".to_owned(),
        _ => "present".to_owned(),
    };
    format!("{} of {} {asked}", test.path, test.field)
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
