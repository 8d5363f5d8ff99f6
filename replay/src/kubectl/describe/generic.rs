//! Kinds without a layout of their own: every field, by its name.

use serde_json::Value;

use super::described::Described;
use super::metadata;
use super::page::Page;
use crate::kubectl::{get, object};

const SKIPPED: [&str; 5] = [
    ".metadata.managedFields",
    ".metadata.name",
    ".metadata.namespace",
    ".metadata.labels",
    ".metadata.annotations",
];

/// The page of an object of any kind.
pub(super) fn describe(described: &Described<'_>) -> Page {
    let recorded = described.recorded;
    let mut page = Page::default();
    metadata::name(&mut page, recorded);
    let complete = get::complete(recorded.clone());
    metadata::labels_and_annotations(&mut page, &complete);
    fields(&mut page, 0, &complete, "");
    described.finished(page)
}

fn fields(page: &mut Page, level: usize, value: &Value, path: &str) {
    let Some(map) = value.as_object() else { return };
    let mut names: Vec<&String> = map.keys().collect();
    names.sort();
    for name in names {
        let path = format!("{path}.{name}");
        if SKIPPED.contains(&path.as_str()) {
            continue;
        }
        match &map[name] {
            inner @ Value::Object(_) => {
                page.line(level, format!("{}:", label(name)));
                fields(page, level + 1, inner, &path);
            }
            Value::Array(items) => {
                page.line(level, format!("{}:", label(name)));
                for item in items {
                    if item.is_object() {
                        fields(page, level + 1, item, &path);
                    } else {
                        page.line(level + 1, object::plain(item));
                    }
                }
            }
            Value::Null => page.field(level, &label(name), "<nil>"),
            scalar => page.field(level, &label(name), object::plain(scalar)),
        }
    }
}

/// `apiVersion` as `API Version`: words begin at capitals, well-known abbreviations are kept.
fn label(name: &str) -> String {
    const ABBREVIATIONS: [&str; 5] = ["API", "URL", "UID", "OSB", "GUID"];
    if name.chars().any(|c| !c.is_alphabetic() && c != '-') {
        return name.to_owned();
    }
    let chars: Vec<char> = name.chars().collect();
    let mut words: Vec<String> = vec![String::new()];
    for (position, &c) in chars.iter().enumerate() {
        let before = position.checked_sub(1).map(|at| chars[at]);
        let after = chars.get(position + 1);
        let starts_word = before.is_some_and(|before| {
            (c.is_uppercase() && before.is_lowercase())
                || (c.is_uppercase()
                    && before.is_uppercase()
                    && after.is_some_and(|after| after.is_lowercase()))
                || (c == '-') != (before == '-')
        });
        if starts_word {
            words.push(String::new());
        }
        if let Some(word) = words.last_mut() {
            word.push(c);
        }
    }
    let words: Vec<String> = words
        .into_iter()
        .map(|word| {
            let upper = word.to_uppercase();
            if ABBREVIATIONS.contains(&upper.as_str()) {
                return upper;
            }
            let mut letters = word.chars();
            letters.next().map_or(String::new(), |first| {
                first.to_uppercase().chain(letters).collect()
            })
        })
        .collect();
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::label;

    #[test]
    fn labels_are_words() {
        assert_eq!(label("apiVersion"), "API Version");
        assert_eq!(label("uid"), "UID");
        assert_eq!(label("holderIdentity"), "Holder Identity");
        assert_eq!(label("clusterIPs"), "Cluster I Ps");
        assert_eq!(label("a.b/c"), "a.b/c");
    }
}
