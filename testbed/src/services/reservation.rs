//! reservation: which hotels have rooms left, and taking one.

use axum::extract::{Query, State};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::{Deserialize, Serialize};

use super::{HotelIds, StayQuery, check_dates, split_ids};
use crate::cache::Cache;
use crate::database::{Database, Statement};
use crate::error::ServiceError;

/// The hotels of `$1` that have a room on every night from `$2` until `$3`.
const AVAILABLE: Statement = Statement {
    operation: "SELECT",
    table: "reservations",
    sql: "SELECT c.hotel_id FROM capacity c WHERE c.hotel_id = ANY($1) AND NOT EXISTS ( \
              SELECT 1 FROM reservations r WHERE r.hotel_id = c.hotel_id \
              AND r.night >= $2::text::date AND r.night < $3::text::date \
              GROUP BY r.night, c.rooms HAVING sum(r.rooms) >= c.rooms) \
          ORDER BY c.hotel_id",
};

/// One row per night, or none if some night is full.
const RESERVE: Statement = Statement {
    operation: "INSERT",
    table: "reservations",
    sql: "INSERT INTO reservations (hotel_id, customer, night, rooms) \
          SELECT $1, $2, night::date, $5::integer FROM generate_series( \
              $3::text::date, $4::text::date - 1, interval '1 day') AS night \
          WHERE EXISTS (SELECT 1 FROM capacity WHERE hotel_id = $1) AND NOT EXISTS ( \
              SELECT 1 FROM reservations r JOIN capacity c USING (hotel_id) \
              WHERE r.hotel_id = $1 \
              AND r.night >= $3::text::date AND r.night < $4::text::date \
              GROUP BY r.night, c.rooms HAVING sum(r.rooms) + $5::integer > c.rooms) \
          RETURNING night",
};

#[derive(Clone)]
struct Reservations {
    database: Database,
    cache: Cache,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Booking {
    hotel_id: String,
    customer: String,
    in_date: String,
    out_date: String,
    rooms: i32,
}

#[derive(Debug, Serialize)]
struct Reserved {
    nights: usize,
}

/// The routes of reservation.
pub(super) fn routes(database: Database, cache: Cache) -> Router {
    Router::new()
        .route("/availability", get(availability))
        .route("/reservations", post(reserve))
        .with_state(Reservations { database, cache })
}

async fn availability(
    State(service): State<Reservations>,
    Query(stay): Query<StayQuery>,
) -> Result<Json<HotelIds>, ServiceError> {
    check_dates(&stay.in_date, &stay.out_date)?;
    let ids = split_ids(&stay.hotel_ids);
    let key = format!(
        "available:{}:{}:{}",
        ids.join(","),
        stay.in_date,
        stay.out_date
    );
    if let Some(available) = service.cache.get(&key).await {
        return Ok(Json(available));
    }
    let rows = service
        .database
        .query(&AVAILABLE, &[&ids, &stay.in_date, &stay.out_date])
        .await?;
    let available = HotelIds {
        hotel_ids: rows.iter().map(|row| row.get(0)).collect(),
    };
    service.cache.set(&key, &available).await;
    Ok(Json(available))
}

async fn reserve(
    State(service): State<Reservations>,
    Json(booking): Json<Booking>,
) -> Result<Json<Reserved>, ServiceError> {
    check_dates(&booking.in_date, &booking.out_date)?;
    let Booking {
        hotel_id,
        customer,
        in_date,
        out_date,
        rooms,
    } = &booking;
    let rows = service
        .database
        .query(&RESERVE, &[hotel_id, customer, in_date, out_date, rooms])
        .await?;
    if rows.is_empty() {
        let message = format!("hotel {hotel_id} has no room from {in_date} to {out_date}");
        return Err(ServiceError::Conflict(message));
    }
    tracing::info!(
        hotel = hotel_id,
        customer,
        rooms,
        nights = rows.len(),
        "room reserved"
    );
    Ok(Json(Reserved { nights: rows.len() }))
}
