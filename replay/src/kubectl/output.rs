//! What `-o` and `--template` ask for, other than tables: the one place that knows the formats.

use aiopslab_problems::environment::Verdict;
use serde_json::Value;

use super::arguments::Arguments;
use super::custom_columns::CustomColumns;
use super::failure::Failure;
use super::template::Template;
use super::{object, resources, yaml};
use crate::golang::{self, json};
use crate::kubernetes::jsonpath::{self, JsonPath, Missing};

/// A way to print documents.
#[derive(Debug)]
pub(super) enum Output {
    /// JSON, managed fields shown or not.
    Json(ManagedFields),
    /// YAML, managed fields shown or not.
    Yaml(ManagedFields),
    /// `kind.group/name`.
    Name,
    /// A JSONPath template; its source for messages.
    JsonPath {
        /// The template as given.
        source: String,
        /// The template.
        path: JsonPath,
        /// As JSON instead of text.
        as_json: bool,
        /// What is done about missing fields.
        missing: Missing,
    },
    /// Columns made of JSONPath expressions.
    CustomColumns(CustomColumns),
    /// A Go template.
    Template(Template),
}

/// Whether `metadata.managedFields` is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ManagedFields {
    /// It is.
    Shown,
    /// It is not.
    Hidden,
}

/// What printing made, and what made it stop.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Printed {
    /// The text.
    pub(super) text: String,
    /// The error that ended it.
    pub(super) error: Option<String>,
}

impl From<String> for Printed {
    fn from(text: String) -> Self {
        Self { text, error: None }
    }
}

/// The formats that a command knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Formats {
    /// Those of `get`, with columns.
    Get,
    /// Those of every other command.
    Common,
}

impl Formats {
    fn allowed(self) -> &'static str {
        match self {
            Self::Get => {
                "custom-columns,custom-columns-file,go-template,go-template-file,json,jsonpath,\
                 jsonpath-as-json,jsonpath-file,name,template,templatefile,wide,yaml"
            }
            Self::Common => {
                "go-template,go-template-file,json,jsonpath,jsonpath-as-json,jsonpath-file,name,\
                 template,templatefile,yaml"
            }
        }
    }
}

/// Reads the flags; `output` is what `-o` says.
pub(super) fn parse(
    arguments: &Arguments,
    output: &str,
    formats: Formats,
) -> Result<Output, Failure> {
    let error = |text: String| Failure::invalid(format!("error: {text}"));
    let flag = arguments.value("template").unwrap_or_default();
    let output = if output.is_empty() && !flag.is_empty() {
        "go-template"
    } else {
        output
    };
    let managed = if arguments.is_set("show-managed-fields") {
        ManagedFields::Shown
    } else {
        ManagedFields::Hidden
    };
    match output.to_lowercase().as_str() {
        "json" => return Ok(Output::Json(managed)),
        "yaml" => return Ok(Output::Yaml(managed)),
        "name" => return Ok(Output::Name),
        _ => {}
    }
    let (format, inline) = output.split_once('=').unwrap_or((output, ""));
    // With --template the format is a bare word.
    let (format, text) = if flag.is_empty() {
        (format, inline)
    } else {
        (output, flag)
    };
    let missing = match arguments.value("allow-missing-template-keys") {
        Some(_) if !arguments.is_set("allow-missing-template-keys") => Missing::Refused,
        _ => Missing::Allowed,
    };
    let no_template = || error("template format specified but no template given".to_owned());
    match format {
        "jsonpath" | "jsonpath-as-json" => {
            if text.is_empty() {
                return Err(no_template());
            }
            let path = JsonPath::parse(text).map_err(|failure| match failure {
                jsonpath::Error::Message(cause) => {
                    error(format!("error parsing jsonpath {text}, {cause}"))
                }
                jsonpath::Error::NotCaptured(what) => not_evaluated(what),
            })?;
            Ok(Output::JsonPath {
                source: text.to_owned(),
                path,
                as_json: format == "jsonpath-as-json",
                missing,
            })
        }
        "go-template" | "template" if text.is_empty() => Err(no_template()),
        "go-template" | "template" => Ok(Output::Template(Template::parse(text, missing)?)),
        "custom-columns" if formats == Formats::Get => Ok(Output::CustomColumns(
            CustomColumns::parse(text, arguments.is_set("no-headers"))?,
        )),
        "jsonpath-file" | "go-template-file" | "templatefile" if text.is_empty() => {
            Err(no_template())
        }
        "jsonpath-file" | "go-template-file" | "templatefile" | "custom-columns-file" => {
            Err(Failure::not_captured(format!(
                "-o {format}: files are not available to kubectl in this recording"
            )))
        }
        _ => Err(error(format!(
            "unable to match a printer suitable for the output format {}, allowed formats are: {}",
            golang::quote::quote(output),
            formats.allowed()
        ))),
    }
}

