//! What the cluster's DNS says of a name: CoreDNS makes it of Services and EndpointSlices, by the
//! specification "Kubernetes DNS-Based Service Discovery" 1.1.0.

use serde_json::Value;

use super::selector::LabelSelector;
use super::{mount, object, printers};
use crate::view::{ObjectQuery, RecordedObject, View, ViewError};

/// How long CoreDNS may keep an answer, by the TTL of its usual configuration.
const CACHED_NS: i64 = 30 * 1_000_000_000;
/// Plugins with which CoreDNS still answers the names of Services by the Services alone.
const HARMLESS: [&str; 15] = [
    "bind",
    "cache",
    "debug",
    "errors",
    "forward",
    "health",
    "kubernetes",
    "loadbalance",
    "log",
    "loop",
    "metadata",
    "prometheus",
    "ready",
    "reload",
    "trace",
];
/// Options of the plugin `kubernetes` with which it answers for every Service.
const HARMLESS_OPTIONS: [&str; 4] = ["endpoint", "fallthrough", "pods", "ttl"];
/// Last labels of names that the Domain Name System's root does not delegate, and that are common
/// in clusters.
const NOT_DELEGATED: [&str; 4] = ["cluster", "default", "local", "svc"];

/// What is known of a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Resolved {
    /// It has this one address.
    Address(String),
    /// There is no such name.
    Missing,
    /// The recording can't tell, or the answer varies.
    Unknown,
}

/// The DNS that pods of the cluster are told to ask.
pub(crate) struct Dns<'v> {
    view: &'v dyn View,
    domain: String,
}

impl<'v> Dns<'v> {
    /// The DNS at an address; none unless it works and answers for the cluster's domain (like
    /// `cluster.local`) by its Services alone.
    pub(crate) async fn at(
        view: &'v dyn View,
        address: &str,
        domain: &str,
    ) -> Result<Option<Self>, ViewError> {
        let services = view
            .objects(&ObjectQuery::all("", "services", None))
            .await?;
        let service = services
            .iter()
            .find(|service| object::text(&service.object, "/spec/clusterIP") == address);
        let Some(service) = service else {
            return Ok(None);
        };
        let Some(selector) = object::field(&service.object, "/spec/selector") else {
            return Ok(None);
        };
        let selector = LabelSelector::of(selector);
        let namespace = service.namespace.as_str();
        let mut pods = view
            .objects(&ObjectQuery::all("", "pods", Some(namespace)))
            .await?;
        pods.retain(|pod| {
            printers::condition_is_true(&pod.object, "Ready")
                && selector.matches(&object::map(&pod.object, "/metadata/labels"))
        });
        for pod in &pods {
            let corefile = corefile(view, pod).await?;
            if !corefile.is_some_and(|text| answers_by_services(&text, domain)) {
                return Ok(None);
            }
        }
        Ok((!pods.is_empty()).then(|| Self {
            view,
            domain: domain.to_owned(),
        }))
    }

    /// What is known of an absolute name, written without the dot at its end.
    pub(crate) async fn resolve(&self, name: &str) -> Result<Resolved, ViewError> {
        let inside = name
            .strip_suffix(self.domain.as_str())
            .and_then(|rest| rest.strip_suffix('.'));
        let Some(inside) = inside else {
            return Ok(outside(name));
        };
        let labels: Vec<&str> = inside.split('.').collect();
        if labels.iter().any(|label| label.starts_with('_')) {
            return Ok(Resolved::Unknown);
        }
        match labels.as_slice() {
            [service, namespace, "svc"] => self.service(namespace, service).await,
            [host, service, namespace, "svc"] => self.host(namespace, service, host).await,
            // A name that is there without an address is told in yet another way.
            ["svc"] | [.., "pod" | "dns" | "dns-version"] => Ok(Resolved::Unknown),
            [namespace, "svc"] if self.has_namespace(namespace).await? => Ok(Resolved::Unknown),
            _ => Ok(Resolved::Missing),
        }
    }

    async fn service(&self, namespace: &str, name: &str) -> Result<Resolved, ViewError> {
        let Some(found) = self.find(namespace, name).await? else {
            return self.missing(namespace).await;
        };
        let spec = |field: &str| object::text(&found.object, field);
        if spec("/spec/type") == "ExternalName"
            || object::list(&found.object, "/spec/clusterIPs").len() > 1
        {
            return Ok(Resolved::Unknown);
        }
        Ok(match spec("/spec/clusterIP") {
            "" => Resolved::Unknown,
            "None" => self.one_of(&found, None).await?,
            address if self.is_settled(&found) => Resolved::Address(address.to_owned()),
            _ => Resolved::Unknown,
        })
    }

