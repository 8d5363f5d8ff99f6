//! `llm:scripted`: fixed answers in place of a model, for tests and to try things out without one.

use camino::Utf8Path;
use serde::Deserialize;
use serde_json::Value;

use super::answer::Answer;

/// What is said where no file of the user's says otherwise.
const SHIPPED: &str = include_str!("script.toml");

/// Answers, of which the first that fits is given.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Script {
    answer: Vec<Scripted>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Scripted {
    /// Which answer of the conversation it can be, from 1; none: any.
    turn: Option<usize>,
    /// What the conversation has to have in it; none: anything.
    when: Option<String>,
    say: String,
}

impl Script {
    /// Reads the script in a file, or the shipped one.
    pub(super) fn read(path: Option<&Utf8Path>) -> Result<Self, String> {
        let text = match path {
            None => SHIPPED.to_owned(),
            Some(path) => std::fs::read_to_string(path)
                .map_err(|error| format!("the script {path} can't be read: {error}"))?,
        };
        toml::from_str(&text).map_err(|error| {
            let place = path.map_or("the shipped script", Utf8Path::as_str);
            format!("{place} is wrong: {error}")
        })
    }

    /// The answer to a request; none: nothing fits.
    pub(super) fn answer(&self, request: &Value) -> Option<Answer> {
        let messages = request["messages"].as_array()?;
        let said = |message: &&Value| message["role"] == "assistant";
        let turn = messages.iter().filter(said).count() + 1;
        let fits = |one: &&Scripted| {
            let holds = |text: &String| {
                let mut contents = messages.iter().filter_map(|one| one["content"].as_str());
                contents.any(|content| content.contains(text))
            };
            one.turn.is_none_or(|wanted| wanted == turn) && one.when.as_ref().is_none_or(holds)
        };
        let found = self.answer.iter().find(fits)?;
        Some(Answer {
            content: found.say.clone(),
            finish_reason: Some("stop".to_owned()),
            ..Answer::default()
        })
    }
}

#[cfg(test)]
mod tests {
    use aiopslab_problems::action::{Action, ActionSet, CallSyntax, parse};
    use aiopslab_problems::catalog::Catalog;
    use aiopslab_problems::prompt::Briefing;
    use aiopslab_problems::task::Task;
    use serde_json::json;

    use super::*;

    #[test]
    fn the_shipped_script_looks_once_and_submits_in_the_task_s_form() {
        let script = Script::read(None).unwrap();
        let catalog = Catalog::embedded().unwrap();
        let application = catalog.application("hotel-testbed").unwrap();
        for task in Task::ALL {
            let told = Briefing::new(task, application, ActionSet::Upstream).description;
            let mut messages = vec![json!({"role": "system", "content": told})];
            let looks = script.answer(&json!({"messages": messages})).unwrap();
            assert!(looks.content.contains("kubectl get pods"));
            messages.push(json!({"role": "assistant", "content": looks.content}));
            let submits = script.answer(&json!({"messages": messages})).unwrap();
            let Ok(Action::Submit { solution }) = parse(&submits.content, CallSyntax::Upstream)
            else {
                panic!("{}", submits.content);
            };
            let fits = match task {
                Task::Detection => solution.is_string(),
                Task::Localization => solution.is_array(),
                Task::Analysis => solution.is_object(),
                Task::Mitigation => solution.is_null(),
            };
            assert!(fits, "{task}: {solution}");
        }
    }
}
