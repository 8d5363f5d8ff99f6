//! Events: which belong to an object, in which order, and `kubectl events`.

use aiopslab_problems::environment::Verdict;
use serde_json::{Value, json};

use super::arguments::Arguments;
use super::cluster::Cluster;
use super::failure::Failure;
use super::output::{self, Formats, Output};
use super::{get, object, table, tabwriter, timestamp};
use crate::golang::json as json_printer;
use crate::golang::sort::sort;
use crate::shell::{CommandOutput, END_OF_RECORDING};
use crate::view::RecordedObject;

/// Whom events are about.
pub(super) struct Subject<'a> {
    /// Namespace; empty for cluster-scoped objects.
    pub(super) namespace: &'a str,
    /// Name.
    pub(super) name: &'a str,
    /// Kind; none for any.
    pub(super) kind: Option<&'a str>,
    /// Any of these.
    pub(super) uids: Vec<&'a str>,
}

/// Events about an object, the oldest first; none if events were not recorded.
pub(super) async fn about(
    cluster: &Cluster<'_>,
    subject: &Subject<'_>,
) -> Result<Option<Vec<RecordedObject>>, Failure> {
    let namespace = Some(subject.namespace).filter(|namespace| !namespace.is_empty());
    let Some(mut events) = cluster.list_known("", "events", namespace).await? else {
        return Ok(None);
    };
    events.retain(|event| {
        let involved =
            |field: &str| object::text(&event.object, &format!("/involvedObject/{field}"));
        involved("name") == subject.name
            && involved("namespace") == subject.namespace
            && subject.kind.is_none_or(|kind| involved("kind") == kind)
            && subject.uids.contains(&involved("uid"))
    });
    let last = |event: &RecordedObject| timestamp::nanoseconds(&event.object, "/lastTimestamp");
    sort(&mut events, |one, other| last(one) < last(other));
    Ok(Some(events))
}

/// `5m (x3 over 10m)`, or the age of an event that happened once.
pub(super) fn interval(event: &Value, now: i64) -> String {
    let first = match timestamp::nanoseconds(event, "/eventTime") {
        Some(_) => timestamp::age(event, "/eventTime", now),
        None => timestamp::age(event, "/firstTimestamp", now),
    };
    if object::field(event, "/series").is_some() {
        let last = timestamp::age(event, "/series/lastObservedTime", now);
        format!(
            "{last} (x{} over {first})",
            object::number(event, "/series/count")
        )
    } else if object::number(event, "/count") > 1 {
        let last = timestamp::age(event, "/lastTimestamp", now);
        format!("{last} (x{} over {first})", object::number(event, "/count"))
    } else {
        first
    }
}

/// Runs `kubectl events`.
pub(super) async fn run(
    cluster: &Cluster<'_>,
    arguments: &Arguments,
) -> Result<CommandOutput, Failure> {
    let about = match arguments.value("for").filter(|text| !text.is_empty()) {
        None => None,
        Some(text) => Some(about_argument(cluster, text)?),
    };
    let given = arguments.value("output").unwrap_or_default();
    let format = if given.is_empty() {
        None
    } else {
        Some(output::parse(arguments, given, Formats::Common)?)
    };
    let types = arguments.values("types");
    let known = |t: &&str| t.eq_ignore_ascii_case("Normal") || t.eq_ignore_ascii_case("Warning");
    if !types.iter().all(known) {
        return Err(Failure::invalid(
            "error: valid --types are Normal or Warning",
        ));
    }
    let t = cluster.resources.find("events")?.clone();
    let mut events = cluster.list(&t, arguments.listed_namespace()).await?;
    events.retain(|event| {
        let text = |pointer: &str| object::text(&event.object, pointer);
        (types.is_empty() || types.iter().any(|t| t.eq_ignore_ascii_case(text("/type"))))
            && about.as_ref().is_none_or(|(kind, version, name)| {
                text("/involvedObject/kind") == kind
                    && text("/involvedObject/apiVersion") == version
                    && text("/involvedObject/name") == name
            })
    });
    let mut output = CommandOutput::answered("");
    if arguments.is_set("watch") {
        if cluster.view.plays_until().is_some() {
            return Err(Failure::not_captured(
                "kubectl events --watch is not available in this recording, kubectl get events -w is",
            ));
        }
        // A watch begins with what is there, in the order in which it is kept.
        output.stderr.push_str(END_OF_RECORDING);
        output.verdict = Verdict::Partial;
    } else if events.is_empty() {
        output.verdict = Verdict::Empty;
        output.stderr = match arguments.listed_namespace() {
            None => "No events found.\n".to_owned(),
            Some(namespace) => format!("No events found in {namespace} namespace.\n"),
        };
        return Ok(output);
    } else {
        sort(&mut events, |one, other| seen(one) < seen(other));
    }
    match format {
        None => output.stdout = print(cluster, arguments, &events),
        // kubectl can't name a list of events, and says nothing of it.
        Some(Output::Name) => {}
        Some(format) => {
            let items: Vec<Value> = events.into_iter().map(get::complete).collect();
            let list = json!({
                "kind": "EventList", "apiVersion": "v1", "metadata": {}, "items": items
            });
            if let Output::Json(_) = format {
                output.stdout = json_printer::print_in_order(&list, &field_order);
            } else {
                output::append(&mut output, format.print(list)?);
            }
        }
    }
    Ok(output)
}

