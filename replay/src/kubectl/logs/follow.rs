//! `kubectl logs --follow`: what containers write as long as time passes.

use aiopslab_problems::answer::refused_command;

use super::{Wanted, prefix, print_line};
use crate::kubectl::arguments::Arguments;
use crate::kubectl::cluster::Cluster;
use crate::kubectl::failure::Failure;
use crate::kubectl::waiting::Waiting;
use crate::kubernetes::LogOptions;
use crate::kubernetes::logs::read;
use crate::shell::CommandOutput;
use crate::view::{LogLine, RecordedObject};

/// How many logs kubectl follows at once unless it is told otherwise.
const STREAMS: i64 = 5;

/// Begins to follow, where time passes; elsewhere it is refused as AIOpsLab refuses it.
pub(super) fn begin<'a>(cluster: &'a Cluster<'a>) -> Result<Waiting<'a>, Failure> {
    Waiting::begin(cluster)
        .ok_or_else(|| Failure::denied(refused_command("kubectl logs -f").unwrap_or_default()))
}

/// Refuses to follow more logs than kubectl does.
pub(super) fn check(streams: usize, arguments: &Arguments) -> Result<(), Failure> {
    let most = arguments.integer("max-log-requests").unwrap_or(STREAMS);
    if i64::try_from(streams).is_ok_and(|streams| streams <= most) {
        return Ok(());
    }
    Err(Failure::invalid(format!(
        "error: you are attempting to follow {streams} log streams, but maximum allowed concurrency is {most}, \
         use --max-log-requests to increase the limit"
    )))
}

/// Prints what is written from now on, until all containers have ended or the wait does.
pub(super) async fn run(
    cluster: &Cluster<'_>,
    mut waiting: Waiting<'_>,
    streams: &[(&RecordedObject, String)],
    wanted: &Wanted,
    output: &mut CommandOutput,
) -> Result<(), Failure> {
    let limit = waiting.limit(None);
    let Some(later) = cluster.view.later(limit.until) else {
        return Ok(());
    };
    let options = LogOptions {
        previous: wanted.previous,
        since_ns: Some(cluster.now.saturating_add(1)),
        ..LogOptions::default()
    };
    let mut lines: Vec<(&RecordedObject, &str, LogLine)> = Vec::new();
    let mut ended = Some(cluster.now);
    for (pod, container) in streams {
        if !later.covers_logs(&pod.namespace).await? {
            return Err(Failure::not_captured(format!(
                "what pod {} writes while waiting is not available in this recording",
                pod.name
            )));
        }
        let log = read(&*later, pod, container, &options).await?;
        ended = ended.zip(log.finished).map(|(one, other)| one.max(other));
        lines.extend(
            log.lines
                .into_iter()
                .map(|line| (*pod, container.as_str(), line)),
        );
    }
    lines.sort_by_key(|(_, _, line)| line.timestamp);
    for (pod, container, line) in &lines {
        print_line(
            &mut output.stdout,
            line,
            &prefix(pod, container, wanted),
            wanted,
        );
    }
    match ended {
        Some(ended) => waiting.pass(ended),
        None => {
            waiting.exhaust(limit, output);
        }
    }
    output.waited = Some(waiting.waited());
    Ok(())
}
