//! The manifests of the applications that ship with this program.

use aiopslab_problems::family::{Application, Source};
use serde_json::Value;

use crate::error::CaptureError;
use crate::resource::text;

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
    known(application)?;
    let mut objects = Vec::new();
    for (file, content) in TESTBED_FILES {
        objects.extend(parse(file, content)?);
    }
    // A stable sort: whatever else the files say, namespaces come first.
    objects.sort_by_key(|object| text(object, "/kind") != "Namespace");
    Ok(objects)
}

/// The Job of the application's workload generator.
pub(crate) fn workload(application: &Application) -> Result<Value, CaptureError> {
    known(application)?;
    let objects = parse("workload.yaml", TESTBED_WORKLOAD)?;
    let job = objects
        .into_iter()
        .find(|object| text(object, "/kind") == "Job");
    job.ok_or_else(|| CaptureError::UnknownManifests {
        application: application.name.clone(),
    })
}

/// The images that an application's pods need, in order, each once.
pub(crate) fn images(application: &Application) -> Result<Vec<String>, CaptureError> {
    let mut objects = objects(application)?;
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

fn known(application: &Application) -> Result<(), CaptureError> {
    match &application.source {
        Some(Source::BuiltIn(source)) if source.built_in == TESTBED => Ok(()),
        _ => Err(CaptureError::UnknownManifests {
            application: application.name.clone(),
        }),
    }
}

fn parse(file: &str, content: &str) -> Result<Vec<Value>, CaptureError> {
    let what = format!("{TESTBED}/{file}");
    let documents: Vec<Value> =
        serde_saphyr::from_multiple(content).map_err(CaptureError::json(&what))?;
    Ok(documents.into_iter().filter(Value::is_object).collect())
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
