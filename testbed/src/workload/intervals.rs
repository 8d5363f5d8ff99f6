//! What came back, counted per second of sending and per endpoint.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use serde::Serialize;

use crate::workload::now_ms;
use crate::workload::plan::Endpoint;

/// Upper limits in milliseconds. The last one holds whatever is above the timeouts in use.
const LATENCY_LIMITS_MS: [u64; 11] = [5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 3_600_000];
/// Two hours: a reader that comes later than that has lost the beginning.
const KEPT_INTERVALS: u64 = 7200;

/// How a request ended.
pub(crate) enum Answer {
    Ok {
        took: Duration,
    },
    Failed {
        reason: String,
        took: Option<Duration>,
    },
}

/// One second of one endpoint, as `/intervals` gives it.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct IntervalRow {
    interval: u64,
    start_ms: u64,
    endpoint: Endpoint,
    sent: u64,
    ok: u64,
    errors: BTreeMap<String, u64>,
    latency_ms_histogram: Vec<(u64, u64)>,
}

/// The counts of a run; a request counts in the second in which it was sent.
pub(crate) struct Intervals {
    started: Instant,
    started_ms: u64,
    settled_after: Duration,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    tallies: BTreeMap<(u64, Endpoint), Tally>,
    total: Tally,
}

#[derive(Debug, Clone, Default)]
struct Tally {
    sent: u64,
    ok: u64,
    errors: BTreeMap<String, u64>,
    latencies: BTreeMap<u64, u64>,
}

impl Tally {
    fn answered(&mut self, answer: &Answer) {
        let took = match answer {
            Answer::Ok { took } => {
                self.ok += 1;
                Some(*took)
            }
            Answer::Failed { reason, took } => {
                *self.errors.entry(reason.clone()).or_default() += 1;
                *took
            }
        };
        if let Some(took) = took {
            *self.latencies.entry(limit_of(took)).or_default() += 1;
        }
    }

    /// The limit under which at least `share` of the latencies lie.
    fn percentile(&self, share: f64) -> Option<u64> {
        let count: u64 = self.latencies.values().sum();
        let mut seen = 0;
        for (limit, within) in &self.latencies {
            seen += within;
            if seen as f64 >= share * count as f64 {
                return Some(*limit);
            }
        }
        None
    }
}

impl Intervals {
    /// Starts interval 0 now; an interval is settled when no request of it can be unanswered.
    pub(crate) fn starting_now(timeout: Duration) -> Self {
        Self {
            started: Instant::now(),
            started_ms: now_ms(),
            settled_after: Duration::from_secs(1) + timeout + Duration::from_millis(500),
            state: Mutex::default(),
        }
    }

    /// Counts a request as sent and says in which interval.
    pub(crate) fn sent(&self, endpoint: Endpoint) -> u64 {
        let interval = self.started.elapsed().as_secs();
        let mut state = self.state();
        state.tallies.entry((interval, endpoint)).or_default().sent += 1;
        state.total.sent += 1;
        if let Some(oldest) = interval.checked_sub(KEPT_INTERVALS) {
            state.tallies = state.tallies.split_off(&(oldest, Endpoint::Search));
        }
        interval
    }

    /// Counts the end of a request.
    pub(crate) fn answered(&self, interval: u64, endpoint: Endpoint, answer: Answer) {
        let mut state = self.state();
        state.total.answered(&answer);
        if let Some(tally) = state.tallies.get_mut(&(interval, endpoint)) {
            tally.answered(&answer);
        }
    }

    /// The settled intervals from `first` on: their numbers don't change any more.
    pub(crate) fn since(&self, first: u64) -> Vec<IntervalRow> {
        let Some(settled) = self.started.elapsed().checked_sub(self.settled_after) else {
            return Vec::new();
        };
        let until = settled.as_secs() + 1;
        let state = self.state();
        if first >= until {
            return Vec::new();
        }
        let rows = state
            .tallies
            .range((first, Endpoint::Search)..(until, Endpoint::Search));
        rows.map(|((interval, endpoint), tally)| IntervalRow {
            interval: *interval,
            start_ms: self.started_ms + interval * 1000,
            endpoint: *endpoint,
            sent: tally.sent,
            ok: tally.ok,
            errors: tally.errors.clone(),
            latency_ms_histogram: tally.latencies.iter().map(|(k, v)| (*k, *v)).collect(),
        })
        .collect()
    }

    /// What is printed at the end.
    pub(crate) fn summary(&self) -> String {
        let seconds = self.started.elapsed().as_secs_f64();
        let total = self.state().total.clone();
        let mut text = String::from("  Latency Distribution\n");
        for (name, share) in [("50%", 0.5), ("90%", 0.9), ("99%", 0.99), ("99.9%", 0.999)] {
            let limit = total.percentile(share);
            let limit = limit.map_or_else(|| "-".to_owned(), |limit| format!("<= {limit} ms"));
            let _ = writeln!(text, "  {name:>6}  {limit}");
        }
        let _ = writeln!(
            text,
            "  {} requests in {seconds:.1}s, {} ok",
            total.sent, total.ok
        );
        for (reason, count) in &total.errors {
            let _ = writeln!(text, "  errors: {reason}: {count}");
        }
        let _ = write!(
            text,
            "Requests/sec: {:.2}",
            total.sent as f64 / seconds.max(0.001)
        );
        text
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn limit_of(took: Duration) -> u64 {
    let exact = took.as_micros();
    let limit = LATENCY_LIMITS_MS
        .iter()
        .find(|limit| exact <= u128::from(**limit) * 1000);
    limit
        .copied()
        .unwrap_or(LATENCY_LIMITS_MS[LATENCY_LIMITS_MS.len() - 1])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interval_counts_answers_where_the_request_was_sent() {
        let intervals = Intervals {
            settled_after: Duration::ZERO,
            ..Intervals::starting_now(Duration::ZERO)
        };
        let interval = intervals.sent(Endpoint::Login);
        intervals.sent(Endpoint::Login);
        let took = Duration::from_millis(7);
        intervals.answered(interval, Endpoint::Login, Answer::Ok { took });
        let failed = Answer::Failed {
            reason: "timeout".into(),
            took: None,
        };
        intervals.answered(interval, Endpoint::Login, failed);
        let rows = serde_json::to_value(intervals.since(0)).unwrap();
        assert_eq!(rows[0]["endpoint"], "login");
        assert_eq!(rows[0]["sent"], 2);
        assert_eq!(rows[0]["ok"], 1);
        assert_eq!(rows[0]["errors"]["timeout"], 1);
        assert_eq!(
            rows[0]["latency_ms_histogram"],
            serde_json::json!([[10, 1]])
        );
    }

    #[test]
    fn an_interval_that_may_change_is_not_given_out() {
        let intervals = Intervals::starting_now(Duration::from_secs(2));
        intervals.sent(Endpoint::Search);
        assert!(intervals.since(0).is_empty());
    }
}
