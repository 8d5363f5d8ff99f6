//! A recorded cluster's API server: HTTP in front of [`KubernetesApi`].
//!
//! [`router`] takes requests apart; `negotiation` reads in which form an answer is wanted, `reply`
//! makes HTTP of it, `watch` keeps watches open, `protobuf` decodes what typed clients post,
//! [`writes`] keeps what they tried to change, [`kubeconfig`] tells clients where it all is.

pub mod kubeconfig;
mod negotiation;
mod protobuf;
mod reply;
mod watch;
pub mod writes;

use std::sync::Arc;

use aiopslab_replay::kubernetes::{
    Accepted, Answer, ApiPath, Form, KubernetesApi, ReadRequest, Status, is_review,
};
use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Path, Query, State};
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::Response;
use axum::routing::any;
use tokio_util::sync::CancellationToken;

use writes::{Attempt, WriteLog};

/// What a client may send: as much as a real server takes.
const BODY: usize = 3 << 20;

/// A recorded cluster, and what its server needs besides.
pub struct KubernetesServer {
    /// What is answered.
    pub api: KubernetesApi<'static>,
    /// The first part of paths, without slashes; paths without it are answered too. Clients keep
    /// what they discovered by the server's URL: every recording has its own.
    pub prefix: String,
    /// Where attempted writes go.
    pub writes: WriteLog,
    /// Ends watches.
    pub stop: CancellationToken,
}

/// A request's parameters, in their order.
type Parameters = Vec<(String, String)>;

/// The server as a service.
pub fn router(server: KubernetesServer) -> Router {
    Router::new()
        .route("/", any(root))
        .route("/{*path}", any(handle))
        .layer(DefaultBodyLimit::max(BODY))
        .with_state(Arc::new(server))
}

async fn root() -> Response {
    reply::failure(&Status::no_such_path())
}

async fn handle(
    State(server): State<Arc<KubernetesServer>>,
    method: Method,
    Path(path): Path<String>,
    Query(parameters): Query<Parameters>,
    headers: HeaderMap,
    body: Result<Bytes, axum::extract::rejection::BytesRejection>,
) -> Response {
    let path = match path.strip_prefix(&server.prefix) {
        Some(rest) if rest.is_empty() || rest.starts_with('/') => rest,
        _ => path.as_str(),
    };
    let request = Request {
        path: format!("/{}", path.trim_start_matches('/')),
        parameters,
        headers,
    };
    let answer = match (method, body) {
        _ if request.headers.contains_key("impersonate-user") => {
            Err(Status::not_recorded("what another user may do"))
        }
        (Method::GET | Method::HEAD, _) => Ok(server.read(&request).await),
        (_, Err(_)) => Err(Status::too_large()),
        (method, Ok(body)) => server.write(&method, &request, &body).await,
    };
    answer.unwrap_or_else(|status| reply::failure(&status))
}

/// A request without its method and body.
struct Request {
    path: String,
    parameters: Parameters,
    headers: HeaderMap,
}

impl Request {
    fn header(&self, name: &str) -> &str {
        let value = self.headers.get(name);
        value.and_then(|value| value.to_str().ok()).unwrap_or("")
    }
}

impl KubernetesServer {
    async fn read(&self, request: &Request) -> Response {
        let mut read = ReadRequest {
            path: request.path.clone(),
            parameters: request.parameters.clone(),
            // Whichever base the client uses, the prefix is answered.
            prefix: format!("/{}", self.prefix),
            accepted: Ok(Accepted::Form(Form::Object)),
        };
        let include = read.parameter("includeObject");
        read.accepted = negotiation::accepted(request.header("accept"), include);
        let answer = match self.api.get(&read).await {
            Ok(Answer::Document(document)) => {
                let gzip = negotiation::takes_gzip(request.header("accept-encoding"));
                reply::document(&document, gzip)
            }
            Ok(Answer::Indented(document)) => reply::indented(&document),
            Ok(Answer::Discovery(document, version)) => reply::discovery(document, version),
            Ok(Answer::Text(text)) => reply::text(text),
            Ok(Answer::Log(log)) => reply::log(log),
            Ok(Answer::FollowedLog(log)) => watch::follow(log, self.stop.clone()),
            Ok(Answer::Watch(events)) => {
                let held = watch::Held {
                    seconds: read.parameter("timeoutSeconds").parse().ok(),
                    bookmarks: read.flag("allowWatchBookmarks"),
                };
                watch::respond(events, held, self.stop.clone())
            }
            Err(status) => reply::failure(&status),
        };
        // The server warns of a kind that it did not find, too.
        match self.api.warning(&request.path).await {
            Ok(warning) => reply::with_warning(answer, warning),
            Err(status) => reply::failure(&status),
        }
    }

    /// Everything that is not a `GET`: questions that are posted, and attempts to change something.
    async fn write(
        &self,
        method: &Method,
        request: &Request,
        body: &Bytes,
    ) -> Result<Response, Status> {
        let ApiPath::Resource(path) = ApiPath::parse(&request.path) else {
            return Err(Status::method_not_allowed());
        };
        let name = path.name.as_deref().unwrap_or_default();
        match path.subresource.as_deref() {
            // Old clients open streams with a POST.
            Some("exec" | "attach" | "portforward") => {
                return Ok(self.read(request).await);
            }
            None if method == Method::POST && is_review(&path.group, &path.resource) => {
                let posted = protobuf::review(&path.resource, body)?;
                let answer = self.api.review(&path.resource, &posted).await?;
                return Ok(reply::with_code(reply::json(&answer), StatusCode::CREATED));
            }
            _ => {}
        }
        self.api.check_served(&path)?;
        self.writes.record(&Attempt {
            method: method.as_str(),
            path: &request.path,
            parameters: &request.parameters,
            resource: &path,
            content_type: request.header("content-type"),
            user_agent: request.header("user-agent"),
            command: request.header("kubectl-command"),
            body,
        });
        Err(Status::read_only(&path.group, &path.resource, name))
    }
}
