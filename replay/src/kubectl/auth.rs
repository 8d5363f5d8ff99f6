//! `kubectl auth`: what one may do, as the API server answers it.

use serde_json::{Value, json};

use super::arguments::Arguments;
use super::cluster::Cluster;
use super::failure::Failure;
use super::output::{self, Formats, Output};
use super::{object, policy_rules, table};
use crate::golang::json as json_printer;
use crate::kubernetes;
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
pub(super) async fn can_i(
    cluster: &Cluster<'_>,
    arguments: &Arguments,
) -> Result<CommandOutput, Failure> {
    let error = |text: &str| Err(Failure::invalid(format!("error: {text}")));
    if arguments.is_set("list") {
        return list(cluster, arguments).await;
    }
    let [verb, what] = arguments.operands.as_slice() else {
        return error(
            "you must specify two arguments: verb resource or verb resource/resourceName.\nSee \
             'kubectl auth can-i -h' for help and examples.",
        );
    };
    let mut warnings = Vec::new();
    let mut attributes = json!({"verb": verb});
    let verbs: &[&str] = if what.starts_with('/') {
        if arguments
            .value("subresource")
            .is_some_and(|s| !s.is_empty())
        {
            return error("--subresource can not be used with NonResourceURL");
        }
        attributes["path"] = json!(what);
        &PATH_VERBS
    } else {
        let (name, object) = what.split_once('/').unwrap_or((what, ""));
        let (group, resource) = resource(cluster, arguments, name, &mut warnings);
        let subresource = arguments.value("subresource").unwrap_or_default();
        let namespace = match arguments.is_set("all-namespaces") {
            true => "",
            false => arguments.namespace(),
        };
        for (field, value) in [
            ("namespace", namespace),
            ("group", &group),
            ("resource", &resource),
            ("subresource", subresource),
            ("name", object),
        ] {
            attributes[field] = json!(value);
        }
        &RESOURCE_VERBS
    };
    let checked = what.starts_with('/') || !arguments.is_set("all-namespaces");
    if checked && !verbs.contains(&verb.as_str()) {
        warnings.push(format!("verb '{verb}' is not a known verb"));
    }
    if arguments.is_set("no-headers") {
        return error("--no-headers cannot be set without --list specified");
    }
    let spec = match what.starts_with('/') {
        true => json!({"nonResourceAttributes": attributes}),
        false => json!({"resourceAttributes": attributes}),
    };
    let review = review(cluster, "selfsubjectaccessreviews", spec).await?;
    let allowed = object::flag(&review, "/status/allowed");
    let mut output = CommandOutput::answered("");
    if !arguments.is_set("quiet") {
        output.stdout = if allowed { "yes\n" } else { "no\n" }.to_owned();
    }
    output.exit_code = i32::from(!allowed);
    output.stderr = warnings
        .iter()
        .map(|warning| format!("Warning: {warning}\n\n"))
        .collect();
    Ok(output)
}

/// The group and plural of a resource; warns of one that is none, or that is in no namespace.
fn resource(
    cluster: &Cluster<'_>,
    arguments: &Arguments,
    name: &str,
    warnings: &mut Vec<String>,
) -> (String, String) {
    let unknown = (String::new(), name.to_owned());
    if name == "*" {
        return unknown;
    }
    let lower = name.to_lowercase();
    let Ok(t) = cluster.resources.find(&lower) else {
        if !["users", "groups"].contains(&name) {
            warnings.push(match lower.split_once('.') {
                None => format!("the server doesn't have a resource type '{lower}'"),
                Some((resource, group)) => format!(
                    "the server doesn't have a resource type '{resource}' in group '{group}'"
                ),
            });
        }
        return unknown;
    };
    if !t.namespaced && !arguments.is_set("all-namespaces") {
        let group = match t.group.as_str() {
            "" => String::new(),
            group => format!(" in group '{group}'"),
        };
        warnings.push(format!(
            "resource '{}' is not namespace scoped{group}",
            t.resource
        ));
    }
    (t.group.clone(), t.resource.clone())
}

async fn list(cluster: &Cluster<'_>, arguments: &Arguments) -> Result<CommandOutput, Failure> {
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
    let spec = json!({"namespace": arguments.namespace()});
    let review = review(cluster, "selfsubjectrulesreviews", spec).await?;
    let mut text = String::new();
    if !arguments.is_set("no-headers") {
        text = format!("{}\n", policy_rules::HEADINGS.join("\t"));
    }
    let rules =
        ["/status/resourceRules", "/status/nonResourceRules"].map(|of| object::list(&review, of));
    for rule in policy_rules::single(rules.into_iter().flatten()) {
        text.push_str(&format!("{}\n", rule.row()));
    }
    let mut output = CommandOutput::answered(table::print_cells(&text));
    if object::flag(&review, "/status/incomplete") {
        output.stderr = format!(
            "warning: the list may be incomplete: {}\n",
            object::text(&review, "/status/evaluationError")
        );
    }
    Ok(output)
}

