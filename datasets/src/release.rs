//! A release: a frozen, versioned set of snapshots, which can be checked, cited and published.
//!
//! [`manifest`] says what is in one, [`signature`] whose it is. `docs/formats/release-v1.md` is the format.

pub mod manifest;
pub mod signature;

pub use manifest::{RELEASE_FILE, Release, ReleaseEntry, ReleaseFile};
pub use signature::{SIGNATURE_FILE, verify_signature};
