//! `kubectl describe`: one page per object, in kubectl's layout for the kinds that occur most and
//! field by field for any other.

mod access;
mod autoscaling;
mod configuration;
mod containers;
mod described;
mod event_table;
mod generic;
mod ingress;
mod jobs;
mod metadata;
mod network;
mod network_policy;
mod node;
mod page;
mod pod;
mod policy;
mod related;
mod storage;
mod volumes;
mod workloads;

use aiopslab_problems::environment::Verdict;

use super::arguments::Arguments;
use super::cluster::Cluster;
use super::failure::Failure;
use super::operands::{self, Selecting, Target};
use super::with_errors;
use crate::shell::CommandOutput;
use crate::view::RecordedObject;
use described::Described;
use event_table::Events;
use page::Page;

/// Runs the command.
pub(super) async fn run(
    cluster: &Cluster<'_>,
    arguments: &Arguments,
) -> Result<CommandOutput, Failure> {
    for flag in ["filename", "kustomize"] {
        if arguments.value(flag).is_some() {
            return Err(Failure::not_captured(format!(
                "kubectl describe --{flag}: this command is not available in this recording"
            )));
        }
    }
    let targets = operands::targets(cluster, &arguments.operands, Selecting::parse(arguments))?;
    if targets.is_empty() {
        return Err(Failure::invalid(
            "error: You must specify the type of resource to describe. Use \"kubectl \
             api-resources\" for a complete list of supported resources.",
        ));
    }
    let mut describer = Describer {
        cluster,
        show_events: arguments.value("show-events").is_none() || arguments.is_set("show-events"),
        events_missing: false,
    };
    let mut pages = Vec::new();
    let mut errors = Vec::new();
    for target in &targets {
        match objects(cluster, arguments, target).await {
            Ok(objects) => {
                for object in &objects {
                    pages.push(describer.describe(object).await?);
                }
            }
            Err(Failure::Message {
                text,
                verdict: Verdict::Empty,
            }) if arguments.operands.len() == 2 && targets.len() == 1 => {
                let warnings = cluster.warnings([&target.resource].into_iter()).await?;
                let not_found = format!("{warnings}{text}");
                let mut output = describer.by_prefix(arguments, target, not_found).await?;
                output.stderr.insert_str(0, &warnings);
                return Ok(output);
            }
            Err(Failure::Message { text, verdict }) => errors.push((text, verdict)),
            Err(stop) => return Err(stop),
        }
    }
    let mut output = CommandOutput::answered(pages.join("\n\n"));
    output.stderr = cluster
        .warnings(targets.iter().map(|target| &target.resource))
        .await?;
    if pages.is_empty() && errors.is_empty() {
        output.verdict = Verdict::Empty;
        output.stderr.push_str(&match arguments.listed_namespace() {
            None => "No resources found\n".to_owned(),
            Some(namespace) => format!("No resources found in {namespace} namespace.\n"),
        });
    }
    Ok(with_errors(describer.finish(output), &errors))
}

/// A pod template as `rollout history --revision` prints it: with its tabs.
pub(super) fn pod_template(template: &serde_json::Value) -> String {
    let mut page = Page::default();
    pod::template(&mut page, template);
    page.raw()
}

async fn objects(
    cluster: &Cluster<'_>,
    arguments: &Arguments,
    target: &Target,
) -> Result<Vec<RecordedObject>, Failure> {
    if let Some(name) = &target.name {
        return Ok(vec![
            cluster
                .get(&target.resource, arguments.namespace(), name)
                .await?,
        ]);
    }
    let namespace = arguments.listed_namespace();
    operands::list(cluster, arguments, &target.resource, namespace).await
}

/// Makes pages and remembers what they lacked.
struct Describer<'c, 'v> {
    cluster: &'c Cluster<'v>,
    show_events: bool,
    events_missing: bool,
}

impl Describer<'_, '_> {
    /// A name that is no object's may be the beginning of some.
    async fn by_prefix(
        &mut self,
        arguments: &Arguments,
        target: &Target,
        not_found: String,
    ) -> Result<CommandOutput, Failure> {
        let prefix = target.name.as_deref().unwrap_or_default();
        let mut text = String::new();
        let objects = self
            .cluster
            .list(&target.resource, Some(arguments.namespace()))
            .await?;
        for object in objects
            .iter()
            .filter(|object| object.name.starts_with(prefix))
        {
            text.push_str(&self.describe(object).await?);
            text.push('\n');
        }
        if text.is_empty() {
            return Err(Failure::empty(not_found));
        }
        Ok(self.finish(CommandOutput::answered(text)))
    }

