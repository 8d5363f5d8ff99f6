//! The process of one service: listener, health, instrumentation of every request, graceful end.
//!
//! Readiness means "the listener is up and the store has answered once". It does not follow a
//! dependency's later fate: a service with a broken dependency stays in rotation and answers errors.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use axum::Router;
use axum::extract::{MatchedPath, Request, State};
use axum::http::{Method, StatusCode};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use opentelemetry::KeyValue;
use opentelemetry::context::FutureExt;
use opentelemetry::trace::{SpanKind, TraceContextExt as _};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

use crate::database::Database;
use crate::error::ErrorDetail;
use crate::logging;
use crate::metrics::Metrics;
use crate::services::{self, Role};
use crate::settings::{Settings, VERSION};
use crate::telemetry::{self, Telemetry};

/// A request that takes longer than this is logged whatever the sample says.
const SLOW_REQUEST: Duration = Duration::from_millis(500);

/// Serves `role` until SIGTERM or SIGINT, then lets running requests finish.
pub(crate) async fn run(role: Role) -> anyhow::Result<()> {
    let service = role.name();
    logging::start(service);
    let settings = Settings::read(role)?;
    let telemetry = Telemetry::start(service, &settings)?;
    let metrics = Metrics::new()?;
    let services::Assembled { routes, database } = services::assemble(role, &metrics)?;

    let health = Health {
        ready: Arc::default(),
        metrics: metrics.clone(),
        database,
    };
    let observer = Observer {
        service,
        metrics,
        access_log_every: settings.access_log_every.max(1),
        answered: Arc::default(),
    };
    let router = routes
        .route_layer(middleware::from_fn_with_state(observer, observe))
        .merge(health_routes(health.clone()));
    let listener = TcpListener::bind(&settings.listen).await;
    let listener = listener.context(format!("cannot listen on {}", settings.listen))?;
    tracing::info!(listen = settings.listen, version = VERSION, "started");

    let startup = tokio::spawn(become_ready(health.clone()));
    let (stop, stopping) = watch::channel(false);
    let mut asked_to_stop = stopping.clone();
    let server = axum::serve(listener, router).with_graceful_shutdown(async move {
        let _ = asked_to_stop.wait_for(|stop| *stop).await;
    });
    let mut server = tokio::spawn(server.into_future());
    tokio::select! {
        ended = &mut server => {
            ended??;
        }
        () = termination() => {
            tracing::info!("stopping: finishing the requests in flight");
            health.ready.store(false, Ordering::Relaxed);
            let _ = stop.send(true);
            if tokio::time::timeout(settings.drain, &mut server).await.is_err() {
                tracing::warn!("stopping with requests unfinished");
                server.abort();
            }
        }
    }
    startup.abort();
    telemetry.stop().await;
    tracing::info!("stopped");
    Ok(())
}

/// Returns when the process is asked to end.
pub(crate) async fn termination() {
    let (Ok(mut terminate), Ok(mut interrupt)) = (
        signal(SignalKind::terminate()),
        signal(SignalKind::interrupt()),
    ) else {
        // Without handlers the default action ends the process, so waiting for ever is right.
        return std::future::pending().await;
    };
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
}

async fn become_ready(health: Health) {
    if let Some(database) = &health.database {
        database.wait_until_reachable().await;
    }
    health.ready.store(true, Ordering::Relaxed);
    tracing::info!("ready");
}

#[derive(Clone)]
struct Health {
    ready: Arc<AtomicBool>,
    metrics: Metrics,
    database: Option<Database>,
}

fn health_routes(health: Health) -> Router {
    Router::new()
        .route("/healthz", get(async || "ok\n"))
        .route("/readyz", get(readiness))
        .route("/metrics", get(render_metrics))
        .with_state(health)
}

async fn readiness(State(health): State<Health>) -> Response {
    if health.ready.load(Ordering::Relaxed) {
        "ready\n".into_response()
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "not ready\n").into_response()
    }
}

async fn render_metrics(State(health): State<Health>) -> Response {
    if let Some(database) = &health.database {
        database.report_pool();
    }
    match health.metrics.render() {
        Ok(text) => ([("content-type", "text/plain; version=0.0.4")], text).into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    }
}

#[derive(Clone)]
struct Observer {
    service: &'static str,
    metrics: Metrics,
    access_log_every: u64,
    answered: Arc<AtomicU64>,
}

/// Answers a request in a server span and tells metrics and log about it.
async fn observe(State(observer): State<Observer>, request: Request, next: Next) -> Response {
    let in_flight = observer.metrics.request_started();
    let method = request.method().clone();
    let route = request
        .extensions()
        .get::<MatchedPath>()
        .map_or_else(|| "unmatched".to_owned(), |path| path.as_str().to_owned());
    let parent = telemetry::context_of(request.headers());
    let context = telemetry::start_span(
        format!("{method} {route}"),
        SpanKind::Server,
        &parent,
        vec![
            KeyValue::new("http.request.method", method.to_string()),
            KeyValue::new("http.route", route.clone()),
            KeyValue::new("url.path", request.uri().path().to_owned()),
            KeyValue::new("url.scheme", "http"),
            KeyValue::new("server.address", observer.service),
        ],
    );
    let started = Instant::now();
    let answer = async {
        let response = next.run(request).await;
        let answered = Answered {
            method,
            route,
            took: started.elapsed(),
        };
        observer.report(&answered, &response);
        drop(in_flight);
        response
    };
    // Named in full: anyhow's trait for results has a method of the same name.
    FutureExt::with_context(answer, context).await
}

struct Answered {
    method: Method,
    route: String,
    took: Duration,
}

impl Observer {
    /// Ends the current span with the response's status; counts and logs the request.
    fn report(&self, request: &Answered, response: &Response) {
        let status = response.status();
        let method = request.method.as_str();
        self.metrics
            .request_answered(&request.route, method, status.as_u16(), request.took);
        let detail = response
            .extensions()
            .get::<ErrorDetail>()
            .map(|detail| detail.0.clone());
        let detail = detail.unwrap_or_else(|| status.to_string());

        let context = opentelemetry::Context::current();
        let code = i64::from(status.as_u16());
        context
            .span()
            .set_attribute(KeyValue::new("http.response.status_code", code));
        context
            .span()
            .set_attribute(KeyValue::new("http.status_code", code));
        if status.is_server_error() {
            telemetry::fail_span(&context, status.as_u16().to_string(), detail.clone());
        }

        let answered = self.answered.fetch_add(1, Ordering::Relaxed);
        let route = request.route.as_str();
        let duration_ms = request.took.as_millis() as u64;
        let status_code = status.as_u16();
        if status.is_server_error() {
            tracing::error!(
                method,
                route,
                status = status_code,
                duration_ms,
                error = detail,
                "request failed"
            );
        } else if status.is_client_error() {
            tracing::warn!(
                method,
                route,
                status = status_code,
                duration_ms,
                error = detail,
                "request rejected"
            );
        } else if request.method != Method::GET
            || request.took > SLOW_REQUEST
            || answered.is_multiple_of(self.access_log_every)
        {
            tracing::info!(method, route, status = status_code, duration_ms, "request");
        }
        context.span().end();
    }
}
