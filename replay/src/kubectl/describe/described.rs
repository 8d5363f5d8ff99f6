//! What a page is about.

use super::event_table::{self, Events};
use super::page::Page;
use crate::kubectl::cluster::Cluster;
use crate::view::RecordedObject;

/// An object, the cluster around it and the events about it.
#[derive(Clone, Copy)]
pub(super) struct Described<'d> {
    /// Where what belongs to the object is looked up.
    pub(super) cluster: &'d Cluster<'d>,
    /// The object.
    pub(super) recorded: &'d RecordedObject,
    /// What happened to it.
    pub(super) events: &'d Events,
}

impl Described<'_> {
    /// The page with the events at its end.
    pub(super) fn finished(&self, mut page: Page) -> Page {
        event_table::print(&mut page, self.events, self.cluster.now);
        page
    }
}
