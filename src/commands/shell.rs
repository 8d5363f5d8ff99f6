//! `aiopslab shell`: the recorded system as an agent's shell sees it.

use std::io::IsTerminal;

use aiopslab_datasets::Snapshot;
use aiopslab_problems::action::Action;
use aiopslab_problems::environment::{Environment, Verdict};
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
        return match execute(&mut environment, &command).await? {
            Verdict::NotCaptured => Err(Failure::user("the recording can't answer this command")),
            _ => Ok(()),
        };
    }
    let mut editor = rustyline::DefaultEditor::new()?;
    if std::io::stdin().is_terminal() {
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
                execute(&mut environment, &line).await?;
            }
            Err(ReadlineError::Eof | ReadlineError::Interrupted) => return Ok(()),
            Err(error) => return Err(error.into()),
        }
    }
}

async fn execute(environment: &mut ReplayEnvironment, command: &str) -> Result<Verdict, Failure> {
    let action = Action::ExecShell {
        command: command.to_owned(),
        timeout: 30,
    };
    let observation = environment.act(&action).await?;
    print(&observation.text);
    if !observation.text.is_empty() && !observation.text.ends_with('\n') {
        print("\n");
    }
    Ok(observation.verdict)
}
