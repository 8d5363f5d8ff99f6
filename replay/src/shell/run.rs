//! Walks the tree of a command line.

use aiopslab_problems::environment::Verdict;

use super::command::{CommandOutput, Stop};
use super::syntax::{self, Command, Pipeline, Redirection, SyntaxError, When};
use super::{limits, text_tools};
use crate::files::VirtualFiles;
use crate::kubectl;
use crate::view::{View, ViewError};

/// What a command line did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShellOutcome {
    /// Standard output.
    pub stdout: String,
    /// Standard error, with the notice if something is not in the recording.
    pub stderr: String,
    /// Exit code of the last pipeline; 126 after a notice.
    pub exit_code: i32,
    /// The worst of what ran.
    pub verdict: Verdict,
}

impl ShellOutcome {
    /// What the agent reads: standard output, then standard error.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = self.stdout.clone();
        if !text.is_empty() && !text.ends_with('\n') && !self.stderr.is_empty() {
            text.push('\n');
        }
        text.push_str(&self.stderr);
        text
    }
}

/// Runs a command line against the recording. Only an unreadable recording is an error.
pub async fn run(
    view: &dyn View,
    files: &mut VirtualFiles,
    command: &str,
) -> Result<ShellOutcome, ViewError> {
    let script = match syntax::parse(command) {
        Ok(script) => script,
        Err(error) => return Ok(refused(&error)),
    };
    let mut shell = Shell {
        view,
        files,
        commands_left: limits::COMMANDS,
        outcome: ShellOutcome {
            stdout: String::new(),
            stderr: String::new(),
            exit_code: 0,
            verdict: Verdict::Answered,
        },
    };
    for step in &script.steps {
        let succeeded = shell.outcome.exit_code == 0;
        let runs = match step.when {
            When::Always => true,
            When::Succeeded => succeeded,
            When::Failed => !succeeded,
        };
        if !runs {
            continue;
        }
        match shell.pipeline(&step.pipeline).await {
            Ok(()) => {}
            Err(Stop::View(error)) => return Err(error),
            Err(Stop::NotCaptured(what)) => {
                shell.notice(&what);
                break;
            }
        }
    }
    Ok(shell.finish())
}

fn refused(error: &SyntaxError) -> ShellOutcome {
    ShellOutcome {
        stdout: String::new(),
        stderr: format!("sh: {error}\n"),
        exit_code: 2,
        verdict: Verdict::Invalid,
    }
}

struct Shell<'a> {
    view: &'a dyn View,
    files: &'a mut VirtualFiles,
    commands_left: usize,
    outcome: ShellOutcome,
}

impl Shell<'_> {
    async fn pipeline(&mut self, pipeline: &Pipeline) -> Result<(), Stop> {
        let mut input: Option<String> = None;
        let last = pipeline.commands.len().saturating_sub(1);
        for (position, command) in pipeline.commands.iter().enumerate() {
            let mut output = self.command(command, input.take()).await?;
            self.outcome.verdict = self.outcome.verdict.max(output.verdict);
            self.outcome.stderr.push_str(&output.stderr);
            if position < last {
                input = Some(std::mem::take(&mut output.stdout));
            } else {
                self.outcome.stdout.push_str(&output.stdout);
                self.outcome.exit_code = match (pipeline.negated, output.exit_code) {
                    (false, code) => code,
                    (true, 0) => 1,
                    (true, _) => 0,
                };
            }
        }
        Ok(())
    }

    async fn command(
        &mut self,
        command: &Command,
        input: Option<String>,
    ) -> Result<CommandOutput, Stop> {
        let (words, redirections) = match command {
            Command::Simple {
                words,
                redirections,
            } => (words, redirections),
            Command::Unsupported(what) => return Err(Stop::NotCaptured(unavailable(what))),
        };
        if self.commands_left == 0 {
            return Err(Stop::NotCaptured(format!(
                "more than {} commands in one action are not available in this recording",
                limits::COMMANDS
            )));
        }
        self.commands_left -= 1;
        let Some((name, arguments)) = words.split_first() else {
            return Ok(CommandOutput::answered(""));
        };
        let input = if redirections.contains(&Redirection::EmptyStdin) {
            Some(String::new())
        } else {
            input
        };
        // A path to a program is the program.
        let program = name.rsplit('/').next().unwrap_or(name);
        let output = if program == "kubectl" {
            kubectl::run(self.view, arguments).await?
        } else {
            let context = text_tools::Context {
                now: self.view.now(),
                files: &*self.files,
                input: input.as_deref(),
                input_was_read: std::cell::Cell::default(),
                written: std::cell::RefCell::default(),
            };
            let result = text_tools::run(program, arguments, &context);
            for (path, text) in context.written.take() {
                self.files.write(path, text);
            }
            match result {
                Some(result) => result?,
                None => return Err(Stop::NotCaptured(unavailable(name))),
            }
        };
        Ok(redirect(output, redirections))
    }

    fn notice(&mut self, what: &str) {
        if !self.outcome.stderr.is_empty() && !self.outcome.stderr.ends_with('\n') {
            self.outcome.stderr.push('\n');
        }
        self.outcome.stderr.push_str("notice: ");
        self.outcome.stderr.push_str(what);
        self.outcome.stderr.push('\n');
        self.outcome.exit_code = 126;
        self.outcome.verdict = Verdict::NotCaptured;
    }

    fn finish(mut self) -> ShellOutcome {
        for text in [&mut self.outcome.stdout, &mut self.outcome.stderr] {
            if text.len() > limits::OUTPUT_BYTES {
                let mut end = limits::OUTPUT_BYTES;
                while !text.is_char_boundary(end) {
                    end -= 1;
                }
                text.truncate(end);
                text.push_str("\nnotice: the rest of the output was cut\n");
                self.outcome.verdict = self.outcome.verdict.max(Verdict::Partial);
            }
        }
        self.outcome
    }
}

fn unavailable(what: &str) -> String {
    format!("{what}: this command is not available in this recording")
}

/// Applies redirections from left to right, as a shell does.
fn redirect(output: CommandOutput, redirections: &[Redirection]) -> CommandOutput {
    #[derive(Clone, Copy, PartialEq)]
    enum Target {
        Stdout,
        Stderr,
        Nowhere,
    }
    let (mut stdout_to, mut stderr_to) = (Target::Stdout, Target::Stderr);
    for redirection in redirections {
        match redirection {
            Redirection::DiscardStdout => stdout_to = Target::Nowhere,
            Redirection::DiscardStderr => stderr_to = Target::Nowhere,
            Redirection::DiscardBoth => (stdout_to, stderr_to) = (Target::Nowhere, Target::Nowhere),
            Redirection::StderrToStdout => stderr_to = stdout_to,
            Redirection::StdoutToStderr => stdout_to = stderr_to,
            Redirection::EmptyStdin => {}
        }
    }
    let (mut stdout, mut stderr) = (String::new(), String::new());
    for (text, target) in [(&output.stdout, stdout_to), (&output.stderr, stderr_to)] {
        match target {
            Target::Stdout => stdout.push_str(text),
            Target::Stderr => stderr.push_str(text),
            Target::Nowhere => {}
        }
    }
    CommandOutput {
        stdout,
        stderr,
        ..output
    }
}
