//! What `test`, `[ ]` and `[[ ]]` ask.

use super::ast::{Test, Word};
use super::blocks::too_large;
use super::interpreter::{Halt, Shell, unavailable, unknown_path};
use super::state::{Index, Value};
use futures::future::BoxFuture;
use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::sync::Arc;

impl Shell<'_> {
    /// Whether the expression of `[[ ]]` holds; none if it makes no sense, which is printed.
    pub(super) fn test<'s>(
        &'s mut self,
        test: &'s Test,
    ) -> BoxFuture<'s, Result<Option<bool>, Halt>> {
        Box::pin(async move {
            match test {
                Test::Or(left, right) => match self.test(left).await? {
                    Some(false) => self.test(right).await,
                    other => Ok(other),
                },
                Test::And(left, right) => match self.test(left).await? {
                    Some(true) => self.test(right).await,
                    other => Ok(other),
                },
                Test::Not(inner) => Ok(self.test(inner).await?.map(|holds| !holds)),
                Test::NotEmpty(word) => Ok(Some(!self.text(word).await?.is_empty())),
                Test::Unary(operator, word) => {
                    let operand = self.text(word).await?;
                    self.unary(operator, &operand).map(Some)
                }
                Test::Binary(left, operator, right) => self.binary(left, operator, right).await,
            }
        })
    }

    async fn binary(
        &mut self,
        left: &Word,
        operator: &str,
        right: &Word,
    ) -> Result<Option<bool>, Halt> {
        let left = self.text(left).await?;
        match operator {
            "==" | "=" | "!=" => {
                let pattern = self.pattern(right).await?;
                let matches = pattern.matches(&left).map_err(too_large)?;
                Ok(Some(matches == (operator != "!=")))
            }
            "=~" => {
                let regex = self.regex(right).await?;
                self.matches_regex(&left, &regex)
            }
            "<" | ">" => {
                let right = self.text(right).await?;
                Ok(Some(compare_texts(&left, operator, &right)))
            }
            "-nt" | "-ot" | "-ef" => Err(unavailable(&format!("[[ {operator} ]]")).into()),
            _ => {
                let right = self.text(right).await?;
                let left = self.evaluate(&left, "[[: ")?;
                let right = self.evaluate(&right, "[[: ")?;
                Ok(Some(compare_numbers(left, operator, right)))
            }
        }
    }

    /// `=~` keeps what matched in `BASH_REMATCH`.
    fn matches_regex(&mut self, text: &str, regex: &str) -> Result<Option<bool>, Halt> {
        let Ok(compiled) = regex::Regex::new(&translate(regex)) else {
            self.status = 2;
            self.verdict = self
                .verdict
                .max(aiopslab_problems::environment::Verdict::Invalid);
            return Ok(None);
        };
        let mut groups: BTreeMap<u64, Arc<str>> = BTreeMap::new();
        let captures = compiled.captures(text);
        for (position, group) in captures.iter().flat_map(|found| found.iter().enumerate()) {
            let matched = group.map_or("", |group| group.as_str());
            self.budget.expanded(matched.len())?;
            groups.insert(u64::try_from(position).unwrap_or(0), matched.into());
        }
        let kept = self.state.change("BASH_REMATCH", |variable| {
            variable.value = Value::Array(Arc::new(groups));
            Ok(())
        });
        if let Err(error) = kept {
            self.not_assigned(&error)?;
        }
        Ok(Some(captures.is_some()))
    }

    /// A test of one operand, such as `-z` or `-f`.
    pub(super) fn unary(&mut self, operator: &str, operand: &str) -> Result<bool, Halt> {
        match operator {
            "-z" => Ok(operand.is_empty()),
            "-n" => Ok(!operand.is_empty()),
            "-v" => Ok(match operand.split_once('[') {
                Some((name, index)) => {
                    let index = index.trim_end_matches(']');
                    let index = if self.state.is_map(name) {
                        Index::Key(index.to_owned())
                    } else {
                        Index::Number(self.evaluate(index, "")?)
                    };
                    self.state.element(name, &index).is_some()
                }
                None => self.state.text(operand).is_some(),
            }),
            // No descriptor is a terminal.
            "-t" => Ok(false),
            "-e" | "-a" | "-f" | "-d" | "-s" | "-r" | "-w" => self.file_is(operator, operand),
            "-L" | "-h" | "-p" | "-S" | "-b" | "-c" | "-g" | "-k" | "-u" => {
                // Files of the episode are plain ones.
                self.file_is("-e", operand).map(|_| false)
            }
            other => Err(unavailable(&format!("test {other}")).into()),
        }
    }

    fn file_is(&self, operator: &str, path: &str) -> Result<bool, Halt> {
        if path.is_empty() {
            return Ok(false);
        }
        if let Some(text) = self.files.read(path) {
            return Ok(match operator {
                "-d" => false,
                "-s" => !text.is_empty(),
                _ => true,
            });
        }
        let absolute = self.files.resolve(path);
        if self.files.is_folder(path) {
            return Ok(operator != "-f");
        }
        if matches!(
            absolute.as_str(),
            "/dev/null" | "/dev/stdin" | "/dev/stdout" | "/dev/stderr"
        ) {
            return Ok(matches!(operator, "-e" | "-a" | "-r" | "-w"));
        }
        if self.files.is_known(path) {
            return Ok(false);
        }
        Err(unknown_path(path).into())
    }
}

