//! rate: the rate plans of hotels for a stay.

use axum::extract::{Query, State};
use axum::routing::get;
use axum::{Json, Router};
use serde::{Deserialize, Serialize};

use super::{StayQuery, check_dates, split_ids};
use crate::cache::Cache;
use crate::database::{Database, Statement};
use crate::error::ServiceError;

const PLANS: Statement = Statement {
    operation: "SELECT",
    table: "rate_plans",
    sql: "SELECT hotel_id, code, room_type, price, price * ($3::text::date - $2::text::date) \
          FROM rate_plans WHERE hotel_id = ANY($1) \
          AND valid_from <= $2::text::date AND valid_until >= $3::text::date \
          ORDER BY price, hotel_id, code",
};

#[derive(Clone)]
struct Rate {
    database: Database,
    cache: Cache,
}

/// The price of one kind of room.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct RatePlan {
    hotel_id: String,
    code: String,
    room_type: String,
    price: f64,
    total: f64,
}

/// The routes of rate.
pub(super) fn routes(database: Database, cache: Cache) -> Router {
    Router::new()
        .route("/rates", get(rates))
        .with_state(Rate { database, cache })
}

async fn rates(
    State(rate): State<Rate>,
    Query(stay): Query<StayQuery>,
) -> Result<Json<Vec<RatePlan>>, ServiceError> {
    check_dates(&stay.in_date, &stay.out_date)?;
    let ids = split_ids(&stay.hotel_ids);
    let key = format!("rates:{}:{}:{}", ids.join(","), stay.in_date, stay.out_date);
    if let Some(plans) = rate.cache.get(&key).await {
        return Ok(Json(plans));
    }
    let rows = rate
        .database
        .query(&PLANS, &[&ids, &stay.in_date, &stay.out_date])
        .await?;
    let plans = rows
        .iter()
        .map(|row| RatePlan {
            hotel_id: row.get(0),
            code: row.get(1),
            room_type: row.get(2),
            price: row.get(3),
            total: row.get(4),
        })
        .collect();
    rate.cache.set(&key, &plans).await;
    Ok(Json(plans))
}
