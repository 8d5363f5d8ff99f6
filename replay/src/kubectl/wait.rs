//! `kubectl wait`: a condition is met, or is waited for in vain. Where time stands still, what is
//! not yet true never gets true.

mod passing;

use aiopslab_problems::environment::Verdict;
use serde_json::Value;

use super::arguments::Arguments;
use super::cluster::Cluster;
use super::custom_columns::relaxed;
use super::failure::Failure;
use super::operands::{self, Selecting, Target};
use super::output::{self, Formats, Output, not_evaluated};
use super::waiting::Waiting;
use super::{get, object, resources, with_errors};
use crate::golang::format::plain;
use crate::golang::quote::quote;
use crate::kubernetes::jsonpath::{self, JsonPath, Missing};
use crate::shell::CommandOutput;
use crate::view::RecordedObject;

/// What is waited for.
enum Goal {
    Deleted,
    Created,
    Condition {
        name: String,
        status: String,
    },
    Path {
        path: JsonPath,
        value: Option<String>,
    },
}

impl Goal {
    fn parse(text: &str) -> Result<Self, Failure> {
        let error = |text: String| Failure::invalid(format!("error: {text}"));
        match text.to_lowercase().as_str() {
            "delete" => return Ok(Self::Deleted),
            "create" => return Ok(Self::Created),
            _ => {}
        }
        if let Some(condition) = text.strip_prefix("condition=") {
            let (name, status) = condition.split_once('=').unwrap_or((condition, "true"));
            return Ok(Self::Condition {
                name: name.to_owned(),
                status: status.to_owned(),
            });
        }
        let Some(input) = text.strip_prefix("jsonpath=") else {
            return Err(error(format!("unrecognized condition: {}", quote(text))));
        };
        let parts = split(input);
        let [expression, rest @ ..] = parts.as_slice() else {
            return Err(error(format!("unrecognized condition: {}", quote(text))));
        };
        if rest.len() > 1 {
            return Err(error(
                "jsonpath wait format must be --for=jsonpath='{.status.readyReplicas}'=3 or \
                 --for=jsonpath='{.status.readyReplicas}'"
                    .to_owned(),
            ));
        }
        let expression = relaxed(expression)?;
        let value = rest.first().map(|value| value.trim_matches(['\'', '"']));
        if value == Some("") {
            return Err(error(
                "jsonpath wait has to have a value after equal sign, like \
                 --for=jsonpath='{.status.readyReplicas}'=3"
                    .to_owned(),
            ));
        }
        if expression.is_empty() {
            return Err(error("jsonpath expression cannot be empty".to_owned()));
        }
        Ok(Self::Path {
            path: JsonPath::parse(&expression).map_err(stopped)?,
            value: value.map(str::to_owned),
        })
    }

    /// Whether an object has what is waited for.
    fn met(&self, object: &Value) -> Result<bool, Failure> {
        match self {
            Self::Deleted => Ok(false),
            Self::Created => Ok(true),
            Self::Condition { name, status } => Ok(has_condition(object, name, status)),
            Self::Path { path, value } => {
                let found = path.find(object, Missing::Allowed).map_err(stopped)?;
                let error = |text: &str| Err(Failure::invalid(format!("error: {text}")));
                let Some(first) = found.first().filter(|results| !results.is_empty()) else {
                    return Ok(false);
                };
                if found.len() > 1 {
                    return error("given jsonpath expression matches more than one list");
                }
                let [item] = first.as_slice() else {
                    return error("given jsonpath expression matches more than one value");
                };
                let Some(value) = value else {
                    return Ok(true);
                };
                if item.value().is_object() || item.value().is_array() {
                    return error(
                        "jsonpath leads to a nested object or list which is not supported",
                    );
                }
                Ok(plain(item.value()).trim() == value.trim())
            }
        }
    }
}

fn stopped(failure: jsonpath::Error) -> Failure {
    match failure {
        jsonpath::Error::Message(cause) => Failure::invalid(format!("error: {cause}")),
        jsonpath::Error::NotCaptured(what) => not_evaluated(what),
    }
}

