//! `kubectl rollout status` and `rollout history`.

use std::collections::BTreeMap;

use aiopslab_problems::environment::Verdict;
use serde_json::Value;

use super::arguments::Arguments;
use super::cluster::Cluster;
use super::failure::Failure;
use super::golang::quote::quote;
use super::operands::{self, Selecting};
use super::output::{self, Formats};
use super::selector::LabelSelector;
use super::{describe, get, object, resources, tabwriter, with_errors};
use crate::shell::CommandOutput;
use crate::view::{ObjectQuery, RecordedObject};

const CHANGE_CAUSE: &str = "kubernetes.io/change-cause";
const REVISION: &str = "deployment.kubernetes.io/revision";

/// The workloads of a command line, and errors for those that are not there.
struct Found {
    objects: Vec<RecordedObject>,
    errors: Vec<(String, Verdict)>,
}

async fn find(cluster: &Cluster<'_>, arguments: &Arguments) -> Result<Found, Failure> {
    if ["filename", "kustomize"]
        .iter()
        .any(|flag| arguments.value(flag).is_some())
    {
        return Err(Failure::not_captured(
            "kubectl rollout --filename: files are not available to kubectl in this recording",
        ));
    }
    if arguments.operands.is_empty() {
        return Err(Failure::invalid("error: required resource not specified"));
    }
    if let Some(revision) = arguments
        .integer("revision")
        .filter(|revision| *revision < 0)
    {
        return Err(Failure::invalid(format!(
            "error: revision must be a positive integer: {revision}"
        )));
    }
    let targets = operands::targets(cluster, &arguments.operands, Selecting::parse(arguments))?;
    let mut found = Found {
        objects: Vec::new(),
        errors: Vec::new(),
    };
    for target in targets {
        match &target.name {
            None => {
                let namespace = Some(arguments.namespace());
                let objects =
                    operands::list(cluster, arguments, &target.resource, namespace).await?;
                found.objects.extend(objects);
            }
            Some(name) => {
                match cluster
                    .get(&target.resource, arguments.namespace(), name)
                    .await
                {
                    Ok(object) => found.objects.push(object),
                    Err(Failure::Message { text, verdict }) => found.errors.push((text, verdict)),
                    Err(stop) => return Err(stop),
                }
            }
        }
    }
    Ok(found)
}

/// What is known of a rollout.
enum Progress {
    Done(String),
    Waiting(String),
    Failed(String),
}

/// Runs `kubectl rollout status`.
pub(super) async fn status(
    cluster: &Cluster<'_>,
    arguments: &Arguments,
) -> Result<CommandOutput, Failure> {
    let Found {
        objects,
        mut errors,
    } = find(cluster, arguments).await?;
    let mut output = CommandOutput::answered("");
    if objects.is_empty() && errors.is_empty() {
        output.verdict = Verdict::Empty;
        output.stderr = format!(
            "No resources found in {} namespace.\n",
            arguments.namespace()
        );
    }
    for object in &objects {
        match progress(object, arguments.integer("revision").unwrap_or(0)) {
            Progress::Done(text) => output.stdout.push_str(&text),
            Progress::Failed(text) => {
                errors.push((format!("error: {text}"), Verdict::Answered));
            }
            Progress::Waiting(text) => {
                output.stdout.push_str(&text);
                if arguments.is_off("watch") {
                    continue;
                }
                // What would have come after the moment is not known.
                output.verdict = Verdict::Partial;
                if arguments
                    .duration("timeout")
                    .is_some_and(|timeout| timeout > 0)
                {
                    errors.push((
                        "error: timed out waiting for the condition".to_owned(),
                        Verdict::Partial,
                    ));
                } else {
                    output.stderr.push_str(get::END_OF_RECORDING);
                    output.exit_code = 1;
                    break;
                }
            }
        }
    }
    Ok(with_errors(output, &errors))
}

