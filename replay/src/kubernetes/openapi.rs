//! The recorded OpenAPI v3 documents, which `kubectl explain` and `kubectl apply` read.

use serde_json::{Map, Value, json};

use super::status::Status;
use crate::view::View;

/// Where each document is.
pub(crate) async fn index(view: &dyn View, prefix: &str) -> Result<Value, Status> {
    let names = view.openapi_names().await?;
    if names.is_empty() {
        return Err(not_recorded());
    }
    let mut paths = Map::new();
    for name in names {
        let url = format!("{prefix}/openapi/v3/{name}");
        paths.insert(name, json!({"serverRelativeURL": url}));
    }
    Ok(json!({"paths": paths}))
}

/// One document.
pub(crate) async fn document(view: &dyn View, name: &str) -> Result<Value, Status> {
    if let Some(document) = view.openapi(name).await? {
        return Ok(document);
    }
    if view.openapi_names().await?.is_empty() {
        return Err(not_recorded());
    }
    Err(Status::no_such_path())
}

fn not_recorded() -> Status {
    Status::not_recorded("the description of the API (OpenAPI)")
}
