//! frontend: what users ask, put together from the other services.

use axum::extract::{Query, State};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};

use super::HotelIds;
use crate::error::ServiceError;
use crate::metrics::Metrics;
use crate::peer::Peer;

#[derive(Clone)]
struct Frontend {
    search: Peer,
    profile: Peer,
    recommendation: Peer,
    reservation: Peer,
    user: Peer,
    review: Peer,
    attractions: Peer,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct HotelsQuery {
    in_date: String,
    out_date: String,
    lat: f64,
    lon: f64,
}

#[derive(Debug, Deserialize)]
struct RecommendationsQuery {
    require: String,
    lat: f64,
    lon: f64,
}

#[derive(Debug, Deserialize)]
struct LoginQuery {
    username: String,
    password: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct HotelPageQuery {
    hotel_id: String,
    username: String,
    password: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct ReservationQuery {
    hotel_id: String,
    customer_name: String,
    in_date: String,
    out_date: String,
    number: i32,
    username: String,
    password: String,
}

#[derive(Debug, Deserialize)]
struct Verdict {
    correct: bool,
}

/// The routes of frontend.
pub(super) fn routes(metrics: &Metrics) -> anyhow::Result<Router> {
    let frontend = Frontend {
        search: Peer::new("search", metrics)?,
        profile: Peer::new("profile", metrics)?,
        recommendation: Peer::new("recommendation", metrics)?,
        reservation: Peer::new("reservation", metrics)?,
        user: Peer::new("user", metrics)?,
        review: Peer::new("review", metrics)?,
        attractions: Peer::new("attractions", metrics)?,
    };
    Ok(Router::new()
        .route("/hotels", get(hotels))
        .route("/recommendations", get(recommendations))
        .route("/user", get(login).post(login))
        .route("/reservation", post(reserve))
        .route("/review", get(reviews))
        .route("/attractions", get(attractions))
        .with_state(frontend))
}

async fn hotels(
    State(frontend): State<Frontend>,
    Query(query): Query<HotelsQuery>,
) -> Result<Json<Value>, ServiceError> {
    let asked = [
        ("inDate", query.in_date.clone()),
        ("outDate", query.out_date.clone()),
        ("lat", query.lat.to_string()),
        ("lon", query.lon.to_string()),
    ];
    let mut found: HotelIds = frontend.search.get("/nearby", &asked).await?;
    let stay = [
        ("hotelIds", found.hotel_ids.join(",")),
        ("inDate", query.in_date),
        ("outDate", query.out_date),
    ];
    let available: HotelIds = frontend.reservation.get("/availability", &stay).await?;
    found
        .hotel_ids
        .retain(|id| available.hotel_ids.contains(id));
    frontend.feature_collection(&found).await
}

async fn recommendations(
    State(frontend): State<Frontend>,
    Query(query): Query<RecommendationsQuery>,
) -> Result<Json<Value>, ServiceError> {
    let asked = [
        ("require", query.require),
        ("lat", query.lat.to_string()),
        ("lon", query.lon.to_string()),
    ];
    let best: HotelIds = frontend
        .recommendation
        .get("/recommendations", &asked)
        .await?;
    frontend.feature_collection(&best).await
}

async fn login(
    State(frontend): State<Frontend>,
    Query(query): Query<LoginQuery>,
) -> Result<Json<Value>, ServiceError> {
    frontend
        .check_user(&query.username, &query.password)
        .await?;
    Ok(Json(json!({ "message": "logged in" })))
}

async fn reserve(
    State(frontend): State<Frontend>,
    Query(query): Query<ReservationQuery>,
) -> Result<Json<Value>, ServiceError> {
    frontend
        .check_user(&query.username, &query.password)
        .await?;
    let booking = json!({
        "hotelId": query.hotel_id,
        "customer": query.customer_name,
        "inDate": query.in_date,
        "outDate": query.out_date,
        "rooms": query.number,
    });
    let reserved: Value = frontend.reservation.post("/reservations", &booking).await?;
    Ok(Json(
        json!({ "message": "reserved", "nights": reserved["nights"] }),
    ))
}

async fn reviews(
    State(frontend): State<Frontend>,
    Query(query): Query<HotelPageQuery>,
) -> Result<Json<Value>, ServiceError> {
    frontend
        .check_user(&query.username, &query.password)
        .await?;
    let found: Value = frontend
        .review
        .get("/reviews", &[("hotelId", query.hotel_id)])
        .await?;
    Ok(Json(json!({ "reviews": found })))
}

async fn attractions(
    State(frontend): State<Frontend>,
    Query(query): Query<HotelPageQuery>,
) -> Result<Json<Value>, ServiceError> {
    frontend
        .check_user(&query.username, &query.password)
        .await?;
    let asked = [("hotelId", query.hotel_id)];
    let found: Value = frontend.attractions.get("/attractions", &asked).await?;
    Ok(Json(json!({ "attractions": found })))
}

impl Frontend {
    async fn check_user(&self, username: &str, password: &str) -> Result<(), ServiceError> {
        let credentials = json!({ "username": username, "password": password });
        let verdict: Verdict = self.user.post("/check", &credentials).await?;
        if verdict.correct {
            Ok(())
        } else {
            Err(ServiceError::Unauthorized(format!(
                "wrong name or password: {username}"
            )))
        }
    }

    /// Hotels as GeoJSON, in the order given, with name and phone from their profiles.
    async fn feature_collection(&self, hotels: &HotelIds) -> Result<Json<Value>, ServiceError> {
        let mut features: Vec<Value> = Vec::new();
        if !hotels.hotel_ids.is_empty() {
            let asked = [("hotelIds", hotels.hotel_ids.join(","))];
            let profiles: Vec<Value> = self.profile.get("/profiles", &asked).await?;
            for id in &hotels.hotel_ids {
                let profile = profiles.iter().find(|profile| profile["id"] == id.as_str());
                features.extend(profile.map(feature));
            }
        }
        Ok(Json(
            json!({ "type": "FeatureCollection", "features": features }),
        ))
    }
}

fn feature(profile: &Value) -> Value {
    json!({
        "type": "Feature",
        "id": profile["id"],
        "properties": { "name": profile["name"], "phone_number": profile["phone"] },
        "geometry": { "type": "Point", "coordinates": [profile["lon"], profile["lat"]] },
    })
}
