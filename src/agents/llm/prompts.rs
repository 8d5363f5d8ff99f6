//! A strategy at work in one episode: its templates filled in.

use std::collections::BTreeMap;

use minijinja::Value as Jinja;
use toml::Spanned;

use super::super::{ActionHelp, Briefing};
use super::strategy::{Strategy, Think, environment, explain};

/// A strategy at work in one episode.
#[derive(Debug, Clone)]
pub(super) struct Prompts {
    strategy: Strategy,
    /// What the templates may name.
    known: BTreeMap<String, Jinja>,
}

impl Prompts {
    pub(super) fn new(strategy: &Strategy, briefing: &Briefing, tools: bool) -> Self {
        let told = |action: &&ActionHelp| strategy.tells_of(&action.name);
        let help = |action: &ActionHelp| {
            Jinja::from_pairs([("name", action.name.as_str()), ("help", &action.help)])
        };
        let actions: Vec<Jinja> = briefing.actions.iter().filter(told).map(help).collect();
        let mut known = BTreeMap::from([
            ("task".to_owned(), Jinja::from(briefing.task.to_string())),
            (
                "namespace".to_owned(),
                Jinja::from(briefing.namespace.as_str()),
            ),
            (
                "description".to_owned(),
                Jinja::from(briefing.description.as_str()),
            ),
            (
                "instructions".to_owned(),
                Jinja::from(briefing.instructions.as_str()),
            ),
            ("actions".to_owned(), Jinja::from(actions)),
            ("tools".to_owned(), Jinja::from(tools)),
        ]);
        known.extend(
            strategy
                .thoughts()
                .map(|name| (name.to_owned(), Jinja::from(""))),
        );
        Self {
            known,
            strategy: strategy.clone(),
        }
    }

    /// How the model is to behave.
    pub(super) fn system(&self) -> Result<String, String> {
        self.render(&self.strategy.form.system, 0)
    }

    /// What is asked of it.
    pub(super) fn task(&self) -> Result<String, String> {
        self.render(&self.strategy.form.task, 0)
    }

    /// What it is told at the end of a request for an action.
    pub(super) fn turn(&self, step: u32) -> Result<String, String> {
        let turn = self.strategy.form.turn.as_ref();
        turn.map_or(Ok(String::new()), |turn| self.render(turn, step))
    }

    /// A question before the action.
    pub(super) fn ask(&self, think: &Think, step: u32) -> Result<String, String> {
        self.render(&think.ask, step)
    }

    /// Keeps what the model thought, for the templates.
    pub(super) fn remember(&mut self, think: &Think, thought: String) {
        self.known.insert(think.name.clone(), Jinja::from(thought));
    }

    fn render(&self, template: &Spanned<String>, step: u32) -> Result<String, String> {
        let mut known = self.known.clone();
        known.insert("step".to_owned(), Jinja::from(step));
        environment()
            .render_str(template.get_ref(), Jinja::from_pairs(known))
            .map(|text| without_gaps(text.trim()))
            .map_err(|error| format!("the strategy {}: {}", self.strategy.name, explain(&error)))
    }
}

/// Makes one empty line of several, which lines of nothing but `{% … %}` leave.
fn without_gaps(text: &str) -> String {
    let mut lines: Vec<&str> = Vec::new();
    for line in text.lines() {
        let is_gap = line.trim().is_empty();
        if !is_gap || lines.last().is_some_and(|last| !last.trim().is_empty()) {
            lines.push(line);
        }
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use aiopslab_problems::action::ActionSet;
    use aiopslab_problems::catalog::Catalog;
    use aiopslab_problems::task::Task;

    use super::super::strategy::SHIPPED;
    use super::*;

    fn briefing() -> Briefing {
        let catalog = Catalog::embedded().unwrap();
        let application = catalog.application("hotel-testbed").unwrap();
        Briefing::new(Task::Detection, application, ActionSet::Upstream)
    }

    #[test]
    fn every_shipped_strategy_says_what_is_asked_and_how_to_act() {
        for (name, _) in SHIPPED {
            let strategy = Strategy::find(name).unwrap();
            for tools in [false, true] {
                let briefing = briefing();
                let mut prompts = Prompts::new(&strategy, &briefing, tools);
                let told = prompts.system().unwrap() + &prompts.task().unwrap();
                assert!(told.contains(&briefing.description), "{name}");
                assert!(told.contains("submit"), "{name}");
                assert_eq!(told.contains("exec_shell("), !tools, "{name}: {told}");
                assert!(
                    !told.starts_with('\n') && !told.contains("\n\n\n"),
                    "{name}"
                );
                for think in strategy.thinks(6).cloned().collect::<Vec<_>>() {
                    assert!(!prompts.ask(&think, 6).unwrap().is_empty());
                    prompts.remember(&think, "it is the geo service".to_owned());
                    let turn = prompts.turn(6).unwrap();
                    assert!(turn.contains("it is the geo service"), "{name}: {turn}");
                }
            }
        }
    }
}
