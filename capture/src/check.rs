//! Whether a cluster can be captured: one line per thing, each with the fix.

use std::collections::BTreeSet;
use std::time::Duration;

use aiopslab_problems::family::{Application, Endpoint, Source};
use aiopslab_problems::resolve::ResolvedFamily;
use serde::Serialize;
use serde_json::{Value, json};

use crate::cluster::{Cluster, ClusterError};
use crate::error::CaptureError;
use crate::journal::{Entry, Journal};
use crate::observe::{Anchors, judge};
use crate::resource::text;
use crate::sources::{self, SourceOptions};
use crate::{chaos, deploy, fault, manifests, supported};

/// One thing that a capture needs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CheckLine {
    /// What, e.g. `prometheus`.
    pub name: &'static str,
    /// Whether it is as needed.
    pub ok: bool,
    /// What was found.
    pub detail: String,
    /// What to do about it, if it is not.
    pub fix: Option<String>,
}

impl CheckLine {
    fn new(name: &'static str, found: Result<String, String>, fix: &str) -> Self {
        match found {
            Ok(detail) => Self {
                name,
                ok: true,
                detail,
                fix: None,
            },
            Err(detail) => Self {
                name,
                ok: false,
                detail,
                fix: Some(fix.to_owned()),
            },
        }
    }
}

/// How long Prometheus and Jaeger may take to say who they are.
const ANSWERS_WITHIN: Duration = Duration::from_secs(5);

/// Verb, group, resource and namespace (empty: all) of what a capture does.
const RIGHTS: &[(&str, &str, &str, &str)] = &[
    ("watch", "*", "*", ""),
    ("list", "*", "*", ""),
    ("get", "", "pods/log", ""),
    ("create", "", "pods/exec", ""),
    ("get", "", "services/proxy", ""),
    ("create", "", "services/proxy", ""),
    ("get", "", "pods/proxy", ""),
    ("patch", "", "services", ""),
    ("patch", "apps", "deployments", ""),
    ("create", "", "namespaces", ""),
    ("create", "", "configmaps", crate::journal::NAMESPACE),
    ("create", "batch", "jobs", crate::workload::NAMESPACE),
];

/// Checks the whole of what a capture of the application needs.
pub async fn check(
    cluster: Result<&Cluster, &ClusterError>,
    application: &Application,
    options: &SourceOptions,
) -> Vec<CheckLine> {
    let cluster = match cluster {
        Ok(cluster) => cluster,
        Err(error) => return vec![unreachable(error)],
    };
    let version = text(cluster.version(), "/gitVersion").to_owned();
    let mut lines = vec![
        CheckLine::new("cluster", Ok(format!("{version} at {}", cluster.url())), ""),
        rights(cluster).await,
        nodes(cluster).await,
        images(cluster, application).await,
        storage(cluster).await,
        prometheus(cluster, application).await,
        jaeger(cluster, application).await,
        deployed(cluster, application).await,
        leftovers(cluster).await,
    ];
    if !matches!(application.source, Some(Source::BuiltIn(_)) | None) {
        lines.push(manifests_of(cluster, application, options).await);
    }
    lines
}

/// Whether a cluster would take a family's fault, with the application as it stands there now. Changes
/// nothing: the steps are planned, and what only the server knows, it is asked by a dry run.
///
/// What a command comes to, and whether an experiment shows, only a capture finds out. Whoever carries an experiment
/// out is named.
pub async fn check_fault(
    cluster: &Cluster,
    application: &Application,
    family: &ResolvedFamily,
    options: &SourceOptions,
) -> CheckLine {
    let planned = async {
        supported::check(family, application, false)?;
        sources::fetch(application, options, &fault::chart_values(&family.inject)).await?;
        let entries = fault::prepare(cluster, application, &family.inject).await?;
        let mut drivers = BTreeSet::new();
        for entry in &entries {
            if let Entry::Chaos { plan, .. } = entry {
                drivers.insert(chaos::dry_run(cluster, plan).await?);
            }
        }
        let changes = match entries.len() {
            1 => "one change".to_owned(),
            count => format!("{count} changes"),
        };
        let drivers: String = drivers.iter().map(|by| format!(", {by}")).collect();
        Ok::<_, CaptureError>(format!("the cluster would take its {changes}{drivers}"))
    };
    let name = family.name();
    let found = match planned.await {
        Ok(said) => Ok(format!("{name}: {said}")),
        Err(error) => Err(format!("{name}: {error}")),
    };
    CheckLine::new(
        "fault",
        found,
        "the application must be deployed as the family expects it: `aiopslab capture … --keep` leaves it",
    )
}

