//! What is read, whichever face asks: a path with its parameters, and what it is answered with.

use serde_json::Value;

use super::api::{Form, KubernetesApi, ListOptions};
use super::logs::LogOptions;
use super::path::{ApiPath, ResourcePath};
use super::status::Status;
use super::watch::{Watch, WatchStart};

/// A request that reads.
#[derive(Debug, Clone)]
pub struct ReadRequest {
    /// The path, decoded.
    pub path: String,
    /// The parameters, in their order.
    pub parameters: Vec<(String, String)>,
    /// What comes before `/openapi` in the paths of its index.
    pub prefix: String,
    /// In which form the asker takes objects, or why in none.
    pub accepted: Result<Accepted, Status>,
}

/// In which form an asker takes its answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Accepted {
    /// Objects, as JSON.
    Form(Form),
    /// All of discovery in one answer, at this version of its format.
    Discovery(&'static str),
}

/// What is answered.
#[derive(Debug, Clone, PartialEq)]
pub enum Answer {
    /// JSON.
    Document(Value),
    /// JSON that the server indents: its version.
    Indented(Value),
    /// All of discovery, and the version of its format.
    Discovery(Value, &'static str),
    /// Plain text.
    Text(&'static str),
    /// A log, whatever bytes it is made of.
    Log(Vec<u8>),
    /// A log whose reader waits for more.
    FollowedLog(Vec<u8>),
    /// Events.
    Watch(Watch),
}

impl ReadRequest {
    /// A parameter; empty if absent.
    #[must_use]
    pub fn parameter(&self, name: &str) -> &str {
        let found = self.parameters.iter().find(|(key, _)| key == name);
        found.map_or("", |(_, value)| value.as_str())
    }

    /// Whether a parameter is true.
    #[must_use]
    pub fn flag(&self, name: &str) -> bool {
        matches!(self.parameter(name), "true" | "1")
    }
}

impl KubernetesApi<'_> {
    /// Answers whatever can be read.
    ///
    /// # Errors
    /// What the server says of what is not there; that it was not recorded if that is so.
    pub async fn get(&self, request: &ReadRequest) -> Result<Answer, Status> {
        let document = match ApiPath::parse(&request.path) {
            ApiPath::Health if request.parameters.iter().any(|(key, _)| key == "verbose") => {
                return Err(Status::not_recorded("what the server's health consists of"));
            }
            ApiPath::Health => return Ok(Answer::Text("ok")),
            ApiPath::Version => return Ok(Answer::Indented(self.version().await?)),
            ApiPath::CoreVersions => return self.discover(request, true),
            ApiPath::Groups => return self.discover(request, false),
            ApiPath::Group(group) => self.group(&group)?,
            ApiPath::GroupVersion { group, version } => self.resources(&group, &version)?,
            ApiPath::OpenApiIndex => self.openapi_index(&request.prefix).await?,
            ApiPath::OpenApi(name) => self.openapi(&name).await?,
            ApiPath::Resource(path) => return self.get_resource(request, &path).await,
            ApiPath::Other => {
                return Err(match request.path.as_str() {
                    "/openapi/v2" => Status::not_recorded("the description of the API (OpenAPI 2)"),
                    "/metrics" => Status::not_recorded("the metrics of the API server"),
                    _ => Status::no_such_path(),
                });
            }
        };
        Ok(Answer::Document(document))
    }

    fn discover(&self, request: &ReadRequest, core: bool) -> Result<Answer, Status> {
        if let Accepted::Discovery(version) = request.accepted.clone()? {
            let document = self.aggregated_discovery(core)?;
            return Ok(Answer::Discovery(document, version));
        }
        let document = match core {
            true => self.core_versions()?,
            false => self.groups()?,
        };
        Ok(Answer::Document(document))
    }

    async fn get_resource(
        &self,
        request: &ReadRequest,
        path: &ResourcePath,
    ) -> Result<Answer, Status> {
        let name = path.name.as_deref().unwrap_or_default();
        match path.subresource.as_deref() {
            Some("log") if path.resource == "pods" => {
                let parameters = request.parameters.iter();
                let parameters = parameters.map(|(key, value)| (key.as_str(), value.as_str()));
                let options = LogOptions::parse(name, self.now(), parameters)?;
                let log = self.pod_log(path, &options).await?;
                return Ok(match options.follow {
                    true => Answer::FollowedLog(log),
                    false => Answer::Log(log),
                });
            }
            Some(what @ ("exec" | "attach" | "portforward")) => {
                let why = format!("{what} is not available in this recording");
                return Err(Status::refused(&path.group, &path.resource, name, &why));
            }
            _ => {}
        }
        let Accepted::Form(form) = request.accepted.clone()? else {
            return Err(Status::not_acceptable());
        };
        let mut options = ListOptions {
            label_selector: request.parameter("labelSelector").to_owned(),
            field_selector: request.parameter("fieldSelector").to_owned(),
            ..ListOptions::default()
        };
        let resource_version = request.parameter("resourceVersion");
        if request.flag("watch") {
            let start = WatchStart {
                resource_version: resource_version.to_owned(),
                send_initial_events: request.flag("sendInitialEvents"),
            };
            return Ok(Answer::Watch(
                self.watch(path, form, &options, &start).await?,
            ));
        }
        options.after = request.parameter("continue").to_owned();
        if !options.after.is_empty() && !matches!(resource_version, "" | "0") {
            return Err(Status::bad_request(
                "specifying resource version is not allowed when using continue",
            ));
        }
        // Who takes any version is answered from the server's cache, which has no chunks.
        if resource_version != "0" || !options.after.is_empty() {
            options.limit = request.parameter("limit").parse().unwrap_or(0);
        }
        Ok(Answer::Document(self.read(path, form, &options).await?))
    }
}
