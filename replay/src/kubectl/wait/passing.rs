//! `kubectl wait` where time passes: what is waited for comes true when the recording says so.

use aiopslab_problems::environment::Verdict;

use super::{Goal, objects, print_met, timed_out};
use crate::kubectl::arguments::Arguments;
use crate::kubectl::cluster::Cluster;
use crate::kubectl::failure::Failure;
use crate::kubectl::operands::Target;
use crate::kubectl::output::Output;
use crate::kubectl::waiting::{Limit, Waiting};
use crate::kubectl::{get, with_errors};
use crate::shell::CommandOutput;
use crate::view::{ObjectQuery, RecordedObject};

const SECOND: i64 = 1_000_000_000;

/// A time limit below 0 means a week.
const WEEK: i64 = 7 * 24 * 3600 * SECOND;

/// How often kubectl looks whether something has been created.
const POLL: i64 = SECOND / 2;

/// What is asked for.
pub(super) struct Command<'a> {
    pub(super) cluster: &'a Cluster<'a>,
    pub(super) arguments: &'a Arguments,
    pub(super) goal: &'a Goal,
    pub(super) format: Option<&'a Output>,
}

impl Command<'_> {
    /// Waits for one object after the other; the time is one for all of them.
    pub(super) async fn run(
        &self,
        mut waiting: Waiting<'_>,
        timeout: i64,
        targets: &[Target],
    ) -> Result<CommandOutput, Failure> {
        let limit = waiting.limit(Some(if timeout < 0 { WEEK } else { timeout }));
        let mut output = CommandOutput::answered("");
        let mut errors = Vec::new();
        let mut visited = 0;
        let mut late = false;
        'targets: for target in targets {
            let t = &target.resource;
            let found = match self.created(&mut waiting, limit, target).await? {
                Some(object) => vec![object],
                None if waiting.now == limit.until && matches!(self.goal, Goal::Created) => {
                    if !waiting.exhaust(limit, &mut output) {
                        break;
                    }
                    let text = "error: timed out waiting for the condition".to_owned();
                    errors.push((text, Verdict::Answered));
                    break;
                }
                None => {
                    objects(self.cluster, self.arguments, target, self.goal, &mut errors).await?
                }
            };
            for object in found {
                visited += 1;
                let met = match late && !matches!(self.goal, Goal::Created) {
                    true => Ok(None),
                    false => self.awaited(&mut waiting, limit, &object).await,
                };
                match met {
                    Ok(Some(object)) => print_met(object, self.format, &mut output)?,
                    Ok(None) => {
                        if !waiting.exhaust(limit, &mut output) {
                            break 'targets;
                        }
                        late = true;
                        let text = timed_out(&t.resource, &object.name);
                        errors.push((text, Verdict::Answered));
                    }
                    Err(Failure::Message { text, verdict }) => errors.push((text, verdict)),
                    Err(stop) => return Err(stop),
                }
            }
        }
        let nothing = visited == 0 && errors.is_empty() && output.stderr.is_empty();
        if nothing && waiting.now == self.cluster.now && !matches!(self.goal, Goal::Deleted) {
            return Err(Failure::empty("error: no matching resources found"));
        }
        output.waited = Some(waiting.waited());
        Ok(with_errors(output, &errors))
    }

    /// The object once it has what is waited for; none: not within the limit.
    async fn awaited(
        &self,
        waiting: &mut Waiting<'_>,
        limit: Limit,
        object: &RecordedObject,
    ) -> Result<Option<RecordedObject>, Failure> {
        let mut changes = waiting
            .changes_of(object, limit)
            .await?
            .into_iter()
            .peekable();
        let (mut state, mut gone) = (object.clone(), false);
        // What has happened while others were waited for.
        while let Some(change) = changes.next_if(|change| change.moment <= waiting.now) {
            (state, gone) = (change.object, change.deleted);
        }
        loop {
            let met = match self.goal {
                Goal::Deleted => gone || state.uid != object.uid,
                goal => !gone && goal.met(&get::complete(state.clone()))?,
            };
            if met {
                return Ok(Some(state));
            }
            let Some(change) = changes.next() else {
                return Ok(None);
            };
            waiting.pass(change.moment);
            (state, gone) = (change.object, change.deleted);
        }
    }

    /// What `--for=create` waits for, if it is not there yet; none: it is not asked for or is there,
    /// or (the limit has been reached) it has not come.
    async fn created(
        &self,
        waiting: &mut Waiting<'_>,
        limit: Limit,
        target: &Target,
    ) -> Result<Option<RecordedObject>, Failure> {
        let (Goal::Created, Some(name)) = (self.goal, &target.name) else {
            return Ok(None);
        };
        let (t, namespace) = (&target.resource, self.arguments.namespace());
        match self.cluster.get(t, namespace, name).await {
            Err(Failure::Message {
                verdict: Verdict::Empty,
                ..
            }) => {}
            Err(failure) => return Err(failure),
            Ok(object) => return Ok(Some(object)),
        }
        let query = ObjectQuery {
            name: Some(name.clone()),
            ..ObjectQuery::all(
                &t.group,
                &t.resource,
                Some(namespace).filter(|_| t.namespaced),
            )
        };
        let changes = waiting.changes(&query, limit).await?;
        let looked = |moment: i64| {
            let polls = (moment - self.cluster.now + POLL - 1).div_euclid(POLL);
            self.cluster.now.saturating_add(polls.saturating_mul(POLL))
        };
        let came = changes
            .into_iter()
            .map(|change| (looked(change.moment), change))
            .find(|(moment, change)| !change.deleted && *moment <= limit.until);
        waiting.pass(came.as_ref().map_or(limit.until, |(moment, _)| *moment));
        Ok(came.map(|(_, change)| change.object))
    }
}
