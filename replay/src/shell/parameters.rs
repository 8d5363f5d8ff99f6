//! The expansion of parameters: `$x`, `${x:-y}`, `${x#p}`, `"$@"`, …

mod operators;

use super::ast::{DefaultAction, Operator, Parameter, ParameterName, Word};
use super::blocks::too_large;
use super::expand::Piece;
use super::interpreter::{Done, Halt, Shell, unavailable};
use super::state::{Index, is_name};
use operators::{change_case, range, remove, replace, transform};

/// What a parameter stands for.
enum Found {
    One(Option<String>),
    Many { values: Vec<String>, joined: bool },
}

/// Variables that a shell has by itself and whose values are not in a recording.
const UNKNOWN: [&str; 24] = [
    "_",
    "BASH",
    "BASHPID",
    "BASH_VERSION",
    "EUID",
    "GROUPS",
    "HOSTNAME",
    "HOSTTYPE",
    "KUBECONFIG",
    "KUBERNETES_SERVICE_HOST",
    "KUBERNETES_SERVICE_PORT",
    "LINENO",
    "LOGNAME",
    "MACHTYPE",
    "OSTYPE",
    "PPID",
    "PROMPT_COMMAND",
    "RANDOM",
    "SECONDS",
    "SHELL",
    "SRANDOM",
    "TERM",
    "UID",
    "USER",
];

