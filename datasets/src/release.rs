//! A release: a frozen, versioned set of snapshots, which can be checked, cited and published.
//!
//! Reading order: [`manifest`] says what is in one, [`Builder`] makes one, [`verify`] checks it, [`archive`] puts
//! it into one file. A held-out release is made of what a recording is at its `end` (`cut`), with the rest
//! encrypted (`seal`), which `unlock` opens again. `docs/formats/release-v1.md` is the format.

pub mod archive;
mod build;
mod cut;
mod error;
mod hashed;
pub mod manifest;
mod open;
mod seal;
mod unlock;
mod verify;

pub use build::Builder;
pub use cut::later_rows;
pub use error::ReleaseError;
pub use manifest::{
    About, CATALOG_FOLDER, RELEASE_FILE, Release, ReleaseEntry, ReleaseFile, SIGNATURE_FILE,
    SNAPSHOTS_FOLDER, Sealed,
};
pub use open::check_signature;
pub use seal::Seal;
pub use unlock::Identities;
pub use verify::verify;

#[cfg(test)]
mod tests;
