//! Who may do what: everything can be read, nothing can be written.
//!
//! Clients ask before they show anything, so that these have to be answered.

use serde_json::{Value, json};

use super::status::Status;

/// The verbs that are allowed.
const READS: [&str; 3] = ["get", "list", "watch"];

/// Answers a review: `resource` is the plural that it was posted to, `body` the posted object.
///
/// # Errors
/// When there is no such review.
pub fn review(resource: &str, body: &Value) -> Result<Value, Status> {
    let spec = body.get("spec").cloned().unwrap_or_else(|| json!({}));
    match resource {
        "selfsubjectaccessreviews" => {
            let verb = ["resourceAttributes", "nonResourceAttributes"]
                .iter()
                .find_map(|attributes| spec.get(attributes)?.get("verb")?.as_str());
            let allowed = verb.is_some_and(|verb| READS.contains(&verb));
            let reason = if allowed {
                "everything in this recording can be read"
            } else {
                "this cluster is a read-only replay of a recorded incident"
            };
            Ok(answer(
                "SelfSubjectAccessReview",
                "authorization.k8s.io/v1",
                Some(spec),
                json!({"allowed": allowed, "reason": reason}),
            ))
        }
        "selfsubjectrulesreviews" => Ok(answer(
            "SelfSubjectRulesReview",
            "authorization.k8s.io/v1",
            Some(spec),
            json!({
                "resourceRules": [{"verbs": READS, "apiGroups": ["*"], "resources": ["*"]}],
                "nonResourceRules": [{"verbs": ["get"], "nonResourceURLs": ["*"]}],
                "incomplete": false,
            }),
        )),
        "selfsubjectreviews" => Ok(answer(
            "SelfSubjectReview",
            "authentication.k8s.io/v1",
            None,
            json!({"userInfo": {"username": "replay", "groups": ["system:authenticated"]}}),
        )),
        _ => Err(Status::no_such_path()),
    }
}

/// Whether something posted to this resource is a question rather than a write.
#[must_use]
pub fn is_review(group: &str, resource: &str) -> bool {
    matches!(
        (group, resource),
        (
            "authorization.k8s.io",
            "selfsubjectaccessreviews" | "selfsubjectrulesreviews"
        ) | ("authentication.k8s.io", "selfsubjectreviews")
    )
}

fn answer(kind: &str, version: &str, spec: Option<Value>, status: Value) -> Value {
    let mut review = json!({
        "kind": kind,
        "apiVersion": version,
        "metadata": {"creationTimestamp": null},
    });
    if let Some(fields) = review.as_object_mut() {
        if let Some(spec) = spec {
            fields.insert("spec".to_owned(), spec);
        }
        fields.insert("status".to_owned(), status);
    }
    review
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(verb: &str, allowed: bool) {
        let body = json!({"spec": {"resourceAttributes": {"verb": verb, "resource": "pods"}}});
        let answer = review("selfsubjectaccessreviews", &body).unwrap();
        assert_eq!(answer["status"]["allowed"], allowed, "{verb}");
        assert_eq!(answer["spec"], body["spec"]);
    }

    #[test]
    fn reading_is_allowed_and_writing_is_not() {
        check("get", true);
        check("list", true);
        check("watch", true);
        check("patch", false);
        check("delete", false);
        check("*", false);
        assert!(is_review("authorization.k8s.io", "selfsubjectrulesreviews"));
        assert!(!is_review("authorization.k8s.io", "subjectaccessreviews"));
    }
}