fn progress(workload: &RecordedObject, revision: i64) -> Progress {
    let kind = (workload.group.as_str(), workload.kind.as_str());
    match kind {
        ("apps", "Deployment") => deployment(&workload.object, &workload.name, revision),
        ("apps", "DaemonSet") => daemon_set(&workload.object, &workload.name),
        ("apps", "StatefulSet") => stateful_set(&workload.object),
        (group, kind) => Progress::Failed(format!(
            "no status viewer has been implemented for {}",
            dotted(kind, group)
        )),
    }
}

/// `Job.batch`
fn dotted(kind: &str, group: &str) -> String {
    if group.is_empty() {
        kind.to_owned()
    } else {
        format!("{kind}.{group}")
    }
}

fn deployment(value: &Value, name: &str, revision: i64) -> Progress {
    let number = |pointer: &str| object::number(value, pointer);
    let name = quote(name);
    if revision > 0 {
        let running = revision_of(value);
        if running != revision {
            return Progress::Failed(format!(
                "desired revision ({revision}) is different from the running revision ({running})"
            ));
        }
    }
    if number("/metadata/generation") > number("/status/observedGeneration") {
        return Progress::Waiting(
            "Waiting for deployment spec update to be observed...\n".to_owned(),
        );
    }
    let late = object::list(value, "/status/conditions")
        .iter()
        .find(|condition| object::text(condition, "/type") == "Progressing")
        .is_some_and(|c| object::text(c, "/reason") == "ProgressDeadlineExceeded");
    if late {
        return Progress::Failed(format!("deployment {name} exceeded its progress deadline"));
    }
    let updated = number("/status/updatedReplicas");
    let wanted = object::field(value, "/spec/replicas").map(|_| number("/spec/replicas"));
    let waiting = |text: String| {
        Progress::Waiting(format!(
            "Waiting for deployment {name} rollout to finish: {text}...\n"
        ))
    };
    if let Some(wanted) = wanted.filter(|wanted| updated < *wanted) {
        return waiting(format!(
            "{updated} out of {wanted} new replicas have been updated"
        ));
    }
    let old = number("/status/replicas") - updated;
    if old > 0 {
        return waiting(format!("{old} old replicas are pending termination"));
    }
    let available = number("/status/availableReplicas");
    if available < updated {
        return waiting(format!(
            "{available} of {updated} updated replicas are available"
        ));
    }
    Progress::Done(format!("deployment {name} successfully rolled out\n"))
}

const ONLY_ROLLING: &str = "rollout status is only available for RollingUpdate strategy type";

fn daemon_set(value: &Value, name: &str) -> Progress {
    let number = |pointer: &str| object::number(value, pointer);
    let name = quote(name);
    if object::text(value, "/spec/updateStrategy/type") != "RollingUpdate" {
        return Progress::Failed(ONLY_ROLLING.to_owned());
    }
    if number("/metadata/generation") > number("/status/observedGeneration") {
        return Progress::Waiting(
            "Waiting for daemon set spec update to be observed...\n".to_owned(),
        );
    }
    let wanted = number("/status/desiredNumberScheduled");
    let updated = number("/status/updatedNumberScheduled");
    let available = number("/status/numberAvailable");
    if updated < wanted {
        return Progress::Waiting(format!(
            "Waiting for daemon set {name} rollout to finish: {updated} out of {wanted} new pods \
             have been updated...\n"
        ));
    }
    if available < wanted {
        return Progress::Waiting(format!(
            "Waiting for daemon set {name} rollout to finish: {available} of {wanted} updated \
             pods are available...\n"
        ));
    }
    Progress::Done(format!("daemon set {name} successfully rolled out\n"))
}

