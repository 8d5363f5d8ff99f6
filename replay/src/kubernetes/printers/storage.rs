//! Volumes, claims and their classes.

use serde_json::{Value, json};

use super::super::object;
use super::super::quantity::Quantity;
use super::{
    AGE, NAME, Printer, age, flag, is_deleted, name, number, or, text, text_or, typed, wide,
};

pub(super) static CLAIMS: Printer = Printer {
    columns: &[
        NAME,
        text("Status"),
        text("Volume"),
        text("Capacity"),
        text("Access Modes"),
        text("StorageClass"),
        text("VolumeAttributesClass"),
        AGE,
        wide("VolumeMode"),
    ],
    print: |claim, now| {
        let volume = object::text(claim, "/spec/volumeName");
        // What is asked for counts only once there is a volume.
        let (capacity, modes) = if volume.is_empty() {
            (String::new(), String::new())
        } else {
            (
                quantity(claim, "/status/capacity/storage"),
                access_modes(claim, "/status/accessModes"),
            )
        };
        vec![
            json!(name(claim)),
            json!(phase(claim)),
            json!(volume),
            json!(capacity),
            json!(modes),
            json!(class(claim)),
            json!(text_or(claim, "/spec/volumeAttributesClassName", "<unset>")),
            json!(age(claim, now)),
            json!(text_or(claim, "/spec/volumeMode", "<unset>")),
        ]
    },
};

pub(super) static VOLUMES: Printer = Printer {
    columns: &[
        NAME,
        text("Capacity"),
        text("Access Modes"),
        text("Reclaim Policy"),
        text("Status"),
        text("Claim"),
        text("StorageClass"),
        text("VolumeAttributesClass"),
        text("Reason"),
        AGE,
        wide("VolumeMode"),
    ],
    print: |volume, now| {
        let claim = object::field(volume, "/spec/claimRef").map_or_else(String::new, |claim| {
            format!(
                "{}/{}",
                object::text(claim, "/namespace"),
                object::text(claim, "/name")
            )
        });
        vec![
            json!(name(volume)),
            json!(quantity(volume, "/spec/capacity/storage")),
            json!(access_modes(volume, "/spec/accessModes")),
            json!(object::text(volume, "/spec/persistentVolumeReclaimPolicy")),
            json!(phase(volume)),
            json!(claim),
            json!(class(volume)),
            json!(text_or(
                volume,
                "/spec/volumeAttributesClassName",
                "<unset>"
            )),
            json!(object::text(volume, "/status/reason")),
            json!(age(volume, now)),
            json!(text_or(volume, "/spec/volumeMode", "<unset>")),
        ]
    },
};

pub(super) static CLASSES: Printer = Printer {
    columns: &[
        NAME,
        text("Provisioner"),
        text("ReclaimPolicy"),
        text("VolumeBindingMode"),
        typed("AllowVolumeExpansion", "string"),
        AGE,
    ],
    print: |class, now| {
        vec![
            json!(marked_name(class, "storageclass")),
            json!(object::text(class, "/provisioner")),
            json!(text_or(class, "/reclaimPolicy", "Delete")),
            json!(text_or(class, "/volumeBindingMode", "Immediate")),
            json!(object::flag(class, "/allowVolumeExpansion")),
            json!(age(class, now)),
        ]
    },
};

pub(super) static ATTRIBUTES_CLASSES: Printer = Printer {
    columns: &[NAME, text("DriverName"), AGE],
    print: |class, now| {
        vec![
            json!(marked_name(class, "volumeattributesclass")),
            json!(object::text(class, "/driverName")),
            json!(age(class, now)),
        ]
    },
};

pub(super) static CSI_DRIVERS: Printer = Printer {
    columns: &[
        NAME,
        flag("AttachRequired"),
        flag("PodInfoOnMount"),
        flag("StorageCapacity"),
        text("TokenRequests"),
        flag("RequiresRepublish"),
        text("Modes"),
        AGE,
    ],
    print: |driver, now| {
        let attach = object::field(driver, "/spec/attachRequired")
            .and_then(Value::as_bool)
            .unwrap_or(true);
        let join = |all: Vec<String>| or(all.join(","), "<unset>");
        let audiences = object::list(driver, "/spec/tokenRequests")
            .iter()
            .map(|request| object::text(request, "/audience").to_owned());
        let modes = object::list(driver, "/spec/volumeLifecycleModes")
            .iter()
            .map(object::plain);
        vec![
            json!(name(driver)),
            json!(attach),
            json!(object::flag(driver, "/spec/podInfoOnMount")),
            json!(object::flag(driver, "/spec/storageCapacity")),
            json!(join(audiences.collect())),
            json!(object::flag(driver, "/spec/requiresRepublish")),
            json!(join(modes.collect())),
            json!(age(driver, now)),
        ]
    },
};

pub(super) static CSI_NODES: Printer = Printer {
    columns: &[NAME, number("Drivers"), AGE],
    print: |node, now| {
        let drivers = object::list(node, "/spec/drivers").len();
        vec![json!(name(node)), json!(drivers), json!(age(node, now))]
    },
};

pub(super) static ATTACHMENTS: Printer = Printer {
    columns: &[
        NAME,
        super::Column {
            format: "name",
            ..text("Attacher")
        },
        text("PV"),
        text("Node"),
        flag("Attached"),
        AGE,
    ],
    print: |attachment, now| {
        vec![
            json!(name(attachment)),
            json!(object::text(attachment, "/spec/attacher")),
            json!(object::text(
                attachment,
                "/spec/source/persistentVolumeName"
            )),
            json!(object::text(attachment, "/spec/nodeName")),
            json!(object::flag(attachment, "/status/attached")),
            json!(age(attachment, now)),
        ]
    },
};

fn phase(value: &Value) -> &str {
    if is_deleted(value) {
        "Terminating"
    } else {
        object::text(value, "/status/phase")
    }
}

fn quantity(value: &Value, pointer: &str) -> String {
    Quantity::parse(object::text(value, pointer))
        .unwrap_or_default()
        .to_string()
}

/// The short forms, in their fixed order.
fn access_modes(value: &Value, pointer: &str) -> String {
    let has = |wanted: &str| {
        object::list(value, pointer)
            .iter()
            .any(|mode| mode.as_str() == Some(wanted))
    };
    let modes: Vec<&str> = [
        ("ReadWriteOnce", "RWO"),
        ("ReadOnlyMany", "ROX"),
        ("ReadWriteMany", "RWX"),
        ("ReadWriteOncePod", "RWOP"),
    ]
    .into_iter()
    .filter(|(long, _)| has(long))
    .map(|(_, short)| short)
    .collect();
    modes.join(",")
}

/// The storage class: the old annotation wins over the field.
fn class(value: &Value) -> &str {
    object::map(value, "/metadata/annotations")
        .get("volume.beta.kubernetes.io/storage-class")
        .copied()
        .unwrap_or_else(|| object::text(value, "/spec/storageClassName"))
}

/// The name, marked if the class is the default of its sort.
fn marked_name(class: &Value, sort: &str) -> String {
    let annotations = object::map(class, "/metadata/annotations");
    let is_default = ["", "beta."].iter().any(|stage| {
        let key = format!("{sort}.{stage}kubernetes.io/is-default-class");
        annotations.get(key.as_str()).copied() == Some("true")
    });
    let name = name(class);
    if is_default {
        format!("{name} (default)")
    } else {
        name.to_owned()
    }
}
