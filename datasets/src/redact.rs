//! Replacing secrets before they are written.
//!
//! A secret becomes printable bytes of the same length, derived from it with a key: equal secrets
//! stay equal, so that a service and its store can still be seen to share a password, and nobody
//! without the key can check a guess.

pub(crate) mod base64;

use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Map, Value};
use sha2::Sha256;

/// The annotation in which `kubectl apply` keeps a copy of the whole object.
const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";
/// Parts of the names of environment variables whose values are secrets.
const SECRET_NAMES: [&str; 4] = ["PASSWORD", "TOKEN", "SECRET", "KEY"];
/// 64 letters, so that six bits choose one.
const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// Replaces secrets, with one key per recording.
#[derive(Clone)]
pub struct Redactor {
    mac: Hmac<Sha256>,
}

impl std::fmt::Debug for Redactor {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The key must not reach a log.
        formatter.debug_struct("Redactor").finish_non_exhaustive()
    }
}

impl Redactor {
    /// Makes a redactor; the key may have any length and is written nowhere.
    #[must_use]
    pub fn new(key: &[u8]) -> Self {
        let mac = Hmac::new_from_slice(key).expect("HMAC takes a key of any length");
        Self { mac }
    }

    /// Printable bytes of the same length that stand for a secret.
    #[must_use]
    pub fn secret_value(&self, secret: &[u8]) -> Vec<u8> {
        let mut letters = Vec::with_capacity(secret.len());
        for block in 0_u64.. {
            if letters.len() >= secret.len() {
                break;
            }
            let mut mac = self.mac.clone();
            mac.update(&block.to_le_bytes());
            mac.update(secret);
            let bytes = mac.finalize().into_bytes();
            letters.extend(
                bytes
                    .iter()
                    .filter_map(|byte| LETTERS.get(usize::from(byte & 63))),
            );
        }
        letters.truncate(secret.len());
        letters
    }

    /// Replaces the secrets in a Kubernetes object or list; tells how many values it replaced.
    ///
    /// These are `data` and `stringData` of Secrets (decoded, replaced, encoded again), values of
    /// environment variables whose names contain `PASSWORD`, `TOKEN`, `SECRET` or `KEY`, and both
    /// within the copy that `kubectl apply` keeps in an annotation.
    pub fn object(&self, object: &mut Value) -> u64 {
        self.object_of_kind(object, None)
    }

    fn object_of_kind(&self, object: &mut Value, kind: Option<&str>) -> u64 {
        let own = object
            .get("kind")
            .and_then(Value::as_str)
            .map(str::to_owned);
        let kind = own.as_deref().or(kind).unwrap_or_default();
        if let Some(Value::Array(items)) = object.get_mut("items") {
            // The items of a typed list do not repeat their kind.
            let item_kind = kind.strip_suffix("List");
            return items
                .iter_mut()
                .map(|item| self.object_of_kind(item, item_kind))
                .sum();
        }
        let mut count = self.last_applied(object);
        if kind == "Secret" {
            count += self.secret_data(object);
        }
        count + self.environment(object)
    }

    fn secret_data(&self, secret: &mut Value) -> u64 {
        let mut count = 0;
        if let Some(Value::Object(data)) = secret.get_mut("data") {
            count += self.replace_all(data, |encoded| {
                // What is no base64 is replaced as it stands: nothing may slip through.
                base64::decode(encoded).map_or_else(
                    || self.replaced(encoded),
                    |decoded| base64::encode(&self.secret_value(&decoded)),
                )
            });
        }
        if let Some(Value::Object(data)) = secret.get_mut("stringData") {
            count += self.replace_all(data, |text| self.replaced(text));
        }
        count
    }

    fn replace_all(&self, data: &mut Map<String, Value>, with: impl Fn(&str) -> String) -> u64 {
        let mut count = 0;
        for (_, value) in data.iter_mut() {
            if let Value::String(text) = value
                && !text.is_empty()
            {
                *text = with(text);
                count += 1;
            }
        }
        count
    }

