//! What is secret, and where it stands; applied before the first byte is written.
//!
//! A secret is replaced by text of its length that is derived from it with a key: equal secrets
//! stay equal, `base64 -d` still works, and nobody without the key learns anything.

mod known;
mod names;
mod text;

use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{PoisonError, RwLock};

use aiopslab_datasets::manifest::Redaction;
use aiopslab_datasets::redact::Redactor;
use aiopslab_datasets::rows::Span;
use k8s_openapi::ByteString;
use serde_json::{Map, Value};

use known::{Fresh, Known};
use names::Names;
use text::TextRules;

/// Annotation with the object as it was applied.
const APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// The rules with their key; shared by all recorders.
pub struct RedactRules {
    redactor: Redactor,
    names: Names,
    text: TextRules,
    custom: usize,
    known: RwLock<Known>,
    values: AtomicU64,
}

impl RedactRules {
    /// The rules of every capture and those of the user's: regular expressions whose group
    /// `secret`, or whole match, is replaced.
    ///
    /// # Errors
    /// When an expression of the user's can't be read.
    pub fn new(key: [u8; 32], custom: &[String]) -> Result<Self, regex::Error> {
        Ok(Self {
            redactor: Redactor::new(&key),
            names: Names::new()?,
            text: TextRules::new(custom)?,
            custom: custom.len(),
            known: RwLock::default(),
            values: AtomicU64::new(0),
        })
    }

    /// Returns the record of what was done, for the manifest.
    #[must_use]
    pub fn record(&self) -> Redaction {
        let fixed = [
            "every value of a Secret, and Helm's releases",
            "environment values whose name tells of a secret",
            "settings, annotations, attributes, labels, headers and arguments whose name ends like a secret's",
            "values of Secrets, and of those settings, wherever they turn up",
            "authorization headers, cookies, JSON web tokens, private keys, passwords in URLs and in name=value",
        ];
        let mut rules: Vec<_> = fixed.map(str::to_owned).into();
        if self.custom > 0 {
            // Not the expressions: one may be the secret itself.
            rules.push(format!(
                "matches of {} expressions of the user's",
                self.custom
            ));
        }
        Redaction {
            rules,
            values: self.values.load(Ordering::Relaxed),
        }
    }

    /// Remembers the values of a Secret that are worth looking for elsewhere.
    pub fn learn(&self, secret: &Value) {
        self.remember(Fresh::of_secret(&self.names, secret));
    }

    /// Remembers settings of an object that is no Secret, before anything else of it is read.
    pub fn learn_settings(&self, object: &Value) {
        self.remember(Fresh::of_settings(&self.names, object));
    }

    fn remember(&self, fresh: Fresh) {
        let is_known = |known: &Known| known.has_all(&fresh);
        if is_known(&self.known.read().unwrap_or_else(PoisonError::into_inner)) {
            return;
        }
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        known.add(fresh);
    }

    /// Redacts an object in place; says whether there was anything.
    pub fn object(&self, resource: &str, object: &mut Value) -> bool {
        self.learn_settings(object);
        match object {
            Value::Object(fields) => self.fields(fields, resource == "secrets"),
            other => self.tree(other),
        }
    }

    /// Redacts bytes, e.g. a log line; says whether there was anything.
    pub fn line(&self, line: &[u8]) -> (Vec<u8>, bool) {
        let mut line = line.to_vec();
        let found = self.text.find(&line);
        let changed = self.replace(&mut line, found);
        (line, changed)
    }

    /// Redacts text in place; says whether there was anything.
    pub fn text(&self, text: &mut String) -> bool {
        let found = self.text.find(text.as_bytes());
        self.replace_text(text, found)
    }

    /// Redacts what a client printed of objects, as [`Self::object`] redacts the objects.
    pub fn printed(&self, text: &mut String) -> bool {
        let found = self.text.find_settings(text.as_bytes());
        self.replace_text(text, found)
    }

    /// Redacts a value by its name and by what it is; says whether there was anything.
    pub fn named(&self, name: &str, value: &mut String) -> bool {
        match self.names.is_secret(name) {
            true => self.setting(value),
            false => self.text(value),
        }
    }

    /// Redacts a span; says whether there was anything.
    pub fn span(&self, span: &mut Span) -> bool {
        let texts = [
            &mut span.operation,
            &mut span.attributes,
            &mut span.resource,
            &mut span.events,
            &mut span.links,
        ];
        let rest = [span.message.as_mut(), span.warnings.as_mut()];
        let texts = texts.into_iter().chain(rest.into_iter().flatten());
        texts.fold(false, |changed, text| self.text(text) | changed)
    }

