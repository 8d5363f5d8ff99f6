//! Runs a command line against a recording.

use super::command::Stop;
use super::interpreter::{Halt, Shell};
use super::outcome::ShellOutcome;
use crate::files::VirtualFiles;
use crate::view::{View, ViewError};

/// Runs a command line against the recording. Only an unreadable recording is an error.
pub async fn run(
    view: &dyn View,
    files: &mut VirtualFiles,
    command: &str,
) -> Result<ShellOutcome, ViewError> {
    let mut shell = Shell::new(view, files);
    let done = shell.script(command, "bash: -c: ").await;
    shell.remove_process_files(0);
    shell.files.set_working_folder("/");
    let (stdout, stderr) = shell.streams.finish();
    let mut outcome = ShellOutcome {
        stdout,
        stderr,
        exit_code: shell.status,
        verdict: shell.verdict,
    };
    match done {
        Err(Halt::Stop(Stop::View(error))) => return Err(error),
        Err(Halt::Stop(Stop::NotCaptured(what))) => outcome.notice(&what),
        _ => {}
    }
    Ok(outcome.cut())
}
