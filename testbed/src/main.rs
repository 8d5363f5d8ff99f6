//! A small microservice application to break: hotel booking with real stores.
//!
//! One program plays every role of the application; `testbed/README.md` draws the call graph.
//! Reading order: [`services`] (what each role answers), [`server`] (listener, health, drain),
//! [`calls`] (how a dependency is called and what a failure looks like), [`peer`], [`database`] and
//! [`cache`] (the three kinds of dependency), [`telemetry`], [`metrics`] and [`logging`] (what the
//! application tells), [`workload`] (the load generator).

mod cache;
mod calls;
mod database;
mod error;
mod logging;
mod metrics;
mod peer;
mod server;
mod services;
mod settings;
mod telemetry;
mod workload;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::services::Role;
use crate::workload::WorkloadArguments;

#[derive(Debug, Parser)]
#[command(name = "aiopslab-testbed", version = settings::VERSION, about)]
struct CommandLine {
    #[command(subcommand)]
    role: RoleCommand,
}

/// The part of the application that this process plays.
#[derive(Debug, Subcommand)]
enum RoleCommand {
    /// Answer users: search, recommendations, login, reservations, reviews, attractions
    Frontend,
    /// Find hotels near a place that have a rate
    Search,
    /// Find the hotels nearest to a place
    Geo,
    /// Look up rate plans
    Rate,
    /// Look up hotel profiles
    Profile,
    /// Recommend hotels by distance, rating or price
    Recommendation,
    /// Check availability and make reservations
    Reservation,
    /// Check a user's password
    User,
    /// Look up reviews of a hotel
    Review,
    /// Look up attractions near a hotel
    Attractions,
    /// Send requests to a frontend at a fixed rate, however slowly it answers
    Workload(WorkloadArguments),
}

fn main() -> ExitCode {
    let command_line = CommandLine::parse();
    // The whole workspace builds rustls without a provider, so each binary names the one it uses.
    // An error only says that a provider is already there.
    let _ = rustls::crypto::ring::default_provider().install_default();
    match run(command_line.role) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: RoleCommand) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    let role = match command {
        RoleCommand::Workload(arguments) => {
            return runtime.block_on(workload::run(arguments));
        }
        RoleCommand::Frontend => Role::Frontend,
        RoleCommand::Search => Role::Search,
        RoleCommand::Geo => Role::Geo,
        RoleCommand::Rate => Role::Rate,
        RoleCommand::Profile => Role::Profile,
        RoleCommand::Recommendation => Role::Recommendation,
        RoleCommand::Reservation => Role::Reservation,
        RoleCommand::User => Role::User,
        RoleCommand::Review => Role::Review,
        RoleCommand::Attractions => Role::Attractions,
    };
    runtime.block_on(server::run(role))
}
