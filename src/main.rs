//! The `aiopslab` program: parses the command line and runs one command.

use std::process::ExitCode;

use aiopslab::cli::Cli;
use clap::Parser;

fn main() -> ExitCode {
    let cli = Cli::parse();
    aiopslab::run(cli)
}
