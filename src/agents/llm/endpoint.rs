//! One request over HTTP to an OpenAI-compatible endpoint.

use std::time::Duration;

use jiff::Timestamp;
use reqwest::header::HeaderMap;
use reqwest::{RequestBuilder, Response, StatusCode};
use serde_json::Value;
use tokio::time::timeout;
use url::Url;

use super::super::http::{self, deepest_cause};
use super::answer::Answer;
use crate::settings::{LlmSettings, Secret};

/// An answer longer than this is none.
const LONGEST: usize = 16 << 20;
/// How much of an error's text is told.
const TOLD: usize = 300;

/// Where a model is asked.
#[derive(Debug)]
pub(super) struct Endpoint {
    client: reqwest::Client,
    url: Url,
    key: Option<Secret>,
    is_azure: bool,
    timeout: Duration,
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Failed {
    /// What happened.
    pub(super) what: String,
    /// Whether it may be otherwise the next time.
    pub(super) is_passing: bool,
    /// How long the endpoint wants to be left alone.
    pub(super) wait: Option<Duration>,
    /// Whether the request was longer than the model can read.
    pub(super) is_too_long: bool,
}

impl Failed {
    fn passing(what: String) -> Self {
        Self {
            what,
            is_passing: true,
            wait: None,
            is_too_long: false,
        }
    }
}

impl Endpoint {
    /// The endpoint at `base`.
    pub(super) fn new(base: &str, model: &str, settings: &LlmSettings) -> Result<Self, String> {
        let wrong = |what: &dyn std::fmt::Display| {
            format!(
                "the model's endpoint {} is wrong: {what}\nhint: llm.base_url is like https://api.openai.com/v1; a key goes into AIOPSLAB_LLM_API_KEY",
                shown(base)
            )
        };
        let mut url = Url::parse(base).map_err(|error| wrong(&error))?;
        if !matches!(url.scheme(), "http" | "https") || url.host().is_none() {
            return Err(wrong(&"it is no HTTP address"));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(wrong(&"it has a user in it"));
        }
        let azure = settings.azure_api_version.value.as_ref();
        let path: &[&str] = match azure {
            Some(_) => &["openai", "deployments", model, "chat", "completions"],
            None => &["chat", "completions"],
        };
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(path);
        }
        if let Some(version) = azure {
            url.query_pairs_mut().append_pair("api-version", version);
        }
        Ok(Self {
            client: http::client(&url).map_err(|error| wrong(&error))?,
            url,
            key: settings.api_key.value.clone(),
            is_azure: azure.is_some(),
            timeout: seconds(settings.timeout.value),
        })
    }

    /// Asks once.
    pub(super) async fn ask(&self, request: &Value) -> Result<Answer, Failed> {
        let response = timeout(
            self.timeout,
            self.with_key(self.client.post(self.url.clone()))
                .json(request)
                .send(),
        )
        .await
        .map_err(|_| self.too_slow())?
        .map_err(|error| self.broken(&error))?;
        let status = response.status();
        if !status.is_success() {
            return Err(self.refused(status, response).await);
        }
        let is_stream = response
            .headers()
            .get("content-type")
            .and_then(|kind| kind.to_str().ok())
            .is_some_and(|kind| kind.starts_with("text/event-stream"));
        if is_stream {
            self.stream(response).await
        } else {
            self.whole(response).await
        }
    }

    fn with_key(&self, request: RequestBuilder) -> RequestBuilder {
        match &self.key {
            None => request,
            Some(key) if self.is_azure => request.header("api-key", key.expose()),
            Some(key) => request.bearer_auth(key.expose()),
        }
    }

    async fn whole(&self, mut response: Response) -> Result<Answer, Failed> {
        let mut body = Vec::new();
        while let Some(part) = self.part(&mut response).await? {
            body.extend_from_slice(&part);
            if body.len() > LONGEST {
                return Err(self.no_answer("it is over 16 MiB long"));
            }
        }
        let body: Value = serde_json::from_slice(&body)
            .map_err(|error| self.no_answer(&format!("it is no JSON: {error}")))?;
        self.no_error_in(&body)?;
        Answer::read(&body).ok_or_else(|| self.no_answer("it has no choices"))
    }