    /// A pod behind a headless Service, by its host name.
    async fn host(
        &self,
        namespace: &str,
        service: &str,
        host: &str,
    ) -> Result<Resolved, ViewError> {
        let Some(found) = self.find(namespace, service).await? else {
            return self.missing(namespace).await;
        };
        self.one_of(&found, Some(host)).await
    }

    /// The address of the endpoints of a Service if there is one only, of those of a host name.
    async fn one_of(
        &self,
        service: &RecordedObject,
        host: Option<&str>,
    ) -> Result<Resolved, ViewError> {
        let namespace = Some(service.namespace.as_str());
        let (group, resource) = ("discovery.k8s.io", "endpointslices");
        if !self.view.covers_objects(group, resource, namespace).await? {
            return Ok(Resolved::Unknown);
        }
        let mut slices = self
            .view
            .objects(&ObjectQuery::all(group, resource, namespace))
            .await?;
        slices.retain(|slice| {
            object::map(&slice.object, "/metadata/labels").get("kubernetes.io/service-name")
                == Some(&service.name.as_str())
        });
        let settled = self.is_settled(service) && slices.iter().all(|one| self.is_settled(one));
        let all = object::flag(&service.object, "/spec/publishNotReadyAddresses");
        let endpoints = slices
            .iter()
            .flat_map(|slice| object::list(&slice.object, "/endpoints"));
        let mut addresses: Vec<&str> = endpoints
            .filter(|one| {
                all || object::field(one, "/conditions/ready").is_none_or(|ready| ready == true)
            })
            .filter(|one| host.is_none_or(|host| object::text(one, "/hostname") == host))
            .map(|one| object::text(one, "/addresses/0"))
            .collect();
        addresses.sort_unstable();
        addresses.dedup();
        // An endpoint without a host name has one that is made of its address.
        let made = host.is_some_and(|host| host.starts_with(|c: char| c.is_ascii_digit()));
        Ok(match addresses.as_slice() {
            _ if !settled => Resolved::Unknown,
            [] if made => Resolved::Unknown,
            [] => Resolved::Missing,
            [address] => Resolved::Address((*address).to_owned()),
            _ => Resolved::Unknown,
        })
    }

    async fn find(&self, namespace: &str, name: &str) -> Result<Option<RecordedObject>, ViewError> {
        let query = ObjectQuery {
            name: Some(name.to_owned()),
            ..ObjectQuery::all("", "services", Some(namespace))
        };
        Ok(self.view.objects(&query).await?.into_iter().next())
    }

    async fn has_namespace(&self, name: &str) -> Result<bool, ViewError> {
        let query = ObjectQuery {
            name: Some(name.to_owned()),
            ..ObjectQuery::all("", "namespaces", None)
        };
        Ok(!self.view.covers_objects("", "namespaces", None).await?
            || !self.view.objects(&query).await?.is_empty())
    }

    /// A Service that was not recorded is missing if it would have been.
    async fn missing(&self, namespace: &str) -> Result<Resolved, ViewError> {
        let covers = self.view.covers_objects("", "services", Some(namespace));
        Ok(if covers.await? {
            Resolved::Missing
        } else {
            Resolved::Unknown
        })
    }

    /// Whether no cache can hold what was before.
    fn is_settled(&self, object: &RecordedObject) -> bool {
        self.view.now().saturating_sub(object.valid_from) > CACHED_NS
    }
}

/// A name that the cluster leaves to others. None of them is asked here; but no name of the public
/// tree is one word (ICANN's resolution of 2013-08-13; some two-letter ones had addresses), or
/// ends in a word with a hyphen or a digit.
fn outside(name: &str) -> Resolved {
    let last = name.rsplit('.').next().unwrap_or(name);
    let public = last.bytes().all(|c| c.is_ascii_lowercase()) && !NOT_DELEGATED.contains(&last);
    let one_word = !name.contains('.') && name.len() > 2;
    if one_word || !(public || last.starts_with("xn--")) {
        Resolved::Missing
    } else {
        Resolved::Unknown
    }
}

