//! Episodes as conversations, for a page.

use std::collections::BTreeMap;

use aiopslab_problems::environment::Verdict;
use aiopslab_problems::episode::{EpisodeStep, Thought};
use aiopslab_problems::score::judge::Ruling;
use camino::Utf8Path;
use serde::Serialize;
use serde_json::Value;

use super::beside::Source;
use crate::evaluation::Evaluated;
use crate::exit::Failure;
use crate::judge;
use crate::results;

/// Longer texts are shown without their middle; the transcript has all of them.
const SHOWN: usize = 12_000;
/// What is shown of the end of those.
const SHOWN_END: usize = 3_000;
/// Texts with more lines or bytes have to be opened.
const OPEN_LINES: usize = 12;
const OPEN_BYTES: usize = 1_500;

/// The problems of one family.
#[derive(Serialize)]
pub(super) struct Family {
    name: String,
    problems: Vec<Problem>,
    solved: usize,
    episodes: usize,
}

/// One problem and every episode on it.
#[derive(Serialize)]
struct Problem {
    id: String,
    truth: Option<String>,
    is_trivial: bool,
    episodes: Vec<Episode>,
}

#[derive(Serialize)]
struct Episode {
    agent: String,
    /// The agent's place among all of them.
    number: usize,
    repeat: Option<u32>,
    solved: bool,
    end: String,
    steps: u64,
    answer: Option<String>,
    error: Option<String>,
    unmitigated: Option<String>,
    folder: String,
    /// The repetition that went the same way, step by step.
    same_as: Option<u32>,
    is_kept: bool,
    turns: Vec<Turn>,
    judged: Vec<Opinion>,
}

/// What a judge said of it.
#[derive(Serialize)]
struct Opinion {
    judge: String,
    rating: Option<u8>,
    /// Why there is none.
    unparsable: Option<String>,
    said: Text,
}

impl Opinion {
    fn new(verdict: &judge::Verdict) -> Self {
        let (rating, unparsable) = match verdict.ruling {
            Ruling::Rating(rating) => (Some(rating), None),
            Ruling::Unparsable(why) => (None, Some(why.to_string())),
        };
        Self {
            judge: verdict.judge.name(),
            rating,
            unparsable,
            said: Text::of(&verdict.answer),
        }
    }
}

/// What an agent asked its model before it acted.
#[derive(Serialize)]
struct Aside {
    name: String,
    ask: Text,
    answer: Text,
}

impl Aside {
    fn new(thought: &Thought) -> Self {
        Self {
            name: thought.name.clone(),
            ask: Text::of(&thought.ask),
            answer: Text::of(&thought.answer),
        }
    }
}

/// What an agent said and what came back.
#[derive(Serialize)]
struct Turn {
    step: u32,
    thoughts: Vec<Aside>,
    said: Text,
    answer: Option<Text>,
    verdict: &'static str,
    /// Whether the verdict is a good one.
    is_known: bool,
    now: Option<String>,
    live: bool,
}

/// A text as it is shown.
#[derive(Serialize)]
struct Text {
    /// All of it, or its beginning.
    start: String,
    /// How many characters are left out.
    left_out: usize,
    /// What follows them.
    end: String,
    /// Its first line, where it has to be opened.
    folded: Option<String>,
    lines: usize,
}

impl Text {
    fn of(text: &str) -> Self {
        let text = text.trim_end();
        let lines = text.lines().count();
        let is_long = lines > OPEN_LINES || text.len() > OPEN_BYTES;
        let first = text.lines().find(|line| !line.trim().is_empty());
        let folded = is_long.then(|| first.unwrap_or_default().chars().take(100).collect());
        let (start, end) = match text.len() > SHOWN {
            true => (
                text.floor_char_boundary(SHOWN - SHOWN_END),
                text.ceil_char_boundary(text.len() - SHOWN_END),
            ),
            false => (text.len(), text.len()),
        };
        Self {
            start: text[..start].to_owned(),
            left_out: text[start..end].chars().count(),
            end: text[end..].to_owned(),
            folded,
            lines,
        }
    }
}

/// Reads every episode, by family and problem in the order of their names.
///
/// `truth` knows the right answer to a problem.
pub(super) fn families(
    source: &Source,
    truth: &dyn Fn(&str) -> Option<String>,
) -> Result<Vec<Family>, Failure> {
    let trivial = source.summary.trivial();
    let episodes = source.summary.episodes.iter().zip(&source.folders);
    let mut families: BTreeMap<&str, BTreeMap<&str, Vec<Kept<'_>>>> = BTreeMap::new();
    for (number, (evaluated, folder)) in episodes.enumerate() {
        let problems = families.entry(&evaluated.family).or_default();
        let mut kept = Kept::read(evaluated, folder)?;
        let judged = source.judged.iter().flat_map(|judged| &judged.episodes);
        kept.verdicts.extend(
            judged
                .filter(|one| one.number == number)
                .map(|one| &one.verdict),
        );
        problems.entry(&evaluated.problem).or_default().push(kept);
    }
    let families = families.into_iter().map(|(name, problems)| {
        let problems: Vec<Problem> = problems
            .into_iter()
            .map(|(id, kept)| Problem {
                id: id.to_owned(),
                truth: truth(id),
                is_trivial: trivial.contains(&id),
                episodes: shown(source, kept),
            })
            .collect();
        let all = || problems.iter().flat_map(|problem| &problem.episodes);
        Family {
            name: name.to_owned(),
            solved: all().filter(|one| one.solved).count(),
            episodes: all().count(),
            problems,
        }
    });
    Ok(families.collect())
}

