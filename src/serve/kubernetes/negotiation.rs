//! In which form a client wants its answer.

use aiopslab_replay::kubernetes::{Accepted, Form, Include, Status};

/// Reads the first form in an `Accept` header that we answer in; typed clients offer protobuf first and JSON after it.
pub(super) fn accepted(header: &str, include: &str) -> Result<Accepted, Status> {
    if header.trim().is_empty() {
        return Ok(Accepted::Form(Form::Object));
    }
    header
        .split(',')
        .find_map(|range| read_range(range, include))
        .ok_or_else(Status::not_acceptable)
}

/// Whether an `Accept-Encoding` header names gzip, and not to rule it out.
pub(super) fn takes_gzip(header: &str) -> bool {
    header.split(',').any(|one| {
        let (coding, weight) = one.split_once(';').unwrap_or((one, ""));
        let refused = matches!(weight.trim(), "q=0" | "q=0.0" | "q=0.00" | "q=0.000");
        coding.trim() == "gzip" && !refused
    })
}

fn read_range(range: &str, include: &str) -> Option<Accepted> {
    let mut parts = range.split(';').map(str::trim);
    let media = parts.next()?;
    if !matches!(media, "application/json" | "application/*" | "*/*") {
        return None;
    }
    let parameters: Vec<(&str, &str)> = parts.filter_map(|part| part.split_once('=')).collect();
    let value = |name: &str| {
        let found = parameters.iter().find(|(key, _)| *key == name);
        found.map_or("", |(_, value)| *value)
    };
    match (value("as"), value("g"), value("v")) {
        ("", _, _) => Some(Accepted::Form(Form::Object)),
        ("Table", "meta.k8s.io", "v1") => {
            let include = match include {
                "None" => Include::None,
                "Object" => Include::Object,
                _ => Include::Metadata,
            };
            Some(Accepted::Form(Form::Table(include)))
        }
        ("PartialObjectMetadata" | "PartialObjectMetadataList", "meta.k8s.io", "v1") => {
            Some(Accepted::Form(Form::Metadata))
        }
        ("APIGroupDiscoveryList", "apidiscovery.k8s.io", "v2") => Some(Accepted::Discovery("v2")),
        ("APIGroupDiscoveryList", "apidiscovery.k8s.io", "v2beta1") => {
            Some(Accepted::Discovery("v2beta1"))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gzip_is_asked_for() {
        for (header, expected) in [
            ("gzip", true),
            ("deflate, gzip;q=0.5", true),
            ("gzip;q=0", false),
            ("identity", false),
            ("", false),
        ] {
            assert_eq!(takes_gzip(header), expected, "{header}");
        }
    }

    #[test]
    fn the_first_form_that_we_know_counts() {
        let table = Accepted::Form(Form::Table(Include::Metadata));
        let object = Accepted::Form(Form::Object);
        for (header, expected) in [
            ("", Some(object.clone())),
            ("*/*", Some(object.clone())),
            ("application/json, */*", Some(object.clone())),
            (
                "application/vnd.kubernetes.protobuf,application/json",
                Some(object.clone()),
            ),
            (
                "application/json;as=Table;v=v1;g=meta.k8s.io,application/json;as=Table;v=v1beta1;g=meta.k8s.io,application/json",
                Some(table),
            ),
            (
                "application/json;as=Table;v=v1beta1;g=meta.k8s.io, application/json",
                Some(object),
            ),
            (
                "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json",
                Some(Accepted::Discovery("v2")),
            ),
            (
                "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1",
                Some(Accepted::Form(Form::Metadata)),
            ),
            ("application/vnd.kubernetes.protobuf", None),
            ("text/html", None),
        ] {
            assert_eq!(accepted(header, "").ok(), expected, "{header}");
        }
        assert_eq!(
            accepted("application/json;as=Table;v=v1;g=meta.k8s.io", "Object").unwrap(),
            Accepted::Form(Form::Table(Include::Object))
        );
    }
}
