//! AIOpsLab's HTTP service, and the step API by which agents attach from outside (`docs/step-api.md`).
//!
//! [`router`] lets requests in; `upstream` answers AIOpsLab's own four, `steps` the step API, `body`
//! reads what was sent, `reply` writes what is answered. `http/openapi.json` describes it all.

mod body;
mod reply;
mod steps;
mod upstream;

use std::sync::Arc;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};

use self::reply::Problem;
use super::access::Access;
use super::episodes::Episodes;
use super::listener::BODY;
use crate::agents::AgentSpec;

/// The one path that anybody may ask for: whether the server is there.
const HEALTH: &str = "/health";

/// The document that describes the service.
pub const OPENAPI: &str = include_str!("http/openapi.json");

/// What the service serves.
pub struct HttpService {
    /// The episodes.
    pub episodes: Arc<Episodes>,
    /// The agents that `/simulate` runs.
    pub agents: Vec<AgentSpec>,
    /// Who may ask.
    pub access: Access,
}

type Served = State<Arc<HttpService>>;

/// The service.
pub fn router(service: HttpService) -> Router {
    let service = Arc::new(service);
    Router::new()
        .route("/health", get(upstream::health))
        .route("/problems", get(upstream::problems))
        .route("/agents", get(upstream::agents))
        .route("/simulate", post(upstream::simulate))
        .route("/openapi.json", get(openapi))
        .route("/v1/problems", get(steps::problems))
        .route("/v1/problems/{id}", get(steps::problem))
        .route("/v1/episodes", post(steps::open))
        .route("/v1/episodes/{id}", get(steps::standing).delete(steps::end))
        .route("/v1/episodes/{id}/steps", post(steps::step))
        .route("/v1/episodes/{id}/submit", post(steps::submit))
        .route("/v1/episodes/{id}/result", get(steps::result))
        .fallback(nowhere)
        .method_not_allowed_fallback(other_method)
        .layer(middleware::from_fn_with_state(Arc::clone(&service), let_in))
        .layer(DefaultBodyLimit::max(BODY))
        .layer(middleware::from_fn(to_its_end))
        .with_state(service)
}

async fn let_in(State(service): Served, request: Request, next: Next) -> Response {
    if request.uri().path() != HEALTH
        && let Err(away) = service.access.check(request.uri(), request.headers())
    {
        return away.into_response();
    }
    next.run(request).await
}

/// Carries a request out even if its client has gone: half a step would leave an episode broken.
async fn to_its_end(request: Request, next: Next) -> Response {
    match tokio::spawn(next.run(request)).await {
        Ok(response) => response,
        Err(panicked) => {
            tracing::error!(%panicked, "a request failed");
            Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "a defect of the server")
                .into_response()
        }
    }
}

async fn openapi() -> Response {
    ([(CONTENT_TYPE, "application/json")], OPENAPI).into_response()
}

async fn nowhere() -> Problem {
    let text = "there is nothing at this path\nhint: GET /openapi.json describes what there is";
    Problem::new(StatusCode::NOT_FOUND, text)
}

async fn other_method() -> Problem {
    let text = "this path takes another method\nhint: GET /openapi.json describes what there is";
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, text)
}
