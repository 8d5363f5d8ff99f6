//! Roles, ClusterRoles and their bindings.

use super::metadata;
use super::page::Page;
use crate::kubectl::{object, policy_rules};
use crate::view::RecordedObject;

/// The page of a Role or ClusterRole.
pub(super) fn role(recorded: &RecordedObject) -> Page {
    let mut page = Page::default();
    page.field(0, "Name", &recorded.name);
    metadata::labels_and_annotations(&mut page, &recorded.object);
    page.line(0, "PolicyRule:");
    page.headings(1, &policy_rules::HEADINGS);
    let rules = object::list(&recorded.object, "/rules");
    for rule in policy_rules::single(rules.iter()) {
        page.line(1, rule.row());
    }
    page
}

/// The page of a RoleBinding or ClusterRoleBinding.
pub(super) fn binding(recorded: &RecordedObject) -> Page {
    let value = &recorded.object;
    let mut page = Page::default();
    page.field(0, "Name", &recorded.name);
    metadata::labels_and_annotations(&mut page, value);
    page.line(0, "Role:");
    page.field(1, "Kind", object::text(value, "/roleRef/kind"));
    page.field(1, "Name", object::text(value, "/roleRef/name"));
    page.line(0, "Subjects:");
    page.headings(1, &["Kind", "Name", "Namespace"]);
    for subject in object::list(value, "/subjects") {
        let text = |pointer: &str| object::text(subject, pointer);
        page.line(
            1,
            format!(
                "{}\t{}\t{}",
                text("/kind"),
                text("/name"),
                text("/namespace")
            ),
        );
    }
    page
}
