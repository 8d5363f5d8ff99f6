//! Releases: what is frozen together with snapshots, and how they are split and unlocked.
//!
//! `compose` puts a release together, of snapshots and the catalog slice that their problems need; `figures` are
//! measured on them, `card` describes the release to people and tools. The format is the room `datasets`' own.

mod card;
mod compose;
mod figures;
mod split;

pub(crate) use compose::{Order, build, unlock};
pub(crate) use split::{Split, split};
