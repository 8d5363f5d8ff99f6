//! How close a replay is to the live system: every probe of a snapshot, replayed at its moment.
//!
//! A probe is a question that the live system answered at the end of the fault window. The replay
//! answers the same question as of a moment between "just before it was asked" and "just after it
//! was answered"; which one it was, nobody knows, so one equal answer is enough. What is not equal
//! is either explained by one of the checked-in `rules` or a mistake of ours.

mod commands;
mod difference;
mod moments;
mod report;
mod rules;
mod spans;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use aiopslab_datasets::Snapshot;
use aiopslab_datasets::probes::{Exchange, Probe, Tool};
use futures::StreamExt;
use serde::Serialize;

use crate::exit::Failure;
use moments::Moments;

pub use report::{passes, render};

/// Explained answers may be at most one of so many.
const EXPLAINED_AT_MOST_ONE_IN: usize = 20;

/// What became of the probes of one snapshot.
#[derive(Debug, Clone, Serialize)]
pub struct Fidelity {
    /// The snapshot's name.
    pub snapshot: String,
    /// One per probe, in the order of the probes.
    pub results: Vec<Judged>,
}

/// A probe with what the replay made of it.
#[derive(Debug, Clone, Serialize)]
pub struct Judged {
    /// What the question is about.
    pub tool: Tool,
    /// Which kind of question of that tool.
    pub kind: String,
    /// The question as one would type it.
    pub question: String,
    /// When it was asked, by the API server's clock.
    pub asked: jiff::Timestamp,
    /// What the replay made of it.
    #[serde(flatten)]
    pub judgement: Judgement,
}

/// What the replay made of a question.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "judgement", rename_all = "snake_case")]
pub enum Judgement {
    /// The same answer.
    Equal,
    /// The same but for what rules explain.
    Explained {
        /// Names of the rules that it took.
        rules: Vec<&'static str>,
    },
    /// Another answer.
    Different {
        /// Lines of the live system with `-`, of the replay with `+`.
        difference: String,
    },
    /// Another answer, but objects changed while the live system was asked, each time.
    Moving {
        /// Lines of the live system with `-`, of the replay with `+`.
        difference: String,
    },
    /// The replay says that it can't know.
    NotCaptured {
        /// What it says.
        notice: String,
    },
    /// Nothing here can answer it yet.
    NoEngine,
}

/// An answer as it is compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Answer {
    /// What was printed, or the normal form of a document.
    stdout: String,
    stderr: String,
    exit_code: i32,
}

/// What the replay has to say.
enum Replayed {
    Answer(Answer),
    NotCaptured(String),
}

/// Replays every probe; so many at a time.
///
/// # Errors
/// When the snapshot has no probes or can't be read.
pub async fn measure(name: &str, snapshot: Snapshot, jobs: usize) -> Result<Fidelity, Failure> {
    let Some(probes) = snapshot.probes()? else {
        return Err(Failure::user(format!(
            "there are no probes in {name}\nhint: a capture makes them unless it runs --without probes; a snapshot published without withheld/ lacks them"
        )));
    };
    let moments = Arc::new(Moments::read(&snapshot, &probes)?);
    let tasks = probes.into_iter().map(|probe| {
        let (snapshot, moments) = (snapshot.clone(), Arc::clone(&moments));
        tokio::spawn(async move {
            let judgement = judge(&snapshot, &moments, &probe).await?;
            Ok::<_, Failure>(Judged {
                tool: probe.tool,
                kind: probe.kind.clone(),
                question: question(&probe),
                asked: probe.before,
                judgement,
            })
        })
    });
    let judged: Vec<_> = futures::stream::iter(tasks)
        .buffered(jobs.max(1))
        .collect()
        .await;
    let mut results = Vec::new();
    for result in judged {
        results.push(result.map_err(|error| Failure::Ours(error.into()))??);
    }
    Ok(Fidelity {
        snapshot: name.to_owned(),
        results,
    })
}

/// The question as one would type it.
fn question(probe: &Probe) -> String {
    match &probe.exchange {
        Exchange::Command { argv, .. } => commands::line(argv),
        Exchange::Request { path, .. } => path.clone(),
    }
}

async fn judge(
    snapshot: &Snapshot,
    moments: &Moments,
    probe: &Probe,
) -> Result<Judgement, Failure> {
    let live = match &probe.exchange {
        Exchange::Command {
            exit_code,
            stdout,
            stderr,
            ..
        } => Answer {
            stdout: stdout.clone(),
            stderr: stderr.clone(),
            exit_code: *exit_code,
        },
        Exchange::Request { .. } if probe.tool == Tool::Prometheus => {
            return Ok(Judgement::NoEngine);
        }
        Exchange::Request { path, status, body } => spans::live(path, *status, body),
    };
    let mut others = Vec::new();
    for moment in moments.of(probe) {
        let replayed = match &probe.exchange {
            Exchange::Command { argv, .. } => commands::replay(snapshot, moment, argv).await?,
            Exchange::Request { path, .. } => spans::replay(snapshot, moment, path).await?,
        };
        match replayed {
            Replayed::NotCaptured(notice) => return Ok(Judgement::NotCaptured { notice }),
            Replayed::Answer(answer) if answer == live => return Ok(Judgement::Equal),
            Replayed::Answer(answer) => others.push(answer),
        }
    }
    if equal_in_parts(&live, &others) || (is_top(probe) && equal_by_row(&live, &others)) {
        return Ok(Judgement::Equal);
    }
    // Rows of what is withheld stand among the others.
    let visible = rules::without_helper(&question(probe), &live);
    if is_top(probe) && visible != live && equal_by_row(&visible, &others) {
        let rules = vec![rules::HELPER];
        return Ok(Judgement::Explained { rules });
    }
    Ok(explain(probe, &live, &others))
}

