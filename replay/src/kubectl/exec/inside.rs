//! The running instance of a container, and what is known of its inside.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{Answer, names};
use crate::kubectl::cluster::Cluster;
use crate::kubectl::failure::Failure;
use crate::kubernetes::{mount, object};
use crate::view::{ExecAnswer, ObjectQuery, RecordedObject};

/// The exit code that a recording has for a program that the container does not have.
const NEVER_STARTED: i32 = -1;

/// The running instance of a container.
pub(super) struct Inside<'c, 'v> {
    pub(super) cluster: &'c Cluster<'v>,
    pub(super) pod: &'c RecordedObject,
    container: &'c str,
    pub(super) recorded: Vec<ExecAnswer>,
}

impl<'c, 'v> Inside<'c, 'v> {
    pub(super) async fn new(
        cluster: &'c Cluster<'v>,
        pod: &'c RecordedObject,
        container: &'c str,
    ) -> Result<Self, Failure> {
        let id = object::list(&pod.object, "/status/containerStatuses")
            .iter()
            .find(|status| {
                object::text(status, "/name") == container
                    && object::field(status, "/state/running").is_some()
            })
            .map(|status| object::text(status, "/containerID").to_owned());
        let mut recorded = cluster.view.exec_answers(&pod.uid).await?;
        recorded.retain(|answer| {
            answer.container == container && Some(&answer.container_id) == id.as_ref()
        });
        Ok(Self {
            cluster,
            pod,
            container,
            recorded,
        })
    }

    pub(super) async fn answer(&self, command: &[String]) -> Result<Option<Answer>, Failure> {
        if let Some(recorded) = self.recorded(command) {
            return Ok(Some(recorded));
        }
        let words: Vec<&str> = command.iter().map(String::as_str).collect();
        // A path to a program names the same one.
        let words: Vec<&str> = match words.as_slice() {
            [first, rest @ ..] => std::iter::once(first.rsplit('/').next().unwrap_or(first))
                .chain(rest.iter().copied())
                .collect(),
            [] => Vec::new(),
        };
        Ok(match words.as_slice() {
            ["printenv" | "env"] => self.environment().and_then(Answer::printed),
            ["printenv", name] if !name.starts_with('-') => self.variable(name),
            ["hostname"] if self.can("cat") && self.can("env") => self
                .host_name()
                .and_then(|name| Answer::printed(format!("{name}\n"))),
            ["cat", "/etc/hostname"] if self.can("cat") => self
                .host_name()
                .and_then(|name| Answer::printed(format!("{name}\n"))),
            ["cat", path] if self.can("cat") => self.mounted(path).await?.and_then(Answer::printed),
            ["getent", "hosts", name] | ["nslookup", name] => {
                names::answer(self, &words, name).await?
            }
            _ => None,
        })
    }

    /// What the server says if the container has no such program.
    pub(super) fn lacks(&self, command: &[String]) -> Option<String> {
        let program = command.first()?;
        let found = self.recorded.iter().find(|answer| {
            answer.exit_code == NEVER_STARTED && answer.argv.first() == Some(program)
        })?;
        Some(String::from_utf8_lossy(&found.stderr).into_owned())
    }

    /// The very command, as it was answered.
    pub(super) fn recorded(&self, command: &[String]) -> Option<Answer> {
        let found = self
            .recorded
            .iter()
            .find(|answer| answer.lasting && answer.argv == command)?;
        Some(Answer {
            stdout: String::from_utf8_lossy(&found.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&found.stderr).into_owned(),
            exit_code: found.exit_code,
        })
    }

    /// Whether the container is known to have a program.
    fn can(&self, program: &str) -> bool {
        self.recorded.iter().any(|answer| {
            answer.exit_code == 0 && answer.argv.first().is_some_and(|word| word == program)
        })
    }

    fn environment(&self) -> Option<String> {
        let env = self.recorded(&["env".to_owned()])?;
        (env.exit_code == 0).then_some(env.stdout)
    }

