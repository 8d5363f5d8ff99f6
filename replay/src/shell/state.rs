//! What a shell remembers: variables, functions, options, positional parameters.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::ast::FunctionBody;
use super::limits;
use crate::files::HOME_FOLDER;

/// Everything that a subshell has of its own. Cheap to copy as long as little is changed.
#[derive(Debug, Clone)]
pub(super) struct State {
    pub(super) variables: Arc<BTreeMap<String, Variable>>,
    pub(super) functions: Arc<BTreeMap<String, Arc<FunctionBody>>>,
    /// `$1`, `$2`, …
    pub(super) positional: Arc<Vec<String>>,
    /// `$0`
    pub(super) name: Arc<str>,
    /// What error messages start with: the shell, or the script that runs.
    pub(super) place: Arc<str>,
    pub(super) options: Options,
    /// What the variables were that the running functions made local.
    pub(super) locals: Vec<Arc<BTreeMap<String, Option<Variable>>>>,
    pub(super) working_folder: String,
}

/// Options of `set`.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Options {
    /// `-e`
    pub(super) exit_on_error: bool,
    /// `-u`
    pub(super) unset_is_error: bool,
    /// `-f`
    pub(super) no_file_names: bool,
    /// `-a`
    pub(super) export_all: bool,
    /// `-o pipefail`
    pub(super) pipe_fails: bool,
}

/// A variable.
#[derive(Debug, Clone, Default)]
pub(super) struct Variable {
    pub(super) value: Value,
    pub(super) exported: bool,
    pub(super) readonly: bool,
    /// `declare -i`
    pub(super) integer: bool,
}

/// What a variable holds.
#[derive(Debug, Clone, Default)]
pub(super) enum Value {
    /// Declared, but without a value.
    #[default]
    Unset,
    Text(Arc<str>),
    Array(Arc<BTreeMap<u64, Arc<str>>>),
    /// `declare -A`: its order is bash's secret, so only single elements are read.
    Map(Arc<BTreeMap<String, Arc<str>>>),
}

/// Why a variable can't be changed.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum AssignError {
    #[error("{0}: readonly variable")]
    ReadOnly(String),
    #[error("{0}: bad array subscript")]
    Subscript(String),
    /// A limit, not a mistake.
    #[error("too many variables")]
    TooMany,
}

impl State {
    /// What a shell starts with.
    pub(super) fn new() -> Self {
        let mut variables = BTreeMap::new();
        for (name, value, exported) in [
            ("HOME", HOME_FOLDER, true),
            ("IFS", " \t\n", false),
            ("OPTIND", "1", false),
            (
                "PATH",
                "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
                true,
            ),
            ("PWD", "/", true),
        ] {
            let variable = Variable {
                value: Value::Text(value.into()),
                exported,
                ..Variable::default()
            };
            variables.insert(name.to_owned(), variable);
        }
        Self {
            variables: Arc::new(variables),
            functions: Arc::default(),
            positional: Arc::default(),
            name: "bash".into(),
            place: "bash".into(),
            options: Options::default(),
            locals: Vec::new(),
            working_folder: "/".to_owned(),
        }
    }

