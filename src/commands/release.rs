//! `aiopslab release`: publishing releases and fetching them.

mod progress;
mod pull;
mod push;

use crate::cli::Release;
use crate::exit::Failure;
use crate::settings::Settings;

pub(super) async fn run(arguments: Release, settings: &Settings) -> Result<(), Failure> {
    match arguments {
        Release::Push(arguments) => push::run(&arguments, settings).await,
        Release::Pull(arguments) => pull::run(&arguments, settings).await,
    }
}
