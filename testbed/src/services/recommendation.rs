//! recommendation: the best hotels by distance, rating or price.

use axum::extract::{Query, State};
use axum::routing::get;
use axum::{Json, Router};
use serde::Deserialize;

use super::{HotelIds, Place};
use crate::database::{Database, Statement};
use crate::error::ServiceError;
use crate::settings;

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
/// Its table comes with a migration that has not been written yet.
const BEST_LIKED: Statement = Statement {
    operation: "SELECT",
    table: "tastes",
    sql: "SELECT hotel_id FROM hotels JOIN tastes USING (hotel_id) \
          ORDER BY liking DESC, hotel_id LIMIT 3",
};
/// The feature flag of ranking by what guests liked.
const BY_TASTE: &str = "ranking-by-taste";

#[derive(Clone)]
struct Recommendation {
    database: Database,
    by_taste: bool,
}

#[derive(Debug, Deserialize)]
struct RecommendationQuery {
    require: String,
    lat: f64,
    lon: f64,
}

/// The routes of recommendation.
pub(super) fn routes(database: Database) -> anyhow::Result<Router> {
    let by_taste = settings::is_flag_on(BY_TASTE)?;
    tracing::info!(flag = BY_TASTE, on = by_taste, "feature flag");
    Ok(Router::new()
        .route("/recommendations", get(recommendations))
        .with_state(Recommendation { database, by_taste }))
}

async fn recommendations(
    State(Recommendation { database, by_taste }): State<Recommendation>,
    Query(query): Query<RecommendationQuery>,
) -> Result<Json<HotelIds>, ServiceError> {
    let place = Place {
        lat: query.lat,
        lon: query.lon,
    };
    let rows = match query.require.as_str() {
        "dis" => database.query(&NEAREST, &[&place.lat, &place.lon]).await?,
        "rate" | "price" if by_taste => database.query(&BEST_LIKED, &[]).await?,
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
