//! OpenRCA 1.0: criteria met by a JSON-like prediction (`main/evaluate.py` of microsoft/OpenRCA at c1bd4af).
//!
//! - A prediction is a text; each `{…}` in it with `root cause occurrence datetime`, `root cause component` and
//!   `root cause reason`, in this order and any of them left out, is a predicted cause.
//! - A question's criteria are sentences, one for each component, reason and time that is asked for. Components and
//!   reasons have to be equal, times (`YYYY-MM-DD HH:MM:SS`) within 60 s.
//! - As many causes as failures have to be predicted, or the score is 0. Of all orders of the causes the best counts.
//! - The score is the share of the criteria that are met; solved (strict) is 1. `evaluate.py` rounds it to two digits
//!   today; the archived scores are not rounded, and neither are ours.
//!
//! Proven: all 335 predictions that OpenRCA archived (`rca/archive`) get their archived score.

mod archive;
mod csv;

use std::sync::LazyLock;

use jiff::civil::DateTime;
use regex::Regex;
use serde_json::{Value, json};

pub use self::csv::{Prediction, Question, predictions, questions};
use super::{Group, Report, Unreadable, mean};

/// More failures than this in one question are refused: all orders are tried.
const MOST_FAILURES: usize = 8;

/// What is asked for, failure by failure.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Criteria {
    /// Components at fault.
    pub components: Vec<String>,
    /// Why.
    pub reasons: Vec<String>,
    /// When it began, in UTC+8.
    pub times: Vec<String>,
}

/// What one prediction got.
#[derive(Debug, Clone, PartialEq)]
pub struct Marks {
    /// Criteria that are met.
    pub passed: Vec<String>,
    /// Criteria that are not.
    pub failed: Vec<String>,
    /// Share of the criteria that are met.
    pub score: f64,
}

/// A predicted cause.
struct Cause<'a> {
    time: &'a str,
    component: &'a str,
    reason: &'a str,
}

impl Criteria {
    /// Reads the sentences of a question's `scoring_points`.
    #[must_use]
    pub fn read(sentences: &str) -> Self {
        let find = |start: &str| {
            let pattern = format!(r"The (?:\d+-th|only) {} ([^\n]+)", regex::escape(start));
            let pattern = Regex::new(&pattern).ok();
            let found = pattern.iter().flat_map(|one| one.captures_iter(sentences));
            found.map(|one| one[1].to_owned()).collect()
        };
        Self {
            components: find("predicted root cause component is"),
            reasons: find("predicted root cause reason is"),
            times: find("root cause occurrence time is within 1 minutes (i.e., <=1min) of"),
        }
    }

    /// How many there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.components.len() + self.reasons.len() + self.times.len()
    }

    /// How many failures they are about.
    #[must_use]
    pub fn failures(&self) -> usize {
        let lengths = [self.components.len(), self.reasons.len(), self.times.len()];
        lengths.into_iter().max().unwrap_or_default()
    }

    /// The criteria of one failure that a cause meets. A kind that is not there for every failure is never met.
    fn met(&self, failure: usize, cause: &Cause<'_>) -> Vec<&str> {
        let of = |kind: &'_ [String]| (kind.len() == self.failures()).then_some(failure);
        let component = of(&self.components).and_then(|one| self.components.get(one));
        let reason = of(&self.reasons).and_then(|one| self.reasons.get(one));
        let time = of(&self.times).and_then(|one| self.times.get(one));
        let component = component.filter(|wanted| *wanted == cause.component);
        let reason = reason.filter(|wanted| *wanted == cause.reason);
        let time = time.filter(|wanted| is_near(wanted, cause.time));
        let met = [component, reason, time].into_iter().flatten();
        met.map(String::as_str).collect()
    }
}

/// Scores one prediction.
#[must_use]
pub fn evaluate(prediction: &str, criteria: &Criteria) -> Marks {
    let causes = causes(prediction);
    let mut best: Vec<&str> = Vec::new();
    if causes.len() == criteria.failures() && causes.len() <= MOST_FAILURES {
        let met = |failure: usize, cause: usize| criteria.met(failure, &causes[cause]);
        best = best_order(&met, causes.len(), &mut Vec::new());
    }
    let all = [&criteria.components, &criteria.reasons, &criteria.times];
    let failed = all.into_iter().flatten();
    Marks {
        score: mean(best.len() as f64, criteria.count()).unwrap_or_default(),
        failed: failed
            .filter(|one| !best.contains(&one.as_str()))
            .cloned()
            .collect(),
        passed: best.into_iter().map(str::to_owned).collect(),
    }
}

/// The criteria that the best order of the causes meets; the first of several that are best.
fn best_order<'a>(
    met: &dyn Fn(usize, usize) -> Vec<&'a str>,
    causes: usize,
    order: &mut Vec<usize>,
) -> Vec<&'a str> {
    if order.len() == causes {
        let pairs = order.iter().enumerate();
        return pairs.flat_map(|(at, cause)| met(at, *cause)).collect();
    }
    let mut best = Vec::new();
    for cause in 0..causes {
        if !order.contains(&cause) {
            order.push(cause);
            let found = best_order(met, causes, order);
            if found.len() > best.len() {
                best = found;
            }
            order.pop();
        }
    }
    best
}