/// The notice for a template that is not evaluated.
pub(super) fn not_evaluated(what: &str) -> Failure {
    Failure::not_captured(format!("{what} is not available in this recording"))
}

impl Output {
    /// Prints an object or a list.
    pub(super) fn print(&self, document: Value) -> Result<Printed, Failure> {
        Ok(match self {
            Self::Json(managed) => json::print(&without(*managed, document)).into(),
            Self::Yaml(managed) => yaml::print(&without(*managed, document)).into(),
            Self::Name => names(&document).into(),
            Self::JsonPath {
                source,
                path,
                as_json,
                missing,
            } => match path.find(&document, *missing) {
                Ok(found) if *as_json => jsonpath::print_as_json(&found).into(),
                Ok(found) => jsonpath::print(&found).into(),
                Err(jsonpath::Error::NotCaptured(what)) => return Err(not_evaluated(what)),
                Err(jsonpath::Error::Message(cause)) => Printed {
                    text: String::new(),
                    error: Some(jsonpath_error(source, &cause, &document)),
                },
            },
            Self::CustomColumns(columns) => columns.print(&document)?,
            Self::Template(template) => template.print(&document)?.into(),
        })
    }
}

/// kubectl shows the template and the whole document when a template fails.
fn jsonpath_error(source: &str, cause: &str, document: &Value) -> String {
    format!(
        "error: error executing jsonpath {}: Error executing template: {cause}. Printing more \
         information for debugging the template:\n\ttemplate was:\n\t\t{source}\n\tobject given to \
         jsonpath engine was:\n\t\t{}\n\n\n",
        golang::quote::quote(source),
        golang::format::syntax(document)
    )
}

/// The documents of a list, or the one document.
pub(super) fn items(document: &Value) -> Vec<&Value> {
    match document.get("items").and_then(Value::as_array) {
        Some(items) => items.iter().collect(),
        None => vec![document],
    }
}

fn without(managed: ManagedFields, mut document: Value) -> Value {
    if managed == ManagedFields::Shown {
        return document;
    }
    let remove = |document: &mut Value| {
        if let Some(metadata) = document
            .pointer_mut("/metadata")
            .and_then(Value::as_object_mut)
        {
            metadata.shift_remove("managedFields");
        }
    };
    match document.get_mut("items").and_then(Value::as_array_mut) {
        Some(items) => items.iter_mut().for_each(remove),
        None => remove(&mut document),
    }
    document
}

fn names(document: &Value) -> String {
    items(document)
        .into_iter()
        .map(|object| {
            let group = match object::text(object, "/apiVersion").split_once('/') {
                Some((group, _)) => group,
                None => "",
            };
            let kind = resources::kind_prefix(group, object::text(object, "/kind"));
            format!("{kind}/{}\n", object::text(object, "/metadata/name"))
        })
        .collect()
}

/// Adds what was printed to a command's output.
pub(super) fn append(output: &mut crate::shell::CommandOutput, printed: Printed) {
    output.stdout.push_str(&printed.text);
    if let Some(error) = printed.error {
        output.stderr.push_str(&error);
        if !error.ends_with('\n') {
            output.stderr.push('\n');
        }
        output.exit_code = 1;
        output.verdict = output.verdict.max(Verdict::Invalid);
    }
}
