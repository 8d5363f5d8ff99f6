//! One invocation, run here and by the machine's program.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::process::{Command, Stdio};

use super::super::{Context, run};
use super::texts;
use crate::files::VirtualFiles;
use crate::shell::command::Stop;

/// A program with its arguments and the name of what it reads.
#[derive(Debug, Clone)]
pub(super) struct Invocation {
    input: String,
    words: Vec<String>,
    /// Whether it writes files: it then runs in a folder of its own.
    writes: bool,
}

/// What an invocation came to.
#[derive(Debug, Clone)]
pub(super) enum Outcome {
    Done(Done),
    /// The action would end with this notice.
    Refused(String),
}

/// What was printed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Done {
    pub(super) stdout: String,
    pub(super) stderr: String,
    pub(super) exit_code: i32,
}

impl Invocation {
    pub(super) fn new(input: &str, words: Vec<String>) -> Self {
        Self {
            input: input.trim_start_matches('!').to_owned(),
            words,
            writes: input.starts_with('!'),
        }
    }

    /// Parses `INPUT: PROGRAM ARGUMENTS`, with a `!` before it if files are written; single and double quotes group, `\n` in `$'…'` is a line end.
    pub(super) fn parse(line: &str) -> Self {
        let (input, command) = line
            .split_once(": ")
            .unwrap_or_else(|| panic!("no input: {line}"));
        Self::new(input, words(command))
    }

    pub(super) fn program(&self) -> &str {
        &self.words[0]
    }

    /// Whether it goes over what has no order: files of folders, elements of arrays.
    pub(super) fn is_unordered(&self) -> bool {
        let has = |wanted: &[&str]| {
            self.words
                .iter()
                .any(|word| wanted.iter().any(|part| word.contains(part)))
        };
        match self.program() {
            "grep" => self
                .words
                .iter()
                .any(|word| word.starts_with("-r") || word == "-R"),
            "awk" => has(&["(k in "]),
            _ => false,
        }
    }

    /// Runs it here.
    pub(super) fn run(&self) -> Outcome {
        let mut files = VirtualFiles::new();
        for (name, text) in texts::FILES {
            files.write(format!("/{name}"), *text);
        }
        let context = Context {
            now: 0,
            files: &files,
            input: Some(texts::named(&self.input)),
            input_was_read: Cell::default(),
            written: RefCell::default(),
        };
        match run(self.program(), &self.words[1..], &context) {
            None => Outcome::Refused("no such program".to_owned()),
            Some(Err(Stop::NotCaptured(notice))) => Outcome::Refused(notice),
            Some(Err(stop)) => panic!("{stop:?}"),
            Some(Ok(output)) => {
                // What was written to files is compared as if it was printed.
                let mut stdout = output.stdout;
                let mut written = context.written.take();
                written
                    .retain(|(path, text)| !texts::FILES.contains(&(path.as_str(), text.as_str())));
                written.sort();
                for (path, text) in written {
                    stdout.push_str(&format!("\n==> {path}\n{text}"));
                }
                Outcome::Done(Done {
                    stdout,
                    stderr: output.stderr,
                    exit_code: output.exit_code,
                })
            }
        }
    }
}

impl fmt::Display for Invocation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:", self.input)?;
        for word in &self.words {
            let plain = |c: char| c.is_ascii_alphanumeric() || "-_=./,:+%@".contains(c);
            if !word.is_empty() && word.chars().all(plain) {
                write!(formatter, " {word}")?;
            } else {
                let escaped = word.replace('\n', "\u{2424}");
                write!(formatter, " '{escaped}'")?;
            }
        }
        Ok(())
    }
}

fn words(line: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut open = false;
    let mut chars = line.chars().peekable();
    while let Some(c) = chars.next() {
        if c == ' ' {
            open = false;
            continue;
        }
        if !std::mem::replace(&mut open, true) {
            words.push(String::new());
        }
        let word = words.last_mut().unwrap();
        match c {
            '\'' => word.extend(chars.by_ref().take_while(|c| *c != '\'')),
            '"' => word.extend(chars.by_ref().take_while(|c| *c != '"')),
            '\u{2424}' => word.push('\n'),
            c => word.push(c),
        }
        if c == '\'' || c == '"' {
            *word = word.replace('\u{2424}', "\n");
        }
    }
    words
}

/// The programs of this machine, in a folder with the same files.
pub(super) struct Real {
    folder: tempfile::TempDir,
}

impl Real {
    pub(super) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in texts::FILES {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        for (name, text) in texts::INPUTS {
            std::fs::write(folder.path().join(format!("input-{name}")), text).unwrap();
        }
        Self { folder }
    }

    /// Files that were written since, as an invocation of ours shows them.
    fn changes(&self) -> String {
        let mut changes = Vec::new();
        for entry in std::fs::read_dir(self.folder.path().join("data")).unwrap() {
            let path = entry.unwrap().path();
            let Ok(text) = std::fs::read_to_string(&path) else {
                continue;
            };
            let name = format!("data/{}", path.file_name().unwrap().to_string_lossy());
            if !texts::FILES.contains(&(name.as_str(), text.as_str())) {
                changes.push(format!("\n==> {name}\n{text}"));
            }
        }
        changes.sort();
        changes.concat()
    }

    /// Runs all, on two threads.
    pub(super) fn run(&self, invocations: &[Invocation]) -> Vec<Outcome> {
        let half = invocations.len() / 2;
        let (first, second) = invocations.split_at(half);
        std::thread::scope(|scope| {
            let rest = scope.spawn(|| second.iter().map(|one| self.one(one)).collect::<Vec<_>>());
            let mut all: Vec<Outcome> = first.iter().map(|one| self.one(one)).collect();
            all.extend(rest.join().unwrap());
            all
        })
    }

    fn one(&self, invocation: &Invocation) -> Outcome {
        if invocation.writes {
            let own = Self::new();
            let reads = Invocation {
                writes: false,
                ..invocation.clone()
            };
            let mut outcome = own.one(&reads);
            if let Outcome::Done(done) = &mut outcome {
                done.stdout.push_str(&own.changes());
            }
            return outcome;
        }
        let path = self
            .folder
            .path()
            .join(format!("input-{}", invocation.input));
        let mut command = match invocation.program() {
            // What bash has built in.
            name @ ("echo" | "printf") => {
                let mut command = Command::new("bash");
                command.args(["-c", &format!("{name} \"$@\""), "bash"]);
                command
            }
            "awk" => {
                let mut command = Command::new("gawk");
                std::os::unix::process::CommandExt::arg0(&mut command, "awk");
                command
            }
            name => Command::new(name),
        };
        // Through a pipe, as most programs are used.
        let mut child = command
            .args(&invocation.words[1..])
            .current_dir(self.folder.path())
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("LC_ALL", "C.UTF-8")
            .env("TZ", "UTC")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let text = std::fs::read(path).unwrap();
        let mut stdin = child.stdin.take().unwrap();
        // A program that does not read everything closes the pipe.
        let _ = std::io::Write::write_all(&mut stdin, &text);
        drop(stdin);
        let output = child.wait_with_output().unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Outcome::Done(Done {
            stdout: text(&output.stdout),
            stderr: text(&output.stderr),
            exit_code: output.status.code().unwrap_or(-1),
        })
    }
}
