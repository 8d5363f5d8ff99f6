//! The table of actions: names, arguments, texts. Docs, schemas, checks and signatures come from it.

use std::fmt::Write as _;

use serde_json::{Map, Value, json};

use super::{Action, ActionSet, CallError};
use crate::submission::{FAULT_TYPES, SYSTEM_LEVELS};
use crate::task::Task;

/// Names of all actions, AIOpsLab's seven and ours, sorted.
pub const NAMES: [&str; 8] = [
    "exec_shell",
    "get_logs",
    "get_metrics",
    "get_traces",
    "query_sql",
    "read_metrics",
    "read_traces",
    "submit",
];

/// The type of an argument.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    Whole,
}

/// One argument of an action.
#[derive(Debug)]
pub(super) struct Parameter {
    name: &'static str,
    kind: Kind,
    default: Option<i64>,
    about: &'static str,
}

/// One action.
#[derive(Debug)]
pub(super) struct Described {
    pub(super) name: &'static str,
    about: &'static str,
    parameters: &'static [Parameter],
    returns: &'static str,
    set: ActionSet,
}

const fn text(name: &'static str, about: &'static str) -> Parameter {
    Parameter {
        name,
        kind: Kind::Text,
        default: None,
        about,
    }
}

const fn whole(name: &'static str, default: i64, about: &'static str) -> Parameter {
    Parameter {
        name,
        kind: Kind::Whole,
        default: Some(default),
        about,
    }
}

const NAMESPACE: Parameter = text("namespace", "The Kubernetes namespace of the application.");
const DURATION: Parameter = whole("duration", 5, "How many minutes to look back from now.");

/// The views of `query_sql`: name, columns and what to know of them.
pub const SQL_VIEWS: [(&str, &str, &str); 7] = [
    (
        "coverage",
        "\"table\", source, scope, \"from\", \"to\", state, reason",
        "what was recorded",
    ),
    (
        "events",
        "last_seen, count, namespace, type, reason, object, message",
        "",
    ),
    (
        "logs",
        "timestamp, namespace, service, pod, container, stream, message, instance_id, seq",
        "",
    ),
    (
        "metrics",
        "timestamp, name, labels, namespace, pod, container, node, value, series_id",
        "labels['pod'] is a label",
    ),
    (
        "objects",
        "\"group\", version, resource, kind, namespace, name, uid, valid_from, object",
        "object is JSON: json_get_str(object, 'status', 'phase')",
    ),
    (
        "traces",
        "start, \"end\", trace_id, span_id, parent_span_id, service, operation, kind, status, message, duration_ms, attributes",
        "attributes is JSON",
    ),
    (
        "usage",
        "timestamp, kind, namespace, name, container, cpu_nanocores, memory_bytes",
        "",
    ),
];

/// The views of `query_sql`, one a line.
#[must_use]
pub fn sql_views() -> String {
    let line = |(name, columns, note): &(&str, &str, &str)| {
        let note = if note.is_empty() {
            String::new()
        } else {
            format!("; {note}")
        };
        format!("    {name}({columns}){note}")
    };
    SQL_VIEWS.iter().map(line).collect::<Vec<_>>().join("\n")
}

pub(super) const ACTIONS: [Described; 8] = [
    Described {
        name: "exec_shell",
        about: "Runs a command line in a shell that can reach the cluster, kubectl included. Each call is a new shell. Commands that never end or that open an editor are refused.",
        parameters: &[
            text("command", "The command line."),
            whole(
                "timeout",
                30,
                "Seconds after which the command is given up.",
            ),
        ],
        returns: "What the command printed, or the error that it ended with.",
        set: ActionSet::Upstream,
    },
    Described {
        name: "get_logs",
        about: "Reads the log of a service: of its first pod, from the start of the running container.",
        parameters: &[NAMESPACE, text("service", "The name of the service.")],
        returns: "The lines of the log.",
        set: ActionSet::Upstream,
    },
    Described {
        name: "get_metrics",
        about: "Exports the metrics of all pods of a namespace over the last minutes, from Prometheus, one CSV file per metric.",
        parameters: &[NAMESPACE, DURATION],
        returns: "The folder that the files are in and their names; `read_metrics` shows one.",
        set: ActionSet::Upstream,
    },
    Described {
        name: "get_traces",
        about: "Exports the spans of a namespace over the last minutes, from Jaeger, as one CSV file.",
        parameters: &[NAMESPACE, DURATION],
        returns: "The path of the file; `read_traces` shows it.",
        set: ActionSet::Upstream,
    },
    Described {
        name: "query_sql",
        about: "Queries what was observed up to now, in SQL. now() is the present moment.",
        parameters: &[text(
            "query",
            "One SELECT, or WITH … SELECT; names in double quotes, texts in single ones.",
        )],
        returns: "The rows as CSV with a header, at most 1000 of them and 64 KiB.",
        set: ActionSet::Extended,
    },
    Described {
        name: "read_metrics",
        about: "Shows a CSV file that `get_metrics` exported.",
        parameters: &[text("file_path", "The path of the file.")],
        returns: "The file as a table.",
        set: ActionSet::Upstream,
    },
    Described {
        name: "read_traces",
        about: "Shows a CSV file that `get_traces` exported.",
        parameters: &[text("file_path", "The path of the file.")],
        returns: "The file as a table.",
        set: ActionSet::Upstream,
    },
    Described {
        name: "submit",
        about: "",
        parameters: &[],
        returns: "",
        set: ActionSet::Upstream,
    },
];

