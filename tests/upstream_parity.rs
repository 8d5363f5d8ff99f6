//! `--upstream` answers as AIOpsLab does: every answer that AIOpsLab's own actions gave on a real
//! cluster (`../shared/data/aiopslab-actions`) is asked for again, on a snapshot made of the inputs
//! that they were given. Runs with `AIOPSLAB_INTEROP=1`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use aiopslab::library::Library;
use aiopslab::settings::Settings;
use aiopslab_datasets::Snapshot;
use aiopslab_datasets::manifest::{ManifestDraft, Observed};
use aiopslab_datasets::rows::{
    Coverage, LogInstance, LogLine, MetricSample, MetricSeries, ObjectApi, ObjectVersion, Span,
};
use aiopslab_datasets::samples::samples;
use aiopslab_datasets::writer::{SnapshotWriter, Visibility};
use aiopslab_problems::action::Action;
use aiopslab_problems::environment::Environment;
use aiopslab_problems::family::Application;
use aiopslab_replay::Clock;
use aiopslab_replay::environment::{ReplayEnvironment, ReplayOptions};
use camino::Utf8Path;
use jiff::Timestamp;
use serde_json::{Value, json};

const NAMESPACE: &str = "test-hotel-reservation";
const SECOND: i64 = 1_000_000_000;
/// Before everything that was recorded, and after.
const FROM: i64 = 1_795_320_000 * SECOND;
const TO: i64 = 1_795_330_000 * SECOND;
/// Prometheus' mark of a series that has ended.
const STALE: u64 = 0x7ff0_0000_0000_0002;

/// What can't be equal, and why.
const DIFFERENT: [(&str, &str); 3] = [
    (
        "exec_shell kubectl describe svc geo -n test-hotel-reservation",
        "the endpoints are not among the inputs: they are left open",
    ),
    (
        "exec_shell nosuchcommand",
        "whether a program was installed is not recorded: not_captured",
    ),
    (
        "exec_shell kubectl top pods -n test-hotel-reservation",
        "that no metrics server answered is not among the inputs: not_captured",
    ),
];

struct Inputs {
    dir: PathBuf,
    answers: Value,
    exchanges: Vec<Value>,
    objects: Vec<Value>,
}

