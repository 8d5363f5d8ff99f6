//! What is secret, and where it stands; applied before the first byte is written.
//!
//! A secret is replaced by text of its length that is derived from it with a key: equal secrets
//! stay equal, `base64 -d` still works, and nobody without the key learns anything.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{PoisonError, RwLock};

use aiopslab_datasets::manifest::Redaction;
use aiopslab_datasets::redact::Redactor;
use k8s_openapi::ByteString;
use regex::bytes::Regex;
use serde_json::Value;

/// Names of settings whose value is a secret.
const SECRET_NAME: &str =
    r"(?i-u)passw(or)?d|secret|token|credential|api_?key|access_?key|private_?key|(^|_)key$";
/// Secrets within text; the group `secret` is what is replaced.
const SECRET_TEXT: &[&str] = &[
    r#"(?i-u)authorization["']?\s*[:=]\s*["']?(?:bearer|basic)\s+(?<secret>[A-Za-z0-9._~+/=-]+)"#,
    r"(?-u)(?<secret>eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]+)",
    r"(?-u)://[^:/@\s]+:(?<secret>[^@/\s]+)@",
    r#"(?i-u)\b\w*(?:passw(?:or)?d|secret|token|api_?key)\w*=(?<secret>[^\s&"',;]+)"#,
];
/// Settings with a secret's name as clients print them: JSON and YAML, then descriptions.
const SECRET_SETTINGS: &[&str] = &[
    r#"(?i-u)\bname\\?"?:\s*\\?"?[\w.-]*(?:passw(?:or)?d|secret|token|credential|api_?key|access_?key|private_?key|_key\b)[\w.-]*\\?"?,?\s*\\?"?value\\?"?:\s*\\?"?(?<secret>[^"\\\n]+)"#,
    r"(?m-u)^ {6}[A-Z0-9_]*(?:PASSW(?:OR)?D|SECRET|TOKEN|CREDENTIAL|API_?KEY|ACCESS_?KEY|PRIVATE_?KEY|_KEY)[A-Z0-9_]*:\s+(?<secret>[^<\s].*)$",
];
/// Annotation with the object as it was applied.
const APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";
/// A shorter value of a Secret is not looked for elsewhere: it is too likely to be an ordinary word.
const SHORTEST_KNOWN: usize = 8;

/// The rules with their key; shared by all recorders.
pub struct RedactRules {
    redactor: Redactor,
    secret_name: Regex,
    secret_text: Vec<Regex>,
    secret_settings: Vec<Regex>,
    custom: Vec<String>,
    known: RwLock<Known>,
    values: AtomicU64,
}

/// Values of Secrets, to be found wherever else they turn up.
#[derive(Default)]
struct Known {
    values: BTreeSet<String>,
    pattern: Option<Regex>,
}

impl RedactRules {
    /// The rules of every capture and those of the user's: regular expressions whose group
    /// `secret`, or whole match, is replaced.
    ///
    /// # Errors
    /// When an expression of the user's can't be read.
    pub fn new(key: [u8; 32], custom: &[String]) -> Result<Self, regex::Error> {
        let fixed = SECRET_TEXT.iter().map(|pattern| Regex::new(pattern));
        let all = fixed.chain(custom.iter().map(|pattern| Regex::new(pattern)));
        Ok(Self {
            redactor: Redactor::new(&key),
            secret_name: Regex::new(SECRET_NAME)?,
            secret_settings: SECRET_SETTINGS
                .iter()
                .map(|pattern| Regex::new(pattern))
                .collect::<Result<_, _>>()?,
            secret_text: all.collect::<Result<_, _>>()?,
            custom: custom.to_vec(),
            known: RwLock::default(),
            values: AtomicU64::new(0),
        })
    }

    /// Returns the record of what was done, for the manifest.
    #[must_use]
    pub fn record(&self) -> Redaction {
        let mut rules = vec![
            "every value of a Secret".to_owned(),
            "environment values whose name tells of a secret".to_owned(),
            "values of Secrets wherever they turn up".to_owned(),
            "authorization headers, JSON web tokens, passwords in URLs and in name=value"
                .to_owned(),
        ];
        rules.extend(
            self.custom
                .iter()
                .map(|pattern| format!("matches of {pattern}")),
        );
        Redaction {
            rules,
            values: self.values.load(Ordering::Relaxed),
        }
    }

