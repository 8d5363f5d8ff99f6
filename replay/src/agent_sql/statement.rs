//! Which statements are queries.

use aiopslab_problems::action::sql_views;
use datafusion::sql::parser::Statement;
use datafusion::sql::sqlparser::ast::{Query, SetExpr, Statement as SqlStatement};

const ONE_SELECT: &str =
    "hint: it takes one SELECT, or WITH … SELECT, over the views; nothing can be changed";

/// Why a statement is refused; none if it is one SELECT.
pub(super) fn refusal(statement: &Statement) -> Option<String> {
    let query = match statement {
        Statement::Statement(statement) => match statement.as_ref() {
            SqlStatement::Query(query) => Some(query),
            _ => None,
        },
        _ => None,
    };
    let Some(query) = query else {
        let text = statement.to_string();
        let word = text
            .split_whitespace()
            .next()
            .unwrap_or("this")
            .to_uppercase();
        let asks_for_names = matches!(word.as_str(), "SHOW" | "DESCRIBE" | "DESC");
        let views = match asks_for_names {
            true => format!("; the views are:\n{}", sql_views()),
            false => String::new(),
        };
        return Some(format!("Error: {word} is refused\n{ONE_SELECT}{views}"));
    };
    if query.with.as_ref().is_some_and(|with| with.recursive) {
        return Some(format!("Error: WITH RECURSIVE is refused\n{ONE_SELECT}"));
    }
    (!is_select(query)).then(|| format!("Error: this is no SELECT\n{ONE_SELECT}"))
}

fn is_select(query: &Query) -> bool {
    body_is_select(&query.body)
}

fn body_is_select(body: &SetExpr) -> bool {
    match body {
        SetExpr::Select(select) => select.into.is_none(),
        SetExpr::Query(query) => is_select(query),
        SetExpr::SetOperation { left, right, .. } => body_is_select(left) && body_is_select(right),
        _ => false,
    }
}
