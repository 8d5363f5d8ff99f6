//! The text of what was found.

use serde_json::Value;

use super::Item;
use crate::golang::{format, json};

/// Values of one action side by side, maps and lists as JSON.
pub(crate) fn print(found: &[Vec<Item<'_>>]) -> String {
    let mut text = String::new();
    for results in found {
        for (position, item) in results.iter().enumerate() {
            text.push_str(if position > 0 { " " } else { "" });
            match (item, item.value()) {
                (Item::Nothing, _) => text.push_str("<no value>"),
                (_, Value::Null) => text.push_str("null"),
                (_, value @ (Value::Array(_) | Value::Object(_))) => {
                    text.push_str(&json::compact(value));
                }
                (_, scalar) => text.push_str(&format::plain(scalar)),
            }
        }
    }
    text
}

/// The values of each action as a list in JSON.
pub(crate) fn print_as_json(found: &[Vec<Item<'_>>]) -> String {
    found
        .iter()
        .map(|results| {
            let values = results.iter().map(|item| item.value().clone()).collect();
            json::print(&Value::Array(values))
        })
        .collect()
}
