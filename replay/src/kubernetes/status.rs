//! Errors as an API server tells them.

use serde_json::{Value, json};

use super::selector::SelectorError;
use crate::view::ViewError;

/// Why a request fails: a `Status` of the failing sort.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Status {
    /// HTTP status.
    pub code: u16,
    /// For programs, e.g. `NotFound`.
    pub reason: &'static str,
    /// For people.
    pub message: String,
    /// Name, group and kind (as upstream: the plural resource) of what it is about.
    pub details: Option<Details>,
}

/// What a [`Status`] is about.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Details {
    /// Name of the object.
    pub name: String,
    /// API group.
    pub group: String,
    /// Plural resource name.
    pub resource: String,
}

impl Status {
    fn new(code: u16, reason: &'static str, message: impl Into<String>) -> Self {
        Self {
            code,
            reason,
            message: message.into(),
            details: None,
        }
    }

    /// An object that is known not to be there.
    #[must_use]
    pub fn not_found(group: &str, resource: &str, name: &str) -> Self {
        let message = format!("{} \"{name}\" not found", qualified(group, resource));
        Self::new(404, "NotFound", message).about(group, resource, name)
    }

    /// A path that the server has nothing at.
    #[must_use]
    pub fn no_such_path() -> Self {
        let message = "the server could not find the requested resource";
        Self {
            details: Some(Details::default()),
            ..Self::new(404, "NotFound", message)
        }
    }

    /// A request that makes no sense.
    #[must_use]
    pub fn bad_request(message: impl Into<String>) -> Self {
        Self::new(400, "BadRequest", message)
    }

    /// A request whose values are not allowed.
    #[must_use]
    pub fn invalid(message: impl Into<String>) -> Self {
        Self::new(422, "Invalid", message)
    }

    /// A write, or anything else that would change what was recorded.
    #[must_use]
    pub fn read_only(group: &str, resource: &str, name: &str) -> Self {
        let why = "this cluster is a read-only replay of a recorded incident";
        Self::refused(group, resource, name, why)
    }

    /// Something else that is not done here, and why.
    #[must_use]
    pub fn refused(group: &str, resource: &str, name: &str, why: &str) -> Self {
        let what = qualified(group, resource);
        let message = match (what.as_str(), name) {
            ("", _) => format!("forbidden: {why}"),
            (what, "") => format!("{what} is forbidden: {why}"),
            (what, name) => format!("{what} \"{name}\" is forbidden: {why}"),
        };
        Self::new(403, "Forbidden", message).about(group, resource, name)
    }

    /// What this recording can't tell. It is no `NotFound`: the thing may well have been there.
    #[must_use]
    pub fn not_recorded(what: impl std::fmt::Display) -> Self {
        let message = format!("{what} is not available in this recording");
        Self::new(503, "ServiceUnavailable", message)
    }

    /// A method that is not answered.
    #[must_use]
    pub fn method_not_allowed() -> Self {
        let message = "the server does not allow this method on the requested resource";
        Self {
            details: Some(Details::default()),
            ..Self::new(405, "MethodNotAllowed", message)
        }
    }

    /// A form of answer that is not made.
    #[must_use]
    pub fn not_acceptable() -> Self {
        let message = "only the following media types are accepted: application/json";
        Self::new(406, "NotAcceptable", message)
    }

    /// A body that is larger than any honest one.
    #[must_use]
    pub fn too_large() -> Self {
        Self::new(413, "RequestEntityTooLarge", "the request is too large")
    }

    /// Says what it is about.
    #[must_use]
    pub fn about(mut self, group: &str, resource: &str, name: &str) -> Self {
        self.details = Some(Details {
            name: name.to_owned(),
            group: group.to_owned(),
            resource: resource.to_owned(),
        });
        self
    }

    /// The object that goes over the wire.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let mut status = json!({
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Failure",
            "message": self.message,
            "reason": self.reason,
        });
        if let (Some(details), Some(fields)) = (&self.details, status.as_object_mut()) {
            let mut shown = serde_json::Map::new();
            for (key, value) in [
                ("name", &details.name),
                ("group", &details.group),
                ("kind", &details.resource),
            ] {
                if !value.is_empty() {
                    shown.insert(key.to_owned(), json!(value));
                }
            }
            fields.insert("details".to_owned(), Value::Object(shown));
        }
        if let Some(fields) = status.as_object_mut() {
            fields.insert("code".to_owned(), json!(self.code));
        }
        status
    }
}

impl From<SelectorError> for Status {
    fn from(error: SelectorError) -> Self {
        Self::bad_request(error.to_string())
    }
}

impl From<ViewError> for Status {
    fn from(error: ViewError) -> Self {
        use std::error::Error;
        let cause = error.source().map(|cause| format!(": {cause}"));
        let message = format!(
            "Internal error occurred: {error}{}",
            cause.unwrap_or_default()
        );
        Self::new(500, "InternalError", message)
    }
}

/// `pods` or `deployments.apps`: how the server names a resource in messages.
pub(crate) fn qualified(group: &str, resource: &str) -> String {
    if group.is_empty() {
        resource.to_owned()
    } else {
        format!("{resource}.{group}")
    }
}
