//! The moments at which a probe may have been answered.

use std::collections::BTreeSet;

use aiopslab_datasets::error::SnapshotError;
use aiopslab_datasets::probes::{Exchange, Probe};
use aiopslab_datasets::rows::{LogLine, ObjectVersion, Row, Usage};
use aiopslab_datasets::{Snapshot, Visibility};
use aiopslab_replay::clock::nanoseconds;
use serde_json::Value;

/// Nanoseconds of a second.
const SECOND: i64 = 1_000_000_000;
/// How long before the first probe a line may have been written that a probe tells of.
const LOOK_BACK: i64 = 120 * SECOND;
/// Moments that are tried between the two ends, at most: as many as some hundred events have ages.
const BETWEEN: usize = 400;
/// How long after its measurement metrics-server may publish a sample, and the recorder with it.
const PUBLISHED_WITHIN: i64 = 45 * SECOND;

/// When something changed that probes tell of, sorted.
#[derive(Debug, Default)]
pub(super) struct Moments {
    changes: Vec<i64>,
    lines: Vec<i64>,
    usage: Vec<i64>,
    /// Nanoseconds within a second at which the age of an event changes.
    fractions: Vec<i64>,
}

impl Moments {
    /// Reads them for all probes of a snapshot.
    pub(super) fn read(snapshot: &Snapshot, probes: &[Probe]) -> Result<Self, SnapshotError> {
        let first = probes.iter().map(|probe| nanoseconds(probe.before)).min();
        let last = probes.iter().map(|probe| nanoseconds(probe.after)).max();
        let (Some(first), Some(last)) = (first, last) else {
            return Ok(Self::default());
        };
        let window = first.saturating_sub(LOOK_BACK)..=last;
        let events = times(snapshot, &(i64::MIN..=i64::MAX), observed_time)?;
        let fractions: BTreeSet<i64> = events.iter().map(|time| time.rem_euclid(SECOND)).collect();
        Ok(Self {
            fractions: fractions.into_iter().collect(),
            changes: times(snapshot, &window, |row: &ObjectVersion| row.valid_from)?,
            lines: times(snapshot, &window, |row: &LogLine| row.timestamp)?,
            usage: times(snapshot, &window, |row: &Usage| row.timestamp)?,
        })
    }

    /// The moments of a probe, the likeliest first.
    pub(super) fn of(&self, probe: &Probe) -> Vec<i64> {
        let (before, after) = (nanoseconds(probe.before), nanoseconds(probe.after));
        let mut between = BTreeSet::new();
        let within = |moments: &[i64], delay: i64| -> Vec<i64> {
            let moments = moments.iter().map(|moment| moment.saturating_add(delay));
            moments
                .filter(|moment| (before..after).contains(moment))
                .collect()
        };
        between.extend(within(&self.changes, 0));
        // Ages change with the second, those of events within it.
        let second = before.div_euclid(SECOND) * SECOND;
        let seconds = (0..).map(|count| second + count * SECOND);
        for second in seconds.take_while(|second| *second < after) {
            between.insert(second);
            if tells_of_events(probe) {
                between.extend(within(&self.fractions, second));
            }
        }
        between.retain(|moment| *moment > before);
        if let Exchange::Command { argv, .. } = &probe.exchange
            && argv.get(1).is_some_and(|verb| verb == "logs")
        {
            between.extend(within(&self.lines, 0));
            // One nanosecond later the line is older than what is asked for.
            let since = argv.iter().find_map(|word| since(word));
            between.extend(
                since
                    .map(|since| within(&self.lines, since + 1))
                    .unwrap_or_default(),
            );
        }
        let between: Vec<i64> = between.into_iter().rev().collect();
        let step = between.len().div_ceil(BETWEEN).max(1);
        let mut all = vec![after, before];
        all.extend(between.into_iter().step_by(step));
        if let Exchange::Command { argv, .. } = &probe.exchange
            && argv.get(1).is_some_and(|verb| verb == "top")
        {
            all.extend(self.unpublished(before));
        }
        all
    }

