//! What the server warns of beside its answer.

use serde_json::Value;

use super::object;

/// The warning that comes with reading a resource.
pub(crate) fn on_read(group: &str, resource: &str, server: &Value) -> Option<&'static str> {
    let minor = object::text(server, "/minor").trim_end_matches('+');
    let minor: u32 = minor.parse().unwrap_or(0);
    (group.is_empty() && resource == "endpoints" && minor >= 33)
        .then_some("v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice")
}
