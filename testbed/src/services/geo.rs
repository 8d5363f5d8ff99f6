//! geo: the hotels nearest to a place.

use axum::extract::{Query, State};
use axum::routing::get;
use axum::{Json, Router};

use super::{HotelIds, Place};
use crate::database::{Database, Statement};
use crate::error::ServiceError;

/// At most five hotels within ten kilometres; a degree is about 111.2 km.
const NEARBY: Statement = Statement {
    operation: "SELECT",
    table: "points",
    sql: "SELECT hotel_id FROM ( \
              SELECT hotel_id, 111.2 * sqrt((lat - $1) ^ 2 + ((lon - $2) * cos(radians($1))) ^ 2) \
                  AS kilometres FROM points) AS measured \
          WHERE kilometres <= 10 ORDER BY kilometres, hotel_id LIMIT 5",
};

/// The routes of geo.
pub(super) fn routes(database: Database) -> Router {
    Router::new()
        .route("/nearby", get(nearby))
        .with_state(database)
}

async fn nearby(
    State(database): State<Database>,
    Query(place): Query<Place>,
) -> Result<Json<HotelIds>, ServiceError> {
    let rows = database.query(&NEARBY, &[&place.lat, &place.lon]).await?;
    Ok(Json(HotelIds {
        hotel_ids: rows.iter().map(|row| row.get(0)).collect(),
    }))
}
