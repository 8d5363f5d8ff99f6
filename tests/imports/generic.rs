//! Formats of no data set: OTLP, OpenMetrics, remote reads, must-gathers. Small sources are written
//! here; larger ones are made of real data of other formats (`AIOPSLAB_INTEROP=1`).

use std::path::PathBuf;
use std::process::Command;

use serde_json::{Value, json};

use super::{counted, data, imported, same_bytes};
use crate::program::Place;

/// 2026-01-01T00:00:00Z.
const TIME: u64 = 1_767_225_600;

fn document(kind: &str, scopes: &str, rows: &str, all: Value) -> String {
    let attribute = |key: &str, value: &str| json!({"key": key, "value": {"stringValue": value}});
    let resource = json!({"attributes": [attribute("service.name", "cart"), attribute("k8s.pod.name", "cart-0"),
        attribute("k8s.namespace.name", "shop")]});
    format!(
        "{}\n",
        json!({kind: [{"resource": resource, scopes: [{rows: all}]}]})
    )
}

/// Spans, log records and data points of `cart`, the last line torn.
fn otlp() -> String {
    let at = |second: u64| format!("{}000000000", TIME + second);
    let span = |id: &str, parent: &str| {
        json!({"traceId": "1".repeat(32), "spanId": id.repeat(16), "parentSpanId": parent.repeat(16),
        "name": "buy", "kind": 2, "startTimeUnixNano": at(0), "endTimeUnixNano": at(1), "status": {"code": 2}})
    };
    let spans = json!([span("1", ""), span("2", "1"), span("2", "1"), {"name": 5}]);
    let record = json!([{"timeUnixNano": at(1), "severityText": "ERROR", "body": {"stringValue": "no stock"}}]);
    let points: Vec<Value> = (0..4)
        .map(|minute| json!({"timeUnixNano": at(15 * minute), "asDouble": minute}))
        .collect();
    let metrics = json!([{"name": "cart.items", "gauge": {"dataPoints": points}}]);
    [
        document("resourceSpans", "scopeSpans", "spans", spans),
        document("resourceLogs", "scopeLogs", "logRecords", record),
        document("resourceMetrics", "scopeMetrics", "metrics", metrics),
        "{\"resourceSpans\":[{".to_owned(),
    ]
    .concat()
}

/// The answers of these actions, as a scripted agent gets them.
fn answers(place: &Place, snapshot: &str, calls: &[&str]) -> Vec<(String, String)> {
    let calls = calls.iter().chain(&["submit([\"cart\"])"]);
    let script: Vec<String> = calls.map(|call| format!("```\n{call}\n```\n")).collect();
    std::fs::write(place.path("script"), script.join("---\n")).unwrap();
    let eval = [
        "eval",
        snapshot,
        "--task",
        "localization",
        "--agent",
        "scripted:script",
        "--out",
        "answers",
        "--json",
    ];
    let said: Value = serde_json::from_str(&place.ok(&eval)).unwrap();
    let folder = said["episodes"][0]["folder"].as_str().unwrap();
    let path = place.path(&format!("answers/{folder}/transcript.jsonl"));
    let transcript = std::fs::read_to_string(path).unwrap();
    transcript
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap())
        .filter(|record| record["record"] == "step")
        .map(|step| {
            let text = |name: &str| step[name].as_str().unwrap_or_default().to_owned();
            (text("verdict"), text("observation"))
        })
        .collect()
}

