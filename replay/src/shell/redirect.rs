//! Redirections, from left to right.

use aiopslab_problems::environment::Verdict;

use super::ast::{Redirection, RedirectionKind, Word};
use super::interpreter::{Halt, Shell, unknown_path};
use super::limits;
use super::streams::Target;

/// What a path of a redirection leads to.
enum Opened {
    Target(Target),
    /// It can't be opened; the error is printed.
    Failed,
}

impl Shell<'_> {
    /// Connects descriptors; tells whether all of them could be.
    pub(super) async fn redirect(&mut self, redirections: &[Redirection]) -> Result<bool, Halt> {
        for redirection in redirections {
            if !self.redirect_one(redirection).await? {
                self.status = 1;
                return Ok(false);
            }
        }
        Ok(true)
    }

    async fn redirect_one(&mut self, redirection: &Redirection) -> Result<bool, Halt> {
        let descriptor = redirection.descriptor;
        match &redirection.kind {
            RedirectionKind::HereDocument(text) => {
                let text = match text.get() {
                    Some(word) => self.text(word).await?,
                    None => String::new(),
                };
                let input = self.streams.push_input(text);
                self.connect(descriptor.unwrap_or(0), input);
            }
            RedirectionKind::HereString(word) => {
                let text = self.text(word).await?;
                let input = self.streams.push_input(format!("{text}\n"));
                self.connect(descriptor.unwrap_or(0), input);
            }
            RedirectionKind::Read(word) => {
                let Some(path) = self.one_path(word).await? else {
                    return Ok(false);
                };
                let Opened::Target(target) = self.open_input(&path)? else {
                    return Ok(false);
                };
                self.connect(descriptor.unwrap_or(0), target);
            }
            RedirectionKind::Write(word) | RedirectionKind::Append(word) => {
                let append = matches!(redirection.kind, RedirectionKind::Append(_));
                let Some(target) = self.output_of(word, append).await? else {
                    return Ok(false);
                };
                self.connect(descriptor.unwrap_or(1), target);
            }
            RedirectionKind::Both { target, append } => {
                let Some(target) = self.output_of(target, *append).await? else {
                    return Ok(false);
                };
                self.connect(1, target.clone());
                self.connect(2, target);
            }
            RedirectionKind::Duplicate(word) => return self.duplicate(descriptor, word).await,
        }
        Ok(true)
    }

    async fn duplicate(&mut self, descriptor: Option<u32>, word: &Word) -> Result<bool, Halt> {
        let Some(text) = self.one_path(word).await? else {
            return Ok(false);
        };
        let from = descriptor.unwrap_or(1);
        if text == "-" {
            self.streams.targets.remove(&from);
            return Ok(true);
        }
        match text.parse::<u32>() {
            Ok(number) => match self.streams.targets.get(&number).cloned() {
                Some(target) => self.connect(from, target),
                // Nothing is connected to standard input: it reads as empty.
                None if number == 0 => self.connect(from, Target::Null),
                None => {
                    self.complain(&format!("{text}: Bad file descriptor"))?;
                    return Ok(false);
                }
            },
            Err(_) if descriptor.is_none() => {
                let Opened::Target(target) = self.open_output(&text, false)? else {
                    return Ok(false);
                };
                self.connect(1, target.clone());
                self.connect(2, target);
            }
            Err(_) => {
                self.complain(&format!("{text}: ambiguous redirect"))?;
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// The path of a redirection, which has to be one word.
    async fn one_path(&mut self, word: &Word) -> Result<Option<String>, Halt> {
        let mut fields = self.fields(std::slice::from_ref(word)).await?;
        if fields.len() == 1 {
            return Ok(fields.pop());
        }
        self.complain(&format!("{}: ambiguous redirect", word.source))?;
        Ok(None)
    }

    async fn output_of(&mut self, word: &Word, append: bool) -> Result<Option<Target>, Halt> {
        let Some(path) = self.one_path(word).await? else {
            return Ok(None);
        };
        Ok(match self.open_output(&path, append)? {
            Opened::Target(target) => Some(target),
            Opened::Failed => None,
        })
    }

    fn open_input(&mut self, path: &str) -> Result<Opened, Halt> {
        if let Some(target) = self.device(path, 0) {
            return Ok(Opened::Target(target));
        }
        if let Some(text) = self.files.read(path) {
            let text = text.to_owned();
            self.budget.piped(text.len())?;
            return Ok(Opened::Target(self.streams.push_input(text)));
        }
        if self.files.is_folder(path) {
            self.complain(&format!("{path}: Is a directory"))?;
        } else if path.is_empty() || self.files.is_known(path) {
            self.verdict = self.verdict.max(Verdict::Empty);
            self.complain(&format!("{path}: No such file or directory"))?;
        } else {
            return Err(unknown_path(path).into());
        }
        Ok(Opened::Failed)
    }

    fn open_output(&mut self, path: &str, append: bool) -> Result<Opened, Halt> {
        if let Some(target) = self.device(path, 1) {
            return Ok(Opened::Target(target));
        }
        if !self.writable(path)? {
            return Ok(Opened::Failed);
        }
        if append {
            self.files.append(path, "");
        } else {
            self.files.write(path, "");
        }
        let path = self.files.resolve(path);
        Ok(Opened::Target(Target::File(path.into())))
    }

    /// Whether a file can be written; otherwise the error is printed. Folders of the recorded
    /// machine are unknown, so nothing is written there.
    pub(super) fn writable(&mut self, path: &str) -> Result<bool, Halt> {
        match self.can_write(path)? {
            None => Ok(true),
            Some(reason) => {
                self.complain(&format!("{path}: {reason}"))?;
                Ok(false)
            }
        }
    }

    /// Why a file can't be written; none if it can be.
    pub(super) fn can_write(&self, path: &str) -> Result<Option<&'static str>, Halt> {
        let absolute = self.files.resolve(path);
        let (folder, name) = absolute.rsplit_once('/').unwrap_or(("", &absolute));
        if path.is_empty() {
            return Ok(Some("No such file or directory"));
        }
        if name.is_empty() || path.ends_with('/') || self.files.is_folder(path) {
            return Ok(Some("Is a directory"));
        }
        // An empty one is the root.
        if self.files.is_writable(format!("{folder}/")) {
            return Ok(None);
        }
        if self.files.read(folder).is_some() {
            return Ok(Some("Not a directory"));
        }
        if self.files.is_known(folder) {
            return Ok(Some("No such file or directory"));
        }
        Err(unknown_path(folder).into())
    }

    /// Writes a file within the limits.
    pub(super) fn store(&mut self, path: &str, text: String) -> Result<(), Halt> {
        self.budget.piped(text.len())?;
        if self.files.bytes() + text.len() > limits::FILE_BYTES {
            let what = format!("files of more than {} bytes", limits::FILE_BYTES);
            return Err(limits::exceeded(&what).into());
        }
        self.files.write(path, text);
        Ok(())
    }

    /// What `/dev/…` stands for.
    pub(super) fn device(&self, path: &str, standard: u32) -> Option<Target> {
        let descriptor = match path {
            "/dev/null" => return Some(Target::Null),
            "/dev/stdin" => 0,
            "/dev/stdout" => 1,
            "/dev/stderr" => 2,
            "/dev/tty" => standard,
            _ if self.files.read(path).is_some() => return None,
            _ => path.strip_prefix("/dev/fd/")?.parse().ok()?,
        };
        Some(
            self.streams
                .targets
                .get(&descriptor)
                .cloned()
                .unwrap_or(Target::Null),
        )
    }

    /// Removes the files that stood for `<( )`, but for the first ones.
    pub(super) fn remove_process_files(&mut self, keep: usize) {
        for path in self
            .process_files
            .split_off(keep.min(self.process_files.len()))
        {
            self.files.remove(path);
        }
    }

    /// Makes a file that stands for what commands print.
    pub(super) fn process_file(&mut self, text: String) -> Result<String, Halt> {
        let number = 63usize
            .checked_sub(self.process_files.len())
            .ok_or_else(|| limits::exceeded("more than 64 process substitutions"))?;
        let path = format!("/dev/fd/{number}");
        self.files.write(&path, text);
        self.process_files.push(path.clone());
        Ok(path)
    }
}
