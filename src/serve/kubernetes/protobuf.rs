//! What typed clients post in protobuf: the three reviews, decoded; of anything else its type.

use aiopslab_replay::kubernetes::Status;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use prost::Message;
use serde_json::{Map, Value, json};

/// What every Kubernetes protobuf starts with.
const MAGIC: &[u8] = b"k8s\0";

/// The envelope (`k8s.io.apimachinery.pkg.runtime.Unknown`).
#[derive(Clone, PartialEq, Message)]
struct Unknown {
    #[prost(message, optional, tag = "1")]
    type_meta: Option<TypeMeta>,
    #[prost(bytes = "vec", tag = "2")]
    raw: Vec<u8>,
}

#[derive(Clone, PartialEq, Message)]
struct TypeMeta {
    #[prost(string, tag = "1")]
    api_version: String,
    #[prost(string, tag = "2")]
    kind: String,
}

#[derive(Clone, PartialEq, Message)]
struct AccessReview {
    #[prost(message, optional, tag = "2")]
    spec: Option<AccessSpec>,
}

#[derive(Clone, PartialEq, Message)]
struct AccessSpec {
    #[prost(message, optional, tag = "1")]
    resource: Option<ResourceAttributes>,
    #[prost(message, optional, tag = "2")]
    non_resource: Option<NonResourceAttributes>,
}

#[derive(Clone, PartialEq, Message)]
struct ResourceAttributes {
    #[prost(string, tag = "1")]
    namespace: String,
    #[prost(string, tag = "2")]
    verb: String,
    #[prost(string, tag = "3")]
    group: String,
    #[prost(string, tag = "4")]
    version: String,
    #[prost(string, tag = "5")]
    resource: String,
    #[prost(string, tag = "6")]
    subresource: String,
    #[prost(string, tag = "7")]
    name: String,
}

#[derive(Clone, PartialEq, Message)]
struct NonResourceAttributes {
    #[prost(string, tag = "1")]
    path: String,
    #[prost(string, tag = "2")]
    verb: String,
}

#[derive(Clone, PartialEq, Message)]
struct RulesReview {
    #[prost(message, optional, tag = "2")]
    spec: Option<RulesSpec>,
}

#[derive(Clone, PartialEq, Message)]
struct RulesSpec {
    #[prost(string, tag = "1")]
    namespace: String,
}

/// The posted review as JSON, from protobuf or JSON.
pub(super) fn review(resource: &str, body: &[u8]) -> Result<Value, Status> {
    let Some(envelope) = body.strip_prefix(MAGIC) else {
        return serde_json::from_slice(body).map_err(|error| wrong(&error));
    };
    let raw = Unknown::decode(envelope)
        .map_err(|error| wrong(&error))?
        .raw;
    let spec = match resource {
        "selfsubjectaccessreviews" => AccessReview::decode(raw.as_slice())
            .map_err(|error| wrong(&error))?
            .spec
            .map(AccessSpec::json),
        "selfsubjectrulesreviews" => RulesReview::decode(raw.as_slice())
            .map_err(|error| wrong(&error))?
            .spec
            .map(|spec| object(&[("namespace", &spec.namespace)])),
        _ => None,
    };
    Ok(json!({"spec": spec.unwrap_or_else(|| json!({}))}))
}

/// Any posted body as JSON, as far as it can be told without the kind's own schema.
pub(super) fn body(bytes: &[u8]) -> Value {
    if bytes.is_empty() {
        return Value::Null;
    }
    if let Some(envelope) = bytes.strip_prefix(MAGIC) {
        let decoded = Unknown::decode(envelope).unwrap_or_default();
        let r#type = decoded.type_meta.unwrap_or_default();
        return json!({
            "apiVersion": r#type.api_version,
            "kind": r#type.kind,
            "protobuf": BASE64_STANDARD.encode(decoded.raw),
        });
    }
    serde_json::from_slice(bytes)
        .unwrap_or_else(|_| Value::String(String::from_utf8_lossy(bytes).into_owned()))
}

impl AccessSpec {
    fn json(self) -> Value {
        let mut spec = Map::new();
        if let Some(of) = &self.resource {
            let attributes = object(&[
                ("namespace", &of.namespace),
                ("verb", &of.verb),
                ("group", &of.group),
                ("version", &of.version),
                ("resource", &of.resource),
                ("subresource", &of.subresource),
                ("name", &of.name),
            ]);
            spec.insert("resourceAttributes".to_owned(), attributes);
        }
        if let Some(of) = &self.non_resource {
            let attributes = object(&[("path", &of.path), ("verb", &of.verb)]);
            spec.insert("nonResourceAttributes".to_owned(), attributes);
        }
        Value::Object(spec)
    }
}

/// The fields that are not empty.
fn object(fields: &[(&str, &String)]) -> Value {
    let fields = fields.iter().filter(|(_, value)| !value.is_empty());
    let fields = fields.map(|(key, value)| ((*key).to_owned(), json!(value)));
    Value::Object(fields.collect())
}

fn wrong(error: &dyn std::error::Error) -> Status {
    Status::bad_request(format!("the object provided is unrecognized: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What kubectl 1.32 posted for `auth can-i get pods -n shop`.
    fn posted() -> Vec<u8> {
        let mut raw = vec![0x0a, 0x02, 0x0a, 0x00];
        let attributes = b"\x0a\x04shop\x12\x03get\x1a\x00\x22\x01*\x2a\x04pods\x32\x00\x3a\x00";
        raw.extend([0x12, u8::try_from(attributes.len() + 2).unwrap()]);
        raw.extend([0x0a, u8::try_from(attributes.len()).unwrap()]);
        raw.extend(attributes);
        let mut body = MAGIC.to_vec();
        let of = b"\x0a\x17authorization.k8s.io/v1\x12\x17SelfSubjectAccessReview";
        body.extend([0x0a, u8::try_from(of.len()).unwrap()]);
        body.extend(of);
        body.extend([0x12, u8::try_from(raw.len()).unwrap()]);
        body.extend(raw);
        body.extend([0x1a, 0x00, 0x22, 0x00]);
        body
    }

    #[test]
    fn reviews_are_decoded() {
        let spec = json!({"spec": {"resourceAttributes": {
            "namespace": "shop", "verb": "get", "version": "*", "resource": "pods"}}});
        assert_eq!(review("selfsubjectaccessreviews", &posted()).unwrap(), spec);
        let body = spec.to_string();
        assert_eq!(
            review("selfsubjectaccessreviews", body.as_bytes()).unwrap(),
            spec
        );
        assert_eq!(
            review("selfsubjectreviews", &posted()).unwrap(),
            json!({"spec": {}})
        );
        assert_eq!(
            review("selfsubjectaccessreviews", b"k8s\0\xff")
                .unwrap_err()
                .code,
            400
        );
        assert_eq!(
            review("selfsubjectaccessreviews", b"{").unwrap_err().code,
            400
        );
    }

    #[test]
    fn bodies_are_told() {
        let told = body(&posted());
        assert_eq!(told["kind"], "SelfSubjectAccessReview");
        assert_eq!(body(b"{\"a\":1}"), json!({"a": 1}));
        assert_eq!(body(b"a: 1\n"), json!("a: 1\n"));
        assert_eq!(body(b""), Value::Null);
    }
}