/// The order in which kubectl writes the fields of events, which it knows as Go structs.
fn field_order(fields: &json_printer::Fields) -> &'static [&'static str] {
    if fields.contains_key("metadata") {
        return &[
            "kind",
            "apiVersion",
            "metadata",
            "items",
            "involvedObject",
            "reason",
            "message",
            "source",
            "firstTimestamp",
            "lastTimestamp",
            "count",
            "type",
            "eventTime",
            "series",
            "action",
            "related",
            "reportingComponent",
            "reportingInstance",
        ];
    }
    if fields.contains_key("creationTimestamp") {
        return &[
            "name",
            "generateName",
            "namespace",
            "selfLink",
            "uid",
            "resourceVersion",
            "generation",
            "creationTimestamp",
            "deletionTimestamp",
            "deletionGracePeriodSeconds",
            "labels",
            "annotations",
            "ownerReferences",
            "finalizers",
        ];
    }
    &[
        "kind",
        "namespace",
        "name",
        "uid",
        "apiVersion",
        "resourceVersion",
        "fieldPath",
        "component",
        "host",
        "count",
        "lastObservedTime",
    ]
}

/// When an event was last seen: its series, else its last or only time.
fn seen(event: &RecordedObject) -> Option<i64> {
    let event = &event.object;
    if object::field(event, "/series").is_some() {
        return timestamp::nanoseconds(event, "/series/lastObservedTime");
    }
    timestamp::nanoseconds(event, "/lastTimestamp")
        .or_else(|| timestamp::nanoseconds(event, "/eventTime"))
}

/// Kind, version and name of `TYPE/NAME`.
fn about_argument(cluster: &Cluster<'_>, text: &str) -> Result<(String, String, String), Failure> {
    let Some((resource, name)) = text.split_once('/') else {
        return Err(Failure::invalid(
            "error: --for must be in resource/name form",
        ));
    };
    if name.contains('/') {
        return Err(Failure::invalid(
            "error: arguments in resource/name form may not have more than one slash",
        ));
    }
    let t = cluster.resources.find_bare(resource)?;
    let version = if t.group.is_empty() {
        t.version.clone()
    } else {
        format!("{}/{}", t.group, t.version)
    };
    Ok((t.kind.clone(), version, name.to_owned()))
}

fn print(cluster: &Cluster<'_>, arguments: &Arguments, events: &[RecordedObject]) -> String {
    let all = arguments.is_set("all-namespaces");
    let mut text = String::new();
    if !arguments.is_set("no-headers") {
        text.push_str(if all { "NAMESPACE\t" } else { "" });
        text.push_str("LAST SEEN\tTYPE\tREASON\tOBJECT\tMESSAGE\n");
    }
    for event in events {
        if all {
            text.push_str(&event.namespace);
            text.push('\t');
        }
        let event = &event.object;
        text.push_str(&format!(
            "{}\t{}\t{}\t{}/{}\t{}\n",
            interval(event, cluster.now),
            tabwriter::escape(object::text(event, "/type")),
            tabwriter::escape(object::text(event, "/reason")),
            tabwriter::escape(object::text(event, "/involvedObject/kind")),
            tabwriter::escape(object::text(event, "/involvedObject/name")),
            tabwriter::escape(object::text(event, "/message").trim()),
        ));
    }
    table::print_cells(&text)
}
