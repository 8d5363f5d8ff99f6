//! `aiopslab release card`: what a release says of itself.

use camino::Utf8Path;

use crate::exit::Failure;
use crate::output::print;
use crate::release;

pub(super) fn run(dir: &Utf8Path) -> Result<(), Failure> {
    print(&release::card(&release::read(dir)?, dir)?);
    Ok(())
}
