//! Names, labels and annotations.

use std::collections::BTreeMap;

use serde_json::Value;

use super::page::Page;
use crate::kubectl::{object, timestamp};
use crate::view::RecordedObject;

const LONGEST_ANNOTATION: usize = 140;
const HIDDEN_ANNOTATION: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// Name and namespace.
pub(super) fn name(page: &mut Page, recorded: &RecordedObject) {
    page.field(0, "Name", &recorded.name);
    page.field(0, "Namespace", &recorded.namespace);
}

/// When it was created.
pub(super) fn created(page: &mut Page, value: &Value) {
    page.field(
        0,
        "CreationTimestamp",
        timestamp::rfc1123(value, "/metadata/creationTimestamp"),
    );
}

/// Labels and annotations of an object.
pub(super) fn labels_and_annotations(page: &mut Page, value: &Value) {
    labels(page, "Labels", &object::map(value, "/metadata/labels"));
    annotations(
        page,
        "Annotations",
        &object::map(value, "/metadata/annotations"),
    );
}

/// A table of conditions, if there are any; its columns are named as their fields are.
pub(super) fn conditions(page: &mut Page, value: &Value, columns: &[&str]) {
    let conditions = object::list(value, "/status/conditions");
    if conditions.is_empty() {
        return;
    }
    page.line(0, "Conditions:");
    page.headings(1, columns);
    for condition in conditions {
        let cells: Vec<String> = columns
            .iter()
            .map(|column| {
                let (first, rest) = column.split_at(1);
                let pointer = format!("/{}{rest}", first.to_lowercase());
                if column.ends_with("Time") {
                    timestamp::rfc1123(condition, &pointer)
                } else {
                    object::text(condition, &pointer).to_owned()
                }
            })
            .collect();
        page.line(1, cells.join("\t"));
    }
}

/// The conditions of what is probed again and again: a node's or a claim's. `probed` is the column
/// that says when, and its field.
pub(super) fn probed_conditions(page: &mut Page, value: &Value, probed: (&str, &str)) {
    let conditions = object::list(value, "/status/conditions");
    if conditions.is_empty() {
        return;
    }
    page.line(0, "Conditions:");
    page.line(
        1,
        format!(
            "Type\tStatus\t{}\tLastTransitionTime\tReason\tMessage",
            probed.0
        ),
    );
    page.line(
        1,
        "----\t------\t-----------------\t------------------\t------\t-------",
    );
    for condition in conditions {
        let text = |pointer: &str| object::text(condition, pointer);
        page.line(
            1,
            format!(
                "{} \t{} \t{} \t{} \t{} \t{}",
                text("/type"),
                text("/status"),
                timestamp::rfc1123(condition, probed.1),
                timestamp::rfc1123(condition, "/lastTransitionTime"),
                text("/reason"),
                text("/message")
            ),
        );
    }
}

/// One `key=value` per line.
pub(super) fn labels(page: &mut Page, title: &str, labels: &BTreeMap<&str, &str>) {
    let lines: Vec<String> = labels
        .iter()
        .map(|(key, value)| format!("{key}={value}"))
        .collect();
    page.lines(title, &lines);
}

/// One `key: value` per line; long and multi-line values below their key and cut.
pub(super) fn annotations(page: &mut Page, title: &str, annotations: &BTreeMap<&str, &str>) {
    let shown: Vec<(&str, &str)> = annotations
        .iter()
        .filter(|(key, _)| **key != HIDDEN_ANNOTATION)
        .map(|(key, value)| (*key, *value))
        .collect();
    page.part(0, format!("{title}:\t"));
    if shown.is_empty() {
        page.line(0, "<none>");
    }
    for (position, (key, value)) in shown.into_iter().enumerate() {
        if position > 0 {
            page.part(0, "\t");
        }
        let value = value.strip_suffix('\n').unwrap_or(value);
        if value.len() + key.len() + 2 > LONGEST_ANNOTATION || value.contains('\n') {
            page.line(0, format!("{key}:"));
            for line in value.split('\n') {
                page.line(0, format!("\t  {}", shorten(line, LONGEST_ANNOTATION - 2)));
            }
        } else {
            page.line(0, format!("{key}: {value}"));
        }
    }
}

fn shorten(text: &str, longest: usize) -> String {
    if text.len() <= longest {
        return text.to_owned();
    }
    let mut end = longest;
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}...", &text[..end])
}

/// The owner that controls the object, if any.
pub(super) fn controlled_by(page: &mut Page, value: &Value) {
    if let Some(owner) = object::controller(value) {
        let (kind, name) = (object::text(owner, "/kind"), object::text(owner, "/name"));
        page.field(0, "Controlled By", format!("{kind}/{name}"));
    }
}
