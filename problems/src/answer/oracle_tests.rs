//! Our answers against those that AIOpsLab's own actions gave, from the same inputs.
//!
//! The recording is not part of the repository. Without it these tests say so and pass, unless
//! `AIOPSLAB_INTEROP=1` asks for it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;

use super::*;

struct Recording {
    dir: PathBuf,
    answers: Value,
    exchanges: Vec<Value>,
}

impl Recording {
    /// The recording, or nothing after saying that the test is skipped.
    fn open() -> Option<Self> {
        let beside = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../../shared/data/aiopslab-actions"
        );
        let dir = std::env::var_os("AIOPSLAB_ACTIONS")
            .map_or_else(|| PathBuf::from(beside), PathBuf::from);
        let has_tools = Command::new("gzip").arg("--version").output().is_ok()
            && Command::new("tar").arg("--version").output().is_ok();
        if !dir.join("answers.json").exists() || !has_tools {
            let required = std::env::var("AIOPSLAB_INTEROP").is_ok_and(|value| value == "1");
            assert!(
                !required,
                "no recording in {}, or no gzip or tar",
                dir.display()
            );
            println!(
                "skipped: no recording of AIOpsLab's answers in {}, or no gzip or tar",
                dir.display()
            );
            return None;
        }
        let answers =
            serde_json::from_slice(&std::fs::read(dir.join("answers.json")).unwrap()).unwrap();
        let http = run(Command::new("gzip")
            .arg("-dc")
            .arg(dir.join("http.jsonl.gz")));
        let exchanges = http
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        Some(Self {
            dir,
            answers,
            exchanges,
        })
    }

    fn answer(&self, call: &str) -> &str {
        self.answers[call]["answer"].as_str().unwrap()
    }

    fn file(&self, path: &str) -> String {
        run(Command::new("tar")
            .arg("-xzOf")
            .arg(self.dir.join("files.tar.gz"))
            .arg(path))
    }

    /// The bodies of the exchanges with a path.
    fn bodies(&self, path: &str) -> Vec<Value> {
        let found = self
            .exchanges
            .iter()
            .filter(|exchange| exchange["url"].as_str().unwrap().contains(path));
        found
            .map(|exchange| serde_json::from_str(exchange["body"].as_str().unwrap()).unwrap())
            .collect()
    }

    fn points(&self) -> Vec<KpiPoint> {
        let alive: BTreeSet<&str> = self
            .answer("exec_shell kubectl get pods -n test-hotel-reservation")
            .lines()
            .skip(1)
            .filter_map(|line| line.split_whitespace().next())
            .collect();
        let mut points = Vec::new();
        for body in self.bodies("/api/v1/query_range") {
            for series in body["data"]["result"].as_array().unwrap() {
                let label = |name: &str| series["metric"][name].as_str().map(str::to_owned);
                let pod = label("pod").unwrap_or_default();
                if !alive.contains(pod.as_str()) {
                    continue;
                }
                let metric = label("__name__").unwrap();
                for value in series["values"].as_array().unwrap() {
                    points.push(KpiPoint {
                        interface: label("interface").filter(|_| metric.contains("network")),
                        metric: metric.clone(),
                        instance: label("instance").unwrap(),
                        pod: pod.clone(),
                        timestamp_s: value[0].as_i64().unwrap(),
                        value: value[1].as_str().unwrap().parse().unwrap(),
                    });
                }
            }
        }
        points
    }
}

fn run(command: &mut Command) -> String {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}");
    String::from_utf8(output.stdout).unwrap()
}

fn sorted(text: &str) -> Vec<&str> {
    let mut lines: Vec<&str> = text.lines().collect();
    lines.sort_unstable();
    lines
}

const FOLDER: &str = "/cwd/metrics_output/metric_20261122_051307";

