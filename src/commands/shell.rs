//! `aiopslab shell`: the recorded system as an agent's shell sees it.

use std::io::IsTerminal;

use aiopslab_datasets::Snapshot;
use aiopslab_problems::action::Action;
use aiopslab_problems::environment::{Environment, Observation, Verdict};
use aiopslab_replay::environment::{ReplayEnvironment, ReplayOptions};
use rustyline::error::ReadlineError;

use crate::cli::Shell;
use crate::exit::Failure;
use crate::library::Library;
use crate::output::print;
use crate::settings::Settings;

pub(super) async fn run(arguments: Shell, settings: &Settings) -> Result<(), Failure> {
    let library = Library::open(settings)?;
    let dir = library.find(&arguments.snapshot)?;
    let application = library.application_or_unknown(Snapshot::open(&dir)?.manifest());
    let options = ReplayOptions {
        clock: arguments.clock.parse()?,
        upstream_visibility: arguments.upstream_visibility,
        ..ReplayOptions::new(application)
    };
    let mut environment = ReplayEnvironment::open(&dir, &options)?;
    if let Some(command) = arguments.command {
        let observation = execute(&mut environment, &command).await?;
        print(&observation.text);
        return match observation.verdict {
            Verdict::NotCaptured => Err(Failure::user("the recording can't answer this command")),
            _ => Ok(()),
        };
    }
    let mut editor = rustyline::DefaultEditor::new()?;
    let interactive = std::io::stdin().is_terminal();
    if interactive {
        eprintln!("what an agent's shell sees in {dir}; leave with Ctrl-D");
    }
    loop {
        // Where time passes, the prompt tells it.
        let prompt = match environment.now() {
            Some(now) => format!("{now:.0} $ "),
            None => "$ ".to_owned(),
        };
        match editor.readline(&prompt) {
            Ok(line) if line.trim().is_empty() => {}
            Ok(line) if line.trim() == "exit" => return Ok(()),
            Ok(line) => {
                editor.add_history_entry(&line)?;
                let text = execute(&mut environment, &line).await?.text;
                print(&text);
                // The next prompt starts a line.
                if interactive && !text.is_empty() && !text.ends_with('\n') {
                    print("\n");
                }
            }
            Err(ReadlineError::Eof | ReadlineError::Interrupted) => return Ok(()),
            Err(error) => return Err(error.into()),
        }
    }
}

async fn execute(
    environment: &mut ReplayEnvironment,
    command: &str,
) -> Result<Observation, Failure> {
    let action = Action::ExecShell {
        command: command.to_owned(),
        timeout: 30,
    };
    Ok(environment.act(&action).await?)
}
