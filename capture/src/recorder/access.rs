//! What the recorder may do in the cluster, so that a replay's user may do the same. Its name and
//! groups are not asked for.

use aiopslab_datasets::Visibility;
use aiopslab_datasets::rows::ObjectApi;
use serde_json::{Value, json};

use super::Context;
use super::coverage::Covered;
use super::sink::Sink;
use crate::cluster::{Cluster, ClusterError};

const REVIEWS: &str = "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews";

/// Records the rules of every namespace, and under the empty name those that hold in all of them.
pub(super) async fn record(context: &Context, api: &Sink<ObjectApi>) -> Covered {
    let cluster = &context.cluster;
    let mut reasons = Vec::new();
    let mut namespaces = match cluster.list("/api/v1/namespaces").await {
        _ if context.options.confined => context.namespaces.clone(),
        Ok(namespaces) => namespaces
            .iter()
            .filter_map(|namespace| namespace.pointer("/metadata/name")?.as_str())
            .map(str::to_owned)
            .collect(),
        Err(error) => {
            reasons.push(error.to_string());
            vec![context.namespace.clone()]
        }
    };
    namespaces.push(String::new());
    for namespace in &namespaces {
        // The server wants a name: in a namespace that is not there only what holds everywhere does.
        let asked = match namespace.as_str() {
            "" => absent(&namespaces),
            namespace => namespace.to_owned(),
        };
        match rules(cluster, &asked).await {
            Ok(rules) => {
                let row = ObjectApi {
                    kind: "access".to_owned(),
                    name: namespace.clone(),
                    json: rules.to_string(),
                    valid_from: context.start,
                    valid_to: None,
                };
                api.put(row, Visibility::Visible, false).await;
            }
            Err(error) => reasons.push(error.to_string()),
        }
    }
    Covered::recorded("object_api", "kubernetes", "kind=access").unless(reasons)
}

async fn rules(cluster: &Cluster, namespace: &str) -> Result<Value, ClusterError> {
    let review = json!({
        "kind": "SelfSubjectRulesReview",
        "apiVersion": "authorization.k8s.io/v1",
        "spec": {"namespace": namespace},
    });
    let mut answer = cluster.create(REVIEWS, &review).await?;
    Ok(answer["status"].take())
}

/// A name that no namespace has.
fn absent(namespaces: &[String]) -> String {
    let mut name = "none".to_owned();
    while namespaces.contains(&name) {
        name.push_str("-none");
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_is_free_is_found() {
        let namespaces = ["default", "none"].map(str::to_owned);
        assert_eq!(absent(&namespaces), "none-none");
        assert_eq!(absent(&namespaces[..1]), "none");
    }
}
