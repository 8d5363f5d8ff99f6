//! Spans: all of them sampled, sent to an OTLP endpoint in batches, linked across services by the
//! W3C `traceparent` header.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use opentelemetry::propagation::{Extractor, Injector};
use opentelemetry::trace::{SpanKind, Status, TraceContextExt, Tracer};
use opentelemetry::{Context, KeyValue, global};
use opentelemetry_otlp::{Protocol, WithExportConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::{OTelSdkError, OTelSdkResult};
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::{
    BatchConfigBuilder, BatchSpanProcessor, Sampler, SdkTracerProvider, SpanData, SpanExporter,
};
use tokio::runtime::Handle;

use crate::settings::{Settings, VERSION};

const EXPORT_TIMEOUT: Duration = Duration::from_secs(3);
const EXPORT_EVERY: Duration = Duration::from_secs(1);
/// About a minute of spans of a busy service: more than that is dropped while the backend is away.
const QUEUED_SPANS: usize = 8192;

/// Owns the exporter of a process; without an endpoint spans are made but go nowhere.
pub(crate) struct Telemetry {
    provider: SdkTracerProvider,
}

impl Telemetry {
    /// Starts to export the spans of `service`. Needs a running tokio runtime.
    pub(crate) fn start(service: &'static str, settings: &Settings) -> anyhow::Result<Self> {
        let mut attributes = vec![KeyValue::new("service.version", VERSION)];
        let from_pod = [
            ("k8s.pod.name", &settings.pod_name),
            ("k8s.namespace.name", &settings.pod_namespace),
        ];
        for (key, value) in from_pod {
            attributes.extend(value.clone().map(|value| KeyValue::new(key, value)));
        }
        let resource = Resource::builder()
            .with_service_name(service)
            .with_attributes(attributes)
            .build();
        let mut builder = SdkTracerProvider::builder()
            .with_sampler(Sampler::AlwaysOn)
            .with_resource(resource);
        if let Some(endpoint) = &settings.otlp_endpoint {
            builder = builder.with_span_processor(batches(endpoint)?);
        }
        let provider = builder.build();
        global::set_text_map_propagator(TraceContextPropagator::new());
        global::set_tracer_provider(provider.clone());
        Ok(Self { provider })
    }

    /// Sends what is queued and stops; gives up after a few seconds.
    pub(crate) async fn stop(self) {
        let stopped = tokio::task::spawn_blocking(move || {
            self.provider.shutdown_with_timeout(EXPORT_TIMEOUT)
        });
        if let Ok(Err(error)) = stopped.await {
            tracing::warn!(error = %error, "spans were lost at shutdown");
        }
    }
}

fn batches(endpoint: &str) -> anyhow::Result<BatchSpanProcessor> {
    let exporter = opentelemetry_otlp::SpanExporter::builder()
        .with_http()
        .with_protocol(Protocol::HttpBinary)
        .with_endpoint(format!("{}/v1/traces", endpoint.trim_end_matches('/')))
        .with_timeout(EXPORT_TIMEOUT)
        .build()?;
    let exporter = RuntimeExporter {
        inner: Arc::new(exporter),
        runtime: Handle::current(),
    };
    let config = BatchConfigBuilder::default()
        .with_max_queue_size(QUEUED_SPANS)
        .with_scheduled_delay(EXPORT_EVERY)
        .build();
    Ok(BatchSpanProcessor::builder(exporter)
        .with_batch_config(config)
        .build())
}

/// Runs the HTTP exporter on the runtime: the batch processor calls it from a plain thread, where
/// the asynchronous HTTP client has no reactor.
struct RuntimeExporter {
    inner: Arc<opentelemetry_otlp::SpanExporter>,
    runtime: Handle,
}

impl fmt::Debug for RuntimeExporter {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("RuntimeExporter")
    }
}

impl SpanExporter for RuntimeExporter {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let inner = Arc::clone(&self.inner);
        let sent = self.runtime.spawn(async move { inner.export(batch).await });
        sent.await
            .map_err(|error| OTelSdkError::InternalFailure(error.to_string()))?
    }

    fn set_resource(&mut self, resource: &Resource) {
        if let Some(inner) = Arc::get_mut(&mut self.inner) {
            inner.set_resource(resource);
        }
    }
}

/// Starts a span under `parent` and gives the context in which it is the current one.
pub(crate) fn start_span(
    name: String,
    kind: SpanKind,
    parent: &Context,
    attributes: Vec<KeyValue>,
) -> Context {
    let tracer = global::tracer("aiopslab-testbed");
    let builder = tracer
        .span_builder(name)
        .with_kind(kind)
        .with_attributes(attributes);
    let span = tracer.build_with_context(builder, parent);
    parent.with_span(span)
}

/// Marks the span of `context` as failed.
pub(crate) fn fail_span(context: &Context, error_type: String, description: String) {
    let span = context.span();
    span.set_attribute(KeyValue::new("error.type", error_type));
    span.set_status(Status::error(description));
}

/// The context that a request carries in its headers.
pub(crate) fn context_of(headers: &HeaderMap) -> Context {
    global::get_text_map_propagator(|propagator| {
        propagator.extract_with_context(&Context::new(), &Headers(headers))
    })
}

/// The headers that carry `context` to the next service.
pub(crate) fn headers_of(context: &Context) -> HeaderMap {
    let mut headers = HeadersMut(HeaderMap::new());
    global::get_text_map_propagator(|propagator| {
        propagator.inject_context(context, &mut headers);
    });
    headers.0
}

struct Headers<'a>(&'a HeaderMap);

impl Extractor for Headers<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key).and_then(|value| value.to_str().ok())
    }

    fn keys(&self) -> Vec<&str> {
        self.0.keys().map(HeaderName::as_str).collect()
    }
}

struct HeadersMut(HeaderMap);

impl Injector for HeadersMut {
    fn set(&mut self, key: &str, value: String) {
        if let (Ok(name), Ok(value)) = (
            HeaderName::from_bytes(key.as_bytes()),
            HeaderValue::from_str(&value),
        ) {
            self.0.insert(name, value);
        }
    }
}
