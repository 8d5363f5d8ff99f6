//! A small cluster in memory.

use std::sync::LazyLock;

use aiopslab_replay::view::{
    ColumnDefinition, ExecAnswer, LogInstance, LogLine, LogQuery, ObjectQuery, RecordedObject,
    ResourceType, Usage, View, ViewError,
};
use async_trait::async_trait;
use serde_json::{Value, json};

/// 2026-01-01T12:00:00Z
const NOW: i64 = 1_767_268_800_000_000_000;

const NAMESPACE: &str = "hotel-testbed";

/// Two pods with logs, a deployment and a service, which don't change.
pub(crate) struct Cluster;

static OBJECTS: LazyLock<Vec<RecordedObject>> = LazyLock::new(|| {
    let created = "2026-01-01T11:00:00Z";
    let pod = |name: &str, phase: &str| {
        let app = name.split('-').next();
        let object = json!({
            "metadata": {"labels": {"app": app}, "creationTimestamp": created},
            "spec": {"nodeName": "lab", "containers": [{"name": "c", "image": "i:1",
                "env": [{"name": "PORT", "value": "8080"}]}]},
            "status": {"phase": phase, "podIP": "10.0.0.1", "containerStatuses": [{"name": "c",
                "containerID": "c://1", "ready": true, "restartCount": 1, "image": "i:1", "imageID": "",
                "state": {"running": {"startedAt": created}}, "lastState": {}}]}
        });
        object_of("", "pods", "Pod", name, object)
    };
    let selector = json!({"app": "geo"});
    vec![
        pod("geo-1", "Running"),
        pod("rate-1", "Pending"),
        object_of(
            "apps",
            "deployments",
            "Deployment",
            "geo",
            json!({
                "metadata": {"generation": 2, "creationTimestamp": created},
                "spec": {"replicas": 2, "selector": {"matchLabels": selector}},
                "status": {"observedGeneration": 2, "updatedReplicas": 2, "replicas": 2, "availableReplicas": 1}
            }),
        ),
        object_of(
            "",
            "services",
            "Service",
            "geo",
            json!({
                "metadata": {"creationTimestamp": created},
                "spec": {"type": "ClusterIP", "clusterIP": "10.1.0.1", "selector": selector,
                    "ports": [{"port": 80, "targetPort": 8080, "protocol": "TCP"}]}
            }),
        ),
    ]
});

fn object_of(
    group: &str,
    resource: &str,
    kind: &str,
    name: &str,
    mut object: Value,
) -> RecordedObject {
    let uid = format!("uid-{resource}-{name}");
    for (field, value) in [("name", name), ("namespace", NAMESPACE), ("uid", &uid)] {
        object["metadata"][field] = value.into();
    }
    RecordedObject {
        group: group.to_owned(),
        version: "v1".to_owned(),
        resource: resource.to_owned(),
        kind: kind.to_owned(),
        namespace: NAMESPACE.to_owned(),
        name: name.to_owned(),
        uid,
        object,
        cells: None,
        observed: NOW,
        valid_from: NOW,
    }
}

fn resource(group: &str, resource: &str, kind: &str, short: &str) -> ResourceType {
    ResourceType {
        group: group.to_owned(),
        version: "v1".to_owned(),
        resource: resource.to_owned(),
        kind: kind.to_owned(),
        singular: kind.to_lowercase(),
        short_names: vec![short.to_owned()],
        namespaced: true,
        categories: vec!["all".to_owned()],
        verbs: vec!["get".to_owned(), "list".to_owned()],
    }
}

#[async_trait]
impl View for Cluster {
    fn now(&self) -> i64 {
        NOW
    }

    async fn resources(&self) -> Result<Vec<ResourceType>, ViewError> {
        Ok(vec![
            resource("", "pods", "Pod", "po"),
            resource("", "services", "Service", "svc"),
            resource("apps", "deployments", "Deployment", "deploy"),
        ])
    }

    async fn objects(&self, query: &ObjectQuery) -> Result<Vec<RecordedObject>, ViewError> {
        let fits = |object: &&RecordedObject| {
            let is = |asked: &Option<String>, has: &String| asked.as_ref().is_none_or(|a| a == has);
            (&object.group, &object.resource) == (&query.group, &query.resource)
                && is(&query.namespace, &object.namespace)
                && is(&query.name, &object.name)
        };
        Ok(OBJECTS.iter().filter(fits).cloned().collect())
    }

    async fn columns(&self, _: &str, _: &str) -> Result<Vec<ColumnDefinition>, ViewError> {
        let column = |name: &str, format: &str| ColumnDefinition {
            name: name.to_owned(),
            r#type: "string".to_owned(),
            format: format.to_owned(),
            description: String::new(),
            priority: 0,
        };
        Ok(vec![column("Name", "name"), column("Age", "")])
    }

    async fn covers_objects(&self, _: &str, _: &str, _: Option<&str>) -> Result<bool, ViewError> {
        Ok(true)
    }

    async fn log_instances(&self, _: &str, pod: &str) -> Result<Vec<LogInstance>, ViewError> {
        Ok(vec![LogInstance {
            instance_id: 1,
            pod_uid: format!("uid-pods-{pod}"),
            namespace: NAMESPACE.to_owned(),
            pod: pod.to_owned(),
            container: "c".to_owned(),
            role: "container".to_owned(),
            restart: 1,
            container_id: "c://1".to_owned(),
            node: "lab".to_owned(),
            started: None,
            finished: None,
            exit_code: None,
            reason: None,
            first_line_kept: true,
        }])
    }

    async fn log_lines(&self, _: &LogQuery) -> Result<Vec<LogLine>, ViewError> {
        let line = |seq: u64, message: &str| LogLine {
            instance_id: 1,
            seq,
            timestamp: NOW - 60_000_000_000,
            message: message.into(),
            stream: None,
            namespace: NAMESPACE.to_owned(),
            service: None,
            pod: "geo-1".to_owned(),
            container: "c".to_owned(),
        };
        Ok(vec![
            line(0, r#"{"level":"error","code":500,"path":"/é"}"#),
            line(1, "plain error"),
        ])
    }

    async fn covers_logs(&self, _: &str) -> Result<bool, ViewError> {
        Ok(true)
    }

    async fn stamps_log_lines(&self, _: &LogInstance) -> Result<bool, ViewError> {
        Ok(true)
    }

    async fn access_rules(&self) -> Result<Vec<(String, Value)>, ViewError> {
        Ok(Vec::new())
    }

    async fn usage(&self, _: &str, _: Option<&str>) -> Result<Vec<Usage>, ViewError> {
        Ok(Vec::new())
    }

    async fn exec_answers(&self, _: &str) -> Result<Vec<ExecAnswer>, ViewError> {
        Ok(Vec::new())
    }

    async fn server_version(&self) -> Result<Value, ViewError> {
        Ok(json!({"gitVersion": "v1.34.4", "major": "1", "minor": "34"}))
    }

    async fn discovery(&self) -> Result<Vec<(String, Value)>, ViewError> {
        Ok(Vec::new())
    }

    async fn openapi_names(&self) -> Result<Vec<String>, ViewError> {
        Ok(Vec::new())
    }

    async fn openapi(&self, _: &str) -> Result<Option<Value>, ViewError> {
        Ok(None)
    }

    fn service_label(&self) -> &str {
        "app"
    }
}
