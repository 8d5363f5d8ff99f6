//! Commands that would change the cluster or need a terminal.

use aiopslab_problems::answer::refused_command;

use super::cluster::Cluster;
use super::failure::Failure;
use super::{help, resources};

/// Verbs that change something, with the verb of the API and the sub-resource that they use.
const WRITES: &[(&str, &str, &str)] = &[
    ("annotate", "patch", ""),
    ("apply", "patch", ""),
    ("autoscale", "create", ""),
    ("cordon", "patch", ""),
    ("create", "create", ""),
    ("delete", "delete", ""),
    ("drain", "patch", ""),
    ("expose", "create", ""),
    ("label", "patch", ""),
    ("patch", "patch", ""),
    ("replace", "update", ""),
    ("run", "create", ""),
    ("scale", "patch", "/scale"),
    ("set", "patch", ""),
    ("taint", "patch", ""),
    ("uncordon", "patch", ""),
    ("cp", "create", "/exec"),
    ("debug", "patch", "/ephemeralcontainers"),
    ("diff", "patch", ""),
];

/// The sub-commands of `rollout` that change something.
const ROLLOUT_WRITES: [&str; 4] = ["restart", "undo", "pause", "resume"];

/// Whether a verb changes the cluster.
pub(super) fn is_write(verb: &str, words: &[String]) -> bool {
    WRITES.iter().any(|(write, _, _)| *write == verb)
        || (verb == "rollout"
            && words
                .iter()
                .any(|word| ROLLOUT_WRITES.contains(&word.as_str())))
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

/// What the server answers to a user who may only read.
pub(super) fn refuse(
    cluster: &Cluster<'_>,
    verb: &str,
    position: usize,
    words: &[String],
) -> Failure {
    let (api_verb, subresource) = WRITES
        .iter()
        .find(|(write, _, _)| *write == verb)
        .map_or(("patch", ""), |(_, api_verb, subresource)| {
            (*api_verb, *subresource)
        });
    if let Some(mistake) = mistake(verb, position, words) {
        return mistake;
    }
    let (operands, namespace) = operands(position, words);
    let forbidden =
        |what: String| Failure::denied(format!("Error from server (Forbidden): {what}"));
    let fixed = match verb {
        "cordon" | "uncordon" | "drain" => Some("nodes"),
        "cp" | "run" | "debug" => Some("pods"),
        _ => None,
    };
    let (type_name, name) = match fixed {
        Some(fixed) => (fixed, operands.first().map_or("", |name| name.as_str())),
        None => match operands.first().map(|first| (first, first.split_once('/'))) {
            Some((_, Some((type_name, name)))) => (type_name, name),
            Some((type_name, None)) => (
                type_name.as_str(),
                operands.get(1).map_or("", |name| name.as_str()),
            ),
            None => ("", ""),
        },
    };
    let type_name = type_name.split(',').next().unwrap_or(type_name);
    let Ok(t) = cluster.resources.find(type_name) else {
        return forbidden(format!(
            "User \"agent\" cannot {api_verb} resources of this cluster"
        ));
    };
    let subject = resources::qualified(t);
    let subject = if name.is_empty() {
        format!("{subject} is")
    } else {
        format!("{subject} \"{name}\" is")
    };
    let place = if t.namespaced {
        format!("in the namespace \"{namespace}\"")
    } else {
        "at the cluster scope".to_owned()
    };
    forbidden(format!(
        "{subject} forbidden: User \"agent\" cannot {api_verb} resource \"{}{subresource}\" in API \
         group \"{}\" {place}",
        t.resource, t.group
    ))
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

/// The words after the verb that name objects, and the namespace, found leniently: a refusal must
/// not depend on flags that nobody will act on.
fn operands(position: usize, words: &[String]) -> (Vec<String>, String) {
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
    let mut found = Vec::new();
    let mut namespace = "default".to_owned();
    let mut rest = words.iter().enumerate();
    while let Some((at, word)) = rest.next() {
        if word == "--" {
            break;
        }
        if WITH_VALUE.contains(&word.as_str()) {
            if let Some((_, value)) = rest.next()
                && (word == "-n" || word == "--namespace")
            {
                namespace.clone_from(value);
            }
        } else if let Some(value) = word
            .strip_prefix("--namespace=")
            .or_else(|| word.strip_prefix("-n="))
        {
            namespace = value.to_owned();
        } else if !word.starts_with('-')
            && at != position
            && !(found.is_empty() && SUBCOMMANDS.contains(&word.as_str()))
        {
            found.push(word.clone());
        }
    }
    (found, namespace)
}
