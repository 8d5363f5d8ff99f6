//! Access to a cluster with nothing but a kubeconfig: every request goes to the API server.
//!
//! Answers are raw JSON or raw bytes: typed structs would drop the fields they don't know.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use aiopslab_problems::family::Endpoint;
use bytes::Bytes;
use camino::Utf8Path;
use http::{HeaderMap, Method, Request};
use jiff::{SignedDuration, Timestamp};
use kube::client::Body;
use serde_json::Value;
use tokio::sync::OnceCell;
use tokio::time::timeout;

mod discovery;
mod error;
mod exec;
#[cfg(test)]
pub(crate) mod in_memory;
mod kubeconfig;
mod lines;

pub use discovery::ApiResource;
pub use error::ClusterError;
pub use exec::{ExecAnswer, ExecCall};
pub use lines::LineStream;

/// How long an ordinary request may take.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(60);
/// How long the first request may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// Largest page of a list.
const PAGE: usize = 500;

/// A cluster that answered.
#[derive(Clone)]
pub struct Cluster {
    client: kube::Client,
    url: Arc<str>,
    version: Arc<Value>,
    clock: ClockOffset,
    resources: Arc<OnceCell<Vec<ApiResource>>>,
    /// Clients of servers that are not behind the API server, by URL.
    addresses: Arc<Mutex<BTreeMap<String, kube::Client>>>,
    /// The server that runs commands: one in memory can't be spoken to as commands want it.
    #[cfg(test)]
    in_memory: Option<in_memory::InMemory>,
}

/// How far the API server's clock is ahead of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub struct ClockOffset {
    /// Milliseconds to add to our time to get the server's.
    pub offset_ms: i64,
    /// How wrong that may be: the header has whole seconds, and the way takes time.
    pub uncertainty_ms: i64,
}

impl ClockOffset {
    /// A moment of our clock by the server's.
    fn of_server(self, ours: Timestamp) -> Timestamp {
        if self.offset_ms.abs() <= self.uncertainty_ms {
            return ours;
        }
        let offset = SignedDuration::from_millis(self.offset_ms);
        ours.saturating_add(offset).unwrap_or(ours)
    }
}

/// An HTTP answer of any status.
#[derive(Debug, Clone)]
pub struct Answer {
    /// Status code.
    pub status: u16,
    /// Headers.
    pub headers: HeaderMap,
    /// Body.
    pub body: Bytes,
}

/// The kinds of patch that the API server takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PatchKind {
    /// RFC 7386.
    Merge,
    /// RFC 6902.
    Json,
    /// Lists are merged by their keys.
    Strategic,
    /// Server-side apply, as the field manager `aiopslab`'s neutral name, conflicts overridden.
    Apply,
}

impl PatchKind {
    fn content_type(self) -> &'static str {
        match self {
            Self::Merge => "application/merge-patch+json",
            Self::Json => "application/json-patch+json",
            Self::Strategic => "application/strategic-merge-patch+json",
            Self::Apply => "application/apply-patch+yaml",
        }
    }

    fn query(self) -> &'static str {
        match self {
            // The name that `kubectl apply` uses too: field managers are visible in a live cluster.
            Self::Apply => "?fieldManager=kubectl&force=true",
            _ => "?fieldManager=kubectl",
        }
    }
}

impl Cluster {
    /// Connects, and proves it with one request.
    pub async fn connect(
        kubeconfig: Option<&Utf8Path>,
        context: Option<&str>,
    ) -> Result<Self, ClusterError> {
        let config = kubeconfig::load(kubeconfig, context).await?;
        let url: Arc<str> = config.cluster_url.to_string().trim_end_matches('/').into();
        let unreachable = |reason: String| ClusterError::Unreachable {
            url: url.to_string(),
            reason,
        };
        let client =
            kube::Client::try_from(config).map_err(|error| unreachable(error::chain(&error)))?;
        let mut cluster = Self::unproven(client, Arc::clone(&url));
        let asked = Timestamp::now();
        let first = cluster.request(Method::GET, "/version", &[], Vec::new());
        let answer = match timeout(CONNECT_TIMEOUT, first).await {
            Err(_) => return Err(unreachable(format!("nothing within {CONNECT_TIMEOUT:?}"))),
            Ok(Err(ClusterError::Broken { reason, .. })) => return Err(unreachable(reason)),
            Ok(other) => other?.successful(&Method::GET, "/version")?,
        };
        cluster.clock = clock_offset(asked, Timestamp::now(), &answer.headers);
        cluster.version = Arc::new(answer.json("/version")?);
        Ok(cluster)
    }

