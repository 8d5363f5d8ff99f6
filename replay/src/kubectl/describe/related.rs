//! Objects that a page needs besides its own.

use crate::kubectl::cluster::Cluster;
use crate::kubectl::failure::Failure;
use crate::kubectl::object;
use crate::kubectl::selector::LabelSelector;
use crate::view::RecordedObject;

/// All objects of a type in a namespace (none: everywhere), which a page can't do without.
pub(super) async fn all(
    cluster: &Cluster<'_>,
    group: &str,
    resource: &str,
    namespace: Option<&str>,
) -> Result<Vec<RecordedObject>, Failure> {
    cluster
        .list_known(group, resource, namespace)
        .await?
        .ok_or_else(|| {
            Failure::not_captured(format!("{resource} are not available in this recording"))
        })
}

/// How many pods a workload controls in each phase.
#[derive(Debug, Default)]
pub(super) struct PodCounts {
    running: usize,
    waiting: usize,
    succeeded: usize,
    failed: usize,
}

impl PodCounts {
    /// Counts the pods that a workload selects and owns.
    pub(super) async fn of(cluster: &Cluster<'_>, owner: &RecordedObject) -> Result<Self, Failure> {
        let selector = owner
            .object
            .pointer("/spec/selector")
            .map(LabelSelector::of);
        let selector = selector.unwrap_or_default();
        let mut counts = Self::default();
        for pod in all(cluster, "", "pods", Some(&owner.namespace)).await? {
            let owned = object::controller(&pod.object)
                .is_some_and(|controller| object::text(controller, "/uid") == owner.uid);
            if !owned || !selector.matches(&object::map(&pod.object, "/metadata/labels")) {
                continue;
            }
            match object::text(&pod.object, "/status/phase") {
                "Running" => counts.running += 1,
                "Pending" => counts.waiting += 1,
                "Succeeded" => counts.succeeded += 1,
                "Failed" => counts.failed += 1,
                _ => {}
            }
        }
        Ok(counts)
    }
}

impl std::fmt::Display for PodCounts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "{} Running / {} Waiting / {} Succeeded / {} Failed",
            self.running, self.waiting, self.succeeded, self.failed
        )
    }
}
