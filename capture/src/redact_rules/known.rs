//! Secrets that were met as such, to be found wherever else they turn up.

use std::collections::BTreeSet;
use std::io::Read;
use std::ops::Range;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use flate2::read::GzDecoder;
use regex::bytes::Regex;
use serde_json::Value;

use super::names::Names;

/// A shorter value is not looked for elsewhere: it is too likely to be an ordinary word.
const SHORTEST: usize = 8;
/// A line of a longer value that is looked for.
const SHORTEST_LINE: usize = 16;
/// A longer value is not looked for as a whole.
const LONGEST: usize = 4096;
/// Values per expression: an expression may not grow without limit.
const AT_ONCE: usize = 500;
/// Most of a release of Helm's that is unpacked.
const LARGEST_RELEASE: u64 = 16 << 20;

/// Values that were met as secrets.
#[derive(Default)]
pub(super) struct Known {
    values: BTreeSet<String>,
    patterns: Vec<Regex>,
    /// Names of Secrets: a setting that says `secret` often names one.
    secrets: BTreeSet<String>,
}

impl Known {
    pub(super) fn has_all(&self, fresh: &Fresh) -> bool {
        fresh.values.is_subset(&self.values) && fresh.secrets.is_subset(&self.secrets)
    }

    pub(super) fn add(&mut self, fresh: Fresh) {
        self.secrets.extend(fresh.secrets);
        let before = self.values.len();
        self.values.extend(fresh.values);
        if self.values.len() == before {
            return;
        }
        let mut escaped: Vec<_> = self
            .values
            .iter()
            .map(|value| regex::escape(value))
            .collect();
        // The longest goes first, where one begins another.
        escaped.sort_by_key(|value| std::cmp::Reverse(value.len()));
        let patterns = escaped.chunks(AT_ONCE);
        self.patterns = patterns
            .filter_map(|values| Regex::new(&format!("(?-u){}", values.join("|"))).ok())
            .collect();
    }

    /// Where known values stand in a text.
    pub(super) fn find(&self, text: &[u8]) -> Vec<Range<usize>> {
        let all = self.patterns.iter();
        all.flat_map(|pattern| pattern.find_iter(text))
            .map(|found| found.range())
            .collect()
    }

    /// Whether a value is the name of a Secret, perhaps with its namespace.
    pub(super) fn names_a_secret(&self, value: &str) -> bool {
        let name = value.rsplit('/').next().unwrap_or(value);
        self.secrets.contains(name)
    }
}

/// What an object tells of secrets.
#[derive(Default)]
pub(super) struct Fresh {
    values: BTreeSet<String>,
    secrets: BTreeSet<String>,
}

impl Fresh {
    /// The settings of any object whose name is a secret's.
    pub(super) fn of_settings(names: &Names, object: &Value) -> Self {
        let mut fresh = Self::default();
        fresh.add_settings(names, object);
        fresh
    }

    fn add_settings(&mut self, names: &Names, value: &Value) {
        match value {
            // Another rule's, whatever its keys.
            Value::Object(fields) if value["kind"] == "Secret" => {
                let rest = fields.iter().filter(|(name, _)| *name != "data");
                rest.for_each(|(_, field)| self.add_settings(names, field));
            }
            Value::Object(fields) => {
                let variable = value["name"].as_str().unwrap_or_default();
                for (name, field) in fields {
                    let is_secret =
                        names.is_secret(name) || (name == "value" && names.is_secret(variable));
                    match field {
                        Value::String(text) if is_secret => self.add_setting(names, text),
                        field => self.add_settings(names, field),
                    }
                }
            }
            Value::Array(items) => {
                items.iter().for_each(|item| self.add_settings(names, item));
                for (flag, value) in items.iter().zip(items.iter().skip(1)) {
                    if let (Value::String(flag), Value::String(value)) = (flag, value)
                        && names.is_flag(flag)
                    {
                        self.add_setting(names, value);
                    }
                }
            }
            _ => {}
        }
    }

