//! A person as an agent: a prompt with history and completion.

use std::io::IsTerminal;

use aiopslab_problems::prompt::ActionHelp;
use async_trait::async_trait;
use rustyline::completion::{Completer, Pair};
use rustyline::error::ReadlineError;
use rustyline::highlight::Highlighter;
use rustyline::hint::Hinter;
use rustyline::history::MemHistory;
use rustyline::validate::{ValidationContext, ValidationResult, Validator};
use rustyline::{Config, Context, Editor, Helper};

use super::{Agent, AgentError, Briefing, Response};

const HOW: &str = "Type a call, like get_logs(\"NAMESPACE\", \"SERVICE\"); Tab completes names.
help lists the actions, help NAME explains one; \\ at a line's end goes on in the next; Ctrl-D gives up.";

/// Whether there is somebody to ask.
pub(super) fn is_there() -> bool {
    std::io::stdin().is_terminal() && std::io::stderr().is_terminal()
}

/// One episode with the person at the terminal.
#[derive(Default)]
pub(super) struct Human {
    editor: Option<Editor<Prompt, MemHistory>>,
    step: u32,
}

/// What the prompt knows.
struct Prompt {
    actions: Vec<ActionHelp>,
}

#[async_trait]
impl Agent for Human {
    async fn start(&mut self, briefing: &Briefing) -> Result<(), AgentError> {
        let failed = |error: ReadlineError| AgentError::Person(error.to_string());
        let config = Config::builder().auto_add_history(true).build();
        let history = MemHistory::with_config(&config);
        let mut editor = Editor::with_history(config, history).map_err(failed)?;
        editor.set_helper(Some(Prompt {
            actions: briefing.actions.clone(),
        }));
        self.editor = Some(editor);
        eprintln!(
            "\n{}\n\n{}\n\n{HOW}\n",
            briefing.description, briefing.instructions
        );
        Ok(())
    }

    async fn respond(&mut self, observation: &str) -> Result<Response, AgentError> {
        let Some(mut editor) = self.editor.take() else {
            return Err(AgentError::Person("nobody was asked".to_owned()));
        };
        self.step += 1;
        let prompt = format!("{}> ", self.step);
        eprintln!("{observation}");
        // Typing blocks; other tasks go on meanwhile.
        let typed = tokio::task::spawn_blocking(move || {
            let said = ask(&mut editor, &prompt);
            (editor, said)
        });
        let (editor, said) = typed
            .await
            .map_err(|error| AgentError::Person(error.to_string()))?;
        self.editor = Some(editor);
        match said {
            Ok(text) => Ok(in_a_fence(&text).into()),
            Err(ReadlineError::Eof | ReadlineError::Interrupted) => {
                Err(AgentError::Person("gave up".to_owned()))
            }
            Err(error) => Err(AgentError::Person(error.to_string())),
        }
    }
}

/// Reads until there is something for the session.
fn ask(editor: &mut Editor<Prompt, MemHistory>, prompt: &str) -> Result<String, ReadlineError> {
    loop {
        let text = editor.readline(prompt)?.replace("\\\n", "\n");
        let text = text.trim();
        let actions = editor.helper().map_or(&[][..], |prompt| &prompt.actions);
        match help(text, actions) {
            Some(help) => eprintln!("{help}"),
            None if text.is_empty() => {}
            None => return Ok(text.to_owned()),
        }
    }
}

/// What is said to `help` and `help NAME`; none: it is something else.
fn help(text: &str, actions: &[ActionHelp]) -> Option<String> {
    let asked = text.strip_prefix("help")?;
    let known = |name: &str| actions.iter().find(|action| action.name == name);
    match asked.trim() {
        "" => {
            let first = |action: &ActionHelp| action.help.lines().next().map(str::to_owned);
            let lines: Vec<String> = actions.iter().filter_map(first).collect();
            Some(format!("{}\n{HOW}", lines.join("\n")))
        }
        name if asked.starts_with(' ') => Some(match known(name) {
            Some(action) => action.help.clone(),
            None => format!("there is no action {name}"),
        }),
        _ => None,
    }
}

/// Puts a bare call into a fence, as every syntax wants it.
fn in_a_fence(text: &str) -> String {
    match text.contains("```") {
        true => text.to_owned(),
        false => format!("```\n{text}\n```"),
    }
}

impl Helper for Prompt {}
impl Highlighter for Prompt {}

impl Hinter for Prompt {
    type Hint = String;
}

impl Validator for Prompt {
    fn validate(&self, context: &mut ValidationContext<'_>) -> rustyline::Result<ValidationResult> {
        let text = context.input();
        let is_open = text.ends_with('\\') || text.matches("```").count() % 2 == 1;
        Ok(match is_open {
            true => ValidationResult::Incomplete,
            false => ValidationResult::Valid(None),
        })
    }
}

impl Completer for Prompt {
    type Candidate = Pair;

    fn complete(
        &self,
        line: &str,
        position: usize,
        _: &Context<'_>,
    ) -> rustyline::Result<(usize, Vec<Pair>)> {
        let before = line.get(..position).unwrap_or_default();
        let start = before
            .rfind(|letter: char| !letter.is_alphanumeric() && letter != '_')
            .map_or(0, |at| at + 1);
        let (asks_for_help, word) = (before.starts_with("help "), &before[start..]);
        // Names stand at the start of a call; within one there is nothing to complete.
        if before.contains('(') {
            return Ok((position, Vec::new()));
        }
        let fits = self
            .actions
            .iter()
            .filter(|action| action.name.starts_with(word));
        let candidates = fits.map(|action| Pair {
            display: action.name.clone(),
            replacement: match asks_for_help {
                true => action.name.clone(),
                false => format!("{}(", action.name),
            },
        });
        Ok((start, candidates.collect()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_complete_where_a_call_begins() {
        let action = |name: &str| ActionHelp {
            name: name.to_owned(),
            help: format!("{name}()\nDoes it."),
        };
        let prompt = Prompt {
            actions: vec![action("get_logs"), action("get_traces"), action("submit")],
        };
        let history = MemHistory::new();
        let complete = |line: &str| -> Vec<String> {
            let (_, found) = prompt
                .complete(line, line.len(), &Context::new(&history))
                .unwrap();
            found.into_iter().map(|pair| pair.replacement).collect()
        };
        assert_eq!(complete("get_"), ["get_logs(", "get_traces("]);
        assert_eq!(complete("help su"), ["submit"]);
        assert!(complete("submit(get").is_empty());
        let told = |text: &str| help(text, &prompt.actions);
        assert!(told("help").unwrap().contains("get_traces()"));
        assert!(told("help submit").unwrap().contains("Does it."));
        assert_eq!(told("helpful(1)"), None);
    }
}
