//! The reader of one instance's log.
//!
//! A log is served from one file that kubelet rotates (10 MiB, looked at every 10 s). A reader that
//! follows it can miss a file: after a reconnect, when it falls behind, or when the file is rotated
//! before its end was first reached. Whenever that can have happened the log is opened again a
//! little earlier; a last line that does not come again tells of a rotation, and so of a hole.

use std::sync::Arc;
use std::time::Duration;

use aiopslab_datasets::rows::LogLine;
use tokio::time::{sleep, timeout};

use super::SECOND;
use super::instances::Found;
use super::log_lines::{Dedup, Line, split};
use super::logs::{Logs, PAUSE};
use crate::cluster::ClusterError;

/// A log of fewer bytes has hardly been rotated.
const SMALL: usize = 1 << 20;
/// Time without a line after which it is made sure that nothing was missed, at first.
const PATIENCE: Duration = Duration::from_secs(5);
/// The same, at last: it doubles each time.
const LONGEST_PATIENCE: Duration = Duration::from_secs(320);
/// Time between two lines after which it is made sure that nothing was missed.
const JUMP: i64 = 2 * SECOND;
/// How long the watch of pods may need to tell that a container was started again.
const TOLD_WITHIN: Duration = Duration::from_secs(3);
/// How long an answer that is not followed may pause.
const STUCK: Duration = Duration::from_secs(60);

/// How an answer ended.
#[derive(Debug, Clone, Copy)]
enum Ended {
    /// With its last line.
    Whole,
    /// The recording stopped.
    Stopped,
    /// Lines may have been left out: it is to be opened again.
    Doubtful,
    /// Kubelet said, with status 200, that there is no log.
    Unreadable,
}

/// The reader of one instance's log.
pub(super) struct Follower {
    logs: Arc<Logs>,
    found: Found,
    dedup: Dedup,
    seq: u64,
    /// Bytes of all lines that were read.
    bytes: usize,
    patience: Duration,
    /// Whether the last answer was read to its end.
    is_whole: bool,
    /// Why it could not be read, last.
    trouble: String,
}

impl Follower {
    pub(super) fn new(logs: Arc<Logs>, found: Found) -> Self {
        Self {
            logs,
            found,
            dedup: Dedup::default(),
            seq: 0,
            bytes: 0,
            patience: PATIENCE,
            is_whole: false,
            trouble: "its log could not be read to its end".to_owned(),
        }
    }

    /// Reads until the instance is over and read to its end, or the recording stops.
    pub(super) async fn run(mut self) {
        // Known from now on, whatever becomes of the capture; the end writes what it came to.
        let (row, visibility) = (self.found.row.clone(), self.found.visibility);
        self.logs.instances.put(row, visibility, false).await;
        if !self.found.previous && self.follow().await {
            return;
        }
        // Once more without following: what came after the last line that was read.
        let which = if self.state().1 { "&previous=true" } else { "" };
        let until = self.logs.context.now() + SECOND;
        let was_whole = self.is_whole;
        let ended = self.read(which, Some(until)).await;
        self.note_end(&ended);
        // The last line always comes again, unless the log was rotated since. A log that was
        // followed to its end needs no answer any more: it may be gone with its pod.
        let has_ended = matches!(ended, Ok(Ended::Whole)) && !self.dedup.is_unproven();
        if !was_whole && !has_ended {
            self.lose_the_rest();
        }
    }

    /// Follows until the instance is over or the recording stops; says whether there
    /// is nothing more to be read.
    async fn follow(&mut self) -> bool {
        let stop = self.logs.context.stop.clone();
        loop {
            let ended = self.read("&follow=true", None).await;
            if stop.is_cancelled() {
                return false;
            }
            let (over, _) = self.state();
            match &ended {
                Ok(Ended::Doubtful) => continue,
                // Gone with its pod: a followed log has ended with its last line.
                Err(error) if error.status() == Some(404) => {
                    if !self.is_whole {
                        self.lose_the_rest();
                    }
                    return true;
                }
                _ => self.note_end(&ended),
            }
            if over {
                return false;
            }
            tokio::select! {
                () = stop.cancelled() => return false,
                () = sleep(PAUSE) => {}
            }
            if self.state().0 {
                return false;
            }
        }
    }

    fn note_end(&mut self, ended: &Result<Ended, ClusterError>) {
        match ended {
            Ok(Ended::Whole) => self.is_whole |= !self.dedup.is_unproven(),
            Ok(_) => {}
            Err(error) => {
                self.is_whole = false;
                self.trouble = error.to_string();
            }
        }
    }

    /// Whether the instance is over, and whether another one has taken its place.
    fn state(&self) -> (bool, bool) {
        let registry = self.logs.registry();
        let entry = registry.instances.get(&self.found.row.container_id);
        entry.map_or((true, false), |entry| {
            (entry.row.finished.is_some(), entry.replaced)
        })
    }