#[test]
fn otlp_is_imported_labelled_and_asked() {
    let place = Place::new();
    std::fs::write(place.path("otlp.jsonl"), otlp()).unwrap();
    let said = place.ok(&["import", "otlp", "otlp.jsonl", "--out", "o"]);
    for part in [
        "unproven",
        "aiopslab truth add o",
        "1 quarantined duplicate_row",
        "1 quarantined malformed_document",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
    place.ok(&["snapshot", "verify", "o"]);
    let ask = |statement: &str| place.ok(&["sql", "-s", "o", "--format", "csv", statement]);
    assert!(ask("select count(*) as n from raw.spans where status = 'error'").contains("\n2"));
    assert!(ask("select message from logs").contains("ERROR no stock"));
    assert!(ask("select max(value) as most from metrics where name = 'cart_items'").contains("3"));
    let started = "2026-01-01T00:00:10Z";
    place.ok(&[
        "truth",
        "add",
        "o",
        "--faulty",
        "cart",
        "--started",
        started,
    ]);
    let calls = [
        "get_logs(\"shop\", \"cart\")",
        "get_metrics(\"shop\", 5)",
        "get_traces(\"shop\", 5)",
        "exec_shell(\"kubectl get pods -n shop\")",
    ];
    let answers = answers(&place, "o", &calls);
    for ((verdict, said), (expected, says)) in answers.iter().zip([
        ("partial", "ERROR no stock"),
        ("partial", "kpi_cart_items.csv"),
        ("partial", "traces.csv"),
        ("not_captured", "not available"),
    ]) {
        assert_eq!(verdict, expected, "{said}");
        assert!(said.contains(says), "{says}: {said}");
    }
    assert!(answers.len() > 4, "{answers:?}");

    place.refused(
        &["import", "otlp", "answers", "--out", "p", "--at", started],
        &["--at is for"],
    );
    std::fs::create_dir(place.path("empty")).unwrap();
    place.refused(
        &["import", "otlp", "empty", "--out", "p"],
        &["empty", "no file or folder of OTLP", "hint"],
    );
    std::fs::write(place.path("empty/nothing.json"), "").unwrap();
    place.refused(
        &["import", "otlp", "empty", "--out", "p"],
        &[
            "nothing in empty",
            "its files have no rows, the first is nothing.json",
        ],
    );
}

#[test]
fn openmetrics_is_asked_in_sql_and_by_actions() {
    let place = Place::new();
    let sample = |second: u64, value: u64| {
        format!(
            "items_total{{namespace=\"shop\",pod=\"cart-0\",service=\"cart\"}} {value} {}.000\n",
            TIME + second
        )
    };
    let dump = [
        sample(0, 1),
        sample(15, 2),
        sample(30, 5),
        "# EOF\n".to_owned(),
    ]
    .concat();
    std::fs::write(place.path("dump"), dump).unwrap();
    let said = place.ok(&["import", "openmetrics", "dump", "--out", "o"]);
    assert!(
        said.contains("unproven") && !said.contains("no_eof"),
        "{said}"
    );
    place.ok(&["snapshot", "verify", "o"]);
    let said = place.ok(&[
        "sql",
        "-s",
        "o",
        "--format",
        "csv",
        "select pod, max(value) as most from metrics group by pod",
    ]);
    assert!(said.contains("cart-0,5"), "{said}");
    place.ok(&["truth", "add", "o", "--faulty", "cart"]);
    let answers = answers(
        &place,
        "o",
        &["get_metrics(\"shop\", 5)", "get_logs(\"shop\", \"cart\")"],
    );
    assert!(answers[0].1.contains("kpi_items_total.csv"), "{answers:?}");
    assert_eq!(answers[1].0, "not_captured", "{answers:?}");

    std::fs::write(place.path("answer.snappy"), [0x0c, 1, 2, 3, 4, 10, 0]).unwrap();
    place.refused(
        &["import", "remote-read", "answer.snappy", "--out", "p"],
        &["nothing in .", "no answer with samples"],
    );
}

#[test]
fn a_must_gather_is_asked_with_kubectl() {
    let place = Place::new();
    let write = |path: &str, text: &str| {
        let path = place.path("m/image").join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    };
    write(
        "namespaces/shop/shop.yaml",
        "apiVersion: v1\nkind: Namespace\nmetadata: {name: shop}\n",
    );
    write(
        "namespaces/shop/core/pods.yaml",
        "---\napiVersion: v1\nkind: PodList\nitems:\n- metadata: {name: cart-0, namespace: shop, uid: u, creationTimestamp: '2026-01-01T00:00:00Z'}\n  spec: {nodeName: node, containers: [{name: main, image: i}]}\n  status: {phase: Running, containerStatuses: [{name: main, ready: true, restartCount: 0, containerID: 'cri-o://a', state: {running: {startedAt: '2026-01-01T00:00:01Z'}}}]}\n",
    );
    write(
        "namespaces/shop/pods/cart-0/main/main/logs/current.log",
        "2026-01-01T00:00:02.000000000Z no stock\n",
    );
    write("timestamp", "2026-01-01 00:10:00 +0000 UTC m=+1\n");
    let said = place.ok(&["import", "must-gather", "m", "--out", "o"]);
    for part in ["unproven", "aiopslab truth add o", "2026-01-01T00:10:00Z"] {
        assert!(said.contains(part), "{part}: {said}");
    }
    place.ok(&["snapshot", "verify", "o"]);
    let shell = |command: &str| place.run(&["shell", "o", "-c", command]);
    let pods = shell("kubectl get pods -n shop");
    assert!(
        pods.stdout.contains("cart-0") && pods.stdout.contains("1/1"),
        "{}",
        pods.stdout
    );
    let logs = shell("kubectl logs cart-0 -n shop --timestamps");
    assert!(
        logs.stdout.contains("2026-01-01T00:00:02") && logs.stdout.contains("no stock"),
        "{}",
        logs.stdout
    );
    let all = shell("kubectl get pods -A");
    assert!(
        !all.stdout.contains("cart-0"),
        "other namespaces are not known: {}",
        all.stdout
    );
    place.refused(
        &["import", "must-gather", "o", "--out", "p"],
        &["no must-gather", "hint"],
    );
}

/// A source made of real data of another format.
fn made(place: &Place, format: &str) -> Option<PathBuf> {
    let data = data("nezha")?;
    let script = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/interop/import_sources.py"
    );
    let out = place.path("source");
    let made = Command::new("python3")
        .args([script, format])
        .arg(data.parent().unwrap())
        .arg(&out)
        .output()
        .unwrap();
    assert!(
        made.status.success(),
        "{}",
        String::from_utf8_lossy(&made.stderr)
    );
    Some(out)
}

