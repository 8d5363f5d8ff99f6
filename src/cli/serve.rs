//! `serve`: which snapshots, over which protocols, and on which terms.

use camino::Utf8PathBuf;
use clap::Args;

use super::Actions;
use crate::serve::mcp::Profile;

/// `serve`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  aiopslab serve scale_pod_zero_testbed-1 --kubernetes 127.0.0.1:0 --write-kubeconfig incident.yaml &
  kubectl --kubeconfig incident.yaml get pods -A

  aiopslab serve my-captures/ --http 127.0.0.1:1818
  curl http://127.0.0.1:1818/problems

  aiopslab serve --mcp stdio --problem scale_pod_zero_testbed-detection-1

Ages that kubectl computes itself (describe, events) are told by its own clock: docs/serve.md.
Agents over HTTP: docs/step-api.md; over MCP: docs/mcp.md.")]
pub struct Serve {
    /// Snapshots, or folders of snapshots [default: --snapshots, then the shipped samples]
    #[arg(value_name = "PATH")]
    pub paths: Vec<Utf8PathBuf>,
    /// As a cluster.
    #[command(flatten)]
    pub cluster: ServeKubernetes,
    /// To agents.
    #[command(flatten)]
    pub agents: ServeAgents,
    /// End when standard input does, as on SIGTERM: with the process that started this one
    #[arg(long, conflicts_with = "mcp")]
    pub until_eof: bool,
}

/// A recorded cluster's API server.
#[derive(Debug, Args)]
#[command(next_help_heading = "As a cluster, for unmodified clients")]
pub struct ServeKubernetes {
    /// Be the Kubernetes API server of the recorded cluster at this address (port 0: any free one); needs exactly one PATH
    #[arg(long, value_name = "ADDRESS")]
    pub kubernetes: Option<String>,
    /// With TLS, by a certificate authority of this run
    #[arg(long, requires = "kubernetes")]
    pub tls: bool,
    /// Write a kubeconfig for clients
    #[arg(long, value_name = "FILE", requires = "kubernetes")]
    pub write_kubeconfig: Option<Utf8PathBuf>,
    /// Append attempted writes to this file, a JSON object a line [default: standard error]
    #[arg(long, value_name = "FILE", requires = "kubernetes")]
    pub record_writes: Option<Utf8PathBuf>,
    /// Where the clock stands: end, before-fault, or a moment (RFC 3339)
    #[arg(long, default_value = "end", requires = "kubernetes")]
    pub clock: String,
}

/// Problems, for agents that attach from outside.
#[derive(Debug, Args)]
#[command(next_help_heading = "To agents")]
pub struct ServeAgents {
    /// AIOpsLab's HTTP service and the step API at this address (port 0: any free one)
    #[arg(long, value_name = "ADDRESS")]
    pub http: Option<String>,
    /// One problem over the Model Context Protocol: on standard input and output, or at this address
    #[arg(long, value_name = "stdio|ADDRESS", requires = "problem")]
    pub mcp: Option<String>,
    /// The problem that --mcp serves
    #[arg(long, value_name = "ID", requires = "mcp")]
    pub problem: Option<String>,
    /// Whose names the tools of --mcp have
    #[arg(long, value_enum, default_value_t, requires = "mcp")]
    pub profile: Profile,
    /// Which actions --mcp has: AIOpsLab's seven, or those and query_sql
    #[arg(long, value_enum, default_value = "upstream", requires = "mcp")]
    pub actions: Actions,
    /// An agent that /simulate may run besides the baselines, e.g. exec:COMMAND; can be repeated
    #[arg(long = "agent", value_name = "AGENT", requires = "http")]
    pub agents: Vec<String>,
    /// The key that requests need, in a file [default: the environment variable AIOPSLAB_API_KEY]
    #[arg(long, value_name = "FILE")]
    pub api_key_file: Option<Utf8PathBuf>,
    /// How long an episode waits for its client
    #[arg(long, value_name = "TIME", default_value = "10m")]
    pub lease: String,
    /// Episodes that may be open at a time
    #[arg(long, value_name = "N", default_value_t = 1024)]
    pub max_episodes: usize,
    /// Where the episodes go [default: the next free results/NNN]
    #[arg(long, value_name = "DIR")]
    pub out: Option<Utf8PathBuf>,
}
