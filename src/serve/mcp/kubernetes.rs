//! The tools of kubernetes-mcp-server (`--profile k8s-mcp`), each a kubectl command.
//!
//! Names and arguments are those that its README lists (containers/kubernetes-mcp-server). What no
//! kubectl command on a recording answers is not offered: contexts, OpenShift, node logs, Helm.

use aiopslab_problems::action::Action;

use super::tools::{Arguments, Foreign, Takes};

const NAMESPACE: Takes = Takes("namespace", "string", false, "The namespace.");
const SELECTOR: Takes = Takes(
    "labelSelector",
    "string",
    false,
    "Only those with these labels, e.g. app=geo.",
);
const POD: Takes = Takes("name", "string", true, "The pod's name.");
const NAME: Takes = Takes("name", "string", true, "The object's name.");
const CONTAINER: Takes = Takes("container", "string", false, "The container.");
const API_VERSION: Takes = Takes("apiVersion", "string", true, "Such as v1 or apps/v1.");
const KIND: Takes = Takes("kind", "string", true, "Such as Pod or Deployment.");

pub(super) const TOOLS: &[Foreign] = &[
    Foreign {
        name: "namespaces_list",
        about: "Lists the namespaces.",
        takes: &[],
        is: |_| shell(vec!["get".into(), "namespaces".into()]),
    },
    Foreign {
        name: "events_list",
        about: "Lists the events of a namespace, or of all.",
        takes: &[NAMESPACE],
        is: |given| {
            let mut command = vec!["get".into(), "events".into()];
            namespace_or_all(&mut command, given)?;
            shell(command)
        },
    },
    Foreign {
        name: "nodes_top",
        about: "Shows what nodes use of processor and memory.",
        takes: &[
            Takes("name", "string", false, "Only this node."),
            Takes(
                "label_selector",
                "string",
                false,
                "Only nodes with these labels.",
            ),
        ],
        is: |given| {
            let mut command = vec!["top".into(), "nodes".into()];
            option(&mut command, "", given.optional("name")?);
            option(&mut command, "-l", given.optional("label_selector")?);
            shell(command)
        },
    },
    Foreign {
        name: "pods_list",
        about: "Lists the pods of all namespaces.",
        takes: &[SELECTOR],
        is: |given| {
            let mut command = listing("pods");
            command.push("-A".into());
            option(&mut command, "-l", given.optional("labelSelector")?);
            shell(command)
        },
    },
    Foreign {
        name: "pods_list_in_namespace",
        about: "Lists the pods of a namespace.",
        takes: &[
            Takes("namespace", "string", true, "The namespace."),
            SELECTOR,
        ],
        is: |given| {
            let mut command = listing("pods");
            option(&mut command, "-n", Some(given.text("namespace")?));
            option(&mut command, "-l", given.optional("labelSelector")?);
            shell(command)
        },
    },
    Foreign {
        name: "pods_get",
        about: "Shows a pod.",
        takes: &[NAMESPACE, POD],
        is: |given| shell(on_object(&["get", "pod"], given, &["-o", "yaml"])?),
    },
    Foreign {
        name: "pods_log",
        about: "Shows the end of a pod's log.",
        takes: &[
            NAMESPACE,
            POD,
            CONTAINER,
            Takes(
                "tail",
                "integer",
                false,
                "Lines from the end; 100 if left out.",
            ),
            Takes(
                "previous",
                "boolean",
                false,
                "The log of the container that ran before.",
            ),
        ],
        is: |given| {
            let mut command = on_object(&["logs"], given, &[])?;
            option(&mut command, "-c", given.optional("container")?);
            if given.flag("previous") == Some(true) {
                command.push("--previous".into());
            }
            command.push(format!("--tail={}", given.whole("tail")?.unwrap_or(100)));
            shell(command)
        },
    },
    Foreign {
        name: "pods_top",
        about: "Shows what pods use of processor and memory.",
        takes: &[
            Takes("all_namespaces", "boolean", false, "In all namespaces."),
            NAMESPACE,
            Takes("name", "string", false, "Only this pod."),
            Takes(
                "label_selector",
                "string",
                false,
                "Only pods with these labels.",
            ),
        ],
        is: |given| {
            let mut command = vec!["top".into(), "pods".into()];
            option(&mut command, "", given.optional("name")?);
            namespace_or_all(&mut command, given)?;
            option(&mut command, "-l", given.optional("label_selector")?);
            shell(command)
        },
    },
    Foreign {
        name: "pods_exec",
        about: "Runs a command in a container.",
        takes: &[
            NAMESPACE,
            POD,
            CONTAINER,
            Takes("command", "array", true, "The program and its arguments."),
        ],
        is: |given| {
            let mut command = on_object(&["exec"], given, &[])?;
            option(&mut command, "-c", given.optional("container")?);
            command.push("--".into());
            command.extend(given.texts("command")?.into_iter().map(quoted));
            shell(command)
        },
    },
    Foreign {
        name: "pods_delete",
        about: "Deletes a pod.",
        takes: &[NAMESPACE, POD],
        is: |given| shell(on_object(&["delete", "pod"], given, &[])?),
    },
    Foreign {
        name: "pods_run",
        about: "Runs an image in a new pod.",
        takes: &[
            NAMESPACE,
            Takes("name", "string", false, "The pod's name."),
            Takes("image", "string", true, "The image."),
        ],
        is: |given| {
            let name = given.optional("name")?.unwrap_or("run");
            let mut command = vec!["run".into(), quoted(name)];
            command.push(format!("--image={}", quoted(given.text("image")?)));
            option(&mut command, "-n", given.optional("namespace")?);
            shell(command)
        },
    },
    Foreign {
        name: "resources_list",
        about: "Lists the objects of a kind, in a namespace or in all.",
        takes: &[API_VERSION, KIND, NAMESPACE, SELECTOR],
        is: |given| {
            let mut command = listing(&resource(given)?);
            namespace_or_all(&mut command, given)?;
            option(&mut command, "-l", given.optional("labelSelector")?);
            shell(command)
        },
    },
    Foreign {
        name: "resources_get",
        about: "Shows an object.",
        takes: &[API_VERSION, KIND, NAMESPACE, NAME],
        is: |given| {
            shell(on_object(
                &["get", &resource(given)?],
                given,
                &["-o", "yaml"],
            )?)
        },
    },
    Foreign {
        name: "resources_create_or_update",
        about: "Creates an object, or changes it.",
        takes: &[Takes(
            "resource",
            "string",
            true,
            "The object, in YAML or JSON.",
        )],
        is: |given| {
            let object = quoted(given.text("resource")?);
            Ok(in_shell(format!(
                "printf '%s\\n' {object} | kubectl apply -f -"
            )))
        },
    },
    Foreign {
        name: "resources_delete",
        about: "Deletes an object.",
        takes: &[API_VERSION, KIND, NAMESPACE, NAME],
        is: |given| shell(on_object(&["delete", &resource(given)?], given, &[])?),
    },
    Foreign {
        name: "resources_scale",
        about: "Shows how many replicas an object has, or changes that.",
        takes: &[
            API_VERSION,
            KIND,
            NAMESPACE,
            NAME,
            Takes("scale", "integer", false, "The new number."),
        ],
        is: |given| match given.whole("scale")? {
            Some(replicas) => {
                let replicas = format!("--replicas={replicas}");
                shell(on_object(
                    &["scale", &resource(given)?],
                    given,
                    &[&replicas],
                )?)
            }
            None => {
                let replicas = "jsonpath={.spec.replicas}";
                shell(on_object(
                    &["get", &resource(given)?],
                    given,
                    &["-o", &quoted(replicas)],
                )?)
            }
        },
    },
];