/// What the API server answers to a review.
async fn review(cluster: &Cluster<'_>, resource: &str, spec: Value) -> Result<Value, Failure> {
    Ok(kubernetes::review(cluster.view, resource, &json!({"spec": spec})).await?)
}

/// `[get list]`
fn listed(rule: &Value, pointer: &str) -> String {
    let texts: Vec<String> = object::list(rule, pointer)
        .iter()
        .map(object::plain)
        .collect();
    format!("[{}]", texts.join(" "))
}

/// Runs `kubectl auth whoami`.
pub(super) async fn who_am_i(
    cluster: &Cluster<'_>,
    arguments: &Arguments,
) -> Result<CommandOutput, Failure> {
    let given = arguments.value("output").unwrap_or_default();
    let mut review = review(cluster, "selfsubjectreviews", json!({})).await?;
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
    use serde_json::json;

    use crate::kubectl::testing::{MemoryView, run, shop};

    fn check(view: &MemoryView, line: &str, text: &str) {
        let mut text: Vec<&str> = text.split_inclusive('\n').collect();
        text.sort_unstable();
        let outcome = run(view, &format!("kubectl auth {line}")).text();
        let mut lines: Vec<&str> = outcome.split_inclusive('\n').collect();
        lines.sort_unstable();
        assert_eq!(lines, text, "{line}");
    }

    #[test]
    fn what_was_recorded_is_answered() {
        let mut view = shop();
        let rule = |verb: &str, resource: &str| json!({"verbs": [verb], "apiGroups": [""], "resources": [resource]});
        let everywhere = json!({
            "resourceRules": [rule("get", "pods"), rule("list", "pods"), rule("get", "nodes")],
            "nonResourceRules": [{"verbs": ["get"], "nonResourceURLs": ["/api/*"]}],
            "incomplete": false});
        let mut shop = everywhere.clone();
        let deployments = json!({"verbs": ["*"], "apiGroups": ["apps"], "resources": ["deployments/scale"],
            "resourceNames": ["cart"]});
        shop["resourceRules"]
            .as_array_mut()
            .unwrap()
            .push(deployments);
        view.access = vec![(String::new(), everywhere), ("shop".to_owned(), shop)];
        for (line, text) in [
            ("can-i get pods -n shop", "yes\n"),
            ("can-i list po -A", "yes\n"),
            ("can-i get pods -n elsewhere", "yes\n"),
            ("can-i get pods/x -n shop", "yes\n"),
            ("can-i get pods --subresource=log -n shop", "no\n"),
            ("can-i delete pods -n shop", "no\n"),
            ("can-i delete pods -A", "no\n"),
            (
                "can-i delete pods -n elsewhere",
                "notice: what one may do in namespace elsewhere is not available in this recording\n",
            ),
            ("can-i get /api/v1", "yes\n"),
            ("can-i get /logs/", "no\n"),
            ("can-i delete pods -q -n shop", ""),
            (
                "can-i --list -n shop",
                "Resources                Non-Resource URLs   Resource Names   Verbs\n\
                 deployments.apps/scale   []                  [cart]           [*]\n\
                 pods                     []                  []               [get list]\n\
                 nodes                    []                  []               [get]\n\
                 \x20                        [/api/*]            []               [get]\n",
            ),
            (
                "can-i get pods --as=someone",
                "notice: what another user may do (--as) is not available in this recording\n",
            ),
        ] {
            check(&view, line, text);
        }
    }

    #[test]
    fn without_a_record_one_is_who_upstreams_agents_are() {
        for (line, text) in [
            ("can-i '*' '*'", "yes\n"),
            ("can-i create deployments.apps -n shop", "yes\n"),
            (
                "can-i get nodes",
                "Warning: resource 'nodes' is not namespace scoped\n\nyes\n",
            ),
            (
                "can-i --list --no-headers",
                "*.*   []    []    [*]\n      [*]   []    [*]\n",
            ),
            (
                "can-i get",
                "error: you must specify two arguments: verb resource or verb \
                 resource/resourceName.\nSee 'kubectl auth can-i -h' for help and examples.\n",
            ),
            (
                "whoami",
                "ATTRIBUTE   VALUE\nUsername    agent\nGroups      [system:authenticated]\n",
            ),
            (
                "foo",
                "error: unknown command \"foo\"\nSee 'kubectl auth -h' for help and examples\n",
            ),
        ] {
            check(&shop(), line, text);
        }
    }
}
