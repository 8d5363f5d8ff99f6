//! Commands about the cluster as a whole: versions, types, addresses, configuration.

use serde_json::{Value, json};

use super::arguments::Arguments;
use super::cluster::Cluster;
use super::failure::Failure;
use super::{dump, object, table, yaml};
use crate::golang::json as json_printer;
use crate::kubernetes::USER;
use crate::shell::CommandOutput;
use crate::view::{ObjectQuery, ResourceType};

/// Runs `version`, `api-resources`, `api-versions`, `cluster-info` or `config`.
pub(super) async fn run(
    cluster: &Cluster<'_>,
    verb: &str,
    arguments: &Arguments,
) -> Result<CommandOutput, Failure> {
    let bare = ["api-resources", "api-versions"].contains(&verb);
    if bare && !arguments.operands.is_empty() {
        return Err(Failure::invalid(format!(
            "error: unexpected arguments: [{}]\nSee 'kubectl {verb} -h' for help and examples",
            arguments.operands.join(" ")
        )));
    }
    if verb == "cluster-info"
        && arguments
            .operands
            .first()
            .is_some_and(|word| word == "dump")
    {
        return dump::run(cluster, arguments).await;
    }
    let text = match verb {
        "version" => version(cluster, arguments).await?,
        "api-resources" => api_resources(cluster, arguments)?,
        "api-versions" => api_versions(cluster).await?,
        "cluster-info" => cluster_info(cluster).await?,
        _ => config(cluster, arguments).await?,
    };
    Ok(CommandOutput::answered(text))
}

fn not_available(what: &str) -> Failure {
    Failure::not_captured(format!(
        "{what}: this command is not available in this recording"
    ))
}

/// The client is the one that belongs to the server.
async fn version(cluster: &Cluster<'_>, arguments: &Arguments) -> Result<String, Failure> {
    if !arguments.operands.is_empty() {
        return Err(Failure::invalid(format!(
            "error: extra arguments: [{}]",
            arguments.operands.join(" ")
        )));
    }
    let server = cluster.view.server_version().await?;
    if server.is_null() {
        return Err(not_available("kubectl version"));
    }
    let only_client = arguments.is_set("client");
    match arguments.value("output") {
        None => {
            let git_version = object::text(&server, "/gitVersion");
            let mut text = format!("Client Version: {git_version}\n");
            if let Some(kustomize) = kustomize_version(&server) {
                text.push_str(&format!("Kustomize Version: {kustomize}\n"));
            }
            if !only_client {
                text.push_str(&format!("Server Version: {git_version}\n"));
            }
            Ok(text)
        }
        Some(format @ ("json" | "yaml")) => {
            let mut client = server.clone();
            if let Some(fields) = client.as_object_mut() {
                fields
                    .retain(|key, _| !key.starts_with("emulation") && !key.starts_with("minComp"));
            }
            let mut value = json!({ "clientVersion": client });
            if let Some(kustomize) = kustomize_version(&server) {
                value["kustomizeVersion"] = json!(kustomize);
            }
            if !only_client {
                value["serverVersion"] = server;
            }
            Ok(if format == "json" {
                // The one answer that kubectl indents by two, in the order of its fields.
                let text = serde_json::to_string_pretty(&value).unwrap_or_default();
                format!("{text}\n")
            } else {
                format!("{}\n", yaml::print(&value))
            })
        }
        Some(_) => Err(Failure::invalid("error: --output must be 'yaml' or 'json'")),
    }
}

/// The kustomize that the client of a minor version holds.
fn kustomize_version(server: &Value) -> Option<&'static str> {
    match object::text(server, "/minor").trim_end_matches('+') {
        "32" => Some("v5.5.0"),
        "33" => Some("v5.6.0"),
        "34" => Some("v5.7.1"),
        _ => None,
    }
}

fn types<'a>(cluster: &'a Cluster<'_>, what: &str) -> Result<&'a [ResourceType], Failure> {
    if cluster.resources.is_recorded() {
        Ok(cluster.resources.all())
    } else {
        Err(not_available(what))
    }
}

fn group_version(t: &ResourceType) -> String {
    if t.group.is_empty() {
        t.version.clone()
    } else {
        format!("{}/{}", t.group, t.version)
    }
}

async fn api_versions(cluster: &Cluster<'_>) -> Result<String, Failure> {
    let mut versions: Vec<String> = types(cluster, "kubectl api-versions")?
        .iter()
        .map(group_version)
        .collect();
    // Versions that are not the preferred ones are in the documents only.
    for (_, document) in cluster.view.discovery().await? {
        match object::text(&document, "/groupVersion") {
            "" => {}
            version => versions.push(version.to_owned()),
        }
        for group in object::list(&document, "/items") {
            let name = object::text(group, "/metadata/name");
            versions.extend(object::list(group, "/versions").iter().map(|version| {
                match (name, object::text(version, "/version")) {
                    ("", version) => version.to_owned(),
                    (group, version) => format!("{group}/{version}"),
                }
            }));
        }
    }
    versions.sort();
    versions.dedup();
    Ok(versions
        .iter()
        .map(|version| format!("{version}\n"))
        .collect())
}

