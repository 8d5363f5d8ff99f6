//! Nezha: whether the service, or what went wrong inside of it, is among the first `k` results (`evaluation_pod` and
//! `evaluation` in `pattern_ranker.py` of IntelligentDDS/Nezha at 32bd335; the paper's AS@k and AIS@k).
//!
//! - Results come in the order in which Nezha ranks them. Those of equal score and depth that follow each other are
//!   one place: the rank of a result is 1 and the number of such places before it.
//! - AS@k: the first result in the service of the pod that the fault was injected into. A service is a pod's name
//!   without its last two parts.
//! - AIS@k: the first result in that pod with the true label (`construct_data/root_cause_*.json`): a metric that the
//!   result's resource has in it, or two events, joined by `_`, that its source and its target have in them. Where the
//!   label is a metric, results with another resource take no place, as in Nezha's code.
//!
//! Departure: Nezha's code tests label and pod for both; AS@k here is what the paper says it is.
//! Departure: a fault without a prediction counts as not found; Nezha is run on every fault.
//! Not proven: Nezha archives no results with their scores.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, json};

use super::{Group, Ranks, Report, Unreadable, jsonl, missing_note};

/// The ranks that are reported.
const KS: [usize; 3] = [1, 3, 5];

/// The results for one fault.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Prediction {
    /// Which fault, as in the list of faults.
    pub inject_time: String,
    /// The results, best first.
    pub results: Vec<Found>,
}

/// One result, in the words of Nezha's log.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Found {
    /// The pod.
    pub pod: String,
    /// Its score.
    pub score: f64,
    /// How deep in its trace it is.
    #[serde(alias = "depth")]
    pub deepth: f64,
    /// The metric of the pod's alarm.
    #[serde(default)]
    pub resource: Option<String>,
    /// The event that it comes from.
    #[serde(default)]
    pub source: String,
    /// The event that it leads to.
    #[serde(default)]
    pub target: String,
}

/// An injected fault, as `YYYY-MM-DD-fault_list.json` has it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Fault {
    /// When, which names it.
    pub inject_time: String,
    /// Into which pod.
    pub inject_pod: String,
    /// What.
    pub inject_type: String,
}

/// What goes wrong inside of a service, by service and kind of fault.
pub type Labels = BTreeMap<String, BTreeMap<String, String>>;

/// Reads predictions: JSON lines `{"inject_time": …, "results": […]}`.
///
/// # Errors
/// When a line is of another form, or a fault comes twice.
pub fn predictions(text: &str) -> Result<Vec<(u64, Prediction)>, Unreadable> {
    jsonl::read(text, |one: &Prediction| &one.inject_time)
}

/// Reads a list of faults: `{"HH": [{"inject_time": …, "inject_pod": …, "inject_type": …}]}`.
///
/// # Errors
/// When it is none.
pub fn faults(text: &str) -> Result<Vec<Fault>, Unreadable> {
    let hours: BTreeMap<String, Vec<Fault>> = json_of(text)?;
    Ok(hours.into_values().flatten().collect())
}

/// Reads labels: `{"SERVICE": {"TYPE": "METRIC or EVENT_EVENT"}}`.
///
/// # Errors
/// When it is none.
pub fn labels(text: &str) -> Result<Labels, Unreadable> {
    json_of(text)
}

fn json_of<T: serde::de::DeserializeOwned>(text: &str) -> Result<T, Unreadable> {
    serde_json::from_str(text).map_err(|error| {
        Unreadable::new(
            error.line() as u64,
            format!("it is of another form: {error}"),
        )
    })
}

