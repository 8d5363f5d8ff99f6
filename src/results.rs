//! Episodes that were kept, read again: our own folders, and AIOpsLab's session files.

mod upstream;

use aiopslab_problems::action::{Action, ActionSet, CallSyntax, parse_among};
use aiopslab_problems::catalog::{Catalog, Problem};
use aiopslab_problems::environment::Verdict;
use aiopslab_problems::episode::{
    EPISODE_VERSION, EndReason, EpisodeEnd, EpisodeHeader, EpisodeResult, EpisodeStep, Record,
    TraceItem, Usage,
};
use camino::{Utf8Path, Utf8PathBuf};
use serde::Deserialize;
use serde_json::Value;

pub(crate) use self::upstream::{Times, as_session, count_tokens};
use crate::exit::Failure;
use crate::session::{Measurement, RESULT, TIMING_VERSION, TRANSCRIPT, write_json};

/// What was asked beside the built-in problems.
const PROBLEMS: &str = "problems.json";

/// An episode as it was kept.
#[derive(Debug)]
pub struct Kept {
    /// Its folder or file, below the one that was read.
    pub folder: Utf8PathBuf,
    /// Whether it is a session file of AIOpsLab.
    pub is_session: bool,
    /// What it is of; none: nobody says so.
    pub header: Option<EpisodeHeader>,
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

impl Kept {
    /// How it was scored then; none: it was not.
    ///
    /// # Errors
    /// When its result is of another form.
    pub fn result(&self) -> Result<Option<EpisodeResult>, Failure> {
        let Some(scored) = &self.scored else {
            return Ok(None);
        };
        EpisodeResult::deserialize(scored).map(Some).map_err(|error| {
            Failure::user(format!(
                "the result of {} can't be read: {error}\nhint: `aiopslab score --write` makes it anew",
                self.folder
            ))
        })
    }

    /// What its agent's model took, as it was told then.
    #[must_use]
    pub fn usage(&self) -> Option<Usage> {
        Usage::deserialize(self.scored.as_ref()?.get("usage")?).ok()
    }

    /// Why it can take another course when it is run again.
    #[must_use]
    pub fn not_reproducible(&self) -> Option<&'static str> {
        self.header
            .as_ref()
            .and_then(EpisodeHeader::not_reproducible)
    }
}

/// Reads every episode below a folder, or the session files that are given or lie in it, in the order
/// of their names.
///
/// # Errors
/// When there is none, or one can't be read; the error names the file and the line.
pub fn read(path: &Utf8Path) -> Result<Vec<Kept>, Failure> {
    if path.is_file() {
        return Ok(vec![session(path)?]);
    }
    let folders = folders(path)?;
    if !folders.is_empty() {
        return folders.iter().map(|folder| episode(path, folder)).collect();
    }
    let mut sessions = Vec::new();
    for entry in path.read_dir_utf8().map_err(|error| unread(path, &error))? {
        let file = entry.map_err(|error| unread(path, &error))?.into_path();
        if file.extension() == Some("json") {
            sessions.push(file);
        }
    }
    sessions.sort();
    if sessions.is_empty() {
        return Err(Failure::user(format!(
            "there are no episodes in {path}\nhint: give the folder that `aiopslab eval --out` made, or session files of AIOpsLab"
        )));
    }
    sessions.iter().map(|file| session(file)).collect()
}

fn unread(path: &Utf8Path, error: &std::io::Error) -> Failure {
    Failure::user(format!("{path} can't be read: {error}"))
}

/// Keeps those of the problems that are not built in, so that their episodes can be scored again: a
/// label is in its recording only, and the files of a release or a user may not be at hand then.
///
/// # Errors
/// When the file can't be written.
pub(crate) fn keep_problems<'a>(
    out: &Utf8Path,
    asked: impl Iterator<Item = &'a Problem>,
) -> Result<(), Failure> {
    let built_in = Catalog::embedded()?;
    let others = asked.filter(|one| built_in.problem(one.id.as_str()).ok() != Some(*one));
    let others: Vec<&Problem> = others.collect();
    match others.is_empty() {
        true => Ok(()),
        false => write_json(&out.join(PROBLEMS), &others),
    }
}

/// The problems that were kept with the episodes in a folder, or in the one around it.
///
/// # Errors
/// When their file can't be read.
pub(crate) fn problems(results: &Utf8Path) -> Result<Vec<Problem>, Failure> {
    let files = results.ancestors().take(2).map(|dir| dir.join(PROBLEMS));
    let Some(path) = files.into_iter().find(|path| path.is_file()) else {
        return Ok(Vec::new());
    };
    Vec::deserialize(json_of(&path)?).map_err(|error| {
        Failure::user(format!(
            "{path} is no list of problems: {error}\nhint: remove it, and give the catalog of these problems with --catalog DIR"
        ))
    })
}

/// The folders of all episodes below a folder, finished or not, in the order of their names.
///
/// # Errors
/// When a folder can't be read.
pub(crate) fn folders(path: &Utf8Path) -> Result<Vec<Utf8PathBuf>, Failure> {
    let mut folders = Vec::new();
    collect(path, &mut folders)?;
    folders.sort();
    Ok(folders)
}

/// Whether the episode in a folder was brought to its end.
pub(crate) fn is_finished(folder: &Utf8Path) -> bool {
    folder.join(RESULT).is_file()
}