fn causes(prediction: &str) -> Vec<Cause<'_>> {
    static CAUSE: LazyLock<Option<Regex>> = LazyLock::new(|| {
        let field = |name: &str| format!(r#"(?:"root cause {name}":\s*"(.*?)")?"#);
        let fields = ["occurrence datetime", "component", "reason"].map(field);
        Regex::new(&format!(r"\{{\s*{}\s*\}}", fields.join(r",?\s*"))).ok()
    });
    let found = CAUSE.iter().flat_map(|one| one.captures_iter(prediction));
    let causes = found.map(|one| {
        let field = |number| one.get(number).map_or("", |field| field.as_str());
        Cause {
            time: field(1),
            component: field(2),
            reason: field(3),
        }
    });
    causes.collect()
}

/// Whether two times are at most 60 s apart; what is no time is near none.
fn is_near(left: &str, right: &str) -> bool {
    let (Some(left), Some(right)) = (time(left), time(right)) else {
        return false;
    };
    let seconds = left.duration_since(right).as_secs();
    seconds.abs() <= 60
}

/// `%Y-%m-%d %H:%M:%S` as Python reads it: leading zeros may be missing.
fn time(text: &str) -> Option<DateTime> {
    let (date, clock) = text.split_once(' ')?;
    let numbers = |text: &str, separator| -> Option<Vec<i16>> {
        let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        let parts = text.trim_start().split(separator);
        parts
            .map(|part| part.parse().ok().filter(|_| digits(part)))
            .collect()
    };
    let ([year, month, day], [hour, minute, second]) = (
        numbers(date, '-')?.try_into().ok()?,
        numbers(clock, ':')?.try_into().ok()?,
    );
    let small = |number: i16| i8::try_from(number).ok();
    let (month, day) = (small(month)?, small(day)?);
    DateTime::new(
        year,
        month,
        day,
        small(hour)?,
        small(minute)?,
        small(second)?,
        0,
    )
    .ok()
}

/// Scores the predictions on questions, the first on the first and so on.
///
/// # Errors
/// When there are not as many predictions as questions, or a question can't be scored.
pub fn score(predictions: &[Prediction], questions: &[Question]) -> Result<Report, Unreadable> {
    if predictions.len() != questions.len() {
        let last = predictions.last().map_or(1, |one| one.line);
        return Err(Unreadable::new(
            last,
            format!(
                "there are {} predictions, and {} questions in the truth",
                predictions.len(),
                questions.len()
            ),
        ));
    }
    let marks: Vec<(&Prediction, &Question, Marks)> = predictions
        .iter()
        .zip(questions)
        .map(|(prediction, question)| {
            let marks = evaluate(&prediction.text, &question.criteria);
            (prediction, question, marks)
        })
        .collect();
    let classes = [
        ("easy", 1..=3),
        ("middle", 4..=6),
        ("hard", 7..=7),
        ("all", 1..=7),
    ];
    let groups = classes.into_iter().filter_map(|(name, tasks)| {
        let own = marks.iter().filter(|one| tasks.contains(&one.1.task));
        let scores: Vec<f64> = own.map(|one| one.2.score).collect();
        (!scores.is_empty()).then(|| group(name, &scores))
    });
    Ok(Report {
        groups: groups.collect(),
        notes: archived(&marks).into_iter().collect(),
        cases: marks.iter().map(|one| case(one.0, one.1, &one.2)).collect(),
    })
}

fn group(name: &str, scores: &[f64]) -> Group {
    let solved = scores.iter().filter(|score| **score >= 1.0).count();
    let sum: f64 = scores.iter().sum();
    let figures = [
        ("solved", json!(solved)),
        ("accuracy", json!(mean(solved as f64, scores.len()))),
        ("partial sum", json!(sum)),
        ("partial accuracy", json!(mean(sum, scores.len()))),
    ];
    Group {
        name: name.to_owned(),
        cases: scores.len(),
        figures: figures
            .map(|(name, value)| (name.to_owned(), value))
            .into_iter()
            .collect(),
    }
}

fn case(prediction: &Prediction, question: &Question, marks: &Marks) -> Value {
    json!({
        "line": prediction.line,
        "row_id": prediction.row,
        "task": format!("task_{}", question.task),
        "score": marks.score,
        "passed": marks.passed,
        "failed": marks.failed,
        "archived_score": prediction.archived,
    })
}

/// Where the predictions came with scores: how many of them are ours.
fn archived(marks: &[(&Prediction, &Question, Marks)]) -> Option<String> {
    let archived = marks.iter().filter_map(|one| Some((one.0.archived?, one)));
    let archived: Vec<_> = archived.collect();
    let differ = |(archived, one): &&(f64, &(&Prediction, &Question, Marks))| {
        (archived - one.2.score).abs() > 1e-9
    };
    let differing: Vec<String> = archived
        .iter()
        .filter(differ)
        .map(|(_, one)| one.0.line.to_string())
        .collect();
    (!archived.is_empty()).then(|| {
        let others = match differing.as_slice() {
            [] => String::new(),
            lines => format!("; others: those of the lines {}", lines.join(", ")),
        };
        format!(
            "{} of the {} scores that the predictions came with are these{others}",
            archived.len() - differing.len(),
            archived.len()
        )
    })
}

#[cfg(test)]
mod tests;