/// Whether every part of an answer is that part of some other: the requests of one command are
/// answered one after another, each at its own moment, and so are the rows of a long table.
fn equal_in_parts(live: &Answer, others: &[Answer]) -> bool {
    equal_in(live, others, "\n\n") || equal_in(live, others, "\n")
}

fn equal_in(live: &Answer, others: &[Answer], between: &str) -> bool {
    fn parts<'a>(answer: &'a Answer, between: &str) -> Vec<&'a str> {
        answer.stdout.split(between).collect()
    }
    let wanted = parts(live, between);
    let others: Vec<_> = others
        .iter()
        .filter(|other| (&other.stderr, other.exit_code) == (&live.stderr, live.exit_code))
        .map(|other| parts(other, between))
        .filter(|other| other.len() == wanted.len())
        .collect();
    let is_told =
        |(place, part): (usize, &&str)| others.iter().any(|other| other.get(place) == Some(part));
    wanted.len() > 1 && wanted.iter().enumerate().all(is_told)
}

fn is_top(probe: &Probe) -> bool {
    matches!(&probe.exchange, Exchange::Command { argv, .. } if argv.get(1).is_some_and(|verb| verb == "top"))
}

/// Whether every row is that of some other answer, with no row more or less: metrics-server
/// publishes at once what it measured of each pod at another time, so that the rows of one answer
/// may be the newest of no one moment. Where they stand follows from what they say.
fn equal_by_row(live: &Answer, others: &[Answer]) -> bool {
    let rows = |answer: &Answer| answer.stdout.lines().count();
    let others: Vec<_> = others
        .iter()
        .filter(|other| (&other.stderr, other.exit_code) == (&live.stderr, live.exit_code))
        .filter(|other| rows(other) == rows(live))
        .collect();
    let is_told = |row: &str| {
        others
            .iter()
            .any(|other| other.stdout.lines().any(|line| line == row))
    };
    let distinct: BTreeSet<&str> = live.stdout.lines().collect();
    distinct.len() == rows(live) && distinct.into_iter().all(is_told)
}

/// Judges answers none of which is equal to the live one.
fn explain(probe: &Probe, live: &Answer, others: &[Answer]) -> Judgement {
    let question = question(probe);
    for answer in others {
        if let Some(rules) = rules::explain(&question, live, answer) {
            return Judgement::Explained { rules };
        }
    }
    let nearest = others
        .iter()
        .min_by_key(|answer| difference::size(live, answer));
    let difference = nearest.map_or_else(String::new, |nearest| difference::text(live, nearest));
    if probe.moving {
        Judgement::Moving { difference }
    } else {
        Judgement::Different { difference }
    }
}

impl Fidelity {
    /// How often each rule was needed; rules that were not are there with 0.
    #[must_use]
    pub fn rules_needed(&self) -> BTreeMap<&'static str, usize> {
        let mut needed: BTreeMap<_, _> = rules::RULES.iter().map(|rule| (rule.name, 0)).collect();
        for result in &self.results {
            if let Judgement::Explained { rules } = &result.judgement {
                for rule in rules {
                    *needed.entry(rule).or_default() += 1;
                }
            }
        }
        needed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_of_one_scrape_may_be_of_several_moments() {
        let answer = |stdout: &str, exit_code| Answer {
            stdout: stdout.to_owned(),
            stderr: String::new(),
            exit_code,
        };
        let others = [
            answer("N C\nb 3m\na 1m\n", 0),
            answer("N C\na 2m\nb 1m\n", 0),
        ];
        for (live, exit_code, expected) in [
            ("N C\nb 3m\na 2m\n", 0, true),
            ("N C\nb 3m\na 2m\n", 1, false),
            ("N C\nb 3m\na 4m\n", 0, false),
            ("N C\nb 3m\n", 0, false),
            ("N C\nb 3m\nb 3m\n", 0, false),
        ] {
            let live = answer(live, exit_code);
            assert_eq!(equal_by_row(&live, &others), expected, "{live:?}");
        }
    }

    #[test]
    fn tables_of_one_command_may_be_of_several_moments() {
        let answer = |stdout: &str| Answer {
            stdout: stdout.to_owned(),
            stderr: String::new(),
            exit_code: 0,
        };
        let check = |live: &str, others: &[&str], expected: bool| {
            let others: Vec<_> = others.iter().map(|other| answer(other)).collect();
            assert_eq!(equal_in_parts(&answer(live), &others), expected, "{live}");
        };
        let others = ["pods 1s\n\nservices 1s\n", "pods 2s\n\nservices 2s\n"];
        check("pods 1s\n\nservices 2s\n", &others, true);
        check("pods 1s\n\nservices 3s\n", &others, false);
        check("services 2s\n\npods 1s\n", &others, false);
        check("pods 1s\n", &["pods 1s"], false);
        // A long table is printed while time passes.
        let others = ["a 1s\nb 1s\n", "a 2s\nb 2s\n"];
        check("a 1s\nb 2s\n", &others, true);
        check("b 1s\na 2s\n", &others, false);
    }
}
