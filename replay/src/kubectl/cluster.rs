//! Objects of the recording, with the difference between "is not there" and "was not recorded".

use super::failure::Failure;
use super::object;
use super::resources::{self, Resources};
use crate::shell::Patience;
use crate::view::{ObjectQuery, RecordedObject, ResourceType, View};

/// The recorded cluster at the moment.
pub(super) struct Cluster<'a> {
    /// What is asked.
    pub(super) view: &'a dyn View,
    /// The moment in nanoseconds.
    pub(super) now: i64,
    /// How long a command may wait, where time passes.
    pub(super) patience: Patience,
    /// The types of objects.
    pub(super) resources: Resources,
}

impl<'a> Cluster<'a> {
    /// Reads what every command needs.
    pub(super) async fn open(view: &'a dyn View, patience: Patience) -> Result<Self, Failure> {
        let resources = Resources::new(view.resources().await?);
        Ok(Self {
            view,
            now: view.now(),
            patience,
            resources,
        })
    }

    /// All objects of a type in one namespace, or (none) everywhere.
    pub(super) async fn list(
        &self,
        t: &ResourceType,
        namespace: Option<&str>,
    ) -> Result<Vec<RecordedObject>, Failure> {
        let namespace = namespace.filter(|_| t.namespaced);
        if !self
            .view
            .covers_objects(&t.group, &t.resource, namespace)
            .await?
        {
            let place = namespace.map_or(String::new(), |n| format!(" in namespace {n}"));
            return Err(Failure::not_captured(format!(
                "{}{place} are not available in this recording",
                resources::qualified(t)
            )));
        }
        Ok(self
            .view
            .objects(&ObjectQuery::all(&t.group, &t.resource, namespace))
            .await?)
    }

    /// All objects of a well-known type; none if they were not recorded.
    pub(super) async fn list_known(
        &self,
        group: &str,
        resource: &str,
        namespace: Option<&str>,
    ) -> Result<Option<Vec<RecordedObject>>, Failure> {
        let namespace = namespace.filter(|_| {
            self.resources
                .of_resource(group, resource)
                .is_none_or(|t| t.namespaced)
        });
        if !self.view.covers_objects(group, resource, namespace).await? {
            return Ok(None);
        }
        Ok(Some(
            self.view
                .objects(&ObjectQuery::all(group, resource, namespace))
                .await?,
        ))
    }

    /// One object. The server's error if it is not there.
    pub(super) async fn get(
        &self,
        t: &ResourceType,
        namespace: &str,
        name: &str,
    ) -> Result<RecordedObject, Failure> {
        let namespace = if t.namespaced { Some(namespace) } else { None };
        let query = ObjectQuery {
            name: Some(name.to_owned()),
            ..ObjectQuery::all(&t.group, &t.resource, namespace)
        };
        if let Some(object) = self.view.objects(&query).await?.into_iter().next() {
            return Ok(object);
        }
        if !self
            .view
            .covers_objects(&t.group, &t.resource, namespace)
            .await?
        {
            return Err(Failure::not_captured(format!(
                "{} \"{name}\" is not available in this recording",
                resources::qualified(t)
            )));
        }
        if let Some(namespace) = namespace
            && self.lacks_namespace(namespace).await?
        {
            return Err(not_found("namespaces", namespace));
        }
        Err(not_found(&resources::qualified(t), name))
    }

    /// What the server warns of when these types are read.
    pub(super) async fn warnings(
        &self,
        mut types: impl Iterator<Item = &ResourceType>,
    ) -> Result<String, Failure> {
        if !types.any(|t| t.group.is_empty() && t.resource == "endpoints") {
            return Ok(String::new());
        }
        let version = self.view.server_version().await?;
        let minor = object::text(&version, "/minor")
            .trim_end_matches('+')
            .parse::<u32>();
        Ok(if minor.is_ok_and(|minor| minor >= 33) {
            "Warning: v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice\n"
                .to_owned()
        } else {
            String::new()
        })
    }

    /// Whether a namespace is known not to exist.
    async fn lacks_namespace(&self, namespace: &str) -> Result<bool, Failure> {
        let query = ObjectQuery {
            name: Some(namespace.to_owned()),
            ..ObjectQuery::all("", "namespaces", None)
        };
        Ok(self.view.covers_objects("", "namespaces", None).await?
            && self.view.objects(&query).await?.is_empty())
    }
}

fn not_found(resource: &str, name: &str) -> Failure {
    Failure::empty(format!(
        "Error from server (NotFound): {resource} \"{name}\" not found"
    ))
}
