//! Applications: what is deployed, loaded and broken.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Value, from_value};

use crate::condition::Condition;
use crate::keyed::{self, Kind};

/// An application, as its file says it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Application {
    /// Its name.
    pub name: String,
    /// Shown to agents.
    pub title: String,
    /// Shown to agents.
    pub description: String,
    /// What users do with it; shown to agents.
    pub operations: Vec<String>,
    /// What it runs on.
    #[serde(default, skip_serializing_if = "Platform::is_kubernetes")]
    pub platform: Platform,
    /// Its namespace.
    pub namespace: String,
    /// The label whose value names a pod's service; empty: none is known.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub service_label: String,
    /// What of it can be broken, by the names that agents use: services, stores, custom resources. Problems name no
    /// others.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub components: Vec<String>,
    /// Name and port of the Service that users reach.
    #[serde(
        default = "Endpoint::nowhere",
        skip_serializing_if = "Endpoint::is_nowhere"
    )]
    pub frontend: Endpoint,
    /// Where its Prometheus is.
    #[serde(
        default = "Endpoint::nowhere",
        skip_serializing_if = "Endpoint::is_nowhere"
    )]
    pub prometheus: Endpoint,
    /// Where its Jaeger's query API is.
    #[serde(
        default = "Endpoint::nowhere",
        skip_serializing_if = "Endpoint::is_nowhere"
    )]
    pub jaeger: Endpoint,
    /// Where its manifests come from; none: it is not ours to deploy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<Source>,
    /// What it needs besides its manifests, applied before them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub objects: Vec<Value>,
    /// Where its feature flags are; none: it has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub flags: Option<Flags>,
    /// Its workloads by name.
    pub workloads: BTreeMap<String, Load>,
    /// Must hold for the application to be healthy.
    pub healthy: Vec<Condition>,
}

impl Application {
    /// An application of which only this much is known, e.g. from a snapshot's manifest.
    #[must_use]
    pub fn unknown(name: &str, namespace: &str, service_label: &str) -> Self {
        Self {
            name: name.to_owned(),
            title: name.to_owned(),
            description: String::new(),
            operations: Vec::new(),
            platform: Platform::Kubernetes,
            namespace: namespace.to_owned(),
            service_label: service_label.to_owned(),
            components: Vec::new(),
            frontend: Endpoint::nowhere(),
            prometheus: Endpoint::nowhere(),
            jaeger: Endpoint::nowhere(),
            source: None,
            objects: Vec::new(),
            flags: None,
            workloads: BTreeMap::new(),
            healthy: Vec::new(),
        }
    }
}

/// What an application runs on.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Platform {
    /// A Kubernetes cluster.
    #[default]
    Kubernetes,
    /// Docker alone: can be neither captured nor evaluated by us.
    Docker,
}

impl Platform {
    fn is_kubernetes(&self) -> bool {
        *self == Self::Kubernetes
    }
}

/// A Service in the cluster, or an address elsewhere.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Endpoint {
    /// Namespace; none: the application's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// Name of the Service.
    pub service: String,
    /// Port of the Service.
    pub port: u16,
    /// The path below which it answers, e.g. `/jaeger/ui`; none: at the root.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// An `http` or `https` URL instead of a Service; catalog files name none.
    #[serde(skip)]
    pub url: Option<String>,
}

/// A text that names neither a Service nor an address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is no place of a Service or server\nhint: NAMESPACE/SERVICE:PORT in the cluster, or a URL such as http://127.0.0.1:9090"
)]
pub struct UnknownEndpoint(pub String);

impl FromStr for Endpoint {
    type Err = UnknownEndpoint;

    /// Reads `NAMESPACE/SERVICE:PORT`, `SERVICE:PORT`, either with a path after it, or a URL.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let unknown = || UnknownEndpoint(text.to_owned());
        if let Some((scheme, host)) = text.split_once("://") {
            if !["http", "https"].contains(&scheme) || host.trim_matches('/').is_empty() {
                return Err(unknown());
            }
            return Ok(Self {
                url: Some(text.trim_end_matches('/').to_owned()),
                ..Self::nowhere()
            });
        }
        let (place, port) = text.rsplit_once(':').ok_or_else(unknown)?;
        let (port, path) = match port.split_once('/') {
            Some((port, path)) => (port, Some(format!("/{path}"))),
            None => (port, None),
        };
        let (namespace, service) = match place.split_once('/') {
            Some((namespace, service)) => (Some(namespace), service),
            None => (None, place),
        };
        let is_name = |name: &str| {
            let is_part =
                |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
            !name.is_empty() && name.bytes().all(is_part)
        };
        if !is_name(service) || !namespace.is_none_or(is_name) {
            return Err(unknown());
        }
        Ok(Self {
            namespace: namespace.map(str::to_owned),
            service: service.to_owned(),
            port: port.parse().map_err(|_| unknown())?,
            path,
            url: None,
        })
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.url, &self.namespace) {
            (Some(url), _) => formatter.write_str(url)?,
            (None, Some(namespace)) => {
                write!(formatter, "{namespace}/{}:{}", self.service, self.port)?;
            }
            (None, None) => write!(formatter, "{}:{}", self.service, self.port)?,
        }
        formatter.write_str(&self.at(""))
    }
}

impl Endpoint {
    /// The endpoint of what the application doesn't have.
    #[must_use]
    pub fn nowhere() -> Self {
        Self {
            namespace: None,
            service: String::new(),
            port: 0,
            path: None,
            url: None,
        }
    }

    /// A path of what answers there, which starts with `/`, as the server that it is asked of takes it.
    #[must_use]
    pub fn at(&self, path: &str) -> String {
        let below = self.path.as_deref().unwrap_or_default();
        format!("{}{path}", below.trim_end_matches('/'))
    }

