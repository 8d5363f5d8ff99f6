//! Runs a script over lines.

mod substitute;

use super::super::pattern::Pattern;
use super::super::steps::Steps;
use super::super::{Context, Halt, inputs, print};
use super::script::{Action, Address, Command, Script};

/// The lines of one or several texts, one after the other.
pub(super) struct Stream<'a> {
    /// Lines with their ends, and the names of their files.
    lines: std::vec::IntoIter<(&'a str, Option<&'a str>)>,
}

impl<'a> Stream<'a> {
    pub(super) fn new(texts: &[(Option<&'a str>, &'a str)]) -> Self {
        let mut lines = Vec::new();
        for (name, text) in texts {
            lines.extend(text.split_inclusive('\n').map(|line| (line, *name)));
        }
        Self {
            lines: lines.into_iter(),
        }
    }
}

/// What a command does with the flow.
enum Flow {
    /// The command at this position is next.
    Go(usize),
    /// The cycle ends; `true` prints the pattern space.
    EndCycle(bool),
    /// `D`: the script starts again without reading a line.
    Restart,
    /// The run ends; `true` prints the pattern space.
    Quit(bool),
}

/// The state of a run.
pub(super) struct Machine<'a> {
    script: &'a Script,
    quiet: bool,
    context: &'a Context<'a>,
    steps: Steps,
    space: String,
    held: String,
    /// Whether the line in the pattern space had a line end.
    ended: bool,
    /// The same of the hold space.
    held_ended: bool,
    line: u64,
    file: Option<&'a str>,
    /// Of each command with two addresses: whether it is within its range, and where that ends.
    ranges: Vec<Range>,
    substituted: bool,
    appended: Vec<Appended<'a>>,
    last_pattern: Option<&'a Pattern>,
    output: String,
    /// Whether the output lacks a line end.
    open: bool,
    exit_code: Option<i32>,
    written: Vec<(String, String)>,
    rest: String,
}

/// Where a command stands with its two addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Range {
    Outside,
    /// Until a line; none is known for patterns and the last line.
    Inside(Option<u64>),
}