    fn replace_text(&self, text: &mut String, found: Vec<Range<usize>>) -> bool {
        let mut bytes = std::mem::take(text).into_bytes();
        let changed = self.replace(&mut bytes, found);
        // What is replaced is replaced by ASCII of its length, so this stays UTF-8.
        *text = String::from_utf8(bytes)
            .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned());
        changed
    }

    /// Replaces what was found, and known values; each once, known ones as they are elsewhere.
    fn replace(&self, line: &mut [u8], found: Vec<Range<usize>>) -> bool {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        let mut ranges = known.find(line);
        ranges.sort_by_key(|range| range.start);
        drop(known);
        let mut found: Vec<_> = found
            .into_iter()
            .filter(|range| {
                let value = line.get(range.clone()).unwrap_or_default();
                !self.tells_nothing(&String::from_utf8_lossy(value))
            })
            .collect();
        found.sort_by_key(|range| (range.start, std::cmp::Reverse(range.end)));
        for range in found {
            let free = pieces(range, &ranges);
            ranges.extend(free);
            ranges.sort_by_key(|range| range.start);
        }
        for range in &ranges {
            if let Some(secret) = line.get_mut(range.clone()) {
                let masked = self.mask(secret);
                secret.copy_from_slice(&masked);
            }
        }
        !ranges.is_empty()
    }

    /// Whether a value that stands where secrets do is none: a word like `true`, or a Secret's name.
    fn tells_nothing(&self, value: &str) -> bool {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        self.names.is_plain(value.as_bytes()) || known.names_a_secret(value)
    }

    /// Redacts `data` and `stringData`.
    fn secret(&self, secret: &mut Map<String, Value>) -> bool {
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
                    _ => self.masked_text(value.as_str().unwrap_or_default()).into(),
                };
            }
        }
        changed
    }

    /// Redacts settings with a secret's name, copies of the object in annotations, Secrets within
    /// other objects, and secrets in any text.
    fn tree(&self, value: &mut Value) -> bool {
        match value {
            Value::String(text) => self.text(text),
            Value::Array(items) => self.array(items),
            Value::Object(fields) => self.fields(fields, false),
            _ => false,
        }
    }

    fn fields(&self, fields: &mut Map<String, Value>, is_secret: bool) -> bool {
        let mut changed = false;
        // Also within a list, a journal or a copy.
        let is_secret = is_secret || fields.get("kind").is_some_and(|kind| kind == "Secret");
        if is_secret {
            self.learn(&Value::Object(fields.clone()));
            changed |= self.secret(fields);
        }
        changed |= !is_secret && self.release(fields);
        let variable = fields
            .get("name")
            .and_then(Value::as_str)
            .unwrap_or_default();
        let is_variable = self.names.is_variable(variable);
        for (name, field) in fields.iter_mut() {
            changed |= match field {
                Value::Object(_) if is_secret && (name == "data" || name == "stringData") => false,
                Value::String(text) if name == APPLIED => self.applied(text),
                Value::String(text) if is_variable && name == "value" => self.setting(text),
                Value::String(text) => self.named(name, text),
                Value::Object(values) if name == "binaryData" => self.binary(values),
                _ => self.tree(field),
            };
        }
        changed
    }

    fn setting(&self, value: &mut String) -> bool {
        if self.tells_nothing(value) {
            return false;
        }
        *value = self.masked_text(value);
        true
    }

    /// Redacts a release of Helm's that is kept in a ConfigMap: nothing within it can be looked at.
    fn release(&self, fields: &mut Map<String, Value>) -> bool {
        let is_helms = fields.get("metadata").is_some_and(|metadata| {
            let is_owner = |name: &str| metadata["labels"][name] == "helm";
            is_owner("owner") || is_owner("OWNER")
        });
        match fields
            .get_mut("data")
            .and_then(|data| data.get_mut("release"))
        {
            Some(Value::String(release)) if is_helms => {
                *release = self.masked_text(release);
                true
            }
            _ => false,
        }
    }

    /// Redacts items, and the argument after one like `--password`.
    fn array(&self, items: &mut [Value]) -> bool {
        let mut changed = false;
        let mut is_next = false;
        for item in items {
            let was_next = std::mem::take(&mut is_next);
            if let Value::String(text) = item {
                is_next = self.names.is_flag(text);
                if was_next && !text.starts_with('-') {
                    changed |= self.setting(text);
                    continue;
                }
            }
            changed |= self.tree(item);
        }
        changed
    }

    /// Redacts texts of a ConfigMap that are encoded.
    fn binary(&self, values: &mut Map<String, Value>) -> bool {
        let mut changed = false;
        for value in values.values_mut() {
            if let Ok(ByteString(bytes)) = serde_json::from_value(value.clone()) {
                let (redacted, is_changed) = self.line(&bytes);
                if is_changed {
                    *value = serde_json::to_value(ByteString(redacted)).unwrap_or_default();
                    changed = true;
                }
            }
        }
        changed
    }

    fn applied(&self, text: &mut String) -> bool {
        let Ok(mut object) = serde_json::from_str::<Value>(text) else {
            return self.text(text);
        };
        let changed = self.tree(&mut object);
        if changed {
            *text = format!("{object}\n");
        }
        changed
    }

    fn masked_text(&self, text: &str) -> String {
        String::from_utf8_lossy(&self.mask(text.as_bytes())).into_owned()
    }

    /// Letters of the same length, the same for the same bytes.
    fn mask(&self, secret: &[u8]) -> Vec<u8> {
        self.values.fetch_add(1, Ordering::Relaxed);
        self.redactor.secret_value(secret)
    }
}

/// What of a range is in none of others, which are in order.
fn pieces(range: Range<usize>, others: &[Range<usize>]) -> Vec<Range<usize>> {
    let mut free = Vec::new();
    let mut at = range.start;
    for other in others {
        if other.end > at && other.start < range.end {
            if other.start > at {
                free.push(at..other.start);
            }
            at = at.max(other.end);
        }
    }
    if at < range.end {
        free.push(at..range.end);
    }
    free
}

#[cfg(test)]
mod tests;
