//! The shell at work: what it holds while it walks a tree.

use std::sync::Arc;

use aiopslab_problems::environment::Verdict;
use futures::future::BoxFuture;

use super::command::{CommandOutput, Patience, Stop};
use super::limits::{self, Budget};
use super::parse::{self, SyntaxError};
use super::state::{AssignError, State};
use super::streams::{Streams, Target};
use crate::files::VirtualFiles;
use crate::view::View;

/// Why the commands that follow don't run.
#[derive(Debug)]
pub(super) enum Halt {
    /// The action ends, whatever is around it.
    Stop(Stop),
    /// The shell ends with the status that is set.
    Exit,
    /// What runs is stopped: it takes longer than it may.
    TimedOut,
    /// The line ends after a mistake in an expansion.
    Line,
    Return,
    Break(usize),
    Continue(usize),
}

impl From<Stop> for Halt {
    fn from(stop: Stop) -> Self {
        Self::Stop(stop)
    }
}

/// What running something comes to; its status is the shell's.
pub(super) type Done = Result<(), Halt>;

/// The future of [`Done`]: walking a tree is recursive.
pub(super) type Running<'s> = BoxFuture<'s, Done>;

/// A shell and all that it works on.
pub(super) struct Shell<'a> {
    /// The recording when the shell began; see [`Shell::view`].
    pub(super) began: &'a dyn View,
    /// The recording at a later moment, if time has passed.
    pub(super) later: Option<Arc<dyn View>>,
    pub(super) patience: Patience,
    pub(super) files: &'a mut VirtualFiles,
    pub(super) state: State,
    pub(super) streams: Streams,
    pub(super) budget: Budget,
    /// The worst of what ran.
    pub(super) verdict: Verdict,
    /// Whether something would have changed the cluster, or may have.
    pub(super) may_write: bool,
    /// `$?`
    pub(super) status: i32,
    /// Line of the command that runs.
    pub(super) line: usize,
    /// `${PIPESTATUS[@]}`
    pub(super) pipe_statuses: Vec<i32>,
    /// Blocks, substitutions and functions around what runs.
    pub(super) depth: usize,
    /// Loops around it, within the function.
    pub(super) loops: usize,
    /// Above 0 where `set -e` does not look.
    pub(super) errors_ignored: usize,
    /// Status of the last `$( )` of the command.
    pub(super) substitution_status: Option<i32>,
    /// Files that run with `source`.
    pub(super) sourcing: usize,
    /// Files that stand for `<( )` until the command is done.
    pub(super) process_files: Vec<String>,
}

impl<'a> Shell<'a> {
    pub(super) fn new(view: &'a dyn View, files: &'a mut VirtualFiles) -> Self {
        files.set_working_folder("/");
        Self {
            began: view,
            later: None,
            patience: Patience::new(view.now(), 0),
            files,
            state: State::new(),
            streams: Streams::new(),
            budget: Budget::new(),
            verdict: Verdict::Answered,
            may_write: false,
            status: 0,
            line: 1,
            pipe_statuses: vec![0],
            depth: 0,
            loops: 0,
            errors_ignored: 0,
            substitution_status: None,
            sourcing: 0,
            process_files: Vec::new(),
        }
    }

