//! Episodes that were kept, read again: our own folders, and AIOpsLab's session files.

use aiopslab_problems::action::{Action, ActionSet, CallSyntax, parse_among};
use aiopslab_problems::environment::Verdict;
use aiopslab_problems::episode::{
    EPISODE_VERSION, EndReason, EpisodeEnd, EpisodeHeader, EpisodeResult, EpisodeStep, Record,
    TraceItem,
};
use camino::{Utf8Path, Utf8PathBuf};
use serde::Deserialize;
use serde_json::Value;

use crate::exit::Failure;

/// The name of an episode's transcript; a folder with one is an episode.
const TRANSCRIPT: &str = "transcript.jsonl";

/// An episode as it was kept.
#[derive(Debug)]
pub struct Kept {
    /// Its folder or file, below the one that was read.
    pub folder: Utf8PathBuf,
    /// The agent.
    pub agent: String,
    /// The problem's id.
    pub problem: String,
    /// The snapshot's opaque id; none: a running cluster, or not said.
    pub snapshot: Option<String>,
    /// Which repetition, from 1.
    pub repeat: u32,
    /// The steps.
    pub steps: Vec<EpisodeStep>,
    /// How it ended; none: it was broken off.
    pub end: Option<EpisodeEnd>,
    /// How it was scored then; none: it was not.
    pub scored: Option<Value>,
    /// The names of the session, for a result that is written again.
    pub session_id: String,
}

/// Reads every episode below a folder, or one session file, in the order of their names.
///
/// # Errors
/// When there is none, or one can't be read; the error names the file and the line.
pub fn read(path: &Utf8Path) -> Result<Vec<Kept>, Failure> {
    if path.is_file() {
        return Ok(vec![session(path)?]);
    }
    let mut folders = Vec::new();
    collect(path, &mut folders)?;
    folders.sort();
    if folders.is_empty() {
        return Err(Failure::user(format!(
            "there are no episodes in {path}\nhint: give the folder that `aiopslab eval --out` made, or a session file of AIOpsLab"
        )));
    }
    folders.iter().map(|folder| episode(path, folder)).collect()
}

fn collect(folder: &Utf8Path, found: &mut Vec<Utf8PathBuf>) -> Result<(), Failure> {
    let unread = |error: std::io::Error| Failure::user(format!("{folder} can't be read: {error}"));
    if folder.join(TRANSCRIPT).is_file() {
        found.push(folder.to_owned());
        return Ok(());
    }
    for entry in folder.read_dir_utf8().map_err(unread)? {
        let path = entry.map_err(unread)?.into_path();
        if path.is_dir() {
            collect(&path, found)?;
        }
    }
    Ok(())
}

fn episode(root: &Utf8Path, folder: &Utf8Path) -> Result<Kept, Failure> {
    let path = folder.join(TRANSCRIPT);
    let (mut header, mut steps, mut end): (Option<EpisodeHeader>, _, _) = (None, Vec::new(), None);
    let text = text_of(&path)?;
    // What was being written when an episode was killed has no end of line.
    let whole = text.rfind('\n').map_or("", |last| &text[..last]);
    for (number, line) in whole.lines().enumerate() {
        let record: Record = serde_json::from_str(line).map_err(|error| {
            Failure::user(format!(
                "{path}, line {}: it is no record of an episode: {error}",
                number + 1
            ))
        })?;
        match record {
            Record::Header(found) => header = Some(found),
            Record::Step(step) => steps.push(step),
            Record::End(found) => end = Some(found),
        }
    }
    let header = header.ok_or_else(|| Failure::user(format!("{path} has no header")))?;
    if header.version > EPISODE_VERSION {
        return Err(Failure::user(format!(
            "{path} is of version {}, and this program reads up to {EPISODE_VERSION}\nhint: use a newer aiopslab",
            header.version
        )));
    }
    let result = folder.join("result.json");
    let scored: Option<Value> = match result.is_file() {
        true => Some(json_of(&result)?),
        false => None,
    };
    let name = folder.file_name().unwrap_or_default();
    let repeat = name
        .rsplit_once("-r")
        .and_then(|(_, repeat)| repeat.parse().ok());
    let session_id = scored
        .as_ref()
        .and_then(|scored| scored["session_id"].as_str());
    Ok(Kept {
        folder: folder.strip_prefix(root).unwrap_or(folder).to_owned(),
        agent: header.agent,
        problem: header.problem_id.to_string(),
        snapshot: header.snapshot.map(|snapshot| snapshot.id),
        repeat: repeat.unwrap_or(1),
        steps,
        end,
        session_id: session_id.unwrap_or_default().to_owned(),
        scored,
    })
}

/// What AIOpsLab keeps of a session; ours has the same keys.
#[derive(Deserialize)]
struct Session {
    agent: Option<String>,
    session_id: String,
    problem_id: Option<String>,
    trace: Vec<TraceItem>,
}

fn session(path: &Utf8Path) -> Result<Kept, Failure> {
    let scored = json_of(path)?;
    let session: Session = serde_json::from_value(scored.clone())
        .map_err(|error| Failure::user(format!("{path} is no session of AIOpsLab: {error}")))?;
    let problem = session.problem_id.ok_or_else(|| {
        Failure::user(format!(
            "{path} does not say which problem was asked: it has no `problem_id`"
        ))
    })?;
    let steps = steps_of(&session.trace);
    let solution = steps.iter().rev().find_map(|step| match &step.action {
        Some(Action::Submit { solution }) => Some(solution.clone()),
        _ => None,
    });
    let end = match solution {
        Some(solution) => EpisodeEnd::submitted(solution),
        None => EpisodeEnd::without_submission(EndReason::StepLimit, None),
    };
    Ok(Kept {
        folder: path.file_name().unwrap_or(path.as_str()).into(),
        agent: session.agent.unwrap_or_else(|| "unknown".to_owned()),
        problem,
        snapshot: None,
        repeat: 1,
        steps,
        end: Some(end),
        scored: Some(scored),
        session_id: session.session_id,
    })
}

/// The steps of a trace; what the environment knew about its answers is not in it.
fn steps_of(trace: &[TraceItem]) -> Vec<EpisodeStep> {
    let mut steps: Vec<EpisodeStep> = Vec::new();
    for item in trace {
        if item.role == "assistant" {
            let action = parse_among(&item.content, CallSyntax::Upstream, ActionSet::Upstream).ok();
            steps.push(EpisodeStep {
                step: u32::try_from(steps.len())
                    .unwrap_or(u32::MAX)
                    .saturating_add(1),
                response: item.content.clone(),
                verdict: match action {
                    Some(_) => Verdict::Answered,
                    None => Verdict::Invalid,
                },
                action,
                observation: String::new(),
                now: None,
                live: false,
            });
        } else if let Some(step) = steps.last_mut() {
            step.observation.clone_from(&item.content);
        }
    }
    steps
}

fn text_of(path: &Utf8Path) -> Result<String, Failure> {
    std::fs::read_to_string(path)
        .map_err(|error| Failure::user(format!("{path} can't be read: {error}")))
}

fn json_of(path: &Utf8Path) -> Result<Value, Failure> {
    serde_json::from_str(&text_of(path)?)
        .map_err(|error| Failure::user(format!("{path} is not JSON: {error}")))
}

/// What of a result a score is: the same scores, the same answer.
#[must_use]
pub fn score_of(result: &EpisodeResult) -> (Value, Value) {
    let strict = serde_json::to_value(result.strict).unwrap_or_default();
    (strict, Value::Object(result.results.clone()))
}
