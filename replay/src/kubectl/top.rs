//! `kubectl top`.

use std::collections::BTreeMap;

use aiopslab_problems::environment::Verdict;

use super::arguments::Arguments;
use super::cluster::Cluster;
use super::failure::Failure;
use super::quantity::Quantity;
use super::selector::{FieldSelector, LabelSelector};
use super::{object, table};
use crate::golang;
use crate::shell::CommandOutput;
use crate::view::Usage;

/// Runs the command.
pub(super) async fn run(
    cluster: &Cluster<'_>,
    arguments: &Arguments,
) -> Result<CommandOutput, Failure> {
    let Some((what, names)) = arguments.operands.split_first() else {
        return Ok(super::help::help("top"));
    };
    let kind = match what.as_str() {
        "pod" | "pods" | "po" => "pod",
        "node" | "nodes" | "no" => "node",
        _ => return Err(super::help::unknown_subcommand("top", &arguments.operands)),
    };
    if names.len() > 1 {
        return Err(Failure::invalid(format!(
            "error: {kind} [NAME | -l label]\nSee 'kubectl top {kind} -h' for help and examples"
        )));
    }
    let by = arguments.value("sort-by").unwrap_or_default();
    if !["", "cpu", "memory"].contains(&by) {
        return Err(Failure::invalid(
            "error: --sort-by accepts only cpu or memory",
        ));
    }
    let served = cluster
        .resources
        .all()
        .iter()
        .any(|t| t.group == "metrics.k8s.io");
    if cluster.resources.is_recorded() && !served {
        return Err(Failure::answered("error: Metrics API not available"));
    }
    let name = names.first().map(String::as_str);
    match kind {
        "pod" => pods(cluster, arguments, name).await,
        _ => nodes(cluster, arguments, name).await,
    }
}

#[derive(Debug, Clone, Default)]
struct Measured {
    namespace: String,
    name: String,
    container: String,
    cpu_nanocores: i64,
    memory_bytes: i64,
}

impl Measured {
    fn cpu(&self) -> String {
        format!("{}m", self.milli())
    }

    fn milli(&self) -> i64 {
        self.cpu_nanocores.div_euclid(1_000_000) + i64::from(self.cpu_nanocores % 1_000_000 > 0)
    }

    fn memory(&self) -> String {
        format!("{}Mi", self.memory_bytes / (1024 * 1024))
    }
}

impl From<Usage> for Measured {
    fn from(usage: Usage) -> Self {
        Self {
            namespace: usage.namespace,
            name: usage.name,
            container: usage.container,
            cpu_nanocores: usage.cpu_nanocores,
            memory_bytes: usage.memory_bytes,
        }
    }
}

/// The order of kubectl: it compares what it prints of CPU, and leaves equals as Go's sort does.
fn sort(rows: &mut [Measured], by: &str) {
    fn name(row: &Measured) -> (&str, &str, &str) {
        (&row.namespace, &row.name, &row.container)
    }
    // The server lists them so.
    rows.sort_by(|a, b| name(a).cmp(&name(b)));
    match by {
        "cpu" => golang::sort::sort(rows, |a, b| a.milli() > b.milli()),
        "memory" => golang::sort::sort(rows, |a, b| a.memory_bytes > b.memory_bytes),
        _ => {}
    }
}

fn not_recorded(what: &str) -> Failure {
    Failure::not_captured(format!(
        "the usage of {what} is not available in this recording"
    ))
}

