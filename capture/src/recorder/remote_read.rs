//! Prometheus remote read: raw samples with their own timestamps and stale markers.

use prost::Message;

/// How a label is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, prost::Enumeration)]
#[repr(i32)]
pub(super) enum MatcherType {
    /// `=`
    Equal = 0,
    /// `!=`
    NotEqual = 1,
    /// `=~`
    Regex = 2,
    /// `!~`
    NotRegex = 3,
}

/// A test of one label.
#[derive(Clone, PartialEq, Eq, Message)]
pub(super) struct Matcher {
    #[prost(enumeration = "MatcherType", tag = "1")]
    r#type: i32,
    #[prost(string, tag = "2")]
    name: String,
    #[prost(string, tag = "3")]
    value: String,
}

impl Matcher {
    pub(super) fn new(kind: MatcherType, name: &str, value: &str) -> Self {
        Self {
            r#type: kind.into(),
            name: name.to_owned(),
            value: value.to_owned(),
        }
    }
}

/// Asks for the series that match all of some matchers; both ends are included.
#[derive(Clone, PartialEq, Message)]
struct Query {
    #[prost(int64, tag = "1")]
    start_ms: i64,
    #[prost(int64, tag = "2")]
    end_ms: i64,
    #[prost(message, repeated, tag = "3")]
    matchers: Vec<Matcher>,
}

#[derive(Clone, PartialEq, Message)]
struct ReadRequest {
    #[prost(message, repeated, tag = "1")]
    queries: Vec<Query>,
    /// 0 is SAMPLES.
    #[prost(int32, repeated, tag = "2")]
    accepted_response_types: Vec<i32>,
}

#[derive(Clone, PartialEq, Message)]
struct ReadResponse {
    #[prost(message, repeated, tag = "1")]
    results: Vec<QueryResult>,
}

#[derive(Clone, PartialEq, Message)]
struct QueryResult {
    #[prost(message, repeated, tag = "1")]
    series: Vec<TimeSeries>,
}

/// A series with its samples.
#[derive(Clone, PartialEq, Message)]
pub(super) struct TimeSeries {
    /// Sorted by name.
    #[prost(message, repeated, tag = "1")]
    pub(super) labels: Vec<Label>,
    #[prost(message, repeated, tag = "2")]
    pub(super) samples: Vec<Sample>,
    /// Native histograms as they came: messages whose field 15 is the timestamp.
    #[prost(bytes = "vec", repeated, tag = "4")]
    pub(super) histograms: Vec<Vec<u8>>,
}

/// A label.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Message)]
pub(super) struct Label {
    #[prost(string, tag = "1")]
    pub(super) name: String,
    #[prost(string, tag = "2")]
    pub(super) value: String,
}

/// A sample; NaN payloads are kept.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Sample {
    #[prost(double, tag = "1")]
    pub(super) value: f64,
    #[prost(int64, tag = "2")]
    pub(super) timestamp: i64,
}

/// All that is read of a native histogram.
#[derive(Clone, PartialEq, Message)]
struct HistogramTime {
    #[prost(int64, tag = "15")]
    timestamp: i64,
}

/// The time of a native histogram.
pub(super) fn histogram_time(histogram: &[u8]) -> Option<i64> {
    HistogramTime::decode(histogram)
        .ok()
        .map(|time| time.timestamp)
}

/// A request for several selectors over a window, compressed.
pub(super) fn encode_request(
    selectors: &[Vec<Matcher>],
    start_ms: i64,
    end_ms: i64,
) -> Result<Vec<u8>, String> {
    let queries = selectors
        .iter()
        .map(|matchers| Query {
            start_ms,
            end_ms,
            matchers: matchers.clone(),
        })
        .collect();
    let request = ReadRequest {
        queries,
        accepted_response_types: vec![0],
    };
    snap::raw::Encoder::new()
        .compress_vec(&request.encode_to_vec())
        .map_err(|error| error.to_string())
}

/// The series of an answer, selector after selector.
pub(super) fn decode_response(body: &[u8]) -> Result<Vec<TimeSeries>, String> {
    let bytes = snap::raw::Decoder::new()
        .decompress_vec(body)
        .map_err(|error| error.to_string())?;
    let response = ReadResponse::decode(bytes.as_slice()).map_err(|error| error.to_string())?;
    Ok(response
        .results
        .into_iter()
        .flat_map(|result| result.series)
        .collect())
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
        let series = TimeSeries {
            labels: vec![label("__name__", "up"), label("job", "a")],
            samples: vec![
                Sample {
                    value: 1.0,
                    timestamp: 1000,
                },
                Sample {
                    value: f64::from_bits(STALE),
                    timestamp: 2000,
                },
            ],
            histograms: vec![HistogramTime { timestamp: 3000 }.encode_to_vec()],
        };
        let response = ReadResponse {
            results: vec![QueryResult {
                series: vec![series],
            }],
        };
        let body = snap::raw::Encoder::new()
            .compress_vec(&response.encode_to_vec())
            .unwrap();
        let decoded = decode_response(&body).unwrap();
        assert_eq!(decoded[0].labels[1].value, "a");
        assert_eq!(decoded[0].samples[1].value.to_bits(), STALE);
        assert_eq!(histogram_time(&decoded[0].histograms[0]), Some(3000));
        assert!(decode_response(b"nonsense").is_err());
    }

    #[test]
    fn requests_can_be_read_back() {
        let matchers = vec![Matcher::new(MatcherType::Regex, "job", ".+")];
        let body = encode_request(std::slice::from_ref(&matchers), 1, 2).unwrap();
        let bytes = snap::raw::Decoder::new().decompress_vec(&body).unwrap();
        let request = ReadRequest::decode(bytes.as_slice()).unwrap();
        assert_eq!(
            request.queries,
            [Query {
                start_ms: 1,
                end_ms: 2,
                matchers
            }]
        );
    }
}
