//! `kubectl cluster-info dump`: lists and logs of namespaces, one after the other.

use serde_json::Value;

use super::arguments::Arguments;
use super::cluster::Cluster;
use super::failure::Failure;
use super::object;
use super::output::{self, Formats, Output};
use crate::golang::json;
use crate::kubernetes::{Form, KubernetesApi, ListOptions, LogOptions, ResourcePath};
use crate::shell::CommandOutput;

/// What is listed of a namespace, in this order; its pods come last, and after them their logs.
const LISTS: [(&str, &str); 7] = [
    ("", "events"),
    ("", "replicationcontrollers"),
    ("", "services"),
    ("apps", "daemonsets"),
    ("apps", "deployments"),
    ("apps", "replicasets"),
    ("", "pods"),
];

/// Runs the command.
pub(super) async fn run(
    cluster: &Cluster<'_>,
    arguments: &Arguments,
) -> Result<CommandOutput, Failure> {
    if !["", "-"].contains(&arguments.value("output-directory").unwrap_or_default()) {
        return Err(Failure::not_captured(
            "kubectl cluster-info dump --output-directory: files are not available to kubectl in \
             this recording",
        ));
    }
    let mut dump = Dump {
        api: KubernetesApi::lent(cluster.view).await?,
        output: CommandOutput::answered(""),
        format: match arguments.value("output").unwrap_or_default() {
            "" if arguments.value("template").is_none() => None,
            given => Some(output::parse(arguments, given, Formats::Common)?),
        },
        printed: false,
    };
    if matches!(dump.format, Some(Output::Name)) {
        return Err(Failure::invalid(
            "error: list types are not supported by name printing: *v1.NodeList",
        ));
    }
    dump.list("", "nodes", None).await?;
    let namespaces: Vec<String> = if arguments.is_set("all-namespaces") {
        let list = dump.read("", "namespaces", None).await?;
        let items = object::list(&list, "/items").iter();
        items
            .map(|namespace| object::text(namespace, "/metadata/name").to_owned())
            .collect()
    } else {
        match arguments.values("namespaces").as_slice() {
            [] => vec!["kube-system".to_owned(), arguments.namespace().to_owned()],
            given => given.iter().map(|name| (*name).to_owned()).collect(),
        }
    };
    for namespace in &namespaces {
        let mut pods = Value::Null;
        for (group, resource) in LISTS {
            pods = dump.list(group, resource, Some(namespace)).await?;
        }
        for pod in object::list(&pods, "/items") {
            dump.logs(namespace, pod).await?;
        }
    }
    Ok(dump.output)
}

struct Dump<'v> {
    api: KubernetesApi<'v>,
    output: CommandOutput,
    /// None: as the server writes objects.
    format: Option<Output>,
    printed: bool,
}

impl Dump<'_> {
    async fn read(
        &self,
        group: &str,
        resource: &str,
        namespace: Option<&str>,
    ) -> Result<Value, Failure> {
        let path = ResourcePath {
            group: group.to_owned(),
            version: "v1".to_owned(),
            namespace: namespace.map(str::to_owned),
            resource: resource.to_owned(),
            ..ResourcePath::default()
        };
        let options = ListOptions::default();
        let mut list = self.api.read(&path, Form::Object, &options).await?;
        for item in list["items"].as_array_mut().into_iter().flatten() {
            if let Some(metadata) = item["metadata"].as_object_mut() {
                metadata.remove("managedFields");
            }
        }
        Ok(list)
    }

    /// Prints a list, and hands it back.
    async fn list(
        &mut self,
        group: &str,
        resource: &str,
        namespace: Option<&str>,
    ) -> Result<Value, Failure> {
        let list = self.read(group, resource, namespace).await?;
        match &self.format {
            None | Some(Output::Json(_)) => self.output.stdout.push_str(&json::print_as_is(&list)),
            Some(format) => {
                if self.printed && matches!(format, Output::Yaml(_)) {
                    self.output.stdout.push_str("---\n");
                }
                output::append(&mut self.output, format.print(list.clone())?);
            }
        }
        self.printed = true;
        Ok(list)
    }

    /// Prints the logs of a pod.
    async fn logs(&mut self, namespace: &str, pod: &Value) -> Result<(), Failure> {
        let name = object::text(pod, "/metadata/name");
        let path = ResourcePath {
            version: "v1".to_owned(),
            namespace: Some(namespace.to_owned()),
            resource: "pods".to_owned(),
            name: Some(name.to_owned()),
            ..ResourcePath::default()
        };
        let containers = ["/spec/initContainers", "/spec/containers"]
            .into_iter()
            .flat_map(|of| object::list(pod, of));
        for container in containers {
            let container = object::text(container, "/name");
            let options = LogOptions {
                container: container.to_owned(),
                ..LogOptions::default()
            };
            let of = format!("logs for container {container} of pod {namespace}/{name} ====\n");
            let stdout = &mut self.output.stdout;
            stdout.push_str(&format!("==== START {of}"));
            match self.api.pod_log(&path, &options).await {
                Ok(log) => stdout.push_str(&String::from_utf8_lossy(&log)),
                Err(status) if status.code == 503 => return Err(status.into()),
                Err(status) => stdout.push_str(&format!("Request log error: {status}\n")),
            }
            stdout.push_str(&format!("==== END {of}"));
        }
        Ok(())
    }
}
