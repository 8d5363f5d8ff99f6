//! From words to arguments: substitution, splitting, file names, removal of quotes.

use super::ast::{Part, Word};
use super::interpreter::{Done, Halt, Running, Shell};
use super::pattern::Pattern;
use super::state::{AssignError, Index, State};
use super::{arithmetic, braces, limits};
use crate::files::HOME_FOLDER;

/// A piece of an expanded word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Piece {
    Text {
        text: String,
        /// Neither split nor a pattern.
        quoted: bool,
        /// The result of an expansion, which is split.
        split: bool,
    },
    /// Between the elements of `$@`.
    Boundary,
}

impl Piece {
    /// Text that stands for itself.
    pub(super) fn quoted(text: impl Into<String>) -> Self {
        Self::Text {
            text: text.into(),
            quoted: true,
            split: false,
        }
    }

    /// The result of an expansion.
    pub(super) fn expanded(text: impl Into<String>, in_quotes: bool) -> Self {
        Self::Text {
            text: text.into(),
            quoted: in_quotes,
            split: !in_quotes,
        }
    }
}

/// A field before its quotes are gone: texts with whether they were quoted.
type Field = Vec<(String, bool)>;

impl Shell<'_> {
    /// The arguments that words become.
    pub(super) async fn fields(&mut self, words: &[Word]) -> Result<Vec<String>, Halt> {
        let mut fields = Vec::new();
        for word in words {
            let words = braces::expand(word).map_err(|_| limits::exceeded("too many words"))?;
            for word in &words {
                let pieces = self.expanded_pieces(word).await?;
                let separators = self.state.text("IFS").unwrap_or(" \t\n").to_owned();
                for field in split(pieces, &separators) {
                    self.file_names(field, &mut fields)?;
                    if fields.len() > limits::WORDS {
                        return Err(limits::exceeded("too many words").into());
                    }
                }
            }
        }
        for field in &fields {
            self.budget.expanded(field.len())?;
        }
        Ok(fields)
    }

    async fn expanded_pieces(&mut self, word: &Word) -> Result<Vec<Piece>, Halt> {
        let mut pieces = Vec::new();
        self.pieces(&word.parts, false, &mut pieces).await?;
        Ok(pieces)
    }

    /// The text of a word that is not split, such as an assigned value.
    pub(super) async fn text(&mut self, word: &Word) -> Result<String, Halt> {
        let pieces = self.expanded_pieces(word).await?;
        let text = joined(&pieces);
        self.budget.expanded(text.len())?;
        Ok(text)
    }

    /// A word as a pattern: what is quoted stands for itself.
    pub(super) async fn pattern(&mut self, word: &Word) -> Result<Pattern, Halt> {
        let pieces = self.expanded_pieces(word).await?;
        let pattern = Pattern::parse(pieces.iter().map(|piece| match piece {
            Piece::Text { text, quoted, .. } => (text.as_str(), *quoted),
            Piece::Boundary => (" ", true),
        }));
        self.budget.compiled(pattern.elements())?;
        Ok(pattern)
    }

    /// A word as a regular expression: what is quoted stands for itself.
    pub(super) async fn regex(&mut self, word: &Word) -> Result<String, Halt> {
        let pieces = self.expanded_pieces(word).await?;
        let regex: String = pieces
            .iter()
            .map(|piece| match piece {
                Piece::Text {
                    text, quoted: true, ..
                } => regex::escape(text),
                Piece::Text { text, .. } => text.clone(),
                Piece::Boundary => " ".to_owned(),
            })
            .collect();
        self.budget.compiled(regex.len())?;
        Ok(regex)
    }

    /// Expands the parts of a word.
    pub(super) fn pieces<'s>(
        &'s mut self,
        parts: &'s [Part],
        in_quotes: bool,
        pieces: &'s mut Vec<Piece>,
    ) -> Running<'s> {
        Box::pin(async move {
            for part in parts {
                self.part(part, in_quotes, pieces).await?;
            }
            Ok(())
        })
    }

    async fn part(&mut self, part: &Part, in_quotes: bool, pieces: &mut Vec<Piece>) -> Done {
        match part {
            Part::Literal(text) => pieces.push(Piece::Text {
                text: text.clone(),
                quoted: in_quotes,
                split: false,
            }),
            Part::Quoted(text) => pieces.push(Piece::quoted(text.as_str())),
            Part::Double(inner) => {
                let before = pieces.len();
                self.pieces(inner, true, pieces).await?;
                // `""` is a word, `"$@"` of nothing is none.
                let may_vanish = !inner.is_empty() && inner.iter().all(is_list);
                if pieces.len() == before && !may_vanish {
                    pieces.push(Piece::quoted(""));
                }
            }
            Part::Tilde(user) => pieces.push(Piece::quoted(self.home(user))),
            Part::Parameter(parameter) => self.parameter(parameter, in_quotes, pieces).await?,
            Part::Command(list) => {
                let text = self.substitute(list).await?;
                pieces.push(Piece::expanded(text, in_quotes));
            }
            Part::Arithmetic(expression) => {
                let value = self.arithmetic(expression, "").await?;
                pieces.push(Piece::expanded(value.to_string(), in_quotes));
            }
            Part::Process(list) => {
                let text = self.captured(list).await?;
                let path = self.process_file(text)?;
                pieces.push(Piece::quoted(path));
            }
        }
        Ok(())
    }

    fn home(&self, user: &str) -> String {
        let variable = match user {
            "" => "HOME",
            "+" => "PWD",
            "-" => "OLDPWD",
            "root" => return HOME_FOLDER.to_owned(),
            _ => return format!("~{user}"),
        };
        match (self.state.text(variable), user) {
            (Some(folder), _) => folder.to_owned(),
            (None, "") => HOME_FOLDER.to_owned(),
            (None, _) => format!("~{user}"),
        }
    }

    /// The value of an arithmetic expression.
    pub(super) async fn arithmetic(&mut self, word: &Word, prefix: &str) -> Result<i64, Halt> {
        let text = self.text(word).await?;
        self.evaluate(&text, prefix)
    }

    /// Evaluates an arithmetic expression; a mistake in it ends the line.
    pub(super) fn evaluate(&mut self, expression: &str, prefix: &str) -> Result<i64, Halt> {
        if expression.len() > limits::INPUT_BYTES {
            return Err(limits::exceeded("expressions of more than 16384 bytes").into());
        }
        match arithmetic::evaluate(expression, &mut self.state) {
            Ok(value) => Ok(value),
            Err(error) => {
                if error == AssignError::TooMany.to_string() {
                    self.not_assigned(&AssignError::TooMany)?;
                }
                let expression = expression.trim_start();
                self.misused(1, &format!("{prefix}{expression}: {error}"))?;
                Err(Halt::Line)
            }
        }
    }

    /// The index of an element: a number, or the key of a `declare -A`.
    pub(super) async fn index(&mut self, name: &str, word: &Word) -> Result<Index, Halt> {
        let text = self.text(word).await?;
        if self.state.is_map(name) {
            return Ok(Index::Key(text));
        }
        Ok(Index::Number(self.evaluate(&text, "")?))
    }
}