    /// Notes that what came after the last line that was read may be missing.
    fn lose_the_rest(&self) {
        let (started, finished) = {
            let registry = self.logs.registry();
            let entry = registry.instances.get(&self.found.row.container_id);
            let row = entry.map_or(&self.found.row, |entry| &entry.row);
            (row.started, row.finished)
        };
        let from = self.dedup.latest().or(started).unwrap_or(i64::MIN);
        // The end has whole seconds.
        let to = finished.map_or(i64::MAX, |finished| finished + SECOND);
        self.logs
            .lose(&self.found.row, from..to.max(from), &self.trouble);
    }

    /// Reads from where we were to the end of the answer: of a followed log, or of what there is up
    /// to a moment.
    ///
    /// Stops between two lines, never within one: a line that was taken must reach the writer.
    async fn read(&mut self, options: &str, until: Option<i64>) -> Result<Ended, ClusterError> {
        let row = &self.found.row;
        let mut path = format!(
            "/api/v1/namespaces/{}/pods/{}/log?container={}&timestamps=true{options}",
            row.namespace, row.pod, row.container
        );
        let context = &self.logs.context;
        let asked = context.options.since.map(|_| context.since);
        if let Some(since) = self.dedup.rewind().or(asked) {
            path.push_str(&format!("&sinceTime={}", super::rfc3339(since)));
        }
        let stop = self.logs.context.stop.clone();
        let mut lines = self.logs.context.cluster.stream_lines(&path, "*/*").await?;
        let (mut bytes, mut fresh) = (0, false);
        loop {
            let patience = match until {
                Some(_) => STUCK,
                None if self.bytes < SMALL => Duration::MAX,
                None => self.patience,
            };
            let next = timeout(patience, lines.next_line());
            let line = tokio::select! {
                () = stop.cancelled(), if until.is_none() => return Ok(Ended::Stopped),
                line = next => line,
            };
            let line = match line {
                Err(_) if until.is_some() => {
                    return Err(ClusterError::Broken {
                        method: http::Method::GET,
                        path,
                        reason: format!("nothing within {STUCK:?}"),
                    });
                }
                Err(_) => {
                    self.patience = (self.patience * 2).min(LONGEST_PATIENCE);
                    return Ok(Ended::Doubtful);
                }
                Ok(line) => line?,
            };
            let Some(line) = line else {
                return Ok(Ended::Whole);
            };
            let Some((timestamp, message)) = split(&line) else {
                // Every line of a log has its time. What has none is kubelet saying, with status 200,
                // why there is no log; what was followed to its end before is whole.
                if line.is_empty() {
                    continue;
                }
                self.trouble = String::from_utf8_lossy(&line).into_owned();
                return Ok(Ended::Unreadable);
            };
            bytes += line.len();
            let latest = self.dedup.latest().filter(|_| fresh && bytes > SMALL);
            if until.is_none() && latest.is_some_and(|latest| timestamp - latest > JUMP) {
                return Ok(Ended::Doubtful);
            }
            if until.is_none() && self.dedup.is_a_break(timestamp, message) {
                // Rotated, or already another instance's log, which that one's follower reads.
                sleep(TOLD_WITHIN).await;
                if self.state().0 {
                    return Ok(Ended::Whole);
                }
            }
            fresh |= self.take(timestamp, message).await;
            if until.is_some_and(|until| timestamp > until) {
                return Ok(Ended::Whole);
            }
        }
    }

    /// Whether a line can be of this instance: a log is asked for by container, and a container
    /// may have been restarted in between. Notes the first line and the pace.
    fn is_ours(&self, timestamp: i64, bytes: usize) -> bool {
        let mut registry = self.logs.registry();
        let Some(entry) = registry.instances.get_mut(&self.found.row.container_id) else {
            return false;
        };
        // The end has whole seconds.
        let is_later = |finished: i64| timestamp > finished + 2 * SECOND;
        if entry.row.finished.is_some_and(is_later) {
            return false;
        }
        entry.first_line = entry.first_line.or(Some(timestamp));
        entry.last_line = timestamp;
        entry.bytes = entry
            .bytes
            .saturating_add(i64::try_from(bytes).unwrap_or(i64::MAX));
        true
    }

    /// Writes a line, unless it was written before; says whether it was new.
    async fn take(&mut self, timestamp: i64, message: &[u8]) -> bool {
        if !self.is_ours(timestamp, message.len()) {
            return false;
        }
        match self.dedup.take(timestamp, message) {
            Line::Repeated => return false,
            Line::New => {}
            Line::After(before) => {
                let reason = "its log was rotated before it was read";
                let when = before.min(timestamp)..timestamp;
                self.logs.lose(&self.found.row, when, reason);
            }
        }
        self.bytes = self.bytes.saturating_add(message.len());
        self.patience = PATIENCE;
        self.is_whole = false;
        let (message, redacted) = self.logs.context.redaction.line(message);
        let row = &self.found.row;
        let line = LogLine {
            instance_id: row.instance_id,
            seq: self.seq,
            timestamp,
            message,
            stream: None,
            namespace: row.namespace.clone(),
            service: self.found.service.clone(),
            pod: row.pod.clone(),
            container: row.container.clone(),
        };
        self.seq += 1;
        self.logs
            .lines
            .put(line, self.found.visibility, redacted)
            .await;
        true
    }
}
