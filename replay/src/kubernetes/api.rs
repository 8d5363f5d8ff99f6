//! The API itself: what a request for documents or objects is answered with.

use std::ops::Deref;
use std::sync::Arc;

use serde_json::{Value, json};

use super::path::{ApiPath, ResourcePath};
use super::selector::{FieldSelector, LabelSelector};
use super::served::{Served, ServedResource, group_version};
use super::status::{Status, qualified};
use super::table::TableMaker;
use super::{access, answer, chunk, metrics, object, openapi, warnings};
use crate::view::{ObjectQuery, RecordedObject, View, ViewError};

/// The recorded cluster's API at one moment. It only reads.
pub struct KubernetesApi<'v> {
    pub(crate) view: Held<'v>,
    served: Served,
}

/// A view that is shared, as servers need it, or lent, as a command has it.
pub(crate) enum Held<'v> {
    Shared(Arc<dyn View>),
    Lent(&'v dyn View),
}

impl<'v> Deref for Held<'v> {
    type Target = dyn View + 'v;

    fn deref(&self) -> &Self::Target {
        match self {
            Self::Shared(view) => &**view,
            Self::Lent(view) => *view,
        }
    }
}

/// In which form objects are wanted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Form {
    /// As they are.
    #[default]
    Object,
    /// Only their metadata.
    Metadata,
    /// As the server's table, with so much of each object.
    Table(Include),
}

/// How much of an object its row in a table holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Include {
    /// Nothing.
    None,
    /// Its metadata.
    #[default]
    Metadata,
    /// All of it.
    Object,
}

/// Which objects of a collection are wanted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ListOptions {
    /// `labelSelector`.
    pub label_selector: String,
    /// `fieldSelector`.
    pub field_selector: String,
    /// `limit`: at most so many; 0: all.
    pub limit: usize,
    /// `continue`: only what comes after the chunk that said so.
    pub after: String,
}

/// The objects that a request means, with what is needed to show them.
pub(crate) struct Found {
    pub(crate) path: ResourcePath,
    pub(crate) kind: String,
    /// Whether the kind is built into the server, whose lists hold items without a kind.
    pub(crate) built_in: bool,
    pub(crate) objects: Vec<RecordedObject>,
    pub(crate) resource_version: String,
    /// What is left, of a list in chunks.
    pub(crate) rest: Option<chunk::Rest>,
    pub(crate) table: Option<TableMaker>,
    pub(crate) now: i64,
}

