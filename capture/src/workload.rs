//! The workload: an open-loop generator that runs as a Job in the cluster.

use std::collections::BTreeMap;

use aiopslab_problems::family::{Application, Load, Workload};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::cluster::Cluster;
use crate::error::CaptureError;
use crate::manifests;
use crate::resource::text;
use crate::windows::Window;

/// Namespace of the Job, where upstream runs its own.
pub const NAMESPACE: &str = "default";
/// Name of the Job.
pub const NAME: &str = "workload";
/// Port that the generator tells its measurements on.
const PORT: u16 = 8080;
/// Measurements of the last intervals change still: late answers belong to when they were asked.
const STILL_CHANGING: u64 = 30;

/// What the generator measured in one second for one endpoint.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Interval {
    /// Number of the second.
    pub interval: u64,
    /// Its start, milliseconds since the epoch.
    pub start_ms: i64,
    /// Kind of request.
    pub endpoint: String,
    /// Requests sent.
    pub sent: u64,
    /// Requests answered well.
    pub ok: u64,
    /// Requests that failed, by class.
    pub errors: BTreeMap<String, u64>,
    /// Upper bound in milliseconds (none: beyond the last) and number of answers.
    pub latency_ms_histogram: Vec<(Option<f64>, u64)>,
}

/// The workload's figures over a window.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Figures {
    /// Requests that came to an end.
    pub requests: u64,
    /// Those that failed, by class.
    pub errors: BTreeMap<String, u64>,
    /// 99th percentile of latency in seconds, the upper bound of its bucket.
    pub latency_p99: Option<f64>,
}

impl Figures {
    /// As conditions read them.
    #[must_use]
    pub fn json(&self) -> Value {
        let errors: u64 = self.errors.values().sum();
        json!({"requests": self.requests, "errors": errors, "error_classes": self.errors, "latency_p99": self.latency_p99})
    }
}

/// Reads what the generator measures.
#[derive(Debug, Default)]
pub struct WorkloadClient {
    pod: Option<String>,
    intervals: BTreeMap<(u64, String), Interval>,
}

impl WorkloadClient {
    /// Fetches what was measured since the last time.
    pub async fn fetch(&mut self, cluster: &Cluster) -> Result<(), CaptureError> {
        let pod = match &self.pod {
            Some(pod) => pod.clone(),
            None => match running_pod(cluster).await? {
                Some(pod) => self.pod.insert(pod).clone(),
                None => return Ok(()),
            },
        };
        let last = self
            .intervals
            .last_key_value()
            .map_or(0, |((interval, _), _)| *interval);
        let since = last.saturating_sub(STILL_CHANGING);
        let path = format!(
            "/api/v1/namespaces/{NAMESPACE}/pods/{pod}:{PORT}/proxy/intervals?since={since}"
        );
        let answer = cluster.get_json(&path).await?;
        let intervals: Vec<Interval> = serde_json::from_value(answer)
            .map_err(CaptureError::json("the workload's intervals"))?;
        for interval in intervals {
            self.intervals
                .insert((interval.interval, interval.endpoint.clone()), interval);
        }
        Ok(())
    }

    /// Sums up the seconds that lie within a window.
    #[must_use]
    pub fn figures(&self, window: Window) -> Figures {
        let mut figures = Figures::default();
        let mut histogram: BTreeMap<u64, u64> = BTreeMap::new();
        let (from, to) = (window.from.as_millisecond(), window.to.as_millisecond());
        for interval in self.intervals.values() {
            if interval.start_ms < from || interval.start_ms + 1000 > to {
                continue;
            }
            figures.requests += interval.ok;
            for (class, count) in interval.errors.iter().filter(|(_, count)| **count > 0) {
                figures.requests += count;
                *figures.errors.entry(class.clone()).or_default() += count;
            }
            for (upper, count) in &interval.latency_ms_histogram {
                // Positive floats sort like their bits.
                let upper = upper.unwrap_or(f64::INFINITY).max(0.0);
                *histogram.entry(upper.to_bits()).or_default() += count;
            }
        }
        figures.latency_p99 = percentile_99(&histogram);
        figures
    }

    /// Everything that was measured, in order.
    #[must_use]
    pub fn intervals(&self) -> Vec<&Interval> {
        self.intervals.values().collect()
    }
}

fn percentile_99(histogram: &BTreeMap<u64, u64>) -> Option<f64> {
    let total: u64 = histogram.values().sum();
    let wanted = total.saturating_mul(99).div_ceil(100).max(1);
    let mut seen = 0;
    for (upper, count) in histogram {
        seen += count;
        if seen >= wanted {
            let upper = f64::from_bits(*upper);
            return upper.is_finite().then_some(upper / 1000.0);
        }
    }
    None
}

