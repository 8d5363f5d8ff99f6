//! Releases and snapshots that lie elsewhere: behind HTTP, or in an S3-compatible store.
//!
//! [`open`] makes a folder in the user's cache that has everything but the tables. A snapshot in it is
//! opened as any other: `Elsewhere` fetches a file of it when it is read, and [`FilesElsewhere`] lets a
//! query engine read parts of a table that was not fetched. [`Place`] is the only one that talks to a
//! store, `requests` runs and counts what it asks, and [`CheckedFile`] keeps nothing that has not the
//! digest it should have. `docs/releases.md` is for people.

mod checked;
mod elsewhere;
mod files;
mod opening;
mod place;
mod requests;

pub use checked::{CheckedFile, PARTIAL, is_here};
pub(crate) use elsewhere::Elsewhere;
pub use files::FilesElsewhere;
pub use opening::open;
pub use place::Place;
pub use requests::{Fetched, fetched};

#[cfg(test)]
mod tests;
