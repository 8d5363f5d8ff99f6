//! `kubectl rollout`: how far workloads have come, and which revisions they keep.

mod history;
mod status;

use aiopslab_problems::environment::Verdict;
use serde_json::Value;

use super::arguments::Arguments;
use super::cluster::Cluster;
use super::failure::Failure;
use super::object;
use super::operands::{self, Selecting};
use crate::view::RecordedObject;

pub(super) use history::history;
pub(super) use status::status;

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

/// `Job.batch`
fn dotted(kind: &str, group: &str) -> String {
    if group.is_empty() {
        kind.to_owned()
    } else {
        format!("{kind}.{group}")
    }
}

fn revision_of(value: &Value) -> i64 {
    object::map(value, "/metadata/annotations")
        .get(REVISION)
        .and_then(|revision| revision.parse().ok())
        .unwrap_or(0)
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
