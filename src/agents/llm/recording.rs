//! Answers of models in a file, so that a whole evaluation can be repeated without asking anybody.
//!
//! A line is one answer, under a digest of the whole request and the episode's seed, and the number of times that
//! the episode has made this request. So it does not matter which of several episodes comes first, and a recording
//! that an evaluation was resumed on holds what was answered last.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::sync::{Mutex, PoisonError};

use camino::{Utf8Path, Utf8PathBuf};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::answer::Answer;

/// Version of the file's form. 1: the first.
const VERSION: u32 = 1;

/// Which answer.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) struct Key {
    /// Digest of seed and request.
    request: String,
    /// How often the episode had made it before.
    #[serde(default)]
    again: u32,
}

/// Which requests one episode has made.
#[derive(Debug, Default)]
pub(super) struct Asked {
    seed: u64,
    requests: BTreeMap<String, u32>,
}

#[derive(Serialize, Deserialize)]
struct Line {
    version: u32,
    model: String,
    #[serde(flatten)]
    key: Key,
    answer: Answer,
}

impl Asked {
    pub(super) fn new(seed: u64) -> Self {
        Self {
            seed,
            requests: BTreeMap::new(),
        }
    }

    /// Names the answer to the next request.
    pub(super) fn key(&mut self, request: &Value) -> Key {
        let mut digest = Sha256::new();
        digest.update(self.seed.to_be_bytes());
        digest.update(request.to_string().as_bytes());
        let digest = digest.finalize();
        let request: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        let times = self.requests.entry(request.clone()).or_default();
        let again = *times;
        *times += 1;
        Key { request, again }
    }
}

/// A file that answers are added to.
#[derive(Debug)]
pub(super) struct Recorder {
    path: Utf8PathBuf,
    file: Mutex<File>,
}

impl Recorder {
    pub(super) fn open(path: &Utf8Path) -> Result<Self, String> {
        let file = OpenOptions::new().create(true).append(true).open(path);
        match file {
            Ok(file) => Ok(Self {
                path: path.to_owned(),
                file: Mutex::new(file),
            }),
            Err(error) => Err(format!("the record {path} can't be written: {error}")),
        }
    }

    pub(super) fn keep(&self, key: Key, model: &str, answer: &Answer) -> Result<(), String> {
        let line = Line {
            version: VERSION,
            model: model.to_owned(),
            key,
            answer: answer.clone(),
        };
        let unwritable = |error: &dyn std::fmt::Display| {
            format!("the record {} can't be written: {error}", self.path)
        };
        let text = serde_json::to_string(&line).map_err(|error| unwritable(&error))?;
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        // One write, so that several recorders of one file do not mix their lines.
        file.write_all(format!("{text}\n").as_bytes())
            .map_err(|error| unwritable(&error))
    }
}

/// What a file of answers holds.
#[derive(Debug)]
pub(super) struct Recording {
    path: Utf8PathBuf,
    answers: BTreeMap<Key, Answer>,
}

impl Recording {
    pub(super) fn read(path: &Utf8Path) -> Result<Self, String> {
        let text = std::fs::read_to_string(path)
            .map_err(|error| format!("the record {path} can't be read: {error}"))?;
        let mut answers = BTreeMap::new();
        for (number, line) in text.lines().enumerate() {
            let line: Line = serde_json::from_str(line)
                .map_err(|error| format!("{path}:{}: no answer of a model: {error}", number + 1))?;
            if line.version > VERSION {
                return Err(format!(
                    "{path}:{}: is of version {}, and this program reads up to {VERSION}\nhint: use a newer aiopslab",
                    number + 1,
                    line.version
                ));
            }
            answers.insert(line.key, line.answer);
        }
        Ok(Self {
            path: path.to_owned(),
            answers,
        })
    }

    pub(super) fn answer(&self, key: &Key) -> Result<Answer, String> {
        self.answers.get(key).cloned().ok_or_else(|| {
            let again = match key.again {
                0 => String::new(),
                times => format!(" a {}. time", times + 1),
            };
            let digest: String = key.request.chars().take(12).collect();
            format!(
                "the request {digest} is not in the record {}{again}, which has {} answers\nhint: model, strategy, parameters, snapshot and repetition have to be those of the recording; record anew with --llm-record",
                self.path,
                self.answers.len()
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn answer(content: &str) -> Answer {
        Answer {
            content: content.to_owned(),
            ..Answer::default()
        }
    }

    #[test]
    fn repeats_of_a_request_are_told_apart_and_so_are_episodes() {
        let folder = tempfile::tempdir().unwrap();
        let path = Utf8PathBuf::from_path_buf(folder.path().join("answers.jsonl")).unwrap();
        let request = json!({"model": "m"});
        let recorder = Recorder::open(&path).unwrap();
        let mut first = Asked::new(1);
        let mut second = Asked::new(2);
        for (asked, said) in [(&mut first, "a"), (&mut second, "c")] {
            recorder
                .keep(asked.key(&request), "m", &answer(said))
                .unwrap();
        }
        recorder
            .keep(first.key(&request), "m", &answer("b"))
            .unwrap();
        // The episode is run once more, after a crash.
        recorder
            .keep(Asked::new(2).key(&request), "m", &answer("d"))
            .unwrap();

        let recording = Recording::read(&path).unwrap();
        let mut asked = Asked::new(1);
        assert_eq!(recording.answer(&asked.key(&request)), Ok(answer("a")));
        assert_eq!(recording.answer(&asked.key(&request)), Ok(answer("b")));
        let error = recording.answer(&asked.key(&request)).unwrap_err();
        assert!(
            error.contains("a 3. time") && error.contains("hint:"),
            "{error}"
        );
        assert_eq!(
            recording.answer(&Asked::new(2).key(&request)),
            Ok(answer("d"))
        );
    }
}
