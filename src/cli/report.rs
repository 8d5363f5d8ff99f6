//! `report`.

use camino::Utf8PathBuf;
use clap::Args;

/// `report`.
#[derive(Debug, Args)]
#[command(after_help = "\
Several folders: their agents side by side. How to read it: docs/read-a-report.md.

Examples:
  aiopslab report results/001                           tables for a terminal
  aiopslab report results/001 --html report.html        one page, with every episode as a conversation
  aiopslab report results/001 results/002 --markdown    two agents, for a pull request")]
pub struct Report {
    /// Folders of evaluations
    #[arg(value_name = "RESULTS", required = true)]
    pub results: Vec<Utf8PathBuf>,
    /// Write a page: one file that loads nothing and runs nothing
    #[arg(long, value_name = "FILE")]
    pub html: Option<Utf8PathBuf>,
    /// Print Markdown
    #[arg(long, conflicts_with = "html")]
    pub markdown: bool,
}
