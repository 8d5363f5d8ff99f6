//! The commands of the prompt, in psql's manner.

use std::sync::Arc;

use aiopslab_replay::sql::{FACTS, FUNCTIONS, views};
use arrow::array::{ArrayRef, AsArray, RecordBatch, StringArray};
use clap::ValueEnum;

use super::super::rows::Rows;
use super::super::{list, pager, parameters};
use super::Prompt;
use crate::cli::Format;
use crate::exit::Failure;
use crate::queries::query;

/// Each command, and what it does.
pub(super) const COMMANDS: [(&str, &str); 8] = [
    ("\\?", "this list"),
    ("\\d", "the tables and views; \\d TABLE: the columns of one"),
    (
        "\\df",
        "the functions for incidents (SHOW FUNCTIONS: all of them)",
    ),
    (
        "\\format",
        "\\format table, csv or json: how rows are printed",
    ),
    ("\\o", "the same as \\format"),
    ("\\q", "leave (so does Ctrl-D)"),
    (
        "\\query",
        "the named queries; \\query NAME PARAMETER=VALUE…: run one",
    ),
    (
        "\\timing",
        "tell how long each statement takes, or stop telling",
    ),
];

/// What is asked of the prompt itself.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Command {
    Help,
    Tables,
    Columns(String),
    Functions,
    Format(Format),
    Queries,
    Query(String, Vec<String>),
    Timing,
    Quit,
}

impl Command {
    /// Reads a command; none: it is a statement.
    pub(super) fn parse(text: &str) -> Option<Result<Self, Failure>> {
        let text = text.trim().trim_end_matches(';').trim_end();
        let mut words = text.split_whitespace();
        let name = words.next()?;
        let rest: Vec<String> = words.map(str::to_owned).collect();
        let command = match (name, &rest[..]) {
            ("\\?" | "help", []) => Self::Help,
            ("\\q" | "quit" | "exit", []) => Self::Quit,
            ("\\d", []) => Self::Tables,
            ("\\d", [table]) => Self::Columns(table.clone()),
            ("\\df", []) => Self::Functions,
            ("\\format" | "\\o", [format]) => match Format::from_str(format, true) {
                Ok(Format::Parquet) | Err(_) => {
                    return Some(Err(Failure::user(format!(
                        "rows can't be shown as {format} here\nhint: \\format table, csv or json"
                    ))));
                }
                Ok(format) => Self::Format(format),
            },
            ("\\query", []) => Self::Queries,
            ("\\query", [name, parameters @ ..]) => Self::Query(name.clone(), parameters.to_vec()),
            ("\\timing", []) => Self::Timing,
            _ if name.starts_with('\\') => {
                return Some(Err(Failure::user(format!(
                    "there is no command {text}\nhint: \\? lists the commands"
                ))));
            }
            _ => return None,
        };
        Some(Ok(command))
    }
}

impl Prompt<'_> {
    pub(super) async fn command(&mut self, command: Command) -> Result<(), Failure> {
        match command {
            Command::Help => {
                let lines = COMMANDS.map(|(name, text)| format!("{name:<9} {text}\n"));
                self.page(lines.concat().as_bytes())
            }
            Command::Tables => {
                let rows = self.tables();
                self.table(["table", "shows"], rows)
            }
            Command::Columns(table) => self.columns(&table).await,
            Command::Functions => {
                let rows = FUNCTIONS.map(|(call, text)| [call.to_owned(), text.to_owned()]);
                self.table(["function", "gives"], rows.to_vec())
            }
            Command::Format(format) => {
                self.format = format;
                Ok(())
            }
            Command::Queries => self.page(list().as_bytes()),
            Command::Query(name, given) => {
                let text = query(&name)?.render(&parameters(&given)?)?;
                self.statement(&text).await
            }
            Command::Timing => {
                self.tells_time = !self.tells_time;
                eprintln!("timing is {}", if self.tells_time { "on" } else { "off" });
                Ok(())
            }
            Command::Quit => Ok(()),
        }
    }

    /// The tables and views, each with what it shows.
    fn tables(&self) -> Vec<[String; 2]> {
        let views = views();
        let shows = |name: &str| {
            let view = views.iter().find(|view| view.name == name);
            let fact = FACTS.iter().find(|(fact, _)| *fact == name);
            match (view, fact) {
                (Some(view), _) => view.header.title,
                (None, Some((_, title))) => title,
                (None, None) => "as recorded, whatever the clock (docs/formats/snapshot-v1.md)",
            }
        };
        let names = self.session.tables().iter();
        names
            .map(|name| [name.clone(), shows(name).to_owned()])
            .collect()
    }

    /// The columns of a table: name, type, and what a view's file says of them.
    async fn columns(&self, table: &str) -> Result<(), Failure> {
        let answer = self.session.query(&format!("DESCRIBE {table}")).await?;
        let views = views();
        let view = views.iter().find(|view| view.name == table);
        let meaning = |name: &str| {
            let columns = &view?.header.columns;
            columns
                .iter()
                .find(|column| column.0 == name)
                .map(|column| column.1)
        };
        let mut rows = Vec::new();
        for batch in &answer.batches {
            let [Some(names), Some(types)] =
                [0, 1].map(|at| batch.column(at).as_string_opt::<i32>())
            else {
                continue;
            };
            for (name, kind) in names
                .iter()
                .zip(types)
                .filter_map(|(name, kind)| name.zip(kind))
            {
                let meaning = meaning(name).unwrap_or_default();
                rows.push([name, kind, meaning].map(str::to_owned));
            }
        }
        self.table(["column", "type", "meaning"], rows)
    }

    fn table<const N: usize>(
        &self,
        names: [&str; N],
        rows: Vec<[String; N]>,
    ) -> Result<(), Failure> {
        let columns = names.into_iter().enumerate().map(|(at, name)| {
            let texts = StringArray::from_iter_values(rows.iter().map(|row| &row[at]));
            (name, Arc::new(texts) as ArrayRef)
        });
        let batch = RecordBatch::try_from_iter(columns)?;
        let schema = batch.schema();
        let mut rows = Rows::new(self.format);
        let mut out = rows.add(batch)?;
        out.extend(rows.end(&schema)?);
        self.page(&out)
    }

    fn page(&self, text: &[u8]) -> Result<(), Failure> {
        pager::show(text, self.screen, &self.settings.pager.value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_begin_with_a_backslash() {
        let parsed = |text: &str| {
            Command::parse(text).map(|command| command.map_err(|error| error.reason()))
        };
        for (text, expected) in [
            ("\\d", Command::Tables),
            (" \\d raw.spans;", Command::Columns("raw.spans".to_owned())),
            ("\\o CSV", Command::Format(Format::Csv)),
            ("quit", Command::Quit),
            (
                "\\query restarts namespace=a",
                Command::Query("restarts".to_owned(), vec!["namespace=a".to_owned()]),
            ),
        ] {
            assert_eq!(parsed(text), Some(Ok(expected)), "{text}");
        }
        assert_eq!(parsed("select 1;"), None);
        assert_eq!(parsed("exit is a word"), None);
        assert!(parsed("\\nope").unwrap().unwrap_err().contains("\\?"));
        assert!(parsed("\\format parquet").unwrap().is_err());
    }
}