/// The configuration that a pod of CoreDNS has mounted, if it has not changed lately.
async fn corefile(view: &dyn View, pod: &RecordedObject) -> Result<Option<String>, ViewError> {
    for volume in object::list(&pod.object, "/spec/volumes") {
        let name = object::text(volume, "/configMap/name");
        let query = ObjectQuery {
            name: Some(name.to_owned()),
            ..ObjectQuery::all("", "configmaps", Some(&pod.namespace))
        };
        let Some(map) = view.objects(&query).await?.into_iter().next() else {
            continue;
        };
        let Some(text) = object::field(&map.object, "/data/Corefile").and_then(Value::as_str)
        else {
            continue;
        };
        let settled =
            mount::is_as_at_start(&map, &pod.object) || mount::has_arrived(&map, view.now());
        return Ok(settled.then(|| text.to_owned()));
    }
    Ok(None)
}

/// Whether the server block for a domain has nothing that gives its names another meaning.
fn answers_by_services(corefile: &str, domain: &str) -> bool {
    let mut depth = 0_usize;
    let mut zones: Vec<String> = Vec::new();
    let mut plugin = String::new();
    let mut best: Option<(usize, bool)> = None; // the length of the zone that fits, and whether it does
    let mut harmless = true;
    let mut has_kubernetes = false;
    for line in corefile.lines() {
        let line = line.split('#').next().unwrap_or_default();
        let words: Vec<&str> = line.split_whitespace().collect();
        for (index, word) in words.iter().enumerate() {
            match (*word, depth) {
                ("{", _) => {
                    depth += 1;
                    if depth == 1 {
                        (harmless, has_kubernetes) = (true, false);
                    }
                }
                ("}", _) => {
                    depth = depth.saturating_sub(1);
                    if depth == 0 {
                        let fits = zones.iter().filter_map(|zone| fit(zone, domain)).max();
                        if let Some(length) = fits
                            && best.is_none_or(|(best, _)| length > best)
                        {
                            best = Some((length, harmless && has_kubernetes));
                        }
                        zones.clear();
                    }
                }
                (zone, 0) => zones.push(zone.trim_end_matches(',').to_owned()),
                (name, 1) if index == 0 => {
                    plugin = name.to_owned();
                    harmless &= HARMLESS.contains(&name);
                    has_kubernetes |= name == "kubernetes" && words.contains(&domain);
                }
                (option, 2) if index == 0 && plugin == "kubernetes" => {
                    harmless &= HARMLESS_OPTIONS.contains(&option);
                }
                _ => {}
            }
        }
    }
    best.is_some_and(|(_, plain)| plain)
}

/// How much of a domain a server block's zone covers; none if it is another's.
fn fit(zone: &str, domain: &str) -> Option<usize> {
    let zone = zone.strip_prefix("dns://").unwrap_or(zone);
    let zone = zone.split(':').next().unwrap_or(zone);
    let zone = zone.trim_end_matches('.');
    let covers = zone.is_empty()
        || domain
            .strip_suffix(zone)
            .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'));
    covers.then_some(zone.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    const USUAL: &str = ".:53 {
        errors
        health {
           lameduck 5s
        }
        ready
        kubernetes cluster.local in-addr.arpa ip6.arpa {
           pods insecure
           fallthrough in-addr.arpa ip6.arpa
           ttl 30
        }
        prometheus :9153
        forward . /etc/resolv.conf {
           max_concurrent 1000
        }
        cache 30
        loop
        reload
        loadbalance
    }";

    #[test]
    fn a_configuration_that_gives_names_another_meaning_is_not_trusted() {
        assert!(answers_by_services(USUAL, "cluster.local"));
        let lab = "cluster.local in-addr.arpa {\n kubernetes cluster.local in-addr.arpa {\n ttl 30\n }\n}\n\
            . {\n template ANY ANY {\n rcode NXDOMAIN\n }\n}";
        assert!(answers_by_services(lab, "cluster.local"));
        for (from, to) in [
            (
                "ready",
                "rewrite name geo.shop.svc.cluster.local geo2.shop.svc.cluster.local",
            ),
            ("pods insecure", "namespaces kube-system"),
            ("cluster.local in-addr", "cluster.test in-addr"),
            (".:53 {", "cluster.local {\n forward . 10.0.0.1\n }\n.:53 {"),
            (".:53 {", "other.zone {"),
        ] {
            let text = USUAL.replacen(from, to, 1);
            assert!(!answers_by_services(&text, "cluster.local"), "{text}");
        }
    }

    #[test]
    fn only_names_that_nobody_can_own_are_missing_outside() {
        for name in [
            "nosuch",
            "geo.hotel-testbed",
            "geo.shop2",
            "geo.default.svc",
        ] {
            assert_eq!(outside(name), Resolved::Missing, "{name}");
        }
        for name in ["ai", "example.com", "geo.shop", "a.xn--p1ai"] {
            assert_eq!(outside(name), Resolved::Unknown, "{name}");
        }
    }
}
