//! `kubectl explain`: the fields of a type, out of the recorded OpenAPI documents.

mod schema;
mod wrap;

use aiopslab_problems::environment::Verdict;
use serde_json::Value;

use super::arguments::Arguments;
use super::cluster::Cluster;
use super::failure::Failure;
use super::with_errors;
use crate::golang::quote::quote;
use crate::shell::CommandOutput;
use crate::view::ResourceType;
use schema::Document;

/// Runs the command.
pub(super) async fn run(
    cluster: &Cluster<'_>,
    arguments: &Arguments,
) -> Result<CommandOutput, Failure> {
    let asked = match arguments.operands.as_slice() {
        [asked] => asked,
        [] => {
            return Err(Failure::invalid(
                "error: You must specify the type of resource to explain. Use \"kubectl \
                 api-resources\" for a complete list of supported resources.",
            ));
        }
        _ => {
            return Err(Failure::invalid(
                "error: We accept only this format: explain RESOURCE",
            ));
        }
    };
    let output = arguments.value("output").unwrap_or("plaintext");
    if output != "plaintext" || arguments.value("api-version").is_some() {
        return Err(Failure::not_captured(
            "kubectl explain with --api-version or --output is not available in this recording",
        ));
    }
    if asked.contains(['[', ']', '{', '}', '\\', ' ', '\'', '"', '@', '$', '*'])
        || asked.contains("..")
    {
        return Err(Failure::not_captured(format!(
            "kubectl explain {asked}: such a path is not available in this recording"
        )));
    }
    let (t, path) = target(cluster, asked)?;
    let name = if t.group.is_empty() {
        format!("api/{}", t.version)
    } else {
        format!("apis/{}/{}", t.group, t.version)
    };
    let Some(document) = cluster.view.openapi(&name).await? else {
        return Err(Failure::not_captured(format!(
            "the schema of {} is not available in this recording",
            super::resources::qualified(t)
        )));
    };
    let document = Document::new(&document);
    page(&document, t, &path, arguments.is_set("recursive"))
}

/// The type, and the fields after it.
fn target<'c>(
    cluster: &'c Cluster<'_>,
    asked: &str,
) -> Result<(&'c ResourceType, Vec<String>), Failure> {
    let name = asked.split('.').next().unwrap_or(asked);
    let t = cluster.resources.find_bare(name)?;
    let qualified = super::resources::qualified(t);
    let rest = match asked.strip_prefix(qualified.as_str()) {
        Some(rest) => rest,
        None => &asked[name.len()..],
    };
    let fields = rest.split('.').skip(1).map(str::to_owned).collect();
    Ok((t, fields))
}

fn page(
    document: &Document<'_>,
    t: &ResourceType,
    path: &[String],
    recursive: bool,
) -> Result<CommandOutput, Failure> {
    let Some(schema) = document.of_kind(&t.group, &t.version, &t.kind) else {
        return Err(Failure::not_captured(format!(
            "the schema of {} is not available in this recording",
            t.kind
        )));
    };
    let mut text = String::new();
    if !t.group.is_empty() {
        text.push_str(&format!("GROUP:      {}\n", t.group));
    }
    text.push_str(&format!(
        "KIND:       {}\nVERSION:    {}\n\n",
        t.kind, t.version
    ));
    let mut printer = Printer {
        document,
        recursive,
        text,
    };
    let heading = printer.text.len();
    if printer.follow(schema, path, &mut Vec::new())? {
        printer.text.push('\n');
        return Ok(CommandOutput::answered(printer.text));
    }
    // The heading is out by the time that kubectl notices.
    printer.text.truncate(heading);
    let last = path.last().map_or("", String::as_str);
    let error = format!("error: field {} does not exist", quote(last));
    let output = CommandOutput::answered(printer.text);
    Ok(with_errors(output, &[(error, Verdict::Invalid)]))
}

struct Printer<'d> {
    document: &'d Document<'d>,
    recursive: bool,
    text: String,
}

