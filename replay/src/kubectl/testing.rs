//! A view in memory, for tests.

use async_trait::async_trait;
use serde_json::{Value, json};

use super::timestamp;
use crate::files::VirtualFiles;
use crate::shell::{self, ShellOutcome};
use crate::view::{
    ColumnDefinition, ExecAnswer, LogInstance, LogLine, LogQuery, ObjectQuery, RecordedObject,
    ResourceType, Usage, View, ViewError, storage_key,
};

/// Objects and logs of a small cluster.
#[derive(Debug, Default)]
pub(crate) struct MemoryView {
    pub(crate) now: i64,
    pub(crate) resources: Vec<ResourceType>,
    pub(crate) objects: Vec<RecordedObject>,
    pub(crate) columns: Vec<(String, Vec<ColumnDefinition>)>,
    /// Resources that were not recorded.
    pub(crate) uncovered: Vec<String>,
    pub(crate) instances: Vec<LogInstance>,
    pub(crate) lines: Vec<LogLine>,
    /// Instances whose lines have no times.
    pub(crate) unstamped: Vec<u64>,
    pub(crate) usage: Vec<Usage>,
    pub(crate) version: Value,
    /// By the uid of the pod.
    pub(crate) exec: Vec<(String, ExecAnswer)>,
    /// Discovery documents and OpenAPI documents, by name.
    pub(crate) discovery: Vec<(String, Value)>,
    pub(crate) openapi: Vec<(String, Value)>,
    /// What one may do, by namespace.
    pub(crate) access: Vec<(String, Value)>,
}

#[async_trait]
impl View for MemoryView {
    fn now(&self) -> i64 {
        self.now
    }

    async fn resources(&self) -> Result<Vec<ResourceType>, ViewError> {
        Ok(self.resources.clone())
    }

    async fn objects(&self, query: &ObjectQuery) -> Result<Vec<RecordedObject>, ViewError> {
        let fits = |object: &&RecordedObject| {
            object.group == query.group
                && object.resource == query.resource
                && query
                    .namespace
                    .as_ref()
                    .is_none_or(|namespace| *namespace == object.namespace)
                && query.name.as_ref().is_none_or(|name| *name == object.name)
        };
        let mut found: Vec<RecordedObject> = self.objects.iter().filter(fits).cloned().collect();
        found.sort_by(|a, b| {
            storage_key(&a.namespace, &a.name).cmp(storage_key(&b.namespace, &b.name))
        });
        Ok(found)
    }

    async fn columns(
        &self,
        _group: &str,
        resource: &str,
    ) -> Result<Vec<ColumnDefinition>, ViewError> {
        let found = self.columns.iter().find(|(name, _)| name == resource);
        Ok(found
            .map(|(_, columns)| columns.clone())
            .unwrap_or_default())
    }

    async fn covers_objects(
        &self,
        _group: &str,
        resource: &str,
        _namespace: Option<&str>,
    ) -> Result<bool, ViewError> {
        Ok(!self.uncovered.iter().any(|uncovered| uncovered == resource))
    }

    async fn log_instances(
        &self,
        namespace: &str,
        pod: &str,
    ) -> Result<Vec<LogInstance>, ViewError> {
        let fits = |i: &&LogInstance| i.namespace == namespace && i.pod == pod;
        Ok(self.instances.iter().filter(fits).cloned().collect())
    }

    async fn log_lines(&self, query: &LogQuery) -> Result<Vec<LogLine>, ViewError> {
        let mut found: Vec<LogLine> = self
            .lines
            .iter()
            .filter(|line| query.instance_ids.contains(&line.instance_id))
            .filter(|line| query.since_ns.is_none_or(|since| line.timestamp >= since))
            .cloned()
            .collect();
        if let Some(tail) = query.tail {
            let skip = found
                .len()
                .saturating_sub(usize::try_from(tail).unwrap_or(usize::MAX));
            found.drain(..skip);
        }
        Ok(found)
    }

    async fn stamps_log_lines(&self, instance: &LogInstance) -> Result<bool, ViewError> {
        Ok(!self.unstamped.contains(&instance.instance_id))
    }

    async fn covers_logs(&self, _namespace: &str) -> Result<bool, ViewError> {
        Ok(true)
    }

