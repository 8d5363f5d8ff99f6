//! Short help, in place of kubectl's long one.

use super::failure::Failure;
use crate::golang::quote::quote;
use crate::shell::CommandOutput;

const COMMANDS: &[(&str, &str)] = &[
    (
        "get",
        "(TYPE[.GROUP][,TYPE] [NAME…] | TYPE/NAME…) [-o wide|name|json|yaml|jsonpath=…|custom-columns=…|go-template=…] [-l SELECTOR] [-n NAMESPACE | -A]",
    ),
    (
        "describe",
        "(TYPE [NAME_PREFIX | -l SELECTOR] | TYPE/NAME) [-n NAMESPACE | -A]",
    ),
    (
        "logs",
        "(POD | TYPE/NAME | -l SELECTOR) [-c CONTAINER] [--previous] [--tail N] [--since DURATION] [-n NAMESPACE]",
    ),
    (
        "events",
        "[--for TYPE/NAME] [--types Warning] [-n NAMESPACE | -A]",
    ),
    (
        "top",
        "(nodes | pods) [NAME | -l SELECTOR] [--containers] [--sort-by cpu|memory] [-n NAMESPACE | -A]",
    ),
    (
        "api-resources",
        "[--api-group GROUP] [--namespaced=true|false] [-o wide|name]",
    ),
    ("api-versions", ""),
    ("cluster-info", ""),
    (
        "rollout",
        "(status | history) (TYPE NAME | TYPE/NAME) [--revision N] [-n NAMESPACE]",
    ),
    (
        "wait",
        "(TYPE NAME | TYPE/NAME | TYPE -l SELECTOR | TYPE --all) --for=(condition=NAME[=VALUE] | jsonpath='{PATH}'[=VALUE] | delete | create) [--timeout DURATION]",
    ),
    ("auth", "(can-i VERB TYPE[/NAME] | can-i --list | whoami)"),
    ("explain", "TYPE[.FIELD…] [--recursive]"),
    (
        "exec",
        "POD [-c CONTAINER] [-n NAMESPACE] -- COMMAND [ARGUMENT…]",
    ),
    ("config", "(current-context | get-contexts | view)"),
    ("version", "[-o json|yaml]"),
];

/// The commands of kubectl in its own order.
const KNOWN: [&str; 44] = [
    "create",
    "expose",
    "run",
    "set",
    "explain",
    "get",
    "edit",
    "delete",
    "rollout",
    "scale",
    "autoscale",
    "certificate",
    "cluster-info",
    "top",
    "cordon",
    "uncordon",
    "drain",
    "taint",
    "describe",
    "logs",
    "attach",
    "exec",
    "port-forward",
    "proxy",
    "cp",
    "auth",
    "debug",
    "events",
    "diff",
    "apply",
    "patch",
    "replace",
    "wait",
    "kustomize",
    "label",
    "annotate",
    "completion",
    "alpha",
    "api-resources",
    "api-versions",
    "config",
    "plugin",
    "version",
    "options",
];

/// Whether a word is a command of kubectl.
pub(super) fn is_command(word: &str) -> bool {
    KNOWN.contains(&word)
}

/// What kubectl says of a word that is no command: with those that are written much like it.
pub(super) fn unknown_command(word: &str) -> String {
    // Other words for these, as kubectl lists them.
    let synonyms = |command: &str| -> &[&str] {
        match command {
            "get" | "wait" => &["list", "ps"],
            "delete" => &["remove", "rm"],
            "replace" => &["update"],
            "config" => &["set-context"],
            _ => &[],
        }
    };
    let lower = word.to_lowercase();
    let similar: String = KNOWN
        .iter()
        .filter(|command| {
            strsim::levenshtein(&lower, command) <= 2
                || command.starts_with(&lower)
                || synonyms(command).contains(&lower.as_str())
        })
        .map(|command| format!("\t{command}\n"))
        .collect();
    let shown = quote(word);
    if similar.is_empty() {
        format!("error: unknown command {shown} for \"kubectl\"")
    } else {
        format!("error: unknown command {shown} for \"kubectl\"\n\nDid you mean this?\n{similar}")
    }
}

/// What kubectl says of a group of commands without one of them.
pub(super) fn unknown_subcommand(verb: &str, operands: &[String]) -> Failure {
    if operands.is_empty() {
        return Failure::not_captured(format!(
            "the help of kubectl {verb} is not available in this recording"
        ));
    }
    Failure::invalid(format!(
        "error: unknown command {}\nSee 'kubectl {verb} -h' for help and examples",
        quote(&operands.join(" "))
    ))
}

/// What `kubectl` alone prints.
pub(super) fn overview() -> String {
    let mut text = "kubectl controls the Kubernetes cluster manager.\n\nUsage:\n".to_owned();
    for (command, usage) in COMMANDS {
        text.push_str(format!("  kubectl {command} {usage}").trim_end());
        text.push('\n');
    }
    text
}

/// The help of one command.
pub(super) fn help(command: &str) -> CommandOutput {
    match COMMANDS.iter().find(|(known, _)| *known == command) {
        Some((command, usage)) => {
            let usage = format!("Usage:\n  kubectl {command} {usage}");
            CommandOutput::answered(format!("{}\n", usage.trim_end()))
        }
        None => CommandOutput::answered(overview()),
    }
}