fn stateful_set(value: &Value) -> Progress {
    let number = |pointer: &str| object::number(value, pointer);
    if object::text(value, "/spec/updateStrategy/type") != "RollingUpdate" {
        return Progress::Failed(ONLY_ROLLING.to_owned());
    }
    let observed = number("/status/observedGeneration");
    if observed == 0 || number("/metadata/generation") > observed {
        return Progress::Waiting(
            "Waiting for statefulset spec update to be observed...\n".to_owned(),
        );
    }
    let wanted = object::field(value, "/spec/replicas").map(|_| number("/spec/replicas"));
    let ready = number("/status/readyReplicas");
    if let Some(wanted) = wanted.filter(|wanted| ready < *wanted) {
        return Progress::Waiting(format!(
            "Waiting for {} pods to be ready...\n",
            wanted - ready
        ));
    }
    let updated = number("/status/updatedReplicas");
    if let Some(rolling) = object::field(value, "/spec/updateStrategy/rollingUpdate") {
        let partition = object::field(rolling, "/partition").and_then(Value::as_i64);
        if let (Some(wanted), Some(partition)) = (wanted, partition)
            && updated < wanted - partition
        {
            return Progress::Waiting(format!(
                "Waiting for partitioned roll out to finish: {updated} out of {} new pods have \
                 been updated...\n",
                wanted - partition
            ));
        }
        return Progress::Done(format!(
            "partitioned roll out complete: {updated} new pods have been updated...\n"
        ));
    }
    let (update, current) = (
        object::text(value, "/status/updateRevision"),
        object::text(value, "/status/currentRevision"),
    );
    if update != current {
        return Progress::Waiting(format!(
            "waiting for statefulset rolling update to complete {updated} pods at revision \
             {update}...\n"
        ));
    }
    Progress::Done(format!(
        "statefulset rolling update complete {} pods at revision {current}...\n",
        number("/status/currentReplicas")
    ))
}

fn revision_of(value: &Value) -> i64 {
    object::map(value, "/metadata/annotations")
        .get(REVISION)
        .and_then(|revision| revision.parse().ok())
        .unwrap_or(0)
}

/// Runs `kubectl rollout history`.
pub(super) async fn history(
    cluster: &Cluster<'_>,
    arguments: &Arguments,
) -> Result<CommandOutput, Failure> {
    let Found {
        objects,
        mut errors,
    } = find(cluster, arguments).await?;
    let given = arguments.value("output").unwrap_or_default();
    let format = if given.is_empty() && arguments.value("template").is_none() {
        None
    } else {
        Some(output::parse(arguments, given, Formats::Common)?)
    };
    let revision = arguments.integer("revision").unwrap_or(0);
    let mut output = CommandOutput::answered("");
    if objects.is_empty() && errors.is_empty() {
        output.verdict = Verdict::Empty;
    }
    for object in &objects {
        let revisions = match revisions(cluster, object).await {
            Ok(revisions) => revisions,
            Err(Failure::Message { text, verdict }) => {
                errors.push((text, verdict));
                continue;
            }
            Err(stop) => return Err(stop),
        };
        let unknown = revision > 0 && !revisions.is_empty() && !revisions.contains_key(&revision);
        if unknown || (format.is_some() && revision > 0 && revisions.is_empty()) {
            errors.push((
                "error: unable to find the specified revision".to_owned(),
                Verdict::Empty,
            ));
            continue;
        }
        if let Some(format) = &format {
            for (number, shown) in revisions {
                if revision == 0 || number == revision {
                    let document = shown.applied(object)?;
                    output::append(&mut output, format.print(document)?);
                }
            }
            continue;
        }
        output.stdout.push_str(&format!(
            "{}/{} {}\n{}\n",
            resources::kind_prefix(&object.group, &object.kind),
            object.name,
            if revision > 0 {
                format!("with revision #{revision}")
            } else {
                String::new()
            },
            overview(object, &revisions, revision)?
        ));
    }
    Ok(with_errors(output, &errors))
}

/// A revision: a Deployment's ReplicaSet, or a ControllerRevision.
struct Revision(RecordedObject);

impl Revision {
    fn is_replica_set(&self) -> bool {
        self.0.resource == "replicasets"
    }

    fn change_cause(&self) -> String {
        object::map(&self.0.object, "/metadata/annotations")
            .get(CHANGE_CAUSE)
            .map(|cause| (*cause).to_owned())
            .filter(|cause| !cause.is_empty())
            .unwrap_or_else(|| "<none>".to_owned())
    }

