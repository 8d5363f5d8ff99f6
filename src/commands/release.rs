//! `aiopslab release`: frozen sets of snapshots.

mod card;
mod diff;

use crate::cli::Release;
use crate::exit::Failure;
use crate::settings::Settings;

pub(super) async fn run(arguments: Release, settings: &Settings) -> Result<(), Failure> {
    match arguments {
        Release::Card { dir } => card::run(&dir),
        Release::Diff(arguments) => diff::run(&arguments, settings).await,
    }
}
