//! An episode's files: `transcript.jsonl` holds nothing measured, `timing.jsonl` everything that is,
//! and `result.json` is there once the episode is finished.

use std::fs::File;
use std::io::{BufWriter, Write};

use aiopslab_problems::episode::{
    EpisodeEnd, EpisodeHeader, EpisodeResult, EpisodeStep, Record, Usage,
};
use camino::{Utf8Path, Utf8PathBuf};
use serde::Serialize;

use super::timing::{EpisodeClock, Measurement, StepClock, TimingHeader, Totals};
use crate::exit::Failure;

/// The name of an episode's transcript; a folder with one is an episode.
pub(crate) const TRANSCRIPT: &str = "transcript.jsonl";
/// The name of what was measured.
pub(crate) const TIMING: &str = "timing.jsonl";
/// The name of a result; an episode with one is finished.
pub(crate) const RESULT: &str = "result.json";

/// The files of one episode under way; every step is flushed.
pub struct EpisodeFiles {
    folder: Utf8PathBuf,
    transcript: BufWriter<File>,
    timing: BufWriter<File>,
    clock: EpisodeClock,
    totals: Option<Totals>,
}

impl EpisodeFiles {
    /// Makes the folder and writes the headers.
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
            transcript: open(TRANSCRIPT)?,
            timing: open(TIMING)?,
            clock: EpisodeClock::start(),
            totals: None,
        };
        files.say(&Record::Header(Box::new(header.clone())))?;
        files.measured(&Measurement::Header(TimingHeader::here()))?;
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
        self.say(&Record::Step(step.clone()))?;
        let timing = self.clock.step(step.step, usage, clock);
        self.measured(&Measurement::Step(timing))
    }

    /// What the steps took so far, as their agent tells.
    #[must_use]
    pub fn usage(&self) -> Option<Usage> {
        self.clock.usage()
    }

    /// The agent is done: what comes after is not its time.
    pub(super) fn stop(&mut self) {
        self.totals = Some(self.clock.totals());
    }

    /// Writes how the episode ended.
    ///
    /// # Errors
    /// When a file can't be written.
    pub fn end(&mut self, end: &EpisodeEnd) -> Result<(), Failure> {
        self.say(&Record::End(end.clone()))?;
        let totals = self.totals.take().unwrap_or_else(|| self.clock.totals());
        self.measured(&Measurement::End(totals))
    }

    /// Keeps a document beside the transcript.
    ///
    /// # Errors
    /// When it can't be written.
    pub fn keep(&self, name: &str, document: &serde_json::Value) -> Result<(), Failure> {
        write_json(&self.folder.join(name), document)
    }

    /// Writes `result.json`: the episode is finished.
    ///
    /// # Errors
    /// When it can't be written.
    pub fn finish(self, result: &EpisodeResult) -> Result<(), Failure> {
        write_json(&self.folder.join(RESULT), result)
    }

    fn say(&mut self, record: &Record) -> Result<(), Failure> {
        line(&mut self.transcript, record, &self.folder.join(TRANSCRIPT))
    }

    fn measured(&mut self, measurement: &Measurement) -> Result<(), Failure> {
        line(&mut self.timing, measurement, &self.folder.join(TIMING))
    }
}

/// Writes a document in whole or not at all: who finds it finds all of it.
///
/// # Errors
/// When it can't be written.
pub(crate) fn write_json(path: &Utf8Path, document: &impl Serialize) -> Result<(), Failure> {
    let text = format!("{:#}\n", serde_json::to_value(document)?);
    let partial = Utf8PathBuf::from(format!("{path}.partial"));
    std::fs::write(&partial, text)
        .and_then(|()| std::fs::rename(&partial, path))
        .map_err(|error| unwritable(path, &error))
}

fn line(
    file: &mut BufWriter<File>,
    value: &impl Serialize,
    path: &Utf8Path,
) -> Result<(), Failure> {
    let text = serde_json::to_string(value)?;
    writeln!(file, "{text}")
        .and_then(|()| file.flush())
        .map_err(|error| unwritable(path, &error))
}

fn unwritable(path: &Utf8Path, error: &std::io::Error) -> Failure {
    Failure::user(format!(
        "{path} can't be written: {error}\nhint: is the disk full?"
    ))
}
