//! Families of problems: application, fault, verification, truth and oracle, for all variants.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::condition::Condition;
use crate::fault::Step;
use crate::task::Task;

/// One kind of fault on one application, as its catalog file says it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Family {
    /// Start of the problem ids.
    pub family: String,
    /// One line: what is broken.
    pub summary: String,
    /// Name of the application.
    pub application: String,
    /// Name of one of the application's workloads.
    pub workload: String,
    /// What is asked. A family without a fault asks for detection only.
    pub tasks: Vec<Task>,
    /// Where it has been run.
    pub exercised: Exercised,
    /// The variants, each with its variables.
    pub variants: Vec<Variant>,
    /// The fault; empty: none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub inject: Vec<Step>,
    /// Must hold before the fault window counts, and again at its end.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub manifested: Vec<Condition>,
    /// Must hold for a mitigation to succeed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub mitigated: Vec<Condition>,
    /// Repairs that look right and must fail `mitigated`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub wrong_repairs: Vec<WrongRepair>,
    /// What is true of the incident.
    pub truth: Truth,
}

/// How far a family has been tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Exercised {
    /// Captured on the lab's cluster.
    Lab,
    /// Rendered and validated, not run.
    DryRun,
    /// Never.
    Never,
}

/// One variant of a family.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Variant {
    /// Its number, the end of the problem ids.
    pub n: u32,
    /// Its variables.
    #[serde(flatten)]
    pub variables: BTreeMap<String, String>,
}

/// A repair that looks right and isn't.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WrongRepair {
    /// What it does.
    pub summary: String,
    /// How.
    pub steps: Vec<Step>,
}

/// What is true of an incident.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Truth {
    /// Whether there is a fault.
    #[serde(default = "yes")]
    pub anomaly: bool,
    /// Sets of components, any of which is a right answer: `[["postgres-geo"], ["geo"]]`.
    #[serde(default)]
    pub faulty_components: Vec<Vec<String>>,
    /// `Hardware`, `Operating System`, `Virtualization` or `Application`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub system_level: Option<String>,
    /// `Misconfiguration`, `Code Defect`, `Authentication Issue`, `Network/Storage Issue`, `Operation Error` or `Dependency Problem`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fault_type: Option<String>,
}

fn yes() -> bool {
    true
}

/// An application, as its file says it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Application {
    /// Its name.
    pub name: String,
    /// Shown to agents.
    pub title: String,
    /// Shown to agents.
    pub description: String,
    /// What users do with it; shown to agents.
    pub operations: Vec<String>,
    /// Its namespace.
    pub namespace: String,
    /// The label whose value names a pod's service.
    pub service_label: String,
    /// Name and port of the Service that users reach.
    pub frontend: Endpoint,
    /// Where its Prometheus is.
    pub prometheus: Endpoint,
    /// Where its Jaeger's query API is.
    pub jaeger: Endpoint,
    /// Path of its manifests below the project's root, for those that ship with us.
    pub manifests: String,
    /// Its workloads by name; the arguments of the generator's Job.
    pub workloads: BTreeMap<String, Workload>,
    /// Must hold for the application to be healthy.
    pub healthy: Vec<Condition>,
}

/// A Service in the cluster.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Endpoint {
    /// Namespace; none: the application's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// Name of the Service.
    pub service: String,
    /// Port of the Service.
    pub port: u16,
}

/// A workload.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Workload {
    /// Requests per second.
    pub rate: f64,
    /// Distribution of the time between requests: `exponential` or `constant`.
    pub arrival: String,
    /// Share of each kind of request.
    pub mix: BTreeMap<String, f64>,
    /// Anything else that the generator takes.
    #[serde(default)]
    pub extra: BTreeMap<String, Value>,
}
