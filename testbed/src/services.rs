//! What each role answers and which dependencies it has.
//!
//! The call graph: frontend calls search, profile, recommendation, reservation, user, review and
//! attractions; search calls geo and rate; every service but these two callers has a database of its
//! own, and five of them a cache.

mod attractions;
mod frontend;
mod geo;
mod profile;
mod rate;
mod recommendation;
mod reservation;
mod review;
mod search;
mod user;

use axum::Router;
use serde::{Deserialize, Serialize};

use crate::cache::{Cache, CacheKind};
use crate::database::Database;
use crate::error::ServiceError;
use crate::metrics::Metrics;

/// A service of the application.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    Frontend,
    Search,
    Geo,
    Rate,
    Profile,
    Recommendation,
    Reservation,
    User,
    Review,
    Attractions,
}

impl Role {
    /// The name of the service, the same in manifests, spans and logs.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Frontend => "frontend",
            Self::Search => "search",
            Self::Geo => "geo",
            Self::Rate => "rate",
            Self::Profile => "profile",
            Self::Recommendation => "recommendation",
            Self::Reservation => "reservation",
            Self::User => "user",
            Self::Review => "review",
            Self::Attractions => "attractions",
        }
    }
}

/// The routes of a service and the database that its readiness waits for.
pub(crate) struct Assembled {
    pub(crate) routes: Router,
    pub(crate) database: Option<Database>,
}

/// Connects a role to its dependencies.
pub(crate) fn assemble(role: Role, metrics: &Metrics) -> anyhow::Result<Assembled> {
    let name = role.name();
    let memcached = || Cache::new(CacheKind::Memcached, name, metrics);
    let redis = || Cache::new(CacheKind::Redis, name, metrics);
    let (routes, database) = match role {
        Role::Frontend => (frontend::routes(metrics)?, None),
        Role::Search => (search::routes(metrics)?, None),
        stateful => {
            let database = Database::new(name, metrics)?;
            let own = database.clone();
            let routes = match stateful {
                Role::Rate => rate::routes(own, memcached()),
                Role::Profile => profile::routes(own, memcached()),
                Role::Reservation => reservation::routes(own, memcached()),
                Role::Recommendation => recommendation::routes(own)?,
                Role::User => user::routes(own),
                Role::Review => review::routes(own, redis()),
                Role::Attractions => attractions::routes(own, redis()),
                Role::Geo | Role::Frontend | Role::Search => geo::routes(own),
            };
            (routes, Some(database))
        }
    };
    Ok(Assembled { routes, database })
}

/// Hotels and the nights of a stay, as services ask each other.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
struct StayQuery {
    hotel_ids: String,
    in_date: String,
    out_date: String,
}

/// A list of hotels by id.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct HotelIds {
    hotel_ids: Vec<String>,
}

/// One hotel by id.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
struct HotelQuery {
    hotel_id: String,
}

/// A place by its coordinates in degrees.
#[derive(Debug, Clone, Copy, Deserialize)]
struct Place {
    lat: f64,
    lon: f64,
}

/// Splits a comma-separated list of hotel ids; the ids are sorted, so that a cache key is stable.
fn split_ids(list: &str) -> Vec<String> {
    let mut ids: Vec<String> = list
        .split(',')
        .filter(|id| !id.is_empty())
        .map(str::to_owned)
        .collect();
    ids.sort();
    ids.dedup();
    ids
}

/// Checks the nights of a stay before a database sees them.
fn check_dates(in_date: &str, out_date: &str) -> Result<(), ServiceError> {
    let parse = |text: &str| {
        text.parse::<jiff::civil::Date>()
            .map_err(|error| ServiceError::BadRequest(format!("not a date: {text}: {error}")))
    };
    if parse(in_date)? < parse(out_date)? {
        Ok(())
    } else {
        Err(ServiceError::BadRequest(format!(
            "a stay from {in_date} to {out_date} has no night"
        )))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_make_the_same_key_in_any_order() {
        assert_eq!(split_ids("7,2,,7"), ["2", "7"]);
    }

    #[test]
    fn a_stay_needs_a_night() {
        assert!(check_dates("2015-04-09", "2015-04-10").is_ok());
        assert!(check_dates("2015-04-10", "2015-04-10").is_err());
        assert!(check_dates("2015-04-31", "2015-05-01").is_err());
    }
}
