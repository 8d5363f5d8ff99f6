//! `judge.jsonl`: every verdict of every judge on the episodes of a folder, one on a line.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};

use aiopslab_problems::episode::Usage;
use aiopslab_problems::score::judge::{Judge, Ruling};
use camino::{Utf8Path, Utf8PathBuf};
use serde::{Deserialize, Serialize};

use crate::exit::Failure;
use crate::results::whole_lines;

/// The name of the file.
const VERDICTS: &str = "judge.jsonl";
/// Version of its form. 1: the first.
const VERSION: u32 = 1;

/// What a judge said of one episode.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Verdict {
    version: u32,
    /// SHA-256 of everything that it depends on.
    pub key: String,
    /// The problem's id.
    pub problem: String,
    /// The folder of the first episode that was asked about, below the one of the results.
    pub asked_about: Utf8PathBuf,
    /// SHA-256 of what was done and submitted in it.
    pub episode_sha256: String,
    /// Its rating, or why that can't be read.
    #[serde(flatten)]
    pub ruling: Ruling,
    /// Its whole answer.
    pub answer: String,
    /// Bytes of the transcript that it was not shown.
    pub left_out: usize,
    /// What judging took; none: there is no model.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub usage: Option<Usage>,
    /// Who judged.
    pub judge: Judge,
}

impl Verdict {
    pub(super) fn new(
        judge: &Judge,
        (problem, asked_about): (&str, &Utf8Path),
        (key, episode_sha256): (&str, &str),
        (answer, left_out): (String, usize),
        usage: Option<Usage>,
    ) -> Self {
        Self {
            version: VERSION,
            key: key.to_owned(),
            problem: problem.to_owned(),
            asked_about: asked_about.to_owned(),
            episode_sha256: episode_sha256.to_owned(),
            ruling: Ruling::read(&answer),
            answer,
            left_out,
            usage,
            judge: judge.clone(),
        }
    }
}

/// The verdicts in a folder of results.
#[derive(Debug, Default)]
pub(crate) struct Verdicts {
    all: Vec<Verdict>,
    by_key: BTreeMap<String, usize>,
}

impl Verdicts {
    /// Reads the verdicts on the episodes in a folder, or of the folder that a session file lies in; none, where
    /// nothing was judged.
    ///
    /// # Errors
    /// When the file can't be read; the error names the line.
    pub(crate) fn read(results: &Utf8Path) -> Result<Self, Failure> {
        let path = place(results);
        let mut verdicts = Self::default();
        if !path.is_file() {
            return Ok(verdicts);
        }
        let text = std::fs::read_to_string(&path)
            .map_err(|error| Failure::user(format!("{path} can't be read: {error}")))?;
        for (number, line) in whole_lines(&text).enumerate() {
            let verdict: Verdict = serde_json::from_str(line).map_err(|error| {
                Failure::user(format!(
                    "{path}, line {}: it is no verdict of a judge: {error}\nhint: take the line out; what it said is asked for again",
                    number + 1
                ))
            })?;
            if verdict.version > VERSION {
                return Err(Failure::user(format!(
                    "{path}, line {}: is of version {}, and this program reads up to {VERSION}\nhint: use a newer aiopslab",
                    number + 1,
                    verdict.version
                )));
            }
            verdicts.add(verdict);
        }
        Ok(verdicts)
    }

    /// Takes one more; the last one under a key counts.
    pub(super) fn add(&mut self, verdict: Verdict) {
        self.by_key.insert(verdict.key.clone(), self.all.len());
        self.all.push(verdict);
    }

    /// Takes those of another folder, too.
    pub(crate) fn extend(&mut self, other: Self) {
        other.all.into_iter().for_each(|verdict| self.add(verdict));
    }

    /// The verdict under a key.
    pub(super) fn under(&self, key: &str) -> Option<&Verdict> {
        self.all.get(*self.by_key.get(key)?)
    }