impl<'d> Printer<'d> {
    /// Goes down a path and prints what lies at its end; whether there is something.
    fn follow(
        &mut self,
        schema: &'d Value,
        path: &[String],
        seen: &mut Vec<&'d str>,
    ) -> Result<bool, Failure> {
        let reference = schema::reference(schema);
        let resolved = self.document.resolve(schema);
        let Some((first, rest)) = path.split_first() else {
            self.describe(resolved)?;
            return Ok(true);
        };
        if let Some(reference) = reference {
            if seen.contains(&reference) {
                return Ok(false);
            }
            seen.push(reference);
        }
        if let Some(field) = resolved
            .get("properties")
            .and_then(|fields| fields.get(first))
        {
            if rest.is_empty() {
                let guess = self.document.type_guess(field)?;
                self.text.push_str(&format!("FIELD: {first} <{guess}>\n"));
                for (position, value) in schema::values(field).iter().enumerate() {
                    let title = if position == 0 { "ENUM:" } else { "" };
                    self.text.push_str(&format!("{title}\n    {value}"));
                }
                self.text.push_str("\n\n");
            }
            return self.follow(field, rest, &mut Vec::new());
        }
        for inner in [resolved.get("items"), schema::map_values(resolved)] {
            if let Some(inner) = inner.filter(|inner| !schema::is_empty(inner)) {
                return self.follow(inner, path, seen);
            }
        }
        for part in schema::parts(resolved) {
            if self.follow(part, path, &mut seen.clone())? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn describe(&mut self, schema: &'d Value) -> Result<(), Failure> {
        let description = self.document.description(schema, 0);
        let description = if description.is_empty() {
            "<empty>"
        } else {
            &description
        };
        self.text.push_str("DESCRIPTION:\n");
        self.text.push_str(&indent(4, &wrap::wrap(description, 76)));
        self.text.push('\n');
        let start = self.text.len();
        self.fields(schema, 1, &mut Vec::new())?;
        if self.text.len() > start {
            self.text.insert_str(start, "FIELDS:\n");
        }
        Ok(())
    }

    /// The fields of a schema and of what it is made of.
    fn fields(
        &mut self,
        schema: &'d Value,
        level: usize,
        seen: &mut Vec<&'d str>,
    ) -> Result<(), Failure> {
        const LONGEST: usize = 4 * 1024 * 1024;
        let reference = schema::reference(schema);
        if reference.is_some_and(|reference| seen.contains(&reference)) {
            return Ok(());
        }
        if self.text.len() > LONGEST || level > 64 {
            return Err(Failure::not_captured(
                "a schema this deep is not available in this recording",
            ));
        }
        let depth = seen.len();
        seen.extend(reference);
        let resolved = self.document.resolve(schema);
        for (name, field) in schema::fields(resolved) {
            self.field(resolved, name, field, level)?;
            if self.recursive {
                self.fields(field, level + 1, seen)?;
            }
        }
        let inner = [resolved.get("items"), schema::map_values(resolved)];
        for part in schema::parts(resolved)
            .iter()
            .chain(inner.into_iter().flatten())
        {
            if !schema::is_empty(part) {
                self.fields(part, level, seen)?;
            }
        }
        seen.truncate(depth);
        Ok(())
    }

    fn field(
        &mut self,
        schema: &'d Value,
        name: &str,
        field: &'d Value,
        level: usize,
    ) -> Result<(), Failure> {
        let space = level * 2;
        let guess = self.document.type_guess(field)?;
        let required = if schema::requires(schema, name) {
            " -required-"
        } else {
            ""
        };
        self.text.push_str(&indent(space, name));
        self.text.push_str(&format!("\t<{guess}>{required}"));
        let values = schema::values(field);
        if !values.is_empty() {
            const SHOWN: usize = 4;
            let more = if values.len() > SHOWN { ", ...." } else { "" };
            let shown = values[..values.len().min(SHOWN)].join(", ");
            self.text
                .push_str(&format!("\n{}enum: {shown}{more}", " ".repeat(space)));
        }
        self.text.push('\n');
        if !self.recursive {
            let description = field
                .get("description")
                .and_then(Value::as_str)
                .filter(|text| !text.is_empty())
                .unwrap_or("<no description>");
            let wrapped = wrap::wrap(description, 78usize.saturating_sub(space));
            self.text.push_str(&indent(space + 2, &wrapped));
            self.text.push_str("\n\n");
        }
        Ok(())
    }
}

/// Indents every line, empty ones too.
fn indent(amount: usize, text: &str) -> String {
    let pad = " ".repeat(amount);
    format!("{pad}{}", text.replace('\n', &format!("\n{pad}")))
}

#[cfg(test)]
mod tests {
    use aiopslab_problems::environment::Verdict;
    use serde_json::json;

    use crate::kubectl::testing::{run, shop};

    #[test]
    fn fields_are_explained_from_the_recorded_schema() {
        let mut view = shop();
        view.openapi = vec![(
            "api/v1".to_owned(),
            json!({"components": {"schemas": {
                "a.Pod": {
                    "description": "Pod is a group.",
                    "x-kubernetes-group-version-kind": [{"group": "", "kind": "Pod", "version": "v1"}],
                    "required": ["spec"],
                    "properties": {"spec": {"allOf": [{"$ref": "#/components/schemas/a.Spec"}]}}
                },
                "a.Spec": {"type": "object", "description": "Spec.", "properties": {
                    "names": {"type": "array", "items": {"type": "string"}, "description": "Names."},
                    "policy": {"type": "string", "enum": ["A", ""]}
                }}
            }}}),
        )];
        for (line, text, verdict) in [
            (
                "pods",
                "KIND:       Pod\nVERSION:    v1\n\nDESCRIPTION:\n    Pod is a group.\n    \nFIELDS:\n  \
                 spec\t<Spec> -required-\n    <no description>\n\n\n",
                Verdict::Answered,
            ),
            (
                "po.spec.policy",
                "KIND:       Pod\nVERSION:    v1\n\nFIELD: policy <string>\nENUM:\n    A\n    \"\"\n\n\
                 DESCRIPTION:\n    <empty>\n\n",
                Verdict::Answered,
            ),
            (
                "pod --recursive",
                "KIND:       Pod\nVERSION:    v1\n\nDESCRIPTION:\n    Pod is a group.\n    \nFIELDS:\n  \
                 spec\t<Spec> -required-\n    names\t<[]string>\n    policy\t<string>\n    enum: A, \"\"\n\n",
                Verdict::Answered,
            ),
            (
                "pod.spec.x",
                "KIND:       Pod\nVERSION:    v1\n\nerror: field \"x\" does not exist\n",
                Verdict::Invalid,
            ),
        ] {
            let outcome = run(&view, &format!("kubectl explain {line}"));
            assert_eq!(
                (outcome.text().as_str(), outcome.verdict),
                (text, verdict),
                "{line}"
            );
        }
        assert_eq!(
            run(&shop(), "kubectl explain pods").verdict,
            Verdict::NotCaptured
        );
    }
}
