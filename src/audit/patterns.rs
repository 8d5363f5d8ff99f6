//! What must not be said in the visible part of a snapshot.

use std::collections::BTreeSet;

use aiopslab_problems::catalog::Catalog;
use aiopslab_problems::family::Family;
use aiopslab_problems::fault::Step;
use regex::Regex;
use serde_json::Value;

use crate::exit::Failure;

/// Whoever injects a fault: tools, their objects and folders, our own names.
const INJECTORS: [&str; 17] = [
    "aiopslab",
    "blade-operator",
    "change-cause",
    "chaos-daemon",
    "chaos-mesh",
    "chaosblade",
    "chaosmesh",
    "cluster-settings-",
    "failure-injection",
    "fault-injection",
    "fault_injection",
    "kubectl-edit",
    "kubectl-patch",
    "litmuschaos",
    "managedFields",
    "node-upkeep",
    "settings.kubernetes.io/scope",
];

/// Folders of injectors; only as a whole path.
const PATHS: [&str; 1] = ["/scripts"];

/// What may be there although it has one of the names in it: images and folders of the lab.
const ALLOWED: [&str; 8] = [
    "docker.io/aiopslab/",
    "aiopslab/configuration",
    "aiopslab_configuration",
    "aiopslab/testbed",
    "aiopslab-lab0",
    "aiopslab-testbed",
    "/run/aiopslab-lab/",
    "/var/lib/aiopslab-lab/",
];

/// The texts of one snapshot's family, and those of every injector.
pub struct Patterns {
    search: Regex,
    allowed: Regex,
    /// How many texts are searched for.
    pub texts: usize,
}

impl Patterns {
    /// Takes what a catalog and a snapshot's truth say of the fault.
    ///
    /// # Errors
    /// Never for texts; only if they are too many for one search.
    pub fn of(catalog: &Catalog, family: &str, truth: &Value) -> Result<Self, Failure> {
        let mut texts: BTreeSet<String> = INJECTORS.map(str::to_owned).into();
        // Types of faults are plain words too; only as the answer spells them do they tell.
        let mut exact = BTreeSet::new();
        add_name(&mut texts, family);
        if let Some(family) = catalog.family(family) {
            add_family(&mut texts, family);
            exact.extend(family.truth.fault_type.clone());
        }
        exact.extend(
            truth
                .get("fault_type")
                .and_then(Value::as_str)
                .map(str::to_owned),
        );
        for field in ["family", "problem", "summary"] {
            if let Some(text) = truth.get(field).and_then(Value::as_str) {
                add_name(&mut texts, text);
            }
        }
        // One word may stand for many things.
        texts.retain(|text| text.len() >= 8);
        let mut alternatives: Vec<String> = texts.iter().map(|text| regex::escape(text)).collect();
        let exact = exact.iter().map(|text| regex::escape(text));
        alternatives.extend(exact.map(|text| format!("(?-i:{text})")));
        for path in PATHS {
            alternatives.push(format!(r"{}(?:[/\s'\x22]|$)", regex::escape(path)));
        }
        let allowed = ALLOWED.map(regex::escape).join("|");
        Ok(Self {
            texts: alternatives.len(),
            search: Regex::new(&format!("(?i){}", alternatives.join("|")))?,
            allowed: Regex::new(&format!("(?i){allowed}"))?,
        })
    }

    /// The first of the texts that is in another.
    #[must_use]
    pub fn find(&self, text: &str) -> Option<String> {
        // Most texts hold none: only then is it worth taking out what is allowed.
        self.search.find(text)?;
        let rest = self.allowed.replace_all(text, "");
        self.search
            .find(&rest)
            .map(|found| found.as_str().to_owned())
    }
}

fn add_family(texts: &mut BTreeSet<String>, family: &Family) {
    add_name(texts, &family.summary);
    for repair in &family.wrong_repairs {
        add_name(texts, &repair.summary);
    }
    for step in &family.inject {
        if let Step::Exec(exec) = step {
            let words = exec.command.iter().chain(&exec.recover);
            for words in words.filter(|word| word.contains(' ')) {
                // A variable ends what can be searched for.
                let fixed = words.split('{').next().unwrap_or(words);
                texts.insert(fixed.trim().to_owned());
            }
        }
    }
}

/// A name as it is, and with other signs between its words; without what names the application.
fn add_name(texts: &mut BTreeSet<String>, name: &str) {
    let plain = name.strip_suffix("_testbed").unwrap_or(name);
    for name in [name, plain] {
        texts.insert(name.to_owned());
        for between in ["-", "_", " "] {
            texts.insert(name.replace(['-', '_', ' '], between));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_of_family_and_injectors_are_found_and_images_are_not() {
        let catalog = Catalog::embedded().unwrap();
        let truth = serde_json::json!({"fault_type": "Authentication Issue"});
        let patterns = Patterns::of(&catalog, "revoke_auth_postgres_testbed", &truth).unwrap();
        for (text, found) in [
            ("image docker.io/aiopslab/testbed:0.1.0", None),
            ("manager: aiopslab", Some("aiopslab")),
            ("docker.io/aiopslab/testbed by AIOpsLab", Some("AIOpsLab")),
            ("a revoke-auth-postgres run", Some("revoke-auth-postgres")),
            ("revoke auth postgres testbed", Some("revoke auth postgres")),
            (
                "STATEMENT: REVOKE ALL ON ALL TABLES IN SCHEMA public FROM geo",
                Some("REVOKE ALL ON ALL TABLES IN SCHEMA public FROM"),
            ),
            ("sh /scripts/run.sh", Some("/scripts/")),
            ("mkdir /scriptsets", None),
            ("permission denied for table points", None),
            ("postgres-geo", None),
            ("authentication issue", None),
            ("Authentication Issue", Some("Authentication Issue")),
            ("prometheus: aiopslab/configuration", None),
            ("kubernetes.io/change-cause", Some("change-cause")),
        ] {
            assert_eq!(patterns.find(text).as_deref(), found, "{text}");
        }
    }
}