#[test]
fn a_day_of_nezha_as_otlp_is_what_its_documents_hold() {
    let place = Place::new();
    let Some(source) = made(&place, "otlp") else {
        return;
    };
    let report = imported(&place, "otlp", &source);
    let said = place.ok(&[
        "sql",
        "-s",
        "a",
        "--format",
        "csv",
        "select count(*) as n from logs where service = 'ts-food-service'",
    ]);
    assert!(!said.contains("\n0"), "{said}");
    assert_eq!(report["proven"], false);
}

#[test]
fn a_day_of_nezha_as_openmetrics_and_remote_read_is_what_their_files_hold() {
    for format in ["openmetrics", "remote-read"] {
        let place = Place::new();
        let Some(source) = made(&place, format) else {
            return;
        };
        imported(&place, format, &source);
    }
}

#[test]
fn a_must_gather_of_a_bundles_objects_answers_as_the_bundle() {
    let place = Place::new();
    let Some(source) = made(&place, "must-gather") else {
        return;
    };
    let bundle = data("k8s-support-bundle").unwrap();
    let import = |format: &str, source: &str, out: &str| -> Value {
        let said = place.ok(&[
            "import",
            format,
            source,
            "--out",
            out,
            "--json",
            "--at",
            "2022-04-14T00:30:00Z",
        ]);
        serde_json::from_str::<Value>(&said).unwrap()["report"].take()
    };
    let report = import("must-gather", source.to_str().unwrap(), "a");
    import("must-gather", source.to_str().unwrap(), "b");
    same_bytes(&place.path("a"), &place.path("b"));
    import("k8s-support-bundle", bundle.to_str().unwrap(), "bundle");
    let counts = counted("must-gather", &source);
    let written = |of: &Value| of["written"].as_u64().unwrap();
    let later = report["objects"]["left_out"].as_array().unwrap().len() as u64;
    assert_eq!(
        written(&report["objects"]) + later,
        written(&counts[""]["rows"]["objects"])
    );
    assert_eq!(
        report["objects"]["read"],
        counts[""]["rows"]["objects"]["read"]
    );
    assert_eq!(
        report["rows"]["log lines"]["written"],
        counts[""]["rows"]["log lines"]["written"]
    );
    println!(
        "a: {} objects written, {later} left out: equal",
        written(&report["objects"])
    );
    for command in [
        "kubectl get pods -n velero",
        "kubectl get pods -n longhorn-system -o json",
        "kubectl get deployments -n kube-system -o yaml",
        "kubectl get events -n minio",
        "kubectl get nodes -o wide",
        "kubectl describe pod -n velero",
    ] {
        let said = |snapshot: &str| place.ok(&["shell", snapshot, "-c", command]);
        assert_eq!(said("a"), said("bundle"), "{command}");
    }
    place.ok(&["snapshot", "verify", "a"]);
}
