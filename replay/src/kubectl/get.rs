//! `kubectl get`.

mod raw;
mod watch;

use aiopslab_problems::environment::Verdict;
use serde_json::Value;

use super::arguments::Arguments;
use super::cluster::Cluster;
use super::failure::Failure;
use super::operands::{self, Selecting, Target};
use super::output::{self, Formats};
use super::table::{self, TableOptions};
use super::{sort_by, with_errors};
use crate::kubernetes::{Form, KubernetesApi, ListOptions, ResourcePath};
use crate::shell::CommandOutput;
use crate::view::{RecordedObject, ResourceType};

/// Objects of one type, in the order in which they are printed.
struct Group {
    resource: ResourceType,
    objects: Vec<RecordedObject>,
}

/// Runs the command.
pub(super) async fn run(
    cluster: &Cluster<'_>,
    arguments: &Arguments,
) -> Result<CommandOutput, Failure> {
    if let Some(path) = arguments.value("raw").filter(|path| !path.is_empty()) {
        return raw::get(cluster, arguments, path).await;
    }
    let asked = Asked::parse(arguments)?;
    let selecting = Selecting::parse(arguments);
    let targets = operands::targets(cluster, &arguments.operands, selecting)?;
    if targets.is_empty() {
        return Err(Failure::invalid(
            "You must specify the type of resource to get. Use \"kubectl api-resources\" for a \
             complete list of supported resources.\n\nerror: Required resource not specified.\n\
             Use \"kubectl explain <resource>\" for a detailed description of that resource (e.g. \
             kubectl explain pods).\nSee 'kubectl get -h' for help and examples",
        ));
    }
    if asked.watch && targets.iter().any(|t| t.resource != targets[0].resource) {
        return Err(Failure::invalid(
            "error: you may only specify a single resource type",
        ));
    }
    let subresource = arguments.value("subresource").unwrap_or_default();
    if !subresource.is_empty() && targets.iter().any(|target| target.name.is_none()) {
        return Err(Failure::invalid(
            "error: subresource cannot be used when bulk resources are specified",
        ));
    }
    let Found {
        mut groups,
        mut errors,
    } = find(cluster, arguments, &targets).await?;
    if arguments.is_set("ignore-not-found") {
        errors.retain(|(_, verdict)| *verdict != Verdict::Empty);
    }
    let mut output = CommandOutput::answered("");
    output.stderr = cluster
        .warnings(targets.iter().map(|target| &target.resource))
        .await?;
    if asked.watch {
        // What can't be watched is only told.
        if errors.is_empty() {
            watch::run(cluster, arguments, &asked, &targets, groups, &mut output).await?;
        }
    } else if asked.human {
        if let Some(expression) = arguments.value("sort-by").filter(|by| !by.is_empty()) {
            sort_tables(&mut groups, expression, &targets, &mut output)?;
        }
        tables(cluster, arguments, &targets, &groups, &errors, &mut output).await?;
    } else {
        documents(arguments, &asked, &targets, groups, &errors, &mut output)?;
    }
    Ok(with_errors(output, &errors))
}

/// What is asked for besides which objects.
struct Asked<'a> {
    /// A table.
    human: bool,
    /// The value of `-o`.
    output: &'a str,
    watch: bool,
}

impl<'a> Asked<'a> {
    /// Reads the flags, and refuses what does not go together.
    fn parse(arguments: &'a Arguments) -> Result<Self, Failure> {
        for flag in ["filename", "kustomize"] {
            if arguments.value(flag).is_some() {
                return Err(Failure::not_captured(format!(
                    "kubectl get --{flag}: files are not available to kubectl in this recording"
                )));
            }
        }
        let output = arguments.value("output").unwrap_or_default();
        let template = arguments.value("template").unwrap_or_default();
        if arguments.is_set("show-labels") && !output.is_empty() && output != "wide" {
            return Err(Failure::invalid(format!(
                "error: --show-labels option cannot be used with {output} printer"
            )));
        }
        let watch = arguments.is_set("watch") || arguments.is_set("watch-only");
        if arguments.is_set("output-watch-events") && !watch {
            return Err(Failure::invalid(
                "error: --output-watch-events option can only be used with --watch or --watch-only",
            ));
        }
        Ok(Self {
            human: (output.is_empty() && template.is_empty()) || output == "wide",
            output,
            watch,
        })
    }
}

