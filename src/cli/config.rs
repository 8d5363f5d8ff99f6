//! `config`.

use clap::Args;

/// `config`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  aiopslab config
  aiopslab config --strategy react >mine.toml    a strategy to begin your own with (docs/llm-agents.md)")]
pub struct Config {
    /// Print JSON
    #[arg(long)]
    pub json: bool,
    /// Print a shipped strategy of llm:MODEL instead: shell, react, flash or plan
    #[arg(long, value_name = "NAME", conflicts_with = "json")]
    pub strategy: Option<String>,
}
