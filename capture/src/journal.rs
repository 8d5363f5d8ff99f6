//! What a capture has to undo, kept in the cluster while it runs.
//!
//! A ConfigMap of our own in `kube-system` holds the pre-images of everything that the fault
//! changes, written before the first change. Whoever finds it knows how to undo the fault, even
//! after the capture was killed. It is renewed while the capture lives, so that a leftover can be
//! told from a capture that is under way.

use std::time::Duration;

use aiopslab_problems::condition::Condition;
use aiopslab_problems::family::Application;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::chaos;
use crate::cluster::{Cluster, PatchKind};
use crate::error::CaptureError;
use crate::resource;

/// Namespace of the journals.
pub(crate) const NAMESPACE: &str = "kube-system";
/// Start of the name of every journal; neutral, because a live agent may list ConfigMaps.
pub(crate) const NAME_PREFIX: &str = "cluster-settings-";
/// The label that journals are found by.
pub(crate) const LABEL: (&str, &str) = ("settings.kubernetes.io/scope", "session");
/// How often a running capture renews its journal.
pub(crate) const RENEW_EVERY: Duration = Duration::from_secs(15);
/// A journal that was not renewed for so long is a leftover.
pub(crate) const STALE_AFTER: Duration = Duration::from_secs(60);

/// The record of one capture's changes to the cluster.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Journal {
    /// Version of this record.
    pub(crate) version: u32,
    /// Name of its ConfigMap.
    pub(crate) name: String,
    /// The family and variant that is captured.
    pub(crate) family: String,
    /// Namespace of the application.
    pub(crate) namespace: String,
    /// Name of the application.
    pub(crate) application: String,
    /// The run folder.
    pub(crate) folder: String,
    /// Whether the capture deployed the application and has to delete it.
    pub(crate) delete_application: bool,
    /// What changes, in the order of injection; undone in reverse.
    pub(crate) entries: Vec<Entry>,
}

/// Keeps a journal from growing stale, until it is stopped.
pub(crate) struct Renewal {
    stop: CancellationToken,
    task: JoinHandle<()>,
}

impl Renewal {
    pub(crate) fn start(cluster: &Cluster, journal: &Journal) -> Self {
        let stop = CancellationToken::new();
        let (cluster, journal, stopped) = (cluster.clone(), journal.clone(), stop.clone());
        let task = tokio::spawn(async move {
            loop {
                tokio::select! {
                    () = stopped.cancelled() => return,
                    () = tokio::time::sleep(RENEW_EVERY) => {}
                }
                // A renewal that fails is tried again; the journal is stale only after several.
                journal.renew(&cluster).await.ok();
            }
        });
        Self { stop, task }
    }

    pub(crate) async fn stop(self) {
        self.stop.cancel();
        self.task.await.ok();
    }
}

/// One change and how it is undone.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "change")]
pub(crate) enum Entry {
    /// Fields of an object.
    Fields(FieldsChange),
    /// An object that was not there.
    Created {
        /// The object, `resource/name`.
        object: String,
        /// The whole object, as it is applied.
        image: Value,
    },
    /// An object that is deleted.
    Deleted(Deletion),
    /// An application that is taken off and deployed again.
    Redeployed(Redeployment),
    /// A command in a container.
    Exec(Command),
    /// Nothing changes before a condition holds.
    Wait {
        /// What must hold.
        until: Condition,
        /// For how long it is waited for at most.
        seconds: u64,
    },
    /// An experiment on the pods of a service.
    Chaos {
        /// The Service, `service/name`.
        object: String,
        /// How it is carried out and ended.
        plan: chaos::Plan,
    },
}

/// Fields of an object that change.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct FieldsChange {
    /// The object, `resource/name`.
    pub(crate) object: String,
    /// What is set.
    pub(crate) fields: Vec<FieldChange>,
    /// The whole object as it was, for the case that it is deleted.
    pub(crate) before: Value,
    /// The whole object as it is to be, if it is deleted and created instead of patched.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) recreated: Option<Value>,
    /// Whether it only restarts a workload, so that it reads again what others changed.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) restarts: bool,
}

