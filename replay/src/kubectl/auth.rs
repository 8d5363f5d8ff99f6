//! `kubectl auth`: what a user may do who may read everything and change nothing, as the API server
//! answers it.

use serde_json::{Value, json};

use super::arguments::Arguments;
use super::cluster::Cluster;
use super::failure::Failure;
use super::output::{self, Formats, Output};
use super::{object, table};
use crate::golang::json as json_printer;
use crate::kubernetes::review as answer_review;
use crate::shell::CommandOutput;

const RESOURCE_VERBS: [&str; 16] = [
    "get",
    "list",
    "watch",
    "create",
    "update",
    "patch",
    "delete",
    "deletecollection",
    "use",
    "bind",
    "impersonate",
    "*",
    "approve",
    "sign",
    "escalate",
    "attest",
];
const PATH_VERBS: [&str; 8] = [
    "get", "put", "post", "head", "options", "delete", "patch", "*",
];

/// Runs `kubectl auth can-i`.
pub(super) fn can_i(
    cluster: &Cluster<'_>,
    arguments: &Arguments,
) -> Result<CommandOutput, Failure> {
    let error = |text: &str| Err(Failure::invalid(format!("error: {text}")));
    for flag in ["as", "as-group", "as-uid"] {
        if arguments.value(flag).is_some() {
            return Err(Failure::not_captured(format!(
                "what another user may do (--{flag}) is not available in this recording"
            )));
        }
    }
    if arguments.is_set("list") {
        return list(arguments);
    }
    let [verb, what] = arguments.operands.as_slice() else {
        return error(
            "you must specify two arguments: verb resource or verb resource/resourceName.\nSee \
             'kubectl auth can-i -h' for help and examples.",
        );
    };
    let mut warnings = Vec::new();
    let verbs: &[&str] = if what.starts_with('/') {
        if arguments
            .value("subresource")
            .is_some_and(|s| !s.is_empty())
        {
            return error("--subresource can not be used with NonResourceURL");
        }
        &PATH_VERBS
    } else {
        resource(cluster, arguments, what, &mut warnings);
        &RESOURCE_VERBS
    };
    let checked = what.starts_with('/') || !arguments.is_set("all-namespaces");
    if checked && !verbs.contains(&verb.as_str()) {
        warnings.push(format!("verb '{verb}' is not a known verb"));
    }
    if arguments.is_set("no-headers") {
        return error("--no-headers cannot be set without --list specified");
    }
    let attributes = if what.starts_with('/') {
        json!({"nonResourceAttributes": {"verb": verb, "path": what}})
    } else {
        json!({"resourceAttributes": {"verb": verb, "resource": what}})
    };
    let review = review("selfsubjectaccessreviews", attributes)?;
    let allowed = object::flag(&review, "/status/allowed");
    let mut output = CommandOutput::answered("");
    if !arguments.is_set("quiet") {
        output.stdout = match (allowed, object::text(&review, "/status/reason")) {
            (true, _) => "yes\n".to_owned(),
            (false, "") => "no\n".to_owned(),
            (false, reason) => format!("no - {reason}\n"),
        };
    }
    output.exit_code = i32::from(!allowed);
    output.stderr = warnings
        .iter()
        .map(|warning| format!("Warning: {warning}\n\n"))
        .collect();
    Ok(output)
}

/// Warns of a resource that is none, or that is in no namespace.
fn resource(cluster: &Cluster<'_>, arguments: &Arguments, what: &str, warnings: &mut Vec<String>) {
    let name = what.split('/').next().unwrap_or(what);
    if name == "*" {
        return;
    }
    match cluster.resources.find(&name.to_lowercase()).ok() {
        Some(t) if t.namespaced || arguments.is_set("all-namespaces") => {}
        Some(t) if t.group.is_empty() => {
            warnings.push(format!("resource '{}' is not namespace scoped", t.resource))
        }
        Some(t) => warnings.push(format!(
            "resource '{}' is not namespace scoped in group '{}'",
            t.resource, t.group
        )),
        None if ["users", "groups"].contains(&name) => {}
        None => {
            let lower = name.to_lowercase();
            warnings.push(match lower.split_once('.') {
                None => format!("the server doesn't have a resource type '{lower}'"),
                Some((resource, group)) => format!(
                    "the server doesn't have a resource type '{resource}' in group '{group}'"
                ),
            });
        }
    }
}

