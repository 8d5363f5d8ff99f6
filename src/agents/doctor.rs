//! The rule-based baseline: looks where an engineer looks first, through the ordinary actions only.
//!
//! Rules, strongest first:
//! 1. a Service that has no ready endpoint while its Deployment was scaled to zero: an operation error;
//! 2. a Service whose target port is no port of the pods it selects: a misconfiguration;
//! 3. pods that are not ready: their service, and what their state says of the cause;
//! 4. recent error spans: the component that the deepest of them blame, its log says why.

mod evidence;

use aiopslab_problems::action::Action;
use aiopslab_problems::task::Task;
use serde_json::{Value, json};

use self::evidence::{ErrorSpans, Unready, port_mismatch, scaled_to_zero, unready};
use super::Briefing;
use super::conversation::Talk;

/// Share of recent traces with an error from which on something is wrong.
const ERROR_RATIO: f64 = 0.05;

/// What the doctor found.
struct Finding {
    component: String,
    system_level: &'static str,
    fault_type: &'static str,
}

/// Examines the application and answers the task.
pub(super) async fn diagnose(mut talk: Talk, briefing: Briefing) -> Value {
    let finding = examine(&mut talk, &briefing.namespace).await;
    match (briefing.task, finding) {
        (Task::Detection, finding) => json!(if finding.is_some() { "Yes" } else { "No" }),
        (Task::Localization, Some(finding)) => json!([finding.component]),
        (Task::Localization, None) => json!([]),
        (Task::Analysis, Some(finding)) => {
            json!({"system_level": finding.system_level, "fault_type": finding.fault_type})
        }
        (Task::Analysis, None) => json!({"system_level": "", "fault_type": ""}),
        (Task::Mitigation, _) => Value::Null,
    }
}

async fn examine(talk: &mut Talk, namespace: &str) -> Option<Finding> {
    let deployments = talk
        .shell(&format!("kubectl get deployments -n {namespace}"))
        .await;
    let endpoints = talk
        .shell(&format!("kubectl get endpoints -n {namespace}"))
        .await;
    if let Some(component) = scaled_to_zero(&deployments, &endpoints) {
        return Some(Finding {
            component,
            system_level: "Virtualization",
            fault_type: "Operation Error",
        });
    }
    let services = talk
        .shell(&format!("kubectl get services -n {namespace} -o json"))
        .await;
    let pods = talk
        .shell(&format!("kubectl get pods -n {namespace} -o json"))
        .await;
    if let Some(component) = port_mismatch(&services, &pods) {
        return Some(Finding {
            component,
            system_level: "Virtualization",
            fault_type: "Misconfiguration",
        });
    }
    let listed = talk
        .shell(&format!("kubectl get pods -n {namespace}"))
        .await;
    if let Some((component, why)) = unready(&listed, &pods) {
        let (system_level, fault_type) = match why {
            Unready::Unschedulable | Unready::Waiting => ("Virtualization", "Dependency Problem"),
            Unready::OutOfMemory | Unready::NotAnswering => ("Virtualization", "Misconfiguration"),
            Unready::Crashing => ("Application", "Misconfiguration"),
        };
        return Some(Finding {
            component,
            system_level,
            fault_type,
        });
    }
    let spans = recent_spans(talk, namespace).await?;
    if spans.error_ratio() < ERROR_RATIO {
        return None;
    }
    let culprit = spans.culprit()?;
    let log = talk
        .call(&Action::GetLogs {
            namespace: namespace.to_owned(),
            service: culprit.clone(),
        })
        .await;
    Some(read_log(&log, culprit))
}

async fn recent_spans(talk: &mut Talk, namespace: &str) -> Option<ErrorSpans> {
    let answer = talk
        .call(&Action::GetTraces {
            namespace: namespace.to_owned(),
            duration: 1,
        })
        .await;
    let path = answer
        .split_whitespace()
        .find(|word| word.ends_with(".csv"))?;
    let table = talk
        .call(&Action::ReadTraces {
            file_path: path.to_owned(),
        })
        .await;
    Some(ErrorSpans::read(&table))
}

/// What the culprit's own log says of the cause.
fn read_log(log: &str, component: String) -> Finding {
    let recent: Vec<&str> = log.lines().rev().take(200).collect();
    let says = |words: &[&str]| {
        recent.iter().any(|line| {
            let line = line.to_lowercase();
            words.iter().any(|word| line.contains(word))
        })
    };
    if says(&[
        "permission denied",
        "authentication failed",
        "not authorized",
        "access denied",
    ]) {
        Finding {
            component,
            system_level: "Application",
            fault_type: "Authentication Issue",
        }
    } else if says(&[
        "connection refused",
        "timed out",
        "timeout",
        "no route to host",
    ]) {
        Finding {
            component,
            system_level: "Virtualization",
            fault_type: "Network/Storage Issue",
        }
    } else {
        Finding {
            component,
            system_level: "Application",
            fault_type: "Code Defect",
        }
    }
}
