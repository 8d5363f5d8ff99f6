//! Events: which belong to an object, in which order, and `kubectl events`.

use aiopslab_problems::environment::Verdict;
use serde_json::Value;

use super::arguments::Arguments;
use super::cluster::Cluster;
use super::failure::Failure;
use super::{get, json, object, table, tabwriter, timestamp, yaml};
use crate::shell::CommandOutput;
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
    events.sort_by_key(|event| timestamp::nanoseconds(&event.object, "/lastTimestamp"));
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
    if arguments.is_set("watch") || arguments.value("template").is_some() {
        return Err(Failure::not_captured(
            "kubectl events --watch: this command is not available in this recording",
        ));
    }
    if let Some(operand) = arguments.operands.first() {
        return Err(Failure::invalid(format!(
            "error: unknown command \"{operand}\" for \"kubectl events\""
        )));
    }
    let types = arguments.values("types");
    if types
        .iter()
        .any(|t| !t.eq_ignore_ascii_case("Normal") && !t.eq_ignore_ascii_case("Warning"))
    {
        return Err(Failure::invalid(
            "error: valid --types are Normal or Warning",
        ));
    }
    let about = match arguments.value("for") {
        None => None,
        Some(text) => {
            let Some((resource, name)) = text.split_once('/') else {
                return Err(Failure::invalid(
                    "error: --for must be in resource/name form",
                ));
            };
            Some((
                cluster.resources.find(resource)?.kind.clone(),
                name.to_owned(),
            ))
        }
    };
    let t = cluster.resources.find("events")?.clone();
    let mut events = cluster.list(&t, arguments.listed_namespace()).await?;
    events.retain(|event| {
        let kind = object::text(&event.object, "/type");
        (types.is_empty() || types.iter().any(|t| t.eq_ignore_ascii_case(kind)))
            && about.as_ref().is_none_or(|(kind, name)| {
                object::text(&event.object, "/involvedObject/kind") == kind
                    && object::text(&event.object, "/involvedObject/name") == name
            })
    });
    if events.is_empty() {
        let mut output = CommandOutput::answered("");
        output.verdict = Verdict::Empty;
        output.stderr = match arguments.listed_namespace() {
            None => "No events found.\n".to_owned(),
            Some(namespace) => format!("No events found in {namespace} namespace.\n"),
        };
        return Ok(output);
    }
    events.sort_by_key(|event| {
        ["/series/lastObservedTime", "/lastTimestamp", "/eventTime"]
            .iter()
            .find_map(|pointer| timestamp::nanoseconds(&event.object, pointer))
    });
    let printed = match arguments.value("output").unwrap_or_default() {
        "" => print(cluster, arguments, &events),
        "json" => json::print(&json::list(events.into_iter().map(get::complete).collect())),
        "yaml" => yaml::print(&json::list(events.into_iter().map(get::complete).collect())),
        other => {
            return Err(Failure::not_captured(format!(
                "kubectl events -o {other}: this command is not available in this recording"
            )));
        }
    };
    Ok(CommandOutput::answered(printed))
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
            object::text(event, "/type"),
            object::text(event, "/reason"),
            object::text(event, "/involvedObject/kind"),
            object::text(event, "/involvedObject/name"),
            tabwriter::escape(object::text(event, "/message").trim()),
        ));
    }
    table::print_cells(&text)
}
