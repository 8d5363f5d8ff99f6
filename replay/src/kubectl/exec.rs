//! `kubectl exec`: what was run inside containers while the snapshot was recorded, and the few
//! commands whose output follows from that and from the objects. Nothing else is answered.

use std::collections::BTreeMap;

use aiopslab_problems::environment::Verdict;
use serde_json::Value;

use super::arguments::Arguments;
use super::cluster::Cluster;
use super::failure::Failure;
use super::selector::LabelSelector;
use super::{logs, object, timestamp};
use crate::shell::CommandOutput;
use crate::view::{ExecAnswer, ObjectQuery, RecordedObject};

/// How long a mounted ConfigMap may lag behind the object: a kubelet's period and cache.
const MOUNT_LAG_NS: i64 = 5 * 60 * 1_000_000_000;

/// Runs the command.
pub(super) async fn run(
    cluster: &Cluster<'_>,
    arguments: &Arguments,
) -> Result<CommandOutput, Failure> {
    let error = |text: &str| Err(Failure::invalid(format!("error: {text}")));
    let before = arguments.before_dashes;
    let resource = match before {
        Some(0) => None,
        _ => arguments.operands.first(),
    };
    if before.is_none() && arguments.operands.len() > 1 {
        return error(
            "exec [POD] [COMMAND] is not supported anymore. Use exec [POD] -- [COMMAND] instead\n\
             See 'kubectl exec -h' for help and examples",
        );
    }
    if arguments.value("filename").is_some() {
        return Err(Failure::not_captured(
            "kubectl exec --filename: files are not available to kubectl in this recording",
        ));
    }
    let Some(resource) = resource else {
        return error("pod, type/name or --filename must be specified");
    };
    let command = before.and_then(|before| arguments.operands.get(before..));
    let command = command.unwrap_or_default();
    if command.is_empty() {
        return error("you must specify at least one command for the container");
    }
    let mut output = CommandOutput::answered("");
    let pod = pod(cluster, arguments, resource).await?;
    let phase = object::text(&pod.object, "/status/phase");
    if phase == "Succeeded" || phase == "Failed" {
        return Err(Failure::answered(format!(
            "error: cannot exec into a container in a completed pod; current phase is {phase}"
        )));
    }
    let container = match arguments.value("container").filter(|name| !name.is_empty()) {
        Some(name) => name.to_owned(),
        None => logs::default_container(&pod.object, &mut output)?,
    };
    if arguments.is_set("quiet") {
        output.stderr.clear();
    }
    if arguments.is_set("stdin") && arguments.is_set("tty") && !arguments.is_set("quiet") {
        output
            .stderr
            .push_str("Unable to use a TTY - input is not a terminal or the right kind of file\n");
    }
    let inside = Inside::new(cluster, &pod, &container).await?;
    let Some(answer) = inside.answer(command).await? else {
        return Err(Failure::not_captured(format!(
            "the output of {:?} in container {container} of pod {} is not available in this recording",
            command.join(" "),
            pod.name
        )));
    };
    output.stdout.push_str(&answer.stdout);
    output.stderr.push_str(&answer.stderr);
    if answer.exit_code != 0 {
        output.stderr.push_str(&format!(
            "command terminated with exit code {}\n",
            answer.exit_code
        ));
        output.exit_code = answer.exit_code;
    }
    Ok(output)
}

/// The pod of a name, or the one pod of a workload or Service.
async fn pod(
    cluster: &Cluster<'_>,
    arguments: &Arguments,
    operand: &str,
) -> Result<RecordedObject, Failure> {
    let namespace = arguments.namespace();
    let (resource, name) = operand.split_once('/').unwrap_or(("pods", operand));
    let t = cluster.resources.find(resource)?.clone();
    let found = cluster.get(&t, namespace, name).await?;
    if t.group.is_empty() && t.resource == "pods" {
        return Ok(found);
    }
    let Some(selector) = object::field(&found.object, "/spec/selector") else {
        return Err(Failure::not_captured(format!(
            "kubectl exec {operand} is not available in this recording"
        )));
    };
    let selector = LabelSelector::of(selector);
    let pods = cluster.resources.find("pods")?.clone();
    let mut pods = cluster.list(&pods, Some(namespace)).await?;
    pods.retain(|pod| selector.matches(&object::map(&pod.object, "/metadata/labels")));
    match (pods.pop(), pods.len()) {
        (None, _) => Err(Failure::Message {
            text: "error: timed out waiting for the condition".to_owned(),
            verdict: Verdict::Partial,
        }),
        (Some(pod), 0) => Ok(pod),
        _ => Err(Failure::not_captured(format!(
            "which pod of {operand} kubectl exec chooses is not available in this recording"
        ))),
    }
}

/// What a command printed.
#[derive(Debug, Clone, PartialEq)]
struct Answer {
    stdout: String,
    stderr: String,
    exit_code: i32,
}

