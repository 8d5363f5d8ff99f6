//! recommendation: the best hotels by distance, rating or price.

use axum::extract::{Query, State};
use axum::routing::get;
use axum::{Json, Router};
use serde::Deserialize;

use super::{HotelIds, Place};
use crate::database::{Database, Statement};
use crate::error::ServiceError;

const NEAREST: Statement = Statement {
    operation: "SELECT",
    table: "hotels",
    sql: "SELECT hotel_id FROM hotels \
          ORDER BY (lat - $1) ^ 2 + ((lon - $2) * cos(radians($1))) ^ 2, hotel_id LIMIT 3",
};
const BEST_RATED: Statement = Statement {
    operation: "SELECT",
    table: "hotels",
    sql: "SELECT hotel_id FROM hotels ORDER BY rating DESC, hotel_id LIMIT 3",
};
const CHEAPEST: Statement = Statement {
    operation: "SELECT",
    table: "hotels",
    sql: "SELECT hotel_id FROM hotels ORDER BY price, hotel_id LIMIT 3",
};

#[derive(Debug, Deserialize)]
struct RecommendationQuery {
    require: String,
    lat: f64,
    lon: f64,
}

/// The routes of recommendation.
pub(super) fn routes(database: Database) -> Router {
    Router::new()
        .route("/recommendations", get(recommendations))
        .with_state(database)
}

async fn recommendations(
    State(database): State<Database>,
    Query(query): Query<RecommendationQuery>,
) -> Result<Json<HotelIds>, ServiceError> {
    let place = Place {
        lat: query.lat,
        lon: query.lon,
    };
    let rows = match query.require.as_str() {
        "dis" => database.query(&NEAREST, &[&place.lat, &place.lon]).await?,
        "rate" => database.query(&BEST_RATED, &[]).await?,
        "price" => database.query(&CHEAPEST, &[]).await?,
        other => {
            let message = format!("cannot recommend by {other}: it is dis, rate or price");
            return Err(ServiceError::BadRequest(message));
        }
    };
    Ok(Json(HotelIds {
        hotel_ids: rows.iter().map(|row| row.get(0)).collect(),
    }))
}