/// Splits at single `=`; two of them are a part of an expression.
fn split(input: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut chars = input.chars().peekable();
    while let Some(c) = chars.next() {
        if c == '=' && chars.peek() != Some(&'=') {
            parts.push(String::new());
        } else if let Some(part) = parts.last_mut() {
            part.push(c);
            if c == '=' {
                part.extend(chars.next());
            }
        }
    }
    parts
}

/// Whether the condition has the status, of the object's present generation.
fn has_condition(object: &Value, name: &str, status: &str) -> bool {
    let same = |one: &str, other: &str| one.to_lowercase() == other.to_lowercase();
    let condition = object::list(object, "/status/conditions")
        .iter()
        .find(|condition| {
            same(object::text(condition, "/type"), name)
                && object::field(condition, "/status").is_some()
        });
    let Some(condition) = condition else {
        return false;
    };
    let whole = |value: &Value, pointer: &str| value.pointer(pointer).and_then(Value::as_i64);
    let observed = whole(condition, "/observedGeneration")
        .or_else(|| whole(object, "/status/observedGeneration"));
    if let (Some(generation), Some(observed)) = (whole(object, "/metadata/generation"), observed)
        && observed < generation
    {
        return false;
    }
    same(object::text(condition, "/status"), status)
}

/// Runs the command.
pub(super) async fn run(
    cluster: &Cluster<'_>,
    arguments: &Arguments,
) -> Result<CommandOutput, Failure> {
    let format = match (arguments.value("output"), arguments.value("template")) {
        (None | Some(""), None | Some("")) => None,
        (given, _) => Some(output::parse(
            arguments,
            given.unwrap_or_default(),
            Formats::Common,
        )?),
    };
    let goal = Goal::parse(arguments.value("for").unwrap_or_default())?;
    let timeout = arguments.duration("timeout").unwrap_or(30_000_000_000);
    let targets = targets(cluster, arguments)?;
    if timeout != 0
        && let Some(waiting) = Waiting::begin(cluster)
    {
        let command = passing::Command {
            cluster,
            arguments,
            goal: &goal,
            format: format.as_ref(),
        };
        return command.run(waiting, timeout, &targets).await;
    }
    let mut output = CommandOutput::answered("");
    let mut errors = Vec::new();
    let mut visited = 0;
    // The time is one for all objects: what comes after one that is waited for in vain comes late.
    let mut late = false;
    for target in &targets {
        for object in objects(cluster, arguments, target, &goal, &mut errors).await? {
            visited += 1;
            let (resource, name) = (target.resource.resource.clone(), object.name.clone());
            let met = goal.met(&get::complete(object.clone()));
            match met {
                Ok(true) if !late || matches!(goal, Goal::Created) => {
                    print_met(object, format.as_ref(), &mut output)?;
                }
                Ok(false) if timeout == 0 => errors.push((
                    format!("error: condition not met for {resource}/{name}"),
                    Verdict::Answered,
                )),
                Ok(_) => {
                    late = true;
                    // What would have come after the moment is not known.
                    errors.push((timed_out(&resource, &name), Verdict::Partial));
                }
                Err(Failure::Message { text, verdict }) => errors.push((text, verdict)),
                Err(stop) => return Err(stop),
            }
        }
    }
    if visited == 0 && errors.is_empty() && !matches!(goal, Goal::Deleted) {
        return Err(Failure::empty("error: no matching resources found"));
    }
    Ok(with_errors(output, &errors))
}

/// Tells of an object that it has what was waited for.
fn print_met(
    object: RecordedObject,
    format: Option<&Output>,
    output: &mut CommandOutput,
) -> Result<(), Failure> {
    match format {
        Some(format) => output::append(output, format.print(get::complete(object))?),
        None => {
            let kind = resources::kind_prefix(&object.group, &object.kind);
            let line = format!("{kind}/{} condition met\n", object.name);
            output.stdout.push_str(&line);
        }
    }
    Ok(())
}

fn timed_out(resource: &str, name: &str) -> String {
    format!("error: timed out waiting for the condition on {resource}/{name}")
}

