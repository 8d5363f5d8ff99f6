//! `metrics.k8s.io`: the usage of nodes and pods as `kubectl top` asks for it.

use serde_json::{Value, json};

use super::api::{Form, Include, ListOptions};
use super::duration::go_duration;
use super::object;
use super::path::ResourcePath;
use super::selector::{FieldSelector, LabelSelector};
use super::status::Status;
use crate::view::{ObjectQuery, RecordedObject, Usage, View};

const MILLISECOND: i64 = 1_000_000;

/// What was measured of one node, or of one pod's containers.
struct Measured {
    of: Usage,
    labels: Value,
    containers: Vec<Usage>,
}

/// One node's or pod's usage, or all of it.
pub(crate) async fn read(
    view: &dyn View,
    path: &ResourcePath,
    form: Form,
    options: &ListOptions,
) -> Result<Value, Status> {
    let nodes = path.resource == "nodes";
    if let Some(subresource) = &path.subresource {
        return Err(Status::not_recorded(format!(
            "{subresource} of {}",
            path.resource
        )));
    }
    let usage = if nodes { "node" } else { "pod" };
    if view.usage(usage, None).await?.is_empty() {
        return Err(Status::not_recorded(format!(
            "the usage of {}",
            path.resource
        )));
    }
    let rows = view.usage(usage, path.namespace.as_deref()).await?;
    let query = ObjectQuery::all("", &path.resource, path.namespace.as_deref());
    let owners = view.objects(&query).await?;
    let mut measured = grouped(rows, &owners, nodes);
    select(&mut measured, &owners, options)?;
    if let Some(name) = &path.name {
        measured.retain(|measured| measured.of.name == *name);
        let Some(one) = measured.first() else {
            // metrics-server looks for the object first, and names a node in the singular.
            if !owners.iter().any(|owner| owner.name == *name) {
                let resource = if nodes { "node" } else { "pods" };
                return Err(Status::not_found("", resource, name));
            }
            let name = match &path.namespace {
                Some(namespace) => format!("{namespace}/{name}"),
                None => name.clone(),
            };
            let resource = if nodes { "nodemetrics" } else { "podmetrics" };
            return Err(Status::not_found(&path.group, resource, &name));
        };
        return Ok(match form {
            Form::Table(include) => table(&measured, nodes, include),
            _ => one.json(nodes, true),
        });
    }
    Ok(match form {
        Form::Table(include) => table(&measured, nodes, include),
        _ => {
            let kind = if nodes { "NodeMetrics" } else { "PodMetrics" };
            let items: Vec<Value> = measured.iter().map(|one| one.json(nodes, false)).collect();
            json!({
                "kind": format!("{kind}List"),
                "apiVersion": "metrics.k8s.io/v1beta1",
                "metadata": {},
                "items": items,
            })
        }
    })
}

fn grouped(rows: Vec<Usage>, owners: &[RecordedObject], nodes: bool) -> Vec<Measured> {
    let mut measured: Vec<Measured> = Vec::new();
    for row in rows {
        let same = |known: &&mut Measured| {
            (&known.of.namespace, &known.of.name) == (&row.namespace, &row.name)
        };
        if let (false, Some(known)) = (nodes, measured.last_mut().as_mut().filter(|k| same(k))) {
            known.containers.push(row);
            continue;
        }
        let owner = owners
            .iter()
            .find(|owner| owner.namespace == row.namespace && owner.name == row.name);
        let labels = owner.and_then(|owner| object::field(&owner.object, "/metadata/labels"));
        measured.push(Measured {
            labels: labels.cloned().unwrap_or_else(|| json!({})),
            containers: vec![row.clone()],
            of: row,
        });
    }
    measured
}