fn unreachable(error: &ClusterError) -> CheckLine {
    let text = error.to_string();
    let (detail, fix) = text
        .split_once("\nhint: ")
        .unwrap_or((&text, "pass --kubeconfig FILE"));
    CheckLine::new("cluster", Err(detail.to_owned()), fix)
}

async fn rights(cluster: &Cluster) -> CheckLine {
    let fix = "use a kubeconfig with the role cluster-admin";
    let mut denied = Vec::new();
    for (verb, group, resource, namespace) in RIGHTS {
        let (resource, subresource) = resource.split_once('/').unwrap_or((resource, ""));
        let review = json!({
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SelfSubjectAccessReview",
            "spec": {"resourceAttributes": {"verb": verb, "group": group, "resource": resource,
                "subresource": subresource, "namespace": namespace}},
        });
        let path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";
        match cluster.create(path, &review).await {
            Ok(answer) if answer["status"]["allowed"] == Value::Bool(true) => {}
            Ok(_) => denied.push(format!(
                "{verb} {resource}{}{subresource}",
                if subresource.is_empty() { "" } else { "/" }
            )),
            Err(error) => return CheckLine::new("rights", Err(error.to_string()), fix),
        }
    }
    let found = if denied.is_empty() {
        Ok(format!("{} of {} allowed", RIGHTS.len(), RIGHTS.len()))
    } else {
        Err(format!("not allowed: {}", denied.join(", ")))
    };
    CheckLine::new("rights", found, fix)
}

async fn nodes(cluster: &Cluster) -> CheckLine {
    let found = cluster
        .list("/api/v1/nodes")
        .await
        .map_err(|error| error.to_string());
    let found = found.and_then(|nodes| {
        let ready = nodes.iter().filter(|node| {
            let conditions = node.pointer("/status/conditions").and_then(Value::as_array);
            let is_ready =
                |condition: &Value| condition["type"] == "Ready" && condition["status"] == "True";
            conditions.is_some_and(|conditions| conditions.iter().any(is_ready))
        });
        let detail = format!("{} of {} ready", ready.clone().count(), nodes.len());
        if ready.count() > 0 {
            Ok(detail)
        } else {
            Err(detail)
        }
    });
    CheckLine::new(
        "nodes",
        found,
        "`kubectl describe nodes` says why; `lab/status` for the lab",
    )
}

/// Images that are made here, not pulled: they must be on the nodes already.
async fn images(cluster: &Cluster, application: &Application) -> CheckLine {
    let found = missing_images(cluster, application)
        .await
        .map_err(|error| error.to_string());
    let found = found.and_then(|(wanted, missing)| {
        if missing.is_empty() {
            Ok(format!("{wanted} on the nodes"))
        } else {
            Err(format!("not on any node: {}", missing.join(", ")))
        }
    });
    let fix = "`lab/images` builds and imports them on the lab; elsewhere build testbed/Dockerfile and load it into the nodes";
    CheckLine::new("images", found, fix)
}

async fn missing_images(
    cluster: &Cluster,
    application: &Application,
) -> Result<(usize, Vec<String>), CaptureError> {
    let wanted = manifests::images(application)?;
    let mut known = BTreeSet::new();
    for node in cluster.list("/api/v1/nodes").await? {
        let images = node.pointer("/status/images").and_then(Value::as_array);
        for image in images.into_iter().flatten() {
            let names = image["names"].as_array().into_iter().flatten();
            known.extend(names.filter_map(Value::as_str).map(str::to_owned));
        }
    }
    let count = wanted.len();
    Ok((
        count,
        wanted
            .into_iter()
            .filter(|image| !known.contains(image))
            .collect(),
    ))
}