impl Shell<'_> {
    /// Adds what a parameter expands to.
    pub(super) async fn parameter(
        &mut self,
        parameter: &Parameter,
        in_quotes: bool,
        pieces: &mut Vec<Piece>,
    ) -> Done {
        if matches!(parameter.operator, Operator::Bad) {
            let message = format!("{}: bad substitution", parameter.source);
            self.misused(1, &message)?;
            return Err(Halt::Line);
        }
        if matches!(parameter.operator, Operator::Names | Operator::Keys) {
            let found = self.names_or_keys(parameter)?;
            return self.push(found, in_quotes, pieces);
        }
        let name = if parameter.indirect {
            self.indirect_name(parameter).await?
        } else {
            parameter.name.clone()
        };
        if let (ParameterName::Array { name, .. }, Operator::Length) = (&name, &parameter.operator)
            && self.state.is_map(name)
        {
            let length = self.state.elements(name).len().to_string();
            return self.push(Found::One(Some(length)), in_quotes, pieces);
        }
        let found = self.find(&name).await?;
        self.budget.expanded(size(&found))?;
        if let Operator::Default {
            on_empty,
            action,
            word,
        } = &parameter.operator
        {
            let is_missing = match &found {
                Found::One(None) => true,
                Found::One(Some(text)) => *on_empty && text.is_empty(),
                Found::Many { values, .. } => {
                    values.is_empty() || (*on_empty && values.iter().all(String::is_empty))
                }
            };
            self.check_known(&name, &found)?;
            return match (action, is_missing) {
                (DefaultAction::Alternative, true) => {
                    self.push(Found::One(Some(String::new())), in_quotes, pieces)
                }
                (DefaultAction::Alternative, false) | (DefaultAction::Use, true) => {
                    self.default_word(word, in_quotes, pieces).await
                }
                (DefaultAction::Assign, true) => {
                    let text = self.text(word).await?;
                    self.assign_default(&name, &text).await?;
                    self.push(Found::One(Some(text)), in_quotes, pieces)
                }
                (DefaultAction::Fail, true) => self.missing(&name, *on_empty, word).await,
                (_, false) => self.push(found, in_quotes, pieces),
            };
        }
        self.check_known(&name, &found)?;
        self.check_set(&name, &found)?;
        let found = self.operate(&parameter.operator, &name, found).await?;
        self.push(found, in_quotes, pieces)
    }

    /// The word of `${x:-word}`: what is not quoted in it is split.
    async fn default_word(
        &mut self,
        word: &Word,
        in_quotes: bool,
        pieces: &mut Vec<Piece>,
    ) -> Done {
        let mut inner = Vec::new();
        self.pieces(&word.parts, in_quotes, &mut inner).await?;
        if in_quotes && inner.is_empty() {
            inner.push(Piece::quoted(""));
        }
        for piece in &mut inner {
            if let Piece::Text { quoted, split, .. } = piece {
                *split = !*quoted;
            }
        }
        pieces.append(&mut inner);
        Ok(())
    }

    async fn missing(&mut self, name: &ParameterName, on_empty: bool, word: &Word) -> Done {
        let mut message = self.text(word).await?;
        if message.is_empty() {
            message = if on_empty {
                "parameter null or not set".to_owned()
            } else {
                "parameter not set".to_owned()
            };
        }
        let message = format!("{}: {message}", shown(name));
        self.misused(127, &message)?;
        Err(Halt::Exit)
    }

    async fn assign_default(&mut self, name: &ParameterName, text: &str) -> Done {
        match name {
            ParameterName::Variable(name) => {
                self.assign_text(name, None, text, false)?;
                Ok(())
            }
            ParameterName::Element(name, index) => {
                let index = self.index(name, index).await?;
                self.assign_text(name, Some(index), text, false)?;
                Ok(())
            }
            other => {
                let message = format!("{}: cannot assign in this way", shown(other));
                self.misused(1, &message)?;
                Err(Halt::Line)
            }
        }
    }

    async fn indirect_name(&mut self, parameter: &Parameter) -> Result<ParameterName, Halt> {
        let found = self.find(&parameter.name).await?;
        let text = match found {
            Found::One(text) => text.unwrap_or_default(),
            Found::Many { values, .. } => values.join(" "),
        };
        if is_name(&text) {
            return Ok(ParameterName::Variable(text));
        }
        if let Ok(number) = text.parse::<usize>()
            && number > 0
        {
            return Ok(ParameterName::Positional(number));
        }
        if let Some((name, bracket)) = text.split_once('[')
            && is_name(name)
            && matches!(bracket, "@]" | "*]")
        {
            return Ok(ParameterName::Array {
                name: name.to_owned(),
                joined: bracket == "*]",
            });
        }
        let message = if text.is_empty() {
            format!("{}: invalid indirect expansion", shown(&parameter.name))
        } else {
            format!("{text}: invalid variable name")
        };
        self.misused(1, &message)?;
        Err(Halt::Line)
    }

    fn names_or_keys(&mut self, parameter: &Parameter) -> Result<Found, Halt> {
        let values = match &parameter.name {
            ParameterName::Array { name, .. } => {
                self.check_order(name)?;
                let keys = self.state.elements(name);
                keys.into_iter().map(|(key, _)| key).collect()
            }
            ParameterName::Variable(prefix) => self
                .state
                .variables
                .keys()
                .filter(|name| name.starts_with(prefix.as_str()))
                .cloned()
                .collect(),
            _ => Vec::new(),
        };
        Ok(Found::Many {
            values,
            joined: false,
        })
    }

    async fn find(&mut self, name: &ParameterName) -> Result<Found, Halt> {
        Ok(match name {
            ParameterName::Variable(name) if name == "EPOCHSECONDS" => {
                let seconds = self.view().now().div_euclid(1_000_000_000);
                Found::One(Some(seconds.to_string()))
            }
            ParameterName::Variable(name) if name == "PIPESTATUS" => {
                Found::One(self.pipe_statuses.first().map(i32::to_string))
            }
            ParameterName::Variable(name) => Found::One(self.state.text(name).map(str::to_owned)),
            ParameterName::Element(name, index) => {
                let index = self.index(name, index).await?;
                if let (Index::Number(number), "PIPESTATUS") = (&index, name.as_str()) {
                    let position = usize::try_from(*number).ok();
                    let status = position.and_then(|position| self.pipe_statuses.get(position));
                    return Ok(Found::One(status.map(i32::to_string)));
                }
                Found::One(self.state.element(name, &index).map(str::to_owned))
            }
            ParameterName::Array { name, joined } => {
                self.check_order(name)?;
                let values = if name == "PIPESTATUS" {
                    self.pipe_statuses.iter().map(i32::to_string).collect()
                } else {
                    let elements = self.state.elements(name);
                    elements
                        .into_iter()
                        .map(|(_, text)| text.to_owned())
                        .collect()
                };
                Found::Many {
                    values,
                    joined: *joined,
                }
            }
            ParameterName::Positional(number) => Found::One(
                number
                    .checked_sub(1)
                    .and_then(|position| self.state.positional.get(position))
                    .cloned(),
            ),
            ParameterName::AllPositional { joined } => Found::Many {
                values: self.state.positional.as_ref().clone(),
                joined: *joined,
            },
            ParameterName::Special(character) => Found::One(self.special(*character)?),
        })
    }

    fn special(&self, character: char) -> Result<Option<String>, Halt> {
        Ok(match character {
            '#' => Some(self.state.positional.len().to_string()),
            '?' => Some(self.status.to_string()),
            '0' => Some(self.state.name.to_string()),
            '-' => {
                let options = self.state.options;
                let mut letters = String::new();
                for (is_set, letter) in [
                    (options.export_all, 'a'),
                    (options.exit_on_error, 'e'),
                    (options.no_file_names, 'f'),
                    (true, 'h'),
                    (options.unset_is_error, 'u'),
                    (true, 'B'),
                    (true, 'c'),
                ] {
                    if is_set {
                        letters.push(letter);
                    }
                }
                Some(letters)
            }
            // No command runs in the background.
            '!' => None,
            other => return Err(unavailable(&format!("${other}")).into()),
        })
    }

    /// The order of a `declare -A` is bash's secret.
    fn check_order(&self, name: &str) -> Done {
        if self.state.is_map(name) && self.state.elements(name).len() > 1 {
            return Err(unavailable("the order of an associative array").into());
        }
        Ok(())
    }

    /// What a shell would have by itself is not known to be unset.
    fn check_known(&self, name: &ParameterName, found: &Found) -> Done {
        if let (ParameterName::Variable(name), Found::One(None)) = (name, found)
            && UNKNOWN.contains(&name.as_str())
        {
            return Err(unavailable(&format!("${name}")).into());
        }
        Ok(())
    }

    /// `set -u`
    fn check_set(&mut self, name: &ParameterName, found: &Found) -> Done {
        if self.state.options.unset_is_error && matches!(found, Found::One(None)) {
            let message = format!("{}: unbound variable", shown(name));
            let status = if self.state.options.exit_on_error {
                1
            } else {
                127
            };
            self.misused(status, &message)?;
            return Err(Halt::Exit);
        }
        Ok(())
    }

    async fn operate(
        &mut self,
        operator: &Operator,
        name: &ParameterName,
        found: Found,
    ) -> Result<Found, Halt> {
        match operator {
            Operator::Length => {
                let length = match found {
                    Found::One(text) => text.unwrap_or_default().chars().count(),
                    Found::Many { values, .. } => values.len(),
                };
                Ok(Found::One(Some(length.to_string())))
            }
            Operator::Slice { offset, length } => {
                let offset = self.arithmetic(offset, "").await?;
                let length = match length {
                    Some(length) => Some(self.arithmetic(length, "").await?),
                    None => None,
                };
                self.slice(name, found, offset, length)
            }
            Operator::Remove {
                suffix,
                longest,
                pattern,
            } => {
                let pattern = self.pattern(pattern).await?;
                each(found, |text| remove(&text, &pattern, *suffix, *longest))
            }
            Operator::Replace {
                place,
                pattern,
                replacement,
            } => {
                let pattern = self.pattern(pattern).await?;
                let mut pieces = Vec::new();
                self.pieces(&replacement.parts, false, &mut pieces).await?;
                each(found, |text| replace(&text, *place, &pattern, &pieces))
            }
            Operator::Case {
                upper,
                all,
                pattern,
            } => {
                let pattern = match pattern {
                    Some(pattern) => {
                        let pattern = self.pattern(pattern).await?;
                        Some(pattern.matcher().map_err(too_large)?)
                    }
                    None => None,
                };
                each(found, |text| {
                    Ok(change_case(&text, *upper, *all, pattern.as_ref()))
                })
            }
            Operator::Transform(letter) => each(found, |text| transform(&text, *letter)),
            _ => Ok(found),
        }
    }

    fn slice(
        &mut self,
        name: &ParameterName,
        found: Found,
        offset: i64,
        length: Option<i64>,
    ) -> Result<Found, Halt> {
        match found {
            Found::One(None) => Ok(Found::One(None)),
            Found::One(Some(text)) => {
                let characters: Vec<char> = text.chars().collect();
                let Some(range) = range(characters.len(), offset, length, true) else {
                    let message = format!("{}: substring expression < 0", length.unwrap_or(0));
                    self.misused(1, &message)?;
                    return Err(Halt::Line);
                };
                let slice = characters.get(range).unwrap_or_default();
                Ok(Found::One(Some(slice.iter().collect())))
            }
            Found::Many { mut values, joined } => {
                if matches!(name, ParameterName::AllPositional { .. }) {
                    values.insert(0, self.state.name.to_string());
                }
                let Some(range) = range(values.len(), offset, length, false) else {
                    let message = format!("{}: substring expression < 0", length.unwrap_or(0));
                    self.misused(1, &message)?;
                    return Err(Halt::Line);
                };
                let values = values.get(range).unwrap_or_default().to_vec();
                Ok(Found::Many { values, joined })
            }
        }
    }

    fn push(&mut self, found: Found, in_quotes: bool, pieces: &mut Vec<Piece>) -> Done {
        match found {
            Found::One(text) => {
                let text = text.unwrap_or_default();
                self.budget.expanded(text.len())?;
                pieces.push(Piece::expanded(text, in_quotes));
            }
            Found::Many { values, joined } => {
                for value in &values {
                    self.budget.expanded(value.len())?;
                }
                if joined && in_quotes {
                    let separators = self.state.text("IFS").unwrap_or(" ");
                    let separator = separators.chars().next();
                    let separator = separator.map(String::from).unwrap_or_default();
                    pieces.push(Piece::quoted(values.join(&separator)));
                    return Ok(());
                }
                for (position, value) in values.into_iter().enumerate() {
                    if position > 0 {
                        pieces.push(Piece::Boundary);
                    }
                    pieces.push(Piece::expanded(value, in_quotes));
                }
            }
        }
        Ok(())
    }
}

/// A parameter as error messages name it.
fn shown(name: &ParameterName) -> String {
    match name {
        ParameterName::Variable(name) => name.clone(),
        ParameterName::Element(name, index) => format!("{name}[{}]", index.source),
        ParameterName::Array { name, joined } => {
            format!("{name}[{}]", if *joined { '*' } else { '@' })
        }
        ParameterName::Positional(number) => format!("${number}"),
        ParameterName::AllPositional { joined } => (if *joined { "$*" } else { "$@" }).to_owned(),
        ParameterName::Special(character) => format!("${character}"),
    }
}

/// Bytes of what was found, with something for every value.
fn size(found: &Found) -> usize {
    match found {
        Found::One(text) => text.as_ref().map_or(0, String::len),
        Found::Many { values, .. } => values.iter().map(|value| value.len() + 16).sum(),
    }
}

/// Changes every value; one that is unset is empty.
fn each(found: Found, change: impl Fn(String) -> Result<String, Halt>) -> Result<Found, Halt> {
    Ok(match found {
        Found::One(text) => Found::One(Some(change(text.unwrap_or_default())?)),
        Found::Many { values, joined } => Found::Many {
            values: values.into_iter().map(change).collect::<Result<_, _>>()?,
            joined,
        },
    })
}