struct Found {
    groups: Vec<Group>,
    errors: Vec<(String, Verdict)>,
}

async fn find(
    cluster: &Cluster<'_>,
    arguments: &Arguments,
    targets: &[Target],
) -> Result<Found, Failure> {
    let mut found = Found {
        groups: Vec::new(),
        errors: Vec::new(),
    };
    for target in targets {
        let t = &target.resource;
        let objects = match &target.name {
            Some(name) => {
                let found = match arguments.value("subresource").unwrap_or_default() {
                    "" => cluster.get(t, arguments.namespace(), name).await,
                    part => subresource(cluster, arguments, t, name, part).await,
                };
                found.map(|object| vec![object])
            }
            None => operands::list(cluster, arguments, t, arguments.listed_namespace()).await,
        };
        let objects = match objects {
            Ok(objects) => objects,
            Err(Failure::Message { text, verdict }) => {
                found.errors.push((text, verdict));
                continue;
            }
            Err(stop) => return Err(stop),
        };
        // What the subresource is may be of another type.
        let mut t = t.clone();
        if let Some(other) = objects
            .first()
            .filter(|object| object.resource != t.resource)
        {
            t.group.clone_from(&other.group);
            t.version.clone_from(&other.version);
            t.resource.clone_from(&other.resource);
            t.kind.clone_from(&other.kind);
        }
        match found.groups.last_mut() {
            Some(last) if last.resource == t => last.objects.extend(objects),
            _ => found.groups.push(Group {
                resource: t,
                objects,
            }),
        }
    }
    Ok(found)
}

/// A part of an object that the server shows as an object of its own.
async fn subresource(
    cluster: &Cluster<'_>,
    arguments: &Arguments,
    t: &ResourceType,
    name: &str,
    part: &str,
) -> Result<RecordedObject, Failure> {
    let api = KubernetesApi::lent(cluster.view).await?;
    let path = ResourcePath {
        group: t.group.clone(),
        version: t.version.clone(),
        namespace: t.namespaced.then(|| arguments.namespace().to_owned()),
        resource: t.resource.clone(),
        name: Some(name.to_owned()),
        subresource: Some(part.to_owned()),
    };
    let object = api
        .read(&path, Form::Object, &ListOptions::default())
        .await?;
    let mut found = cluster.get(t, arguments.namespace(), name).await?;
    if part == "scale" {
        (found.group, found.version) = ("autoscaling".to_owned(), "v1".to_owned());
        (found.resource, found.kind) = ("scales".to_owned(), "Scale".to_owned());
        found.cells = None;
    }
    found.object = object;
    Ok(found)
}

/// Sorts the rows of the one table. kubectl drops a table that it can't sort and says that nothing
/// is there; of several tables it looks for the field in the tables themselves.
fn sort_tables(
    groups: &mut [Group],
    expression: &str,
    targets: &[Target],
    output: &mut CommandOutput,
) -> Result<(), Failure> {
    if targets.len() > 1 {
        if sort_by::finds_in_tables(expression) {
            return Err(Failure::not_captured(format!(
                "--sort-by={expression} of several tables is not available in this recording"
            )));
        }
        let found = groups
            .iter()
            .map(|group| group.objects.len())
            .sum::<usize>();
        if found == 0 {
            return Ok(());
        }
        let field = super::custom_columns::relaxed(expression)?;
        return Err(Failure::invalid(format!(
            "error: couldn't find any field with path {} in the list of objects",
            crate::golang::quote::quote(&field)
        )));
    }
    for group in groups.iter_mut().filter(|group| group.objects.len() > 1) {
        match sort_by::sort(&mut group.objects, expression, |object| &object.object) {
            Err(Failure::Message { .. }) => {
                group.objects.clear();
                output.verdict = Verdict::Invalid;
            }
            sorted => sorted?,
        }
    }
    Ok(())
}

