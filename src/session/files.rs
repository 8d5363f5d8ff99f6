//! An episode's files: `transcript.jsonl` holds nothing measured, `timing.jsonl` everything that is.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::time::Instant;

use aiopslab_problems::episode::{
    EpisodeEnd, EpisodeHeader, EpisodeResult, EpisodeStep, Record, Usage,
};
use camino::{Utf8Path, Utf8PathBuf};
use serde::Serialize;
use serde_json::json;

use crate::exit::Failure;

/// The files of one episode under way; every step is flushed.
pub struct EpisodeFiles {
    folder: Utf8PathBuf,
    transcript: BufWriter<File>,
    timing: BufWriter<File>,
}

/// Measures one step.
pub struct StepClock {
    asked: Instant,
    answered: Option<Instant>,
}

impl StepClock {
    /// Starts measuring: the agent is asked now.
    #[must_use]
    pub fn start() -> Self {
        Self {
            asked: Instant::now(),
            answered: None,
        }
    }

    /// The agent has responded.
    pub fn answered(&mut self) {
        self.answered = Some(Instant::now());
    }
}

impl EpisodeFiles {
    /// Makes the folder and writes the transcript's header.
    ///
    /// # Errors
    /// When a file can't be written.
    pub fn create(folder: &Utf8Path, header: &EpisodeHeader) -> Result<Self, Failure> {
        std::fs::create_dir_all(folder).map_err(|error| unwritable(folder, &error))?;
        let open = |name: &str| {
            let path = folder.join(name);
            File::create(&path)
                .map(BufWriter::new)
                .map_err(|error| unwritable(&path, &error))
        };
        let mut files = Self {
            folder: folder.to_owned(),
            transcript: open("transcript.jsonl")?,
            timing: open("timing.jsonl")?,
        };
        line(
            &mut files.transcript,
            &Record::Header(header.clone()),
            &files.folder,
        )?;
        Ok(files)
    }

    /// Writes a step.
    ///
    /// # Errors
    /// When a file can't be written.
    pub fn record(
        &mut self,
        step: &EpisodeStep,
        usage: Option<Usage>,
        clock: &StepClock,
    ) -> Result<(), Failure> {
        line(
            &mut self.transcript,
            &Record::Step(step.clone()),
            &self.folder,
        )?;
        let answered = clock.answered.unwrap_or(clock.asked);
        let milliseconds = |from: Instant, to: Instant| to.duration_since(from).as_secs_f64() * 1e3;
        let mut timing = json!({
            "step": step.step,
            "agent_ms": milliseconds(clock.asked, answered),
            "environment_ms": milliseconds(answered, Instant::now()),
        });
        if let Some(usage) = usage {
            timing["usage"] = json!(usage);
        }
        line(&mut self.timing, &timing, &self.folder)
    }

    /// Writes how the episode ended.
    ///
    /// # Errors
    /// When a file can't be written.
    pub fn end(&mut self, end: &EpisodeEnd) -> Result<(), Failure> {
        line(
            &mut self.transcript,
            &Record::End(end.clone()),
            &self.folder,
        )
    }

    /// Keeps a document beside the transcript.
    ///
    /// # Errors
    /// When it can't be written.
    pub fn keep(&self, name: &str, document: &serde_json::Value) -> Result<(), Failure> {
        let path = self.folder.join(name);
        std::fs::write(&path, format!("{document:#}\n")).map_err(|error| unwritable(&path, &error))
    }

    /// Writes `result.json`.
    ///
    /// # Errors
    /// When it can't be written.
    pub fn finish(self, result: &EpisodeResult) -> Result<(), Failure> {
        let path = self.folder.join("result.json");
        let text = format!("{:#}\n", serde_json::to_value(result)?);
        std::fs::write(&path, text).map_err(|error| unwritable(&path, &error))
    }
}

fn line(
    file: &mut BufWriter<File>,
    value: &impl Serialize,
    folder: &Utf8Path,
) -> Result<(), Failure> {
    let text = serde_json::to_string(value)?;
    writeln!(file, "{text}")
        .and_then(|()| file.flush())
        .map_err(|error| unwritable(folder, &error))
}

fn unwritable(path: &Utf8Path, error: &std::io::Error) -> Failure {
    Failure::user(format!(
        "{path} can't be written: {error}\nhint: is the disk full?"
    ))
}
