//! `kubectl` on a recording: what the recorded cluster would have answered at the moment.
//!
//! [`run`] parses the arguments and hands over to one module per verb. Objects come from
//! [`cluster`], which knows the difference between "is not there" and "was not recorded"; the
//! server's tables, access reviews and selectors from [`crate::kubernetes`].

mod arguments;
mod auth;
mod client;
mod cluster;
#[cfg(test)]
mod commands;
mod custom_columns;
mod denied;
mod describe;
mod dump;
mod events;
mod exec;
mod explain;
mod failure;
mod get;
mod help;
mod logs;
mod manifest;
mod operands;
mod output;
mod policy_rules;
mod resources;
mod rollout;
mod sort_by;
mod table;
mod tabwriter;
mod template;
#[cfg(test)]
pub(crate) mod testing;
mod top;
mod wait;
mod waiting;
mod yaml;

use std::sync::atomic::{AtomicBool, Ordering};

use aiopslab_problems::environment::Verdict;

use crate::files::VirtualFiles;
use crate::kubernetes::{duration, object, quantity, selector, timestamp};
use crate::shell::{CommandOutput, Patience, Stop};
use crate::view::View;
use arguments::Arguments;
use cluster::Cluster;
pub(crate) use denied::{Change, change, changes_nothing};
use failure::Failure;

/// What a command may read besides the recording.
pub(crate) struct Input<'a> {
    /// Standard input.
    pub(crate) standard: Option<&'a str>,
    /// Files.
    pub(crate) files: &'a VirtualFiles,
    /// Whether standard input was read.
    pub(crate) was_read: AtomicBool,
    /// Whether the command would have changed the cluster, or may have.
    pub(crate) may_write: AtomicBool,
}

impl<'a> Input<'a> {
    fn read(&self) -> &'a str {
        self.was_read.store(true, Ordering::Relaxed);
        self.standard.unwrap_or_default()
    }
}

/// Runs `kubectl` with the arguments that follow its name. Where time passes, it waits no longer
/// than the shell has patience.
pub(crate) async fn run(
    view: &dyn View,
    words: &[String],
    input: &Input<'_>,
    patience: Patience,
) -> Result<CommandOutput, Stop> {
    let done = dispatch(view, words, input, patience).await;
    input
        .may_write
        .store(denied::may_write(words, &done), Ordering::Relaxed);
    match done {
        Ok(output) => Ok(output),
        Err(Failure::Message { text, verdict }) => Ok(CommandOutput::failed(text, 1, verdict)),
        Err(Failure::NotCaptured(what)) => Err(Stop::NotCaptured(what)),
        Err(Failure::View(error)) => Err(Stop::View(error)),
    }
}

async fn dispatch(
    view: &dyn View,
    words: &[String],
    input: &Input<'_>,
    patience: Patience,
) -> Result<CommandOutput, Failure> {
    let verb = arguments::verb(words);
    let Some((position, verb)) = verb else {
        return Ok(CommandOutput::answered(help::overview()));
    };
    if verb == "help" {
        return Ok(help::help(
            words.get(position + 1).map_or("", String::as_str),
        ));
    }
    let cluster = Cluster::open(view, patience).await?;
    if denied::is_write(verb, words) {
        return denied::refuse(&cluster, verb, position, words, input).await;
    }
    if let Some(refusal) = denied::interactive(verb) {
        return Err(refusal);
    }
    let command = arguments::command(verb, position, words);
    if !arguments::is_interpreted(&command) {
        return Err(if help::is_command(verb) {
            Failure::not_captured(format!(
                "kubectl {verb}: this command is not available in this recording"
            ))
        } else {
            Failure::invalid(help::unknown_command(verb))
        });
    }
    let arguments = Arguments::parse(&command, position, words)?;
    if arguments.is_set("help") {
        return Ok(help::help(verb));
    }
    for flag in ["as", "as-group", "as-uid"] {
        if arguments.value(flag).is_some() {
            return Err(Failure::not_captured(format!(
                "what another user may do (--{flag}) is not available in this recording"
            )));
        }
    }
    match command.as_str() {
        "get" => get::run(&cluster, &arguments).await,
        "describe" => describe::run(&cluster, &arguments).await,
        "logs" => logs::run(&cluster, &arguments).await,
        "events" => events::run(&cluster, &arguments).await,
        "top" => top::run(&cluster, &arguments).await,
        "rollout status" => rollout::status(&cluster, &arguments).await,
        "rollout history" => rollout::history(&cluster, &arguments).await,
        "wait" => wait::run(&cluster, &arguments).await,
        "auth can-i" => auth::can_i(&cluster, &arguments).await,
        "auth whoami" => auth::who_am_i(&cluster, &arguments).await,
        "explain" => explain::run(&cluster, &arguments).await,
        "exec" => exec::run(&cluster, &arguments).await,
        "rollout" | "auth" => Err(help::unknown_subcommand(verb, &arguments.operands)),
        _ => client::run(&cluster, verb, &arguments).await,
    }
}

/// An output that ends with error lines.
fn with_errors(mut output: CommandOutput, errors: &[(String, Verdict)]) -> CommandOutput {
    for (text, verdict) in errors {
        // Of several errors kubectl shows the bare texts.
        let bare = text.strip_prefix("error: ").filter(|_| errors.len() > 1);
        output.stderr.push_str(bare.unwrap_or(text));
        output.stderr.push('\n');
        output.exit_code = 1;
        output.verdict = output.verdict.max(*verdict);
    }
    output
}
