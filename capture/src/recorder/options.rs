//! What is recorded, and how often.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use crate::visibility::HiddenObjects;

/// A recorder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// Objects of the API server.
    Objects,
    /// Logs of containers.
    Logs,
    /// Series of Prometheus.
    Metrics,
    /// Spans of Jaeger.
    Traces,
    /// Samples of `metrics.k8s.io`.
    Usage,
    /// Commands in pods.
    Exec,
}

impl Kind {
    /// Every recorder.
    pub const ALL: [Self; 6] = [
        Self::Objects,
        Self::Logs,
        Self::Metrics,
        Self::Traces,
        Self::Usage,
        Self::Exec,
    ];

    /// The recorder's name on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Objects => "objects",
            Self::Logs => "logs",
            Self::Metrics => "metrics",
            Self::Traces => "traces",
            Self::Usage => "usage",
            Self::Exec => "exec",
        }
    }

    /// Where its rows come from, as coverage names it.
    pub(super) fn source(self) -> &'static str {
        match self {
            Self::Metrics => "prometheus",
            Self::Traces => "jaeger",
            _ => "kubernetes",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

/// A name that is no recorder.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown recorder {0:?}\nhint: objects, logs, metrics, traces, usage, exec or probes")]
pub struct UnknownKind(pub String);

impl FromStr for Kind {
    type Err = UnknownKind;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let found = Self::ALL.into_iter().find(|kind| kind.name() == text);
        found.ok_or_else(|| UnknownKind(text.to_owned()))
    }
}

/// A command that is run in every running pod of the application at the end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExecCommand {
    /// The command and its arguments; [`Self::SERVICE`] stands for the name of a Service.
    pub argv: Vec<String>,
    /// Whether its answer is true as long as the container lives, not only then.
    pub holds_for_instance: bool,
}

impl ExecCommand {
    /// Stands for the name of one of the application's Services.
    pub const SERVICE: &str = "{service}";

    /// Its words, with the Service's name; none if it needs a Service and there is none.
    pub(super) fn for_service(&self, service: Option<&str>) -> Option<Vec<String>> {
        let word = |word: &String| match word.as_str() {
            Self::SERVICE => service.map(str::to_owned),
            _ => Some(word.clone()),
        };
        self.argv.iter().map(word).collect()
    }

    /// What is run unless told otherwise: the surroundings of a program, and how the container's
    /// own tools tell of names that are there, and of one that is not, in each form of a name. A
    /// replay tells of other names in the same way.
    fn usual() -> Vec<Self> {
        let lasting = |line: &str| Self {
            argv: line.split(' ').map(str::to_owned).collect(),
            holds_for_instance: true,
        };
        let mut all: Vec<Self> = ["env", "cat /etc/resolv.conf", "cat /etc/hosts"]
            .map(lasting)
            .into();
        for tool in ["getent hosts", "nslookup"] {
            for name in ["kubernetes.default", "no-such-service.default"] {
                for domain in ["", ".svc", ".svc.cluster.local"] {
                    all.push(lasting(&format!("{tool} {name}{domain}")));
                }
            }
            all.push(lasting(&format!("{tool} no-such-service")));
            all.push(Self {
                holds_for_instance: false, // a Service of the application comes and goes
                ..lasting(&format!("{tool} {}", Self::SERVICE))
            });
        }
        all
    }
}

/// What the recorders do.
#[derive(Debug, Clone)]
pub struct RecorderOptions {
    /// Recorders that are left out; coverage tells.
    pub without: BTreeSet<Kind>,
    /// Why a recorder is left out, where there is more to say than that.
    pub absent: BTreeMap<Kind, String>,
    /// Namespaces that are recorded like the application's.
    pub more_namespaces: Vec<String>,
    /// Whether nothing of any other namespace is recorded.
    pub confined: bool,
    /// How far before the start logs, samples and spans are read back; none: logs from their first
    /// line, samples and spans from the start.
    pub since: Option<Duration>,
    /// Which series are recorded (PromQL series selectors); empty: those of the application's
    /// namespace and of the nodes.
    pub metrics_selectors: Vec<String>,
    /// Namespaces whose logs are recorded besides the application's.
    pub more_log_namespaces: Vec<String>,
    /// How often `metrics.k8s.io` is asked.
    pub usage_interval: Duration,
    /// How often Jaeger is asked.
    pub traces_interval: Duration,
    /// Commands for the application's pods.
    pub exec: Vec<ExecCommand>,
    /// Objects that agents must not see, besides our own.
    pub hidden: Vec<HiddenObjects>,
    /// Further secrets: regular expressions.
    pub redact: Vec<String>,
    /// What redacted values are derived with.
    pub redaction_key: [u8; 32],
}

/// The selector of all series of a namespace.
pub(super) fn namespace_selector(namespace: &str) -> String {
    format!("{{namespace=\"{namespace}\"}}")
}

impl Default for RecorderOptions {
    fn default() -> Self {
        Self {
            without: BTreeSet::new(),
            absent: BTreeMap::new(),
            more_namespaces: Vec::new(),
            confined: false,
            since: None,
            metrics_selectors: Vec::new(),
            more_log_namespaces: vec!["default".to_owned(), "kube-system".to_owned()],
            usage_interval: Duration::from_secs(15),
            traces_interval: Duration::from_secs(15),
            exec: ExecCommand::usual(),
            hidden: Vec::new(),
            redact: Vec::new(),
            redaction_key: rand::random(),
        }
    }
}

impl RecorderOptions {
    /// The selectors that are in force.
    pub(super) fn selectors(&self, namespaces: &[String]) -> Vec<String> {
        if !self.metrics_selectors.is_empty() {
            return self.metrics_selectors.clone();
        }
        let mut all: Vec<String> = namespaces.iter().map(|it| namespace_selector(it)).collect();
        all.push("{id=\"/\"}".to_owned());
        all.push("{__name__=~\"machine_.+\"}".to_owned());
        if !self.confined {
            all.push("{__name__=~\"up|scrape_.+\"}".to_owned());
        }
        all
    }

    /// The namespaces that are recorded with everything in them, the application's first.
    pub(crate) fn namespaces(&self, namespace: &str) -> Vec<String> {
        let mut all = vec![namespace.to_owned()];
        for more in &self.more_namespaces {
            if !all.contains(more) {
                all.push(more.clone());
            }
        }
        all
    }

    /// The namespaces whose logs are recorded, without repetition.
    pub(super) fn log_namespaces(&self, namespace: &str) -> Vec<String> {
        let mut all = self.namespaces(namespace);
        if self.confined {
            return all;
        }
        for more in &self.more_log_namespaces {
            if !all.contains(more) {
                all.push(more.clone());
            }
        }
        all
    }
}
