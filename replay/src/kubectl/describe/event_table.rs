//! The events at the end of a page.

use super::page::Page;
use crate::kubectl::cluster::Cluster;
use crate::kubectl::events::{self, Subject};
use crate::kubectl::failure::Failure;
use crate::kubectl::object;
use crate::view::RecordedObject;

/// The events of a page.
pub(super) enum Events {
    /// Not asked for, or not recorded.
    Hidden,
    /// Possibly none.
    Shown(Vec<RecordedObject>),
}

/// The events about an object; none if events were not recorded.
pub(super) async fn of(
    cluster: &Cluster<'_>,
    recorded: &RecordedObject,
) -> Result<Option<Vec<RecordedObject>>, Failure> {
    let mirror = object::map(&recorded.object, "/metadata/annotations")
        .get("kubernetes.io/config.mirror")
        .copied();
    let is = |group: &str, resource: &str| recorded.group == group && recorded.resource == resource;
    let subject = Subject {
        namespace: &recorded.namespace,
        name: &recorded.name,
        kind: Some(recorded.kind.as_str()).filter(|_| !is("", "pods")),
        uids: if is("", "nodes") {
            // Kubelets name a node by its name, controllers by its uid.
            vec![&recorded.uid, &recorded.name]
        } else {
            vec![mirror.filter(|_| is("", "pods")).unwrap_or(&recorded.uid)]
        },
    };
    events::about(cluster, &subject).await
}

/// Prints the table.
pub(super) fn print(page: &mut Page, events: &Events, now: i64) {
    let Events::Shown(events) = events else {
        return;
    };
    if events.is_empty() {
        page.field(0, "Events", "<none>");
        return;
    }
    page.line(0, "Events:");
    page.line(1, "Type\tReason\tAge\tFrom\tMessage");
    // The line below "Age" is one too long.
    page.line(1, "----\t------\t----\t----\t-------");
    for event in events {
        let event = &event.object;
        let from = match object::text(event, "/source/component") {
            "" => object::text(event, "/reportingComponent"),
            component => component,
        };
        page.line(
            1,
            format!(
                "{}\t{}\t{}\t{from}\t{}",
                object::text(event, "/type"),
                object::text(event, "/reason"),
                events::interval(event, now),
                object::text(event, "/message").trim(),
            ),
        );
    }
}
