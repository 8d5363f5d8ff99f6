//! Named queries: the SQL files of `queries/`, whose header says what they show and take.
//!
//! A parameter stands in the query as `$NAME` and is always text.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use aiopslab_problems::catalog::nearest;
use aiopslab_replay::sql::header::Header;
use regex::{Captures, Regex};

use crate::exit::Failure;

/// (name, text) of every file, sorted by name.
const SOURCES: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/queries.rs"));

/// A query that ships with the program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedQuery {
    /// Its name.
    pub name: &'static str,
    /// What it shows and takes, and its columns.
    pub header: Header,
    /// Its text, header included.
    pub sql: &'static str,
}

/// Every named query, sorted by name.
#[must_use]
pub fn queries() -> &'static [NamedQuery] {
    static QUERIES: LazyLock<Vec<NamedQuery>> = LazyLock::new(|| {
        SOURCES
            .iter()
            .map(|(name, sql)| NamedQuery {
                name,
                header: Header::parse(sql),
                sql,
            })
            .collect()
    });
    &QUERIES
}

/// The named query of this name.
///
/// # Errors
/// When there is none; the error names the nearest.
pub fn query(name: &str) -> Result<&'static NamedQuery, Failure> {
    let found = queries().iter().find(|query| query.name == name);
    found.ok_or_else(|| {
        let names = nearest(name, queries().iter().map(|query| query.name));
        Failure::user(format!(
            "no query named {name:?}\nhint: the nearest are {}; `aiopslab query` lists all of them",
            names.join(", ")
        ))
    })
}

impl NamedQuery {
    /// The query with its parameters filled in.
    ///
    /// # Errors
    /// When it has no such parameter.
    pub fn render(&self, values: &BTreeMap<String, String>) -> Result<String, Failure> {
        let parameters = &self.header.parameters;
        if let Some(name) = values
            .keys()
            .find(|name| parameters.iter().all(|one| one.name != *name))
        {
            let known: Vec<&str> = parameters.iter().map(|one| one.name).collect();
            return Err(Failure::user(format!(
                "the query {} has no parameter {name:?}\nhint: {}",
                self.name,
                match known.is_empty() {
                    true => "it has none".to_owned(),
                    false => format!("its parameters are {}", known.join(", ")),
                }
            )));
        }
        static PLACE: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"\$([a-z_]+)").ok());
        let body = self.body();
        let Some(place) = PLACE.as_ref() else {
            return Ok(body);
        };
        let filled = place.replace_all(&body, |found: &Captures<'_>| {
            let name = &found[1];
            let default = parameters
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

    /// The query without its header and comments.
    #[must_use]
    pub fn body(&self) -> String {
        self.sql
            .lines()
            .filter(|line| !line.trim_start().starts_with("--"))
            .flat_map(|line| [line, "\n"])
            .collect()
    }

    /// What it is, takes and shows, for people.
    #[must_use]
    pub fn explain(&self) -> String {
        let mut out = format!("{}\n", self.header.title);
        let mut section = |title: &str, rows: Vec<(String, &str)>| {
            if !rows.is_empty() {
                let width = rows
                    .iter()
                    .map(|row| row.0.chars().count())
                    .max()
                    .unwrap_or(0);
                out.push_str(&format!("\n{title}\n"));
                for (left, text) in rows {
                    out.push_str(&format!("  {left:<width$}  {text}\n"));
                }
            }
        };
        let parameters = self.header.parameters.iter();
        section(
            "Parameters (NAME=VALUE):",
            parameters
                .map(|one| {
                    (
                        format!("{}={}", one.name, shown(one.default)),
                        one.description,
                    )
                })
                .collect(),
        );
        let columns = self.header.columns.iter();
        section(
            "Columns:",
            columns
                .map(|(name, text)| ((*name).to_owned(), *text))
                .collect(),
        );
        format!("{out}\nQuery:\n{}", self.body())
    }
}

fn shown(default: &str) -> &str {
    match default {
        "" => "''",
        default => default,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_say_everything_and_values_are_quoted() {
        assert!(queries().len() >= 30, "{}", queries().len());
        for query in queries() {
            let header = &query.header;
            assert!(!header.title.is_empty(), "{}", query.name);
            assert_eq!(
                header.columns.first().map(|column| column.0),
                Some("snapshot"),
                "{}",
                query.name
            );
            for parameter in &header.parameters {
                let place = format!("${}", parameter.name);
                assert!(
                    query.body().contains(&place),
                    "{} never uses {place}",
                    query.name
                );
            }
            let text = query.render(&BTreeMap::new()).unwrap();
            let mut dollars = text.match_indices('$').map(|(at, _)| &text[at + 1..]);
            let is_open = |rest: &str| rest.starts_with(|letter: char| letter.is_ascii_lowercase());
            assert!(!dollars.any(is_open), "{}: {text}", query.name);
            assert!(query.explain().contains("Columns:"));
        }
        let values = BTreeMap::from([("namespace".to_owned(), "a' OR '1'='1".to_owned())]);
        let restarts = query("restarts").unwrap();
        assert!(
            restarts
                .render(&values)
                .unwrap()
                .contains("'a'' OR ''1''=''1'")
        );
        let wrong = BTreeMap::from([("nope".to_owned(), String::new())]);
        let said = restarts.render(&wrong).unwrap_err().reason();
        assert!(said.contains("its parameters are namespace"), "{said}");
        let said = query("restart").unwrap_err().reason();
        assert!(said.contains("restarts"), "{said}");
    }
}
