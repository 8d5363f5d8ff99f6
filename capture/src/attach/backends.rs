//! Where Prometheus and Jaeger are, by the names that their charts and operators give them.

use std::collections::BTreeSet;
use std::time::Duration;

use aiopslab_problems::family::Endpoint;
use serde_json::Value;
use tokio::time::timeout;

use crate::cluster::Cluster;
use crate::recorder::Kind;
use crate::resource::text;

/// How long a server may take to say who it is.
const ANSWERS_WITHIN: Duration = Duration::from_secs(5);
/// How many Services are asked.
const MOST_ASKED: usize = 6;
/// Where backends usually are, for who may not list the Services of all namespaces.
const USUAL_NAMESPACES: [&str; 8] = [
    "monitoring",
    "observability",
    "observe",
    "prometheus",
    "jaeger",
    "tracing",
    "istio-system",
    "default",
];

/// A kind of server that keeps telemetry.
pub(super) struct Backend {
    pub(super) kind: Kind,
    pub(super) name: &'static str,
    /// The option that names its place.
    pub(super) option: &'static str,
    /// Names of its Service, the surest first.
    names: &'static [&'static str],
    /// Other Services that have its name in theirs.
    others: &'static [&'static str],
    ports: &'static [u64],
    port_names: &'static [&'static str],
    /// What only it answers, and where in the answer.
    question: (&'static str, &'static str),
}

impl Backend {
    pub(super) const PROMETHEUS: Self = Self {
        kind: Kind::Metrics,
        name: "Prometheus",
        option: "prometheus",
        names: &[
            "prometheus",
            "prometheus-server",
            "prometheus-k8s",
            "prometheus-operated",
            "kube-prometheus-stack-prometheus",
        ],
        others: &[
            "alertmanager",
            "exporter",
            "operator",
            "pushgateway",
            "adapter",
            "state-metrics",
            "grafana",
            "thanos",
        ],
        ports: &[9090, 80],
        port_names: &["http-web", "web", "http"],
        question: ("/api/v1/status/buildinfo", "/data/version"),
    };
    pub(super) const JAEGER: Self = Self {
        kind: Kind::Traces,
        name: "Jaeger",
        option: "jaeger",
        names: &[
            "jaeger-query",
            "jaeger",
            "jaeger-all-in-one",
            "simplest-query",
            "tracing",
        ],
        others: &["collector", "agent", "operator"],
        ports: &[16686],
        port_names: &["query", "http-query", "query-http"],
        question: ("/api/services", "/data"),
    };

    /// The place that was named if it names one, else the first usual one that answers.
    ///
    /// The error says in one line what was asked and why there is none.
    pub(super) async fn find(
        &self,
        cluster: &Cluster,
        named: &Endpoint,
        namespaces: &[String],
    ) -> Result<Endpoint, String> {
        if !named.is_nowhere() {
            let mut place = named.clone();
            if place.url.is_none() && place.namespace.is_none() {
                place.namespace = namespaces.first().cloned();
            }
            return match self.ask(cluster, &place).await {
                Ok(()) => Ok(place),
                Err(reason) => Err(format!("no {} at {place}: {reason}", self.name)),
            };
        }
        let services = services(cluster, namespaces).await;
        let candidates = self.candidates(&services, namespaces);
        let mut reasons = Vec::new();
        for candidate in candidates.into_iter().take(MOST_ASKED) {
            match self.ask(cluster, &candidate).await {
                Ok(()) => return Ok(candidate),
                Err(reason) => reasons.push(format!("{candidate}: {reason}")),
            }
        }
        if reasons.is_empty() {
            let seen = services.len();
            return Err(format!(
                "no {0}: none of the {seen} Services that we may see looks like one",
                self.name
            ));
        }
        Err(format!("no {}: {}", self.name, reasons.join("; ")))
    }

