//! Errors as PostgreSQL tells them: a code, what is wrong, and the way out as a hint.

use datafusion_postgres::pgwire::error::{ErrorInfo, PgWireError};

use crate::error::ReplayError;
use crate::sql::statement::Mistake;

/// A statement fails; the session goes on.
pub(super) fn error(code: &str, text: &str) -> PgWireError {
    info("ERROR", code, text)
}

/// The connection ends.
pub(super) fn fatal(code: &str, text: &str) -> PgWireError {
    info("FATAL", code, text)
}

/// An error of ours, with the code that comes nearest (PostgreSQL's manual, appendix A).
pub(super) fn told(problem: &ReplayError) -> PgWireError {
    error(code(problem), &problem.to_string())
}

fn code(problem: &ReplayError) -> &'static str {
    match problem {
        // read_only_sql_transaction
        ReplayError::Write { .. } => "25006",
        ReplayError::Query { cause, .. } => match Mistake::of(cause) {
            // syntax_error
            Mistake::Syntax => "42601",
            // undefined_table
            Mistake::NoTable => "42P01",
            // undefined_column
            Mistake::NoColumn => "42703",
            // undefined_function
            Mistake::NoFunction => "42883",
            // invalid_parameter_value
            Mistake::SeveralNows | Mistake::NoWindow | Mistake::NoMoment => "22023",
            // out_of_memory
            Mistake::TooMuchMemory => "53200",
            // syntax_error_or_access_rule_violation: all that is left
            Mistake::Other => "42000",
        },
        // io_error
        _ => "58030",
    }
}

fn info(severity: &str, code: &str, text: &str) -> PgWireError {
    let (message, hint) = match text.split_once("\nhint: ") {
        Some((message, hint)) => (message, Some(hint.to_owned())),
        None => (text, None),
    };
    let mut info = ErrorInfo::new(severity.to_owned(), code.to_owned(), message.to_owned());
    info.severity_nonlocalized = Some(severity.to_owned());
    info.hint = hint;
    PgWireError::UserError(Box::new(info))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_have_a_code_and_a_hint() {
        let query = |cause: &str| ReplayError::Query {
            cause: cause.to_owned(),
            hint: "so".to_owned(),
        };
        let write = ReplayError::Write {
            statement: "DROP".to_owned(),
        };
        for (problem, code) in [
            (write, "25006"),
            (query("table 'x' not found"), "42P01"),
            (query("Schema error: No field named x"), "42703"),
            (query("SQL error: ParserError(\"x\")"), "42601"),
            (query("Resources exhausted: x"), "53200"),
            (query("Divide by zero error"), "42000"),
        ] {
            let PgWireError::UserError(info) = told(&problem) else {
                panic!("{problem}");
            };
            assert_eq!(info.code, code, "{problem}");
            assert!(
                info.hint.is_some() && !info.message.contains("hint"),
                "{info}"
            );
        }
    }
}