async fn pods(
    cluster: &Cluster<'_>,
    arguments: &Arguments,
    name: Option<&str>,
) -> Result<CommandOutput, Failure> {
    let selecting = ["selector", "field-selector"]
        .iter()
        .any(|flag| arguments.value(flag).is_some());
    if name.is_some() && selecting {
        return Err(Failure::invalid(
            "error: only one of NAME or selector can be provided",
        ));
    }
    let namespace = arguments.listed_namespace();
    let mut usage = cluster.view.usage("pod", namespace).await?;
    if usage.is_empty() && cluster.view.usage("pod", None).await?.is_empty() {
        return Err(not_recorded("pods"));
    }
    if let Some(name) = name {
        usage.retain(|usage| usage.name == name);
        if usage.is_empty() {
            // The server looks for the pod first: one that is there is too young to have been measured.
            let t = cluster.resources.find("pods")?.clone();
            let pods = cluster.list(&t, Some(arguments.namespace())).await?;
            let what = if pods.iter().any(|pod| pod.name == name) {
                format!(
                    "podmetrics.metrics.k8s.io \"{}/{name}\"",
                    arguments.namespace()
                )
            } else {
                format!("pods \"{name}\"")
            };
            return Err(Failure::empty(format!(
                "Error from server (NotFound): {what} not found"
            )));
        }
    }
    if selecting {
        let labels = LabelSelector::parse(arguments.value("selector").unwrap_or_default())?;
        let fields = FieldSelector::parse(arguments.value("field-selector").unwrap_or_default())?;
        let t = cluster.resources.find("pods")?.clone();
        fields.check(&t.group, &t.version, &t.resource)?;
        let pods = cluster.list(&t, namespace).await?;
        usage.retain(|usage| {
            pods.iter().any(|pod| {
                pod.namespace == usage.namespace
                    && pod.name == usage.name
                    && fields.matches(pod)
                    && labels.matches(&object::map(&pod.object, "/metadata/labels"))
            })
        });
    }
    if usage.is_empty() {
        let mut output = CommandOutput::answered("");
        output.verdict = Verdict::Empty;
        output.stderr = match namespace {
            None => "No resources found\n".to_owned(),
            Some(namespace) => format!("No resources found in {namespace} namespace.\n"),
        };
        return Ok(output);
    }
    Ok(CommandOutput::answered(print_pods(arguments, usage)))
}

fn print_pods(arguments: &Arguments, usage: Vec<Usage>) -> String {
    let by = arguments.value("sort-by").unwrap_or_default();
    let (with_namespace, containers) = (
        arguments.is_set("all-namespaces"),
        arguments.is_set("containers"),
    );
    // Sums per pod decide the order, whether containers are shown or not.
    let mut of_pod: BTreeMap<(String, String), Vec<Measured>> = BTreeMap::new();
    for usage in usage {
        let key = (usage.namespace.clone(), usage.name.clone());
        of_pod.entry(key).or_default().push(usage.into());
    }
    let mut pods: Vec<Measured> = of_pod
        .iter()
        .map(|((namespace, name), containers)| Measured {
            namespace: namespace.clone(),
            name: name.clone(),
            container: String::new(),
            cpu_nanocores: containers.iter().map(|c| c.cpu_nanocores).sum(),
            memory_bytes: containers.iter().map(|c| c.memory_bytes).sum(),
        })
        .collect();
    sort(&mut pods, by);
    let mut text = String::new();
    let mut line = |namespace: &str, pod: &str, cells: [&str; 3]| {
        if with_namespace {
            text.push_str(&format!("{namespace}\t"));
        }
        if containers {
            text.push_str(&format!("{pod}\t"));
        }
        text.push_str(&format!("{}\t\n", cells.join("\t")));
    };
    if !arguments.is_set("no-headers") {
        line("NAMESPACE", "POD", ["NAME", "CPU(cores)", "MEMORY(bytes)"]);
    }
    for pod in &pods {
        if !containers {
            line(&pod.namespace, "", [&pod.name, &pod.cpu(), &pod.memory()]);
            continue;
        }
        let mut rows = of_pod
            .remove(&(pod.namespace.clone(), pod.name.clone()))
            .unwrap_or_default();
        sort(&mut rows, by);
        for row in rows {
            line(
                &row.namespace,
                &row.name,
                [&row.container, &row.cpu(), &row.memory()],
            );
        }
    }
    if arguments.is_set("sum") {
        let total = Measured {
            cpu_nanocores: pods.iter().map(|pod| pod.cpu_nanocores).sum(),
            memory_bytes: pods.iter().map(|pod| pod.memory_bytes).sum(),
            ..Measured::default()
        };
        line("", "", ["", "________", "________"]);
        line("", "", ["", &total.cpu(), &total.memory()]);
    }
    table::print_cells(&text)
}

