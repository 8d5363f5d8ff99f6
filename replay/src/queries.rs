//! Named queries: SQL files whose header says what they show and take.
//!
//! A header line is `-- title: TEXT`, `-- parameter: NAME = 'DEFAULT' : TEXT` or
//! `-- column: NAME : TEXT`. A parameter stands in the query as `$NAME` and is always text.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use regex::{Captures, Regex};

use crate::error::{ReplayError, Result};

const SOURCES: [(&str, &str); 3] = [
    (
        "error-spans-by-edge",
        include_str!("../../queries/error-spans-by-edge.sql"),
    ),
    ("restarts", include_str!("../../queries/restarts.sql")),
    (
        "what-changed",
        include_str!("../../queries/what-changed.sql"),
    ),
];

/// A query that ships with the program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedQuery {
    /// Its name.
    pub name: &'static str,
    /// One line: what it shows.
    pub title: &'static str,
    /// What it takes.
    pub parameters: Vec<Parameter>,
    /// Its columns: name and meaning.
    pub columns: Vec<(&'static str, &'static str)>,
    /// Its text, header included.
    pub sql: &'static str,
}

/// A parameter of a named query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parameter {
    /// Its name.
    pub name: &'static str,
    /// Its value where none is given.
    pub default: &'static str,
    /// What it does.
    pub description: &'static str,
}

/// Every named query, sorted by name.
#[must_use]
pub fn queries() -> &'static [NamedQuery] {
    static QUERIES: LazyLock<Vec<NamedQuery>> =
        LazyLock::new(|| SOURCES.iter().map(|(name, sql)| parse(name, sql)).collect());
    &QUERIES
}

/// The named query of this name.
pub fn query(name: &str) -> Result<&'static NamedQuery> {
    queries()
        .iter()
        .find(|query| query.name == name)
        .ok_or_else(|| ReplayError::UnknownQuery {
            name: name.to_owned(),
            known: queries()
                .iter()
                .map(|query| query.name)
                .collect::<Vec<_>>()
                .join(", "),
        })
}

impl NamedQuery {
    /// The query with its parameters filled in.
    pub fn render(&self, values: &BTreeMap<String, String>) -> Result<String> {
        for name in values.keys() {
            if !self
                .parameters
                .iter()
                .any(|parameter| parameter.name == name)
            {
                let known: Vec<&str> = self.parameters.iter().map(|one| one.name).collect();
                return Err(ReplayError::UnknownParameter {
                    query: self.name.to_owned(),
                    name: name.clone(),
                    known: format!("its parameters are {}", known.join(", ")),
                });
            }
        }
        static PLACE: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"\$([a-z_]+)").ok());
        let body: String = self
            .sql
            .lines()
            .filter(|line| !line.trim_start().starts_with("--"))
            .flat_map(|line| [line, "\n"])
            .collect();
        let Some(place) = PLACE.as_ref() else {
            return Ok(body);
        };
        let filled = place.replace_all(&body, |found: &Captures<'_>| {
            let name = &found[1];
            let default = self
                .parameters
                .iter()
                .find(|parameter| parameter.name == name)
                .map(|one| one.default);
            match values.get(name).map(String::as_str).or(default) {
                Some(value) => format!("'{}'", value.replace('\'', "''")),
                None => found[0].to_owned(),
            }
        });
        Ok(filled.into_owned())
    }
}

fn parse(name: &'static str, sql: &'static str) -> NamedQuery {
    let mut query = NamedQuery {
        name,
        title: "",
        parameters: Vec::new(),
        columns: Vec::new(),
        sql,
    };
    for line in sql.lines().filter_map(|line| line.strip_prefix("-- ")) {
        if let Some(title) = line.strip_prefix("title: ") {
            query.title = title;
        } else if let Some((left, description)) = line
            .strip_prefix("parameter: ")
            .and_then(|rest| rest.split_once(" : "))
        {
            let (name, default) = left.split_once('=').unwrap_or((left, ""));
            let (name, default) = (name.trim(), default.trim().trim_matches('\''));
            query.parameters.push(Parameter {
                name,
                default,
                description,
            });
        } else if let Some((name, meaning)) = line
            .strip_prefix("column: ")
            .and_then(|rest| rest.split_once(" : "))
        {
            query.columns.push((name, meaning));
        }
    }
    query
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_read_and_values_are_quoted() {
        for query in queries() {
            assert!(
                !query.title.is_empty() && !query.columns.is_empty(),
                "{}",
                query.name
            );
            let text = query.render(&BTreeMap::new()).unwrap();
            assert!(!text.contains(" $"), "{}: {text}", query.name);
        }
        let values = BTreeMap::from([("namespace".to_owned(), "a' OR '1'='1".to_owned())]);
        assert!(
            query("restarts")
                .unwrap()
                .render(&values)
                .unwrap()
                .contains("'a'' OR ''1''=''1'")
        );
        let wrong = BTreeMap::from([("nope".to_owned(), String::new())]);
        assert!(query("restarts").unwrap().render(&wrong).is_err());
    }
}
