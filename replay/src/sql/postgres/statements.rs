//! What a client says: questions for rows, and what concerns its session alone.

use std::fmt::Debug;
use std::sync::Arc;

use datafusion::error::DataFusionError;
use datafusion::logical_expr::LogicalPlan;
use datafusion::sql::parser::Statement;
use datafusion::sql::sqlparser::ast::{Ident, Set, Statement as SqlStatement};
use datafusion::sql::sqlparser::dialect::PostgreSqlDialect;
use datafusion::sql::sqlparser::parser::Parser;
use datafusion_postgres::datafusion_pg_catalog::sql::PostgresCompatibilityParser;
use datafusion_postgres::pgwire::error::{PgWireError, PgWireResult};
use futures::executor::block_on;

use super::refusal::{error, told};
use crate::sql::SqlSession;

/// The version of PostgreSQL that clients are told of; they choose their questions by it.
pub(super) const VERSION: &str = concat!("16.6 (aiopslab ", env!("CARGO_PKG_VERSION"), ")");

/// A statement that has been understood.
#[derive(Debug, Clone)]
pub(super) enum Asked {
    /// Rows are asked for.
    Rows(Arc<dyn Question>),
    /// It concerns the session.
    Command(Command),
}

/// What asks for rows. Behind a name, since the compiler takes minutes to prove in every function of
/// the protocol that the tree of a plan can be sent.
pub(super) trait Question: Debug + Send + Sync {
    fn plan(&self) -> &LogicalPlan;
}

impl Question for LogicalPlan {
    fn plan(&self) -> &LogicalPlan {
        self
    }
}

/// A statement about a client's session. Transactions change nothing: there is nothing to change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Command {
    Begin,
    Commit,
    Rollback,
    /// A setting that is as it is asked to be.
    Set,
    /// Forgets a prepared statement.
    Deallocate(String),
    Discard,
}

/// Understands what clients say.
#[derive(Debug, Default)]
pub(super) struct Reader {
    /// Puts what they ask of PostgreSQL's catalog into what the engine understands.
    catalog: PostgresCompatibilityParser,
}

impl Reader {
    /// Understands the statements of a text.
    ///
    /// Nothing is waited for: tables are looked up in memory.
    pub(super) fn read(&self, session: &SqlSession, text: &str) -> PgWireResult<Vec<Asked>> {
        let mut asked = Vec::new();
        for (written, put) in self.statements(session, text)? {
            asked.push(match Command::of(&written) {
                Some(command) => Asked::Command(command?),
                None => Asked::Rows(Arc::new(plan(session, written, put)?)),
            });
        }
        Ok(asked)
    }

    /// Each statement as it is written, and as it is put for the engine if that is not understood.
    fn statements(
        &self,
        session: &SqlSession,
        text: &str,
    ) -> PgWireResult<Vec<(SqlStatement, SqlStatement)>> {
        let written = Parser::parse_sql(&PostgreSqlDialect {}, text);
        let put = self.catalog.parse(text);
        match (written, put) {
            (Ok(written), Ok(put)) if written.len() == put.len() => {
                Ok(written.into_iter().zip(put).collect())
            }
            (Ok(same), _) | (Err(_), Ok(same)) => {
                Ok(same.into_iter().map(|one| (one.clone(), one)).collect())
            }
            (Err(problem), Err(_)) => {
                let problem = DataFusionError::from(problem);
                Err(told(&session.known.explain(&problem)))
            }
        }
    }
}

fn plan(
    session: &SqlSession,
    written: SqlStatement,
    put: SqlStatement,
) -> PgWireResult<LogicalPlan> {
    let parameter = match &written {
        SqlStatement::ShowVariable { variable } => parameter(variable),
        _ => None,
    };
    if let Some((name, value)) = parameter {
        let text = format!("SELECT '{value}' AS \"{name}\"");
        let plan = block_on(session.state.create_logical_plan(&text));
        return plan.map_err(|error| told(&session.known.explain(&error)));
    }
    let plan_of = |statement| block_on(session.plan(Statement::Statement(Box::new(statement))));
    match plan_of(written) {
        Ok(plan) => Ok(plan),
        Err(problem) => plan_of(put).map_err(|_| told(&problem)),
    }
}

/// A parameter of PostgreSQL that `SHOW` asks for, and what it is here.
fn parameter(variable: &[Ident]) -> Option<(&'static str, &'static str)> {
    let words: Vec<String> = variable
        .iter()
        .map(|word| word.value.to_lowercase())
        .collect();
    Some(match words.join(" ").as_str() {
        "server_version" => ("server_version", VERSION),
        "server_version_num" => ("server_version_num", "160006"),
        "server_encoding" => ("server_encoding", "UTF8"),
        "client_encoding" => ("client_encoding", "UTF8"),
        "time zone" | "timezone" => ("TimeZone", "Etc/UTC"),
        "datestyle" => ("DateStyle", "ISO, YMD"),
        "search_path" => ("search_path", "public"),
        "standard_conforming_strings" => ("standard_conforming_strings", "on"),
        "transaction isolation level" | "transaction_isolation" => {
            ("transaction_isolation", "serializable")
        }
        "transaction_read_only" | "default_transaction_read_only" => {
            ("transaction_read_only", "on")
        }
        "statement_timeout" => ("statement_timeout", "0"),
        _ => return None,
    })
}