    async fn usage(&self, kind: &str, namespace: Option<&str>) -> Result<Vec<Usage>, ViewError> {
        let fits = |usage: &&Usage| {
            usage.kind == kind && namespace.is_none_or(|namespace| namespace == usage.namespace)
        };
        Ok(self.usage.iter().filter(fits).cloned().collect())
    }

    async fn exec_answers(&self, pod_uid: &str) -> Result<Vec<ExecAnswer>, ViewError> {
        let of_pod = self.exec.iter().filter(|(uid, _)| uid == pod_uid);
        Ok(of_pod.map(|(_, answer)| answer.clone()).collect())
    }

    async fn server_version(&self) -> Result<Value, ViewError> {
        Ok(self.version.clone())
    }

    async fn discovery(&self) -> Result<Vec<(String, Value)>, ViewError> {
        Ok(self.discovery.clone())
    }

    async fn access_rules(&self) -> Result<Vec<(String, Value)>, ViewError> {
        Ok(self.access.clone())
    }

    async fn openapi_names(&self) -> Result<Vec<String>, ViewError> {
        Ok(self.openapi.iter().map(|(name, _)| name.clone()).collect())
    }

    async fn openapi(&self, name: &str) -> Result<Option<Value>, ViewError> {
        let found = self.openapi.iter().find(|(known, _)| known == name);
        Ok(found.map(|(_, document)| document.clone()))
    }

    fn service_label(&self) -> &str {
        "app.kubernetes.io/name"
    }
}

/// A column of type `string`; the one called `Name` has the format `name`.
pub(crate) fn column(name: &str, priority: i32) -> ColumnDefinition {
    ColumnDefinition {
        name: name.to_owned(),
        r#type: "string".to_owned(),
        format: if name == "Name" {
            "name".to_owned()
        } else {
            String::new()
        },
        description: String::new(),
        priority,
    }
}

/// An object with its metadata filled in.
pub(crate) fn object(
    group: &str,
    resource: &str,
    kind: &str,
    namespace: &str,
    name: &str,
    mut object: Value,
) -> RecordedObject {
    let uid = format!("uid-{name}");
    let metadata = object
        .as_object_mut()
        .unwrap()
        .entry("metadata")
        .or_insert_with(|| json!({}))
        .as_object_mut()
        .unwrap();
    metadata.insert("name".into(), json!(name));
    metadata.insert("uid".into(), json!(uid));
    if !namespace.is_empty() {
        metadata.insert("namespace".into(), json!(namespace));
    }
    RecordedObject {
        group: group.to_owned(),
        version: "v1".to_owned(),
        resource: resource.to_owned(),
        kind: kind.to_owned(),
        namespace: namespace.to_owned(),
        name: name.to_owned(),
        uid,
        object,
        cells: None,
        observed: 0,
        valid_from: 0,
    }
}

/// Runs a command line on a view.
pub(crate) fn run(view: &MemoryView, line: &str) -> ShellOutcome {
    let mut files = VirtualFiles::new();
    files.write("/data/pods.txt", "a\nb\n");
    futures::executor::block_on(shell::run(view, &mut files, line, 30)).unwrap()
}

