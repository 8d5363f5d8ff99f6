//! What a statement may be, and what is said of one that can't be run.

use datafusion::error::DataFusionError;
use datafusion::logical_expr::LogicalPlan;
use datafusion::prelude::SQLOptions;
use datafusion::sql::parser::Statement;
use datafusion::sql::sqlparser::ast::Statement as SqlStatement;

use crate::error::{ReplayError, Result};

/// What a session can tell whoever asks it wrongly.
pub(super) struct Known {
    /// The names of the tables and views, sorted.
    pub(super) tables: Vec<String>,
    /// Whether any windows are there.
    pub(super) windows: bool,
}

/// What is wrong with a statement, as far as the engine's words tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mistake {
    Syntax,
    NoTable,
    NoColumn,
    NoFunction,
    SeveralNows,
    NoWindow,
    NoMoment,
    TooMuchMemory,
    Other,
}

impl Mistake {
    /// Reads the engine's words.
    pub(super) fn of(cause: &str) -> Self {
        let says = |words: &str| cause.contains(words);
        if says("table '") && says("not found") {
            Self::NoTable
        } else if says("No field named") {
            Self::NoColumn
        } else if says("nvalid function") {
            Self::NoFunction
        } else if says("clock(snapshot)") {
            Self::SeveralNows
        } else if says("it is not known when") {
            Self::NoWindow
        } else if says("is no moment") {
            Self::NoMoment
        } else if says("Resources exhausted") {
            Self::TooMuchMemory
        } else if says("ParserError") || says("TokenizerError") {
            Self::Syntax
        } else {
            Self::Other
        }
    }
}

impl Known {
    /// What the engine said, and the way out.
    pub(super) fn explain(&self, error: &DataFusionError) -> ReplayError {
        let cause = error.strip_backtrace().replace("datafusion.public.", "");
        let tables = format!("the tables are {}", self.tables.join(", "));
        let hint = match Mistake::of(&cause) {
            Mistake::NoTable if cause.contains("'windows'") && !self.windows => {
                "when the baseline and the fault were is kept in withheld/, and no such windows are here"
            }
            Mistake::NoTable => tables.as_str(),
            Mistake::NoColumn => {
                "`DESCRIBE TABLE` lists the columns; names such as \"end\" and \"group\" need double quotes"
            }
            Mistake::NoFunction => "`SHOW FUNCTIONS` lists the functions",
            Mistake::SeveralNows => "every table has the column snapshot",
            Mistake::NoWindow => {
                "the other snapshots, and every table but windows, can still be asked"
            }
            Mistake::NoMoment => "e.g. since(snapshot, '5m')",
            Mistake::TooMuchMemory => {
                "narrow it down, e.g. by a condition on the time, or give it more memory"
            }
            Mistake::Syntax | Mistake::Other => {
                "`SHOW TABLES` lists the tables, `DESCRIBE TABLE` the columns of one"
            }
        };
        let hint = hint.to_owned();
        ReplayError::Query { cause, hint }
    }
}

/// Refuses a statement that does more than read.
pub(super) fn refuse_writes(statement: &Statement) -> Result<()> {
    match statement {
        Statement::Statement(statement) => refuse_sql_writes(statement),
        Statement::Explain(explain) => refuse_writes(&explain.statement),
        _ => Err(refusal(&statement.to_string())),
    }
}

fn refuse_sql_writes(statement: &SqlStatement) -> Result<()> {
    match statement {
        SqlStatement::Query(_)
        | SqlStatement::ExplainTable { .. }
        | SqlStatement::ShowTables { .. }
        | SqlStatement::ShowColumns { .. }
        | SqlStatement::ShowVariable { .. }
        | SqlStatement::ShowFunctions { .. } => Ok(()),
        SqlStatement::Explain { statement, .. } => refuse_sql_writes(statement),
        _ => Err(refusal(&statement.to_string())),
    }
}

fn refusal(statement: &str) -> ReplayError {
    let word = statement.split_whitespace().next().unwrap_or("this");
    ReplayError::Write {
        statement: word.to_uppercase(),
    }
}

/// Refuses a plan that does more than read, wherever in the statement that was said.
pub(super) fn refuse_writing_plan(plan: &LogicalPlan) -> Result<()> {
    SQLOptions::new()
        .with_allow_ddl(false)
        .with_allow_dml(false)
        .with_allow_statements(false)
        .verify_plan(plan)
        .map_err(|_| ReplayError::Write {
            statement: "a statement within it".to_owned(),
        })
}
