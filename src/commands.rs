//! The commands, one module each.

mod capture;
mod compare;
mod config;
mod eval;
mod export;
mod import;
mod problems;
mod release;
mod report;
mod rerun;
mod score;
mod serve;
mod shell;
mod snapshot;
mod sql;
mod truth;

use crate::cli::Command;
use crate::exit::Failure;
use crate::settings::Settings;

/// Runs a command to its end.
///
/// # Errors
/// Whatever kept it from its end.
pub async fn run(command: Command, settings: Settings) -> Result<(), Failure> {
    match command {
        Command::Eval(arguments) => eval::run(*arguments, settings).await,
        Command::Score(arguments) => score::run(&arguments, &settings).await,
        Command::Rerun(arguments) => rerun::run(&arguments, &settings).await,
        Command::Export(arguments) => export::run(&arguments),
        Command::Compare(arguments) => compare::run(&arguments),
        Command::Report(arguments) => report::run(&arguments, &settings),
        Command::Problems(arguments) => problems::run(arguments, &settings),
        Command::Snapshot(arguments) => snapshot::run(arguments, &settings).await,
        Command::Release(arguments) => release::run(arguments, &settings).await,
        Command::Sql(arguments) => sql::statement(arguments, &settings).await,
        Command::Query(arguments) => sql::named(arguments, &settings).await,
        Command::Shell(arguments) => shell::run(arguments, &settings).await,
        Command::Import(arguments) => import::run(&arguments),
        Command::Serve(arguments) => serve::run(*arguments, &settings).await,
        Command::Capture(arguments) => capture::capture(*arguments, &settings).await,
        Command::Recover(cluster) => capture::recover(cluster, &settings).await,
        Command::Truth(arguments) => truth::run(arguments, &settings),
        Command::Check(arguments) => capture::check(arguments, &settings).await,
        Command::Config(arguments) => config::run(&arguments, &settings),
    }
}
