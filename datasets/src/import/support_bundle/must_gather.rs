//! How a must-gather lies in its folder.
//!
//! Layout, from <https://github.com/openshift/oc> (`pkg/cli/admin/inspect`) and <https://github.com/openshift/must-gather>
//! (`collection-scripts/gather`): a folder per image that collected, in it `namespaces/NAMESPACE/GROUP/RESOURCE.yaml` (lists; `core` is the group
//! without a name) or `…/RESOURCE/NAME.yaml`, `namespaces/NAMESPACE/NAMESPACE.yaml`, `namespaces/NAMESPACE/pods/POD/POD.yaml` and
//! `…/POD/CONTAINER/CONTAINER/logs/{current,previous}.log` with the kubelet's times, `cluster-scoped-resources/GROUP/RESOURCE/NAME.yaml`, and
//! `timestamp` with the moments of begin and end as Go prints them.

use camino::{Utf8Path, Utf8PathBuf};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::files_of::{self, Content};
use super::kinds::Kind;
use super::logs::LogFile;
use super::objects::Listed;
use crate::files;
use crate::import::ImportError;
use crate::import::engine::time::{moment, on_clock};

const NAMESPACES: &str = "namespaces";
const CLUSTER: &str = "cluster-scoped-resources";
/// Folders around the one of an image, at most.
const AROUND: usize = 2;
/// Cluster-scoped resources that are collected as a whole; of others perhaps only what an operator names.
const WHOLE: [&str; 10] = [
    "certificatesigningrequests",
    "clusteroperators",
    "clusterversions",
    "csidrivers",
    "csinodes",
    "networks",
    "nodes",
    "persistentvolumes",
    "storageclasses",
    "volumeattachments",
];

/// The folder of the image that collected: the one given, or the only such folder in it.
pub(super) fn root(dir: &Utf8Path) -> Result<Utf8PathBuf, ImportError> {
    let is_root = |path: &Utf8Path| path.join(NAMESPACES).is_dir() || path.join(CLUSTER).is_dir();
    let mut level = vec![dir.to_owned()];
    for _ in 0..=AROUND {
        let roots: Vec<_> = level.iter().filter(|path| is_root(path)).collect();
        if let [only] = roots.as_slice() {
            return Ok((*only).clone());
        }
        if !roots.is_empty() {
            break;
        }
        let mut below = Vec::new();
        for folder in &level {
            let names = files::list(folder)?.into_iter();
            below.extend(
                names
                    .map(|name| folder.join(name))
                    .filter(|path| path.is_dir()),
            );
        }
        level = below;
    }
    Err(ImportError::NotASource {
        dir: dir.to_owned(),
        what: "must-gather",
        missing: "one folder with namespaces or cluster-scoped-resources",
        hint: "unpack the archive and name the folder of one image in it, the one with namespaces in it",
    })
}