    /// Server-sent events: lines of `data: JSON`, at the end `data: [DONE]`.
    async fn stream(&self, mut response: Response) -> Result<Answer, Failed> {
        let mut answer = Answer::default();
        let mut pending: Vec<u8> = Vec::new();
        let mut read = 0;
        let mut is_over = false;
        while let Some(part) = self.part(&mut response).await? {
            read += part.len();
            if read > LONGEST {
                return Err(self.no_answer("it is over 16 MiB long"));
            }
            pending.extend_from_slice(&part);
            while let Some(end) = pending.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = pending.drain(..=end).collect();
                let line = String::from_utf8_lossy(&line);
                let Some(data) = line.trim_end().strip_prefix("data:") else {
                    continue;
                };
                if data.trim() == "[DONE]" {
                    return Ok(answer);
                }
                let chunk: Value = serde_json::from_str(data).map_err(|error| {
                    self.no_answer(&format!("a part of it is no JSON: {error}"))
                })?;
                self.no_error_in(&chunk)?;
                answer.take(&chunk);
                is_over = answer.finish_reason.is_some();
            }
        }
        // Some servers leave out the last line; without a reason it was cut.
        match is_over {
            true => Ok(answer),
            false => Err(Failed::passing("the model's stream broke off".to_owned())),
        }
    }

    async fn part(&self, response: &mut Response) -> Result<Option<Vec<u8>>, Failed> {
        match timeout(self.timeout, response.chunk()).await {
            Err(_) => Err(self.too_slow()),
            Ok(Err(error)) => Err(self.broken(&error)),
            Ok(Ok(part)) => Ok(part.map(|part| part.to_vec())),
        }
    }

    async fn refused(&self, status: StatusCode, response: Response) -> Failed {
        let wait = retry_after(response.headers(), Timestamp::now());
        // Whatever the body is: it only explains.
        let body = timeout(self.timeout, response.text()).await;
        let body = body.ok().and_then(Result::ok).unwrap_or_default();
        let json: Value = serde_json::from_str(&body).unwrap_or_default();
        let said = json["error"]["message"]
            .as_str()
            .or_else(|| json["message"].as_str())
            .unwrap_or(&body);
        let code = json["error"]["code"].as_str().unwrap_or_default();
        let hint = match status {
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
                "\nhint: AIOPSLAB_LLM_API_KEY, or llm.api_key_file, has the key; OPENAI_API_KEY counts only where no llm.base_url is set"
            }
            StatusCode::NOT_FOUND => "\nhint: is there such a model, and is llm.base_url right?",
            _ => "",
        };
        let passing = matches!(status.as_u16(), 408 | 409 | 429 | 500..=599);
        Failed {
            what: format!(
                "the model's endpoint answered {status}: {}{hint}",
                self.clean(said)
            ),
            // An account without money stays so.
            is_passing: passing && code != "insufficient_quota",
            wait,
            is_too_long: status == StatusCode::PAYLOAD_TOO_LARGE
                || (status == StatusCode::BAD_REQUEST && is_about_length(code, said)),
        }
    }

    /// Some servers tell of an error under status 200.
    fn no_error_in(&self, body: &Value) -> Result<(), Failed> {
        let error = &body["error"];
        if error.is_null() {
            return Ok(());
        }
        let said = error["message"].as_str().unwrap_or_default();
        let code = error["code"].as_u64().unwrap_or_default();
        Err(Failed {
            is_passing: matches!(code, 408 | 409 | 429 | 500..=599),
            ..Failed::passing(format!(
                "the model's endpoint told of an error: {}",
                self.clean(said)
            ))
        })
    }

    fn no_answer(&self, why: &str) -> Failed {
        Failed {
            is_passing: false,
            ..Failed::passing(format!(
                "what the model's endpoint sent is no answer: {why}"
            ))
        }
    }

    fn too_slow(&self) -> Failed {
        Failed::passing(format!(
            "the model's endpoint sent nothing for {} s",
            self.timeout.as_secs_f64()
        ))
    }

    fn broken(&self, error: &reqwest::Error) -> Failed {
        // Not the error itself, which only repeats the address: that may hold the key.
        let text = deepest_cause(error).unwrap_or_default();
        Failed::passing(format!(
            "the connection to the model's endpoint {} failed: {}",
            self.url.host_str().unwrap_or_default(),
            self.clean(&text)
        ))
    }

    /// A text of the endpoint's without the key, on one line, not too long.
    fn clean(&self, text: &str) -> String {
        let text = match &self.key {
            Some(key) => text.replace(key.expose(), "(the key)"),
            None => text.to_owned(),
        };
        let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
        line.chars().take(TOLD).collect()
    }
}

