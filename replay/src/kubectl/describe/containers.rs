//! Containers of pods and of pod templates.

use serde_json::Value;

use super::page::Page;
use crate::kubectl::quantity::Quantity;
use crate::kubectl::{object, timestamp};

/// Whose containers these are.
#[derive(Clone, Copy)]
pub(super) enum Owner<'a> {
    /// A pod, with states and field values.
    Pod(&'a Value),
    /// A template, indented.
    Template,
}

/// A list of containers with its title.
pub(super) fn describe(
    page: &mut Page,
    title: &str,
    containers: &[Value],
    statuses: &[Value],
    owner: Owner<'_>,
) {
    let space = if matches!(owner, Owner::Template) {
        "  "
    } else {
        ""
    };
    let none = if containers.is_empty() { " <none>" } else { "" };
    page.line(0, format!("{space}{title}:{none}"));
    for container in containers {
        let name = object::text(container, "/name");
        let status = statuses
            .iter()
            .find(|status| object::text(status, "/name") == name);
        let indent = if space.is_empty() { "" } else { " " };
        page.line(1, format!("{indent}{name}:"));
        basics(page, container, status);
        words(page, "Command", object::list(container, "/command"));
        words(page, "Args", object::list(container, "/args"));
        if let Some(status) = status {
            state(page, "State", object::field(status, "/state"));
            let last = object::field(status, "/lastState");
            if last.is_some_and(|last| object::field(last, "/terminated").is_some()) {
                state(page, "Last State", last);
            }
            let ready = if object::flag(status, "/ready") {
                "True"
            } else {
                "False"
            };
            page.field(2, "Ready", ready);
            page.field(2, "Restart Count", object::number(status, "/restartCount"));
        }
        resources(page, container.get("resources"), 2);
        for (label, key) in [
            ("Liveness", "/livenessProbe"),
            ("Readiness", "/readinessProbe"),
            ("Startup", "/startupProbe"),
        ] {
            if let Some(value) = object::field(container, key) {
                page.field(2, label, probe(value));
            }
        }
        environment_from(page, container);
        environment(page, container, owner);
        mounts(page, container);
    }
}

fn basics(page: &mut Page, container: &Value, status: Option<&Value>) {
    if let Some(status) = status {
        page.field(2, "Container ID", object::text(status, "/containerID"));
    }
    page.field(2, "Image", object::text(container, "/image"));
    if let Some(status) = status {
        page.field(2, "Image ID", object::text(status, "/imageID"));
    }
    for (label, key) in [("Port", "/containerPort"), ("Host Port", "/hostPort")] {
        let ports: Vec<String> = object::list(container, "/ports")
            .iter()
            .map(|port| {
                let protocol = object::text(port, "/protocol");
                let name = match object::text(port, "/name") {
                    "" => String::new(),
                    name => format!(" ({name})"),
                };
                format!("{}/{protocol}{name}", object::number(port, key))
            })
            .collect();
        match ports.len() {
            0 => page.field(2, label, "<none>"),
            1 => page.field(2, label, &ports[0]),
            _ => page.field(2, &format!("{label}s"), ports.join(", ")),
        }
    }
    if let Some(profile) = object::field(container, "/securityContext/seccompProfile") {
        page.field(2, "SeccompProfile", object::text(profile, "/type"));
        page.field_if(
            3,
            "LocalhostProfile",
            object::text(profile, "/localhostProfile"),
        );
    }
}

fn words(page: &mut Page, title: &str, words: &[Value]) {
    if words.is_empty() {
        return;
    }
    page.line(2, format!("{title}:"));
    for word in words {
        for line in word.as_str().unwrap_or_default().split('\n') {
            page.line(3, line);
        }
    }
}

