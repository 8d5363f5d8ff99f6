//! `TYPE[,TYPE] [NAME…]` and `TYPE/NAME`: which objects a command line names.

use super::cluster::Cluster;
use super::failure::Failure;
use crate::view::ResourceType;

/// Objects of one type that are asked for.
#[derive(Debug, Clone)]
pub(super) struct Target {
    /// Their type.
    pub(super) resource: ResourceType,
    /// One name, or none for all.
    pub(super) name: Option<String>,
}

/// The targets in the order of the command line.
pub(super) fn targets(
    cluster: &Cluster<'_>,
    verb: &str,
    operands: &[String],
) -> Result<Vec<Target>, Failure> {
    let types = |list: &str| -> Result<Vec<ResourceType>, Failure> {
        let mut types = Vec::new();
        for name in list.split(',').filter(|name| !name.is_empty()) {
            let category = cluster.resources.in_category(name);
            if category.is_empty() {
                types.push(cluster.resources.find(name)?.clone());
            } else {
                types.extend(category.into_iter().cloned());
            }
        }
        Ok(types)
    };
    let Some((first, names)) = operands.split_first() else {
        return Ok(Vec::new());
    };
    if operands.iter().any(|operand| operand.contains('/')) {
        let mut targets = Vec::new();
        for operand in operands {
            let Some((resource, name)) = operand.split_once('/') else {
                return Err(Failure::invalid(format!(
                    "error: there is no need to specify a resource type as a separate argument \
                     when passing arguments in resource/name form (e.g. 'kubectl {verb} \
                     resource/<resource_name>' instead of 'kubectl {verb} resource \
                     resource/<resource_name>'"
                )));
            };
            if resource.is_empty() || name.is_empty() || resource.contains(',') {
                return Err(Failure::invalid(
                    "error: arguments in resource/name form must have a single resource and name",
                ));
            }
            if name.contains('/') {
                return Err(Failure::invalid(
                    "error: arguments in resource/name form may not have more than one slash",
                ));
            }
            for resource in types(resource)? {
                targets.push(Target {
                    resource,
                    name: Some(name.to_owned()),
                });
            }
        }
        return Ok(targets);
    }
    let mut targets = Vec::new();
    for resource in types(first)? {
        if names.is_empty() {
            targets.push(Target {
                resource: resource.clone(),
                name: None,
            });
        }
        for name in names {
            targets.push(Target {
                resource: resource.clone(),
                name: Some(name.clone()),
            });
        }
    }
    Ok(targets)
}

/// Names and a selector, or a name in all namespaces, don't go together.
pub(super) fn check(
    targets: &[Target],
    all_namespaces: bool,
    selector: bool,
) -> Result<(), Failure> {
    if !targets.iter().any(|target| target.name.is_some()) {
        return Ok(());
    }
    if selector {
        return Err(Failure::invalid(
            "error: name cannot be provided when a selector is specified",
        ));
    }
    if all_namespaces
        && targets
            .iter()
            .any(|t| t.name.is_some() && t.resource.namespaced)
    {
        return Err(Failure::invalid(
            "error: a resource cannot be retrieved by name across all namespaces",
        ));
    }
    Ok(())
}