/// The load that a family names.
pub(crate) fn named<'a>(
    application: &'a Application,
    name: &str,
) -> Result<&'a Load, CaptureError> {
    let unknown = || CaptureError::UnknownWorkload {
        application: application.name.clone(),
        workload: name.to_owned(),
    };
    application.workloads.get(name).ok_or_else(unknown)
}

/// Starts the generator's Job for a workload of the application.
pub(crate) async fn start(
    cluster: &Cluster,
    application: &Application,
    workload: &Workload,
    seed: u64,
) -> Result<(), CaptureError> {
    let mut job = manifests::workload(application)?;
    let args = args(application, workload, seed);
    if let Some(container) = job.pointer_mut("/spec/template/spec/containers/0") {
        container["args"] = json!(args);
    }
    cluster
        .create(&format!("/apis/batch/v1/namespaces/{NAMESPACE}/jobs"), &job)
        .await?;
    Ok(())
}

/// The arguments of the generator.
fn args(application: &Application, workload: &Workload, seed: u64) -> Vec<String> {
    let frontend = &application.frontend;
    let namespace = frontend
        .namespace
        .as_deref()
        .unwrap_or(&application.namespace);
    let mix: Vec<String> = workload
        .mix
        .iter()
        .map(|(kind, share)| format!("{kind}={share}"))
        .collect();
    let mut args = vec![
        "workload".to_owned(),
        format!(
            "--url=http://{}.{namespace}:{}",
            frontend.service, frontend.port
        ),
        format!("--rate={}", workload.rate),
        format!("--arrival={}", workload.arrival),
        format!("--mix={}", mix.join(",")),
        format!("--seed={seed}"),
    ];
    for (name, value) in &workload.extra {
        let value = value
            .as_str()
            .map_or_else(|| value.to_string(), str::to_owned);
        args.push(format!("--{name}={value}"));
    }
    args
}

/// The generator's pod, once it is ready.
pub(crate) async fn running_pod(cluster: &Cluster) -> Result<Option<String>, CaptureError> {
    let pods = pods(cluster).await?;
    let pod = pods.iter().find(|pod| crate::resource::is_ready_pod(pod));
    Ok(pod.map(|pod| text(pod, "/metadata/name").to_owned()))
}

async fn pods(cluster: &Cluster) -> Result<Vec<Value>, CaptureError> {
    let path = format!("/api/v1/namespaces/{NAMESPACE}/pods?labelSelector=job-name%3D{NAME}");
    Ok(cluster.list(&path).await?)
}

/// Deletes the generator's Job; says whether there was one.
pub(crate) async fn stop(cluster: &Cluster) -> Result<bool, CaptureError> {
    Ok(cluster
        .delete(&format!(
            "/apis/batch/v1/namespaces/{NAMESPACE}/jobs/{NAME}"
        ))
        .await?)
}

/// Whether there is a Job of the generator.
pub(crate) async fn has_job(cluster: &Cluster) -> Result<bool, CaptureError> {
    let job = format!("/apis/batch/v1/namespaces/{NAMESPACE}/jobs/{NAME}");
    Ok(cluster.find_json(&job).await?.is_some())
}

/// Whether Job and pods of the generator are gone.
pub(crate) async fn is_gone(cluster: &Cluster) -> Result<bool, CaptureError> {
    Ok(!has_job(cluster).await? && pods(cluster).await?.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_of_a_window() {
        let mut client = WorkloadClient::default();
        for second in 0..10 {
            let interval = Interval {
                interval: second,
                start_ms: 1000 * i64::try_from(second).unwrap(),
                endpoint: "search".to_owned(),
                sent: 10,
                ok: 9,
                errors: BTreeMap::from([("500".to_owned(), u64::from(second >= 5))]),
                latency_ms_histogram: vec![(Some(10.0), 9), (Some(250.0), u64::from(second >= 5))],
            };
            client
                .intervals
                .insert((second, interval.endpoint.clone()), interval);
        }
        let window = |from, to| Window {
            from: jiff::Timestamp::from_second(from).unwrap(),
            to: jiff::Timestamp::from_second(to).unwrap(),
        };
        let healthy = client.figures(window(0, 5));
        assert_eq!((healthy.requests, healthy.errors), (45, BTreeMap::new()));
        assert_eq!(healthy.latency_p99, Some(0.01));
        let broken = client.figures(window(5, 10));
        let errors = BTreeMap::from([("500".to_owned(), 5)]);
        assert_eq!((broken.requests, broken.errors), (50, errors));
        assert_eq!(broken.latency_p99, Some(0.25));
        assert_eq!(client.figures(window(20, 30)).latency_p99, None);
    }
}