async fn nodes(
    cluster: &Cluster<'_>,
    arguments: &Arguments,
    name: Option<&str>,
) -> Result<CommandOutput, Failure> {
    let mut rows: Vec<Measured> = cluster
        .view
        .usage("node", None)
        .await?
        .into_iter()
        .map(Measured::from)
        .collect();
    if rows.is_empty() {
        return Err(not_recorded("nodes"));
    }
    let t = cluster.resources.find("nodes")?.clone();
    let mut nodes = cluster.list(&t, None).await?;
    let labels = LabelSelector::parse(arguments.value("selector").unwrap_or_default())?;
    nodes.retain(|node| {
        name.is_none_or(|name| name == node.name)
            && labels.matches(&object::map(&node.object, "/metadata/labels"))
    });
    rows.retain(|row| nodes.iter().any(|node| node.name == row.name));
    if let (Some(name), true) = (name, rows.is_empty()) {
        let what = if nodes.is_empty() {
            format!("node \"{name}\"")
        } else {
            format!("nodemetrics.metrics.k8s.io \"{name}\"")
        };
        return Err(Failure::empty(format!(
            "Error from server (NotFound): {what} not found"
        )));
    }
    sort(&mut rows, arguments.value("sort-by").unwrap_or_default());
    let mut text = String::new();
    if !arguments.is_set("no-headers") {
        text.push_str("NAME\tCPU(cores)\tCPU(%)\tMEMORY(bytes)\tMEMORY(%)\t\n");
    }
    let capacity = if arguments.is_set("show-capacity") {
        "/status/capacity"
    } else {
        "/status/allocatable"
    };
    for row in &rows {
        let Some(node) = nodes.iter().find(|node| node.name == row.name) else {
            continue;
        };
        let available = |resource: &str| {
            Quantity::parse(object::text(
                &node.object,
                &format!("{capacity}/{resource}"),
            ))
            .unwrap_or_default()
        };
        let percent = |used: i128, available: i128| {
            if available == 0 {
                0
            } else {
                (used as f64 / available as f64 * 100.0) as i64
            }
        };
        text.push_str(&format!(
            "{}\t{}\t{}%\t{}\t{}%\t\n",
            row.name,
            row.cpu(),
            percent(i128::from(row.milli()), available("cpu").milli()),
            row.memory(),
            percent(i128::from(row.memory_bytes), available("memory").value()),
        ));
    }
    for node in nodes
        .iter()
        .filter(|node| !rows.iter().any(|row| row.name == node.name))
    {
        text.push_str(&format!(
            "{}\t<unknown>\t<unknown>\t<unknown>\t<unknown>\t\n",
            node.name
        ));
    }
    Ok(CommandOutput::answered(table::print_cells(&text)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_prints_the_same_cpu_keeps_the_order_of_names() {
        let check = |by: &str, expected: [&str; 3]| {
            let row = |name: &str, cpu_nanocores, memory_bytes| Measured {
                name: name.to_owned(),
                cpu_nanocores,
                memory_bytes,
                ..Measured::default()
            };
            let mut rows = [
                row("b", 1_900_000, 5),
                row("a", 1_200_000, 6),
                row("c", 2_100_000, 6),
            ];
            sort(&mut rows, by);
            assert_eq!(rows.map(|row| row.name), expected, "{by}");
        };
        check("", ["a", "b", "c"]);
        check("cpu", ["c", "a", "b"]);
        check("memory", ["a", "c", "b"]);
    }
}
