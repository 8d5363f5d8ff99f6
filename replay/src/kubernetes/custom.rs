//! Tables of custom resources: the columns that their definitions ask for.

use serde_json::{Value, json};

use super::jsonpath::{self, JsonPath, Missing};
use super::status::qualified;
use super::{object, timestamp};
use crate::view::{ColumnDefinition, ObjectQuery, View, ViewError};

/// The columns of a custom resource.
pub(crate) struct CustomColumns {
    definitions: Vec<ColumnDefinition>,
    /// Where the cells after the name are found.
    paths: Vec<JsonPath>,
}

/// Reads the definition of a resource; none if it was not recorded or can't be followed.
pub(crate) async fn columns(
    view: &dyn View,
    group: &str,
    resource: &str,
) -> Result<Option<CustomColumns>, ViewError> {
    let query = ObjectQuery {
        name: Some(qualified(group, resource)),
        ..ObjectQuery::all("apiextensions.k8s.io", "customresourcedefinitions", None)
    };
    let definitions = view.objects(&query).await?;
    let Some(definition) = definitions.first() else {
        return Ok(None);
    };
    // Objects are recorded in one version; it is the one whose columns were printed.
    let recorded = view
        .objects(&ObjectQuery::all(group, resource, None))
        .await?;
    let version = recorded.first().map(|found| found.version.as_str());
    Ok(CustomColumns::of(&definition.object, version))
}

impl CustomColumns {
    fn of(definition: &Value, version: Option<&str>) -> Option<Self> {
        let versions = object::list(definition, "/spec/versions");
        let served = versions.iter().find(|known| match version {
            Some(version) => object::text(known, "/name") == version,
            None => object::flag(known, "/storage"),
        })?;
        let mut definitions = vec![column("Name", "string", "name", 0)];
        let mut paths = Vec::new();
        let additional = object::list(served, "/additionalPrinterColumns");
        for asked in additional {
            let path = object::text(asked, "/jsonPath");
            paths.push(JsonPath::parse(&format!("{{{path}}}")).ok()?);
            let mut shown = column(
                object::text(asked, "/name"),
                object::text(asked, "/type"),
                object::text(asked, "/format"),
                i32::try_from(object::number(asked, "/priority")).unwrap_or(0),
            );
            object::text(asked, "/description").clone_into(&mut shown.description);
            definitions.push(shown);
        }
        if additional.is_empty() {
            definitions.push(column("Age", "date", "", 0));
            paths.push(JsonPath::parse("{.metadata.creationTimestamp}").ok()?);
        }
        Some(Self { definitions, paths })
    }

    /// The columns, the name first.
    pub(crate) fn definitions(&self) -> &[ColumnDefinition] {
        &self.definitions
    }

    /// The cells of an object at a moment; none if one can't be computed.
    pub(crate) fn cells(&self, value: &Value, now: i64) -> Option<Vec<Value>> {
        let mut cells = vec![json!(object::text(value, "/metadata/name"))];
        let asked = self.definitions.iter().skip(1).zip(&self.paths);
        for (column, path) in asked {
            cells.push(match path.find(value, Missing::Allowed) {
                Ok(found) => cell(column, &found, now),
                Err(jsonpath::Error::Message(_)) => Value::Null,
                Err(jsonpath::Error::NotCaptured(_)) => return None,
            });
        }
        Some(cells)
    }
}

/// The first value that was found, in the form of the column's type.
fn cell(column: &ColumnDefinition, found: &[Vec<jsonpath::Item<'_>>], now: i64) -> Value {
    let Some(first) = found.first().and_then(|items| items.first()) else {
        return Value::Null;
    };
    let value = first.value();
    match column.r#type.as_str() {
        "string" => json!(jsonpath::print(&[vec![first.clone()]])),
        "integer" => match (value.as_i64(), value.as_f64()) {
            (Some(whole), _) => json!(whole),
            (None, Some(fraction)) => json!(fraction as i64),
            (None, None) => Value::Null,
        },
        "number" if value.is_number() => value.clone(),
        "boolean" if value.is_boolean() => value.clone(),
        "date" => match value.as_str() {
            Some(text) if timestamp::parse(text).is_some() => {
                json!(timestamp::age(&json!({"at": text}), "/at", now))
            }
            Some(_) => json!("<invalid>"),
            None => Value::Null,
        },
        _ => Value::Null,
    }
}

fn column(name: &str, r#type: &str, format: &str, priority: i32) -> ColumnDefinition {
    ColumnDefinition {
        name: name.to_owned(),
        r#type: r#type.to_owned(),
        format: format.to_owned(),
        description: String::new(),
        priority,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_found_by_their_paths() {
        let definition = json!({"spec": {"versions": [
            {"name": "v1beta1", "additionalPrinterColumns": []},
            {"name": "v1", "storage": true, "additionalPrinterColumns": [
                {"name": "State", "type": "string", "jsonPath": ".status.state"},
                {"name": "Ready", "type": "string",
                    "jsonPath": ".status.conditions[?(@.type==\"Ready\")].status"},
                {"name": "Size", "type": "integer", "jsonPath": ".spec.size", "priority": 1},
                {"name": "Last", "type": "date", "jsonPath": ".status.last"},
                {"name": "Ports", "type": "string", "jsonPath": ".spec.ports"}
            ]}
        ]}});
        let custom = json!({
            "metadata": {"name": "a", "creationTimestamp": "2026-01-01T11:00:00Z"},
            "spec": {"size": 3, "ports": [1, 2]},
            "status": {"last": "2026-01-01T11:59:00Z",
                "conditions": [{"type": "Ready", "status": "True"}]}
        });
        let noon = timestamp::parse("2026-01-01T12:00:00Z").unwrap();
        let columns = CustomColumns::of(&definition, None).unwrap();
        assert_eq!(
            columns.cells(&custom, noon).unwrap(),
            [
                json!("a"),
                Value::Null,
                json!("True"),
                json!(3),
                json!("60s"),
                json!("[1,2]")
            ]
        );
        assert_eq!(columns.definitions()[3].priority, 1);
        let columns = CustomColumns::of(&definition, Some("v1beta1")).unwrap();
        assert_eq!(
            columns.cells(&custom, noon).unwrap(),
            [json!("a"), json!("60m")]
        );
        assert!(CustomColumns::of(&definition, Some("v2")).is_none());
    }
}