/// Fetches what the application is made of and asks the server whether it would take it.
async fn manifests_of(
    cluster: &Cluster,
    application: &Application,
    options: &SourceOptions,
) -> CheckLine {
    let found = async {
        let calls = sources::fetch(application, options, &[]).await?;
        let objects = manifests::objects(application)?;
        let is_there = deploy::phase(cluster, application).await?.is_some();
        for object in &objects {
            deploy::dry_run(cluster, application, object, is_there).await?;
        }
        let how = match (&options.app_dir, calls.len()) {
            (Some(folder), _) => format!("out of {folder}"),
            (None, 0) => "kept from before".to_owned(),
            (None, 1) => "fetched by 1 command".to_owned(),
            (None, count) => format!("fetched by {count} commands"),
        };
        Ok::<_, CaptureError>(format!(
            "{} objects, {how}; the server would take them",
            objects.len()
        ))
    };
    let found = found.await.map_err(|error| error.to_string());
    CheckLine::new(
        "manifests",
        found,
        "--app-dir DIR takes a checkout of yours",
    )
}

async fn storage(cluster: &Cluster) -> CheckLine {
    let classes = cluster.list("/apis/storage.k8s.io/v1/storageclasses").await;
    let found = classes
        .map_err(|error| error.to_string())
        .and_then(|classes| {
            let default = classes.iter().find(|class| {
                let annotation = "storageclass.kubernetes.io/is-default-class";
                class["metadata"]["annotations"][annotation] == "true"
            });
            match default {
                Some(class) => Ok(format!("default class {}", text(class, "/metadata/name"))),
                None => Err("no default StorageClass".to_owned()),
            }
        });
    CheckLine::new(
        "storage",
        found,
        "annotate a StorageClass with storageclass.kubernetes.io/is-default-class=true",
    )
}

/// When a source of telemetry has to answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Due {
    /// Before the application is deployed: it is there without it.
    BeforeDeployment,
    /// After: it comes with the application, in the application's namespace.
    AfterDeployment,
    /// Never: the application's file names none.
    Never,
}

/// When an application's source of telemetry has to answer.
pub(crate) fn due(endpoint: &Endpoint, application: &Application) -> Due {
    if endpoint.is_nowhere() {
        return Due::Never;
    }
    let own = &application.namespace;
    let namespace = endpoint.namespace.as_ref().unwrap_or(own);
    if endpoint.url.is_none() && namespace == own {
        Due::AfterDeployment
    } else {
        Due::BeforeDeployment
    }
}

/// Asks the sources of telemetry that came with the application, once that is deployed.
pub(crate) async fn deployed_sources(
    cluster: &Cluster,
    application: &Application,
) -> Vec<CheckLine> {
    let mut lines = Vec::new();
    if due(&application.prometheus, application) == Due::AfterDeployment {
        lines.push(prometheus(cluster, application).await);
    }
    if due(&application.jaeger, application) == Due::AfterDeployment {
        lines.push(jaeger(cluster, application).await);
    }
    lines
}

/// Why a source of telemetry is not asked, which is no mistake; none: it is asked.
async fn not_asked(
    cluster: &Cluster,
    application: &Application,
    endpoint: &Endpoint,
) -> Option<String> {
    match due(endpoint, application) {
        Due::BeforeDeployment => None,
        Due::Never => Some("the application's file names none: goes without".to_owned()),
        Due::AfterDeployment => {
            // A cluster that can't tell is asked all the same: the answer says why.
            let phase = deploy::phase(cluster, application).await.ok()?;
            let is_there = phase.as_deref() == Some("Active");
            (!is_there).then(|| format!("{} comes with the application", endpoint.service))
        }
    }
}

/// Asks Prometheus for its build through the API server's service proxy.
pub(crate) async fn prometheus(cluster: &Cluster, application: &Application) -> CheckLine {
    let endpoint = &application.prometheus;
    let path = "/api/v1/status/buildinfo";
    let found = ask(cluster, application, endpoint, path, |answer| {
        text(answer, "/data/version").to_owned()
    });
    CheckLine::new(
        "prometheus",
        found.await,
        "`lab/up` installs it; otherwise name yours in the application's file, or capture with --without metrics",
    )
}

