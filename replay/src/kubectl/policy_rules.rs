//! The rules of a role, or of what one may do, as kubectl lists them.

use std::collections::BTreeMap;

use serde_json::Value;

use super::object;

/// What the cells of a row are.
pub(super) const HEADINGS: [&str; 4] =
    ["Resources", "Non-Resource URLs", "Resource Names", "Verbs"];

/// A rule that says one thing: who may do what with one resource or path.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Rule {
    group: Option<String>,
    resource: Option<String>,
    name: Option<String>,
    path: Option<String>,
    verbs: Vec<String>,
}

impl Rule {
    /// As Go prints it, which is what kubectl sorts by.
    fn key(&self) -> String {
        format!(
            "&PolicyRule{{Verbs:[{}],APIGroups:{},Resources:{},ResourceNames:{},NonResourceURLs:{},}}",
            self.verbs.join(" "),
            listed(self.group.as_ref()),
            listed(self.resource.as_ref()),
            listed(self.name.as_ref()),
            listed(self.path.as_ref())
        )
    }

    /// Its cells under [`HEADINGS`].
    pub(super) fn row(&self) -> String {
        format!(
            "{}\t{}\t{}\t[{}]",
            self.target(),
            listed(self.path.as_ref()),
            listed(self.name.as_ref()),
            self.verbs.join(" ")
        )
    }

    /// `pods/log`, `deployments.apps/scale`, or nothing for a path.
    fn target(&self) -> String {
        let Some(resource) = &self.resource else {
            return String::new();
        };
        let (name, subresource) = match resource.split_once('/') {
            Some((name, subresource)) => (name, format!("/{subresource}")),
            None => (resource.as_str(), String::new()),
        };
        match self.group.as_deref() {
            None | Some("") => format!("{name}{subresource}"),
            Some(group) => format!("{name}.{group}{subresource}"),
        }
    }
}

fn listed(value: Option<&String>) -> String {
    format!("[{}]", value.map_or("", String::as_str))
}

/// Rules taken apart: one per resource and name with all its verbs, in the order of kubectl.
pub(super) fn single<'r>(given: impl Iterator<Item = &'r Value>) -> Vec<Rule> {
    let mut paths = Vec::new();
    // Verbs of one resource are put together in the order in which they occur.
    let mut resources: BTreeMap<(String, String, Option<String>), Vec<String>> = BTreeMap::new();
    for rule in given {
        let texts = |pointer: &str| -> Vec<String> {
            object::list(rule, pointer)
                .iter()
                .map(object::plain)
                .collect()
        };
        let (verbs, names) = (texts("/verbs"), texts("/resourceNames"));
        let names: Vec<Option<String>> = if names.is_empty() {
            vec![None]
        } else {
            names.into_iter().map(Some).collect()
        };
        for group in texts("/apiGroups") {
            for resource in texts("/resources") {
                for verb in &verbs {
                    for name in &names {
                        let key = (group.clone(), resource.clone(), name.clone());
                        let known = resources.entry(key).or_default();
                        if !known.contains(verb) {
                            known.push(verb.clone());
                        }
                    }
                }
            }
        }
        for path in texts("/nonResourceURLs") {
            paths.extend(verbs.iter().map(|verb| Rule {
                group: None,
                resource: None,
                name: None,
                path: Some(path.clone()),
                verbs: vec![verb.clone()],
            }));
        }
    }
    let mut rules = paths;
    rules.extend(
        resources
            .into_iter()
            .map(|((group, resource, name), verbs)| Rule {
                group: Some(group),
                resource: Some(resource),
                name,
                path: None,
                verbs,
            }),
    );
    rules.sort_by_cached_key(Rule::key);
    rules
}