impl Fault {
    fn label<'a>(&self, labels: &'a Labels) -> Option<&'a str> {
        let of_service = labels.get(service(&self.inject_pod))?;
        of_service.get(&self.inject_type).map(String::as_str)
    }

    fn service_rank(&self, results: &[Found]) -> Option<usize> {
        let is_it = |found: &Found| service(&found.pod) == service(&self.inject_pod);
        rank(results, is_it, |_| true)
    }

    fn inner_rank(&self, label: &str, results: &[Found]) -> Option<usize> {
        let in_pod = |found: &Found| found.pod.contains(&self.inject_pod);
        match label.split('_').collect::<Vec<_>>().as_slice() {
            [metric] => {
                let has = |found: &Found| {
                    found
                        .resource
                        .as_ref()
                        .is_some_and(|one| one.contains(metric))
                };
                let takes_place = |found: &Found| found.resource.is_none();
                rank(results, |found| in_pod(found) && has(found), takes_place)
            }
            [source, target] => {
                let has =
                    |found: &Found| found.source.contains(source) && found.target.contains(target);
                rank(results, |found| in_pod(found) && has(found), |_| true)
            }
            _ => None,
        }
    }
}

/// The rank of the first result that is meant: the places before it.
fn rank(
    results: &[Found],
    is_it: impl Fn(&Found) -> bool,
    takes_place: impl Fn(&Found) -> bool,
) -> Option<usize> {
    let mut rank = 1;
    let mut before: Option<&Found> = None;
    for found in results {
        if is_it(found) {
            return Some(rank);
        }
        let is_tied =
            before.is_some_and(|one| (one.score, one.deepth) == (found.score, found.deepth));
        if takes_place(found) && !is_tied {
            rank += 1;
        }
        before = Some(found);
    }
    None
}

/// The service of a pod.
fn service(pod: &str) -> &str {
    let without_last = |name: &'_ str| name.rfind('-').unwrap_or(name.len());
    let set = &pod[..without_last(pod)];
    &set[..without_last(set)]
}