    /// Checks that its path begins at the root.
    pub(crate) fn check(&self) -> Result<(), String> {
        match &self.path {
            Some(path) if !path.starts_with('/') => {
                Err(format!("the path {path:?} does not start with /"))
            }
            _ => Ok(()),
        }
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_nowhere(&self) -> bool {
        self.service.is_empty() && self.url.is_none()
    }
}

/// Where feature flags are: a text of JSON in an object, with `flags.NAME.defaultVariant` in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Flags {
    /// The object, `resource/name`.
    pub object: String,
    /// Path of the text in the object.
    pub path: String,
    /// The workload that has to be restarted to read it again.
    pub restart: String,
}

/// Where an application's manifests come from. Nothing of others is in this repository: it is fetched when deployed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Source {
    /// Part of this program.
    BuiltIn(BuiltIn),
    /// A git repository.
    Git(Git),
    /// A chart of a Helm repository.
    Helm(HelmChart),
}

const SOURCES: [Kind<Source>; 3] = [
    ("built_in", |value| from_value(value).map(Source::BuiltIn)),
    ("git", |value| from_value(value).map(Source::Git)),
    ("helm", |value| from_value(value).map(Source::Helm)),
];

impl<'de> Deserialize<'de> for Source {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        keyed::read(deserializer, "source", &SOURCES)
    }
}

impl Source {
    /// Checks that it says which version it is of, or why that is not known.
    pub(crate) fn check(&self) -> Result<(), String> {
        let (version, unpinned, key) = match self {
            Self::BuiltIn(_) => return Ok(()),
            Self::Git(git) => (&git.commit, &git.unpinned, "commit"),
            Self::Helm(chart) => (&chart.version, &chart.unpinned, "version"),
        };
        if version.is_some() == unpinned.is_some() {
            return Err(format!(
                "a source has a `{key}`, or says in `unpinned` why none is known"
            ));
        }
        let Self::Git(git) = self else {
            return Ok(());
        };
        let ways = [&git.manifests, &git.chart, &git.compose];
        if ways.into_iter().flatten().count() == 1 {
            Ok(())
        } else {
            Err(
                "a git source has the path of one of `manifests`, `chart`, `compose` in it"
                    .to_owned(),
            )
        }
    }
}

/// Manifests that are part of this program.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BuiltIn {
    /// Their folder below the project's root.
    pub built_in: String,
}

/// Manifests, a chart or a Compose file in a git repository.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Git {
    /// URL of the repository.
    pub git: String,
    /// The commit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    /// Why no commit is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unpinned: Option<String>,
    /// Folder of manifests in the repository.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub manifests: Option<String>,
    /// Folder of a chart in the repository.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chart: Option<String>,
    /// Folder of a Docker Compose file in the repository.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub compose: Option<String>,
    /// Name of the Helm release, for a chart.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub release: Option<String>,
    /// Secrets that are made of files in the folder of the manifests or the chart: the files' paths, by the Secret's name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub secrets: BTreeMap<String, Vec<String>>,
}

/// A chart of a Helm repository.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HelmChart {
    /// The chart, `repository/chart`, or its `oci://` address.
    pub helm: String,
    /// URL of the repository.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repository: Option<String>,
    /// Version of the chart.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Why no version is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unpinned: Option<String>,
    /// The namespace of the release; none: the application's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
}

/// What makes the requests.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Load {
    /// Our own generator.
    Generated(Workload),
    /// Something of the application's own, or nothing.
    Provided(Provided),
}

impl Load {
    /// What our generator sends; none: it sends nothing.
    #[must_use]
    pub fn generated(&self) -> Option<&Workload> {
        match self {
            Self::Generated(workload) => Some(workload),
            Self::Provided(_) => None,
        }
    }
}

const LOADS: [Kind<Load>; 2] = [
    ("mix", |value| from_value(value).map(Load::Generated)),
    ("provided", |value| from_value(value).map(Load::Provided)),
];

impl<'de> Deserialize<'de> for Load {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        keyed::read(deserializer, "workload", &LOADS)
    }
}

/// Requests that our generator sends; the arguments of its Job.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Workload {
    /// Requests per second.
    pub rate: f64,
    /// Distribution of the time between requests: `exponential` or `constant`.
    pub arrival: String,
    /// Share of each kind of request.
    pub mix: BTreeMap<String, f64>,
    /// Anything else that the generator takes.
    #[serde(default)]
    pub extra: BTreeMap<String, Value>,
}

/// A load that nobody has to start.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Provided {
    /// What makes it, for people.
    pub provided: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_read_as_it_is_written() {
        for text in [
            "jaeger:16686",
            "observe/jaeger:16686",
            "shop/jaeger:16686/jaeger/ui",
            "http://127.0.0.1:16686/jaeger/ui",
        ] {
            let place: Endpoint = text.parse().unwrap();
            assert_eq!(place.to_string(), text);
        }
        for text in ["jaeger", "jaeger:query", "a/b/c:80", "ftp://127.0.0.1"] {
            assert!(text.parse::<Endpoint>().is_err(), "{text}");
        }
    }

    #[test]
    fn what_answers_below_a_path_is_asked_below_it() {
        let at = |place: &str| place.parse::<Endpoint>().unwrap().at("/api/services");
        assert_eq!(at("jaeger:16686"), "/api/services");
        assert_eq!(at("jaeger:16686/"), "/api/services");
        assert_eq!(at("jaeger:16686/jaeger/ui"), "/jaeger/ui/api/services");
        assert_eq!(at("jaeger:16686/jaeger/ui/"), "/jaeger/ui/api/services");
    }
}
