//! Clocks of what is recorded from, against the API server's, which is the authority.
//!
//! Rows keep the times that their sources stamped on them. Where a source's clock differs so much
//! that it matters, the manifest says by how much, and coverage that the end may be incomplete.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use serde_json::Value;

use super::coverage::Hole;
use super::{SECOND, nanoseconds};
use crate::cluster::ClockOffset;

/// Clocks that differ by less are taken for equal.
const TOLERANCE: i64 = 2 * SECOND;
/// Namespace of the leases that kubelets renew, by their clocks.
const NODE_LEASES: &str = "kube-node-lease";
/// Nanoseconds of a millisecond.
const MILLISECOND: i64 = 1_000_000;

/// How far clocks are ahead of the API server's, by their names: `prometheus`, `node/NAME`.
#[derive(Debug, Default)]
pub(super) struct Clocks(Mutex<BTreeMap<String, i64>>);

impl Clocks {
    /// Takes note of what a clock said, not later than a moment of the API server's clock.
    ///
    /// What took the shortest way tells most: of several the greatest difference counts.
    pub(super) fn saw(&self, clock: &str, told: i64, observed: i64) {
        let ahead = told - observed;
        let mut clocks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let known = clocks.entry(clock.to_owned()).or_insert(ahead);
        *known = ahead.max(*known);
    }

    /// Takes note of a change of an object, if it is a node's lease.
    pub(super) fn saw_change(&self, resource: &str, object: &Value, observed: i64) {
        let metadata = &object["metadata"];
        if resource != "leases" || metadata["namespace"] != NODE_LEASES {
            return;
        }
        let renewed = object["spec"]["renewTime"].as_str().and_then(nanoseconds);
        if let (Some(node), Some(renewed)) = (metadata["name"].as_str(), renewed) {
            self.saw(&format!("node/{node}"), renewed, observed);
        }
    }

    /// Every clock against the recorder's, given the API server's.
    pub(super) fn offsets(&self, server: ClockOffset) -> BTreeMap<String, ClockOffset> {
        // Where the server's clock is taken for ours, it was not added to what was observed.
        let is_ours = server.offset_ms.abs() <= server.uncertainty_ms;
        let of_server = if is_ours { 0 } else { server.offset_ms };
        let clocks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let offset = |ahead: &i64| ClockOffset {
            offset_ms: of_server + ahead / MILLISECOND,
            uncertainty_ms: server.uncertainty_ms,
        };
        let offsets = clocks.iter();
        offsets
            .map(|(clock, ahead)| (clock.clone(), offset(ahead)))
            .collect()
    }

    /// The last moments of a table whose rows a clock that differs has stamped.
    pub(super) fn holes(&self, table: &str, to: i64) -> Vec<Hole> {
        let is_stamped = |clock: &str| match table {
            "metric_samples" | "metric_series" => clock == "prometheus",
            "log_lines" | "log_instances" | "spans" | "usage" => clock.starts_with("node/"),
            _ => false,
        };
        let clocks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let skewed = clocks
            .iter()
            .filter(|(clock, ahead)| is_stamped(clock) && ahead.abs() > TOLERANCE);
        skewed
            .map(|(clock, ahead)| {
                let (by, what) = match *ahead > 0 {
                    true => ("ahead of", "what came last is stamped after the end"),
                    false => ("behind", "rows are stamped earlier than they came"),
                };
                let seconds = ahead.abs() as f64 / SECOND as f64;
                Hole {
                    when: to - ahead.abs()..to,
                    reason: format!(
                        "the clock of {clock} is {seconds:.1} s {by} the API server's: {what}"
                    ),
                }
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const START: &str = "2026-11-23T08:00:00Z";

    /// A node's lease as its kubelet renews it, so many seconds after the start by its clock.
    fn lease(after: i64) -> Value {
        let renewed = super::super::rfc3339(nanoseconds(START).unwrap() + after * SECOND);
        json!({"metadata": {"namespace": NODE_LEASES, "name": "lab"}, "spec": {"renewTime": renewed}})
    }

    fn told(clocks: &Clocks, table: &str) -> Vec<(i64, String)> {
        let to = nanoseconds(START).unwrap() + 100 * SECOND;
        let holes = clocks.holes(table, to).into_iter();
        holes
            .map(|hole| ((hole.when.end - hole.when.start) / SECOND, hole.reason))
            .collect()
    }

    #[test]
    fn a_node_that_is_behind_or_ahead_is_told_where_its_clock_stamps() {
        let start = nanoseconds(START).unwrap();
        for (skew, by) in [(-5, "5.0 s behind"), (7, "7.0 s ahead")] {
            let clocks = Clocks::default();
            for moment in [10, 20, 30] {
                // The middle one came a second late.
                let late = i64::from(moment == 20);
                let observed = start + (moment + late) * SECOND;
                clocks.saw_change("leases", &lease(moment + skew), observed);
            }
            for table in ["log_lines", "log_instances", "spans", "usage"] {
                let told = told(&clocks, table);
                assert_eq!(told.len(), 1, "{table}");
                assert_eq!(told[0].0, skew.abs());
                assert!(told[0].1.contains(by), "{told:?}");
            }
            assert!(told(&clocks, "metric_samples").is_empty());
            assert!(told(&clocks, "object_versions").is_empty());
        }
    }

    #[test]
    fn prometheus_has_a_clock_of_its_own() {
        let clocks = Clocks::default();
        clocks.saw("prometheus", 70 * SECOND, 100 * SECOND);
        clocks.saw("prometheus", 81 * SECOND, 110 * SECOND);
        assert_eq!(told(&clocks, "metric_samples")[0].0, 29);
        assert!(told(&clocks, "log_lines").is_empty());
    }

    #[test]
    fn small_differences_and_other_leases_are_nothing() {
        let start = nanoseconds(START).unwrap();
        let clocks = Clocks::default();
        clocks.saw_change("leases", &lease(0), start + SECOND);
        let mut other = lease(60);
        other["metadata"]["namespace"] = json!("kube-system");
        clocks.saw_change("leases", &other, start);
        clocks.saw_change("pods", &lease(60), start);
        assert!(told(&clocks, "log_lines").is_empty());
    }

    #[test]
    fn offsets_are_against_the_recorder() {
        let clocks = Clocks::default();
        clocks.saw("node/lab", 5 * SECOND, 0);
        let against = |offset_ms| {
            let server = ClockOffset {
                offset_ms,
                uncertainty_ms: 500,
            };
            clocks.offsets(server)["node/lab"].offset_ms
        };
        assert_eq!(against(60_000), 65_000);
        assert_eq!(against(300), 5000); // the server's clock was taken for ours
    }
}
