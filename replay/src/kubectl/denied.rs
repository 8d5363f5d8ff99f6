//! Commands that would change the cluster or need a terminal.

use aiopslab_problems::answer::refused_command;
use aiopslab_problems::environment::Verdict;

use super::cluster::Cluster;
use super::failure::Failure;
use super::{Input, arguments, help, manifest};
use crate::kubernetes::Status;
use crate::shell::CommandOutput;

/// Verbs that change something.
const WRITES: [&str; 19] = [
    "annotate",
    "apply",
    "autoscale",
    "cordon",
    "cp",
    "create",
    "debug",
    "delete",
    "diff",
    "drain",
    "expose",
    "label",
    "patch",
    "replace",
    "run",
    "scale",
    "set",
    "taint",
    "uncordon",
];

/// The sub-commands of `rollout` that change something.
const ROLLOUT_WRITES: [&str; 4] = ["restart", "undo", "pause", "resume"];

/// Whether a verb changes the cluster.
pub(super) fn is_write(verb: &str, words: &[String]) -> bool {
    WRITES.contains(&verb)
        || (verb == "rollout"
            && words
                .iter()
                .any(|word| ROLLOUT_WRITES.contains(&word.as_str())))
}

/// What a command would do to the cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Change {
    /// Changes something.
    Write,
    /// Takes away what runs or is stored.
    Destructive,
}

/// What a command would do to the cluster by its words alone; none: nothing.
pub(crate) fn change(words: &[String]) -> Option<Change> {
    let (position, verb) = arguments::verb(words)?;
    if verb == "diff" || !is_write(verb, words) || changes_nothing(words) {
        return None;
    }
    let rest = words.get(position + 1..).unwrap_or_default();
    let has = |flag: &str| {
        rest.iter()
            .any(|word| word == flag || *word == format!("{flag}=true"))
    };
    let is_destructive = match verb {
        "delete" | "drain" => true,
        "scale" => {
            rest.iter().any(|word| word == "--replicas=0")
                || rest.windows(2).any(|pair| pair == ["--replicas", "0"])
        }
        "replace" => has("--force"),
        "apply" => has("--prune"),
        "taint" => rest.iter().any(|word| word.ends_with(":NoExecute")),
        _ => false,
    };
    Some(match is_destructive {
        true => Change::Destructive,
        false => Change::Write,
    })
}

/// Whether the flags of a writing command keep it from writing.
pub(crate) fn changes_nothing(words: &[String]) -> bool {
    words.iter().take_while(|word| *word != "--").any(|word| {
        ["--help", "-h", "--dry-run"].contains(&word.as_str())
            || (word.starts_with("--dry-run=") && word != "--dry-run=none")
    })
}

/// Whether a command would have changed the cluster, or may have: a recording does not know what one
/// that runs inside a container does.
pub(super) fn may_write(words: &[String], done: &Result<CommandOutput, Failure>) -> bool {
    let Some((_, verb)) = arguments::verb(words) else {
        return false;
    };
    match done {
        Ok(output) => verb != "diff" && is_write(verb, words) && output.verdict == Verdict::Denied,
        Err(Failure::NotCaptured(_)) => verb == "exec",
        Err(_) => false,
    }
}

/// The refusal of a command that needs a terminal or does not end.
pub(super) fn interactive(verb: &str) -> Option<Failure> {
    let command = format!("kubectl {verb}");
    if let Some(text) = refused_command(&command) {
        return Some(Failure::denied(text));
    }
    ["attach", "proxy"].contains(&verb).then(|| {
        Failure::denied(format!(
            "Error: Cannot use `{command}` because it is an interactive command."
        ))
    })
}

/// How the command ends after the server has refused what it sent.
pub(super) async fn refuse(
    cluster: &Cluster<'_>,
    verb: &str,
    position: usize,
    words: &[String],
    input: &Input<'_>,
) -> Result<CommandOutput, Failure> {
    if let Some(mistake) = mistake(verb, position, words) {
        return Err(mistake);
    }
    let files = manifest::named(words);
    if !files.is_empty() {
        return manifest::refuse(cluster, verb, &files, input).await;
    }
    let operands = operands(position, words);
    let mut refused = refused(cluster, verb, &operands)?;
    // Others go on with the next object.
    if ["scale", "rollout"].contains(&verb) {
        refused.truncate(1);
    }
    let texts: Vec<String> = refused
        .iter()
        .map(|(name, status)| told(verb, words, &operands, name, status))
        .collect();
    let mut output = CommandOutput::failed(texts.join("\n"), 1, Verdict::Denied);
    // kubectl does not take it for a failure.
    if ["cordon", "uncordon"].contains(&verb) {
        output.exit_code = 0;
    }
    Ok(output)
}