#[test]
fn metrics_are_exported_as_aiopslab_does() {
    let Some(recording) = Recording::open() else {
        return;
    };
    let files = metrics_files(&recording.points());
    let names: Vec<String> = KPI_NAMES
        .iter()
        .map(|name| format!("container/kpi_{name}.csv"))
        .collect();
    assert_eq!(
        files
            .iter()
            .map(|(path, _)| path.clone())
            .collect::<Vec<_>>(),
        names
    );
    for (path, text) in &files {
        let theirs = recording.file(&format!("metrics_output/metric_20261122_051307/{path}"));
        // Rows of one moment come in an accidental order there.
        assert_eq!(sorted(text), sorted(&theirs), "{path}");
        let times = |text: &str| {
            text.lines()
                .map(|line| line.split(',').next().unwrap().to_owned())
                .collect::<Vec<_>>()
        };
        assert_eq!(times(text), times(&theirs), "{path}");
    }
    assert_eq!(
        sorted(&metrics_message(FOLDER, &files)),
        sorted(recording.answer("get_metrics 5"))
    );
}

#[test]
fn traces_are_exported_as_aiopslab_does() {
    let Some(recording) = Recording::open() else {
        return;
    };
    let mut spans = Vec::new();
    for body in recording.bodies("/api/traces") {
        for trace in body["data"].as_array().unwrap() {
            let services: BTreeMap<&str, &str> = trace["processes"]
                .as_object()
                .unwrap()
                .iter()
                .map(|(id, process)| (id.as_str(), process["serviceName"].as_str().unwrap()))
                .collect();
            for span in trace["spans"].as_array().unwrap() {
                let text = |value: &Value| value.as_str().map(str::to_owned);
                let tags = span["tags"].as_array().unwrap();
                spans.push(TraceSpan {
                    trace_id: text(&span["traceID"]).unwrap(),
                    span_id: text(&span["spanID"]).unwrap(),
                    parent_span_id: text(&span["references"][0]["spanID"]),
                    service: services[span["processID"].as_str().unwrap()].to_owned(),
                    operation: text(&span["operationName"]).unwrap(),
                    start_us: span["startTime"].as_i64().unwrap(),
                    duration_us: span["duration"].as_i64().unwrap(),
                    has_error: tags
                        .iter()
                        .any(|tag| tag["key"] == "error" && tag["value"] == true),
                    response: tags
                        .iter()
                        .find(|tag| tag["key"] == "http.status_code")
                        .map(|tag| tag["value"].to_string()),
                });
            }
        }
    }
    assert_eq!(
        traces_csv(&spans),
        recording.file("trace_output/traces_1795324393.csv")
    );
    let path = "/cwd/trace_output/traces_1795324393.csv";
    assert_eq!(traces_message(path), recording.answer("get_traces 5"));
}

#[test]
fn tables_are_printed_as_aiopslab_does() {
    let Some(recording) = Recording::open() else {
        return;
    };
    let metrics =
        "metrics_output/metric_20261122_051307/container/kpi_container_memory_usage_bytes.csv";
    assert_eq!(
        table_text(&recording.file(metrics)).unwrap(),
        recording.answer("read_metrics kpi_container_memory_usage_bytes.csv")
    );
    let traces = recording.file("trace_output/traces_1795324393.csv");
    assert_eq!(
        table_text(&traces).unwrap(),
        recording.answer("read_traces")
    );
}

#[test]
fn errors_read_as_aiopslab_words_them() {
    let Some(recording) = Recording::open() else {
        return;
    };
    assert_eq!(unknown_service(), recording.answer("get_logs nope"));
    assert_eq!(
        unknown_service(),
        recording.answer("get_logs unknown-namespace")
    );
    assert_eq!(
        metrics_file_not_found("/nowhere/x.csv"),
        recording.answer("read_metrics missing")
    );
    assert_eq!(
        traces_file_not_found("/nowhere/x.csv"),
        recording.answer("read_traces missing")
    );
    let failed = command_failed("/bin/sh: 1: nosuchcommand: not found\n");
    assert_eq!(failed, recording.answer("exec_shell nosuchcommand"));
    for (call, answer) in recording.answers.as_object().unwrap() {
        if let Some(command) = call.strip_prefix("exec_shell ") {
            let refused = answer["answer"]
                .as_str()
                .filter(|text| text.starts_with("Error: Cannot use"));
            assert_eq!(refused_command(command), refused, "{command}");
        }
    }
}
