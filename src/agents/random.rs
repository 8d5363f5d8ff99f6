//! The agent that guesses: what chance alone scores.

use aiopslab_problems::score::{FAULT_TYPES, SYSTEM_LEVELS};
use aiopslab_problems::task::Task;
use rand::SeedableRng;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use serde_json::{Value, json};

use super::Briefing;
use super::conversation::Talk;

/// Guesses among all answers that could be given; looks only for the names of the services.
pub(super) async fn guess(mut talk: Talk, briefing: Briefing, seed: u64) -> Value {
    let mut random = StdRng::seed_from_u64(seed);
    let one_of = |choices: &[&str], random: &mut StdRng| {
        choices
            .choose(random)
            .map_or(Value::Null, |choice| json!(choice))
    };
    match briefing.task {
        Task::Detection => one_of(&["Yes", "No"], &mut random),
        Task::Localization => {
            let listed = talk
                .shell(&format!("kubectl get services -n {}", briefing.namespace))
                .await;
            let names: Vec<&str> = listed
                .lines()
                .skip(1)
                .filter_map(|line| line.split_whitespace().next())
                .collect();
            json!([one_of(&names, &mut random)])
        }
        Task::Analysis => json!({
            "system_level": one_of(&SYSTEM_LEVELS, &mut random),
            "fault_type": one_of(&FAULT_TYPES, &mut random),
        }),
        Task::Mitigation => Value::Null,
    }
}