fn shell(command: Vec<String>) -> Result<Action, String> {
    Ok(in_shell(format!("kubectl {}", command.join(" "))))
}

fn in_shell(command: String) -> Action {
    Action::ExecShell {
        command,
        timeout: 30,
    }
}

fn listing(resource: &str) -> Vec<String> {
    let words = ["get", resource, "-o", "wide", "--show-labels"];
    words.map(str::to_owned).to_vec()
}

/// A command on the object that is named.
fn on_object(verb: &[&str], given: &Arguments, further: &[&str]) -> Result<Vec<String>, String> {
    let mut command: Vec<String> = verb.iter().map(|&word| word.to_owned()).collect();
    command.push(quoted(given.text("name")?));
    option(&mut command, "-n", given.optional("namespace")?);
    command.extend(further.iter().map(|&word| word.to_owned()));
    Ok(command)
}

fn namespace_or_all(command: &mut Vec<String>, given: &Arguments) -> Result<(), String> {
    match given.optional("namespace")? {
        Some(namespace) if given.flag("all_namespaces") != Some(true) => {
            option(command, "-n", Some(namespace));
        }
        _ => command.push("-A".into()),
    }
    Ok(())
}

/// `KIND`, or `KIND.VERSION.GROUP`.
fn resource(given: &Arguments) -> Result<String, String> {
    let kind = given.text("kind")?.to_lowercase();
    Ok(quoted(&match given.text("apiVersion")?.split_once('/') {
        Some((group, version)) => format!("{kind}.{version}.{group}"),
        None => kind,
    }))
}

fn option(command: &mut Vec<String>, flag: &str, value: Option<&str>) {
    if let Some(value) = value.filter(|value| !value.is_empty()) {
        if !flag.is_empty() {
            command.push(flag.to_owned());
        }
        command.push(quoted(value));
    }
}

/// One word of a command line, quoted where it has to be.
fn quoted(word: &str) -> String {
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "-_./=:,@".contains(letter);
    match !word.is_empty() && word.chars().all(is_plain) {
        true => word.to_owned(),
        false => format!("'{}'", word.replace('\'', "'\\''")),
    }
}
