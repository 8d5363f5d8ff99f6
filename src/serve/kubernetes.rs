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
    ApiPath, KubernetesApi, ListOptions, LogOptions, ResourcePath, Status, WatchStart, is_review,
    review,
};
use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Path, Query, State};
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::Response;
use axum::routing::any;
use tokio_util::sync::CancellationToken;

use negotiation::Accepted;
use writes::{Attempt, WriteLog};

/// What a client may send: as much as a real server takes.
const BODY: usize = 3 << 20;

/// A recorded cluster, and what its server needs besides.
pub struct KubernetesServer {
    /// What is answered.
    pub api: KubernetesApi,
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
        (Method::GET | Method::HEAD, _) => server.read(&request).await,
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
    /// A parameter; empty if absent.
    fn parameter(&self, name: &str) -> &str {
        let found = self.parameters.iter().find(|(key, _)| key == name);
        found.map_or("", |(_, value)| value.as_str())
    }

    fn flag(&self, name: &str) -> bool {
        matches!(self.parameter(name), "true" | "1")
    }

    fn header(&self, name: &str) -> &str {
        let value = self.headers.get(name);
        value.and_then(|value| value.to_str().ok()).unwrap_or("")
    }

    fn accepted(&self) -> Result<Accepted, Status> {
        negotiation::accepted(self.header("accept"), self.parameter("includeObject"))
    }
}

impl KubernetesServer {
    async fn read(&self, request: &Request) -> Result<Response, Status> {
        let api = &self.api;
        match ApiPath::parse(&request.path) {
            ApiPath::Health => Ok(reply::text("ok")),
            ApiPath::Version => Ok(reply::json(&api.version().await?)),
            ApiPath::CoreVersions => self.discover(request, true),
            ApiPath::Groups => self.discover(request, false),
            ApiPath::Group(group) => Ok(reply::json(&api.group(&group)?)),
            ApiPath::GroupVersion { group, version } => {
                Ok(reply::json(&api.resources(&group, &version)?))
            }
            ApiPath::OpenApiIndex => {
                // Whichever base the client uses, the prefix is answered.
                let prefix = format!("/{}", self.prefix);
                Ok(reply::json(&api.openapi_index(&prefix).await?))
            }
            ApiPath::OpenApi(name) => Ok(reply::json(&api.openapi(&name).await?)),
            ApiPath::Resource(path) => self.read_resource(request, &path).await,
            ApiPath::Other => match request.path.as_str() {
                "/openapi/v2" => Err(Status::not_recorded(
                    "the description of the API (OpenAPI 2)",
                )),
                "/metrics" => Err(Status::refused(
                    "",
                    "",
                    "",
                    "the server's own metrics are not available in this recording",
                )),
                _ => Err(Status::no_such_path()),
            },
        }
    }

    fn discover(&self, request: &Request, core: bool) -> Result<Response, Status> {
        if let Accepted::Discovery(version) = request.accepted()? {
            let document = self.api.aggregated_discovery(core)?;
            return Ok(reply::discovery(document, version));
        }
        let document = if core {
            self.api.core_versions()?
        } else {
            self.api.groups()?
        };
        Ok(reply::json(&document))
    }

    async fn read_resource(
        &self,
        request: &Request,
        path: &ResourcePath,
    ) -> Result<Response, Status> {
        let name = path.name.as_deref().unwrap_or_default();
        match path.subresource.as_deref() {
            Some("log") if path.resource == "pods" => return self.log(request, path).await,
            Some(what @ ("exec" | "attach" | "portforward")) => {
                let why = format!("{what} is not available in this recording");
                return Err(Status::refused(&path.group, &path.resource, name, &why));
            }
            _ => {}
        }
        let Accepted::Form(form) = request.accepted()? else {
            return Err(Status::not_acceptable());
        };
        let options = ListOptions {
            label_selector: request.parameter("labelSelector").to_owned(),
            field_selector: request.parameter("fieldSelector").to_owned(),
        };
        let warning = self.api.warning(path).await?;
        if request.flag("watch") {
            let start = WatchStart {
                resource_version: request.parameter("resourceVersion").to_owned(),
                send_initial_events: request.flag("sendInitialEvents"),
            };
            let watch = self.api.watch(path, form, &options, &start).await?;
            let held = watch::Held {
                seconds: request.parameter("timeoutSeconds").parse().ok(),
                bookmarks: request.flag("allowWatchBookmarks"),
            };
            return Ok(watch::respond(watch, held, self.stop.clone()));
        }
        // The server warns of a kind that it did not find, too.
        let answer = match self.api.read(path, form, &options).await {
            Ok(document) => reply::json(&document),
            Err(status) => reply::failure(&status),
        };
        Ok(reply::with_warning(answer, warning))
    }

    async fn log(&self, request: &Request, path: &ResourcePath) -> Result<Response, Status> {
        let pod = path.name.as_deref().unwrap_or_default();
        let parameters = request.parameters.iter();
        let options = LogOptions::parse(
            pod,
            self.api.now(),
            parameters.map(|(key, value)| (key.as_str(), value.as_str())),
        )?;
        let log = self.api.pod_log(path, &options).await?;
        Ok(if options.follow {
            watch::follow(log, self.stop.clone())
        } else {
            reply::log(log)
        })
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
                return self.read_resource(request, &path).await;
            }
            None if method == Method::POST && is_review(&path.group, &path.resource) => {
                let posted = protobuf::review(&path.resource, body)?;
                let answer = review(&path.resource, &posted)?;
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
