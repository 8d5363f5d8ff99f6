//! Strategies: what a model is told, and what it is asked besides. Each is one TOML file of templates.

use camino::{Utf8Path, Utf8PathBuf};
use minijinja::{Environment, UndefinedBehavior};
use serde::Deserialize;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use toml::Spanned;

/// The strategies that are shipped: name and text.
pub const SHIPPED: [(&str, &str); 4] = [
    ("shell", include_str!("strategies/shell.toml")),
    ("react", include_str!("strategies/react.toml")),
    ("flash", include_str!("strategies/flash.toml")),
    ("plan", include_str!("strategies/plan.toml")),
];

/// What every template may name; those of `turn` and `ask` also `step` and the thoughts.
const VARIABLES: [&str; 6] = [
    "task",
    "namespace",
    "description",
    "instructions",
    "actions",
    "tools",
];

/// A strategy that has been read and checked.
#[derive(Debug, Clone)]
pub(super) struct Strategy {
    /// Its name, or that of its file.
    pub(super) name: String,
    /// The file's text.
    text: String,
    pub(super) form: Form,
}

/// A strategy's file.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Form {
    /// For people.
    #[serde(rename = "about")]
    _about: String,
    /// The actions that the model is told of; none: all. `submit` is always among them.
    actions: Option<Vec<String>>,
    pub(super) system: Spanned<String>,
    pub(super) task: Spanned<String>,
    pub(super) turn: Option<Spanned<String>>,
    #[serde(default)]
    think: Vec<Think>,
}

/// A question of its own before the action, whose answer the templates can name.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Think {
    /// The variable that holds the latest answer.
    pub(super) name: String,
    /// The first step before which it is asked.
    #[serde(default = "one")]
    from: u32,
    /// Asked again every so many steps.
    #[serde(default = "one")]
    every: u32,
    pub(super) ask: Spanned<String>,
}

fn one() -> u32 {
    1
}

/// A strategy that can't be used.
#[derive(Debug, thiserror::Error)]
pub enum StrategyError {
    /// Neither a shipped one nor a file.
    #[error(
        "there is no strategy {0:?}\nhint: shell, react, flash, plan, or a file; `aiopslab config --strategy NAME` prints one to begin with"
    )]
    Unknown(String),
    /// The file can't be read.
    #[error("the strategy {path} can't be read: {source}")]
    Unreadable {
        /// The file.
        path: Utf8PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file says something wrong.
    #[error("{name}:{line}: {what}")]
    Wrong {
        /// The strategy or its file.
        name: String,
        /// The line, from 1.
        line: usize,
        /// What is wrong.
        what: String,
    },
}

impl Strategy {
    /// Finds a shipped strategy by name, or reads a file.
    pub(super) fn find(name: &str) -> Result<Self, StrategyError> {
        if let Some((name, text)) = SHIPPED.iter().find(|(shipped, _)| *shipped == name) {
            return Self::read(name, name, text);
        }
        let path = Utf8Path::new(name);
        if !path.is_file() {
            return Err(StrategyError::Unknown(name.to_owned()));
        }
        let text = std::fs::read_to_string(path).map_err(|source| StrategyError::Unreadable {
            path: path.to_owned(),
            source,
        })?;
        Self::read(path.file_stem().unwrap_or(name), name, &text)
    }

    /// Reads and checks a strategy; `place` is what an error names.
    fn read(name: &str, place: &str, text: &str) -> Result<Self, StrategyError> {
        let wrong = |line: usize, what: String| StrategyError::Wrong {
            name: place.to_owned(),
            line,
            what,
        };
        let form: Form = toml::from_str(text).map_err(|error| {
            let at = error.span().map_or(0, |span| span.start);
            wrong(line_of(text, at), error.message().to_owned())
        })?;
        let strategy = Self {
            name: name.to_owned(),
            text: text.to_owned(),
            form,
        };
        strategy
            .check()
            .map_err(|(at, what)| wrong(line_of(text, at), what))?;
        Ok(strategy)
    }

    /// What of it goes into the record.
    pub(super) fn record(&self) -> Value {
        let digest = Sha256::digest(self.text.as_bytes());
        let digest: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        json!({"name": self.name, "sha256": digest, "text": self.text})
    }

    /// Whether the model is told of an action.
    pub(super) fn tells_of(&self, action: &str) -> bool {
        let listed = self.form.actions.as_ref();
        action == "submit" || listed.is_none_or(|names| names.iter().any(|name| name == action))
    }

    /// The questions that are asked before a step.
    pub(super) fn thinks(&self, step: u32) -> impl Iterator<Item = &Think> {
        let is_due = move |think: &&Think| {
            step >= think.from && (step - think.from).is_multiple_of(think.every.max(1))
        };
        self.form.think.iter().filter(is_due)
    }

