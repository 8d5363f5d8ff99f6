//! What an agent must not see, decided before a row is written.
//!
//! Two depths: a row goes to `withheld/`, or a part of an object is left out of it.

use aiopslab_datasets::Visibility;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::chaos;

/// The rules; data, so that the manifest's readers can be told of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VisibilityRules {
    /// Objects that go to `withheld/`, with their events, logs, usage and series.
    pub hidden: Vec<HiddenObjects>,
    /// Annotations that are left out of every object; with a `*` at the end or the start, all that begin or end so.
    pub dropped_annotations: Vec<String>,
}

/// A set of objects: those that pass every test that is given.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct HiddenObjects {
    /// Plural resource name; none: of every kind.
    pub resource: Option<String>,
    /// Namespace; none: everywhere.
    pub namespace: Option<String>,
    /// Start of the name; none: any.
    pub name_prefix: Option<String>,
    /// A label and its value; none: whatever the labels.
    pub label: Option<(String, String)>,
}

impl HiddenObjects {
    /// Whether an object is in the set; labels that are not known match no label test.
    fn contains(
        &self,
        resource: &str,
        namespace: &str,
        name: &str,
        label: &dyn Fn(&str) -> Option<String>,
    ) -> bool {
        let is = |test: &Option<String>, found: &str| test.as_deref().is_none_or(|it| it == found);
        is(&self.resource, resource)
            && is(&self.namespace, namespace)
            && self
                .name_prefix
                .as_deref()
                .is_none_or(|prefix| name.starts_with(prefix))
            && self
                .label
                .as_ref()
                .is_none_or(|(key, value)| label(key).as_ref() == Some(value))
    }

    /// Whether the set can be told without labels.
    fn is_named(&self) -> bool {
        self.name_prefix.is_some() || self.label.is_none()
    }
}

impl VisibilityRules {
    /// The rules of every capture: its journal, and what tells who changed an object.
    #[must_use]
    pub fn of_capture(journal_namespace: &str, journal_prefix: &str) -> Self {
        let on_targets = chaos::MADE_BY_CHAOS_MESH.map(|resource| HiddenObjects {
            resource: Some(resource.to_owned()),
            ..HiddenObjects::default()
        });
        let ours = [
            HiddenObjects {
                resource: Some("configmaps".to_owned()),
                namespace: Some(journal_namespace.to_owned()),
                name_prefix: Some(journal_prefix.to_owned()),
                label: None,
            },
            HiddenObjects {
                namespace: Some(chaos::NAMESPACE.to_owned()),
                ..HiddenObjects::default()
            },
            // The namespace itself, and the rights that it gets in others.
            HiddenObjects {
                name_prefix: Some(chaos::NAMESPACE.to_owned()),
                ..HiddenObjects::default()
            },
        ];
        Self {
            hidden: ours.into_iter().chain(on_targets).collect(),
            // The last two: Chaos Mesh notes on a pod which image its containers had before a pod-failure, as
            // chaos-mesh-EXPERIMENT-ACTION-CONTAINER-normal-image, or CONTAINER-normal where that is too long.
            dropped_annotations: ["kubernetes.io/change-cause", "chaos-mesh*", "*-normal"]
                .map(str::to_owned)
                .to_vec(),
        }
    }

    /// Decides about an object; an event follows the object that it is about.
    #[must_use]
    pub fn of_object(&self, resource: &str, object: &Value) -> Visibility {
        let text = |pointer: &str| {
            object
                .pointer(pointer)
                .and_then(Value::as_str)
                .unwrap_or("")
        };
        let label = |key: &str| {
            object["metadata"]["labels"][key]
                .as_str()
                .map(str::to_owned)
        };
        let namespace = text("/metadata/namespace");
        if self.hides(resource, namespace, text("/metadata/name"), &label) {
            return Visibility::Withheld;
        }
        let about = match resource {
            "events" if object.get("involvedObject").is_some() => "/involvedObject",
            "events" => "/regarding",
            _ => return Visibility::Visible,
        };
        let about = |field: &str| text(&format!("{about}/{field}")).to_owned();
        let kind = about("kind").to_ascii_lowercase();
        // Chaos Mesh's kinds have no plural of their own.
        let plural = match kind.ends_with("chaos") {
            true => kind,
            false => format!("{kind}s"),
        };
        self.of_reference(&plural, &about("namespace"), &about("name"))
    }

    /// Decides about something that is told of an object by its name: a series, a sample of usage.
    #[must_use]
    pub fn of_reference(&self, resource: &str, namespace: &str, name: &str) -> Visibility {
        let unknown = |_: &str| None;
        let mut named = self.hidden.iter().filter(|rule| rule.is_named());
        match named.any(|rule| rule.contains(resource, namespace, name, &unknown)) {
            true => Visibility::Withheld,
            false => Visibility::Visible,
        }
    }

