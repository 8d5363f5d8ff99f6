//! ConfigMaps, Secrets, Namespaces, ServiceAccounts and PersistentVolumeClaims.

use serde_json::Value;

use super::event_table::{self, Events};
use super::page::Page;
use super::{metadata, related};
use crate::kubectl::cluster::Cluster;
use crate::kubectl::failure::Failure;
use crate::kubectl::{object, timestamp};
use crate::view::RecordedObject;

/// Bytes behind base64 text.
fn decoded_length(base64: &str) -> usize {
    let text = base64.trim_end_matches('=');
    text.len() * 3 / 4
}

/// The page of a ConfigMap.
pub(super) fn config_map(
    cluster: &Cluster<'_>,
    recorded: &RecordedObject,
    events: &Events,
) -> Page {
    let value = &recorded.object;
    let mut page = Page::default();
    metadata::name(&mut page, recorded);
    metadata::labels_and_annotations(&mut page, value);
    page.line(0, "\nData\n====");
    for (key, text) in object::map(value, "/data") {
        page.line(0, format!("{key}:\n----\n{text}\n"));
    }
    page.line(0, "\nBinaryData\n====");
    for (key, data) in object::map(value, "/binaryData") {
        page.line(0, format!("{key}: {} bytes", decoded_length(data)));
    }
    page.line(0, "");
    event_table::print(&mut page, events, cluster.now);
    page
}

/// The page of a Secret: sizes, no values.
pub(super) fn secret(recorded: &RecordedObject) -> Page {
    let value = &recorded.object;
    let mut page = Page::default();
    metadata::name(&mut page, recorded);
    metadata::labels_and_annotations(&mut page, value);
    page.line(0, format!("\nType:\t{}", object::text(value, "/type")));
    page.line(0, "\nData\n====");
    for (key, data) in object::map(value, "/data") {
        page.field(0, key, format!("{} bytes", decoded_length(data)));
    }
    page
}

/// The page of a Namespace.
pub(super) async fn namespace(
    cluster: &Cluster<'_>,
    recorded: &RecordedObject,
) -> Result<Page, Failure> {
    let value = &recorded.object;
    let mut page = Page::default();
    page.field(0, "Name", &recorded.name);
    metadata::labels_and_annotations(&mut page, value);
    page.field(0, "Status", object::text(value, "/status/phase"));
    let conditions = object::list(value, "/status/conditions");
    if !conditions.is_empty() {
        page.line(0, "Conditions:");
        page.line(1, "Type\tStatus\tLastTransitionTime\tReason\tMessage");
        page.line(1, "----\t------\t------------------\t------\t-------");
    }
    for condition in conditions {
        let part = |pointer: &str| object::text(condition, pointer);
        page.line(
            1,
            format!(
                "{}\t{}\t{}\t{}\t{}",
                part("/type"),
                part("/status"),
                timestamp::rfc1123(condition, "/lastTransitionTime"),
                part("/reason"),
                part("/message")
            ),
        );
    }
    let name = Some(recorded.name.as_str());
    let quotas = related::all(cluster, "", "resourcequotas", name).await?;
    page.line(0, "");
    if quotas.is_empty() {
        page.line(0, "No resource quota.");
    } else {
        page.line(0, "Resource Quotas");
    }
    for quota in quotas {
        page.field(1, "Name", &quota.name);
        page.line(1, "Resource\tUsed\tHard");
        page.line(1, "--------\t---\t---");
        let used = object::map(&quota.object, "/status/used");
        for (resource, hard) in object::map(&quota.object, "/status/hard") {
            let used = used.get(resource).copied().unwrap_or("0");
            page.line(1, format!("{resource}\t{used}\t{hard}"));
        }
    }
    let ranges = related::all(cluster, "", "limitranges", name).await?;
    page.line(0, "");
    if ranges.is_empty() {
        page.line(0, "No LimitRange resource.");
    } else {
        limit_ranges(&mut page, &ranges);
    }
    Ok(page)
}

fn limit_ranges(page: &mut Page, ranges: &[RecordedObject]) {
    page.line(0, "Resource Limits");
    page.line(
        0,
        " Type\tResource\tMin\tMax\tDefault Request\tDefault Limit\tMax Limit/Request Ratio",
    );
    page.line(
        0,
        " ----\t--------\t---\t---\t---------------\t-------------\t-----------------------",
    );
    for limit in ranges
        .iter()
        .flat_map(|range| object::list(&range.object, "/spec/limits"))
    {
        const COLUMNS: [&str; 5] = [
            "/min",
            "/max",
            "/defaultRequest",
            "/default",
            "/maxLimitRequestRatio",
        ];
        let mut resources: Vec<&str> = COLUMNS
            .iter()
            .flat_map(|column| object::map(limit, column).into_keys())
            .collect();
        resources.sort_unstable();
        resources.dedup();
        for resource in resources {
            let cells: Vec<&str> = COLUMNS
                .iter()
                .map(|column| {
                    object::map(limit, column)
                        .get(resource)
                        .copied()
                        .unwrap_or("-")
                })
                .collect();
            page.line(
                0,
                format!(
                    " {}\t{resource}\t{}",
                    object::text(limit, "/type"),
                    cells.join("\t")
                ),
            );
        }
    }
}

