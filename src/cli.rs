//! The command line: what can be asked, nothing of how it is done.

mod attach;
mod config;
mod import;
mod limits;
mod live;
mod llm;
mod release;
mod report;
mod results;
mod serve;
mod sql;
mod truth;

use camino::{Utf8Path, Utf8PathBuf};
use clap::{Args, Parser, Subcommand, ValueEnum};

use aiopslab_problems::task::Task;

pub use self::attach::Attach;
pub use self::config::Config;
pub use self::import::{Import, MUST_GATHER, SUPPORT_BUNDLE};
pub use self::limits::LimitFlags;
pub use self::live::{Live, OnWrite};
pub use self::llm::Llm;
pub use self::release::{BuildRelease, DiffReleases, Pull, Push, Release};
pub use self::report::Report;
pub use self::results::{Export, Foreign, Rerun, Score};
pub use self::serve::{Serve, ServeAgents, ServeDatabase, ServeKubernetes};
pub use self::sql::{Query, Sql};
pub use self::truth::{AddTruth, Truth};

/// An offline-first benchmark and laboratory for AIOps agents.
#[derive(Debug, Parser)]
#[command(
    name = "aiopslab",
    version,
    about,
    after_help = "\
Examples:
  aiopslab eval --agent baseline:doctor          score the rule-based baseline on the shipped samples
  aiopslab problems list                         what can be asked
  aiopslab shell k8s_target_port_misconfig_testbed-1 -c 'kubectl get pods -A'
  aiopslab sql -s SNAPSHOT 'select service, count(*) from spans group by service'
  aiopslab capture scale_pod_zero_testbed-1 --out captures"
)]
pub struct Cli {
    /// Options of every command.
    #[command(flatten)]
    pub global: Global,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// Options of every command.
#[derive(Debug, Clone, Default, Args)]
pub struct Global {
    /// Configuration file [default: aiopslab.toml, where there is one]
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<Utf8PathBuf>,
    /// Folder of snapshots in which names and problem ids are looked up before the shipped samples
    #[arg(long, global = true, value_name = "DIR")]
    pub snapshots: Option<Utf8PathBuf>,
    /// Folder of further catalog files (*.toml)
    #[arg(long, global = true, value_name = "DIR")]
    pub catalog: Option<Utf8PathBuf>,
    /// Public key of who signs releases (minisign), or its file: others are not opened from elsewhere
    #[arg(long, global = true, value_name = "KEY")]
    pub release_key: Option<String>,
    /// Say more on standard error
    #[arg(short, long, global = true)]
    pub verbose: bool,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Evaluate an agent on snapshots, offline; or on a running cluster
    Eval(Box<Eval>),
    /// Score kept episodes again, without snapshot or cluster
    Score(Score),
    /// Replay what agents did in kept episodes, and list the answers that changed
    Rerun(Rerun),
    /// Write kept episodes as session files of AIOpsLab
    Export(Export),
    /// Compare agents on the same problems
    Compare(Compare),
    /// Tables, or a page with every episode, of what came of evaluations
    Report(Report),
    /// List and show problems
    #[command(subcommand)]
    Problems(Problems),
    /// Look into, verify and salvage snapshots
    #[command(subcommand)]
    Snapshot(Snapshot),
    /// Freeze snapshots into releases, check, publish and fetch them
    #[command(subcommand)]
    Release(Release),
    /// Query snapshots in SQL (reading only; now() is the snapshot's clock); a prompt without a statement
    Sql(Sql),
    /// List, explain and run named queries
    Query(Query),
    /// See what an agent's shell sees
    Shell(Shell),
    /// Make snapshots of what another tool or data set holds
    Import(Import),
    /// Serve snapshots: as a cluster to unmodified clients, their problems to agents over HTTP
    Serve(Box<Serve>),
    /// Record an incident on a live cluster into a snapshot
    Capture(Box<Capture>),
    /// Undo faults that a killed capture left on a cluster
    Recover(Cluster),
    /// Say what is true of a snapshot, so that it can be evaluated on
    #[command(subcommand)]
    Truth(Truth),
    /// Check that a cluster is ready for capture: one line per need, with the fix
    Check(Check),
    /// Show the settings and where each value came from
    Config(Config),
}

/// `compare`.
#[derive(Debug, Args)]
#[command(after_help = "\
Each problem that both were asked is a pair. lift: how much more often A solved them, in points, with the
95 % interval of a bootstrap over problems; p: McNemar's exact test on the problems that only one of them
solved (more often), and Holm's correction of it for the number of rows. The baselines that ran with A are
always beside it.

Examples:
  aiopslab compare results/001                   the agent beside the baselines that ran with it
  aiopslab compare results/002 results/001       two agents, or two versions of one, and the baselines")]
pub struct Compare {
    /// The folder of an evaluation
    #[arg(value_name = "A")]
    pub a: Utf8PathBuf,
    /// The folder of another one [default: only the baselines of the first]
    #[arg(value_name = "B")]
    pub b: Option<Utf8PathBuf>,
    /// Print the figures as JSON
    #[arg(long)]
    pub json: bool,
}

/// `eval`.
#[derive(Debug, Args)]
#[command(after_help = "\
Agents:
  baseline:doctor     rules over pods, endpoints, events, logs and error spans
  baseline:constant   always answers the same
  baseline:random     answers at random (seeded by the problem's id)
  baseline:metrics, baseline:traces, baseline:logs
                      one statistical algorithm on one kind of data (docs/agents.md)
  scripted:FILE       the file's responses one after the other, separated by lines of ---
  exec:COMMAND        a child process: one JSON line in, one JSON line out (docs/agents.md)
  http:URL            a server that is sent the same messages
  llm:MODEL           a language model over an OpenAI-compatible endpoint (docs/llm-agents.md)
  llm:scripted        a fixed script in place of a model: needs no network
  human               you, at the terminal (with --jobs 1)

Examples:
  aiopslab eval --agent baseline:doctor
  aiopslab eval --agent llm:gpt-4.1-mini --strategy react --repeat 3 --llm-record answers.jsonl
  aiopslab eval --agent llm:scripted --agent 'exec:python3 agent.py' --repeat 3 --html report.html
  aiopslab eval my-captures/ --agent 'exec:python3 agent.py' --task localization --jobs 2 --out results/mine
  aiopslab eval --agent 'exec:python3 agent.py' --max-cost 0.50 --repeat 3 --out results/mine --resume
  aiopslab eval imported/ --algorithm all
  aiopslab eval --live k8s_target_port_misconfig_testbed-mitigation-1 --agent 'exec:python3 agent.py'
  aiopslab eval k8s_target_port_misconfig_testbed-1 --on-write live --task mitigation --agent 'exec:python3 agent.py'

On a cluster: docs/live.md")]
pub struct Eval {
    /// Snapshots, folders of snapshots, or releases, by path or URL [default: the shipped samples]; problems with --live
    #[arg(value_name = "PATH")]
    pub paths: Vec<Utf8PathBuf>,
    /// Who is evaluated; several, each beside the baselines, by giving it again
    #[arg(
        long = "agent",
        value_name = "AGENT",
        default_value = "baseline:doctor"
    )]
    pub agents: Vec<String>,
    /// Instead of an agent: rank components by this algorithm (metrics, traces, logs, all) in the snapshots' own windows
    #[arg(
        long = "algorithm",
        value_name = "NAME",
        conflicts_with_all = ["agents", "task", "problems", "clock", "repeat", "upstream", "actions", "out", "html", "live"]
    )]
    pub algorithms: Vec<String>,
    /// Only this task
    #[arg(long)]
    pub task: Option<Task>,
    /// Only these problems
    #[arg(long = "problem", value_name = "ID")]
    pub problems: Vec<String>,
    /// The snapshot's clock: end, before-fault, a moment (RFC 3339), or one that moves: play, play:MOMENT [default: each problem's own]
    #[arg(long)]
    pub clock: Option<String>,
    /// Episodes that run at the same time
    #[arg(long, value_name = "N")]
    pub jobs: Option<usize>,
    /// How often each problem is asked
    #[arg(long, value_name = "K", default_value_t = 1)]
    pub repeat: u32,
    /// AIOpsLab's call syntax, answers and quirks, exactly
    #[arg(long)]
    pub upstream: bool,
    /// Which actions agents have: AIOpsLab's seven, or those and query_sql
    #[arg(
        long,
        value_enum,
        default_value = "upstream",
        conflicts_with = "upstream"
    )]
    pub actions: Actions,
    /// Show what AIOpsLab would show, the withheld rows too (for comparison, not for scores)
    #[arg(long)]
    pub upstream_visibility: bool,
    /// Where the episodes go [default: the next free results/NNN]
    #[arg(long, value_name = "DIR")]
    pub out: Option<Utf8PathBuf>,
    /// Go on with the evaluation in --out that was stopped or killed: what is finished is taken as it is
    #[arg(long, requires = "out")]
    pub resume: bool,
    /// Write the report, too: a page with every episode (`aiopslab report RESULTS --html FILE`)
    #[arg(long, value_name = "FILE")]
    pub html: Option<Utf8PathBuf>,
    /// Print the summary as JSON
    #[arg(long)]
    pub json: bool,
    /// How language models are asked.
    #[command(flatten)]
    pub llm: Llm,
    /// What an agent may take.
    #[command(flatten)]
    pub limits: LimitFlags,
    /// On a running cluster.
    #[command(flatten)]
    pub live: Live,
}

