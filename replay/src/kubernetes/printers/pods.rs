//! Pods: what their status, readiness and restarts come down to.

use serde_json::{Value, json};

use super::super::duration::human_duration;
use super::super::{object, timestamp};
use super::{AGE, NAME, Printer, age, containers, labels, name, text, text_or, wide};

pub(super) static PODS: Printer = Printer {
    columns: &[
        NAME,
        text("Ready"),
        text("Status"),
        text("Restarts"),
        AGE,
        wide("IP"),
        wide("Node"),
        wide("Nominated Node"),
        wide("Readiness Gates"),
    ],
    print: pods,
};

pub(super) static POD_TEMPLATES: Printer = Printer {
    columns: &[NAME, text("Containers"), text("Images"), text("Pod Labels")],
    print: |template, _| {
        let [names, images] = containers(template, "/template/spec");
        let labels = labels(template, "/template/metadata/labels");
        vec![
            json!(name(template)),
            json!(names),
            json!(images),
            json!(labels),
        ]
    },
};

fn pods(pod: &Value, now: i64) -> Vec<Value> {
    let summary = Summary::of(pod);
    vec![
        json!(name(pod)),
        json!(format!("{}/{}", summary.ready, summary.total)),
        json!(summary.status),
        json!(summary.restarts(now)),
        json!(age(pod, now)),
        json!(text_or(pod, "/status/podIPs/0/ip", "<none>")),
        json!(text_or(pod, "/spec/nodeName", "<none>")),
        json!(text_or(pod, "/status/nominatedNodeName", "<none>")),
        json!(readiness_gates(pod)),
    ]
}

/// What is told of a pod in one line.
#[derive(Debug, Default)]
struct Summary {
    status: String,
    ready: usize,
    total: usize,
    restarts: Restarts,
}

/// How often containers were restarted, and when the last of them ended.
#[derive(Debug, Default, Clone, Copy)]
struct Restarts {
    count: i64,
    last_end: Option<i64>,
}

impl Restarts {
    fn add(&mut self, status: &Value) {
        self.count += object::number(status, "/restartCount");
        let end = timestamp::nanoseconds(status, "/lastState/terminated/finishedAt");
        self.last_end = self.last_end.max(end);
    }
}

impl Summary {
    fn of(pod: &Value) -> Self {
        let mut summary = Self {
            status: phase_or_reason(pod),
            total: object::list(pod, "/spec/containers").len(),
            ..Self::default()
        };
        let initializing = summary.read_init_containers(pod);
        if !initializing || super::condition_is_true(pod, "Initialized") {
            summary.read_containers(pod);
        }
        if super::is_deleted(pod) {
            if object::text(pod, "/status/reason") == "NodeLost" {
                summary.status = "Unknown".to_owned();
            } else if !matches!(object::text(pod, "/status/phase"), "Succeeded" | "Failed") {
                summary.status = "Terminating".to_owned();
            }
        }
        summary
    }

    /// Whether an init container has still to finish; it then decides the status.
    fn read_init_containers(&mut self, pod: &Value) -> bool {
        let specs = object::list(pod, "/spec/initContainers");
        let is_sidecar = |name: &str| {
            specs.iter().any(|spec| {
                object::text(spec, "/name") == name
                    && object::text(spec, "/restartPolicy") == "Always"
            })
        };
        self.total += specs
            .iter()
            .filter(|spec| object::text(spec, "/restartPolicy") == "Always")
            .count();
        let mut of_sidecars = Restarts::default();
        let statuses = object::list(pod, "/status/initContainerStatuses");
        for (position, status) in statuses.iter().enumerate() {
            let sidecar = is_sidecar(object::text(status, "/name"));
            self.restarts.add(status);
            if sidecar {
                of_sidecars.add(status);
            }
            let terminated = object::field(status, "/state/terminated");
            if terminated.is_some_and(|end| object::number(end, "/exitCode") == 0) {
                continue;
            }
            if sidecar && object::flag(status, "/started") {
                self.ready += usize::from(object::flag(status, "/ready"));
                continue;
            }
            let waiting = object::text(status, "/state/waiting/reason");
            self.status = match terminated {
                Some(end) => format!("Init:{}", ended(end)),
                None if !matches!(waiting, "" | "PodInitializing") => format!("Init:{waiting}"),
                None => format!("Init:{position}/{}", specs.len()),
            };
            if super::condition_is_true(pod, "Initialized") {
                self.restarts = of_sidecars;
            }
            return true;
        }
        // Once all have finished, only those of them that keep running count.
        self.restarts = of_sidecars;
        false
    }

    /// The last container that has something to say decides the status.
    fn read_containers(&mut self, pod: &Value) {
        let mut running = false;
        for status in object::list(pod, "/status/containerStatuses").iter().rev() {
            self.restarts.add(status);
            let waiting = object::text(status, "/state/waiting/reason");
            if !waiting.is_empty() {
                self.status = waiting.to_owned();
            } else if let Some(end) = object::field(status, "/state/terminated") {
                self.status = ended(end);
            } else if object::flag(status, "/ready")
                && object::field(status, "/state/running").is_some()
            {
                running = true;
                self.ready += 1;
            }
        }
        if running && self.status == "Completed" {
            let ready = super::condition_is_true(pod, "Ready");
            self.status = if ready { "Running" } else { "NotReady" }.to_owned();
        }
    }

    fn restarts(&self, now: i64) -> String {
        let Restarts { count, last_end } = self.restarts;
        match last_end {
            Some(end) if count != 0 => {
                format!("{count} ({} ago)", human_duration(now.saturating_sub(end)))
            }
            _ => count.to_string(),
        }
    }
}

fn phase_or_reason(pod: &Value) -> String {
    let gated = object::list(pod, "/status/conditions")
        .iter()
        .any(|condition| {
            object::text(condition, "/type") == "PodScheduled"
                && object::text(condition, "/reason") == "SchedulingGated"
        });
    if gated {
        return "SchedulingGated".to_owned();
    }
    match object::text(pod, "/status/reason") {
        "" => object::text(pod, "/status/phase").to_owned(),
        reason => reason.to_owned(),
    }
}

/// Why a container ended: its reason, else its signal or exit code.
fn ended(terminated: &Value) -> String {
    let signal = object::number(terminated, "/signal");
    match object::text(terminated, "/reason") {
        "" if signal != 0 => format!("Signal:{signal}"),
        "" => format!("ExitCode:{}", object::number(terminated, "/exitCode")),
        reason => reason.to_owned(),
    }
}

fn readiness_gates(pod: &Value) -> String {
    let gates = object::list(pod, "/spec/readinessGates");
    if gates.is_empty() {
        return "<none>".to_owned();
    }
    let open = gates
        .iter()
        .filter(|gate| super::condition_is_true(pod, object::text(gate, "/conditionType")))
        .count();
    format!("{open}/{}", gates.len())
}
