//! What is said about files that are wrong: for each mistake, where and what.

use super::*;

const OWN: &str = r#"family = "own"
summary = "of the user's"
application = "hotel-testbed"
workload = "mixed"
tasks = ["detection", "localization", "analysis", "mitigation"]
exercised = "never"
variants = [
    { n = 1, target = "geo" },
    { n = 2, target = "rate" },
]

[[inject]]
scale = "deployment/{target}"
replicas = 0

[[manifested]]
endpoints = "{target}"
equals = 0

[[mitigated]]
endpoints = "{target}"
at_least = 1

[[wrong_repairs]]
summary = "a restart"
steps = [{ restart = "deployment/{target}" }]

[truth]
faulty_components = [["{target}"]]
system_level = "Virtualization"
fault_type = "Operation Error"
"#;

const SHOP: &str = r#"name = "shop"
title = "Shop"
description = "A shop"
operations = ["Buy"]
namespace = "shop"
service_label = "app"
components = ["till"]
workloads = { none = { provided = "none" } }
healthy = [{ pods = "ready" }]

[source]
git = "https://example.org/shop"
commit = "0123abc"
chart = "chart"
"#;

/// Puts a mistake into a file and wants it found at a line.
fn broken(file: &str, from: &str, to: &str, line: usize, message: &str) {
    let text = if file == "own.toml" { OWN } else { SHOP };
    assert!(text.contains(from), "{from:?} is not in {file}");
    let files = [(file.to_owned(), text.replacen(from, to, 1))];
    let error = Catalog::with_dir(&files).expect_err(&format!("{to:?} passes"));
    let expected = format!("{file}:{line}: ");
    assert!(
        error.findings.iter().any(|finding| {
            let text = finding.to_string();
            text.starts_with(&expected) && text.contains(message)
        }),
        "{from:?} -> {to:?}: no {expected}{message:?} in\n{error}"
    );
}

#[test]
fn a_flag_needs_an_application_with_flags() {
    let text = OWN.replace("hotel-testbed", "hotel-reservation").replace(
        "scale = \"deployment/{target}\"\nreplicas = 0",
        "flag = \"a\"\nvariant = \"on\"",
    );
    let error = Catalog::with_dir(&[("own.toml".to_owned(), text)]).unwrap_err();
    let wanted = "own.toml:12: ";
    let found = error.findings.iter().map(ToString::to_string);
    let mut about_flags = found.filter(|text| text.contains("has no `flags`"));
    assert!(about_flags.any(|text| text.starts_with(wanted)), "{error}");
}

#[test]
fn requests_of_a_load_that_is_not_ours_are_not_counted() {
    let text = OWN
        .replace("hotel-testbed", "astronomy-shop")
        .replace("mixed", "locust")
        .replace("geo", "ad")
        .replace("rate\"", "cart\"")
        .replace(
            "endpoints = \"{target}\"\nequals = 0",
            "workload = { error_ratio = { above = 0.05 } }",
        );
    let error = Catalog::with_dir(&[("own.toml".to_owned(), text)]).unwrap_err();
    let told = error.to_string();
    assert!(told.contains("own.toml:16: "), "{told}");
    assert!(told.contains("its requests are not counted"), "{told}");
}

