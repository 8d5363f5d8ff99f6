//! What two releases do not share, by their manifests.

use std::collections::BTreeMap;

use aiopslab_datasets::release::{Release, SNAPSHOTS_FOLDER};
use serde::Serialize;
use serde_json::{Value, json};

/// What became of one release in another.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Difference {
    /// The first one's name and version.
    a: String,
    /// The second one's.
    b: String,
    /// Its snapshots; changed: their visible rows are others.
    snapshots: Changes,
    /// Its files; changed: their bytes are others. What is encrypted anew is the same while its plaintext is.
    files: Changes,
    /// What it says of itself: its terms, and the figures.
    statements: Vec<Statement>,
}

/// What was added, removed and changed, by name.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
struct Changes {
    added: Vec<String>,
    removed: Vec<String>,
    changed: Vec<String>,
    /// How many are as before.
    same: usize,
}

/// Something that the releases say differently; null: one of them says nothing.
#[derive(Debug, Clone, PartialEq, Serialize)]
struct Statement {
    /// What it is about, e.g. `figures/controls`.
    of: String,
    a: Value,
    b: Value,
}

impl Difference {
    /// Compares two releases.
    pub(crate) fn between(a: &Release, b: &Release) -> Self {
        let title = |release: &Release| format!("{} {}", release.about.name, release.about.version);
        let (sealed_a, sealed_b) = (sealed(a), sealed(b));
        Self {
            a: title(a),
            b: title(b),
            snapshots: Changes::between(&a.snapshots, &b.snapshots, |_, a, b| {
                a.logical_digest == b.logical_digest
            }),
            files: Changes::between(&a.files, &b.files, |path, a, b| {
                let plaintext = sealed_a.get(path);
                a.sha256 == b.sha256 || plaintext.is_some() && plaintext == sealed_b.get(path)
            }),
            statements: statements(a, b),
        }
    }

    /// For people: counts, and the names of what is another; of the files those that do not come or go with
    /// their snapshot.
    pub(crate) fn text(&self) -> String {
        let mut text = format!("{} and {}\n", self.a, self.b);
        text.push_str(&self.snapshots.text("snapshots", |_| true));
        text.push_str(
            &self
                .files
                .text("files", |path| !self.goes_with_snapshot(path)),
        );
        for Statement { of, a, b } in &self.statements {
            text.push_str(&format!("{of}: {a}, then {b}\n"));
        }
        text
    }

    fn goes_with_snapshot(&self, path: &str) -> bool {
        let inside = path.strip_prefix(SNAPSHOTS_FOLDER);
        let name = inside.and_then(|path| path.trim_start_matches('/').split('/').next());
        let is_named = |names: &[String]| names.iter().any(|one| Some(one.as_str()) == name);
        is_named(&self.snapshots.added) || is_named(&self.snapshots.removed)
    }
}

/// Encrypted files by their path: the digest of what is in them.
fn sealed(release: &Release) -> BTreeMap<&str, &str> {
    let all = release.snapshots.values();
    let sealed = all.filter_map(|entry| entry.sealed.as_ref());
    sealed
        .map(|sealed| (sealed.file.as_str(), sealed.salted_sha256.as_str()))
        .collect()
}

impl Changes {
    fn between<T>(
        a: &BTreeMap<String, T>,
        b: &BTreeMap<String, T>,
        is_same: impl Fn(&str, &T, &T) -> bool,
    ) -> Self {
        let mut changes = Self::default();
        for (name, before) in a {
            match b.get(name) {
                None => changes.removed.push(name.clone()),
                Some(after) if is_same(name, before, after) => changes.same += 1,
                Some(_) => changes.changed.push(name.clone()),
            }
        }
        let added = b.keys().filter(|name| !a.contains_key(*name));
        changes.added = added.cloned().collect();
        changes
    }

    fn text(&self, what: &str, is_shown: impl Fn(&str) -> bool) -> String {
        let Self {
            added,
            removed,
            changed,
            same,
        } = self;
        let mut text = format!(
            "{what}: {} added, {} removed, {} changed, {same} as before\n",
            added.len(),
            removed.len(),
            changed.len()
        );
        for (sign, names) in [('+', added), ('-', removed), ('~', changed)] {
            for name in names.iter().filter(|name| is_shown(name)) {
                text.push_str(&format!("  {sign} {name}\n"));
            }
        }
        text
    }
}