    /// Remembers the values of a Secret that are worth looking for elsewhere.
    pub fn learn(&self, secret: &Value) {
        let mut fresh = Vec::new();
        for (name, value) in secret["data"].as_object().into_iter().flatten() {
            let Ok(ByteString(bytes)) = serde_json::from_value(value.clone()) else {
                continue;
            };
            let Ok(text) = String::from_utf8(bytes) else {
                continue;
            };
            if self.secret_name.is_match(name.as_bytes()) && text.trim().len() >= SHORTEST_KNOWN {
                fresh.push(text.trim().to_owned());
            }
        }
        let is_known = |known: &Known| fresh.iter().all(|value| known.values.contains(value));
        if is_known(&self.known.read().unwrap_or_else(PoisonError::into_inner)) {
            return;
        }
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        known.values.extend(fresh);
        let mut escaped: Vec<_> = known
            .values
            .iter()
            .map(|value| regex::escape(value))
            .collect();
        escaped.sort_by_key(|value| std::cmp::Reverse(value.len()));
        known.pattern = Regex::new(&format!("(?-u){}", escaped.join("|"))).ok();
    }

    /// Redacts an object in place; says whether there was anything.
    pub fn object(&self, resource: &str, object: &mut Value) -> bool {
        let mut changed = false;
        if resource == "secrets" {
            self.learn(object);
            changed |= self.secret(object);
        }
        changed | self.tree(object)
    }

    /// Redacts bytes, e.g. a log line; says whether there was anything.
    pub fn line(&self, line: &[u8]) -> (Vec<u8>, bool) {
        let mut line = line.to_vec();
        let mut changed = false;
        for pattern in &self.secret_text {
            changed |= self.matches(pattern, &mut line);
        }
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(pattern) = &known.pattern {
            changed |= self.matches(pattern, &mut line);
        }
        (line, changed)
    }

    /// Redacts text in place; says whether there was anything.
    pub fn text(&self, text: &mut String) -> bool {
        let (line, changed) = self.line(text.as_bytes());
        if changed {
            // What is replaced is replaced by ASCII of its length, so this stays UTF-8.
            *text = String::from_utf8_lossy(&line).into_owned();
        }
        changed
    }

    /// Redacts what a client printed of objects, as [`Self::object`] redacts the objects.
    pub fn printed(&self, text: &mut String) -> bool {
        let mut bytes = std::mem::take(text).into_bytes();
        let mut changed = false;
        for pattern in &self.secret_settings {
            changed |= self.matches(pattern, &mut bytes);
        }
        *text = String::from_utf8_lossy(&bytes).into_owned();
        self.text(text) | changed
    }

    fn matches(&self, pattern: &Regex, line: &mut [u8]) -> bool {
        let found: Vec<_> = pattern
            .captures_iter(line)
            .filter_map(|captures| captures.name("secret").or_else(|| captures.get(0)))
            .map(|secret| secret.range())
            .collect();
        for range in &found {
            if let Some(secret) = line.get_mut(range.clone()) {
                let masked = self.mask(secret);
                secret.copy_from_slice(&masked);
            }
        }
        !found.is_empty()
    }

    /// Redacts `data` and `stringData`.
    fn secret(&self, secret: &mut Value) -> bool {
        let mut changed = false;
        for (field, is_encoded) in [("data", true), ("stringData", false)] {
            let Some(values) = secret.get_mut(field).and_then(Value::as_object_mut) else {
                continue;
            };
            for value in values.values_mut() {
                changed = true;
                *value = match serde_json::from_value(value.clone()) {
                    Ok(ByteString(bytes)) if is_encoded => {
                        let masked = ByteString(self.mask(&bytes));
                        serde_json::to_value(masked).unwrap_or_default()
                    }
                    _ => self.masked_text(value.as_str().unwrap_or_default()),
                };
            }
        }
        changed
    }

    /// Redacts environments, copies of the object in annotations, and secrets in any text.
    fn tree(&self, value: &mut Value) -> bool {
        match value {
            Value::String(text) => self.text(text),
            Value::Array(items) => items
                .iter_mut()
                .fold(false, |changed, item| self.tree(item) | changed),
            Value::Object(fields) => {
                let is_secret = matches!(fields.get("name"), Some(Value::String(name))
                    if self.secret_name.is_match(name.as_bytes()));
                let mut changed = false;
                for (name, field) in fields.iter_mut() {
                    changed |= match field {
                        Value::String(text) if name == APPLIED => self.applied(text),
                        Value::String(text) if is_secret && name == "value" && !text.is_empty() => {
                            *field = self.masked_text(text);
                            true
                        }
                        _ => self.tree(field),
                    };
                }
                changed
            }
            _ => false,
        }
    }

