//! `kubectl get`.

use aiopslab_problems::environment::Verdict;
use serde_json::Value;

use super::arguments::Arguments;
use super::cluster::Cluster;
use super::failure::Failure;
use super::operands::{self, Target};
use super::selector::{FieldSelector, LabelSelector};
use super::table::{self, TableOptions};
use super::{json, object, resources, sort_by, with_errors, yaml};
use crate::shell::CommandOutput;
use crate::view::{RecordedObject, ResourceType};

#[derive(Debug, Clone, Copy, PartialEq)]
enum Format {
    Table { wide: bool },
    Name,
    Json,
    Yaml,
}

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
    refuse_what_is_not_here(arguments)?;
    let format = format(arguments)?;
    let targets = operands::targets(cluster, "get", &arguments.operands)?;
    if targets.is_empty() {
        return Err(Failure::invalid(
            "You must specify the type of resource to get. Use \"kubectl api-resources\" for a \
             complete list of supported resources.\n\nerror: Required resource not specified.\n\
             Use \"kubectl explain <resource>\" for a detailed description of that resource (e.g. \
             kubectl explain pods).\nSee 'kubectl get -h' for help and examples",
        ));
    }
    let labels = LabelSelector::parse(arguments.value("selector").unwrap_or_default())?;
    let fields = FieldSelector::parse(arguments.value("field-selector").unwrap_or_default())?;
    let selecting =
        arguments.value("selector").is_some() || arguments.value("field-selector").is_some();
    operands::check(&targets, arguments.is_set("all-namespaces"), selecting)?;
    let Found {
        mut groups,
        mut errors,
    } = find(cluster, arguments, &targets, &labels, &fields).await?;
    if arguments.is_set("ignore-not-found") {
        errors.retain(|(_, verdict)| *verdict != Verdict::Empty);
    }
    let mut unsortable = false;
    if let Some(expression) = arguments.value("sort-by") {
        for group in &mut groups {
            match sort_by::sort(&mut group.objects, expression) {
                // kubectl drops a table that it can't sort, and says that nothing is there.
                Err(Failure::Message { .. }) if matches!(format, Format::Table { .. }) => {
                    group.objects.clear();
                    unsortable = true;
                }
                sorted => sorted?,
            }
        }
    }
    let single = matches!(targets.as_slice(), [Target { name: Some(_), .. }]);
    let printed = match format {
        Format::Table { wide } => print_tables(cluster, arguments, &groups, wide).await?,
        Format::Name => print_names(&groups),
        Format::Json | Format::Yaml => {
            let found = groups.iter().any(|group| !group.objects.is_empty());
            if single && !found {
                String::new()
            } else {
                let value = combined(groups, single);
                if format == Format::Json {
                    json::print(&value)
                } else {
                    yaml::print(&value)
                }
            }
        }
    };
    let mut output = CommandOutput::answered(printed);
    output.stderr = cluster
        .warnings(targets.iter().map(|target| &target.resource))
        .await?;
    let nothing = output.stdout.is_empty();
    if nothing && errors.is_empty() {
        output.verdict = if unsortable {
            Verdict::Invalid
        } else {
            Verdict::Empty
        };
        let table = matches!(format, Format::Table { .. });
        if table && !arguments.is_set("ignore-not-found") {
            output.stderr.push_str(&nothing_found(arguments, &targets));
        }
    }
    Ok(with_errors(output, &errors))
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

fn refuse_what_is_not_here(arguments: &Arguments) -> Result<(), Failure> {
    for flag in ["watch", "watch-only"] {
        if arguments.is_set(flag) {
            return Err(Failure::not_captured(
                "kubectl get --watch: this command is not available in this recording",
            ));
        }
    }
    for flag in ["raw", "filename", "kustomize", "subresource", "template"] {
        if arguments.value(flag).is_some() {
            return Err(Failure::not_captured(format!(
                "kubectl get --{flag}: this command is not available in this recording"
            )));
        }
    }
    Ok(())
}