fn state(page: &mut Page, title: &str, state: Option<&Value>) {
    let part = |key: &str| state.and_then(|state| object::field(state, key));
    if let Some(running) = part("/running") {
        page.field(2, title, "Running");
        page.field(3, "Started", timestamp::rfc1123(running, "/startedAt"));
    } else if let Some(terminated) = part("/terminated") {
        page.field(2, title, "Terminated");
        page.field_if(3, "Reason", object::text(terminated, "/reason"));
        page.field_if(3, "Message", object::text(terminated, "/message"));
        page.field(3, "Exit Code", object::number(terminated, "/exitCode"));
        if object::number(terminated, "/signal") > 0 {
            page.field(3, "Signal", object::number(terminated, "/signal"));
        }
        page.field(3, "Started", timestamp::rfc1123(terminated, "/startedAt"));
        page.field(3, "Finished", timestamp::rfc1123(terminated, "/finishedAt"));
    } else {
        page.field(2, title, "Waiting");
        let reason = part("/waiting").map_or("", |waiting| object::text(waiting, "/reason"));
        page.field_if(3, "Reason", reason);
    }
}

/// Limits and requests.
pub(super) fn resources(page: &mut Page, resources: Option<&Value>, level: usize) {
    let Some(resources) = resources else { return };
    for (title, key) in [("Limits", "/limits"), ("Requests", "/requests")] {
        let amounts = object::map(resources, key);
        if !amounts.is_empty() {
            page.line(level, format!("{title}:"));
        }
        for (name, amount) in amounts {
            page.field(level + 1, name, amount);
        }
    }
}

fn probe(probe: &Value) -> String {
    let number = |key: &str, default: i64| {
        object::field(probe, key)
            .and_then(Value::as_i64)
            .unwrap_or(default)
    };
    let attributes = format!(
        "delay={}s timeout={}s period={}s #success={} #failure={}",
        number("/initialDelaySeconds", 0),
        number("/timeoutSeconds", 1),
        number("/periodSeconds", 10),
        number("/successThreshold", 1),
        number("/failureThreshold", 3),
    );
    if object::field(probe, "/exec").is_some() {
        let command: Vec<String> = object::list(probe, "/exec/command")
            .iter()
            .map(object::plain)
            .collect();
        return format!("exec [{}] {attributes}", command.join(" "));
    }
    if let Some(get) = object::field(probe, "/httpGet") {
        let scheme = match object::text(get, "/scheme") {
            "" => "http".to_owned(),
            scheme => scheme.to_lowercase(),
        };
        let path = object::text(get, "/path").replace('?', "%3F");
        let slash = if path.is_empty() || path.starts_with('/') {
            ""
        } else {
            "/"
        };
        let (host, port) = (
            object::text(get, "/host"),
            object::int_or_text(get, "/port"),
        );
        return format!("http-get {scheme}://{host}:{port}{slash}{path} {attributes}");
    }
    if let Some(socket) = object::field(probe, "/tcpSocket") {
        let (host, port) = (
            object::text(socket, "/host"),
            object::int_or_text(socket, "/port"),
        );
        return format!("tcp-socket {host}:{port} {attributes}");
    }
    if let Some(grpc) = object::field(probe, "/grpc") {
        let (port, service) = (
            object::number(grpc, "/port"),
            object::text(grpc, "/service"),
        );
        return format!("grpc <pod>:{port} {service} {attributes}");
    }
    format!("unknown {attributes}")
}

fn environment_from(page: &mut Page, container: &Value) {
    let sources = object::list(container, "/envFrom");
    if sources.is_empty() {
        return;
    }
    page.line(2, "Environment Variables from:");
    for source in sources {
        let (from, reference) = match object::field(source, "/configMapRef") {
            Some(reference) => ("ConfigMap", Some(reference)),
            None => ("Secret", object::field(source, "/secretRef")),
        };
        let name = reference.map_or("", |reference| object::text(reference, "/name"));
        let optional = reference.is_some_and(|reference| object::flag(reference, "/optional"));
        let prefix = match object::text(source, "/prefix") {
            "" => String::new(),
            prefix => format!(" with prefix '{prefix}'"),
        };
        page.line(3, format!("{name}\t{from}{prefix}\tOptional: {optional}"));
    }
}