impl<'v> KubernetesApi<'v> {
    /// Opens the API of a recording at its moment.
    ///
    /// # Errors
    /// When the recorded discovery can't be read.
    pub async fn open(view: Arc<dyn View>) -> Result<KubernetesApi<'static>, ViewError> {
        KubernetesApi::over(Held::Shared(view)).await
    }

    /// The same of a view that is lent.
    pub(crate) async fn lent(view: &'v dyn View) -> Result<Self, ViewError> {
        Self::over(Held::Lent(view)).await
    }

    async fn over(view: Held<'v>) -> Result<Self, ViewError> {
        let served = Served::new(view.discovery().await?);
        Ok(Self { view, served })
    }

    /// `/version`.
    ///
    /// # Errors
    /// When it was not recorded.
    pub async fn version(&self) -> Result<Value, Status> {
        match self.view.server_version().await? {
            Value::Null => Err(Status::not_recorded("the version of the cluster")),
            version => Ok(version),
        }
    }

    /// `/api` and `/apis` in one answer for new clients: the core group's or the other groups'.
    ///
    /// # Errors
    /// When discovery was not recorded.
    pub fn aggregated_discovery(&self, core: bool) -> Result<Value, Status> {
        self.served.aggregated(core)
    }

    /// `/api` for old clients.
    ///
    /// # Errors
    /// When discovery was not recorded.
    pub fn core_versions(&self) -> Result<Value, Status> {
        self.served.core_versions()
    }

    /// `/apis` for old clients.
    ///
    /// # Errors
    /// When discovery was not recorded.
    pub fn groups(&self) -> Result<Value, Status> {
        self.served.group_list()
    }

    /// `/apis/GROUP`.
    ///
    /// # Errors
    /// When there is no such group, or discovery was not recorded.
    pub fn group(&self, name: &str) -> Result<Value, Status> {
        self.served.group(name)
    }

    /// `/api/v1` or `/apis/GROUP/VERSION`.
    ///
    /// # Errors
    /// When there is no such version, or it was not recorded.
    pub fn resources(&self, group: &str, version: &str) -> Result<Value, Status> {
        self.served.resource_list(group, version)
    }

    /// `/openapi/v3`: where the documents are. `prefix` is what comes before `/openapi` in paths.
    ///
    /// # Errors
    /// When none was recorded.
    pub async fn openapi_index(&self, prefix: &str) -> Result<Value, Status> {
        openapi::index(&*self.view, prefix).await
    }

    /// `/openapi/v3/NAME`.
    ///
    /// # Errors
    /// When it was not recorded.
    pub async fn openapi(&self, name: &str) -> Result<Value, Status> {
        openapi::document(&*self.view, name).await
    }

    /// A review that was posted: `resource` is the plural that it was posted to.
    ///
    /// # Errors
    /// When there is no such review, or what it asks was not recorded.
    pub async fn review(&self, resource: &str, body: &Value) -> Result<Value, Status> {
        access::review(&*self.view, resource, body).await
    }

    /// What the server warns of when a path is read.
    ///
    /// # Errors
    /// When the recording can't be read.
    pub async fn warning(&self, path: &str) -> Result<Option<&'static str>, Status> {
        let ApiPath::Resource(path) = ApiPath::parse(path) else {
            return Ok(None);
        };
        let version = self.view.server_version().await?;
        Ok(warnings::on_read(&path.group, &path.resource, &version))
    }

    /// Whether a path names a resource that the server served.
    ///
    /// # Errors
    /// When it does not, or it is not known.
    pub fn check_served(&self, path: &ResourcePath) -> Result<(), Status> {
        self.served(path).map(|_| ())
    }

    fn served(&self, path: &ResourcePath) -> Result<&ServedResource, Status> {
        let served = self
            .served
            .resource(&path.group, &path.version, &path.resource)?;
        let wants_namespace = served.namespaced && path.name.is_some();
        if wants_namespace && path.namespace.is_none()
            || !served.namespaced && path.namespace.is_some()
        {
            return Err(Status::no_such_path());
        }
        Ok(served)
    }

    /// One object or a list, in a form.
    ///
    /// # Errors
    /// What the server says when there is no such thing; that it was not recorded if that is so.
    pub async fn read(
        &self,
        path: &ResourcePath,
        form: Form,
        options: &ListOptions,
    ) -> Result<Value, Status> {
        let served = self.served(path)?;
        if path.group == "metrics.k8s.io" {
            return metrics::read(&*self.view, path, form, options).await;
        }
        let subresource = path.subresource.as_deref().unwrap_or_default();
        let part = subresource.split('/').next().unwrap_or_default();
        if !part.is_empty() && !served.has(part) {
            return Err(Status::no_such_path());
        }
        let mut found = self.found(path, form, options).await?;
        match (&path.name, path.subresource.as_deref()) {
            (None, _) => {
                chunk::cut(&mut found, options)?;
                answer::list(&found, form)
            }
            (Some(_), None | Some("status")) => answer::object(&found, form),
            (Some(_), Some("scale")) => answer::scale(found, form),
            (Some(name), Some(subresource)) => Err(Status::not_recorded(format!(
                "{subresource} of {} \"{name}\"",
                qualified(&path.group, &path.resource)
            ))),
        }
    }

    /// The objects of a path.
    pub(crate) async fn found(
        &self,
        path: &ResourcePath,
        form: Form,
        options: &ListOptions,
    ) -> Result<Found, Status> {
        let served = self.served(path)?;
        let view = &*self.view;
        let query = ObjectQuery {
            name: path.object_name().map(str::to_owned),
            ..ObjectQuery::all(&path.group, &path.resource, path.namespace.as_deref())
        };
        let labels = LabelSelector::parse(&options.label_selector)?;
        let fields = FieldSelector::parse(&options.field_selector)?;
        if let Some(field) = fields.unsupported(&path.group, &path.resource) {
            return Err(Status::bad_request(format!(
                "field label not supported: {field}"
            )));
        }
        let mut objects = view.objects(&query).await?;
        self.check_recorded(path, &objects).await?;
        let resource_version = newest(&objects);
        objects.retain(|object| {
            fields.matches(object)
                && labels.matches(&object::map(&object.object, "/metadata/labels"))
        });
        let table = match form {
            Form::Table(_) if path.subresource.as_deref() == Some("scale") => {
                TableMaker::open(view, answer::SCALE.0, answer::SCALE.1).await?
            }
            Form::Table(_) => TableMaker::open(view, &path.group, &path.resource).await?,
            _ => None,
        };
        Ok(Found {
            path: path.clone(),
            kind: served.kind.clone(),
            built_in: !self.is_custom(path).await?,
            objects,
            resource_version,
            rest: None,
            table,
            now: view.now(),
        })
    }

    /// Tells what is not there from what was not recorded.
    async fn check_recorded(
        &self,
        path: &ResourcePath,
        objects: &[RecordedObject],
    ) -> Result<(), Status> {
        let resource = qualified(&path.group, &path.resource);
        if let Some(other) = objects.iter().find(|found| found.version != path.version) {
            return Err(Status::not_recorded(format!(
                "{resource} in version {} (it was recorded in {})",
                path.version,
                group_version(&other.group, &other.version)
            )));
        }
        if path.name.is_some() && !objects.is_empty() {
            return Ok(());
        }
        let namespace = path.namespace.as_deref();
        let covered = self
            .view
            .covers_objects(&path.group, &path.resource, namespace)
            .await?;
        match (&path.name, covered) {
            (None, true) => Ok(()),
            (None, false) => {
                let place = namespace.map_or(String::new(), |n| format!(" in namespace {n}"));
                Err(Status::not_recorded(format!(
                    "the list of {resource}{place}"
                )))
            }
            (Some(name), true) => Err(Status::not_found(&path.group, &path.resource, name)),
            (Some(name), false) => Err(Status::not_recorded(format!("{resource} \"{name}\""))),
        }
    }

    async fn is_custom(&self, path: &ResourcePath) -> Result<bool, Status> {
        if !path.group.contains('.') {
            return Ok(false);
        }
        let definition = ObjectQuery {
            name: Some(qualified(&path.group, &path.resource)),
            ..ObjectQuery::all("apiextensions.k8s.io", "customresourcedefinitions", None)
        };
        Ok(!self.view.objects(&definition).await?.is_empty())
    }
}

/// A list's version: the newest of its objects, so that what comes after it is nothing.
fn newest(objects: &[RecordedObject]) -> String {
    let versions = objects.iter().filter_map(|found| {
        object::text(&found.object, "/metadata/resourceVersion")
            .parse::<u64>()
            .ok()
    });
    versions.max().unwrap_or(1).to_string()
}

/// The type fields of a list of a kind.
pub(crate) fn list_type(path: &ResourcePath, kind: &str) -> Value {
    json!({
        "kind": format!("{kind}List"),
        "apiVersion": group_version(&path.group, &path.version),
    })
}