enum Appended<'a> {
    Text(&'a str),
    File(&'a str),
}

impl<'a> Machine<'a> {
    pub(super) fn new(script: &'a Script, quiet: bool, context: &'a Context<'a>) -> Self {
        let ranges = script.commands.iter().map(|command| match command.first {
            Some(Address::BeforeFirst) => Range::Inside(None),
            _ => Range::Outside,
        });
        Self {
            quiet,
            context,
            steps: Steps::new("sed"),
            space: String::new(),
            held: String::new(),
            ended: true,
            held_ended: true,
            line: 0,
            file: None,
            ranges: ranges.collect(),
            script,
            substituted: false,
            appended: Vec::new(),
            last_pattern: None,
            output: String::new(),
            open: false,
            exit_code: None,
            written: Vec::new(),
            rest: String::new(),
        }
    }

    /// The exit code that `q` gave.
    pub(super) fn exit_code(&self) -> Option<i32> {
        self.exit_code
    }

    pub(super) fn take_output(&mut self) -> String {
        self.open = false;
        std::mem::take(&mut self.output)
    }

    /// What was not read.
    pub(super) fn take_rest(&mut self) -> String {
        std::mem::take(&mut self.rest)
    }

    pub(super) fn into_written(self) -> Vec<(String, String)> {
        self.written
    }

    /// Runs the script over a stream.
    pub(super) fn run(&mut self, mut stream: Stream<'a>) -> Result<(), Halt> {
        let mut restart = false;
        loop {
            if !restart && !self.read(&mut stream)? {
                return Ok(());
            }
            restart = false;
            let mut position = 0;
            let flow = loop {
                match self.step(position, &mut stream)? {
                    Flow::Go(next) => position = next,
                    other => break other,
                }
            };
            let (Flow::EndCycle(shown) | Flow::Quit(shown)) = flow else {
                self.end_cycle(false)?;
                restart = true;
                continue;
            };
            self.end_cycle(shown && !self.quiet)?;
            if matches!(flow, Flow::Quit(_)) {
                self.rest = stream.lines.by_ref().map(|(line, _)| line).collect();
                return Ok(());
            }
        }
    }

    fn read(&mut self, stream: &mut Stream<'a>) -> Result<bool, Halt> {
        let Some((line, file)) = stream.lines.next() else {
            return Ok(false);
        };
        self.set_line(line, file, false)?;
        Ok(true)
    }

    fn set_line(&mut self, line: &'a str, file: Option<&'a str>, append: bool) -> Result<(), Halt> {
        let body = line.strip_suffix('\n');
        self.ended = body.is_some();
        if append {
            self.space.push('\n');
        } else {
            self.space.clear();
        }
        self.space.push_str(body.unwrap_or(line));
        self.steps.take(self.space.len())?;
        self.line += 1;
        self.file = file;
        self.substituted &= append;
        Ok(())
    }

    fn end_cycle(&mut self, shown: bool) -> Result<(), Halt> {
        if shown {
            let space = std::mem::take(&mut self.space);
            self.line_out(&space)?;
            self.space = space;
        }
        self.print_appended()
    }

    fn print_appended(&mut self) -> Result<(), Halt> {
        for appended in std::mem::take(&mut self.appended) {
            match appended {
                Appended::Text(text) => self.out(text)?,
                Appended::File(path) => {
                    if let Ok(text) = inputs::read(path, self.context)? {
                        self.out(text)?;
                    }
                }
            }
        }
        Ok(())
    }

    fn out(&mut self, text: &str) -> Result<(), Halt> {
        if text.is_empty() {
            return Ok(());
        }
        if std::mem::take(&mut self.open) {
            print("sed", &mut self.output, "\n")?;
        }
        print("sed", &mut self.output, text)
    }

    /// Prints a line; the last line of a text may have no line end.
    fn line_out(&mut self, line: &str) -> Result<(), Halt> {
        if std::mem::take(&mut self.open) {
            print("sed", &mut self.output, "\n")?;
        }
        print("sed", &mut self.output, line)?;
        match self.ended {
            true => print("sed", &mut self.output, "\n"),
            false => {
                self.open = true;
                Ok(())
            }
        }
    }

    fn step(&mut self, position: usize, stream: &mut Stream<'a>) -> Result<Flow, Halt> {
        let script = self.script;
        let Some(command) = script.commands.get(position) else {
            return Ok(Flow::EndCycle(true));
        };
        self.steps.take(self.space.len())?;
        let is_last = stream.lines.as_slice().is_empty();
        let next = Flow::Go(position + 1);
        if self.selects(position, command, is_last)? == command.negated {
            return Ok(match command.action {
                Action::Block(behind) => Flow::Go(behind),
                _ => next,
            });
        }
        self.act(position, command, stream)
    }

    fn act(
        &mut self,
        position: usize,
        command: &'a Command,
        stream: &mut Stream<'a>,
    ) -> Result<Flow, Halt> {
        let next = Flow::Go(position + 1);
        match &command.action {
            Action::Block(_) | Action::Nothing => {}
            Action::Append(text) => self.append(Appended::Text(text))?,
            Action::Insert(text) => self.out(text)?,
            Action::Change(text) => {
                let within = matches!(self.ranges.get(position), Some(Range::Inside(_)));
                if command.last.is_none() || command.negated || !within {
                    self.out(text)?;
                }
                return Ok(Flow::EndCycle(false));
            }
            Action::Delete => return Ok(Flow::EndCycle(false)),
            Action::DeleteFirst => match self.space.split_once('\n') {
                None => return Ok(Flow::EndCycle(false)),
                Some((_, rest)) => {
                    self.space = rest.to_owned();
                    return Ok(Flow::Restart);
                }
            },
            Action::Print => {
                let space = self.space.clone();
                self.line_out(&space)?;
            }
            Action::PrintFirst => match self.space.split_once('\n') {
                Some((first, _)) => {
                    let first = format!("{first}\n");
                    self.out(&first)?;
                }
                None => {
                    let space = self.space.clone();
                    self.line_out(&space)?;
                }
            },
            Action::Next | Action::AppendNext => return self.next_line(position, command, stream),
            Action::Hold => {
                self.held.clone_from(&self.space);
                self.held_ended = self.ended;
            }
            Action::AppendHold => {
                self.held.push('\n');
                self.held.push_str(&self.space);
                self.held_ended = self.ended;
                self.steps.take(self.held.len())?;
            }
            Action::Get => {
                self.space.clone_from(&self.held);
                self.ended = self.held_ended;
            }
            Action::AppendGet => {
                self.space.push('\n');
                self.space.push_str(&self.held);
                self.ended = self.held_ended;
                self.steps.take(self.space.len())?;
            }
            Action::Exchange => {
                std::mem::swap(&mut self.space, &mut self.held);
                std::mem::swap(&mut self.ended, &mut self.held_ended);
            }
            Action::LineNumber => self.out(&format!("{}\n", self.line))?,
            Action::FileName => self.out(&format!("{}\n", self.file.unwrap_or("-")))?,
            Action::Zap => self.space.clear(),
            Action::Quit(code) | Action::QuitSilently(code) => {
                self.exit_code = Some(*code);
                let silent = matches!(command.action, Action::QuitSilently(_));
                if silent {
                    self.appended.clear();
                }
                return Ok(Flow::Quit(!silent));
            }
            Action::Branch(target) => return Ok(Flow::Go(*target)),
            Action::BranchIf(target) => {
                if std::mem::take(&mut self.substituted) {
                    return Ok(Flow::Go(*target));
                }
            }
            Action::BranchUnless(target) => {
                if !std::mem::take(&mut self.substituted) {
                    return Ok(Flow::Go(*target));
                }
            }
            Action::Read(path) => self.append(Appended::File(path))?,
            Action::Write(path) => {
                let line = format!("{}\n", self.space);
                self.write(path, &line);
            }
            Action::Translate(pairs) => {
                let translated = |c: char| {
                    let pair = pairs.iter().find(|(from, _)| *from == c);
                    pair.map_or(c, |(_, to)| *to)
                };
                self.steps
                    .take(self.space.len().saturating_mul(pairs.len() / 16 + 1))?;
                self.space = self.space.chars().map(translated).collect();
            }
            Action::Substitute(substitution) => self.substitute(substitution)?,
        }
        Ok(next)
    }

    fn append(&mut self, appended: Appended<'a>) -> Result<(), Halt> {
        self.appended.push(appended);
        self.steps.take(64 * self.appended.len())
    }

    fn write(&mut self, path: &str, text: &str) {
        match self.written.iter_mut().find(|(known, _)| known == path) {
            Some((_, written)) => written.push_str(text),
            None => self.written.push((path.to_owned(), text.to_owned())),
        }
    }

    /// `n` and `N`: without a next line, the run ends.
    fn next_line(
        &mut self,
        position: usize,
        command: &'a Command,
        stream: &mut Stream<'a>,
    ) -> Result<Flow, Halt> {
        let append = matches!(command.action, Action::AppendNext);
        if stream.lines.as_slice().is_empty() {
            return Ok(Flow::Quit(true));
        }
        if append {
            self.print_appended()?;
        } else {
            self.end_cycle(!self.quiet)?;
        }
        if let Some((line, file)) = stream.lines.next() {
            let substituted = self.substituted;
            self.set_line(line, file, append)?;
            self.substituted = substituted;
        }
        Ok(Flow::Go(position + 1))
    }

    /// Whether a command's addresses select the line.
    fn selects(
        &mut self,
        position: usize,
        command: &'a Command,
        is_last: bool,
    ) -> Result<bool, Halt> {
        let Some(first) = &command.first else {
            return Ok(true);
        };
        let Some(last) = &command.last else {
            return self.matches(first, is_last);
        };
        let line = self.line;
        let range = self.ranges.get(position).copied().unwrap_or(Range::Outside);
        let (selected, range) = match range {
            Range::Outside if !self.matches(first, is_last)? => (false, Range::Outside),
            Range::Outside => {
                let end = match *last {
                    Address::Line(end) => Some(end),
                    Address::Following(lines) => Some(line.saturating_add(lines)),
                    Address::Multiple(0) => Some(line),
                    Address::Multiple(of) => Some(line.div_ceil(of).saturating_mul(of)),
                    _ => None,
                };
                let ends = end.is_some_and(|end| end <= line)
                    || (matches!(last, Address::Last) && is_last);
                (
                    true,
                    if ends {
                        Range::Outside
                    } else {
                        Range::Inside(end)
                    },
                )
            }
            Range::Inside(Some(end)) => match line.cmp(&end) {
                std::cmp::Ordering::Less => (true, range),
                std::cmp::Ordering::Equal => (true, Range::Outside),
                // Lines were skipped by `n` or `N`.
                std::cmp::Ordering::Greater => (self.matches(first, is_last)?, Range::Outside),
            },
            Range::Inside(None) => {
                let ends = self.matches(last, is_last)?;
                (true, if ends { Range::Outside } else { range })
            }
        };
        if let Some(slot) = self.ranges.get_mut(position) {
            *slot = range;
        }
        Ok(selected)
    }

    fn matches(&mut self, address: &'a Address, is_last: bool) -> Result<bool, Halt> {
        Ok(match address {
            Address::Line(line) => *line == self.line,
            Address::Step(first, 0) => *first == self.line,
            Address::Step(first, step) => {
                self.line >= *first && (self.line - first).is_multiple_of(*step)
            }
            Address::Last => is_last,
            Address::Matching(pattern) => self.pattern(pattern.as_deref())?.is_match(&self.space),
            Address::Following(_) | Address::Multiple(_) | Address::BeforeFirst => false,
        })
    }

    /// The pattern, or the last one that was used.
    fn pattern(&mut self, pattern: Option<&'a Pattern>) -> Result<&'a Pattern, Halt> {
        self.last_pattern = pattern.or(self.last_pattern);
        let message = "sed: -e expression #1, char 0: no previous regular expression";
        self.last_pattern.ok_or_else(|| Halt::failed(message, 1))
    }
}
