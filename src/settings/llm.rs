//! The table `[llm]`: where language models are asked, and how (`docs/llm-agents.md`).

use std::collections::BTreeMap;

use camino::Utf8PathBuf;
use serde::{Deserialize, Serialize};
use serde_json::Map;

use super::{Secret, Sources, Value};
use crate::exit::Failure;

/// What names the file of the model's key.
const KEY_FILE: &str = "llm.api_key_file or AIOPSLAB_LLM_API_KEY_FILE";

/// Where OpenAI's own models are.
const OPENAI: &str = "https://api.openai.com/v1";

/// How language models are asked, each value with its origin.
#[derive(Debug, Clone, Serialize)]
pub struct LlmSettings {
    /// The endpoint up to `/chat/completions`, or Azure's resource; for `llm:scripted` `script:FILE` or `script:URL`.
    pub base_url: Value<String>,
    /// The key that the endpoint wants.
    pub api_key: Value<Option<Secret>>,
    /// Azure's `api-version`; none: the endpoint is not Azure's.
    pub azure_api_version: Value<Option<String>>,
    /// The strategy: a shipped one's name, or a file.
    pub strategy: Value<String>,
    /// Whether actions are called as tools, rather than in the text.
    pub tools: Value<bool>,
    /// Whether answers are streamed.
    pub stream: Value<bool>,
    /// Further members of each request, as they are: `temperature`, `max_tokens`, `seed`, …
    pub parameters: Value<Map<String, serde_json::Value>>,
    /// Tokens that a request may hold; older observations are left out beyond.
    pub context_tokens: Value<usize>,
    /// Requests that are begun in a minute, of all episodes together.
    pub requests_per_minute: Value<Option<f64>>,
    /// Seconds that an answer, or the next part of a streamed one, is waited for.
    pub timeout: Value<f64>,
    /// How often a request is tried that fails for a passing reason.
    pub attempts: Value<u32>,
    /// Seconds before the second attempt; doubled for each further one.
    pub retry_wait: Value<f64>,
    /// Seconds that all attempts at one request may take.
    pub patience: Value<f64>,
    /// Prices of models that are not in the shipped table, or differ from it.
    pub prices: Value<BTreeMap<String, Price>>,
    /// Keeps every answer in this file.
    pub record: Value<Option<Utf8PathBuf>>,
    /// Takes every answer from this file; nobody is asked.
    pub replay: Value<Option<Utf8PathBuf>>,
}

/// What a model costs, in US dollars for a million tokens.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Price {
    /// Tokens read.
    pub input: f64,
    /// Tokens read out of the provider's cache; none: as any others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cached_input: Option<f64>,
    /// Tokens written.
    pub output: f64,
}

/// The keys of `[llm]` in the configuration file.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Table {
    base_url: Option<String>,
    api_key_file: Option<Utf8PathBuf>,
    azure_api_version: Option<String>,
    strategy: Option<String>,
    tools: Option<bool>,
    stream: Option<bool>,
    parameters: Option<Map<String, serde_json::Value>>,
    context_tokens: Option<usize>,
    requests_per_minute: Option<f64>,
    timeout: Option<f64>,
    attempts: Option<u32>,
    retry_wait: Option<f64>,
    patience: Option<f64>,
    prices: Option<BTreeMap<String, Price>>,
    record: Option<Utf8PathBuf>,
    replay: Option<Utf8PathBuf>,
}

impl LlmSettings {
    pub(super) fn merge(file: Table, sources: &Sources<'_>) -> Result<Self, Failure> {
        let (base_url, api_key) = endpoint(file.base_url, file.api_key_file, sources)?;
        Ok(Self {
            base_url,
            api_key,
            azure_api_version: sources.optional(
                "AIOPSLAB_LLM_AZURE_API_VERSION",
                file.azure_api_version,
                None,
            )?,
            strategy: sources.in_file(file.strategy, "shell".to_owned()),
            tools: sources.in_file(file.tools, false),
            stream: sources.in_file(file.stream, false),
            parameters: sources.in_file(file.parameters, Map::new()),
            context_tokens: sources.in_file(file.context_tokens, 100_000),
            requests_per_minute: sources.in_file(file.requests_per_minute.map(Some), None),
            timeout: sources.in_file(file.timeout, 180.0),
            attempts: sources.in_file(file.attempts, 6),
            retry_wait: sources.in_file(file.retry_wait, 1.0),
            patience: sources.in_file(file.patience, 600.0),
            prices: sources.in_file(file.prices, BTreeMap::new()),
            record: sources.in_file(file.record.map(Some), None),
            replay: sources.in_file(file.replay.map(Some), None),
        })
    }
}

/// The endpoint and its key. OpenAI's variables count where none of ours does, and its key is sent
/// to no endpoint but the one that its variables name.
fn endpoint(
    url: Option<String>,
    key_file: Option<Utf8PathBuf>,
    sources: &Sources<'_>,
) -> Result<(Value<String>, Value<Option<Secret>>), Failure> {
    let own = sources.set("AIOPSLAB_LLM_BASE_URL", url)?;
    let is_own = own.is_some();
    let url = match own {
        Some(url) => url,
        None => sources.or_default("OPENAI_BASE_URL", None, OPENAI.to_owned())?,
    };
    let mut key: Value<Option<Secret>> = sources.optional("AIOPSLAB_LLM_API_KEY", None, None)?;
    if key.value.is_none()
        && let Some(file) = sources.set("AIOPSLAB_LLM_API_KEY_FILE", key_file)?
    {
        key = Value {
            value: Some(Secret::read(&file.value, KEY_FILE)?),
            from: format!("{} ({})", file.value, file.from),
        };
    }
    if key.value.is_none() && !is_own {
        key = sources.optional("OPENAI_API_KEY", None, None)?;
    }
    Ok((url, key))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::{LlmSettings, Sources, Table};

    fn merged(file: &str, environment: &[(&str, &str)]) -> LlmSettings {
        let table: Table = toml::from_str(file).unwrap();
        let environment: BTreeMap<String, String> = environment
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        let sources = Sources {
            file_name: "aiopslab.toml",
            environment: &environment,
        };
        LlmSettings::merge(table, &sources).unwrap()
    }

    #[test]
    fn openai_s_key_goes_to_its_own_endpoint_only() {
        let key = [("OPENAI_API_KEY", "sk-1"), ("OPENAI_BASE_URL", "https://o")];
        let of = |file| {
            let settings = merged(file, &key);
            let key = settings.api_key.value;
            (
                settings.base_url.value,
                key.map(|key| key.expose().to_owned()),
            )
        };
        assert_eq!(of(""), ("https://o".to_owned(), Some("sk-1".to_owned())));
        assert_eq!(
            of("base_url = 'https://other'"),
            ("https://other".to_owned(), None)
        );
    }

    #[test]
    fn a_key_is_not_shown() {
        let settings = merged("", &[("AIOPSLAB_LLM_API_KEY", "sk-1")]);
        let shown = format!("{settings:?}{}", serde_json::to_string(&settings).unwrap());
        assert!(!shown.contains("sk-1"), "{shown}");
        assert!(shown.contains("environment AIOPSLAB_LLM_API_KEY"));
    }
}
