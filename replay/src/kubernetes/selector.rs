//! Label and field selectors.

use std::collections::BTreeMap;

use serde_json::Value;

use super::object;
use crate::view::RecordedObject;

/// Why a selector is none: what the server says of it, as a bad request.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(crate) struct SelectorError(String);

/// Which objects are meant, by their labels.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct LabelSelector {
    requirements: Vec<Requirement>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Requirement {
    key: String,
    operator: Operator,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Operator {
    Exists,
    Absent,
    Equals(String),
    NotEquals(String),
    In(Vec<String>),
    NotIn(Vec<String>),
    Greater(i64),
    Less(i64),
}

impl LabelSelector {
    /// Parses kubectl's `-l`: `a=b,c!=d,e in (f,g),h notin (i),j,!k`.
    pub(crate) fn parse(text: &str) -> Result<Self, SelectorError> {
        let mut requirements = Vec::new();
        for part in split_outside_brackets(text) {
            let part = part.trim();
            if part.is_empty() {
                if text.trim().is_empty() {
                    continue;
                }
                return Err(unparsable(text));
            }
            requirements.push(requirement(part).ok_or_else(|| refused(part))?);
        }
        Ok(Self { requirements })
    }

    /// The selector of an object's spec: a map of labels, or `matchLabels` and `matchExpressions`.
    pub(crate) fn of(value: &Value) -> Self {
        let mut requirements = Vec::new();
        let labels =
            if value.get("matchLabels").is_some() || value.get("matchExpressions").is_some() {
                object::map(value, "/matchLabels")
            } else {
                object::map(value, "")
            };
        for (key, wanted) in labels {
            requirements.push(Requirement {
                key: key.to_owned(),
                operator: Operator::Equals(wanted.to_owned()),
            });
        }
        for expression in object::list(value, "/matchExpressions") {
            let values: Vec<String> = object::list(expression, "/values")
                .iter()
                .map(object::plain)
                .collect();
            let operator = match object::text(expression, "/operator") {
                "In" => Operator::In(values),
                "NotIn" => Operator::NotIn(values),
                "DoesNotExist" => Operator::Absent,
                _ => Operator::Exists,
            };
            requirements.push(Requirement {
                key: object::text(expression, "/key").to_owned(),
                operator,
            });
        }
        Self { requirements }
    }

    /// Whether an object with these labels is meant.
    pub(crate) fn matches(&self, labels: &BTreeMap<&str, &str>) -> bool {
        self.requirements.iter().all(|requirement| {
            let value = labels.get(requirement.key.as_str()).copied();
            match &requirement.operator {
                Operator::Exists => value.is_some(),
                Operator::Absent => value.is_none(),
                Operator::Equals(wanted) => value == Some(wanted),
                Operator::NotEquals(wanted) => value != Some(wanted),
                Operator::In(values) => value.is_some_and(|v| values.iter().any(|x| x == v)),
                Operator::NotIn(values) => !value.is_some_and(|v| values.iter().any(|x| x == v)),
                Operator::Greater(bound) => number(value).is_some_and(|n| n > *bound),
                Operator::Less(bound) => number(value).is_some_and(|n| n < *bound),
            }
        })
    }
}

impl std::fmt::Display for LabelSelector {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut parts: Vec<(&str, String)> = self
            .requirements
            .iter()
            .map(|Requirement { key, operator }| {
                let text = match operator {
                    Operator::Exists => key.clone(),
                    Operator::Absent => format!("!{key}"),
                    Operator::Equals(wanted) => format!("{key}={wanted}"),
                    Operator::NotEquals(other) => format!("{key}!={other}"),
                    Operator::In(values) => format!("{key} in ({})", sorted(values)),
                    Operator::NotIn(values) => format!("{key} notin ({})", sorted(values)),
                    Operator::Greater(bound) => format!("{key}>{bound}"),
                    Operator::Less(bound) => format!("{key}<{bound}"),
                };
                (key.as_str(), text)
            })
            .collect();
        parts.sort();
        let parts: Vec<String> = parts.into_iter().map(|(_, text)| text).collect();
        f.write_str(&parts.join(","))
    }
}

fn sorted(values: &[String]) -> String {
    let mut values = values.to_vec();
    values.sort();
    values.join(",")
}

