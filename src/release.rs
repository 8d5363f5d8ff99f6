//! Releases: what is frozen together with snapshots, what is measured and said of them, and where they are carried.
//!
//! `compose` puts a release together, of snapshots and the catalog slice that their problems need, and gives a
//! held-out one its truth back; `split` says which snapshots to hold out. `figures` are measured when a release is
//! built; `card` and its neighbours write what people and tools read, from the figures and from what the snapshots'
//! manifests tell; [`Difference`] is what two releases do not share. The format is the room `datasets`' own.
//!
//! [`Target`] is where a release is carried to and from; `registry` is a release as an artifact in an OCI registry.

mod card;
mod citation;
mod compose;
mod contents;
mod croissant;
mod difference;
mod documented;
mod figures;
mod huggingface;
mod registry;
mod split;
mod target;

pub(crate) use card::card;
pub(crate) use compose::{Order, build, check_problems, unlock};
pub(crate) use difference::Difference;
pub(crate) use figures::episodes;
pub(crate) use split::{Split, split};
pub(crate) use target::{Item, Target};
