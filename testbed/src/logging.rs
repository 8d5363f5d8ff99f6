//! Log lines: one JSON object per line on stdout, with the ids of the current span.

use std::fmt;

use opentelemetry::Context;
use opentelemetry::trace::TraceContextExt;
use serde_json::{Map, Value, json};
use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::registry::LookupSpan;

/// Writes every event of this process as `service`'s log line; `RUST_LOG` overrides the levels.
pub(crate) fn start(service: &'static str) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| {
        // The exporter speaks of every batch that it could not send; one line each is enough.
        EnvFilter::new("info,opentelemetry=error,opentelemetry_otlp=off,opentelemetry-otlp=off")
    });
    let written = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .event_format(JsonLines { service })
        .with_writer(std::io::stdout)
        .try_init();
    if let Err(error) = written {
        eprintln!("warning: log lines are not written: {error}");
    }
}

struct JsonLines {
    service: &'static str,
}

impl<S, N> FormatEvent<S, N> for JsonLines
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        _context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let mut line = Map::new();
        line.insert(
            "timestamp".into(),
            json!(format!("{:.3}", jiff::Timestamp::now())),
        );
        line.insert("level".into(), json!(event.metadata().level().as_str()));
        line.insert("service".into(), json!(self.service));
        event.record(&mut Fields(&mut line));
        Context::map_current(|context| {
            let span = context.span();
            let ids = span.span_context();
            if ids.is_valid() {
                line.insert("trace_id".into(), json!(ids.trace_id().to_string()));
                line.insert("span_id".into(), json!(ids.span_id().to_string()));
            }
        });
        writeln!(writer, "{}", Value::Object(line))
    }
}

struct Fields<'a>(&'a mut Map<String, Value>);

impl Fields<'_> {
    fn put(&mut self, field: &Field, value: Value) {
        self.0.insert(field.name().to_owned(), value);
    }
}

impl Visit for Fields<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.put(field, json!(format!("{value:?}")));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.put(field, json!(value));
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.put(field, json!(value));
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.put(field, json!(value));
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.put(field, json!(value));
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.put(field, json!(value));
    }
}
