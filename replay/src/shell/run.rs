//! Runs a command line against a recording.

use super::command::{Patience, Stop};
use super::interpreter::{Halt, Shell};
use super::outcome::ShellOutcome;
use crate::files::VirtualFiles;
use crate::view::{View, ViewError};

/// Runs a command line against the recording. Where time passes, what waits without an end of its
/// own is stopped after `timeout` seconds. Only an unreadable recording is an error.
pub async fn run(
    view: &dyn View,
    files: &mut VirtualFiles,
    command: &str,
    timeout: i64,
) -> Result<ShellOutcome, ViewError> {
    let mut shell = Shell::new(view, files);
    shell.patience = Patience::new(view.now(), timeout);
    let done = shell.script(command, "bash: -c: ").await;
    shell.remove_process_files(0);
    shell.files.set_working_folder("/");
    let now = shell.view().now();
    let (stdout, stderr) = shell.streams.finish();
    let mut outcome = ShellOutcome {
        stdout,
        stderr,
        exit_code: shell.status,
        verdict: shell.verdict,
        may_write: shell.may_write,
        now,
    };
    match done {
        Err(Halt::Stop(Stop::View(error))) => return Err(error),
        Err(Halt::Stop(Stop::NotCaptured(what))) => outcome.notice(&what),
        Err(Halt::TimedOut) => outcome.timed_out(timeout),
        _ => {}
    }
    Ok(outcome.cut())
}
