//! The manifests of an application: those of the testbed are part of this program, others were
//! fetched ([`crate::sources`]).

use std::fs;

use aiopslab_problems::family::{Application, Source};
use serde_json::{Value, json};

use crate::error::CaptureError;
use crate::resource::text;
use crate::sources::{self, SourceError};

/// Where the testbed's manifests are below the project's root.
const TESTBED: &str = "testbed/manifests";

/// The testbed's manifests in the order of their names.
const TESTBED_FILES: &[(&str, &str)] = &[
    (
        "00-namespace.yaml",
        include_str!("../../testbed/manifests/00-namespace.yaml"),
    ),
    (
        "10-seed.yaml",
        include_str!("../../testbed/manifests/10-seed.yaml"),
    ),
    (
        "20-stores.yaml",
        include_str!("../../testbed/manifests/20-stores.yaml"),
    ),
    (
        "30-services.yaml",
        include_str!("../../testbed/manifests/30-services.yaml"),
    ),
    (
        "40-jobs.yaml",
        include_str!("../../testbed/manifests/40-jobs.yaml"),
    ),
];

/// The generator's Job, whose arguments a capture replaces.
const TESTBED_WORKLOAD: &str = include_str!("../../testbed/manifests/workload.yaml");

/// The objects of an application, in the order in which they are applied.
pub(crate) fn objects(application: &Application) -> Result<Vec<Value>, CaptureError> {
    objects_with(application, None)
}

/// The objects of an application, or what its chart comes to with other values.
pub(crate) fn objects_with(
    application: &Application,
    values: Option<&Value>,
) -> Result<Vec<Value>, CaptureError> {
    let mut objects = application.objects.clone();
    if is_ours(application)? {
        for (file, content) in TESTBED_FILES {
            objects.extend(parse(&format!("{TESTBED}/{file}"), content)?);
        }
    } else {
        objects.extend(fetched(application, values)?);
        if !objects
            .iter()
            .any(|object| is_namespace(object, application))
        {
            objects.push(json!({"apiVersion": "v1", "kind": "Namespace",
                "metadata": {"name": application.namespace}}));
        }
    }
    // A stable sort: whatever else the files say, namespaces and definitions come first.
    objects.sort_by_key(|object| match text(object, "/kind") {
        "Namespace" => 0,
        "CustomResourceDefinition" => 1,
        _ => 2,
    });
    Ok(objects)
}

fn is_namespace(object: &Value, application: &Application) -> bool {
    text(object, "/kind") == "Namespace" && text(object, "/metadata/name") == application.namespace
}

/// What was fetched of an application, in the order of the files' names.
fn fetched(application: &Application, values: Option<&Value>) -> Result<Vec<Value>, CaptureError> {
    let folder = sources::folder(application, values)?;
    if !folder.is_dir() {
        return Err(CaptureError::Source(SourceError::Gone {
            application: application.name.clone(),
            folder,
        }));
    }
    let unread = |error: std::io::Error| CaptureError::Parse {
        what: format!("the manifests of {} in {folder}", application.name),
        source: error.into(),
    };
    let mut files = Vec::new();
    for entry in folder.read_dir_utf8().map_err(unread)? {
        files.push(entry.map_err(unread)?.into_path());
    }
    files.sort();
    let mut objects = Vec::new();
    for file in files {
        let content = fs::read_to_string(&file).map_err(unread)?;
        objects.extend(parse(file.as_str(), &content)?);
    }
    Ok(objects)
}

/// The Job of the workload generator, which is the testbed's for every application.
pub(crate) fn workload(application: &Application) -> Result<Value, CaptureError> {
    let objects = parse("workload.yaml", TESTBED_WORKLOAD)?;
    let job = objects
        .into_iter()
        .find(|object| text(object, "/kind") == "Job");
    job.ok_or_else(|| CaptureError::UnknownManifests {
        application: application.name.clone(),
    })
}

/// The images of ours that an application needs, in order, each once: others are pulled.
pub(crate) fn images(application: &Application) -> Result<Vec<String>, CaptureError> {
    let mut objects = match is_ours(application)? {
        true => objects(application)?,
        false => Vec::new(),
    };
    objects.push(workload(application)?);
    let mut images = Vec::new();
    for object in &objects {
        for list in ["initContainers", "containers"] {
            let containers = object.pointer(&format!("/spec/template/spec/{list}"));
            for container in containers.and_then(Value::as_array).into_iter().flatten() {
                images.push(text(container, "/image").to_owned());
            }
        }
    }
    images.sort();
    images.dedup();
    Ok(images)
}

/// Whether its manifests are part of this program.
fn is_ours(application: &Application) -> Result<bool, CaptureError> {
    match &application.source {
        Some(Source::BuiltIn(source)) if source.built_in == TESTBED => Ok(true),
        Some(Source::Git(_) | Source::Helm(_)) => Ok(false),
        _ => Err(CaptureError::UnknownManifests {
            application: application.name.clone(),
        }),
    }
}

fn parse(what: &str, content: &str) -> Result<Vec<Value>, CaptureError> {
    let documents: Vec<Value> =
        serde_saphyr::from_multiple(content).map_err(CaptureError::json(what))?;
    let mut objects = Vec::new();
    for document in documents.into_iter().filter(Value::is_object) {
        match document.get("items").and_then(Value::as_array) {
            Some(items) if text(&document, "/kind") == "List" => objects.extend(items.clone()),
            _ => objects.push(document),
        }
    }
    Ok(objects)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn testbed() -> Application {
        let catalog = aiopslab_problems::catalog::Catalog::embedded().unwrap();
        catalog.application("hotel-testbed").unwrap().clone()
    }

    #[test]
    fn every_manifest_is_embedded() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../testbed/manifests");
        let mut files: Vec<String> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter(|name| name.ends_with(".yaml") && name != "workload.yaml")
            .collect();
        files.sort();
        let embedded: Vec<&str> = TESTBED_FILES.iter().map(|(name, _)| *name).collect();
        assert_eq!(files, embedded);
    }

    #[test]
    fn what_is_no_longer_kept_is_told_with_the_way_to_it() {
        let catalog = aiopslab_problems::catalog::Catalog::embedded().unwrap();
        let mut application = catalog.application("social-network").unwrap().clone();
        application.namespace = "nobody-has-deployed-this".to_owned();
        let error = objects(&application).unwrap_err().to_string();
        assert!(error.contains("are not in"), "{error}");
        assert!(
            error.contains("aiopslab check --application social-network"),
            "{error}"
        );
    }

    #[test]
    fn the_testbed_is_whole() {
        let application = testbed();
        let objects = objects(&application).unwrap();
        assert_eq!(text(&objects[0], "/kind"), "Namespace");
        for name in ["frontend", "geo", "postgres-geo"] {
            let is_there = |kind: &str| {
                objects.iter().any(|object| {
                    text(object, "/kind") == kind && text(object, "/metadata/name") == name
                })
            };
            assert!(is_there("Deployment") && is_there("Service"), "{name}");
        }
        assert_eq!(
            text(&workload(&application).unwrap(), "/metadata/name"),
            "workload"
        );
        assert!(
            images(&application)
                .unwrap()
                .iter()
                .all(|image| image.contains("aiopslab/"))
        );
    }
}
