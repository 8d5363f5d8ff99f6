//! Events of a watch that answers with printed tables.

use serde_json::Value;

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum EventKind {
    Added,
    Modified,
    Deleted,
    Bookmark,
    Error,
}

/// An object and the cells that the server printed for it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Row {
    pub(super) object: Value,
    pub(super) cells: Option<Value>,
}

/// One line of a watch, or a whole list.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Event {
    pub(super) kind: EventKind,
    pub(super) rows: Vec<Row>,
    /// Only the first event of a watch has them.
    pub(super) columns: Vec<Value>,
    pub(super) resource_version: Option<String>,
    /// Of a list that has more: the token of the next page.
    pub(super) next_page: Option<String>,
    /// The bookmark that ends the list at the beginning of a watch.
    pub(super) ends_initial_list: bool,
    /// Status code of an error.
    pub(super) code: Option<i64>,
}

/// Reads a line of a watch; none if it makes no sense.
pub(super) fn read_event(line: &[u8]) -> Option<Event> {
    let mut event: Value = serde_json::from_slice(line).ok()?;
    let kind = match event["type"].as_str()? {
        "ADDED" => EventKind::Added,
        "MODIFIED" => EventKind::Modified,
        "DELETED" => EventKind::Deleted,
        "BOOKMARK" => EventKind::Bookmark,
        "ERROR" => EventKind::Error,
        _ => return None,
    };
    Some(read(kind, event["object"].take()))
}

/// Reads a list.
pub(super) fn read_list(body: &[u8]) -> Option<Event> {
    let list: Value = serde_json::from_slice(body).ok()?;
    (list["kind"] == "Table" || list["items"].is_array()).then(|| read(EventKind::Added, list))
}

fn read(kind: EventKind, mut object: Value) -> Event {
    let mut event = Event {
        kind,
        rows: Vec::new(),
        columns: Vec::new(),
        resource_version: None,
        next_page: None,
        ends_initial_list: false,
        code: object["code"].as_i64(),
    };
    let version = |object: &Value| {
        let version = object["metadata"]["resourceVersion"]
            .as_str()
            .unwrap_or_default();
        (!version.is_empty()).then(|| version.to_owned())
    };
    if kind == EventKind::Error {
        return event;
    }
    event.resource_version = version(&object);
    let token = object["metadata"]["continue"].as_str().unwrap_or_default();
    event.next_page = (!token.is_empty()).then(|| token.to_owned());
    if object["kind"] == "Table" {
        if let Value::Array(columns) = object["columnDefinitions"].take() {
            event.columns = columns;
        }
        if let Value::Array(rows) = object["rows"].take() {
            event.rows.extend(rows.into_iter().map(|mut row| Row {
                object: row["object"].take(),
                cells: Some(row["cells"].take()),
            }));
        }
    } else if let Value::Array(items) = object["items"].take() {
        event.rows.extend(items.into_iter().map(|object| Row {
            object,
            cells: None,
        }));
    } else {
        event.rows.push(Row {
            object: object.clone(),
            cells: None,
        });
    }
    if let Some(last) = event.rows.last() {
        event.resource_version = event.resource_version.or_else(|| version(&last.object));
    }
    event.ends_initial_list = kind == EventKind::Bookmark
        && std::iter::once(&object)
            .chain(event.rows.iter().map(|row| &row.object))
            .any(|object| object["metadata"]["annotations"]["k8s.io/initial-events-end"] == "true");
    event
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_event_has_columns_cells_and_the_object() {
        let line = json!({"type": "MODIFIED", "object": {"kind": "Table",
            "metadata": {"resourceVersion": "7"},
            "columnDefinitions": [{"name": "Name"}],
            "rows": [{"cells": ["geo", "CrashLoopBackOff"],
                "object": {"kind": "Pod", "metadata": {"name": "geo", "resourceVersion": "7"}}}]}});
        let event = read_event(line.to_string().as_bytes()).unwrap();
        assert_eq!(event.kind, EventKind::Modified);
        assert_eq!(event.columns.len(), 1);
        assert_eq!(
            event.rows[0].cells,
            Some(json!(["geo", "CrashLoopBackOff"]))
        );
        assert_eq!(event.rows[0].object["metadata"]["name"], "geo");
        assert_eq!(event.resource_version.as_deref(), Some("7"));
    }

    #[test]
    fn the_bookmark_that_ends_the_list_is_known_with_and_without_a_table() {
        let mark = json!({"kind": "Pod", "metadata": {"resourceVersion": "9",
            "annotations": {"k8s.io/initial-events-end": "true"}}});
        let table = json!({"kind": "Table", "metadata": {}, "columnDefinitions": [],
            "rows": [{"cells": [], "object": mark.clone()}]});
        for object in [mark, table] {
            let line = json!({"type": "BOOKMARK", "object": object}).to_string();
            let event = read_event(line.as_bytes()).unwrap();
            assert!(event.ends_initial_list);
            assert_eq!(event.resource_version.as_deref(), Some("9"));
        }
    }

    #[test]
    fn an_error_has_its_code() {
        let line = br#"{"type":"ERROR","object":{"kind":"Status","code":410,"reason":"Expired"}}"#;
        assert_eq!(read_event(line).unwrap().code, Some(410));
        assert_eq!(read_event(b"nonsense"), None);
    }
}