/// An application that is taken off the cluster and deployed again, while its volumes stay.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Redeployment {
    /// Its namespace, `namespace/name`.
    pub(crate) object: String,
    /// The namespace's uid, by which it is told from the one that takes its place.
    pub(crate) uid: String,
    /// The application: it may have to be deployed when nobody knows its catalog any more.
    pub(crate) application: Box<Application>,
    /// The volumes bound to its claims.
    pub(crate) volumes: Vec<BoundVolume>,
}

/// A PersistentVolume that a claim has.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct BoundVolume {
    pub(crate) name: String,
    /// What becomes of it when its claim is deleted: `Delete`, `Retain`.
    pub(crate) reclaim_policy: String,
}

/// An object that is deleted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Deletion {
    /// The object, `resource/name`.
    pub(crate) object: String,
    /// Which one: another may take its name.
    pub(crate) uid: String,
    /// Whether its controller makes another in its place.
    pub(crate) is_replaced: bool,
    /// The whole object, as it can be created again.
    pub(crate) before: Value,
}

/// A command in a container.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Command {
    /// The workload, `resource/name`.
    pub(crate) object: String,
    /// The container; none: the first.
    pub(crate) container: Option<String>,
    /// The command.
    pub(crate) command: Vec<String>,
    /// The command that undoes it.
    pub(crate) recover: Vec<String>,
}

/// One field's change.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct FieldChange {
    /// JSON pointer.
    pub(crate) pointer: String,
    /// The value before; none: the field was not there.
    pub(crate) before: Option<Value>,
    /// The value after; none: the field is removed.
    pub(crate) after: Option<Value>,
}

impl Entry {
    /// The object that changes, `resource/name`; none: nothing does.
    #[must_use]
    pub(crate) fn object(&self) -> Option<&str> {
        match self {
            Self::Fields(FieldsChange { object, .. })
            | Self::Created { object, .. }
            | Self::Deleted(Deletion { object, .. })
            | Self::Redeployed(Redeployment { object, .. })
            | Self::Exec(Command { object, .. })
            | Self::Chaos { object, .. } => Some(object),
            Self::Wait { .. } => None,
        }
    }

    /// Whether it only restarts a workload: undone last, when what it reads is as before.
    #[must_use]
    pub(crate) fn restarts(&self) -> bool {
        matches!(self, Self::Fields(change) if change.restarts)
    }

    /// The entry without values, for objects whose values are secret.
    fn without_values(&self) -> Value {
        let (change, pointers) = match self {
            Self::Fields(change) => {
                let fields = change.fields.iter();
                ("fields", fields.map(|it| it.pointer.as_str()).collect())
            }
            Self::Created { .. } => ("created", Vec::new()),
            Self::Deleted(_) => ("deleted", Vec::new()),
            Self::Redeployed(_) => ("redeployed", Vec::new()),
            Self::Exec(_) => ("exec", Vec::new()),
            Self::Wait { .. } => ("wait", Vec::new()),
            Self::Chaos { .. } => ("chaos", Vec::new()),
        };
        json!({"change": change, "object": self.object(), "pointers": pointers})
    }
}

/// A journal that was found in the cluster.
#[derive(Debug, Clone)]
pub(crate) struct Found {
    pub(crate) journal: Journal,
    /// When its capture last renewed it.
    pub(crate) renewed: Option<Timestamp>,
}

impl Found {
    /// How long ago the capture that wrote this was surely alive.
    pub(crate) fn age(&self) -> Option<Duration> {
        let elapsed = Timestamp::now().duration_since(self.renewed?);
        Some(Duration::try_from(elapsed).unwrap_or(Duration::ZERO))
    }

    /// Whether its capture seems to be under way still.
    pub(crate) fn is_alive(&self) -> bool {
        self.age().is_some_and(|age| age < STALE_AFTER)
    }
}

impl Journal {
    /// Writes the journal into the cluster, over an earlier version of itself.
    pub(crate) async fn save(&self, cluster: &Cluster) -> Result<(), CaptureError> {
        let session = serde_json::to_string(self).map_err(CaptureError::json("the journal"))?;
        let object = json!({
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": self.name, "namespace": NAMESPACE, "labels": {LABEL.0: LABEL.1}},
            "data": {"session": session, "renewed": Timestamp::now().to_string()},
        });
        cluster
            .patch(&self.path(), PatchKind::Apply, &object)
            .await?;
        Ok(())
    }