impl Inputs {
    fn open() -> Option<Self> {
        if !std::env::var("AIOPSLAB_INTEROP").is_ok_and(|value| value == "1") {
            println!("skipped: AIOPSLAB_INTEROP is not 1");
            return None;
        }
        let dir = PathBuf::from(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../shared/data/aiopslab-actions"
        ));
        let answers = std::fs::read(dir.join("answers.json")).unwrap();
        let unpacked = |name: &str| run(Command::new("gzip").arg("-dc").arg(dir.join(name)));
        let exchanges = unpacked("http.jsonl.gz");
        let mut objects: Value = serde_json::from_str(&unpacked("objects.json.gz")).unwrap();
        Some(Self {
            answers: serde_json::from_slice(&answers).unwrap(),
            exchanges: exchanges
                .lines()
                .map(|line| serde_json::from_str(line).unwrap())
                .collect(),
            objects: objects["items"].as_array_mut().unwrap().drain(..).collect(),
            dir,
        })
    }

    /// The bodies of the answers at a path.
    fn bodies(&self, path: &str) -> Vec<Value> {
        let found = self
            .exchanges
            .iter()
            .filter(|exchange| exchange["url"].as_str().unwrap().contains(path));
        found
            .map(|exchange| serde_json::from_str(exchange["body"].as_str().unwrap()).unwrap())
            .collect()
    }

    fn file(&self, path: &str) -> String {
        run(Command::new("tar")
            .arg("-xzOf")
            .arg(self.dir.join("files.tar.gz"))
            .arg(path))
    }

    fn objects(&self) -> Vec<ObjectVersion> {
        let row = |(seq, object): (u64, &Value)| {
            let text = |pointer: &str| {
                object
                    .pointer(pointer)
                    .and_then(Value::as_str)
                    .unwrap_or_default()
                    .to_owned()
            };
            let api_version = text("/apiVersion");
            let (group, version) = api_version.split_once('/').unwrap_or(("", &api_version));
            let kind = text("/kind");
            ObjectVersion {
                seq,
                event: "initial".to_owned(),
                observed: FROM,
                exact: false,
                valid_from: FROM,
                valid_to: None,
                group: group.to_owned(),
                version: version.to_owned(),
                resource: format!("{}s", kind.to_lowercase()),
                kind,
                namespace: text("/metadata/namespace"),
                name: text("/metadata/name"),
                uid: text("/metadata/uid"),
                resource_version: text("/metadata/resourceVersion"),
                object: object.to_string(),
                cells: None,
            }
        };
        (0..).zip(&self.objects).map(row).collect()
    }

    /// The samples that Prometheus read its answers from, as far as these tell: one at each step,
    /// and a mark where the next step has none.
    fn metrics(&self) -> (Vec<MetricSeries>, Vec<MetricSample>) {
        let (mut series, mut samples) = (Vec::new(), Vec::new());
        for body in self.bodies("/api/v1/query_range") {
            for one in body["data"]["result"].as_array().unwrap() {
                let label = |name: &str| one["metric"][name].as_str().map(str::to_owned);
                let values: Vec<(i64, f64)> = one["values"]
                    .as_array()
                    .unwrap()
                    .iter()
                    .map(|value| {
                        let number = value[1].as_str().unwrap().parse().unwrap();
                        (value[0].as_i64().unwrap() * 1000, number)
                    })
                    .collect();
                let series_id = series.len() as u64;
                let mut labels: Vec<(String, String)> = one["metric"]
                    .as_object()
                    .unwrap()
                    .iter()
                    .filter(|(name, _)| *name != "__name__")
                    .map(|(name, value)| (name.clone(), value.as_str().unwrap().to_owned()))
                    .collect();
                labels.sort();
                series.push(MetricSeries {
                    series_id,
                    source: "prometheus".to_owned(),
                    name: label("__name__").unwrap(),
                    labels,
                    namespace: label("namespace"),
                    pod: label("pod"),
                    container: label("container"),
                    node: label("instance"),
                    first: values.first().unwrap().0,
                    last: values.last().unwrap().0 + 1,
                });
                for (index, (timestamp, value)) in values.iter().enumerate() {
                    let mut push = |timestamp, value| {
                        samples.push(MetricSample {
                            series_id,
                            timestamp,
                            value,
                            histogram: None,
                        });
                    };
                    push(*timestamp, *value);
                    let next = values.get(index + 1).map(|next| next.0);
                    if next != Some(timestamp + 15_000) {
                        push(timestamp + 1, f64::from_bits(STALE));
                    }
                }
            }
        }
        (series, samples)
    }

    /// Each span once, however many answers held it.
    fn spans(&self) -> Vec<Span> {
        let mut spans = BTreeMap::new();
        for body in self.bodies("/api/traces") {
            for trace in body["data"].as_array().unwrap() {
                for span in trace["spans"].as_array().unwrap() {
                    let text = |value: &Value| value.as_str().map(str::to_owned);
                    let process = &trace["processes"][span["processID"].as_str().unwrap()];
                    let start = span["startTime"].as_i64().unwrap() * 1000;
                    let row = Span {
                        trace_id: text(&span["traceID"]).unwrap(),
                        span_id: text(&span["spanID"]).unwrap(),
                        parent_span_id: text(&span["references"][0]["spanID"]),
                        service: text(&process["serviceName"]).unwrap(),
                        operation: text(&span["operationName"]).unwrap(),
                        kind: "unspecified".to_owned(),
                        start,
                        end: start + span["duration"].as_i64().unwrap() * 1000,
                        status: "unset".to_owned(),
                        message: None,
                        attributes: span["tags"].to_string(),
                        resource: "[]".to_owned(),
                        scope: None,
                        events: "[]".to_owned(),
                        links: "[]".to_owned(),
                        flags: 1,
                        warnings: None,
                        source: "jaeger".to_owned(),
                    };
                    spans.insert((row.trace_id.clone(), row.span_id.clone()), row);
                }
            }
        }
        spans.into_values().collect()
    }

    /// The logs that were answered with, of the first pods of their services.
    fn logs(&self) -> (Vec<LogInstance>, Vec<LogLine>) {
        let (mut instances, mut lines) = (Vec::new(), Vec::new());
        for (call, answer) in self.answers.as_object().unwrap() {
            let Some(service) = call.strip_prefix("get_logs ") else {
                continue;
            };
            let pod = self.objects.iter().find(|object| {
                object["kind"] == "Pod"
                    && object["metadata"]["labels"]["io.kompose.service"] == service
            });
            let Some(pod) = pod else { continue };
            let text = |pointer: &str| pod.pointer(pointer).unwrap().as_str().unwrap().to_owned();
            let instance = LogInstance {
                instance_id: instances.len() as u64,
                pod_uid: text("/metadata/uid"),
                namespace: NAMESPACE.to_owned(),
                pod: text("/metadata/name"),
                container: text("/spec/containers/0/name"),
                role: "container".to_owned(),
                restart: 0,
                container_id: text("/status/containerStatuses/0/containerID"),
                node: text("/spec/nodeName"),
                started: Some(FROM),
                finished: None,
                exit_code: None,
                reason: None,
                first_line_kept: true,
            };
            for (seq, message) in (0..).zip(answer["answer"].as_str().unwrap().lines()) {
                lines.push(LogLine {
                    instance_id: instance.instance_id,
                    seq,
                    timestamp: FROM,
                    message: message.as_bytes().to_vec(),
                    stream: None,
                    namespace: NAMESPACE.to_owned(),
                    service: Some(service.to_owned()),
                    pod: instance.pod.clone(),
                    container: instance.container.clone(),
                });
            }
            instances.push(instance);
        }
        (instances, lines)
    }

    fn snapshot(&self, dir: &Utf8Path) -> Snapshot {
        let writer = SnapshotWriter::create(dir).unwrap();
        let visible = Visibility::Visible;
        let tables = ["log_lines", "metric_samples", "spans"].map(|table| (table, String::new()));
        let listed = [
            "pods",
            "services",
            "events",
            "nodes",
            "deployments.apps",
            "replicasets.apps",
        ];
        let listed = listed.map(|name| ("object_versions", format!("resource={name}")));
        let covered: Vec<Coverage> = tables
            .into_iter()
            .chain(listed)
            .map(|(table, scope)| Coverage {
                table: table.to_owned(),
                source: "aiopslab-actions".to_owned(),
                scope,
                from: FROM,
                to: TO,
                state: "recorded".to_owned(),
                reason: None,
                from_is_source_start: false,
            })
            .collect();
        writer.append_rows(visible, &covered).unwrap();
        writer.append_rows(visible, &self.objects()).unwrap();
        let (series, numbers) = self.metrics();
        writer.append_rows(visible, &series).unwrap();
        writer.append_rows(visible, &numbers).unwrap();
        writer.append_rows(visible, &self.spans()).unwrap();
        let (instances, lines) = self.logs();
        writer.append_rows(visible, &instances).unwrap();
        writer.append_rows(visible, &lines).unwrap();
        // Which resource types there are is no part of the inputs: those of a sample's cluster.
        let sample = tempfile::tempdir().unwrap();
        let root = samples()[0]
            .write_below(Utf8Path::from_path(sample.path()).unwrap())
            .unwrap();
        let mut api: Vec<ObjectApi> = Snapshot::open(&root).unwrap().read_rows().unwrap();
        for row in &mut api {
            (row.valid_from, row.valid_to) = (FROM, None);
        }
        writer.append_rows(visible, &api).unwrap();
        let time = |moment: i64| Timestamp::from_nanosecond(moment.into()).unwrap();
        writer
            .finish(ManifestDraft {
                application: "hotel-reservation".to_owned(),
                namespaces: vec![NAMESPACE.to_owned()],
                service_label: "io.kompose.service".to_owned(),
                observed: Some(Observed {
                    from: time(FROM),
                    to: time(TO),
                }),
                settings: json!({}),
                ..ManifestDraft::default()
            })
            .unwrap();
        Snapshot::open(dir).unwrap()
    }
}

