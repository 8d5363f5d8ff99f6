//! review: what guests wrote about a hotel.

use axum::extract::{Query, State};
use axum::routing::get;
use axum::{Json, Router};
use serde::{Deserialize, Serialize};

use super::HotelQuery;
use crate::cache::Cache;
use crate::database::{Database, Statement};
use crate::error::ServiceError;

const REVIEWS: Statement = Statement {
    operation: "SELECT",
    table: "reviews",
    sql: "SELECT review_id, author, stars, body FROM reviews WHERE hotel_id = $1 ORDER BY review_id",
};

#[derive(Clone)]
struct Reviews {
    database: Database,
    cache: Cache,
}

#[derive(Debug, Serialize, Deserialize)]
struct Review {
    id: String,
    author: String,
    stars: i32,
    body: String,
}

/// The routes of review.
pub(super) fn routes(database: Database, cache: Cache) -> Router {
    Router::new()
        .route("/reviews", get(reviews))
        .with_state(Reviews { database, cache })
}

async fn reviews(
    State(service): State<Reviews>,
    Query(query): Query<HotelQuery>,
) -> Result<Json<Vec<Review>>, ServiceError> {
    let key = format!("reviews:{}", query.hotel_id);
    if let Some(reviews) = service.cache.get(&key).await {
        return Ok(Json(reviews));
    }
    let rows = service.database.query(&REVIEWS, &[&query.hotel_id]).await?;
    let reviews = rows
        .iter()
        .map(|row| Review {
            id: row.get(0),
            author: row.get(1),
            stars: row.get(2),
            body: row.get(3),
        })
        .collect();
    service.cache.set(&key, &reviews).await;
    Ok(Json(reviews))
}