/// Scores predictions. Without labels, AIS@k is unknown.
///
/// # Errors
/// When a prediction is of a fault that is not there, or a fault has no label where there are labels.
pub fn score(
    predictions: &[(u64, Prediction)],
    faults: &[Fault],
    labels: Option<&Labels>,
) -> Result<Report, Unreadable> {
    let names: Vec<&str> = faults
        .iter()
        .map(|fault| fault.inject_time.as_str())
        .collect();
    let matched = jsonl::matched(predictions, |one| &one.inject_time, &names)?;
    let missing = matched.iter().filter(|one| one.is_none()).count();
    let mut service_ranks = Vec::new();
    let mut inner_ranks = Vec::new();
    let mut cases = Vec::new();
    let mut unlabelled = 0;
    for (fault, prediction) in faults.iter().zip(&matched) {
        let results = prediction.map_or(&[][..], |prediction| &prediction.results);
        let label = labels.map(|labels| fault.label(labels));
        unlabelled += usize::from(label == Some(None));
        let service_rank = fault.service_rank(results);
        let inner_rank = label
            .flatten()
            .and_then(|label| fault.inner_rank(label, results));
        cases.push(json!({
            "inject_time": fault.inject_time,
            "pod": fault.inject_pod,
            "type": fault.inject_type,
            "label": label.flatten(),
            "service_rank": service_rank,
            "inner_rank": inner_rank,
        }));
        service_ranks.push(service_rank);
        inner_ranks.push(inner_rank);
    }
    let service_ranks: Ranks = service_ranks.into_iter().collect();
    let inner_ranks: Ranks = inner_ranks.into_iter().collect();
    let mut figures = Map::new();
    for k in KS {
        figures.insert(format!("AS@{k}"), json!(service_ranks.within(k)));
    }
    for k in KS {
        let within = labels.and_then(|_| inner_ranks.within(k));
        figures.insert(format!("AIS@{k}"), json!(within));
    }
    let no_labels = labels
        .is_none()
        .then(|| "AIS@k is unknown: the truth has no root_cause_*.json with it".to_owned());
    let unlabelled = (unlabelled > 0)
        .then(|| format!("{unlabelled} faults have no label, and count as not found in AIS@k"));
    Ok(Report {
        groups: vec![Group {
            name: "all".to_owned(),
            cases: faults.len(),
            figures,
        }],
        notes: missing_note(missing)
            .into_iter()
            .chain(no_labels)
            .chain(unlabelled)
            .collect(),
        cases,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    const FAULTS: &str = r#"{"08": [
        {"inject_time": "2023-01-29 08:43:04", "inject_timestamp": "1", "inject_pod": "ts-food-service-866bd68c97-xcqfx", "inject_type": "return"},
        {"inject_time": "2023-01-29 08:52:06", "inject_timestamp": "2", "inject_pod": "ts-food-service-866bd68c97-xcqfx", "inject_type": "cpu_contention"}],
        "09": [{"inject_time": "2023-01-29 09:00:00", "inject_timestamp": "3", "inject_pod": "frontend-579b9bff58-t2dbm", "inject_type": "return"}]}"#;
    const LABELS: &str = r#"{"ts-food-service": {"return": "Food#240_Food#243", "cpu_contention": "CpuUsageRate(%)"}}"#;
    const PREDICTIONS: &str = r#"{"inject_time": "2023-01-29 08:43:04", "results": [{"pod": "ts-food-service-866bd68c97-other", "score": 1, "deepth": 4}, {"pod": "ts-a-service-1-1", "score": 1, "deepth": 4}, {"pod": "ts-food-service-866bd68c97-xcqfx", "score": 0.9, "depth": 2, "source": "at Food#240 x", "target": "at Food#243 y"}]}
        {"inject_time": "2023-01-29 08:52:06", "results": [{"pod": "ts-a-service-1-1", "score": 1, "deepth": 4, "resource": "CpuUsageRate(%)"}, {"pod": "ts-b-service-1-1", "score": 0.9, "deepth": 4}, {"pod": "ts-food-service-866bd68c97-xcqfx", "score": 0.8, "deepth": 2, "resource": "CpuUsageRate(%)"}]}"#;

    fn scored(labels: Option<&Labels>) -> Report {
        let predictions = predictions(PREDICTIONS).unwrap();
        score(&predictions, &faults(FAULTS).unwrap(), labels).unwrap()
    }

    #[test]
    fn ties_are_one_place_and_other_resources_take_none() {
        let labels = labels(LABELS).unwrap();
        let report = scored(Some(&labels));
        let ranks = |key: &str| -> Vec<Value> {
            report.cases.iter().map(|case| case[key].clone()).collect()
        };
        assert_eq!(ranks("service_rank"), [json!(1), json!(3), Value::Null]);
        assert_eq!(ranks("inner_rank"), [json!(2), json!(2), Value::Null]);
        let figures = &report.groups[0].figures;
        assert_eq!(
            (&figures["AS@1"], &figures["AS@3"]),
            (&json!(1.0 / 3.0), &json!(2.0 / 3.0))
        );
        assert_eq!(
            (&figures["AIS@1"], &figures["AIS@3"]),
            (&json!(0.0), &json!(2.0 / 3.0))
        );
        assert_eq!(report.notes.len(), 2, "{:?}", report.notes);
    }

    #[test]
    fn without_labels_only_services_are_scored() {
        let report = scored(None);
        assert_eq!(report.groups[0].figures["AIS@1"], Value::Null);
        assert!(report.notes[1].contains("AIS@k is unknown"));
        assert_eq!(service("frontend-579b9bff58-t2dbm"), "frontend");
        assert_eq!(service("frontend"), "frontend");
    }

    #[test]
    fn what_is_wrong_is_named_with_its_line() {
        assert_eq!(faults("{\n\"08\": 1}").unwrap_err().line, 2);
        let error = predictions("{\"inject_time\": \"x\"}").unwrap_err();
        assert!(error.to_string().contains("missing field `results`"));
    }
}
