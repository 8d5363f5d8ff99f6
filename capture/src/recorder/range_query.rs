//! Samples by the query API, for who may not post: remote read is a POST, a query is a GET.
//!
//! A range selector returns samples as they were stored, but neither stale markers nor native
//! histograms.

use serde_json::Value;

use super::Context;
use super::remote_read::{Label, Sample, TimeSeries};

/// What coverage tells of samples that were read this way.
pub(super) const LACKS: &str = "read by queries, since remote read was refused: without stale markers, which tell where series end, and without native histograms";

/// The samples of the series that match a selector, from `start` to before `end` (milliseconds).
pub(super) async fn read(
    context: &Context,
    selector: &str,
    (start, end): (i64, i64),
) -> Result<Vec<TimeSeries>, String> {
    let path = path(selector, start, end);
    let (prometheus, namespace) = (&context.prometheus, &context.namespace);
    let answer = context.cluster.proxy_json(prometheus, namespace, &path);
    let answer = answer.await.map_err(|error| error.to_string())?;
    let found = answer["data"]["result"].as_array().into_iter().flatten();
    found.map(series).collect()
}

/// A range has its end, and in Prometheus 2 its start too; callers take what is inside.
fn path(selector: &str, start: i64, end: i64) -> String {
    let query: String =
        url::form_urlencoded::byte_serialize(format!("{selector}[{}ms]", end - start).as_bytes())
            .collect();
    let (seconds, fraction) = ((end - 1) / 1000, (end - 1) % 1000);
    format!("/api/v1/query?query={query}&time={seconds}.{fraction:03}")
}

fn series(one: &Value) -> Result<TimeSeries, String> {
    let labels = one["metric"].as_object().into_iter().flatten();
    let mut labels: Vec<Label> = labels
        .map(|(name, value)| Label {
            name: name.clone(),
            value: value.as_str().unwrap_or_default().to_owned(),
        })
        .collect();
    labels.sort();
    let pairs = one["values"].as_array().into_iter().flatten();
    let samples = pairs.map(|pair| {
        let time = pair[0].as_f64();
        let value = pair[1].as_str().and_then(|text| text.parse::<f64>().ok());
        time.zip(value)
            .map(|(time, value)| Sample {
                timestamp: (time * 1000.0).round() as i64,
                value,
            })
            .ok_or_else(|| format!("{pair} is no sample"))
    });
    Ok(TimeSeries {
        labels,
        samples: samples.collect::<Result<_, _>>()?,
        ..TimeSeries::default()
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_slice_ends_with_its_last_millisecond() {
        assert_eq!(
            path("{namespace=\"shop\"}", 1_700_000_000_000, 1_700_000_060_000),
            "/api/v1/query?query=%7Bnamespace%3D%22shop%22%7D%5B60000ms%5D&time=1700000059.999"
        );
    }

    #[test]
    fn samples_keep_their_times_and_values() {
        let answer = json!({"metric": {"__name__": "up", "a": "b"},
            "values": [[1_700_000_000.123, "0.1"], [1_700_000_015, "NaN"], [1_700_000_030, "+Inf"]]});
        let read = series(&answer).unwrap();
        assert_eq!(read.labels[0].name, "__name__");
        let times: Vec<_> = read.samples.iter().map(|it| it.timestamp).collect();
        assert_eq!(
            times,
            [1_700_000_000_123, 1_700_000_015_000, 1_700_000_030_000]
        );
        assert!((read.samples[0].value - 0.1).abs() < f64::EPSILON);
        assert!(read.samples[1].value.is_nan() && read.samples[2].value.is_infinite());
        assert!(series(&json!({"values": [["x", "1"]]})).is_err());
    }
}
