//! What `kubectl top` shows: samples of `metrics.k8s.io`.

use std::collections::BTreeMap;
use std::sync::Arc;

use aiopslab_datasets::rows::Usage;
use serde_json::Value;
use tokio::time::sleep;

use super::coverage::{Covered, Outage};
use super::sink::Sink;
use super::{Context, Report, nanoseconds};

const API: &str = "/apis/metrics.k8s.io/v1beta1";

/// Asks until the context stops.
pub(super) async fn record(context: Arc<Context>, sink: Sink<Usage>) -> Report {
    // Last timestamp by kind, namespace, name and container.
    let mut latest: BTreeMap<[String; 4], i64> = BTreeMap::new();
    let mut parts = parts(&context);
    let mut stopped = false;
    while !stopped {
        for part in &mut parts {
            match context.cluster.get_json(&part.path).await {
                Ok(list) => {
                    let now = context.now();
                    part.outage.over(now);
                    part.answered = Some(now);
                    for item in list["items"].as_array().into_iter().flatten() {
                        take(&context, &sink, &mut latest, part.kind, item).await;
                    }
                }
                Err(error) => {
                    let whole_until = part.answered.unwrap_or(context.start);
                    part.outage.failed(whole_until, error.to_string());
                }
            }
        }
        tokio::select! {
            () = context.stop.cancelled() => stopped = true,
            () = sleep(context.options.usage_interval) => {}
        }
    }
    Report {
        covered: parts.into_iter().map(Part::covered).collect(),
        ..Report::default()
    }
}

/// What is asked for at once.
struct Part {
    kind: &'static str,
    scope: String,
    path: String,
    /// When it last answered.
    answered: Option<i64>,
    outage: Outage,
}

fn parts(context: &Context) -> Vec<Part> {
    let part = |kind, scope: String, path| Part {
        kind,
        scope,
        path,
        answered: None,
        outage: Outage::default(),
    };
    let mut parts = vec![part("node", "kind=node".into(), format!("{API}/nodes"))];
    if context.options.confined {
        for namespace in &context.namespaces {
            let scope = format!("kind=pod,namespace={namespace}");
            parts.push(part(
                "pod",
                scope,
                format!("{API}/namespaces/{namespace}/pods"),
            ));
        }
    } else {
        parts.push(part("pod", "kind=pod".into(), format!("{API}/pods")));
    }
    parts
}

impl Part {
    fn covered(self) -> Covered {
        let holes = self.outage.into_holes();
        if self.answered.is_some() {
            return Covered::recorded("usage", "kubernetes", &self.scope).with_holes(holes);
        }
        let why = holes.first().map_or("nobody asked", |hole| &hole.reason);
        Covered::missing("usage", "kubernetes", &self.scope, why)
    }
}

async fn take(
    context: &Context,
    sink: &Sink<Usage>,
    latest: &mut BTreeMap<[String; 4], i64>,
    kind: &str,
    item: &Value,
) {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let metadata = &item["metadata"];
    let (namespace, name) = (text(&metadata["namespace"]), text(&metadata["name"]));
    let whole = [item.clone()];
    let parts: &[Value] = match kind {
        "node" => &whole,
        _ => item["containers"].as_array().map_or(&[], Vec::as_slice),
    };
    for part in parts {
        let container = if kind == "node" {
            String::new()
        } else {
            text(&part["name"])
        };
        let key = [
            kind.to_owned(),
            namespace.clone(),
            name.clone(),
            container.clone(),
        ];
        let row = row(kind, &namespace, &name, container, item, &part["usage"]);
        let Some(row) = row else {
            sink.lose(1);
            continue;
        };
        // The server measures less often than it may be asked.
        if latest.insert(key, row.timestamp) == Some(row.timestamp) {
            continue;
        }
        let visibility = context.visibility.of_reference("pods", &namespace, &name);
        sink.put(row, visibility, false).await;
    }
}

fn row(
    kind: &str,
    namespace: &str,
    name: &str,
    container: String,
    item: &Value,
    usage: &Value,
) -> Option<Usage> {
    Some(Usage {
        kind: kind.to_owned(),
        namespace: namespace.to_owned(),
        name: name.to_owned(),
        container,
        timestamp: nanoseconds(item["timestamp"].as_str()?)?,
        window_ms: duration_ms(item["window"].as_str()?)?,
        cpu_nanocores: quantity(usage["cpu"].as_str()?, 1e9)?,
        memory_bytes: quantity(usage["memory"].as_str()?, 1.0)?,
    })
}

/// A quantity as Kubernetes writes it, times a factor.
fn quantity(text: &str, factor: f64) -> Option<i64> {
    const SUFFIXES: [(&str, f64); 16] = [
        ("Ki", 1024.0),
        ("Mi", 1_048_576.0),
        ("Gi", 1_073_741_824.0),
        ("Ti", 1_099_511_627_776.0),
        ("Pi", 1_125_899_906_842_624.0),
        ("Ei", 1_152_921_504_606_846_976.0),
        ("n", 1e-9),
        ("u", 1e-6),
        ("m", 1e-3),
        ("k", 1e3),
        ("M", 1e6),
        ("G", 1e9),
        ("T", 1e12),
        ("P", 1e15),
        ("E", 1e18),
        ("", 1.0),
    ];
    SUFFIXES.iter().find_map(|(suffix, unit)| {
        let number: f64 = text.strip_suffix(suffix)?.parse().ok()?;
        // Dividing where the unit is a fraction keeps whole numbers whole.
        let value = if *unit < 1.0 {
            number * factor / (1.0 / unit).round()
        } else {
            number * unit * factor
        };
        (value.is_finite() && value.abs() < 9e18).then(|| value.round() as i64)
    })
}

/// A duration as Go writes it, in milliseconds.
fn duration_ms(text: &str) -> Option<i64> {
    let mut rest = text;
    let mut total = 0.0;
    while !rest.is_empty() {
        let digits = rest.find(|letter: char| !letter.is_ascii_digit() && letter != '.')?;
        let number: f64 = rest[..digits].parse().ok()?;
        rest = &rest[digits..];
        let units = [
            ("ms", 1.0),
            ("µs", 1e-3),
            ("ns", 1e-6),
            ("h", 3.6e6),
            ("m", 6e4),
            ("s", 1e3),
        ];
        let (unit, factor) = units.iter().find(|(unit, _)| rest.starts_with(unit))?;
        total += number * factor;
        rest = &rest[unit.len()..];
    }
    Some(total.round() as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantities_have_suffixes() {
        assert_eq!(quantity("123456789n", 1e9), Some(123_456_789));
        assert_eq!(quantity("12m", 1e9), Some(12_000_000));
        assert_eq!(quantity("2", 1e9), Some(2_000_000_000));
        assert_eq!(quantity("1234Ki", 1.0), Some(1_263_616));
        assert_eq!(quantity("5M", 1.0), Some(5_000_000));
        assert_eq!(quantity("", 1.0), None);
        assert_eq!(quantity("x", 1.0), None);
    }

    #[test]
    fn durations_have_units() {
        assert_eq!(duration_ms("10.5s"), Some(10_500));
        assert_eq!(duration_ms("1m0.25s"), Some(60_250));
        assert_eq!(duration_ms("90ms"), Some(90));
        assert_eq!(duration_ms("10"), None);
    }
}
