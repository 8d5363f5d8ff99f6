//! Steps made into journal entries, with the pre-images of what they will change.

use std::collections::BTreeMap;

use aiopslab_problems::family::Application;
use aiopslab_problems::fault::{Apply, Delete, Exec, Patch, Recreate, Restart, Step};
use aiopslab_problems::path;
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::{api_patch, create, delete, fields, flag, helm, nothing, redeploy};
use crate::chaos;
use crate::cluster::Cluster;
use crate::error::CaptureError;
use crate::journal::{Command, Entry, FieldsChange};
use crate::resource;

const RESTARTED: &str = "kubectl.kubernetes.io/restartedAt";

/// Reads what the steps will change and says how, without changing anything.
pub(crate) async fn prepare(
    cluster: &Cluster,
    application: &Application,
    steps: &[Step],
) -> Result<Vec<Entry>, CaptureError> {
    let mut plan = Plan {
        cluster,
        application,
        copies: BTreeMap::new(),
        entries: Vec::new(),
    };
    for step in steps {
        plan.add(step).await?;
    }
    Ok(plan.entries)
}

/// How an object is changed besides its fields.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    /// In its place.
    InPlace,
    /// It is deleted and created again.
    Again,
}

struct Plan<'a> {
    cluster: &'a Cluster,
    application: &'a Application,
    /// Objects by path as the earlier steps leave them; none: they delete it.
    copies: BTreeMap<String, Option<Value>>,
    entries: Vec<Entry>,
}

impl Plan<'_> {
    async fn add(&mut self, step: &Step) -> Result<(), CaptureError> {
        match step {
            Step::Patch(Patch { patch: object, set }) => {
                let before = self.present(object).await?;
                let after = with_field(object, &before, set)?;
                self.change(object, before, after, Way::InPlace).await
            }
            Step::Recreate(Recreate {
                recreate: object,
                set,
            }) => {
                let before = self.present(object).await?;
                let after = with_field(object, &before, set)?;
                self.change(object, before, after, Way::Again).await
            }
            Step::ApiPatch(patch) => {
                self.is_untouched(&patch.patch).await?;
                let before = self.present(&patch.patch).await?;
                let path = self.path(&patch.patch).await?;
                let after = api_patch::preview(self.cluster, &path, patch).await?;
                self.change(&patch.patch, before, after, Way::InPlace).await
            }
            Step::Scale(scale) => {
                let before = self.present(&scale.scale).await?;
                let mut after = before.clone();
                after["spec"]["replicas"] = json!(scale.replicas);
                self.change(&scale.scale, before, after, Way::InPlace).await
            }
            Step::Restart(restart) => self.restart(restart).await,
            Step::Apply(apply) => self.apply(apply).await,
            Step::Delete(delete) => self.delete(delete).await,
            Step::Exec(exec) => {
                self.present(&exec.exec).await?;
                self.entries.push(Entry::Exec(command(exec)));
                Ok(())
            }
            Step::Chaos(step) => {
                let namespace = &self.application.namespace;
                self.entries.push(Entry::Chaos {
                    object: format!("service/{}", step.service),
                    plan: chaos::prepare(self.cluster, namespace, step).await?,
                });
                Ok(())
            }
            Step::Flag(step) => {
                let application = &self.application.name;
                let Some(flags) = self.application.flags.clone() else {
                    return Err(nothing(application, "the application has no feature flags"));
                };
                let before = self.present(&flags.object).await?;
                let after = flag::with_default(&before, &flags, step)?;
                self.change(&flags.object, before, after, Way::InPlace)
                    .await?;
                self.restart(&Restart {
                    restart: flags.restart,
                    at_once: false,
                })
                .await
            }
            Step::WaitFor(wait) => {
                self.entries.push(Entry::Wait {
                    until: wait.wait_for.clone(),
                    seconds: wait.seconds,
                });
                Ok(())
            }
            Step::Helm(step) => {
                for change in helm::changes(self.application, step)? {
                    match change {
                        helm::Change::Applied(object) => {
                            self.apply(&Apply { apply: object }).await?;
                        }
                        helm::Change::Gone(object) => {
                            let namespace = &self.application.namespace;
                            let (delete, _) =
                                create::named(self.cluster, namespace, &object).await?;
                            let (labels, matches) = (BTreeMap::new(), None);
                            self.delete(&Delete {
                                delete,
                                labels,
                                matches,
                            })
                            .await?;
                        }
                    }
                }
                Ok(())
            }
            Step::Redeploy(_) => {
                let plan = redeploy::plan(self.cluster, self.application).await?;
                self.entries.push(Entry::Redeployed(plan));
                Ok(())
            }
            Step::Node(step) => {
                let namespace = &self.application.namespace;
                self.entries.push(Entry::Chaos {
                    object: format!("service/{}", step.node),
                    plan: chaos::prepare_node(self.cluster, namespace, step).await?,
                });
                Ok(())
            }
            Step::Docker(_) => Err(CaptureError::NotImplemented(vec![format!(
                "step {}",
                step.kind()
            )])),
        }
    }

    async fn restart(&mut self, restart: &Restart) -> Result<(), CaptureError> {
        let object = &restart.restart;
        let before = self.present(object).await?;
        let mut after = before.clone();
        mark_restarted(&mut after);
        let way = if restart.at_once {
            Way::Again
        } else {
            Way::InPlace
        };
        self.change(object, before, after, way).await?;
        if let Some(Entry::Fields(change)) = self.entries.last_mut() {
            change.restarts = true;
        }
        Ok(())
    }

    async fn apply(&mut self, apply: &Apply) -> Result<(), CaptureError> {
        let (object, image) =
            create::named(self.cluster, &self.application.namespace, &apply.apply).await?;
        self.is_untouched(&object).await?;
        let path = self.path(&object).await?;
        let before = self.cluster.find_json(&path).await?;
        let after = create::preview(self.cluster, &path, &image).await?;
        match before {
            Some(before) => self.change(&object, before, after, Way::InPlace).await,
            None => {
                self.copies.insert(path, Some(after));
                self.entries.push(Entry::Created { object, image });
                Ok(())
            }
        }
    }

    async fn delete(&mut self, step: &Delete) -> Result<(), CaptureError> {
        let namespace = &self.application.namespace;
        for deletion in delete::chosen(self.cluster, namespace, step).await? {
            self.is_untouched(&deletion.object).await?;
            let path = self.path(&deletion.object).await?;
            self.copies.insert(path, None);
            self.entries.push(Entry::Deleted(deletion));
        }
        Ok(())
    }

    /// Notes a change from what was to what will be.
    async fn change(
        &mut self,
        object: &str,
        mut before: Value,
        mut after: Value,
        way: Way,
    ) -> Result<(), CaptureError> {
        let path = self.path(object).await?;
        self.copies.insert(path, Some(after.clone()));
        resource::strip_server_fields(&mut before);
        resource::strip_server_fields(&mut after);
        let changes = fields::differences(&before, &after);
        if changes.is_empty() {
            return Err(nothing(object, "its fields have the wanted values already"));
        }
        self.entries.push(Entry::Fields(FieldsChange {
            object: object.to_owned(),
            fields: changes,
            before,
            recreated: (way == Way::Again).then_some(after),
            restarts: false,
        }));
        Ok(())
    }

    /// An object as the earlier steps leave it.
    async fn present(&mut self, object: &str) -> Result<Value, CaptureError> {
        let path = self.path(object).await?;
        if !self.copies.contains_key(&path) {
            let live = self.cluster.find_json(&path).await?;
            let live = live.ok_or_else(|| nothing(object, "there is no such object"))?;
            self.copies.insert(path.clone(), Some(live));
        }
        let copy = self.copies.get(&path).cloned().flatten();
        copy.ok_or_else(|| nothing(object, "an earlier step deletes it"))
    }

    /// Only the server knows what some steps come to, and it knows nothing of the steps before them.
    async fn is_untouched(&self, object: &str) -> Result<(), CaptureError> {
        let path = self.path(object).await?;
        if self.copies.contains_key(&path) {
            return Err(nothing(
                object,
                "an earlier step is on the same object; make it one step, or the other the later one",
            ));
        }
        Ok(())
    }

    async fn path(&self, object: &str) -> Result<String, CaptureError> {
        let namespace = &self.application.namespace;
        Ok(self.cluster.object_path(namespace, object).await?)
    }
}

