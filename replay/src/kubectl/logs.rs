//! `kubectl logs`.

mod follow;

use aiopslab_problems::environment::Verdict;
use serde_json::Value;

use super::arguments::Arguments;
use super::cluster::Cluster;
use super::duration::parse_duration;
use super::failure::Failure;
use super::operands;
use super::selector::LabelSelector;
use super::{object, timestamp};
use crate::golang::quote::quote;
use crate::kubernetes::LogOptions;
use crate::kubernetes::logs::read;
use crate::shell::CommandOutput;
use crate::view::{LogLine, RecordedObject};

const SECOND: i64 = 1_000_000_000;

/// Which lines are wanted and how they are shown.
struct Wanted {
    previous: bool,
    since_ns: Option<i64>,
    tail: Option<u64>,
    timestamps: bool,
    prefix: bool,
    limit_bytes: Option<usize>,
}

/// Runs the command.
pub(super) async fn run(
    cluster: &Cluster<'_>,
    arguments: &Arguments,
) -> Result<CommandOutput, Failure> {
    let waiting = match arguments.is_set("follow") {
        true => Some(follow::begin(cluster)?),
        false => None,
    };
    let selector = arguments.value("selector");
    check_operands(arguments, selector.is_some())?;
    let mut output = CommandOutput::answered("");
    let pods = match selector {
        Some(_) => {
            let t = cluster.resources.find("pods")?.clone();
            let namespace = Some(arguments.namespace());
            let pods = operands::list(cluster, arguments, &t, namespace).await?;
            if pods.is_empty() {
                output.verdict = Verdict::Empty;
                output.stderr = format!(
                    "No resources found in {} namespace.\n",
                    arguments.namespace()
                );
            }
            pods
        }
        None => named(cluster, arguments, &mut output).await?,
    };
    // kubectl looks at these once it has the pods.
    let container = container_argument(arguments)?;
    let wanted = wanted(cluster, arguments, selector.is_some())?;
    let mut streams = Vec::new();
    for pod in &pods {
        let containers = if arguments.is_set("all-containers") {
            all_containers(&pod.object)
        } else {
            vec![chosen(&pod.object, container.as_deref(), &mut output)?]
        };
        for container in containers {
            streams.push((pod, container));
        }
    }
    if waiting.is_some() {
        follow::check(streams.len(), arguments)?;
    }
    for (pod, container) in &streams {
        match container_log(cluster, pod, container, &wanted, &mut output).await {
            Ok(()) => {}
            Err(Failure::Message { text, verdict }) => {
                output.verdict = output.verdict.max(verdict);
                if arguments.is_set("ignore-errors") {
                    output.stdout.push_str(&format!("error: {text}\n"));
                    continue;
                }
                output.stderr.push_str(&format!("{text}\n"));
                output.exit_code = 1;
                return Ok(output);
            }
            Err(stop) => return Err(stop),
        }
    }
    if let Some(waiting) = waiting {
        follow::run(cluster, waiting, &streams, &wanted, &mut output).await?;
    }
    Ok(output)
}

/// Refuses operands that name no pod, or too many.
fn check_operands(arguments: &Arguments, selecting: bool) -> Result<(), Failure> {
    let error = |text: &str| {
        Err(Failure::invalid(format!(
            "error: {text}\nSee 'kubectl logs -h' for help and examples"
        )))
    };
    match arguments.operands.len() {
        0 if selecting => Ok(()),
        1 if selecting => error("only a selector (-l) or a POD name is allowed"),
        1 | 2 => Ok(()),
        _ => error(
            "expected 'logs [-f] [-p] (POD | TYPE/NAME) [-c CONTAINER]'.\nPOD or TYPE/NAME is a \
             required argument for the logs command",
        ),
    }
}

/// The container that the command line names.
fn container_argument(arguments: &Arguments) -> Result<Option<String>, Failure> {
    let flag = arguments.value("container").map(str::to_owned);
    let inline = arguments.operands.get(1).cloned();
    if flag.is_some() && inline.is_some() {
        return Err(Failure::invalid(
            "error: only one of -c or an inline [CONTAINER] arg is allowed",
        ));
    }
    let container = flag.or(inline);
    if let (Some(container), true) = (&container, arguments.is_set("all-containers")) {
        return Err(Failure::invalid(format!(
            "error: --all-containers=true should not be specified with container name {container}"
        )));
    }
    Ok(container)
}

