//! One call of a dependency, whatever its kind: a client span, a time limit, a metric, and a log
//! line when it fails.

use std::future::Future;
use std::time::{Duration, Instant};

use opentelemetry::context::FutureExt as _;
use opentelemetry::trace::{SpanKind, TraceContextExt as _};
use opentelemetry::{Context, KeyValue};

use crate::error::ServiceError;
use crate::metrics::Metrics;
use crate::telemetry;

/// How a call of a dependency ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It answered.
    Ok,
    /// Nothing accepted the connection.
    Refused,
    /// It did not answer in time.
    Timeout,
    /// It answered that it failed, or the connection broke.
    Error,
}

impl Outcome {
    /// The value of the metric label.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Refused => "refused",
            Self::Timeout => "timeout",
            Self::Error => "error",
        }
    }
}

/// Why a call failed, as its kind of client found out.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) outcome: Outcome,
    pub(crate) detail: String,
}

impl Failure {
    /// A failure with an answer or a broken connection.
    pub(crate) fn error(detail: impl Into<String>) -> Self {
        Self {
            outcome: Outcome::Error,
            detail: detail.into(),
        }
    }

    /// The failure that an error of a client library stands for, told with its causes.
    pub(crate) fn of(error: &(dyn std::error::Error + 'static), address: &str) -> Self {
        let mut outcome = Outcome::Error;
        let mut causes: Vec<String> = Vec::new();
        let mut next = Some(error);
        while let Some(cause) = next {
            if let Some(io) = cause.downcast_ref::<std::io::Error>() {
                match io.kind() {
                    std::io::ErrorKind::ConnectionRefused => {
                        let detail = format!("connection refused: {address}");
                        return Self {
                            outcome: Outcome::Refused,
                            detail,
                        };
                    }
                    std::io::ErrorKind::TimedOut => outcome = Outcome::Timeout,
                    _ => {}
                }
            }
            let text = cause.to_string();
            // Many libraries repeat their cause in their own text.
            if !causes.iter().any(|said| said.contains(&text)) {
                causes.push(text);
            }
            next = cause.source();
        }
        Self {
            outcome,
            detail: format!("{}: {address}", causes.join(": ")),
        }
    }
}

/// A call about to be made.
pub(crate) struct Call<'a> {
    pub(crate) metrics: &'a Metrics,
    pub(crate) dependency: &'a str,
    pub(crate) address: &'a str,
    pub(crate) span_name: String,
    pub(crate) attributes: Vec<KeyValue>,
    pub(crate) time_limit: Duration,
    /// Whether the service goes on without this dependency: its failure is then a warning.
    pub(crate) optional: bool,
}

impl Call<'_> {
    /// Makes the call in a client span of the current span.
    pub(crate) async fn run<T>(
        mut self,
        work: impl Future<Output = Result<T, Failure>>,
    ) -> Result<T, ServiceError> {
        self.attributes
            .push(KeyValue::new("peer.service", self.dependency.to_owned()));
        let (host, port) = self.address.rsplit_once(':').unwrap_or((self.address, ""));
        self.attributes
            .push(KeyValue::new("server.address", host.to_owned()));
        if let Ok(port) = port.parse::<i64>() {
            self.attributes.push(KeyValue::new("server.port", port));
        }
        let context = telemetry::start_span(
            self.span_name,
            SpanKind::Client,
            &Context::current(),
            self.attributes,
        );
        let started = Instant::now();
        let limited = tokio::time::timeout(self.time_limit, work).with_context(context.clone());
        let result = limited.await.unwrap_or_else(|_| {
            let limit = self.time_limit.as_millis();
            Err(Failure {
                outcome: Outcome::Timeout,
                detail: format!("timeout after {limit} ms: {}", self.address),
            })
        });
        let took = started.elapsed();
        let outcome = result
            .as_ref()
            .map_or_else(|failure| failure.outcome, |_| Outcome::Ok);
        self.metrics
            .dependency_called(self.dependency, outcome, took);
        let answer = result.map_err(|Failure { outcome, detail }| {
            telemetry::fail_span(&context, outcome.as_str().to_owned(), detail.clone());
            let _current = context.clone().attach();
            let took = took.as_millis() as u64;
            let dependency = self.dependency;
            if self.optional {
                tracing::warn!(
                    dependency,
                    error = detail,
                    duration_ms = took,
                    "call failed"
                );
            } else {
                tracing::error!(
                    dependency,
                    error = detail,
                    duration_ms = took,
                    "call failed"
                );
            }
            ServiceError::Dependency {
                dependency: dependency.to_owned(),
                outcome,
                detail,
            }
        });
        context.span().end();
        answer
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    #[test]
    fn a_refused_connection_is_recognised_and_told_with_its_address() {
        let error = io::Error::from(io::ErrorKind::ConnectionRefused);
        let failure = Failure::of(&error, "rate:8080");
        assert_eq!(failure.outcome, Outcome::Refused);
        assert_eq!(failure.detail, "connection refused: rate:8080");
    }

    #[test]
    fn another_error_keeps_its_text() {
        let error = io::Error::other("connection reset by peer");
        let failure = Failure::of(&error, "geo:8080");
        assert_eq!(failure.outcome, Outcome::Error);
        assert_eq!(failure.detail, "connection reset by peer: geo:8080");
    }
}