    fn last_applied(&self, object: &mut Value) -> u64 {
        let annotation = object
            .get_mut("metadata")
            .and_then(|metadata| metadata.get_mut("annotations"))
            .and_then(|annotations| annotations.get_mut(LAST_APPLIED));
        let Some(Value::String(text)) = annotation else {
            return 0;
        };
        let Ok(mut copy) = serde_json::from_str::<Value>(text) else {
            return 0;
        };
        let count = self.object(&mut copy);
        if count > 0 {
            *text = format!("{copy}\n");
        }
        count
    }

    fn environment(&self, value: &mut Value) -> u64 {
        match value {
            Value::Array(items) => items.iter_mut().map(|item| self.environment(item)).sum(),
            Value::Object(fields) => {
                let mut count = 0;
                for (name, field) in fields.iter_mut() {
                    count += match field {
                        Value::Array(variables) if name == "env" => variables
                            .iter_mut()
                            .map(|variable| self.variable(variable))
                            .sum(),
                        other => self.environment(other),
                    };
                }
                count
            }
            _ => 0,
        }
    }

    fn variable(&self, variable: &mut Value) -> u64 {
        let name = variable
            .get("name")
            .and_then(Value::as_str)
            .unwrap_or_default();
        let name = name.to_ascii_uppercase();
        if !SECRET_NAMES.iter().any(|part| name.contains(part)) {
            return 0;
        }
        match variable.get_mut("value") {
            Some(Value::String(text)) if !text.is_empty() => {
                *text = self.replaced(text);
                1
            }
            _ => 0,
        }
    }

    fn replaced(&self, text: &str) -> String {
        self.secret_value(text.as_bytes())
            .into_iter()
            .map(char::from)
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn equal_secrets_stay_equal_and_keep_their_length() {
        let redactor = Redactor::new(b"key");
        let long = vec![7; 100];
        assert_eq!(redactor.secret_value(&long).len(), 100);
        assert_eq!(
            redactor.secret_value(b"hunter2"),
            redactor.secret_value(b"hunter2")
        );
        assert_ne!(
            redactor.secret_value(b"hunter2"),
            redactor.secret_value(b"hunter3")
        );
        assert_ne!(
            redactor.secret_value(b"hunter2"),
            Redactor::new(b"x").secret_value(b"hunter2")
        );
        assert!(redactor.secret_value(b"").is_empty());
    }

    #[test]
    fn secrets_lose_their_values_everywhere() {
        let applied = r#"{"kind":"Secret","data":{"password":"aHVudGVyMg=="}}"#;
        let mut secret = json!({
            "kind": "Secret",
            "metadata": {"name": "postgres-geo", "annotations": {LAST_APPLIED: applied}},
            "data": {"password": "aHVudGVyMg=="},
            "stringData": {"token": "hunter2"},
        });
        let redactor = Redactor::new(b"key");
        assert_eq!(redactor.object(&mut secret), 3);
        let text = secret.to_string();
        assert!(
            !text.contains("aHVudGVyMg") && !text.contains("hunter2"),
            "{text}"
        );
        let encoded = secret["data"]["password"].as_str().unwrap();
        assert_eq!(
            base64::decode(encoded).unwrap(),
            redactor.secret_value(b"hunter2")
        );
    }

    #[test]
    fn environment_values_go_by_name() {
        let container = json!({"env": [
            {"name": "POSTGRES_PASSWORD", "value": "hunter2"},
            {"name": "POSTGRES_USER", "value": "geo"},
            {"name": "API_TOKEN", "valueFrom": {"secretKeyRef": {"name": "s", "key": "token"}}},
        ]});
        let applied = json!({"spec": {"containers": [container.clone()]}}).to_string();
        let mut list = json!({"kind": "PodList", "items": [{
            "metadata": {"annotations": {LAST_APPLIED: applied}},
            "spec": {"containers": [container]},
        }]});
        assert_eq!(Redactor::new(b"key").object(&mut list), 2);
        let text = list.to_string();
        assert!(
            !text.contains("hunter2") && text.contains("\"geo\""),
            "{text}"
        );
    }

    #[test]
    fn objects_without_secrets_do_not_change() {
        let text = r#"{"kind":"Service","metadata":{"annotations":{"a":"b"}},"data":{"x":"eA=="}}"#;
        let mut service: Value = serde_json::from_str(text).unwrap();
        assert_eq!(Redactor::new(b"key").object(&mut service), 0);
        assert_eq!(service.to_string(), text);
    }
}