fn wanted(
    cluster: &Cluster<'_>,
    arguments: &Arguments,
    selecting: bool,
) -> Result<Wanted, Failure> {
    let usage = "See 'kubectl logs --help' for usage.";
    let since = match arguments.value("since") {
        None => None,
        Some(text) => {
            let duration = parse_duration(text).ok_or_else(|| {
                Failure::invalid(format!(
                    "error: invalid argument \"{text}\" for \"--since\" flag: time: invalid \
                     duration \"{text}\"\n{usage}"
                ))
            })?;
            if duration < 0 {
                return Err(Failure::invalid("error: --since must be greater than 0"));
            }
            let seconds = (duration + SECOND / 2) / SECOND;
            (duration > 0).then(|| cluster.now.saturating_sub(seconds.saturating_mul(SECOND)))
        }
    };
    let since_time = match arguments.value("since-time") {
        None => None,
        Some(text) => Some(timestamp::parse(text).ok_or_else(|| no_time(text))?),
    };
    if since.is_some() && since_time.is_some() {
        return Err(Failure::invalid(
            "error: at most one of `sinceTime` or `sinceSeconds` may be specified",
        ));
    }
    let number = |flag: &str| match arguments.value(flag) {
        None => Ok(None),
        Some(text) => text.parse::<i64>().map(Some).map_err(|_| {
            Failure::invalid(format!(
                "error: invalid argument \"{text}\" for \"--{flag}\" flag: strconv.ParseInt: \
                 parsing \"{text}\": invalid syntax\n{usage}"
            ))
        }),
    };
    let tail =
        match number("tail")? {
            // A selector may mean many pods: the end of each, unless more is asked for.
            None if selecting => Some(10),
            None | Some(-1) => None,
            Some(tail) => Some(u64::try_from(tail).map_err(|_| {
                Failure::invalid("error: --tail must be greater than or equal to -1")
            })?),
        };
    let limit_bytes = match number("limit-bytes")? {
        None | Some(0) => None,
        Some(limit) => Some(
            usize::try_from(limit)
                .map_err(|_| Failure::invalid("error: --limit-bytes must be greater than 0"))?,
        ),
    };
    Ok(Wanted {
        previous: arguments.is_set("previous"),
        since_ns: since.or(since_time),
        tail,
        timestamps: arguments.is_set("timestamps"),
        prefix: arguments.is_set("prefix") || arguments.is_set("all-pods"),
        limit_bytes,
    })
}

/// What Go says of a text that does not begin with a year; where it stumbles later is not told here.
fn no_time(text: &str) -> Failure {
    let year = text.bytes().take_while(u8::is_ascii_digit).count();
    if year >= 4 {
        return Failure::not_captured(format!(
            "--since-time={text}: what kubectl says of such a time is not available in this recording"
        ));
    }
    let text = quote(text);
    Failure::invalid(format!(
        "error: parsing time {text} as \"2006-01-02T15:04:05Z07:00\": cannot parse {text} as \"2006\""
    ))
}

async fn pods_of(
    cluster: &Cluster<'_>,
    namespace: &str,
    selector: &LabelSelector,
) -> Result<Vec<RecordedObject>, Failure> {
    let t = cluster.resources.find("pods")?.clone();
    let mut pods = cluster.list(&t, Some(namespace)).await?;
    pods.retain(|pod| selector.matches(&object::map(&pod.object, "/metadata/labels")));
    Ok(pods)
}

/// The pod of a name, or the first pod of a workload.
async fn named(
    cluster: &Cluster<'_>,
    arguments: &Arguments,
    output: &mut CommandOutput,
) -> Result<Vec<RecordedObject>, Failure> {
    let namespace = arguments.namespace();
    let operand = arguments.operands.first().map_or("", String::as_str);
    let (resource, name) = operand.split_once('/').unwrap_or(("pods", operand));
    let t = cluster.resources.find(resource)?.clone();
    let found = cluster
        .get(&t, namespace, name)
        .await
        .map_err(|failure| match failure {
            Failure::Message {
                text,
                verdict: Verdict::Empty,
            } => {
                let what = text
                    .strip_prefix("Error from server (NotFound): ")
                    .unwrap_or(&text);
                Failure::empty(format!(
                    "error: error from server (NotFound): {what} in namespace \"{namespace}\""
                ))
            }
            other => other,
        })?;
    if t.group.is_empty() && t.resource == "pods" {
        return Ok(vec![found]);
    }
    let Some(selector) = object::field(&found.object, "/spec/selector") else {
        return Err(Failure::invalid(format!(
            "error: cannot get the logs from {}: no pods are selected by it",
            found.kind
        )));
    };
    let mut pods = pods_of(cluster, namespace, &LabelSelector::of(selector)).await?;
    pods.sort_by_cached_key(logging_order);
    let Some(first) = pods.first() else {
        return Err(Failure::empty("error: timed out waiting for the condition"));
    };
    if arguments.is_set("all-pods") {
        return Ok(pods);
    }
    if pods.len() > 1 {
        output.stderr.push_str(&format!(
            "Found {} pods, using pod/{}\n",
            pods.len(),
            first.name
        ));
    }
    pods.truncate(1);
    Ok(pods)
}