fn command(exec: &Exec) -> Command {
    Command {
        object: exec.exec.clone(),
        container: exec.container.clone(),
        command: exec.command.clone(),
        recover: exec.recover.clone(),
    }
}

fn with_field(
    object: &str,
    before: &Value,
    set: &aiopslab_problems::fault::SetField,
) -> Result<Value, CaptureError> {
    let mut after = before.clone();
    let condition = set.only_where.as_ref().map(|only| &only.equals);
    path::set(&mut after, &set.path, condition, &set.to)
        .map_err(|error| nothing(object, &error.to_string()))?;
    Ok(after)
}

/// Marks the template of a workload the way `kubectl rollout restart` does.
fn mark_restarted(object: &mut Value) {
    let metadata = object.pointer_mut("/spec/template/metadata");
    if let Some(metadata) = metadata.and_then(Value::as_object_mut) {
        let annotations = metadata.entry("annotations").or_insert_with(|| json!({}));
        if annotations.is_null() {
            *annotations = Value::Object(Map::new());
        }
        if let Some(annotations) = annotations.as_object_mut() {
            annotations.insert(RESTARTED.to_owned(), json!(Timestamp::now().to_string()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_added_annotation_is_removed_again() {
        let before = json!({"spec": {"template": {"metadata": {"labels": {}}}}});
        let mut after = before.clone();
        mark_restarted(&mut after);
        let changes = fields::differences(&before, &after);
        let mut restored = after;
        assert!(fields::restore(&mut restored, &changes));
        assert_eq!(restored, before);
    }
}