    /// Just before each sample that may not have been published yet.
    fn unpublished(&self, before: i64) -> Vec<i64> {
        let recent = before - PUBLISHED_WITHIN..=before;
        let samples = self.usage.iter().filter(|sample| recent.contains(sample));
        samples.map(|sample| sample - 1).collect()
    }
}

fn tells_of_events(probe: &Probe) -> bool {
    let Exchange::Command { argv, .. } = &probe.exchange else {
        return false;
    };
    argv.iter()
        .any(|word| word == "describe" || word == "ev" || word.contains("event"))
}

/// When an event was observed, by the microsecond; 0 for whatever has but seconds.
fn observed_time(row: &ObjectVersion) -> i64 {
    if row.resource != "events" {
        return 0;
    }
    let event: Value = serde_json::from_str(&row.object).unwrap_or_default();
    let time = event["series"]["lastObservedTime"].as_str();
    let time = time.or(event["eventTime"].as_str()).unwrap_or_default();
    time.parse().map_or(0, nanoseconds)
}

/// The length of time in `--since=30s`.
fn since(word: &str) -> Option<i64> {
    let text = word.strip_prefix("--since=")?;
    let (number, unit) = text.split_at(text.len().checked_sub(1)?);
    let unit = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3600,
        _ => return None,
    };
    number.parse::<i64>().ok()?.checked_mul(unit * SECOND)
}

/// The times of a table's rows that lie in a window, sorted, without repetition.
fn times<R: Row>(
    snapshot: &Snapshot,
    window: &std::ops::RangeInclusive<i64>,
    time: impl Fn(&R) -> i64,
) -> Result<Vec<i64>, SnapshotError> {
    let mut times = BTreeSet::new();
    for batch in snapshot.batches(Visibility::Visible, R::TABLE)? {
        let rows = R::from_batch(&batch?).map_err(|source| SnapshotError::Rows {
            path: snapshot.path(R::TABLE),
            source,
        })?;
        times.extend(rows.iter().map(&time).filter(|time| window.contains(time)));
    }
    Ok(times.into_iter().collect())
}

#[cfg(test)]
mod tests {
    use aiopslab_datasets::probes::Tool;
    use jiff::Timestamp;

    use super::*;

    #[test]
    fn the_ends_come_first_then_what_changed_between_them() {
        let moments = Moments {
            changes: vec![10 * SECOND, 12 * SECOND + 5, 20 * SECOND],
            lines: vec![3 * SECOND, 12 * SECOND + 7],
            usage: vec![11 * SECOND],
            fractions: vec![0, 9],
        };
        let of = |command: &str| {
            let probe = Probe {
                tool: Tool::Kubectl,
                kind: String::new(),
                before: Timestamp::from_nanosecond(i128::from(12 * SECOND + 1)).unwrap(),
                after: Timestamp::from_nanosecond(i128::from(13 * SECOND + 9)).unwrap(),
                attempts: 1,
                moving: false,
                exchange: Exchange::Command {
                    argv: command.split(' ').map(str::to_owned).collect(),
                    exit_code: 0,
                    stdout: String::new(),
                    stderr: String::new(),
                },
            };
            let offset = |moment: i64| moment - 12 * SECOND;
            moments
                .of(&probe)
                .into_iter()
                .map(offset)
                .collect::<Vec<_>>()
        };
        assert_eq!(of("kubectl get pods"), [SECOND + 9, 1, SECOND, 5]);
        assert_eq!(of("kubectl get events"), [SECOND + 9, 1, SECOND, 9, 5]);
        assert_eq!(of("kubectl logs geo"), [SECOND + 9, 1, SECOND, 7, 5]);
        assert_eq!(
            of("kubectl logs geo --since=10s"),
            [SECOND + 9, 1, SECOND + 1, SECOND, 7, 5]
        );
        assert_eq!(
            of("kubectl top pods"),
            [SECOND + 9, 1, SECOND, 5, -SECOND - 1]
        );
    }
}
