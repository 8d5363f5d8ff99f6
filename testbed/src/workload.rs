//! The load generator: open loop, seeded, until it is told to stop.
//!
//! Requests leave at their planned times whether or not earlier ones were answered, and latency
//! counts from the planned time, so a slow target cannot hide by slowing the generator.
//! Modules: `plan` (what is sent when), `intervals` (what came back, per second).

mod intervals;
mod plan;

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::Context as _;
use axum::extract::{Query, State};
use axum::routing::get;
use axum::{Json, Router};
use clap::{Args, ValueEnum};
use rand::SeedableRng as _;
use rand::rngs::StdRng;
use reqwest::header::CONTENT_TYPE;
use reqwest::{Client, Url};
use serde::Deserialize;
use tokio::net::TcpListener;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;

use crate::server;
use crate::workload::intervals::{Answer, IntervalRow, Intervals};
use crate::workload::plan::{Mix, PlannedRequest, plan_request, planned_gap};

/// What the generator sends, and where.
#[derive(Debug, Args)]
pub(crate) struct WorkloadArguments {
    /// Where the frontend answers
    #[arg(
        long,
        alias = "target",
        default_value = "http://frontend.hotel-testbed:5000"
    )]
    url: Url,
    /// Requests per second
    #[arg(long, default_value_t = 10.0, value_parser = positive_rate)]
    rate: f64,
    /// How the gaps between requests are distributed
    #[arg(long, value_enum, default_value_t = Arrival::Exponential)]
    arrival: Arrival,
    /// Shares of the endpoints
    #[arg(
        long,
        default_value = "search=0.56,recommend=0.36,login=0.02,reserve=0.02,reviews=0.02,attractions=0.02"
    )]
    mix: Mix,
    /// The same seed gives the same requests with the same gaps
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Milliseconds after which a request is given up
    #[arg(long, default_value_t = 2000)]
    timeout_ms: u64,
    /// Requests that may be unanswered at a time; more are counted as the error `overload`
    #[arg(long, default_value_t = 500)]
    max_in_flight: usize,
    /// Seconds to run; until SIGTERM if absent
    #[arg(long)]
    duration: Option<u64>,
    /// Where `/intervals` and `/healthz` are served
    #[arg(long, default_value = "0.0.0.0:8080")]
    listen: String,
}

/// The distribution of the gaps between requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Arrival {
    /// A Poisson process: exponentially distributed gaps
    Exponential,
    /// The same gap every time
    Constant,
}

/// Sends requests until SIGTERM or the end of the duration, then prints a summary.
#[expect(
    clippy::print_stdout,
    reason = "the summary on stdout is what a load generator is read for"
)]
pub(crate) async fn run(arguments: WorkloadArguments) -> anyhow::Result<()> {
    let timeout = Duration::from_millis(arguments.timeout_ms);
    let generator = Arc::new(Generator {
        target: arguments.url.clone(),
        // One connection per request, like a new user each time.
        client: Client::builder()
            .pool_max_idle_per_host(0)
            .timeout(timeout)
            .build()?,
        intervals: Intervals::starting_now(timeout),
    });
    let listener = TcpListener::bind(&arguments.listen)
        .await
        .with_context(|| format!("cannot listen on {}", arguments.listen))?;
    let reader = tokio::spawn(axum::serve(listener, routes(Arc::clone(&generator))).into_future());
    println!("Running test @ {}", arguments.url);
    println!(
        "  rate {}/s, {:?} arrival, seed {}",
        arguments.rate, arguments.arrival, arguments.seed
    );

    let slots = Arc::new(Semaphore::new(arguments.max_in_flight));
    let length = arguments.duration.map(Duration::from_secs);
    tokio::select! {
        () = send_all(&generator, &arguments, &slots) => {}
        () = server::termination() => {}
        () = end_of(length) => {}
    }
    // What is in flight still counts; the clients' own timeout bounds the wait.
    let all_slots = u32::try_from(arguments.max_in_flight).unwrap_or(u32::MAX);
    let _ = tokio::time::timeout(timeout, slots.acquire_many(all_slots)).await;
    println!("{}", generator.intervals.summary());
    reader.abort();
    Ok(())
}