fn run(command: &mut Command) -> String {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}");
    String::from_utf8(output.stdout).unwrap()
}

fn application() -> Application {
    let settings = Settings::load(&aiopslab::cli::Global::default()).unwrap();
    let library = Library::open(&settings).unwrap();
    Application {
        namespace: NAMESPACE.to_owned(),
        service_label: "io.kompose.service".to_owned(),
        ..library.application("hotel-testbed").unwrap().clone()
    }
}

fn sorted(text: &str) -> Vec<String> {
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    lines.sort();
    lines
}

/// What a recorded call is as an action.
fn action(call: &str) -> Action {
    let (name, argument) = call.split_once(' ').unwrap_or((call, ""));
    let text = str::to_owned;
    let missing = argument == "missing";
    match name {
        "get_logs" => {
            let known = argument != "unknown-namespace";
            Action::GetLogs {
                namespace: text(if known { NAMESPACE } else { "nosuch" }),
                service: text(if known { argument } else { "geo" }),
            }
        }
        "get_metrics" => Action::GetMetrics {
            namespace: text(NAMESPACE),
            duration: 5,
        },
        "get_traces" => Action::GetTraces {
            namespace: text(NAMESPACE),
            duration: 5,
        },
        "read_metrics" if missing => Action::ReadMetrics {
            file_path: text("/nowhere/x.csv"),
        },
        "read_traces" if missing => Action::ReadTraces {
            file_path: text("/nowhere/x.csv"),
        },
        _ => Action::ExecShell {
            command: text(argument),
            timeout: 30,
        },
    }
}

