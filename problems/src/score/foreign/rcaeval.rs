//! RCAEval: whether the culprit is among the first `k` of a ranking (`RCAEval/benchmark/evaluation.py` and the
//! evaluation at the end of `main.py` of phamquiluan/RCAEval at 08843a7).
//!
//! - A ranking is of metrics, `SERVICE_INDICATOR`. Coarse: of their services, each at its first place, where `-db` in a
//!   service's name is left out. Fine: of service and indicator.
//! - AC@k is the share of cases whose answer is among the first `k`; Avg@5 the mean of AC@1 to AC@5.
//! - The indicator that answers a fault: `latency` for `delay` and `loss`, `diskio` for `disk`, else its own name.
//! - Chance is what a random ranking of `n` candidates would get, the mean of min(k, n) / n; lift is Avg@5 less the
//!   chance of it. Unknown for all cases together as soon as the candidates of one are not told.
//!
//! Departure: a case without a ranking counts as not found; RCAEval leaves out what failed.
//! Not proven: RCAEval archives no rankings with their scores.

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{Group, Ranks, Report, Unreadable, jsonl, mean, missing_note};

/// The ranks that are reported.
const KS: [usize; 3] = [1, 3, 5];

/// A ranking, most suspicious first.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ranking {
    /// Which case.
    pub case: String,
    /// `SERVICE_INDICATOR`, or only a service.
    pub ranks: Vec<String>,
}

/// What is true of a case.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    /// Its name.
    pub case: String,
    /// The service that the fault was injected into.
    pub service: String,
    /// The fault: `cpu`, `mem`, `disk`, `socket`, `delay`, `loss`, or another.
    pub fault: String,
    /// How many services could have been named; none: not told.
    #[serde(default)]
    pub services: Option<usize>,
    /// How many metrics could have been named; none: not told.
    #[serde(default)]
    pub indicators: Option<usize>,
}

/// Reads rankings: JSON lines `{"case": …, "ranks": […]}`.
///
/// # Errors
/// When a line is of another form, or a case comes twice.
pub fn rankings(text: &str) -> Result<Vec<(u64, Ranking)>, Unreadable> {
    jsonl::read(text, |one: &Ranking| &one.case)
}

/// Reads what RCAEval's `main.py` keeps of a case: `SERVICE_FAULT_CASE.json` with `{"0": […]}`. None: its method failed.
///
/// # Errors
/// When it is of another form.
pub fn kept(name: &str, text: &str) -> Result<Option<Ranking>, Unreadable> {
    let wrong = |what: String| Unreadable::new(1, what);
    let kept: Value =
        serde_json::from_str(text).map_err(|error| wrong(format!("it is no JSON: {error}")))?;
    if kept.get("error").is_some() {
        return Ok(None);
    }
    let ranks = Vec::<String>::deserialize(&kept["0"])
        .map_err(|_| wrong("there is no list of names under \"0\"".to_owned()))?;
    let case = name.to_owned();
    Ok(Some(Ranking { case, ranks }))
}

/// Reads what is true: JSON lines with `case`, `service`, `fault` and, for chance, `services` and `indicators`.
///
/// # Errors
/// When a line is of another form, or a case comes twice.
pub fn cases(text: &str) -> Result<Vec<Case>, Unreadable> {
    let cases = jsonl::read(text, |one: &Case| &one.case)?;
    Ok(cases.into_iter().map(|(_, case)| case).collect())
}

impl Case {
    /// What a case's name says: `SERVICE_FAULT_CASE`, as RCAEval names its files. None: it is no such name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        let mut parts = name.splitn(3, '_');
        let (service, fault, _) = (parts.next()?, parts.next()?, parts.next()?);
        Some(Self {
            case: name.to_owned(),
            service: service.to_owned(),
            fault: fault.to_owned(),
            services: None,
            indicators: None,
        })
    }

    fn indicator(&self) -> &str {
        match self.fault.as_str() {
            "delay" | "loss" => "latency",
            "disk" => "diskio",
            other => other,
        }
    }

    /// Where the service and its indicator are in a ranking, from 1.
    fn found(&self, ranks: &[String]) -> (Option<usize>, Option<usize>) {
        let mut services: Vec<String> = Vec::new();
        let mut fine = None;
        for (place, name) in (1..).zip(ranks) {
            let mut parts = name.split('_');
            let service = parts.next().unwrap_or_default();
            let indicator = parts.next().unwrap_or("unknown");
            if service == self.service && indicator == self.indicator() {
                fine = fine.or(Some(place));
            }
            let service = service.replace("-db", "");
            if !services.contains(&service) {
                services.push(service);
            }
        }
        let coarse = services.iter().position(|one| *one == self.service);
        (coarse.map(|place| place + 1), fine)
    }
}