    fn applied(&self, text: &mut String) -> bool {
        let Ok(mut object) = serde_json::from_str::<Value>(text) else {
            return self.text(text);
        };
        let is_secret = object["kind"] == "Secret";
        let changed = (is_secret && self.secret(&mut object)) | self.tree(&mut object);
        if changed {
            *text = format!("{object}\n");
        }
        changed
    }

    fn masked_text(&self, text: &str) -> Value {
        Value::String(String::from_utf8_lossy(&self.mask(text.as_bytes())).into_owned())
    }

    /// Letters of the same length, the same for the same bytes.
    fn mask(&self, secret: &[u8]) -> Vec<u8> {
        self.values.fetch_add(1, Ordering::Relaxed);
        self.redactor.secret_value(secret)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn rules() -> RedactRules {
        RedactRules::new([7; 32], &["badge-(?<secret>[0-9]+)".to_owned()]).unwrap()
    }

    #[test]
    fn values_of_secrets_keep_length_and_equality() {
        let mut secret = json!({"kind": "Secret",
            "data": {"password": "aHVudGVyMmh1bnRlcjI=", "copy": "aHVudGVyMmh1bnRlcjI="}});
        assert!(rules().object("secrets", &mut secret));
        let password = secret["data"]["password"].as_str().unwrap();
        assert_ne!(password, "aHVudGVyMmh1bnRlcjI=");
        assert_eq!(password.len(), "aHVudGVyMmh1bnRlcjI=".len());
        assert_eq!(secret["data"]["password"], secret["data"]["copy"]);
    }

    #[test]
    fn environments_and_applied_configurations_are_redacted() {
        let env = json!({"env": [{"name": "DB_PASSWORD", "value": "hunter2"},
            {"name": "DB_HOST", "value": "postgres"}]});
        let mut pod = json!({"metadata": {"annotations": {APPLIED: env.to_string()}}, "spec": env});
        assert!(rules().object("pods", &mut pod));
        assert!(!pod.to_string().contains("hunter2"), "{pod}");
        assert_eq!(pod["spec"]["env"][1]["value"], "postgres");
    }

    #[test]
    fn what_a_client_printed_is_redacted_as_the_object_is() {
        let mut pod = json!({"env": [{"name": "DB_PASSWORD", "value": "hunter2"}]});
        let rules = rules();
        rules.object("pods", &mut pod);
        let masked = pod["env"][0]["value"].as_str().unwrap();
        let printed = [
            "    - name: DB_PASSWORD\n      value: hunter2\n",
            "  {\n    \"name\": \"DB_PASSWORD\",\n    \"value\": \"hunter2\"\n  }",
            r#"{\"env\":[{\"name\":\"DB_PASSWORD\",\"value\":\"hunter2\"}]}"#,
            "      DB_PASSWORD:  hunter2\n      DB_HOST:  postgres\n",
        ];
        for text in printed {
            let mut redacted = text.to_owned();
            assert!(rules.printed(&mut redacted), "{text}");
            assert_eq!(redacted, text.replace("hunter2", masked));
        }
        for text in [
            "      DB_PASSWORD:  <set to the key 'password' in secret 'postgres'>\n",
            "      SecretName:  postgres\n",
            "    - name: DB_PASSWORD\n      valueFrom:\n        secretKeyRef:\n          key: password\n",
        ] {
            let mut redacted = text.to_owned();
            assert!(!rules.printed(&mut redacted), "{redacted}");
        }
    }

    #[test]
    fn known_values_are_found_in_text() {
        let rules = rules();
        rules.learn(&json!({"data": {"password": "aHVudGVyMmh1bnRlcjI="}})); // hunter2hunter2
        let check = |text: &str| {
            let mut redacted = text.to_owned();
            let changed = rules.text(&mut redacted);
            assert_eq!(redacted.len(), text.len());
            assert_eq!(changed, redacted != text);
            changed
        };
        assert!(check("login with hunter2hunter2 failed"));
        assert!(check("Authorization: Bearer abc.def"));
        assert!(check("postgres://geo:pw@postgres-geo/geo"));
        assert!(check("PGPASSWORD=x1"));
        assert!(check("badge-123"));
        assert!(!check("password authentication failed for user \"geo\""));
        assert!(!check("GET http://rate:8080/rates 200"));
    }
}
