//! Every text of a snapshot's visible part, at the depths at which visibility is decided.

use aiopslab_datasets::Snapshot;
use aiopslab_datasets::rows::{
    Coverage, Exec, LogInstance, LogLine, MetricMetadata, MetricSeries, ObjectApi, ObjectVersion,
    Row, Span, Usage,
};
use serde::Serialize;
use serde_json::Value;

use super::Patterns;
use crate::exit::Failure;

/// A text that gives something away.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Leak {
    /// What would have to be hidden: `row`, `JSON path`, `log line`, `series`, `document`.
    pub depth: &'static str,
    /// Where it is.
    pub place: String,
    /// What is said there.
    pub text: String,
}

/// The leaks of a snapshot, each place once, sorted.
///
/// # Errors
/// When the snapshot is damaged.
pub fn leaks(snapshot: &Snapshot, patterns: &Patterns) -> Result<Vec<Leak>, Failure> {
    let mut found = Found {
        patterns,
        leaks: Vec::new(),
    };
    found.manifest(snapshot)?;
    for row in rows::<ObjectVersion>(snapshot)? {
        found.object(&row);
    }
    // The schemas are the same in every cluster of a version.
    let of_this_cluster = |row: &ObjectApi| row.kind != "openapi";
    for row in rows::<ObjectApi>(snapshot)?
        .into_iter()
        .filter(of_this_cluster)
    {
        let place = format!("{} {}", row.kind, row.name);
        found.json("JSON path", &place, &row.json);
    }
    for row in rows::<LogInstance>(snapshot)? {
        let place = format!("log of {}/{}/{}", row.namespace, row.pod, row.container);
        found.text("row", &place, &place);
    }
    for row in rows::<LogLine>(snapshot)? {
        let place = format!("log of {}/{}/{}", row.namespace, row.pod, row.container);
        found.text("log line", &place, &String::from_utf8_lossy(&row.message));
    }
    for row in rows::<MetricSeries>(snapshot)? {
        for (name, value) in &row.labels {
            found.text("series", &format!("label {name} of {}", row.name), value);
            found.text("series", &row.name, name);
        }
        found.text("series", &row.name, &row.name);
    }
    for row in rows::<MetricMetadata>(snapshot)? {
        let place = format!("{} {}", row.kind, row.name);
        found.text("series", &place, &row.name);
        found.text("series", &place, row.help.as_deref().unwrap_or_default());
        found.json("series", &place, row.json.as_deref().unwrap_or("null"));
    }
    for row in rows::<Span>(snapshot)? {
        let place = format!("span {} of {}", row.operation, row.service);
        found.text("row", &place, &place);
        found.text("row", &place, row.message.as_deref().unwrap_or_default());
        for json in [&row.attributes, &row.resource, &row.events] {
            found.json("JSON path", &place, json);
        }
    }
    for row in rows::<Usage>(snapshot)? {
        let place = format!("usage of {}/{}/{}", row.namespace, row.name, row.container);
        found.text("row", &place, &place);
    }
    for row in rows::<Exec>(snapshot)? {
        let place = format!("exec in {}/{}: {}", row.namespace, row.pod, row.argv);
        found.text("row", &place, &row.argv);
        found.text("row", &place, &String::from_utf8_lossy(&row.stdout));
        found.text("row", &place, &String::from_utf8_lossy(&row.stderr));
    }
    for row in rows::<Coverage>(snapshot)? {
        let place = format!("coverage of {}", row.table);
        found.text("row", &place, &row.scope);
        found.text("row", &place, row.reason.as_deref().unwrap_or_default());
    }
    found.leaks.sort();
    found.leaks.dedup();
    Ok(found.leaks)
}

fn rows<R: Row>(snapshot: &Snapshot) -> Result<Vec<R>, Failure> {
    Ok(snapshot.read_rows()?)
}

struct Found<'a> {
    patterns: &'a Patterns,
    leaks: Vec<Leak>,
}

impl Found<'_> {
    fn text(&mut self, depth: &'static str, place: &str, text: &str) {
        if let Some(text) = self.patterns.find(text) {
            self.leaks.push(Leak {
                depth,
                place: place.to_owned(),
                text,
            });
        }
    }

    /// An object gives away by what it is (the row), or by something in it (the path).
    fn object(&mut self, row: &ObjectVersion) {
        let place = format!("{}/{} in {:?}", row.resource, row.name, row.namespace);
        let own = format!("{}.{} {} {}", row.resource, row.group, row.kind, row.name);
        let known = self.leaks.len();
        self.text("row", &place, &own);
        self.text("row", &place, &row.namespace);
        // The rest of such an object repeats its names.
        if self.leaks.len() == known {
            self.json("JSON path", &place, &row.object);
            self.text("row", &place, row.cells.as_deref().unwrap_or_default());
        }
    }

    fn json(&mut self, depth: &'static str, place: &str, text: &str) {
        // Parsing is worth it only where there is something.
        if self.patterns.find(text).is_none() {
            return;
        }
        match serde_json::from_str(text) {
            Ok(value) => self.value(depth, place, &mut String::new(), &value),
            Err(_) => self.text(depth, place, text),
        }
    }

    fn value(&mut self, depth: &'static str, place: &str, path: &mut String, value: &Value) {
        match value {
            Value::String(text) => {
                self.text(depth, &format!("{place}: {path}"), text);
            }
            Value::Array(items) => {
                for (index, item) in items.iter().enumerate() {
                    self.below(depth, place, path, &format!("[{index}]"), item);
                }
            }
            Value::Object(fields) => {
                for (name, item) in fields {
                    let step = format!(".{name}");
                    self.text(depth, &format!("{place}: {path}{step}"), name);
                    self.below(depth, place, path, &step, item);
                }
            }
            _ => {}
        }
    }

    fn below(
        &mut self,
        depth: &'static str,
        place: &str,
        path: &mut String,
        step: &str,
        value: &Value,
    ) {
        let length = path.len();
        path.push_str(step);
        self.value(depth, place, path, value);
        path.truncate(length);
    }

    /// The manifest, without what every snapshot says of who wrote it.
    fn manifest(&mut self, snapshot: &Snapshot) -> Result<(), Failure> {
        let mut manifest = serde_json::to_value(snapshot.manifest())?;
        if let Some(versions) = manifest.get_mut("versions").and_then(Value::as_object_mut) {
            versions.shift_remove("aiopslab");
        }
        for quiet in ["withheld_files", "settings"] {
            // What an agent can't read: names of files, and how the recorders were set.
            if let Some(fields) = manifest.as_object_mut() {
                fields.shift_remove(quiet);
            }
        }
        self.value("document", "manifest.json", &mut String::new(), &manifest);
        Ok(())
    }
}
