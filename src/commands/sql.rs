//! `aiopslab sql` and `aiopslab query`: snapshots in SQL, reading only.

mod pager;
mod prompt;
mod rows;
mod run;
mod statements;

use std::collections::{BTreeMap, BTreeSet};
use std::io::{IsTerminal, Read};
use std::pin::pin;
use std::sync::Arc;

use aiopslab_datasets::Snapshot;
use aiopslab_replay::clock::Clock;
use aiopslab_replay::{SqlLimits, SqlSession};
use camino::Utf8PathBuf;

use self::rows::Rows;
use self::statements::Statements;
use crate::cli::{Format, Query, Sql};
use crate::exit::Failure;
use crate::library::{Library, base_name};
use crate::output::print;
use crate::queries::{queries, query};
use crate::settings::Settings;
use crate::signals::interrupted;

pub(super) async fn statement(arguments: Sql, settings: &Settings) -> Result<(), Failure> {
    let text = match (arguments.query, &arguments.file) {
        (Some(text), _) => Some(text),
        (None, Some(path)) => {
            let text = std::fs::read_to_string(path);
            Some(text.map_err(|error| {
                Failure::user(format!("the file {path} can't be read: {error}"))
            })?)
        }
        (None, None) => standard_input()?,
    };
    let opened = Opened::open(
        &arguments.at.snapshots,
        &arguments.at.clock,
        arguments.output.memory,
        settings,
    )
    .await?;
    match text {
        Some(text) => {
            let statements = Statements::of(&text).all();
            if statements.is_empty() {
                return Err(Failure::user(NO_STATEMENT));
            }
            for statement in statements {
                opened.print(&statement, arguments.output.format).await?;
            }
            Ok(())
        }
        None => prompt::run(&opened.session, arguments.output.format, settings).await,
    }
}

const NO_STATEMENT: &str = "there is no statement\nhint: aiopslab sql -s SNAPSHOT 'show tables'";

/// The statements that are piped in; none: somebody is there to type them.
fn standard_input() -> Result<Option<String>, Failure> {
    if !std::io::stdin().is_terminal() {
        let mut text = String::new();
        std::io::stdin().lock().read_to_string(&mut text)?;
        return Ok(Some(text));
    }
    match std::io::stdout().is_terminal() {
        true => Ok(None),
        false => Err(Failure::user(NO_STATEMENT)),
    }
}

pub(super) async fn named(arguments: Query, settings: &Settings) -> Result<(), Failure> {
    let Some(name) = &arguments.name else {
        print(&list());
        return Ok(());
    };
    let query = query(name)?;
    if arguments.snapshots.is_empty() {
        print(&query.explain());
        return Ok(());
    }
    let text = query.render(&parameters(&arguments.parameters)?)?;
    let opened = Opened::open(
        &arguments.snapshots,
        &arguments.clock,
        arguments.output.memory,
        settings,
    )
    .await?;
    opened.print(&text, arguments.output.format).await
}

/// A line for each named query.
fn list() -> String {
    let lines = queries()
        .iter()
        .map(|query| format!("{:<26} {}\n", query.name, query.header.title));
    lines.collect()
}

fn parameters<S: AsRef<str>>(pairs: &[S]) -> Result<BTreeMap<String, String>, Failure> {
    let pairs = pairs.iter().map(|pair| {
        let pair = pair.as_ref();
        let (name, value) = pair
            .split_once('=')
            .ok_or_else(|| Failure::user(format!("{pair:?} is no parameter\nhint: NAME=VALUE")))?;
        Ok((name.to_owned(), value.to_owned()))
    });
    pairs.collect()
}

/// Snapshots open for queries, and the folder that these spill to.
struct Opened {
    session: Arc<SqlSession>,
    _spill: tempfile::TempDir,
}

impl Opened {
    async fn open(
        places: &[Utf8PathBuf],
        clock: &str,
        memory: usize,
        settings: &Settings,
    ) -> Result<Self, Failure> {
        let snapshots = named_snapshots(&Library::open(settings)?, places)?;
        let spill = tempfile::tempdir()?;
        let limits = SqlLimits {
            memory,
            spill: Some(spill.path().to_owned()),
            jobs: settings.jobs.value,
        };
        let session = SqlSession::open_all(snapshots, clock.parse::<Clock>()?, &limits).await?;
        Ok(Self {
            session: Arc::new(session),
            _spill: spill,
        })
    }

    /// Prints the rows of one statement, those of CSV and JSON as they come. Ctrl-C ends it with an error, so that what
    /// it has spilled is removed.
    async fn print(&self, statement: &str, format: Format) -> Result<(), Failure> {
        let mut rows = Rows::new(format);
        let mut interrupted = pin!(interrupted());
        let query = tokio::select! {
            query = self.session.start(statement) => query?,
            () = &mut interrupted => return Err(Failure::user("interrupted before the first row")),
        };
        let schema = run::run(query, interrupted, |batch| print_bytes(&rows.add(batch)?)).await?;
        match schema {
            Some(schema) => print_bytes(&rows.end(&schema)?),
            None => Err(Failure::user(format!(
                "interrupted after {} rows",
                rows.count()
            ))),
        }
    }
}

fn print_bytes(bytes: &[u8]) -> Result<(), Failure> {
    use std::io::Write;
    match std::str::from_utf8(bytes) {
        Ok(text) => print(text),
        Err(_) => std::io::stdout().lock().write_all(bytes)?,
    }
    Ok(())
}

/// The snapshots at the given places, each under a name of its own.
pub(super) fn named_snapshots(
    library: &Library,
    places: &[Utf8PathBuf],
) -> Result<Vec<(String, Snapshot)>, Failure> {
    let dirs = library.snapshots(places)?;
    let opened = names(dirs).into_iter();
    opened
        .map(|(name, dir)| Ok((name, Snapshot::open(&dir)?)))
        .collect()
}

/// A name for each snapshot: that of its folder; its path, where another one is called so.
fn names(dirs: Vec<Utf8PathBuf>) -> BTreeMap<String, Utf8PathBuf> {
    let dirs: BTreeSet<Utf8PathBuf> = dirs.into_iter().collect();
    let mut of_name: BTreeMap<String, Vec<Utf8PathBuf>> = BTreeMap::new();
    for dir in dirs {
        of_name.entry(base_name(&dir)).or_default().push(dir);
    }
    let mut names = BTreeMap::new();
    for (name, dirs) in of_name {
        let is_shared = dirs.len() > 1;
        for dir in dirs {
            let name = match is_shared {
                true => dir.to_string(),
                false => name.clone(),
            };
            names.insert(name, dir);
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn snapshots_of_one_name_are_called_by_their_paths() {
        let dirs = ["a/x-1", "b/x-1", "a/y-1", "a/y-1"].map(Utf8PathBuf::from);
        let names = names(dirs.to_vec());
        let names: Vec<&str> = names.keys().map(String::as_str).collect();
        assert_eq!(names, ["a/x-1", "b/x-1", "y-1"]);
    }
}