async fn end_of(length: Option<Duration>) {
    match length {
        Some(length) => tokio::time::sleep(length).await,
        None => std::future::pending().await,
    }
}

struct Generator {
    target: Url,
    client: Client,
    intervals: Intervals,
}

async fn send_all(
    generator: &Arc<Generator>,
    arguments: &WorkloadArguments,
    slots: &Arc<Semaphore>,
) {
    // Two streams, so that another arrival distribution leaves the requests as they are.
    let mut gaps = StdRng::seed_from_u64(arguments.seed);
    let mut requests = StdRng::seed_from_u64(arguments.seed ^ 0x5eed);
    let mut due = Instant::now();
    loop {
        due += planned_gap(&mut gaps, arguments.arrival, arguments.rate);
        let request = plan_request(&mut requests, &arguments.mix);
        tokio::time::sleep_until(due).await;
        let interval = generator.intervals.sent(request.endpoint);
        match Arc::clone(slots).try_acquire_owned() {
            Ok(slot) => {
                let generator = Arc::clone(generator);
                tokio::spawn(async move { generator.send(request, interval, due, slot).await });
            }
            Err(_) => {
                let answer = Answer::Failed {
                    reason: "overload".to_owned(),
                    took: None,
                };
                generator
                    .intervals
                    .answered(interval, request.endpoint, answer);
            }
        }
    }
}

impl Generator {
    async fn send(
        &self,
        request: PlannedRequest,
        interval: u64,
        due: Instant,
        slot: OwnedSemaphorePermit,
    ) {
        let endpoint = request.endpoint;
        let answer = match self.exchange(request).await {
            Ok(200) => Answer::Ok {
                took: due.elapsed(),
            },
            Ok(status) => Answer::Failed {
                reason: status.to_string(),
                took: Some(due.elapsed()),
            },
            Err(error) if error.is_timeout() => Answer::Failed {
                reason: "timeout".to_owned(),
                took: None,
            },
            Err(error) if error.is_connect() => Answer::Failed {
                reason: "connect".to_owned(),
                took: None,
            },
            Err(_) => Answer::Failed {
                reason: "read".to_owned(),
                took: None,
            },
        };
        self.intervals.answered(interval, endpoint, answer);
        drop(slot);
    }

    async fn exchange(&self, request: PlannedRequest) -> Result<u16, reqwest::Error> {
        let mut url = self.target.clone();
        url.set_path(request.path);
        url.query_pairs_mut()
            .clear()
            .extend_pairs(&request.parameters);
        let form = match url.query() {
            Some(form) if request.is_form() => Some(form.to_owned()),
            _ => None,
        };
        if form.is_some() {
            url.set_query(None);
        }
        let mut sent = self.client.request(request.method, url);
        if let Some(form) = form {
            let kind = "application/x-www-form-urlencoded";
            sent = sent.header(CONTENT_TYPE, kind).body(form);
        }
        let response = sent.send().await?;
        let status = response.status().as_u16();
        response.bytes().await?;
        Ok(status)
    }
}

#[derive(Debug, Deserialize)]
struct Since {
    #[serde(default)]
    since: u64,
}

fn routes(generator: Arc<Generator>) -> Router {
    Router::new()
        .route("/healthz", get(async || "ok\n"))
        .route("/intervals", get(intervals_since))
        .with_state(generator)
}

async fn intervals_since(
    State(generator): State<Arc<Generator>>,
    Query(query): Query<Since>,
) -> Json<Vec<IntervalRow>> {
    Json(generator.intervals.since(query.since))
}

fn positive_rate(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(rate) if rate.is_finite() && rate > 0.0 => Ok(rate),
        _ => Err("not a rate: it is a number above 0".to_owned()),
    }
}

/// Milliseconds since 1970.
fn now_ms() -> u64 {
    let since_epoch = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    u64::try_from(since_epoch.as_millis()).unwrap_or(u64::MAX)
}
