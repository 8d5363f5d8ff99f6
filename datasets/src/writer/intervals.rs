//! Closing the intervals of object versions.
//!
//! Recorders write versions as they come, without an end. In the order of `seq`, per identity
//! (group, resource, namespace, name, uid):
//! - a version ends where the next one begins, unless the recorder gave an earlier end;
//! - a `deleted` version has an empty interval at the moment of deletion, and ends the one before;
//! - a `relisted` version with the resource version of the one before it is the same version and
//!   is dropped;
//! - a version never begins before the one before it: the server's times have whole seconds, the
//!   recorder's have not.

use std::collections::BTreeMap;

use crate::rows::ObjectVersion;

/// Collects the versions that share resource, namespace, name and uid, which arrive together.
#[derive(Debug, Default)]
pub(super) struct Intervals {
    run: Vec<ObjectVersion>,
}

impl Intervals {
    /// Takes a version in the table's order; hands back the versions that are closed.
    pub(super) fn push(&mut self, version: ObjectVersion) -> Vec<ObjectVersion> {
        let same = self.run.last().is_none_or(|last| {
            (&last.uid, &last.name, &last.namespace, &last.resource)
                == (
                    &version.uid,
                    &version.name,
                    &version.namespace,
                    &version.resource,
                )
        });
        let closed = if same { Vec::new() } else { self.finish() };
        self.run.push(version);
        closed
    }

    /// Closes what is left.
    pub(super) fn finish(&mut self) -> Vec<ObjectVersion> {
        let mut closed: Vec<ObjectVersion> = Vec::with_capacity(self.run.len());
        // The same object may be served by two API groups.
        let mut last_of_group: BTreeMap<String, usize> = BTreeMap::new();
        for mut version in self.run.drain(..) {
            let index = last_of_group.get(&version.group).copied();
            if let Some(last) = index.and_then(|index| closed.get_mut(index)) {
                if version.event == "relisted"
                    && last.event != "deleted"
                    && version.resource_version == last.resource_version
                {
                    continue;
                }
                version.valid_from = version.valid_from.max(last.valid_from);
                let end = version.valid_from;
                last.valid_to = Some(last.valid_to.map_or(end, |known| known.min(end)));
            }
            if version.event == "deleted" {
                version.valid_to = Some(version.valid_from);
            }
            last_of_group.insert(version.group.clone(), closed.len());
            closed.push(version);
        }
        closed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(seq: u64, event: &str, from: i64, resource_version: &str) -> ObjectVersion {
        ObjectVersion {
            seq,
            event: event.to_owned(),
            observed: from,
            exact: false,
            valid_from: from,
            valid_to: None,
            group: String::new(),
            version: "v1".to_owned(),
            resource: "pods".to_owned(),
            kind: "Pod".to_owned(),
            namespace: "shop".to_owned(),
            name: "geo".to_owned(),
            uid: "1".to_owned(),
            resource_version: resource_version.to_owned(),
            object: "{}".to_owned(),
            cells: None,
        }
    }

    fn close(versions: Vec<ObjectVersion>) -> Vec<(u64, i64, Option<i64>)> {
        let mut intervals = Intervals::default();
        let mut closed: Vec<_> = versions
            .into_iter()
            .flat_map(|version| intervals.push(version))
            .collect();
        closed.extend(intervals.finish());
        closed
            .iter()
            .map(|row| (row.seq, row.valid_from, row.valid_to))
            .collect()
    }

    #[test]
    fn versions_end_where_the_next_begins() {
        let rows = close(vec![
            version(1, "initial", 10, "5"),
            version(2, "modified", 20, "6"),
            version(3, "relisted", 25, "6"),
            version(4, "deleted", 30, "7"),
        ]);
        assert_eq!(
            rows,
            [(1, 10, Some(20)), (2, 20, Some(30)), (4, 30, Some(30))]
        );
    }

    #[test]
    fn identities_do_not_end_each_other() {
        let mut other_group = version(2, "initial", 12, "5");
        other_group.group = "events.k8s.io".to_owned();
        let mut other_uid = version(3, "added", 40, "9");
        other_uid.uid = "2".to_owned();
        let rows = close(vec![version(1, "initial", 10, "5"), other_group, other_uid]);
        assert_eq!(rows, [(1, 10, None), (2, 12, None), (3, 40, None)]);
    }

    #[test]
    fn a_version_never_begins_before_the_last_one() {
        let rows = close(vec![
            version(1, "initial", 15, "5"),
            version(2, "modified", 10, "6"),
        ]);
        assert_eq!(rows, [(1, 15, Some(15)), (2, 15, None)]);
    }
}
