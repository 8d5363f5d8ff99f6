//! Metrics: rate, errors and duration per route and per dependency, pool sizes, requests in flight.
//!
//! Few buckets and no label with an unbounded set of values: about sixty series per service.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use prometheus::{
    Gauge, HistogramOpts, HistogramVec, IntCounterVec, IntGauge, IntGaugeVec, Opts, Registry,
    TextEncoder,
};

use crate::calls::Outcome;

const BUCKETS: [f64; 5] = [0.01, 0.05, 0.25, 1.0, 2.5];

/// The metrics of one process; clones share their values.
#[derive(Clone)]
pub(crate) struct Metrics {
    registry: Registry,
    requests: IntCounterVec,
    request_duration: HistogramVec,
    in_flight: IntGauge,
    dependency_requests: IntCounterVec,
    dependency_duration: HistogramVec,
    pool_connections: IntGaugeVec,
}

impl Metrics {
    /// Registers the metrics of a process.
    pub(crate) fn new() -> prometheus::Result<Self> {
        let registry = Registry::new();
        let requests = IntCounterVec::new(
            Opts::new("http_requests_total", "Requests answered."),
            &["route", "method", "status"],
        )?;
        let request_duration = histogram(
            "http_request_duration_seconds",
            "Time until a request was answered.",
            "route",
        )?;
        let in_flight = IntGauge::new("http_requests_in_flight", "Requests being answered.")?;
        let dependency_requests = IntCounterVec::new(
            Opts::new(
                "dependency_requests_total",
                "Calls of services, databases and caches.",
            ),
            &["dependency", "outcome"],
        )?;
        let dependency_duration = histogram(
            "dependency_request_duration_seconds",
            "Time until a dependency answered or failed.",
            "dependency",
        )?;
        let pool_connections = IntGaugeVec::new(
            Opts::new(
                "db_pool_connections",
                "Connections of the database pool by state.",
            ),
            &["state"],
        )?;
        let start_time = Gauge::new(
            "process_start_time_seconds",
            "Start of the process, seconds since 1970.",
        )?;
        let since_epoch = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        start_time.set(since_epoch.as_secs_f64());
        registry.register(Box::new(requests.clone()))?;
        registry.register(Box::new(request_duration.clone()))?;
        registry.register(Box::new(in_flight.clone()))?;
        registry.register(Box::new(dependency_requests.clone()))?;
        registry.register(Box::new(dependency_duration.clone()))?;
        registry.register(Box::new(pool_connections.clone()))?;
        registry.register(Box::new(start_time))?;
        Ok(Self {
            registry,
            requests,
            request_duration,
            in_flight,
            dependency_requests,
            dependency_duration,
            pool_connections,
        })
    }

    /// Counts a request as in flight until the guard is dropped.
    pub(crate) fn request_started(&self) -> InFlight {
        self.in_flight.inc();
        InFlight(self.in_flight.clone())
    }

    /// Counts an answered request.
    pub(crate) fn request_answered(&self, route: &str, method: &str, status: u16, took: Duration) {
        self.requests
            .with_label_values(&[route, method, &status.to_string()])
            .inc();
        self.request_duration
            .with_label_values(&[route])
            .observe(took.as_secs_f64());
    }

    /// Makes a dependency's series exist at zero, so that its first failure shows as an increase.
    pub(crate) fn announce_dependency(&self, dependency: &str) {
        for outcome in [Outcome::Ok, Outcome::Error] {
            self.dependency_requests
                .with_label_values(&[dependency, outcome.as_str()]);
        }
        self.dependency_duration.with_label_values(&[dependency]);
    }

    /// Counts a call of a dependency.
    pub(crate) fn dependency_called(&self, dependency: &str, outcome: Outcome, took: Duration) {
        self.dependency_requests
            .with_label_values(&[dependency, outcome.as_str()])
            .inc();
        self.dependency_duration
            .with_label_values(&[dependency])
            .observe(took.as_secs_f64());
    }

    /// Sets the number of pool connections in `state`.
    pub(crate) fn set_pool_connections(&self, state: &str, connections: usize) {
        let connections = i64::try_from(connections).unwrap_or(i64::MAX);
        self.pool_connections
            .with_label_values(&[state])
            .set(connections);
    }

    /// Renders all metrics in Prometheus' text format.
    pub(crate) fn render(&self) -> prometheus::Result<String> {
        TextEncoder::new().encode_to_string(&self.registry.gather())
    }
}

/// A request being answered.
pub(crate) struct InFlight(IntGauge);

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.dec();
    }
}

fn histogram(name: &str, help: &str, label: &str) -> prometheus::Result<HistogramVec> {
    HistogramVec::new(
        HistogramOpts::new(name, help).buckets(BUCKETS.to_vec()),
        &[label],
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_announced_dependency_shows_before_its_first_call() {
        let metrics = Metrics::new().unwrap();
        metrics.announce_dependency("rate");
        metrics.dependency_called("rate", Outcome::Refused, Duration::from_millis(3));
        let text = metrics.render().unwrap();
        for line in [
            r#"dependency_requests_total{dependency="rate",outcome="error"} 0"#,
            r#"dependency_requests_total{dependency="rate",outcome="refused"} 1"#,
        ] {
            assert!(text.contains(line), "{line} is not in\n{text}");
        }
    }
}
