//! What the generator sends and when, a pure function of the seed.

use std::str::FromStr;
use std::time::Duration;

use rand::RngExt as _;
use rand::rngs::StdRng;
use reqwest::Method;
use serde::Serialize;

use crate::workload::Arrival;

/// The kinds of requests, with the names that a mix and the results use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Endpoint {
    Search,
    Recommend,
    Login,
    Reserve,
    Reviews,
    Attractions,
    ComposePost,
}

impl Endpoint {
    const ALL: [(&'static str, Self); 7] = [
        ("search", Self::Search),
        ("recommend", Self::Recommend),
        ("login", Self::Login),
        ("reserve", Self::Reserve),
        ("reviews", Self::Reviews),
        ("attractions", Self::Attractions),
        ("compose-post", Self::ComposePost),
    ];
}

/// The shares of the endpoints, as cumulated weights.
#[derive(Debug, Clone)]
pub(crate) struct Mix {
    cumulated: Vec<(f64, Endpoint)>,
    total: f64,
}

impl FromStr for Mix {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut mix = Self {
            cumulated: Vec::new(),
            total: 0.0,
        };
        for share in text.split(',').filter(|share| !share.trim().is_empty()) {
            let (name, weight) = share
                .split_once('=')
                .ok_or(format!("not a share: {share}: write search=0.6"))?;
            let known = Endpoint::ALL
                .iter()
                .find(|(known, _)| *known == name.trim());
            let (_, endpoint) = known.ok_or_else(|| {
                let names: Vec<&str> = Endpoint::ALL.iter().map(|(name, _)| *name).collect();
                format!("not an endpoint: {name}: it is one of {}", names.join(", "))
            })?;
            let weight: f64 = weight
                .trim()
                .parse()
                .map_err(|_| format!("not a weight: {weight}"))?;
            if !weight.is_finite() || weight < 0.0 {
                return Err(format!("not a weight: {weight}"));
            }
            mix.total += weight;
            mix.cumulated.push((mix.total, *endpoint));
        }
        if mix.total > 0.0 {
            Ok(mix)
        } else {
            Err("a mix needs a share above 0".to_owned())
        }
    }
}

/// A request that is to be sent.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct PlannedRequest {
    pub(crate) endpoint: Endpoint,
    pub(crate) method: Method,
    pub(crate) path: &'static str,
    pub(crate) parameters: Vec<(&'static str, String)>,
}

impl PlannedRequest {
    /// Whether the parameters are a form in the body, rather than in the URL.
    pub(crate) fn is_form(&self) -> bool {
        self.endpoint == Endpoint::ComposePost
    }
}

/// The time until the next request.
pub(crate) fn planned_gap(random: &mut StdRng, arrival: Arrival, rate: f64) -> Duration {
    let unit: f64 = match arrival {
        // Inverse of the exponential distribution; 1 - u is never 0.
        Arrival::Exponential => -(1.0 - random.random::<f64>()).ln(),
        Arrival::Constant => 1.0,
    };
    Duration::from_secs_f64(unit / rate)
}

/// Draws the next request of `mix`.
pub(crate) fn plan_request(random: &mut StdRng, mix: &Mix) -> PlannedRequest {
    let point = random.random::<f64>() * mix.total;
    let drawn = mix
        .cumulated
        .iter()
        .find(|(until, _)| point < *until)
        .or(mix.cumulated.last());
    let endpoint = drawn.map_or(Endpoint::Search, |(_, endpoint)| *endpoint);
    let (method, path, parameters) = match endpoint {
        Endpoint::Search => (
            Method::GET,
            "/hotels",
            [stay(random), place(random)].concat(),
        ),
        Endpoint::Recommend => {
            let require = ["dis", "rate", "price"][random.random_range(0..3)];
            let mut parameters = vec![("require", require.to_owned())];
            parameters.extend(place(random));
            (Method::GET, "/recommendations", parameters)
        }
        Endpoint::Login => (Method::POST, "/user", credentials(random)),
        Endpoint::Reserve => {
            let mut parameters = stay(random);
            parameters.push(hotel(random));
            let credentials = credentials(random);
            parameters.push(("customerName", credentials[0].1.clone()));
            parameters.extend(credentials);
            parameters.push(("number", "1".to_owned()));
            (Method::POST, "/reservation", parameters)
        }
        Endpoint::Reviews => (Method::GET, "/review", hotel_page(random)),
        Endpoint::Attractions => (Method::GET, "/attractions", hotel_page(random)),
        Endpoint::ComposePost => (Method::POST, "/wrk2-api/post/compose", post(random)),
    };
    PlannedRequest {
        endpoint,
        method,
        path,
        parameters,
    }
}

