//! Prometheus remote read: how raw samples are asked for; what comes back is read by `datasets`.

pub(super) use aiopslab_datasets::remote_read::{
    Label, Sample, TimeSeries, decode_response, histogram_time,
};
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

#[cfg(test)]
mod tests {
    use super::*;

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
