//! Which label tells the service that a pod belongs to.

use std::collections::BTreeSet;

use serde_json::Value;

/// The labels that people use for it; the first that does best is taken.
const USUAL: [&str; 7] = [
    "app.kubernetes.io/name",
    "app",
    "app.kubernetes.io/component",
    "k8s-app",
    "io.kompose.service",
    "service",
    "name",
];

/// The usual label that tells the most services apart, and of those the one that most pods have.
pub(super) fn guess(pods: &[Value]) -> &'static str {
    let merit = |label: &str| {
        let values: Vec<&str> = pods
            .iter()
            .filter_map(|pod| pod["metadata"]["labels"][label].as_str())
            .collect();
        let different: BTreeSet<&str> = values.iter().copied().collect();
        (different.len(), values.len())
    };
    USUAL
        .into_iter()
        .rev() // the last of equals is the maximum
        .max_by_key(|label| merit(label))
        .unwrap_or(USUAL[0])
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::guess;

    #[test]
    fn the_label_that_tells_services_apart_is_taken() {
        let pod = |labels: serde_json::Value| json!({"metadata": {"labels": labels}});
        let chart = "app.kubernetes.io/name";
        let component = "app.kubernetes.io/component";
        assert_eq!(guess(&[]), chart);
        assert_eq!(guess(&[pod(json!({"app": "a"}))]), "app");
        // One chart with several components.
        let of_a_chart = [
            pod(json!({chart: "shop", component: "cart"})),
            pod(json!({chart: "shop", component: "payment"})),
        ];
        assert_eq!(guess(&of_a_chart), component);
        // As many services, on more pods.
        let mixed = [
            pod(json!({"app": "a", chart: "a"})),
            pod(json!({"app": "a"})),
        ];
        assert_eq!(guess(&mixed), "app");
    }
}
