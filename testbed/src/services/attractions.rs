//! attractions: restaurants, museums and cinemas near a hotel.

use axum::extract::{Query, State};
use axum::routing::get;
use axum::{Json, Router};
use serde::{Deserialize, Serialize};

use super::HotelQuery;
use crate::cache::Cache;
use crate::database::{Database, Statement};
use crate::error::ServiceError;

const NEAR_HOTEL: Statement = Statement {
    operation: "SELECT",
    table: "attractions",
    sql: "SELECT a.attraction_id, a.kind, a.name, \
              111.2 * sqrt((a.lat - h.lat) ^ 2 + ((a.lon - h.lon) * cos(radians(h.lat))) ^ 2) \
              AS kilometres \
          FROM attractions a JOIN hotels h ON h.hotel_id = $1 \
          ORDER BY kilometres, a.attraction_id LIMIT 5",
};

#[derive(Clone)]
struct Attractions {
    database: Database,
    cache: Cache,
}

#[derive(Debug, Serialize, Deserialize)]
struct Attraction {
    id: String,
    kind: String,
    name: String,
    kilometres: f64,
}

/// The routes of attractions.
pub(super) fn routes(database: Database, cache: Cache) -> Router {
    Router::new()
        .route("/attractions", get(attractions))
        .with_state(Attractions { database, cache })
}

async fn attractions(
    State(service): State<Attractions>,
    Query(query): Query<HotelQuery>,
) -> Result<Json<Vec<Attraction>>, ServiceError> {
    let key = format!("attractions:{}", query.hotel_id);
    if let Some(attractions) = service.cache.get(&key).await {
        return Ok(Json(attractions));
    }
    let rows = service
        .database
        .query(&NEAR_HOTEL, &[&query.hotel_id])
        .await?;
    let attractions = rows
        .iter()
        .map(|row| Attraction {
            id: row.get(0),
            kind: row.get(1),
            name: row.get(2),
            kilometres: row.get(3),
        })
        .collect();
    service.cache.set(&key, &attractions).await;
    Ok(Json(attractions))
}