/// Asks Jaeger for its services through the API server's service proxy.
pub(crate) async fn jaeger(cluster: &Cluster, application: &Application) -> CheckLine {
    let endpoint = &application.jaeger;
    let found = ask(cluster, application, endpoint, "/api/services", |answer| {
        let services = answer["data"].as_array().map_or(0, Vec::len);
        format!("{services} services")
    });
    CheckLine::new(
        "jaeger",
        found.await,
        "`lab/up` installs it; otherwise name yours in the application's file, or capture with --without traces",
    )
}

/// What a source of telemetry says of itself, and where it is; or why it is not asked.
///
/// It has to answer soon: the API server's proxy waits a minute for a pod that is not there.
async fn ask(
    cluster: &Cluster,
    application: &Application,
    endpoint: &Endpoint,
    path: &str,
    describe: impl FnOnce(&Value) -> String,
) -> Result<String, String> {
    if let Some(because) = not_asked(cluster, application, endpoint).await {
        return Ok(because);
    }
    let asking = cluster.proxy_json(endpoint, &application.namespace, path);
    match tokio::time::timeout(ANSWERS_WITHIN, asking).await {
        Ok(Ok(answer)) => Ok(format!("{} at {}", describe(&answer), endpoint.service)),
        Ok(Err(error)) => Err(error.to_string()),
        Err(_) => Err(format!(
            "service {}:{} does not answer within {} s",
            endpoint.service,
            endpoint.port,
            ANSWERS_WITHIN.as_secs()
        )),
    }
}

async fn deployed(cluster: &Cluster, application: &Application) -> CheckLine {
    let fix = "a capture applies the manifests again; `kubectl get pods,events` in its namespace says more";
    let name = &application.name;
    let healthy = async {
        if deploy::phase(cluster, application).await?.is_none() {
            return Ok(Ok(format!(
                "{name} is not deployed; a capture deploys and deletes it"
            )));
        }
        let anchors = Anchors::default();
        let without_load = deploy::without_load(application);
        let evidence = judge(
            cluster,
            application,
            None,
            &anchors,
            "healthy",
            &without_load,
        )
        .await?;
        Ok(match evidence.because() {
            None => Ok(format!("{name} is healthy")),
            Some(because) => Err(format!("{name} is not healthy: {because}")),
        })
    };
    let found = healthy
        .await
        .unwrap_or_else(|error: CaptureError| Err(error.to_string()));
    CheckLine::new("application", found, fix)
}

async fn leftovers(cluster: &Cluster) -> CheckLine {
    let found = match Journal::find_all(cluster).await {
        Ok(journals) if journals.is_empty() => Ok("none".to_owned()),
        Ok(journals) => {
            let names: Vec<_> = journals
                .iter()
                .map(|found| {
                    let state = if found.is_alive() {
                        "under way"
                    } else {
                        "left over"
                    };
                    format!("capture of {} {state}", found.journal.family)
                })
                .collect();
            Err(names.join(", "))
        }
        Err(error) => Err(error.to_string()),
    };
    CheckLine::new(
        "leftovers",
        found,
        "`aiopslab recover` undoes what a dead capture left",
    )
}

#[cfg(test)]
mod tests {
    use aiopslab_problems::catalog::Catalog;

    use super::*;

    #[test]
    fn what_comes_with_the_application_is_asked_after_the_deployment() {
        let catalog = Catalog::embedded().unwrap();
        let due = |name: &str| {
            let application = catalog.application(name).unwrap();
            (
                due(&application.prometheus, application),
                due(&application.jaeger, application),
            )
        };
        let (before, after) = (Due::BeforeDeployment, Due::AfterDeployment);
        assert_eq!(due("hotel-testbed"), (before, before));
        assert_eq!(due("hotel-reservation"), (before, after));
        assert_eq!(due("social-network"), (before, after));
        assert_eq!(due("astronomy-shop"), (before, after));
        assert_eq!(due("train-ticket"), (before, Due::Never));
    }

    #[test]
    fn an_address_of_its_own_does_not_come_with_the_application() {
        let catalog = Catalog::embedded().unwrap();
        let application = catalog.application("social-network").unwrap();
        let mut endpoint = application.jaeger.clone();
        endpoint.namespace = Some(application.namespace.clone());
        assert_eq!(due(&endpoint, application), Due::AfterDeployment);
        endpoint.url = Some("http://localhost:16686".to_owned());
        assert_eq!(due(&endpoint, application), Due::BeforeDeployment);
    }
}