fn environment(page: &mut Page, container: &Value, owner: Owner<'_>) {
    let variables = object::list(container, "/env");
    page.line(
        2,
        if variables.is_empty() {
            "Environment:\t<none>"
        } else {
            "Environment:"
        },
    );
    for variable in variables {
        let name = object::text(variable, "/name");
        let Some(from) = object::field(variable, "/valueFrom") else {
            for (position, line) in object::text(variable, "/value").split('\n').enumerate() {
                let label = if position == 0 {
                    format!("{name}:")
                } else {
                    String::new()
                };
                page.line(3, format!("{label}\t{line}"));
            }
            continue;
        };
        if let Some(field) = object::field(from, "/fieldRef") {
            let path = object::text(field, "/fieldPath");
            let version = object::text(field, "/apiVersion");
            let value = match owner {
                Owner::Pod(pod) => field_value(pod, path),
                Owner::Template => String::new(),
            };
            page.line(3, format!("{name}:\t{value} ({version}:{path})"));
        } else if let Some(reference) = object::field(from, "/resourceFieldRef") {
            let resource = object::text(reference, "/resource");
            let value = resource_value(container, reference);
            page.line(3, format!("{name}:\t{value} ({resource})"));
        } else {
            let (text, reference) = match object::field(from, "/secretKeyRef") {
                Some(reference) => ("in secret", Some(reference)),
                None => ("of config map", object::field(from, "/configMapKeyRef")),
            };
            let Some(reference) = reference else { continue };
            page.line(
                3,
                format!(
                    "{name}:\t<set to the key '{}' {text} '{}'>\tOptional: {}",
                    object::text(reference, "/key"),
                    object::text(reference, "/name"),
                    object::flag(reference, "/optional")
                ),
            );
        }
    }
}

/// The value of a field that a pod passes to its container.
fn field_value(pod: &Value, path: &str) -> String {
    if let Some((map, key)) = path.split_once("['") {
        let key = key.trim_end_matches("']");
        let pointer = format!("/{}", map.replace('.', "/"));
        return object::map(pod, &pointer)
            .get(key)
            .copied()
            .unwrap_or_default()
            .to_owned();
    }
    // kubectl resolves these only; the server knows more.
    match path {
        "metadata.name" | "metadata.namespace" | "metadata.uid" => {
            object::text(pod, &format!("/{}", path.replace('.', "/"))).to_owned()
        }
        _ => String::new(),
    }
}

/// A limit or request in units of its divisor.
fn resource_value(container: &Value, reference: &Value) -> String {
    let resource = object::text(reference, "/resource");
    let pointer = format!("/resources/{}", resource.replacen('.', "/", 1));
    let amount = Quantity::parse(object::text(container, &pointer)).unwrap_or_default();
    let divisor = Quantity::parse(object::text(reference, "/divisor"))
        .filter(|divisor| !divisor.is_zero())
        .or_else(|| Quantity::parse("1"))
        .unwrap_or_default();
    if amount.is_zero() && (resource == "limits.cpu" || resource == "limits.memory") {
        return "node allocatable".to_owned();
    }
    let (amount, divisor) = (amount.milli(), divisor.milli().max(1));
    ((amount + divisor - 1) / divisor).to_string()
}

fn mounts(page: &mut Page, container: &Value) {
    let mut mounts: Vec<&Value> = object::list(container, "/volumeMounts").iter().collect();
    mounts.sort_by_key(|mount| object::text(mount, "/mountPath"));
    page.line(
        2,
        if mounts.is_empty() {
            "Mounts:\t<none>"
        } else {
            "Mounts:"
        },
    );
    for mount in mounts {
        let mut flags = if object::flag(mount, "/readOnly") {
            "ro"
        } else {
            "rw"
        }
        .to_owned();
        let sub_path = object::text(mount, "/subPath");
        if !sub_path.is_empty() {
            flags.push_str(&format!(",path={sub_path:?}"));
        }
        let (path, name) = (
            object::text(mount, "/mountPath"),
            object::text(mount, "/name"),
        );
        page.line(3, format!("{path} from {name} ({flags})"));
    }
    let devices = object::list(container, "/volumeDevices");
    if !devices.is_empty() {
        page.line(2, "Devices:");
        for device in devices {
            let (path, name) = (
                object::text(device, "/devicePath"),
                object::text(device, "/name"),
            );
            page.line(3, format!("{path} from {name}"));
        }
    }
}