fn number(value: Option<&str>) -> Option<i64> {
    value.and_then(|value| value.parse().ok())
}

fn unparsable(part: &str) -> SelectorError {
    SelectorError(format!(
        "unable to parse requirement: couldn't parse the selector string \"{part}\""
    ))
}

/// What the server's parser says of a requirement that is none.
fn refused(part: &str) -> SelectorError {
    let mut words = part.split_whitespace();
    let is_key = |word: &str| {
        let mut letters = word.chars();
        letters.all(|letter| letter.is_ascii_alphanumeric() || "-_./".contains(letter))
    };
    match (words.next(), words.next()) {
        (Some(key), Some(other)) if is_key(key) && is_key(other) => SelectorError(format!(
            "unable to parse requirement: found '{other}', expected: in, notin, =, ==, !=, gt, lt"
        )),
        _ => unparsable(part),
    }
}

fn split_outside_brackets(text: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let (mut depth, mut start) = (0i32, 0);
    for (position, c) in text.char_indices() {
        match c {
            '(' => depth += 1,
            ')' => depth -= 1,
            ',' if depth == 0 => {
                parts.push(&text[start..position]);
                start = position + 1;
            }
            _ => {}
        }
    }
    parts.push(&text[start..]);
    parts
}

fn requirement(part: &str) -> Option<Requirement> {
    let valid = |key: &str| {
        !key.is_empty()
            && key
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || "-_./".contains(c))
    };
    let build = |key: &str, operator: Operator| {
        let key = key.trim();
        valid(key).then(|| Requirement {
            key: key.to_owned(),
            operator,
        })
    };
    let one = |value: &str| {
        let value = value.trim();
        value
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c))
            .then(|| value.to_owned())
    };
    if let Some(key) = part.strip_prefix('!') {
        return build(key, Operator::Absent);
    }
    if let Some((head, tail)) = part.split_once('(') {
        let values: Vec<String> = tail
            .strip_suffix(')')?
            .split(',')
            .map(|value| value.trim().to_owned())
            .collect();
        let mut words = head.split_whitespace();
        let (key, operator) = (words.next()?, words.next()?);
        return match (operator, words.next()) {
            ("in", None) => build(key, Operator::In(values)),
            ("notin", None) => build(key, Operator::NotIn(values)),
            _ => None,
        };
    }
    if let Some((key, value)) = part.split_once("!=") {
        return build(key, Operator::NotEquals(one(value)?));
    }
    if let Some((key, value)) = part.split_once("==").or_else(|| part.split_once('=')) {
        return build(key, Operator::Equals(one(value)?));
    }
    if let Some((key, value)) = part.split_once('>') {
        return build(key, Operator::Greater(value.trim().parse().ok()?));
    }
    if let Some((key, value)) = part.split_once('<') {
        return build(key, Operator::Less(value.trim().parse().ok()?));
    }
    build(part, Operator::Exists)
}

/// Which objects are meant, by fields that the server knows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct FieldSelector {
    text: String,
    terms: Vec<(String, bool, String)>,
}

impl FieldSelector {
    /// Parses `a.b=c,d!=e`.
    pub(crate) fn parse(text: &str) -> Result<Self, SelectorError> {
        let mut terms = Vec::new();
        for part in text.split(',').filter(|part| !part.is_empty()) {
            let (key, equal, value) = if let Some((key, value)) = part.split_once("!=") {
                (key, false, value)
            } else if let Some((key, value)) =
                part.split_once("==").or_else(|| part.split_once('='))
            {
                (key, true, value)
            } else {
                return Err(SelectorError(format!(
                    "invalid selector: '{text}'; can't understand '{part}'"
                )));
            };
            terms.push((key.trim().to_owned(), equal, value.to_owned()));
        }
        Ok(Self {
            text: text.to_owned(),
            terms,
        })
    }

    /// Refuses fields that the server does not index for a resource.
    pub(crate) fn check(
        &self,
        group: &str,
        version: &str,
        resource: &str,
    ) -> Result<(), SelectorError> {
        let Some(key) = self.unsupported(group, resource) else {
            return Ok(());
        };
        Err(SelectorError(format!(
            "Unable to find \"{group}/{version}, Resource={resource}\" that match label selector \
             \"\", field selector \"{}\": field label not supported: {key}",
            self.text
        )))
    }

