//! Composition of the rooms: command line, settings, session loop, agents, reports.
//!
//! Reading order: [`cli`] says what can be asked, [`commands`] does it, [`session`] lets an agent
//! from [`agents`] act on an environment, [`evaluation`] does that for many problems, [`report`]
//! shows what came of it; [`algorithms`] are the statistics that some agents apply, and [`rankings`] what
//! they make of known windows; [`audit`] asks whether a snapshot gives its fault away, [`fidelity`] compares
//! a replay with what the live system answered, [`judge`] asks a model what it thinks of kept episodes,
//! [`queries`] are named questions in SQL, [`serve`] lets unmodified clients in, `release` publishes snapshots:
//! what is measured and said of them, and where they are carried.
//! [`settings`] is the only reader of the environment and of the configuration file.

pub mod agents;
pub mod algorithms;
pub mod audit;
pub mod cli;
pub mod commands;
pub mod comparison;
pub mod evaluation;
pub mod exit;
pub mod fidelity;
pub mod judge;
pub mod library;
pub mod output;
pub mod queries;
pub mod rankings;
mod release;
pub mod report;
pub mod results;
pub mod serve;
pub mod session;
pub mod settings;
mod signals;

use std::process::ExitCode;

/// Runs one command to its end and says how it went.
#[must_use]
pub fn run(cli: cli::Cli) -> ExitCode {
    // One TLS provider for every client in the process; a second installation is harmless.
    drop(rustls::crypto::ring::default_provider().install_default());
    let runtime = match tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        // Parsers of agent input recurse; the default of 2 MiB is small for an unoptimised build.
        .thread_stack_size(16 << 20)
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => return exit::report(&exit::Failure::Ours(error.into())),
    };
    let settings = match settings::Settings::load(&cli.global) {
        Ok(settings) => settings,
        Err(failure) => return exit::report(&failure),
    };
    output::start_logging(cli.global.verbose);
    let ran = runtime.block_on(commands::run(cli.command, settings));
    let fetched = aiopslab_datasets::remote::fetched();
    if fetched.requests > 0 {
        tracing::info!(fetched.requests, fetched.bytes, "fetched from elsewhere");
    }
    // Who still reads standard input would keep the program from ending.
    runtime.shutdown_background();
    match ran {
        Ok(()) => ExitCode::from(exit::DONE),
        Err(failure) => exit::report(&failure),
    }
}