    fn finish(&self, mut output: CommandOutput) -> CommandOutput {
        if self.events_missing {
            output
                .stderr
                .push_str("notice: events are not available in this recording\n");
            output.verdict = output.verdict.max(Verdict::Partial);
        }
        output
    }

    async fn describe(&mut self, object: &RecordedObject) -> Result<String, Failure> {
        let events = if !self.show_events {
            Events::Hidden
        } else {
            match event_table::of(self.cluster, object).await? {
                Some(events) => Events::Shown(events),
                None => {
                    self.events_missing = true;
                    Events::Hidden
                }
            }
        };
        let described = Described {
            cluster: self.cluster,
            recorded: object,
            events: &events,
        };
        let page = self.page(&described).await?;
        if let Some(what) = page.unknown() {
            return Err(Failure::not_captured(format!(
                "how kubectl describes {what} is not available in this recording"
            )));
        }
        Ok(page.print())
    }

    /// The page of an object in the layout of its kind.
    async fn page(&self, described: &Described<'_>) -> Result<Page, Failure> {
        let Described {
            cluster,
            recorded: object,
            ..
        } = *described;
        Ok(match (object.group.as_str(), object.kind.as_str()) {
            ("", "Pod") => pod::describe(described),
            ("", "Node") => node::describe(described).await?,
            ("", "Service") => network::service(described).await?,
            ("", "Endpoints") => network::endpoints(described),
            ("discovery.k8s.io", "EndpointSlice") => network::endpoint_slice(described),
            ("", "ConfigMap") => configuration::config_map(described),
            ("", "Secret") => configuration::secret(object),
            ("", "Namespace") => configuration::namespace(cluster, object).await?,
            ("", "ServiceAccount") => configuration::service_account(described).await?,
            ("", "PersistentVolumeClaim") => storage::claim(described).await?,
            ("", "PersistentVolume") => storage::volume(described),
            ("", "ResourceQuota") => policy::resource_quota(object),
            ("", "LimitRange") => policy::limit_range(object),
            ("", "ReplicationController") => workloads::replication_controller(described).await?,
            ("apps", "Deployment") => workloads::deployment(described).await?,
            ("apps", "ReplicaSet") => workloads::replica_set(described).await?,
            ("apps", "StatefulSet") => workloads::stateful_set(described).await?,
            ("apps", "DaemonSet") => workloads::daemon_set(described).await?,
            ("batch", "Job") => jobs::job(described),
            ("batch", "CronJob") => jobs::cron_job(described),
            ("autoscaling", "HorizontalPodAutoscaler") => autoscaling::describe(described),
            ("networking.k8s.io", "Ingress") => ingress::ingress(described).await?,
            ("networking.k8s.io", "IngressClass") => ingress::ingress_class(described),
            ("networking.k8s.io", "ServiceCIDR") => ingress::service_cidr(described),
            ("networking.k8s.io", "IPAddress") => ingress::ip_address(described),
            ("networking.k8s.io", "NetworkPolicy") => network_policy::describe(object),
            ("policy", "PodDisruptionBudget") => policy::disruption_budget(described),
            ("scheduling.k8s.io", "PriorityClass") => policy::priority_class(described),
            ("rbac.authorization.k8s.io", "Role" | "ClusterRole") => access::role(object),
            ("rbac.authorization.k8s.io", "RoleBinding" | "ClusterRoleBinding") => {
                access::binding(object)
            }
            ("storage.k8s.io", "StorageClass") => storage::storage_class(described),
            ("storage.k8s.io", "CSINode") => storage::csi_node(described),
            ("storage.k8s.io", "VolumeAttributesClass") => storage::attributes_class(described),
            ("certificates.k8s.io", "CertificateSigningRequest") => {
                return Err(Failure::not_captured(
                    "what a certificate request asks for is not available in this recording",
                ));
            }
            _ => generic::describe(described),
        })
    }
}
