//! Tables whose kind is told by a key that they have: `{ scale = "deployment/geo", replicas = 0 }`.

use serde::de::{Deserialize, Deserializer, Error};
use serde_json::{Map, Value};

/// A kind: the key that tells it, and what reads a table of that kind.
pub(crate) type Kind<T> = (&'static str, fn(Value) -> Result<T, serde_json::Error>);

/// Reads a table as the one kind whose key it has. Unlike an untagged enum's, the error says what is
/// wrong with a table of that kind.
pub(crate) fn read<'de, D: Deserializer<'de>, T>(
    deserializer: D,
    what: &str,
    kinds: &[Kind<T>],
) -> Result<T, D::Error> {
    let fields = Map::deserialize(deserializer)?;
    let found: Vec<&Kind<T>> = kinds
        .iter()
        .filter(|(key, _)| fields.contains_key(*key))
        .collect();
    match found.as_slice() {
        [(key, read)] => read(Value::Object(fields))
            .map_err(|error| D::Error::custom(format!("{what} `{key}`: {error}"))),
        [] => {
            let keys: Vec<&str> = kinds.iter().map(|(key, _)| *key).collect();
            let given: Vec<String> = fields.keys().map(|key| format!("`{key}`")).collect();
            Err(D::Error::custom(format!(
                "unknown {what} with {}, wanted one of: {}",
                if given.is_empty() {
                    "no key".to_owned()
                } else {
                    given.join(", ")
                },
                keys.join(", ")
            )))
        }
        several => {
            let keys: Vec<String> = several.iter().map(|(key, _)| format!("`{key}`")).collect();
            Err(D::Error::custom(format!(
                "a {what} is one of {}, not several",
                keys.join(", ")
            )))
        }
    }
}
