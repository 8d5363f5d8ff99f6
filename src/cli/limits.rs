//! What an agent may take for one problem.

use aiopslab_problems::episode::Limits;
use clap::Args;

use crate::exit::Failure;
use crate::settings::Settings;

/// Limits of one episode, each above its setting.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Limits, per problem")]
pub struct LimitFlags {
    /// Responses of the agent [default: 30]
    #[arg(long, value_name = "N")]
    pub max_steps: Option<u32>,
    /// Seconds on the wall; what is limited so can't be reproduced and is marked as such
    #[arg(long, value_name = "SECONDS")]
    pub max_seconds: Option<u64>,
    /// Tokens of the agent's model, in and out together, where the agent tells
    #[arg(long, value_name = "N")]
    pub max_tokens: Option<u64>,
    /// US dollars, where the agent's price is known
    #[arg(long, value_name = "USD")]
    pub max_cost: Option<f64>,
}

impl LimitFlags {
    /// The flags, then the settings.
    ///
    /// # Errors
    /// When a limit is no positive number.
    pub fn over(&self, settings: &Settings) -> Result<Limits, Failure> {
        let steps = settings.max_steps.clone().under(self.max_steps);
        let seconds = settings
            .max_seconds
            .clone()
            .under(self.max_seconds.map(Some));
        let tokens = settings.max_tokens.clone().under(self.max_tokens.map(Some));
        let cost = settings.max_cost.clone().under(self.max_cost.map(Some));
        let limits = Limits {
            max_steps: steps.value,
            max_seconds: seconds.value,
            max_tokens: tokens.value,
            max_cost_usd: cost.value,
        };
        let checked = [
            ("max_steps", &steps.from, limits.max_steps > 0),
            ("max_seconds", &seconds.from, limits.max_seconds != Some(0)),
            ("max_tokens", &tokens.from, limits.max_tokens != Some(0)),
            (
                "max_cost",
                &cost.from,
                limits
                    .max_cost_usd
                    .is_none_or(|usd| usd.is_finite() && usd > 0.0),
            ),
        ];
        match checked.iter().find(|(_, _, is_sound)| !is_sound) {
            None => Ok(limits),
            Some((name, from, _)) => Err(Failure::user(format!(
                "{name} ({from}) leaves an agent nothing\nhint: a limit is a number above 0; without one there is no limit"
            ))),
        }
    }
}
