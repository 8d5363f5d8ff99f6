//! Waiting: the time that passes while a command runs, under the clock `play`.
//!
//! A wait has an end that is known before it begins: the command's own time limit, the shell's
//! patience, or the end of the recording, whichever comes first. Within it [`Waiting::changes`]
//! tells what happened; the command answers for the moment at which it got what it waited for.

use aiopslab_problems::environment::Verdict;

use super::cluster::Cluster;
use super::failure::Failure;
use crate::shell::{CommandOutput, END_OF_RECORDING, Waited};
use crate::view::{Change, ObjectQuery, RecordedObject};

/// A command that waits.
pub(super) struct Waiting<'a> {
    cluster: &'a Cluster<'a>,
    /// The moment that has been reached.
    pub(super) now: i64,
    recording_ends: i64,
    stopped: bool,
}

/// Where a wait ends if nothing happens.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limit {
    /// The moment.
    pub(super) until: i64,
    /// What ends it.
    pub(super) by: End,
}

/// What ends a wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// The command's own time limit.
    Timeout,
    /// The shell, which stops the command.
    Shell,
    /// The recording: what comes after it is not known.
    Recording,
}

impl<'a> Waiting<'a> {
    /// Begins now; none: time stands still.
    pub(super) fn begin(cluster: &'a Cluster<'a>) -> Option<Self> {
        Some(Self {
            cluster,
            now: cluster.now,
            recording_ends: cluster.view.plays_until()?,
            stopped: false,
        })
    }

    /// The end of a wait that begins at the moment reached and lasts so long, or (none) for ever.
    pub(super) fn limit(&self, timeout: Option<i64>) -> Limit {
        let patience = self.cluster.patience;
        let mut limit = match timeout {
            Some(timeout) => Limit {
                until: self.now.saturating_add(timeout),
                by: End::Timeout,
            },
            None => Limit {
                until: patience.endless,
                by: End::Shell,
            },
        };
        for (until, by) in [
            (patience.deadline, End::Shell),
            (self.recording_ends, End::Recording),
        ] {
            if until < limit.until {
                limit = Limit { until, by };
            }
        }
        limit.until = limit.until.max(self.now);
        limit
    }

    /// What happens to objects from the beginning of the command up to a limit.
    pub(super) async fn changes(
        &self,
        query: &ObjectQuery,
        limit: Limit,
    ) -> Result<Vec<Change>, Failure> {
        let changes = self.cluster.view.changes(query, limit.until).await?;
        changes.ok_or_else(|| {
            let name = [query.resource.as_str(), query.group.as_str()].join(".");
            Failure::not_captured(format!(
                "what happened to {} while waiting is not available in this recording",
                name.trim_end_matches('.')
            ))
        })
    }

    /// What happens to one object's name; see [`Waiting::changes`].
    pub(super) async fn changes_of(
        &self,
        object: &RecordedObject,
        limit: Limit,
    ) -> Result<Vec<Change>, Failure> {
        let namespace = Some(object.namespace.as_str()).filter(|namespace| !namespace.is_empty());
        let query = ObjectQuery {
            name: Some(object.name.clone()),
            ..ObjectQuery::all(&object.group, &object.resource, namespace)
        };
        self.changes(&query, limit).await
    }

    /// Goes on to a moment.
    pub(super) fn pass(&mut self, moment: i64) {
        self.now = self.now.max(moment);
    }

    /// Goes on to where a wait ends in vain. True: by the command's own time limit. Otherwise the
    /// command is over, and the output tells what can be told of it.
    pub(super) fn exhaust(&mut self, limit: Limit, output: &mut CommandOutput) -> bool {
        self.pass(limit.until);
        match limit.by {
            End::Timeout => return true,
            End::Shell => self.stopped = true,
            End::Recording => {
                output.stderr.push_str(END_OF_RECORDING);
                output.exit_code = 1;
                output.verdict = output.verdict.max(Verdict::Partial);
            }
        }
        false
    }

    /// How time passed, for the shell.
    pub(super) fn waited(&self) -> Waited {
        Waited {
            until: self.now,
            stopped: self.stopped,
        }
    }
}
