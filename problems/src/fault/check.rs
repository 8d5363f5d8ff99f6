//! What a step must satisfy beyond its form.

use regex::Regex;
use serde_json::Value;

use super::{Delete, Step};
use crate::path;

impl Step {
    /// Checks what can be checked without a cluster.
    pub fn check(&self) -> Result<(), String> {
        match self {
            Self::Patch(step) => {
                path::check(&step.set.path).map_err(|error| error.to_string())?;
                is_object(&step.patch)
            }
            Self::ApiPatch(step) if step.way().is_none() => {
                Err("patch needs one of `set`, `merge`, `strategic`, `json`".to_owned())
            }
            Self::ApiPatch(step) => is_object(&step.patch),
            Self::Apply(step) => can_be_applied(&step.apply),
            Self::Recreate(step) => {
                path::check(&step.set.path).map_err(|error| error.to_string())?;
                is_object(&step.recreate)
            }
            Self::Delete(step) => check_delete(step),
            Self::Scale(step) if step.replicas < 0 => {
                Err("`replicas` is less than nothing".to_owned())
            }
            Self::Scale(step) => is_object(&step.scale),
            Self::Restart(step) => is_object(&step.restart),
            Self::Exec(step) => {
                has_command("exec", &step.command, &step.recover)?;
                is_object(&step.exec)
            }
            Self::Helm(step) if !step.values.is_object() => {
                Err("`values` of helm is a table of values".to_owned())
            }
            Self::Chaos(chaos) => chaos.check(),
            Self::Node(step) => has_command("node", &step.command, &step.recover),
            Self::Docker(step) => has_command("docker", &step.docker, &step.recover),
            Self::WaitFor(step) => step.wait_for.check().map_err(|error| error.to_string()),
            Self::Helm(_) | Self::Redeploy(_) | Self::Flag(_) => Ok(()),
        }
    }
}

/// Checks that an object says what it is.
pub(crate) fn can_be_applied(object: &Value) -> Result<(), String> {
    for pointer in ["/apiVersion", "/kind", "/metadata/name"] {
        if object.pointer(pointer).is_none() {
            let field = pointer[1..].replace('/', ".");
            return Err(format!("the object to apply has no `{field}`"));
        }
    }
    Ok(())
}

fn check_delete(step: &Delete) -> Result<(), String> {
    if step.delete.contains('/') {
        if !step.labels.is_empty() || step.matches.is_some() {
            return Err("delete takes a name, `labels` or `matches`, not several".to_owned());
        }
        return is_object(&step.delete);
    }
    match (&step.matches, step.labels.is_empty()) {
        (None, true) => {
            Err("delete of a whole resource needs a name, `labels` or `matches`".to_owned())
        }
        (Some(matches), _) => Regex::new(matches)
            .map(|_| ())
            .map_err(|_| format!("malformed pattern {matches:?}")),
        (None, false) => Ok(()),
    }
}

fn has_command(kind: &str, command: &[String], recover: &[String]) -> Result<(), String> {
    if command.is_empty() || recover.is_empty() {
        return Err(format!("{kind} needs a command and its `recover`"));
    }
    Ok(())
}

fn is_object(object: &str) -> Result<(), String> {
    match object.split_once('/') {
        Some((resource, name)) if !resource.is_empty() && !name.is_empty() => Ok(()),
        _ => Err(format!(
            "object {object:?} is not of the form resource/name"
        )),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn error(step: serde_json::Value) -> String {
        match serde_json::from_value::<Step>(step.clone()) {
            Ok(step) => step.check().expect_err(&format!("{step:?} is right")),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn what_is_wrong_with_a_step_is_said() {
        for (step, message) in [
            (
                json!({"shake": "service/geo"}),
                "unknown step with `shake`, wanted one of: patch, ",
            ),
            (
                json!({"scale": "deployment/geo", "restart": "deployment/geo"}),
                "is one of `scale`, `restart`, not several",
            ),
            (
                json!({"scale": "deployment/geo", "replica": 0}),
                "step `scale`: unknown field `replica`",
            ),
            (
                json!({"scale": "deployment/geo", "replicas": -1}),
                "less than nothing",
            ),
            (json!({"restart": "geo"}), "not of the form resource/name"),
            (json!({"patch": "service/geo"}), "needs one of `set`"),
            (
                json!({"patch": "service/geo", "merge": {}, "json": []}),
                "needs one of `set`",
            ),
            (
                json!({"patch": "service/geo", "set": {"path": "a..b", "to": 1}}),
                "malformed path",
            ),
            (
                json!({"apply": {"kind": "ConfigMap"}}),
                "has no `apiVersion`",
            ),
            (
                json!({"delete": "pod"}),
                "needs a name, `labels` or `matches`",
            ),
            (json!({"delete": "pod/x", "matches": "y"}), "not several"),
            (
                json!({"delete": "pod", "matches": "("}),
                "malformed pattern",
            ),
            (
                json!({"exec": "deployment/geo", "command": ["true"], "recover": []}),
                "needs a command and its `recover`",
            ),
            (json!({"helm": "shop", "values": 1}), "is a table of values"),
            (
                json!({"chaos": "network-loss", "service": "geo"}),
                "network-loss needs `loss_percent`",
            ),
            (
                json!({"chaos": "network-loss", "service": "geo", "loss_percent": 101}),
                "not between 0 and 100",
            ),
            (
                json!({"chaos": "pod-failure", "service": "geo", "latency_ms": 1}),
                "pod-failure takes no `latency_ms`",
            ),
            (
                json!({"chaos": "earthquake", "service": "geo"}),
                "unknown variant `earthquake`",
            ),
            (
                json!({"redeploy": "everything"}),
                "unknown variant `everything`",
            ),
        ] {
            let found = error(step.clone());
            assert!(
                found.contains(message),
                "{step}: {found:?} has no {message:?}"
            );
        }
    }

    #[test]
    fn steps_are_written_as_they_are_read() {
        for step in [
            json!({"recreate": "deployment/a", "set": {"path": "spec.x", "to": 1}}),
            json!({"delete": "pod", "labels": {"app": "a"}}),
            json!({"flag": "adFailure", "variant": "on"}),
            json!({"redeploy": "keep-volumes"}),
            json!({"wait_for": {"pods": "ready"}, "seconds": 5}),
            json!({"docker": ["stop", "a"], "recover": ["start", "a"]}),
        ] {
            let read: Step = serde_json::from_value(step.clone()).unwrap();
            read.check().unwrap();
            assert_eq!(serde_json::to_value(&read).unwrap(), step);
            assert!(step.get(read.kind()).is_some());
        }
    }
}