/// A stay between 9 and 24 April 2015, the days that the data is about.
fn stay(random: &mut StdRng) -> Vec<(&'static str, String)> {
    let first = random.random_range(9..24);
    let last = random.random_range(first + 1..=24);
    vec![
        ("inDate", format!("2015-04-{first:02}")),
        ("outDate", format!("2015-04-{last:02}")),
    ]
}

/// A place within the region of the hotels.
fn place(random: &mut StdRng) -> Vec<(&'static str, String)> {
    let latitude = random.random_range(37.80..38.25);
    let longitude = random.random_range(-122.25..-121.95);
    vec![
        ("lat", format!("{latitude:.3}")),
        ("lon", format!("{longitude:.3}")),
    ]
}

/// One of the 501 users; the password is the number ten times over.
fn credentials(random: &mut StdRng) -> Vec<(&'static str, String)> {
    let number: u32 = random.random_range(0..=500);
    vec![
        ("username", format!("Cornell_{number}")),
        ("password", number.to_string().repeat(10)),
    ]
}

/// A post of one of the 962 users of DeathStarBench's social network, as its frontend takes it.
fn post(random: &mut StdRng) -> Vec<(&'static str, String)> {
    let number: u32 = random.random_range(0..962);
    let words = random.random_range(8..40);
    let mut text: Vec<String> = (0..words).map(|_| word(random)).collect();
    text.push(format!("@username_{}", random.random_range(0..962)));
    text.push(format!("http://{}.com", word(random)));
    let medium = random.random_range(1_000_000..10_000_000);
    vec![
        ("username", format!("username_{number}")),
        ("user_id", number.to_string()),
        ("text", text.join(" ")),
        ("media_ids", format!("[\"{medium}\"]")),
        ("media_types", "[\"png\"]".to_owned()),
        ("post_type", "0".to_owned()),
    ]
}

fn word(random: &mut StdRng) -> String {
    let letters = random.random_range(2..10);
    (0..letters)
        .map(|_| random.random_range('a'..='z'))
        .collect()
}

fn hotel(random: &mut StdRng) -> (&'static str, String) {
    ("hotelId", random.random_range(1..=80).to_string())
}

fn hotel_page(random: &mut StdRng) -> Vec<(&'static str, String)> {
    let mut parameters = vec![hotel(random)];
    parameters.extend(credentials(random));
    parameters
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng as _;

    use super::*;

    const MIXED: &str =
        "search=0.56,recommend=0.36,login=0.02,reserve=0.02,reviews=0.02,attractions=0.02";

    #[test]
    fn the_same_seed_plans_the_same_requests() {
        let mix: Mix = MIXED.parse().unwrap();
        let plan = |seed| {
            let mut random = StdRng::seed_from_u64(seed);
            (0..50)
                .map(|_| plan_request(&mut random, &mix))
                .collect::<Vec<_>>()
        };
        assert_eq!(plan(7), plan(7));
        assert_ne!(plan(7), plan(8));
    }

    #[test]
    fn shares_and_rate_are_kept() {
        let mix: Mix = MIXED.parse().unwrap();
        let mut random = StdRng::seed_from_u64(1);
        let searches = (0..10_000)
            .filter(|_| plan_request(&mut random, &mix).endpoint == Endpoint::Search)
            .count();
        assert!((5_400..5_800).contains(&searches), "{searches}");
        let time: Duration = (0..10_000)
            .map(|_| planned_gap(&mut random, Arrival::Exponential, 10.0))
            .sum();
        assert!((970.0..1_030.0).contains(&time.as_secs_f64()), "{time:?}");
    }

    #[test]
    fn a_wrong_mix_is_explained() {
        for (mix, expected) in [
            ("serch=1", "not an endpoint: serch"),
            ("search", "not a share"),
            ("search=-1", "not a weight"),
            ("", "a mix needs"),
        ] {
            let error = mix.parse::<Mix>().unwrap_err();
            assert!(error.starts_with(expected), "{error}");
        }
    }
}