    /// The names of all thoughts.
    pub(super) fn thoughts(&self) -> impl Iterator<Item = &str> {
        self.form.think.iter().map(|think| think.name.as_str())
    }

    /// Every template, with what it may name, and where its text stands in the file.
    fn templates(&self) -> Vec<(&Spanned<String>, bool)> {
        let form = &self.form;
        let mut all = vec![(&form.system, false), (&form.task, false)];
        all.extend(form.turn.iter().map(|turn| (turn, true)));
        all.extend(form.think.iter().map(|think| (&think.ask, true)));
        all
    }

    /// Finds what is wrong with it, and at which byte.
    fn check(&self) -> Result<(), (usize, String)> {
        let known = aiopslab_problems::action::NAMES;
        for name in self.form.actions.iter().flatten() {
            if !known.contains(&name.as_str()) {
                let at = self.text.find(name.as_str()).unwrap_or_default();
                return Err((
                    at,
                    format!(
                        "there is no action {name:?}; the actions are {}",
                        known.join(", ")
                    ),
                ));
            }
        }
        for (template, in_turn) in self.templates() {
            let mut known: Vec<&str> = VARIABLES.to_vec();
            if in_turn {
                known.push("step");
                known.extend(self.thoughts());
            }
            let start = template.span().start;
            let jinja = environment();
            let read = jinja
                .template_from_str(template.get_ref())
                .map_err(|error| {
                    let line = error.line().unwrap_or(1);
                    (self.byte_of(start, line), explain(&error))
                })?;
            let mut named: Vec<String> = read.undeclared_variables(false).into_iter().collect();
            named.sort();
            if let Some(unknown) = named.iter().find(|name| !known.contains(&name.as_str())) {
                let within = self
                    .text
                    .get(start..)
                    .and_then(|text| text.find(unknown.as_str()));
                return Err((
                    start + within.unwrap_or_default(),
                    format!(
                        "there is no variable {unknown:?}; here are {}",
                        known.join(", ")
                    ),
                ));
            }
        }
        Ok(())
    }

    /// The first byte of a template's line, whose text begins at `start` of the file.
    fn byte_of(&self, start: usize, line: usize) -> usize {
        let text = self.text.get(start..).unwrap_or_default();
        // A line break right behind the three quotes does not belong to the text.
        let skipped = usize::from(text.starts_with("\"\"\"\n") || text.starts_with("'''\n"));
        let before = text.split_inclusive('\n').take(line - 1 + skipped);
        start + before.map(str::len).sum::<usize>()
    }
}

/// Templates make plain text, and a variable that is not there is a mistake.
pub(super) fn environment() -> Environment<'static> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_auto_escape_callback(|_| minijinja::AutoEscape::None);
    environment
}

pub(super) fn explain(error: &minijinja::Error) -> String {
    match error.detail() {
        Some(detail) => format!("{}: {detail}", error.kind()),
        None => error.kind().to_string(),
    }
}

/// The line of a byte, from 1.
fn line_of(text: &str, at: usize) -> usize {
    let before = text.as_bytes().iter().take(at);
    before.filter(|byte| **byte == b'\n').count() + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mistake_is_named_with_its_line() {
        let good = "about = 'x'\nsystem = 'a'\ntask = 'b'\n";
        for (text, says) in [
            (
                "about = 'x'\nsystem = 'a'\n",
                "my.toml:1: missing field `task`",
            ),
            (
                &format!("{good}turns = 'c'\n"),
                "my.toml:4: unknown field `turns`",
            ),
            (
                &format!("{good}turn = '{{{{ hindsight }}}}'\n"),
                "my.toml:4: there is no variable \"hindsight\"",
            ),
            (
                &format!("{good}turn = \"\"\"\nfine\n{{% if %}}\"\"\"\n"),
                "my.toml:6: syntax error",
            ),
            (
                &format!("{good}actions = ['fly']\n"),
                "my.toml:4: there is no action \"fly\"",
            ),
            (
                "about = 'x'\nsystem = '{{ step }}'\ntask = 'b'\n",
                "my.toml:2: there is no variable \"step\"",
            ),
        ] {
            let error = Strategy::read("my", "my.toml", text)
                .unwrap_err()
                .to_string();
            assert!(error.starts_with(says), "{error}");
        }
    }

    #[test]
    fn thoughts_come_when_they_are_due() {
        let text = "about = ''\nsystem = ''\ntask = ''\n[[think]]\nname = 'plan'\nevery = 3\nask = 'x'\n[[think]]\nname = 'doubt'\nfrom = 2\nask = 'y'\n";
        let strategy = Strategy::read("s", "s", text).unwrap();
        let due =
            |step| -> Vec<&str> { strategy.thinks(step).map(|one| one.name.as_str()).collect() };
        assert_eq!(due(1), ["plan"]);
        assert_eq!(due(2), ["doubt"]);
        assert_eq!(due(4), ["plan", "doubt"]);
    }
}