/// `<` and `>` of texts.
pub(super) fn compare_texts(left: &str, operator: &str, right: &str) -> bool {
    let ordering = left.cmp(right);
    ordering
        == if operator == "<" {
            Ordering::Less
        } else {
            Ordering::Greater
        }
}

/// `-eq` and the like.
pub(super) fn compare_numbers(left: i64, operator: &str, right: i64) -> bool {
    match operator {
        "-eq" => left == right,
        "-ne" => left != right,
        "-lt" => left < right,
        "-le" => left <= right,
        "-gt" => left > right,
        _ => left >= right,
    }
}

/// A POSIX regular expression in the syntax of the `regex` crate: in brackets a backslash and an
/// opening bracket stand for themselves.
fn translate(regex: &str) -> String {
    let mut translated = String::with_capacity(regex.len());
    let mut characters = regex.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '\\' => {
                translated.push('\\');
                match characters.next() {
                    // Escaped letters have no meaning of their own.
                    Some(next) if next.is_ascii_alphanumeric() && !"wWsSbB".contains(next) => {
                        translated.pop();
                        translated.push(next);
                    }
                    Some(next) => translated.push(next),
                    None => translated.push('\\'),
                }
            }
            '[' => {
                translated.push('[');
                if characters.next_if_eq(&'^').is_some() {
                    translated.push('^');
                }
                if characters.next_if_eq(&']').is_some() {
                    translated.push_str("\\]");
                }
                while let Some(next) = characters.next() {
                    match next {
                        ']' => {
                            translated.push(']');
                            break;
                        }
                        '[' if characters.peek() == Some(&':') => {
                            translated.push('[');
                            for inner in characters.by_ref() {
                                translated.push(inner);
                                if inner == ']' {
                                    break;
                                }
                            }
                        }
                        '[' | '\\' | '&' | '~' => translated.extend(['\\', next]),
                        next => translated.push(next),
                    }
                }
            }
            character => translated.push(character),
        }
    }
    translated
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn posix_expressions_are_translated() {
        for (regex, text, expected) in [
            ("^a[[:digit:]]+$", "a12", true),
            ("[]x]", "]", true),
            ("[\\.]", "\\", true),
            ("a\\.b", "axb", false),
            ("[a-z]&&[0]", "b&&0", true),
        ] {
            let compiled = regex::Regex::new(&translate(regex)).unwrap();
            assert_eq!(compiled.is_match(text), expected, "{regex}");
        }
    }
}
