//! search: hotels near a place that have a rate for the stay.

use axum::extract::{Query, State};
use axum::routing::get;
use axum::{Json, Router};
use serde::Deserialize;

use super::HotelIds;
use crate::error::ServiceError;
use crate::metrics::Metrics;
use crate::peer::Peer;

#[derive(Clone)]
struct Search {
    geo: Peer,
    rate: Peer,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct SearchQuery {
    in_date: String,
    out_date: String,
    lat: f64,
    lon: f64,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Plan {
    hotel_id: String,
}

/// The routes of search.
pub(super) fn routes(metrics: &Metrics) -> anyhow::Result<Router> {
    let search = Search {
        geo: Peer::new("geo", metrics)?,
        rate: Peer::new("rate", metrics)?,
    };
    Ok(Router::new()
        .route("/nearby", get(nearby))
        .with_state(search))
}

async fn nearby(
    State(search): State<Search>,
    Query(query): Query<SearchQuery>,
) -> Result<Json<HotelIds>, ServiceError> {
    let place = [
        ("lat", query.lat.to_string()),
        ("lon", query.lon.to_string()),
    ];
    let near: HotelIds = search.geo.get("/nearby", &place).await?;
    if near.hotel_ids.is_empty() {
        return Ok(Json(near));
    }
    let (first, last) = if cfg!(feature = "next") {
        (query.out_date, query.in_date)
    } else {
        (query.in_date, query.out_date)
    };
    let stay = [
        ("hotelIds", near.hotel_ids.join(",")),
        ("inDate", first),
        ("outDate", last),
    ];
    let plans: Vec<Plan> = search.rate.get("/rates", &stay).await?;
    // Plans come cheapest first; a hotel stays at the place of its cheapest.
    let mut hotel_ids: Vec<String> = Vec::new();
    for plan in plans {
        if !hotel_ids.contains(&plan.hotel_id) {
            hotel_ids.push(plan.hotel_id);
        }
    }
    Ok(Json(HotelIds { hotel_ids }))
}
