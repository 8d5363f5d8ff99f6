//! The prompt of `aiopslab sql`: statements until a semicolon, and commands that begin with `\`.

mod commands;
mod completion;

use std::pin::pin;
use std::sync::Arc;
use std::time::Instant;

use aiopslab_replay::SqlSession;
use camino::Utf8Path;
use rustyline::error::ReadlineError;
use rustyline::history::FileHistory;
use rustyline::{CompletionType, Config, Editor};

use self::commands::Command;
use self::completion::Assistant;
use super::rows::Rows;
use super::statements::Statements;
use super::{pager, run};
use crate::cli::Format;
use crate::exit::{self, Failure};
use crate::settings::Settings;
use crate::signals::interrupted;

/// Lines of history that are kept.
const HISTORY: usize = 2000;

/// A conversation with somebody at the terminal.
struct Prompt<'a> {
    session: &'a Arc<SqlSession>,
    settings: &'a Settings,
    format: Format,
    tells_time: bool,
    /// Columns and lines of the screen.
    screen: Option<(usize, usize)>,
}

/// Asks for statements until there are no more.
pub(super) async fn run(
    session: &Arc<SqlSession>,
    format: Format,
    settings: &Settings,
) -> Result<(), Failure> {
    let config = Config::builder()
        .auto_add_history(true)
        .completion_type(CompletionType::List)
        .max_history_size(HISTORY)?
        .build();
    let history = settings.sql_history.value.as_deref();
    let mut editor = Editor::<Assistant, FileHistory>::with_config(config)?;
    editor.set_helper(Some(Assistant::of(session).await));
    if let Some(path) = history.filter(|path| path.exists()) {
        editor.load_history(path)?;
    }
    let mut prompt = Prompt {
        session,
        settings,
        format,
        tells_time: false,
        screen: None,
    };
    eprintln!(
        "statements end with a semicolon; \\d lists the tables, \\? the commands, \\q leaves"
    );
    loop {
        prompt.screen = editor
            .dimensions()
            .map(|(columns, lines)| (usize::from(columns), usize::from(lines)));
        match editor.readline("sql> ") {
            Ok(text) => {
                if !prompt.obey(&text).await {
                    break;
                }
            }
            // What was begun is given up, the prompt is not.
            Err(ReadlineError::Interrupted) => {}
            Err(ReadlineError::Eof) => break,
            Err(error) => return Err(error.into()),
        }
    }
    match history {
        Some(path) => keep(&mut editor, path),
        None => Ok(()),
    }
}

fn keep(editor: &mut Editor<Assistant, FileHistory>, path: &Utf8Path) -> Result<(), Failure> {
    let kept = match path.parent() {
        Some(folder) => std::fs::create_dir_all(folder).map_err(ReadlineError::from),
        None => Ok(()),
    };
    kept.and_then(|()| editor.save_history(path))
        .map_err(|error| {
            Failure::user(format!(
                "the history can't be kept in {path}: {error}\nhint: AIOPSLAB_SQL_HISTORY names another file"
            ))
        })
}

impl Prompt<'_> {
    /// Does what was typed, and says whether to go on.
    async fn obey(&mut self, text: &str) -> bool {
        let done = match Command::parse(text) {
            Some(Ok(Command::Quit)) => return false,
            Some(Ok(command)) => self.command(command).await,
            Some(Err(failure)) => Err(failure),
            None => self.statements(text).await,
        };
        if let Err(failure) = done {
            exit::tell(&failure);
        }
        true
    }

    async fn statements(&self, text: &str) -> Result<(), Failure> {
        for statement in Statements::of(text).all() {
            self.statement(&statement).await?;
        }
        Ok(())
    }

    /// Runs a statement; Ctrl-C ends it.
    async fn statement(&self, statement: &str) -> Result<(), Failure> {
        let started = Instant::now();
        let mut rows = Rows::new(self.format);
        let mut out = Vec::new();
        let mut interrupted = pin!(interrupted());
        let query = tokio::select! {
            query = self.session.start(statement) => query?,
            () = &mut interrupted => {
                eprintln!("cancelled before the first row");
                return Ok(());
            }
        };
        let schema = run::run(query, interrupted, |batch| {
            out.extend(rows.add(batch)?);
            Ok(())
        })
        .await?;
        let Some(schema) = schema else {
            eprintln!("cancelled after {} rows", rows.count());
            return Ok(());
        };
        out.extend(rows.end(&schema)?);
        let took = started.elapsed();
        pager::show(&out, self.screen, &self.settings.pager.value)?;
        if self.tells_time {
            eprintln!("{:.1} ms", took.as_secs_f64() * 1e3);
        }
        Ok(())
    }
}