    /// Leaves out what no agent may see of a visible object.
    pub fn prune(&self, object: &mut Value) {
        let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) else {
            return;
        };
        // A third of the text, and it names who set which field when.
        metadata.shift_remove("managedFields");
        let Some(annotations) = metadata
            .get_mut("annotations")
            .and_then(Value::as_object_mut)
        else {
            return;
        };
        annotations.retain(|name, _| !self.drops_annotation(name));
        if annotations.is_empty() {
            metadata.shift_remove("annotations");
        }
    }

    /// Leaves out what no agent may see of the labels of a scrape target, among which are its pod's annotations.
    pub fn prune_target(&self, labels: &mut Value) {
        let Some(labels) = labels.as_object_mut() else {
            return;
        };
        labels.retain(|label, _| {
            let annotation = label.strip_prefix("__meta_kubernetes_pod_annotation");
            let annotation =
                annotation.and_then(|rest| rest.trim_start_matches("present").strip_prefix('_'));
            !annotation.is_some_and(|name| self.drops_annotation(name))
        });
    }

    /// Whether an annotation is left out, by its name or as Prometheus spells that in a label.
    fn drops_annotation(&self, name: &str) -> bool {
        let spelt = |text: &str| text.replace(['-', '.', '/'], "_");
        let name = spelt(name);
        self.dropped_annotations.iter().any(|dropped| {
            let dropped = spelt(dropped);
            match (dropped.strip_suffix('*'), dropped.strip_prefix('*')) {
                (Some(start), _) => name.starts_with(start),
                (_, Some(end)) => name.ends_with(end),
                _ => name == dropped,
            }
        })
    }

    fn hides(
        &self,
        resource: &str,
        namespace: &str,
        name: &str,
        label: &dyn Fn(&str) -> Option<String>,
    ) -> bool {
        self.hidden
            .iter()
            .any(|rule| rule.contains(resource, namespace, name, label))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn rules() -> VisibilityRules {
        let mut rules = VisibilityRules::of_capture("kube-system", "cluster-settings-");
        rules.hidden.push(HiddenObjects {
            namespace: Some("chaos".to_owned()),
            ..HiddenObjects::default()
        });
        rules.hidden.push(HiddenObjects {
            label: Some(("role".to_owned(), "injector".to_owned())),
            ..HiddenObjects::default()
        });
        rules
    }

    #[test]
    fn our_journal_is_withheld_and_its_neighbours_are_not() {
        let map = |namespace: &str, name: &str| {
            let object = json!({"metadata": {"namespace": namespace, "name": name}});
            rules().of_object("configmaps", &object)
        };
        assert_eq!(
            map("kube-system", "cluster-settings-1"),
            Visibility::Withheld
        );
        assert_eq!(map("kube-system", "coredns"), Visibility::Visible);
        assert_eq!(map("shop", "cluster-settings-1"), Visibility::Visible);
        assert_eq!(map("chaos", "x"), Visibility::Withheld);
        assert_eq!(
            map(chaos::NAMESPACE, "kube-root-ca.crt"),
            Visibility::Withheld
        );
        let role = format!("{}-1", chaos::NAMESPACE);
        assert_eq!(map("shop", &role), Visibility::Withheld);
    }

    #[test]
    fn labels_hide_and_events_follow_what_they_are_about() {
        let pod =
            json!({"metadata": {"namespace": "a", "name": "p", "labels": {"role": "injector"}}});
        assert_eq!(rules().of_object("pods", &pod), Visibility::Withheld);
        let event = json!({"metadata": {"namespace": "default", "name": "e"},
            "involvedObject": {"kind": "Pod", "namespace": "chaos", "name": "p"}});
        assert_eq!(rules().of_object("events", &event), Visibility::Withheld);
        let event = json!({"metadata": {"namespace": "a", "name": "e"},
            "involvedObject": {"kind": "PodNetworkChaos", "namespace": "a", "name": "p"}});
        assert_eq!(rules().of_object("events", &event), Visibility::Withheld);
        // A label rule says nothing about what is only known by name.
        assert_eq!(rules().of_reference("pods", "a", "p"), Visibility::Visible);
    }

    #[test]
    fn where_chaos_mesh_notes_the_images_of_a_pod_is_left_out() {
        let mut pod = json!({"metadata": {"name": "geo-1", "annotations": {
            "chaos-mesh-node-upkeep-1-pod-failure-geo-normal-image": "geo:1",
            "hotel-reserv-geo-normal": "geo:1", "prometheus.io/port": "8080"}}});
        rules().prune(&mut pod);
        let left = json!({"prometheus.io/port": "8080"});
        assert_eq!(pod["metadata"]["annotations"], left);
        let mut labels = json!({
            "__meta_kubernetes_pod_annotation_chaos_mesh_node_upkeep_1_pod_failure_geo_normal_image": "geo:1",
            "__meta_kubernetes_pod_annotationpresent_hotel_reserv_geo_normal": "true",
            "__meta_kubernetes_pod_annotation_prometheus_io_port": "8080", "__address__": "10.0.0.1"});
        rules().prune_target(&mut labels);
        let left = json!({"__meta_kubernetes_pod_annotation_prometheus_io_port": "8080",
            "__address__": "10.0.0.1"});
        assert_eq!(labels, left);
    }

    #[test]
    fn field_managers_and_change_causes_are_left_out() {
        let mut object = json!({"metadata": {"name": "x", "managedFields": [{}],
            "annotations": {"kubernetes.io/change-cause": "kubectl patch"}}});
        rules().prune(&mut object);
        assert_eq!(object, json!({"metadata": {"name": "x"}}));
    }
}