async fn tables(
    cluster: &Cluster<'_>,
    arguments: &Arguments,
    targets: &[Target],
    groups: &[Group],
    errors: &[(String, Verdict)],
    output: &mut CommandOutput,
) -> Result<(), Failure> {
    output.stdout = print_tables(cluster, arguments, groups).await?;
    if output.stdout.is_empty() && errors.is_empty() {
        output.verdict = output.verdict.max(Verdict::Empty);
        if !arguments.is_set("ignore-not-found") {
            output.stderr.push_str(&nothing_found(arguments, targets));
        }
    }
    Ok(())
}

fn nothing_found(arguments: &Arguments, targets: &[Target]) -> String {
    let namespaced = targets.iter().all(|target| target.resource.namespaced);
    if arguments.is_set("all-namespaces") || !namespaced {
        "No resources found\n".to_owned()
    } else {
        format!(
            "No resources found in {} namespace.\n",
            arguments.namespace()
        )
    }
}

async fn print_tables(
    cluster: &Cluster<'_>,
    arguments: &Arguments,
    groups: &[Group],
) -> Result<String, Failure> {
    let several = groups
        .iter()
        .any(|group| group.resource != groups[0].resource);
    let mut tables = Vec::new();
    // kubectl keeps the namespace column once a group had it, also for cluster-scoped objects.
    let mut with_namespace = false;
    for group in groups {
        with_namespace |= arguments.is_set("all-namespaces") && group.resource.namespaced;
        let options = table_options(arguments, with_namespace, several);
        let table = table::print(cluster, &group.resource, &group.objects, &options).await?;
        if !table.is_empty() {
            tables.push(table);
        }
    }
    Ok(tables.join(if arguments.is_set("no-headers") {
        ""
    } else {
        "\n"
    }))
}

fn table_options(arguments: &Arguments, with_namespace: bool, several: bool) -> TableOptions {
    TableOptions {
        wide: arguments.value("output") == Some("wide"),
        no_headers: arguments.is_set("no-headers"),
        with_namespace,
        with_kind: several || arguments.is_set("show-kind"),
        by_client: arguments.value("server-print").is_some() && !arguments.is_set("server-print"),
        show_labels: arguments.is_set("show-labels"),
        label_columns: arguments
            .values("label-columns")
            .into_iter()
            .filter(|label| !label.is_empty())
            .map(str::to_owned)
            .collect(),
    }
}

/// Everything but tables: one object, or the list of all.
fn documents(
    arguments: &Arguments,
    asked: &Asked<'_>,
    targets: &[Target],
    groups: Vec<Group>,
    errors: &[(String, Verdict)],
    output: &mut CommandOutput,
) -> Result<(), Failure> {
    let single = matches!(targets, [Target { name: Some(_), .. }]);
    let mut objects: Vec<Value> = groups
        .into_iter()
        .flat_map(|group| group.objects)
        .map(complete)
        .collect();
    if objects.is_empty() && errors.is_empty() {
        output.verdict = Verdict::Empty;
    }
    if objects.is_empty() && (single || arguments.is_set("ignore-not-found")) {
        return Ok(());
    }
    let format = output::parse(arguments, asked.output, Formats::Get)?;
    if let Some(expression) = arguments.value("sort-by").filter(|by| !by.is_empty())
        && !single
    {
        sort_by::sort(&mut objects, expression, |object| object)?;
    }
    let document = if single {
        objects.pop().unwrap_or_default()
    } else {
        list(objects)
    };
    output::append(output, format.print(document)?);
    Ok(())
}

/// The list that kubectl makes of several objects.
fn list(items: Vec<Value>) -> Value {
    serde_json::json!({
        "apiVersion": "v1",
        "items": items,
        "kind": "List",
        "metadata": {"resourceVersion": ""}
    })
}

/// An object with its type, which the items of a recorded list may lack.
pub(super) fn complete(recorded: RecordedObject) -> Value {
    let mut object = recorded.object;
    if let Value::Object(fields) = &mut object {
        let version = if recorded.group.is_empty() {
            recorded.version
        } else {
            format!("{}/{}", recorded.group, recorded.version)
        };
        fields.entry("apiVersion").or_insert(Value::String(version));
        fields.entry("kind").or_insert(Value::String(recorded.kind));
    }
    object
}
