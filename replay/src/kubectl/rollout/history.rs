//! `kubectl rollout history`: the revisions that a workload keeps.

use std::collections::BTreeMap;

use aiopslab_problems::environment::Verdict;
use serde_json::Value;

use super::{Found, dotted, find, revision_of};
use crate::golang::quote::quote;
use crate::kubectl::arguments::Arguments;
use crate::kubectl::cluster::Cluster;
use crate::kubectl::failure::Failure;
use crate::kubectl::output::{self, Formats};
use crate::kubectl::selector::LabelSelector;
use crate::kubectl::{describe, get, object, resources, tabwriter, with_errors};
use crate::shell::CommandOutput;
use crate::view::{ObjectQuery, RecordedObject};

const CHANGE_CAUSE: &str = "kubernetes.io/change-cause";

/// Runs `kubectl rollout history`.
pub(in crate::kubectl) async fn history(
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
