//! How conditions are written.

use serde::{Deserialize, Deserializer};
use serde_json::{Error, Value, from_value};

use super::{Anchor, Comparison, Condition, PodState, WorkloadTest};
use crate::keyed::{self, Kind};

const KINDS: [Kind<Condition>; 9] = [
    ("all", all),
    ("any", any),
    ("not", not),
    ("field", |value| from_value(value).map(Condition::Field)),
    ("pods", pods),
    ("endpoints", endpoints),
    ("restarts", restarts),
    ("log", log),
    ("workload", workload),
];

impl<'de> Deserialize<'de> for Condition {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        keyed::read(deserializer, "condition", &KINDS)
    }
}

impl Condition {
    /// The keys that tell the kinds of conditions.
    pub fn kinds() -> impl Iterator<Item = &'static str> {
        KINDS.iter().map(|(key, _)| *key)
    }
}

fn all(value: Value) -> Result<Condition, Error> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct All {
        all: Vec<Condition>,
    }
    from_value(value).map(|All { all }| Condition::All { all })
}

fn any(value: Value) -> Result<Condition, Error> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Any {
        any: Vec<Condition>,
    }
    from_value(value).map(|Any { any }| Condition::Any { any })
}

fn not(value: Value) -> Result<Condition, Error> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Not {
        not: Box<Condition>,
    }
    from_value(value).map(|Not { not }| Condition::Not { not })
}

fn pods(value: Value) -> Result<Condition, Error> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Pods {
        pods: PodState,
        service: Option<String>,
    }
    from_value(value).map(|Pods { pods, service }| Condition::Pods { pods, service })
}

fn log(value: Value) -> Result<Condition, Error> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Log {
        log: String,
        matches: String,
        since: Anchor,
    }
    from_value(value).map(|read: Log| Condition::Log {
        log: read.log,
        matches: read.matches,
        since: read.since,
    })
}

fn workload(value: Value) -> Result<Condition, Error> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Workload {
        workload: WorkloadTest,
    }
    from_value(value).map(|Workload { workload }| Condition::Workload { workload })
}

fn endpoints(value: Value) -> Result<Condition, Error> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Endpoints {
        endpoints: String,
        equals: Option<f64>,
        at_least: Option<f64>,
        at_most: Option<f64>,
    }
    let read: Endpoints = from_value(value)?;
    Ok(Condition::Endpoints {
        endpoints: read.endpoints,
        is: comparison(read.equals, read.at_least, read.at_most)?,
    })
}

fn restarts(value: Value) -> Result<Condition, Error> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Restarts {
        restarts: String,
        since: Anchor,
        equals: Option<f64>,
        at_least: Option<f64>,
        at_most: Option<f64>,
    }
    let read: Restarts = from_value(value)?;
    Ok(Condition::Restarts {
        restarts: read.restarts,
        since: read.since,
        is: comparison(read.equals, read.at_least, read.at_most)?,
    })
}

fn comparison(
    equals: Option<f64>,
    at_least: Option<f64>,
    at_most: Option<f64>,
) -> Result<Comparison, Error> {
    match (equals, at_least, at_most) {
        (Some(bound), None, None) => Ok(Comparison::Equals(bound)),
        (None, Some(bound), None) => Ok(Comparison::AtLeast(bound)),
        (None, None, Some(bound)) => Ok(Comparison::AtMost(bound)),
        _ => Err(serde::de::Error::custom(
            "needs one of `equals`, `at_least`, `at_most`",
        )),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn conditions_are_written_as_they_are_read() {
        for condition in [
            json!({"all": [{"pods": "ready"}, {"not": {"pods": "upstream-ready", "service": "geo"}}]}),
            json!({"any": [{"endpoints": "geo", "at_most": 1.0}]}),
            json!({"restarts": "geo", "since": "inject", "at_least": 1.0}),
            json!({"field": "service/geo", "path": "a", "json": "b", "contains": "c"}),
            json!({"log": "geo", "matches": "x", "since": "now"}),
            json!({"workload": {"error_ratio": {"above": 0.05}}}),
        ] {
            let read: Condition = serde_json::from_value(condition.clone()).unwrap();
            assert_eq!(serde_json::to_value(&read).unwrap(), condition);
        }
    }

    #[test]
    fn what_is_wrong_with_a_condition_is_said() {
        for (condition, message) in [
            (json!({"pod": "ready"}), "unknown condition with `pod`"),
            (json!({"pods": "happy"}), "unknown variant `happy`"),
            (
                json!({"pods": "ready", "servce": "geo"}),
                "unknown field `servce`",
            ),
            (
                json!({"not": {"endpoints": "geo"}}),
                "needs one of `equals`",
            ),
            (
                json!({"workload": {"errors": 1}}),
                "unknown variant `errors`",
            ),
        ] {
            let error = serde_json::from_value::<Condition>(condition.clone())
                .unwrap_err()
                .to_string();
            assert!(error.contains(message), "{condition}: {error}");
        }
    }
}