fn statements(a: &Release, b: &Release) -> Vec<Statement> {
    let said = |release: &Release| {
        let mut said = BTreeMap::new();
        let about = &release.about;
        let terms = json!({
            "citation": about.citation,
            "figures": release.figures,
            "held_out": about.held_out,
            "licence": about.licence,
            "published": about.published,
            "url": about.url,
        });
        flatten("", &terms, &mut said);
        said
    };
    let (a, b) = (said(a), said(b));
    let mut names: Vec<&String> = a.keys().chain(b.keys()).collect();
    names.sort();
    names.dedup();
    let value =
        |said: &BTreeMap<String, Value>, name: &String| said.get(name).cloned().unwrap_or_default();
    let both = names.into_iter().map(|name| Statement {
        of: name.clone(),
        a: value(&a, name),
        b: value(&b, name),
    });
    both.filter(|one| one.a != one.b).collect()
}

/// The leaves of a document, each by its path.
fn flatten(path: &str, value: &Value, leaves: &mut BTreeMap<String, Value>) {
    let Value::Object(fields) = value else {
        leaves.insert(path.to_owned(), value.clone());
        return;
    };
    for (name, value) in fields {
        let between = if path.is_empty() { "" } else { "/" };
        flatten(&format!("{path}{between}{name}"), value, leaves);
    }
}

#[cfg(test)]
mod tests {
    use aiopslab_datasets::release::ReleaseFile;
    use aiopslab_datasets::release::manifest::Sealed;

    use super::super::card::tests::example;
    use super::*;

    #[test]
    fn a_release_is_as_itself() {
        let (release, _) = example();
        let difference = Difference::between(&release, &release);
        let text = "small 1.0.0 and small 1.0.0
snapshots: 0 added, 0 removed, 0 changed, 2 as before
files: 0 added, 0 removed, 0 changed, 3 as before
";
        assert_eq!(difference.text(), text);
    }

    #[test]
    fn what_is_another_is_named() {
        let (before, _) = example();
        let mut after = before.clone();
        after.about.version = "1.1.0".to_owned();
        let gone = after.snapshots.remove("two-1").unwrap();
        after.snapshots.insert("three-1".to_owned(), gone);
        after.snapshots.get_mut("one-1").unwrap().logical_digest = "another".to_owned();
        let moved = "snapshots/two-1/usage/usage.parquet";
        let file = after.files.remove(moved).unwrap();
        after.files.insert(moved.replace("two", "three"), file);
        let readme = after.files.get_mut("README.md").unwrap();
        readme.sha256 = "dd".to_owned();
        after.figures.insert("controls".to_owned(), json!(2));
        after.figures.remove("coverage");
        let text = "small 1.0.0 and small 1.1.0
snapshots: 1 added, 1 removed, 1 changed, 0 as before
  + three-1
  - two-1
  ~ one-1
files: 1 added, 1 removed, 1 changed, 1 as before
  ~ README.md
figures/controls: 1, then 2
figures/coverage/actions: 12, then null
figures/coverage/answered: 11, then null
";
        assert_eq!(Difference::between(&before, &after).text(), text);
    }

    #[test]
    fn what_is_encrypted_anew_is_the_same() {
        let encrypted = |ciphertext: &str, plaintext: &str| {
            let (mut release, _) = example();
            let path = "sealed/01.tar.age";
            let file = ReleaseFile {
                bytes: 9,
                sha256: ciphertext.to_owned(),
            };
            release.files.insert(path.to_owned(), file);
            release.snapshots.get_mut("one-1").unwrap().sealed = Some(Sealed {
                file: path.to_owned(),
                salted_sha256: plaintext.to_owned(),
            });
            release
        };
        let before = encrypted("01", "aa");
        let changed = |after| Difference::between(&before, &after).files.changed;
        assert!(changed(encrypted("02", "aa")).is_empty());
        assert_eq!(changed(encrypted("02", "bb")), ["sealed/01.tar.age"]);
    }
}
