//! Objects in the forms that clients ask for.

use serde_json::{Map, Value, json};

use super::api::{Form, Found, Include, list_type};
use super::served::group_version;
use super::status::{Status, qualified};
use super::{chunk, object, table};
use crate::view::RecordedObject;

const META: &str = "meta.k8s.io/v1";
/// Group and plural by which the table of a `Scale` is known.
pub(crate) const SCALE: (&str, &str) = ("autoscaling", "scales");

/// A list.
pub(crate) fn list(found: &Found, form: Form) -> Result<Value, Status> {
    let metadata = chunk::metadata(found);
    let (mut list, items) = match form {
        Form::Table(include) => return self::table(found, &found.objects, include, true),
        Form::Metadata => (
            json!({"kind": "PartialObjectMetadataList", "apiVersion": META}),
            found.objects.iter().map(partial).collect::<Vec<_>>(),
        ),
        Form::Object => (
            list_type(&found.path, &found.kind),
            found.objects.iter().map(|o| item(found, o)).collect(),
        ),
    };
    if let Some(fields) = list.as_object_mut() {
        fields.insert("metadata".to_owned(), metadata);
        fields.insert("items".to_owned(), Value::Array(items));
    }
    Ok(list)
}

/// The one object of a path.
pub(crate) fn object(found: &Found, form: Form) -> Result<Value, Status> {
    let recorded = found.objects.first().ok_or_else(|| {
        let name = found.path.name.as_deref().unwrap_or_default();
        Status::not_found(&found.path.group, &found.path.resource, name)
    })?;
    shown(found, recorded, form, true)
}

/// An object of a watch or a get, in a form.
pub(crate) fn shown(
    found: &Found,
    recorded: &RecordedObject,
    form: Form,
    with_columns: bool,
) -> Result<Value, Status> {
    match form {
        Form::Object => Ok(complete(found, recorded)),
        Form::Metadata => Ok(partial(recorded)),
        Form::Table(include) => table(found, std::slice::from_ref(recorded), include, with_columns),
    }
}

/// The table of objects.
pub(crate) fn table(
    found: &Found,
    objects: &[RecordedObject],
    include: Include,
    with_columns: bool,
) -> Result<Value, Status> {
    let missing = || {
        let resource = qualified(&found.path.group, &found.path.resource);
        Status::not_recorded(format!("the table of {resource}"))
    };
    let maker = found.table.as_ref().ok_or_else(missing)?;
    let mut rows = Vec::new();
    for recorded in objects {
        let cells = maker.cells(recorded, found.now).ok_or_else(missing)?;
        let mut row = Map::new();
        row.insert("cells".to_owned(), Value::Array(cells));
        if let Some(conditions) = table::row_conditions(recorded) {
            row.insert("conditions".to_owned(), conditions);
        }
        let object = match include {
            Include::None => Value::Null,
            Include::Metadata => partial(recorded),
            Include::Object => complete(found, recorded),
        };
        row.insert("object".to_owned(), object);
        rows.push(Value::Object(row));
    }
    let columns = if with_columns {
        json!(maker.columns())
    } else {
        Value::Null
    };
    Ok(json!({
        "kind": "Table",
        "apiVersion": META,
        "metadata": chunk::metadata(found),
        "columnDefinitions": columns,
        "rows": rows,
    }))
}

/// The `Scale` of what has replicas.
pub(crate) fn scale(mut found: Found, form: Form) -> Result<Value, Status> {
    for recorded in &mut found.objects {
        recorded.object = scale_of(&recorded.object);
        recorded.cells = None;
    }
    found.kind = "Scale".to_owned();
    SCALE.0.clone_into(&mut found.path.group);
    "v1".clone_into(&mut found.path.version);
    object(&found, form)
}

fn scale_of(workload: &Value) -> Value {
    let mut metadata = Map::new();
    for key in [
        "name",
        "namespace",
        "uid",
        "resourceVersion",
        "creationTimestamp",
    ] {
        if let Some(value) = workload.pointer(&format!("/metadata/{key}")) {
            metadata.insert(key.to_owned(), value.clone());
        }
    }
    let selector = object::field(workload, "/spec/selector").map_or(String::new(), |selector| {
        super::selector::LabelSelector::of(selector).to_string()
    });
    json!({
        "metadata": metadata,
        "spec": {"replicas": object::number(workload, "/spec/replicas")},
        "status": {
            "replicas": object::number(workload, "/status/replicas"),
            "selector": selector,
        },
    })
}

/// An object with its kind and version before everything else.
fn complete(found: &Found, recorded: &RecordedObject) -> Value {
    let mut fields = Map::new();
    fields.insert("kind".to_owned(), json!(found.kind));
    let version = group_version(&found.path.group, &found.path.version);
    fields.insert("apiVersion".to_owned(), json!(version));
    extend_untyped(&mut fields, recorded);
    Value::Object(fields)
}

/// An object in a list: without its kind if that is the list's own.
fn item(found: &Found, recorded: &RecordedObject) -> Value {
    if found.built_in {
        let mut fields = Map::new();
        extend_untyped(&mut fields, recorded);
        Value::Object(fields)
    } else {
        complete(found, recorded)
    }
}

fn extend_untyped(fields: &mut Map<String, Value>, recorded: &RecordedObject) {
    for (key, value) in recorded.object.as_object().into_iter().flatten() {
        if key != "kind" && key != "apiVersion" {
            fields.insert(key.clone(), value.clone());
        }
    }
}

/// Only the metadata of an object.
fn partial(recorded: &RecordedObject) -> Value {
    let metadata = object::field(&recorded.object, "/metadata");
    json!({
        "kind": "PartialObjectMetadata",
        "apiVersion": META,
        "metadata": metadata.cloned().unwrap_or_else(|| json!({})),
    })
}