/// The objects that would have been changed, each with what the server says.
fn refused<'o>(
    cluster: &Cluster<'_>,
    verb: &str,
    operands: &'o [String],
) -> Result<Vec<(&'o str, Status)>, Failure> {
    let fixed = match verb {
        "cordon" | "uncordon" | "drain" => Some("nodes"),
        "cp" | "run" | "debug" => Some("pods"),
        "expose" => Some("services"),
        "autoscale" => Some("horizontalpodautoscalers"),
        _ => None,
    };
    let (type_name, names) = match (fixed, operands) {
        (Some(fixed), names) => (fixed, names),
        (None, [first, ..]) if first.contains('/') => ("", operands),
        (None, [type_name, names @ ..]) => (type_name.as_str(), names),
        (None, []) => return Ok(vec![("", Status::read_only("", "", ""))]),
    };
    // What is posted has its name in its body: the server speaks of the collection.
    let posted = ["run", "expose", "autoscale", "create"].contains(&verb);
    let mut names: Vec<&str> = names
        .iter()
        .map(String::as_str)
        // Neither labels to set nor labels to take away.
        .filter(|name| !posted && !name.contains('=') && !name.ends_with('-'))
        .collect();
    if names.is_empty() {
        names.push("");
    }
    names
        .into_iter()
        .map(|operand| {
            let (type_name, name) = operand.split_once('/').unwrap_or((type_name, operand));
            let type_name = type_name.split(',').next().unwrap_or(type_name);
            let t = cluster.resources.find(type_name)?;
            Ok((name, Status::read_only(&t.group, &t.resource, name)))
        })
        .collect()
}

/// How a command tells what the server said.
fn told(verb: &str, words: &[String], operands: &[String], name: &str, status: &Status) -> String {
    let first = operands.first().map_or("", String::as_str);
    let pod_template = ["image", "env", "resources"]
        .into_iter()
        .find(|what| verb == "set" && words.iter().any(|word| word == what));
    match (verb, pod_template) {
        (_, Some(what)) => {
            format!("error: failed to patch {what} update to pod template: {status}")
        }
        ("create", _) if !["namespace", "ns", ""].contains(&first) => {
            format!("error: failed to create {first}: {status}")
        }
        ("rollout", _) => format!("error: failed to patch: {status}"),
        ("cordon" | "uncordon" | "drain", _) => {
            let what = if verb == "uncordon" { verb } else { "cordon" };
            format!("error: unable to {what} node \"{name}\": {status}")
        }
        _ => format!("Error from server (Forbidden): {status}"),
    }
}

/// What kubectl refuses before it asks the server.
fn mistake(verb: &str, position: usize, words: &[String]) -> Option<Failure> {
    const SETTERS: [&str; 6] = [
        "env",
        "image",
        "resources",
        "selector",
        "serviceaccount",
        "subject",
    ];
    let rest = words.get(position + 1..).unwrap_or_default();
    let operands: Vec<String> = rest
        .iter()
        .filter(|word| !word.starts_with('-'))
        .cloned()
        .collect();
    match verb {
        "set" if !operands.iter().any(|word| SETTERS.contains(&word.as_str())) => {
            Some(help::unknown_subcommand("set", &operands))
        }
        "scale" if !rest.iter().any(|word| word.starts_with("--replicas")) => Some(
            Failure::invalid("error: required flag(s) \"replicas\" not set"),
        ),
        _ => None,
    }
}

/// The words after the verb that name objects, found leniently: a refusal must not depend on flags
/// that nobody will act on.
fn operands(position: usize, words: &[String]) -> Vec<String> {
    const WITH_VALUE: [&str; 14] = [
        "-n",
        "--namespace",
        "-p",
        "--patch",
        "--type",
        "-f",
        "--filename",
        "-l",
        "--selector",
        "--replicas",
        "--image",
        "-c",
        "--grace-period",
        "-o",
    ];
    const SUBCOMMANDS: [&str; 16] = [
        "restart",
        "undo",
        "pause",
        "resume",
        "image",
        "env",
        "resources",
        "selector",
        "subject",
        "serviceaccount",
        "generic",
        "tls",
        "docker-registry",
        "clusterip",
        "nodeport",
        "loadbalancer",
    ];
    let mut found: Vec<String> = Vec::new();
    let mut rest = words.iter().enumerate();
    while let Some((at, word)) = rest.next() {
        if word == "--" {
            break;
        }
        if WITH_VALUE.contains(&word.as_str()) {
            rest.next();
        } else if !word.starts_with('-')
            && at != position
            && !(found.is_empty() && SUBCOMMANDS.contains(&word.as_str()))
        {
            found.push(word.clone());
        }
    }
    found
}