    /// All that count, in the order of the file.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Verdict> {
        let counting =
            |(number, verdict): &(usize, &Verdict)| self.by_key.get(&verdict.key) == Some(number);
        let numbered = self.all.iter().enumerate();
        numbered.filter(counting).map(|(_, verdict)| verdict)
    }
}

/// The file, open for further verdicts.
pub(super) struct Keeper {
    path: Utf8PathBuf,
    file: File,
}

impl Keeper {
    /// Opens the file, without the beginning of a line that was being written when somebody was killed.
    pub(super) fn open(results: &Utf8Path) -> Result<Self, Failure> {
        let path = place(results);
        let unwritable =
            |error: std::io::Error| Failure::user(format!("{path} can't be written: {error}"));
        let mut options = OpenOptions::new();
        let options = options.read(true).write(true).create(true).truncate(false);
        let mut file = options.open(&path).map_err(unwritable)?;
        let mut text = Vec::new();
        file.read_to_end(&mut text).map_err(unwritable)?;
        let whole = text.iter().rposition(|byte| *byte == b'\n');
        let end = whole.map_or(0, |last| last + 1) as u64;
        file.set_len(end).map_err(unwritable)?;
        file.seek(SeekFrom::End(0)).map_err(unwritable)?;
        Ok(Self { path, file })
    }

    /// Keeps a verdict at once: it was paid for.
    pub(super) fn keep(&mut self, verdict: &Verdict) -> Result<(), Failure> {
        let line = format!("{}\n", serde_json::to_string(verdict)?);
        self.file
            .write_all(line.as_bytes())
            .map_err(|error| Failure::user(format!("{} can't be written: {error}", self.path)))
    }
}

fn place(results: &Utf8Path) -> Utf8PathBuf {
    match (results.is_dir(), results.parent()) {
        (false, Some(folder)) => folder.join(VERDICTS),
        _ => results.join(VERDICTS),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Map;

    use super::*;

    fn verdict(key: &str, answer: &str) -> Verdict {
        let judge = Judge::new("m", "http://e".to_owned(), Map::new());
        let names = ("p", Utf8Path::new("a/p-r1"));
        Verdict::new(&judge, names, (key, "e"), (answer.to_owned(), 0), None)
    }

    #[test]
    fn a_line_that_was_cut_off_is_written_over_and_the_last_verdict_counts() {
        let folder = tempfile::tempdir().unwrap();
        let results = Utf8Path::from_path(folder.path()).unwrap();
        assert_eq!(Verdicts::read(results).unwrap().iter().count(), 0);
        for (key, answer) in [("a", "[[3]]"), ("b", "what?"), ("a", "[[4]]")] {
            let mut keeper = Keeper::open(results).unwrap();
            keeper.keep(&verdict(key, answer)).unwrap();
            keeper.file.write_all(b"{\"version\":1,\"ke").unwrap();
        }
        let verdicts = Verdicts::read(results).unwrap();
        let said: Vec<_> = verdicts.iter().map(|one| one.answer.as_str()).collect();
        assert_eq!(said, ["what?", "[[4]]"]);
        assert_eq!(verdicts.under("a"), Some(&verdict("a", "[[4]]")));
        assert_eq!(verdicts.under("c"), None);
    }

    #[test]
    fn what_is_no_verdict_is_named_with_its_line() {
        let folder = tempfile::tempdir().unwrap();
        let results = Utf8Path::from_path(folder.path()).unwrap();
        Keeper::open(results)
            .unwrap()
            .keep(&verdict("a", ""))
            .unwrap();
        let path = results.join(VERDICTS);
        let good = std::fs::read_to_string(&path).unwrap();
        let later = good.replace("\"version\":1", "\"version\":2");
        for (bad, says) in [
            ("{}", "line 2: it is no verdict"),
            (later.trim_end(), "version 2"),
        ] {
            std::fs::write(&path, format!("{good}{bad}\n")).unwrap();
            let error = Verdicts::read(results).unwrap_err().reason();
            assert!(error.contains(says) && error.contains("hint:"), "{error}");
        }
    }
}