#[tokio::test]
async fn every_recorded_answer_is_ours() {
    let Some(inputs) = Inputs::open() else { return };
    let folder = tempfile::tempdir().unwrap();
    let snapshot = inputs.snapshot(&Utf8Path::from_path(folder.path()).unwrap().join("s"));
    let environment = |moment: i64| {
        let options = ReplayOptions {
            clock: Clock::At(moment),
            upstream_quirks: true,
            ..ReplayOptions::new(application())
        };
        ReplayEnvironment::new(&snapshot, &options).unwrap()
    };
    let (mut equal, mut differ, mut unexplained) = (0, Vec::new(), Vec::new());
    for (call, recorded) in inputs.answers.as_object().unwrap() {
        let theirs = recorded["answer"].as_str().unwrap();
        let asked = (recorded["asked_at"].as_f64().unwrap() * 1e9) as i64;
        let is_equal = match call.as_str() {
            "get_metrics 5" | "read_metrics kpi_container_memory_usage_bytes.csv" => {
                // Prometheus was asked for the five minutes up to then.
                let mut environment = environment(1_795_324_387 * SECOND);
                let message = environment
                    .act(&action("get_metrics 5"))
                    .await
                    .unwrap()
                    .text;
                let files: Vec<(String, String)> = environment
                    .files()
                    .iter()
                    .map(|(path, text)| (path.to_owned(), text.to_owned()))
                    .collect();
                if call.starts_with("get") {
                    check_metrics(&inputs, theirs, &message, &files)
                } else {
                    // The rows of one moment are in an accidental order there.
                    let path = files
                        .iter()
                        .find(|file| file.0.contains("memory_usage_bytes"));
                    let action = Action::ReadMetrics {
                        file_path: path.unwrap().0.clone(),
                    };
                    let ours = environment.act(&action).await.unwrap().text;
                    sorted(&ours) == sorted(theirs)
                }
            }
            "get_traces 5" | "read_traces" => {
                let mut environment = environment(1_795_324_393 * SECOND);
                let message = environment.act(&action("get_traces 5")).await.unwrap().text;
                let (path, text) = environment.files().iter().next().unwrap();
                let (path, text) = (path.to_owned(), text.to_owned());
                if call.starts_with("get") {
                    let csv = inputs.file("trace_output/traces_1795324393.csv");
                    // Jaeger gives the spans of a trace in an accidental order.
                    message == format!("Traces data exported to: {path}")
                        && sorted(&text) == sorted(&csv)
                } else {
                    let action = Action::ReadTraces { file_path: path };
                    let ours = environment.act(&action).await.unwrap().text;
                    sorted(&ours) == sorted(theirs)
                }
            }
            call => {
                let ours = environment(asked).act(&action(call)).await.unwrap().text;
                if ours != theirs {
                    println!("--- {call}\n{theirs}\n+++\n{ours}");
                }
                ours == theirs
            }
        };
        if is_equal {
            equal += 1;
        } else if DIFFERENT.iter().any(|(known, _)| *known == call) {
            differ.push(call.clone());
        } else {
            unexplained.push(call.clone());
        }
    }
    println!(
        "{equal} answers equal, {} explained: {differ:?}, {} not: {unexplained:?}",
        differ.len(),
        unexplained.len()
    );
    assert!(unexplained.is_empty(), "{unexplained:?}");
    // What is equal by now has no place in the list.
    assert_eq!(
        (equal, differ.len()),
        (29 - DIFFERENT.len(), DIFFERENT.len())
    );
}

/// The message, but for the folder's name and the order of the tree; every file, but for the order
/// of the rows of one moment.
fn check_metrics(inputs: &Inputs, theirs: &str, message: &str, files: &[(String, String)]) -> bool {
    let folder = files[0].0.split("/container/").next().unwrap();
    let name = Path::new(folder).file_name().unwrap().to_str().unwrap();
    let told = message
        .replace(folder, "/cwd/metrics_output/metric_20261122_051307")
        .replace(name, "metric_20261122_051307");
    let same = |(path, text): &(String, String)| {
        let file = path.rsplit('/').next().unwrap();
        let path = format!("metrics_output/metric_20261122_051307/container/{file}");
        sorted(&inputs.file(&path)) == sorted(text)
    };
    files.len() == 24 && sorted(&told) == sorted(theirs) && files.iter().all(same)
}