/// An episode with its steps, where they are still there.
struct Kept<'a> {
    evaluated: &'a Evaluated,
    steps: Option<Vec<EpisodeStep>>,
    answer: Option<String>,
    verdicts: Vec<&'a judge::Verdict>,
}

impl<'a> Kept<'a> {
    fn read(evaluated: &'a Evaluated, folder: &Utf8Path) -> Result<Self, Failure> {
        let episode = match folder.is_dir() {
            true => results::read(folder)?.into_iter().next(),
            false => None,
        };
        let end = episode.as_ref().and_then(|episode| episode.end.as_ref());
        Ok(Self {
            evaluated,
            answer: end.and_then(|end| end.solution.as_ref()).map(answer),
            steps: episode.map(|episode| episode.steps),
            verdicts: Vec::new(),
        })
    }
}

/// The episodes on one problem, the agents in their order.
fn shown(source: &Source, mut kept: Vec<Kept<'_>>) -> Vec<Episode> {
    let agents = &source.summary.agents;
    let number = |one: &Kept<'_>| {
        let mut names = agents.iter();
        names.position(|agent| agent.agent == one.evaluated.agent)
    };
    kept.sort_by_key(|one| (number(one), one.evaluated.repeat));
    let same_as = |one: &Kept<'_>| {
        let steps = one.steps.as_ref()?;
        let earlier = kept.iter().find(|other| {
            other.evaluated.agent == one.evaluated.agent && other.steps.as_ref() == Some(steps)
        })?;
        let repeat = earlier.evaluated.repeat;
        (repeat < one.evaluated.repeat).then_some(repeat)
    };
    kept.iter()
        .map(|one| {
            let evaluated = one.evaluated;
            let same_as = same_as(one);
            let turns = one.steps.iter().flatten();
            Episode {
                agent: evaluated.agent.clone(),
                number: number(one).unwrap_or_default(),
                repeat: (source.summary.repeat > 1).then_some(evaluated.repeat),
                solved: evaluated.success,
                end: evaluated.end.name().replace('_', " "),
                steps: evaluated.steps,
                answer: one.answer.clone(),
                error: evaluated.error.clone(),
                unmitigated: evaluated.unmitigated.clone(),
                folder: evaluated.folder.clone(),
                is_kept: one.steps.is_some(),
                turns: match same_as {
                    Some(_) => Vec::new(),
                    None => turns.map(turn).collect(),
                },
                same_as,
                judged: one.verdicts.iter().map(|one| Opinion::new(one)).collect(),
            }
        })
        .collect()
}

fn turn(step: &EpisodeStep) -> Turn {
    Turn {
        step: step.step,
        thoughts: step.thoughts.iter().map(Aside::new).collect(),
        said: Text::of(&step.response),
        answer: (!step.observation.trim().is_empty()).then(|| Text::of(&step.observation)),
        verdict: match step.verdict {
            Verdict::Answered => "answered",
            Verdict::Empty => "nothing there",
            Verdict::Partial => "partial",
            Verdict::Denied => "denied",
            Verdict::Invalid => "invalid",
            Verdict::NotCaptured => "not captured",
        },
        is_known: matches!(step.verdict, Verdict::Answered | Verdict::Empty),
        now: step.now.map(|now| now.to_string()),
        live: step.live,
    }
}

/// What was submitted, in one short line.
fn answer(solution: &Value) -> String {
    let text = match solution {
        Value::String(text) => text.clone(),
        Value::Null => "done".to_owned(),
        other => other.to_string(),
    };
    match text.char_indices().nth(200) {
        Some((cut, _)) => format!("{}…", &text[..cut]),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_texts_are_folded_and_lose_their_middle() {
        let short = Text::of("one line\n");
        assert_eq!((short.start.as_str(), short.folded), ("one line", None));
        let folded = Text::of(&"a line\n".repeat(20));
        assert_eq!(folded.folded.as_deref(), Some("a line"));
        assert_eq!((folded.left_out, folded.lines), (0, 20));
        // Letters of several bytes are never cut in two.
        let long = format!("x{}", "é".repeat(20_000));
        let text = Text::of(&long);
        let shown = text.start.chars().count() + text.end.chars().count();
        assert_eq!(shown + text.left_out, 20_001);
        assert!(text.start.len() + text.end.len() <= SHOWN + 2);
    }
}