    /// The pod template with the cause of the change.
    fn template(&self) -> Result<Value, Failure> {
        if !self.is_replica_set() {
            let template = self.0.object.pointer("/data/spec/template").cloned();
            let mut template = template.unwrap_or_default();
            if let Some(fields) = template.as_object_mut() {
                fields.shift_remove("$patch");
            }
            return Ok(template);
        }
        let mut template = self.0.object.pointer("/spec/template").cloned();
        let cause = self.change_cause();
        if cause != "<none>"
            && let Some(metadata) = template
                .as_mut()
                .and_then(|template| template.pointer_mut("/metadata"))
                .and_then(Value::as_object_mut)
        {
            let annotations = metadata
                .entry("annotations")
                .or_insert_with(|| serde_json::json!({}));
            if let Some(annotations) = annotations.as_object_mut() {
                annotations.insert(CHANGE_CAUSE.to_owned(), Value::String(cause));
            }
        }
        Ok(template.unwrap_or_default())
    }

    /// The whole object of the revision.
    fn applied(&self, _workload: &RecordedObject) -> Result<Value, Failure> {
        if self.is_replica_set() {
            return Ok(get::complete(self.0.clone()));
        }
        Err(Failure::not_captured(
            "a workload with an earlier revision applied is not available in this recording",
        ))
    }
}

fn overview(
    workload: &RecordedObject,
    revisions: &BTreeMap<i64, Revision>,
    revision: i64,
) -> Result<String, Failure> {
    if revisions.is_empty() {
        return Ok("No rollout history found.".to_owned());
    }
    if let Some(shown) = revisions.get(&revision).filter(|_| revision > 0) {
        let template = shown.template()?;
        if template.is_null() {
            return Err(Failure::not_captured(format!(
                "revision {revision} of {} is not available in this recording",
                workload.name
            )));
        }
        return Ok(describe::pod_template(&template));
    }
    let mut text = "REVISION\tCHANGE-CAUSE\n".to_owned();
    for (number, shown) in revisions {
        text.push_str(&format!("{number}\t{}\n", shown.change_cause()));
    }
    Ok(tabwriter::align(&text, 0, 2))
}

/// The revisions that a workload controls.
async fn revisions(
    cluster: &Cluster<'_>,
    workload: &RecordedObject,
) -> Result<BTreeMap<i64, Revision>, Failure> {
    let resource = match (workload.group.as_str(), workload.kind.as_str()) {
        ("apps", "Deployment") => "replicasets",
        ("apps", "DaemonSet" | "StatefulSet") => "controllerrevisions",
        ("apps", "ReplicaSet")
        | ("batch", "Job" | "CronJob")
        | ("", "Pod" | "ReplicationController") => {
            return Err(Failure::invalid(format!(
                "error: no history viewer has been implemented for {}",
                quote(&dotted(&workload.kind, &workload.group))
            )));
        }
        (group, kind) => {
            return Err(Failure::invalid(format!(
                "error: error retrieving history for {}, no visitor method exists for {{{group} {kind}}}",
                quote(&dotted(kind, group))
            )));
        }
    };
    let selector = workload
        .object
        .pointer("/spec/selector")
        .map(LabelSelector::of)
        .unwrap_or_default();
    let namespace = Some(workload.namespace.as_str());
    if !cluster
        .view
        .covers_objects("apps", resource, namespace)
        .await?
    {
        return Err(Failure::not_captured(format!(
            "{resource}.apps are not available in this recording"
        )));
    }
    let query = ObjectQuery::all("apps", resource, namespace);
    let mut revisions = BTreeMap::new();
    for object in cluster.view.objects(&query).await? {
        let owned = object::controller(&object.object)
            .is_some_and(|owner| object::text(owner, "/uid") == workload.uid);
        if !owned || !selector.matches(&object::map(&object.object, "/metadata/labels")) {
            continue;
        }
        let number = if resource == "replicasets" {
            revision_of(&object.object)
        } else {
            object::number(&object.object, "/revision")
        };
        revisions.insert(number, Revision(object));
    }
    Ok(revisions)
}