fn select(
    measured: &mut Vec<Measured>,
    owners: &[RecordedObject],
    options: &ListOptions,
) -> Result<(), Status> {
    let labels = LabelSelector::parse(&options.label_selector)?;
    let fields = FieldSelector::parse(&options.field_selector)?;
    let resource = owners.first().map_or("", |owner| owner.resource.as_str());
    if let Some(field) = fields.unsupported("", resource) {
        return Err(Status::bad_request(format!(
            "field label not supported: {field}"
        )));
    }
    if options.label_selector.is_empty() && options.field_selector.is_empty() {
        return Ok(());
    }
    measured.retain(|one| {
        owners.iter().any(|owner| {
            owner.namespace == one.of.namespace
                && owner.name == one.of.name
                && fields.matches(owner)
                && labels.matches(&object::map(&owner.object, "/metadata/labels"))
        })
    });
    Ok(())
}

impl Measured {
    fn json(&self, node: bool, typed: bool) -> Value {
        let time = |nanoseconds: i64| {
            crate::clock::time(nanoseconds)
                .strftime("%Y-%m-%dT%H:%M:%SZ")
                .to_string()
        };
        let timestamp = time(self.of.timestamp);
        let mut metadata = json!({"name": self.of.name});
        let mut shown = json!({});
        if let Some(fields) = metadata.as_object_mut() {
            if !node {
                fields.insert("namespace".to_owned(), json!(self.of.namespace));
            }
            fields.insert("creationTimestamp".to_owned(), json!(timestamp));
            if self
                .labels
                .as_object()
                .is_some_and(|labels| !labels.is_empty())
            {
                fields.insert("labels".to_owned(), self.labels.clone());
            }
        }
        if let Some(fields) = shown.as_object_mut() {
            if typed {
                let kind = if node { "NodeMetrics" } else { "PodMetrics" };
                fields.insert("kind".to_owned(), json!(kind));
                fields.insert("apiVersion".to_owned(), json!("metrics.k8s.io/v1beta1"));
            }
            fields.insert("metadata".to_owned(), metadata);
            fields.insert("timestamp".to_owned(), json!(timestamp));
            fields.insert("window".to_owned(), json!(self.window()));
            if node {
                fields.insert("usage".to_owned(), usage(&self.of));
            } else {
                let containers: Vec<Value> = self
                    .containers
                    .iter()
                    .map(|row| json!({"name": row.container, "usage": usage(row)}))
                    .collect();
                fields.insert("containers".to_owned(), json!(containers));
            }
        }
        shown
    }

    fn window(&self) -> String {
        go_duration(self.of.window_ms.saturating_mul(MILLISECOND))
    }
}

fn usage(row: &Usage) -> Value {
    json!({"cpu": cpu(row.cpu_nanocores), "memory": memory(row.memory_bytes)})
}

/// As metrics-server writes it: in billionths.
fn cpu(nanocores: i64) -> String {
    if nanocores == 0 {
        "0".to_owned()
    } else {
        format!("{nanocores}n")
    }
}

/// As metrics-server writes it: in KiB where that is exact.
fn memory(bytes: i64) -> String {
    if bytes % 1024 == 0 && bytes != 0 {
        format!("{}Ki", bytes / 1024)
    } else {
        bytes.to_string()
    }
}

fn table(measured: &[Measured], nodes: bool, include: Include) -> Value {
    let column = |name: &str, format: &str| json!({"name": name, "type": "string", "format": format, "description": "", "priority": 0});
    let rows: Vec<Value> = measured
        .iter()
        .map(|one| {
            let sum = |of: fn(&Usage) -> i64| one.containers.iter().map(of).sum::<i64>();
            let object = match include {
                Include::None => Value::Null,
                Include::Object => one.json(nodes, true),
                Include::Metadata => json!({
                    "kind": "PartialObjectMetadata",
                    "apiVersion": "meta.k8s.io/v1",
                    "metadata": one.json(nodes, false).get("metadata"),
                }),
            };
            json!({
                "cells": [
                    one.of.name,
                    cpu(sum(|row| row.cpu_nanocores)),
                    memory(sum(|row| row.memory_bytes)),
                    one.window(),
                ],
                "object": object,
            })
        })
        .collect();
    json!({
        "kind": "Table",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": {},
        "columnDefinitions": [
            column("Name", "name"), column("cpu", ""), column("memory", ""),
            column("Window", "duration"),
        ],
        "rows": rows,
    })
}
