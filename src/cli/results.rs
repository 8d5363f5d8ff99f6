//! What can be asked of kept episodes.

use camino::Utf8PathBuf;
use clap::{Args, ValueEnum};

/// `score`.
#[derive(Debug, Args)]
#[command(after_help = "\
What is scored: the submission and how the episode ended, by the catalog's truth of today.
With --judge a model says besides whether each submission was reached from evidence; without it nobody is
asked. Its verdicts are kept in judge.jsonl in RESULTS, and never asked for twice (docs/results.md).

Examples:
  aiopslab score results/001                     what would these episodes be scored now?
  aiopslab score results/001 --write             and keep that
  aiopslab score data/results/1234.json          a session file of AIOpsLab, or a folder of them
  aiopslab score results/001 --judge llm:gpt-4o  and how well were they reasoned?
  aiopslab score --as openrca predictions.csv query.csv    what would OpenRCA score? (docs/score-as.md)")]
pub struct Score {
    /// A folder of episodes, or session files of AIOpsLab; with --as predictions in that project's form
    #[arg(value_name = "RESULTS")]
    pub results: Utf8PathBuf,
    /// What is true, in that project's form
    #[arg(value_name = "TRUTH", requires = "scorer")]
    pub truth: Option<Utf8PathBuf>,
    /// Score predictions as another project scores them
    #[arg(
        long = "as",
        value_name = "PROJECT",
        conflicts_with_all = ["judge", "write"]
    )]
    pub scorer: Option<Foreign>,
    /// Let a model judge the reasoning, beside the scores: llm:MODEL, asked as `eval --agent llm:MODEL` asks
    #[arg(long, value_name = "llm:MODEL")]
    pub judge: Option<String>,
    /// Write the scores into each result.json, and summary.json anew
    #[arg(long)]
    pub write: bool,
    /// Print the summary as JSON
    #[arg(long)]
    pub json: bool,
}

/// Another project, by whose scorer predictions are scored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Foreign {
    /// Criteria of component, reason and time
    Openrca,
    /// AC@k and Avg@5 of services and metrics
    Rcaeval,
    /// Recall of the node among the first causes
    Petshop,
    /// AS@k and AIS@k of services and what went wrong inside
    Nezha,
}

/// `rerun`.
#[derive(Debug, Args)]
#[command(after_help = "\
Each response of an agent is acted on again, under the clock, actions and syntax of its episode; what a
running cluster answered is skipped. Exit code 1: an answer changed, or an episode could not be rerun.

Examples:
  aiopslab rerun results/001                     does this program answer as the one that ran them?
  aiopslab rerun results/001 --snapshot new/scale_pod_zero_testbed-1    and this version of the snapshot?")]
pub struct Rerun {
    /// A folder of episodes
    #[arg(value_name = "RESULTS")]
    pub results: Utf8PathBuf,
    /// Snapshots, or folders of snapshots, to replay on [default: those of the episodes, among --snapshots and the samples]
    #[arg(long = "snapshot", value_name = "SNAPSHOT")]
    pub on: Vec<Utf8PathBuf>,
    /// Episodes that are replayed at the same time
    #[arg(long, value_name = "N")]
    pub jobs: Option<usize>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// `export`.
#[derive(Debug, Args)]
#[command(after_help = "\
One file SESSION_START.json for each finished episode, with AIOpsLab's keys first and ours after them;
`aiopslab score` reads them back.

Example:
  aiopslab export results/001 --out sessions")]
pub struct Export {
    /// A folder of episodes
    #[arg(value_name = "RESULTS")]
    pub results: Utf8PathBuf,
    /// Where the files go
    #[arg(long, value_name = "DIR")]
    pub out: Utf8PathBuf,
}