    /// The first field that the server does not index for a resource.
    pub(crate) fn unsupported(&self, group: &str, resource: &str) -> Option<&str> {
        let mut keys = self.terms.iter().map(|(key, _, _)| key.as_str());
        keys.find(|key| pointer(group, resource, key).is_none())
    }

    /// Whether an object is meant.
    pub(crate) fn matches(&self, object: &RecordedObject) -> bool {
        self.terms.iter().all(|(key, equal, wanted)| {
            let value = pointer(&object.group, &object.resource, key)
                .and_then(|pointer| object.object.pointer(pointer))
                .map(object::plain);
            let value = match (value, key.as_str()) {
                (Some(value), _) => value,
                // Absent truth values are false to the server.
                (None, "spec.unschedulable" | "spec.hostNetwork") => "false".to_owned(),
                (None, _) => String::new(),
            };
            (value == *wanted) == *equal
        })
    }
}

/// The JSON pointer of a field label that the server knows for a resource.
fn pointer(group: &str, resource: &str, key: &str) -> Option<&'static str> {
    Some(match (group, resource, key) {
        (_, _, "metadata.name") => "/metadata/name",
        (_, _, "metadata.namespace") => "/metadata/namespace",
        ("", "pods", "spec.nodeName" | "spec.host") => "/spec/nodeName",
        ("", "pods", "spec.restartPolicy") => "/spec/restartPolicy",
        ("", "pods", "spec.schedulerName") => "/spec/schedulerName",
        ("", "pods", "spec.serviceAccountName") => "/spec/serviceAccountName",
        ("", "pods", "spec.hostNetwork") => "/spec/hostNetwork",
        ("", "pods", "status.phase") => "/status/phase",
        ("", "pods", "status.podIP") => "/status/podIP",
        ("", "pods", "status.nominatedNodeName") => "/status/nominatedNodeName",
        ("", "nodes", "spec.unschedulable") => "/spec/unschedulable",
        ("", "namespaces", "status.phase") => "/status/phase",
        ("", "secrets", "type") => "/type",
        ("batch", "jobs", "status.successful") => "/status/succeeded",
        ("", "events", "involvedObject.kind") => "/involvedObject/kind",
        ("", "events", "involvedObject.namespace") => "/involvedObject/namespace",
        ("", "events", "involvedObject.name") => "/involvedObject/name",
        ("", "events", "involvedObject.uid") => "/involvedObject/uid",
        ("", "events", "involvedObject.apiVersion") => "/involvedObject/apiVersion",
        ("", "events", "involvedObject.resourceVersion") => "/involvedObject/resourceVersion",
        ("", "events", "involvedObject.fieldPath") => "/involvedObject/fieldPath",
        ("", "events", "reason") => "/reason",
        ("", "events", "reportingComponent") => "/reportingComponent",
        ("", "events", "source") => "/source/component",
        ("", "events", "type") => "/type",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_matched() {
        let labels = BTreeMap::from([("app", "geo"), ("tier", "2")]);
        for (selector, expected) in [
            ("app=geo", true),
            ("app==geo,tier=2", true),
            ("app!=geo", false),
            ("zone!=a", true),
            ("app in (geo, rate)", true),
            ("app notin (geo)", false),
            ("zone notin (a)", true),
            ("app", true),
            ("!app", false),
            ("!zone", true),
            ("tier>1", true),
            ("", true),
        ] {
            assert_eq!(
                LabelSelector::parse(selector).unwrap().matches(&labels),
                expected,
                "{selector}"
            );
        }
        let error = LabelSelector::parse("a b").unwrap_err().to_string();
        assert_eq!(
            error,
            "unable to parse requirement: found 'b', expected: in, notin, =, ==, !=, gt, lt"
        );
        assert!(LabelSelector::parse("app=x,,").is_err());
    }

    #[test]
    fn selectors_of_objects_are_printed() {
        let value = serde_json::json!({
            "matchLabels": {"b": "2", "a": "1"},
            "matchExpressions": [{"key": "c", "operator": "In", "values": ["y", "x"]},
                {"key": "d", "operator": "In", "values": ["z"]}]
        });
        assert_eq!(
            LabelSelector::of(&value).to_string(),
            "a=1,b=2,c in (x,y),d in (z)"
        );
    }
}