/// Which pod's log is the best: assigned, running, ready (for longest), restarted most, oldest.
fn logging_order(pod: &RecordedObject) -> impl Ord + use<> {
    let pod_value = &pod.object;
    let ready = object::list(pod_value, "/status/conditions")
        .iter()
        .find(|condition| {
            object::text(condition, "/type") == "Ready"
                && object::text(condition, "/status") == "True"
        });
    let phase = match object::text(pod_value, "/status/phase") {
        "Unknown" => 1,
        "Pending" => 2,
        _ => 0,
    };
    let restarts = object::list(pod_value, "/status/containerStatuses")
        .iter()
        .map(|status| object::number(status, "/restartCount"))
        .max()
        .unwrap_or(0);
    (
        object::text(pod_value, "/spec/nodeName").is_empty(),
        phase,
        ready.is_none(),
        ready.and_then(|ready| timestamp::nanoseconds(ready, "/lastTransitionTime")),
        -restarts,
        timestamp::nanoseconds(pod_value, "/metadata/creationTimestamp"),
        pod.name.clone(),
    )
}

fn names(pod: &Value, list: &str) -> Vec<String> {
    object::list(pod, list)
        .iter()
        .map(|c| object::text(c, "/name").to_owned())
        .collect()
}

fn all_containers(pod: &Value) -> Vec<String> {
    let mut all = names(pod, "/spec/initContainers");
    all.extend(names(pod, "/spec/containers"));
    all.extend(names(pod, "/spec/ephemeralContainers"));
    all
}

/// The container that a command means that names none.
pub(super) fn default_container(
    pod: &Value,
    output: &mut CommandOutput,
) -> Result<String, Failure> {
    chosen(pod, None, output)
}

/// The container of the command line, the pod's default, or its first.
fn chosen(pod: &Value, asked: Option<&str>, output: &mut CommandOutput) -> Result<String, Failure> {
    let all = all_containers(pod);
    let pod_name = object::text(pod, "/metadata/name");
    let annotations = object::map(pod, "/metadata/annotations");
    let default = annotations
        .get("kubectl.kubernetes.io/default-container")
        .copied();
    if let Some(asked) = asked {
        if all.iter().any(|name| name == asked) {
            return Ok(asked.to_owned());
        }
        return Err(Failure::empty(format!(
            "error: container {asked} is not valid for pod {pod_name}"
        )));
    }
    if let Some(default) = default.filter(|default| !default.is_empty()) {
        if all.iter().any(|name| name == default) {
            return Ok(default.to_owned());
        }
        output.stderr.push_str(&format!(
            "Default container name \"{default}\" not found in pod {pod_name}\n"
        ));
    }
    let containers = names(pod, "/spec/containers");
    let Some(first) = containers.first() else {
        return Err(Failure::answered(format!(
            "error: pod {pod_name} does not have any containers"
        )));
    };
    if all.len() > 1 {
        let mut shown = containers.clone();
        shown.extend(
            names(pod, "/spec/ephemeralContainers")
                .iter()
                .map(|n| format!("{n} (ephem)")),
        );
        shown.extend(
            names(pod, "/spec/initContainers")
                .iter()
                .map(|n| format!("{n} (init)")),
        );
        output.stderr.push_str(&format!(
            "Defaulted container \"{first}\" out of: {}\n",
            shown.join(", ")
        ));
    }
    Ok(first.clone())
}

/// What `--prefix` puts before each line.
fn prefix(pod: &RecordedObject, container: &str, wanted: &Wanted) -> String {
    if wanted.prefix {
        format!("[pod/{}/{container}] ", pod.name)
    } else {
        String::new()
    }
}

fn print_line(text: &mut String, line: &LogLine, prefix: &str, wanted: &Wanted) {
    text.push_str(prefix);
    if wanted.timestamps {
        text.push_str(&timestamp::log_stamp(line.timestamp));
        text.push(' ');
    }
    text.push_str(&String::from_utf8_lossy(&line.message));
    text.push('\n');
}

/// Appends the log of one container.
async fn container_log(
    cluster: &Cluster<'_>,
    pod: &RecordedObject,
    container: &str,
    wanted: &Wanted,
    output: &mut CommandOutput,
) -> Result<(), Failure> {
    let options = LogOptions {
        previous: wanted.previous,
        since_ns: wanted.since_ns,
        tail: wanted.tail,
        timestamps: wanted.timestamps,
        ..LogOptions::default()
    };
    let log = read(cluster.view, pod, container, &options).await?;
    if log.lines.is_empty() {
        output.verdict = output.verdict.max(Verdict::Empty);
    } else if !log.first_line_kept && wanted.tail.is_none() && wanted.since_ns.is_none() {
        output.verdict = output.verdict.max(Verdict::Partial);
    }
    let prefix = prefix(pod, container, wanted);
    let mut text = String::new();
    for line in &log.lines {
        print_line(&mut text, line, &prefix, wanted);
    }
    if let Some(limit) = wanted.limit_bytes.filter(|limit| *limit < text.len()) {
        let mut end = limit;
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        text.truncate(end);
    }
    output.stdout.push_str(&text);
    Ok(())
}
