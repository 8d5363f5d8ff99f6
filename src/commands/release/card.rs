//! `aiopslab release card`: what a release says of itself.

use aiopslab_datasets::release::Release;
use camino::Utf8Path;

use crate::exit::Failure;
use crate::output::print;
use crate::release::card;
use crate::settings::Settings;

pub(super) fn run(dir: &Utf8Path, settings: &Settings) -> Result<(), Failure> {
    let release = Release::open(dir, settings.release_key()?.as_deref())?;
    print(&card(&release, dir)?);
    Ok(())
}
