//! Where MCP is spoken: standard input and output, or Streamable HTTP.

use std::io;
use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use rmcp::ServiceExt;
use rmcp::transport::io::stdio_pipes;
use rmcp::transport::streamable_http_server::session::local::LocalSessionManager;
use rmcp::transport::streamable_http_server::{StreamableHttpServerConfig, StreamableHttpService};
use tokio_util::sync::CancellationToken;

use super::{McpProblem, McpServer};
use crate::serve::access::Access;
use crate::serve::listener::BODY;

/// Where the protocol is spoken. What follows it names an episode to clients without sessions.
pub const PATH: &str = "/mcp";

/// Speaks with the process that started this one, until it has nothing more to say; then everything
/// stops.
///
/// # Errors
/// When the protocol breaks down.
pub async fn serve_stdio(problem: Arc<McpProblem>, stop: CancellationToken) -> io::Result<()> {
    let server = McpServer::new(problem).serve_with_ct(stdio_pipes(), stop.clone());
    let spoken = async {
        let running = tokio::select! {
            running = server => running.map_err(io::Error::other)?,
            () = stop.cancelled() => return Ok(()),
        };
        running.waiting().await.map(drop).map_err(io::Error::other)
    };
    let spoken = spoken.await;
    stop.cancel();
    spoken
}

/// The service over HTTP: an episode for each session, or path.
pub fn router(problem: Arc<McpProblem>, access: Access, stop: &CancellationToken) -> Router {
    let mut sessions = LocalSessionManager::default();
    sessions.session_config.keep_alive = Some(problem.episodes.lease());
    let config = StreamableHttpServerConfig::default()
        .with_cancellation_token(stop.child_token())
        .with_max_request_body_bytes(BODY)
        // `Access` looks at it.
        .disable_allowed_hosts();
    let server = move || Ok(McpServer::new(Arc::clone(&problem)));
    let service = StreamableHttpService::new(server, Arc::new(sessions), config);
    Router::new()
        .route_service(PATH, service.clone())
        .route_service(&format!("{PATH}/{{*run}}"), service)
        .layer(middleware::from_fn_with_state(access, let_in))
}

async fn let_in(State(access): State<Access>, request: Request, next: Next) -> Response {
    match access.check(request.uri(), request.headers()) {
        Ok(()) => next.run(request).await,
        Err(away) => away.into_response(),
    }
}
