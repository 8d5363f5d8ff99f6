//! What `capture --attach` can be told.

use aiopslab_capture::ServiceAccount;
use aiopslab_problems::family::Endpoint;
use clap::Args;

/// A system that is not ours.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "A system that is not ours (docs/attach.md)")]
pub struct Attach {
    /// Record a running system: nothing is deployed, loaded, broken or written
    #[arg(
        long,
        conflicts_with_all = [
            "family", "all", "age", "baseline", "window", "seed", "rate", "kubectl", "app_dir",
            "helm", "keep", "wrong_repairs"
        ]
    )]
    pub attach: bool,
    /// Print the smallest rights that --attach needs, as YAML for kubectl apply
    #[arg(long, conflicts_with_all = ["attach", "family", "all"])]
    pub print_rbac: bool,
    /// A namespace that is recorded (repeatable); the first is the application's
    #[arg(short, long = "namespace", value_name = "NAMESPACE")]
    pub namespaces: Vec<String>,
    /// How far logs, samples and spans are read back
    #[arg(long, value_name = "TIME", default_value = "30m", requires = "attach")]
    pub since: String,
    /// How long is recorded from now on [default: only what is there]
    #[arg(
        long,
        value_name = "TIME",
        default_value = "0s",
        hide_default_value = true,
        requires = "attach"
    )]
    pub duration: String,
    /// Where Prometheus is: NAMESPACE/SERVICE:PORT or a URL [default: the first usual Service that answers]
    #[arg(long, value_name = "PLACE")]
    pub prometheus: Option<Endpoint>,
    /// Where Jaeger's query API is, likewise
    #[arg(long, value_name = "PLACE")]
    pub jaeger: Option<Endpoint>,
    /// What the application is called [default: as the catalog calls that of the first namespace, else as the namespace]
    #[arg(long, value_name = "NAME")]
    pub application: Option<String>,
    /// The pod label that names the service [default: the usual one that tells most services apart]
    #[arg(long, value_name = "LABEL")]
    pub service_label: Option<String>,
    /// With --print-rbac: who gets the rights [default: snapshot-reader in the first namespace]
    #[arg(long, value_name = "NAMESPACE/NAME", requires = "print_rbac")]
    pub service_account: Option<ServiceAccount>,
}
