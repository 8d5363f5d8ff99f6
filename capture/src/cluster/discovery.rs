//! Which kinds of objects the cluster has, and where they live.

use serde_json::Value;

use super::{Cluster, ClusterError};

/// Asks for all groups at once.
const AGGREGATED: &str =
    "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json";

/// One kind of object, at the version that the server prefers.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ApiResource {
    /// API group, empty for the core group.
    pub group: String,
    /// API version.
    pub version: String,
    /// Plural name.
    pub resource: String,
    /// Singular name.
    pub singular: String,
    /// Short names.
    pub short_names: Vec<String>,
    /// Kind.
    pub kind: String,
    /// Whether its objects live in namespaces.
    pub namespaced: bool,
    /// What can be done with it.
    pub verbs: Vec<String>,
}

impl ApiResource {
    /// Returns the path of all its objects in a namespace, or in all.
    #[must_use]
    pub fn collection(&self, namespace: Option<&str>) -> String {
        let base = if self.group.is_empty() {
            format!("/api/{}", self.version)
        } else {
            format!("/apis/{}/{}", self.group, self.version)
        };
        match namespace {
            Some(namespace) if self.namespaced => {
                format!("{base}/namespaces/{namespace}/{}", self.resource)
            }
            _ => format!("{base}/{}", self.resource),
        }
    }

    /// Returns the path of one object; the namespace is ignored where there are none.
    #[must_use]
    pub fn object(&self, namespace: &str, name: &str) -> String {
        format!("{}/{name}", self.collection(Some(namespace)))
    }

    /// Returns `resource.group`, or only the resource in the core group.
    #[must_use]
    pub fn full_name(&self) -> String {
        if self.group.is_empty() {
            self.resource.clone()
        } else {
            format!("{}.{}", self.resource, self.group)
        }
    }

    /// Returns `group/version`, or only the version in the core group.
    #[must_use]
    pub fn api_version(&self) -> String {
        if self.group.is_empty() {
            self.version.clone()
        } else {
            format!("{}/{}", self.group, self.version)
        }
    }

    /// Says whether a verb is allowed.
    #[must_use]
    pub fn can(&self, verb: &str) -> bool {
        self.verbs.iter().any(|known| known == verb)
    }
}

impl Cluster {
    /// Returns every kind of object, sorted by group and resource; asked for once.
    pub async fn resources(&self) -> Result<&[ApiResource], ClusterError> {
        let resources = self.resources.get_or_try_init(|| async {
            let mut found = Vec::new();
            for path in ["/api", "/apis"] {
                let headers = [("accept", AGGREGATED)];
                let answer = self
                    .request(http::Method::GET, path, &headers, Vec::new())
                    .await?;
                let list = answer.successful(&http::Method::GET, path)?.json(path)?;
                if list["kind"] != "APIGroupDiscoveryList" {
                    return Err(ClusterError::Nonsense {
                        path: path.to_owned(),
                        reason: "no aggregated discovery; Kubernetes 1.27 or newer has it".into(),
                    });
                }
                read_groups(&list, &mut found);
            }
            found.sort();
            Ok(found)
        });
        Ok(resources.await?)
    }

    /// Finds a kind of object by plural, singular or short name, kind, or `resource.group`.
    ///
    /// The core group wins, then `apps`, then the order of names.
    pub async fn resolve(&self, name: &str) -> Result<&ApiResource, ClusterError> {
        let wanted = name.to_ascii_lowercase();
        let mut matching: Vec<_> = self
            .resources()
            .await?
            .iter()
            .filter(|resource| {
                resource.resource == wanted
                    || resource.singular == wanted
                    || resource.kind.to_ascii_lowercase() == wanted
                    || resource.short_names.contains(&wanted)
                    || resource.full_name() == wanted
            })
            .collect();
        matching.sort_by_key(|resource| (!resource.group.is_empty(), resource.group != "apps"));
        matching
            .first()
            .copied()
            .ok_or_else(|| ClusterError::NoResource {
                name: name.to_owned(),
            })
    }

    /// Finds a kind of object as objects name it: `apps/v1` and `Deployment`. Another version of the group will do.
    pub async fn resolve_kind(
        &self,
        api_version: &str,
        kind: &str,
    ) -> Result<&ApiResource, ClusterError> {
        let group = api_version.split_once('/').map_or("", |(group, _)| group);
        let mut resources = self.resources().await?.iter();
        resources
            .find(|resource| resource.group == group && resource.kind == kind)
            .ok_or_else(|| ClusterError::NoResource {
                name: format!("{kind} of {api_version}"),
            })
    }

    /// Returns the path of an object named `resource/name`, e.g. `deployment/rate`.
    pub async fn object_path(&self, namespace: &str, object: &str) -> Result<String, ClusterError> {
        let (kind, name) = object
            .split_once('/')
            .ok_or_else(|| ClusterError::NoResource {
                name: object.to_owned(),
            })?;
        Ok(self.resolve(kind).await?.object(namespace, name))
    }
}

/// Takes every resource of an aggregated discovery answer at its first (preferred) version.
fn read_groups(list: &Value, found: &mut Vec<ApiResource>) {
    let array = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    for group in array(&list["items"]) {
        let group_name = text(&group["metadata"]["name"]);
        let start = found.len();
        for version in array(&group["versions"]) {
            for resource in array(&version["resources"]) {
                let name = text(&resource["resource"]);
                if found[start..].iter().any(|known| known.resource == name) {
                    continue;
                }
                found.push(ApiResource {
                    group: group_name.clone(),
                    version: text(&version["version"]),
                    resource: name,
                    singular: text(&resource["singularResource"]),
                    short_names: array(&resource["shortNames"]).iter().map(text).collect(),
                    kind: text(&resource["responseKind"]["kind"]),
                    namespaced: resource["scope"] == "Namespaced",
                    verbs: array(&resource["verbs"]).iter().map(text).collect(),
                });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_preferred_version_wins_and_paths_follow_the_scope() {
        let resource = |name: &str, scope: &str| {
            json!({"resource": name, "singularResource": "x", "scope": scope,
                "responseKind": {"kind": "X"}, "verbs": ["list", "watch"]})
        };
        let list = json!({"items": [{"metadata": {"name": "autoscaling"}, "versions": [
            {"version": "v2", "resources": [resource("horizontalpodautoscalers", "Namespaced")]},
            {"version": "v1", "resources": [resource("horizontalpodautoscalers", "Namespaced"),
                resource("old", "Cluster")]},
        ]}]});
        let mut found = Vec::new();
        read_groups(&list, &mut found);
        let paths: Vec<_> = found
            .iter()
            .map(|resource| resource.object("shop", "a"))
            .collect();
        assert_eq!(
            paths,
            [
                "/apis/autoscaling/v2/namespaces/shop/horizontalpodautoscalers/a",
                "/apis/autoscaling/v1/old/a",
            ]
        );
    }
}
