//! Volumes, claims and classes of storage.

use serde_json::Value;

use super::described::Described;
use super::page::Page;
use super::{metadata, related, volumes};
use crate::kubectl::failure::Failure;
use crate::kubectl::table::format_labels;
use crate::kubectl::{object, timestamp};

const CLASS_ANNOTATION: &str = "volume.beta.kubernetes.io/storage-class";

/// The phase, or how long the object has been on its way out.
fn status(page: &mut Page, value: &Value, now: i64) {
    if object::field(value, "/metadata/deletionTimestamp").is_some() {
        let lasts = timestamp::age(value, "/metadata/deletionTimestamp", now);
        page.field(0, "Status", format!("Terminating (lasts {lasts})"));
    } else {
        page.field(0, "Status", object::text(value, "/status/phase"));
    }
}

/// `[a b]`
pub(super) fn bracketed(value: &Value, pointer: &str) -> String {
    let texts: Vec<String> = object::list(value, pointer)
        .iter()
        .map(object::plain)
        .collect();
    format!("[{}]", texts.join(" "))
}

fn class(value: &Value) -> &str {
    object::map(value, "/metadata/annotations")
        .get(CLASS_ANNOTATION)
        .copied()
        .unwrap_or_else(|| object::text(value, "/spec/storageClassName"))
}

/// The page of a PersistentVolumeClaim.
pub(super) async fn claim(described: &Described<'_>) -> Result<Page, Failure> {
    let Described {
        cluster, recorded, ..
    } = *described;
    let value = &recorded.object;
    let text = |pointer: &str| object::text(value, pointer);
    let mut page = Page::default();
    metadata::name(&mut page, recorded);
    page.field(0, "StorageClass", class(value));
    status(&mut page, value, cluster.now);
    page.field(0, "Volume", text("/spec/volumeName"));
    metadata::labels_and_annotations(&mut page, value);
    page.field(0, "Finalizers", bracketed(value, "/metadata/finalizers"));
    let (mut capacity, mut modes) = ("", String::new());
    if !text("/spec/volumeName").is_empty() {
        capacity = text("/status/capacity/storage");
        modes = access_modes(object::list(value, "/status/accessModes"));
    }
    page.field(0, "Capacity", capacity);
    page.field(0, "Access Modes", modes);
    page.field_if(0, "VolumeMode", text("/spec/volumeMode"));
    if let Some(source) = object::field(value, "/spec/dataSource") {
        page.line(0, "DataSource:");
        page.field_if(1, "APIGroup", object::text(source, "/apiGroup"));
        page.field(1, "Kind", object::text(source, "/kind"));
        page.field(1, "Name", object::text(source, "/name"));
    }
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
    metadata::probed_conditions(&mut page, value, ("LastProbeTime", "/lastProbeTime"));
    Ok(described.finished(page))
}

/// Access modes by their short names.
fn access_modes(given: &[Value]) -> String {
    const MODES: [(&str, &str); 4] = [
        ("ReadWriteOnce", "RWO"),
        ("ReadOnlyMany", "ROX"),
        ("ReadWriteMany", "RWX"),
        ("ReadWriteOncePod", "RWOP"),
    ];
    let short: Vec<&str> = MODES
        .iter()
        .filter(|(mode, _)| given.iter().any(|given| given.as_str() == Some(mode)))
        .map(|(_, short)| *short)
        .collect();
    short.join(",")
}

/// The page of a PersistentVolume.
pub(super) fn volume(described: &Described<'_>) -> Page {
    let Described {
        cluster, recorded, ..
    } = *described;
    let value = &recorded.object;
    let text = |pointer: &str| object::text(value, pointer);
    let mut page = Page::default();
    page.field(0, "Name", &recorded.name);
    metadata::labels_and_annotations(&mut page, value);
    page.field(0, "Finalizers", bracketed(value, "/metadata/finalizers"));
    page.field(0, "StorageClass", class(value));
    status(&mut page, value, cluster.now);
    let claim = object::field(value, "/spec/claimRef").map(|claim| {
        let (namespace, name) = (
            object::text(claim, "/namespace"),
            object::text(claim, "/name"),
        );
        format!("{namespace}/{name}")
    });
    page.field(0, "Claim", claim.unwrap_or_default());
    page.field(
        0,
        "Reclaim Policy",
        text("/spec/persistentVolumeReclaimPolicy"),
    );
    let modes = access_modes(object::list(value, "/spec/accessModes"));
    page.field(0, "Access Modes", modes);
    page.field_if(0, "VolumeMode", text("/spec/volumeMode"));
    page.field(0, "Capacity", text("/spec/capacity/storage"));
    node_affinity(&mut page, value);
    page.field(0, "Message", text("/status/message"));
    page.line(0, "Source:");
    source(&mut page, value.pointer("/spec").unwrap_or(&Value::Null));
    described.finished(page)
}

fn node_affinity(page: &mut Page, value: &Value) {
    let Some(required) = object::field(value, "/spec/nodeAffinity/required") else {
        page.field(0, "Node Affinity", "<none>");
        return;
    };
    page.field(0, "Node Affinity", "");
    let terms = object::list(required, "/nodeSelectorTerms");
    if terms.is_empty() {
        page.field(1, "Required Terms", "<none>");
        return;
    }
    page.field(1, "Required Terms", "");
    for (position, term) in terms.iter().enumerate() {
        let expressions = object::list(term, "/matchExpressions");
        let operator = |expression: &Value| object::text(expression, "/operator").to_lowercase();
        requirements(page, 2, position, expressions, operator);
    }
}