    /// Says that the capture is alive, to whoever finds the journal and to the helpers of experiments.
    pub(crate) async fn renew(&self, cluster: &Cluster) -> Result<(), CaptureError> {
        chaos::renew(cluster).await.ok(); // the journal matters more; the next renewal tries again
        let patch = json!({"data": {"renewed": Timestamp::now().to_string()}});
        cluster
            .patch(&self.path(), PatchKind::Merge, &patch)
            .await?;
        Ok(())
    }

    /// Takes the journal out of the cluster.
    pub(crate) async fn delete(&self, cluster: &Cluster) -> Result<(), CaptureError> {
        cluster.delete(&self.path()).await?;
        Ok(())
    }

    /// Every journal in the cluster, by name.
    pub(crate) async fn find_all(cluster: &Cluster) -> Result<Vec<Found>, CaptureError> {
        let path = format!(
            "/api/v1/namespaces/{NAMESPACE}/configmaps?{}",
            resource::with_labels([LABEL])
        );
        let mut found = Vec::new();
        for object in cluster.list(&path).await? {
            let session = resource::text(&object, "/data/session");
            let what = format!("journal {}", resource::text(&object, "/metadata/name"));
            let journal = serde_json::from_str(session).map_err(CaptureError::json(&what))?;
            let renewed = resource::text(&object, "/data/renewed").parse().ok();
            found.push(Found { journal, renewed });
        }
        found.sort_by(|a, b| a.journal.name.cmp(&b.journal.name));
        Ok(found)
    }

    fn path(&self) -> String {
        format!("/api/v1/namespaces/{NAMESPACE}/configmaps/{}", self.name)
    }

    /// What goes to `withheld/journal.json`: which objects change, and the steps.
    pub(crate) async fn record(&self, cluster: &Cluster) -> Result<Value, CaptureError> {
        let (mut objects, mut steps) = (Vec::new(), Vec::new());
        for entry in &self.entries {
            let mut is_secret = false;
            if let Some(name) = entry.object() {
                let (kind, name) = resource::split(name)?;
                let resource = cluster.resolve(kind).await?;
                is_secret = resource.resource == "secrets";
                let namespace = if resource.namespaced {
                    self.namespace.as_str()
                } else {
                    ""
                };
                let resource = &resource.resource;
                let object = json!({"resource": resource, "namespace": namespace, "name": name});
                if !objects.contains(&object) {
                    objects.push(object);
                }
            }
            steps.push(if is_secret {
                entry.without_values()
            } else {
                serde_json::to_value(entry).map_err(CaptureError::json("the journal"))?
            });
        }
        Ok(json!({"objects": objects, "steps": steps}))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret() -> Entry {
        Entry::Fields(FieldsChange {
            object: "secret/postgres-geo".to_owned(),
            fields: vec![FieldChange {
                pointer: "/data/password".to_owned(),
                before: Some(json!("b2xk")),
                after: Some(json!("bmV3")),
            }],
            before: json!({"data": {"password": "b2xk"}}),
            recreated: None,
            restarts: false,
        })
    }

    #[test]
    fn entries_are_read_as_they_are_written() {
        let wait =
            json!({"change": "wait", "until": {"endpoints": "geo", "at_most": 0.0}, "seconds": 5});
        let deleted = json!({"change": "deleted", "object": "pod/a", "uid": "u",
            "is_replaced": true, "before": {}});
        // As it was written before objects could only restart.
        let fields =
            json!({"change": "fields", "object": "service/geo", "fields": [], "before": {}});
        for entry in [wait, deleted, fields] {
            let read: Entry = serde_json::from_value(entry.clone()).unwrap();
            assert_eq!(serde_json::to_value(&read).unwrap(), entry);
        }
    }

    #[test]
    fn a_record_has_no_values_of_secrets() {
        let text = secret().without_values().to_string();
        assert!(text.contains("/data/password"), "{text}");
        assert!(!text.contains("b2xk") && !text.contains("bmV3"), "{text}");
    }
}