/// The endpoint for the record: without what might be secret in it.
pub(super) fn shown(base: &str) -> String {
    match Url::parse(base) {
        Ok(mut url) => {
            url.set_query(None);
            url.set_fragment(None);
            // Addresses that can't have a user have none.
            let _ = url.set_username("");
            let _ = url.set_password(None);
            url.to_string()
        }
        Err(_) => base.to_owned(),
    }
}

/// Whether an error says that the request is too long: OpenAI's code, or what others say in words.
fn is_about_length(code: &str, said: &str) -> bool {
    let said = said.to_lowercase();
    code == "context_length_exceeded"
        || [
            "context length",
            "context window",
            "too long",
            "too many tokens",
            "maximum context",
        ]
        .iter()
        .any(|words| said.contains(words))
}

/// `Retry-After` in seconds, or as a moment; `retry-after-ms`, which Azure sends besides, is finer.
fn retry_after(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    let header = |name: &str| headers.get(name)?.to_str().ok();
    if let Some(milliseconds) = header("retry-after-ms").and_then(|text| text.parse().ok()) {
        return Some(seconds(f64::max(milliseconds, 0.0) / 1e3));
    }
    let text = header("retry-after")?;
    if let Ok(number) = text.parse::<f64>() {
        return Some(seconds(number));
    }
    let moment = jiff::fmt::rfc2822::parse(text).ok()?;
    let wait = moment.timestamp().duration_since(now);
    Duration::try_from(wait).ok()
}

/// A length of time that a person or a server named; what makes no sense is none at all.
pub(super) fn seconds(number: f64) -> Duration {
    Duration::try_from_secs_f64(number).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_base_address_may_hide_is_not_shown() {
        assert_eq!(shown("https://me:secret@host/v1?key=k"), "https://host/v1");
    }

    #[test]
    fn a_length_that_makes_no_sense_is_none() {
        assert_eq!(seconds(-1.0), Duration::ZERO);
        assert_eq!(seconds(f64::NAN), Duration::ZERO);
        assert_eq!(seconds(0.5), Duration::from_millis(500));
    }

    /// The wait that headers ask for at 08:49:07, in milliseconds.
    fn waits(headers: &[(&'static str, &str)]) -> Option<u128> {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.insert(*name, value.parse().unwrap());
        }
        let now: Timestamp = "1994-11-06T08:49:07Z".parse().unwrap();
        retry_after(&map, now).map(|wait| wait.as_millis())
    }

    #[test]
    fn how_long_an_endpoint_wants_to_be_left_alone_is_said_in_three_ways() {
        for (value, wait) in [
            ("2", Some(2_000)),
            ("0", Some(0)),
            ("0.25", Some(250)),
            ("120", Some(120_000)),
            ("-3", Some(0)),
            ("Sun, 06 Nov 1994 08:49:37 GMT", Some(30_000)),
            ("Sun, 06 Nov 1994 08:49:07 GMT", Some(0)),
            // Over already, or no moment: then the wait is ours.
            ("Sun, 06 Nov 1994 08:49:00 GMT", None),
            ("soon", None),
            ("", None),
        ] {
            assert_eq!(waits(&[("retry-after", value)]), wait, "{value:?}");
        }
        assert_eq!(waits(&[]), None);
        assert_eq!(waits(&[("retry-after-ms", "1250")]), Some(1_250));
        assert_eq!(waits(&[("retry-after-ms", "-5")]), Some(0));
        let both = |finer| waits(&[("retry-after", "2"), ("retry-after-ms", finer)]);
        assert_eq!(both("1700"), Some(1_700));
        assert_eq!(both("soon"), Some(2_000));
    }
}