/// The page of a ServiceAccount.
pub(super) async fn service_account(
    cluster: &Cluster<'_>,
    recorded: &RecordedObject,
    events: &Events,
) -> Result<Page, Failure> {
    let value = &recorded.object;
    let mut page = Page::default();
    metadata::name(&mut page, recorded);
    metadata::labels_and_annotations(&mut page, value);
    let names = |pointer: &str| -> Vec<String> {
        object::list(value, pointer)
            .iter()
            .map(|s| object::text(s, "/name").to_owned())
            .collect()
    };
    let secrets = related::all(cluster, "", "secrets", Some(&recorded.namespace)).await?;
    let tokens: Vec<String> = secrets
        .iter()
        .filter(|secret| {
            let annotations = object::map(&secret.object, "/metadata/annotations");
            object::text(&secret.object, "/type") == "kubernetes.io/service-account-token"
                && annotations.get("kubernetes.io/service-account.name")
                    == Some(&recorded.name.as_str())
                && annotations.get("kubernetes.io/service-account.uid")
                    == Some(&recorded.uid.as_str())
        })
        .map(|secret| secret.name.clone())
        .collect();
    for (title, names) in [
        ("Image pull secrets:", names("/imagePullSecrets")),
        ("Mountable secrets: ", names("/secrets")),
        ("Tokens:            ", tokens),
    ] {
        if names.is_empty() {
            page.line(0, format!("{title}\t<none>"));
        }
        for (position, name) in names.iter().enumerate() {
            let title = if position == 0 {
                title
            } else {
                "                   "
            };
            let known = secrets.iter().any(|secret| secret.name == *name);
            let missing = if known { "" } else { " (not found)" };
            page.line(0, format!("{title}\t{name}{missing}"));
        }
    }
    event_table::print(&mut page, events, cluster.now);
    Ok(page)
}

/// The page of a PersistentVolumeClaim.
pub(super) async fn volume_claim(
    cluster: &Cluster<'_>,
    recorded: &RecordedObject,
    events: &Events,
) -> Result<Page, Failure> {
    let value = &recorded.object;
    let text = |pointer: &str| object::text(value, pointer);
    let mut page = Page::default();
    metadata::name(&mut page, recorded);
    page.field(0, "StorageClass", text("/spec/storageClassName"));
    if object::field(value, "/metadata/deletionTimestamp").is_some() {
        let lasts = timestamp::age(value, "/metadata/deletionTimestamp", cluster.now);
        page.field(0, "Status", format!("Terminating (lasts {lasts})"));
    } else {
        page.field(0, "Status", text("/status/phase"));
    }
    page.field(0, "Volume", text("/spec/volumeName"));
    metadata::labels_and_annotations(&mut page, value);
    let finalizers: Vec<String> = object::list(value, "/metadata/finalizers")
        .iter()
        .map(object::plain)
        .collect();
    page.field(0, "Finalizers", format!("[{}]", finalizers.join(" ")));
    let bound = !text("/spec/volumeName").is_empty();
    page.field(
        0,
        "Capacity",
        if bound {
            text("/status/capacity/storage")
        } else {
            ""
        },
    );
    page.field(
        0,
        "Access Modes",
        if bound {
            access_modes(value)
        } else {
            String::new()
        },
    );
    page.field_if(0, "VolumeMode", text("/spec/volumeMode"));
    let pods = related::all(cluster, "", "pods", Some(&recorded.namespace)).await?;
    let users: Vec<String> = pods
        .iter()
        .filter(|pod| {
            object::list(&pod.object, "/spec/volumes")
                .iter()
                .any(|volume| {
                    object::text(volume, "/persistentVolumeClaim/claimName") == recorded.name
                })
        })
        .map(|pod| pod.name.clone())
        .collect();
    page.lines("Used By", &users);
    event_table::print(&mut page, events, cluster.now);
    Ok(page)
}

/// Access modes by their short names.
fn access_modes(value: &Value) -> String {
    const MODES: [(&str, &str); 4] = [
        ("ReadWriteOnce", "RWO"),
        ("ReadOnlyMany", "ROX"),
        ("ReadWriteMany", "RWX"),
        ("ReadWriteOncePod", "RWOP"),
    ];
    let given = object::list(value, "/status/accessModes");
    let short: Vec<&str> = MODES
        .iter()
        .filter(|(mode, _)| given.iter().any(|given| given.as_str() == Some(mode)))
        .map(|(_, short)| *short)
        .collect();
    short.join(",")
}
