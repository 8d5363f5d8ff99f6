//! `kubectl exec`: what was run inside containers while the snapshot was recorded (`inside`), and
//! the few commands whose output follows from that and from the objects, names of Services among
//! them (`names`). Nothing else is answered.

mod inside;
mod names;

use aiopslab_problems::environment::Verdict;

use self::inside::Inside;
use super::arguments::Arguments;
use super::cluster::Cluster;
use super::failure::Failure;
use super::selector::LabelSelector;
use super::{logs, object};
use crate::shell::CommandOutput;
use crate::view::RecordedObject;

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
    if let Some(refusal) = inside.lacks(command) {
        return Err(Failure::answered(format!("error: {refusal}")));
    }
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
            lasting: true,
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
            assert!(outcome.may_write, "{line}"); // nobody knows what it would have done
        }
        assert!(!run(&view(), "kubectl exec -n shop cart-1 -- env").may_write);
    }
}
