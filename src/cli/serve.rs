//! `serve`: which snapshots, over which protocols, and on which terms.

use camino::Utf8PathBuf;
use clap::{ArgGroup, Args};

use super::Actions;
use super::sql::bytes;
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

  aiopslab serve my-captures/ --pgwire 127.0.0.1:5433
  psql postgresql://127.0.0.1:5433/ -c 'select snapshot, count(*) from changes group by snapshot'

Ages that kubectl computes itself (describe, events) are told by its own clock: docs/serve.md.
Agents over HTTP: docs/step-api.md; over MCP: docs/mcp.md. Tables, views and functions: docs/sql.md.")]
#[command(group = ArgGroup::new("at_a_moment").args(["kubernetes", "pgwire"]).multiple(true))]
pub struct Serve {
    /// Snapshots, or folders of snapshots [default: --snapshots, then the shipped samples]
    #[arg(value_name = "PATH")]
    pub paths: Vec<Utf8PathBuf>,
    /// As a cluster.
    #[command(flatten)]
    pub cluster: ServeKubernetes,
    /// As a database.
    #[command(flatten)]
    pub database: ServeDatabase,
    /// To agents.
    #[command(flatten)]
    pub agents: ServeAgents,
    /// Where the clock of --kubernetes and --pgwire stands: end, before-fault, or a moment (RFC 3339)
    #[arg(long, default_value = "end", requires = "at_a_moment")]
    pub clock: String,
    /// The key that clients need, in a file [default: the environment variable AIOPSLAB_API_KEY]
    #[arg(long, value_name = "FILE")]
    pub api_key_file: Option<Utf8PathBuf>,
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
}

/// SQL, for people.
#[derive(Debug, Args)]
#[command(next_help_heading = "As a database, for people")]
pub struct ServeDatabase {
    /// SQL over the snapshots by the protocol of PostgreSQL at this address (port 0: any free one): psql, drivers, Grafana
    #[arg(long, value_name = "ADDRESS")]
    pub pgwire: Option<String>,
    /// What all its queries together may hold in memory; what needs more is spilled to the temporary folder
    #[arg(long, value_name = "SIZE", default_value = "1GiB", value_parser = bytes, requires = "pgwire")]
    pub memory: usize,
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