/// The actions of a set.
pub(super) fn actions(set: ActionSet) -> impl Iterator<Item = &'static Described> {
    let has =
        move |action: &&Described| set == ActionSet::Extended || action.set == ActionSet::Upstream;
    ACTIONS.iter().filter(has)
}

/// Names of the actions of a set, sorted, for a text.
pub(super) fn listed(set: ActionSet) -> String {
    let names: Vec<_> = actions(set).map(|action| action.name).collect();
    names.join(", ")
}

/// Returns the name and documentation of each action of a set, as shown to agents; `submit` is the task's.
#[must_use]
pub fn describe(task: Task, set: ActionSet) -> Vec<(&'static str, String)> {
    actions(set)
        .map(|action| {
            if action.name == "submit" {
                return (action.name, submit_text(task));
            }
            let mut about = action.about.to_owned();
            if action.name == "query_sql" {
                about.push_str(&format!(" The views are:\n{}", sql_views()));
            }
            let mut doc = format!("{}\n{about}\n\nArgs:\n", signature(action));
            for parameter in action.parameters {
                let kind = kind_name(parameter.kind);
                // Writing to a String can't fail.
                let _ = writeln!(doc, "    {} ({kind}): {}", parameter.name, parameter.about);
            }
            let _ = write!(doc, "Returns:\n    str: {}", action.returns);
            (action.name, doc)
        })
        .collect()
}

/// Returns the JSON schema of each action's arguments, for agents that call tools by JSON.
#[must_use]
pub fn schemas(task: Task, set: ActionSet) -> Vec<(&'static str, Value)> {
    actions(set)
        .map(|action| {
            if action.name == "submit" {
                return (action.name, submit_schema(task));
            }
            let mut properties = Map::new();
            let mut required = Vec::new();
            for parameter in action.parameters {
                let kind = match parameter.kind {
                    Kind::Text => "string",
                    Kind::Whole => "integer",
                };
                let mut property = json!({"type": kind, "description": parameter.about});
                match parameter.default {
                    Some(default) => property["default"] = default.into(),
                    None => required.push(parameter.name),
                }
                properties.insert(parameter.name.to_owned(), property);
            }
            (action.name, object_schema(properties, &required))
        })
        .collect()
}

/// Builds an action from a tool call by JSON, whose arguments obey [`schemas`].
pub fn from_json(name: &str, arguments: &Value, set: ActionSet) -> Result<Action, CallError> {
    let known = actions(set).find(|action| action.name == name);
    let action = known
        .ok_or_else(|| CallError::UnknownAction {
            name: name.chars().take(80).collect(),
            known: listed(set),
        })?
        .name;
    let fields: Vec<(String, Value)> = match arguments {
        Value::Object(fields) => fields
            .iter()
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect(),
        _ => Vec::new(),
    };
    if action == "submit" {
        let solution = match (fields.len(), arguments.get("analysis")) {
            (0, _) => Value::Null,
            (_, Some(analysis)) => analysis.clone(),
            (1, None) => fields
                .into_iter()
                .next()
                .map_or(Value::Null, |(_, value)| value),
            _ => arguments.clone(),
        };
        return Ok(Action::Submit { solution });
    }
    build(action, Vec::new(), fields).map_err(|reason| CallError::Arguments { action, reason })
}

/// The form of a call, e.g. `get_logs(namespace: str, service: str)`.
pub(super) fn signature(action: &Described) -> String {
    if action.name == "submit" {
        return "submit(<solution>)".to_owned();
    }
    let parameters: Vec<String> = action
        .parameters
        .iter()
        .map(|parameter| {
            let default = parameter
                .default
                .map(|default| format!(" = {default}"))
                .unwrap_or_default();
            format!("{}: {}{default}", parameter.name, kind_name(parameter.kind))
        })
        .collect();
    format!("{}({})", action.name, parameters.join(", "))
}

/// Builds an action, other than `submit`, from the arguments of a call.
pub(super) fn build(
    name: &'static str,
    positional: Vec<Value>,
    keywords: Vec<(String, Value)>,
) -> Result<Action, String> {
    let parameters = ACTIONS
        .iter()
        .find(|action| action.name == name)
        .map_or(&[][..], |action| action.parameters);
    if positional.len() > parameters.len() {
        return Err(format!(
            "it takes {} arguments, not {}",
            parameters.len(),
            positional.len()
        ));
    }
    let mut given: Vec<Option<Value>> = positional.into_iter().map(Some).collect();
    given.resize(parameters.len(), None);
    for (key, value) in keywords {
        let at = parameters
            .iter()
            .position(|parameter| parameter.name == key);
        match at.and_then(|at| given.get_mut(at)) {
            Some(slot @ None) => *slot = Some(value),
            Some(Some(_)) => return Err(format!("argument {key} is given twice")),
            None => return Err(format!("there is no argument {key}")),
        }
    }
    let mut values = Values {
        texts: Vec::new(),
        wholes: Vec::new(),
    };
    for (parameter, value) in parameters.iter().zip(given) {
        values.read(parameter, value)?;
    }
    values
        .into_action(name)
        .ok_or_else(|| "its arguments don't fit".to_owned())
}

