//! A snapshot served as an environment that an agent acts on.

pub mod files;
pub mod view;
