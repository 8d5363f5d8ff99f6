//! Releases: what is frozen together with snapshots, and how they are split and unlocked.
//!
//! `compose` puts a release together, of snapshots and the catalog slice that their problems need; `figures` are
//! measured on them, `card` describes the release to people and tools. The format is the room `datasets`' own.
//!
//! [`Target`] is where a release is carried to and from; `registry` is a release as an artifact in an OCI registry.
//! The commands `release push` and `release pull` ask them for one file after the other.

mod card;
mod compose;
mod figures;
mod registry;
mod split;
mod target;

pub(crate) use compose::{Order, build, unlock};
pub(crate) use split::{Split, split};
pub(crate) use target::{Item, Target};
