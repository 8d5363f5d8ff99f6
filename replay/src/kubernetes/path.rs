//! What the path of a request names.

/// A place in the API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ApiPath {
    /// `/healthz`, `/livez`, `/readyz` and what is below them.
    Health,
    /// `/version`.
    Version,
    /// `/api`.
    CoreVersions,
    /// `/apis`.
    Groups,
    /// `/apis/GROUP`.
    Group(String),
    /// `/api/v1` or `/apis/GROUP/VERSION`.
    GroupVersion {
        /// API group, empty for the core group.
        group: String,
        /// API version.
        version: String,
    },
    /// `/openapi/v3`.
    OpenApiIndex,
    /// `/openapi/v3/PATH`.
    OpenApi(String),
    /// Objects.
    Resource(ResourcePath),
    /// Anything else.
    Other,
}

/// Objects, one object, or a part of one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ResourcePath {
    /// API group, empty for the core group.
    pub group: String,
    /// API version.
    pub version: String,
    /// Namespace; none: all of them, or a resource that has none.
    pub namespace: Option<String>,
    /// Plural resource name.
    pub resource: String,
    /// Name of the object; none: all of them.
    pub name: Option<String>,
    /// Subresource, e.g. `log`, with what follows it (`proxy/metrics`).
    pub subresource: Option<String>,
}

impl ResourcePath {
    /// The name of the object itself: what is proxied may be named with a scheme and a port,
    /// `[SCHEME:]NAME[:PORT]` (`k8s.io/apimachinery`, `util/net`).
    pub(crate) fn object_name(&self) -> Option<&str> {
        let name = self.name.as_deref()?;
        let subresource = self.subresource.as_deref().unwrap_or_default();
        if subresource.split('/').next() != Some("proxy") {
            return Some(name);
        }
        let mut parts = name.split(':');
        let first = parts.next();
        let second = parts.next();
        // With three parts the first is the scheme.
        if parts.next().is_some() {
            second
        } else {
            first
        }
    }
}

impl ApiPath {
    /// Takes a path apart. It starts with `/`, and its parts are decoded already.
    #[must_use]
    pub fn parse(path: &str) -> Self {
        let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
        match parts.as_slice() {
            ["healthz" | "livez" | "readyz", ..] => Self::Health,
            ["version"] => Self::Version,
            ["api"] => Self::CoreVersions,
            ["apis"] => Self::Groups,
            ["apis", group] => Self::Group((*group).to_owned()),
            ["api", version] => Self::GroupVersion {
                group: String::new(),
                version: (*version).to_owned(),
            },
            ["apis", group, version] => Self::GroupVersion {
                group: (*group).to_owned(),
                version: (*version).to_owned(),
            },
            ["openapi", "v3"] => Self::OpenApiIndex,
            ["openapi", "v3", name @ ..] => Self::OpenApi(name.join("/")),
            ["api", version, rest @ ..] => resource("", version, rest),
            ["apis", group, version, rest @ ..] => resource(group, version, rest),
            _ => Self::Other,
        }
    }
}

fn resource(group: &str, version: &str, rest: &[&str]) -> ApiPath {
    let (namespace, rest) = match rest {
        // A namespace itself, and its two subresources.
        ["namespaces"] | ["namespaces", _] | ["namespaces", _, "status" | "finalize"] => {
            (None, rest)
        }
        ["namespaces", namespace, rest @ ..] => (Some((*namespace).to_owned()), rest),
        rest => (None, rest),
    };
    let Some((resource, rest)) = rest.split_first() else {
        return ApiPath::Other;
    };
    let (name, subresource) = match rest {
        [] => (None, None),
        [name] => (Some((*name).to_owned()), None),
        [name, subresource @ ..] => (Some((*name).to_owned()), Some(subresource.join("/"))),
    };
    ApiPath::Resource(ResourcePath {
        group: group.to_owned(),
        version: version.to_owned(),
        namespace,
        resource: (*resource).to_owned(),
        name,
        subresource,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(path: &str, group: &str, namespace: &str, rest: [&str; 3]) {
        let ApiPath::Resource(found) = ApiPath::parse(path) else {
            panic!("{path} is no resource");
        };
        let of = |part: &Option<String>| part.clone().unwrap_or_default();
        assert_eq!(
            (
                found.group.as_str(),
                of(&found.namespace).as_str(),
                [
                    found.resource.as_str(),
                    of(&found.name).as_str(),
                    of(&found.subresource).as_str()
                ]
            ),
            (group, namespace, rest),
            "{path}"
        );
    }

    #[test]
    fn paths_name_objects() {
        check("/api/v1/pods", "", "", ["pods", "", ""]);
        check("/api/v1/nodes/lab", "", "", ["nodes", "lab", ""]);
        check("/api/v1/namespaces", "", "", ["namespaces", "", ""]);
        check("/api/v1/namespaces/a", "", "", ["namespaces", "a", ""]);
        check(
            "/api/v1/namespaces/a/status",
            "",
            "",
            ["namespaces", "a", "status"],
        );
        check("/api/v1/namespaces/a/pods", "", "a", ["pods", "", ""]);
        check(
            "/api/v1/namespaces/a/pods/b/log",
            "",
            "a",
            ["pods", "b", "log"],
        );
        check(
            "/apis/apps/v1/deployments",
            "apps",
            "",
            ["deployments", "", ""],
        );
        check(
            "/api/v1/nodes/n/proxy/stats/summary",
            "",
            "",
            ["nodes", "n", "proxy/stats/summary"],
        );
    }

    #[test]
    fn paths_name_documents() {
        for (path, expected) in [
            ("/api", ApiPath::CoreVersions),
            ("/apis/", ApiPath::Groups),
            ("/apis/apps", ApiPath::Group("apps".to_owned())),
            ("/livez/ping", ApiPath::Health),
            ("/openapi/v3", ApiPath::OpenApiIndex),
            (
                "/openapi/v3/apis/apps/v1",
                ApiPath::OpenApi("apis/apps/v1".to_owned()),
            ),
            ("/openapi/v2", ApiPath::Other),
            ("/", ApiPath::Other),
        ] {
            assert_eq!(ApiPath::parse(path), expected, "{path}");
        }
    }
}
