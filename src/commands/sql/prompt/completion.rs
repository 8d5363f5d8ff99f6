//! What the prompt helps with: names that complete, and statements that go on in the next line.

use std::collections::{BTreeMap, BTreeSet};

use aiopslab_replay::SqlSession;
use rustyline::completion::{Completer, Pair};
use rustyline::highlight::Highlighter;
use rustyline::hint::Hinter;
use rustyline::validate::{ValidationContext, ValidationResult, Validator};
use rustyline::{Context, Helper};

use super::super::statements::Statements;
use super::commands::{COMMANDS, Command};
use crate::queries::queries;

const KEYWORDS: &str = "ALL ANALYZE AND ANTI AS ASC BETWEEN BY CASE CAST CROSS DESC DESCRIBE DISTINCT ELSE END \
EXCEPT EXISTS EXPLAIN FALSE FILTER FROM FULL GROUP HAVING ILIKE IN INNER INTERSECT INTERVAL IS JOIN LEFT LIKE \
LIMIT NOT NULL NULLS OFFSET ON OR ORDER OVER PARTITION QUALIFY RIGHT SELECT SEMI SHOW TABLES THEN TRUE UNION \
USING VALUES WHEN WHERE WITH WITHIN";

/// Columns that have to be in quotes.
const RESERVED: [&str; 5] = ["end", "from", "group", "table", "to"];

/// The names that there are.
#[derive(Default)]
pub(super) struct Assistant {
    /// Each table's columns.
    tables: BTreeMap<String, Vec<String>>,
    functions: Vec<String>,
}

impl Assistant {
    pub(super) async fn of(session: &SqlSession) -> Self {
        let mut tables = BTreeMap::new();
        for table in session.tables() {
            tables.insert(table.clone(), session.columns(table).await);
        }
        Self {
            tables,
            functions: session.functions(),
        }
    }

    /// What may stand in place of a word.
    fn candidates(&self, before: &str, word: &str) -> Vec<String> {
        let tables = || self.tables.keys().cloned();
        let named = |names: &mut dyn Iterator<Item = String>| -> Vec<String> {
            names.filter(|name| starts_with(name, word)).collect()
        };
        match before.trim_start() {
            "" if word.starts_with('\\') => {
                return named(&mut COMMANDS.iter().map(|(name, _)| (*name).to_owned()));
            }
            "\\d " => return named(&mut tables()),
            "\\format " | "\\o " => {
                return named(&mut ["csv", "json", "table"].map(str::to_owned).into_iter());
            }
            "\\query " => return named(&mut queries().iter().map(|query| query.name.to_owned())),
            _ => {}
        }
        if word.is_empty() {
            return Vec::new();
        }
        if let Some((table, start)) = word.split_once('.')
            && let Some(columns) = self.tables.get(table)
        {
            let of_table = columns.iter().filter(|column| starts_with(column, start));
            return of_table
                .map(|column| format!("{table}.{}", quoted(column)))
                .collect();
        }
        let columns: BTreeSet<&String> = self.tables.values().flatten().collect();
        let is_upper = word.chars().all(|letter| !letter.is_lowercase());
        let keywords = KEYWORDS.split_whitespace().map(|keyword| match is_upper {
            true => keyword.to_owned(),
            false => keyword.to_lowercase(),
        });
        let functions = self.functions.iter().map(|name| format!("{name}("));
        let columns = columns.into_iter().filter(|name| starts_with(name, word));
        let columns: Vec<String> = columns.map(|column| quoted(column)).collect();
        let mut found = named(&mut tables().chain(keywords).chain(functions));
        found.extend(columns);
        found.sort();
        found.dedup();
        found
    }
}

fn starts_with(name: &str, word: &str) -> bool {
    name.get(..word.len())
        .is_some_and(|start| start.eq_ignore_ascii_case(word))
}

fn quoted(column: &str) -> String {
    match RESERVED.contains(&column) {
        true => format!("\"{column}\""),
        false => column.to_owned(),
    }
}

impl Helper for Assistant {}
impl Highlighter for Assistant {}

impl Hinter for Assistant {
    type Hint = String;
}

impl Validator for Assistant {
    fn validate(&self, context: &mut ValidationContext<'_>) -> rustyline::Result<ValidationResult> {
        let text = context.input();
        let is_done = Command::parse(text).is_some() || Statements::of(text).is_complete();
        Ok(match is_done {
            true => ValidationResult::Valid(None),
            false => ValidationResult::Incomplete,
        })
    }
}

impl Completer for Assistant {
    type Candidate = Pair;

    fn complete(
        &self,
        line: &str,
        position: usize,
        _: &Context<'_>,
    ) -> rustyline::Result<(usize, Vec<Pair>)> {
        let before = line.get(..position).unwrap_or_default();
        let is_name = |letter: char| letter.is_alphanumeric() || "_.\\-".contains(letter);
        let start = before
            .rfind(|letter: char| !is_name(letter))
            .map_or(0, |at| {
                at + before[at..].chars().next().map_or(1, char::len_utf8)
            });
        let (before, word) = before.split_at(start);
        let candidates = self.candidates(before, word).into_iter();
        let pairs = candidates.map(|name| Pair {
            display: name.clone(),
            replacement: name,
        });
        Ok((start, pairs.collect()))
    }
}

#[cfg(test)]
mod tests {
    use rustyline::history::MemHistory;

    use super::*;

    #[test]
    fn names_complete_where_they_may_stand() {
        let columns = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        let assistant = Assistant {
            tables: BTreeMap::from([
                ("spans".to_owned(), columns(&["snapshot", "service", "end"])),
                ("raw.spans".to_owned(), columns(&["snapshot"])),
            ]),
            functions: columns(&["age", "sum"]),
        };
        let history = MemHistory::new();
        let complete = |line: &str| -> Vec<String> {
            let (_, found) = assistant
                .complete(line, line.len(), &Context::new(&history))
                .unwrap();
            found.into_iter().map(|pair| pair.replacement).collect()
        };
        assert_eq!(complete("select se"), ["select", "semi", "service"]);
        assert_eq!(complete("SELECT SU"), ["sum("]);
        assert_eq!(complete("select spans.e"), ["spans.\"end\""]);
        assert_eq!(complete("\\d s"), ["spans"]);
        assert_eq!(complete("\\tim"), ["\\timing"]);
        assert_eq!(complete("\\query restar"), ["restarts"]);
        assert_eq!(complete("\\format c"), ["csv"]);
        assert!(complete("select ").is_empty());
        assert!(complete("zzz").is_empty());
    }
}