    /// The value of a variable, or of the first element of an array; none if it is unset.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        match &self.variables.get(name)?.value {
            Value::Unset => None,
            Value::Text(text) => Some(text),
            Value::Array(elements) => elements.get(&0).map(AsRef::as_ref),
            Value::Map(elements) => elements.get("0").map(AsRef::as_ref),
        }
    }

    /// Whether a variable is a `declare -A`.
    pub(super) fn is_map(&self, name: &str) -> bool {
        matches!(
            self.variables.get(name).map(|variable| &variable.value),
            Some(Value::Map(_))
        )
    }

    /// An element of an array or map; a plain variable is an array of one.
    pub(super) fn element(&self, name: &str, index: &Index) -> Option<&str> {
        match (&self.variables.get(name)?.value, index) {
            (Value::Array(elements), Index::Number(index)) => {
                let index = resolve_index(elements, *index)?;
                elements.get(&index).map(AsRef::as_ref)
            }
            (Value::Map(elements), Index::Key(key)) => elements.get(key).map(AsRef::as_ref),
            (Value::Text(text), Index::Number(0 | -1)) => Some(text),
            _ => None,
        }
    }

    /// Elements with their keys; a plain variable is an array of one.
    pub(super) fn elements(&self, name: &str) -> Vec<(String, &str)> {
        match self.variables.get(name).map(|variable| &variable.value) {
            None | Some(Value::Unset) => Vec::new(),
            Some(Value::Text(text)) => vec![("0".to_owned(), text.as_ref())],
            Some(Value::Array(elements)) => elements
                .iter()
                .map(|(index, text)| (index.to_string(), text.as_ref()))
                .collect(),
            Some(Value::Map(elements)) => elements
                .iter()
                .map(|(key, text)| (key.clone(), text.as_ref()))
                .collect(),
        }
    }

    /// The index that follows the last element of an array.
    pub(super) fn next_index(&self, name: &str) -> i64 {
        match self.variables.get(name).map(|variable| &variable.value) {
            Some(Value::Text(_)) => 1,
            Some(Value::Array(elements)) => elements
                .last_key_value()
                .and_then(|(last, _)| i64::try_from(*last).ok())
                .map_or(0, |last| last.saturating_add(1)),
            _ => 0,
        }
    }

    /// Changes a variable, which is made if it is not there.
    pub(super) fn change(
        &mut self,
        name: &str,
        change: impl FnOnce(&mut Variable) -> Result<(), AssignError>,
    ) -> Result<(), AssignError> {
        let export_all = self.options.export_all;
        if self
            .variables
            .get(name)
            .is_some_and(|variable| variable.readonly)
        {
            return Err(AssignError::ReadOnly(name.to_owned()));
        }
        if self.variables.len() >= limits::VARIABLES && !self.variables.contains_key(name) {
            return Err(AssignError::TooMany);
        }
        let variables = Arc::make_mut(&mut self.variables);
        let variable = variables.entry(name.to_owned()).or_default();
        variable.exported |= export_all;
        change(variable)
    }

    /// Assigns a text, to the first element if the variable is an array.
    pub(super) fn assign(&mut self, name: &str, text: &str) -> Result<(), AssignError> {
        self.change(name, |variable| {
            match &mut variable.value {
                Value::Array(elements) => {
                    Arc::make_mut(elements).insert(0, text.into());
                }
                Value::Map(elements) => {
                    Arc::make_mut(elements).insert("0".to_owned(), text.into());
                }
                value => *value = Value::Text(text.into()),
            }
            Ok(())
        })
    }

    /// Assigns an element.
    pub(super) fn assign_element(
        &mut self,
        name: &str,
        index: Index,
        text: &str,
    ) -> Result<(), AssignError> {
        let subscript = || AssignError::Subscript(format!("{name}[{index}]"));
        self.change(name, |variable| {
            let elements = match (&mut variable.value, &index) {
                (Value::Map(elements), Index::Key(key)) => {
                    if elements.len() >= limits::ELEMENTS && !elements.contains_key(key) {
                        return Err(AssignError::TooMany);
                    }
                    Arc::make_mut(elements).insert(key.clone(), text.into());
                    return Ok(());
                }
                (Value::Map(_), Index::Number(_)) => return Err(subscript()),
                (Value::Array(elements), _) => elements,
                (value, _) => {
                    let mut elements = BTreeMap::new();
                    if let Value::Text(first) = value {
                        elements.insert(0, Arc::clone(first));
                    }
                    *value = Value::Array(Arc::new(elements));
                    match value {
                        Value::Array(elements) => elements,
                        _ => return Err(subscript()),
                    }
                }
            };
            let Index::Number(number) = index else {
                return Err(subscript());
            };
            let number = resolve_index(elements, number).ok_or_else(subscript)?;
            if elements.len() >= limits::ELEMENTS && !elements.contains_key(&number) {
                return Err(AssignError::TooMany);
            }
            Arc::make_mut(elements).insert(number, text.into());
            Ok(())
        })
    }

    /// Removes a variable.
    pub(super) fn unset(&mut self, name: &str) -> Result<(), AssignError> {
        match self.variables.get(name) {
            None => Ok(()),
            Some(variable) if variable.readonly => Err(AssignError::ReadOnly(name.to_owned())),
            Some(_) => {
                Arc::make_mut(&mut self.variables).remove(name);
                Ok(())
            }
        }
    }

    /// Makes a variable local to the running function; tells whether there is one.
    pub(super) fn make_local(&mut self, name: &str) -> bool {
        let Some(scope) = self.locals.last_mut() else {
            return false;
        };
        if !scope.contains_key(name) {
            Arc::make_mut(scope).insert(name.to_owned(), self.variables.get(name).cloned());
            let variables = Arc::make_mut(&mut self.variables);
            variables.insert(name.to_owned(), Variable::default());
        }
        true
    }

    /// Ends the scope of a function.
    pub(super) fn leave_function(&mut self) {
        for (name, variable) in self.locals.pop().unwrap_or_default().iter() {
            self.restore(name.clone(), variable.clone());
        }
    }

    /// Puts a variable back as it was.
    pub(super) fn restore(&mut self, name: String, variable: Option<Variable>) {
        let variables = Arc::make_mut(&mut self.variables);
        match variable {
            Some(variable) => variables.insert(name, variable),
            None => variables.remove(&name),
        };
    }
}

/// Which element of an array or map.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Index {
    Number(i64),
    Key(String),
}

impl std::fmt::Display for Index {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Number(number) => write!(formatter, "{number}"),
            Self::Key(key) => formatter.write_str(key),
        }
    }
}

/// Counts a negative index from the end.
fn resolve_index(elements: &BTreeMap<u64, Arc<str>>, index: i64) -> Option<u64> {
    if index >= 0 {
        return u64::try_from(index).ok();
    }
    let end = elements.last_key_value().map_or(0, |(last, _)| last + 1);
    end.checked_sub(index.unsigned_abs())
}

/// Whether a text is the name of a variable.
pub(super) fn is_name(text: &str) -> bool {
    !text.is_empty()
        && !text.starts_with(|c: char| c.is_ascii_digit())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_are_assigned_and_restored() {
        let mut state = State::new();
        state.assign("x", "1").unwrap();
        state.locals.push(Arc::default());
        assert!(state.make_local("x") && state.text("x").is_none());
        state.assign("x", "2").unwrap();
        state.leave_function();
        assert_eq!(state.text("x"), Some("1"));
        state.unset("x").unwrap();
        assert!(state.text("x").is_none() && !state.make_local("x"));
    }

    #[test]
    fn elements_count_from_both_ends() {
        let mut state = State::new();
        state.assign("a", "first").unwrap();
        state.assign_element("a", Index::Number(5), "last").unwrap();
        assert_eq!(state.element("a", &Index::Number(-1)), Some("last"));
        assert_eq!(state.text("a"), Some("first"));
        assert_eq!(
            state.assign_element("a", Index::Number(-9), ""),
            Err(AssignError::Subscript("a[-9]".to_owned()))
        );
        let mut last = state.clone();
        last.assign_element("a", Index::Number(i64::MAX), "")
            .unwrap();
        assert_eq!(last.elements("a").len(), 3);
    }
}