    /// Runs a script, line by line. `place` starts its error messages.
    pub(super) fn script<'s>(&'s mut self, text: &'s str, place: &'s str) -> Running<'s> {
        Box::pin(async move {
            let script = parse::parse(text, self.depth);
            // What can't be interpreted ends the action before any of it runs.
            if let Some(SyntaxError::Unsupported(_)) = &script.error
                && let Some(error) = script.error
            {
                error.into_output(place)?;
                return Ok(());
            }
            // A script within the script: its author is not the agent, but a loop.
            if let Some(SyntaxError::TooDeep) = &script.error
                && self.depth > 0
            {
                return Err(too_deep().into());
            }
            for line in &script.lines {
                match self.list(line).await {
                    Err(Halt::Line) => {}
                    other => other?,
                }
            }
            match script.error {
                Some(error) => {
                    let output = error.into_output(place)?;
                    self.emit(output)
                }
                None => Ok(()),
            }
        })
    }

    /// Goes one level deeper.
    pub(super) fn enter(&mut self) -> Result<(), Stop> {
        // The outermost command is on level 0.
        if self.depth > limits::NESTING {
            return Err(too_deep());
        }
        self.depth += 1;
        Ok(())
    }

    /// Runs something in a shell of its own: nothing but files and the status comes out of it.
    pub(super) async fn subshell(&mut self, list: &super::ast::List) -> Done {
        let saved = self.save();
        let done = self.list(list).await;
        self.restore(saved);
        ended(done)
    }

    /// What a subshell may not change.
    pub(super) fn save(&mut self) -> Saved {
        Saved {
            state: self.state.clone(),
            targets: self.streams.targets.clone(),
            inputs: self.streams.inputs(),
            loops: std::mem::take(&mut self.loops),
        }
    }

    /// Leaves a subshell.
    pub(super) fn restore(&mut self, saved: Saved) {
        self.files.set_working_folder(&saved.state.working_folder);
        self.state = saved.state;
        self.streams.targets = saved.targets;
        self.streams.truncate_inputs(saved.inputs);
        self.loops = saved.loops;
    }

    /// Prints to a descriptor.
    pub(super) fn print(&mut self, descriptor: u32, text: &str) -> Done {
        if text.is_empty() {
            return Ok(());
        }
        self.budget.piped(text.len())?;
        match self.streams.targets.get(&descriptor).cloned() {
            None | Some(Target::Input(_)) => {
                self.status = 1;
                if descriptor != 2 {
                    self.complain("write error: Bad file descriptor")?;
                }
                Ok(())
            }
            Some(target) => self.print_to(&target, text),
        }
    }

    /// Prints to where a descriptor leads.
    pub(super) fn print_to(&mut self, target: &Target, text: &str) -> Done {
        match target {
            Target::Sink(sink) => self.streams.write(*sink, text),
            Target::File(path) => {
                if self.files.bytes() + text.len() > limits::FILE_BYTES {
                    let what = format!("files of more than {} bytes", limits::FILE_BYTES);
                    return Err(limits::exceeded(&what).into());
                }
                self.files.append(path.as_ref(), text);
            }
            // What is read can't be written.
            Target::Null | Target::Input(_) => {}
        }
        Ok(())
    }

    /// Prints what a command answered, and lets the time pass that it waited.
    pub(super) fn emit(&mut self, output: CommandOutput) -> Done {
        self.verdict = self.verdict.max(output.verdict);
        self.status = output.exit_code;
        self.print(1, &output.stdout)?;
        self.print(2, &output.stderr)?;
        match output.waited {
            Some(waited) => self.waited(waited),
            None => Ok(()),
        }
    }

    /// Prints an error in bash's name.
    pub(super) fn complain(&mut self, message: &str) -> Done {
        let line = format!("{}: line {}: {message}\n", self.state.place, self.line);
        self.print(2, &line)
    }

    /// Fails with an error in bash's name.
    pub(super) fn fail(&mut self, status: i32, message: &str) -> Done {
        self.status = status;
        self.complain(message)
    }

    /// Fails because of how something was called.
    pub(super) fn misused(&mut self, status: i32, message: &str) -> Done {
        self.verdict = self.verdict.max(Verdict::Invalid);
        self.fail(status, message)
    }

    /// Tells why a variable could not be changed.
    pub(super) fn not_assigned(&mut self, error: &AssignError) -> Done {
        match error {
            AssignError::TooMany => {
                let what = format!("more than {} variables", limits::VARIABLES);
                Err(limits::exceeded(&what).into())
            }
            error => self.misused(1, &error.to_string()),
        }
    }
}

/// What a subshell may not change.
pub(super) struct Saved {
    state: State,
    targets: std::collections::BTreeMap<u32, Target>,
    inputs: usize,
    loops: usize,
}

fn too_deep() -> Stop {
    limits::exceeded(&format!("more than {} levels of nesting", limits::NESTING))
}

/// A subshell that ends is only done.
pub(super) fn ended(done: Done) -> Done {
    match done {
        Err(halt @ (Halt::Stop(_) | Halt::TimedOut)) => Err(halt),
        _ => Ok(()),
    }
}

/// The notice for a program that is not here. Whether it would be elsewhere can't be known.
pub(super) fn unavailable(what: &str) -> Stop {
    Stop::NotCaptured(format!(
        "{what}: this command is not available in this recording"
    ))
}

/// The notice for a path of which nothing is known.
pub(super) fn unknown_path(path: &str) -> Stop {
    Stop::NotCaptured(format!(
        "{path}: this file is not available in this recording"
    ))
}
