//! profile: name, address, phone and description of hotels.

use axum::extract::{Query, State};
use axum::routing::get;
use axum::{Json, Router};
use serde::{Deserialize, Serialize};

use super::split_ids;
use crate::cache::Cache;
use crate::database::{Database, Statement};
use crate::error::ServiceError;

const PROFILES: Statement = Statement {
    operation: "SELECT",
    table: "hotels",
    sql: "SELECT hotel_id, name, phone, description, street, city, lat, lon \
          FROM hotels WHERE hotel_id = ANY($1) ORDER BY hotel_id",
};

#[derive(Clone)]
struct Profiles {
    database: Database,
    cache: Cache,
}

/// What a user sees of a hotel.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Profile {
    id: String,
    name: String,
    phone: String,
    description: String,
    street: String,
    city: String,
    lat: f64,
    lon: f64,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct ProfileQuery {
    hotel_ids: String,
}

/// The routes of profile.
pub(super) fn routes(database: Database, cache: Cache) -> Router {
    Router::new()
        .route("/profiles", get(profiles))
        .with_state(Profiles { database, cache })
}

async fn profiles(
    State(service): State<Profiles>,
    Query(query): Query<ProfileQuery>,
) -> Result<Json<Vec<Profile>>, ServiceError> {
    let ids = split_ids(&query.hotel_ids);
    let key = format!("profiles:{}", ids.join(","));
    if let Some(profiles) = service.cache.get(&key).await {
        return Ok(Json(profiles));
    }
    let rows = service.database.query(&PROFILES, &[&ids]).await?;
    let profiles = rows
        .iter()
        .map(|row| Profile {
            id: row.get(0),
            name: row.get(1),
            phone: row.get(2),
            description: row.get(3),
            street: row.get(4),
            city: row.get(5),
            lat: row.get(6),
            lon: row.get(7),
        })
        .collect();
    service.cache.set(&key, &profiles).await;
    Ok(Json(profiles))
}
