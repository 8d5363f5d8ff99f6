//! Long lists in chunks: so many objects, and a token that says where to go on.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde_json::{Map, Value, json};

use super::api::{Found, ListOptions};
use super::status::Status;
use crate::view::RecordedObject;

const VERSION: &str = "meta.k8s.io/v1";

/// What a list says of itself.
pub(crate) fn metadata(found: &Found) -> Value {
    let mut metadata = Map::new();
    metadata.insert("resourceVersion".to_owned(), json!(found.resource_version));
    if let Some(rest) = &found.rest {
        metadata.insert("continue".to_owned(), json!(rest.token));
        if let Some(count) = rest.count {
            metadata.insert("remainingItemCount".to_owned(), json!(count));
        }
    }
    Value::Object(metadata)
}

/// What comes after a chunk.
pub(crate) struct Rest {
    token: String,
    /// How many objects, where the server knows: not of a selection.
    count: Option<usize>,
}

/// Cuts a list to the chunk that is asked for.
pub(crate) fn cut(found: &mut Found, options: &ListOptions) -> Result<(), Status> {
    let namespaced = found.path.namespace.is_some();
    if !options.after.is_empty() {
        let start = start(&options.after)?;
        found
            .objects
            .retain(|object| key(object, namespaced) >= start);
    }
    if options.limit == 0 || found.objects.len() <= options.limit {
        return Ok(());
    }
    let left = found.objects.split_off(options.limit);
    let Some(last) = found.objects.last() else {
        return Ok(());
    };
    // The first key that can come after the last one.
    let token = json!({
        "v": VERSION,
        "rv": found.resource_version.parse::<u64>().unwrap_or(1),
        "start": format!("{}\0", key(last, namespaced)),
    });
    let selecting = !options.label_selector.is_empty() || !options.field_selector.is_empty();
    found.rest = Some(Rest {
        token: BASE64_URL_SAFE_NO_PAD.encode(token.to_string()),
        count: (!selecting).then_some(left.len()),
    });
    Ok(())
}

/// Where an object stands below what is listed.
fn key(object: &RecordedObject, namespaced: bool) -> String {
    match object.namespace.as_str() {
        "" => object.name.clone(),
        _ if namespaced => object.name.clone(),
        namespace => format!("{namespace}/{}", object.name),
    }
}

fn start(token: &str) -> Result<String, Status> {
    let invalid =
        |problem: &str| Status::bad_request(format!("continue key is not valid: {problem}"));
    let bytes = BASE64_URL_SAFE_NO_PAD
        .decode(token)
        .map_err(|error| invalid(&error.to_string()))?;
    let token: Value =
        serde_json::from_slice(&bytes).map_err(|error| invalid(&error.to_string()))?;
    match (token["v"].as_str(), token["start"].as_str()) {
        (Some(VERSION), Some(start)) if !start.is_empty() => Ok(start.to_owned()),
        (Some(VERSION), _) => Err(invalid("it has no start")),
        _ => Err(invalid("it is of another version")),
    }
}
