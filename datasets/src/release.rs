//! A release: a frozen, versioned set of snapshots, which can be checked, cited and published.
//!
//! [`manifest`] says what is in one. `docs/formats/release-v1.md` is the format.

pub mod manifest;

pub use manifest::{RELEASE_FILE, Release, ReleaseEntry, ReleaseFile};