/// `Term 0:` with one requirement per line.
fn requirements(
    page: &mut Page,
    level: usize,
    position: usize,
    expressions: &[Value],
    operator: impl Fn(&Value) -> String,
) {
    page.part(level, format!("Term {position}:\t"));
    if expressions.is_empty() {
        page.line(0, "<none>");
    }
    for (position, expression) in expressions.iter().enumerate() {
        if position > 0 {
            page.part(level, "\t");
        }
        let values: Vec<String> = object::list(expression, "/values")
            .iter()
            .map(object::plain)
            .collect();
        let values = if values.is_empty() {
            String::new()
        } else {
            format!(" [{}]", values.join(", "))
        };
        page.line(
            0,
            format!(
                "{} {}{values}",
                object::text(expression, "/key"),
                operator(expression)
            ),
        );
    }
}

/// Where the bytes are.
fn source(page: &mut Page, spec: &Value) {
    if let Some(local) = object::field(spec, "/local") {
        let kind = "LocalVolume (a persistent volume backed by local storage on a node)";
        page.field(2, "Type", kind);
        page.field(2, "Path", object::text(local, "/path"));
    } else if !volumes::shared_source(page, spec) {
        volumes::other_source(page, spec);
    }
}

/// The page of a StorageClass.
pub(super) fn storage_class(described: &Described<'_>) -> Page {
    let recorded = described.recorded;
    let value = &recorded.object;
    let annotations = object::map(value, "/metadata/annotations");
    let is_default = [
        "storageclass.kubernetes.io/is-default-class",
        "storageclass.beta.kubernetes.io/is-default-class",
    ]
    .iter()
    .any(|key| annotations.get(key) == Some(&"true"));
    let mut page = Page::default();
    page.field(0, "Name", &recorded.name);
    page.field(0, "IsDefaultClass", if is_default { "Yes" } else { "No" });
    page.field(0, "Annotations", format_labels(&annotations));
    page.field(0, "Provisioner", object::text(value, "/provisioner"));
    page.field(
        0,
        "Parameters",
        format_labels(&object::map(value, "/parameters")),
    );
    let expansion = object::field(value, "/allowVolumeExpansion").and_then(Value::as_bool);
    page.field(0, "AllowVolumeExpansion", truth(expansion));
    let options = object::list(value, "/mountOptions");
    if options.is_empty() {
        page.field(0, "MountOptions", "<none>");
    } else {
        page.line(0, "MountOptions:");
        for option in options {
            page.line(1, object::plain(option));
        }
    }
    page.field_if(0, "ReclaimPolicy", object::text(value, "/reclaimPolicy"));
    page.field_if(
        0,
        "VolumeBindingMode",
        object::text(value, "/volumeBindingMode"),
    );
    if object::field(value, "/allowedTopologies").is_some() {
        let terms = object::list(value, "/allowedTopologies");
        page.field(
            0,
            "AllowedTopologies",
            if terms.is_empty() { "<none>" } else { "" },
        );
        for (position, term) in terms.iter().enumerate() {
            let expressions = object::list(term, "/matchLabelExpressions");
            requirements(&mut page, 1, position, expressions, |_| "in".to_owned());
        }
    }
    described.finished(page)
}

/// `True`, `False` or `<unset>`.
pub(super) fn truth(value: Option<bool>) -> &'static str {
    match value {
        Some(true) => "True",
        Some(false) => "False",
        None => "<unset>",
    }
}

/// The page of a VolumeAttributesClass.
pub(super) fn attributes_class(described: &Described<'_>) -> Page {
    let recorded = described.recorded;
    let value = &recorded.object;
    let mut page = Page::default();
    page.field(0, "Name", &recorded.name);
    page.field(
        0,
        "Annotations",
        format_labels(&object::map(value, "/metadata/annotations")),
    );
    page.field(0, "DriverName", object::text(value, "/driverName"));
    page.field(
        0,
        "Parameters",
        format_labels(&object::map(value, "/parameters")),
    );
    described.finished(page)
}

/// The page of a CSINode.
pub(super) fn csi_node(described: &Described<'_>) -> Page {
    let recorded = described.recorded;
    let value = &recorded.object;
    let mut page = Page::default();
    page.field(0, "Name", &recorded.name);
    metadata::labels_and_annotations(&mut page, value);
    metadata::created(&mut page, value);
    page.line(0, "Spec:");
    if object::field(value, "/spec/drivers").is_some() {
        page.line(1, "Drivers:");
    }
    for driver in object::list(value, "/spec/drivers") {
        page.line(2, format!("{}:", object::text(driver, "/name")));
        page.field(3, "Node ID", object::text(driver, "/nodeID"));
        if let Some(count) = object::field(driver, "/allocatable/count") {
            page.line(3, "Allocatables:");
            page.field(4, "Count", count);
        }
        if object::field(driver, "/topologyKeys").is_some() {
            page.field(3, "Topology Keys", bracketed(driver, "/topologyKeys"));
        }
    }
    described.finished(page)
}
