//! user: checks passwords.

use axum::extract::State;
use axum::routing::post;
use axum::{Json, Router};
use serde::{Deserialize, Serialize};

use crate::database::{Database, Statement};
use crate::error::ServiceError;

/// Stored as the hexadecimal SHA-256 of the password.
const CHECK: Statement = Statement {
    operation: "SELECT",
    table: "users",
    sql: "SELECT password_sha256 = encode(sha256(convert_to($2, 'UTF8')), 'hex') \
          FROM users WHERE username = $1",
};

/// A name and a password that claims to belong to it.
#[derive(Debug, Deserialize)]
struct Credentials {
    username: String,
    password: String,
}

#[derive(Debug, Serialize)]
struct Verdict {
    correct: bool,
}

/// The routes of user.
pub(super) fn routes(database: Database) -> Router {
    Router::new()
        .route("/check", post(check))
        .with_state(database)
}

async fn check(
    State(database): State<Database>,
    Json(credentials): Json<Credentials>,
) -> Result<Json<Verdict>, ServiceError> {
    let rows = database
        .query(&CHECK, &[&credentials.username, &credentials.password])
        .await?;
    Ok(Json(Verdict {
        correct: rows.first().is_some_and(|row| row.get(0)),
    }))
}