/// Checked arguments, in the order of the parameters of their kind.
struct Values {
    texts: Vec<String>,
    wholes: Vec<i64>,
}

impl Values {
    fn read(&mut self, parameter: &Parameter, value: Option<Value>) -> Result<(), String> {
        let Parameter {
            name,
            kind,
            default,
            ..
        } = parameter;
        match (kind, value) {
            (Kind::Text, Some(Value::String(text))) => self.texts.push(text),
            (Kind::Whole, Some(value)) => {
                let number = value.as_i64().or_else(|| whole_float(&value));
                self.wholes.push(number.ok_or_else(|| {
                    format!("{name} has to be a whole number, not {}", brief(&value))
                })?);
            }
            (Kind::Whole, None) => self.wholes.extend(default.iter()),
            (Kind::Text, Some(value)) => {
                return Err(format!("{name} has to be a text, not {}", brief(&value)));
            }
            (Kind::Text, None) => return Err(format!("argument {name} is missing")),
        }
        Ok(())
    }

    fn into_action(self, name: &str) -> Option<Action> {
        let mut texts = self.texts.into_iter();
        let mut wholes = self.wholes.into_iter();
        Some(match name {
            "exec_shell" => Action::ExecShell {
                command: texts.next()?,
                timeout: wholes.next()?,
            },
            "get_logs" => Action::GetLogs {
                namespace: texts.next()?,
                service: texts.next()?,
            },
            "get_metrics" => Action::GetMetrics {
                namespace: texts.next()?,
                duration: wholes.next()?,
            },
            "get_traces" => Action::GetTraces {
                namespace: texts.next()?,
                duration: wholes.next()?,
            },
            "read_metrics" => Action::ReadMetrics {
                file_path: texts.next()?,
            },
            "read_traces" => Action::ReadTraces {
                file_path: texts.next()?,
            },
            "query_sql" => Action::QuerySql {
                query: texts.next()?,
            },
            _ => return None,
        })
    }
}

fn brief(value: &Value) -> String {
    let text = value.to_string();
    if text.chars().count() > 40 {
        format!("{}…", text.chars().take(40).collect::<String>())
    } else {
        text
    }
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "the number is whole and small"
)]
fn whole_float(value: &Value) -> Option<i64> {
    value
        .as_f64()
        .filter(|number| number.fract() == 0.0 && number.abs() < 1e15)
        .map(|number| number as i64)
}

fn kind_name(kind: Kind) -> &'static str {
    match kind {
        Kind::Text => "str",
        Kind::Whole => "int",
    }
}

fn submit_text(task: Task) -> String {
    match task {
        Task::Detection => "submit(has_anomaly: str)\nSubmits whether the system has a fault. It ends the problem.\n\nArgs:\n    has_anomaly (str): \"Yes\" or \"No\".".to_owned(),
        Task::Localization => "submit(faulty_components: list[str])\nSubmits which services the root cause is in. It ends the problem.\n\nArgs:\n    faulty_components (list[str]): Names of services; an empty list if there is no fault.".to_owned(),
        Task::Analysis => format!(
            "submit(analysis: dict[str, str])\nSubmits what kind of fault it is. It ends the problem.\n\nArgs:\n    analysis (dict[str, str]): `system_level`, one of {}; and `fault_type`, one of {}.",
            SYSTEM_LEVELS.join(", "),
            FAULT_TYPES.join(", ")
        ),
        Task::Mitigation => "submit()\nSays that the fault has been repaired. It ends the problem; the state of the cluster is judged.".to_owned(),
    }
}

fn submit_schema(task: Task) -> Value {
    let (name, property) = match task {
        Task::Detection => (
            "has_anomaly",
            json!({"type": "string", "enum": ["Yes", "No"]}),
        ),
        Task::Localization => (
            "faulty_components",
            json!({"type": "array", "items": {"type": "string"}}),
        ),
        Task::Analysis => (
            "analysis",
            json!({
                "type": "object",
                "properties": {
                    "system_level": {"type": "string", "enum": SYSTEM_LEVELS},
                    "fault_type": {"type": "string", "enum": FAULT_TYPES},
                },
                "required": ["system_level", "fault_type"],
                "additionalProperties": false,
            }),
        ),
        Task::Mitigation => return object_schema(Map::new(), &[]),
    };
    object_schema(Map::from_iter([(name.to_owned(), property)]), &[name])
}

fn object_schema(properties: Map<String, Value>, required: &[&str]) -> Value {
    json!({"type": "object", "properties": properties, "required": required, "additionalProperties": false})
}
