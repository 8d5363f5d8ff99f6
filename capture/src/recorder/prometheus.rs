//! What Prometheus says about itself: metadata, rules, alerts, targets, configuration.

use std::collections::BTreeMap;
use std::time::Duration;

use aiopslab_datasets::Visibility;
use aiopslab_datasets::rows::MetricMetadata;
use serde_json::Value;
use tokio::time::sleep;

use super::coverage::{Covered, Outage};
use super::sink::Sink;
use super::{Context, Report, SECOND};
use crate::cluster::ClusterError;
use crate::visibility::VisibilityRules;

/// How often targets, rules and alerts are asked for.
const INTERVAL: Duration = Duration::from_secs(30);
/// What is asked again and again, with the path.
const CHANGING: [(&str, &str); 3] = [
    ("targets", "/api/v1/targets?state=any"),
    ("rules", "/api/v1/rules"),
    ("alerts", "/api/v1/alerts"),
];
/// Fields that differ in every answer and are left out of comparisons.
const RESTLESS: [&str; 4] = [
    "lastScrape",
    "lastScrapeDuration",
    "lastEvaluation",
    "evaluationTime",
];

/// An answer that is not yet known to have ended.
struct Open {
    compared: Value,
    json: Value,
    since: i64,
}

/// Asks until the context stops.
pub(super) async fn record(context: std::sync::Arc<Context>, sink: Sink<MetricMetadata>) -> Report {
    let mut report = Report::default();
    let mut reasons = Vec::new();
    let mut outage = Outage::default();
    let mut answered = context.start;
    let mut open: BTreeMap<&str, Open> = BTreeMap::new();
    let mut stopped = false;
    while !stopped {
        let mut failed = None;
        for (kind, path) in CHANGING {
            match ask(&context, path).await {
                Ok(json) => take(&context, &sink, &mut open, kind, json).await,
                Err(error) => failed = Some(error.to_string()),
            }
        }
        look_at_its_clock(&context).await;
        match failed {
            Some(reason) => outage.failed(answered, reason),
            None => {
                answered = context.now();
                outage.over(answered);
            }
        }
        tokio::select! {
            () = context.stop.cancelled() => stopped = true,
            () = sleep(INTERVAL) => {}
        }
    }
    for (kind, last) in open {
        sink.put(row(kind, &last, None), Visibility::Visible, false)
            .await;
    }
    match ask(&context, "/api/v1/metadata").await {
        Ok(metadata) => put_metadata(&context, &sink, &metadata).await,
        Err(error) => reasons.push(error.to_string()),
    }
    let mut versions = serde_json::Map::new();
    for name in ["buildinfo", "flags", "runtimeinfo", "config"] {
        match ask(&context, &format!("/api/v1/status/{name}")).await {
            Ok(mut answer) => {
                let redacted = context.redaction.object("", &mut answer);
                if name == "config" {
                    let open = Open {
                        compared: Value::Null,
                        json: answer.clone(),
                        since: context.start,
                    };
                    sink.put(row("config", &open, None), Visibility::Visible, redacted)
                        .await;
                }
                if name != "runtimeinfo" {
                    versions.insert(name.to_owned(), answer);
                }
            }
            Err(error) => reasons.push(error.to_string()),
        }
    }
    report
        .versions
        .insert("prometheus".to_owned(), Value::Object(versions));
    report.covered = vec![
        Covered::recorded("metric_metadata", "prometheus", "")
            .with_holes(outage.into_holes())
            .unless(reasons),
    ];
    report
}

/// Writes the answer before if this one differs.
async fn take(
    context: &Context,
    sink: &Sink<MetricMetadata>,
    open: &mut BTreeMap<&'static str, Open>,
    kind: &'static str,
    mut json: Value,
) {
    context.redaction.object("", &mut json);
    if kind == "targets" {
        remove_hidden_targets(&context.visibility, &mut json);
    }
    let mut compared = json.clone();
    remove_restless(&mut compared);
    if open.get(kind).is_some_and(|last| last.compared == compared) {
        return;
    }
    let known_before = open.contains_key(kind);
    // What is true when recording begins is taken to have been true at its first moment.
    let since = if known_before {
        context.now()
    } else {
        context.start
    };
    if let Some(last) = open.insert(
        kind,
        Open {
            compared,
            json,
            since,
        },
    ) {
        sink.put(row(kind, &last, Some(since)), Visibility::Visible, false)
            .await;
    }
}