    /// A value that stands where secrets do, unless it may well be an ordinary word.
    fn add_setting(&mut self, names: &Names, value: &str) {
        let is_ordinary =
            |letter: char| letter.is_ascii_lowercase() || matches!(letter, '.' | '-' | '/' | '_');
        let value = value.trim();
        let is_word = !value.contains(char::is_whitespace) && !names.is_plain(value.as_bytes());
        if is_word && !value.chars().all(is_ordinary) {
            self.add(value);
        }
    }

    /// The values of a Secret that are worth looking for.
    pub(super) fn of_secret(names: &Names, secret: &Value) -> Self {
        let mut fresh = Self::default();
        if let Some(name) = secret["metadata"]["name"].as_str() {
            fresh.secrets.insert(name.to_owned());
        }
        let is_release = secret["type"] == "helm.sh/release.v1";
        for (name, value) in secret["data"].as_object().into_iter().flatten() {
            let decoded = value.as_str().and_then(|text| STANDARD.decode(text).ok());
            let Some(bytes) = decoded else { continue };
            if is_release && name == "release" {
                fresh.add_release(names, &bytes);
                continue;
            }
            let Ok(text) = String::from_utf8(bytes) else {
                continue;
            };
            fresh.add_value(names, name, &text);
        }
        for (name, value) in secret["stringData"].as_object().into_iter().flatten() {
            fresh.add_value(names, name, value.as_str().unwrap_or_default());
        }
        fresh
    }

    fn add_value(&mut self, names: &Names, name: &str, text: &str) {
        if let Ok(document @ Value::Object(_)) = serde_json::from_str(text) {
            self.add_tree(names, &document);
        }
        if names.is_variable(name) || is_random(text.trim()) {
            self.add(text);
            let encoded = STANDARD.encode(text);
            self.add(&encoded);
        }
    }

    /// Values with a secret's name within a document, e.g. a registry's credentials.
    fn add_tree(&mut self, names: &Names, value: &Value) {
        match value {
            Value::Object(fields) => {
                for (name, field) in fields {
                    match field {
                        Value::String(text) if names.is_secret(name) || name == "auth" => {
                            self.add(text);
                        }
                        field => self.add_tree(names, field),
                    }
                }
            }
            Value::Array(items) => items.iter().for_each(|item| self.add_tree(names, item)),
            _ => {}
        }
    }

    /// The settings with which Helm installed a release.
    fn add_release(&mut self, names: &Names, encoded: &[u8]) {
        let Ok(packed) = STANDARD.decode(encoded) else {
            return;
        };
        let mut text = Vec::new();
        let mut unpacked = GzDecoder::new(packed.as_slice()).take(LARGEST_RELEASE);
        if unpacked.read_to_end(&mut text).is_ok()
            && let Ok(release) = serde_json::from_slice::<Value>(&text)
        {
            self.add_tree(names, &release["config"]);
            self.add_tree(names, &release["chart"]["values"]);
        }
    }

    fn add(&mut self, text: &str) {
        let text = text.trim();
        if (SHORTEST..=LONGEST).contains(&text.len()) {
            self.values.insert(text.to_owned());
        }
        let lines = text.lines().map(str::trim);
        let of_many = lines.filter(|line| line.len() < text.len());
        self.values.extend(
            of_many
                .filter(|line| line.len() >= SHORTEST_LINE && !line.starts_with("-----"))
                .filter(|line| line.len() <= LONGEST)
                .map(str::to_owned),
        );
    }
}

/// Whether a value looks drawn by lot: long, of one word, with letters of both cases and digits.
fn is_random(value: &str) -> bool {
    let has = |test: fn(&char) -> bool| value.chars().any(|letter| test(&letter));
    value.len() >= 12
        && !value.contains(char::is_whitespace)
        && has(char::is_ascii_lowercase)
        && has(char::is_ascii_uppercase)
        && has(char::is_ascii_digit)
}