fn api_resources(cluster: &Cluster<'_>, arguments: &Arguments) -> Result<String, Failure> {
    let namespaced = arguments
        .value("namespaced")
        .map(|_| arguments.is_set("namespaced"));
    let (verbs, categories) = (arguments.values("verbs"), arguments.values("categories"));
    let by = arguments.value("sort-by").unwrap_or_default();
    if !["", "name", "kind"].contains(&by) {
        return Err(Failure::invalid(
            "error: --sort-by accepts only name or kind",
        ));
    }
    let mut shown: Vec<&ResourceType> = types(cluster, "kubectl api-resources")?
        .iter()
        .filter(|t| !t.verbs.is_empty())
        .filter(|t| {
            arguments
                .value("api-group")
                .is_none_or(|group| t.group == group)
        })
        .filter(|t| namespaced.is_none_or(|namespaced| t.namespaced == namespaced))
        .filter(|t| {
            verbs
                .iter()
                .all(|verb| t.verbs.iter().any(|known| known == verb))
        })
        .filter(|t| {
            categories
                .iter()
                .all(|c| t.categories.iter().any(|known| known == c))
        })
        .collect();
    shown.sort_by_key(|t| {
        let first = match by {
            "name" => &t.resource,
            "kind" => &t.kind,
            _ => &t.group,
        };
        (first, &t.resource)
    });
    let wide = match arguments.value("output") {
        None | Some("") => false,
        Some("wide") => true,
        Some("name") => {
            let name = |t: &&ResourceType| format!("{}\n", super::resources::qualified(t));
            return Ok(shown.iter().map(name).collect());
        }
        Some(other) => return Err(not_available(&format!("kubectl api-resources -o {other}"))),
    };
    let mut text = String::new();
    if !arguments.is_set("no-headers") {
        text.push_str("NAME\tSHORTNAMES\tAPIVERSION\tNAMESPACED\tKIND");
        text.push_str(if wide { "\tVERBS\tCATEGORIES\n" } else { "\n" });
    }
    for t in shown {
        text.push_str(&format!(
            "{}\t{}\t{}\t{}\t{}",
            t.resource,
            t.short_names.join(","),
            group_version(t),
            t.namespaced,
            t.kind
        ));
        if wide {
            text.push_str(&format!(
                "\t{}\t{}",
                t.verbs.join(","),
                t.categories.join(",")
            ));
        }
        text.push('\n');
    }
    Ok(table::print_cells(&text))
}

/// The address of the API server, as the endpoints of its own Service tell it.
async fn server_address(cluster: &Cluster<'_>) -> Result<Option<String>, Failure> {
    let query = ObjectQuery {
        name: Some("kubernetes".to_owned()),
        ..ObjectQuery::all("", "endpoints", Some("default"))
    };
    let endpoints = cluster.view.objects(&query).await?;
    Ok(endpoints.first().and_then(|endpoints| {
        let ip = object::text(&endpoints.object, "/subsets/0/addresses/0/ip");
        let port = object::number(&endpoints.object, "/subsets/0/ports/0/port");
        (!ip.is_empty()).then(|| format!("https://{ip}:{port}"))
    }))
}

async fn cluster_info(cluster: &Cluster<'_>) -> Result<String, Failure> {
    let address = server_address(cluster)
        .await?
        .ok_or_else(|| not_available("kubectl cluster-info"))?;
    let mut text = format!("Kubernetes control plane is running at {address}\n");
    let services = cluster
        .list_known("", "services", Some("kube-system"))
        .await?;
    for service in services.into_iter().flatten() {
        let labels = object::map(&service.object, "/metadata/labels");
        if labels.get("kubernetes.io/cluster-service") != Some(&"true") {
            continue;
        }
        let shown = labels
            .get("kubernetes.io/name")
            .copied()
            .unwrap_or(&service.name);
        let port = match object::text(&service.object, "/spec/ports/0/name") {
            "" => String::new(),
            name => format!(":{name}"),
        };
        text.push_str(&format!(
            "{shown} is running at {address}/api/v1/namespaces/kube-system/services/{}{port}/proxy\n",
            service.name
        ));
    }
    text.push_str(
        "\nTo further debug and diagnose cluster problems, use 'kubectl cluster-info dump'.\n",
    );
    Ok(text)
}

/// The one context of the configuration.
fn context() -> String {
    format!("{USER}@kubernetes")
}

async fn config(cluster: &Cluster<'_>, arguments: &Arguments) -> Result<String, Failure> {
    let words: Vec<&str> = arguments.operands.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["current-context"] => Ok(format!("{}\n", context())),
        ["get-contexts"] => Ok(table::print_cells(&format!(
            "CURRENT\tNAME\tCLUSTER\tAUTHINFO\tNAMESPACE\n*\t{}\tkubernetes\t{USER}\t\n",
            context()
        ))),
        ["get-clusters"] => Ok("NAME\nkubernetes\n".to_owned()),
        ["get-users"] => Ok(format!("NAME\n{USER}\n")),
        ["view"] => {
            let address = server_address(cluster).await?;
            let address = address.ok_or_else(|| not_available("kubectl config view"))?;
            let value = config_view(&address);
            Ok(if arguments.value("output") == Some("json") {
                json_printer::print(&value)
            } else {
                yaml::print(&value)
            })
        }
        [
            "set" | "set-context" | "set-cluster" | "set-credentials" | "unset" | "use"
            | "use-context" | "delete-context" | "delete-cluster" | "delete-user"
            | "rename-context",
            ..,
        ] => Err(Failure::denied(
            "error: the configuration can't be changed: permission denied",
        )),
        _ => Err(super::help::unknown_subcommand(
            "config",
            &arguments.operands,
        )),
    }
}

fn config_view(address: &str) -> Value {
    json!({
        "apiVersion": "v1",
        "clusters": [{
            "cluster": {"certificate-authority-data": "DATA+OMITTED", "server": address},
            "name": "kubernetes"
        }],
        "contexts": [{"context": {"cluster": "kubernetes", "user": USER}, "name": context()}],
        "current-context": context(),
        "kind": "Config",
        "preferences": {},
        "users": [{"name": USER, "user": {"token": "REDACTED"}}]
    })
}
