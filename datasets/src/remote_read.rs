//! What Prometheus answers to a remote read: raw samples with their own timestamps and stale markers.
//!
//! A capture asks for it, an import reads a kept answer. Messages and field numbers are those of
//! `prompb/{remote,types}.proto` (<https://github.com/prometheus/prometheus>); the answer is a block of snappy.

use prost::Message;
use prost::bytes::Bytes;

/// Longest answer, unpacked; there is no reading a block of snappy in parts.
const LONGEST: usize = 1 << 30;

/// A series with its samples.
#[derive(Clone, PartialEq, Message)]
pub struct TimeSeries {
    /// Sorted by name.
    #[prost(message, repeated, tag = "1")]
    pub labels: Vec<Label>,
    /// In the order of their times.
    #[prost(message, repeated, tag = "2")]
    pub samples: Vec<Sample>,
    /// Native histograms as they came: messages whose field 15 is the timestamp.
    #[prost(bytes = "vec", repeated, tag = "4")]
    pub histograms: Vec<Vec<u8>>,
}

/// A label.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Message)]
pub struct Label {
    /// Its name; the metric's own is that of `__name__`.
    #[prost(string, tag = "1")]
    pub name: String,
    /// Its value.
    #[prost(string, tag = "2")]
    pub value: String,
}

/// A sample.
#[derive(Clone, PartialEq, Message)]
pub struct Sample {
    /// NaN payloads are kept.
    #[prost(double, tag = "1")]
    pub value: f64,
    /// Milliseconds since the epoch.
    #[prost(int64, tag = "2")]
    pub timestamp: i64,
}

/// `ReadResponse`.
#[derive(Clone, PartialEq, Message)]
struct Response {
    #[prost(message, repeated, tag = "1")]
    results: Vec<Answer>,
}

/// `QueryResult`, with each series as it was encoded.
#[derive(Clone, PartialEq, Message)]
struct Answer {
    #[prost(bytes = "bytes", repeated, tag = "1")]
    series: Vec<Bytes>,
}

/// All that is read of a native histogram.
#[derive(Clone, PartialEq, Message)]
struct HistogramTime {
    #[prost(int64, tag = "15")]
    timestamp: i64,
}

/// The time of a native histogram (ms).
#[must_use]
pub fn histogram_time(histogram: &[u8]) -> Option<i64> {
    HistogramTime::decode(histogram)
        .ok()
        .map(|time| time.timestamp)
}

/// The series of an answer, selector after selector.
///
/// # Errors
/// When it is no block of snappy, or no answer is in it.
pub fn decode_response(body: &[u8]) -> Result<Vec<TimeSeries>, String> {
    let encoded = encoded_series(body)?.into_iter();
    encoded
        .map(|one| TimeSeries::decode(one).map_err(|error| error.to_string()))
        .collect()
}

/// The same, each still encoded as a [`TimeSeries`], so that they can be understood one by one.
///
/// # Errors
/// When it is no block of snappy, or no answer is in it.
pub(crate) fn encoded_series(body: &[u8]) -> Result<Vec<Bytes>, String> {
    let length = snap::raw::decompress_len(body).map_err(|error| error.to_string())?;
    if length > LONGEST {
        return Err(format!(
            "it would be {length} bytes when unpacked, more than {LONGEST}: ask for a shorter time"
        ));
    }
    let bytes = snap::raw::Decoder::new()
        .decompress_vec(body)
        .map_err(|error| error.to_string())?;
    let response = Response::decode(Bytes::from(bytes)).map_err(|error| error.to_string())?;
    let answers = response.results.into_iter();
    Ok(answers.flat_map(|answer| answer.series).collect())
}

/// An answer that holds these series, for tests.
#[cfg(test)]
pub(crate) fn encode_response(series: &[TimeSeries]) -> Vec<u8> {
    let series = series.iter().map(|one| Bytes::from(one.encode_to_vec()));
    let results = vec![Answer {
        series: series.collect(),
    }];
    let response = Response { results }.encode_to_vec();
    snap::raw::Encoder::new().compress_vec(&response).unwrap()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What Prometheus writes when a series ends.
    const STALE: u64 = 0x7ff0_0000_0000_0002;

    #[test]
    fn stale_markers_survive() {
        let label = |name: &str, value: &str| Label {
            name: name.into(),
            value: value.into(),
        };
        let sample = |value, timestamp| Sample { value, timestamp };
        let series = TimeSeries {
            labels: vec![label("__name__", "up"), label("job", "a")],
            samples: vec![sample(1.0, 1000), sample(f64::from_bits(STALE), 2000)],
            histograms: vec![HistogramTime { timestamp: 3000 }.encode_to_vec()],
        };
        let decoded = decode_response(&encode_response(&[series])).unwrap();
        assert_eq!(decoded[0].labels[1].value, "a");
        assert_eq!(decoded[0].samples[1].value.to_bits(), STALE);
        assert_eq!(histogram_time(&decoded[0].histograms[0]), Some(3000));
        assert!(decode_response(b"nonsense").is_err());
        // A length of 2 GiB, and nothing after it.
        let error = decode_response(&[0x80, 0x80, 0x80, 0x80, 0x08]).unwrap_err();
        assert!(error.contains("shorter time"), "{error}");
    }
}
