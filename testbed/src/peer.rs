//! Another service of the application, called over HTTP.

use opentelemetry::trace::TraceContextExt as _;
use opentelemetry::{Context, KeyValue};
use reqwest::{Client, Method, Url};
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::calls::{Call, Failure};
use crate::error::ServiceError;
use crate::metrics::Metrics;
use crate::settings::{self, DEPENDENCY_TIMEOUT};
use crate::telemetry;

/// A client of one other service.
#[derive(Clone)]
pub(crate) struct Peer {
    name: &'static str,
    address: String,
    client: Client,
    metrics: Metrics,
}

/// The parameters of a call, as they go into the URL.
pub(crate) type Parameters<'a> = &'a [(&'a str, String)];

impl Peer {
    /// Makes the client of service `name`, found under that name unless `<NAME>_ADDR` says where.
    pub(crate) fn new(name: &'static str, metrics: &Metrics) -> anyhow::Result<Self> {
        let address = settings::address(
            &format!("{}_ADDR", name.to_uppercase()),
            &format!("{name}:8080"),
        );
        // One connection per call: a Service that changes is felt at once, as it would be by the
        // next client, and not when some idle connection happens to end.
        let client = Client::builder().pool_max_idle_per_host(0).build()?;
        metrics.announce_dependency(name);
        Ok(Self {
            name,
            address,
            client,
            metrics: metrics.clone(),
        })
    }

    /// Asks for `path`.
    pub(crate) async fn get<T: DeserializeOwned>(
        &self,
        path: &str,
        parameters: Parameters<'_>,
    ) -> Result<T, ServiceError> {
        self.call(Method::GET, path, parameters, None).await
    }

    /// Posts `body` to `path`.
    pub(crate) async fn post<T: DeserializeOwned>(
        &self,
        path: &str,
        body: &Value,
    ) -> Result<T, ServiceError> {
        self.call(Method::POST, path, &[], Some(body)).await
    }

    async fn call<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        parameters: Parameters<'_>,
        body: Option<&Value>,
    ) -> Result<T, ServiceError> {
        let base = format!("http://{}{path}", self.address);
        let url = Url::parse_with_params(&base, parameters)
            .map_err(|error| ServiceError::BadRequest(format!("cannot call {base}: {error}")))?;
        let call = Call {
            metrics: &self.metrics,
            dependency: self.name,
            address: &self.address,
            span_name: format!("{method} {}{path}", self.name),
            attributes: vec![
                KeyValue::new("http.request.method", method.to_string()),
                KeyValue::new("url.full", url.to_string()),
            ],
            time_limit: DEPENDENCY_TIMEOUT,
            optional: false,
        };
        call.run(self.exchange(method, url, body)).await
    }

    /// Sends the request and reads the answer, in the call's span.
    async fn exchange<T: DeserializeOwned>(
        &self,
        method: Method,
        url: Url,
        body: Option<&Value>,
    ) -> Result<T, Failure> {
        let mut request = self
            .client
            .request(method, url)
            .headers(telemetry::headers_of(&Context::current()));
        if let Some(body) = body {
            request = request.json(body);
        }
        let failure = |error: reqwest::Error| Failure::of(&error.without_url(), &self.address);
        let response = request.send().await.map_err(failure)?;
        let status = response.status();
        let code = i64::from(status.as_u16());
        Context::map_current(|context| {
            let span = context.span();
            span.set_attribute(KeyValue::new("http.response.status_code", code));
            span.set_attribute(KeyValue::new("http.status_code", code));
        });
        if status.is_success() {
            return response.json().await.map_err(failure);
        }
        let answer: Value = response.json().await.unwrap_or_default();
        let reason = answer["error"].as_str().unwrap_or("no reason given");
        Err(Failure::error(format!(
            "status {status} from {}: {reason}",
            self.address
        )))
    }
}