fn collect(folder: &Utf8Path, found: &mut Vec<Utf8PathBuf>) -> Result<(), Failure> {
    if folder.join(TRANSCRIPT).is_file() {
        found.push(folder.to_owned());
        return Ok(());
    }
    for entry in folder
        .read_dir_utf8()
        .map_err(|error| unread(folder, &error))?
    {
        let path = entry.map_err(|error| unread(folder, &error))?.into_path();
        if path.is_dir() {
            collect(&path, found)?;
        }
    }
    Ok(())
}

/// Reads the episode in a folder below `root`.
///
/// # Errors
/// When it can't be read; the error names the file and the line.
pub(crate) fn episode(root: &Utf8Path, folder: &Utf8Path) -> Result<Kept, Failure> {
    let path = folder.join(TRANSCRIPT);
    let (mut header, mut steps, mut end): (Option<EpisodeHeader>, _, _) = (None, Vec::new(), None);
    for (number, line) in whole_lines(&text_of(&path)?).enumerate() {
        let record: Record = serde_json::from_str(line).map_err(|error| {
            Failure::user(format!(
                "{path}, line {}: it is no record of an episode: {error}",
                number + 1
            ))
        })?;
        match record {
            Record::Header(found) => header = Some(*found),
            Record::Step(step) => steps.push(step),
            Record::End(found) => end = Some(found),
        }
    }
    let header = header.ok_or_else(|| Failure::user(format!("{path} has no header")))?;
    if header.version > EPISODE_VERSION {
        return Err(later(&path, header.version, EPISODE_VERSION));
    }
    let scored: Option<Value> = match is_finished(folder) {
        true => Some(json_of(&folder.join(RESULT))?),
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
        is_session: false,
        agent: header.agent.clone(),
        problem: header.problem_id.to_string(),
        snapshot: snapshot_id(&header),
        header: Some(header),
        repeat: repeat.unwrap_or(1),
        steps,
        end,
        session_id: session_id.unwrap_or_default().to_owned(),
        scored,
    })
}

/// What was measured of an episode; of versions before the first with a header, nothing.
///
/// # Errors
/// When the file can't be read, or is of a later version.
pub(crate) fn measurements(path: &Utf8Path) -> Result<Vec<Measurement>, Failure> {
    let text = text_of(path)?;
    let measured = whole_lines(&text).map_while(|line| serde_json::from_str(line).ok());
    let measured: Vec<Measurement> = measured.collect();
    match measured.first() {
        Some(Measurement::Header(header)) if header.version > TIMING_VERSION => {
            Err(later(path, header.version, TIMING_VERSION))
        }
        _ => Ok(measured),
    }
}

/// What was being written when an episode was killed has no end of line.
pub(crate) fn whole_lines(text: &str) -> std::str::Lines<'_> {
    text.rfind('\n').map_or("", |last| &text[..last]).lines()
}

fn later(path: &Utf8Path, version: u32, known: u32) -> Failure {
    Failure::user(format!(
        "{path} is of version {version}, and this program reads up to {known}\nhint: use a newer aiopslab"
    ))
}

/// What AIOpsLab keeps of a session; our own have the same keys, and further ones.
#[derive(Deserialize)]
struct Session {
    agent: Option<String>,
    session_id: String,
    problem_id: Option<String>,
    trace: Vec<TraceItem>,
    header: Option<EpisodeHeader>,
    end: Option<EpisodeEnd>,
    repeat: Option<u32>,
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
    let header = session.header;
    let calls = header
        .as_ref()
        .map_or((CallSyntax::Upstream, ActionSet::Upstream), |header| {
            (header.syntax, header.action_set)
        });
    let steps = steps_of(&session.trace, calls);
    let end = session.end.unwrap_or_else(|| end_of(&steps));
    Ok(Kept {
        folder: path.file_name().unwrap_or(path.as_str()).into(),
        is_session: true,
        agent: session.agent.unwrap_or_else(|| "unknown".to_owned()),
        problem,
        snapshot: header.as_ref().and_then(snapshot_id),
        header,
        repeat: session.repeat.unwrap_or(1),
        steps,
        end: Some(end),
        scored: Some(scored),
        session_id: session.session_id,
    })
}

/// How a session ended that does not say so: by its last submission.
fn end_of(steps: &[EpisodeStep]) -> EpisodeEnd {
    let solution = steps.iter().rev().find_map(|step| match &step.action {
        Some(Action::Submit { solution }) => Some(solution.clone()),
        _ => None,
    });
    match solution {
        Some(solution) => EpisodeEnd::submitted(solution),
        None => EpisodeEnd::without_submission(EndReason::StepLimit, None),
    }
}

/// The steps of a trace; what the environment knew about its answers is not in it.
fn steps_of(trace: &[TraceItem], (syntax, set): (CallSyntax, ActionSet)) -> Vec<EpisodeStep> {
    let mut steps: Vec<EpisodeStep> = Vec::new();
    for item in trace {
        if item.role == "assistant" {
            let action = parse_among(&item.content, syntax, set).ok();
            steps.push(EpisodeStep {
                step: u32::try_from(steps.len())
                    .unwrap_or(u32::MAX)
                    .saturating_add(1),
                thoughts: Vec::new(),
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

fn snapshot_id(header: &EpisodeHeader) -> Option<String> {
    header.snapshot.as_ref().map(|snapshot| snapshot.id.clone())
}

fn text_of(path: &Utf8Path) -> Result<String, Failure> {
    std::fs::read_to_string(path).map_err(|error| unread(path, &error))
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