/// Namespace `shop` with the pods `cart-1` (restarted) and `web-1` (waiting, two containers), at
/// noon of 2026-01-01.
pub(crate) fn shop() -> MemoryView {
    let created = "2026-01-01T11:00:00Z";
    let mut namespace = object(
        "",
        "namespaces",
        "Namespace",
        "",
        "shop",
        json!({
            "metadata": {"creationTimestamp": created}, "status": {"phase": "Active"}
        }),
    );
    namespace.cells = Some(vec![json!("shop"), json!("Active"), json!("1s")]);
    let mut cart = object(
        "",
        "pods",
        "Pod",
        "shop",
        "cart-1",
        json!({
            "metadata": {
                "creationTimestamp": created,
                "labels": {"app": "cart", "tier": "back"}
            },
            "spec": {"nodeName": "lab", "containers": [{"name": "cart", "image": "cart:1"}]},
            "status": {
                "phase": "Running",
                "containerStatuses": [{
                    "name": "cart", "ready": true, "restartCount": 1, "containerID": "c://2",
                    "image": "cart:1", "imageID": "",
                    "state": {"running": {"startedAt": "2026-01-01T11:55:00Z"}},
                    "lastState": {"terminated": {
                        "containerID": "c://1", "exitCode": 1, "reason": "Error",
                        "startedAt": created, "finishedAt": "2026-01-01T11:54:30Z"
                    }}
                }]
            }
        }),
    );
    cart.cells = Some(vec![
        json!("cart-1"),
        json!("1/1"),
        json!("Running"),
        json!("1 (2s ago)"),
        json!("5m"),
        json!("10.0.0.1"),
    ]);
    let mut web = object(
        "",
        "pods",
        "Pod",
        "shop",
        "web-1",
        json!({
            "metadata": {"creationTimestamp": "2026-01-01T11:59:00Z", "labels": {"app": "web"}},
            "spec": {"nodeName": "lab", "containers": [{"name": "web"}, {"name": "proxy"}]},
            "status": {"phase": "Pending", "containerStatuses": [{
                "name": "web", "restartCount": 0, "lastState": {},
                "state": {"waiting": {"reason": "ContainerCreating"}}
            }]}
        }),
    );
    web.cells = Some(vec![
        json!("web-1"),
        json!("0/2"),
        json!("ContainerCreating"),
        json!(0),
        json!("1s"),
        json!("<none>"),
    ]);
    let mut event = object(
        "",
        "events",
        "Event",
        "shop",
        "cart-1.1",
        json!({
            "type": "Warning", "reason": "BackOff", "message": "Back-off restarting\n", "count": 3,
            "firstTimestamp": "2026-01-01T11:50:00Z", "lastTimestamp": "2026-01-01T11:58:30Z",
            "source": {"component": "kubelet"},
            "involvedObject": {"kind": "Pod", "apiVersion": "v1", "name": "cart-1", "namespace": "shop", "uid": "uid-cart-1"}
        }),
    );
    event.cells = Some(vec![
        json!("1s"),
        json!("Warning"),
        json!("BackOff"),
        json!("pod/cart-1"),
        json!("Back-off restarting"),
    ]);
    let pod_columns = ["Name", "Ready", "Status", "Restarts", "Age"].map(|name| column(name, 0));
    let mut pod_columns = pod_columns.to_vec();
    pod_columns.push(column("IP", 1));
    let line = |instance_id, seq, at: &str, message: &str| LogLine {
        instance_id,
        seq,
        timestamp: timestamp::parse(at).unwrap(),
        message: message.into(),
        stream: None,
        namespace: "shop".into(),
        service: None,
        pod: "cart-1".into(),
        container: "cart".into(),
    };
    let instance = |instance_id, restart, container_id: &str| LogInstance {
        instance_id,
        pod_uid: "uid-cart-1".into(),
        namespace: "shop".into(),
        pod: "cart-1".into(),
        container: "cart".into(),
        role: "container".into(),
        restart,
        container_id: container_id.into(),
        node: "lab".into(),
        started: None,
        finished: None,
        exit_code: None,
        reason: None,
        first_line_kept: true,
    };
    MemoryView {
        now: timestamp::parse("2026-01-01T12:00:00Z").unwrap(),
        objects: vec![namespace, cart, web, event],
        columns: vec![
            ("pods".into(), pod_columns),
            (
                "events".into(),
                ["Last Seen", "Type", "Reason", "Object", "Message"]
                    .map(|n| column(n, 0))
                    .to_vec(),
            ),
            (
                "namespaces".into(),
                ["Name", "Status", "Age"].map(|n| column(n, 0)).to_vec(),
            ),
        ],
        instances: vec![instance(1, 0, "c://1"), instance(2, 1, "c://2")],
        lines: vec![
            line(1, 0, "2026-01-01T11:54:00Z", "dying"),
            line(2, 0, "2026-01-01T11:55:00Z", "start"),
            line(2, 1, "2026-01-01T11:58:00Z", "error a"),
            line(2, 2, "2026-01-01T11:59:59.5Z", "error b"),
        ],
        usage: vec![Usage {
            kind: "pod".into(),
            namespace: "shop".into(),
            name: "cart-1".into(),
            container: "cart".into(),
            timestamp: 0,
            window_ms: 15_000,
            cpu_nanocores: 12_345_678,
            memory_bytes: 70 * 1024 * 1024,
        }],
        version: json!({"gitVersion": "v1.34.4"}),
        ..MemoryView::default()
    }
}
