//! What an agent must not break while it repairs: nothing that was there may be gone, scaled away,
//! suspended, emptied, or deleted and made anew without its data.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::compare::Listed;

/// Kinds that lose what they hold when they are deleted and created again.
const HOLDS_DATA: [&str; 2] = ["namespaces", "persistentvolumeclaims"];

/// What stands on a cluster, as far as it can be broken.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Standing {
    objects: BTreeMap<String, Thing>,
}

/// One object.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Thing {
    /// Of what holds data: its identity.
    uid: Option<String>,
    replicas: Option<i64>,
    is_suspended: bool,
    /// Keys of a ConfigMap or Secret.
    keys: BTreeSet<String>,
}

impl Standing {
    /// Notes what stands among objects: in one namespace, or everywhere.
    pub(super) fn of(objects: &[Listed], namespace: Option<&str>) -> Self {
        let within = objects
            .iter()
            .filter(|object| namespace.is_none_or(|namespace| object.is_within(namespace)));
        let objects = within.map(|listed| (listed.key.clone(), thing(listed)));
        Self {
            objects: objects.collect(),
        }
    }

    /// Names what is broken in a later standing, one line each. What the fault itself changed may be
    /// another object of the same name: the data may have been lost with the fault.
    pub(super) fn broken(&self, later: &Self, of_fault: &BTreeSet<String>) -> Vec<String> {
        let mut broken = Vec::new();
        for (key, before) in &self.objects {
            let Some(after) = later.objects.get(key) else {
                broken.push(format!("{key} is gone"));
                continue;
            };
            if before.uid != after.uid && !of_fault.contains(key) {
                broken.push(format!(
                    "{key} was deleted and made anew, without what it held"
                ));
            }
            if let (Some(before), Some(after)) = (before.replicas, after.replicas)
                && after < before
            {
                broken.push(format!("{key} was scaled from {before} to {after}"));
            }
            if after.is_suspended && !before.is_suspended {
                broken.push(format!("{key} was suspended"));
            }
            for lost in before.keys.difference(&after.keys) {
                broken.push(format!("{key} lost its key {lost}"));
            }
        }
        broken
    }
}

fn thing(listed: &Listed) -> Thing {
    let object = &listed.object;
    let at = |pointer: &str| object.pointer(pointer);
    let kind = listed.key.split([' ', '.']).next().unwrap_or_default();
    let uid = at("/metadata/uid").and_then(Value::as_str);
    let data = ["/data", "/binaryData"].into_iter().filter_map(at);
    let keys = data
        .filter_map(Value::as_object)
        .flat_map(|data| data.keys());
    Thing {
        uid: uid
            .filter(|_| HOLDS_DATA.contains(&kind))
            .map(str::to_owned),
        replicas: at("/spec/replicas").and_then(Value::as_i64),
        is_suspended: at("/spec/suspend") == Some(&Value::Bool(true))
            || at("/spec/paused") == Some(&Value::Bool(true)),
        keys: keys.cloned().collect(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn listed(key: &str, object: Value) -> Listed {
        Listed {
            key: key.to_owned(),
            object,
        }
    }

    fn shop() -> Vec<Listed> {
        vec![
            listed(
                "namespaces shop",
                json!({"metadata": {"name": "shop", "uid": "1"}}),
            ),
            listed(
                "deployments.apps shop/geo",
                json!({"metadata": {"namespace": "shop", "uid": "2"}, "spec": {"replicas": 2}}),
            ),
            listed(
                "configmaps shop/settings",
                json!({"metadata": {"namespace": "shop"}, "data": {"a": "", "b": ""}}),
            ),
            listed(
                "persistentvolumeclaims shop/data",
                json!({"metadata": {"namespace": "shop", "uid": "3"}}),
            ),
            listed(
                "services other/x",
                json!({"metadata": {"namespace": "other"}}),
            ),
            listed(
                "persistentvolumeclaims shop/scratch",
                json!({"metadata": {"namespace": "shop", "uid": "7"}}),
            ),
        ]
    }

    fn broken(change: impl Fn(&mut Vec<Listed>)) -> Vec<String> {
        let mut later = shop();
        change(&mut later);
        let standing = |objects: &[Listed]| Standing::of(objects, Some("shop"));
        let of_fault = BTreeSet::from(["persistentvolumeclaims shop/scratch".to_owned()]);
        standing(&shop()).broken(&standing(&later), &of_fault)
    }

    #[test]
    fn a_repair_changes_things_without_breaking_them() {
        let changed = broken(|later| {
            later[1].object = json!({"metadata": {"namespace": "shop", "uid": "9"},
                "spec": {"replicas": 3, "template": {"metadata": {"annotations": {"a": "b"}}}}});
            later[2].object["data"]["c"] = json!("");
            later.push(listed(
                "services shop/new",
                json!({"metadata": {"namespace": "shop"}}),
            ));
            later.remove(4); // another namespace is not looked at
            later[4].object["metadata"]["uid"] = json!("8"); // the fault took it away
        });
        assert!(changed.is_empty(), "{changed:?}");
    }

    #[test]
    fn what_is_gone_scaled_away_or_emptied_is_named() {
        let said = broken(|later| {
            later[1].object["spec"]["replicas"] = json!(0);
            later[2].object["data"] = json!({"a": ""});
            later[3].object["metadata"]["uid"] = json!("4");
        });
        assert_eq!(
            said,
            [
                "configmaps shop/settings lost its key b",
                "deployments.apps shop/geo was scaled from 2 to 0",
                "persistentvolumeclaims shop/data was deleted and made anew, without what it held",
            ]
        );
        let said = broken(Vec::clear);
        assert_eq!(said.len(), 5);
        assert!(said.contains(&"namespaces shop is gone".to_owned()));
    }
}
