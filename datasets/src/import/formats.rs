//! The formats that are imported, a file or a folder each: what to look for, and what is in it.

mod aiopslab_export;
mod nezha;
mod openmetrics;
mod openrca;
mod otlp;
mod petshop;
mod pod_logs;
mod rcaeval;
mod recording;
mod remote_read;
#[cfg(test)]
pub(super) mod testing;

use camino::Utf8Path;

use super::ImportError;
use super::engine::incident::Found;

/// A format of foreign incidents.
#[derive(Debug)]
pub struct Format {
    /// Its name on the command line.
    pub name: &'static str,
    /// One line: what it is, and which folder to name.
    pub about: &'static str,
    /// Whether it was tried on real files of the source.
    pub proven: bool,
    /// Looks what there is; the text is the key of opaque names.
    pub(super) find: fn(&Utf8Path, &str) -> Result<Found, ImportError>,
}

/// Every format.
pub const FORMATS: &[&Format] = &[
    &aiopslab_export::FORMAT,
    &nezha::FORMAT,
    &openmetrics::FORMAT,
    &openrca::FORMAT,
    &otlp::FORMAT,
    &petshop::FORMAT,
    &pod_logs::FORMAT,
    &rcaeval::FORMAT,
    &remote_read::FORMAT,
];

/// The format of that name.
#[must_use]
pub fn format(name: &str) -> Option<&'static Format> {
    FORMATS.iter().copied().find(|format| format.name == name)
}