    /// The Services that may be it, the most likely first.
    pub(super) fn candidates(&self, services: &[Value], namespaces: &[String]) -> Vec<Endpoint> {
        let mut found: Vec<_> = services
            .iter()
            .filter_map(|service| {
                let name = text(service, "/metadata/name");
                let namespace = text(service, "/metadata/namespace").to_owned();
                let exact = self.names.iter().position(|known| *known == name);
                let alike = name.contains(self.option)
                    && !self.others.iter().any(|other| name.contains(other));
                let rank = exact.or(alike.then_some(self.names.len()))?;
                let is_elsewhere = !namespaces.contains(&namespace);
                let place = Endpoint {
                    namespace: Some(namespace),
                    service: name.to_owned(),
                    port: self.port(service)?,
                    path: None,
                    url: None,
                };
                Some(((is_elsewhere, rank), place))
            })
            .collect();
        found.sort_by(|(left, one), (right, other)| {
            (left, &one.namespace, &one.service).cmp(&(right, &other.namespace, &other.service))
        });
        found.into_iter().map(|(_, place)| place).collect()
    }

    fn port(&self, service: &Value) -> Option<u16> {
        let ports = service["spec"]["ports"].as_array()?;
        let number = |port: &Value| port["port"].as_u64();
        let usual = |port: &&Value| {
            number(port).is_some_and(|number| self.ports.contains(&number))
                || self.port_names.contains(&text(port, "/name"))
        };
        ports
            .iter()
            .find(usual)
            .and_then(number)
            .and_then(|number| number.try_into().ok())
    }

    async fn ask(&self, cluster: &Cluster, place: &Endpoint) -> Result<(), String> {
        let (path, pointer) = self.question;
        match timeout(ANSWERS_WITHIN, cluster.proxy_json(place, "", path)).await {
            Err(_) => Err(format!("no answer within {} s", ANSWERS_WITHIN.as_secs())),
            Ok(Err(error)) => Err(error.to_string()),
            // Jaeger's list is null as long as there is no service.
            Ok(Ok(answer)) if answer.pointer(pointer).is_some() => Ok(()),
            Ok(Ok(_)) => Err(format!("it is no {}", self.name)),
        }
    }
}

/// The Services that we may see.
pub(super) async fn services(cluster: &Cluster, namespaces: &[String]) -> Vec<Value> {
    if let Ok(all) = cluster.list("/api/v1/services").await {
        return all;
    }
    let own = namespaces.iter().map(String::as_str);
    let places: BTreeSet<&str> = own.chain(USUAL_NAMESPACES).collect();
    let mut found = Vec::new();
    for namespace in places {
        let path = format!("/api/v1/namespaces/{namespace}/services");
        found.extend(cluster.list(&path).await.unwrap_or_default());
    }
    found
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn service(namespace: &str, name: &str, port: u64, port_name: &str) -> Value {
        json!({"metadata": {"namespace": namespace, "name": name},
            "spec": {"ports": [{"port": 8443, "name": "other"}, {"port": port, "name": port_name}]}})
    }

    fn found(backend: &Backend, services: &[Value]) -> Vec<String> {
        let all = backend.candidates(services, &["shop".to_owned()]);
        all.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn usual_names_are_found_and_the_application_s_own_comes_first() {
        let services = [
            service("monitoring", "prometheus-operated", 9090, "http-web"),
            service("monitoring", "prometheus-server", 80, "http"),
            service("monitoring", "team-a-prometheus", 9090, ""),
            service("monitoring", "prometheus-node-exporter", 9100, "http"),
            service("shop", "prometheus", 9090, ""),
            service("shop", "cart", 9090, ""),
            service("shop", "jaeger-collector", 14268, "http"),
            service("shop", "jaeger-query", 80, "query"),
            service("observe", "jaeger", 16686, ""),
        ];
        assert_eq!(
            found(&Backend::PROMETHEUS, &services),
            [
                "shop/prometheus:9090",
                "monitoring/prometheus-server:80",
                "monitoring/prometheus-operated:9090",
                "monitoring/team-a-prometheus:9090"
            ]
        );
        assert_eq!(
            found(&Backend::JAEGER, &services),
            ["shop/jaeger-query:80", "observe/jaeger:16686"]
        );
    }
}
