//! Volumes of pods and of pod templates.

use serde_json::Value;

use super::page::Page;
use crate::kubectl::object;
use crate::kubectl::quantity::Quantity;

/// The volumes; those of a template are indented.
pub(super) fn describe(page: &mut Page, volumes: &[Value], template: bool) {
    let space = if template { "  " } else { "" };
    if volumes.is_empty() {
        page.line(0, format!("{space}Volumes:\t<none>"));
        return;
    }
    page.line(0, format!("{space}Volumes:"));
    for volume in volumes {
        let indent = if template { " " } else { "" };
        page.line(1, format!("{indent}{}:", object::text(volume, "/name")));
        source(page, volume);
    }
}

fn source(page: &mut Page, volume: &Value) {
    let part = |key: &str| object::field(volume, key);
    if shared_source(page, volume) {
        return;
    }
    if let Some(empty) = part("/emptyDir") {
        let kind = "EmptyDir (a temporary directory that shares a pod's lifetime)";
        page.field(2, "Type", kind);
        page.field(2, "Medium", object::text(empty, "/medium"));
        let limit = object::text(empty, "/sizeLimit");
        let set = Quantity::parse(limit).is_some_and(|limit| !limit.is_zero());
        page.field(2, "SizeLimit", if set { limit } else { "<unset>" });
    } else if let Some(secret) = part("/secret") {
        page.field(2, "Type", "Secret (a volume populated by a Secret)");
        page.field(2, "SecretName", object::text(secret, "/secretName"));
        page.field(2, "Optional", object::flag(secret, "/optional"));
    } else if let Some(map) = part("/configMap") {
        page.field(2, "Type", "ConfigMap (a volume populated by a ConfigMap)");
        page.field(2, "Name", object::text(map, "/name"));
        page.field(2, "Optional", object::flag(map, "/optional"));
    } else if let Some(projected) = part("/projected") {
        let kind = "Projected (a volume that contains injected data from multiple sources)";
        page.field(2, "Type", kind);
        for source in object::list(projected, "/sources") {
            projection(page, source);
        }
    } else if let Some(claim) = part("/persistentVolumeClaim") {
        let kind =
            "PersistentVolumeClaim (a reference to a PersistentVolumeClaim in the same namespace)";
        page.field(2, "Type", kind);
        page.field(2, "ClaimName", object::text(claim, "/claimName"));
        page.field(2, "ReadOnly", object::flag(claim, "/readOnly"));
    } else if let Some(downward) = part("/downwardAPI") {
        let kind = "DownwardAPI (a volume populated by information about the pod)";
        page.field(2, "Type", kind);
        page.line(2, "Items:");
        for item in object::list(downward, "/items") {
            let from = match object::text(item, "/fieldRef/fieldPath") {
                "" => object::text(item, "/resourceFieldRef/resource"),
                path => path,
            };
            page.line(3, format!("{from} -> {}", object::text(item, "/path")));
        }
    } else if let Some(image) = part("/image") {
        page.field(2, "Type", "Image (a container image or OCI artifact)");
        page.field(2, "Reference", object::text(image, "/reference"));
        page.field(2, "PullPolicy", object::text(image, "/pullPolicy"));
    } else {
        other_source(page, volume);
    }
}

/// Sources that both pods and PersistentVolumes have; whether it was one.
pub(super) fn shared_source(page: &mut Page, volume: &Value) -> bool {
    let part = |key: &str| object::field(volume, key);
    if let Some(path) = part("/hostPath") {
        page.field(2, "Type", "HostPath (bare host directory volume)");
        page.field(2, "Path", object::text(path, "/path"));
        let kind =
            object::field(path, "/type").map_or("<none>", |t| t.as_str().unwrap_or_default());
        page.field(2, "HostPathType", kind);
    } else if let Some(share) = part("/nfs") {
        let kind = "NFS (an NFS mount that lasts the lifetime of a pod)";
        page.field(2, "Type", kind);
        page.field(2, "Server", object::text(share, "/server"));
        page.field(2, "Path", object::text(share, "/path"));
        page.field(2, "ReadOnly", object::flag(share, "/readOnly"));
    } else if let Some(csi) = part("/csi") {
        let kind = "CSI (a Container Storage Interface (CSI) volume source)";
        page.field(2, "Type", kind);
        page.field(2, "Driver", object::text(csi, "/driver"));
        page.field(2, "FSType", object::text(csi, "/fsType"));
        page.field_if(2, "VolumeHandle", object::text(csi, "/volumeHandle"));
        page.field(2, "ReadOnly", object::flag(csi, "/readOnly"));
        attributes(page, csi);
    } else {
        return false;
    }
    true
}

fn attributes(page: &mut Page, csi: &Value) {
    const LONGEST: usize = 140;
    let attributes = object::map(csi, "/volumeAttributes");
    page.part(2, "VolumeAttributes:\t");
    if attributes.is_empty() {
        page.line(0, "<none>");
    }
    for (position, (key, value)) in attributes.into_iter().enumerate() {
        if position > 0 {
            page.part(2, "");
            page.part(2, "\t");
        }
        let line = format!("{key}={value}");
        page.line(
            2,
            match line.get(..LONGEST) {
                Some(cut) if line.len() > LONGEST => format!("{cut}..."),
                _ => line,
            },
        );
    }
}

/// Sources of other days and providers: kubectl has a layout for each, which is not known here.
pub(super) fn other_source(page: &mut Page, volume: &Value) {
    const OTHERS: [&str; 20] = [
        "awsElasticBlockStore",
        "azureDisk",
        "azureFile",
        "cephfs",
        "cinder",
        "ephemeral",
        "fc",
        "flexVolume",
        "flocker",
        "gcePersistentDisk",
        "gitRepo",
        "glusterfs",
        "iscsi",
        "photonPersistentDisk",
        "portworxVolume",
        "quobyte",
        "rbd",
        "scaleIO",
        "storageos",
        "vsphereVolume",
    ];
    match OTHERS.iter().find(|key| volume.get(key).is_some()) {
        Some(key) => page.lacks(format!("a volume of type {key}")),
        None => page.line(1, "<unknown>"),
    }
}

fn projection(page: &mut Page, source: &Value) {
    if let Some(secret) = object::field(source, "/secret") {
        page.field(2, "SecretName", object::text(secret, "/name"));
        page.field(2, "Optional", object::flag(secret, "/optional"));
    } else if object::field(source, "/downwardAPI").is_some() {
        page.field(2, "DownwardAPI", "true");
    } else if let Some(map) = object::field(source, "/configMap") {
        page.field(2, "ConfigMapName", object::text(map, "/name"));
        page.field(2, "Optional", object::flag(map, "/optional"));
    } else if let Some(token) = object::field(source, "/serviceAccountToken") {
        page.field(
            2,
            "TokenExpirationSeconds",
            object::number(token, "/expirationSeconds"),
        );
    }
}