/// Scores rankings.
///
/// # Errors
/// When a ranking is of a case that is not there.
pub fn score(rankings: &[(u64, Ranking)], cases: &[Case]) -> Result<Report, Unreadable> {
    let names: Vec<&str> = cases.iter().map(|case| case.case.as_str()).collect();
    let matched = jsonl::matched(rankings, |one| &one.case, &names)?;
    let missing = matched.iter().filter(|one| one.is_none()).count();
    let scored: Vec<_> = cases
        .iter()
        .zip(&matched)
        .map(|(case, ranking)| {
            let ranks = ranking.map(|ranking| ranking.ranks.as_slice());
            (case, case.found(ranks.unwrap_or_default()))
        })
        .collect();
    let mut faults: Vec<&str> = cases.iter().map(|case| case.fault.as_str()).collect();
    faults.sort_unstable();
    faults.dedup();
    let mut groups = Vec::new();
    for fault in faults.iter().copied().map(Some).chain([None]) {
        let own = scored.iter();
        let own = own.filter(|(case, _)| fault.is_none_or(|fault| case.fault == fault));
        let own: Vec<_> = own.copied().collect();
        let name = fault.unwrap_or("all");
        groups.push(group(&format!("{name}, coarse"), &own, false));
        groups.push(group(&format!("{name}, fine"), &own, true));
    }
    let told = |case: &Case| case.services.is_some() && case.indicators.is_some();
    let untold = cases.iter().filter(|case| !told(case)).count();
    let untold = (untold > 0).then(|| {
        format!("chance and lift are unknown where the numbers of candidates are not told, which {untold} cases lack")
    });
    Ok(Report {
        groups,
        notes: missing_note(missing).into_iter().chain(untold).collect(),
        cases: scored
            .iter()
            .map(|(case, (coarse, fine))| {
                json!({"case": case.case, "service_rank": coarse, "indicator_rank": fine})
            })
            .collect(),
    })
}

type Scored<'a> = (&'a Case, (Option<usize>, Option<usize>));

