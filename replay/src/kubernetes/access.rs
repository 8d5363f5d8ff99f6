//! Who may do what: as the recorded cluster answered whoever recorded it. Clients ask before they
//! show anything. Writes are refused all the same, and recorded: see [`Status::read_only`].

use serde_json::{Value, json};

use super::object;
use super::status::Status;
use crate::view::View;

/// Who asks, whatever the name of whoever recorded.
pub const USER: &str = "agent";

/// Answers a review: `resource` is the plural that it was posted to, `body` the posted object.
///
/// # Errors
/// When there is no such review, or what it asks was not recorded.
pub(crate) async fn review(view: &dyn View, resource: &str, body: &Value) -> Result<Value, Status> {
    let spec = body.get("spec").cloned().unwrap_or_else(|| json!({}));
    let (kind, version, spec, status) = match resource {
        "selfsubjectaccessreviews" => {
            let allowed = Rules::open(view).await?.allow(&spec)?;
            let status = json!({"allowed": allowed});
            (
                "SelfSubjectAccessReview",
                "authorization",
                Some(spec),
                status,
            )
        }
        "selfsubjectrulesreviews" => {
            let namespace = object::text(&spec, "/namespace");
            if namespace.is_empty() {
                return Err(Status::bad_request("no namespace on request"));
            }
            let rules = Rules::open(view).await?;
            let status = rules
                .of(namespace)
                .ok_or_else(|| unknown(namespace))?
                .clone();
            (
                "SelfSubjectRulesReview",
                "authorization",
                Some(spec),
                status,
            )
        }
        "selfsubjectreviews" => {
            let user = json!({"username": USER, "groups": ["system:authenticated"]});
            let status = json!({"userInfo": user});
            ("SelfSubjectReview", "authentication", None, status)
        }
        _ => return Err(Status::no_such_path()),
    };
    let mut review = json!({
        "kind": kind,
        "apiVersion": format!("{version}.k8s.io/v1"),
        "metadata": {"creationTimestamp": null},
    });
    if let Some(spec) = spec {
        review["spec"] = spec;
    }
    review["status"] = status;
    Ok(review)
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

fn unknown(namespace: &str) -> Status {
    let place = match namespace {
        "" => String::new(),
        namespace => format!(" in namespace {namespace}"),
    };
    Status::not_recorded(format!("what one may do{place}"))
}

/// What one may do, by namespace; under the empty name what holds in all of them.
struct Rules {
    recorded: Vec<(String, Value)>,
}

impl Rules {
    /// Where it was not recorded, everything is allowed: AIOpsLab's agents are cluster
    /// administrators.
    async fn open(view: &dyn View) -> Result<Self, Status> {
        let mut recorded = view.access_rules().await?;
        if recorded.is_empty() {
            let all = json!({
                "resourceRules": [{"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]}],
                "nonResourceRules": [{"verbs": ["*"], "nonResourceURLs": ["*"]}],
                "incomplete": false,
            });
            recorded.push((String::new(), all));
        }
        Ok(Self { recorded })
    }

    fn recorded(&self, namespace: &str) -> Option<&Value> {
        let found = self.recorded.iter().find(|(name, _)| name == namespace);
        found.map(|(_, status)| status)
    }

    /// All of the rules in a namespace. Where there is nothing but what holds in all namespaces, that
    /// is all if it leaves nothing to be added.
    fn of(&self, namespace: &str) -> Option<&Value> {
        self.recorded(namespace).or_else(|| {
            let everywhere = self.recorded("")?;
            let mut rules = object::list(everywhere, "/resourceRules").iter();
            let all = rules.any(|rule| {
                let any = |field: &str| object::list(rule, field).contains(&json!("*"));
                any("/verbs") && any("/apiGroups") && any("/resources")
            });
            all.then_some(everywhere)
        })
    }

    /// The answer to the spec of an access review.
    fn allow(&self, spec: &Value) -> Result<bool, Status> {
        let (attributes, kind): (_, fn(&Value, &Value) -> bool) =
            match object::field(spec, "/nonResourceAttributes") {
                Some(attributes) => (attributes, allows_path),
                None => (&spec["resourceAttributes"], allows_resource),
            };
        let namespace = object::text(attributes, "/namespace");
        let allowed = |status: &Value| {
            let mut rules = ["/resourceRules", "/nonResourceRules"]
                .into_iter()
                .flat_map(|of| object::list(status, of));
            rules.any(|rule| kind(rule, attributes))
        };
        let everywhere = self.recorded("");
        let known = self.of(namespace);
        if known.or(everywhere).is_some_and(allowed) {
            return Ok(true);
        }
        match known {
            Some(status) if !object::flag(status, "/incomplete") => Ok(false),
            _ => Err(unknown(namespace)),
        }
    }
}

/// Whether a rule names a value, or all of them.
fn names(rule: &Value, field: &str, value: &str) -> bool {
    let mut known = object::list(rule, field).iter().filter_map(Value::as_str);
    known.any(|known| known == "*" || known == value)
}

fn allows_resource(rule: &Value, asked: &Value) -> bool {
    let text = |field: &str| object::text(asked, field);
    let (mut resource, name) = (text("/resource").to_owned(), text("/name"));
    let mut any_of_subresource = false;
    if let subresource @ [_, ..] = text("/subresource").as_bytes() {
        let subresource = String::from_utf8_lossy(subresource);
        any_of_subresource = names(rule, "/resources", &format!("*/{subresource}"));
        resource = format!("{resource}/{subresource}");
    }
    let only = object::list(rule, "/resourceNames");
    names(rule, "/verbs", text("/verb"))
        && names(rule, "/apiGroups", text("/group"))
        && (any_of_subresource || names(rule, "/resources", &resource))
        && (only.is_empty() || only.iter().any(|known| known == name))
}

fn allows_path(rule: &Value, asked: &Value) -> bool {
    let path = object::text(asked, "/path");
    let paths = object::list(rule, "/nonResourceURLs").iter();
    let mut paths = paths.filter_map(Value::as_str);
    names(rule, "/verbs", object::text(asked, "/verb"))
        && paths.any(|known| match known.strip_suffix('*') {
            Some(beginning) => path.starts_with(beginning),
            None => path == known,
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(rules: &[Value], attributes: Value, allowed: bool) {
        let status = json!({"resourceRules": rules, "incomplete": false});
        let rules = Rules {
            recorded: vec![(String::new(), status)],
        };
        let spec = json!({ "resourceAttributes": attributes });
        assert_eq!(rules.allow(&spec), Ok(allowed), "{attributes}");
    }

    #[test]
    fn rules_are_read_as_rbac_does() {
        let rules = [
            json!({"verbs": ["get", "list"], "apiGroups": ["", "apps"], "resources": ["pods", "*/scale"]}),
            json!({"verbs": ["*"], "apiGroups": ["batch"], "resources": ["*"], "resourceNames": ["a"]}),
        ];
        for (verb, group, resource, subresource, name, allowed) in [
            ("get", "", "pods", "", "", true),
            ("get", "apps", "pods", "", "x", true),
            ("watch", "", "pods", "", "", false),
            ("get", "batch", "pods", "", "", false),
            ("get", "", "pods", "log", "", false),
            ("get", "apps", "deployments", "scale", "", true),
            ("delete", "batch", "jobs", "", "a", true),
            ("delete", "batch", "jobs", "status", "a", true),
            ("delete", "batch", "jobs", "", "b", false),
            ("*", "", "pods", "", "", false),
        ] {
            let attributes = json!({"verb": verb, "group": group, "resource": resource,
                "subresource": subresource, "name": name});
            check(&rules, attributes, allowed);
        }
    }

    #[test]
    fn what_is_incomplete_denies_nothing() {
        let status = json!({"resourceRules": [{"verbs": ["get"], "apiGroups": [""], "resources": ["pods"]}],
            "incomplete": true});
        let rules = Rules {
            recorded: vec![("shop".to_owned(), status)],
        };
        let ask = |verb: &str| {
            let attributes = json!({"verb": verb, "resource": "pods", "namespace": "shop"});
            rules.allow(&json!({ "resourceAttributes": attributes }))
        };
        assert_eq!(ask("get"), Ok(true));
        assert_eq!(ask("delete").unwrap_err().code, 503);
    }

    #[test]
    fn reviews_are_no_writes() {
        assert!(is_review("authorization.k8s.io", "selfsubjectrulesreviews"));
        assert!(!is_review("", "selfsubjectaccessreviews"));
        assert!(!is_review("authorization.k8s.io", "subjectaccessreviews"));
    }
}
