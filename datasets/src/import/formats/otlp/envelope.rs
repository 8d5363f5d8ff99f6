//! What is around the rows of a document: resources and instrumentation scopes.

use serde::Deserialize;
use serde_json::{Value, json};

use super::values::{KeyValue, attributes, text_of};

/// A line; of the three, it has one. Spans, records and metrics stay as they are until each is looked at.
#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Envelope {
    pub(super) resource_spans: Vec<OfResource>,
    pub(super) resource_logs: Vec<OfResource>,
    pub(super) resource_metrics: Vec<OfResource>,
    /// An object of anything else is no OTLP.
    #[serde(flatten)]
    others: serde_json::Map<String, Value>,
}

impl Envelope {
    pub(super) fn is_none_of_ours(&self) -> bool {
        let lists = [
            &self.resource_spans,
            &self.resource_logs,
            &self.resource_metrics,
        ];
        lists.iter().all(|list| list.is_empty()) && !self.others.is_empty()
    }
}

/// What one resource sent.
#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct OfResource {
    pub(super) resource: Resource,
    // The other names are those of the time before OTLP 0.15.
    #[serde(
        alias = "scopeSpans",
        alias = "scopeLogs",
        alias = "scopeMetrics",
        alias = "instrumentationLibrarySpans",
        alias = "instrumentationLibraryLogs",
        alias = "instrumentationLibraryMetrics"
    )]
    pub(super) scopes: Vec<OfScope>,
}

/// What one instrumentation scope of it sent.
#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct OfScope {
    #[serde(alias = "instrumentationLibrary")]
    scope: Scope,
    #[serde(alias = "spans", alias = "logRecords", alias = "metrics")]
    pub(super) rows: Vec<Value>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Scope {
    name: String,
    version: String,
    attributes: Vec<KeyValue>,
}

impl OfScope {
    /// `{"name","version"}`; none where nothing is told.
    pub(super) fn scope(&self) -> Option<String> {
        let Scope { name, version, .. } = &self.scope;
        let told = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        let (name, version) = (told(name), told(version));
        (name.is_some() || version.is_some())
            .then(|| json!({"name": name, "version": version}).to_string())
    }

    /// Whether it has what the table has no place for.
    pub(super) fn has_more(&self) -> bool {
        !self.scope.attributes.is_empty()
    }
}

/// What sent the rows.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Resource {
    attributes: Vec<KeyValue>,
}

impl Resource {
    /// An attribute as text, where it is there and not empty.
    pub(super) fn get(&self, key: &str) -> Option<String> {
        let found = self.attributes.iter().find(|one| one.key == key)?;
        text_of(&found.value).filter(|text| !text.is_empty())
    }

    /// `service.name`, else what the specification says such a service is called.
    pub(super) fn service(&self) -> String {
        let name = self.get("service.name");
        name.unwrap_or_else(|| "unknown_service".to_owned())
    }

    pub(super) fn namespace(&self) -> Option<String> {
        self.get("k8s.namespace.name")
    }

    pub(super) fn node(&self) -> Option<String> {
        self.get("k8s.node.name").or_else(|| self.get("host.name"))
    }

    /// All of it, `service.name` first.
    pub(super) fn to_json(&self) -> Result<String, String> {
        let service = json!({"key": "service.name", "type": "string", "value": self.service()});
        let others = self.attributes.iter();
        let others = others.filter(|one| one.key != "service.name");
        let mut all = vec![service];
        all.extend(attributes(others)?);
        Ok(json!(all).to_string())
    }

    /// The attributes that tell the series of this resource from those of others, as labels.
    pub(super) fn labels(&self) -> Vec<(&'static str, String)> {
        const LABELS: [(&str, &str); 8] = [
            ("k8s.namespace.name", "namespace"),
            ("k8s.pod.name", "pod"),
            ("k8s.container.name", "container"),
            ("k8s.node.name", "node"),
            ("host.name", "host"),
            ("service.namespace", "service_namespace"),
            ("service.name", "service"),
            ("service.instance.id", "instance"),
        ];
        let labels = LABELS.iter();
        labels
            .filter_map(|(key, label)| Some((*label, self.get(key)?)))
            .collect()
    }
}