impl Command {
    /// What a statement wants of the session; none: it asks for something else.
    fn of(statement: &SqlStatement) -> Option<PgWireResult<Self>> {
        Some(Ok(match statement {
            SqlStatement::StartTransaction { .. } => Self::Begin,
            SqlStatement::Commit { .. } => Self::Commit,
            SqlStatement::Rollback {
                savepoint: None, ..
            } => Self::Rollback,
            SqlStatement::Set(set) => return Some(setting(set)),
            SqlStatement::Deallocate { name, .. } => Self::Deallocate(name.value.clone()),
            SqlStatement::Discard { .. } => Self::Discard,
            _ => return None,
        }))
    }
}

/// Whether a setting is what it is asked to be: nothing can be set to something else.
fn setting(set: &Set) -> PgWireResult<Command> {
    let (name, value) = match set {
        Set::SingleAssignment {
            variable, values, ..
        } => {
            let value = values.first().map(ToString::to_string);
            (variable.to_string(), value.unwrap_or_default())
        }
        Set::SetTimeZone { value, .. } => ("timezone".to_owned(), value.to_string()),
        Set::SetNames { charset_name, .. } => {
            ("client_encoding".to_owned(), charset_name.to_string())
        }
        Set::SetTransaction { .. } => return Ok(Command::Set),
        other => (other.to_string(), String::new()),
    };
    let value = value.trim_matches(['\'', '"']).to_lowercase();
    let is_so = match name.to_lowercase().as_str() {
        // What a client calls itself, what it wants to be told of, and digits that are always there.
        "application_name" | "client_min_messages" | "extra_float_digits" => true,
        "client_encoding" => matches!(value.as_str(), "utf8" | "utf-8" | "unicode"),
        "timezone" => matches!(value.as_str(), "utc" | "etc/utc" | "gmt" | "z"),
        "datestyle" => value.starts_with("iso"),
        "intervalstyle" => value == "postgres",
        "bytea_output" => value == "hex",
        "search_path" => value.starts_with("public"),
        "standard_conforming_strings"
        | "transaction_read_only"
        | "default_transaction_read_only" => matches!(value.as_str(), "on" | "true"),
        "statement_timeout" | "lock_timeout" | "idle_in_transaction_session_timeout" => {
            value == "0"
        }
        _ => false,
    };
    match is_so {
        true => Ok(Command::Set),
        // feature_not_supported
        false => Err(error(
            "0A000",
            &format!(
                "SET {name} is refused: what queries go by can't be changed here\nhint: `aiopslab serve` has options for the clock and the memory"
            ),
        )),
    }
}

/// The one statement of a text that is prepared; none: it is empty.
pub(super) fn only(mut asked: Vec<Asked>) -> Result<Option<Asked>, PgWireError> {
    match asked.len() {
        0 | 1 => Ok(asked.pop()),
        _ => Err(error(
            "42601",
            "several statements can't be prepared as one",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn command(text: &str) -> Option<PgWireResult<Command>> {
        let mut statements = Parser::parse_sql(&PostgreSqlDialect {}, text).unwrap();
        Command::of(&statements.remove(0))
    }

    #[test]
    fn what_concerns_the_session_is_told_from_questions() {
        for (text, expected) in [
            ("BEGIN READ WRITE", Command::Begin),
            ("COMMIT", Command::Commit),
            ("ROLLBACK", Command::Rollback),
            ("SET application_name = 'psql'", Command::Set),
            ("SET client_encoding TO 'UTF8'", Command::Set),
            ("SET TIME ZONE 'UTC'", Command::Set),
            (
                "SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY",
                Command::Set,
            ),
            ("SET TRANSACTION ISOLATION LEVEL SERIALIZABLE", Command::Set),
            ("DEALLOCATE one", Command::Deallocate("one".to_owned())),
            ("DISCARD ALL", Command::Discard),
        ] {
            assert_eq!(command(text).unwrap().unwrap(), expected, "{text}");
        }
        assert!(command("SELECT 1").is_none());
        for text in [
            "SET datafusion.execution.batch_size = 1",
            "SET TIME ZONE 'Europe/Berlin'",
            "SET client_encoding = 'LATIN1'",
            "SET statement_timeout = 1000",
            "SET ROLE postgres",
        ] {
            assert!(command(text).unwrap().is_err(), "{text}");
        }
    }
}