    /// A cluster that nothing was asked yet.
    fn unproven(client: kube::Client, url: Arc<str>) -> Self {
        Self {
            client,
            url,
            version: Arc::new(Value::Null),
            clock: ClockOffset {
                offset_ms: 0,
                uncertainty_ms: 0,
            },
            resources: Arc::new(OnceCell::new()),
            addresses: Arc::default(),
            #[cfg(test)]
            in_memory: None,
        }
    }

    /// Returns the address of the API server.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Returns what the API server said to `/version`.
    #[must_use]
    pub fn version(&self) -> &Value {
        &self.version
    }

    /// Returns how far the API server's clock is ahead of ours.
    #[must_use]
    pub fn clock_offset(&self) -> ClockOffset {
        self.clock
    }

    /// The time by the API server's clock, where that is known to differ from ours: it is the
    /// authority for every moment of a recording.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.clock.of_server(Timestamp::now())
    }

    /// Sends a request and returns the answer whatever its status.
    pub async fn request(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Vec<u8>,
    ) -> Result<Answer, ClusterError> {
        send(&self.client, method, path, headers, body).await
    }

    /// The client of a server at an address of its own; without our credentials.
    fn at_address(&self, url: &str) -> Result<kube::Client, ClusterError> {
        let broken = |reason: String| ClusterError::Broken {
            method: Method::GET,
            path: url.to_owned(),
            reason,
        };
        let mut known = self
            .addresses
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(client) = known.get(url) {
            return Ok(client.clone());
        }
        let uri: http::Uri = url
            .parse()
            .map_err(|error: http::uri::InvalidUri| broken(error.to_string()))?;
        let client = kube::Client::try_from(kube::Config::new(uri))
            .map_err(|error| broken(error::chain(&error)))?;
        known.insert(url.to_owned(), client.clone());
        Ok(client)
    }

    /// Gets JSON.
    pub async fn get_json(&self, path: &str) -> Result<Value, ClusterError> {
        self.send_json(Method::GET, path, "application/json", None)
            .await
    }

    /// Gets JSON, or nothing where there is nothing.
    pub async fn find_json(&self, path: &str) -> Result<Option<Value>, ClusterError> {
        match self.get_json(path).await {
            Ok(value) => Ok(Some(value)),
            Err(error) if error.status() == Some(404) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Lists the objects under a collection's path (which may carry a query), page by page.
    pub async fn list(&self, path: &str) -> Result<Vec<Value>, ClusterError> {
        let mut objects = Vec::new();
        self.each_page(path, |items| objects.extend(items)).await?;
        Ok(objects)
    }

    /// Hands over a collection page by page, so that no more than a page is in memory; returns the
    /// resource version of the list.
    pub async fn each_page(
        &self,
        path: &str,
        mut take: impl FnMut(Vec<Value>),
    ) -> Result<String, ClusterError> {
        let mut token = String::new();
        loop {
            let mut page = self.get_json(&page_path(path, &token)).await?;
            if let Some(Value::Array(items)) = page.get_mut("items").map(Value::take) {
                take(items);
            }
            let text = |name: &str| {
                page["metadata"][name]
                    .as_str()
                    .unwrap_or_default()
                    .to_owned()
            };
            token = text("continue");
            if token.is_empty() {
                return Ok(text("resourceVersion"));
            }
        }
    }

    /// Creates an object under a collection's path.
    pub async fn create(&self, path: &str, object: &Value) -> Result<Value, ClusterError> {
        let path = format!("{path}?fieldManager=kubectl");
        self.send_json(Method::POST, &path, "application/json", Some(object))
            .await
    }

    /// Replaces an object.
    pub async fn replace(&self, path: &str, object: &Value) -> Result<Value, ClusterError> {
        let path = format!("{path}?fieldManager=kubectl");
        self.send_json(Method::PUT, &path, "application/json", Some(object))
            .await
    }

    /// Patches an object.
    pub async fn patch(
        &self,
        path: &str,
        kind: PatchKind,
        patch: &Value,
    ) -> Result<Value, ClusterError> {
        let path = format!("{path}{}", kind.query());
        self.send_json(Method::PATCH, &path, kind.content_type(), Some(patch))
            .await
    }

    /// Returns what a patch would make of an object, without making it.
    pub async fn dry_run_patch(
        &self,
        path: &str,
        kind: PatchKind,
        patch: &Value,
    ) -> Result<Value, ClusterError> {
        let path = format!("{path}{}&dryRun=All", kind.query());
        self.send_json(Method::PATCH, &path, kind.content_type(), Some(patch))
            .await
    }

    /// Deletes an object with what it owns (dependents go in the background); says whether it was there.
    pub async fn delete(&self, path: &str) -> Result<bool, ClusterError> {
        let path = format!("{path}?propagationPolicy=Background");
        match self
            .send_json(Method::DELETE, &path, "application/json", None)
            .await
        {
            Ok(_) => Ok(true),
            Err(error) if error.status() == Some(404) => Ok(false),
            Err(error) => Err(error),
        }
    }

    async fn send_json(
        &self,
        method: Method,
        path: &str,
        content_type: &str,
        body: Option<&Value>,
    ) -> Result<Value, ClusterError> {
        let bytes = body
            .map(|value| value.to_string().into_bytes())
            .unwrap_or_default();
        let headers = [
            ("accept", "application/json"),
            ("content-type", content_type),
        ];
        let headers = if body.is_some() {
            &headers[..]
        } else {
            &headers[..1]
        };
        let answer = self.request(method.clone(), path, headers, bytes).await?;
        answer.successful(&method, path)?.json(path)
    }

    /// Sends a request to a Service in the cluster through the API server's proxy, or to an address.
    ///
    /// `namespace` is where the endpoint is if it names none; `path` starts with `/` and may carry a query.
    pub async fn proxy(
        &self,
        endpoint: &Endpoint,
        namespace: &str,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Vec<u8>,
    ) -> Result<Answer, ClusterError> {
        if let Some(url) = &endpoint.url {
            let path = endpoint.at(path);
            let client = self.at_address(url)?;
            let answer = send(&client, method.clone(), &path, headers, body).await?;
            return answer.successful(&method, &format!("{url}{path}"));
        }
        let path = proxy_path(endpoint, namespace, path);
        let answer = self.request(method.clone(), &path, headers, body).await?;
        answer.successful(&method, &path)
    }

    /// Gets JSON from a Service in the cluster.
    pub async fn proxy_json(
        &self,
        endpoint: &Endpoint,
        namespace: &str,
        path: &str,
    ) -> Result<Value, ClusterError> {
        let headers = [("accept", "application/json")];
        self.proxy(endpoint, namespace, Method::GET, path, &headers, Vec::new())
            .await?
            .json(path)
    }

    /// Opens an answer that comes line by line (a watch, a followed log).
    pub async fn stream_lines(&self, path: &str, accept: &str) -> Result<LineStream, ClusterError> {
        let broken = |reason: String| ClusterError::Broken {
            method: Method::GET,
            path: path.to_owned(),
            reason,
        };
        let request = Request::get(path)
            .header("accept", accept)
            .header("accept-encoding", "identity") // a gzipped watch comes in bursts
            .body(Vec::new())
            .map_err(|error| broken(error.to_string()))?;
        match timeout(REQUEST_TIMEOUT, self.client.request_stream(request)).await {
            Err(_) => Err(broken(format!("no answer within {REQUEST_TIMEOUT:?}"))),
            Ok(Err(error)) => Err(ClusterError::from_kube(Method::GET, path, &error)),
            Ok(Ok(reader)) => Ok(LineStream::new(path, Box::pin(reader))),
        }
    }
}

/// Sends a request and returns the answer whatever its status.
async fn send(
    client: &kube::Client,
    method: Method,
    path: &str,
    headers: &[(&str, &str)],
    body: Vec<u8>,
) -> Result<Answer, ClusterError> {
    let broken = |reason: String| ClusterError::Broken {
        method: method.clone(),
        path: path.to_owned(),
        reason,
    };
    let mut request = Request::builder().method(method.clone()).uri(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let request = request
        .body(Body::from(body))
        .map_err(|error| broken(error.to_string()))?;
    let exchange = async {
        let response = client
            .send(request)
            .await
            .map_err(|error| broken(error::chain(&error)))?;
        let (parts, body) = response.into_parts();
        let body = body
            .collect_bytes()
            .await
            .map_err(|error| broken(error::chain(&error)))?;
        Ok(Answer {
            status: parts.status.as_u16(),
            headers: parts.headers,
            body,
        })
    };
    timeout(REQUEST_TIMEOUT, exchange)
        .await
        .unwrap_or_else(|_| Err(broken(format!("no answer within {REQUEST_TIMEOUT:?}"))))
}

impl Answer {
    /// Turns an answer of another status than 2xx into an error that tells what the server said.
    pub fn successful(self, method: &Method, path: &str) -> Result<Self, ClusterError> {
        if (200..300).contains(&self.status) {
            return Ok(self);
        }
        let message = serde_json::from_slice::<Value>(&self.body)
            .ok()
            .and_then(|status| status["message"].as_str().map(str::to_owned))
            .unwrap_or_else(|| {
                String::from_utf8_lossy(&self.body)
                    .trim()
                    .chars()
                    .take(300)
                    .collect()
            });
        Err(ClusterError::Refused {
            method: method.clone(),
            path: path.to_owned(),
            status: self.status,
            message,
        })
    }

    /// Reads the body as JSON.
    pub fn json(&self, path: &str) -> Result<Value, ClusterError> {
        serde_json::from_slice(&self.body).map_err(|error| ClusterError::Nonsense {
            path: path.to_owned(),
            reason: error.to_string(),
        })
    }
}

/// The path of a page of a list; no token: of the first.
#[must_use]
pub(crate) fn page_path(path: &str, token: &str) -> String {
    let joint = if path.contains('?') { '&' } else { '?' };
    let mut page = format!("{path}{joint}limit={PAGE}");
    if !token.is_empty() {
        page.push_str("&continue=");
        page.extend(url::form_urlencoded::byte_serialize(token.as_bytes()));
    }
    page
}

/// The path of something behind a Service, through the API server's proxy.
#[must_use]
pub fn proxy_path(endpoint: &Endpoint, namespace: &str, path: &str) -> String {
    format!(
        "/api/v1/namespaces/{}/services/{}:{}/proxy{}",
        endpoint.namespace.as_deref().unwrap_or(namespace),
        endpoint.service,
        endpoint.port,
        endpoint.at(path),
    )
}

/// Compares the `Date` header of an answer with the time around it.
fn clock_offset(asked: Timestamp, answered: Timestamp, headers: &HeaderMap) -> ClockOffset {
    let trip = answered.as_millisecond() - asked.as_millisecond();
    let server = headers
        .get(http::header::DATE)
        .and_then(|date| date.to_str().ok())
        .and_then(|date| jiff::fmt::rfc2822::parse(date).ok());
    let Some(server) = server else {
        return ClockOffset {
            offset_ms: 0,
            uncertainty_ms: i64::MAX,
        };
    };
    // The header cuts off the fraction: on average half a second is missing.
    let server = server.timestamp().as_millisecond() + 500;
    let ours = asked.as_millisecond() + trip / 2;
    ClockOffset {
        offset_ms: server - ours,
        uncertainty_ms: 500 + trip / 2,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_offset_is_that_of_the_date_header() {
        let asked: Timestamp = "2026-11-23T08:00:00.100Z".parse().unwrap();
        let answered: Timestamp = "2026-11-23T08:00:00.300Z".parse().unwrap();
        let mut headers = HeaderMap::new();
        headers.insert("date", "Mon, 23 Nov 2026 08:00:05 GMT".parse().unwrap());
        let offset = clock_offset(asked, answered, &headers);
        assert_eq!(
            offset,
            ClockOffset {
                offset_ms: 5300,
                uncertainty_ms: 600
            }
        );
    }

    #[test]
    fn the_servers_clock_is_the_authority_where_it_is_known_to_differ() {
        let ours: Timestamp = "2026-11-23T08:00:00Z".parse().unwrap();
        let by = |offset_ms, uncertainty_ms| {
            let clock = ClockOffset {
                offset_ms,
                uncertainty_ms,
            };
            clock.of_server(ours).to_string()
        };
        assert_eq!(by(3_600_000, 500), "2026-11-23T09:00:00Z");
        assert_eq!(by(-2500, 500), "2026-11-23T07:59:57.5Z");
        // As well the header's missing fraction.
        assert_eq!(by(400, 500), "2026-11-23T08:00:00Z");
        assert_eq!(by(0, i64::MAX), "2026-11-23T08:00:00Z");
    }

    #[test]
    fn what_answers_below_a_path_is_asked_below_it_through_the_proxy() {
        let through = |place: &str| {
            let endpoint: Endpoint = place.parse().unwrap();
            proxy_path(&endpoint, "shop", "/api/services")
        };
        assert_eq!(
            through("observe/jaeger:16686"),
            "/api/v1/namespaces/observe/services/jaeger:16686/proxy/api/services"
        );
        assert_eq!(
            through("jaeger:16686/jaeger/ui"),
            "/api/v1/namespaces/shop/services/jaeger:16686/proxy/jaeger/ui/api/services"
        );
    }

    #[test]
    fn a_refusal_says_what_the_server_said() {
        let answer = Answer {
            status: 403,
            headers: HeaderMap::new(),
            body: Bytes::from_static(br#"{"kind":"Status","message":"pods is forbidden"}"#),
        };
        let error = answer.successful(&Method::GET, "/api/v1/pods").unwrap_err();
        assert_eq!(
            error.to_string(),
            "GET /api/v1/pods was answered 403: pods is forbidden"
        );
    }
}
