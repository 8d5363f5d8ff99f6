//! What `eval` can be asked of a running cluster.

use clap::{Args, ValueEnum};

use super::{Cluster, Sources};

/// Running clusters.
#[derive(Debug, Args)]
#[command(next_help_heading = "On a cluster")]
pub struct Live {
    /// Ask problems on a running cluster instead of snapshots: PATH is a problem, or FAMILY-N for all of its tasks
    #[arg(
        long,
        conflicts_with_all = ["on_write", "clock", "actions", "upstream_visibility", "problems", "jobs"]
    )]
    pub live: bool,
    /// What happens when an agent writes: deny, or go on with a running cluster on which the same fault is brought up
    #[arg(long, value_enum, value_name = "HOW", default_value = "deny")]
    pub on_write: OnWrite,
    /// With --on-write live: bring the fault up while the agent still reads the snapshot
    #[arg(long)]
    pub prewarm: bool,
    /// Deploy the application anew for each problem, instead of recovering it
    #[arg(long)]
    pub fresh: bool,
    /// What the agent may do: read; inspect (Secrets and kubectl exec in the application's namespace besides);
    /// namespace (anything inside it); cluster (anything); or auto (namespace to repair or with --on-write live,
    /// else inspect)
    #[arg(long, default_value = "auto")]
    pub rights: String,
    /// Image of the pod that exec_shell runs in
    #[arg(long, value_name = "IMAGE", default_value = aiopslab_capture::live::TOOLBOX_IMAGE)]
    pub toolbox: String,
    /// How long a repair may take to show
    #[arg(long, value_name = "TIME", default_value = "90s")]
    pub settle: String,
    /// How long the application is watched before the fault
    #[arg(long, value_name = "TIME", default_value = "20s")]
    pub baseline: String,
    /// Leave the application running afterwards
    #[arg(long)]
    pub keep: bool,
    /// Which cluster.
    #[command(flatten)]
    pub cluster: Cluster,
    /// Where manifests come from.
    #[command(flatten)]
    pub sources: Sources,
}

/// What happens when an agent writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum OnWrite {
    /// It is told that it may not
    Deny,
    /// It goes on with a running cluster
    Live,
}
