//! ConfigMaps, Secrets, Namespaces and ServiceAccounts.

use super::described::Described;
use super::page::Page;
use super::{metadata, policy, related};
use crate::kubectl::cluster::Cluster;
use crate::kubectl::failure::Failure;
use crate::kubectl::object;
use crate::view::RecordedObject;

/// Bytes behind base64 text.
fn decoded_length(base64: &str) -> usize {
    let text = base64.trim_end_matches('=');
    text.len() * 3 / 4
}

/// The page of a ConfigMap.
pub(super) fn config_map(described: &Described<'_>) -> Page {
    let recorded = described.recorded;
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
    described.finished(page)
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
    metadata::conditions(
        &mut page,
        value,
        &["Type", "Status", "LastTransitionTime", "Reason", "Message"],
    );
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
        policy::scopes(&mut page, 1, &quota.object, "* ");
        page.line(1, "Resource\tUsed\tHard");
        page.line(1, "--------\t---\t---");
        policy::usage(&mut page, 1, &quota.object);
    }
    let ranges = related::all(cluster, "", "limitranges", name).await?;
    page.line(0, "");
    if ranges.is_empty() {
        page.line(0, "No LimitRange resource.");
    } else {
        policy::limit_ranges(&mut page, &ranges);
    }
    Ok(page)
}

/// The page of a ServiceAccount.
pub(super) async fn service_account(described: &Described<'_>) -> Result<Page, Failure> {
    let Described {
        cluster, recorded, ..
    } = *described;
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
    Ok(described.finished(page))
}
