//! What a process reads from its environment, read once at start.

use std::env;
use std::time::Duration;

use anyhow::Context as _;

use crate::services::Role;

/// The time that one call of a service or one statement of a store may take.
pub(crate) const DEPENDENCY_TIMEOUT: Duration = Duration::from_secs(1);

/// The version of this program.
pub(crate) const VERSION: &str = if cfg!(feature = "next") {
    "0.2.0"
} else {
    env!("CARGO_PKG_VERSION")
};

/// The settings of one service process.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    pub(crate) listen: String,
    pub(crate) otlp_endpoint: Option<String>,
    pub(crate) pod_name: Option<String>,
    pub(crate) pod_namespace: Option<String>,
    pub(crate) access_log_every: u64,
    pub(crate) drain: Duration,
}

impl Settings {
    /// Reads the settings of `role` from the environment.
    pub(crate) fn read(role: Role) -> anyhow::Result<Self> {
        // Requests enter at the frontend, so one line each tells the story; further in, a sample.
        let access_log_default = if role == Role::Frontend { "1" } else { "10" };
        Ok(Self {
            listen: variable_or("LISTEN", "0.0.0.0:8080"),
            otlp_endpoint: variable("OTEL_EXPORTER_OTLP_ENDPOINT"),
            pod_name: variable("POD_NAME"),
            pod_namespace: variable("POD_NAMESPACE"),
            access_log_every: variable_or("ACCESS_LOG_EVERY", access_log_default)
                .parse()
                .context("ACCESS_LOG_EVERY is not a whole number\nhint: 1 logs every request")?,
            drain: Duration::from_secs(5),
        })
    }
}

/// The address (`host:port`) of a dependency: the variable if set, else the name in the cluster.
pub(crate) fn address(variable_name: &str, default: &str) -> String {
    variable_or(variable_name, default)
}

/// A variable that is set and not empty.
pub(crate) fn variable(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.is_empty())
}

fn variable_or(name: &str, default: &str) -> String {
    variable(name).unwrap_or_else(|| default.to_owned())
}

/// Whether a feature flag is on: its default variant in the document of `FEATURE_FLAGS`, which OpenFeature's flagd
/// would read too. A flag that is not there is off.
pub(crate) fn is_flag_on(name: &str) -> anyhow::Result<bool> {
    let Some(text) = variable("FEATURE_FLAGS") else {
        return Ok(false);
    };
    let document: serde_json::Value = serde_json::from_str(&text)
        .context("FEATURE_FLAGS is not JSON\nhint: {\"flags\": {NAME: {…}}}")?;
    let flag = &document["flags"][name];
    let variant = flag["defaultVariant"].as_str().unwrap_or_default();
    Ok(flag["variants"][variant] == true)
}
