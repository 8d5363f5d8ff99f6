//! Objects that a command is given in files or on standard input (`-f`), and that are not taken.

use serde_json::Value;

use super::cluster::Cluster;
use super::failure::Failure;
use super::{Input, object};
use crate::kubernetes::Status;
use crate::shell::CommandOutput;
use crate::view::ResourceType;

/// The files that a command line names.
pub(super) fn named(words: &[String]) -> Vec<&str> {
    let mut files = Vec::new();
    let mut rest = words.iter().map(String::as_str);
    while let Some(word) = rest.next() {
        let attached = word
            .strip_prefix("--filename=")
            .or_else(|| word.strip_prefix("-f="));
        match word {
            "--" => break,
            "-f" | "--filename" => files.extend(rest.next()),
            _ => files
                .extend(attached.or_else(|| word.strip_prefix("-f").filter(|_| word.len() > 2))),
        }
    }
    files
}

/// How a command ends after the server has refused each of the objects.
pub(super) async fn refuse(
    cluster: &Cluster<'_>,
    verb: &str,
    files: &[&str],
    input: &Input<'_>,
) -> Result<CommandOutput, Failure> {
    let mut texts = Vec::new();
    for file in files.iter().flat_map(|files| files.split(',')) {
        let (source, text) = match file {
            "-" => ("STDIN", input.read()),
            file if file.contains("://") => {
                return Err(Failure::not_captured(format!(
                    "kubectl {verb} -f {file}: the network is not available in this recording"
                )));
            }
            file => {
                let missing = || format!("error: the path \"{file}\" does not exist");
                let text = input.files.read(file);
                (file, text.ok_or_else(|| Failure::invalid(missing()))?)
            }
        };
        for object in objects(source, text)? {
            texts.push(refused(cluster, verb, source, &object).await?);
        }
    }
    match (texts.is_empty(), verb) {
        (true, "delete") => Ok(CommandOutput::answered("No resources found\n")),
        (true, _) => Err(Failure::invalid(format!(
            "error: no objects passed to {verb}"
        ))),
        (false, _) => Err(Failure::denied(texts.join("\n"))),
    }
}

/// The objects of a text: YAML or JSON, lists taken apart.
fn objects(source: &str, text: &str) -> Result<Vec<Value>, Failure> {
    let documents: Vec<Value> = serde_saphyr::from_multiple(text).map_err(|error| {
        let error = error.to_string();
        let first = error.lines().next().unwrap_or_default();
        Failure::invalid(format!("error: error parsing {source}: {first}"))
    })?;
    let mut objects = Vec::new();
    for document in documents.into_iter().filter(|document| !document.is_null()) {
        match object::list(&document, "/items") {
            [] => objects.push(document),
            items => objects.extend(items.iter().cloned()),
        }
    }
    Ok(objects)
}

async fn refused(
    cluster: &Cluster<'_>,
    verb: &str,
    source: &str,
    object: &Value,
) -> Result<String, Failure> {
    let (version, kind) = (
        object::text(object, "/apiVersion"),
        object::text(object, "/kind"),
    );
    if version.is_empty() || kind.is_empty() {
        let field = if kind.is_empty() {
            "Kind"
        } else {
            "apiVersion"
        };
        return Err(Failure::invalid(format!(
            "error: unable to decode \"{source}\": Object '{field}' is missing in '{object}'"
        )));
    }
    let name = object::text(object, "/metadata/name");
    let namespace = object::text(object, "/metadata/namespace");
    let (group, _) = version.split_once('/').unwrap_or(("", version));
    let mut types = cluster.resources.all().iter();
    let Some(t) = types.find(|t: &&ResourceType| t.group == group && t.kind == kind) else {
        return Err(Failure::invalid(format!(
            "error: resource mapping not found for name: \"{name}\" namespace: \"{namespace}\" from \
             \"{source}\": no matches for kind \"{kind}\" in version \"{version}\"\nensure CRDs are \
             installed first"
        )));
    };
    // What is posted has its name in its body: the server speaks of the collection.
    let (doing, about) = match verb {
        "create" => ("creating", ""),
        "delete" => ("deleting", name),
        "replace" => ("replacing", name),
        "apply" => match cluster.get(t, namespace, name).await {
            Ok(_) => ("patching", name),
            Err(Failure::Message { .. }) => ("creating", ""),
            Err(stop) => return Err(stop),
        },
        _ => ("patching", name),
    };
    let status = Status::read_only(&t.group, &t.resource, about);
    Ok(format!(
        "Error from server (Forbidden): error when {doing} \"{source}\": {status}"
    ))
}