fn format(arguments: &Arguments) -> Result<Format, Failure> {
    Ok(match arguments.value("output").unwrap_or_default() {
        "" => Format::Table { wide: false },
        "wide" => Format::Table { wide: true },
        "name" => Format::Name,
        "json" => Format::Json,
        "yaml" => Format::Yaml,
        other => {
            let kind = other.split('=').next().unwrap_or(other);
            let known = [
                "custom-columns",
                "custom-columns-file",
                "go-template",
                "go-template-file",
                "jsonpath",
                "jsonpath-as-json",
                "jsonpath-file",
                "kyaml",
                "template",
                "templatefile",
            ];
            if known.contains(&kind) {
                return Err(Failure::not_captured(format!(
                    "kubectl get -o {kind}: this command is not available in this recording"
                )));
            }
            return Err(Failure::invalid(format!(
                "error: unable to match a printer suitable for the output format \"{other}\", \
                 allowed formats are: custom-columns,custom-columns-file,go-template,\
                 go-template-file,json,jsonpath,jsonpath-as-json,jsonpath-file,name,template,\
                 templatefile,wide,yaml"
            )));
        }
    })
}

struct Found {
    groups: Vec<Group>,
    errors: Vec<(String, Verdict)>,
}

async fn find(
    cluster: &Cluster<'_>,
    arguments: &Arguments,
    targets: &[Target],
    labels: &LabelSelector,
    fields: &FieldSelector,
) -> Result<Found, Failure> {
    let mut found = Found {
        groups: Vec::new(),
        errors: Vec::new(),
    };
    for target in targets {
        let t = &target.resource;
        let objects = match &target.name {
            Some(name) => match cluster.get(t, arguments.namespace(), name).await {
                Ok(object) => vec![object],
                Err(Failure::Message { text, verdict }) => {
                    found.errors.push((text, verdict));
                    continue;
                }
                Err(stop) => return Err(stop),
            },
            None => {
                fields.check(&t.group, &t.version, &t.resource)?;
                let mut objects = cluster.list(t, arguments.listed_namespace()).await?;
                objects.retain(|object| {
                    fields.matches(object)
                        && (labels.is_empty()
                            || labels.matches(&object::map(&object.object, "/metadata/labels")))
                });
                objects
            }
        };
        match found.groups.last_mut() {
            Some(last) if last.resource == *t => last.objects.extend(objects),
            _ => found.groups.push(Group {
                resource: t.clone(),
                objects,
            }),
        }
    }
    Ok(found)
}

async fn print_tables(
    cluster: &Cluster<'_>,
    arguments: &Arguments,
    groups: &[Group],
    wide: bool,
) -> Result<String, Failure> {
    let several = groups
        .iter()
        .any(|group| group.resource != groups[0].resource);
    let all_namespaces = arguments.is_set("all-namespaces");
    let mut tables = Vec::new();
    // kubectl keeps the namespace column once a group had it, also for cluster-scoped objects.
    let mut with_namespace = false;
    for group in groups {
        with_namespace |= all_namespaces && group.resource.namespaced;
        let options = TableOptions {
            wide,
            no_headers: arguments.is_set("no-headers"),
            with_namespace,
            with_kind: several || arguments.is_set("show-kind"),
            show_labels: arguments.is_set("show-labels"),
            label_columns: arguments
                .values("label-columns")
                .into_iter()
                .filter(|label| !label.is_empty())
                .map(str::to_owned)
                .collect(),
        };
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

fn print_names(groups: &[Group]) -> String {
    let mut text = String::new();
    for object in groups.iter().flat_map(|group| &group.objects) {
        text.push_str(&resources::kind_prefix(&object.group, &object.kind));
        text.push('/');
        text.push_str(&object.name);
        text.push('\n');
    }
    text
}

/// The one object, or the list of all.
fn combined(groups: Vec<Group>, single: bool) -> Value {
    let mut objects: Vec<Value> = groups
        .into_iter()
        .flat_map(|group| group.objects)
        .map(complete)
        .collect();
    match objects.pop() {
        Some(object) if single => object,
        last => {
            objects.extend(last);
            json::list(objects)
        }
    }
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
