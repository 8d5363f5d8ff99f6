//! The agent behind an HTTP address: the messages of `exec:`, each a POST (`docs/agents.md`).

use std::time::Duration;

use async_trait::async_trait;
use reqwest::redirect::Policy;
use serde_json::{Value, json};
use url::{Host, Url};

use super::external::Answer;
use super::{Agent, AgentError, Briefing, Response};

/// How long an answer is waited for; `--max-seconds` is there for less.
const LONGEST_WAIT: Duration = Duration::from_secs(600);
/// A response longer than this is no response.
const LONGEST: usize = 4 << 20;

/// A client for one address. It follows no redirection, so that what is meant for one host stays there, and goes
/// through no proxy to this machine.
pub(super) fn client(url: &Url) -> reqwest::Result<reqwest::Client> {
    let mut builder = reqwest::Client::builder()
        .redirect(Policy::none())
        .connect_timeout(Duration::from_secs(20));
    if is_loopback(url) {
        builder = builder.no_proxy();
    }
    builder.build()
}

/// Whether an address is this machine's.
pub(super) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

/// Reads an agent's address; what is wrong with it otherwise.
pub(super) fn address(text: &str) -> Result<Url, String> {
    let url = Url::parse(text).map_err(|error| error.to_string())?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err("it is no http:// or https:// address".to_owned());
    }
    // The address is the agent's name in every record.
    if !url.username().is_empty() || url.password().is_some() || url.query().is_some() {
        return Err("it has a user or a query in it, which every record would show".to_owned());
    }
    Ok(url)
}

/// One episode with an agent at an address.
pub(super) struct Remote {
    url: Url,
    session: String,
    client: Option<reqwest::Client>,
}

impl Remote {
    pub(super) fn new(url: Url) -> Self {
        Self {
            url,
            // Nothing of the problem is in it, and no two episodes share it.
            session: format!("{:032x}", rand::random::<u128>()),
            client: None,
        }
    }

    fn broken(&self, what: impl Into<String>) -> AgentError {
        AgentError::Broken {
            command: self.url.to_string(),
            what: what.into(),
        }
    }

    /// Sends a message and returns what is answered.
    async fn tell(&self, mut message: Value) -> Result<Vec<u8>, AgentError> {
        message["session"] = json!(self.session);
        let Some(client) = &self.client else {
            return Err(self.broken("was never started"));
        };
        let exchange = async {
            let mut response = client.post(self.url.clone()).json(&message).send().await?;
            let mut body = Vec::new();
            while let Some(part) = response.chunk().await? {
                body.extend_from_slice(&part);
                if body.len() > LONGEST {
                    break;
                }
            }
            Ok::<_, reqwest::Error>((response.status(), body))
        };
        let (status, body) = match tokio::time::timeout(LONGEST_WAIT, exchange).await {
            Err(_) => {
                let waited = LONGEST_WAIT.as_secs();
                return Err(self.broken(format!("did not answer within {waited} s")));
            }
            Ok(Err(error)) => {
                return Err(self.broken(format!("can't be reached: {}", root(&error))));
            }
            Ok(Ok(answered)) => answered,
        };
        if body.len() > LONGEST {
            return Err(self.broken("answered over 4 MiB"));
        }
        if !status.is_success() {
            return Err(self.broken(format!("answered {status}: {}", shown(&body))));
        }
        Ok(body)
    }
}

#[async_trait]
impl Agent for Remote {
    async fn start(&mut self, briefing: &Briefing) -> Result<(), AgentError> {
        let client = client(&self.url).map_err(|error| self.broken(root(&error)))?;
        self.client = Some(client);
        let mut message = serde_json::to_value(briefing).unwrap_or_default();
        message["type"] = json!("start");
        self.tell(message).await.map(drop)
    }

    async fn respond(&mut self, observation: &str) -> Result<Response, AgentError> {
        let message = json!({"type": "observation", "observation": observation});
        let body = self.tell(message).await?;
        serde_json::from_slice::<Answer>(&body)
            .map(Response::from)
            .map_err(|_| {
                self.broken(format!(
                    "answered {:?}\nhint: an answer is JSON, {{\"response\": \"text with one call\"}}",
                    shown(&body)
                ))
            })
    }
}

/// What went wrong in the end: errors of the client begin with the address.
fn root(error: &reqwest::Error) -> String {
    deepest_cause(error).unwrap_or_else(|| error.to_string())
}

/// The last cause of an error; none: the error has no other than itself.
pub(super) fn deepest_cause(error: &reqwest::Error) -> Option<String> {
    let mut cause = std::error::Error::source(error)?;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    Some(cause.to_string())
}

fn shown(body: &[u8]) -> String {
    String::from_utf8_lossy(body)
        .trim()
        .chars()
        .take(200)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_that_would_show_a_secret_is_refused() {
        assert!(address("http://127.0.0.1:9/act").is_ok());
        for text in [
            "http://me:secret@host/",
            "https://host/?key=k",
            "ftp://host/",
            "host",
        ] {
            assert!(address(text).is_err(), "{text}");
        }
    }

    #[test]
    fn this_machine_is_known_by_its_addresses() {
        let is_here = |text: &str| is_loopback(&Url::parse(text).unwrap());
        assert!(
            is_here("http://127.0.0.1:1/")
                && is_here("http://[::1]:1/")
                && is_here("http://localhost/")
        );
        assert!(!is_here("http://example.org/") && !is_here("http://10.0.0.1/"));
    }
}
