//! A tiny snapshot for tests: one service with a pod that is replaced, and a fault at 100 s.

use aiopslab_datasets::manifest::{ManifestDraft, Observed};
use aiopslab_datasets::rows::{
    Coverage, LogInstance, LogLine, MetricSample, MetricSeries, ObjectApi, ObjectVersion, Span,
    Usage,
};
use aiopslab_datasets::schema::Table;
use aiopslab_datasets::snapshot::Snapshot;
use aiopslab_datasets::writer::{SnapshotWriter, Visibility};
use aiopslab_problems::family::Application;
use camino::Utf8Path;
use serde_json::{Value, json};

use crate::clock::{self, Clock};
use crate::environment::{ReplayEnvironment, ReplayOptions};

/// The start of the recording.
pub(crate) const START: i64 = 1_700_000_000_000_000_000;

/// A moment of the recording, in seconds after its start. It ends at 200, the fault is injected at 100.
pub(crate) fn at(seconds: i64) -> i64 {
    START + seconds * 1_000_000_000
}

/// A snapshot and the folder that it lies in.
pub(crate) struct TestSnapshot {
    pub(crate) snapshot: Snapshot,
    _folder: tempfile::TempDir,
}

impl TestSnapshot {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let dir = Utf8Path::from_path(folder.path()).unwrap().join("snapshot");
        let writer = SnapshotWriter::create(&dir).unwrap();
        write(&writer);
        writer.finish(draft()).unwrap();
        Self {
            snapshot: Snapshot::open(&dir).unwrap(),
            _folder: folder,
        }
    }

    pub(crate) fn environment(&self, clock: Clock, upstream_quirks: bool) -> ReplayEnvironment {
        let options = ReplayOptions {
            clock,
            upstream_quirks,
            ..ReplayOptions::new(application())
        };
        ReplayEnvironment::new(&self.snapshot, &options).unwrap()
    }
}

fn draft() -> ManifestDraft {
    ManifestDraft {
        seed: "test".to_owned(),
        application: "shop".to_owned(),
        namespaces: vec!["shop".to_owned()],
        service_label: "app".to_owned(),
        observed: Some(Observed {
            from: clock::time(at(0)),
            to: clock::time(at(200)),
        }),
        end: Some(clock::time(at(200))),
        ..ManifestDraft::default()
    }
}

fn application() -> Application {
    Application::unknown("shop", "shop", "app")
}

fn write(writer: &SnapshotWriter) {
    let visible = Visibility::Visible;
    writer.append_rows(visible, &coverage()).unwrap();
    writer.append_rows(visible, &objects()).unwrap();
    writer.append_rows(visible, &api()).unwrap();
    writer
        .append_rows(
            visible,
            &[
                instance(1, "geo-1", "uid-1", 0),
                instance(2, "geo-2", "uid-2", 110),
            ],
        )
        .unwrap();
    writer
        .append_rows(
            visible,
            &[
                line(1, 0, 10, "one"),
                line(1, 1, 90, "two"),
                line(2, 0, 120, "three"),
            ],
        )
        .unwrap();
    writer
        .append_rows(
            visible,
            &[
                series(1, "geo-1", "geo"),
                series(2, "geo-1", ""),
                series(3, "geo-2", "geo"),
            ],
        )
        .unwrap();
    let sample = |series_id, seconds, value| MetricSample {
        series_id,
        timestamp: at(seconds) / 1_000_000,
        value,
        histogram: None,
    };
    writer
        .append_rows(
            visible,
            &[
                sample(1, 5, 1.0),
                sample(1, 50, 2.0),
                sample(1, 105, f64::from_bits(0x7ff0_0000_0000_0002)),
                sample(2, 5, 7.5),
                sample(3, 120, 3.0),
            ],
        )
        .unwrap();
    writer
        .append_rows(
            visible,
            &[
                span("a", "1", None, "frontend", 10, 12, "ok"),
                span("a", "2", Some("1"), "geo", 10, 11, "ok"),
                span("b", "3", None, "frontend", 99, 101, "error"),
                span("b", "4", Some("3"), "geo", 99, 100, "error"),
            ],
        )
        .unwrap();
    writer
        .append_rows(
            visible,
            &[usage("geo-1", 60), usage("geo-1", 90), usage("geo-2", 150)],
        )
        .unwrap();
    // While a version is withheld, the visible one before it stays.
    let mut held = version(6, "modified", 107, "pods", pod("geo-2", "uid-2"));
    held.object = held.object.replace("Running", "Withheld");
    let mut shown_again = version(7, "modified", 150, "pods", pod("geo-2", "uid-2"));
    shown_again.object = shown_again.object.replace("Running", "Succeeded");
    writer.append_rows(visible, &[shown_again]).unwrap();
    writer.append_rows(Visibility::Withheld, &[held]).unwrap();
    let windows = json!({"injected": clock::time(at(100))});
    writer.write_withheld_json("windows", &windows).unwrap();
}

fn coverage() -> Vec<Coverage> {
    let row = |table: Table, scope: &str| Coverage {
        table: table.name().to_owned(),
        source: "test".to_owned(),
        scope: scope.to_owned(),
        from: at(0),
        to: at(200),
        state: "recorded".to_owned(),
        reason: None,
        from_is_source_start: false,
    };
    vec![
        row(Table::ObjectVersions, "resource=pods,namespace=shop"),
        row(Table::ObjectVersions, "resource=services"),
        row(Table::LogLines, "namespace=shop"),
        row(Table::MetricSamples, ""),
        row(Table::Spans, ""),
    ]
}

