//! The tools: one for each action, or those of another project that are actions of ours.

use std::sync::Arc;

use aiopslab_problems::action::{self, Action, ActionSet};
use aiopslab_problems::task::Task;
use rmcp::model::Tool;
use serde_json::{Map, Value, json};

use super::{kubernetes, sregym};

/// Whose names the tools have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum Profile {
    /// Those of the actions
    #[default]
    Actions,
    /// SREGym's
    Sregym,
    /// Those of kubernetes-mcp-server
    K8sMcp,
}

/// The tools of a problem.
pub struct Toolbox {
    tools: Vec<Offered>,
    set: ActionSet,
}

struct Offered {
    name: String,
    about: String,
    schema: Value,
    does: Does,
}

/// What a tool does.
enum Does {
    /// It is an action.
    Acts,
    /// It is made of an action of ours; where its arguments don't fit, the text says so.
    Stands(fn(&Arguments) -> Result<Action, String>),
}

/// A tool of another project that is made of an action of ours.
pub(super) struct Foreign {
    pub(super) name: &'static str,
    pub(super) about: &'static str,
    pub(super) takes: &'static [Takes],
    pub(super) is: fn(&Arguments) -> Result<Action, String>,
}

/// An argument: its name, type in JSON Schema, whether it has to be given, and what it is.
pub(super) struct Takes(
    pub(super) &'static str,
    pub(super) &'static str,
    pub(super) bool,
    pub(super) &'static str,
);

/// The arguments of a call.
pub(super) struct Arguments<'a>(&'a Value);

impl Arguments<'_> {
    /// A text that has to be there.
    pub(super) fn text(&self, name: &str) -> Result<&str, String> {
        self.optional(name)?
            .ok_or_else(|| format!("the argument {name} is missing"))
    }

    /// A text that may be left out.
    pub(super) fn optional(&self, name: &str) -> Result<Option<&str>, String> {
        match &self.0[name] {
            Value::Null => Ok(None),
            Value::String(text) => Ok(Some(text)),
            other => Err(format!("the argument {name} has to be a text, not {other}")),
        }
    }

    /// A whole number that may be left out.
    pub(super) fn whole(&self, name: &str) -> Result<Option<i64>, String> {
        match &self.0[name] {
            Value::Null => Ok(None),
            value => match value.as_i64() {
                Some(number) => Ok(Some(number)),
                None => Err(format!(
                    "the argument {name} has to be a whole number, not {value}"
                )),
            },
        }
    }

    /// Yes or no; left out: none.
    pub(super) fn flag(&self, name: &str) -> Option<bool> {
        self.0[name].as_bool()
    }

    /// Texts in an array.
    pub(super) fn texts(&self, name: &str) -> Result<Vec<&str>, String> {
        let texts = self.0[name]
            .as_array()
            .map(|items| items.iter().map(Value::as_str));
        let texts: Option<Vec<&str>> = texts.and_then(Iterator::collect);
        texts.ok_or_else(|| format!("the argument {name} has to be an array of texts"))
    }
}

impl Profile {
    /// The actions that its tools are made of.
    #[must_use]
    pub fn action_set(self, asked: ActionSet) -> ActionSet {
        match self {
            Self::Actions => asked,
            Self::Sregym => ActionSet::Extended,
            Self::K8sMcp => ActionSet::Upstream,
        }
    }
}

impl Toolbox {
    /// The tools of a profile.
    #[must_use]
    pub fn new(profile: Profile, task: Task, set: ActionSet) -> Self {
        let foreign = match profile {
            Profile::Actions => &[][..],
            Profile::Sregym => sregym::TOOLS,
            Profile::K8sMcp => kubernetes::TOOLS,
        };
        // Every profile has a submission; SREGym's is its own.
        let is_own = |name: &str| match profile {
            Profile::Actions => true,
            Profile::Sregym => false,
            Profile::K8sMcp => name == "submit",
        };
        let abouts = action::describe(task, set).into_iter();
        let mut tools: Vec<Offered> = abouts
            .zip(action::schemas(task, set))
            .filter(|((name, _), _)| is_own(name))
            .map(|((name, about), (_, schema))| Offered {
                name: name.to_owned(),
                about,
                schema,
                does: Does::Acts,
            })
            .collect();
        tools.extend(foreign.iter().map(|tool| Offered {
            name: tool.name.to_owned(),
            about: tool.about.to_owned(),
            schema: schema(tool.takes),
            does: Does::Stands(tool.is),
        }));
        Self { tools, set }
    }

    /// Their names.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.tools.iter().map(|tool| tool.name.as_str())
    }

    /// The tools as the protocol lists them.
    #[must_use]
    pub fn list(&self) -> Vec<Tool> {
        let tools = self.tools.iter();
        tools
            .map(|tool| {
                let schema = tool.schema.as_object().cloned().unwrap_or_default();
                Tool::new(tool.name.clone(), tool.about.clone(), Arc::new(schema))
            })
            .collect()
    }

    /// The call that a tool stands for, in a fence, or what is wrong with its arguments; none: there
    /// is no such tool.
    #[must_use]
    pub fn call(&self, name: &str, arguments: &Value) -> Option<Result<String, String>> {
        let tool = self.tools.iter().find(|tool| tool.name == name)?;
        Some(match tool.does {
            Does::Acts => Ok(action::render_tool_call(name, arguments, self.set)),
            Does::Stands(is) => is(&Arguments(arguments)).map(|action| action::render(&action)),
        })
    }
}

fn schema(takes: &[Takes]) -> Value {
    let mut properties = Map::new();
    let mut required = Vec::new();
    for Takes(name, kind, is_required, about) in takes {
        let mut property = json!({"type": kind, "description": about});
        if *kind == "array" {
            property["items"] = json!({"type": "string"});
        }
        properties.insert((*name).to_owned(), property);
        if *is_required {
            required.push(*name);
        }
    }
    json!({"type": "object", "properties": properties, "required": required})
}