/// A set of actions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Actions {
    /// AIOpsLab's seven
    Upstream,
    /// Those and query_sql
    Extended,
}

/// `problems`.
#[derive(Debug, Subcommand)]
pub enum Problems {
    /// List every problem of the catalog, and whether there is a snapshot for it
    List {
        /// Only this task
        #[arg(long)]
        task: Option<Task>,
        /// Only this application
        #[arg(long, value_name = "NAME")]
        application: Option<String>,
        /// Only those that there is a snapshot for
        #[arg(long)]
        recorded: bool,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Show one problem as an agent is told it, and what is known of it
    Show {
        /// The problem
        id: String,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Check catalog files: one line for each mistake, with file and line
    Check {
        /// Folder of catalog files (*.toml), beside what is built in [default: --catalog, or only what is built in]
        dir: Option<Utf8PathBuf>,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
}

/// `snapshot`.
#[derive(Debug, Subcommand)]
pub enum Snapshot {
    /// What a snapshot holds
    Info {
        /// The snapshot: a folder or the name of a sample
        snapshot: String,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Check a snapshot's files, rows and order
    Verify {
        /// The snapshot: a folder or the name of a sample
        snapshot: String,
        /// Check also what is in it: every service heard of, the fault visible, errors only after it
        #[arg(long)]
        content: bool,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Compare the replay with what the live system answered when the snapshot was captured
    #[command(after_help = "\
Every probe of the snapshot is replayed at its moment. Exit code 1: an answer differs and no rule
explains it, or rules explain more than 5 % of a tool's answers.

Example:
  aiopslab snapshot fidelity my-captures/scale_pod_zero_testbed-1 --show 3")]
    Fidelity {
        /// Snapshots: folders or names of samples
        #[arg(required = true, value_name = "SNAPSHOT")]
        compared: Vec<String>,
        /// How many differences are shown in full, per snapshot
        #[arg(long, value_name = "N", default_value_t = 10)]
        show: usize,
        /// Print JSON, with every probe
        #[arg(long)]
        json: bool,
    },
    /// Check that what an agent can see does not give the fault away
    #[command(
        after_help = "Examples:\n  aiopslab snapshot audit\n  aiopslab snapshot audit my-captures/ --json\n  aiopslab snapshot audit --held-out release/"
    )]
    Audit {
        /// Snapshots, or folders of snapshots [default: the shipped samples]
        #[arg(value_name = "SNAPSHOT")]
        snapshots: Vec<Utf8PathBuf>,
        /// Check that they can be published without their truth: no withheld/, nothing after `end`, opaque ids
        #[arg(long, requires = "snapshots")]
        held_out: bool,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Make what a killed capture recorded usable
    Salvage {
        /// The folder without a manifest
        folder: Utf8PathBuf,
    },
}

/// How rows are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people
    Table,
    /// Comma-separated values with a header
    Csv,
    /// One JSON object a line
    Json,
    /// A Parquet file on standard output
    Parquet,
}

/// `shell`.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  aiopslab shell scale_pod_zero_testbed-1 -c 'kubectl get deployments -n hotel-testbed | grep 0/0'
  aiopslab shell scale_pod_zero_testbed-2 --clock play -c 'date; sleep 20; date'"
)]
pub struct Shell {
    /// The snapshot: a folder or the name of a sample
    pub snapshot: String,
    /// Run one command and leave
    #[arg(short, long, value_name = "COMMAND")]
    pub command: Option<String>,
    /// The clock: end, before-fault, a moment (RFC 3339), or one that moves: play, play:MOMENT
    #[arg(long, default_value = "end")]
    pub clock: String,
    /// Show what AIOpsLab would show, the withheld rows too
    #[arg(long)]
    pub upstream_visibility: bool,
}

/// Which cluster.
#[derive(Debug, Clone, Args)]
pub struct Cluster {
    /// The kubeconfig file [default: KUBECONFIG, then ~/.kube/config]
    #[arg(long, value_name = "FILE")]
    pub kubeconfig: Option<Utf8PathBuf>,
    /// The context in it
    #[arg(long, value_name = "NAME")]
    pub context: Option<String>,
}

/// `check`.
#[derive(Debug, Args)]
pub struct Check {
    /// Families whose faults the cluster is asked about, with their application as it is deployed now
    #[arg(value_name = "FAMILY[-N]")]
    pub families: Vec<String>,
    /// Which cluster.
    #[command(flatten)]
    pub cluster: Cluster,
    /// For which application [default: hotel-testbed, or that of the families]
    #[arg(long, value_name = "NAME", conflicts_with = "families")]
    pub application: Option<String>,
    /// Its manifests.
    #[command(flatten)]
    pub sources: Sources,
}

/// How an application's manifests are fetched.
#[derive(Debug, Args)]
pub struct Sources {
    /// A checkout of the application's repository, or its chart, instead of fetching it
    #[arg(long, value_name = "DIR")]
    pub app_dir: Option<Utf8PathBuf>,
    /// The helm that renders charts [default: the one on the PATH]
    #[arg(long, value_name = "FILE")]
    pub helm: Option<Utf8PathBuf>,
}

impl Sources {
    pub(crate) fn options(&self) -> aiopslab_capture::SourceOptions {
        aiopslab_capture::SourceOptions {
            app_dir: self.app_dir.clone(),
            helm: self.helm.clone(),
        }
    }
}

/// `capture`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  aiopslab check
  aiopslab capture k8s_target_port_misconfig_testbed-1 --out captures
  aiopslab capture noop_detection_testbed --out captures --baseline 30s..45s --window 30s..45s
  aiopslab capture --all '*_testbed-1' --out captures
  aiopslab capture --attach -n shop --since 30m --duration 5m --out incident

A window is a length (60s, 2m) or a range (45s..75s) from which the seed draws one.")]
pub struct Capture {
    /// The family, with the number of its variant [default: -1]
    #[arg(value_name = "FAMILY[-N]", required_unless_present_any = ["all", "attach", "print_rbac"])]
    pub family: Option<String>,
    /// Every FAMILY-N that matches, one after the other; run again, it goes on where it stopped
    #[arg(long, value_name = "GLOB", conflicts_with_all = ["family", "json"])]
    pub all: Option<String>,
    /// Where the snapshot's folder FAMILY-N is made; with --attach that folder itself, new or empty
    #[arg(long, value_name = "DIR", required_unless_present = "print_rbac")]
    pub out: Option<Utf8PathBuf>,
    /// Which cluster.
    #[command(flatten)]
    pub cluster: Cluster,
    /// How long the application is left alone before anything counts
    #[arg(long, value_name = "RANGE", default_value = "30s..60s")]
    pub age: String,
    /// Length of the time before the fault
    #[arg(long, value_name = "RANGE", default_value = "60s..90s")]
    pub baseline: String,
    /// Length of the time with the fault
    #[arg(long, value_name = "RANGE", default_value = "60s..90s")]
    pub window: String,
    /// Decides window lengths and the workload's requests
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Requests per second, instead of the workload's own
    #[arg(long)]
    pub rate: Option<f64>,
    /// Leave a recorder out (metrics, traces, usage or exec), or the probes
    #[arg(long, value_name = "RECORDER")]
    pub without: Vec<String>,
    /// The kubectl that probes are asked with [default: the one on the PATH]
    #[arg(long, value_name = "FILE")]
    pub kubectl: Option<Utf8PathBuf>,
    /// Its application's manifests.
    #[command(flatten)]
    pub sources: Sources,
    /// Leave the application running afterwards
    #[arg(long)]
    pub keep: bool,
    /// Try the family's wrong repairs too: the oracle must refuse them
    #[arg(long)]
    pub wrong_repairs: bool,
    /// Print the summary as JSON
    #[arg(long)]
    pub json: bool,
    /// A system that is not ours.
    #[command(flatten)]
    pub attach: Attach,
}

impl Capture {
    /// Where the snapshot is made; the present folder where none was named.
    pub(crate) fn out(&self) -> &Utf8Path {
        self.out.as_deref().unwrap_or(Utf8Path::new("."))
    }
}
