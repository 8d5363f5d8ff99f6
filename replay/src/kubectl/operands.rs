//! `TYPE[,TYPE] [NAME…]` and `TYPE/NAME`: which objects a command line names.

use super::arguments::Arguments;
use super::cluster::Cluster;
use super::failure::Failure;
use super::object;
use super::selector::{FieldSelector, LabelSelector};
use crate::golang::quote::quote;
use crate::view::{RecordedObject, ResourceType};

/// Objects of one type that are asked for.
#[derive(Debug, Clone)]
pub(super) struct Target {
    /// Their type.
    pub(super) resource: ResourceType,
    /// One name, or none for all.
    pub(super) name: Option<String>,
}

/// The objects of a type that `-l` and `--field-selector` mean.
pub(super) async fn list(
    cluster: &Cluster<'_>,
    arguments: &Arguments,
    t: &ResourceType,
    namespace: Option<&str>,
) -> Result<Vec<RecordedObject>, Failure> {
    let selected = Selected::parse(arguments, t)?;
    let mut objects = cluster.list(t, namespace).await?;
    objects.retain(|object| selected.matches(object));
    Ok(objects)
}

/// What `-l` and `--field-selector` mean.
pub(super) struct Selected {
    labels: LabelSelector,
    fields: FieldSelector,
}

impl Selected {
    /// Reads the flags. What the server says of a selector that it does not understand is told with
    /// what was asked.
    pub(super) fn parse(arguments: &Arguments, t: &ResourceType) -> Result<Self, Failure> {
        let label = arguments.value("selector").unwrap_or_default();
        let field = arguments.value("field-selector").unwrap_or_default();
        let refused = |cause: String| {
            let asked = format!("{}/{}, Resource={}", t.group, t.version, t.resource);
            Failure::invalid(format!(
                "Error from server (BadRequest): Unable to find {} that match label selector {}, field \
             selector {}: {cause}",
                quote(&asked),
                quote(label),
                quote(field)
            ))
        };
        let labels = LabelSelector::parse(label).map_err(|error| refused(error.to_string()))?;
        let fields = FieldSelector::parse(field).map_err(|error| refused(error.to_string()))?;
        if let Some(key) = fields.unsupported(&t.group, &t.resource) {
            return Err(refused(format!("field label not supported: {key}")));
        }
        Ok(Self { labels, fields })
    }

    /// Whether an object is meant.
    pub(super) fn matches(&self, object: &RecordedObject) -> bool {
        self.fields.matches(object)
            && self
                .labels
                .matches(&object::map(&object.object, "/metadata/labels"))
    }
}

/// What the flags say about which objects are meant.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Selecting {
    /// `-l` or `--field-selector`.
    selector: bool,
    /// `-A`.
    all_namespaces: bool,
}

impl Selecting {
    /// Reads the flags.
    pub(super) fn parse(arguments: &Arguments) -> Self {
        let given = |flag: &str| {
            arguments
                .value(flag)
                .is_some_and(|value| !value.trim().is_empty())
        };
        Self {
            selector: given("selector") || given("field-selector"),
            all_namespaces: arguments.is_set("all-namespaces"),
        }
    }
}

fn error<T>(text: &str) -> Result<T, Failure> {
    Err(Failure::invalid(format!("error: {text}")))
}

/// The targets in the order of the command line.
pub(super) fn targets(
    cluster: &Cluster<'_>,
    operands: &[String],
    selecting: Selecting,
) -> Result<Vec<Target>, Failure> {
    let targets = if operands.iter().any(|operand| operand.contains('/')) {
        pairs(cluster, operands, selecting)?
    } else {
        let Some((types, names)) = operands.split_first() else {
            return if selecting.selector {
                error("at least one resource must be specified to use a selector")
            } else {
                Ok(Vec::new())
            };
        };
        if selecting.selector && !names.is_empty() {
            return error(if types.contains(',') {
                "selectors and the all flag cannot be used when passing resource/name arguments"
            } else {
                "name cannot be provided when a selector is specified"
            });
        }
        lists(cluster, types, names)?
    };
    let across = selecting.all_namespaces
        && targets
            .iter()
            .any(|target| target.name.is_some() && target.resource.namespaced);
    if across {
        return error("a resource cannot be retrieved by name across all namespaces");
    }
    Ok(targets)
}

/// `TYPE/NAME…`
fn pairs(
    cluster: &Cluster<'_>,
    operands: &[String],
    selecting: Selecting,
) -> Result<Vec<Target>, Failure> {
    let mut pairs = Vec::new();
    for operand in operands {
        let Some((resource, name)) = operand.split_once('/') else {
            // kubectl names `get` here whatever was typed, and never closes the bracket.
            return error(
                "there is no need to specify a resource type as a separate argument when passing \
                 arguments in resource/name form (e.g. 'kubectl get resource/<resource_name>' \
                 instead of 'kubectl get resource resource/<resource_name>'",
            );
        };
        if name.contains('/') {
            return error("arguments in resource/name form may not have more than one slash");
        }
        if resource.is_empty() || name.is_empty() || resource.contains(',') {
            return error("arguments in resource/name form must have a single resource and name");
        }
        pairs.push((resource, name));
    }
    if selecting.selector {
        return error(
            "selectors and the all flag cannot be used when passing resource/name arguments",
        );
    }
    pairs
        .into_iter()
        .map(|(resource, name)| {
            Ok(Target {
                resource: cluster.resources.find(resource)?.clone(),
                name: Some(name.to_owned()),
            })
        })
        .collect()
}

/// `TYPE[,TYPE] [NAME…]`
fn lists(cluster: &Cluster<'_>, types: &str, names: &[String]) -> Result<Vec<Target>, Failure> {
    let mut found: Vec<ResourceType> = Vec::new();
    for name in types.split(',') {
        let category = cluster.resources.in_category(name);
        let types = if category.is_empty() {
            vec![cluster.resources.find(name)?]
        } else {
            category
        };
        for t in types {
            if !found.contains(t) {
                found.push(t.clone());
            }
        }
    }
    let target = |resource: &ResourceType, name: Option<&String>| Target {
        resource: resource.clone(),
        name: name.cloned(),
    };
    Ok(found
        .iter()
        .flat_map(|resource| -> Vec<Target> {
            if names.is_empty() {
                vec![target(resource, None)]
            } else {
                names
                    .iter()
                    .map(|name| target(resource, Some(name)))
                    .collect()
            }
        })
        .collect())
}
