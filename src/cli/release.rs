//! What can be done with releases.

use camino::Utf8PathBuf;
use clap::{Args, Subcommand};

/// `release`.
#[derive(Debug, Subcommand)]
pub enum Release {
    /// Print a release's card: what is in it, how it is used, what was measured
    Card {
        /// The release's folder
        dir: Utf8PathBuf,
    },
    /// Say what is another in a second release, and which answers to agents changed
    Diff(DiffReleases),
}

/// `release diff`.
#[derive(Debug, Args)]
#[command(after_help = "\
Snapshots are compared by the digest of their visible rows, files by their bytes. Then the responses of agents
in kept episodes are acted on again, on B; without RESULTS those of baseline:doctor, which answers A's problems
first. What is another is the answer of this command and no error.

Examples:
  aiopslab release diff testbed-1.0.0 testbed-1.1.0
  aiopslab release diff testbed-1.0.0 testbed-1.1.0 --results results/001 --json")]
pub struct DiffReleases {
    /// The folder of a release
    #[arg(value_name = "A")]
    pub a: Utf8PathBuf,
    /// The folder of another one
    #[arg(value_name = "B")]
    pub b: Utf8PathBuf,
    /// A folder of episodes on A, to be replayed on B [default: the doctor's]
    #[arg(long, value_name = "RESULTS")]
    pub results: Option<Utf8PathBuf>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}
