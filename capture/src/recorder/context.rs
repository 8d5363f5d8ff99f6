//! What the recorders share, and what is asked before they start.

use std::sync::Arc;

use aiopslab_problems::family::{Application, Endpoint};
use jiff::Timestamp;
use tokio_util::sync::CancellationToken;

use super::changes::Changes;
use super::clocks::Clocks;
use super::coverage::Begun;
use super::selector;
use super::sink::Failure;
use super::{Kind, RecorderError, RecorderOptions};
use crate::cluster::Cluster;
use crate::redact_rules::RedactRules;
use crate::visibility::VisibilityRules;

/// What the recorders share.
pub(super) struct Context {
    pub(super) cluster: Cluster,
    pub(super) namespace: String,
    /// All that are recorded, the application's first.
    pub(super) namespaces: Vec<String>,
    pub(super) service_label: String,
    pub(super) prometheus: Endpoint,
    pub(super) jaeger: Endpoint,
    pub(super) options: RecorderOptions,
    pub(super) visibility: VisibilityRules,
    pub(super) redaction: Arc<RedactRules>,
    pub(super) stop: CancellationToken,
    pub(super) failure: Failure,
    pub(super) begun: Begun,
    pub(super) changes: Changes,
    pub(super) clocks: Clocks,
    /// When recording began, by the API server's clock.
    pub(super) start: i64,
    /// From when on what is kept elsewhere is read; the start, unless it is read back.
    pub(super) since: i64,
}

impl Context {
    /// The time by the API server's clock.
    pub(super) fn now(&self) -> i64 {
        nanoseconds_of(self.cluster.now())
    }

    /// Where the recorded objects of a namespaced kind are listed: `base` is the path of its group.
    pub(super) fn collections(&self, base: &str, resource: &str) -> Vec<String> {
        if !self.options.confined {
            return vec![format!("{base}/{resource}")];
        }
        let namespaces = self.namespaces.iter();
        namespaces
            .map(|namespace| format!("{base}/namespaces/{namespace}/{resource}"))
            .collect()
    }
}

pub(super) fn nanoseconds_of(time: Timestamp) -> i64 {
    i64::try_from(time.as_nanosecond()).unwrap_or(i64::MAX)
}

/// Reads a time as the API server writes it.
pub(super) fn nanoseconds(text: &str) -> Option<i64> {
    text.parse::<Timestamp>().ok().map(nanoseconds_of)
}

/// Writes a time as the API server reads it.
pub(super) fn rfc3339(nanoseconds: i64) -> String {
    Timestamp::from_nanosecond(i128::from(nanoseconds))
        .unwrap_or_default()
        .to_string()
}

pub(super) fn new_context(
    cluster: &Cluster,
    application: &Application,
    options: RecorderOptions,
) -> Result<Context, RecorderError> {
    let redaction = RedactRules::new(options.redaction_key, &options.redact).map_err(|error| {
        RecorderError::Option {
            option: "redact".into(),
            reason: error.to_string(),
        }
    })?;
    for text in &options.metrics_selectors {
        selector::parse(text).map_err(|reason| RecorderError::Option {
            option: format!("metrics selector {text}"),
            reason,
        })?;
    }
    let mut visibility =
        VisibilityRules::of_capture(crate::journal::NAMESPACE, crate::journal::NAME_PREFIX);
    visibility.hidden.extend(options.hidden.iter().cloned());
    let start = nanoseconds_of(cluster.now());
    let back = options.since.unwrap_or_default().as_nanos();
    Ok(Context {
        namespaces: options.namespaces(&application.namespace),
        since: start.saturating_sub(i64::try_from(back).unwrap_or(i64::MAX)),
        cluster: cluster.clone(),
        namespace: application.namespace.clone(),
        service_label: application.service_label.clone(),
        prometheus: application.prometheus.clone(),
        jaeger: application.jaeger.clone(),
        options,
        visibility,
        redaction: Arc::new(redaction),
        stop: CancellationToken::new(),
        failure: Failure::default(),
        begun: Begun::default(),
        changes: Changes::default(),
        clocks: Clocks::default(),
        start,
    })
}

/// Reads what tells of secrets first, so that they are known wherever they turn up. What may not be
/// read is not recorded either.
pub(super) async fn learn_secrets(context: &Context) {
    let (cluster, rules) = (&context.cluster, &context.redaction);
    for path in context.collections("/api/v1", "secrets") {
        let secrets = cluster.each_page(&path, |secrets| {
            secrets.iter().for_each(|secret| rules.learn(secret));
        });
        secrets.await.ok();
    }
    let settings = ["configmaps", "pods"];
    let settings = settings.map(|resource| context.collections("/api/v1", resource));
    for path in settings.into_iter().flatten() {
        let settings = cluster.each_page(&path, |objects| {
            let objects = objects.iter();
            objects.for_each(|object| rules.learn_settings(object));
        });
        settings.await.ok();
    }
}

/// Asks Prometheus and Jaeger whether they are there, before anything starts.
pub(super) async fn check_sources(context: &Context) -> Result<(), RecorderError> {
    let sources = [
        (
            Kind::Metrics,
            "Prometheus",
            &context.prometheus,
            "/api/v1/status/buildinfo",
        ),
        (Kind::Traces, "Jaeger", &context.jaeger, "/api/services"),
    ];
    for (kind, what, endpoint, path) in sources {
        if context.options.without.contains(&kind) {
            continue;
        }
        let answer = context
            .cluster
            .proxy_json(endpoint, &context.namespace, path)
            .await;
        answer.map_err(|source| RecorderError::NoSource {
            what,
            namespace: endpoint
                .namespace
                .clone()
                .unwrap_or_else(|| context.namespace.clone()),
            service: endpoint.to_string(),
            kind,
            source,
        })?;
    }
    Ok(())
}