impl arithmetic::Names for State {
    fn get(&self, name: &str, index: Option<i64>) -> Result<String, String> {
        let value = match index {
            None => self.text(name),
            Some(index) => self.element(name, &Index::Number(index)),
        };
        match value {
            Some(text) => Ok(text.to_owned()),
            None if self.options.unset_is_error && index.is_none() => {
                Err(format!("{name}: unbound variable"))
            }
            None => Ok(String::new()),
        }
    }

    fn set(&mut self, name: &str, index: Option<i64>, value: i64) -> Result<(), String> {
        let text = value.to_string();
        let assigned = match index {
            None => self.assign(name, &text),
            Some(index) => self.assign_element(name, Index::Number(index), &text),
        };
        assigned.map_err(|error| error.to_string())
    }
}

/// Whether a part can be nothing at all within quotes.
fn is_list(part: &Part) -> bool {
    use super::ast::ParameterName;
    matches!(part, Part::Parameter(parameter) if matches!(
        parameter.name,
        ParameterName::AllPositional { joined: false } | ParameterName::Array { joined: false, .. }
    ))
}

/// The text of pieces that are not split.
fn joined(pieces: &[Piece]) -> String {
    pieces
        .iter()
        .map(|piece| match piece {
            Piece::Text { text, .. } => text.as_str(),
            Piece::Boundary => " ",
        })
        .collect()
}

/// Splits the results of expansions at the separators (`IFS`).
fn split(pieces: Vec<Piece>, separators: &str) -> Vec<Field> {
    let mut fields = Vec::new();
    let mut current: Option<Field> = None;
    // A blank ended the last field: a separator that follows belongs to it.
    let mut after_blank = false;
    for piece in pieces {
        let (text, quoted, is_split) = match piece {
            Piece::Boundary => {
                fields.extend(current.take());
                after_blank = false;
                continue;
            }
            Piece::Text {
                text,
                quoted,
                split,
            } => (text, quoted, split),
        };
        if !is_split {
            if quoted || !text.is_empty() {
                current.get_or_insert_default().push((text, quoted));
                after_blank = false;
            }
            continue;
        }
        let mut run = String::new();
        for character in text.chars() {
            if !separators.contains(character) {
                run.push(character);
                continue;
            }
            if !run.is_empty() {
                let field = current.get_or_insert_default();
                field.push((std::mem::take(&mut run), false));
                after_blank = false;
            }
            let is_blank = matches!(character, ' ' | '\t' | '\n');
            match (current.take(), is_blank) {
                (Some(field), _) => {
                    fields.push(field);
                    after_blank = is_blank;
                }
                (None, true) => {}
                (None, false) if after_blank => after_blank = false,
                (None, false) => fields.push(Vec::new()),
            }
        }
        if !run.is_empty() {
            current.get_or_insert_default().push((run, false));
            after_blank = false;
        }
    }
    fields.extend(current);
    fields
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(texts: &[(&str, bool)], separators: &str, expected: &[&str]) {
        let pieces = texts
            .iter()
            .map(|(text, split)| Piece::Text {
                text: (*text).to_owned(),
                quoted: !split,
                split: *split,
            })
            .collect();
        let fields: Vec<String> = split(pieces, separators)
            .into_iter()
            .map(|field| field.into_iter().map(|(text, _)| text).collect())
            .collect();
        assert_eq!(fields, expected, "{texts:?}");
    }

    #[test]
    fn expansions_are_split() {
        check(&[("a  b\nc ", true)], " \t\n", &["a", "b", "c"]);
        check(&[("  ", true)], " \t\n", &[]);
        check(&[("", false)], " \t\n", &[""]);
        check(&[("x", false), (" a", true)], " \t\n", &["x", "a"]);
        check(
            &[("x", false), ("a b", true), ("y", false)],
            " ",
            &["xa", "by"],
        );
        check(&[("a::b:", true)], ":", &["a", "", "b"]);
        check(&[("a : b", true)], " :", &["a", "b"]);
        check(&[("a b", true)], "", &["a b"]);
    }
}