fn list(arguments: &Arguments) -> Result<CommandOutput, Failure> {
    let error = |text: &str| Err(Failure::invalid(format!("error: {text}")));
    if !arguments.operands.is_empty() {
        return error("list option must be specified with no arguments");
    }
    let other = arguments.is_set("quiet")
        || arguments.is_set("all-namespaces")
        || arguments
            .value("subresource")
            .is_some_and(|s| !s.is_empty());
    if other {
        return error(
            "list option can't be specified with neither quiet, all-namespaces nor subresource \
             options",
        );
    }
    let mut text = String::new();
    if !arguments.is_set("no-headers") {
        text.push_str("Resources\tNon-Resource URLs\tResource Names\tVerbs\n");
    }
    let review = review("selfsubjectrulesreviews", json!({}))?;
    let mut lines: Vec<(String, String)> = Vec::new();
    for rule in object::list(&review, "/status/resourceRules") {
        let verbs = listed(rule, "/verbs");
        for (group, resource) in pairs(rule) {
            lines.push((
                format!("&PolicyRule{{Verbs:{verbs},APIGroups:[{group}]"),
                format!("{resource}.{group}\t[]\t[]\t{verbs}\n"),
            ));
        }
    }
    for rule in object::list(&review, "/status/nonResourceRules") {
        for path in object::list(rule, "/nonResourceURLs") {
            for verb in object::list(rule, "/verbs") {
                let (path, verb) = (object::plain(path), object::plain(verb));
                lines.push((
                    format!("&PolicyRule{{Verbs:[{verb}],APIGroups:[]"),
                    format!("\t[{path}]\t[]\t[{verb}]\n"),
                ));
            }
        }
    }
    lines.sort();
    text.extend(lines.into_iter().map(|(_, line)| line));
    Ok(CommandOutput::answered(table::print_cells(&text)))
}

/// What the API server answers to a review.
fn review(resource: &str, spec: Value) -> Result<Value, Failure> {
    answer_review(resource, &json!({"spec": spec})).map_err(|_| {
        Failure::not_captured(format!("{resource} are not available in this recording"))
    })
}

/// `[get list]`
fn listed(rule: &Value, pointer: &str) -> String {
    let texts: Vec<String> = object::list(rule, pointer)
        .iter()
        .map(object::plain)
        .collect();
    format!("[{}]", texts.join(" "))
}

/// Each group with each resource of a rule.
fn pairs(rule: &Value) -> Vec<(String, String)> {
    object::list(rule, "/apiGroups")
        .iter()
        .flat_map(|group| {
            object::list(rule, "/resources")
                .iter()
                .map(|resource| (object::plain(group), object::plain(resource)))
        })
        .collect()
}

/// Runs `kubectl auth whoami`.
pub(super) fn who_am_i(arguments: &Arguments) -> Result<CommandOutput, Failure> {
    let given = arguments.value("output").unwrap_or_default();
    let mut review = review("selfsubjectreviews", json!({}))?;
    if given.is_empty() && arguments.value("template").is_none() {
        let user = object::text(&review, "/status/userInfo/username");
        let groups = listed(&review, "/status/userInfo/groups");
        return Ok(CommandOutput::answered(table::print_cells(&format!(
            "ATTRIBUTE\tVALUE\nUsername\t{user}\nGroups\t{groups}\n"
        ))));
    }
    let format = output::parse(arguments, given, Formats::Common)?;
    let mut output = CommandOutput::answered("");
    // A time that is not set is left out.
    review["metadata"] = json!({});
    if let Output::Json(_) = format {
        let order: &dyn Fn(&json_printer::Fields) -> &'static [&'static str] = &|_| {
            &[
                "kind",
                "apiVersion",
                "metadata",
                "status",
                "username",
                "groups",
            ]
        };
        output.stdout = json_printer::print_in_order(&review, order);
    } else {
        output::append(&mut output, format.print(review)?);
    }
    Ok(output)
}

#[cfg(test)]
mod tests {
    use crate::kubectl::testing::{run, shop};

    #[test]
    fn reading_is_allowed_and_changing_is_not() {
        for (line, text) in [
            ("can-i get pods", "yes\n"),
            ("can-i list pods -A", "yes\n"),
            (
                "can-i delete pods",
                "no - this cluster is a read-only replay of a recorded incident\n",
            ),
            (
                "can-i create deployments.apps -n shop",
                "no - this cluster is a read-only replay of a recorded incident\n",
            ),
            ("can-i get /logs/", "yes\n"),
            (
                "can-i '*' '*'",
                "no - this cluster is a read-only replay of a recorded incident\n",
            ),
            (
                "can-i get nodes",
                "Warning: resource 'nodes' is not namespace scoped\n\nyes\n",
            ),
            ("can-i delete pods -q", ""),
            (
                "can-i get",
                "error: you must specify two arguments: verb resource or verb \
                 resource/resourceName.\nSee 'kubectl auth can-i -h' for help and examples.\n",
            ),
            (
                "whoami",
                "ATTRIBUTE   VALUE\nUsername    replay\nGroups      [system:authenticated]\n",
            ),
            (
                "foo",
                "error: unknown command \"foo\"\nSee 'kubectl auth -h' for help and examples\n",
            ),
        ] {
            let mut text: Vec<&str> = text.split_inclusive('\n').collect();
            text.sort_unstable();
            let outcome = run(&shop(), &format!("kubectl auth {line}")).text();
            let mut lines: Vec<&str> = outcome.split_inclusive('\n').collect();
            lines.sort_unstable();
            assert_eq!(lines, text, "{line}");
        }
    }
}