#[test]
fn mistakes_in_families_are_found_where_they_are() {
    let check = |from, to, line, message| broken("own.toml", from, to, line, message);
    // No TOML, and not of the form.
    check("summary = ", "summary ", 2, "expected");
    check("summary", "sumary", 2, "unknown field `sumary`");
    check(
        "replicas = 0",
        "replica = 0",
        12,
        "step `scale`: unknown field `replica`",
    );
    check("scale = ", "shrink = ", 12, "unknown step with `shrink`");
    check(
        "equals = 0",
        "equal = 0",
        16,
        "condition `endpoints`: unknown field `equal`",
    );
    check(
        "\"detection\", ",
        "\"detecton\", ",
        5,
        "unknown variant `detecton`",
    );
    check(
        "exercised = \"never\"",
        "exercised = \"often\"",
        6,
        "unknown variant `often`",
    );
    check(
        "[truth]\n",
        "[truth]\nlevel = 1\n",
        29,
        "unknown field `level`",
    );
    // Names.
    check(
        "\"own\"",
        "\"owner\"",
        1,
        "the file of owner has to be named owner.toml",
    );
    check("\"own\"", "\"own-2\"", 1, "ends like a variant");
    check(
        "\"own\"",
        "\"own-detection\"",
        1,
        "has the task detection in it",
    );
    check("\"own\"", "\"Own!\"", 1, "not made of letters");
    check(
        "\"own\"",
        "\"scale_pod_zero_testbed\"",
        1,
        "another family scale_pod_zero_testbed",
    );
    // Application, workload, targets.
    check(
        "hotel-testbed",
        "hotel",
        3,
        "unknown application \"hotel\", wanted one of: astronomy-shop, ",
    );
    check(
        "mixed",
        "heaviest",
        4,
        "has no workload \"heaviest\", it has: ",
    );
    check(
        "\"geo\"",
        "\"moon\"",
        12,
        "unknown target \"moon\": application hotel-testbed has the components ",
    );
    check(
        "endpoints = \"{target}\"",
        "endpoints = \"moon\"",
        16,
        "unknown target \"moon\"",
    );
    check(
        "[[\"{target}\"]]",
        "[[\"moon\"]]",
        29,
        "unknown target \"moon\"",
    );
    check(
        "steps = [{ restart = \"deployment/{target}\" }]",
        "steps = [{ restart = \"deployment/moon\" }]",
        26,
        "unknown target \"moon\"",
    );
    // Steps and conditions that make no sense.
    check("replicas = 0", "replicas = -1", 12, "less than nothing");
    check(
        "deployment/{target}",
        "deployment",
        12,
        "not of the form resource/name",
    );
    check(
        "steps = [{ restart = \"deployment/{target}\" }]",
        "steps = []",
        24,
        "a repair needs `steps`",
    );
    check(
        "endpoints = \"{target}\"\nequals = 0",
        "log = \"{target}\"\nmatches = \"(\"\nsince = \"now\"",
        16,
        "malformed pattern",
    );
    check(
        "endpoints = \"{target}\"\nequals = 0",
        "field = \"service/{target}\"\npath = \"a..b\"\nexists = true",
        16,
        "malformed path",
    );
    // Truth and tasks.
    check(
        "system_level = \"Virtualization\"\n",
        "",
        28,
        "task analysis needs `truth.system_level`",
    );
    check(
        "\"Operation Error\"",
        "\"Bad Luck\"",
        31,
        "`truth.fault_type` is \"Bad Luck\", wanted one of: Misconfiguration, ",
    );
    check(
        "faulty_components = [[\"{target}\"]]\n",
        "",
        28,
        "needs `truth.faulty_components`",
    );
    check(
        "[truth]\n",
        "[truth]\nanomaly = false\n",
        29,
        "contradict each other",
    );
    check(
        "exercised = ",
        "disabled = { detection = \"\" }\nexercised = ",
        6,
        "without a reason",
    );
    check(
        "[\"detection\", \"localization\", \"analysis\", \"mitigation\"]",
        "[]",
        5,
        "no task is asked",
    );
    // Oracles.
    check(
        "[[mitigated]]\nendpoints = \"{target}\"\nat_least = 1\n",
        "",
        5,
        "task mitigation needs `mitigated`",
    );
    check(
        "[[manifested]]\nendpoints = \"{target}\"\nequals = 0\n",
        "",
        12,
        "a fault needs `manifested`",
    );
    check(
        "endpoints = \"{target}\"\nat_least = 1",
        "pods = \"ready\"",
        20,
        "the oracle can't fail",
    );
    // Variants.
    check("\"rate\"", "\"geo\"", 9, "variants 1 and 2 are the same");
    check("n = 2", "n = 3", 7, "numbered 1, 2, 3");
    check(
        "target = \"rate\"",
        "victim = \"rate\"",
        9,
        "variant 2 of family own has no variable \"target\"",
    );
    check(
        "target = \"rate\"",
        "target = \"rate\", port = \"1\"",
        9,
        "variable \"port\" is used nowhere",
    );
    check(
        "exercised = ",
        "numbered = false\nexercised = ",
        6,
        "for families with one variant",
    );
}

#[test]
fn mistakes_in_families_without_a_fault_are_found() {
    let noop = "family = \"own\"\nsummary = \"s\"\napplication = \"hotel-testbed\"\nworkload = \"mixed\"\ntasks = [\"localization\"]\nexercised = \"never\"\nvariants = [{ n = 1 }]\n[truth]\nanomaly = false\n";
    let error = Catalog::with_dir(&[("own.toml".to_owned(), noop.to_owned())]).unwrap_err();
    let text = error.to_string();
    assert!(
        text.contains("own.toml:1: a family without a fault is named noop_detection_…"),
        "{text}"
    );
    assert!(
        text.contains("own.toml:5: a family without a fault asks for detection only"),
        "{text}"
    );
}

#[test]
fn mistakes_in_applications_are_found_where_they_are() {
    let check = |from, to, line, message| broken("shop.toml", from, to, line, message);
    check(
        "\"shop\"",
        "\"hotel-testbed\"",
        1,
        "another application hotel-testbed",
    );
    check("\"shop\"", "\"store\"", 1, "has to be named store.toml");
    check("title", "titel", 2, "unknown field `titel`");
    check("pods", "pots", 9, "unknown condition with `pots`");
    check(
        "healthy = ",
        "jaeger = { service = \"j\", port = 80, path = \"ui\" }\nhealthy = ",
        9,
        "the path \"ui\" does not start with /",
    );
    check("provided", "given", 8, "unknown workload with `given`");
    check(
        "commit = \"0123abc\"\n",
        "",
        11,
        "a source has a `commit`, or says in `unpinned`",
    );
    check(
        "[source]",
        "[[objects]]\nkind = \"Secret\"\n[source]",
        11,
        "the object to apply has no `apiVersion`",
    );
    check(
        "chart = \"chart\"\n",
        "",
        11,
        "one of `manifests`, `chart`, `compose`",
    );
    check(
        "git = ",
        "svn = ",
        11,
        "unknown source with `svn`, `commit`, `chart`, wanted one of: built_in, git, helm",
    );
}

#[test]
fn what_is_right_passes_and_every_mistake_is_told() {
    let files = [("a/own.toml", OWN), ("a/shop.toml", SHOP)]
        .map(|(file, text)| (file.to_owned(), text.to_owned()));
    let catalog = Catalog::with_dir(&files).unwrap();
    assert_eq!(
        catalog
            .problem("own-mitigation-2")
            .unwrap()
            .truth
            .faulty_components,
        [["rate"]]
    );
    let files = files.map(|(file, text)| {
        (
            file,
            text.replace("summary", "sumary").replace("title", "titel"),
        )
    });
    assert_eq!(Catalog::with_dir(&files).unwrap_err().findings.len(), 2);
}