    /// One variable of the recorded environment.
    fn variable(&self, name: &str) -> Option<Answer> {
        let environment = self.environment()?;
        // A value of several lines can't be told from several variables.
        let plain = environment
            .lines()
            .all(|line| line.split_once('=').is_some_and(|(name, _)| is_name(name)));
        if !plain {
            return None;
        }
        let variables: BTreeMap<&str, &str> = environment
            .lines()
            .filter_map(|line| line.split_once('='))
            .collect();
        match variables.get(name) {
            Some(value) => Answer::printed(format!("{value}\n")),
            None => Some(Answer {
                stdout: String::new(),
                stderr: String::new(),
                exit_code: 1,
            }),
        }
    }

    /// The pod's host name, which is its own unless it is on the node's network.
    fn host_name(&self) -> Option<String> {
        let pod = &self.pod.object;
        if object::flag(pod, "/spec/hostNetwork") || object::flag(pod, "/spec/setHostnameAsFQDN") {
            return None;
        }
        Some(match object::text(pod, "/spec/hostname") {
            "" => self.pod.name.chars().take(63).collect(),
            name => name.to_owned(),
        })
    }

    /// A key of a ConfigMap that is mounted at a path, if it has not changed lately.
    async fn mounted(&self, path: &str) -> Result<Option<String>, Failure> {
        let pod = &self.pod.object;
        let container = object::list(pod, "/spec/containers")
            .iter()
            .find(|container| object::text(container, "/name") == self.container);
        let Some(container) = container else {
            return Ok(None);
        };
        // The innermost mount holds the file.
        let mount = object::list(container, "/volumeMounts")
            .iter()
            .filter(|mount| below(object::text(mount, "/mountPath"), path).is_some())
            .max_by_key(|mount| object::text(mount, "/mountPath").len());
        let Some(mount) = mount else { return Ok(None) };
        let Some(inner) = below(object::text(mount, "/mountPath"), path) else {
            return Ok(None);
        };
        let sub_path = object::text(mount, "/subPath");
        let file = match (sub_path, inner) {
            ("", inner) => inner,
            (sub_path, "") => sub_path,
            _ => return Ok(None),
        };
        let volume = object::list(pod, "/spec/volumes")
            .iter()
            .find(|volume| object::text(volume, "/name") == object::text(mount, "/name"));
        let Some(map) = volume.and_then(|volume| object::field(volume, "/configMap")) else {
            return Ok(None);
        };
        let query = ObjectQuery {
            name: Some(object::text(map, "/name").to_owned()),
            ..ObjectQuery::all("", "configmaps", Some(&self.pod.namespace))
        };
        let Some(found) = self.cluster.view.objects(&query).await?.into_iter().next() else {
            return Ok(None);
        };
        let settled = mount::is_as_at_start(&found, pod)
            || object::flag(&found.object, "/immutable")
            || (sub_path.is_empty() && mount::has_arrived(&found, self.cluster.now));
        if !settled {
            return Ok(None);
        }
        let key = key_of(map, file);
        let data = object::map(&found.object, "/data");
        Ok(key.and_then(|key| data.get(key).map(|text| (*text).to_owned())))
    }
}

fn is_name(name: &str) -> bool {
    !name.is_empty() && name.chars().all(|c| c == '_' || c.is_ascii_alphanumeric())
}

/// The rest of a path below a folder; empty if it is the folder itself.
fn below<'p>(folder: &str, path: &'p str) -> Option<&'p str> {
    let rest = path.strip_prefix(folder.trim_end_matches('/'))?;
    match rest.strip_prefix('/') {
        Some(inner) => Some(inner),
        None if rest.is_empty() => Some(""),
        None => None,
    }
}

/// The key that is mounted under a file's name.
fn key_of<'m>(map: &'m Value, file: &'m str) -> Option<&'m str> {
    let items = object::list(map, "/items");
    if items.is_empty() {
        return (!file.contains('/')).then_some(file);
    }
    items
        .iter()
        .find(|item| object::text(item, "/path") == file)
        .map(|item| object::text(item, "/key"))
}