impl Answer {
    fn printed(stdout: impl Into<String>) -> Option<Self> {
        Some(Self {
            stdout: stdout.into(),
            stderr: String::new(),
            exit_code: 0,
        })
    }
}

/// The running instance of a container.
struct Inside<'c, 'v> {
    cluster: &'c Cluster<'v>,
    pod: &'c RecordedObject,
    container: &'c str,
    recorded: Vec<ExecAnswer>,
}

impl<'c, 'v> Inside<'c, 'v> {
    async fn new(
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

    async fn answer(&self, command: &[String]) -> Result<Option<Answer>, Failure> {
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
            _ => None,
        })
    }

    /// The very command, as it was answered.
    fn recorded(&self, command: &[String]) -> Option<Answer> {
        let found = self.recorded.iter().find(|answer| answer.argv == command)?;
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
        let started = timestamp::nanoseconds(pod, "/status/startTime").unwrap_or(i64::MAX);
        let settled = found.valid_from <= started
            || object::flag(&found.object, "/immutable")
            || (sub_path.is_empty()
                && self.cluster.now.saturating_sub(found.valid_from) > MOUNT_LAG_NS);
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

#[cfg(test)]
mod tests {
    use aiopslab_problems::environment::Verdict;
    use serde_json::json;

    use crate::kubectl::testing::{MemoryView, object, run, shop};
    use crate::view::ExecAnswer;

    fn view() -> MemoryView {
        let mut view = shop();
        let answer = |argv: &[&str], stdout: &str| ExecAnswer {
            container: "cart".into(),
            container_id: "c://2".into(),
            argv: argv.iter().map(|word| (*word).to_owned()).collect(),
            stdout: stdout.into(),
            stderr: Vec::new(),
            exit_code: 0,
        };
        view.exec = vec![
            (
                "uid-cart-1".into(),
                answer(&["env"], "A=1\nHOSTNAME=cart-1\n"),
            ),
            (
                "uid-cart-1".into(),
                answer(&["cat", "/etc/hosts"], "127.0.0.1\tlocalhost\n"),
            ),
        ];
        let cart = view
            .objects
            .iter_mut()
            .find(|o| o.name == "cart-1")
            .unwrap();
        cart.object["spec"]["volumes"] = json!([{"name": "v", "configMap": {"name": "config"}}]);
        cart.object["spec"]["containers"][0]["volumeMounts"] =
            json!([{"name": "v", "mountPath": "/etc/app"}]);
        cart.object["status"]["startTime"] = json!("2026-01-01T11:00:00Z");
        view.objects.push(object(
            "",
            "configmaps",
            "ConfigMap",
            "shop",
            "config",
            json!({"data": {"a.conf": "x=1\n"}}),
        ));
        view
    }

    #[test]
    fn what_was_run_is_answered_and_nothing_else() {
        for (line, text, verdict) in [
            ("cart-1 -- env", "A=1\nHOSTNAME=cart-1\n", Verdict::Answered),
            (
                "cart-1 -c cart -- /usr/bin/printenv A",
                "1\n",
                Verdict::Answered,
            ),
            (
                "-it cart-1 -- hostname",
                "Unable to use a TTY - input is not a terminal or the right kind of file\ncart-1\n",
                Verdict::Answered,
            ),
            (
                "cart-1 -- printenv B",
                "command terminated with exit code 1\n",
                Verdict::Answered,
            ),
            (
                "pod/cart-1 -- cat /etc/hosts",
                "127.0.0.1\tlocalhost\n",
                Verdict::Answered,
            ),
            ("cart-1 -- cat /etc/app/a.conf", "x=1\n", Verdict::Answered),
            (
                "nope -- env",
                "Error from server (NotFound): pods \"nope\" not found\n",
                Verdict::Empty,
            ),
            (
                "cart-1 env",
                "error: exec [POD] [COMMAND] is not supported anymore. Use exec [POD] -- [COMMAND] \
              instead\nSee 'kubectl exec -h' for help and examples\n",
                Verdict::Invalid,
            ),
            (
                "cart-1",
                "error: you must specify at least one command for the container\n",
                Verdict::Invalid,
            ),
            (
                "-- env",
                "error: pod, type/name or --filename must be specified\n",
                Verdict::Invalid,
            ),
        ] {
            let outcome = run(&view(), &format!("kubectl exec -n shop {line}"));
            let mut lines: Vec<String> = outcome.text().lines().map(str::to_owned).collect();
            let mut expected: Vec<String> = text.lines().map(str::to_owned).collect();
            lines.sort();
            expected.sort();
            assert_eq!((lines, outcome.verdict), (expected, verdict), "{line}");
        }
        for line in [
            "cart-1 -- ls",
            "cart-1 -- cat /etc/app/b",
            "cart-1 -- sh -c env",
            "web-1 -c web -- env",
        ] {
            let outcome = run(&view(), &format!("kubectl exec -n shop {line}"));
            assert_eq!(outcome.verdict, Verdict::NotCaptured, "{line}");
        }
    }
}