fn targets(cluster: &Cluster<'_>, arguments: &Arguments) -> Result<Vec<Target>, Failure> {
    if ["filename", "kustomize"]
        .iter()
        .any(|flag| arguments.value(flag).is_some())
        || arguments.is_set("local")
    {
        return Err(Failure::not_captured(
            "kubectl wait --filename: files are not available to kubectl in this recording",
        ));
    }
    let error = |text: &str| Err(Failure::invalid(format!("error: {text}")));
    let selecting = ["selector", "field-selector"]
        .iter()
        .any(|flag| arguments.value(flag).is_some_and(|value| !value.is_empty()));
    let targets = operands::targets(cluster, &arguments.operands, Selecting::parse(arguments))?;
    if targets.is_empty() {
        return error(
            "You must provide one or more resources by argument or filename.\n\
             Example resource specifications include:\n   '-f rsrc.yaml'\n   \
             '--filename=rsrc.json'\n   '<resource> <name>'\n   '<resource>'",
        );
    }
    if targets[0].name.is_none() && !selecting && !arguments.is_set("all") {
        return error("resource(s) were provided, but no name was specified");
    }
    Ok(targets)
}

/// The objects of a target; a missing one is an error unless its end is waited for.
async fn objects(
    cluster: &Cluster<'_>,
    arguments: &Arguments,
    target: &Target,
    goal: &Goal,
    errors: &mut Vec<(String, Verdict)>,
) -> Result<Vec<RecordedObject>, Failure> {
    let t = &target.resource;
    let Some(name) = &target.name else {
        return operands::list(cluster, arguments, t, arguments.listed_namespace()).await;
    };
    match cluster.get(t, arguments.namespace(), name).await {
        Ok(object) => Ok(vec![object]),
        Err(Failure::Message {
            verdict: Verdict::Empty,
            ..
        }) if matches!(goal, Goal::Deleted) => Ok(Vec::new()),
        Err(Failure::Message {
            verdict: Verdict::Empty,
            ..
        }) if matches!(goal, Goal::Created) => {
            errors.push((
                "error: timed out waiting for the condition".to_owned(),
                Verdict::Partial,
            ));
            Ok(Vec::new())
        }
        Err(Failure::Message { text, verdict }) => {
            errors.push((text, verdict));
            Ok(Vec::new())
        }
        Err(stop) => Err(stop),
    }
}

#[cfg(test)]
mod tests {
    use aiopslab_problems::environment::Verdict;

    use crate::kubectl::testing::{run, shop};

    #[test]
    fn conditions_are_met_or_waited_for_in_vain() {
        for (line, text, verdict) in [
            (
                "wait pod/cart-1 --for=jsonpath='{.status.phase}'=Running",
                "pod/cart-1 condition met\n",
                Verdict::Answered,
            ),
            (
                "wait pod/cart-1 --for=jsonpath={.status.phase}",
                "pod/cart-1 condition met\n",
                Verdict::Answered,
            ),
            (
                "wait pods -l app=web --for=condition=Ready",
                "error: timed out waiting for the condition on pods/web-1\n",
                Verdict::Partial,
            ),
            (
                "wait pods --all --for=condition=Ready --timeout=1s",
                "timed out waiting for the condition on pods/cart-1\n\
                 timed out waiting for the condition on pods/web-1\n",
                Verdict::Partial,
            ),
            (
                "wait pod web-1 --for=condition=Ready --timeout=0",
                "error: condition not met for pods/web-1\n",
                Verdict::Answered,
            ),
            ("wait pod nope --for=delete", "", Verdict::Answered),
            (
                "wait pod nope --for=condition=Ready",
                "Error from server (NotFound): pods \"nope\" not found\n",
                Verdict::Empty,
            ),
            (
                "wait pods -l app=none --for=condition=Ready",
                "error: no matching resources found\n",
                Verdict::Empty,
            ),
            (
                "wait pods --for=condition=Ready",
                "error: resource(s) were provided, but no name was specified\n",
                Verdict::Invalid,
            ),
            (
                "wait pods",
                "error: unrecognized condition: \"\"\n",
                Verdict::Invalid,
            ),
            (
                "wait pod/cart-1 --for=jsonpath='{.spec.containers}'=a",
                "error: jsonpath leads to a nested object or list which is not supported\n",
                Verdict::Invalid,
            ),
        ] {
            let outcome = run(&shop(), &format!("kubectl -n shop {line}"));
            assert_eq!(
                (outcome.text().as_str(), outcome.verdict),
                (text, verdict),
                "{line}"
            );
        }
    }
}