fn group(name: &str, scored: &[Scored<'_>], is_fine: bool) -> Group {
    let rank = |one: &Scored<'_>| if is_fine { one.1.1 } else { one.1.0 };
    let ranks: Ranks = scored.iter().map(rank).collect();
    let candidates: Option<Vec<usize>> = scored
        .iter()
        .map(|(case, _)| {
            if is_fine {
                case.indicators
            } else {
                case.services
            }
        })
        .collect();
    let average = ranks.average(5);
    let chance = candidates.and_then(|candidates| chance_average(&candidates));
    let mut figures = Map::new();
    for k in KS {
        figures.insert(format!("AC@{k}"), json!(ranks.within(k)));
    }
    let lift = average
        .zip(chance)
        .map(|(average, chance)| average - chance);
    figures.insert("Avg@5".to_owned(), json!(average));
    figures.insert("chance".to_owned(), json!(chance));
    figures.insert("lift".to_owned(), json!(lift));
    Group {
        name: name.to_owned(),
        cases: scored.len(),
        figures,
    }
}

/// Avg@5 of random rankings of so many candidates each.
fn chance_average(candidates: &[usize]) -> Option<f64> {
    let chance = |k: usize, n: usize| match n {
        0 => 0.0,
        n => k.min(n) as f64 / n as f64,
    };
    let within = |k| {
        mean(
            candidates.iter().map(|n| chance(k, *n)).sum(),
            candidates.len(),
        )
    };
    let sum: Option<f64> = (1..=5).map(within).sum();
    Some(sum? / 5.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figures(report: &Report, name: &str) -> Vec<Value> {
        let group = report.groups.iter().find(|group| group.name == name);
        let names = ["AC@1", "AC@3", "AC@5", "Avg@5", "chance", "lift"];
        names
            .map(|name| group.unwrap().figures[name].clone())
            .to_vec()
    }

    #[test]
    fn services_rank_at_their_first_metric_and_indicators_at_their_own() {
        let rankings = rankings(
            r#"{"case": "a", "ranks": ["cart-db_mem", "cart_cpu", "front_latency", "front_cpu", "cart_latency"]}
               {"case": "b", "ranks": ["front_cpu", "front_mem", "cart_cpu"]}"#,
        )
        .unwrap();
        let cases = cases(
            r#"{"case": "a", "service": "cart", "fault": "delay", "services": 2, "indicators": 10}
               {"case": "b", "service": "cart", "fault": "cpu", "services": 4, "indicators": 10}
               {"case": "c", "service": "cart", "fault": "cpu", "services": 10, "indicators": 10}"#,
        )
        .unwrap();
        let report = score(&rankings, &cases).unwrap();
        assert_eq!(
            report.cases[0],
            json!({"case": "a", "service_rank": 1, "indicator_rank": 5})
        );
        assert_eq!(
            report.cases[1],
            json!({"case": "b", "service_rank": 2, "indicator_rank": 3})
        );
        assert_eq!(report.cases[2]["service_rank"], Value::Null);
        let coarse = figures(&report, "all, coarse");
        assert_eq!(coarse[..2], [json!(1.0 / 3.0), json!(2.0 / 3.0)]);
        // Of 2 candidates: 1/2, then always; of 4: 1/4, 2/4, 3/4, always; of 10: 1/10 to 5/10.
        let chance = (4.5 / 5.0 + 3.5 / 5.0 + 1.5 / 5.0) / 3.0;
        assert!((coarse[4].as_f64().unwrap() - chance).abs() < 1e-12);
        let average = (1.0 + 2.0 * 4.0) / 15.0;
        assert!((coarse[5].as_f64().unwrap() - (average - chance)).abs() < 1e-12);
        assert_eq!(
            figures(&report, "delay, fine")[..3],
            [json!(0.0), json!(0.0), json!(1.0)]
        );
        assert_eq!(
            report.notes,
            ["1 cases have no prediction, and count as not found"]
        );
    }

    #[test]
    fn a_perfect_ranking_of_twelve_candidates_lifts_by_three_quarters() {
        let case = Case {
            services: Some(12),
            ..Case::named("svc_cpu_1").unwrap()
        };
        let ranking = kept("svc_cpu_1", r#"{"0": ["svc_cpu", "other_mem"]}"#)
            .unwrap()
            .unwrap();
        let report = score(&[(1, ranking)], &[case]).unwrap();
        let coarse = figures(&report, "cpu, coarse");
        assert!((coarse[5].as_f64().unwrap() - 0.75).abs() < 1e-12);
        assert_eq!(
            figures(&report, "cpu, fine")[4..],
            [Value::Null, Value::Null]
        );
        assert_eq!(report.notes.len(), 1);
    }

    #[test]
    fn names_and_files_of_rcaeval_are_read_and_what_is_none_is_named() {
        let case = Case::named("ts-order-service_cpu_3").unwrap();
        assert_eq!(
            (case.service.as_str(), case.fault.as_str()),
            ("ts-order-service", "cpu")
        );
        assert_eq!(Case::named("nothing"), None);
        assert_eq!(kept("x", r#"{"error": "no"}"#), Ok(None));
        assert!(kept("x", "{}").is_err());
        let says = |text: &str, part: &str| {
            let error = rankings(text).unwrap_err().to_string();
            assert!(error.contains(part), "{error}");
        };
        says(
            "\n{\"case\": \"a\"}",
            "line 2: it is of another form: missing field `ranks`",
        );
        let twice = "{\"case\": \"a\", \"ranks\": []}\n";
        says(
            &twice.repeat(2),
            "line 2: the case \"a\" is in line 1 already",
        );
        let unknown = score(&rankings(twice).unwrap(), &[]).unwrap_err();
        assert_eq!(unknown.to_string(), "line 1: the truth has no case \"a\"");
    }
}