fn pod(name: &str, uid: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "Pod",
        "metadata": {"name": name, "namespace": "shop", "uid": uid, "labels": {"app": "geo"}},
        "spec": {"containers": [{"name": "geo"}]},
        "status": {"phase": "Running", "containerStatuses": [
            {"name": "geo", "ready": true, "restartCount": 1, "state": {"running": {}},
             "lastState": {"terminated": {"reason": "OOMKilled", "exitCode": 137}}}]}})
}

fn objects() -> Vec<ObjectVersion> {
    let service = |port: i64| {
        json!({"apiVersion": "v1", "kind": "Service",
            "metadata": {"name": "geo", "namespace": "shop", "uid": "uid-s"},
            "spec": {"ports": [{"port": 80, "targetPort": port}], "type": "ClusterIP"}})
    };
    vec![
        version(1, "initial", 0, "pods", pod("geo-1", "uid-1")),
        version(2, "initial", 0, "services", service(8080)),
        version(3, "modified", 100, "services", service(9999)),
        version(4, "deleted", 105, "pods", pod("geo-1", "uid-1")),
        version(5, "added", 106, "pods", pod("geo-2", "uid-2")),
    ]
}

fn version(seq: u64, event: &str, seconds: i64, resource: &str, object: Value) -> ObjectVersion {
    let text = |path: &str| {
        object
            .pointer(path)
            .and_then(Value::as_str)
            .unwrap()
            .to_owned()
    };
    ObjectVersion {
        seq,
        event: event.to_owned(),
        observed: at(seconds),
        exact: true,
        valid_from: at(seconds),
        valid_to: None,
        group: String::new(),
        version: "v1".to_owned(),
        resource: resource.to_owned(),
        kind: text("/kind"),
        namespace: "shop".to_owned(),
        name: text("/metadata/name"),
        uid: text("/metadata/uid"),
        resource_version: seq.to_string(),
        object: object.to_string(),
        cells: None,
    }
}

fn api() -> Vec<ObjectApi> {
    let row = |kind: &str, name: &str, json: Value| ObjectApi {
        kind: kind.to_owned(),
        name: name.to_owned(),
        json: json.to_string(),
        valid_from: at(0),
        valid_to: None,
    };
    vec![
        row("version", "kubernetes", json!({"gitVersion": "v1.34.0"})),
        row(
            "discovery",
            "api",
            json!({"kind": "APIGroupDiscoveryList", "items": [{"metadata": {}, "versions": [
            {"version": "v1", "resources": [{"resource": "pods", "responseKind": {"kind": "Pod"}, "scope": "Namespaced",
             "singularResource": "pod", "verbs": ["list"], "shortNames": ["po"], "categories": ["all"]}]}]}]}),
        ),
        row(
            "columns",
            "pods",
            json!([{"name": "Name", "type": "string", "format": "name", "priority": 0}]),
        ),
    ]
}

fn instance(instance_id: u64, pod: &str, uid: &str, started: i64) -> LogInstance {
    LogInstance {
        instance_id,
        pod_uid: uid.to_owned(),
        namespace: "shop".to_owned(),
        pod: pod.to_owned(),
        container: "geo".to_owned(),
        role: "container".to_owned(),
        restart: 0,
        container_id: format!("containerd://{instance_id}"),
        node: "lab".to_owned(),
        started: Some(at(started)),
        finished: (instance_id == 1).then(|| at(105)),
        exit_code: (instance_id == 1).then_some(0),
        reason: None,
        first_line_kept: true,
    }
}

fn line(instance_id: u64, seq: u64, seconds: i64, message: &str) -> LogLine {
    LogLine {
        instance_id,
        seq,
        timestamp: at(seconds),
        message: message.as_bytes().to_vec(),
        stream: None,
        namespace: "shop".to_owned(),
        service: Some("geo".to_owned()),
        pod: format!("geo-{instance_id}"),
        container: "geo".to_owned(),
    }
}

fn series(series_id: u64, pod: &str, container: &str) -> MetricSeries {
    let labels = [
        ("container", container),
        ("instance", "lab"),
        ("namespace", "shop"),
        ("pod", pod),
    ];
    MetricSeries {
        series_id,
        source: "test".to_owned(),
        name: "container_memory_rss".to_owned(),
        labels: labels
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .to_vec(),
        namespace: Some("shop".to_owned()),
        pod: Some(pod.to_owned()),
        container: Some(container.to_owned()),
        node: Some("lab".to_owned()),
        first: at(0) / 1_000_000,
        last: at(200) / 1_000_000,
    }
}

fn span(
    trace: &str,
    id: &str,
    parent: Option<&str>,
    service: &str,
    start: i64,
    end: i64,
    status: &str,
) -> Span {
    let code = if status == "error" { "500" } else { "200" };
    Span {
        trace_id: trace.to_owned(),
        span_id: id.to_owned(),
        parent_span_id: parent.map(str::to_owned),
        service: service.to_owned(),
        operation: "GET /".to_owned(),
        kind: "server".to_owned(),
        start: at(start),
        end: at(end),
        status: status.to_owned(),
        message: (status == "error").then(|| "refused".to_owned()),
        attributes: json!([{"key": "http.response.status_code", "type": "int", "value": code}])
            .to_string(),
        resource: "[]".to_owned(),
        scope: None,
        events: "[]".to_owned(),
        links: "[]".to_owned(),
        flags: 1,
        warnings: None,
        source: "test".to_owned(),
    }
}

fn usage(pod: &str, seconds: i64) -> Usage {
    Usage {
        kind: "pod".to_owned(),
        namespace: "shop".to_owned(),
        name: pod.to_owned(),
        container: "geo".to_owned(),
        timestamp: at(seconds),
        window_ms: 15_000,
        cpu_nanocores: seconds * 1_000_000,
        memory_bytes: 1 << 20,
    }
}
