//! `kubectl get --watch`: what is there, then what changes as long as time passes.

use aiopslab_problems::environment::Verdict;

use super::{Asked, Group, complete, print_tables, table_options};
use crate::kubectl::arguments::Arguments;
use crate::kubectl::cluster::Cluster;
use crate::kubectl::failure::Failure;
use crate::kubectl::operands::{Selected, Target};
use crate::kubectl::output::{self, Formats};
use crate::kubectl::table::{self, TableWriter};
use crate::kubectl::waiting::Waiting;
use crate::shell::{CommandOutput, END_OF_RECORDING};
use crate::view::{Change, ObjectQuery, RecordedObject};

/// Prints what is there at the moment, and what changes while the command waits.
pub(super) async fn run(
    cluster: &Cluster<'_>,
    arguments: &Arguments,
    asked: &Asked<'_>,
    targets: &[Target],
    groups: Vec<Group>,
    output: &mut CommandOutput,
) -> Result<(), Failure> {
    if arguments.is_set("output-watch-events") {
        return Err(Failure::not_captured(
            "kubectl get --output-watch-events is not available in this recording",
        ));
    }
    if arguments.value("sort-by").is_some_and(|by| !by.is_empty()) {
        output.stderr.push_str(if arguments.is_set("watch") {
            "warning: --watch requested, --sort-by will be ignored for watch events received\n"
        } else {
            "warning: --watch-only requested, --sort-by will be ignored\n"
        });
    }
    // Watching alone shows a single object, which the watch begins with, but no list.
    let listed = arguments.operands.len() == 1 && !arguments.operands[0].contains('/');
    let shows_first = arguments.is_set("watch") || !listed;
    if let Some(waiting) = Waiting::begin(cluster) {
        let watch = Watch {
            cluster,
            arguments,
            asked,
            targets,
        };
        return watch.follow(waiting, groups, shows_first, output).await;
    }
    if shows_first {
        if asked.human {
            output.stdout = print_tables(cluster, arguments, &groups).await?;
        } else {
            let format = output::parse(arguments, asked.output, Formats::Get)?;
            for object in groups.into_iter().flat_map(|group| group.objects) {
                output::append(output, format.print(complete(object))?);
            }
        }
    }
    output.stderr.push_str(END_OF_RECORDING);
    output.verdict = output.verdict.max(Verdict::Partial);
    Ok(())
}

/// A watch under way, of one type of objects.
struct Watch<'a> {
    cluster: &'a Cluster<'a>,
    arguments: &'a Arguments,
    asked: &'a Asked<'a>,
    targets: &'a [Target],
}

impl Watch<'_> {
    async fn follow(
        &self,
        mut waiting: Waiting<'_>,
        groups: Vec<Group>,
        shows_first: bool,
        output: &mut CommandOutput,
    ) -> Result<(), Failure> {
        let limit = waiting.limit(None);
        let mut shown: Vec<RecordedObject> =
            groups.into_iter().flat_map(|group| group.objects).collect();
        let mut writer = TableWriter::default();
        if shows_first {
            self.print(self.cluster.now, &shown, &mut writer, output)
                .await?;
        }
        for change in self.changes(&waiting, limit).await? {
            let known = shown.iter().position(|object| same(object, &change.object));
            // What no longer fits a selector is gone for the watch.
            let fits = !change.deleted && self.selects(&change.object)?;
            match (known, fits) {
                (None, false) => continue,
                (None, true) => shown.push(change.object.clone()),
                (Some(known), true) => shown[known] = change.object.clone(),
                (Some(known), false) => {
                    shown.remove(known);
                }
            }
            waiting.pass(change.moment);
            let changed = std::slice::from_ref(&change.object);
            self.print(change.moment, changed, &mut writer, output)
                .await?;
        }
        waiting.exhaust(limit, output);
        output.waited = Some(waiting.waited());
        Ok(())
    }

    async fn changes(
        &self,
        waiting: &Waiting<'_>,
        limit: crate::kubectl::waiting::Limit,
    ) -> Result<Vec<Change>, Failure> {
        let Some(first) = self.targets.first() else {
            return Ok(Vec::new());
        };
        let t = &first.resource;
        let namespace = self.arguments.listed_namespace().filter(|_| t.namespaced);
        let query = ObjectQuery {
            name: first.name.clone().filter(|_| self.targets.len() == 1),
            ..ObjectQuery::all(&t.group, &t.resource, namespace)
        };
        waiting.changes(&query, limit).await
    }

    fn selects(&self, object: &RecordedObject) -> Result<bool, Failure> {
        for target in self.targets {
            let selected = Selected::parse(self.arguments, &target.resource)?;
            let named = target.name.as_ref().is_none_or(|name| *name == object.name);
            if named && selected.matches(object) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    async fn print(
        &self,
        moment: i64,
        objects: &[RecordedObject],
        writer: &mut TableWriter,
        output: &mut CommandOutput,
    ) -> Result<(), Failure> {
        if !self.asked.human {
            let format = output::parse(self.arguments, self.asked.output, Formats::Get)?;
            for object in objects {
                output::append(output, format.print(complete(object.clone()))?);
            }
            return Ok(());
        }
        let Some(target) = self.targets.first().filter(|_| !objects.is_empty()) else {
            return Ok(());
        };
        let t = &target.resource;
        let across = self.arguments.is_set("all-namespaces") && t.namespaced;
        let mut options = table_options(self.arguments, across, false);
        options.no_headers |= writer.has_written();
        let rows = table::rows(self.cluster.view, moment, t, objects, &options).await?;
        output.stdout.push_str(&writer.write(&rows));
        Ok(())
    }
}

fn same(one: &RecordedObject, other: &RecordedObject) -> bool {
    (&one.namespace, &one.name) == (&other.namespace, &other.name)
}