/// What the file of this path holds; the paths of all files tell what is there twice.
pub(super) fn content(path: &Utf8Path, all: &[Utf8PathBuf]) -> Content {
    let parts: Vec<&str> = path.as_str().split('/').collect();
    let unknown = Content::LeftOut("no file that this importer knows");
    let objects = |group: &str, resource: &str, namespace: Option<&str>| {
        let kind = Kind {
            group: Some(group)
                .filter(|group| *group != "core")
                .unwrap_or_default()
                .to_owned(),
            version: String::new(),
            resource: resource.to_owned(),
            kind: String::new(),
        };
        Content::Objects(kind, namespace.map(str::to_owned))
    };
    let is_there = |path: &str| all.binary_search(&Utf8PathBuf::from(path)).is_ok();
    match parts.as_slice() {
        ["timestamp"] => Content::Moment,
        ["version"] => Content::LeftOut("the version of the collector"),
        ["event-filter.html"] => Content::LeftOut("the events are among the objects"),
        [NAMESPACES, namespace, file] if is_yaml_of(file, namespace) => {
            objects("core", "namespaces", None)
        }
        [NAMESPACES, namespace, "pods", pod, file] if is_yaml_of(file, pod) => {
            let list = format!("{NAMESPACES}/{namespace}/core/pods.yaml");
            match is_there(&list) {
                true => Content::LeftOut("core/pods.yaml has it as well"),
                false => objects("core", "pods", Some(*namespace)),
            }
        }
        [
            NAMESPACES,
            namespace,
            "pods",
            pod,
            container,
            _,
            "logs",
            file,
        ] => {
            let of = [*namespace, *pod, *container];
            match *file {
                "current.log" | "current.insecure.log" => {
                    Content::Log(LogFile::new(path, of, Some(false)))
                }
                "previous.log" | "previous.insecure.log" => {
                    Content::Log(LogFile::new(path, of, Some(true)))
                }
                _ => unknown,
            }
        }
        [NAMESPACES, _, "pods", ..] => Content::LeftOut("not an object, nor a container's log"),
        [NAMESPACES, namespace, group, file] => match file.strip_suffix(".yaml") {
            Some(resource) => objects(group, resource, Some(*namespace)),
            None => unknown,
        },
        [NAMESPACES, namespace, group, resource, file] if file.ends_with(".yaml") => {
            let list = format!("{NAMESPACES}/{namespace}/{group}/{resource}.yaml");
            match is_there(&list) {
                true => Content::LeftOut("the list beside its folder has it as well"),
                false => objects(group, resource, Some(*namespace)),
            }
        }
        [CLUSTER, group, file] => match file.strip_suffix(".yaml") {
            Some(resource) => objects(group, resource, None),
            None => unknown,
        },
        [CLUSTER, group, resource, file] if file.ends_with(".yaml") => {
            objects(group, resource, None)
        }
        _ => unknown,
    }
}

fn is_yaml_of(file: &str, name: &str) -> bool {
    file.strip_suffix(".yaml") == Some(name)
}

/// The objects of a file: a list, whose items may lack what the list tells of them, or one object.
pub(super) fn listed(
    path: &Utf8Path,
    kind: Kind,
    namespace: Option<String>,
    mut document: Value,
) -> Listed {
    let text = |value: &Value, field: &str| {
        let text = value.get(field).and_then(Value::as_str);
        text.unwrap_or_default().to_owned()
    };
    let (version, name) = (text(&document, "apiVersion"), text(&document, "kind"));
    let is_one = document.get("items").is_none() && document.get("metadata").is_some();
    if is_one {
        document = json!({"apiVersion": version, "kind": name, "items": [document]});
    } else if let (Some(items), Some(of)) = (
        document.get_mut("items").and_then(Value::as_array_mut),
        name.strip_suffix("List"),
    ) {
        for item in items.iter_mut().filter_map(Value::as_object_mut) {
            let mut tell = |field: &str, value: &str| {
                if !item.contains_key(field) && !value.is_empty() {
                    item.insert(field.to_owned(), json!(value));
                }
            };
            tell("apiVersion", &version);
            tell("kind", of);
        }
    }
    let is_whole = !is_one || (namespace.is_none() && WHOLE.contains(&kind.resource.as_str()));
    let mut listed = Listed::new(path, kind, namespace, document);
    if !is_whole {
        listed.partial = Some("a file per object: whether these are all is not told");
    }
    listed
}

/// The end of the whole collection, as the folder around those of the images tells it.
pub(super) fn collected_around(root: &Utf8Path) -> Option<Timestamp> {
    let text = files_of::read(&root.parent()?.join("timestamp")).ok()?;
    collected(&text)
}

/// The end of the collection: the last moment in `timestamp`.
pub(super) fn collected(text: &[u8]) -> Option<Timestamp> {
    let text = String::from_utf8_lossy(text);
    let moments = text.lines().filter_map(|line| {
        let (clock, _) = line.split_once(" +0000 UTC")?;
        on_clock(clock, 0)
    });
    moments.max().map(moment)
}
