//! Short help, in place of kubectl's long one.

use crate::shell::CommandOutput;

const COMMANDS: &[(&str, &str)] = &[
    (
        "get",
        "(TYPE[.GROUP][,TYPE] [NAME…] | TYPE/NAME…) [-o wide|name|json|yaml] [-l SELECTOR] [-n NAMESPACE | -A]",
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
    ("config", "(current-context | get-contexts | view)"),
    ("version", "[-o json|yaml]"),
];

/// Commands of kubectl that are not interpreted and are no writes either.
const OTHERS: &[&str] = &[
    "alpha",
    "attach",
    "auth",
    "certificate",
    "completion",
    "debug",
    "diff",
    "exec",
    "explain",
    "kustomize",
    "options",
    "plugin",
    "proxy",
    "rollout",
    "wait",
];

/// Whether a word is a command of kubectl.
pub(super) fn is_command(word: &str) -> bool {
    OTHERS.contains(&word) || COMMANDS.iter().any(|(command, _)| *command == word)
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