#[cfg(test)]
mod tests {
    use aiopslab_problems::environment::Verdict;
    use serde_json::{Value, json};

    use crate::kubectl::testing::{MemoryView, object, run, shop};

    fn view() -> MemoryView {
        let mut view = shop();
        let apps = |resource: &str, kind: &str, name: &str, value: Value| {
            object("apps", resource, kind, "shop", name, value)
        };
        let owner = json!([{"controller": true, "uid": "uid-cart"}]);
        view.objects.extend([
            apps("deployments", "Deployment", "cart", json!({
                "metadata": {"generation": 2},
                "spec": {"replicas": 2, "selector": {"matchLabels": {"app": "cart"}}},
                "status": {"observedGeneration": 2, "updatedReplicas": 2, "replicas": 2, "availableReplicas": 2}
            })),
            apps("deployments", "Deployment", "slow", json!({
                "metadata": {"generation": 1}, "spec": {"replicas": 2, "selector": {}},
                "status": {"observedGeneration": 1, "updatedReplicas": 2, "replicas": 2, "availableReplicas": 1}
            })),
            apps("replicasets", "ReplicaSet", "cart-1", json!({
                "metadata": {"labels": {"app": "cart"}, "ownerReferences": owner.clone(),
                    "annotations": {"deployment.kubernetes.io/revision": "1"}},
                "spec": {"template": {"metadata": {"labels": {"app": "cart"}},
                    "spec": {"containers": [{"name": "c", "image": "i:1"}]}}}
            })),
            apps("replicasets", "ReplicaSet", "cart-2", json!({
                "metadata": {"labels": {"app": "cart"}, "ownerReferences": owner,
                    "annotations": {"deployment.kubernetes.io/revision": "2", "kubernetes.io/change-cause": "new"}},
                "spec": {"template": {"metadata": {"labels": {"app": "cart"}}, "spec": {"containers": []}}}
            })),
        ]);
        view
    }

    #[test]
    fn rollouts_are_followed() {
        for (line, text, verdict) in [
            (
                "status deploy/cart",
                "deployment \"cart\" successfully rolled out\n",
                Verdict::Answered,
            ),
            (
                "status deploy/slow --timeout=5s",
                "Waiting for deployment \"slow\" rollout to finish: 1 of 2 updated replicas are \
              available...\nerror: timed out waiting for the condition\n",
                Verdict::Partial,
            ),
            (
                "status deploy/slow --watch=false",
                "Waiting for deployment \"slow\" rollout to finish: 1 of 2 updated replicas are \
              available...\n",
                Verdict::Answered,
            ),
            (
                "status pod/cart-1",
                "error: no status viewer has been implemented for Pod\n",
                Verdict::Answered,
            ),
            (
                "status",
                "error: required resource not specified\n",
                Verdict::Invalid,
            ),
            (
                "history deploy/cart",
                "deployment.apps/cart \nREVISION  CHANGE-CAUSE\n1         <none>\n2         new\n\n",
                Verdict::Answered,
            ),
            (
                "history deploy/cart --revision=1",
                "deployment.apps/cart with revision #1\nPod Template:\n  Labels:\tapp=cart\n  \
              Containers:\n   c:\n    Image:\ti:1\n    Port:\t<none>\n    Host Port:\t<none>\n    \
              Environment:\t<none>\n    Mounts:\t<none>\n  Volumes:\t<none>\n  \
              Node-Selectors:\t<none>\n  Tolerations:\t<none>\n\n",
                Verdict::Answered,
            ),
            (
                "history deploy/cart --revision=7",
                "error: unable to find the specified revision\n",
                Verdict::Empty,
            ),
            (
                "history pod/cart-1",
                "error: no history viewer has been implemented for \"Pod\"\n",
                Verdict::Invalid,
            ),
        ] {
            let outcome = run(&view(), &format!("kubectl rollout {line} -n shop"));
            assert_eq!(
                (outcome.text().as_str(), outcome.verdict),
                (text, verdict),
                "{line}"
            );
        }
    }
}
