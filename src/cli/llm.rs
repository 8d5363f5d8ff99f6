//! How a language model is evaluated: what of `[llm]` can be said on the command line.

use camino::Utf8PathBuf;
use clap::Args;

use crate::settings::LlmSettings;

/// Flags for `llm:MODEL`.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Language models")]
pub struct Llm {
    /// What llm:MODEL is told: shell, react, flash, plan, or a file [default: shell]
    #[arg(long, value_name = "NAME|FILE")]
    pub strategy: Option<String>,
    /// Let llm:MODEL call actions as tools
    #[arg(long)]
    pub llm_tools: bool,
    /// Add every answer of llm:MODEL to this file
    #[arg(long, value_name = "FILE")]
    pub llm_record: Option<Utf8PathBuf>,
    /// Take every answer of llm:MODEL from this file; nobody is asked
    #[arg(long, value_name = "FILE", conflicts_with = "llm_record")]
    pub llm_replay: Option<Utf8PathBuf>,
}

impl Llm {
    /// Puts these flags above the settings.
    #[must_use]
    pub fn above(&self, settings: LlmSettings) -> LlmSettings {
        LlmSettings {
            strategy: settings.strategy.under(self.strategy.clone()),
            tools: settings.tools.under(self.llm_tools.then_some(true)),
            record: settings.record.under(self.llm_record.clone().map(Some)),
            replay: settings.replay.under(self.llm_replay.clone().map(Some)),
            ..settings
        }
    }
}