async fn ask(context: &Context, path: &str) -> Result<Value, ClusterError> {
    let mut answer = context
        .cluster
        .proxy_json(&context.prometheus, &context.namespace, path)
        .await?;
    Ok(answer["data"].take())
}

/// Compares the clock of Prometheus with the API server's.
async fn look_at_its_clock(context: &Context) {
    let asked = context.now();
    let Ok(answer) = ask(context, "/api/v1/query?query=time()").await else {
        return; // that it does not answer is told by what else is asked
    };
    let middle = asked + (context.now() - asked) / 2;
    let told = answer["result"][1].as_str();
    if let Some(seconds) = told.and_then(|text| text.parse::<f64>().ok()) {
        let told = (seconds * SECOND as f64) as i64;
        context.clocks.saw("prometheus", told, middle);
    }
}

/// Leaves out the targets that stand for pods which are withheld, and what is left out of the other pods.
fn remove_hidden_targets(rules: &VisibilityRules, targets: &mut Value) {
    for list in ["activeTargets", "droppedTargets"] {
        let Some(list) = targets.get_mut(list).and_then(Value::as_array_mut) else {
            continue;
        };
        list.retain(|target| {
            let label = |name: &str| {
                let found = target["discoveredLabels"][name].as_str();
                found.unwrap_or_default()
            };
            let namespace = label("__meta_kubernetes_namespace");
            let pod = label("__meta_kubernetes_pod_name");
            rules.of_reference("pods", namespace, pod) == Visibility::Visible
        });
        for target in list {
            if let Some(labels) = target.get_mut("discoveredLabels") {
                rules.prune_target(labels);
            }
        }
    }
}

fn remove_restless(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.retain(|name, _| !RESTLESS.contains(&name.as_str()));
            fields.values_mut().for_each(remove_restless);
        }
        Value::Array(items) => items.iter_mut().for_each(remove_restless),
        _ => {}
    }
}

fn row(kind: &str, open: &Open, valid_to: Option<i64>) -> MetricMetadata {
    MetricMetadata {
        kind: kind.to_owned(),
        name: String::new(),
        r#type: None,
        help: None,
        unit: None,
        json: Some(open.json.to_string()),
        valid_from: open.since,
        valid_to,
    }
}

async fn put_metadata(context: &Context, sink: &Sink<MetricMetadata>, metadata: &Value) {
    for (name, entries) in metadata.as_object().into_iter().flatten() {
        for entry in entries.as_array().into_iter().flatten() {
            let text = |field: &str| {
                let mut text = entry[field].as_str().unwrap_or_default().to_owned();
                context.redaction.text(&mut text);
                Some(text)
            };
            let row = MetricMetadata {
                kind: "metadata".to_owned(),
                name: name.clone(),
                r#type: text("type"),
                help: text("help"),
                unit: text("unit"),
                json: None,
                valid_from: context.start,
                valid_to: None,
            };
            sink.put(row, Visibility::Visible, false).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn targets_of_withheld_pods_are_left_out() {
        let target = |namespace: &str| {
            json!({"discoveredLabels": {"__meta_kubernetes_namespace": namespace,
                "__meta_kubernetes_pod_name": "p"}})
        };
        let host = json!({"discoveredLabels": {"__address__": "host:9100"}});
        let mut targets = json!({"activeTargets": [host],
            "droppedTargets": [target("shop"), target(crate::chaos::NAMESPACE)]});
        let rules = VisibilityRules::of_capture("kube-system", "cluster-settings-");
        remove_hidden_targets(&rules, &mut targets);
        assert_eq!(targets["activeTargets"], json!([host]));
        assert_eq!(targets["droppedTargets"], json!([target("shop")]));
    }

    #[test]
    fn times_of_scrapes_are_no_change() {
        let mut target = json!({"activeTargets": [{"health": "up", "lastScrape": "now"}]});
        remove_restless(&mut target);
        assert_eq!(target, json!({"activeTargets": [{"health": "up"}]}));
    }
}
